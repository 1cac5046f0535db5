"""Workloads are claimed for an adherent, and their claims end, on a page of their own."""

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


def claims(database: Database, tenant_id: int = FOIX) -> list[c.WorkloadClaim]:
    with database.read(Operator()) as session:
        return list(session.scalars(select(c.WorkloadClaim).where(c.WorkloadClaim.tenant_id == tenant_id)))


def test_ops_claim_a_workload_and_its_energy_becomes_the_adherents(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    page = browser.get(f"/adherents/{FOIX}/claims").text
    assert PAYROLL in page
    assert "Aucune charge affectée" in page
    answer = browser.submit(
        f"/adherents/{FOIX}/claims", workload=PAYROLL, subscription="1", first_day="2026-01-02", last_day=""
    )
    assert answer.status_code == 303
    (claim,) = claims(two)
    assert claim.workload_name == "payroll"
    page = browser.get(f"/adherents/{FOIX}/claims").text
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
    assert PAYROLL not in browser.get(f"/adherents/{FOIX}/claims?words=other").text
