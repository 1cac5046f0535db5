"""An address that fails too often waits, whichever account it tries; what is right never counts."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from console.app import create_app
from console.config import BadConfiguration, Config
from console.domain.access import Role
from console.store.session import Database, Operator
from tests import given
from tests.browser import SECRET, Browser

FREE = 20  # failures in a minute


def fail(browser: Browser, times: int = 1) -> int:
    """Give a wrong password for as many logins; the last answer."""
    status = 0
    for number in range(times):
        status = browser.submit("/sign-in", login=f"nobody-{number}", password="wrong").status_code
    return status


def at(app: Flask, address: str) -> Browser:
    browser = app.test_client()
    assert isinstance(browser, Browser)
    browser.environ_base["REMOTE_ADDR"] = address
    return browser


def test_an_address_that_failed_twenty_times_is_told_to_wait(app: Flask, database: Database) -> None:
    with database.write(Operator()) as session:
        given.an_account(session, "ana", Role.OPS)
    browser = at(app, "203.0.113.77")
    assert fail(browser, FREE) == 422
    answer = browser.submit("/sign-in", login="ana", password=given.PASSWORD)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert "Trop d'essais depuis cette adresse" in html.unescape(answer.text)
    secret = SECRET.search(browser.get("/nowhere").text)
    assert secret
    fragment = browser.post("/sign-in", data={"csrf_token": secret[1]}, headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment.headers["HX-Retarget"]) == (429, "#messages")
    assert "<html" not in fragment.text
    assert browser.get("/invitation/anything").status_code == 429  # counted together
    assert browser.get("/sign-in").status_code == 200
    assert at(app, "203.0.113.78").submit("/sign-in", login="ana", password=given.PASSWORD).status_code == 303


def test_links_are_not_guessed(app: Flask) -> None:
    browser = at(app, "203.0.113.77")
    answers = [browser.get(f"/invitation/guess-{number}").status_code for number in range(FREE + 1)]
    assert answers == [404] * FREE + [429]


def test_what_is_right_never_counts(app: Flask, database: Database) -> None:
    with database.write(Operator()) as session:
        given.an_account(session, "ana", Role.OPS)
    browser = at(app, "203.0.113.77")
    fail(browser, FREE - 1)
    for _again in range(3):
        assert browser.submit("/sign-in", login="ana", password=given.PASSWORD).status_code == 303
    assert fail(browser) == 422
    assert fail(browser) == 429


def test_the_addresses_of_one_network_of_ipv6_count_together(app: Flask) -> None:
    fail(at(app, "2001:db8:1::1"), FREE)
    assert fail(at(app, "2001:db8:1:ffff::2")) == 429
    assert fail(at(app, "2001:db8:2::1")) == 422


@pytest.fixture
def proxied(config: Config) -> Iterator[Flask]:
    app = create_app(replace(config, trusted_proxies=1))
    app.test_client_class = Browser
    yield app
    app.extensions["console"].database.close()


def forwarded(app: Flask, told: str) -> Browser:
    browser = at(app, "127.0.0.1")
    browser.environ_base["HTTP_X_FORWARDED_FOR"] = told
    return browser


def test_behind_a_proxy_that_is_trusted_the_address_is_the_one_it_tells(proxied: Flask) -> None:
    fail(forwarded(proxied, "198.51.100.9, 203.0.113.77"), FREE)
    assert fail(forwarded(proxied, "1.1.1.1, 203.0.113.77")) == 429  # what comes before is the visitor's word
    assert fail(forwarded(proxied, "203.0.113.77, 203.0.113.78")) == 422


def test_without_one_nobody_is_believed(app: Flask) -> None:
    for number in range(FREE):
        fail(forwarded(app, f"203.0.113.{number}"))
    assert fail(forwarded(app, "203.0.113.99")) == 429


@pytest.mark.parametrize("storage", ["nonsense://", "memory", "redis://127.0.0.1:1"])
def test_a_storage_that_cannot_be_used_stops_the_start_with_its_name(config: Config, storage: str) -> None:
    with pytest.raises(BadConfiguration, match="CONSOLE_RATE_LIMIT_STORAGE"):
        create_app(replace(config, rate_limit_storage=storage))
