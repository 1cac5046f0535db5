"""Figures refuse what contradicts itself, are judged by their own numbers and are archived exactly."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.canonical import UnreadableFigures, sha256
from reports.figures import (
    Adherent,
    Coverage,
    DraftReason,
    InrStatement,
    InvalidFigures,
    Line,
    Period,
    Quality,
    Status,
)
from tests.reports.figures_given import CONFIRMED, KWH, PARIS, a_first_statement, a_line, a_statement


@pytest.mark.parametrize(
    ("first_day", "hours"),
    [(date(2026, 3, 1), 743), (date(2026, 7, 1), 744), (date(2026, 10, 1), 745), (date(2027, 2, 1), 672)],
)
def test_a_month_has_the_hours_of_its_zone(first_day: date, hours: int) -> None:
    assert Period.of_month(first_day, PARIS).hours == hours


@pytest.mark.parametrize("statement", [a_statement(), a_first_statement()], ids=["full", "first"])
def test_archived_figures_come_back_the_same(statement: InrStatement) -> None:
    archived = statement.to_json()
    restored = InrStatement.from_json(archived)
    assert restored == statement
    assert restored.to_json() == archived
    assert restored.sha256() == sha256(archived) == statement.sha256()


@given(
    energy_mj=st.none() | st.integers(min_value=0, max_value=2**63),
    workload=st.text(st.characters(exclude_categories=["Cs"])),
    generated_at=st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC)),
)
def test_any_figures_come_back_the_same(energy_mj: int | None, workload: str, generated_at: datetime) -> None:
    line = Line(
        subscription="C",
        service="S",
        workload=workload,
        energy_mj=energy_mj,
        declared_mj=energy_mj or 0,
    )
    statement = a_statement(lines=(line,), generated_at=generated_at)
    assert InrStatement.from_json(statement.to_json()) == statement


def test_the_hash_changes_with_any_figure() -> None:
    statement = a_statement()
    changed = replace(statement, coverage=Coverage(covered_hours=700, elapsed_hours=745))
    assert changed.sha256() != statement.sha256()


def test_the_canonical_form_has_no_room_for_choice() -> None:
    archived = a_statement().to_json()
    again = json.dumps(json.loads(archived), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert again == archived
    assert '"generated_at":"2026-11-03T08:30:00Z"' in archived


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"zone":"Europe/Paris"', '"zone":7', "adherent.zone: 7 is not of type str"),
        ('"zone":"Europe/Paris"', '"zone":"Europe/Paris","x":1', "adherent: unknown field x"),
        ('"basis":"yearly_average",', "", "missing field basis"),
        ('"basis":"yearly_average"', '"basis":"guess"', "basis: 'guess' is not a valid Basis"),
        ('"first_day":"2026-10-01"', '"first_day":"October"', "period.first_day"),
        ('"covered_hours":701', '"covered_hours":true', "covered_hours: True is not of type int"),
        ("{", "", "not JSON"),
    ],
)
def test_figures_of_another_shape_are_refused_by_their_field(old: str, new: str, said: str) -> None:
    archived = a_statement().to_json()
    assert old in archived
    with pytest.raises(UnreadableFigures, match=said):
        InrStatement.from_json(archived.replace(old, new, 1))


def test_a_line_whose_qualities_do_not_add_up_is_refused() -> None:
    with pytest.raises(InvalidFigures, match="nginx: qualities of 9 mJ for 10 mJ"):
        a_line("nginx", 10, measured_mj=9)


def test_carbon_by_a_factor_that_is_not_given_is_refused() -> None:
    with pytest.raises(InvalidFigures, match="ademe-fr-2024"):
        a_statement(factors=())
    with pytest.raises(InvalidFigures, match="without a factor"):
        a_line("nginx", 10, factor_id=None)


def test_more_hours_covered_than_passed_are_refused() -> None:
    with pytest.raises(InvalidFigures, match="5 of 4"):
        Coverage(covered_hours=5, elapsed_hours=4)


def test_a_month_begins_on_its_first_day() -> None:
    with pytest.raises(InvalidFigures, match="2026-10-02"):
        Period.of_month(date(2026, 10, 2), PARIS)


def test_the_total_of_nothing_known_is_unknown() -> None:
    assert a_statement(lines=()).energy_mj is None
    assert a_statement(lines=(a_line("nginx", None),)).energy_mj is None
    assert a_statement(lines=(a_line("nginx", None), a_line("cron", 5))).energy_mj == 5


def test_quality_shares_are_exact() -> None:
    statement = a_statement(
        lines=(a_line("a", 2 * KWH), a_line("b", KWH, measured_mj=0, modelled_mj=KWH)),
    )
    assert statement.quality_share(Quality.MEASURED) == Fraction(2, 3)
    assert statement.quality_share(Quality.DECLARED) == 0
    assert a_statement(lines=()).quality_share(Quality.MEASURED) is None


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({}, ()),
        ({"coverage": Coverage(covered_hours=596, elapsed_hours=745)}, ()),
        ({"coverage": Coverage(covered_hours=595, elapsed_hours=745)}, (DraftReason.COVERAGE_LOW,)),
        ({"coverage": Coverage(covered_hours=0, elapsed_hours=0)}, (DraftReason.COVERAGE_LOW,)),
        ({"lines": (a_line("a", 8), a_line("b", 2, measured_mj=0, declared_mj=2))}, ()),
        (
            {"lines": (a_line("a", 79), a_line("b", 21, measured_mj=0, declared_mj=21))},
            (DraftReason.MEASURED_SHARE_LOW,),
        ),
        ({"lines": ()}, (DraftReason.ENERGY_UNKNOWN,)),
        ({"lines": (a_line("a", 8), a_line("b", None))}, (DraftReason.ENERGY_UNKNOWN,)),
        (
            {"lines": (a_line("a", 8, carbon_ug=None, factor_id=None),)},
            (DraftReason.CARBON_UNKNOWN,),
        ),
        ({"generated_at": datetime(2026, 10, 31, 22, 59, tzinfo=UTC)}, (DraftReason.PERIOD_RUNNING,)),
        ({"generated_at": datetime(2026, 10, 31, 23, 0, tzinfo=UTC)}, ()),
    ],
)
def test_a_statement_is_a_draft_for_these_reasons(
    changes: dict[str, object], reasons: tuple[DraftReason, ...]
) -> None:
    statement = a_statement(**changes)
    assert statement.draft_reasons == reasons
    assert statement.is_draft == bool(reasons)


@pytest.mark.parametrize(
    ("factor", "generated_at", "status"),
    [
        (CONFIRMED, datetime(2027, 6, 1, tzinfo=UTC), Status.FINAL),
        (CONFIRMED, datetime(2026, 10, 5, tzinfo=UTC), Status.PROVISIONAL),
        (replace(CONFIRMED, vintage=2025), datetime(2027, 6, 1, tzinfo=UTC), Status.PROVISIONAL),
        (replace(CONFIRMED, provisional=True), datetime(2027, 6, 1, tzinfo=UTC), Status.PROVISIONAL),
    ],
)
def test_a_statement_is_final_once_over_with_the_factor_of_its_year(
    factor: object, generated_at: datetime, status: Status
) -> None:
    line = a_line("nginx", KWH, factor_id=CONFIRMED.factor_id, overhead_mj=KWH // 2)
    statement = a_statement(lines=(line,), factors=(factor,), generated_at=generated_at)
    assert statement.status is status


def test_a_field_that_is_not_plain_has_no_canonical_form() -> None:
    adherent = Adherent(name=1.5, finess_ej=None, zone=PARIS)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="float has no canonical form"):
        a_statement(adherent=adherent).to_json()
