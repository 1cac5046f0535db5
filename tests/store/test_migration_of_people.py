"""What accounts and tokens were before 0006 they still are after it, and again once it is undone."""

import hashlib

import pytest
from alembic import command
from sqlalchemy import text

from console.actions.api_tokens import opens
from console.store import schema
from console.store.models import people as p
from console.store.queries.sign_in import accounts
from console.store.session import Database, Operator
from tests.given import NOW

pytestmark = pytest.mark.both_databases
BEFORE = (
    "INSERT INTO account (login, name, role, password_hash, must_change_password, failures, last_seen_at) "
    "VALUES ('ana@inr.example', 'Ana', 'ops', 'hash', false, 3, :now), "
    "('bob', 'Bob', 'cio', 'hash', true, 0, NULL)",
    "INSERT INTO collector_token (token_sha256, name, created_at) VALUES (:hash, 'this machine', :now)",
)
AFTER = "SELECT login, failures, last_seen_at IS NULL FROM account ORDER BY login"


def test_accounts_keep_their_failures_and_agents_their_tokens(database: Database) -> None:
    values = {
        "now": NOW if database.engine.dialect.name == "postgresql" else "2026-11-25 09:30:00",
        "hash": hashlib.sha256(b"a token").hexdigest(),
    }
    with database.schema() as connection:
        command.downgrade(schema.settings(connection), "0005")
        for statement in BEFORE:
            connection.execute(text(statement), values)
        schema.upgrade(connection)
    with database.read(Operator()) as session:
        assert opens(session, "a token", NOW)
        ana, bob = accounts(session)
        assert (ana.last_seen_at, bob.last_seen_at) == (NOW, None)
        rows = session.query(p.Account.email, p.AccountUse.failures).join(
            p.AccountUse, p.AccountUse.account_id == p.Account.account_id
        )
        assert sorted(rows.all(), key=str) == [("ana@inr.example", 3), (None, 0)]
    with database.schema() as connection:
        command.downgrade(schema.settings(connection), "0005")
        kept = [tuple(row) for row in connection.execute(text(AFTER))]
        assert [(row[0], row[1], bool(row[2])) for row in kept] == [
            ("ana@inr.example", 3, False),
            ("bob", 0, True),
        ]
        assert connection.scalar(text("SELECT token_sha256 FROM collector_token")) == values["hash"]
        schema.upgrade(connection)
