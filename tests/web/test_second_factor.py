"""The second factor: taken up with a code, asked for at each sign-in, each code once, and the way back in."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from flask import Flask
from sqlalchemy import select

from console.actions import second_factor
from console.actions.sealing import Seal
from console.app import create_app
from console.config import Config
from console.domain.access import STAFF, Role
from console.store.models import people as p
from console.store.session import Database, Operator
from console.web.access import COOKIE
from console.web.pages.sign_in import WAITING
from tests import given
from tests.browser import Browser

SignIn = Callable[..., Browser]
KEY = re.compile(r"<code>((?:[A-Z2-7]{4} ){7}[A-Z2-7]{4})</code>")
RECOVERY = re.compile(r"<code>((?:[a-z2-9]{4}-){3}[a-z2-9]{4})</code>")


def code(secret: str, steps: int = 1) -> str:
    """The code of a step from the present one; the next, by default, for the present one took the key up."""
    return pyotp.TOTP(secret).at(datetime.now(UTC) + steps * timedelta(seconds=30))


def early_in_a_step() -> None:
    """Wait until the present step lasts for as long as a test does."""
    past_s = time.time() % 30
    if past_s > 15:
        time.sleep(30.1 - past_s)


def enrol(browser: Browser) -> tuple[str, list[str]]:
    """What the page shows: the key, then the recovery codes."""
    page = browser.get("/account/second-factor").text
    found = KEY.search(page)
    assert found
    secret = found[1].replace(" ", "")
    answer = browser.submit("/account/second-factor", code=code(secret, 0))
    assert answer.status_code == 200
    return secret, RECOVERY.findall(answer.text)


@pytest.fixture
def ana(database: Database, browser: Browser) -> Browser:
    """Somebody signed in with a password, who has no second factor yet."""
    with database.write(Operator()) as session:
        given.an_account(session, "ana", Role.OPS)
    browser.submit("/sign-in", login="ana", password=given.PASSWORD)
    return browser


def with_password(app: Flask, **fields: str) -> Browser:
    """A browser that gave the right password."""
    browser = app.test_client()
    assert isinstance(browser, Browser)
    answer = browser.submit("/sign-in", login="ana", password=given.PASSWORD, **fields)
    assert answer.location.startswith("/sign-in/code")
    return browser


def enters(browser: Browser, typed: str) -> bool:
    return browser.submit("/sign-in/code", code=typed).status_code == 303


def test_the_page_shows_the_key_as_a_drawing_and_as_a_text_without_style_of_its_own(ana: Browser) -> None:
    page = ana.get("/account/second-factor").text
    assert "<svg" in page
    assert "style=" not in page
    found = KEY.search(page)
    assert found
    assert KEY.search(ana.get("/account/second-factor").text).group() == found.group()  # type: ignore[union-attr]


def test_a_wrong_code_takes_nothing_up_and_keeps_the_key(ana: Browser, database: Database) -> None:
    before = KEY.search(ana.get("/account/second-factor").text)
    answer = ana.submit("/account/second-factor", code="000000")
    after = KEY.search(answer.text)
    assert before
    assert after
    assert (answer.status_code, after.group()) == (422, before.group())
    with database.read(Operator()) as session:
        assert session.scalars(select(p.Account.totp_secret)).all() == [None]


def test_the_secret_is_kept_under_seal_and_the_recovery_codes_as_hashes(
    ana: Browser, database: Database, config: Config
) -> None:
    secret, codes = enrol(ana)
    assert len(set(codes)) == 10
    with database.read(Operator()) as session:
        sealed = session.scalars(select(p.Account.totp_secret)).one()
        hashes = session.scalars(select(p.RecoveryCode.code_sha256)).all()
    assert sealed is not None
    assert secret not in sealed
    assert Seal(config.secret_key, "web").open(sealed) == secret
    assert not set(codes) & set(hashes)
    assert codes[0] not in ana.get("/account/second-factor").text


def test_a_sign_in_asks_for_the_code_and_opens_nothing_before(app: Flask, ana: Browser) -> None:
    secret, _codes = enrol(ana)
    browser = with_password(app, next="/energy?day=2026-11-24")
    assert browser.get("/account").location.startswith("/sign-in")
    waiting = browser.get_cookie(WAITING)
    assert waiting is not None
    browser.set_cookie(COOKIE, waiting.value)  # the token that waits is no sign-in
    assert browser.get("/account").status_code == 303
    browser.delete_cookie(COOKIE)
    answer = browser.submit("/sign-in/code", code=code(secret), next="/energy?day=2026-11-24")
    assert answer.location == "/energy?day=2026-11-24"
    opened = browser.get_cookie(COOKIE)
    assert opened is not None
    assert opened.value != waiting.value
    assert browser.get_cookie(WAITING) is None
    assert browser.get("/account").status_code == 200


def test_a_code_is_taken_once_and_one_step_away_at_most(app: Flask, ana: Browser) -> None:
    early_in_a_step()
    secret, _codes = enrol(ana)
    browser = with_password(app)
    assert not enters(browser, code(secret, 0))  # the one that took the key up
    assert not enters(browser, code(secret, -1))
    assert not enters(browser, code(secret, 2))
    assert enters(browser, f" {code(secret)[:3]} {code(secret)[3:]} ")
    assert not enters(with_password(app), code(secret))


def test_wrong_codes_close_the_account_even_to_the_right_one(
    app: Flask, ana: Browser, database: Database
) -> None:
    secret, _codes = enrol(ana)
    browser = with_password(app)
    for _attempt in range(4):
        assert not enters(browser, "000000")
    assert not enters(browser, code(secret))
    with database.write(Operator()) as session:
        use = session.scalars(select(p.AccountUse)).one()
        assert use.failures == 5
        use.locked_until = None
    assert enters(browser, code(secret))


def test_a_right_password_does_not_clear_the_failures_of_codes(
    app: Flask, ana: Browser, database: Database
) -> None:
    enrol(ana)
    for _attempt in range(2):
        enters(with_password(app), "000000")
    with database.read(Operator()) as session:
        assert session.scalars(select(p.AccountUse.failures)).one() == 4


def test_a_recovery_code_opens_once(app: Flask, ana: Browser) -> None:
    _secret, codes = enrol(ana)
    assert enters(with_password(app), codes[3].upper())
    assert not enters(with_password(app), codes[3])
    assert "9 codes de secours restent" in html.unescape(ana.get("/account").text)


def test_the_code_is_not_waited_for_longer_than_five_minutes(
    app: Flask, ana: Browser, database: Database
) -> None:
    secret, _codes = enrol(ana)
    browser = with_password(app)
    with database.write(Operator()) as session:
        row = session.scalars(select(p.SignIn).where(~p.SignIn.proven)).one()
        assert row.expires_at - row.created_at == timedelta(minutes=5)
        row.expires_at = datetime.now(UTC)
    assert browser.get("/sign-in/code").location == "/sign-in"
    assert browser.submit("/sign-in/code", code=code(secret)).location == "/sign-in"


def test_other_recovery_codes_replace_the_first_for_who_shows_a_code(app: Flask, ana: Browser) -> None:
    secret, before = enrol(ana)
    assert ana.submit("/account/second-factor/codes", renew_code="000000").status_code == 422
    after = RECOVERY.findall(ana.submit("/account/second-factor/codes", renew_code=code(secret)).text)
    assert len(after) == 10
    assert not set(after) & set(before)
    assert not enters(with_password(app), before[0])
    assert enters(with_password(app), after[0])


def test_who_need_not_have_one_gives_it_up_with_a_code(app: Flask, ana: Browser) -> None:
    secret, _codes = enrol(ana)
    assert ana.submit("/account/second-factor/off", off_code="000000").status_code == 422
    assert ana.submit("/account/second-factor/off", off_code=code(secret)).location == "/account"
    browser = app.test_client()
    assert browser.submit("/sign-in", login="ana", password=given.PASSWORD).location == "/"


def test_an_administrator_resets_it_for_who_lost_everything(
    app: Flask, ana: Browser, database: Database, sign_in_as: SignIn
) -> None:
    enrol(ana)
    with database.read(Operator()) as session:
        account_id = session.scalars(select(p.Account.account_id)).one()
    sign_in_as(Role.ADMINISTRATOR).submit(f"/people/{account_id}/second-factor/reset")
    assert ana.get("/account").status_code == 303
    browser = app.test_client()
    assert browser.submit("/sign-in", login="ana", password=given.PASSWORD).location == "/"
    with database.read(Operator()) as session:
        assert session.scalars(select(p.RecoveryCode)).all() == []


def test_another_key_of_the_console_is_told_in_plain_words(
    ana: Browser, database: Database, config: Config
) -> None:
    secret, codes = enrol(ana)
    app = create_app(replace(config, secret_key="another"))
    app.test_client_class = Browser
    browser = with_password(app)
    answer = browser.submit("/sign-in/code", code=code(secret))
    assert (answer.status_code, "La clé de la console a changé" in answer.text) == (422, True)
    assert enters(browser, codes[0])
    app.extensions["console"].database.close()


@pytest.fixture
def strict(config: Config) -> Flask:
    """A console that asks staff for a second factor, as any reached over https does."""
    app = create_app(replace(config, require_totp=True))
    app.test_client_class = Browser
    return app


@pytest.mark.parametrize("role", Role)
def test_staff_take_one_up_before_anything_else_where_the_console_asks_for_it(
    strict: Flask, database: Database, role: Role
) -> None:
    with database.write(Operator()) as session:
        given.an_adherent(session, 2, "CH de Foix")
        token = given.signed_in(session, role, [2])
    browser = strict.test_client()
    assert isinstance(browser, Browser)
    browser.set_cookie(COOKIE, token)
    if role not in STAFF:
        assert browser.get("/").status_code == 200
        return
    for address in ("/", "/account", "/adherents"):
        assert browser.get(address).location == "/account/second-factor"
    assert browser.fragment("/overview/live").headers["HX-Redirect"] == "/account/second-factor"
    secret, _codes = enrol(browser)
    assert browser.get("/").status_code == 200
    assert browser.submit("/account/second-factor/off", off_code=code(secret)).status_code == 409
    strict.extensions["console"].database.close()


def test_one_request_out_of_two_with_the_same_code_is_right(
    ana: Browser, database: Database, config: Config
) -> None:
    secret, _codes = enrol(ana)
    seal, now, typed = Seal(config.secret_key, "web"), datetime.now(UTC), code(secret)
    with database.read(Operator()) as session:
        account_id = session.scalars(select(p.Account.account_id)).one()
    answers = []
    for _request in range(2):
        with database.write(Operator()) as session:
            answers.append(second_factor.accepts(session, account_id, typed, seal=seal, now=now))
    assert answers == [True, False]
