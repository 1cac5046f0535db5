"""Major incidents: the list, the declaration with whom it touches, and the record of one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from console.actions.major_incidents import (
    Category,
    Declaration,
    Priority,
    Severity,
    add_adherents,
    adherents_of,
    change_major,
    communicate,
    declare,
    record_step,
    take_out,
    try_again,
)
from console.domain.access import Permission
from console.domain.clock import EventKind
from console.domain.errors import Conflict, Invalid
from console.domain.hosting import DataCentre
from console.domain.major_incidents import ScopeKind
from console.domain.outages import Effect
from console.domain.revisions import Stale
from console.store.queries import catalogue
from console.store.queries.major_incidents import (
    MajorPage,
    TouchedAdherent,
    adherents_on,
    list_majors,
    major_page,
)
from console.store.queries.regulatory import duties_of_major
from console.store.session import Operator
from console.web import inputs
from console.web.access import current_account, requires, unattended
from console.web.audit_choices import CATEGORIES, EFFECTS
from console.web.errors import message_of
from console.web.filled_forms import SEEN, filled_form
from console.web.fragments import go_to, wants_fragment
from console.web.languages import ZONE
from console.web.major_words import MAJOR_PHASES
from console.web.state import state

Deed = Callable[[Session, str], object]  # with who does it

bp = Blueprint("major_incidents", __name__)


@bp.get("/major-incidents")
@requires(Permission.SEE_FLEET)
def index() -> ResponseReturnValue:
    """The records, those that are not over first."""
    with state().database.read(Operator()) as session:
        found = list_majors(session, inputs.asked_page())
    return render_template("major_incidents/index.html", found=found, phases=MAJOR_PHASES)


@bp.get("/major-incidents/new")
@requires(Permission.HANDLE_MAJOR_INCIDENTS)
def new() -> ResponseReturnValue:
    """The form of a declaration."""
    return _form({})


@bp.post("/major-incidents/touched")
@requires(Permission.HANDLE_MAJOR_INCIDENTS)
def touched() -> ResponseReturnValue:
    """Whom it would touch, to be looked at before it is declared; nothing is stored."""
    try:
        inputs.refuse_patient_numbers("title", "description")
        told = _declaration(datetime.now(UTC))
        with state().database.read(Operator()) as session:
            found = adherents_of(session, told.scope_kind, told.scope_code, told.at)
    except Invalid as error:
        return _form({error.field: message_of(error)}), 422
    return _form({}, found)


@bp.post("/major-incidents")
@requires(Permission.HANDLE_MAJOR_INCIDENTS)
def add() -> ResponseReturnValue:
    """Declare it for the adherents that were ticked."""
    now, by, found = datetime.now(UTC), current_account().login, None
    try:
        inputs.refuse_patient_numbers("title", "description")
        told = _declaration(now)
        with state().database.read(Operator()) as session:
            found = adherents_of(session, told.scope_kind, told.scope_code, told.at)
        with state().database.write(Operator(), by=by) as session:
            major_id = declare(session, told, _adherents(), now=now, by=by)
    except Invalid as error:
        return _form({error.field: message_of(error)}, found), 422
    flash(_("L'incident majeur est déclaré ; les incidents des adhérents s'ouvrent."))
    return go_to(url_for("major_incidents.show", major_id=major_id))


@bp.get("/major-incidents/<int:major_id>")
@requires(Permission.SEE_FLEET)
def show(major_id: int) -> ResponseReturnValue:
    """One record; to htmx, how far it is."""
    return _page(major_id)


@bp.get("/major-incidents/<int:major_id>/live")
@requires(Permission.SEE_FLEET)
@unattended
def live(major_id: int) -> ResponseReturnValue:
    """How far it is, as the page asks again by itself."""
    return _page(major_id)


@bp.post("/major-incidents/<int:major_id>/steps")
@requires(Permission.HANDLE_MAJOR_INCIDENTS)
def record(major_id: int) -> ResponseReturnValue:
    """Record what happened; each incident of it follows."""
    now = datetime.now(UTC)
    return _do(
        major_id,
        "step",
        lambda session, by: record_step(
            session,
            major_id,
            inputs.choice("kind", EventKind),
            at=inputs.past_instant("at", ZONE, now=now),
            now=now,
            by=by,
        ),
        _("C'est noté ; les incidents des adhérents suivent."),
    )


@bp.post("/major-incidents/<int:major_id>/terms")
@requires(Permission.HANDLE_MAJOR_INCIDENTS)
def change(major_id: int) -> ResponseReturnValue:
    """Say how bad it is now."""
    now = datetime.now(UTC)
    return _do(
        major_id,
        "terms",
        lambda session, by: change_major(
            session,
            major_id,
            severity=_severity(),
            seen=_severity(SEEN),
            at=now,
            now=now,
            by=by,
        ),
        _("C'est noté ; les incidents des adhérents suivent."),
    )


@bp.post("/major-incidents/<int:major_id>/communications")
@requires(Permission.HANDLE_MAJOR_INCIDENTS)
def tell(major_id: int) -> ResponseReturnValue:
    """Tell every adherent something."""

    def deed(session: Session, by: str) -> None:
        inputs.refuse_patient_numbers("text")
        communicate(
            session,
            major_id,
            inputs.text("text"),
            is_mailed=bool(inputs.text("is_mailed")),
            is_notice=bool(inputs.text("is_notice")),
            now=datetime.now(UTC),
            by=by,
        )

    return _do(major_id, "communication", deed, _("La communication part vers chaque adhérent."))


@bp.get("/major-incidents/<int:major_id>/adherents")
@requires(Permission.HANDLE_MAJOR_INCIDENTS)
def others(major_id: int) -> ResponseReturnValue:
    """Those that it touches and that are not on the record."""
    with state().database.read(Operator()) as session:
        major = major_page(session, major_id, now=datetime.now(UTC))
        known = adherents_on(session, major_id)
        found = adherents_of(session, major.scope.kind, major.scope.code, major.opened_at)
    return render_template(
        "major_incidents/others.html",
        major=major,
        found=[one for one in found if one.tenant_id not in known],
    )


@bp.post("/major-incidents/<int:major_id>/adherents")
@requires(Permission.HANDLE_MAJOR_INCIDENTS)
def join(major_id: int) -> ResponseReturnValue:
    """Put more adherents on the record."""
    return _do(
        major_id,
        "adherents",
        lambda session, by: add_adherents(session, major_id, _adherents(), now=datetime.now(UTC), by=by),
        _("Leurs incidents s'ouvrent et rattrapent ce qui s'est passé."),
    )


@bp.post("/major-incidents/<int:major_id>/adherents/<int:adherent>/out")
@requires(Permission.HANDLE_MAJOR_INCIDENTS)
def leave(major_id: int, adherent: int) -> ResponseReturnValue:
    """Let an adherent's incident go its own way."""
    return _do(
        major_id,
        "adherents",
        lambda session, by: take_out(session, major_id, adherent, now=datetime.now(UTC), by=by),
        _("L'adhérent est retiré ; son incident suit son propre cours."),
    )


@bp.post("/major-incidents/<int:major_id>/adherents/<int:adherent>/again")
@requires(Permission.HANDLE_MAJOR_INCIDENTS)
def again(major_id: int, adherent: int) -> ResponseReturnValue:
    """What an incident did not take was looked at."""
    return _do(
        major_id,
        "adherents",
        lambda session, _by: try_again(session, major_id, adherent, now=datetime.now(UTC)),
        _("C'est vu ; un incident qui n'avait pas pu s'ouvrir est essayé de nouveau."),
    )


def _do(major_id: int, part: str, deed: Deed, said: str) -> ResponseReturnValue:
    by = current_account().login
    try:
        with state().database.write(Operator(), by=by) as session:
            deed(session, by)
    except Invalid as error:
        return _page(major_id, error, part), 422
    except Stale as error:
        return _page(major_id, error, part), 409
    flash(said)
    return go_to(url_for("major_incidents.show", major_id=major_id))


def _severity(before: str = "") -> Severity:
    """What the form says in the fields with these letters before their names."""
    return Severity(
        priority=inputs.choice(f"{before}priority", Priority),
        effect=inputs.choice(f"{before}effect", Effect),
        is_security=bool(inputs.text(f"{before}is_security")),
    )


def _declaration(now: datetime) -> Declaration:
    kind, _colon, code = inputs.text("scope").partition(":")
    if kind not in list(ScopeKind):
        raise Invalid("scope", "Un choix de la liste est attendu.")
    return Declaration(
        title=inputs.text("title"),
        description=inputs.text("description"),
        scope_kind=ScopeKind(kind),
        scope_code=code,
        priority=inputs.choice("priority", Priority),
        category=inputs.optional_choice("category", Category),
        is_security=bool(inputs.text("is_security")),
        effect=inputs.choice("effect", Effect),
        at=inputs.past_instant("at", ZONE, now=now),
    )


def _adherents() -> set[int]:
    values = request.form.getlist("adherents")
    if not all(value.isascii() and value.isdigit() and len(value) < 19 for value in values):
        raise Invalid("adherents", "Un choix de la liste est attendu.")
    return {int(value) for value in values}


def _form(errors: dict[str, str], found: list[TouchedAdherent] | None = None) -> str:
    with state().database.read(Operator()) as session:
        services = catalogue.choices(session).services
    return render_template(
        "major_incidents/new.html",
        services=services,
        centres=list(DataCentre),
        priorities=list(Priority),
        categories=CATEGORIES,
        effects=EFFECTS,
        found=found,
        ticked=request.form.getlist("adherents") if "adherents" in errors else None,
        typed=request.form,
        errors=errors,
    )


def _page(major_id: int, error: Invalid | Stale | None = None, part: str = "") -> str:
    now = datetime.now(UTC)
    with state().database.read(Operator()) as session:
        major = major_page(session, major_id, now=now, page=inputs.asked_page())
        duties = duties_of_major(session, major_id, now=now)
    template = "live" if wants_fragment() and error is None else "show"
    return render_template(
        f"major_incidents/{template}.html",
        major=major,
        duties=duties,
        phases=MAJOR_PHASES,
        effects=EFFECTS,
        priorities=list(Priority),
        errors={error.field: message_of(error)} if isinstance(error, Invalid) else {},
        stale=message_of(error) if isinstance(error, Stale) else "",
        terms=filled_form(_terms(major), error if part == "terms" else None),
        part=part,
        typed=request.form,
        refusal=_refusal,
        now=now,
    )


def _terms(major: MajorPage) -> dict[str, list[str]]:
    """The fields of the form that says how bad it is."""
    return {
        "priority": [major.priority],
        "effect": [major.effect],
        "is_security": ["yes"] if major.is_security else [],
    }


def _refusal(refused: dict[str, object]) -> str:
    """What an incident did not take, in the language of the reader."""
    values = refused["values"]
    return message_of(Conflict(str(refused["message"]), **(values if isinstance(values, dict) else {})))
