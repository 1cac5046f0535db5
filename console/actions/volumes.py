"""Monthly volumes of subscriptions: judged row by row, stored once, corrected by a new revision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from itertools import islice
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from console.actions.sharing_due import volume_told
from console.actions.tenancy import hold_adherent, subscription_of
from console.domain.contract import Status
from console.domain.errors import Invalid
from console.domain.volumes import Told, check_month, read_month, read_volume
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import tenant as t

VolumeSource = k.VolumeSource
MonthKey = tuple[int, int, date]  # adherent, subscription, month
FINESS_LENGTH = 9
ASKED_AT_ONCE = 10_000  # adherents by a statement, each in two ways: SQLite binds 32 766 values


class Verdict(StrEnum):
    """What becomes of a volume that was told."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Judged:
    """A volume that was told with what becomes of it; `before` is the volume it replaces."""

    told: Told
    verdict: Verdict
    refusal: Invalid | None = None
    tenant_id: int = 0
    adherent: str = ""
    subscription: int = 0
    service_code: str = ""
    month: date | None = None
    volume: int | None = None
    before: int | None = None
    revision: int = 0  # the last one there is


@dataclass(slots=True)
class _Known:
    """What the rows are judged against, read once for all of them."""

    now: datetime
    adherents: dict[str, c.Adherent]
    subscriptions: dict[int, list[t.Subscription]]
    volumes: dict[MonthKey, k.VolumeMonth]
    told: dict[MonthKey, Judged] = field(default_factory=dict)


def judge(session: Session, told: Sequence[Told], *, now: datetime) -> list[Judged]:
    """What storing these volumes would do; what is out of scope is not there."""
    known = _read(session, told, now)
    return [_judge(one, known) for one in told]


def record(
    session: Session, told: Sequence[Told], *, source: k.VolumeSource, now: datetime, by: str
) -> list[Judged]:
    """Store what is new or changed, refuse the rest one by one; repeated, it changes nothing."""
    _hold(session, told)
    judged = judge(session, told, now=now)
    for one in judged:
        if one.verdict in (Verdict.NEW, Verdict.CHANGED) and one.month is not None:
            key = (one.tenant_id, one.subscription, one.month)
            session.add(_row(key, one.revision + 1, one.volume, source, now, by))
    session.flush()
    _pass_on(session, judged, now)
    return judged


def _pass_on(session: Session, judged: Iterable[Judged], now: datetime) -> None:
    """The months of shared services that these volumes are weights of."""
    for tenant_id, service_code, month in sorted(
        {
            (one.tenant_id, one.service_code, one.month)
            for one in judged
            if one.verdict in (Verdict.NEW, Verdict.CHANGED) and one.month is not None
        }
    ):
        volume_told(session, tenant_id, service_code, month, now=now)


def record_month(
    session: Session,
    tenant_id: int,
    number: int,
    month: date,
    volume: int | None,
    *,
    source: k.VolumeSource,
    now: datetime,
    by: str,
) -> bool:
    """Store the volume of one month, or make it unknown again; False where that is so already."""
    adherent = hold_adherent(session, tenant_id)
    subscription = subscription_of(session, tenant_id, number)
    _check(subscription, month, adherent, now)
    key = (tenant_id, number, month)
    last = _latest(session, [tenant_id], [month]).get(key)
    if (last.volume if last else None) == volume and (last is None or last.source is source):
        return False
    session.add(_row(key, (last.revision if last else 0) + 1, volume, source, now, by))
    session.flush()
    volume_told(session, tenant_id, subscription.service_code, month, now=now)
    return True


def _row(
    key: MonthKey, revision: int, volume: int | None, source: k.VolumeSource, now: datetime, by: str
) -> k.VolumeMonth:
    tenant_id, subscription, month = key
    return k.VolumeMonth(
        tenant_id=tenant_id,
        subscription=subscription,
        month=month,
        revision=revision,
        volume=volume,
        source=source,
        recorded_at=now,
        recorded_by=by,
    )


def _judge(told: Told, known: _Known) -> Judged:
    judged = Judged(told, Verdict.REFUSED)
    try:
        adherent = known.adherents.get(told.adherent)
        if adherent is None:
            raise Invalid("adherent", "Aucun adhérent de votre périmètre n'a ce FINESS ou ce numéro.")
        judged = replace(judged, tenant_id=adherent.tenant_id, adherent=adherent.name)
        month = read_month(told.month)
        subscription = _find(told, known.subscriptions.get(adherent.tenant_id, []), month)
        judged = replace(judged, subscription=subscription.number, service_code=subscription.service_code)
        _check(subscription, month, adherent, known.now)
        return _compare(judged, month, read_volume(told.volume), known)
    except Invalid as refusal:
        return replace(judged, refusal=refusal)


def _compare(judged: Judged, month: date, volume: int, known: _Known) -> Judged:
    """Against what was told before it in the same list, then against what is stored."""
    key = (judged.tenant_id, judged.subscription, month)
    judged = replace(judged, month=month, volume=volume)
    twin = known.told.setdefault(key, judged)
    if twin.volume != volume:
        raise Invalid("volume", "La ligne %(line)s donne un autre volume pour ce mois.", line=twin.told.line)
    last = known.volumes.get(key)
    if last is not None:
        judged = replace(judged, before=last.volume, revision=last.revision)
    if twin.told is not judged.told or judged.before == volume:
        return replace(judged, verdict=Verdict.UNCHANGED)
    return replace(judged, verdict=Verdict.NEW if judged.before is None else Verdict.CHANGED)


def _find(told: Told, subscriptions: Iterable[t.Subscription], month: date) -> t.Subscription:
    """By number, or the only one of a service that ran in the month."""
    if told.subscription.isascii() and told.subscription.isdigit():
        found = [one for one in subscriptions if str(one.number) == told.subscription.lstrip("0")]
    else:
        found = [one for one in subscriptions if one.service_code == told.subscription]
        found = [one for one in found if one.ends_on is None or one.ends_on >= month] or found
    if not found:
        raise Invalid("subscription", "Cet adhérent n'a pas cette souscription.")
    if len(found) > 1:
        numbers = ", ".join(str(one.number) for one in found)
        raise Invalid(
            "subscription",
            "Plusieurs souscriptions prennent ce service : nommez-la par son numéro (%(numbers)s).",
            numbers=numbers,
        )
    return found[0]


def _check(subscription: t.Subscription, month: date, adherent: c.Adherent, now: datetime) -> None:
    if subscription.status is Status.DRAFT:
        raise Invalid("subscription", "Cette souscription est un brouillon : activez-la d'abord.")
    check_month(
        month,
        starts_on=subscription.starts_on,
        ends_on=subscription.ends_on,
        today=now.astimezone(ZoneInfo(adherent.zone)).date(),
    )


def _read(session: Session, told: Sequence[Told], now: datetime) -> _Known:
    adherents = _adherents(session, told)
    tenants = sorted({adherent.tenant_id for adherent in adherents.values()})
    subscriptions: dict[int, list[t.Subscription]] = {}
    of_tenants = select(t.Subscription).where(t.Subscription.tenant_id.in_(tenants))
    for row in session.scalars(of_tenants.order_by(t.Subscription.number)):
        subscriptions.setdefault(row.tenant_id, []).append(row)
    return _Known(now, adherents, subscriptions, _latest(session, tenants, list(_months(told))))


def _adherents(session: Session, told: Sequence[Told]) -> dict[str, c.Adherent]:
    """Those in scope, by the FINESS or the number that the rows call them by."""
    called = iter({one.adherent for one in told})
    found = {}
    while names := list(islice(called, ASKED_AT_ONCE)):
        for row in session.scalars(select(c.Adherent).where(_is_called(names))):
            found[str(row.tenant_id)] = row
            if row.finess_ej is not None:
                found[row.finess_ej] = row
    return found


def _is_called(names: Sequence[str]) -> ColumnElement[bool]:
    numbers = [int(name) for name in names if name.isascii() and name.isdigit() and len(name) < FINESS_LENGTH]
    return or_(c.Adherent.finess_ej.in_(names), c.Adherent.tenant_id.in_(numbers))


def _months(told: Iterable[Told]) -> Iterator[date]:
    for text in {one.month for one in told}:
        try:
            yield read_month(text)
        except Invalid:
            continue  # its row is refused when it is judged


def _latest(
    session: Session, tenants: Sequence[int], months: Sequence[date]
) -> dict[MonthKey, k.VolumeMonth]:
    """The last revision of each month of these adherents."""
    row = k.VolumeMonth
    rows = session.scalars(
        select(row)
        .where(row.tenant_id.in_(tenants), row.month.in_(months))
        .order_by(row.tenant_id, row.subscription, row.month, row.revision)
    )
    return {(one.tenant_id, one.subscription, one.month): one for one in rows}


def _hold(session: Session, told: Sequence[Told]) -> None:
    """Hold the adherents, in one order, so that two lists at once make one revision after the other."""
    tenants = {adherent.tenant_id for adherent in _adherents(session, told).values()}
    held = select(c.Adherent.tenant_id).where(c.Adherent.tenant_id.in_(tenants))
    session.execute(held.order_by(c.Adherent.tenant_id).with_for_update())
