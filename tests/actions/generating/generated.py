"""A small generated past, made as `console generate` makes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from console.actions.catalogue import seed_catalogue
from console.actions.generating.generation import SUBJECTS, begin, finish, imagine
from console.actions.generating.scale import Scale
from console.actions.generating.sites import SHIPPED, read_sites
from console.actions.generating.world import World
from console.store.session import Database, Operator


class Past(NamedTuple):
    """A database of its own, that holds what the world says."""

    database: Database
    world: World


SMALL = Scale(
    seed=7,
    adherents=8,
    subscriptions=40,
    incidents_a_year=60,
    hosts=3,
    workloads=12,
    years=2,
    ledger_days=2,
)


def generate(database: Database, scale: Scale = SMALL) -> World:
    """Everything but the accounts."""
    with database.write(Operator()) as session:
        seed_catalogue(session, scale.since)
        begin(session, scale, now=datetime.now(UTC))
    world = imagined(database, scale)
    for subject in SUBJECTS:
        for deed in subject.deeds(world):
            with database.write(Operator()) as session:
                deed(session)
    with database.write(Operator()) as session:
        finish(session, now=datetime.now(UTC))
    return world


def imagined(database: Database, scale: Scale) -> World:
    """The world alone, of a database that has the catalogue."""
    with database.read(Operator()) as session:
        return imagine(session, scale, read_sites(SHIPPED.read_bytes()))
