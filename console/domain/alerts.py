"""Which states deserve an alert, when one starts and ends, and when a lost message is tried again.

    facts -> observation, or none -> compared with the open episodes -> started, ended

**Collector silent**: a host that was heard once and has not been for longer than a threshold. It ends when
the host is heard again.

**SLA at risk**: an incident whose time to restore is nearly used up. It ends, and the end says how, when the
incident is resolved (met or missed), waits on the adherent, moves back to "on time" because its due date
moved, or goes past its due date: the breach is the end of the risk, and its message is the one that tells
of the breach. A resumption after a wait may start another episode. An incident that went past its due date
while nobody looked is observed once, so that its breach is told too; one that was past it long before the
console knew of it is not: an imported backlog is no news.

**Duty soon, duty late**: what the law wants told of a security incident, from three quarters of its delay to
its due date, then until it is done or does not apply. The duties of one rule in the incidents of one major
incident are one alert: nobody reads seven hundred mails.

**Probe down**: a probe that tells of an outage, from the first bad answer to the good ones that end it, or
until it is stopped or asks another thing. Its alert is one, whoever the outage touches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

FIRST_RETRY = timedelta(seconds=30)
SLOWEST_RETRY = timedelta(hours=1)


class Kind(StrEnum):
    """What an alert is about."""

    COLLECTOR_SILENT = "collector_silent"
    SLA_AT_RISK = "sla_at_risk"
    DUTY_SOON = "duty_soon"
    DUTY_LATE = "duty_late"
    PROBE_DOWN = "probe_down"


class Standing(StrEnum):
    """Where an incident stands against its time to restore, waits included."""

    ON_TIME = "on_time"
    AT_RISK = "at_risk"
    BREACHED = "breached"
    WAITING = "waiting"
    MET = "met"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Observation:
    """A state that holds now, since an instant; `facts` is what its message and the overview tell."""

    fingerprint: str
    kind: Kind
    facts: Mapping[str, Any]
    since: datetime


@dataclass(frozen=True, slots=True)
class Episode:
    """An observation that was told of and has not ended."""

    episode_id: int
    fingerprint: str
    kind: Kind
    facts: Mapping[str, Any]
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Transitions:
    """What changed between the open episodes and what is observed now."""

    started: tuple[Observation, ...]
    ended: tuple[Episode, ...]


@dataclass(frozen=True, slots=True)
class IncidentClock:
    """An incident as its alert sees it; `due_at` is None while it waits, `outcome` counts once resolved."""

    tenant_id: int
    number: int
    title: str
    priority: str
    adherent: str
    zone: str
    due_at: datetime | None
    at_risk_at: datetime | None
    resolved_at: datetime | None
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyClock:
    """An open duty past its warning; `group` is shared by those that are told of together."""

    group: str
    name: str
    basis: str
    title: str
    adherent: str
    path: str  # of the page that shows it
    warn_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DownProbe:
    """A probe that tells of an outage, of how many subscriptions."""

    probe_id: int
    name: str
    target: str
    service: str
    subscriptions: int
    down_since: datetime


def transitions(observed: Iterable[Observation], episodes: Iterable[Episode]) -> Transitions:
    """What starts and what ends; what lasts is in neither."""
    now_true = {observation.fingerprint: observation for observation in observed}
    told = {episode.fingerprint: episode for episode in episodes}
    return Transitions(
        started=tuple(now_true[name] for name in now_true if name not in told),
        ended=tuple(told[name] for name in told if name not in now_true),
    )


def observe_host(
    host: str, last_seen_at: datetime | None, now: datetime, silent_after: timedelta
) -> Observation | None:
    """The silence of a host; one that was never heard is not silent."""
    if last_seen_at is None or now - last_seen_at <= silent_after:
        return None
    facts = {"host": host, "last_seen_at": last_seen_at.isoformat()}
    return Observation(f"{Kind.COLLECTOR_SILENT}/{host}", Kind.COLLECTOR_SILENT, facts, last_seen_at)


def observe_incident(incident: IncidentClock, now: datetime, *, told: bool) -> Observation | None:
    """The risk of an incident; `told` when an episode since `at_risk_at` told of it, or it is no news."""
    stands = standing(incident, now)
    missed_risk = stands is Standing.BREACHED and not told
    if incident.at_risk_at is None or not (stands is Standing.AT_RISK or missed_risk):
        return None
    facts = {
        "tenant_id": incident.tenant_id,
        "number": incident.number,
        "title": incident.title,
        "adherent": incident.adherent,
        "priority": incident.priority,
    }
    return Observation(
        incident_fingerprint(incident.tenant_id, incident.number),
        Kind.SLA_AT_RISK,
        facts,
        incident.at_risk_at,
    )


def observe_probe(probe: DownProbe) -> Observation:
    """The outage that a probe tells of."""
    facts = {
        "probe_id": probe.probe_id,
        "name": probe.name,
        "target": probe.target,
        "service": probe.service,
        "subscriptions": probe.subscriptions,
    }
    return Observation(f"{Kind.PROBE_DOWN}/{probe.probe_id}", Kind.PROBE_DOWN, facts, probe.down_since)


def observe_duties(duties: Iterable[DutyClock], now: datetime) -> list[Observation]:
    """The alerts of duties: of each group one for what is due soon and one for what is late."""
    groups: dict[tuple[str, Kind], list[DutyClock]] = {}
    for duty in duties:
        kind = Kind.DUTY_LATE if now > duty.due_at else Kind.DUTY_SOON
        groups.setdefault((duty.group, kind), []).append(duty)
    return [_observe_group(group, kind, found) for (group, kind), found in groups.items()]


def now_late(episode: Episode) -> str:
    """The fingerprint under which a duty that was due soon is told of once it is late; empty for others."""
    kind, _slash, group = episode.fingerprint.partition("/")
    return f"{Kind.DUTY_LATE}/{group}" if kind == Kind.DUTY_SOON else ""


def _observe_group(group: str, kind: Kind, duties: list[DutyClock]) -> Observation:
    first = min(duties, key=lambda duty: duty.due_at)
    facts = {
        "name": first.name,
        "basis": first.basis,
        "title": first.title,
        "adherents": sorted({duty.adherent for duty in duties}),
        "due_at": first.due_at.isoformat(),
        "path": first.path,
    }
    since = first.due_at if kind is Kind.DUTY_LATE else min(duty.warn_at for duty in duties)
    return Observation(f"{kind}/{group}", kind, facts, since)


def incident_fingerprint(tenant_id: int, number: int) -> str:
    """What tells the risk of this incident from any other."""
    return f"{Kind.SLA_AT_RISK}/{tenant_id}/{number}"


def standing(incident: IncidentClock, now: datetime) -> Standing:
    """Where an incident stands; raises `ValueError` for a resolved one whose outcome is no standing."""
    if incident.resolved_at is not None:
        return Standing(incident.outcome)
    if incident.due_at is None:
        return Standing.WAITING
    if now > incident.due_at:
        return Standing.BREACHED
    at_risk = incident.at_risk_at is not None and now >= incident.at_risk_at
    return Standing.AT_RISK if at_risk else Standing.ON_TIME


def retry_after(attempts: int) -> timedelta:
    """How long to wait after this many attempts: it doubles each time, up to an hour, and never stops."""
    return min(FIRST_RETRY * (1 << min(attempts - 1, 10)), SLOWEST_RETRY)
