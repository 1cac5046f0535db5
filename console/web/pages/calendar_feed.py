"""Calendars of planned work by private link: the links of an account, and what a calendar program reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import gettext as _

from console.actions.calendar_feeds import make_feed, revoke_feed
from console.actions.sign_in import hash_of
from console.domain.access import SEES_EVERY_ADHERENT
from console.domain.errors import Invalid, NotFound
from console.domain.icalendar import Event, calendar
from console.store.queries import names
from console.store.queries.calendar_feeds import OpenFeed, feed_of, feeds_of
from console.store.queries.maintenance import PlannedDay, work_between, work_of
from console.store.session import Operator, Tenants
from console.web import addresses, inputs
from console.web.access import current_account, public, signed_in
from console.web.audit_choices import EFFECTS
from console.web.fragments import go_to
from console.web.languages import preferred_code
from console.web.maintenance_words import called
from console.web.state import state

BACK, AHEAD = timedelta(days=92), timedelta(days=396)
LONGEST_TOKEN = 200

bp = Blueprint("calendar_feed", __name__)


@bp.get("/account/calendars")
@signed_in
def index() -> ResponseReturnValue:
    """The links of the account, and the form of another."""
    return _page()


@bp.post("/account/calendars")
@signed_in
def add() -> ResponseReturnValue:
    """Make a link, which is shown this once."""
    account, tenant_id = current_account(), _asked_adherent()
    if account.role not in SEES_EVERY_ADHERENT and tenant_id not in account.tenants:
        raise NotFound("Adhérent introuvable.")
    with state().database.write(Operator(), by=account.login) as session:
        if tenant_id is not None:
            names.adherent(session, tenant_id)
        token = make_feed(session, account.account_id, tenant_id, preferred_code(), now=datetime.now(UTC))
    return _page(state().public_url + url_for("calendar_feed.send", token=token))


@bp.post("/account/calendars/<int:feed_id>/end")
@signed_in
def end(feed_id: int) -> ResponseReturnValue:
    """Revoke a link."""
    account = current_account()
    with state().database.write(Operator(), by=account.login) as session:
        revoke_feed(session, account.account_id, feed_id, now=datetime.now(UTC))
    flash(_("Le lien est révoqué."))
    return go_to(url_for("calendar_feed.index"))


@bp.get("/calendar/<token>.ics")
@public
def send(token: str) -> ResponseReturnValue:
    """The planned work that a link opens, for a calendar program."""
    now = datetime.now(UTC)
    with state().database.read(Operator()) as session:
        feed = feed_of(session, hash_of(token), now=now) if len(token) < LONGEST_TOKEN else None
    if feed is None:
        raise NotFound("Ce lien n'existe pas, ou n'est plus valable.")
    work = _work(feed, now)
    with force_locale(feed.locale):
        content = calendar(*[_event(one) for one in work], name=_name(feed))
    return Response(content, mimetype="text/calendar")


def _work(feed: OpenFeed, now: datetime) -> list[PlannedDay]:
    start, end = now - BACK, now + AHEAD
    if feed.tenant_id is None:
        with state().database.read(Operator()) as session:
            return work_between(session, start, end)
    with state().database.read(Tenants(frozenset({feed.tenant_id}))) as session:
        return work_of(session, feed.tenant_id, start, end)


def _name(feed: OpenFeed) -> str:
    if feed.adherent is None:
        return str(_("Travaux planifiés"))
    return str(_("Travaux planifiés, %(adherent)s", adherent=feed.adherent))


def _event(one: PlannedDay) -> Event:
    """An occurrence; what it says of when it was last changed and how often lets calendars replace it."""
    host = urlsplit(state().public_url).hostname or "console"
    lines = [
        _("Services : %(names)s", names=", ".join(called(service) for service in one.services)),
        _("Effet sur le service : %(effect)s", effect=EFFECTS[one.effect.value]),
    ]
    return Event(
        uid=f"maintenance-{one.maintenance_id}-{one.slot.occurrence:%Y%m%dT%H%M%SZ}@{host}",
        revision=one.revision,
        stamped_at=max(at for at in (one.announced_at, one.cancelled_at) if at is not None),
        starts_at=one.slot.starts_at,
        ends_at=one.slot.ends_at,
        summary=one.title,
        description="\n".join(lines),
        location=None,
        url=None,
        cancelled=one.cancelled_at is not None,
    )


def _asked_adherent() -> int | None:
    number = inputs.optional_count("adherent")
    if number is not None and number > addresses.LARGEST:
        raise Invalid("adherent", "Un adhérent est attendu.")
    return number


def _page(link: str = "") -> str:
    account = current_account()
    sees_all = account.role in SEES_EVERY_ADHERENT
    with state().database.read(Operator()) as session:
        feeds = feeds_of(session, account.account_id)
        known = names.adherents(session, account.tenants)
    return render_template(
        "calendar_feed/index.html",
        feeds=feeds,
        adherents=sorted(known.values(), key=lambda one: one.name),
        sees_all=sees_all,
        link=link,
        chosen=request.values.get("adherent", ""),
    )
