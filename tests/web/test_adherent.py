"""The page of one adherent: what it shows, what may be changed there, and by whom."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from console.domain.access import Role
from console.domain.hours import hour_of
from console.store.models import catalogue as c
from console.store.models import measurement as m
from console.store.models import tenant as t
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser

SignIn = Callable[..., Browser]
FOIX, PAMIERS = 11, 12
THIS_HOUR = hour_of(datetime.now(UTC))
TODAY = datetime.now(UTC).date()
PAYROLL = f"{m.stable_id('srv-01')}:{m.stable_id('payroll')}"


@pytest.fixture
def two(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
        given.a_metered_morning(session, THIS_HOUR - timedelta(hours=2), nginx=PAMIERS)
    return database


def subscriptions(database: Database, tenant_id: int = FOIX) -> list[t.Subscription]:
    with database.read(Operator()) as session:
        return list(session.scalars(select(t.Subscription).where(t.Subscription.tenant_id == tenant_id)))


def claims(database: Database, tenant_id: int = FOIX) -> list[c.WorkloadClaim]:
    with database.read(Operator()) as session:
        return list(session.scalars(select(c.WorkloadClaim).where(c.WorkloadClaim.tenant_id == tenant_id)))


def test_it_shows_the_facts_the_subscriptions_and_the_claims(two: Database, sign_in_as: SignIn) -> None:
    page = sign_in_as(Role.OPS).get(f"/adherents/{PAMIERS}").text
    for text in ("CH de Pamiers", "Conseil et accompagnement", "nginx", "srv-01", "mesuré", "Europe/Paris"):
        assert text in page
    english = sign_in_as(Role.OPS, locale="en").get(f"/adherents/{PAMIERS}").text
    assert "Consulting" in english


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
    address = f"/adherents/{FOIX}/subscriptions/1"
    assert browser.submit(address, deed="suspend").status_code == 303
    assert subscriptions(two)[0].status is t.SubscriptionStatus.SUSPENDED
    assert browser.submit(address, deed="suspend").status_code == 409
    assert browser.submit(address, deed="resume").status_code == 303
    assert browser.submit(address, deed="delete").status_code == 422
    assert browser.submit(address, deed="end", ends_on="2025-01-01").status_code == 422
    assert browser.submit(address, deed="end", ends_on="2026-06-30").status_code == 303
    assert subscriptions(two)[0].status is t.SubscriptionStatus.ENDED


def test_ops_claim_a_workload_and_its_energy_becomes_the_adherents(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    page = browser.get(f"/adherents/{FOIX}").text
    assert PAYROLL in page
    assert "Aucune charge affectée" in page
    answer = browser.submit(
        f"/adherents/{FOIX}/claims", workload=PAYROLL, subscription="1", first_day="2026-01-02", last_day=""
    )
    assert answer.status_code == 303
    (claim,) = claims(two)
    assert claim.workload_name == "payroll"
    page = browser.get(f"/adherents/{FOIX}").text
    assert PAYROLL not in page  # it is free no more
    with two.read(Operator()) as session:
        assert session.scalars(select(t.EnergyLine).where(t.EnergyLine.tenant_id == FOIX)).first()
    ended = browser.submit(f"/adherents/{FOIX}/claims/{claim.claim_id}", last_day="2026-01-31")
    assert ended.status_code == 303
    assert claims(two)[0].valid_to is not None


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        ({"workload": "rien"}, 422),
        ({"workload": "1:2"}, 404),
        ({"workload": f"{2**63}:1"}, 422),
        ({"workload": f"1:{2**63}"}, 422),
        ({"workload": f"{2**63 - 1}:1"}, 404),
        ({"workload": f"{10**19 - 1}:1"}, 422),
        ({"subscription": str(2**31)}, 422),
        ({"subscription": "99"}, 404),
        ({"subscription": ""}, 422),
        ({"first_day": "2025-01-01"}, 422),
        ({"first_day": "2026-02-01", "last_day": "2026-01-01"}, 422),
        ({"workload": f"{m.stable_id('srv-01')}:{m.stable_id('nginx')}"}, 409),
    ],
)
def test_a_claim_that_cannot_be_changes_nothing(
    two: Database, sign_in_as: SignIn, typed: dict[str, str], status: int
) -> None:
    form = {"workload": PAYROLL, "subscription": "1", "first_day": TODAY.isoformat(), "last_day": ""}
    answer = sign_in_as(Role.OPS).submit(f"/adherents/{FOIX}/claims", **form | typed)
    assert answer.status_code == status
    assert not claims(two)


def test_the_workloads_of_the_form_are_filtered_with_or_without_htmx(
    two: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.OPS)
    assert PAYROLL in browser.fragment(f"/adherents/{FOIX}/workloads?words=pay").text
    assert PAYROLL not in browser.fragment(f"/adherents/{FOIX}/workloads?words=other").text
    assert PAYROLL not in browser.get(f"/adherents/{FOIX}?words=other").text


def test_a_cio_reads_its_own_page_and_changes_nothing(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.CIO, FOIX)
    page = browser.get(f"/adherents/{FOIX}").text
    main = page[page.index("<main") : page.index("</main>")]
    assert "CH de Foix" in main
    assert "<form" not in main
    assert "Ouvrir un incident" not in main
    for address in ("subscriptions", "subscriptions/1", "claims", "claims/1", "incidents"):
        assert browser.submit(f"/adherents/{FOIX}/{address}").status_code == 403


@pytest.mark.parametrize("role", [Role.CIO, Role.ACCOUNT_MANAGER])
def test_another_adherent_does_not_exist(two: Database, sign_in_as: SignIn, role: Role) -> None:
    answer = sign_in_as(role, FOIX).get(f"/adherents/{PAMIERS}")
    assert answer.status_code == 404
    assert "Pamiers" not in answer.text


def test_a_manager_changes_nothing_of_another_adherent(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    form = {"service": "payroll", "starts_on": "2026-01-01"}
    assert browser.submit(f"/adherents/{PAMIERS}/subscriptions", **form).status_code == 404
    assert browser.submit(f"/adherents/{PAMIERS}/subscriptions/1", deed="suspend").status_code == 404
    assert [s.status for s in subscriptions(two, PAMIERS)] == [t.SubscriptionStatus.ACTIVE]
