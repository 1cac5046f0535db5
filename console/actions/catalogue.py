"""The first catalogue: the operator, its services, calendars and plans, and the registry of factors."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, time
from importlib.resources import files
from typing import Any

from sqlalchemy import func, insert, inspect, select
from sqlalchemy.orm import Session

from console.actions.dependencies import known_dependencies
from console.domain.claims import OPERATOR_TENANT
from console.domain.dependencies import Dependency, find_circle
from console.store.base import Base
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import incident as i
from console.store.models import offer as o
from console.store.models import regulatory as r
from console.store.session import MACHINE
from console.store.upsert import upsert

SEED = files("console.store") / "seed"
OPERATOR_NAME = "Mipih"


def seed_catalogue(session: Session, today: date) -> None:
    """Add what the catalogue lacks; what is there stays as it is."""
    _seed_operator(session, today)
    _seed(session, c.ServiceCalendar, "calendar")
    _seed(session, c.SlaPlan, "plan")
    _seed(session, o.CriticalityCalendar, "criticality", "criticalities")
    _seed(session, c.Service, "service")
    _seed_dependencies(session, today)
    _seed_templates(session)
    _seed(session, b.EmissionFactor, "factor", known_since=today)
    made = {"made_by": MACHINE, "made_at": datetime.combine(today, time(), UTC)}
    _seed(session, r.RegulatoryRule, "rule", "regulatory_rules", **made)


def _seed_operator(session: Session, today: date) -> None:
    operator = {
        "tenant_id": OPERATOR_TENANT,
        "name": OPERATOR_NAME,
        "kind": c.AdherentKind.OPERATOR,
        "zone": "Europe/Paris",
        "since": today,
    }
    upsert(session, c.Adherent, [operator])
    if session.get_bind().dialect.name == "postgresql":
        _continue_numbers_after_operator(session)


def _continue_numbers_after_operator(session: Session) -> None:
    """A row with a number of its own leaves the sequence behind; the next adherent must not get it again."""
    last = session.scalar(select(func.max(c.Adherent.tenant_id)))
    session.execute(select(func.setval(func.pg_get_serial_sequence("adherent", "tenant_id"), last)))


def _seed_templates(session: Session) -> None:
    """Templates of messages, while there is none, not even one that was retired."""
    if session.scalar(select(func.count()).select_from(i.MessageTemplate)) == 0:
        session.add_all(i.MessageTemplate(**table) for table in _tables("template", "message_templates"))
        session.flush()


def _seed_dependencies(session: Session, today: date) -> None:
    """Dependencies between services that nobody has told of, one way or the other, not even to end them."""
    known = known_dependencies(session)
    told = {frozenset((one.service, one.needs)) for one in known}
    for table in _tables("dependency", "dependencies"):
        new = Dependency(table["service"], table["needs"], today)
        if frozenset((new.service, new.needs)) not in told and not find_circle(new, known):
            known.append(new)
            row = {"service_code": new.service, "needs_code": new.needs, "since": today, "until": None}
            session.execute(insert(o.ServiceDependency).values(row))


def _seed(session: Session, model: type[Base], subject: str, file: str = "", **shared: Any) -> None:
    """Rows of a file; a key that a table leaves out is null."""
    names = [column.name for column in inspect(model).columns]
    tables = _tables(subject, file or f"{subject}s")
    upsert(session, model, [dict.fromkeys(names) | table | shared for table in tables])


def _tables(subject: str, file: str) -> list[dict[str, Any]]:
    tables: list[dict[str, Any]] = tomllib.loads((SEED / f"{file}.toml").read_text("utf-8"))[subject]
    return tables
