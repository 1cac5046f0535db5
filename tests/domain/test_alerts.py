"""When an alert starts, when it ends, and how."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.alerts import (
    Episode,
    IncidentClock,
    Kind,
    Observation,
    Standing,
    observe_host,
    observe_incident,
    retry_after,
    standing,
    transitions,
)
from tests.given import NOW

MINUTE = timedelta(minutes=1)
THRESHOLD = 3 * MINUTE

RUNNING = IncidentClock(
    tenant_id=7,
    number=3,
    title="Bulletins bloqués",
    priority="P2",
    adherent="CH de Test",
    zone="Europe/Paris",
    due_at=NOW + 30 * MINUTE,
    at_risk_at=NOW - 30 * MINUTE,
    resolved_at=None,
    outcome="at_risk",
)


@pytest.mark.parametrize(
    ("seen_ago", "silent"),
    [(None, False), (timedelta(0), False), (THRESHOLD, False), (THRESHOLD + MINUTE, True)],
    ids=["never heard", "just heard", "at the threshold", "past it"],
)
def test_a_host_is_silent_once_it_was_heard_and_is_no_longer(
    seen_ago: timedelta | None, silent: bool
) -> None:
    last_seen_at = None if seen_ago is None else NOW - seen_ago
    observation = observe_host("srv-01", last_seen_at, NOW, THRESHOLD)
    assert (observation is not None) is silent


def test_a_silence_lasts_since_the_host_was_last_heard() -> None:
    observation = observe_host("srv-01", NOW - timedelta(hours=1), NOW, THRESHOLD)
    assert observation is not None
    assert observation.since == NOW - timedelta(hours=1)
    assert observation.facts["host"] == "srv-01"


STANDINGS = {
    "before the risk": ({"at_risk_at": NOW + MINUTE}, Standing.ON_TIME),
    "from the instant of the risk": ({"at_risk_at": NOW}, Standing.AT_RISK),
    "at the due date, which is the last instant": ({"due_at": NOW}, Standing.AT_RISK),
    "past the due date": ({"due_at": NOW - timedelta(seconds=1)}, Standing.BREACHED),
    "waiting on the adherent": ({"due_at": None}, Standing.WAITING),
    "waiting, both dates moving": ({"due_at": None, "at_risk_at": None}, Standing.WAITING),
    "resolved in time": ({"resolved_at": NOW, "outcome": "met", "at_risk_at": None}, Standing.MET),
    "resolved too late": ({"resolved_at": NOW, "outcome": "missed", "at_risk_at": None}, Standing.MISSED),
}


@pytest.mark.parametrize(("changes", "expected"), STANDINGS.values(), ids=STANDINGS)
@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
def test_an_incident_is_observed_while_it_is_at_risk(changes: dict, expected: Standing, told: bool) -> None:
    incident = replace(RUNNING, **changes)
    assert standing(incident, NOW) is expected
    observed = observe_incident(incident, NOW, told=told) is not None
    assert observed is (expected is Standing.AT_RISK or (expected is Standing.BREACHED and not told))


def test_two_adherents_may_have_an_incident_of_the_same_number() -> None:
    ours = observe_incident(RUNNING, NOW, told=False)
    theirs = observe_incident(replace(RUNNING, tenant_id=8), NOW, told=False)
    assert ours is not None
    assert theirs is not None
    assert ours.fingerprint != theirs.fingerprint


def observation(name: str) -> Observation:
    return Observation(name, Kind.COLLECTOR_SILENT, {}, NOW)


def episode(name: str) -> Episode:
    return Episode(ord(name), name, Kind.COLLECTOR_SILENT, {}, NOW)


@pytest.mark.parametrize(
    ("observed", "lasting", "started", "ended"),
    [("", "", "", ""), ("a", "", "a", ""), ("a", "a", "", ""), ("", "a", "", "a"), ("ab", "bc", "a", "c")],
)
def test_only_what_changes_is_a_transition(observed: str, lasting: str, started: str, ended: str) -> None:
    found = transitions(map(observation, observed), map(episode, lasting))
    assert "".join(o.fingerprint for o in found.started) == started
    assert "".join(e.fingerprint for e in found.ended) == ended


names = st.sets(st.sampled_from("abcdefgh"))


@given(observed=names, lasting=names)
def test_after_its_transitions_the_episodes_are_what_is_observed(observed: set, lasting: set) -> None:
    found = transitions(map(observation, sorted(observed)), map(episode, sorted(lasting)))
    after = (lasting - {e.fingerprint for e in found.ended}) | {o.fingerprint for o in found.started}
    assert after == observed


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 30), (2, 60), (3, 120), (7, 1920), (8, 3600), (30_000, 3600)]
)
def test_attempts_grow_apart_up_to_an_hour(attempts: int, seconds: int) -> None:
    assert retry_after(attempts) == timedelta(seconds=seconds)
