"""The INR statement says what it lacks first, then its figures, and never shows unknown as zero."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest

from reports import inr
from reports.document import Chart, Column, Document, KeyFigures, Notice, Table
from reports.figures import (
    Adherent,
    Attribution,
    Coverage,
    DayEnergy,
    Incident,
    InrStatement,
    LineKind,
    Missing,
    Period,
    PerUnit,
    ServiceCarbon,
    SlaState,
    Status,
)
from reports.formats.html import fragment
from reports.language import ENGLISH, FRENCH, Language
from tests.reports.figures_given import CONFIRMED, FACTOR, KWH, PARIS, a_first_statement, a_line, a_statement


def blocks(document: Document) -> Iterator[object]:
    for section in document.sections:
        yield from section.blocks


def text_of(statement: InrStatement, language: Language = FRENCH) -> str:
    plain = fragment(inr.document(statement, language), language).striptags()
    return plain.replace("\u00a0", " ").replace("\u202f", " ")


def table(document: Document, caption: str) -> Table:
    return next(block for block in blocks(document) if isinstance(block, Table) and block.caption == caption)


def test_its_first_lines_say_what_is_not_yet_in_it() -> None:
    opening = inr.document(a_statement(), FRENCH).sections[0].blocks[0]
    assert isinstance(opening, Notice)
    assert "carbone incorporé" in opening.items[0]
    assert "PUE" in opening.items[1]
    assert "alimentation" in opening.items[2]


def test_a_server_metered_at_its_input_lacks_no_power_supply() -> None:
    opening = inr.document(a_first_statement(), FRENCH).sections[0].blocks[0]
    assert isinstance(opening, Notice)
    assert len(opening.items) == 2


def test_three_watt_hours_do_not_read_zero() -> None:
    shown = text_of(a_first_statement())
    assert "3,00 Wh" in shown
    assert "156 mg CO₂e" in shown
    assert "modélisé : 100 %" in shown
    assert "0,00 " not in shown


def test_a_draft_gives_its_reasons_with_their_figures() -> None:
    shown = text_of(a_first_statement(), ENGLISH)
    assert "Draft: this statement cannot be made final" in shown
    assert "Share of hours covered by readings: 0.2%, where 80% is expected." in shown
    assert "Measured share of the energy: 0%, where 80% is expected" in shown
    assert "The period is not over." in shown
    assert " ;" not in shown  # a space before a semicolon is French


def test_a_volume_that_is_missing_is_said_first_with_its_subscriptions() -> None:
    statement = replace(a_first_statement(), missing_volumes=(2, 5)).judged()
    assert statement.status == Status.PROVISIONAL
    shown = text_of(statement, ENGLISH)
    assert "nobody carries it until it is told (subscriptions: 2, 5)" in shown
    assert "Subscribers of a shared service have not told their volume yet" in shown


def test_a_factor_of_another_year_makes_it_provisional_and_is_marked() -> None:
    shown = text_of(a_statement())
    assert "Facteur d'émission de 2024 pour une période de 2026" in shown.replace("&#39;", "'")
    assert "2024 (à confirmer)" in shown


def test_a_full_month_with_its_own_confirmed_factor_is_final() -> None:
    lines = (a_line("nginx", KWH, factor_id=CONFIRMED.factor_id, overhead_mj=KWH // 2),)
    document = inr.document(a_statement(lines=lines, factors=(CONFIRMED,)), FRENCH)
    assert document.marks == ("Définitif",)
    assert "à confirmer" not in text_of(a_statement(lines=lines, factors=(CONFIRMED,)))


def test_a_range_is_given_when_every_line_has_one() -> None:
    lines = (a_line("nginx", 10 * KWH, energy_min_mj=9 * KWH, energy_max_mj=12 * KWH),)
    shown = text_of(a_statement(lines=lines))
    assert "de 9,0 à 12,0 kWh" in shown
    assert "intervalle inconnu" in shown  # of the carbon


def test_what_nobody_knows_is_said_and_left_out_of_the_total() -> None:
    statement = a_statement(lines=(a_line("nginx", 5 * KWH), a_line("paie", None)))
    rows = table(inr.document(statement, ENGLISH), "By workload").rows
    assert rows[1][3:6] == (None, None, None)
    assert "The energy of 1 line is unknown; the totals do not hold it." in text_of(statement, ENGLISH)


def test_an_adherent_without_readings_has_unknown_totals() -> None:
    statement = a_statement(
        lines=(), days=(), factors=(), sources=(), incidents=(),
        coverage=Coverage(covered_hours=0, elapsed_hours=0),
    )  # fmt: skip
    document = inr.document(statement, ENGLISH)
    figures = next(block for block in blocks(document) if isinstance(block, KeyFigures))
    assert {fact.value for fact in figures.facts} == {None}
    shown = text_of(statement, ENGLISH)
    assert "No workload belonged to this adherent in the period." in shown
    assert "No incident in the period." in shown
    assert "carbon is unknown" in shown


def test_lines_add_up_to_the_total_in_every_quality() -> None:
    lines = table(inr.document(a_statement(), ENGLISH), "By workload")
    assert lines.total is not None
    for place, title in enumerate(column.title for column in lines.columns):
        if title in ("Energy", "Carbon", "Measured energy", "Modelled energy", "Declared energy"):
            assert lines.total[place] == sum(row[place] for row in lines.rows)  # type: ignore[misc]


def test_subscriptions_add_up_to_their_lines() -> None:
    statement = a_statement()
    groups = table(inr.document(statement, ENGLISH), "By subscription")
    assert [row[0] for row in groups.rows] == ["C-2026-014", "C-2026-051"]
    assert sum(row[2] for row in groups.rows) == statement.energy_mj  # type: ignore[misc]


@pytest.mark.parametrize(
    ("first_day", "hours"), [(date(2026, 3, 1), "743"), (date(2026, 7, 1), "744"), (date(2026, 10, 1), "745")]
)
def test_the_month_says_how_many_hours_it_has(first_day: date, hours: str) -> None:
    shown = text_of(a_statement(period=Period.of_month(first_day, PARIS)))
    assert f"le mois en compte {hours}" in shown


def test_instants_are_those_of_the_adherents_wall_clock() -> None:
    adherent = Adherent(name="CHU de La Réunion", finess_ej="970408589", zone="Indian/Reunion")
    shown = text_of(a_statement(adherent=adherent, period=Period.of_month(date(2026, 10, 1), adherent.zone)))
    assert "1er octobre 2026, 00:00 (UTC+4)" in shown
    assert "21 oct. 17:05" in shown


def test_an_incident_whose_clock_is_stopped_has_a_suspended_due_date() -> None:
    shown = text_of(a_statement())
    assert "suspendue" in shown
    assert "en attente de l'adhérent" in shown.replace("&#39;", "'")


def many_incidents(count: int) -> tuple[Incident, ...]:
    """As many of each priority, in turn late, met, on time and missed."""
    states = (SlaState.BREACHED, SlaState.MET, SlaState.ON_TIME, SlaState.MISSED)
    return tuple(
        Incident(
            number=f"INC{number}",
            title=f"Incident {number}",
            priority=f"P{1 + number // len(states) % 4}",
            opened_at=datetime(2026, 10, 1, tzinfo=UTC) + timedelta(hours=number),
            due_at=None,
            state=states[number % len(states)],
        )
        for number in range(count)
    )


def test_of_many_incidents_the_most_serious_are_printed_and_all_are_in_the_file() -> None:
    every = many_incidents(160)
    statement = a_statement(incidents=every)
    document = inr.document(statement, ENGLISH)
    counts = table(document, "Incidents open during the period, by priority and state")
    assert counts.total is not None
    assert counts.total[-1] == 160
    assert [row[-1] for row in counts.rows] == [40, 40, 40, 40]
    pressing = table(document, "The most serious: late or open first")
    assert {row[2] for row in pressing.rows} == {"P1"}
    assert [row[5] for row in pressing.rows] == ["overdue"] * 10 + ["missed"] * 10 + ["on time"] * 10
    assert "130 other incidents are in the CSV file" in text_of(a_statement(incidents=every), ENGLISH)
    whole = table(document, "All incidents of the period")
    assert not whole.printed
    assert {row[0] for row in whole.rows} == {one.number for one in every}


def test_few_incidents_are_printed_by_name_those_resolved_in_time_last() -> None:
    document = inr.document(a_statement(incidents=many_incidents(8)), ENGLISH)
    whole = table(document, "All incidents of the period")
    assert whole.printed
    assert [row[0] for row in whole.rows] == ["INC0", "INC3", "INC2", "INC4", "INC7", "INC6", "INC1", "INC5"]


USE_ONLY = "use only: embodied incomplete"


def a_service(now: PerUnit, before: PerUnit = PerUnit(), *missing: Missing) -> ServiceCarbon:  # noqa: B008
    return ServiceCarbon(
        subscription="2", service="Production de paie", service_en="Payroll", unit="bulletin",
        unit_en="payslip", energy_mj=4 * KWH, covered_mj=3 * KWH, now=now, before=before, missing=missing,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("service", "amount", "held", "trend"),
    [
        (
            a_service(
                PerUnit(use_ug=900, embodied_ug=300, volume=4), PerUnit(use_ug=100, embodied_ug=300, volume=2)
            ),
            300, "use and embodied", Fraction(1, 2),
        ),
        (
            a_service(PerUnit(use_ug=900, volume=4), PerUnit(use_ug=300, embodied_ug=1, volume=1)),
            225, USE_ONLY, Fraction(-1, 4),
        ),
        (a_service(PerUnit(use_ug=900, volume=4)), 225, USE_ONLY, None),
        (a_service(PerUnit(use_ug=900), PerUnit(), Missing.VOLUME), None, "volume unknown", None),
        (a_service(PerUnit(use_ug=900, volume=0), PerUnit(), Missing.NO_UNIT), None, "volume of zero", None),
        (
            a_service(PerUnit(volume=9), PerUnit(), Missing.FACILITY, Missing.CARBON, Missing.EMBODIED),
            None,
            "site overhead unknown, in whole or in part, energy without a factor, in whole or in part", None,
        ),
    ],
)  # fmt: skip
def test_carbon_per_unit_says_what_it_holds_and_is_compared_with_the_same(
    service: ServiceCarbon, amount: int | None, held: str, trend: Fraction | None
) -> None:
    document = inr.document(a_statement(services=(service,)), ENGLISH)
    (row,) = table(document, "SCI of each service").rows
    assert row[1:3] == ("Payroll", "payslip")
    assert row[4:8] == (amount, held, Fraction(3, 4), trend)


def test_equipment_of_which_the_making_is_known_in_part_is_said_first() -> None:
    known = {"embodied_ug": 5, "overhead_mj": 0}
    lines = (
        a_line("dpi", KWH, service="Dossier patient", service_en="Patient record", **known),
        a_line("paie", KWH, service="Paie", service_en="Payroll", embodied_unknown=True, **known),
    )
    opening = inr.document(a_statement(lines=lines), ENGLISH).sections[0].blocks[0]
    assert isinstance(opening, Notice)
    assert opening.items[0] == "Embodied carbon of some of the equipment that serves: Payroll."


def test_factors_that_nobody_read_again_are_named_in_the_first_lines() -> None:
    said = "Facteur à confirmer : ADEME, Électricité, mix moyen de consommation, 2024"
    assert said in text_of(a_statement())
    lines = (a_line("nginx", KWH, factor_id=CONFIRMED.factor_id, overhead_mj=KWH // 2),)
    sure = a_statement(lines=lines, factors=(CONFIRMED,))
    assert said not in text_of(sure)
    assert said in text_of(replace(sure, other_factors=(FACTOR,)))


def test_the_daily_chart_tells_how_shares_come_to_days_or_that_they_are_not_there() -> None:
    share = a_line("-", KWH, kind=LineKind.SHARE)
    days = tuple(DayEnergy(day=date(2026, 10, day), energy_mj=None, shared_mj=day) for day in range(1, 32))
    chart = next(
        block
        for block in blocks(inr.document(a_statement(lines=(share,), days=days), ENGLISH))
        if isinstance(block, Chart)
    )
    assert [series.label for series in chart.series] == ["Workloads", "Shares of shared services"]
    assert sum(amount or 0 for amount in chart.series[1].amounts) == 496
    assert "unknown days: 0" in chart.description
    assert "spread over the days as the metered hours" in chart.description
    assert "Shares of shared services are not in it." in text_of(a_statement(lines=(share,)), ENGLISH)


def test_the_daily_chart_holds_unknown_days_as_unknown() -> None:
    chart = next(block for block in blocks(inr.document(a_statement(), ENGLISH)) if isinstance(block, Chart))
    assert chart.series[0].amounts[:2] == (None, None)
    assert "unknown days: 2" in chart.description
    assert len(chart.table().rows) == 31


def test_it_can_be_recomputed_from_its_unprinted_columns() -> None:
    lines = table(inr.document(a_statement(), ENGLISH), "By workload")
    unprinted = [column for column in lines.columns if not column.printed]
    assert Column("Emission factor", printed=False) in unprinted


def test_method_policy_and_hash_are_printed() -> None:
    statement = a_statement()
    shown = text_of(statement, ENGLISH)
    assert statement.sha256() in shown
    assert "idle energy is split by CPU time too (sharing rule, version 1)" in shown
    assert "not counted: cooling" in shown.lower()


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("", "No energy was split in the period."),
        (
            "reserved+used",
            "keeping the rest / idle energy is split by CPU time too (sharing rule, version 1)",
        ),
        ("by moon", "; by moon (sharing rule, version 1)"),
    ],
)
def test_the_policies_in_force_are_put_into_words(policy: str, said: str) -> None:
    statement = a_statement(attribution=Attribution(policy=policy, version="1"))
    assert said in text_of(statement, ENGLISH)


@pytest.mark.parametrize(
    ("name", "finess_ej", "wanted"),
    [
        ("CHU de Reims", "510000029", "inr-510000029-2026-10"),
        ("../../etc: é", None, "inr-etc-2026-10"),
        ("مستشفى", None, "inr-adherent-2026-10"),
    ],
)
def test_its_file_name_is_safe(name: str, finess_ej: str | None, wanted: str) -> None:
    statement = a_statement(adherent=Adherent(name=name, finess_ej=finess_ej, zone=PARIS))
    assert inr.document(statement, FRENCH).name == wanted
