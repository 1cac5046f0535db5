"""Alerts of Alertmanager open and resolve incidents; those that go nowhere are told and shown."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from console.actions.api_tokens import issue_token
from console.actions.signals import KEPT, forget_signals
from console.domain.access import Role
from console.domain.tokens import Terms, TokenScope
from console.store.models import signals as s
from console.store.models import tenant as t
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser

FOIX, PAMIERS = 11, 12
NOW = datetime.now(UTC).replace(microsecond=0)
BEGAN = NOW - timedelta(hours=3)
REAL = Path(__file__).parent.parent / "data" / "alertmanager" / "prom_post_request.json"
LABELS = {"alertname": "Disque plein", "adherent": str(FOIX), "service": "payroll", "severity": "critical"}
ROUTE = {"name": "Mémoire", "matchers": "alertname = high_memory*", "deed": "open", "adherent": "11"}
SignIn = Callable[..., Browser]
Send = Callable[..., Any]


def alert(
    fires: bool = True, began: datetime = BEGAN, ended: datetime = NOW, **labels: str
) -> dict[str, Any]:
    ends = "0001-01-01T00:00:00Z" if fires else ended.isoformat()
    status = "firing" if fires else "resolved"
    return {"status": status, "labels": LABELS | labels, "startsAt": began.isoformat(), "endsAt": ends}


@pytest.fixture
def send(app: Flask, database: Database) -> Send:
    with database.write(Operator()) as session:
        for tenant_id, name in ((FOIX, "CH de Foix"), (PAMIERS, "CH de Pamiers")):
            given.an_adherent(session, tenant_id, name)
            given.a_subscription(session, tenant_id)

    def send(*alerts: Any, body: Any = None, tenants: frozenset[int] | None = frozenset({FOIX})) -> Any:
        with database.write(Operator()) as session:
            now = datetime.now(UTC)
            terms = Terms(frozenset({TokenScope.ALERTS_WRITE}), tenants)
            token = issue_token(session, f"supervision {now}", terms, now=now)
        answer = app.test_client().post(
            "/api/v1/alertmanager",
            json=body or {"version": "4", "alerts": list(alerts)},
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.status_code == 200, answer.text
        return answer.json

    return send


def incidents(database: Database) -> list[tuple[int, int, str, datetime, datetime | None]]:
    incident = t.Incident
    with database.read(Operator()) as session:
        rows = session.scalars(select(incident).order_by(incident.tenant_id, incident.number))
        return [
            (row.tenant_id, row.number, row.priority.value, row.opened_at, row.resolved_at) for row in rows
        ]


@pytest.mark.both_databases
def test_an_alert_opens_an_incident_that_its_end_resolves_however_often_they_are_told(
    send: Send, database: Database
) -> None:
    told = send(alert(), alert(adherent=str(PAMIERS)), alert(service=""), {"labels": {}})
    assert [one["outcome"] for one in told["alerts"]] == ["opened", "refused", "unrouted", "unreadable"]
    assert (told["alerts"][0]["incident"], told["unrouted"]) == (1, 1)
    assert send(alert())["alerts"][0]["incident"] == 1
    assert incidents(database) == [(FOIX, 1, "P2", BEGAN, None)]
    for _time in range(2):
        send(alert(fires=False))
        assert incidents(database) == [(FOIX, 1, "P2", BEGAN, NOW)]
    send(alert())  # late: it has ended
    assert incidents(database) == [(FOIX, 1, "P2", BEGAN, NOW)]


@pytest.mark.both_databases
def test_messages_may_come_in_any_order(send: Send, database: Database) -> None:
    hour = timedelta(hours=1)
    send(alert(fires=False, ended=BEGAN + hour))  # nobody saw it fire
    assert incidents(database) == [(FOIX, 1, "P2", BEGAN, BEGAN + hour)]
    send(alert(began=BEGAN + 2 * hour))
    assert send(alert(began=BEGAN - hour))["alerts"][0]["outcome"] == "stale"
    assert [row[3] for row in incidents(database)] == [BEGAN, BEGAN + 2 * hour]
    send(alert(began=BEGAN + 2.5 * hour))  # the end before it was lost: the incident goes on
    assert len(incidents(database)) == 2
    send(alert(fires=False, began=BEGAN + 2.5 * hour))
    assert incidents(database)[1][4] == NOW


@pytest.mark.both_databases
@pytest.mark.parametrize("theirs", [None, frozenset({PAMIERS})])
def test_an_alert_of_an_adherent_out_of_reach_is_neither_ended_nor_hidden(
    send: Send, database: Database, theirs: frozenset[int] | None
) -> None:
    known = {"fingerprint": "f00d"}
    send(alert(adherent=str(PAMIERS)) | known, tenants=theirs)
    for fires in (True, False):
        told = send(alert(fires, adherent=str(PAMIERS)) | known)["alerts"][0]
        assert (told["outcome"], "incident" in told) == ("refused", False)
    send(alert(began=NOW, adherent=str(PAMIERS)) | known)  # a later one: theirs is not stale for it
    assert incidents(database) == [(PAMIERS, 1, "P2", BEGAN, None)]
    own = send(alert(began=NOW) | known)["alerts"][0]
    assert (own["adherent"], own["incident"]) == (FOIX, 1)
    again = send(alert(adherent=str(PAMIERS)) | known, tenants=theirs)["alerts"][0]
    assert (again["outcome"], again["incident"]) == ("opened", 1)
    send(alert(fires=False) | known)
    assert [row[0] for row in incidents(database) if row[4] is None] == [FOIX, PAMIERS]


def test_what_was_refused_for_its_reach_is_not_resolved_by_its_sender(
    send: Send, database: Database, sign_in_as: SignIn
) -> None:
    send(alert(adherent=str(PAMIERS)))
    assert sign_in_as(Role.OPS).submit("/alert-routes/retry").status_code == 303
    assert incidents(database) == [(PAMIERS, 1, "P2", BEGAN, None)]
    told = send(alert(fires=False, adherent=str(PAMIERS)))["alerts"][0]
    assert "incident" not in told
    assert incidents(database) == [(PAMIERS, 1, "P2", BEGAN, None)]


def test_what_somebody_resolved_already_stays_resolved(send: Send, database: Database) -> None:
    send(alert())
    with database.write(Operator()) as session:
        given.it_is(session, "resolved", FOIX, 1, BEGAN + timedelta(hours=1))
    send(alert(fires=False))
    assert incidents(database)[0][4] == BEGAN + timedelta(hours=1)


def test_staff_are_warned_of_what_seems_to_name_a_patient(
    send: Send, database: Database, sign_in_as: SignIn
) -> None:
    named = alert() | {"annotations": {"summary": "Dossier IPP 123456 en erreur"}}
    send(named, alert(alertname="Autre"))
    ops, cio = sign_in_as(Role.OPS), sign_in_as(Role.CIO, FOIX)
    assert ops.get("/alert-routes").text.count("numéro de patient") == 1
    for number, warned in ((1, True), (2, False)):
        page = ops.get(f"/adherents/{FOIX}/incidents/{number}").text
        assert ("Relisez les textes" in page) is warned
    assert "Relisez les textes" not in cio.get(f"/adherents/{FOIX}/incidents/1").text


def test_what_has_no_route_is_kept_shown_and_routed_later(
    send: Send, database: Database, sign_in_as: SignIn
) -> None:
    real = json.loads(REAL.read_text())
    real["alerts"][0]["startsAt"] = "2026-11-20T06:33:21.873077559-05:00"
    assert send(body=real)["unrouted"] == 1
    ops = sign_in_as(Role.OPS)
    page = ops.get("/alert-routes").text
    assert "Server High Memory usage" in page
    assert "sans route 1" in page.replace("\N{NO-BREAK SPACE}", " ")
    assert "Router de nouveau" in page
    assert ops.submit("/alert-routes", **ROUTE, service="payroll", priority="P4").status_code == 303
    assert ops.submit("/alert-routes/retry").status_code == 303
    assert [row[:3] for row in incidents(database)] == [(FOIX, 1, "P4")]
    assert send(body=real)["alerts"][0]["incident"] == 1
    assert "sans route 0" in ops.get("/alert-routes?fate=opened").text


def test_an_old_alert_that_no_subscription_covers_is_refused_with_its_reason(
    send: Send, sign_in_as: SignIn
) -> None:
    ops = sign_in_as(Role.OPS)
    ops.submit("/alert-routes", **ROUTE, service="payroll")
    told = send(body=json.loads(REAL.read_text()))["alerts"][0]
    assert (told["outcome"], "courait pas" in told["reason"]) == ("refused", True)
    assert "courait pas" in ops.get("/alert-routes").text


def test_a_route_is_changed_and_removed_and_may_ignore(send: Send, sign_in_as: SignIn) -> None:
    ops = sign_in_as(Role.OPS)
    ops.submit("/alert-routes", **ROUTE, subscription="2", effect="outage")
    page = ops.get("/alert-routes/1").text
    assert 'value="Mémoire"' in page
    ignored = ROUTE | {"name": "Bruit", "matchers": "severity = critical", "deed": "ignore", "adherent": ""}
    assert ops.submit("/alert-routes/1", **ignored, position="5").status_code == 303
    assert send(alert())["alerts"][0]["outcome"] == "ignored"
    assert ops.submit("/alert-routes/1/remove").status_code == 303
    assert send(alert())["alerts"][0]["outcome"] == "opened"
    assert ops.get("/alert-routes/1").status_code == 404


def test_a_field_of_a_route_that_is_wrong_is_told_beside_it(send: Send, sign_in_as: SignIn) -> None:
    ops = sign_in_as(Role.OPS)
    ops.submit("/alert-routes", **ROUTE | {"name": "Prise"})
    for changes, field in (
        ({"name": ""}, "name"),
        ({"name": "Prise"}, "name"),
        ({"matchers": "rien"}, "matchers"),
        ({"adherent": "99"}, "adherent"),
        ({"adherent": "", "subscription": "1"}, "adherent"),
        ({"subscription": "99"}, "subscription"),
        ({"service": "café"}, "service"),
        ({"priority": "P9"}, "priority"),
        ({"effect": "bad"}, "effect"),
        ({"position": "0"}, "position"),
    ):
        answer = ops.submit("/alert-routes", **ROUTE | changes)
        assert answer.status_code == 422, changes
        assert f'id="{field}-error"' in answer.text, changes


@pytest.mark.parametrize("role", [Role.CIO, Role.ACCOUNT_MANAGER, Role.AUDITOR])
def test_routes_are_for_those_who_run_the_services(send: Send, sign_in_as: SignIn, role: Role) -> None:
    other = sign_in_as(role, FOIX)
    assert other.get("/alert-routes").status_code == 403
    assert other.submit("/alert-routes", **ROUTE).status_code == 403


def test_the_page_speaks_english(send: Send, sign_in_as: SignIn) -> None:
    send(alert(adherent="99"))
    page = sign_in_as(Role.OPS, locale="en").get("/alert-routes").text
    assert "Alerts of monitors" in page
    assert "refused" in page


def test_what_nobody_tells_of_any_more_is_forgotten(send: Send, database: Database) -> None:
    send(alert())
    for left, now in ((1, NOW + KEPT - timedelta(hours=1)), (0, NOW + KEPT + timedelta(hours=1))):
        with database.write(Operator()) as session:
            forget_signals(session, now=now)
            assert len(session.scalars(select(s.AlertSignal)).all()) == left
    assert len(incidents(database)) == 1
