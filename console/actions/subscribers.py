"""Who shares a service in a month, and what each weighs under the key that holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from console.domain.contract import Amendment, Status, from_plain
from console.domain.month_lines import OPEN_REVISION, LineKind, SharingKeyKind
from console.domain.proportion import apportion
from console.domain.renewal import add_months
from console.domain.sharing import (
    LOOKS_BACK_MONTHS,
    Key,
    Origin,
    Subscriber,
    Volumes,
    Weight,
    key_for,
    terms_in,
    volume_weights,
)
from console.store.models import carbon as b
from console.store.models import contract as k
from console.store.models import tenant as t


def key_of(session: Session, service_code: str, month: date) -> Key:
    """The key by which a service is split in a month."""
    row = b.SharingKey
    rows = session.scalars(select(row).where(row.service_code == service_code))
    return key_for([Key(one.kind, one.valid_from, one.version) for one in rows], month)


def weights_of(
    session: Session, service_code: str, month: date, kind: SharingKeyKind
) -> dict[Subscriber, Weight]:
    """What each subscription of a service that runs in a month weighs, by adherent and number."""
    volumes = _volumes(session, service_code, month)
    told = {who: months[month] for who, months in volumes.items() if months.get(month)}
    contracts = _running(session, service_code, month, told)
    if kind is SharingKeyKind.SUBSCRIPTION:
        return {who: Weight(1, Origin.KEY) for who in contracts}
    if kind is SharingKeyKind.IT_ENERGY:
        return _by_energy(session, month, list(contracts))
    return volume_weights(
        {
            who: _known(volumes.get(who, {}), month, contract_volume)
            for who, contract_volume in contracts.items()
        }
    )


def _known(volumes: Mapping[date, int], month: date, contract: int | None) -> Volumes:
    before = [one for one in volumes if one < month]
    return Volumes(volumes.get(month), volumes[max(before)] if before else None, contract)


def _running(
    session: Session, service_code: str, month: date, told: Mapping[Subscriber, int]
) -> dict[Subscriber, int | None]:
    """The subscriptions that run in a month, each with the volume of its contract then.

    One that is suspended all month counts where a volume of it was told all the same.
    """
    row = k.SubscriptionAmendment
    taken = _taken(service_code, month)
    amendments: dict[Subscriber, list[Amendment]] = {}
    for one in session.scalars(
        select(row)
        .join(t.Subscription, _same(row.tenant_id, row.subscription))
        .where(*taken)
        .order_by(row.tenant_id, row.subscription, row.number)
    ):
        said = Amendment(one.number, one.effective_on, from_plain(one.changes))
        amendments.setdefault((one.tenant_id, one.subscription), []).append(said)
    found: dict[Subscriber, int | None] = {}
    for subscription in session.scalars(select(t.Subscription).where(*taken)):
        who = (subscription.tenant_id, subscription.number)
        terms = terms_in(amendments.get(who, []), month)
        if terms is not None:
            found[who] = terms.volume
        elif who in told and subscription.status is not Status.DRAFT:
            found[who] = subscription.volume
    return found


def _volumes(session: Session, service_code: str, month: date) -> dict[Subscriber, dict[date, int]]:
    """The last revisions of the month and of the twelve before it, those that are known."""
    row = k.VolumeMonth
    rows = session.scalars(
        select(row)
        .join(t.Subscription, _same(row.tenant_id, row.subscription))
        .where(
            t.Subscription.service_code == service_code,
            row.month <= month,
            row.month >= add_months(month, -LOOKS_BACK_MONTHS),
        )
        .order_by(row.tenant_id, row.subscription, row.month, row.revision)
    )
    last = {(one.tenant_id, one.subscription, one.month): one.volume for one in rows}
    found: dict[Subscriber, dict[date, int]] = {}
    for (tenant_id, subscription, of_month), volume in last.items():
        if volume is not None:
            found.setdefault((tenant_id, subscription), {})[of_month] = volume
    return found


def _by_energy(session: Session, month: date, whose: Sequence[Subscriber]) -> dict[Subscriber, Weight]:
    """The IT energy of an adherent's own lines, in equal parts where it subscribed more than once."""
    line = b.MonthLine
    tenants = {tenant_id for tenant_id, _ in whose}
    used = dict(
        session.execute(
            select(line.tenant_id, func.sum(line.energy_mj))
            .where(
                line.tenant_id.in_(tenants),
                line.month == month,
                line.revision == OPEN_REVISION,
                line.kind == LineKind.OWN,
            )
            .group_by(line.tenant_id)
        ).all()
    )
    found: dict[Subscriber, Weight] = {}
    for tenant_id in sorted(tenants):
        numbers = {number: 1 for owner, number in whose if owner == tenant_id}
        parts = apportion(int(used.get(tenant_id) or 0), numbers)
        found |= {(tenant_id, number): Weight(part, Origin.KEY) for number, part in parts.items()}
    return found


def _taken(service_code: str, month: date) -> tuple[ColumnElement[bool], ...]:
    row = t.Subscription
    return (
        row.service_code == service_code,
        row.starts_on < add_months(month, 1),
        or_(row.ends_on.is_(None), row.ends_on >= month),
    )


def _same(tenant_id: InstrumentedAttribute[int], number: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    return (t.Subscription.tenant_id == tenant_id) & (t.Subscription.number == number)
