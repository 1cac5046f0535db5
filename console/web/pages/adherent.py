"""One adherent: facts, whom to call, what is open and planned, subscriptions, energy and carbon."""

from __future__ import annotations

from datetime import UTC, date, datetime

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from console.domain.access import Permission, Role
from console.domain.contacts import ContactRole
from console.store.queries.adherent import adherent_page
from console.store.queries.committees import list_committees
from console.store.queries.contacts import Contacts, contacts_of, operator_contacts, own_sites
from console.store.queries.ght import groups_of
from console.store.queries.incident_list import Asked, Which, list_incidents
from console.store.queries.managers import in_charge_of
from console.store.queries.notes import notes_of
from console.store.queries.tasks import list_tasks
from console.store.session import Operator, ScopedSession
from console.web.access import allowed, current_account, requires, scope
from console.web.languages import today
from console.web.state import state

INCIDENTS = 8  # listed on the page
NEEDED = (ContactRole.NIGHT, ContactRole.SECURITY, ContactRole.CIO)  # told where nobody is known

bp = Blueprint("adherent", __name__)


@bp.get("/adherents/<int:tenant_id>")
@requires(Permission.SEE_ADHERENTS)
def show(tenant_id: int) -> ResponseReturnValue:
    """The page of an adherent."""
    now = datetime.now(UTC)
    with state().database.read(scope()) as session:
        adherent = adherent_page(session, tenant_id, now=now)
        day = today(adherent.zone)
        contacts = contacts_of(session, tenant_id, day)
        page = {
            "adherent": adherent,
            "incidents": list_incidents(
                session, Asked(which=Which.ALL, tenant_id=tenant_id), now=now, size=INCIDENTS
            ),
            "contacts": contacts,
            "missing": _missing(contacts),
            "own_sites": [site for site in own_sites(session, tenant_id) if site.ended_on is None],
            "groups": groups_of(session, adherent.finess_ej) if adherent.finess_ej else [],
            "followed": _followed(session, tenant_id, now, day),
        }
    return render_template("adherent/show.html", **page, **_of_the_operator(tenant_id, day))


def _missing(contacts: Contacts) -> list[str]:
    return [role.value for role in NEEDED if contacts.of(role) is None]


def _followed(session: ScopedSession, tenant_id: int, now: datetime, day: date) -> dict[str, object] | None:
    """What the operator plans and writes for itself; nothing for the adherent."""
    if not allowed(Permission.SEE_PORTFOLIO):
        return None
    return {
        "committees": list_committees(session, now=now, tenant_id=tenant_id),
        "tasks": list_tasks(session, today=day, tenant_id=tenant_id),
        "notes": notes_of(session, tenant_id),
    }


def _of_the_operator(tenant_id: int, day: date) -> dict[str, object]:
    """Who is in charge and, for the adherent, whom to call; accounts are out of reach for its own scope."""
    with state().database.read(Operator()) as session:
        managers = in_charge_of(session, tenant_id)
        is_adherent = current_account().role is Role.CIO
        return {
            "managers": managers,
            "operator_contacts": operator_contacts(session, day) if is_adherent else None,
        }
