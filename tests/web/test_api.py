"""The door of the agents, whatever knocks."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from console.actions.api_tokens import issue_token
from console.store.session import Database, Operator
from console.web.api import LARGEST_BATCH
from tests.readings import STREAM

pytestmark = pytest.mark.both_databases


@pytest.fixture
def send(app: Flask, database: Database):
    with database.write(Operator()) as session:
        token = issue_token(session, "test", now=datetime.now(UTC))
    client = app.test_client()

    def send(body: bytes | str, bearer: str | None = None):
        return client.post(
            "/api/v1/readings",
            data=body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {bearer or token}"},
        )

    return send


def body(agent: str = "1.0", **changes: object) -> str:
    start = datetime.now(UTC) - timedelta(minutes=5)
    one = {
        "sequence": 1,
        "started_at": start.isoformat(),
        "ended_at": (start + timedelta(minutes=1)).isoformat(),
        "duration_ms": 60_000,
        "vcpu": 4,
        "busy_cpu_ms": 1_000,
        "measurements": [],
        "gaps": [],
        "workloads": [],
    }
    batch = {"version": 1, "agent": agent, "host": "srv-01", "stream": STREAM, "readings": [one | changes]}
    return json.dumps(batch)


def test_a_good_batch_is_taken_in(send) -> None:
    answer = send(body())
    assert (answer.status_code, answer.json["readings"][0]["status"]) == (202, "accepted")


@pytest.mark.parametrize(
    "unreadable",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        body().replace("1000", "NaN"),
        body().replace("1000", "9" * 5000),
        body(agent="a\u0000b"),
        body().replace('"1.0"', '"\\ud800"'),
        body().replace('"version": 1', '"version": 2'),
        "[" * 100_000,
    ],
    ids=["empty", "torn", "a list", "no text", "NaN", "endless", "NUL", "surrogate", "version", "deep"],
)
def test_what_cannot_be_parsed_is_422_with_a_clear_body(send, unreadable) -> None:
    answer = send(unreadable)
    assert answer.status_code == 422
    assert answer.json["error"]["code"] == "unreadable_batch"
    assert answer.json["error"]["message"]


@pytest.mark.parametrize(
    "changes",
    [
        {"vcpu": 2**40},
        {"sequence": 2**63},
        {"sequence": True},
        {"busy_cpu_ms": 1e999},
        {"busy_cpu_ms": 1.5},
        {"gaps": [{"source": "a\u0000b", "reason": "c"}]},
        {"workloads": [{"name": "a", "kind": "user", "cpu_ms": 2**63 - 1}] * 2},
        {"ended_at": "0001-01-01T00:00:00+14:00"},
    ],
    ids=["vcpu", "sequence", "boolean", "infinite", "fraction", "NUL", "twice", "year 1"],
)
def test_what_cannot_be_true_is_quarantined(send, changes) -> None:
    text = body(**changes).replace("Infinity", "1e999")
    answer = send(text)
    assert (answer.status_code, answer.json["readings"][0]["status"]) == (202, "quarantined")
    assert send(body()).json["readings"][0]["status"] == "accepted"


def test_a_wrong_token_and_a_batch_too_large_say_so(send) -> None:
    assert send(body(), bearer="wrong").json["error"]["code"] == "unauthorized"
    answer = send(b" " * (LARGEST_BATCH + 1))
    assert (answer.status_code, answer.json["error"]["code"]) == (413, "batch_too_large")


def test_a_reading_at_the_limits_is_held_by_both_databases(send) -> None:
    limits = json.loads(body(sequence=2**63 - 1, vcpu=2**16, busy_cpu_ms=2 * 2**16 * 60_000))
    limits["readings"][0]["measurements"] = [
        {"source": "m", "authority": "bmc", "boundary": "server_input", "quality": "measured"}
        | {"energy_mj": 100_000 * 60_000}
    ]
    assert send(json.dumps(limits)).json["readings"][0]["status"] == "accepted"
