"""INR statements of the last closed months, issued as an account manager issues them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import islice

from sqlalchemy.orm import Session

from console.actions.generating.follow_up import BY
from console.actions.generating.rows import Deed
from console.actions.generating.world import Adherent, World
from console.actions.statements import issue_statement
from console.domain.hours import month_bounds, month_of

FEW = 12  # adherents
MONTHS = 3
AFTER = timedelta(days=4, hours=9)  # the end of a month


def count_statements(world: World) -> int:
    return sum(len(_months(world, adherent)) for adherent in _few(world))


def store_statements(world: World) -> Iterator[Deed]:
    """The statements of an adherent in each transaction, by month."""
    for adherent in _few(world):

        def issue(session: Session, adherent: Adherent = adherent) -> int:
            months = _months(world, adherent)
            for month, issued_at in months:
                issue_statement(session, adherent.tenant_id, month, now=issued_at, by=BY)
            return len(months)

        yield issue


def _few(world: World) -> Sequence[Adherent]:
    """Those with most contracts, of which workloads are claimed."""
    claims = Counter(
        claim.tenant_id for host in world.hosts for workload in host.workloads for claim in workload.claims
    )
    found = [adherent for adherent in world.adherents if claims[adherent.tenant_id]]
    found.sort(key=lambda one: (-len(world.contracts[one.tenant_id]), one.tenant_id))
    return sorted(found[:FEW], key=lambda one: one.tenant_id)


def _months(world: World, adherent: Adherent) -> Sequence[tuple[date, datetime]]:
    """The last closed months of the past, the first one first, each with the instant it is issued at."""
    return list(islice(_closed(world, adherent), MONTHS))[::-1]


def _closed(world: World, adherent: Adherent) -> Iterator[tuple[date, datetime]]:
    now, month = world.scale.now, month_of(world.scale.now, adherent.zone)
    while True:
        month = (month - timedelta(days=1)).replace(day=1)
        start, end = month_bounds(month, adherent.zone)
        if start < world.scale.start or month < adherent.since:
            return
        yield month, min(end + AFTER, now)
