"""The pages of accounts: found by filters, changed by administrators, never without one left."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select

from console.actions.sign_in import open_sign_in, use_of
from console.domain.access import Role
from console.store.models import people as p
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser

SignIn = Callable[..., Browser]
FOIX, PAMIERS = 11, 12
ONE_TIME = re.compile(r"<code>((?:[a-z2-9]{4}-){4}[a-z2-9]{4})</code>")


@pytest.fixture
def ana(database: Database) -> int:
    """An account manager of Foix, in a console that also serves Pamiers."""
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
        return given.an_account(session, "ana", Role.ACCOUNT_MANAGER, [FOIX], name="Ana Roy")


@pytest.fixture
def boss(ana: int, sign_in_as: SignIn) -> Browser:
    return sign_in_as(Role.ADMINISTRATOR)


def account(database: Database, account_id: int) -> p.Account:
    with database.read(Operator()) as session:
        return session.get_one(p.Account, account_id)


def names(page: str) -> set[str]:
    return {name for name in ("Ana Roy", "Bob", "Carl", "Dora") if f">{name}</a>" in page}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"Ana Roy", "Bob", "Carl", "Dora"}),
        ("words=roy+ana", {"Ana Roy"}),
        ("words=bob@inr.example", {"Bob"}),
        ("words=%25", set()),
        ("role=cio", {"Carl"}),
        ("role=nonsense", {"Ana Roy", "Bob", "Carl", "Dora"}),
        ("adherent=pamiers", {"Carl"}),
        ("state=disabled", {"Dora"}),
        ("state=locked", {"Bob"}),
        ("state=open", {"Carl"}),
        ("state=never_seen&role=account_manager", {"Ana Roy"}),
        ("page=9", set()),
    ],
)
def test_accounts_are_found_by_name_role_state_and_adherent(
    database: Database, boss: Browser, query: str, found: set[str]
) -> None:
    now = datetime.now(UTC)
    with database.write(Operator()) as session:
        bob = given.an_account(session, "bob", Role.OPS, email="bob@inr.example")
        use_of(session, bob).locked_until = now + timedelta(hours=1)
        carl = given.an_account(session, "carl", Role.CIO, [PAMIERS])
        open_sign_in(session, carl, now=now)
        given.an_account(session, "dora", Role.AUDITOR, disabled_at=now)
    assert names(boss.get(f"/people?{query}").text) == found
    assert names(boss.fragment(f"/people?{query}").text) == found


def test_the_list_takes_as_many_statements_however_many_accounts(database: Database, boss: Browser) -> None:
    def statements() -> int:
        seen: list[str] = []
        engine = boss.application.extensions["console"].database.engine
        event.listen(engine, "before_cursor_execute", lambda *heard: seen.append(heard[2]))
        assert boss.get("/people").status_code == 200
        return len(seen)

    few = statements()
    with database.write(Operator()) as session:
        for number in range(30):
            given.an_account(session, f"more-{number}", Role.CIO, [FOIX])
    assert statements() == few


def test_only_administrators_open_them(ana: int, sign_in_as: SignIn) -> None:
    for role in set(Role) - {Role.ADMINISTRATOR}:
        browser = sign_in_as(role, FOIX)
        assert browser.get("/people").status_code == 403
        assert browser.get(f"/people/{ana}").status_code == 403
        assert browser.submit(f"/people/{ana}/role", role="administrator").status_code == 403
        assert "/people" not in browser.get("/").text


def test_an_account_that_is_not_there_is_told_so(boss: Browser) -> None:
    assert boss.get("/people/999").status_code == 404
    for part in ("role", "identity", "state", "password", "portfolio", "sign-ins/end", "second-factor/reset"):
        answer = boss.submit(f"/people/999/{part}", role="ops", name="X", adherent=str(FOIX))
        assert answer.status_code == 404, part


def test_a_role_counts_from_the_next_page_on(
    database: Database, ana: int, boss: Browser, sign_in_as: SignIn
) -> None:
    person = sign_in_as(Role.CIO, FOIX)
    with database.read(Operator()) as session:
        account_id = session.scalar(select(p.Account.account_id).where(p.Account.role == Role.CIO))
    assert person.get("/energy").status_code == 403
    assert boss.submit(f"/people/{account_id}/role", role="ops").location == f"/people/{account_id}"
    assert person.get("/energy").status_code == 200
    assert boss.submit(f"/people/{account_id}/role", role="king").status_code == 422


def test_a_new_administrator_chooses_a_longer_password(database: Database, ana: int, boss: Browser) -> None:
    boss.submit(f"/people/{ana}/role", role="administrator")
    assert account(database, ana).must_change_password


def test_the_name_and_the_address_are_changed_or_refused_on_their_field(
    database: Database, ana: int, boss: Browser
) -> None:
    boss.submit(f"/people/{ana}/identity", name=" Ana Roy-Vidal ", email="Ana@INR.example")
    assert (account(database, ana).name, account(database, ana).email) == ("Ana Roy-Vidal", "ana@inr.example")
    with database.write(Operator()) as session:
        given.an_account(session, "bob@inr.example", Role.OPS)
    for name, email in (("", ""), ("Ana", "not an address"), ("Ana", "bob@inr.example"), ("x" * 201, "")):
        answer = boss.submit(f"/people/{ana}/identity", name=name, email=email)
        assert (answer.status_code, 'aria-invalid="true"' in answer.text) == (422, True), (name, email)
    assert account(database, ana).name == "Ana Roy-Vidal"


def test_a_disabled_account_is_out_at_once_and_an_enabled_one_comes_back(
    database: Database, ana: int, boss: Browser, browser: Browser
) -> None:
    browser.submit("/sign-in", login="ana", password=given.PASSWORD)
    assert browser.get("/account").status_code == 200
    boss.submit(f"/people/{ana}/state", deed="disable")
    assert browser.get("/account").status_code == 303
    assert browser.submit("/sign-in", login="ana", password=given.PASSWORD).status_code == 422
    boss.submit(f"/people/{ana}/state", deed="enable")
    assert browser.submit("/sign-in", login="ana", password=given.PASSWORD).status_code == 303


def test_the_last_administrator_can_be_neither_disabled_nor_demoted(
    database: Database, ana: int, boss: Browser
) -> None:
    with database.write(Operator()) as session:
        last = session.scalar(select(p.Account.account_id).where(p.Account.role == Role.ADMINISTRATOR))
        given.an_account(session, "retired", Role.ADMINISTRATOR, disabled_at=datetime.now(UTC))
    for part, fields in (("state", {"deed": "disable"}), ("role", {"role": "ops"})):
        answer = boss.submit(f"/people/{last}/{part}", **fields)
        assert answer.status_code == 409
        assert "dernier administrateur" in answer.text
    boss.submit(f"/people/{ana}/role", role="administrator")
    assert boss.submit(f"/people/{last}/role", role="ops").status_code == 303


def test_a_password_that_is_reset_is_shown_once_and_opens_only_its_own_replacement(
    ana: int, boss: Browser, browser: Browser
) -> None:
    answer = boss.submit(f"/people/{ana}/password")
    password = ONE_TIME.search(answer.text)
    assert password
    assert answer.headers["Cache-Control"] == "no-store"
    assert password[1] not in boss.get(f"/people/{ana}").text
    assert browser.submit("/sign-in", login="ana", password=given.PASSWORD).status_code == 422
    assert browser.submit("/sign-in", login="ana", password=password[1]).status_code == 303
    assert browser.get("/").location == "/account/password"


def test_an_adherent_is_entrusted_and_taken_back(
    database: Database, ana: int, boss: Browser, browser: Browser
) -> None:
    browser.submit("/sign-in", login="ana", password=given.PASSWORD)
    assert browser.get(f"/adherents/{PAMIERS}").status_code == 404
    page = boss.get(f"/people/{ana}?words=pamiers").text
    assert f'name="adherent" value="{PAMIERS}"' in page
    assert f'value="{PAMIERS}"' not in boss.fragment(f"/people/{ana}?words=foix").text
    boss.submit(f"/people/{ana}/portfolio", adherent=str(PAMIERS))
    boss.submit(f"/people/{ana}/portfolio", adherent=str(PAMIERS))
    assert browser.get(f"/adherents/{PAMIERS}").status_code == 200
    boss.submit(f"/people/{ana}/portfolio/take-back", adherent=str(PAMIERS))
    assert browser.get(f"/adherents/{PAMIERS}").status_code == 404
    assert boss.submit(f"/people/{ana}/portfolio/take-back", adherent=str(PAMIERS)).status_code == 404
    assert boss.submit(f"/people/{ana}/portfolio", adherent="999").status_code == 404
    assert boss.submit(f"/people/{ana}/portfolio", adherent="x").status_code == 422


def test_every_connection_of_somebody_can_be_ended(ana: int, boss: Browser, browser: Browser) -> None:
    headers = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0"}
    browser.environ_base["HTTP_USER_AGENT"] = headers["User-Agent"]
    browser.environ_base["REMOTE_ADDR"] = "203.0.113.77"
    browser.submit("/sign-in", login="ana", password=given.PASSWORD)
    page = boss.get(f"/people/{ana}").text
    assert "Firefox 142, Linux" in page
    assert "203.0.113.0/24" in page
    assert "203.0.113.77" not in page
    boss.submit(f"/people/{ana}/sign-ins/end")
    assert browser.get("/account").status_code == 303


def test_a_password_can_be_forbidden_where_there_is_an_address(
    database: Database, ana: int, boss: Browser, browser: Browser
) -> None:
    assert boss.submit(f"/people/{ana}/password-sign-in", deed="forbid").status_code == 422
    boss.submit(f"/people/{ana}/identity", name="Ana Roy", email="ana@inr.example")
    assert boss.submit(f"/people/{ana}/password-sign-in", deed="forbid").status_code == 303
    assert browser.submit("/sign-in", login="ana", password=given.PASSWORD).status_code == 422
    boss.submit(f"/people/{ana}/password-sign-in", deed="allow")
    assert browser.submit("/sign-in", login="ana", password=given.PASSWORD).status_code == 303
