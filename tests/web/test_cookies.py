"""The names of the cookies: two consoles on one machine keep their own, and https has its prefix."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from console.app import create_app
from console.config import Config
from console.domain.access import Role
from console.store.session import Database, Operator
from console.web.cookies import cookie_name
from tests import given
from tests.browser import Browser


@pytest.mark.parametrize(
    ("public_url", "name"),
    [
        ("http://127.0.0.1:8000", "sign_in-8000"),
        ("http://localhost:8001", "sign_in-8001"),
        ("http://console.example", "sign_in"),
        ("https://console.example", "__Host-sign_in"),
        ("https://console.example:8443", "__Host-sign_in"),
    ],
)
def test_a_name_says_the_port_or_that_it_is_of_this_host_over_https(public_url: str, name: str) -> None:
    assert cookie_name(public_url, "sign_in") == name


def console(config: Config, public_url: str) -> Flask:
    app = create_app(replace(config, public_url=public_url, secure_cookies=public_url.startswith("https")))
    app.test_client_class = Browser
    return app


def test_two_consoles_on_one_host_do_not_sign_each_other_out(config: Config, database: Database) -> None:
    with database.write(Operator()) as session:
        given.an_account(session, "ana", Role.OPS)
    first, second = (console(config, f"http://localhost:{port}") for port in (8000, 8001))
    one, two = first.test_client(), second.test_client()
    assert isinstance(one, Browser)
    assert isinstance(two, Browser)
    two._cookies = one._cookies  # one browser: it keeps cookies by host
    for browser in (one, two):
        assert browser.submit("/sign-in", login="ana", password=given.PASSWORD).status_code == 303
    assert one.get("/account").status_code == two.get("/account").status_code == 200
    two.submit("/sign-out")
    assert one.get("/account").status_code == 200
    assert two.get("/account").status_code == 303
    for app in (first, second):
        app.extensions["console"].database.close()


def test_over_https_every_cookie_is_of_this_host_alone(config: Config, database: Database) -> None:
    with database.write(Operator()) as session:
        given.an_account(session, "ana", Role.OPS)
    app = console(config, "https://console.example")
    browser = app.test_client()
    assert isinstance(browser, Browser)
    browser.environ_base["wsgi.url_scheme"] = "https"
    browser.environ_base["HTTP_REFERER"] = "https://localhost/"
    answer = browser.submit("/sign-in", login="ana", password=given.PASSWORD)
    assert answer.status_code == 303
    cookies = [
        cookie for cookie in answer.headers.getlist("Set-Cookie") if "Expires=Thu, 01 Jan 1970" not in cookie
    ]
    assert any(cookie.startswith("__Host-sign_in=") for cookie in cookies)
    for cookie in cookies:
        assert cookie.startswith("__Host-")
        assert "Secure" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie
    app.extensions["console"].database.close()
