"""When an alert starts, when it ends, and how."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.alerts import (
    DownProbe,
    DutyClock,
    Episode,
    IncidentClock,
    Kind,
    Observation,
    Standing,
    now_late,
    observe_duties,
    observe_host,
    observe_incident,
    observe_probe,
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


DUTY = DutyClock(
    group="major/3/cnil-notification",
    name="Notifier la CNIL",
    basis="RGPD, article 33 (1)",
    title="Intrusion",
    adherent="CH de Foix",
    path="/major-incidents/3",
    warn_at=NOW - 18 * MINUTE,
    due_at=NOW + 54 * MINUTE,
)
SOON, LATE = "duty_soon/major/3/cnil-notification", "duty_late/major/3/cnil-notification"
OTHER = {"adherent": "CH de Pamiers"}
# The changes of each duty, then the fingerprint, the adherents and the start of each alert.
DUTIES: dict[str, tuple[list[dict], list[tuple[str, list[str], timedelta]]]] = {
    "none": ([], []),
    "one that is due soon": ([{}], [(SOON, ["CH de Foix"], -18 * MINUTE)]),
    "at its due date, which is in time": (
        [{"due_at": NOW}],
        [(SOON, ["CH de Foix"], -18 * MINUTE)],
    ),
    "one that is late": (
        [{"due_at": NOW - MINUTE}],
        [(LATE, ["CH de Foix"], -MINUTE)],
    ),
    "one for each adherent of a major incident": (
        [{}, OTHER | {"warn_at": NOW - MINUTE}],
        [(SOON, ["CH de Foix", "CH de Pamiers"], -18 * MINUTE)],
    ),
    "two of one adherent": ([{}, {}], [(SOON, ["CH de Foix"], -18 * MINUTE)]),
    "one late, one still due": (
        [{}, OTHER | {"due_at": NOW - 2 * MINUTE}],
        [(SOON, ["CH de Foix"], -18 * MINUTE), (LATE, ["CH de Pamiers"], -2 * MINUTE)],
    ),
}


@pytest.mark.parametrize(("changes", "expected"), DUTIES.values(), ids=DUTIES)
def test_the_duties_of_a_group_are_one_alert(
    changes: list[dict], expected: list[tuple[str, list[str], timedelta]]
) -> None:
    observed = observe_duties([replace(DUTY, **change) for change in changes], NOW)
    assert [(one.fingerprint, one.facts["adherents"], one.since - NOW) for one in observed] == expected


def test_an_alert_of_duties_tells_of_the_first_that_is_due() -> None:
    [observed] = observe_duties([DUTY, replace(DUTY, due_at=NOW + MINUTE, path="/first")], NOW)
    assert observed.facts["due_at"] == (NOW + MINUTE).isoformat()
    assert observed.facts["path"] == "/first"


def test_duties_of_other_groups_are_other_alerts() -> None:
    observed = observe_duties([DUTY, replace(DUTY, group="incident/7/3/cnil-notification")], NOW)
    assert len({one.fingerprint for one in observed}) == 2


@pytest.mark.parametrize(
    ("fingerprint", "late"),
    [(SOON, LATE), (LATE, ""), ("sla_at_risk/7/3", ""), ("collector_silent/duty_soon/1", "")],
)
def test_a_duty_that_was_due_soon_is_told_of_as_late(fingerprint: str, late: str) -> None:
    assert now_late(Episode(1, fingerprint, Kind.DUTY_SOON, {}, NOW)) == late


def test_a_probe_is_down_since_its_first_bad_answer() -> None:
    probe = DownProbe(
        probe_id=4,
        name="Paie",
        target="https://paie.example",
        service="Paie",
        subscriptions=2,
        down_since=NOW,
    )
    observed = observe_probe(probe)
    assert (observed.fingerprint, observed.kind, observed.since) == ("probe_down/4", Kind.PROBE_DOWN, NOW)
    assert observed.facts["subscriptions"] == 2


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
