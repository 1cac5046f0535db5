"""What a program reads of adherents: those of its token, by number."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert

from console.actions.api_tokens import issue_token
from console.domain.tokens import Terms, TokenScope
from console.store.models import catalogue as c
from console.store.queries.adherents_told import TOLD_AT_ONCE
from console.store.session import Database, Operator
from tests import given

pytestmark = pytest.mark.both_databases
FOIX, PAMIERS = 11, 12
Ask = Callable[..., Any]


@pytest.fixture
def ask(app: Flask, database: Database) -> Ask:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
        foix = session.get_one(c.Adherent, FOIX)
        foix.finess_ej, foix.siren, foix.agency = "090781774", "260900012", "Ariège"
        foix.until = date(2027, 6, 30)

    def ask(
        query: str = "", tenants: frozenset[int] | None = None, scope: TokenScope = TokenScope.ADHERENTS_READ
    ) -> Any:
        with database.write(Operator()) as session:
            now = datetime.now(UTC)
            token = issue_token(session, f"essai {now}", Terms(frozenset({scope}), tenants), now=now)
        headers = {"Authorization": f"Bearer {token}"}
        return app.test_client().get(f"/api/v1/adherents{query}", headers=headers)

    return ask


def numbers(answer: Any) -> list[int]:
    return [one["number"] for one in answer.json["adherents"]]


def test_a_program_reads_the_adherents_of_its_token_and_no_other(ask: Ask) -> None:
    answer = ask(tenants=frozenset({FOIX}))
    assert answer.status_code == 200
    assert answer.json == {
        "adherents": [
            {
                "number": FOIX,
                "name": "CH de Foix",
                "kind": "hospital",
                "finess_ej": "090781774",
                "siren": "260900012",
                "agency": "Ariège",
                "until": "2027-06-30",
            }
        ],
        "next": None,
    }
    assert numbers(ask()) == [FOIX, PAMIERS]
    assert ask().json["adherents"][1]["until"] is None


def test_adherents_are_read_a_page_after_another(ask: Ask, database: Database) -> None:
    rows = [
        {"tenant_id": 100 + place, "name": f"CH {place}", "kind": c.AdherentKind.HOSPITAL}
        | {"since": date(2026, 1, 1)}
        for place in range(TOLD_AT_ONCE)
    ]
    with database.write(Operator()) as session:
        session.execute(insert(c.Adherent), rows)
    first = ask()
    assert (len(first.json["adherents"]), first.json["next"]) == (TOLD_AT_ONCE, numbers(first)[-1])
    rest = ask(f"?after={first.json['next']}")
    assert (numbers(rest), rest.json["next"]) == ([598, 599], None)
    assert numbers(ask(f"?after={2**63 - 1}")) == []


@pytest.mark.parametrize("after", ["", "-1", "x", "1.5", "²", "9" * 20])
def test_what_is_no_number_is_refused(ask: Ask, after: str) -> None:
    answer = ask(f"?after={after}")
    assert (answer.status_code, answer.json["error"]["code"]) == (422, "invalid")


def test_a_token_for_something_else_or_none_reads_nothing(app: Flask, ask: Ask) -> None:
    assert ask(scope=TokenScope.READINGS_WRITE).status_code == 403
    answer: Any = app.test_client().get("/api/v1/adherents")
    assert (answer.status_code, answer.json["error"]["code"]) == (401, "unauthorized")
