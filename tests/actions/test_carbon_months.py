"""Closing months of carbon: frozen whatever comes later, corrected by revisions that explain themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from console.actions import facility
from console.actions.carbon_months import close_month, revise_month, unsound_months
from console.actions.reckoning_due import Step, make_due, make_months_due
from console.actions.statements import issue_statement
from console.domain.carbon_months import Doubt, doubts
from console.domain.claims import OPERATOR_TENANT
from console.domain.errors import Conflict, Invalid
from console.domain.facility import DeclaredPue, Quantity
from console.domain.factors import Basis, Perimeter
from console.domain.hours import HOUR, month_bounds
from console.domain.month_lines import LineKind
from console.jobs import RECKONINGS
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import measurement as m
from console.store.models import site as s
from console.store.models import tenant as t
from console.store.queries.carbon_months import MonthState, month_seen, revisions_of, shown_revision
from console.store.queries.statements import archived_figures
from console.store.session import Database, Operator
from tests.carbon_past import NOW, PARIS, a_meter, hours_of, intensity, reckon_all
from tests.given import an_adherent, an_empty_database

pytestmark = pytest.mark.both_databases

MARCH = date(2026, 3, 1)
START, END = month_bounds(MARCH, PARIS)
KWH = 3_600_000_000
USUAL = Basis.YEARLY_AVERAGE
SRV = str(m.stable_id("srv-01"))


def told(session: Session) -> None:
    """An adherent with three hours of one workload, a PUE and a grid whose hours are known."""
    if session.get(s.Site, "tls") is None:
        session.add(s.Site(code="tls", name="Toulouse", zone="Europe/Paris", country="FR", grid_zone="FR"))
        session.flush()
    an_adherent(session, 7, "CH de Foix")
    session.add(
        c.WorkloadClaim(
            tenant_id=7, subscription=1, host_id=m.stable_id("srv-01"), workload_id=m.stable_id("payroll"),
            host_name="srv-01", workload_name="payroll", valid_from=START - timedelta(days=90),
            claimed_by="test", claimed_at=START,
        )
    )  # fmt: skip
    session.flush()
    hours_of(session, "srv-01", START, 3, {"payroll": KWH, "other": 5 * KWH}, kept_mj=7)
    a_pue(session, "1.4")
    intensity(session, START, 3, 21_000)
    reckoned(session)


def reckoned(session: Session) -> None:
    """Everything that is due was done; hosts whose shares nobody reckons yet wait for nobody here."""
    reckon_all(session)
    if Step.HOST not in RECKONINGS:
        session.execute(delete(b.ReckoningDue).where(b.ReckoningDue.step == Step.HOST))


def a_pue(session: Session, value: str, valid_from: date = date(2026, 1, 1)) -> None:
    window = (date(2025, 1, 1), date(2025, 12, 31))
    pue = DeclaredPue(valid_from, int(float(value) * 10**6), 3, *window, is_provisional=False, note="Audit")
    facility.declare_pue(session, "tls", pue, now=NOW, by="test")
    make_due(session, Step.SITE, [("tls", MARCH)], now=NOW)


def a_newer_factor(session: Session, intensity_mg_per_kwh: int = 56_000) -> None:
    """That of the year itself, and the months that it prices anew."""
    session.add(
        b.EmissionFactor(
            factor_id=f"test-2026-{intensity_mg_per_kwh}", publisher="ADEME", title="Mix", vintage=2026,
            perimeter=Perimeter.CONSUMPTION_LIFE_CYCLE, geography="FRA",
            intensity_mg_per_kwh=intensity_mg_per_kwh, licence="LO", source="test", confirmed=True,
            known_since=date(2027, 1, 1),
        )
    )  # fmt: skip
    session.flush()
    make_due(session, Step.PRICES, [("7", MARCH), (str(OPERATOR_TENANT), MARCH)], now=NOW)


def totals(session: Session, model: type[b.MonthLine | b.CarbonLine], column: str, **wanted: object) -> int:
    found = select(func.sum(getattr(model, column))).where(model.tenant_id == 7, model.counts)
    for name, value in wanted.items():
        found = found.where(getattr(model, name) == value)
    return int(session.scalar(found) or 0)


@pytest.fixture
def database(database: Database) -> Database:
    with database.write(Operator()) as session:
        told(session)
    return database


def test_a_closed_month_is_a_copy_that_counts_instead_of_what_is_open(database: Database) -> None:
    with database.write(Operator()) as session:
        before = totals(session, b.CarbonLine, "carbon_ug", basis=USUAL)
        assert close_month(session, 7, MARCH, now=NOW, by="ops") == 1
        assert close_month(session, 7, MARCH, now=NOW, by="ops") is None
        assert shown_revision(session, 7, MARCH) == 1
        row = session.scalars(select(b.CarbonMonth)).one()
        held, priced = b.MonthLine, b.CarbonLine
        revisions = set(session.scalars(select(held.revision).where(held.tenant_id == 7)))
        counting = set(session.scalars(select(priced.revision).where(priced.tenant_id == 7, priced.counts)))
        after = totals(session, b.CarbonLine, "carbon_ug", basis=USUAL)
        assert unsound_months(session, 7) == []
    assert (row.energy_mj, row.overhead_mj) == (3 * KWH, 3 * KWH * 4 // 10)
    assert before == after == row.carbon_ug == 3 * 52_000_000 * 14 // 10
    assert (revisions, counting) == ({0, 1}, {1})
    assert (row.closed_by, row.closed_at, row.reason, row.causes) == ("ops", NOW, None, {})


def test_the_operators_month_closes_with_what_nobody_claims(database: Database) -> None:
    with database.write(Operator()) as session:
        close_month(session, OPERATOR_TENANT, MARCH, now=NOW, by="ops")
        seen = month_seen(session, OPERATOR_TENANT, MARCH, NOW)
        assert unsound_months(session, OPERATOR_TENANT) == []
    assert seen.state is MonthState.CLOSED
    assert seen.figures.energy_mj == 3 * (5 * KWH + 7)
    assert {line.kind for line in seen.inputs.lines} == {LineKind.UNCLAIMED}
    assert {line.workload for line in seen.inputs.lines} == {"other", "idle_kept"}


@pytest.mark.parametrize(
    ("spoil", "refusal"),
    [
        (lambda session: make_months_due(session, [(7, MARCH)], now=NOW), Conflict),
        (lambda session: make_due(session, Step.PRICES, [("7", MARCH)], now=NOW), Conflict),
        (lambda session: make_due(session, Step.SITE, [("tls", MARCH)], now=NOW), Conflict),
        (lambda session: make_due(session, Step.HOST, [(SRV, MARCH)], now=NOW), Conflict),
        (
            lambda session: session.add(
                m.HourDue(host_id=m.stable_id("srv-01"), hour=START, due_at=NOW, waits_since=NOW)
            ),
            Conflict,
        ),
    ],
)
def test_a_month_does_not_close_while_something_of_it_waits(
    database: Database, spoil: Callable[[Session], None], refusal: type[Exception]
) -> None:
    with database.write(Operator()) as session:
        spoil(session)
        session.flush()
        with pytest.raises(refusal):
            close_month(session, 7, MARCH, now=NOW, by="ops")


def test_a_volume_that_was_told_and_not_yet_shared_keeps_a_month_open(database: Database) -> None:
    with database.write(Operator()) as session:
        code = session.scalars(select(t.Subscription.service_code).where(t.Subscription.tenant_id == 7)).one()
        session.add(b.SharingChange(tenant_id=7, service_code=code, month=MARCH, changed_at=NOW, months=0))
        session.flush()
        with pytest.raises(Conflict):
            close_month(session, 7, MARCH, now=NOW, by="ops")


def test_what_waits_of_others_keeps_nothing_open(database: Database) -> None:
    with database.write(Operator()) as session:
        make_months_due(session, [(7, date(2026, 4, 1)), (OPERATOR_TENANT, MARCH)], now=NOW)
        make_due(session, Step.SITE, [("ami", MARCH), ("tls", date(2026, 4, 1))], now=NOW)
        make_due(session, Step.PRICES, [("70", MARCH)], now=NOW)
        assert close_month(session, 7, MARCH, now=NOW, by="ops") == 1


@pytest.mark.parametrize(
    ("month", "now"), [(date(2026, 5, 1), NOW), (MARCH, END - HOUR), (date(2026, 3, 2), NOW)]
)
def test_a_month_that_runs_or_has_nothing_is_refused(database: Database, month: date, now: datetime) -> None:
    with database.write(Operator()) as session, pytest.raises(Invalid):
        close_month(session, 7, month, now=now, by="ops")


def test_a_new_factor_moves_the_open_figures_and_a_revision_says_why(database: Database) -> None:
    with database.write(Operator()) as session:
        close_month(session, 7, MARCH, now=NOW, by="ops")
        with pytest.raises(Conflict):
            revise_month(session, 7, MARCH, reason="Rien", now=NOW, by="ops")
        closed = totals(session, b.CarbonLine, "carbon_ug", basis=USUAL)
        a_newer_factor(session)
        reckoned(session)
        assert totals(session, b.CarbonLine, "carbon_ug", basis=USUAL) == closed
        seen = month_seen(session, 7, MARCH, NOW)
        assert seen.moved[USUAL]["intensity"] == 3 * 4_000_000 * 14 // 10
        assert revise_month(session, 7, MARCH, reason="Facteur de l'année", now=NOW, by="ops") == 2
        first, second = revisions_of(session, 7, [MARCH])[MARCH]
        after = totals(session, b.CarbonLine, "carbon_ug", basis=USUAL)
        assert unsound_months(session, 7) == []
        assert month_seen(session, 7, MARCH, NOW).moved == {}
    assert after - closed == sum(second.causes[USUAL].values()) == second.causes[USUAL]["intensity"]
    assert not any(second.causes["hourly_direct"].values())
    assert (first.causes, second.reason) == ({}, "Facteur de l'année")
    assert (Doubt.FACTOR in doubts(first.inputs), Doubt.FACTOR in doubts(second.inputs)) == (True, False)
    assert Doubt.COVERAGE in doubts(second.inputs)
    assert second.provisional


def test_hours_and_a_pue_that_come_later_are_told_apart(database: Database) -> None:
    with database.write(Operator()) as session:
        close_month(session, 7, MARCH, now=NOW, by="ops")
        hours_of(session, "srv-01", START + 9 * HOUR, 1, {"payroll": KWH})
        a_pue(session, "1.5", date(2026, 2, 1))
        reckoned(session)
        revise_month(session, 7, MARCH, reason="Relevés tardifs", now=NOW, by="ops")
        told = revisions_of(session, 7, [MARCH])[MARCH][1].causes
    assert told["energy_mj"] == {"energy": KWH, "keys": 0, "facility": 0, "intensity": 0, "embodied": 0}
    assert told["overhead_mj"]["energy"] == KWH * 4 // 10
    assert told["overhead_mj"]["facility"] == 4 * KWH // 10
    assert told[USUAL]["energy"] == 52_000_000 * 14 // 10
    assert told[USUAL]["facility"] == 4 * 5_200_000
    assert told[USUAL]["intensity"] == 0


def test_what_was_changed_in_the_database_by_hand_is_found(database: Database) -> None:
    with database.write(Operator()) as session:
        close_month(session, 7, MARCH, now=NOW, by="ops")
    for change in (
        update(b.CarbonLine).where(b.CarbonLine.revision == 1).values(carbon_ug=1),
        update(b.MonthLine).where(b.MonthLine.revision == 1).values(energy_mj=1),
        update(b.CarbonMonth).values(energy_mj=1),
        update(b.CarbonMonth).values(sha256="0"),
        update(b.CarbonMonth).values(inputs=func.replace(b.CarbonMonth.inputs, "payroll", "payrolls")),
    ):
        with database.write(Operator()) as session:
            session.execute(change)
            assert unsound_months(session, 7) == [(MARCH, 1)]
            session.rollback()


def late_hours(session: Session, amount: int) -> None:
    hours_of(session, "srv-01", START + (5 + amount % 700) * HOUR, 1, {"payroll": amount})


def a_metered_month(session: Session, amount: int) -> None:
    a_meter(session, "tls", MARCH, Quantity.IT, 10**14 + amount, category=3)
    a_meter(session, "tls", MARCH, Quantity.TOTAL, 2 * 10**14 + amount)


DEEDS: tuple[Callable[[Session, int], None], ...] = (
    late_hours,
    a_metered_month,
    lambda session, amount: a_pue(session, f"1.{amount % 10}5", date(2026, 2, 1 + amount % 20)),
    lambda session, amount: a_newer_factor(session, 1 + amount),
)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(range(len(DEEDS))), st.integers(0, 10**6)), min_size=1, max_size=4,
                unique_by=lambda one: one[0]))  # fmt: skip
def test_a_closed_months_hash_and_figures_never_change_whatever_comes_later(
    database: Database, later: list[tuple[int, int]]
) -> None:
    an_empty_database(database)
    with database.write(Operator()) as session:
        told(session)
        close_month(session, 7, MARCH, now=NOW, by="ops")
        (kept,) = revisions_of(session, 7, [MARCH])[MARCH]
        shown = totals(session, b.CarbonLine, "carbon_ug", basis=USUAL)
    for number, amount in later:
        with database.write(Operator()) as session:
            DEEDS[number](session, amount)
            reckoned(session)
    with database.write(Operator()) as session:
        assert revisions_of(session, 7, [MARCH])[MARCH] == [kept]
        assert totals(session, b.CarbonLine, "carbon_ug", basis=USUAL) == shown
        assert totals(session, b.MonthLine, "energy_mj") == 3 * KWH
        assert unsound_months(session, 7) == []
        seen = month_seen(session, 7, MARCH, NOW)
        revise_month(session, 7, MARCH, reason="Suite", now=NOW, by="ops")
        first, second = revisions_of(session, 7, [MARCH])[MARCH]
        assert first == kept
        assert second.causes == seen.moved
        after = totals(session, b.CarbonLine, "carbon_ug", basis=USUAL)
        assert after - shown == sum(second.causes[USUAL].values())
        assert unsound_months(session, 7) == []


def test_the_statement_of_a_closed_month_is_of_its_revision(database: Database) -> None:
    with database.write(Operator()) as session:
        close_month(session, 7, MARCH, now=NOW, by="ops")
        hours_of(session, "srv-01", START + 9 * HOUR, 1, {"payroll": KWH})
        a_newer_factor(session)
        reckoned(session)
        number = issue_statement(session, 7, MARCH, now=NOW, by="ops")
        session.flush()
        told = archived_figures(session, 7, number)
        closed = session.scalars(select(b.CarbonMonth)).one()
    assert sum(line.energy_mj for line in told.lines) == closed.energy_mj
    assert sum(line.carbon_ug or 0 for line in told.lines) == closed.carbon_ug
