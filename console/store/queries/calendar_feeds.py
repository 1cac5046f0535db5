"""Private links of calendars: those of an account, and what one opens at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.access import SEES_EVERY_ADHERENT, Role
from console.store.models import catalogue as c
from console.store.models import maintenance as h
from console.store.models import people as p
from console.store.queries.ght import members_seen_by
from console.store.queries.sign_in import effective_tenants

ZONE = ZoneInfo("Europe/Paris")  # in which the days of a group begin and end


@dataclass(frozen=True, slots=True)
class OpenFeed:
    """What a link opens: the work of an adherent, of all where `tenant_id` is None."""

    tenant_id: int | None
    adherent: str | None
    locale: str


@dataclass(frozen=True, slots=True)
class ListedFeed:
    """A link of an account; its token is not known any more."""

    feed_id: int
    adherent: str | None
    made_at: datetime


def feed_of(session: Session, token_sha256: str, *, now: datetime) -> OpenFeed | None:
    """What a link opens, None where it opens nothing: revoked, or its account may not see that any more."""
    row = session.execute(
        select(h.CalendarFeed, p.Account.role, c.Adherent.name)
        .join(p.Account, p.Account.account_id == h.CalendarFeed.account_id)
        .outerjoin(c.Adherent, c.Adherent.tenant_id == h.CalendarFeed.tenant_id)
        .where(h.CalendarFeed.token_sha256 == token_sha256, h.CalendarFeed.revoked_at.is_(None))
        .where(p.Account.disabled_at.is_(None))
    ).one_or_none()
    if row is None:
        return None
    feed, role, adherent = row
    if not _may_see(session, feed.account_id, role, feed.tenant_id, now):
        return None
    return OpenFeed(feed.tenant_id, adherent, feed.locale)


def feeds_of(session: Session, account_id: int) -> list[ListedFeed]:
    """The links of an account that are not revoked, the latest first."""
    row = h.CalendarFeed
    rows = session.execute(
        select(row.feed_id, c.Adherent.name, row.made_at)
        .outerjoin(c.Adherent, c.Adherent.tenant_id == row.tenant_id)
        .where(row.account_id == account_id, row.revoked_at.is_(None))
        .order_by(row.feed_id.desc())
    )
    return [ListedFeed(*columns) for columns in rows]


def _may_see(session: Session, account_id: int, role: Role, tenant_id: int | None, now: datetime) -> bool:
    if role in SEES_EVERY_ADHERENT:
        return True
    tenants = effective_tenants(session, account_id, role, now=now)
    if role is Role.CIO:
        tenants |= members_seen_by(session, tenants, now.astimezone(ZONE).date())
    return tenant_id in tenants
