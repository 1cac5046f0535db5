"""Intensities of a grid are stored once; a more final figure replaces a less final one, never the reverse."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select

from console.actions.grid import Tally, portions, take
from console.domain.facility import Basis
from console.domain.grid import Intensity, State
from console.store.models import site as s
from console.store.session import Database, Operator

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
