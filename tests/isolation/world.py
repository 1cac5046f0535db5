"""Two consoles on one kind of database: in one there are A and B, in the other A alone."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask
from werkzeug.test import TestResponse

from console.actions.api_tokens import issue_token
from console.app import create_app
from console.config import Config, read_config
from console.domain.access import Role
from console.domain.directory import GroupRole
from console.domain.tokens import Terms, TokenScope
from console.store.models import catalogue as c
from console.store.models import directory as d
from console.store.session import Database, Operator
from console.web import access
from tests import given
from tests.browser import SECRET, Browser
from tests.isolation.filling import Filled, site_of
from tests.isolation.subjects import fill

A, B, PARENT, NOBODY = 41, 870_742, 43, 870_999
FINESS = {A: "310781406", B: "800000044", PARENT: "330781196"}
GHT = "GHT-ESSAI"
TODAY = datetime.now(UTC).date()
WORDS = {A: "Ambroisine", B: "Vexillaire"}


@dataclass
class Caller:
    """Somebody, or some program, that asks the console."""

    name: str
    client: Browser
    secret: str = ""
    authorization: Mapping[str, str] = field(default_factory=dict)

    def ask(
        self,
        method: str,
        address: str,
        form: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """Programs send a list of one form as JSON; a value of a form that begins with @ is a file."""
        headers = {**(headers or {}), **self.authorization}
        if self.authorization:
            return self.client.open(address, method=method, json=[form], headers=headers)
        data = {"csrf_token": self.secret, **_files(form or {})} if method == "POST" else None
        return self.client.open(address, method=method, data=data, headers=headers)


@dataclass
class Console:
    """A console with the people who call it."""

    app: Flask
    database: Database
    callers: list[Caller]
    operator: Caller
    anyone: Caller
    program: Caller

    def rest(self) -> None:
        """No connection is left open, as a copy of the database asks for."""
        self.app.extensions["console"].database.close()
        self.database.close()


@dataclass
class World:
    """`both` holds A and B, `alone` A only, with the same people."""

    both: Console
    alone: Console
    a: Filled
    b: Filled
    tokens: Mapping[str, str]
    var: Path

    def newcomer(self, role: Role) -> Caller:
        """Somebody of A whom no other request concerns."""
        with self.both.database.write(Operator()) as session:
            token = given.signed_in(session, role, [A])
        return caller(f"new {role}", self.both.app, token)


def surround(database: Database) -> None:
    """What all may know: the directory holds A and B, the group of A's parent, and the services offered."""
    with database.write(Operator()) as session:
        session.add(d.Ght(code=GHT, name="GHT d'essai", source="test", as_of=TODAY))
        for number, (tenant_id, finess_ej) in enumerate(FINESS.items()):
            session.add(
                d.LegalEntity(finess_ej=finess_ej, name=f"Entité {number}", source="test", as_of=TODAY)
            )
            session.add(
                d.DirectorySite(
                    finess_et=site_of(finess_ej),
                    finess_ej=finess_ej,
                    name=f"Site {number}",
                    department="31",
                    town="Toulouse",
                    source="test",
                    as_of=TODAY,
                )
            )
            session.flush()
            session.add(
                d.GhtMembership(
                    ght_code=GHT,
                    finess_ej=finess_ej,
                    role=GroupRole.SUPPORT if tenant_id == PARENT else GroupRole.MEMBER,
                    valid_from=date(2020, 1, 1),
                    valid_to=TODAY - timedelta(days=1) if tenant_id == B else None,  # it left the group
                    source="test",
                    as_of=TODAY,
                )
            )
    with database.write(Operator()) as session:
        given.an_adherent(session, PARENT, "CH Support")
        parent = session.get_one(c.Adherent, PARENT)
        parent.finess_ej = FINESS[PARENT]
        given.a_certificate(session)
        given.a_service_that_ends(session, "payroll")


def people_of_a(database: Database) -> dict[str, str]:
    """The tokens of those who may see A and not B, and of the operator."""
    with database.write(Operator()) as session:
        return {
            "CIO": given.signed_in(session, Role.CIO, [A]),
            "account manager": given.signed_in(session, Role.ACCOUNT_MANAGER, [A]),
            "CIO of the parent": given.signed_in(session, Role.CIO, [PARENT]),
            "operator": given.signed_in(session, Role.ADMINISTRATOR),
            "program": issue_token(
                session, "essai", Terms(frozenset(TokenScope), frozenset({A})), now=datetime.now(UTC)
            ),
        }


def fill_a(database: Database) -> Filled:
    return fill(database, A, WORDS[A], FINESS[A], GHT)


def fill_b(database: Database) -> Filled:
    return fill(database, B, WORDS[B], FINESS[B], GHT, rounds=2)


def console(
    database: Database,
    tokens: Mapping[str, str],
    var: Path,
    trial: Blueprint | None = None,
    **settings: str,
) -> Console:
    """A console on a database, with browsers that hold the tokens, and pages of a trial."""
    app = create_app(_config(database, var, settings))
    app.test_client_class = Browser
    if trial:
        app.register_blueprint(trial)
    credential = {"Authorization": f"Bearer {tokens['program']}"}
    client = app.test_client()
    assert isinstance(client, Browser)
    program = Caller("program", client, authorization=credential)
    *callers, operator = [caller(name, app, token) for name, token in tokens.items() if name != "program"]
    return Console(app, database, callers, operator, caller("anyone", app, ""), program)


def _files(form: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: (io.BytesIO(value[1:].encode()), f"{name}.csv") if str(value).startswith("@") else value
        for name, value in form.items()
    }


def caller(name: str, app: Flask, token: str) -> Caller:
    """A browser that holds the cookie of a sign-in and the secret of its forms."""
    client = app.test_client()
    assert isinstance(client, Browser)
    if token:
        client.set_cookie(access.COOKIE, token)
    found = SECRET.search(client.get("/nowhere").text)
    assert found is not None
    return Caller(name, client, secret=found[1])


def _config(database: Database, var: Path, settings: Mapping[str, str]) -> Config:
    own = {
        "CONSOLE_VAR": str(var),
        "CONSOLE_DATABASE_URL": database.engine.url.render_as_string(hide_password=False),
        "CONSOLE_PUBLIC_URL": "http://localhost",
        "CONSOLE_SMTP_URL": "smtp://localhost",  # a console that sends mails: the jobs do, and none runs here
    }
    return read_config({**own, **settings})
