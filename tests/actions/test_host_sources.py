"""The instruments of a host, as its latest reading leaves them."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from sqlalchemy import select

from collectors.reading import Envelope, Gap
from console.actions.ingest import ingest
from console.store.models import fleet as f
from console.store.models import measurement as m
from console.store.session import Database, Operator
from tests.readings import MINUTE, START, batch, measured, reading


def take_in(database: Database, envelope: Envelope) -> None:
    with database.write(Operator()) as session:
        ingest(session, envelope, now=START + 60 * MINUTE)


def instruments(database: Database) -> dict[str, tuple]:
    with database.read(Operator()) as session:
        rows = session.scalars(select(f.HostSource))
        return {row.name: (row.last_at, row.last_energy_mj, row.gap_reason, row.gap_since) for row in rows}


def test_each_instrument_has_its_last_figure_or_since_when_it_gives_none_and_why(database: Database) -> None:
    gap = Gap("ipmi", "no answer")
    minutes = [
        replace(reading(1, measured(10), measured(11, source="ipmi", authority="bmc")), gaps=()),
        replace(reading(2, measured(20)), gaps=(gap,)),
        replace(reading(3, measured(30)), gaps=(replace(gap, reason="refused"),)),
    ]
    take_in(database, batch(*minutes))
    assert instruments(database) == {
        "rapl": (START + 3 * MINUTE, 30, None, None),
        "ipmi": (START + MINUTE, 11, "refused", START + MINUTE),
    }
    take_in(database, batch(reading(4, measured(12, source="ipmi", authority="bmc"))))
    assert instruments(database)["ipmi"] == (START + 4 * MINUTE, 12, None, None)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_instruments_are_told_as_of_the_latest_reading_whatever_the_order(database: Database, order) -> None:
    minutes = [
        reading(1, measured(10)),
        replace(reading(2), gaps=(Gap("rapl", "no counter"),)),
        replace(reading(3, measured(5, source="bmc", authority="bmc")), gaps=(Gap("rapl", "gone"),)),
    ]
    for place in order:
        take_in(database, batch(minutes[place]))
    assert instruments(database) == {
        "rapl": (START + MINUTE, 10, "gone", START + MINUTE),
        "bmc": (START + 3 * MINUTE, 5, None, None),
    }
    with database.read(Operator()) as session:
        assert session.scalars(select(m.Host)).one().gaps == [{"source": "rapl", "reason": "gone"}]
