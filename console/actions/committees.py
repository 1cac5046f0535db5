"""Committees with an adherent: planned, held, their minutes written, approved, and then only completed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.contacts import contact_of
from console.actions.numbering import next_number
from console.actions.tenancy import hold_adherent
from console.domain.adherents import check_still_there
from console.domain.committees import (
    CommitteeKind,
    check_can_approve,
    check_can_change,
    duration_min,
    instant_of,
    link,
)
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.free_text import optional_line, several_lines
from console.domain.revisions import check_version
from console.store.models import catalogue as c
from console.store.models import follow_up as f


@dataclass(frozen=True, slots=True)
class CommitteeFacts:
    """What a person says of a committee; texts as they were typed, the time on the adherent's wall clock.

    `contacts` are numbers of the adherent's contacts, `guests` the names of others, one a line.
    """

    kind: CommitteeKind
    starts_at: datetime
    duration_min: int | None
    place: str
    link: str
    contacts: Collection[int]
    guests: str
    agenda: str


def plan_committee(session: Session, tenant_id: int, facts: CommitteeFacts) -> int:
    """Plan a committee; the number. Raises `Conflict` where the same one is planned: a form sent twice."""
    starts_at = _starts_at(hold_adherent(session, tenant_id), facts)
    if _planned_twin(session, tenant_id, facts.kind, starts_at):
        raise Conflict("Un comité du même type est déjà prévu à cette heure.")
    committee = f.Committee(
        tenant_id=tenant_id,
        number=next_number(session, f.Committee.number, tenant_id),
        minutes="",
        decisions="",
    )
    _tell(committee, facts, starts_at)
    session.add(committee)
    session.flush()
    _ask(session, committee, facts.contacts)
    return committee.number


def change_committee(
    session: Session, tenant_id: int, number: int, facts: CommitteeFacts, *, seen_version: int | None
) -> None:
    """Change when, where, with whom and about what; raises `Stale`, and `Conflict` once approved."""
    adherent = hold_adherent(session, tenant_id)
    committee = committee_of(session, tenant_id, number)
    check_can_change(committee.approved_at, committee.cancelled_at)
    check_version(seen_version, committee.version)
    _tell(committee, facts, _starts_at(adherent, facts))
    _ask(session, committee, facts.contacts)


def write_minutes(
    session: Session, tenant_id: int, number: int, minutes: str, decisions: str, *, seen_version: int | None
) -> None:
    """Write what was said and decided, as a draft; raises `Stale`, and `Conflict` once approved."""
    hold_adherent(session, tenant_id)
    committee = committee_of(session, tenant_id, number)
    check_can_change(committee.approved_at, committee.cancelled_at)
    check_version(seen_version, committee.version)
    committee.minutes = several_lines(minutes, "minutes")
    committee.decisions = several_lines(decisions, "decisions")


def approve_minutes(
    session: Session, tenant_id: int, number: int, *, seen_version: int | None, now: datetime, by: str
) -> None:
    """Freeze minutes and decisions as the one who approves read them."""
    hold_adherent(session, tenant_id)
    committee = committee_of(session, tenant_id, number)
    check_can_change(committee.approved_at, committee.cancelled_at)
    check_version(seen_version, committee.version)
    check_can_approve(committee.starts_at, committee.minutes, now)
    committee.approved_at, committee.approved_by = now, by


def add_addendum(session: Session, tenant_id: int, number: int, text: str, *, now: datetime, by: str) -> None:
    """Correct or complete minutes that are approved."""
    hold_adherent(session, tenant_id)
    committee = committee_of(session, tenant_id, number)
    if committee.approved_at is None:
        raise Conflict("Ce compte rendu n'est pas encore approuvé : modifiez-le.")
    whole = several_lines(text, "text")
    if not whole:
        raise Invalid("text", "Un texte est attendu.")
    of_committee = f.Addendum.committee == number
    position = next_number(session, f.Addendum.position, tenant_id, of_committee)
    session.add(
        f.Addendum(
            tenant_id=tenant_id,
            committee=number,
            position=position,
            text=whole,
            written_by=by,
            written_at=now,
        )
    )


def cancel_committee(session: Session, tenant_id: int, number: int, *, now: datetime) -> None:
    """Say that a committee will not be held."""
    hold_adherent(session, tenant_id)
    committee = committee_of(session, tenant_id, number)
    check_can_change(committee.approved_at, committee.cancelled_at)
    committee.cancelled_at = now


def committee_of(session: Session, tenant_id: int, number: int) -> f.Committee:
    """A committee of an adherent; raises `NotFound`."""
    committee = session.get(f.Committee, (tenant_id, number))
    if committee is None:
        raise NotFound("Comité introuvable.")
    return committee


def _starts_at(adherent: c.Adherent, facts: CommitteeFacts) -> datetime:
    """The instant of a committee, held while the adherent is one."""
    check_still_there(facts.starts_at.date(), adherent.until, "starts_at")
    return instant_of(facts.starts_at, ZoneInfo(adherent.zone))


def _tell(committee: f.Committee, facts: CommitteeFacts, starts_at: datetime) -> None:
    committee.kind = facts.kind
    committee.starts_at = starts_at
    committee.duration_min = duration_min(facts.duration_min)
    committee.place = optional_line(facts.place, "place")
    committee.link = link(facts.link)
    committee.guests = several_lines(facts.guests, "guests")
    committee.agenda = several_lines(facts.agenda, "agenda")


def _ask(session: Session, committee: f.Committee, contacts: Collection[int]) -> None:
    """Make some contacts those who are asked to it."""
    tenant_id, wanted = committee.tenant_id, set(contacts)
    asked = session.scalars(
        select(f.CommitteeMember).where(
            f.CommitteeMember.tenant_id == tenant_id, f.CommitteeMember.committee == committee.number
        )
    ).all()
    for member in asked:
        if member.contact not in wanted:
            session.delete(member)
    for number in sorted(wanted - {member.contact for member in asked}):
        contact_of(session, tenant_id, number)
        session.add(f.CommitteeMember(tenant_id=tenant_id, committee=committee.number, contact=number))


def _planned_twin(session: Session, tenant_id: int, kind: CommitteeKind, starts_at: datetime) -> bool:
    twin = select(f.Committee.number).where(
        f.Committee.tenant_id == tenant_id,
        f.Committee.kind == kind,
        f.Committee.starts_at == starts_at,
        f.Committee.cancelled_at.is_(None),
    )
    return session.scalar(twin.limit(1)) is not None
