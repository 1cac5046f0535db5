"""Probes: made and stopped by people, claimed slot by slot, and what their answers make of outages.

    due_at <= now -> claimed: due_at moves to the next slot -> asked, with no transaction -> answer -> outages

A slot is claimed before it is asked: a process that dies in between leaves a slot without an answer, and none
with two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from console.actions.services import hold_catalogue
from console.actions.tenancy import subscription_of
from console.domain.contract import Status
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.free_text import one_line
from console.domain.outages import Effect, Source
from console.domain.probes import (
    RESULTS_KEPT,
    Answer,
    Question,
    Standing,
    check_question,
    check_rhythm,
    judge,
    slot_to_run,
)
from console.store.conditional import rows_touched
from console.store.models import catalogue as c
from console.store.models import probes as p
from console.store.models import tenant as t
from console.store.upsert import upsert


@dataclass(frozen=True, slots=True)
class Terms:
    """What a probe is to do.

    It speaks for every subscriber of the service, or for one `subscription`: its adherent and its number.
    """

    name: str
    question: Question
    every_s: int
    effect: Effect
    service_code: str
    subscription: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A slot that this process alone runs."""

    probe_id: int
    slot: datetime
    question: Question


def add_probe(session: Session, terms: Terms, *, now: datetime) -> int:
    """Make a probe, to be run at once; its number. Raises `Invalid` with a field, or `Conflict`."""
    hold_catalogue(session)
    probe = p.Probe(due_at=now)
    _fill(session, probe, terms)
    session.add(probe)
    _flush(session, terms.name)
    return probe.probe_id


def edit_probe(session: Session, probe_id: int, terms: Terms, *, now: datetime) -> None:
    """Change a probe; it may ask another thing from now on, so that what it said so far ends here."""
    hold_catalogue(session)
    probe = _probe(session, probe_id)
    _forget_standing(session, probe, now)
    _fill(session, probe, terms)
    if probe.stopped_at is None:
        probe.due_at = now
    _flush(session, terms.name)


def stop_probe(session: Session, probe_id: int, *, now: datetime) -> None:
    """Ask no more; an outage that it told of ends now, for nobody looks any longer."""
    probe = _probe(session, probe_id)
    if probe.stopped_at is not None:
        raise Conflict("Cette sonde est déjà arrêtée.")
    _forget_standing(session, probe, now)
    probe.stopped_at, probe.due_at = now, None


def start_probe(session: Session, probe_id: int, *, now: datetime) -> None:
    """Ask again, from now on."""
    probe = _probe(session, probe_id)
    if probe.stopped_at is None:
        raise Conflict("Cette sonde tourne déjà.")
    probe.stopped_at, probe.due_at = None, now


def run_soon(session: Session, probe_id: int, *, now: datetime) -> None:
    """Ask as soon as a process can, instead of at the next slot; the slots follow from there."""
    probe = _probe(session, probe_id)
    if probe.stopped_at is not None:
        raise Conflict("Cette sonde est arrêtée.")
    probe.due_at = now


def claim_slot(session: Session, probe_id: int, *, now: datetime) -> Claim | None:
    """Take the slot that has come, unless another process did; those missed before it stay without answer."""
    probe = session.get(p.Probe, probe_id)
    if probe is None or probe.due_at is None or probe.due_at > now:
        return None
    every = timedelta(seconds=probe.every_s)
    slot = slot_to_run(probe.due_at, every, now)
    mine = update(p.Probe).where(p.Probe.probe_id == probe_id, p.Probe.due_at == probe.due_at)
    if rows_touched(session, mine.values(due_at=slot + every)) != 1:
        return None
    question = Question(
        kind=probe.kind,
        target=probe.target,
        timeout_s=probe.timeout_s,
        status=probe.expected_status,
        text=probe.expected_text,
    )
    return Claim(probe_id, slot, question)


def take_answer(session: Session, claim: Claim, answer: Answer) -> None:
    """Keep an answer and what it makes of outages; one that comes after a later one's changes nothing."""
    probe = _probe(session, claim.probe_id)
    if probe.stopped_at is not None or (probe.last_slot is not None and probe.last_slot >= claim.slot):
        return
    said = {"probe_id": claim.probe_id, "slot": claim.slot, "fault": answer.fault}
    upsert(session, p.ProbeAnswer, [said | {"took_ms": answer.took_ms, "detail": answer.detail}])
    before = Standing(probe.down_since, probe.against, probe.against_since)
    verdict = judge(before, good=answer.fault is None, slot=claim.slot)
    _stand(probe, verdict.standing)
    probe.last_slot = claim.slot
    probe.certificate_ends_at = answer.certificate_ends_at or probe.certificate_ends_at
    if verdict.closed_at is not None:
        _end_outages(session, probe, verdict.closed_at)
    elif probe.down_since is not None:
        _post_outages(session, probe, probe.down_since)


def forget_answers(session: Session, *, now: datetime) -> None:
    """Remove answers that have been kept long enough; outages stay."""
    session.execute(delete(p.ProbeAnswer).where(p.ProbeAnswer.slot < now - RESULTS_KEPT))


def _fill(session: Session, probe: p.Probe, terms: Terms) -> None:
    question = terms.question
    check_question(question)
    check_rhythm(terms.every_s, question.timeout_s)
    if terms.effect is Effect.NONE:
        raise Invalid("effect", "Un choix de la liste est attendu.")
    if session.get(c.Service, terms.service_code) is None:
        raise Invalid("service", "Un service du catalogue est attendu.")
    probe.name = one_line(terms.name, "name")
    probe.kind, probe.target = question.kind, question.target
    probe.expected_status, probe.expected_text = question.status, question.text
    probe.timeout_s, probe.every_s = question.timeout_s, terms.every_s
    probe.effect, probe.service_code = terms.effect, terms.service_code
    probe.tenant_id, probe.subscription = terms.subscription or (None, None)
    if terms.subscription is not None:
        subscribed = subscription_of(session, *terms.subscription)
        if subscribed.service_code != terms.service_code:
            raise Invalid("service", "Cette souscription est celle d'un autre service.")


def _flush(session: Session, name: str) -> None:
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError:
        raise Invalid("name", "Une sonde s'appelle déjà %(name)s.", name=name) from None


def _probe(session: Session, probe_id: int) -> p.Probe:
    found = session.scalars(
        select(p.Probe).where(p.Probe.probe_id == probe_id).with_for_update()
    ).one_or_none()
    if found is None:
        raise NotFound("Sonde introuvable.")
    return found


def _stand(probe: p.Probe, standing: Standing) -> None:
    probe.down_since = standing.down_since
    probe.against, probe.against_since = standing.against, standing.against_since


def _forget_standing(session: Session, probe: p.Probe, now: datetime) -> None:
    if probe.down_since is not None:
        _end_outages(session, probe, now)
    _stand(probe, Standing())


def _post_outages(session: Session, probe: p.Probe, since: datetime) -> None:
    """The outage of everyone who has the service now; those who have it already keep it."""
    rows = [
        {
            "tenant_id": tenant_id,
            "subscription": number,
            "source": Source.PROBE,
            "reference": probe.probe_id,
            "began_at": since,
            "ended_at": None,
            "effect": probe.effect,
        }
        for tenant_id, number in _subscribers(session, probe, since)
    ]
    upsert(session, t.Outage, rows)


def _subscribers(session: Session, probe: p.Probe, since: datetime) -> list[tuple[int, int]]:
    subscription, day = t.Subscription, since.date()
    wanted = select(subscription.tenant_id, subscription.number).where(
        subscription.service_code == probe.service_code,
        subscription.status == Status.ACTIVE,
        subscription.starts_on <= day + timedelta(days=1),  # its own zone decides, where it is reckoned
        or_(subscription.ends_on.is_(None), subscription.ends_on >= day - timedelta(days=1)),
    )
    if probe.tenant_id is not None:
        wanted = wanted.where(
            subscription.tenant_id == probe.tenant_id, subscription.number == probe.subscription
        )
    return [(tenant_id, number) for tenant_id, number in session.execute(wanted)]


def _end_outages(session: Session, probe: p.Probe, at: datetime) -> None:
    session.execute(
        update(t.Outage)
        .where(
            t.Outage.source == Source.PROBE,
            t.Outage.reference == probe.probe_id,
            t.Outage.ended_at.is_(None),
        )
        .values(ended_at=at)
    )
