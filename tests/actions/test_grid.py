"""Intensities of a grid are stored once; a more final figure replaces a less final one, never the reverse."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, select

from console.actions.grid import Tally, portions, take
from console.actions.grid_hours import settle_hours
from console.actions.reckoning import months_due
from console.actions.reckoning_due import Step, steps_due
from console.domain.facility import Basis
from console.domain.grid import Intensity, State
from console.domain.hours import HOUR, day_bounds
from console.store.models import carbon as b
from console.store.models import coordination as k
from console.store.models import site as s
from console.store.session import Database, Operator
from tests.carbon_past import hours_of, reckon_all
from tests.given import an_adherent

START = datetime(2026, 2, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
QUARTER, HALF = timedelta(minutes=15), timedelta(minutes=30)


def figures(
    count: int, grams: int, state: State = State.REALTIME, step: timedelta = QUARTER
) -> list[Intensity]:
    return [
        Intensity(Basis.DIRECT_PRODUCTION, START + place * step, step, grams * 1000, "RTE", state)
        for place in range(count)
    ]


def store(database: Database, told: list[Intensity], zone: str = "FR") -> tuple[int, int, int, int]:
    tally = Tally()
    for portion in portions(told):
        with database.write(Operator()) as session:
            tally.count(take(session, zone, portion, now=NOW))
    return tally.added, tally.replaced, tally.unchanged, tally.kept_out


def stored(database: Database) -> list[tuple[int, int, str]]:
    row = s.GridIntensity
    with database.read(Operator()) as session:
        rows = session.scalars(select(row).order_by(row.grid_zone, row.started_at))
        return [(one.duration_s, one.intensity_mg_per_kwh, one.state) for one in rows]


@pytest.mark.both_databases
def test_a_definitive_half_hour_replaces_two_quarters_and_real_time_does_not_come_back(
    database: Database,
) -> None:
    realtime, definitive = figures(4, 30), figures(2, 31, State.DEFINITIVE, HALF)
    assert store(database, realtime) == (4, 0, 0, 0)
    assert store(database, realtime) == (0, 0, 4, 0)
    assert store(database, definitive) == (0, 2, 0, 0)
    assert store(database, realtime) == (0, 0, 0, 4)
    assert stored(database) == [(1800, 31_000, "definitive")] * 2


def test_zones_and_bases_are_apart(database: Database) -> None:
    store(database, figures(1, 30))
    assert store(database, figures(1, 60), zone="YT") == (1, 0, 0, 0)
    life_cycle = [Intensity(Basis.LIFE_CYCLE_CONSUMPTION, START, QUARTER, 50_000, "P", State.REALTIME)]
    assert store(database, [*figures(1, 30), *life_cycle]) == (1, 0, 1, 0)
    assert len(stored(database)) == 3


def test_a_long_file_is_cut_into_portions_that_are_stored_one_by_one() -> None:
    told = figures(96 * 65, 30)
    cut = list(portions(told))
    assert sum(map(len, cut)) == len(told)
    assert 2 < len(cut) < 5
    assert all(before[-1].ended_at <= after[0].started_at for before, after in pairwise(cut))


def hours(database: Database, zone: str = "FR") -> list[tuple[int, str]]:
    row = s.GridHour
    with database.read(Operator()) as session:
        rows = session.scalars(select(row).where(row.grid_zone == zone).order_by(row.basis, row.hour))
        return [(one.intensity_mg_per_kwh, one.state) for one in rows]


@pytest.mark.both_databases
def test_hours_follow_their_figures_and_are_gone_where_a_moment_is_unknown(database: Database) -> None:
    store(database, figures(7, 30))
    assert hours(database) == [(30_000, "realtime")]
    store(database, figures(8, 30)[7:])
    assert hours(database) == [(30_000, "realtime")] * 2
    store(database, figures(3, 31, State.DEFINITIVE, HALF))
    assert hours(database) == [(31_000, "definitive"), (30_500, "realtime")]
    with database.write(Operator()) as session:
        session.execute(delete(s.GridIntensity).where(s.GridIntensity.started_at == START))
        changed = settle_hours(session, "FR", Basis.DIRECT_PRODUCTION, START, START + 2 * HOUR, now=NOW)
    assert changed == [START]
    assert hours(database) == [(30_500, "realtime")]


@pytest.mark.both_databases
def test_an_hour_that_changes_marks_the_months_with_lines_on_its_grid_alone(database: Database) -> None:
    march = date(2026, 3, 1)
    start = datetime(2026, 2, 28, 23, tzinfo=UTC)  # March in Paris
    with database.write(Operator()) as session:
        an_adherent(session, 7, "CH de Foix")
        session.add(
            s.Site(code="dzaoudzi", name="Dzaoudzi", zone="Indian/Mayotte", country="YT", grid_zone="YT")
        )
        session.flush()
        hours_of(session, "srv-01", start, 1, {"payroll": 1_000})
        reckon_all(session)
        line = session.scalars(select(b.MonthLine)).first()
        assert line is not None
        assert (line.month, line.site) == (march, "tls")
    told = [replace(one, started_at=one.started_at - START + start) for one in figures(4, 30)]
    for zone, expected in (("YT", set()), ("FR", {march})):
        store(database, told, zone=zone)
        with database.read(Operator()) as session:
            assert {month for _, month in months_due(session, now=NOW)} == expected, zone
            assert {month for _, month in steps_due(session, Step.REST, now=NOW)} == expected, zone
    with database.write(Operator()) as session:
        session.execute(delete(k.MonthDue))
    consolidated = [replace(one, state=State.CONSOLIDATED) for one in told]
    definitive = [replace(one, state=State.DEFINITIVE) for one in told]
    life_cycle = [replace(one, basis=Basis.LIFE_CYCLE_CONSUMPTION) for one in told]
    higher = [replace(one, intensity_mg_per_kwh=40_000) for one in definitive]
    for name, figures_told, expected in (
        ("the same again", told, set()),
        ("no longer of real time, which is provisional", consolidated, {march}),
        ("the same again", consolidated, set()),
        ("more final, and as provisional as before: not at all", definitive, set()),
        ("of a basis that nothing is reckoned with", life_cycle, set()),
        ("of another value", higher, {march}),
    ):
        store(database, figures_told)
        with database.write(Operator()) as session:
            assert {month for _, month in months_due(session, now=NOW)} == expected, name
            session.execute(delete(k.MonthDue))


@pytest.mark.parametrize(("day", "count"), [(date(2017, 3, 26), 23), (date(2017, 10, 29), 25)])
def test_a_day_on_which_the_clock_changes_has_the_hours_of_its_zone(
    database: Database, day: date, count: int
) -> None:
    start, end = day_bounds(day, ZoneInfo("Europe/Paris"))
    step = timedelta(minutes=30)
    told = [
        Intensity(Basis.DIRECT_PRODUCTION, start + n * step, step, 30_000, "RTE", State.DEFINITIVE)
        for n in range((end - start) // step)
    ]
    store(database, told)
    assert len(hours(database)) == count
