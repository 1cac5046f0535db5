"""What every answer carries: headers, compression, refusals in the form and the language of the asker."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from console.app import create_app
from console.config import Config, read_config
from console.domain.access import Role
from console.store.session import Database
from console.web.access import public
from console.web.assets import assets
from console.web.headers import CONTENT_SECURITY_POLICY
from tests.browser import Browser

SignIn = Callable[..., Browser]


@pytest.mark.parametrize("address", ["/sign-in", "/", "/nowhere", "/healthz", "/api/v1/nowhere"])
def test_answers_close_what_pages_do_not_use_and_are_kept_by_no_one(browser: Browser, address: str) -> None:
    headers = browser.get(address).headers
    assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert "HX-Request" in headers["Vary"]
    assert "Strict-Transport-Security" not in headers


def test_over_https_cookies_and_answers_say_so(database: Database, tmp_path: Path) -> None:
    app = create_app(
        read_config(
            {
                "CONSOLE_VAR": str(tmp_path),
                "CONSOLE_DATABASE_URL": str(database.engine.url),
                "CONSOLE_PUBLIC_URL": "https://console.example",
            }
        )
    )
    answer = app.test_client().get("/sign-in")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert "Secure" in answer.headers["Set-Cookie"]
    app.extensions["console"].database.close()


def test_static_files_are_kept_for_ever_under_the_digest_of_their_content(browser: Browser) -> None:
    for name, asset in assets().items():
        answer = browser.get(f"/static/{asset.digest}/{name}")
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.data == asset.plain
    assert browser.get("/static/0000/console.css").headers["Cache-Control"] == "no-store"
    assert browser.get("/static/0000/absent.css").status_code == 404


def test_pages_and_files_are_compressed_for_those_who_ask(browser: Browser) -> None:
    digest = assets()["console.css"].digest
    for address in ("/sign-in", f"/static/{digest}/console.css"):
        plain = browser.get(address, headers={"Accept-Encoding": "br"})
        packed = browser.get(address, headers={"Accept-Encoding": "gzip"})
        assert "Content-Encoding" not in plain.headers
        assert packed.headers["Content-Encoding"] == "gzip"
        assert len(packed.data) < len(plain.data) / 2
        assert gzip.decompress(packed.data).startswith(plain.data[:15])
        assert "Accept-Encoding" in packed.headers["Vary"]


def test_a_form_without_its_secret_changes_nothing_and_says_so(browser: Browser, sign_in_as: SignIn) -> None:
    person = sign_in_as(Role.OPS)
    page = person.post("/sign-out")
    assert page.status_code == 400
    assert "Ce formulaire n'est plus valable" in page.text
    assert "<!doctype html>" in page.text
    fragment = person.post("/sign-out", headers={"HX-Request": "true"})
    assert fragment.status_code == 400
    assert "<html" not in fragment.text
    assert fragment.headers["HX-Retarget"] == "#messages"
    assert person.get("/account").status_code == 200
    assert browser.post("/sign-in", data={"login": "ana", "password": "x"}).status_code == 400


def test_every_form_of_the_pages_carries_its_secret_and_works_without_javascript(
    sign_in_as: SignIn,
) -> None:
    person = sign_in_as(Role.ADMINISTRATOR)
    for address in (
        "/",
        "/account",
        "/account/password",
        "/energy",
        "/statements",
        "/adherents/1/statements",
    ):
        for form in person.get(address).text.split("<form")[1:]:
            opening, inside = form.split(">", 1)
            assert 'action="/' in opening
            assert 'method="get"' in opening or 'name="csrf_token"' in inside.split("</form>")[0]


@pytest.mark.parametrize(
    ("address", "method", "status", "said"),
    [
        ("/nowhere", "GET", 404, "Il n'y a rien à cette adresse"),
        ("/sign-out", "GET", 405, "Cette adresse ne se demande pas ainsi"),
        ("/energy?day=tomorrow", "GET", 422, "tomorrow n&#39;est pas une date"),
        ("/energy?day=0001-01-01", "GET", 422, "n&#39;est pas une date de ce siècle"),
    ],
)
def test_refusals_are_pages_for_readers_and_fragments_for_htmx(
    sign_in_as: SignIn, address: str, method: str, status: int, said: str
) -> None:
    person = sign_in_as(Role.ADMINISTRATOR)
    page = person.open(address, method=method)
    assert page.status_code == status
    assert said in page.text
    assert "<nav" in page.text
    fragment = person.open(address, method=method, headers={"HX-Request": "true"})
    assert fragment.status_code == status
    assert said in fragment.text
    assert "<html" not in fragment.text


def test_refusals_follow_the_language_of_the_reader(sign_in_as: SignIn) -> None:
    page = sign_in_as(Role.ADMINISTRATOR, locale="en").get("/energy?day=tomorrow")
    assert page.status_code == 422
    assert "tomorrow is not a date" in page.text


def test_the_api_refuses_in_json(browser: Browser) -> None:
    absent = browser.get("/api/v1/nowhere")
    assert (absent.status_code, absent.get_json()["error"]["code"]) == (404, "not_found")
    wrong = browser.get("/api/v1/readings")
    assert (wrong.status_code, wrong.get_json()["error"]["code"]) == (405, "method_not_allowed")
    assert "POST" in wrong.headers["Allow"]
    assert browser.post("/api/v1/readings", data=b"{}").status_code == 401


def test_a_form_that_is_too_large_is_refused(browser: Browser) -> None:
    answer = browser.post("/sign-in", data={"login": "x" * 2_000_000})
    assert answer.status_code == 413
    assert "L'envoi est trop volumineux" in answer.text


@pytest.fixture
def failing_app(config: Config) -> Flask:
    """The console with one more view, which fails."""
    app = create_app(config)

    @app.get("/trial")
    @public
    def fail() -> str:
        raise ZeroDivisionError("the secret of the failure")

    @app.get("/api/trial")
    @public
    def fail_in_api() -> str:
        raise ZeroDivisionError("the secret of the failure")

    return app


def test_a_failure_says_nothing_of_itself(failing_app: Flask) -> None:
    client = failing_app.test_client()
    page = client.get("/trial")
    assert page.status_code == 500
    assert "La console a rencontré une erreur" in page.text
    for said in ("secret", "ZeroDivisionError", "Traceback"):
        assert said not in page.text
    answer = client.get("/api/trial")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (500, "internal_error")
    failing_app.extensions["console"].database.close()


def test_health_asks_the_database_and_its_schema(browser: Browser, database: Database) -> None:
    assert (browser.get("/healthz").status_code, browser.get("/healthz").text) == (200, "ok\n")
    with database.schema() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    behind = browser.get("/healthz")
    assert behind.status_code == 503
    assert "the schema is at older" in behind.text


def test_health_says_when_the_database_is_out_of_reach(tmp_path: Path) -> None:
    app = create_app(
        read_config(
            {
                "CONSOLE_VAR": str(tmp_path),
                "CONSOLE_DATABASE_URL": f"sqlite:///{tmp_path / 'no' / 'such.db'}",
            }
        )
    )
    answer = app.test_client().get("/healthz")
    assert answer.status_code == 503
    assert answer.text == "the database does not answer: OperationalError\n"


@pytest.mark.parametrize("digits", [str(2**31), str(2**63), "9" * 20, "9" * 5000])
def test_there_is_nothing_at_an_address_with_a_number_that_no_table_holds(
    app: Flask, sign_in_as: SignIn, digits: str
) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    for rule in app.url_map.iter_rules():
        for argument in rule.arguments & {"tenant_id", "number", "claim_id"}:
            address = rule.rule.replace(f"<int:{argument}>", digits)
            for other in rule.arguments:
                address = address.replace(f"<int:{other}>", "2")
            for method in (rule.methods or set()) & {"GET", "POST"}:
                assert browser.open(address, method=method).status_code == 404, (rule, method)


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "address",
    [
        "/sign-in?next=%00",
        "/nowhere?%00=a",
        "/adherents?words=a%00b",
        "/adherents/2%00",
        "/incidents?state=%00",
    ],
)
def test_a_nul_in_an_address_is_refused_with_a_page(sign_in_as: SignIn, address: str) -> None:
    answer = sign_in_as(Role.ADMINISTRATOR).get(address)
    assert answer.status_code == 400
    assert "La demande n'est pas lisible" in answer.text


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("/sign-in", "login"),
        ("/adherents/2/subscriptions", "service"),
        ("/adherents/2/incidents", "title"),
        ("/language", "a\0b"),
    ],
)
def test_a_nul_in_a_form_is_refused_with_a_page(sign_in_as: SignIn, address: str, field: str) -> None:
    answer = sign_in_as(Role.ADMINISTRATOR).submit(address, **{field: "a\0b"})
    assert answer.status_code == 400
    assert "La demande n'est pas lisible" in answer.text
