"""Dated amendments of a subscription: written down once, never changed, and folded into its row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.incident_clocks import follow_plan
from console.actions.incidents import Priority
from console.actions.sharing_due import subscription_changed
from console.actions.tenancy import hold_adherent, subscription_of
from console.domain.adherents import check_still_there
from console.domain.contract import (
    Amendment,
    State,
    Status,
    Terms,
    check_terms,
    check_timeline,
    differences,
    from_plain,
    in_order,
    last_day,
    state_on,
    terms_on,
    to_plain,
)
from console.domain.errors import Conflict, Invalid
from console.domain.price import Revision
from console.domain.renewal import add_months
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import offer as o
from console.store.models import tenant as t
from console.store.session import MACHINE

ONE_DAY = timedelta(days=1)
YEAR_MONTHS = 12
PLAN = ("plan_code", "plan_version")
SHARING = frozenset({"status", "ends_on", "volume"})  # what a share of a shared service hangs on
COPIED = (  # what the row of a subscription repeats of its terms as they are
    *("status", *PLAN, "volume", "contract", "ends_on", "service_version"),
    *("price_cents", "price_per", "indexation", "indexation_rate", "revise_on"),
    *("tacit", "renewal_months", "notice", "notice_unit"),
)


def open_timeline(
    session: Session, subscription: t.Subscription, terms: Terms, *, today: date, now: datetime, by: str
) -> None:
    """The first amendment: the terms under which a subscription, not stored yet, is taken."""
    check_terms(terms)
    _check_version(session, subscription, terms.service_version)
    changes = {name: value for name, value in asdict(terms).items() if value is not None}
    first = Amendment(1, subscription.starts_on, changes)
    _show(subscription, [first], today)
    session.add(subscription)
    session.flush()
    _write(session, subscription, first, None, "", now, by)
    subscription_changed(
        session, subscription.tenant_id, subscription.service_code, subscription.starts_on, now=now
    )


def amend(
    session: Session,
    tenant_id: int,
    number: int,
    *,
    effective_on: date,
    changes: Mapping[str, Any],
    note: str = "",
    now: datetime,
    by: str,
) -> int:
    """Change terms from a day on, which may be past or to come; the number of the amendment.

    What is so already on that day is left out. Raises `Conflict` where nothing is left: a form that was sent
    twice.
    """
    today, subscription, past = _hold(session, tenant_id, number, now)
    terms = _terms_to_amend(past, effective_on)
    changed = differences(terms, changes)
    if not changed:
        raise Conflict("Rien ne change : au %(day)s, c'est déjà ce qui vaut.", day=f"{effective_on:%Y-%m-%d}")
    if changed.keys() & PLAN:
        after = replace(terms, **changed)
        _check_plan(session, after)
        changed |= {name: getattr(after, name) for name in PLAN}  # a plan is named whole
    _check_version(session, subscription, changed.get("service_version"))
    amendment = Amendment(len(past) + 1, effective_on, changed)
    return _append(session, subscription, past, amendment, None, note, today, now, by)


def set_end(
    session: Session,
    tenant_id: int,
    number: int,
    *,
    ends_on: date | None,
    note: str = "",
    now: datetime,
    by: str,
) -> int:
    """Set the last day of a subscription, whatever was its last day before, or take it back.

    An end that has passed is corrected with a note that says why.
    """
    today, subscription, past = _hold(session, tenant_id, number, now)
    check_still_there(ends_on or date.max, hold_adherent(session, tenant_id).until, "ends_on")
    if last_day(past) == ends_on:
        raise Conflict("Rien ne change : c'est déjà son dernier jour.")
    if _is_over(past, max(today, subscription.starts_on)) and not note:
        raise Invalid("note", "Une fin passée se corrige avec une note qui dit pourquoi.")
    effective_on = max(ends_on or today, subscription.starts_on)  # of a draft, the end is before the start
    amendment = Amendment(len(past) + 1, effective_on, {"ends_on": ends_on})
    return _append(session, subscription, past, amendment, None, note, today, now, by)


def revise_price(
    session: Session,
    tenant_id: int,
    number: int,
    *,
    effective_on: date,
    revision: Revision,
    note: str = "",
    now: datetime,
    by: str,
) -> int:
    """Revise the price that holds on a day; the next revision is due a year later.

    Raises `Conflict` where the same revision was written down for that day.
    """
    today, subscription, past = _hold(session, tenant_id, number, now)
    if twin := _twin(session, subscription, effective_on, revision):
        raise Conflict("L'avenant n° %(number)s fait déjà cette révision, au même jour.", number=twin)
    terms = _terms_to_amend(past, effective_on)
    if terms.price_cents is None:
        raise Conflict("Cette souscription n'a pas de prix à cette date : il n'y a rien à réviser.")
    changes = {
        "price_cents": revision.apply(terms.price_cents),
        "revise_on": add_months(terms.revise_on or effective_on, YEAR_MONTHS),
    }
    amendment = Amendment(len(past) + 1, effective_on, changes)
    return _append(session, subscription, past, amendment, revision, note, today, now, by)


def amendments_of(session: Session, tenant_id: int, number: int) -> list[Amendment]:
    """The amendments of a subscription in the terms of the domain."""
    row = k.SubscriptionAmendment
    rows = session.scalars(
        select(row).where(row.tenant_id == tenant_id, row.subscription == number).order_by(row.number)
    )
    return [Amendment(one.number, one.effective_on, from_plain(one.changes)) for one in rows]


def turn_subscriptions(session: Session, *, now: datetime) -> None:
    """Bring to the day of their adherent the subscriptions that change on it."""
    tomorrow = now.date() + ONE_DAY  # it has begun somewhere; `_show` asks each zone
    due = (
        select(t.Subscription, c.Adherent.zone)
        .join(c.Adherent, c.Adherent.tenant_id == t.Subscription.tenant_id)
        .where(t.Subscription.changes_on <= tomorrow)
    )
    for subscription, zone in session.execute(due).all():
        past = amendments_of(session, subscription.tenant_id, subscription.number)
        _bring_to(session, subscription, past, now.astimezone(ZoneInfo(zone)).date(), now, MACHINE)


def _hold(
    session: Session, tenant_id: int, number: int, now: datetime
) -> tuple[date, t.Subscription, list[Amendment]]:
    """Today where the adherent is, the subscription, held, and its amendments."""
    adherent = hold_adherent(session, tenant_id)
    subscription = subscription_of(session, tenant_id, number)
    today = now.astimezone(ZoneInfo(adherent.zone)).date()
    return today, subscription, amendments_of(session, tenant_id, number)


def _is_over(past: list[Amendment], day: date) -> bool:
    terms = terms_on(past, day)
    return terms is not None and terms.status is Status.ENDED


def _terms_to_amend(past: list[Amendment], effective_on: date) -> Terms:
    """The terms of the day from which they are to be others."""
    terms = terms_on(past, effective_on)
    if terms is None:
        raise Invalid(
            "effective_on",
            "La souscription ne commence que le %(day)s.",
            day=f"{in_order(past)[0].effective_on:%Y-%m-%d}",
        )
    if terms.status is Status.ENDED:
        raise Invalid("effective_on", "La souscription finit le %(day)s.", day=f"{terms.ends_on:%Y-%m-%d}")
    return terms


def _append(
    session: Session,
    subscription: t.Subscription,
    past: list[Amendment],
    amendment: Amendment,
    revision: Revision | None,
    note: str,
    today: date,
    now: datetime,
    by: str,
) -> int:
    timeline = [*past, amendment]
    check_timeline(timeline)
    for changed in timeline:  # one that is dated before others changes what they are added to
        if changed.effective_on >= amendment.effective_on and (
            terms := terms_on(timeline, changed.effective_on)
        ):
            check_terms(terms)
    _write(session, subscription, amendment, revision, note, now, by)
    _bring_to(session, subscription, timeline, today, now, by)
    session.flush()
    if amendment.changes.keys() & SHARING:
        first = min(amendment.effective_on, last_day(past) or amendment.effective_on)
        subscription_changed(session, subscription.tenant_id, subscription.service_code, first, now=now)
    return amendment.number


def _write(
    session: Session,
    subscription: t.Subscription,
    amendment: Amendment,
    revision: Revision | None,
    note: str,
    now: datetime,
    by: str,
) -> None:
    session.add(
        k.SubscriptionAmendment(
            tenant_id=subscription.tenant_id,
            subscription=subscription.number,
            number=amendment.number,
            effective_on=amendment.effective_on,
            changes=to_plain(amendment.changes),
            revision=None if revision is None else asdict(revision),
            note=note or None,
            recorded_at=now,
            recorded_by=by,
        )
    )


def _bring_to(
    session: Session,
    subscription: t.Subscription,
    timeline: list[Amendment],
    today: date,
    now: datetime,
    by: str,
) -> None:
    """Show today's terms; under another plan, incidents that are open are due at another time."""
    before = (subscription.plan_code, subscription.plan_version)
    _show(subscription, timeline, today)
    if before != (subscription.plan_code, subscription.plan_version):
        follow_plan(session, subscription, was=before, now=now, by=by)


def _show(subscription: t.Subscription, timeline: list[Amendment], today: date) -> None:
    """Make the row say what its amendments make of today, or of its first day while that is to come."""
    day = max(today, subscription.starts_on)
    state = state_on(timeline, day) or State(day, Terms(), None, None)
    for name in COPIED:
        setattr(subscription, name, getattr(state.terms, name))
    subscription.term_ends_on, subscription.notice_by = state.term_ends_on, state.notice_by
    subscription.changes_on = _next_change(timeline, state)


def _next_change(timeline: list[Amendment], state: State) -> date | None:
    if state.terms.status is Status.ENDED:
        return None
    days = [one.effective_on for one in timeline if one.effective_on > state.day]
    if state.terms.ends_on is not None:
        days.append(state.terms.ends_on + ONE_DAY)
    if state.term_ends_on is not None and state.terms.tacit:
        days.append(state.term_ends_on + ONE_DAY)
    return min(days, default=None)


def _twin(
    session: Session, subscription: t.Subscription, effective_on: date, revision: Revision
) -> int | None:
    row = k.SubscriptionAmendment
    same_day = select(row).where(
        row.tenant_id == subscription.tenant_id,
        row.subscription == subscription.number,
        row.effective_on == effective_on,
    )
    said = asdict(revision)
    return next((one.number for one in session.scalars(same_day) if one.revision == said), None)


def _check_plan(session: Session, terms: Terms) -> None:
    plan = session.get(c.SlaPlan, (terms.plan_code, terms.plan_version))
    if plan is None:
        raise Invalid("plan", "Ce plan n'est pas au catalogue.")
    if missing := [priority.value for priority in Priority if priority.value not in plan.targets]:
        raise Invalid("plan", "Ce plan ne promet rien en %(missing)s.", missing=", ".join(missing))


def _check_version(session: Session, subscription: t.Subscription, version: str | None) -> None:
    """Refuse a version that the catalogue does not know, where it knows those of the service."""
    row = o.ServiceVersion
    known = session.scalars(
        select(row.version)
        .where(row.service_code == subscription.service_code)
        .order_by(row.released_on.desc(), row.version)
    ).all()
    if version is not None and known and version not in known:
        raise Invalid(
            "service_version",
            "Le catalogue ne connaît pas cette version du service ; il connaît %(versions)s.",
            versions=", ".join(known),
        )
