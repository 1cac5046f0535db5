"""What an incident touches beside its own subscription: other subscriptions, and places of the adherent."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.tenancy import hold_adherent, subscription_of
from console.domain.errors import Invalid
from console.store.models import directory as d
from console.store.models import follow_up as f
from console.store.models import incident as i
from console.store.models import tenant as t


@dataclass(frozen=True, slots=True)
class Site:
    """A place of an adherent: one of the directory by its FINESS number, or one of its own by its number."""

    finess_et: str | None = None
    own_site: int | None = None


def touch(
    session: Session,
    incident: t.Incident,
    touches: Collection[int] | None,
    sites: Collection[Site] | None,
) -> bool:
    """Make an incident touch these subscriptions, beside its own, and these places; None leaves them.

    Whether anything is another than before.
    """
    moved = touches is not None and _touch_services(session, incident, {*touches} - {incident.subscription})
    moved |= sites is not None and _touch_sites(session, incident, list(dict.fromkeys(sites)))
    session.flush()
    return moved


def _touch_services(session: Session, incident: t.Incident, wanted: set[int]) -> bool:
    touched = t.TouchedService
    rows = session.scalars(
        select(touched).where(touched.tenant_id == incident.tenant_id, touched.incident == incident.number)
    ).all()
    there = {row.subscription for row in rows}
    for row in rows:
        if row.subscription not in wanted:
            session.delete(row)
    for number in sorted(wanted - there):
        subscription_of(session, incident.tenant_id, number)
        session.add(touched(tenant_id=incident.tenant_id, incident=incident.number, subscription=number))
    return there != wanted


def _touch_sites(session: Session, incident: t.Incident, wanted: list[Site]) -> bool:
    touched = i.TouchedSite
    rows = session.scalars(
        select(touched)
        .where(touched.tenant_id == incident.tenant_id, touched.incident == incident.number)
        .order_by(touched.position)
    ).all()
    if {Site(row.finess_et, row.own_site) for row in rows} == {*wanted}:
        return False
    for row in rows:
        session.delete(row)
    session.flush()
    for position, site in enumerate(wanted, start=1):
        _check_site(session, incident.tenant_id, site)
        session.add(
            touched(
                tenant_id=incident.tenant_id,
                incident=incident.number,
                position=position,
                finess_et=site.finess_et,
                own_site=site.own_site,
            )
        )
    return True


def _check_site(session: Session, tenant_id: int, site: Site) -> None:
    """Refuse a place that is not the adherent's."""
    adherent = hold_adherent(session, tenant_id)
    if site.own_site is not None:
        known = session.get(f.OwnSite, (tenant_id, site.own_site)) is not None
    else:
        found = session.get(d.DirectorySite, site.finess_et)
        known = found is not None and found.finess_ej == adherent.finess_ej
    if not known:
        raise Invalid("sites", "Choisissez parmi les sites de l'adhérent.")
