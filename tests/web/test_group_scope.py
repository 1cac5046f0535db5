"""The CIO of a support establishment reads the members of its group and changes nothing of them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask

from console.domain.access import Role
from console.store.models import catalogue as c
from console.store.session import Database, Operator
from console.web.access import scope, signed_in
from tests import given
from tests.browser import Browser

pytestmark = pytest.mark.both_databases

SignIn = Callable[..., Browser]
CHIEF, ONE, GONE, NAMELESS, STRANGER = 11, 12, 13, 14, 15
ENTITIES = {CHIEF: "010780054", ONE: "010008407", GONE: "010780062", STRANGER: "970302022"}
NAMES = {
    CHIEF: "CH de Bourg",
    ONE: "CH d'Oyonnax",
    GONE: "CH de Belley",
    NAMELESS: "Cabinet Sans Numéro",
    STRANGER: "CH de Cayenne",
}


@pytest.fixture
def group(database: Database) -> Database:
    today = datetime.now(UTC).date()
    with database.write(Operator()) as session:
        for tenant_id, name in NAMES.items():
            given.an_adherent(session, tenant_id, name)
            session.get_one(c.Adherent, tenant_id).finess_ej = ENTITIES.get(tenant_id)
            given.an_incident(session, tenant_id, f"Panne {tenant_id}")
        given.a_group(session, "84103", "010780054", "010008407")
        left = today - timedelta(days=2)
        given.a_membership(session, "84103", "010780062", "member", date(2020, 1, 1), left)
    return database


def statuses(browser: Browser) -> dict[int, int]:
    return {tenant_id: browser.get(f"/adherents/{tenant_id}").status_code for tenant_id in NAMES}


def test_the_support_establishment_reads_those_that_are_members_today(
    group: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.CIO, CHIEF)
    assert statuses(browser) == {CHIEF: 200, ONE: 200, GONE: 404, NAMELESS: 404, STRANGER: 404}
    page = browser.get("/adherents").text
    assert "CH d&#39;Oyonnax" in page
    for other in ("Belley", "Sans Numéro", "Cayenne"):
        assert other not in page


@pytest.mark.parametrize("own", [ONE, GONE, NAMELESS, STRANGER])
def test_a_member_never_sees_its_siblings(group: Database, sign_in_as: SignIn, own: int) -> None:
    browser = sign_in_as(Role.CIO, own)
    assert statuses(browser) == {tenant_id: 200 if tenant_id == own else 404 for tenant_id in NAMES}
    assert "Panne 11" not in browser.get("/incidents").text


def test_an_account_manager_sees_its_portfolio_only(group: Database, sign_in_as: SignIn) -> None:
    assert statuses(sign_in_as(Role.ACCOUNT_MANAGER, CHIEF))[ONE] == 404


def test_a_membership_that_begins_or_ends_shows_at_once(group: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.CIO, CHIEF)
    today = datetime.now(UTC).date()
    with group.write(Operator()) as session:
        given.a_membership(session, "84103", "970302022", "member", today + timedelta(days=2))
    assert browser.get(f"/adherents/{STRANGER}").status_code == 404
    with group.write(Operator()) as session:
        given.a_group(session, "84104", "010780054", "010780062")
    assert browser.get(f"/adherents/{GONE}").status_code == 200


def test_a_member_is_read_and_not_changed_whatever_the_view(
    app: Flask, group: Database, sign_in_as: SignIn
) -> None:
    """Every account may open these views: what refuses is the gate, and the scope behind it."""
    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    held = signed_in(lambda **_: str(sorted(getattr(scope(), "ids", []))))
    app.extensions["csrf"].exempt(held)
    app.add_url_rule("/adherents/<int:tenant_id>/held", "held", held, methods=methods)
    app.add_url_rule("/held", "held_elsewhere", held, methods=methods)
    browser = sign_in_as(Role.CIO, CHIEF)
    for tenant_id, change in ((CHIEF, 200), (ONE, 403), (GONE, 404), (STRANGER, 404)):
        read = 404 if change == 404 else 200
        answers = {m: browser.open(f"/adherents/{tenant_id}/held", method=m).status_code for m in methods}
        assert answers == {m: read if m in ("GET", "HEAD") else change for m in methods}, tenant_id
    assert browser.get("/held").text == "[11, 12]"
    assert browser.post("/held").text == "[11]"


def test_what_a_cio_may_not_change_of_a_member_is_refused(group: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.CIO, CHIEF)
    assert browser.submit(f"/adherents/{ONE}/incidents", title="Panne").status_code in (403, 405)
    assert browser.submit(f"/adherents/{ONE}/subscriptions", service="payroll").status_code == 403
    assert browser.submit(f"/adherents/{GONE}/subscriptions", service="payroll").status_code == 404


def test_the_log_of_a_member_is_its_own(group: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.CIO, CHIEF)
    assert browser.get(f"/adherents/{CHIEF}/audit").status_code == 200
    assert browser.get(f"/adherents/{ONE}/audit").status_code == 403
    assert f"/adherents/{ONE}/audit" not in browser.get(f"/adherents/{ONE}").text
    assert "Oyonnax" not in browser.get("/audit", follow_redirects=True).text
