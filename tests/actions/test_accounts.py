"""Accounts start with a one-time password; the first administrator has one until somebody signed in."""

import pytest
from sqlalchemy import select

from console.actions.accounts import create_account, ensure_first_administrator, reset_password, set_password
from console.actions.sign_in import count_attempt, open_sign_in, proves
from console.domain.access import Role
from console.domain.errors import Conflict, Invalid, NotFound
from console.store.models import people as p
from console.store.queries.sign_in import accounts
from console.store.session import Database, Operator, ScopedSession
from tests import given
from tests.given import NOW


def opens(session: ScopedSession, login: str, password: str) -> bool:
    return proves(count_attempt(session, login, now=NOW), password)


def test_the_first_administrator_gets_a_new_one_time_password_until_somebody_signed_in(
    database: Database,
) -> None:
    with database.write(Operator()) as session:
        login, first = ensure_first_administrator(session, now=NOW)
        _, second = ensure_first_administrator(session, now=NOW)
        assert first
        assert second
        assert not opens(session, login, first)
        attempt = count_attempt(session, login, now=NOW)
        assert proves(attempt, second)
        assert attempt.account_id is not None
        open_sign_in(session, attempt.account_id, now=NOW)
        assert ensure_first_administrator(session, now=NOW) == (login, None)


def test_an_account_is_listed_with_its_adherents(database: Database) -> None:
    with database.write(Operator()) as session:
        given.an_adherent(session, 7, "CH de Foix")
        create_account(session, " DSI.Foix ", "Ana Roy", Role.CIO, [7, 7])
        (account,) = accounts(session)
    assert (account.login, account.tenants, account.must_change_password) == ("dsi.foix", (7,), True)


def test_a_reset_gives_a_new_password_reopens_the_account_and_signs_it_out(database: Database) -> None:
    with database.write(Operator()) as session:
        account_id = given.an_account(session, "ana", Role.OPS)
        open_sign_in(session, account_id, now=NOW)
        for _attempt in range(9):
            opens(session, "ana", "wrong")
        password = reset_password(session, "ana")
        assert session.scalars(select(p.SignIn)).all() == []
        assert opens(session, "ana", password)
        assert session.get_one(p.Account, account_id).must_change_password


def test_a_chosen_password_replaces_the_one_time_one(database: Database) -> None:
    with database.write(Operator()) as session:
        account_id = given.an_account(session, "ana", Role.OPS, must_change_password=True)
        set_password(session, account_id, "another long phrase")
        assert opens(session, "ana", "another long phrase")
        assert not session.get_one(p.Account, account_id).must_change_password


def test_accounts_that_cannot_be_made_are_refused(database: Database) -> None:
    with database.write(Operator()) as session:
        create_account(session, "ana", "Ana", Role.OPS)
        with pytest.raises(Conflict):
            create_account(session, "Ana", "Ana", Role.OPS)
        with pytest.raises(Invalid):
            create_account(session, "no spaces", "Ana", Role.OPS)
        with pytest.raises(Invalid):
            create_account(session, "cio", "Ana", Role.CIO)
        with pytest.raises(NotFound):
            create_account(session, "cio2", "Ana", Role.CIO, [404])
        with pytest.raises(NotFound):
            reset_password(session, "nobody")
