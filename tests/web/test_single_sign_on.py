"""Signing in through a real identity provider, and everything that must not open an account."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from sqlalchemy import select

from console.app import create_app
from console.config import Config, Oidc
from console.domain.access import Role
from console.store.models import people as p
from console.store.session import Database, Operator
from console.web.access import COOKIE
from tests import given
from tests.browser import Browser
from tests.oidc import Door, agree, door, provider
from tests.running import free_port

METADATA, KEYS = "/.well-known/openid-configuration", "/jwks"


@pytest.fixture(scope="module")
def behind() -> Iterator[str]:
    with provider() as address:
        yield address


@pytest.fixture
def known(behind: str) -> Iterator[Door]:
    with door(behind) as known:
        yield known


def console(config: Config, issuer: str, **changes: bool) -> Flask:
    oidc = Oidc(issuer, "console", "a secret", "Annuaire", changes.pop("addresses_are_verified", False))
    app = create_app(replace(config, oidc=oidc, **changes))
    app.test_client_class = Browser
    return app


@pytest.fixture
def visitor(config: Config, database: Database, known: Door) -> Iterator[Browser]:
    """A browser at a console whose provider is behind the door, with the accounts of Ana and Bob."""
    with database.write(Operator()) as session:
        given.an_account(session, "ana", Role.OPS, email="ana@inr.example")
        given.an_account(session, "bob@inr.example", Role.OPS)
    app = console(config, known.url)
    browser = app.test_client()
    assert isinstance(browser, Browser)
    yield browser
    app.extensions["console"].database.close()


def leave(browser: Browser, asked: str = "") -> str:
    """The address of the provider to which the browser is sent."""
    answer = browser.get("/sign-in/with-provider", query_string={"next": asked} if asked else {})
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def is_in(browser: Browser) -> bool:
    return browser.get("/account").status_code == 200


def test_the_form_offers_it_by_its_name(visitor: Browser, browser: Browser) -> None:
    assert "Continuer avec Annuaire" in visitor.get("/sign-in").text
    assert "with-provider" not in browser.get("/sign-in").text
    assert browser.get("/sign-in/with-provider").status_code == 404
    assert browser.get("/sign-in/back?code=1&state=1").status_code == 404


def test_who_is_known_by_a_verified_address_comes_in_and_is_known_by_subject_after(
    visitor: Browser, database: Database, known: Door
) -> None:
    answer = visitor.get(agree(leave(visitor, "/energy"), "ana-1"))
    assert (answer.status_code, answer.location) == (303, "/energy")
    assert "authentification unique" in visitor.get("/account").text
    with database.write(Operator()) as session:
        ana = session.scalars(select(p.Account).where(p.Account.login == "ana")).one()
        assert (ana.oidc_issuer, ana.oidc_subject) == (known.url, "ana-1")
        ana.email = "elsewhere@inr.example"
    first = visitor.get_cookie(COOKIE)
    visitor.delete_cookie(COOKIE)
    assert visitor.get(agree(leave(visitor), "ana-1")).location == "/"
    second = visitor.get_cookie(COOKIE)
    assert first
    assert second
    assert first.value != second.value


def test_the_code_is_bound_to_this_console_by_a_verifier(visitor: Browser, known: Door) -> None:
    address = leave(visitor)
    asked = parse_qs(urlsplit(address).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["response_type"] == ["code"]
    assert asked["redirect_uri"] == ["http://localhost/sign-in/back"]
    visitor.get(agree(address, "ana-1"))
    (form,) = known.forms("/oauth2/token")
    digest = hashlib.sha256(form["code_verifier"][0].encode()).digest()
    assert asked["code_challenge"] == [base64.urlsafe_b64encode(digest).rstrip(b"=").decode()]


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("bob-1", "ne donne pas d&#39;adresse vérifiée"),
        ("mute-1", "ne donne pas d&#39;adresse vérifiée"),
        ("stranger", "Aucun compte n&#39;a l&#39;adresse stranger@inr.example"),
    ],
)
def test_who_has_no_account_or_no_verified_address_is_told_so(
    visitor: Browser, database: Database, subject: str, said: str
) -> None:
    answer = visitor.get(agree(leave(visitor), subject))
    assert (answer.status_code, said in answer.text) == (403, True)
    assert not is_in(visitor)
    with database.read(Operator()) as session:
        assert set(session.scalars(select(p.Account.oidc_subject))) == {None}


def test_addresses_may_be_trusted_by_a_setting_where_nothing_is_said_of_them(
    config: Config, database: Database, visitor: Browser, known: Door
) -> None:
    app = console(config, known.url, addresses_are_verified=True)
    trusting = app.test_client()
    assert isinstance(trusting, Browser)
    assert trusting.get(agree(leave(trusting), "bob-1")).status_code == 403  # it says that it is not
    assert trusting.get(agree(leave(trusting), "mute-1")).status_code == 303
    app.extensions["console"].database.close()


def test_a_disabled_account_stays_closed(visitor: Browser, database: Database) -> None:
    visitor.get(agree(leave(visitor), "ana-1"))
    with database.write(Operator()) as session:
        ana = session.scalars(select(p.Account).where(p.Account.login == "ana")).one()
        ana.disabled_at = datetime.now(UTC)
    answer = visitor.get(agree(leave(visitor), "ana-1"))
    assert (answer.status_code, "désactivé" in answer.text) == (403, True)


def test_an_account_that_is_tied_to_one_person_does_not_open_to_another(
    visitor: Browser, sign_in_as: Callable[..., Browser], database: Database
) -> None:
    visitor.get(agree(leave(visitor), "ana-1"))
    visitor.delete_cookie(COOKIE)
    answer = visitor.get(agree(leave(visitor), "ana-2"))
    assert (answer.status_code, "autre identité" in answer.text) == (403, True)
    with database.read(Operator()) as session:
        number = session.scalars(select(p.Account.account_id).where(p.Account.login == "ana")).one()
    sign_in_as(Role.ADMINISTRATOR).submit(f"/people/{number}/identity-link/forget")
    assert visitor.get(agree(leave(visitor), "ana-2")).status_code == 303


def test_an_answer_to_no_request_of_this_browser_opens_nothing(visitor: Browser) -> None:
    back = agree(leave(visitor), "ana-1")
    other = visitor.application.test_client()
    assert isinstance(other, Browser)
    assert other.get(back).status_code == 403
    leave(other)
    assert other.get(back).status_code == 403  # somebody else's answer, given to who is under way
    assert not is_in(other)
    assert visitor.get(back).status_code == 303
    visitor.delete_cookie(COOKIE)
    assert visitor.get(back).status_code == 403  # a second time


def test_a_changed_state_opens_nothing(visitor: Browser) -> None:
    answer = visitor.get(agree(leave(visitor), "ana-1", state="another"))
    assert (answer.status_code, "recommencez" in answer.text) == (403, True)


def test_a_proof_made_for_another_request_opens_nothing(visitor: Browser, known: Door) -> None:
    answer = visitor.get(agree(leave(visitor), "ana-1", nonce="another"))
    assert (answer.status_code, "n&#39;est pas valable" in answer.text) == (403, True)
    assert known.forms("/oauth2/token")
    assert not is_in(visitor)


def test_a_proof_that_has_ended_opens_nothing(config: Config, database: Database, visitor: Browser) -> None:
    with provider(token_max_age="-3600") as late, door(late) as known:
        app = console(config, known.url)
        browser = app.test_client()
        assert isinstance(browser, Browser)
        answer = browser.get(agree(leave(browser), "ana-1"))
        assert (answer.status_code, "n&#39;est pas valable, ou plus" in answer.text) == (403, True)
        app.extensions["console"].database.close()


@pytest.mark.parametrize("claim", ["signature", "key"])
def test_a_proof_that_is_not_signed_by_the_provider_opens_nothing(
    visitor: Browser, known: Door, claim: str
) -> None:
    def forged(answer: dict[str, str]) -> dict[str, str]:
        head, body, signature = answer["id_token"].split(".")
        return answer | {"id_token": ".".join((head, body, signature[::-1]))}

    if claim == "signature":
        known.alter["/oauth2/token"] = forged
    else:
        known.alter[KEYS] = lambda _: {"keys": []}
    assert visitor.get(agree(leave(visitor), "ana-1")).status_code in (403, 502)
    assert not is_in(visitor)


def test_a_refusal_at_the_provider_is_told(visitor: Browser) -> None:
    state = parse_qs(urlsplit(leave(visitor)).query)["state"][0]
    answer = visitor.get(f"/sign-in/back?error=access_denied&state={state}")
    assert (answer.status_code, "pas confirmé" in answer.text) == (403, True)


def test_a_code_that_is_none_is_told(visitor: Browser) -> None:
    state = parse_qs(urlsplit(leave(visitor)).query)["state"][0]
    answer = visitor.get(f"/sign-in/back?code=made-up&state={state}")
    assert (answer.status_code, "pas confirmé" in answer.text) == (403, True)


@pytest.mark.parametrize(
    "told",
    [
        {"issuer": "https://elsewhere.example"},
        {"token_endpoint": "https://elsewhere.example/token"},
        {"jwks_uri": "http://169.254.169.254/latest"},
        {"authorization_endpoint": "https://elsewhere.example/login"},
        {"token_endpoint": None},
    ],
)
def test_only_the_issuer_s_own_addresses_are_asked(
    visitor: Browser, known: Door, told: dict[str, str | None]
) -> None:
    known.alter[METADATA] = lambda answer: {k: v for k, v in (answer | told).items() if v is not None}
    answer = visitor.get("/sign-in/with-provider")
    assert (answer.status_code, "n&#39;a pas abouti" in answer.text) == (502, True)


def test_a_provider_that_is_down_is_told(config: Config, database: Database) -> None:
    app = console(config, f"http://127.0.0.1:{free_port()}")
    answer = app.test_client().get("/sign-in/with-provider")
    assert (answer.status_code, "ne répond pas" in answer.text) == (502, True)
    app.extensions["console"].database.close()


def test_a_provider_that_hangs_is_not_waited_for(visitor: Browser, known: Door) -> None:
    known.hanging = threading.Event()
    began = time.monotonic()
    answer = visitor.get("/sign-in/with-provider")
    assert (answer.status_code, "ne répond pas" in answer.text) == (502, True)
    assert time.monotonic() - began < 15


def test_no_second_factor_is_asked_for_and_no_one_time_password_either(
    config: Config, database: Database, visitor: Browser, known: Door
) -> None:
    with database.write(Operator()) as session:
        ana = session.scalars(select(p.Account).where(p.Account.login == "ana")).one()
        ana.must_change_password = True
    app = console(config, known.url, require_totp=True)
    browser = app.test_client()
    assert isinstance(browser, Browser)
    browser.get(agree(leave(browser), "ana-1"))
    assert browser.get("/").status_code == 200
    app.extensions["console"].database.close()


def test_an_account_can_be_opened_for_it_alone(
    visitor: Browser, sign_in_as: Callable[..., Browser], database: Database, known: Door
) -> None:
    with database.write(Operator()) as session:
        token = given.signed_in(session, Role.ADMINISTRATOR)
    boss = visitor.application.test_client()
    assert isinstance(boss, Browser)
    boss.set_cookie(COOKIE, token)
    form = {"email": "stranger@inr.example", "name": "Sam", "role": "ops", "way": "single_sign_on"}
    assert boss.submit("/people/invite", **form).location.startswith("/people/")
    assert visitor.get(agree(leave(visitor), "stranger")).status_code == 303
    assert is_in(visitor)
