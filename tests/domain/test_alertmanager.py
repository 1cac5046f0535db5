"""Messages of Alertmanager's webhook, and where their alerts go."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from console.domain.alert_routes import Destination, Matcher, Route, destination, read_matchers
from console.domain.alertmanager import Alert, fingerprint, read_message
from console.domain.errors import Invalid
from console.domain.outages import Effect

DATA = Path(__file__).parent.parent / "data" / "alertmanager"
REAL = json.loads((DATA / "prom_post_request.json").read_text())
FIRING: dict[str, Any] = {
    "status": "firing",
    "labels": {"alertname": "Disque plein"},
    "startsAt": "2026-11-25T09:00:00.123456789Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "fingerprint": "aae7a1432b5d2f1b",
}


def read(**changes: Any) -> Alert | Invalid:
    message = read_message({"version": "4", "alerts": [FIRING | changes]})
    return message.alerts[0]


def test_a_real_message_is_read() -> None:
    (alert,) = read_message(REAL).alerts
    assert isinstance(alert, Alert)
    assert alert.started_at == datetime(2018, 3, 7, 11, 33, 21, 873077, tzinfo=UTC)
    assert alert.ended_at is None
    assert (alert.name, alert.title) == ("high_memory_load", "Server High Memory usage")
    assert alert.text.startswith("10.80.40.11 reported high memory usage with 23.28%.\n\nalertname = ")


def test_fingerprints_are_those_of_alertmanager() -> None:
    told = json.loads((DATA / "fingerprints.json").read_text())
    assert len(told) == 24
    assert [fingerprint(one["labels"]) for one in told] == [one["fingerprint"] for one in told]


@pytest.mark.parametrize(
    ("changes", "ended_at"),
    [
        ({}, None),
        ({"endsAt": "2026-11-25T09:04:00Z"}, None),  # it fires: that is when it would be forgotten
        ({"endsAt": "0001-01-01T00:00:00+05:00"}, None),
        ({"endsAt": ""}, None),
        (
            {"status": "resolved", "endsAt": "2026-11-25T12:00:00+02:00"},
            datetime(2026, 11, 25, 10, tzinfo=UTC),
        ),
        (
            {"status": "resolved", "endsAt": "2026-11-25T08:00:00Z"},
            datetime(2026, 11, 25, 9, 0, 0, 123456, tzinfo=UTC),
        ),
    ],
)
def test_an_alert_that_fires_has_no_end(changes: dict[str, Any], ended_at: datetime | None) -> None:
    alert = read(**changes)
    assert isinstance(alert, Alert)
    assert alert.ended_at == ended_at


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"labels": {}}, "labels"),
        ({"labels": {"a": 1}}, "labels"),
        ({"labels": {"a": "\0"}}, "labels"),
        ({"annotations": []}, "annotations"),
        ({"startsAt": "0001-01-01T00:00:00Z"}, "startsAt"),
        ({"startsAt": "hier"}, "startsAt"),
        ({"startsAt": 5}, "startsAt"),
        ({"status": "resolved"}, "endsAt"),
        ({"fingerprint": "x" * 65}, "fingerprint"),
        ({"fingerprint": ["x"]}, "fingerprint"),
    ],
)
def test_an_alert_that_cannot_be_read_names_what_is_wrong(changes: dict[str, Any], field: str) -> None:
    refusal = read(**changes)
    assert isinstance(refusal, Invalid)
    assert refusal.field == field


@pytest.mark.parametrize("body", [None, [], {}, {"version": "3", "alerts": []}, {"version": "4"}])
def test_what_is_no_message_is_refused(body: Any) -> None:
    with pytest.raises(Invalid):
        read_message(body)


ROUTES = [
    Route(name="bruit", matchers=[Matcher("alertname", "Watchdog")], ignored=True),
    Route(
        name="paie",
        matchers=read_matchers("alertname = Paie*\nseverity != info"),
        adherent=11,
        service="payroll",
        priority="P1",
        effect=Effect.OUTAGE,
    ),
    Route(name="socle", matchers=[Matcher("job", "socle")], subscription=3, adherent=12),
]


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ({"alertname": "Watchdog"}, Destination("", "", "P3", None, ignored=True, route="bruit")),
        ({"alertname": "PaieLente"}, Destination("11", "payroll", "P1", Effect.OUTAGE, route="paie")),
        ({"alertname": "PaieLente", "severity": "info"}, None),
        ({"job": "socle", "severity": "Critical"}, Destination("12", "3", "P2", None, route="socle")),
        (
            {"adherent": "310781406", "service": "hr", "priority": "p4", "effect": "degraded"},
            Destination("310781406", "hr", "P4", Effect.DEGRADED),
        ),
        ({"adherent": "11", "subscription": "2", "effect": "bad"}, Destination("11", "2", "P3", None)),
        ({"adherent": "11"}, None),
        ({"service": "hr"}, None),
        ({}, None),
    ],
)
def test_an_alert_goes_where_the_first_route_or_its_labels_say(
    labels: dict[str, str], found: Destination | None
) -> None:
    assert destination(labels, ROUTES) == found


@pytest.mark.parametrize("text", ["", " \n", "alertname", "= x", "a = b\nc", "a = b\n" * 21, "a = \x07"])
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read_matchers(text)
    assert refusal.value.field == "matchers"


@pytest.mark.parametrize("text", ["alertname = Disque*", "severity != info", "x = ", "job = a=b"])
def test_a_condition_reads_as_it_is_written(text: str) -> None:
    (matcher,) = read_matchers(text)
    assert read_matchers(str(matcher)) == [matcher]
