"""Tickets of a service desk, both ways: what it tells moves incidents, and it reads what changed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from console.actions.api_tokens import issue_token
from console.actions.comments import add_comment, redact_comment
from console.actions.incidents import redact_incident
from console.domain.tokens import Terms, TokenScope
from console.store.queries.incident_feed import Cursor, read_cursor, tell_changes
from console.store.queries.incident_file import timeline
from console.store.session import Database, Operator
from tests import given

pytestmark = pytest.mark.both_databases
FOIX, PAMIERS = 11, 12
NOW = datetime.now(UTC).replace(microsecond=0)
OPENED_AT = NOW - timedelta(hours=5)
TICKET: dict[str, Any] = {
    "adherent": FOIX,
    "subscription": "payroll",
    "title": "Impression en panne",
    "description": "Plus de bulletins",
    "impact": 2,
    "urgency": 2,
    "priority": "P3",
    "category": "payroll",
    "effect": "degraded",
    "state": "new",
    "since": OPENED_AT.isoformat(),
    "opened_at": OPENED_AT.isoformat(),
}
Ask = Callable[..., Any]


def hours(count: float) -> str:
    return (OPENED_AT + timedelta(hours=count)).isoformat()


@pytest.fixture
def desk(app: Flask, database: Database) -> Ask:
    """A desk that may write for Foix, or as a test says."""
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.a_subscription(session, FOIX)
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
        given.a_subscription(session, PAMIERS)

    def ask(
        method: str,
        address: str,
        body: Any = None,
        tenants: frozenset[int] | None = frozenset({FOIX}),
        scopes: frozenset[TokenScope] = frozenset({TokenScope.INCIDENTS_READ, TokenScope.INCIDENTS_WRITE}),
    ) -> Any:
        with database.write(Operator()) as session:
            now = datetime.now(UTC)
            token = issue_token(session, f"essai {now}", Terms(scopes, tenants), now=now)
        headers = {"Authorization": f"Bearer {token}"}
        return app.test_client().open(
            f"/api/v1/incidents{address}", method=method, json=body, headers=headers
        )

    return ask


def put(desk: Ask, name: str = "INC1", **changes: Any) -> Any:
    return desk("PUT", f"/snow/{name}", TICKET | changes)


def kinds(answer: Any) -> list[str]:
    return [event["kind"] for event in answer.json["incident"]["events"] if event["kind"] != "priority"]


def test_a_ticket_opens_an_incident_and_told_again_does_nothing(desk: Ask) -> None:
    first = put(desk)
    assert (first.status_code, first.json["outcome"]) == (201, "created")
    told = first.json["incident"]
    assert told["tickets"] == [{"desk": "snow", "external_id": "INC1"}]
    assert (told["priority"], told["origin"], told["effect"]) == ("P3", "service_desk", "degraded")
    assert told["opened_at"] == OPENED_AT.isoformat().replace("+00:00", "Z")
    again = put(desk)
    assert (again.status_code, again.json["outcome"]) == (200, "unchanged")
    assert again.json["incident"] == told
    assert desk("GET", "/snow/INC1").json["incident"] == told
    assert put(desk, "INC2").status_code == 201  # of the same title, and another ticket
    assert put(desk, "INC3/a").json["incident"]["number"] == 3


def test_a_later_state_adds_the_events_that_are_missing_at_the_times_of_the_desk(desk: Ask) -> None:
    put(desk)
    waiting = put(desk, state="waiting", since=hours(2), acknowledged_at=hours(1))
    assert kinds(waiting) == ["opened", "acknowledged", "waiting"]
    assert [event["at"] for event in waiting.json["incident"]["events"][-2:]] == [
        hours(1).replace("+00:00", "Z"),
        hours(2).replace("+00:00", "Z"),
    ]
    closed = put(desk, state="closed", since=hours(4), resolved_at=hours(3))
    assert kinds(closed) == ["opened", "acknowledged", "waiting", "resolved", "closed"]
    late = put(desk, state="waiting", since=hours(2))
    assert (late.json["outcome"], kinds(late)) == ("unchanged", kinds(closed))
    reopened = put(desk, state="acknowledged", since=hours(4.5))
    assert reopened.status_code == 409
    assert "clos" in reopened.json["error"]["message"]


def test_what_the_desk_changes_is_changed_and_what_people_changed_here_stays(
    desk: Ask, database: Database
) -> None:
    put(desk)
    assert put(desk, priority="P2").json["incident"]["priority"] == "P2"
    with database.write(Operator()) as session:
        given.it_is(session, "acknowledged", FOIX, 1, OPENED_AT + timedelta(hours=1))
        given.it_is(session, "resolved", FOIX, 1, OPENED_AT + timedelta(hours=2))
    again = put(desk, priority="P2", category="network")
    assert (again.json["incident"]["phase"], again.json["incident"]["category"]) == ("resolved", "network")


def test_comments_go_both_ways_once(desk: Ask, database: Database) -> None:
    said = [{"id": "c1", "text": "Nous cherchons.", "shared": True}]
    put(desk, comments=said)
    assert put(desk, comments=said).json["outcome"] == "unchanged"
    with database.write(Operator()) as session:
        add_comment(session, FOIX, 1, "Vu au téléphone", shared=True, now=NOW, by="claire")
        add_comment(session, FOIX, 1, "Entre nous", shared=False, now=NOW, by="claire")
    told = desk("GET", "/snow/INC1").json["incident"]
    assert [one["text"] for one in told["comments"]] == ["Nous cherchons.", "Vu au téléphone"]
    suspect = put(desk, comments=[{"id": "c2", "text": "NIR 1 85 05 78 006 084 91"}])
    assert suspect.json["suspect"] == ["comments"]


def told_comments(desk: Ask, database: Database) -> list[tuple[str, bool, str, datetime]]:
    with database.read(Operator()) as session:
        entries = timeline(session, FOIX, 1, internal=True)
    found = [one.comment for one in entries if one.comment]
    return [(one.text, one.is_shared, one.by, one.at) for one in found]


def test_a_comment_of_the_desk_is_internal_unless_it_is_shared(desk: Ask, database: Database) -> None:
    by_whom = {"author": "Luc Petit", "at": hours(1)}
    said = [
        {"id": "c1", "text": "Vu au téléphone"} | by_whom,
        {"id": "c2", "text": "Nous cherchons.", "shared": True, "author": "Luc Petit", "at": hours(0.5)},
        {"id": "c3", "text": "Entre nous", "shared": False, "at": hours(2)},
    ]
    assert [one["text"] for one in put(desk, comments=said).json["incident"]["comments"]] == [
        "Nous cherchons."
    ]
    third, first, second = told_comments(desk, database)  # the latest first
    assert first == ("Vu au téléphone", False, "snow/Luc Petit", OPENED_AT + timedelta(hours=1))
    assert second == ("Nous cherchons.", True, "snow/Luc Petit", OPENED_AT + timedelta(hours=0.5))
    assert (third[1], third[2].startswith("token/")) == (False, True)


def test_a_comment_corrected_under_its_name_is_corrected(desk: Ask, database: Database) -> None:
    said = {"id": "c1", "text": "Nous cherchon.", "at": hours(1)}
    put(desk, comments=[said])
    better = said | {"text": "Nous cherchons.", "shared": True}
    answer = put(desk, comments=[better, better])
    assert answer.json["outcome"] == "changed"
    assert [one["text"] for one in answer.json["incident"]["comments"]] == ["Nous cherchons."]
    assert put(desk, comments=[better]).json["outcome"] == "unchanged"
    with database.write(Operator()) as session:
        redact_comment(session, FOIX, 1, 1, now=NOW, by="dpo")
    put(desk, comments=[said])
    assert [text for text, *_rest in told_comments(desk, database)] == [""]


def test_a_closed_incident_takes_the_comments_and_tells_what_it_does_not(desk: Ask) -> None:
    put(desk, state="closed", since=hours(4))
    said = [{"id": "c1", "text": "Le fournisseur confirme.", "shared": True}]
    late = {"state": "new", "since": hours(4.5), "priority": "P1", "title": "Autre titre"}
    for outcome in ("changed", "unchanged"):
        answer = put(desk, comments=said, **late)
        assert (answer.status_code, answer.json["outcome"]) == (200, outcome)
        assert [one["text"] for one in answer.json["incident"]["comments"]] == ["Le fournisseur confirme."]
        assert ["clos" in one for one in answer.json["refused"]] == [True, True]
        told = answer.json["incident"]
        assert (told["phase"], told["priority"], told["title"]) == ("closed", "P3", TICKET["title"])
    assert put(desk, **late).status_code == 409  # there is nothing to take


def test_texts_that_the_desk_tells_anew_are_changed_and_logged(desk: Ask, database: Database) -> None:
    put(desk)
    answer = put(desk, title="Plus de bulletins", description="Bac vide")
    told = answer.json["incident"]
    assert (answer.json["outcome"], told["title"], told["description"]) == (
        "changed",
        "Plus de bulletins",
        "Bac vide",
    )
    assert [one["kind"] for one in told["events"][-2:]] == ["title", "description"]
    with database.write(Operator()) as session:
        redact_incident(session, tenant_id=FOIX, number=1)
    again = put(desk, title="Un patient, par erreur", description="Un patient, par erreur")
    assert (again.json["incident"]["title"], again.json["incident"]["description"]) == ("—", None)


def test_a_state_before_the_resolution_of_the_console_does_not_undo_it(desk: Ask, database: Database) -> None:
    put(desk)
    with database.write(Operator()) as session:
        given.it_is(session, "resolved", FOIX, 1, OPENED_AT + timedelta(hours=4))
    late = put(desk, state="acknowledged", since=hours(1), acknowledged_at=hours(1))
    assert (late.status_code, kinds(late)) == (200, ["opened", "resolved"])
    assert kinds(put(desk, state="acknowledged", since=hours(4.5))) == ["opened", "resolved"]  # told before


def test_an_incident_of_the_console_becomes_a_ticket_of_the_desk(desk: Ask, database: Database) -> None:
    with database.write(Operator()) as session:
        number = given.an_incident(session, FOIX, "Vu par le DSI", subscription=2, opened_at=OPENED_AT)
    taken = desk("PUT", "/snow/INC7", {"adherent": FOIX, "incident": number})
    assert (taken.status_code, taken.json["incident"]["title"]) == (200, "Vu par le DSI")
    moved = desk("PUT", "/snow/INC7", {"state": "acknowledged", "since": hours(1)})
    assert kinds(moved) == ["opened", "acknowledged"]
    other = desk("PUT", "/snow/INC8", {"adherent": FOIX, "incident": number})
    assert (other.status_code, "INC7" in other.json["error"]["message"]) == (409, True)
    assert desk("PUT", "/snow/INC9", {"adherent": FOIX, "incident": 99}).status_code == 404


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"adherent": PAMIERS}, "périmètre"),
    ({"adherent": None}, "adhérent"),
    ({"subscription": "hds-iaas"}, "souscription"),
    ({"subscription": None}, "souscription"),
    ({"title": None}, "titre"),
    ({"opened_at": None, "state": None, "since": None}, "ouverture"),
    ({"opened_at": "2199-01-01T00:00:00Z"}, "à venir"),
    ({"opened_at": "2020-01-01T00:00:00Z"}, "courait pas"),
    ({"priority": "P9"}, "P1, P2"),
    ({"category": "café"}, "network"),
    ({"priority": None, "impact": None}, "priorité"),
    ({"color": "red"}, "n'est pas un champ"),
    ({"comments": [{"id": "c1", "text": "x", "public": False}]}, "n'est pas un champ d'un commentaire"),
    ({"comments": [{"id": "c1", "text": "x", "shared": "no"}]}, "true ou false"),
    ({"comments": [{"id": "c1", "text": "x", "at": "hier"}]}, "instant"),
    ({"comments": [{"id": "c1", "text": "x", "at": "2199-01-01T00:00:00Z"}]}, "à venir"),
]


def test_a_ticket_that_cannot_be_is_refused_whole(desk: Ask) -> None:
    for changes, said in REFUSED:
        answer = put(desk, **changes)
        assert answer.status_code == 422, changes
        assert said in answer.json["error"]["message"], changes
    assert desk("GET", "/snow/INC1").status_code == 404
    assert desk("GET", "").json["incidents"] == []


def test_a_token_reaches_its_adherents_only(desk: Ask) -> None:
    everyone = None
    assert desk("PUT", "/snow/INC1", TICKET | {"adherent": PAMIERS}, everyone).status_code == 201
    assert desk("GET", "/snow/INC1").status_code == 404
    assert desk("GET", "").json["incidents"] == []
    assert put(desk).status_code == 201  # another ticket of that name, as far as this token can see
    both = desk("GET", "/snow/INC1", None, everyone)
    assert (both.status_code, "11, 12" in both.json["error"]["message"]) == (409, True)
    of_one = desk("GET", f"/snow/INC1?adherent={PAMIERS}", None, everyone)
    assert of_one.json["incident"]["adherent"] == PAMIERS
    moved = desk("PUT", "/snow/INC5", TICKET, everyone)
    assert moved.status_code == 201
    elsewhere = desk("PUT", "/snow/INC5", TICKET | {"adherent": PAMIERS}, everyone)
    assert elsewhere.status_code == 409


def test_a_token_for_reading_does_not_write_and_the_other_way_round(desk: Ask) -> None:
    reads, writes = frozenset({TokenScope.INCIDENTS_READ}), frozenset({TokenScope.INCIDENTS_WRITE})
    assert desk("PUT", "/snow/INC1", TICKET, scopes=reads).status_code == 403
    assert desk("GET", "", scopes=writes).status_code == 403
    assert desk("GET", "/snow/INC1", scopes=writes).status_code == 403


def test_what_changed_is_read_from_where_one_was(desk: Ask, database: Database) -> None:
    later = NOW + timedelta(hours=1)
    put(desk, "INC1")
    put(desk, "INC2")
    with database.read(Operator()) as session:
        feed = tell_changes(session, Cursor(), now=later)
    assert ([one.number for one in feed.incidents], feed.more) == ([1, 2], False)
    assert read_cursor(str(feed.next)) == feed.next
    with database.read(Operator()) as session:
        assert tell_changes(session, feed.next, now=later).incidents == []
    with database.write(Operator()) as session:
        given.it_is(session, "acknowledged", FOIX, 1, later)
    with database.read(Operator()) as session:
        feed = tell_changes(session, feed.next, now=later)
        assert [(one.number, one.events[-1].kind) for one in feed.incidents] == [(1, "acknowledged")]
        again = tell_changes(session, feed.next, now=later)
    assert [one.number for one in again.incidents] == [1]  # less than a minute ago: told again


def test_a_program_learns_that_a_shared_comment_is_gone(desk: Ask, database: Database) -> None:
    put(desk)
    with database.write(Operator()) as session:
        for shared in (True, False):
            add_comment(session, FOIX, 1, "Un patient, par erreur", shared=shared, now=NOW, by="claire")
    for comment, told in ((2, []), (1, [1])):
        later = NOW + timedelta(hours=comment)
        with database.write(Operator()) as session:
            after = Cursor(later - timedelta(minutes=5))
            redact_comment(session, FOIX, 1, comment, now=later, by="dpo")
            feed = tell_changes(session, after, now=later)
        assert [one.number for one in feed.incidents] == told
    assert [one.text for one in feed.incidents[0].comments] == [""]


def test_a_cursor_that_was_never_given_is_refused(desk: Ask) -> None:
    for after in ("x", "1.2", "1.2.3.4", f"{10**17}.1.1", f"1.{10**18}.1"):
        answer = desk("GET", f"?after={after}")
        assert (answer.status_code, answer.json["error"]["code"]) == (422, "invalid"), after
