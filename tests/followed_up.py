"""The past of an adherent that somebody follows, told in phrases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from console.actions.committees import (
    CommitteeFacts,
    approve_minutes,
    plan_committee,
    write_minutes,
)
from console.actions.contacts import ContactFacts, SiteFacts, add_contact, add_site
from console.actions.notes import write_note
from console.actions.tasks import TaskFacts, add_task
from console.domain.committees import CommitteeKind
from console.domain.contacts import ContactRole
from tests.given import NOW

BY = "zoe"
TOMORROW = datetime(2026, 11, 26, 14)


def contact_facts(**facts: Any) -> ContactFacts:
    """A CIO with a telephone, since the beginning of the year."""
    whole: dict[str, Any] = {
        "role": ContactRole.CIO,
        "name": "Camille Durand",
        "phone": "05 61 00 00 00",
        "mail": None,
        "is_primary": False,
        "starts_on": date(2026, 1, 1),
        "ends_on": None,
    }
    return ContactFacts(**whole | facts)


def committee_facts(starts_at: datetime = TOMORROW, **facts: Any) -> CommitteeFacts:
    """A steering committee of an hour, at a time on the adherent's clock."""
    whole: dict[str, Any] = {
        "kind": CommitteeKind.STEERING,
        "duration_min": 60,
        "place": "Salle 2",
        "link": "",
        "contacts": (),
        "guests": "",
        "agenda": "",
    }
    return CommitteeFacts(starts_at=starts_at, **whole | facts)


def task_facts(title: str = "Envoyer le devis", **facts: Any) -> TaskFacts:
    """Something to do, that nobody is in charge of yet."""
    whole: dict[str, Any] = {"due_on": None, "in_charge": None, "committee": None}
    return TaskFacts(title=title, **whole | facts)


def a_contact(session: Session, tenant_id: int, role: str = "cio", **facts: Any) -> int:
    """Somebody to call; the number."""
    return add_contact(session, tenant_id, contact_facts(role=ContactRole(role), **facts))


def a_committee(session: Session, tenant_id: int, starts_at: datetime = TOMORROW, **facts: Any) -> int:
    """A planned committee; the number."""
    return plan_committee(session, tenant_id, committee_facts(starts_at, **facts))


def approved_minutes(session: Session, tenant_id: int, number: int, now: datetime = NOW) -> None:
    """The minutes of a committee that was held, approved."""
    write_minutes(session, tenant_id, number, "Tout va bien.", "On continue.", seen_version=1)
    session.flush()
    approve_minutes(session, tenant_id, number, seen_version=2, now=now, by=BY)


def a_task(session: Session, tenant_id: int, title: str = "Envoyer le devis", **facts: Any) -> int:
    """Something to do; the number."""
    return add_task(session, tenant_id, task_facts(title, **facts), now=NOW, by=BY)


def a_note(session: Session, tenant_id: int, text: str = "Préfère le téléphone.", by: str = BY) -> int:
    """What somebody wrote about an adherent; the number."""
    return write_note(session, tenant_id, text, now=NOW, by=by)


def an_adherent_in_full(session: Session, tenant_id: int) -> None:
    """An adherent with all that its page can show, around today."""
    today = datetime.now(UTC).date()
    dsi = a_contact(session, tenant_id, mail="dsi@ch.example", is_primary=True)
    a_contact(session, tenant_id, "night", name="Astreinte informatique", phone="05 61 00 00 99")
    a_contact(session, tenant_id, "dpo", name="Claude Petit", ends_on=date(2026, 6, 30))
    add_site(session, tenant_id, SiteFacts("Annexe des Pins", "Foix", "09", None))
    a_note(session, tenant_id)
    at = datetime.combine(today + timedelta(days=9), datetime.min.time()).replace(hour=14)
    number = a_committee(session, tenant_id, at, contacts=(dsi,), guests="Zoé Martin", agenda="Point annuel")
    held = a_committee(session, tenant_id, at - timedelta(days=100), contacts=(dsi,))
    approved_minutes(session, tenant_id, held, datetime.now(UTC))
    late = today - timedelta(days=3)
    a_task(session, tenant_id, "Rappeler le DPO", due_on=late, committee=held, in_charge=dsi)
    a_task(session, tenant_id, due_on=today + timedelta(days=30), committee=number)
