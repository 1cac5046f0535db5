"""The page of a subscription: what was agreed, what it was on a day, and who may change it."""

import re
from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from console.actions.volumes import record_month
from console.domain.access import Role
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import offer as o
from console.store.models import tenant as t
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser

SignIn = Callable[..., Browser]
FOIX, PAMIERS = 11, 12


@pytest.fixture
def two(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
    return database


def subscriptions(database: Database, tenant_id: int = FOIX) -> list[t.Subscription]:
    with database.read(Operator()) as session:
        return list(session.scalars(select(t.Subscription).where(t.Subscription.tenant_id == tenant_id)))


def test_a_manager_subscribes_the_adherent_to_a_service(two: Database, sign_in_as: SignIn) -> None:
    answer = sign_in_as(Role.ACCOUNT_MANAGER, FOIX).submit(
        f"/adherents/{FOIX}/subscriptions",
        service="payroll",
        starts_on="2026-01-01",
        ends_on="",
        volume="2 400",
        contract="M-18",
    )
    assert answer.status_code == 303
    taken = subscriptions(two)[-1]
    assert (taken.service_code, taken.volume, taken.contract) == ("payroll", 2400, "M-18")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"starts_on": ""}, "Une date est attendue"),
        ({"starts_on": "hier"}, "pas une date"),
        ({"ends_on": "2025-12-31"}, "finit après son début"),
        ({"volume": "beaucoup"}, "Un nombre entier"),
        ({"service": "rien"}, "pas au catalogue"),
    ],
)
def test_a_wrong_value_is_told_beside_its_field_and_what_was_typed_stays(
    two: Database, sign_in_as: SignIn, typed: dict[str, str], said: str
) -> None:
    form = {"service": "payroll", "starts_on": "2026-01-01", "contract": "M-2026-18"} | typed
    answer = sign_in_as(Role.ACCOUNT_MANAGER, FOIX).submit(f"/adherents/{FOIX}/subscriptions", **form)
    assert answer.status_code == 422
    assert said in answer.text
    assert "M-2026-18" in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert len(subscriptions(two)) == 1


def test_a_service_that_is_sold_no_more_is_not_offered(two: Database, sign_in_as: SignIn) -> None:
    address = f"/adherents/{FOIX}/subscriptions/new"
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    assert 'value="payroll"' in browser.get(address).text
    with two.write(Operator()) as session:
        session.get_one(c.Service, "payroll").sales_end_on = date(2026, 1, 31)
    assert 'value="payroll"' not in browser.get(address).text
    refused = browser.submit(f"/adherents/{FOIX}/subscriptions", service="payroll", starts_on="2026-02-01")
    assert (refused.status_code, 'id="starts_on-error"' in refused.text) == (422, True)


def test_a_subscription_is_suspended_resumed_and_ended(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)

    def amend(**form: str) -> int:
        return browser.submit(f"/adherents/{FOIX}/subscriptions/1/amendments", **form).status_code

    suspension = {"subject": "status", "status": "suspended", "effective_on": "2026-03-01"}
    assert amend(**suspension) == 303
    assert subscriptions(two)[0].status is t.SubscriptionStatus.SUSPENDED
    assert amend(**suspension) == 409
    assert amend(subject="status", status="active", effective_on="2026-04-01") == 303
    assert amend(subject="status", status="draft", effective_on="2026-05-01") == 409
    assert amend(subject="nothing") == 422
    assert amend(subject="end", ends_on="2025-01-01") == 422
    assert amend(subject="end", ends_on="2026-06-30") == 303
    assert subscriptions(two)[0].status is t.SubscriptionStatus.ENDED


def test_a_manager_changes_nothing_of_another_adherent(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    form = {"service": "payroll", "starts_on": "2026-01-01"}
    assert browser.submit(f"/adherents/{PAMIERS}/subscriptions", **form).status_code == 404
    assert (
        browser.submit(f"/adherents/{PAMIERS}/subscriptions/1/amendments", subject="status").status_code
        == 404
    )
    assert [s.status for s in subscriptions(two, PAMIERS)] == [t.SubscriptionStatus.ACTIVE]


def amend(browser: Browser, number: int = 1, tenant_id: int = FOIX, **form: str) -> TestResponse:
    return browser.submit(f"/adherents/{tenant_id}/subscriptions/{number}/amendments", **form)


def main_of(page: str) -> str:
    return page[page.index("<main") : page.index("</main>")].replace("\N{NO-BREAK SPACE}", " ")


def test_terms_are_amended_and_the_state_of_any_day_is_shown(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    answer = amend(
        browser,
        subject="terms",
        effective_on="2026-06-01",
        plan="critical:1",
        volume="2 400",
        price="1 234,50",
        price_per="month",
        indexation="fixed",
        indexation_rate="2,5",
        revise_on="2027-01-01",
        contract="CONV-118",
        service_version="12.4",
        term_ends_on="2026-12-31",
        tacit="yes",
        renewal_months="12",
        notice="3",
        notice_unit="months",
        note="Avenant signé.",
    )
    assert answer.status_code == 303
    page = main_of(sign_in_as(Role.CIO, FOIX).get(f"/adherents/{FOIX}/subscriptions/1").text)
    for said in ("1 234,50 € par mois", "CONV-118", "30 septembre 2026", "2,50 % par an", "Avenant signé."):
        assert said in page.replace("\N{NARROW NO-BREAK SPACE}", " "), said
    assert "Modifier les conditions" not in page
    before = main_of(browser.get(f"/adherents/{FOIX}/subscriptions/1?on=2026-05-31").text)
    conditions = before[before.index('id="terms"') :]
    assert "CONV-118" not in conditions
    assert "Conseil et formation, version 1" in conditions
    assert "Pas encore" in browser.get(f"/adherents/{FOIX}/subscriptions/1?on=2025-12-31").text
    assert browser.get(f"/adherents/{FOIX}/subscriptions/1?on=hier").status_code == 422


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"subject": "terms", "effective_on": "2026-06-01"}, "effective_on"),
        ({"subject": "terms", "effective_on": "2025-06-01", "volume": "1"}, "effective_on"),
        ({"subject": "terms", "effective_on": "2026-06-01", "price": "1,234"}, "price"),
        ({"subject": "terms", "effective_on": "2026-06-01", "price": "12"}, "price_per"),
        ({"subject": "terms", "effective_on": "2026-06-01", "plan": "none:9"}, "plan"),
        ({"subject": "terms", "effective_on": "2026-06-01", "plan": "none"}, "plan"),
        ({"subject": "terms", "effective_on": "2026-06-01", "tacit": "maybe"}, "tacit"),
        ({"subject": "terms", "effective_on": "2026-06-01", "indexation": "fixed"}, "indexation_rate"),
        ({"subject": "price", "effective_on": "2026-06-01", "rate": "2", "index_to": "3"}, "rate"),
        ({"subject": "status", "effective_on": "2026-06-01", "status": "gone"}, "status"),
        ({"subject": "end", "ends_on": "2025-06-01"}, "ends_on"),
    ],
)
def test_an_amendment_that_cannot_be_is_refused_beside_its_field(
    two: Database, sign_in_as: SignIn, form: dict[str, str], field: str
) -> None:
    answer = amend(sign_in_as(Role.ACCOUNT_MANAGER, FOIX), **form)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    with two.read(Operator()) as session:
        assert len(session.scalars(select(k.SubscriptionAmendment)).all()) == 2  # one of each adherent


def test_a_note_that_seems_to_name_a_patient_is_confirmed_first(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    form = {"subject": "terms", "effective_on": "2026-06-01", "volume": "3", "note": "IPP 123456"}
    answer = amend(browser, **form)
    assert answer.status_code == 422
    assert "numéro de patient" in answer.text
    assert amend(browser, confirmed="yes", **form).status_code == 303


def test_every_form_of_an_amendment_is_there_and_its_fragment_too(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    for subject in ("terms", "price", "status", "end", "other"):
        address = f"/adherents/{FOIX}/subscriptions/1/amend?subject={subject}"
        assert browser.get(address).status_code == 200
        assert "<h1" not in browser.fragment(address).text


def the_row(database: Database, number: int = 1) -> t.Subscription:
    return subscriptions(database)[number - 1]


def test_terms_are_taken_back_by_ticking_them(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    said = {"volume": "7", "price": "12", "price_per": "unit", "contract": "M-18"}
    assert amend(browser, subject="terms", effective_on="2026-02-01", **said).status_code == 303
    form = {"subject": "terms", "effective_on": "2026-03-01", "withdrawn": ["volume", "price_cents"]}
    both = amend(browser, **form | {"volume": "8"})
    assert (both.status_code, 'id="withdrawn-error"' in both.text) == (422, True)
    assert amend(browser, **form | {"withdrawn": "status"}).status_code == 422
    assert amend(browser, **form).status_code == 303
    row = the_row(two)
    assert (row.volume, row.price_cents, row.price_per, row.contract) == (None, None, None, "M-18")


def test_a_draft_is_cancelled_by_form_and_an_end_is_corrected(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    with two.write(Operator()) as session:
        given.a_subscription(session, FOIX, status=t.SubscriptionStatus.DRAFT, starts_on=date(2150, 1, 1))
    address = f"/adherents/{FOIX}/subscriptions/2"
    assert "Annuler le brouillon" in browser.get(address).text
    assert "Annuler le brouillon" in browser.get(f"{address}/amend?subject=cancel").text
    assert amend(browser, 2, subject="cancel").status_code == 303
    page = main_of(browser.get(address).text)
    assert "annulée avant son premier jour" in page
    assert "Corriger la fin" in page
    assert "Corriger la fin" in browser.get(f"{address}/amend?subject=end").text
    assert 'id="note-error"' in amend(browser, 2, subject="end", ends_on="").text
    assert amend(browser, 2, subject="end", ends_on="", note="Budget voté").status_code == 303
    assert the_row(two, 2).status is t.SubscriptionStatus.DRAFT


def test_a_version_is_chosen_among_those_of_the_catalogue(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    with two.write(Operator()) as session:
        released = {"service_code": the_row(two).service_code, "released_on": date(2026, 1, 1)}
        session.add(o.ServiceVersion(version="12.4", **released))
    new = browser.get(f"/adherents/{FOIX}/subscriptions/new").text
    assert '<option value="12.4">' in new[new.index("<datalist") : new.index("</datalist>")]
    form = {"subject": "terms", "effective_on": "2026-03-01"}
    refused = amend(browser, service_version="11", **form)
    assert (refused.status_code, 'id="service_version-error"' in refused.text) == (422, True)
    assert '<option value="12.4">' in refused.text
    assert amend(browser, service_version="12.4", **form).status_code == 303


def test_only_months_in_which_it_ran_are_shown_and_asked_for(two: Database, sign_in_as: SignIn) -> None:
    with two.write(Operator()) as session:
        ended = given.a_subscription(
            session, FOIX, contract="M-1", starts_on=date(2024, 11, 15), ends_on=date(2025, 2, 10)
        )
        for month in (date(2024, 12, 1), date(2025, 2, 1)):
            record_month(session, FOIX, ended, month, 7, source=k.VolumeSource.FORM, now=given.NOW, by="ana")
        future = given.a_subscription(session, FOIX, contract="M-2", starts_on=date(2150, 1, 1))
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    page = main_of(browser.get(f"/adherents/{FOIX}/subscriptions/{ended}").text)
    drawn = page[page.index("<svg") : page.index("</svg>")]
    assert re.findall(r"<title>(1 [^ ]+ \d{4}) ·", drawn) == [
        "1 nov. 2024",
        "1 déc. 2024",
        "1 janv. 2025",
        "1 févr. 2025",
    ]
    assert 'max="2025-02"' in page
    assert "sans objet" in page[page.index("Préavis au plus tard") :][:200]
    assert 'name="month"' not in browser.get(f"/adherents/{FOIX}/subscriptions/{future}").text


def test_a_revision_that_is_due_is_marked(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    form = {"subject": "terms", "price": "12", "price_per": "month", "effective_on": "2026-02-01"}
    for revise_on, marked in (("2150-03-01", False), ("2026-03-01", True)):
        assert amend(browser, revise_on=revise_on, **form).status_code == 303
        page = browser.get(f"/adherents/{FOIX}/subscriptions/1").text
        assert ("révision due depuis le" in page) is marked


def test_a_draft_without_a_plan_is_taken_by_form(two: Database, sign_in_as: SignIn) -> None:
    answer = sign_in_as(Role.ACCOUNT_MANAGER, FOIX).submit(
        f"/adherents/{FOIX}/subscriptions",
        service="payroll",
        starts_on="2026-01-01",
        draft="yes",
        plan="none",
        price="4,35",
        price_per="unit",
    )
    assert answer.location == f"/adherents/{FOIX}/subscriptions/2"
    taken = subscriptions(two)[-1]
    assert (taken.status, taken.plan_code, taken.price_cents) == (t.SubscriptionStatus.DRAFT, None, 435)


def test_a_subscription_that_is_not_there_is_at_no_address(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    form = {"subject": "terms", "effective_on": "2026-06-01", "volume": "3"}
    assert browser.get(f"/adherents/{FOIX}/subscriptions/9").status_code == 404
    assert amend(browser, 9, **form).status_code == 404
    assert browser.get(f"/adherents/{PAMIERS}/subscriptions/1").status_code == 404
    assert amend(browser, 1, PAMIERS, **form).status_code == 404
