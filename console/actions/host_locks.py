"""Hosts, held until a transaction ends.

What machines are claimed for comes first, then hosts, then claims and adherents, then hours that are due,
then months that are due: whoever takes several of these locks takes them in this order, or two transactions
would wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.store.models import measurement as m

MACHINES = 7_303_014_418  # the number of a lock of the whole database


def hold_machines(session: Session, *, alone: bool) -> None:
    """Keep those who meter apart from the one who claims; SQLite has one writer at a time by itself.

    Metering (not `alone`) asks whose a machine is that comes to a host for the first time; a claim made or
    ended at that moment (`alone`) sees neither that host nor the hour, and would not hold there.
    """
    if session.get_bind().dialect.name == "postgresql":
        lock = func.pg_advisory_xact_lock if alone else func.pg_advisory_xact_lock_shared
        session.execute(select(lock(MACHINES)))


def hold_hosts(session: Session, host_ids: Iterable[int]) -> dict[int, m.Host]:
    """The hosts that there are of these, by number; rows that only refer to them may still be added."""
    held = select(m.Host).where(m.Host.host_id.in_(set(host_ids))).order_by(m.Host.host_id)
    rows = session.scalars(held.with_for_update(key_share=True))
    return {host.host_id: host for host in rows}
