"""Two consoles on one kind of database: in one there are A and B, in the other A alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask
from werkzeug.test import TestResponse

from console.app import create_app
from console.config import Config, read_config
from console.domain.access import Role
from console.store.session import Database, Operator
from console.web import access
from tests import given
from tests.browser import SECRET, Browser
from tests.isolation.filling import Filled
from tests.isolation.subjects import fill

A, B, PARENT, NOBODY = 41, 870_742, 43, 870_999
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
        headers = {**(headers or {}), **self.authorization}
        data = {"csrf_token": self.secret, **(form or {})} if method == "POST" else None
        return self.client.open(address, method=method, data=data, headers=headers)


@dataclass
class Console:
    """A console with the people who call it."""

    app: Flask
    database: Database
    callers: list[Caller]
    operator: Caller
    anyone: Caller

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

    def newcomer(self) -> Caller:
        """Somebody of A whom no other request concerns."""
        with self.both.database.write(Operator()) as session:
            token = given.signed_in(session, Role.CIO, [A])
        return caller("newcomer", self.both.app, token)


def people_of_a(database: Database) -> dict[str, str]:
    """The tokens of those who may see A and not B, and of the operator."""
    with database.write(Operator()) as session:
        given.an_adherent(session, PARENT, "CH Support")
    with database.write(Operator()) as session:
        return {
            "CIO": given.signed_in(session, Role.CIO, [A]),
            "account manager": given.signed_in(session, Role.ACCOUNT_MANAGER, [A]),
            "CIO of the parent": given.signed_in(session, Role.CIO, [A, PARENT]),
            "operator": given.signed_in(session, Role.ADMINISTRATOR),
        }


def fill_a(database: Database) -> Filled:
    return fill(database, A, WORDS[A], "310781406")


def fill_b(database: Database) -> Filled:
    return fill(database, B, WORDS[B], "970742001", rounds=2)


def console(
    database: Database, tokens: Mapping[str, str], var: Path, trial: Blueprint | None = None
) -> Console:
    """A console on a database, with browsers that hold the tokens, and pages of a trial."""
    app = create_app(_config(database, var))
    app.test_client_class = Browser
    if trial:
        app.register_blueprint(trial)
    *callers, operator = [caller(name, app, token) for name, token in tokens.items()]
    return Console(app, database, callers, operator, caller("anyone", app, ""))


def caller(name: str, app: Flask, token: str) -> Caller:
    """A browser that holds the cookie of a sign-in and the secret of its forms."""
    client = app.test_client()
    assert isinstance(client, Browser)
    if token:
        client.set_cookie(access.COOKIE, token)
    found = SECRET.search(client.get("/nowhere").text)
    assert found is not None
    return Caller(name, client, secret=found[1])


def _config(database: Database, var: Path) -> Config:
    return read_config(
        {
            "CONSOLE_VAR": str(var),
            "CONSOLE_DATABASE_URL": database.engine.url.render_as_string(hide_password=False),
            "CONSOLE_PUBLIC_URL": "http://localhost",
        }
    )
