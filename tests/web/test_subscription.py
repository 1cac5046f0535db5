"""The page of a subscription: what was agreed, what it was on a day, and who may change it."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from console.domain.access import Role
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
