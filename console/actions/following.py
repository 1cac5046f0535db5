"""Claims follow virtual machines to the hosts they move to, in the transaction that meters the move.

One on a machine that was told by its name alone goes over to its uid, once that is told on the same host.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.actions.ingest import mark_due
from console.actions.posting import post
from console.domain.following import BeginEarlier, CarryOn, Held, to_follow
from console.domain.hours import HOUR, hour_of
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import measurement as m
from console.store.session import MACHINE

Claim = c.WorkloadClaim | k.ServiceClaim


def follow(
    session: Session, host_id: int, hour: datetime, machines: Collection[int], *, now: datetime
) -> datetime:
    """Carry the claims on machines that ran on a host in an hour on to it; until when to post it again.

    The host is held by the caller, so that no other claim is made there meanwhile.
    """
    end = hour + HOUR
    if not machines:
        return end
    by_machine: dict[int, list[Claim]] = {}
    for claim in _claims_on(session, machines):
        by_machine.setdefault(claim.workload_id, []).append(claim)
    held = {
        number for number, claims in by_machine.items() if any(_held(one).holds_at(hour) for one in claims)
    }
    gone_over = [
        _go_over(session, claim, workload, hour, now)
        for workload, claim in _named_before(session, host_id, hour, set(machines) - held)
    ]
    for workload_id, claims in sorted(by_machine.items()):
        found = to_follow([_held(claim) for claim in claims], host_id, hour)
        match found:
            case BeginEarlier():
                claim = next(one for one in claims if one.claim_id == found.claim.number)
                end = max(end, claim.valid_from)
                claim.valid_from = found.valid_from
            case CarryOn():
                first = next(one for one in claims if one.claim_id == found.first.number)
                session.add(_carried_on(session, first, host_id, workload_id, found, now))
                end = max(end, min(found.valid_to or now, hour_of(now) + HOUR))
    session.flush()  # all claims are held before any due month is
    for after, claim, before in gone_over:
        _post_over(session, after, after.valid_from, before, now)
        _post_over(session, claim, hour + HOUR, before, now)
    return end


def _named_before(
    session: Session, host_id: int, hour: datetime, machines: Collection[int]
) -> list[tuple[m.Workload, Claim]]:
    """Machines of a host that are told by a uid, with the claim on what had their name and no uid there.

    Where two machines have the name nobody knows which of them it was.
    """
    if not machines:
        return []
    row = m.Workload
    of_host = session.scalars(select(row).where(row.host_id == host_id, row.uid.is_not(None))).all()
    names = Counter(one.name for one in of_host)
    by_key = {
        m.workload_key(one.name, None): one
        for one in of_host
        if one.workload_id in machines and names[one.name] == 1
    }
    told = select(row.workload_id, row.kind).where(
        row.host_id == host_id, row.workload_id.in_(by_key), row.uid.is_(None)
    )
    kinds = {workload_id: kind for workload_id, kind in session.execute(told)}  # noqa: C416 - rows are no pairs
    return [
        (by_key[claim.workload_id], claim)
        for claim in _claims_on(session, kinds)
        if claim.host_id == host_id
        and by_key[claim.workload_id].kind == kinds[claim.workload_id]
        and _held(claim).holds_at(hour)
    ]


def _go_over(
    session: Session, claim: Claim, workload: m.Workload, hour: datetime, now: datetime
) -> tuple[Claim, Claim, datetime | None]:
    """Have a claim on a name hold for the machine as well, over all its time, and end it after the hour.

    The claim on the machine, the one on the name, and the end that this one had.
    """
    over, before = CarryOn(_held(claim), claim.valid_from, claim.valid_to), claim.valid_to
    after = _carried_on(session, claim, claim.host_id, workload.workload_id, over, now)
    after.follows = None  # it stands for itself: other hosts carry it on
    session.add(after)
    claim.valid_to = hour + HOUR if before is None else min(before, hour + HOUR)
    return after, claim, before


def _post_over(session: Session, claim: Claim, start: datetime, end: datetime | None, now: datetime) -> None:
    metered = hour_of(now) + HOUR
    end = metered if end is None else min(end, metered)
    if start < end:
        post(session, claim.host_id, start, end, now=now, workload_id=claim.workload_id)


def followers(session: Session, claim: Claim) -> list[Claim]:
    """The claims that carry one on, on other hosts."""
    kind = type(claim)
    rows = select(kind).where(kind.follows == abs(claim.claim_id)).order_by(kind.host_id)
    return list(session.scalars(rows.execution_options(populate_existing=True)))


def look_elsewhere(session: Session, claim: Claim, *, now: datetime) -> None:
    """Have the hosts metered again to which the machine of a new claim had moved before it was made.

    The first hour of each is enough, however old: the claim is carried on from it. An hour whose readings
    are gone is posted again as the ledger has it.
    """
    workload = session.get(m.Workload, (claim.host_id, claim.workload_id))
    if workload is None or workload.uid is None:
        return
    others = session.scalars(
        select(m.Workload.host_id)
        .where(
            m.Workload.uid == workload.uid,
            m.Workload.workload_id == claim.workload_id,
            m.Workload.host_id != claim.host_id,
        )
        .order_by(m.Workload.host_id)
    ).all()
    for host_id in others:
        line = m.WorkloadHour
        first = session.scalar(
            select(func.min(line.hour)).where(
                line.host_id == host_id,
                line.workload_id == claim.workload_id,
                line.hour >= claim.valid_from,
            )
        )
        if first is not None and (claim.valid_to is None or first < claim.valid_to):
            mark_due(session, host_id, [first], now)


def _claims_on(session: Session, machines: Collection[int]) -> Iterable[Claim]:
    """Every claim of either kind on some machines, on whatever host, in a steady order."""
    own, shared = c.WorkloadClaim, k.ServiceClaim
    yield from session.scalars(select(own).where(own.workload_id.in_(machines)).order_by(own.claim_id))
    yield from session.scalars(
        select(shared).where(shared.workload_id.in_(machines)).order_by(shared.service_claim_id)
    )


def _held(claim: Claim) -> Held:
    if isinstance(claim, c.WorkloadClaim):
        owner: tuple[object, ...] = (claim.tenant_id, claim.subscription)
        follows = claim.follows
    else:
        owner, follows = (claim.service_code,), None if claim.follows is None else -claim.follows
    return Held(claim.claim_id, claim.host_id, owner, claim.valid_from, claim.valid_to, follows)


def _carried_on(
    session: Session, first: Claim, host_id: int, workload_id: int, found: CarryOn, now: datetime
) -> Claim:
    host = session.get_one(m.Host, host_id)
    workload = session.get_one(m.Workload, (host_id, workload_id))
    names = {
        "host_id": host_id,
        "workload_id": workload_id,
        "host_name": host.name,
        "workload_name": workload.name,
        "valid_from": found.valid_from,
        "valid_to": found.valid_to,
        "claimed_by": MACHINE,
        "claimed_at": now,
        "follows": abs(first.claim_id),
    }
    if isinstance(first, c.WorkloadClaim):
        return c.WorkloadClaim(tenant_id=first.tenant_id, subscription=first.subscription, **names)
    return k.ServiceClaim(service_code=first.service_code, **names)
