"""Services of the catalogue: their terms, their versions, and the end of their life."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.tenancy import hold_adherent
from console.domain.claims import OPERATOR_TENANT
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.free_text import one_line, several_lines
from console.domain.offer import Life, check_code, check_label, check_life, check_successor
from console.store.models import catalogue as c
from console.store.models import offer as o

Trade = c.Trade


@dataclass(frozen=True, slots=True)
class Terms:
    """What a person says of a service."""

    trade: c.Trade
    name_fr: str
    name_en: str
    unit_fr: str
    unit_en: str
    plan_code: str
    description_fr: str | None = None
    description_en: str | None = None
    criticality_code: str | None = None


LINES = ("name_fr", "name_en", "unit_fr", "unit_en")
TEXTS = ("description_fr", "description_en")


def add_service(session: Session, code: str, terms: Terms) -> None:
    """Put a service at the catalogue; raises `Conflict` where its code is taken."""
    hold_catalogue(session)
    check_code(code)
    if session.get(c.Service, code) is not None:
        raise Conflict("Le service %(code)s est déjà au catalogue.", code=code)
    session.add(c.Service(code=code, **_checked(session, terms)))


def edit_service(session: Session, code: str, terms: Terms) -> None:
    """Change what is said of a service; its code, which others hold, stays."""
    hold_catalogue(session)
    service = service_of(session, code)
    for name, value in _checked(session, terms).items():
        setattr(service, name, value)


def plan_end(session: Session, code: str, life: Life, successor: str | None) -> None:
    """Set or clear the ends of a service and the service that follows it."""
    hold_catalogue(session)
    service = service_of(session, code)
    check_life(life)
    if successor is not None:
        _known_service(session, successor, "successor")
        check_successor(code, successor, _successors(session))
    service.sales_end_on = life.sales_end_on
    service.support_ends_on = life.support_ends_on
    service.retired_on = life.retired_on
    service.successor_code = successor


def release_version(
    session: Session,
    code: str,
    version: str,
    *,
    released_on: date,
    support_ends_on: date | None = None,
    notes: str = "",
) -> None:
    """Add a version to a service; raises `Conflict` where the service has it."""
    hold_catalogue(session)
    service_of(session, code)
    check_label(version)
    if session.get(o.ServiceVersion, (code, version)) is not None:
        raise Conflict("Ce service a déjà une version %(version)s.", version=version)
    _check_support(released_on, support_ends_on)
    session.add(
        o.ServiceVersion(
            service_code=code,
            version=version,
            released_on=released_on,
            support_ends_on=support_ends_on,
            notes=several_lines(notes, "notes") or None,
        )
    )


def change_version(
    session: Session, code: str, version: str, *, support_ends_on: date | None, notes: str = ""
) -> None:
    """Change the end of support and the notes of a version; its release is a fact of the past."""
    hold_catalogue(session)
    released = session.get(o.ServiceVersion, (code, version))
    if released is None:
        raise NotFound("Version introuvable.")
    _check_support(released.released_on, support_ends_on)
    released.support_ends_on = support_ends_on
    released.notes = several_lines(notes, "notes") or None


def hold_catalogue(session: Session) -> None:
    """Let one change of the catalogue at a time through: what closes a circle is seen by the later one."""
    hold_adherent(session, OPERATOR_TENANT)


def service_of(session: Session, code: str) -> c.Service:
    """A service of the catalogue; raises `NotFound`."""
    service = session.get(c.Service, code)
    if service is None:
        raise NotFound("Ce service n'est pas au catalogue.")
    return service


def _checked(session: Session, terms: Terms) -> dict[str, object]:
    """The columns of a service as the terms say."""
    if session.scalar(select(c.SlaPlan.code).where(c.SlaPlan.code == terms.plan_code).limit(1)) is None:
        raise Invalid("plan_code", "Un choix de la liste est attendu.")
    if terms.criticality_code and session.get(o.CriticalityCalendar, terms.criticality_code) is None:
        raise Invalid("criticality_code", "Un choix de la liste est attendu.")
    columns: dict[str, object] = {field.name: getattr(terms, field.name) for field in fields(terms)}
    columns |= {name: one_line(getattr(terms, name), name) for name in LINES}
    return columns | {name: several_lines(getattr(terms, name) or "", name) or None for name in TEXTS}


def _known_service(session: Session, code: str, field: str) -> None:
    if session.get(c.Service, code) is None:
        raise Invalid(field, "Ce service n'est pas au catalogue.")


def _successors(session: Session) -> dict[str, str]:
    service = c.Service
    rows = session.execute(select(service.code, service.successor_code))
    return {row.code: row.successor_code for row in rows if row.successor_code is not None}


def _check_support(released_on: date, support_ends_on: date | None) -> None:
    if support_ends_on is not None and support_ends_on < released_on:
        raise Invalid("support_ends_on", "Le support d'une version finit après sa sortie.")
