"""What is stated of the hosting of a service, from a day on."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime

from sqlalchemy.orm import Session

from console.actions.services import hold_catalogue, service_of
from console.domain.free_text import several_lines
from console.domain.hosting import HostingFacts, check_facts
from console.store.models import offer as o


def state_facts(session: Session, code: str, facts: HostingFacts, *, now: datetime, by: str) -> None:
    """State facts from their day on; those of the same day are corrected, earlier ones stay as they were."""
    hold_catalogue(session)
    service_of(session, code)
    facts = replace(
        facts,
        transfer_details=_text(facts.transfer_details, "transfer_details"),
        legal_basis=_text(facts.legal_basis, "legal_basis"),
        reversibility=_text(facts.reversibility, "reversibility"),
    )
    check_facts(facts)
    statement = session.get(o.HostingStatement, (code, facts.since))
    if statement is None:
        statement = o.HostingStatement(service_code=code)
        session.add(statement)
    for name, value in _columns(facts).items():
        setattr(statement, name, value)
    statement.stated_by, statement.stated_at = by, now


def _text(text: str | None, field: str) -> str | None:
    return several_lines(text or "", field) or None


def _columns(facts: HostingFacts) -> dict[str, object]:
    """Lists as JSON keeps them; None stays None: it is not known, which an empty list is."""
    columns: dict[str, object] = {name: getattr(facts, name) for name in facts.__slots__}
    if facts.data_centres is not None:
        columns["data_centres"] = [centre.value for centre in facts.data_centres]
    if facts.activities is not None:
        columns["activities"] = [activity.value for activity in facts.activities]
    if facts.subcontractors is not None:
        columns["subcontractors"] = [asdict(who) for who in facts.subcontractors]
    return columns
