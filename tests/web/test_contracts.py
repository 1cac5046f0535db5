"""Contracts that ask for something are listed, counted and exported, each to those who may see it."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from openpyxl import load_workbook
from sqlalchemy import Engine, event

from console.actions.claims import claim_for_service
from console.domain.access import Role
from console.domain.hours import hour_of
from console.domain.price import Indexation, PricePer
from console.domain.renewal import NoticeUnit, add_months
from console.store.models import catalogue as c
from console.store.models import measurement as m
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser

SignIn = Callable[..., Browser]
FOIX, PAMIERS = 11, 12
NOW = datetime.now(UTC)
TODAY = NOW.date()
TACIT = {"tacit": True, "renewal_months": 12, "notice": 3, "notice_unit": NoticeUnit.MONTHS}


@pytest.fixture
def two(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
    return database


def take(database: Database, tenant_id: int = FOIX, **terms) -> int:
    with database.write(Operator()) as session:
        return given.a_subscription(session, tenant_id, **{"now": NOW} | terms)


def main_of(page: str) -> str:
    return page[page.index("<main") : page.index("</main>")]


def test_renewals_are_listed_by_horizon_with_what_to_do_by_when(two: Database, sign_in_as: SignIn) -> None:
    take(two, contract="NEAR", term_ends_on=add_months(TODAY, 5), **TACIT)
    take(two, contract="FAR", term_ends_on=add_months(TODAY, 11), **TACIT)
    take(two, contract="EXPRESS", term_ends_on=add_months(TODAY, 1), tacit=False)
    take(two, contract="LAPSED", term_ends_on=TODAY - timedelta(days=3), tacit=False)
    take(two, contract="NEVER", term_ends_on=add_months(TODAY, 40), tacit=False)
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    listed = {
        months: {
            name
            for name in ("NEAR", "FAR", "EXPRESS", "LAPSED", "NEVER")
            if name in browser.get(f"/contracts?months={months}").text
        }
        for months in (3, 12)
    }
    assert listed == {3: {"NEAR", "EXPRESS", "LAPSED"}, 12: {"NEAR", "FAR", "EXPRESS", "LAPSED"}}
    page = browser.get("/contracts").text
    assert page.index("LAPSED") < page.index("EXPRESS") < page.index("NEAR")
    for said in ("dénoncer avant le", "à renouveler avant la fin du", "échue depuis le", "3 renouvellements"):
        assert said in page


def test_prices_to_be_revised_are_listed_those_that_are_late_first(two: Database, sign_in_as: SignIn) -> None:
    price = {"price_cents": 123_450, "price_per": PricePer.UNIT, "indexation": Indexation.SYNTEC}
    take(two, contract="NEAR", revise_on=add_months(TODAY, 2), **price)
    take(two, contract="FAR", revise_on=add_months(TODAY, 11))
    take(two, contract="LATE", revise_on=TODAY - timedelta(days=40))
    take(two, contract="NEVER", ends_on=TODAY - timedelta(days=1), revise_on=TODAY - timedelta(days=40))
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    page = main_of(browser.get("/contracts/revisions?months=3").text)
    for said in ("2 révisions", "indice Syntec", "par unité", "cette date est passée"):
        assert said in page
    assert page.index("LATE") < page.index("NEAR")
    assert "FAR" not in page
    assert "NEVER" not in page
    assert "FAR" in browser.get("/contracts/revisions?months=12").text
    heading, late, near = (
        browser.get("/contracts/revisions.csv?months=3").data.decode("utf-8-sig").strip().split("\r\n")
    )
    assert heading.endswith("Révision le;Indexation;Taux annuel en pour cent")
    assert "LATE" in late
    assert near.endswith(f"{add_months(TODAY, 2)};indice Syntec;")


def test_the_file_holds_the_list_of_the_page_and_no_formula(two: Database, sign_in_as: SignIn) -> None:
    take(
        two,
        contract="=1+1",
        term_ends_on=add_months(TODAY, 2),
        tacit=False,
        price_cents=123_450,
        price_per="month",
    )
    take(two, PAMIERS, contract="OTHER", term_ends_on=add_months(TODAY, 2), tacit=False)
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    text = browser.get("/contracts/renewals.csv?months=3").data.decode("utf-8-sig")
    heading, row = text.strip().split("\r\n")
    assert heading.startswith("N° d'adhérent;Adhérent;Souscription")
    assert "'=1+1" in row
    assert "1234,5" in row
    assert "OTHER" not in text
    book = load_workbook(io.BytesIO(browser.get("/contracts/renewals.xlsx?months=3").data))
    cells = [cell.value for cell in list(book.active.rows)[1]]
    assert (cells[4], cells[7]) == ("=1+1", 1234.5)
    assert all(cell.data_type != "f" for cell in list(book.active.rows)[1])


def test_a_subscription_without_a_plan_is_listed_until_it_has_one(two: Database, sign_in_as: SignIn) -> None:
    number = take(two, contract="SANS-PLAN", with_plan=False)
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    assert "SANS-PLAN" in browser.get("/contracts/without-plan").text
    assert "SANS-PLAN" in browser.get("/contracts/without-plan.csv").text
    amended = browser.submit(
        f"/adherents/{FOIX}/subscriptions/{number}/amendments",
        subject="terms",
        effective_on="2026-02-01",
        plan="standard:1",
    )
    assert amended.status_code == 303
    assert "Toutes les souscriptions ont un plan" in browser.get("/contracts/without-plan").text


def test_who_is_still_on_an_offer_that_ends_is_listed_with_its_successor(
    two: Database, sign_in_as: SignIn
) -> None:
    take(two, service="hds-iaas", contract="OLD")
    with two.write(Operator()) as session:
        service = session.get_one(c.Service, "hds-iaas")
        service.support_ends_on, service.successor_code = TODAY + timedelta(days=30), "hds-paas"
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    for address in ("/contracts/ending-services", "/contracts/ending-services.csv"):
        text = browser.get(address).text
        assert "OLD" in text
        assert "Hébergement HDS : plateforme" in text.replace("\N{NO-BREAK SPACE}", " ")


def test_workloads_that_nobody_claims_are_listed_to_those_who_see_the_fleet(
    two: Database, sign_in_as: SignIn
) -> None:
    with two.write(Operator()) as session:
        given.a_metered_morning(session, hour_of(NOW) - timedelta(hours=2))
        claim_for_service(
            session,
            service_code="payroll",
            host_id=m.stable_id("srv-01"),
            workload_id=m.stable_id("payroll"),
            first_day=TODAY,
            now=NOW,
            by="ops",
        )
    ops = sign_in_as(Role.OPS)
    page = main_of(ops.get("/contracts/unclaimed").text)
    assert "nginx" in page
    assert "payroll" not in page
    assert "nginx" in ops.get("/contracts/unclaimed.csv").text
    assert sign_in_as(Role.ACCOUNT_MANAGER, FOIX).get("/contracts/unclaimed").status_code == 403


def test_the_lists_are_not_for_an_adherent(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.CIO, FOIX)
    for address in ("", "/renewals.csv", "/without-plan", "/ending-services", "/unclaimed"):
        assert browser.get(f"/contracts{address}").status_code == 403


def test_a_long_list_has_pages_and_its_file_has_every_row(two: Database, sign_in_as: SignIn) -> None:
    with two.write(Operator()) as session:
        for place in range(60):
            given.a_subscription(session, FOIX, contract=f"C-{place:02}", with_plan=False, now=NOW)
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    first, second = (browser.get(f"/contracts/without-plan?page={page}").text for page in (1, 2))
    assert "60 souscriptions" in first
    assert "C-49" in first
    assert "C-59" not in first
    assert "C-59" in second
    assert len(browser.get("/contracts/without-plan.csv").text.strip().splitlines()) == 61


def statements_of(ask: Callable[[], object]) -> int:
    """How many statements the database gets while a page is asked for."""
    seen: list[str] = []

    def note(_connection, _cursor, statement: str, *_others: object) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        ask()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return len(seen)


@pytest.mark.parametrize("address", ["/contracts?months=12", "/contracts/without-plan"])
def test_a_list_costs_as_many_statements_for_forty_contracts_as_for_one(
    two: Database, sign_in_as: SignIn, address: str
) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX, PAMIERS)
    costs = []
    for count in (1, 40):
        for place in range(count):
            term = add_months(TODAY, 2)
            take(two, contract=f"{count}-{place}", with_plan=False, term_ends_on=term, tacit=False)
        browser.get(address)
        costs.append(statements_of(lambda: browser.get(address)))
    assert costs[0] == costs[1]
