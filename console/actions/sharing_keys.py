"""By what shared services are split, and which meters of a site are theirs: said from a month on."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.actions.facility import hold_site
from console.actions.sharing_due import key_changed
from console.actions.subscribers import key_of
from console.domain.errors import Conflict, Invalid
from console.domain.facility import POOLED, Quantity
from console.domain.free_text import several_lines
from console.domain.month_lines import SharingKeyKind
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import site as s


def set_key(
    session: Session,
    service_code: str,
    kind: SharingKeyKind,
    *,
    valid_from: date,
    note: str,
    now: datetime,
    by: str,
) -> int:
    """Split a service by something else from a month on; the version of that month's key.

    No key is edited: one of the same month takes the place of that before under the next version. `note` says
    why. Raises `Conflict` where it is so already: a form that was sent twice.
    """
    service = session.scalars(select(c.Service).where(c.Service.code == service_code).with_for_update())
    if service.one_or_none() is None:
        raise Invalid("service", "Ce service n'est pas au catalogue.")
    _check_month(valid_from, "valid_from")
    why = several_lines(note, "note")
    if not why:
        raise Invalid("note", "Dites pourquoi : qui l'a décidé, ce que l'unité compte.")
    held = key_of(session, service_code, valid_from)
    if held.version and (held.kind, held.valid_from) == (kind, valid_from):
        raise Conflict("Rien ne change : à partir de ce mois, c'est déjà la clé de ce service.")
    row = b.SharingKey
    last = session.scalar(
        select(func.max(row.version)).where(row.service_code == service_code, row.valid_from == valid_from)
    )
    version = (last or 0) + 1
    session.add(
        row(
            service_code=service_code,
            valid_from=valid_from,
            version=version,
            kind=kind,
            note=why,
            set_by=by,
            set_at=now,
        )
    )
    session.flush()
    key_changed(session, service_code, valid_from, now=now)
    return version


def assign_meter(
    session: Session,
    site: str,
    quantity: Quantity,
    service_code: str | None,
    *,
    valid_from: date,
    now: datetime,
    by: str,
) -> None:
    """Say which service the storage, the backup or the network of a site is of, from a month on; None: none.

    What was said of the same month is corrected, earlier months stay as they were.
    """
    hold_site(session, site)
    if quantity not in POOLED:
        raise Invalid("quantity", "Seuls le stockage, les sauvegardes et le réseau vont à un service.")
    _check_month(valid_from, "valid_from")
    if service_code is not None and session.get(c.Service, service_code) is None:
        raise Invalid("service", "Ce service n'est pas au catalogue.")
    touched = {service_code, *_services(session, site, quantity)}
    row = session.get(s.SitePool, (site, quantity, valid_from))
    if row is None:
        row = s.SitePool(site=site, quantity=quantity, valid_from=valid_from)
        session.add(row)
    row.service_code, row.recorded_by, row.recorded_at = service_code, by, now
    session.flush()
    for code in sorted(one for one in touched if one is not None):
        key_changed(session, code, valid_from, now=now)


def _services(session: Session, site: str, quantity: Quantity) -> list[str | None]:
    """Those that hold the meter before, or later."""
    pool = s.SitePool
    return list(
        session.scalars(
            select(pool.service_code).where(pool.site == site, pool.quantity == quantity).distinct()
        )
    )


def _check_month(month: date, field: str) -> None:
    if month.day != 1:
        raise Invalid(field, "Le premier jour d'un mois est attendu.")
