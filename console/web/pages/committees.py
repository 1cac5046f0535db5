"""Committees with adherents: lists, the page of one with its minutes, its calendar file."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.committees import (
    CommitteeFacts,
    add_addendum,
    approve_minutes,
    cancel_committee,
    change_committee,
    plan_committee,
    write_minutes,
)
from console.domain.access import Permission
from console.domain.committees import CommitteeKind
from console.domain.errors import DomainError, Invalid
from console.domain.icalendar import Event, calendar
from console.domain.revisions import Stale
from console.store.queries import names
from console.store.queries.committees import (
    CommitteePage,
    Standing,
    Which,
    committee_page,
    list_committees,
)
from console.store.queries.contacts import contacts_of
from console.web import inputs
from console.web.access import current_account, requires, scope
from console.web.adherent_words import committee_kind
from console.web.errors import message_of
from console.web.fragments import go_to, wants_fragment
from console.web.languages import today
from console.web.state import state

USUAL_MIN = 60  # minutes
TEXTS = ("place", "link", "guests", "agenda")

bp = Blueprint("committees", __name__)


@bp.get("/committees")
@requires(Permission.SEE_PORTFOLIO)
def index() -> ResponseReturnValue:
    """The committees of every adherent in scope."""
    return _list(None)


@bp.get("/adherents/<int:tenant_id>/committees")
@requires(Permission.SEE_PORTFOLIO)
def of_adherent(tenant_id: int) -> ResponseReturnValue:
    """The committees of one adherent."""
    return _list(tenant_id)


@bp.get("/adherents/<int:tenant_id>/committees/new")
@requires(Permission.MANAGE_ADHERENTS)
def new(tenant_id: int) -> ResponseReturnValue:
    """The form that plans a committee."""
    return _new(tenant_id)


@bp.post("/adherents/<int:tenant_id>/committees/new")
@requires(Permission.MANAGE_ADHERENTS)
def add(tenant_id: int) -> ResponseReturnValue:
    """Plan a committee."""
    try:
        facts = _typed()
        with state().database.write(scope(), by=current_account().login) as session:
            number = plan_committee(session, tenant_id, facts)
    except Invalid as error:
        return _new(tenant_id, error), 422
    flash(_("Le comité est prévu."))
    return go_to(url_for("committees.show", tenant_id=tenant_id, number=number))


@bp.get("/adherents/<int:tenant_id>/committees/<int:number>")
@requires(Permission.SEE_PORTFOLIO)
def show(tenant_id: int, number: int) -> ResponseReturnValue:
    """One committee: who, where, about what, its minutes and tasks."""
    return _page(tenant_id, number)


@bp.get("/adherents/<int:tenant_id>/committees/<int:number>/facts")
@requires(Permission.MANAGE_ADHERENTS)
def edit(tenant_id: int, number: int) -> ResponseReturnValue:
    """The form that changes when, where, with whom and about what."""
    return _edit(tenant_id, number)


@bp.post("/adherents/<int:tenant_id>/committees/<int:number>/facts")
@requires(Permission.MANAGE_ADHERENTS)
def change(tenant_id: int, number: int) -> ResponseReturnValue:
    """Change it."""
    try:
        facts, seen_version = _typed(), inputs.optional_count("version")
        with state().database.write(scope(), by=current_account().login) as session:
            change_committee(session, tenant_id, number, facts, seen_version=seen_version)
    except Invalid as error:
        return _edit(tenant_id, number, error), 422
    except Stale as error:
        return _edit(tenant_id, number, error), 409
    flash(_("Le comité est modifié."))
    return go_to(url_for("committees.show", tenant_id=tenant_id, number=number))


@bp.post("/adherents/<int:tenant_id>/committees/<int:number>/minutes")
@requires(Permission.MANAGE_ADHERENTS)
def write(tenant_id: int, number: int) -> ResponseReturnValue:
    """Keep the minutes as a draft, or approve them as they are."""
    by, now = current_account().login, datetime.now(UTC)
    approving = inputs.text("deed") == "approve"
    try:
        seen_version = inputs.optional_count("version")
        inputs.refuse_patient_numbers("minutes", "decisions")
        with state().database.write(scope(), by=by) as session:
            if approving:
                approve_minutes(session, tenant_id, number, seen_version=seen_version, now=now, by=by)
            else:
                typed = inputs.text("minutes"), inputs.text("decisions")
                write_minutes(session, tenant_id, number, *typed, seen_version=seen_version)
    except Invalid as error:
        return _page(tenant_id, number, error, "minutes"), 422
    except Stale as error:
        return _page(tenant_id, number, error, "" if approving else "minutes"), 409
    flash(_("Le compte rendu est approuvé.") if approving else _("Le compte rendu est enregistré."))
    return go_to(url_for("committees.show", tenant_id=tenant_id, number=number))


@bp.post("/adherents/<int:tenant_id>/committees/<int:number>/addenda")
@requires(Permission.MANAGE_ADHERENTS)
def complete(tenant_id: int, number: int) -> ResponseReturnValue:
    """Add to approved minutes."""
    by = current_account().login
    try:
        inputs.refuse_patient_numbers("text")
        with state().database.write(scope(), by=by) as session:
            add_addendum(session, tenant_id, number, inputs.text("text"), now=datetime.now(UTC), by=by)
    except Invalid as error:
        return _page(tenant_id, number, error, "addendum"), 422
    flash(_("L'additif est joint au compte rendu."))
    return go_to(url_for("committees.show", tenant_id=tenant_id, number=number))


@bp.post("/adherents/<int:tenant_id>/committees/<int:number>/cancel")
@requires(Permission.MANAGE_ADHERENTS)
def cancel(tenant_id: int, number: int) -> ResponseReturnValue:
    """Say that it will not be held."""
    with state().database.write(scope(), by=current_account().login) as session:
        cancel_committee(session, tenant_id, number, now=datetime.now(UTC))
    flash(_("Le comité est annulé."))
    return go_to(url_for("committees.show", tenant_id=tenant_id, number=number))


@bp.get("/adherents/<int:tenant_id>/committees/<int:number>.ics")
@requires(Permission.SEE_PORTFOLIO)
def as_calendar(tenant_id: int, number: int) -> ResponseReturnValue:
    """The committee for a calendar."""
    now = datetime.now(UTC)
    with state().database.read(scope()) as session:
        committee = committee_page(session, tenant_id, number, now=now, today=today())
    answer = Response(calendar(_event(committee, now)), mimetype="text/calendar")
    name = f"comite-{tenant_id}-{number}.ics"
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


def _event(committee: CommitteePage, now: datetime) -> Event:
    host = urlsplit(state().public_url).hostname or "console"
    people = [member.name for member in committee.members] + committee.guests.splitlines()
    parts = [committee.agenda, _("Participants : %(names)s", names=", ".join(people)) if people else ""]
    return Event(
        uid=f"committee-{committee.tenant_id}-{committee.number}@{host}",
        revision=committee.version,
        stamped_at=now,
        starts_at=committee.starts_at,
        ends_at=committee.ends_at,
        summary=f"{committee_kind(committee.kind.value)}, {committee.adherent}",
        description="\n\n".join(part for part in parts if part),
        location=committee.place or committee.link,
        url=committee.link,
        cancelled=committee.standing is Standing.CANCELLED,
    )


def _typed() -> CommitteeFacts:
    inputs.refuse_patient_numbers(*TEXTS)
    return CommitteeFacts(
        kind=inputs.choice("kind", CommitteeKind),
        starts_at=inputs.wall("starts_at"),
        duration_min=inputs.optional_count("duration_min"),
        contacts=[_contact(value) for value in request.form.getlist("contacts")],
        **{field: inputs.text(field) for field in TEXTS},
    )


def _contact(value: str) -> int:
    if not value.isascii() or not value.isdigit() or len(value) > 9:
        raise Invalid("contacts", "Un choix de la liste est attendu.")
    return int(value)


def _list(tenant_id: int | None) -> ResponseReturnValue:
    asked, now = request.args.get("which", ""), datetime.now(UTC)
    which = Which(asked) if asked in list(Which) else Which.COMING
    with state().database.read(scope()) as session:
        adherent = None if tenant_id is None else names.adherent(session, tenant_id)
        found = list_committees(session, now=now, which=which, tenant_id=tenant_id, page=inputs.asked_page())
    template = "committees/list.html" if wants_fragment() else "committees/index.html"
    return render_template(template, adherent=adherent, found=found, which=which.value)


def _new(tenant_id: int, error: Invalid | None = None) -> str:
    untouched = {"kind": CommitteeKind.STEERING.value, "duration_min": str(USUAL_MIN)}
    return _form("committees/new.html", tenant_id, untouched, [], error)


def _edit(tenant_id: int, number: int, error: DomainError | None = None) -> str:
    with state().database.read(scope()) as session:
        committee = committee_page(session, tenant_id, number, now=datetime.now(UTC), today=today())
    asked = [member.number for member in committee.members]
    return _form("committees/edit.html", tenant_id, _as_typed(committee), asked, error, committee=committee)


def _form(
    template: str,
    tenant_id: int,
    untouched: dict[str, str],
    asked: list[int],
    error: DomainError | None,
    **more: object,
) -> str:
    with state().database.read(scope()) as session:
        adherent = names.adherent(session, tenant_id)
        contacts = contacts_of(session, tenant_id, today(adherent.zone))
    ticked = request.form.getlist("contacts") if error else [str(number) for number in asked]
    return render_template(
        template,
        adherent=adherent,
        contacts=[
            *contacts.current,
            *(contact for contact in contacts.others if str(contact.number) in ticked),
        ],
        kinds=[kind.value for kind in CommitteeKind],
        typed=request.form if error else untouched,
        ticked=ticked,
        **_told(error),
        **more,
    )


def _as_typed(committee: CommitteePage) -> dict[str, str]:
    wall = committee.starts_at.astimezone(ZoneInfo(committee.zone))
    return {
        "kind": committee.kind.value,
        "starts_at": f"{wall:%Y-%m-%dT%H:%M}",
        "duration_min": str(committee.duration_min),
        **{field: getattr(committee, field) or "" for field in TEXTS},
    }


def _page(tenant_id: int, number: int, error: DomainError | None = None, part: str = "") -> str:
    with state().database.read(scope()) as session:
        zone = names.adherent(session, tenant_id).zone
        committee = committee_page(session, tenant_id, number, now=datetime.now(UTC), today=today(zone))
    return render_template(
        "committees/show.html", committee=committee, typed=request.form, part=part, **_told(error)
    )


def _told(error: DomainError | None) -> dict[str, object]:
    errors = {error.field: message_of(error)} if isinstance(error, Invalid) else {}
    return {"errors": errors, "stale": message_of(error) if isinstance(error, Stale) else ""}
