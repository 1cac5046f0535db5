"""From what holds now to episodes that start and end, each told of in one message.

    store.queries.alerts -> domain.alerts -> a row that starts or ends, and its delivery, in one transaction

Several processes may do it at once and any number of times: an episode starts because its row could be
inserted (one open row for each fingerprint) and ends because its row could be updated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from console.actions.delivering import ENDED, STARTED, Envelope, post
from console.domain.alerts import (
    Episode,
    IncidentClock,
    Kind,
    Observation,
    incident_fingerprint,
    now_late,
    observe_duties,
    observe_host,
    observe_incident,
    observe_probe,
    standing,
    transitions,
)
from console.domain.escalation import Promise
from console.store.conditional import rows_touched
from console.store.models import coordination as k
from console.store.models import measurement as m
from console.store.queries import alerts
from console.store.queries.explanations import explained_incident
from console.store.queries.probes import down_probes
from console.store.queries.regulatory import duties_past_their_warning
from reports import alert_mail, incident_mail
from reports.alert_mail import Phase
from reports.figures import SlaState
from reports.incident_mail import DutyPhase
from reports.language import FRENCH
from reports.mail import Message

ZONE = "Europe/Paris"  # of those who watch the hosts


@dataclass(frozen=True, slots=True)
class Readers:
    """Who is written to, and the address of the console that they follow; no envelope: nobody is."""

    envelope: Envelope | None
    public_url: str


def observe(session: Session, *, now: datetime, silent_after: timedelta | None, readers: Readers) -> int:
    """Start and end the episodes that what holds now calls for; how many did.

    Without `silent_after` silence is not judged: the console itself has not listened for long enough.
    """
    episodes = alerts.open_episodes(session)
    observed = _risks(session, episodes, now)
    observed += observe_duties(duties_past_their_warning(session, now), now)
    observed += [observe_probe(probe) for probe in down_probes(session)]
    if silent_after is None:
        episodes = [episode for episode in episodes if episode.kind is not Kind.COLLECTOR_SILENT]
    else:
        observed += _silences(session, now, silent_after)
    found = transitions(observed, episodes)
    started = [_start(session, observation, now, readers) for observation in found.started]
    observed_now = {observation.fingerprint for observation in observed}
    retired = alerts.retired_hosts(session) if found.ended else set()
    ended = [
        _end(
            session,
            episode,
            now,
            readers,
            is_told=now_late(episode) in observed_now or episode.facts.get("host") in retired,
        )
        for episode in found.ended
    ]
    return sum(started) + sum(ended)


def _silences(session: Session, now: datetime, silent_after: timedelta) -> list[Observation]:
    unheard = alerts.hosts_not_seen_since(session, now - silent_after)
    return _present(observe_host(name, last_seen_at, now, silent_after) for name, last_seen_at in unheard)


def _risks(session: Session, episodes: Iterable[Episode], now: datetime) -> list[Observation]:
    clocks = {
        incident_fingerprint(clock.tenant_id, clock.number): clock
        for clock in alerts.incidents_past_their_risk(session, now)
    }
    told = {episode.fingerprint for episode in episodes}
    ends = alerts.last_ends(session, clocks.keys() - told)
    told |= {name for name, end in ends.items() if (since := clocks[name].at_risk_at) and end >= since}
    told |= {incident_fingerprint(*key) for key in alerts.late_when_recorded(session)}
    return _present(observe_incident(clock, now, told=name in told) for name, clock in clocks.items())


def _present(observations: Iterable[Observation | None]) -> list[Observation]:
    return [observation for observation in observations if observation is not None]


def _start(session: Session, observation: Observation, now: datetime, readers: Readers) -> bool:
    row = k.AlertEpisode(
        fingerprint=observation.fingerprint,
        kind=observation.kind,
        facts=dict(observation.facts),
        started_at=observation.since,
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        if not _is_open(session, observation.fingerprint):
            raise
        return False  # another process was first
    episode = Episode(
        row.episode_id, observation.fingerprint, observation.kind, observation.facts, observation.since
    )
    _tell(session, episode, Phase.OPENED, now, readers)
    return True


def _is_open(session: Session, fingerprint: str) -> bool:
    one = select(k.AlertEpisode.episode_id).where(
        k.AlertEpisode.fingerprint == fingerprint, k.AlertEpisode.ended_at.is_(None)
    )
    return session.scalar(one) is not None


def _end(session: Session, episode: Episode, now: datetime, readers: Readers, *, is_told: bool) -> bool:
    """End an episode; without a word where `is_told`: by another one, or by who retired its host."""
    still_open = (k.AlertEpisode.episode_id == episode.episode_id, k.AlertEpisode.ended_at.is_(None))
    if rows_touched(session, update(k.AlertEpisode).where(*still_open).values(ended_at=now)) != 1:
        return False  # another process was first
    if not is_told:
        _tell(session, episode, Phase.ENDED, now, readers)
    return True


def _tell(session: Session, episode: Episode, phase: Phase, now: datetime, readers: Readers) -> None:
    if readers.envelope is None:
        return
    message = _message(session, episode, phase, now, readers.public_url)
    transition = STARTED if phase is Phase.OPENED else ENDED
    post(session, readers.envelope, message, transition, episode_id=episode.episode_id, now=now)


def _message(session: Session, episode: Episode, phase: Phase, now: datetime, public_url: str) -> Message:
    facts = episode.facts
    match episode.kind:
        case Kind.COLLECTOR_SILENT:
            silence = alert_mail.CollectorSilent(
                host=facts["host"],
                last_seen_at=datetime.fromisoformat(facts["last_seen_at"]),
                silent_since=episode.started_at,
                zone=ZONE,
                link=f"{public_url}/fleet/{m.stable_id(facts['host'])}",
            )
            return alert_mail.collector_silent(silence, phase, now, FRENCH)
        case Kind.SLA_AT_RISK:
            clock = alerts.incident_clock(session, facts["tenant_id"], facts["number"])
            return alert_mail.sla_at_risk(_risk(session, clock, now, public_url), phase, now, FRENCH)
        case Kind.DUTY_SOON | Kind.DUTY_LATE:
            return _duty_message(episode, phase, now, public_url)
        case Kind.PROBE_DOWN:
            down = alert_mail.ProbeDown(
                name=facts["name"],
                target=facts["target"],
                service=facts["service"],
                subscriptions=facts["subscriptions"],
                down_since=episode.started_at,
                zone=ZONE,
                link=f"{public_url}/probes/{facts['probe_id']}",
            )
            return alert_mail.probe_down(down, phase, now, FRENCH)


def _duty_message(episode: Episode, phase: Phase, now: datetime, public_url: str) -> Message:
    facts = episode.facts
    stands = DutyPhase.SOON if episode.kind is Kind.DUTY_SOON else DutyPhase.LATE
    duty = incident_mail.DutyDue(
        name=facts["name"],
        basis=facts["basis"],
        title=facts["title"],
        adherents=tuple(facts["adherents"]),
        due_at=datetime.fromisoformat(facts["due_at"]),
        zone=ZONE,
        link=f"{public_url}{facts['path']}",
    )
    return incident_mail.duty_due(duty, DutyPhase.ENDED if phase is Phase.ENDED else stands, now, FRENCH)


def _risk(session: Session, clock: IncidentClock, now: datetime, public_url: str) -> alert_mail.SlaAtRisk:
    explained = explained_incident(session, clock.tenant_id, clock.number, now=now)
    return alert_mail.SlaAtRisk(
        adherent=clock.adherent,
        incident_number=str(clock.number),
        incident_title=clock.title,
        priority=clock.priority,
        due_at=clock.due_at,
        state=SlaState(standing(clock, now)),
        zone=clock.zone,
        link=f"{public_url}/adherents/{clock.tenant_id}/incidents/{clock.number}",
        explanation=explained.clocks[Promise.TTR].explanation.steps,
    )
