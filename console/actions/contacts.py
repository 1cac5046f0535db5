"""Whom to call at an adherent, and its places that the directory does not hold; they end, and are kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.numbering import next_number
from console.actions.tenancy import hold_adherent
from console.domain.adherents import department
from console.domain.contacts import ContactRole, check_days, mail, phone
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.free_text import one_line
from console.domain.identifiers import siret
from console.domain.revisions import check_version
from console.store.models import follow_up as f


@dataclass(frozen=True, slots=True)
class ContactFacts:
    """What a person says of a contact; texts as they were typed."""

    role: ContactRole
    name: str
    phone: str | None
    mail: str | None
    is_primary: bool
    starts_on: date
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """What a person says of a place; texts as they were typed, None or empty where unknown."""

    name: str
    town: str
    department: str | None
    siret: str | None


def add_contact(session: Session, tenant_id: int, facts: ContactFacts) -> int:
    """Add somebody to call; the number."""
    hold_adherent(session, tenant_id)
    checked = _checked_contact(facts)
    contact = f.Contact(
        tenant_id=tenant_id,
        number=next_number(session, f.Contact.number, tenant_id),
        **_columns(checked),
    )
    _make_way(session, contact)
    session.add(contact)
    session.flush()
    return contact.number


def change_contact(
    session: Session, tenant_id: int, number: int, facts: ContactFacts, *, seen_version: int | None
) -> None:
    """Change what is said of a contact, its days included.

    Raises `Stale` where somebody changed it since the form was filled in.
    """
    hold_adherent(session, tenant_id)
    contact = contact_of(session, tenant_id, number)
    check_version(seen_version, contact.version)
    for name, value in _columns(_checked_contact(facts)).items():
        setattr(contact, name, value)
    _make_way(session, contact)


def contact_of(session: Session, tenant_id: int, number: int) -> f.Contact:
    """A contact of an adherent; raises `NotFound`."""
    contact = session.get(f.Contact, (tenant_id, number))
    if contact is None:
        raise NotFound("Contact introuvable.")
    return contact


def add_site(session: Session, tenant_id: int, facts: SiteFacts) -> int:
    """Add a place that the directory does not hold; the number."""
    hold_adherent(session, tenant_id)
    site = f.OwnSite(
        tenant_id=tenant_id,
        number=next_number(session, f.OwnSite.number, tenant_id),
        name=one_line(facts.name, "site_name"),
        town=one_line(facts.town, "town"),
        department=department(facts.department or ""),
        siret=siret(facts.siret) if facts.siret else None,
    )
    session.add(site)
    session.flush()
    return site.number


def end_site(session: Session, tenant_id: int, number: int, *, today: date) -> None:
    """A place is no longer the adherent's, from the day after on."""
    hold_adherent(session, tenant_id)
    site = session.get(f.OwnSite, (tenant_id, number))
    if site is None:
        raise NotFound("Site introuvable.")
    if site.ended_on is not None:
        raise Conflict("Ce site n'est déjà plus celui de l'adhérent.")
    site.ended_on = today


def _checked_contact(facts: ContactFacts) -> ContactFacts:
    check_days(facts.starts_on, facts.ends_on)
    checked = replace(
        facts,
        name=one_line(facts.name, "name"),
        phone=phone(facts.phone or ""),
        mail=mail(facts.mail or ""),
    )
    if checked.phone is None and checked.mail is None:
        raise Invalid("phone", "Un téléphone ou une adresse électronique est attendu.")
    if checked.role is ContactRole.NIGHT and checked.phone is None:
        raise Invalid("phone", "Un contact de nuit s'appelle : un téléphone est attendu.")
    return checked


def _columns(facts: ContactFacts) -> dict[str, Any]:
    return {name: getattr(facts, name) for name in ContactFacts.__slots__}


def _make_way(session: Session, contact: f.Contact) -> None:
    """One contact of a role is called first."""
    if not contact.is_primary:
        return
    others = select(f.Contact).where(
        f.Contact.tenant_id == contact.tenant_id,
        f.Contact.role == contact.role,
        f.Contact.number != contact.number,
        f.Contact.is_primary,
    )
    for other in session.scalars(others):
        other.is_primary = False
