"""Tokens: kept as hashes, for what they were made for, until they are revoked, replaced or old."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from console.actions.api_tokens import (
    bearer,
    issue_token,
    note_use,
    opens,
    renew_token,
    revoke_token,
    rotate_token,
)
from console.domain.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from console.domain.tokens import Terms, TokenScope
from console.store.models import people as p
from console.store.queries.tokens import token, tokens
from console.store.session import Database, Operator, ScopedSession
from tests import given
from tests.given import NOW

pytestmark = pytest.mark.both_databases
READINGS, VOLUMES = TokenScope.READINGS_WRITE, TokenScope.VOLUMES_WRITE
HOUR = timedelta(hours=1)


@pytest.fixture
def session(database: Database):
    with database.write(Operator()) as session:
        given.an_adherent(session, 7, "CH de Foix")
        yield session


def number(session: ScopedSession, name: str) -> int:
    return session.scalars(select(p.ApiToken.token_id).where(p.ApiToken.name == name)).one()


def test_a_token_says_who_asks_and_for_whom(session) -> None:
    text = issue_token(session, " volumes ", Terms(frozenset({VOLUMES}), frozenset({7})), now=NOW)
    found = bearer(session, text, VOLUMES, NOW)
    assert (found.name, found.tenants, found.last_used_at) == ("volumes", {7}, None)
    assert found.reaches(7)
    assert not found.reaches(8)
    note_use(session, found.token_id, now=NOW)
    note_use(session, found.token_id, now=NOW + HOUR)
    assert bearer(session, text, VOLUMES, NOW).last_used_at == NOW + HOUR


def test_the_database_holds_no_text(session) -> None:
    text = issue_token(session, "agents", now=NOW)
    row = session.scalars(select(p.ApiToken)).one()
    assert text not in repr(vars(row))
    assert bearer(session, text, READINGS, NOW).tenants is None


def test_a_token_is_for_its_rights_and_no_other(session) -> None:
    text = issue_token(session, "agents", now=NOW)
    with pytest.raises(Forbidden):
        bearer(session, text, VOLUMES, NOW)
    with pytest.raises(Unauthenticated):
        bearer(session, f"{text}x", READINGS, NOW)
    with pytest.raises(Unauthenticated):
        bearer(session, "", READINGS, NOW)


def test_a_token_ends_at_its_end(session) -> None:
    terms = Terms(frozenset({READINGS}), expires_at=NOW + HOUR)
    text = issue_token(session, "agents", terms, now=NOW)
    assert opens(session, text, NOW + HOUR - timedelta(seconds=1))
    assert not opens(session, text, NOW + HOUR)
    assert token(session, number(session, "agents"), now=NOW + HOUR).expired


def test_a_rotation_gives_a_new_text_and_leaves_a_day_to_the_old(session) -> None:
    old = issue_token(session, "agents", now=NOW)
    new = rotate_token(session, number(session, "agents"), now=NOW, old_lasts=timedelta(days=9))
    assert token(session, number(session, "agents"), now=NOW).rotating_until == NOW + 24 * HOUR
    assert opens(session, new, NOW + 100 * HOUR)
    assert opens(session, old, NOW + 24 * HOUR - timedelta(seconds=1))
    assert not opens(session, old, NOW + 24 * HOUR)
    newest = rotate_token(session, number(session, "agents"), now=NOW, old_lasts=timedelta())
    assert [opens(session, text, NOW) for text in (old, new, newest)] == [False, False, True]


def test_a_revoked_token_opens_nothing_in_either_text_and_is_not_rotated(session) -> None:
    old = issue_token(session, "agents", now=NOW)
    token_id = number(session, "agents")
    new = rotate_token(session, token_id, now=NOW)
    revoke_token(session, token_id, now=NOW)
    assert not opens(session, old, NOW)
    assert not opens(session, new, NOW)
    for again in (revoke_token, rotate_token):
        with pytest.raises(Conflict):
            again(session, token_id, now=NOW)
    with pytest.raises(NotFound):
        revoke_token(session, 999, now=NOW)


def test_a_token_that_is_renewed_opens_with_its_new_text_alone(session) -> None:
    first = renew_token(session, "this machine", now=NOW)
    revoke_token(session, number(session, "this machine"), now=NOW)
    second = renew_token(session, "this machine", now=NOW)
    assert [opens(session, text, NOW) for text in (first, second)] == [False, True]


def test_tokens_that_cannot_be_made_are_refused(session) -> None:
    issue_token(session, "agents", now=NOW)
    with pytest.raises(Conflict):
        issue_token(session, "agents", now=NOW)
    for name in (" ", "x" * 201):
        with pytest.raises(Invalid):
            issue_token(session, name, now=NOW)
    with pytest.raises(NotFound):
        issue_token(session, "volumes", Terms(frozenset({VOLUMES}), frozenset({7, 8})), now=NOW)


def test_those_that_open_something_are_listed_first(session) -> None:
    for name in ("b", "a", "c"):
        issue_token(session, name, Terms(frozenset({VOLUMES}), frozenset({7})), now=NOW)
    revoke_token(session, number(session, "a"), now=NOW)
    session.flush()
    listed = tokens(session, now=NOW)
    assert [one.name for one in listed] == ["b", "c", "a"]
    assert listed[0].adherents is not None
    assert [one.name for one in listed[0].adherents] == ["CH de Foix"]
