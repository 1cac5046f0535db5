"""Hospital groups and their members, in the browser."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from console.domain.access import Role
from console.store.models import catalogue as c
from console.store.models import directory as d
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser

SignIn = Callable[..., Browser]
BOURG, OYONNAX = "010780054", "010008407"


@pytest.fixture
def group(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, 11, "CH de Bourg")
        session.get_one(c.Adherent, 11).finess_ej = BOURG
        given.the_directory(session)
        given.a_group(session, "84103", BOURG, OYONNAX)
    return database


def membership(database: Database, finess_ej: str) -> d.GhtMembership:
    with database.read(Operator()) as session:
        return session.scalars(
            select(d.GhtMembership)
            .where(d.GhtMembership.finess_ej == finess_ej)
            .order_by(d.GhtMembership.membership_id)
        ).all()[-1]


def test_the_list_is_searched_and_names_the_support_establishment(
    group: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    found = browser.fragment("/ght?words=84103").text
    assert "<html" not in found
    assert "GHT 84103" in found
    assert "Aucun GHT ne correspond" in browser.get("/ght?words=ailleurs").text


def test_without_groups_the_page_says_what_to_do(database: Database, sign_in_as: SignIn) -> None:
    assert "Importez la table des GHT" in sign_in_as(Role.ADMINISTRATOR).get("/ght").text


def test_members_show_with_their_days_and_which_are_adherents(group: Database, sign_in_as: SignIn) -> None:
    page = sign_in_as(Role.ADMINISTRATOR).get("/ght/84103").text
    assert "établissement support" in page
    assert "/adherents/11" in page
    assert "/directory/entities/010008407" in page
    with group.write(Operator()) as session:
        given.an_adherent(session, 12, "CH de Foix")
    other = sign_in_as(Role.ACCOUNT_MANAGER, 12).get("/ght/84103").text
    assert "/adherents/11" not in other
    assert "<form" not in other.split("<main", 1)[1].split("</main>", 1)[0]


def test_a_member_is_added_and_ended_by_hand(group: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    answer = browser.submit(
        "/ght/84103/members", finess_ej="010780062", role="member", first_day="2026-01-01"
    )
    assert answer.status_code == 303
    row = membership(group, "010780062")
    assert (row.valid_from, row.valid_to, row.role.value) == (date(2026, 1, 1), None, "member")
    assert row.source.startswith("administrator")
    yesterday = datetime.now(UTC).date() - timedelta(days=2)
    ended = browser.submit(f"/ght/84103/members/{row.membership_id}", last_day=yesterday.isoformat())
    assert ended.status_code == 303
    assert membership(group, "010780062").valid_to == yesterday + timedelta(days=1)
    assert "Avant, ou plus tard" in browser.get("/ght/84103").text


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"finess_ej": "010780055"}, 422, "clé"),
        ({"finess_ej": "10780062"}, 422, "010780062 attendu"),
        ({"finess_ej": "750000001"}, 422, "clé"),
        ({"role": "chief"}, 422, "Un choix de la liste"),
        ({"first_day": ""}, 422, "Une date est attendue"),
        ({"role": "support"}, 409, BOURG),
    ],
)
def test_a_wrong_member_is_told(
    group: Database, sign_in_as: SignIn, fields: dict[str, str], status: int, said: str
) -> None:
    form = {"finess_ej": "010780062", "role": "member", "first_day": "2026-01-01"} | fields
    answer = sign_in_as(Role.ADMINISTRATOR).submit("/ght/84103/members", **form)
    assert answer.status_code == status
    assert said in answer.text


def test_a_group_or_a_membership_that_is_not_there(group: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    number = membership(group, OYONNAX).membership_id
    assert browser.get("/ght/99999").status_code == 404
    assert browser.submit(f"/ght/99999/members/{number}", last_day="2026-01-01").status_code == 404
    assert browser.submit("/ght/84103/members/999", last_day="2026-01-01").status_code == 404
    wrong = browser.submit(f"/ght/84103/members/{number}", last_day="2001-01-01")
    assert wrong.status_code == 422
    assert f"end-{number}-error" in wrong.text


@pytest.mark.parametrize("role", [Role.ACCOUNT_MANAGER, Role.OPS, Role.CIO, Role.AUDITOR])
def test_only_an_administrator_changes_members(group: Database, sign_in_as: SignIn, role: Role) -> None:
    browser, number = sign_in_as(role, 11), membership(group, OYONNAX).membership_id
    form = {"finess_ej": "010780062", "role": "member", "first_day": "2026-01-01"}
    assert browser.submit("/ght/84103/members", **form).status_code == 403
    assert browser.submit(f"/ght/84103/members/{number}", last_day="2026-01-01").status_code == 403
    assert membership(group, OYONNAX).valid_to is None
    assert browser.get("/ght/84103").status_code == (403 if role in (Role.OPS, Role.CIO) else 200)
