"""A generation from its mark to its end: only where nothing real is, and unusable until it is finished."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.actions.generating.adherents import choose_adherents, store_adherents
from console.actions.generating.carbon import store_carbon
from console.actions.generating.contracts import draw_contracts, store_contracts
from console.actions.generating.directory import store_directory
from console.actions.generating.facilities import store_facilities
from console.actions.generating.fleet import draw_hosts, store_hosts
from console.actions.generating.follow_up import store_follow_up
from console.actions.generating.incidents import store_incidents
from console.actions.generating.inventory import store_inventory
from console.actions.generating.ledger import ledger_hours, settle_rests, store_ledger
from console.actions.generating.offer import store_ends, store_offer
from console.actions.generating.rows import Deed
from console.actions.generating.scale import Scale
from console.actions.generating.sites import Site
from console.actions.generating.statements import count_statements, store_statements
from console.actions.generating.volumes import store_volumes
from console.actions.generating.world import Service, World
from console.domain.claims import OPERATOR_TENANT
from console.domain.errors import Conflict
from console.store.base import Base
from console.store.models import catalogue as c
from console.store.models import people as p
from console.store.models.generation import Generation
from console.store.queries.generation import Origin, origin
from console.store.queries.plans import plan_of

ONLY = 1  # the number of the mark: there is one at most


@dataclass(frozen=True, slots=True)
class Subject:
    """A part of the past; `size` and what its deeds return count the same things."""

    name: str
    size: Callable[[World], int]
    deeds: Callable[[World], Iterator[Deed]]


SUBJECTS = (
    Subject("directory", lambda world: len(world.sites), store_directory),
    Subject("adherents", lambda world: len(world.adherents), store_adherents),
    Subject("offer", lambda world: 1, store_offer),
    Subject("subscriptions", lambda world: world.scale.subscriptions, store_contracts),
    Subject("ends of offers", lambda world: 1, store_ends),
    Subject("contacts, committees, tasks, notes", lambda world: len(world.adherents), store_follow_up),
    Subject("monthly volumes, by adherent", lambda world: len(world.adherents), store_volumes),
    Subject("incidents", lambda world: world.scale.incidents, store_incidents),
    Subject("hosts", lambda world: len(world.hosts), store_hosts),
    Subject("what data centres buy", lambda world: 1, store_facilities),
    Subject("inventory", lambda world: len(world.hosts), store_inventory),
    Subject("carbon before the ledger, by host", lambda world: len(world.hosts), store_carbon),
    Subject("hours of the ledger", ledger_hours, store_ledger),
    Subject("statements", count_statements, store_statements),
    Subject("what of data centres no line carries", lambda world: 1, settle_rests),
)
# What `console prepare` fills; rows of any other table are somebody's.
SEEDED = frozenset(
    {
        *("adherent", "account", "account_use", "sign_in", "api_token", "api_token_use"),
        *("audit_entry", "audit_payload", "audit_head", "audit_checkpoint"),
        *("service_calendar", "sla_plan", "service", "emission_factor", "criticality_calendar"),
        *("service_dependency", "regulatory_rule", "message_template", "site"),
    }
)


def check_vacant(session: Session) -> None:
    """Raise `Conflict` where a database was generated, or holds anything real."""
    if origin(session) is not Origin.REAL:
        raise Conflict("Cette base est déjà générée : effacez-la, ou donnez-en une autre.")
    if found := _real(session):
        raise Conflict(
            "Cette base contient des données réelles (%(tables)s) : la génération demande la sienne.",
            tables=", ".join(found),
        )


def begin(session: Session, scale: Scale, *, now: datetime) -> None:
    """Mark a database as generated, and as incomplete; raises `Conflict` where it is not vacant."""
    check_vacant(session)
    session.add(Generation(generation_id=ONLY, options=scale.options(), began_at=now))


def finish(session: Session, *, now: datetime) -> None:
    """Say that everything was generated."""
    session.get_one(Generation, ONLY).finished_at = now


def imagine(session: Session, scale: Scale, sites: Sequence[Site]) -> World:
    """The world of a generation, for the catalogue of this database."""
    services = _services(session)
    adherents = choose_adherents(scale, sites)
    contracts = draw_contracts(scale, adherents, services)
    return World(scale, sites, adherents, contracts, draw_hosts(scale, adherents, contracts))


def counts(session: Session) -> Mapping[str, int]:
    """How many rows each table holds, those without any left out."""
    found = {table.name: _count(session, table) for table in Base.metadata.sorted_tables}
    return {name: count for name, count in found.items() if count}


def _services(session: Session) -> list[Service]:
    """The services of the catalogue by code, each with the latest version of its plan."""
    latest = dict(
        session.execute(select(c.SlaPlan.code, func.max(c.SlaPlan.version)).group_by(c.SlaPlan.code)).all()
    )
    rows = session.scalars(select(c.Service).order_by(c.Service.code))
    return [
        Service(row.code, row.trade.value, plan_of(session, row.plan_code, latest[row.plan_code]))
        for row in rows
    ]


def _real(session: Session) -> list[str]:
    """The tables that hold more than `console prepare` puts there."""
    found = [
        table.name
        for table in Base.metadata.sorted_tables
        if table.name not in SEEDED and _count(session, table)
    ]
    adherents = select(c.Adherent.tenant_id).where(c.Adherent.tenant_id != OPERATOR_TENANT).limit(1)
    if session.scalar(adherents) is not None:
        found.append("adherent")
    if (session.scalar(select(func.count()).select_from(p.Account)) or 0) > 1:
        found.append("account")
    return found


def _count(session: Session, table: object) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0  # type: ignore[arg-type]
