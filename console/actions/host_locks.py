"""Hosts, held until a transaction ends.

Hosts come first, then claims and adherents, then hours that are due, then months that are due: whoever takes
several of these locks takes them in this order, or two transactions would wait for each other.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.store.models import measurement as m


def hold_hosts(session: Session, host_ids: Iterable[int]) -> dict[int, m.Host]:
    """The hosts that there are of these, by number; rows that only refer to them may still be added."""
    held = select(m.Host).where(m.Host.host_id.in_(set(host_ids))).order_by(m.Host.host_id)
    rows = session.scalars(held.with_for_update(key_share=True))
    return {host.host_id: host for host in rows}
