"""What is to be done for adherents: lists, the form of one, its end."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.tasks import TaskFacts, add_task, change_task, settle_task
from console.domain.access import Permission
from console.domain.committees import TaskState
from console.domain.errors import Conflict, DomainError, Invalid
from console.store.queries import managers, names
from console.store.queries.contacts import contacts_of
from console.store.queries.tasks import Task, Which, list_tasks, task
from console.store.session import Operator
from console.web import inputs
from console.web.access import current_account, requires, scope
from console.web.errors import message_of
from console.web.fragments import go_to, wants_fragment
from console.web.languages import today
from console.web.state import state

bp = Blueprint("tasks", __name__)


@bp.get("/tasks")
@requires(Permission.SEE_PORTFOLIO)
def index() -> ResponseReturnValue:
    """The tasks of every adherent in scope."""
    return _list(None)


@bp.get("/adherents/<int:tenant_id>/tasks")
@requires(Permission.SEE_PORTFOLIO)
def of_adherent(tenant_id: int) -> ResponseReturnValue:
    """The tasks of one adherent."""
    return _list(tenant_id)


@bp.get("/adherents/<int:tenant_id>/tasks/new")
@requires(Permission.MANAGE_ADHERENTS)
def new(tenant_id: int) -> ResponseReturnValue:
    """The form that adds a task, of a committee where the address says of which."""
    return _form(tenant_id, {"committee": request.args.get("committee", "")})


@bp.post("/adherents/<int:tenant_id>/tasks/new")
@requires(Permission.MANAGE_ADHERENTS)
def add(tenant_id: int) -> ResponseReturnValue:
    """Add a task."""
    by = current_account().login
    try:
        facts = _typed()
        with state().database.write(scope(), by=by) as session:
            add_task(session, tenant_id, facts, now=datetime.now(UTC), by=by)
    except Invalid as error:
        return _form(tenant_id, {}, error), 422
    flash(_("La tâche est ajoutée."))
    return go_to(_back(tenant_id, facts.committee))


@bp.get("/adherents/<int:tenant_id>/tasks/<int:number>")
@requires(Permission.MANAGE_ADHERENTS)
def edit(tenant_id: int, number: int) -> ResponseReturnValue:
    """The form that changes a task."""
    return _edit(tenant_id, number)


@bp.post("/adherents/<int:tenant_id>/tasks/<int:number>")
@requires(Permission.MANAGE_ADHERENTS)
def change(tenant_id: int, number: int) -> ResponseReturnValue:
    """Change a task."""
    try:
        facts, seen_version = _typed(), inputs.optional_count("version")
        with state().database.write(scope(), by=current_account().login) as session:
            change_task(session, tenant_id, number, facts, seen_version=seen_version)
    except Invalid as error:
        return _edit(tenant_id, number, error), 422
    except Conflict as error:  # somebody changed or closed it: what was typed stays
        return _edit(tenant_id, number, error), 409
    flash(_("La tâche est modifiée."))
    return go_to(_back(tenant_id, facts.committee))


@bp.post("/adherents/<int:tenant_id>/tasks/<int:number>/state")
@requires(Permission.MANAGE_ADHERENTS)
def settle(tenant_id: int, number: int) -> ResponseReturnValue:
    """A task is done, dropped, or to be done again."""
    by = current_account().login
    end = inputs.choice("state", TaskState)
    with state().database.write(scope(), by=by) as session:
        committee = task(session, tenant_id, number, today()).committee
        settle_task(session, tenant_id, number, end, now=datetime.now(UTC), by=by)
    flash(_("La tâche est rouverte.") if end is TaskState.OPEN else _("La tâche est close."))
    return go_to(_back(tenant_id, committee))


def _back(tenant_id: int, committee: int | None) -> str:
    if committee is not None:
        return url_for("committees.show", tenant_id=tenant_id, number=committee)
    return url_for("tasks.of_adherent", tenant_id=tenant_id)


def _typed() -> TaskFacts:
    inputs.refuse_patient_numbers("title")
    return TaskFacts(
        title=inputs.text("title"),
        due_on=inputs.optional_day("due_on"),
        in_charge=_in_charge(inputs.text("in_charge")),
        committee=_number("committee", inputs.text("committee")),
    )


def _in_charge(value: str) -> managers.Colleague | int | None:
    kind, _colon, key = value.partition(":")
    number = _number("in_charge", key)
    if kind == "contact":
        return number
    if kind != "account" or number is None:
        return None
    with state().database.read(Operator()) as session:  # accounts are out of reach for other scopes
        return managers.colleague(session, number)


def _number(field: str, value: str) -> int | None:
    if not value:
        return None
    if not value.isascii() or not value.isdigit() or len(value) > 9:
        raise Invalid(field, "Un choix de la liste est attendu.")
    return int(value)


def _list(tenant_id: int | None) -> ResponseReturnValue:
    asked, mine = request.args.get("which", ""), request.args.get("mine") == "yes"
    which = Which(asked) if asked in list(Which) else Which.OPEN
    with state().database.read(scope()) as session:
        adherent = None if tenant_id is None else names.adherent(session, tenant_id)
        found = list_tasks(
            session,
            today=today(adherent.zone) if adherent else today(),
            which=which,
            tenant_id=tenant_id,
            account_id=current_account().account_id if mine else None,
            page=inputs.asked_page(),
        )
    template = "tasks/list.html" if wants_fragment() else "tasks/index.html"
    return render_template(template, adherent=adherent, found=found, which=which.value, mine=mine)


def _edit(tenant_id: int, number: int, error: DomainError | None = None) -> str:
    with state().database.read(scope()) as session:
        found = task(session, tenant_id, number, today())
    return _form(tenant_id, _as_typed(found), error, found)


def _as_typed(found: Task) -> dict[str, str]:
    in_charge = ""
    if found.account_id is not None:
        in_charge = f"account:{found.account_id}"
    elif found.contact is not None:
        in_charge = f"contact:{found.contact}"
    return {
        "title": found.title,
        "due_on": str(found.due_on or ""),
        "in_charge": in_charge,
        "committee": str(found.committee or ""),
    }


def _form(
    tenant_id: int, untouched: dict[str, str], error: DomainError | None = None, found: Task | None = None
) -> str:
    with state().database.read(scope()) as session:
        adherent = names.adherent(session, tenant_id)
        contacts = contacts_of(session, tenant_id, today(adherent.zone)).current
    with state().database.read(Operator()) as session:
        colleagues = managers.colleagues(session)
    return render_template(
        "tasks/form.html",
        adherent=adherent,
        task=found,
        colleagues=colleagues,
        contacts=contacts,
        typed=request.form if error else untouched,
        errors={error.field: message_of(error)} if isinstance(error, Invalid) else {},
        stale=message_of(error) if isinstance(error, Conflict) else "",
    )
