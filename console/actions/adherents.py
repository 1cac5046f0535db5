"""Adherents: legal entities chosen from the directory by one of their sites, or typed in; their facts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from console.actions.tenancy import hold_adherent
from console.domain.adherents import Sector, agency, check_stay, zone
from console.domain.directory import sector_of, zone_of
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.free_text import one_line, optional_line
from console.domain.identifiers import finess, siren
from console.domain.revisions import check_version
from console.store.models import catalogue as c
from console.store.models import directory as d
from console.store.models import people as p
from console.store.models import tenant as t

AdherentKind = c.AdherentKind

# FINESS categories of the SAE survey: establishments under the hospital law, in the widest sense.
HOSPITALS = {101, 106, 109, 114, 122, 127, 128, 129, 131, 141, 146, 156, 161, 292, 355, 362, 365, 412, 425}
HOSPITALS |= {430, 433, 444, 695, 696, 697, 698, 699}
# Care homes, sheltered housing, homes and services for disabled people.
MEDICO_SOCIAL = {183, 186, 188, 192, 195, 202, 246, 255, 354, 437, 445, 446, 500, 501, 502}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a person says of an adherent; texts as they were typed, None or empty where unknown."""

    name: str
    kind: c.AdherentKind
    sector: Sector | None
    finess_ej: str | None
    siren: str | None
    agency: str | None
    zone: str
    convention: str | None
    since: date
    until: date | None


def kind_of(category: str | None) -> c.AdherentKind:
    """What kind of body most likely runs a site of a FINESS category; a person may say otherwise."""
    if category is None:
        return c.AdherentKind.OTHER
    if int(category) in HOSPITALS:
        return c.AdherentKind.HOSPITAL
    if int(category) in MEDICO_SOCIAL:
        return c.AdherentKind.MEDICO_SOCIAL
    return c.AdherentKind.OTHER


def add_adherent(
    session: Session,
    finess_et: str,
    *,
    now: datetime,
    kind: c.AdherentKind | None = None,
    entrust_to: int | None = None,
) -> int:
    """Make the legal entity of a site an adherent, under its name or, where that is unknown, the site's.

    `entrust_to` puts it in the portfolio of an account. Raises `NotFound` for a site that the directory does
    not hold, `Conflict` for an entity that is an adherent already.
    """
    site = session.get(d.DirectorySite, finess_et)
    if site is None:
        raise NotFound("Ce site n'est pas dans le répertoire.")
    local = zone_of(site.department)
    entity = session.get(d.LegalEntity, site.finess_ej)
    siren_of_entity = (entity and entity.siren) or site.siren
    if _is_adherent(session, site.finess_ej, siren_of_entity):  # its name is not for who may not see it
        raise Conflict("L'entité juridique %(finess_ej)s est déjà un adhérent.", finess_ej=site.finess_ej)
    adherent = c.Adherent(
        name=entity.name if entity else site.name,
        kind=kind or kind_of(site.category),
        finess_ej=site.finess_ej,
        siren=siren_of_entity,
        sector=sector_of((entity and entity.legal_status) or site.legal_status),
        zone=local.key,
        since=now.astimezone(local).date(),
    )
    session.add(adherent)
    session.flush()
    if entrust_to is not None:
        session.add(p.Portfolio(account_id=entrust_to, tenant_id=adherent.tenant_id))
    return adherent.tenant_id


def add_by_hand(session: Session, facts: Facts, *, entrust_to: int | None = None) -> int:
    """Make a body that the directory does not hold an adherent; its number.

    Needs a session of the operator's scope: its keys are compared with those of every adherent.
    """
    checked = _checked(facts)
    if checked.siren is None and checked.finess_ej is None:
        raise Invalid("siren", "Un SIREN ou un numéro FINESS est attendu : il dit de qui il s'agit.")
    _refuse_known_keys(session, checked)
    adherent = c.Adherent(**_columns(checked))
    session.add(adherent)
    session.flush()
    if entrust_to is not None:
        session.add(p.Portfolio(account_id=entrust_to, tenant_id=adherent.tenant_id))
    return adherent.tenant_id


def change_facts(session: Session, tenant_id: int, facts: Facts, *, seen_version: int | None) -> None:
    """Change what is said of an adherent; needs a session of the operator's scope, as `add_by_hand` does.

    Raises `Stale` where somebody changed it since the form was filled in, `Conflict` where it would leave
    while subscriptions run on.
    """
    adherent = hold_adherent(session, tenant_id)
    check_version(seen_version, adherent.version)
    checked = _checked(facts)
    if (checked.kind is c.AdherentKind.OPERATOR) is not (adherent.kind is c.AdherentKind.OPERATOR):
        raise Invalid("kind", "Un choix de la liste est attendu.")
    _refuse_known_keys(session, checked, tenant_id)
    if checked.until is not None and _subscribed_after(session, tenant_id, checked.until):
        raise Invalid(
            "until", "Des souscriptions courent après ce jour : mettez-y d'abord un terme, puis revenez."
        )
    for name, value in _columns(checked).items():
        setattr(adherent, name, value)


def _checked(facts: Facts) -> Facts:
    check_stay(facts.since, facts.until)
    return replace(
        facts,
        name=one_line(facts.name, "name"),
        finess_ej=finess(facts.finess_ej, "finess_ej") if facts.finess_ej else None,
        siren=siren(facts.siren) if facts.siren else None,
        agency=agency(facts.agency or ""),
        zone=zone(facts.zone),
        convention=optional_line(facts.convention or "", "convention"),
    )


def _columns(facts: Facts) -> dict[str, Any]:
    return {name: getattr(facts, name) for name in Facts.__slots__}


def _refuse_known_keys(session: Session, facts: Facts, but_of: int | None = None) -> None:
    """A FINESS number is of one adherent; a SIREN is of one, but for those that their FINESS tells apart."""
    others = select(c.Adherent).where(c.Adherent.tenant_id != (but_of or 0))
    if facts.finess_ej and session.scalars(others.where(c.Adherent.finess_ej == facts.finess_ej)).first():
        raise Invalid("finess_ej", "%(value)s est déjà celui d'un autre adhérent.", value=facts.finess_ej)
    for other in session.scalars(others.where(c.Adherent.siren == facts.siren)) if facts.siren else ():
        if facts.finess_ej is None or other.finess_ej is None:
            raise Invalid("siren", "%(value)s est déjà celui d'un autre adhérent.", value=facts.siren)


def _is_adherent(session: Session, finess_ej: str, siren: str | None) -> bool:
    """Whether an entity is one, be it typed in by its SIREN alone."""
    known = select(c.Adherent.tenant_id).where(
        or_(
            c.Adherent.finess_ej == finess_ej,
            and_(c.Adherent.finess_ej.is_(None), c.Adherent.siren.is_not(None), c.Adherent.siren == siren),
        )
    )
    return session.scalar(known.limit(1)) is not None


def _subscribed_after(session: Session, tenant_id: int, last_day: date) -> bool:
    subscription = t.Subscription
    running = select(subscription.number).where(
        subscription.tenant_id == tenant_id,
        subscription.status != t.SubscriptionStatus.ENDED,
        or_(subscription.ends_on.is_(None), subscription.ends_on > last_day),
    )
    return session.scalar(running.limit(1)) is not None
