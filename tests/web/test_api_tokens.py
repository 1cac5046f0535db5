"""The pages of tokens, and what the API answers to those who show one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from console.domain.access import PERMISSIONS, Permission, Role
from console.store.models import people as p
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser
from tests.readings import STREAM

SignIn = Callable[..., Browser]
TEXT = re.compile(r"<code>([\w-]{43})</code>")
FOIX = 11


@pytest.fixture
def ops(database: Database, sign_in_as: SignIn) -> Browser:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
    return sign_in_as(Role.OPS)


def make(browser: Browser, **fields: object) -> str:
    answer = browser.submit("/tokens", **{"name": "agents", "scopes": "readings:write"} | fields)
    found = TEXT.search(answer.text)
    assert found, answer.text
    return found[1]


def send(app: Flask, text: str, host: str = "srv-01") -> tuple[int, str]:
    start = datetime.now(UTC) - timedelta(minutes=5)
    reading = {
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
    batch = {"version": 1, "agent": "1.0", "host": host, "stream": STREAM, "readings": [reading]}
    answer = app.test_client().post(
        "/api/v1/readings", data=json.dumps(batch), headers={"Authorization": f"Bearer {text}"}
    )
    assert answer.json is not None
    return answer.status_code, answer.json.get("error", {}).get("code", "")


def test_a_token_is_shown_once_and_opens_the_door_of_agents(
    app: Flask, ops: Browser, database: Database
) -> None:
    text = make(ops)
    page = ops.get("/tokens").text
    assert "agents" in page
    assert text not in page
    assert page.count("jamais") == 1
    assert send(app, text) == (202, "")
    assert "jamais" not in ops.get("/tokens").text
    with database.read(Operator()) as session:
        row = session.scalars(select(p.ApiToken)).one()
        assert row.created_by.startswith("ops-")


@pytest.mark.parametrize(
    ("host", "answer"),
    [("srv-pay-01", (202, "")), ("db-1", (202, "")), ("srv-hr-01", (403, "other_host"))],
)
def test_a_token_bound_to_hosts_speaks_for_no_other(
    app: Flask, ops: Browser, host: str, answer: tuple[int, str]
) -> None:
    assert send(app, make(ops, hosts="srv-pay-, db-"), host) == answer


def test_a_token_for_something_else_sends_no_reading(app: Flask, ops: Browser) -> None:
    text = make(ops, scopes="adherents:read", adherents=str(FOIX))
    assert send(app, text) == (403, "forbidden")
    assert send(app, "made up") == (401, "unauthorized")


def test_a_rotated_token_has_two_texts_for_a_day_and_a_revoked_one_none(app: Flask, ops: Browser) -> None:
    old = make(ops)
    found = TEXT.search(ops.submit("/tokens/1/rotate").text)
    assert found
    assert "en remplacement" in ops.get("/tokens").text
    assert send(app, old)[0] == send(app, found[1])[0] == 202
    assert ops.submit("/tokens/1/revoke").location == "/tokens"
    assert send(app, old)[0] == send(app, found[1])[0] == 401
    assert ops.submit("/tokens/1/revoke").status_code == 409
    assert ops.submit("/tokens/99/rotate").status_code == 404
    page = ops.get("/tokens").text
    assert "révoqué" in page
    assert "/tokens/1/rotate" not in page


def test_a_rotation_may_end_the_old_text_at_once(app: Flask, ops: Browser) -> None:
    old = make(ops)
    ops.submit("/tokens/1/rotate", deed="at_once")
    assert send(app, old)[0] == 401


def test_the_last_day_of_a_token_is_whole(app: Flask, ops: Browser, database: Database) -> None:
    make(ops, expires_on="2027-06-30")
    with database.read(Operator()) as session:
        ends = session.scalars(select(p.ApiToken.expires_at)).one()
    assert ends == datetime(2027, 6, 30, 22, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"scopes": ""}, "scopes"),
        ({"scopes": "everything"}, "scopes"),
        ({"scopes": "adherents:read"}, "adherents"),
        ({"hosts": "a/b"}, "hosts"),
        ({"expires_on": date(2020, 1, 1).isoformat()}, "expires_on"),
        ({"expires_on": "soon"}, "expires_on"),
    ],
)
def test_what_cannot_be_a_token_is_refused_on_its_field(
    ops: Browser, database: Database, changes: dict[str, str], field: str
) -> None:
    answer = ops.submit("/tokens", **{"name": "agents", "scopes": "readings:write"} | changes)
    assert (answer.status_code, f'id="{field}-error"' in answer.text) == (422, True)
    with database.read(Operator()) as session:
        assert session.scalars(select(p.ApiToken)).all() == []


def test_adherents_are_searched_without_making_a_token(ops: Browser, database: Database) -> None:
    page = ops.submit("/tokens", deed="search", words="foix", name="volumes", scopes="adherents:read").text
    assert f'name="adherents" value="{FOIX}"' in page
    assert 'value="volumes"' in page
    assert 'value="adherents:read" checked' in page
    with database.read(Operator()) as session:
        assert session.scalars(select(p.ApiToken)).all() == []


@pytest.mark.parametrize("role", Role)
def test_only_who_manages_tokens_sees_them(ops: Browser, sign_in_as: SignIn, role: Role) -> None:
    browser = sign_in_as(role, FOIX)
    may = Permission.MANAGE_TOKENS in PERMISSIONS[role]
    assert (browser.get("/tokens").status_code == 200) is may
    assert (browser.submit("/tokens/1/revoke").status_code == 403) is not may


def test_nobody_gains_a_right_through_a_token(ops: Browser, sign_in_as: SignIn, database: Database) -> None:
    everywhere = {"name": "paie", "scopes": "volumes:write", "every_adherent": "yes"}
    assert "volumes:write" not in ops.get("/tokens/new").text
    assert ops.submit("/tokens", **everywhere).status_code == 403
    administrator = sign_in_as(Role.ADMINISTRATOR)
    make(administrator, **everywhere)
    with database.read(Operator()) as session:
        kept = session.scalars(select(p.ApiToken.token_sha256)).one()
    assert ops.submit("/tokens/1/rotate").status_code == 403
    assert "/tokens/1/rotate" not in ops.get("/tokens").text
    with database.read(Operator()) as session:
        assert session.scalars(select(p.ApiToken.token_sha256)).one() == kept
    assert TEXT.search(administrator.submit("/tokens/1/rotate").text)
    assert ops.submit("/tokens/1/revoke").location == "/tokens"
