"""Whom to call at an adherent and at the operator, and the adherent's own places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.claims import OPERATOR_TENANT
from console.domain.contacts import CALL_FIRST, OF_THE_OPERATOR, ContactRole, dialled, is_current
from console.domain.errors import NotFound
from console.store.models import follow_up as f

ORDER = list(ContactRole)


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody to call; `ends_on` is the last day, None while there is none."""

    number: int
    role: ContactRole
    name: str
    phone: str | None
    mail: str | None
    is_primary: bool
    starts_on: date
    ends_on: date | None
    version: int

    @property
    def dialled(self) -> str | None:
        """The number as a telephone dials it."""
        return self.phone and dialled(self.phone)

    def as_typed(self) -> dict[str, str]:
        """The fields of a form as a browser would send them back untouched."""
        fields = ("role", "name", "phone", "mail", "starts_on", "ends_on")
        typed = {field: str(getattr(self, field) or "") for field in fields}
        return typed | {"primary": "yes" if self.is_primary else ""}

    @property
    def comes_first(self) -> bool:
        return self.role in CALL_FIRST


@dataclass(frozen=True, slots=True)
class Contacts:
    """Those of today in the order of whom to call first, and the others."""

    current: Sequence[Contact]
    others: Sequence[Contact]

    def of(self, role: ContactRole) -> Contact | None:
        """Whom to call first for a role."""
        return next((contact for contact in self.current if contact.role is role), None)


@dataclass(frozen=True, slots=True)
class OwnSite:
    """A place that the directory does not hold."""

    number: int
    name: str
    town: str
    department: str | None
    siret: str | None
    ended_on: date | None


def contacts_of(session: Session, tenant_id: int, today: date) -> Contacts:
    """The contacts of an adherent."""
    rows = session.scalars(
        select(f.Contact).where(f.Contact.tenant_id == tenant_id).order_by(f.Contact.name, f.Contact.number)
    )
    found = [_contact(row) for row in rows]
    found.sort(key=lambda contact: (ORDER.index(contact.role), not contact.is_primary))
    current = [contact for contact in found if is_current(contact.starts_on, contact.ends_on, today)]
    return Contacts(current, [contact for contact in found if contact not in current])


def contact(session: Session, tenant_id: int, number: int) -> Contact:
    """One contact; raises `NotFound`."""
    row = session.get(f.Contact, (tenant_id, number))
    if row is None:
        raise NotFound("Contact introuvable.")
    return _contact(row)


def operator_contacts(session: Session, today: date) -> list[Contact]:
    """Those of the operator that an adherent may call; needs the operator's scope."""
    known = contacts_of(session, OPERATOR_TENANT, today).current
    return [contact for contact in known if contact.role in OF_THE_OPERATOR]


def own_sites(session: Session, tenant_id: int) -> list[OwnSite]:
    """The places of an adherent that the directory does not hold, the present ones first."""
    rows = session.scalars(
        select(f.OwnSite)
        .where(f.OwnSite.tenant_id == tenant_id)
        .order_by(f.OwnSite.ended_on.is_not(None), f.OwnSite.name)
    )
    return [OwnSite(row.number, row.name, row.town, row.department, row.siret, row.ended_on) for row in rows]


def _contact(row: f.Contact) -> Contact:
    return Contact(**{name: getattr(row, name) for name in Contact.__slots__})
