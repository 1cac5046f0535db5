"""Workloads given to one holder, one after the other: each is claimed, was its own already, or is refused.

The edge opens a transaction for each of them, so that one that is refused keeps none of the others back:

    for host_id, workload_id in ticked:
        with database.write(Operator(), by=by) as session:
            outcomes.append(claim_one(session, host_id, workload_id, holder, first_day=day, now=now, by=by))
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from console.actions.claims import claim_for_service, claim_workload
from console.domain.claims import OPERATOR_TENANT, Claim
from console.domain.errors import DomainError
from console.domain.hours import day_bounds
from console.store.queries import names
from console.store.queries.claims import claims_on

MOST_AT_ONCE: Final = 500  # workloads of one request


@dataclass(frozen=True, slots=True)
class Holder:
    """Who is to hold workloads: a subscription of an adherent, or a service that its subscribers share."""

    tenant_id: int = OPERATOR_TENANT
    subscription: int | None = None
    service_code: str | None = None

    def holds(self, claim: Claim) -> bool:
        """Whether a claim is this holder's."""
        if self.service_code is not None:
            return claim.service_code == self.service_code
        return (claim.tenant_id, claim.subscription) == (self.tenant_id, self.subscription)


class Fate(StrEnum):
    """What became of a workload."""

    CLAIMED = "claimed"
    HELD = "held"  # the same holder has it on all these days already
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A workload with what became of it; `refusal` says why it was refused."""

    host_id: int
    workload_id: int
    fate: Fate
    refusal: DomainError | None = None


def claim_one(
    session: Session,
    host_id: int,
    workload_id: int,
    holder: Holder,
    *,
    first_day: date,
    last_day: date | None = None,
    now: datetime,
    by: str,
) -> Outcome:
    """Claim a workload for the holder, whole days, both included, or open; repeated, it changes nothing.

    Needs a session of the operator's scope. A refusal is an outcome, and leaves nothing half done.
    """
    days = (first_day, last_day)
    try:
        with session.begin_nested():
            if held_throughout(session, host_id, workload_id, holder, *days):
                return Outcome(host_id, workload_id, Fate.HELD)
            _claim(session, host_id, workload_id, holder, *days, now, by)
    except DomainError as refusal:
        return Outcome(host_id, workload_id, Fate.REFUSED, refusal)
    return Outcome(host_id, workload_id, Fate.CLAIMED)


def held_throughout(
    session: Session,
    host_id: int,
    workload_id: int,
    holder: Holder,
    first_day: date,
    last_day: date | None,
) -> bool:
    """Whether one claim of the holder has the workload on all these days."""
    zone = ZoneInfo(names.adherent(session, holder.tenant_id).zone)
    start = day_bounds(first_day, zone)[0]
    end = None if last_day is None else day_bounds(last_day, zone)[1]
    return any(
        holder.holds(claim)
        and claim.valid_from <= start
        and (claim.valid_to is None or (end is not None and end <= claim.valid_to))
        for claim in claims_on(session, host_id, start, end).get(workload_id, ())
    )


def _claim(
    session: Session,
    host_id: int,
    workload_id: int,
    holder: Holder,
    first_day: date,
    last_day: date | None,
    now: datetime,
    by: str,
) -> None:
    told: dict[str, Any] = {
        "host_id": host_id,
        "workload_id": workload_id,
        "first_day": first_day,
        "last_day": last_day,
        "now": now,
        "by": by,
    }
    if holder.service_code is not None:
        claim_for_service(session, service_code=holder.service_code, **told)
        return
    claim_workload(session, tenant_id=holder.tenant_id, subscription=holder.subscription or 0, **told)
