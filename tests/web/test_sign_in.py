"""Signing in: one answer to every failure, growing delays, sessions that end, passwords that are replaced."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from console.actions.sign_in import DECOY, HASHER, count_attempt, hash_of
from console.domain.access import Role
from console.store.models import people as p
from console.store.session import Database, Operator
from console.web.access import COOKIE, local_path
from tests import given
from tests.browser import Browser
from tests.given import PASSWORD


@pytest.fixture
def ana(database: Database) -> int:
    with database.write(Operator()) as session:
        return given.an_account(session, "ana", Role.OPS)


def enter(browser: FlaskClient, login: str = "ana", password: str = PASSWORD, **fields: str) -> int:
    assert isinstance(browser, Browser)
    return browser.submit("/sign-in", login=login, password=password, **fields).status_code


def is_in(browser: FlaskClient) -> bool:
    return browser.get("/account").status_code == 200


def test_the_right_password_opens_the_console_and_signing_out_closes_it(
    ana: int, browser: Browser, database: Database
) -> None:
    answer = browser.submit("/sign-in", login=" ANA ", password=PASSWORD)
    assert (answer.status_code, answer.location) == (303, "/")
    cookie = answer.headers["Set-Cookie"] + str(answer.headers.getlist("Set-Cookie"))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert is_in(browser)
    kept = browser.get_cookie(COOKIE)
    assert kept is not None
    assert browser.submit("/sign-out").location == "/sign-in"
    browser.set_cookie(COOKIE, kept.value)
    assert not is_in(browser)
    with database.read(Operator()) as session:
        assert session.scalars(select(p.SignIn)).all() == []


def test_each_sign_in_has_a_token_of_its_own_that_the_database_does_not_hold(
    ana: int, browser: Browser, database: Database
) -> None:
    tokens = []
    for _again in range(2):
        browser.delete_cookie(COOKIE)
        enter(browser)
        kept = browser.get_cookie(COOKIE)
        assert kept is not None
        tokens.append(kept.value)
    assert tokens[0] != tokens[1]
    with database.read(Operator()) as session:
        kept_hashes = set(session.scalars(select(p.SignIn.token_sha256)))
    assert kept_hashes == {hash_of(token) for token in tokens}


@pytest.mark.parametrize(
    ("login", "password"), [("ana", "wrong"), ("nobody", PASSWORD), ("", ""), ("ana", "")]
)
def test_every_failure_gets_the_same_answer(ana: int, browser: Browser, login: str, password: str) -> None:
    answer = browser.submit("/sign-in", login=login, password=password)
    assert answer.status_code == 422
    assert "Identifiant ou mot de passe refusé." in answer.text
    assert not is_in(browser)


def test_an_unknown_login_costs_a_check_like_any_other(ana: int, database: Database) -> None:
    with database.write(Operator()) as session:
        unknown = count_attempt(session, "nobody", now=datetime.now(UTC))
        known = count_attempt(session, "ana", now=datetime.now(UTC))
    assert unknown.password_hash == DECOY
    assert not HASHER.check_needs_rehash(unknown.password_hash)
    assert unknown.password_hash.split("$")[:4] == known.password_hash.split("$")[:4]


def test_the_fifth_failure_closes_the_account_even_to_the_right_password(
    ana: int, browser: Browser, database: Database
) -> None:
    for _attempt in range(5):
        assert enter(browser, password="wrong") == 422
    assert enter(browser) == 422
    with database.write(Operator()) as session:
        account = session.get_one(p.AccountUse, ana)
        assert account.failures == 5
        assert account.locked_until is not None
        assert account.locked_until > datetime.now(UTC) + timedelta(seconds=50)
        account.locked_until = datetime.now(UTC)
    assert enter(browser) == 303
    with database.read(Operator()) as session:
        assert session.get_one(p.AccountUse, ana).failures == 0


@pytest.mark.parametrize(
    ("seen", "ends", "open_still"),
    [
        (timedelta(minutes=29), timedelta(hours=1), True),
        (timedelta(minutes=31), timedelta(hours=1), False),
        (timedelta(), timedelta(seconds=-1), False),
    ],
)
def test_a_session_ends_when_idle_or_too_old(
    ana: int, browser: Browser, database: Database, seen: timedelta, ends: timedelta, open_still: bool
) -> None:
    enter(browser)
    now = datetime.now(UTC)
    with database.write(Operator()) as session:
        row = session.scalars(select(p.SignIn)).one()
        row.seen_at, row.expires_at = now - seen, now + ends
    assert is_in(browser) is open_still


def test_reading_a_page_keeps_the_session_alive_and_a_page_that_asks_by_itself_does_not(
    ana: int, browser: Browser, database: Database
) -> None:
    def last_seen() -> datetime:
        with database.read(Operator()) as session:
            return session.scalars(select(p.SignIn)).one().seen_at

    enter(browser)
    before = datetime.now(UTC) - timedelta(minutes=10)
    with database.write(Operator()) as session:
        session.scalars(select(p.SignIn)).one().seen_at = before
    assert browser.fragment("/overview/live").status_code == 200
    assert last_seen() == before
    assert is_in(browser)
    assert last_seen() > before


def test_a_one_time_password_opens_only_the_page_that_replaces_it(
    database: Database, browser: Browser
) -> None:
    with database.write(Operator()) as session:
        given.an_account(session, "new", Role.OPS, must_change_password=True)
    enter(browser, "new")
    for address in ("/", "/account", "/energy", "/statements"):
        assert browser.get(address).location == "/account/password"
    assert browser.fragment("/overview/live").headers["HX-Redirect"] == "/account/password"
    fields = {"present": PASSWORD, "password": "another long phrase", "again": "another long phrase"}
    assert browser.submit("/account/password", **fields).location == "/"
    assert browser.get("/").status_code == 200
    assert enter(browser, "new") == 422
    assert enter(browser, "new", "another long phrase") == 303


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"present": "wrong"}, "Ce n&#39;est pas votre mot de passe actuel"),
        ({"password": "too short", "again": "too short"}, "de 12 à 200 caractères"),
        ({"again": "something else"}, "diffèrent"),
        ({"password": PASSWORD, "again": PASSWORD}, "le même que l&#39;ancien"),
    ],
)
def test_a_password_is_not_changed_without_the_present_one_and_an_acceptable_new_one(
    ana: int, browser: Browser, changes: dict[str, str], said: str
) -> None:
    enter(browser)
    fields = {"present": PASSWORD, "password": "another long phrase", "again": "another long phrase"}
    answer = browser.submit("/account/password", **fields | changes)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_a_new_password_ends_every_other_session(app: Flask, ana: int, browser: Browser) -> None:
    elsewhere = app.test_client()
    enter(browser)
    enter(elsewhere)
    fields = {"present": PASSWORD, "password": "another long phrase", "again": "another long phrase"}
    browser.submit("/account/password", **fields)
    assert is_in(browser)
    assert not is_in(elsewhere)


def test_other_sessions_can_be_ended_from_the_account(app: Flask, ana: int, browser: Browser) -> None:
    elsewhere = app.test_client()
    enter(elsewhere)
    enter(browser)
    assert browser.submit("/account/sign-ins").location == "/account"
    assert is_in(browser)
    assert not is_in(elsewhere)


def test_one_session_can_be_ended_by_its_person_and_by_no_other(
    app: Flask, ana: int, browser: Browser, database: Database
) -> None:
    elsewhere, other = app.test_client(), app.test_client()
    with database.write(Operator()) as session:
        given.an_account(session, "bob", Role.OPS)
    enter(browser)
    enter(elsewhere)
    enter(other, "bob")
    kept = elsewhere.get_cookie(COOKIE)
    assert kept is not None
    key = hash_of(kept.value)
    assert f'value="{key}"' in browser.get("/account").text
    assert isinstance(other, Browser)
    assert other.submit("/account/sign-ins/end", key=key).status_code == 404
    assert is_in(elsewhere)
    assert browser.submit("/account/sign-ins/end", key=key).location == "/account"
    assert not is_in(elsewhere)
    assert is_in(browser)
    assert browser.submit("/account/sign-ins/end", key=key).status_code == 404


def test_after_signing_in_one_comes_to_the_page_that_was_asked(ana: int, browser: Browser) -> None:
    asked = browser.get("/energy?day=2026-11-24").location
    assert asked == "/sign-in?next=/energy?day%3D2026-11-24"
    answer = browser.submit("/sign-in", login="ana", password=PASSWORD, next="/energy?day=2026-11-24")
    assert answer.location == "/energy?day=2026-11-24"


@pytest.mark.parametrize(
    "target",
    [
        "https://elsewhere.example/",
        "//elsewhere.example/",
        "/\\elsewhere.example/",
        "\\\\elsewhere.example",
        "javascript:alert(1)",
        "/\t/elsewhere.example",
        "elsewhere",
        "",
        None,
    ],
)
def test_a_target_elsewhere_is_not_followed(ana: int, browser: Browser, target: str | None) -> None:
    assert local_path(target) is None
    fields = {} if target is None else {"next": target}
    assert browser.submit("/sign-in", login="ana", password=PASSWORD, **fields).location == "/"


def test_an_expired_session_sends_htmx_to_the_sign_in_page_and_back(browser: Browser) -> None:
    answer = browser.fragment("/overview/live", **{"HX-Current-URL": "http://localhost/?a=1"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/sign-in?next=/?a%3D1"
    assert answer.text == ""


def test_the_language_follows_the_browser_then_the_cookie_then_the_account(
    browser: Browser, sign_in_as: Callable[..., Browser]
) -> None:
    def speaks(visitor: FlaskClient, accept: str = "") -> str:
        page = visitor.get("/nowhere", headers={"Accept-Language": accept}).text
        return page.split('<html lang="')[1][:2]

    assert [speaks(browser), speaks(browser, "en-GB"), speaks(browser, "de")] == ["fr", "en", "fr"]
    assert browser.submit("/language", language="en", next="/sign-in").location == "/sign-in"
    assert speaks(browser, "fr") == "en"
    person = sign_in_as(Role.OPS)
    assert speaks(person, "en") == "fr"
    person.submit("/language", language="en")
    person.delete_cookie("language")
    assert speaks(person, "fr") == "en"
    person.submit("/language", language="xx")
    assert speaks(person, "fr") == "en"


def test_a_new_account_follows_the_browser_until_a_language_is_chosen(ana: int, browser: Browser) -> None:
    def speaks(accept: str) -> str:
        return browser.get("/account", headers={"Accept-Language": accept}).text.split('<html lang="')[1][:2]

    assert enter(browser) == 303
    assert [speaks("en-GB"), speaks("fr-FR"), speaks("de")] == ["en", "fr", "fr"]
    browser.set_cookie("language", "en")
    assert speaks("fr") == "en"
    browser.submit("/language", language="fr")
    browser.set_cookie("language", "en")
    assert speaks("en") == "fr"
