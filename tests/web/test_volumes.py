"""Volumes by form, by file and by program, each in the scope of who tells them."""

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from console.actions.accounts import LOGIN
from console.actions.api_tokens import issue_token
from console.actions.kept_files import KEPT, forget_old_files
from console.domain.access import Role
from console.domain.tokens import Terms, TokenScope
from console.domain.volumes import LARGEST_LIST, MOST_ROWS
from console.store.models import audit as a
from console.store.models import contract as k
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser
from tests.web.test_directory import form

SignIn = Callable[..., Browser]
FOIX, PAMIERS = 11, 12
FORM = f"/adherents/{FOIX}/subscriptions/1/volumes"


@pytest.fixture
def two(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
    return database


def stored(database: Database) -> list[tuple[int, int | None, str, str]]:
    row = k.VolumeMonth
    with database.read(Operator()) as session:
        rows = session.scalars(select(row).order_by(row.tenant_id, row.month, row.revision))
        return [(one.tenant_id, one.volume, one.source.value, one.recorded_by) for one in rows]


def waiting(database: Database) -> int:
    with database.read(Operator()) as session:
        return len(session.scalars(select(k.VolumeFile.file_id)).all())


def look_at(browser: Browser, *rows: str) -> Any:
    content = "\n".join(["adhérent;souscription;mois;volume", *rows])
    return browser.post("/volumes/preview", **form(browser, content.encode(), "volumes.csv"))


def kept(page: str) -> str:
    """The number of the file that a preview would store."""
    found = re.search(r'name="file" value="(\d+)"', page)
    assert found is not None
    return found[1]


def test_a_month_is_told_by_form_and_shown_with_where_it_comes_from(
    two: Database, sign_in_as: SignIn
) -> None:
    manager = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    assert manager.submit(FORM, month="2026-10", volume="2 400").status_code == 303
    page = sign_in_as(Role.CIO, FOIX).get(f"/adherents/{FOIX}/subscriptions/1").text
    assert "saisie" in page
    assert "volumes-chart" in page
    assert "<form" not in page[page.index('id="volumes"') : page.index('id="terms"')]
    assert [row[:3] for row in stored(two)] == [(FOIX, 2400, "form")]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"month": ""}, "Le mois manque"),
        ({"volume": "beaucoup"}, "nombre entier"),
        ({"month": "2199-01"}, "commencé"),
    ],
)
def test_a_wrong_volume_is_told_beside_its_field(two: Database, sign_in_as: SignIn, typed, said: str) -> None:
    answer = sign_in_as(Role.ACCOUNT_MANAGER, FOIX).submit(
        FORM, **{"month": "2026-10", "volume": "7"} | typed
    )
    assert answer.status_code == 422
    assert said in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert stored(two) == []


def test_a_file_is_looked_at_before_it_is_stored(two: Database, sign_in_as: SignIn) -> None:
    content = "Adhérent;Souscription;Mois;Volume\n11;1;2026-10;5\n12;1;2026-10;6\n11;1;2026-09;beaucoup\n"
    manager = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    seen = manager.submit("/volumes/preview", file=(io.BytesIO(content.encode("cp1252")), "volumes.csv"))
    assert seen.status_code == 200
    assert "Aucun adhérent de votre périmètre" in seen.text
    assert "beaucoup" in seen.text
    assert "Enregistrer 1 volume" in seen.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "Pamiers" not in seen.text
    assert stored(two) == []
    file = kept(seen.text)
    assert manager.submit("/volumes", file=file).status_code == 303
    assert [row[:3] for row in stored(two)] == [(FOIX, 5, "csv")]
    assert manager.submit("/volumes", file=file).status_code == 404


def test_a_file_is_for_the_one_who_sent_it(two: Database, sign_in_as: SignIn) -> None:
    seen = look_at(sign_in_as(Role.ACCOUNT_MANAGER, FOIX), "11;1;2026-10;5")
    for other in (sign_in_as(Role.ACCOUNT_MANAGER, FOIX), sign_in_as(Role.ADMINISTRATOR)):
        assert other.submit("/volumes", file=kept(seen.text)).status_code == 404
    assert stored(two) == []


@pytest.mark.parametrize("named", ["", "0", "7"])
def test_a_file_that_is_not_kept_is_not_there(two: Database, sign_in_as: SignIn, named: str) -> None:
    assert sign_in_as(Role.ACCOUNT_MANAGER, FOIX).submit("/volumes", file=named).status_code == 404


def test_a_file_with_nothing_to_store_is_not_kept(two: Database, sign_in_as: SignIn) -> None:
    seen = look_at(sign_in_as(Role.ACCOUNT_MANAGER, FOIX), "12;1;2026-10;5")
    assert seen.status_code == 200
    assert waiting(two) == 0


def test_a_file_that_waited_a_week_is_forgotten(two: Database, sign_in_as: SignIn) -> None:
    look_at(sign_in_as(Role.ACCOUNT_MANAGER, FOIX), "11;1;2026-10;5")
    for left, now in ((1, datetime.now(UTC) + KEPT - timedelta(hours=1)), (0, datetime.now(UTC) + KEPT)):
        with two.write(Operator()) as session:
            forget_old_files(session, now=now)
        assert waiting(two) == left


def test_as_many_rows_as_are_promised_are_looked_at_and_stored(two: Database, sign_in_as: SignIn) -> None:
    """Rows of which each names another adherent: only the first is there."""
    manager = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    seen = look_at(manager, *(f"{FOIX + row};1;2026-10;5{' ' * 60}" for row in range(MOST_ROWS)))
    assert seen.status_code == 200
    assert manager.submit("/volumes", file=kept(seen.text)).status_code == 303
    assert [row[:3] for row in stored(two)] == [(FOIX, 5, "csv")]
    assert look_at(manager, *["11;1;2026-10;5"] * (MOST_ROWS + 1)).status_code == 422
    assert look_at(manager, "x" * (LARGEST_LIST + 70_000)).status_code == 413


def test_a_long_file_is_not_read_from_those_who_may_not_send_one(two: Database, sign_in_as: SignIn) -> None:
    assert look_at(sign_in_as(Role.OPS, FOIX), "x" * 2 * 1024 * 1024).status_code == 413


def test_a_file_that_is_none_is_refused(two: Database, sign_in_as: SignIn) -> None:
    manager = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    assert "vide" in manager.submit("/volumes/preview").text
    answer = manager.submit("/volumes/preview", file=(io.BytesIO(b"a;b\n1;2\n"), "volumes.csv"))
    assert answer.status_code == 422
    assert "colonne" in answer.text


@pytest.mark.parametrize("role", [Role.CIO, Role.OPS, Role.AUDITOR])
def test_only_those_who_may_record_volumes(two: Database, sign_in_as: SignIn, role: Role) -> None:
    browser = sign_in_as(role, FOIX)
    assert browser.get("/volumes").status_code == 403
    assert browser.submit(FORM, month="2026-10", volume="1").status_code == 403


@pytest.fixture
def post(two: Database, browser: Browser) -> Callable[..., Any]:
    def send(items: Any, scope: TokenScope = TokenScope.VOLUMES_WRITE, tenants=frozenset({FOIX})) -> Any:
        with two.write(Operator()) as session:
            terms = Terms(frozenset({scope}), tenants if scope is TokenScope.VOLUMES_WRITE else None)
            token = issue_token(session, f"paie-{datetime.now(UTC)}", terms, now=datetime.now(UTC))
        return browser.post("/api/v1/volumes", json=items, headers={"Authorization": f"Bearer {token}"})

    return send


def test_a_program_tells_volumes_and_hears_of_each(two: Database, post) -> None:
    items = [
        {"adherent": FOIX, "subscription": 1, "month": "2026-10", "volume": 2400},
        {"adherent": str(PAMIERS), "subscription": 1, "month": "2026-10", "volume": 1},
        {"adherent": FOIX, "subscription": 1, "month": "2026-09", "volume": None},
        {"adherent": FOIX, "subscription": 1, "month": "2026-09", "volume": 2.5},
        {"adherent": FOIX, "subscription": 1, "month": "2026-09", "volume": True},
        "rien",
    ]
    outcomes = post(items).get_json()["volumes"]
    assert [one["outcome"] for one in outcomes] == ["stored", *["refused"] * 5]
    assert [one.get("field") for one in outcomes[1:]] == [
        "adherent",
        "volume",
        "volume",
        "volume",
        "adherent",
    ]
    assert [row[:3] for row in stored(two)] == [(FOIX, 2400, "api")]
    assert post(items[:1]).get_json()["volumes"] == [{"item": 1, "outcome": "unchanged"}]
    assert len(stored(two)) == 1


@pytest.mark.parametrize("field", ["adherent", "subscription", "month", "volume"])
@pytest.mark.parametrize("broken", ["\ud800", "11\0", "1\n1"])
def test_what_no_text_can_hold_is_refused_where_it_is(two: Database, post, field: str, broken: str) -> None:
    good = {"adherent": FOIX, "subscription": 1, "month": "2026-10", "volume": 5}
    answer = post([good | {field: broken}, good])
    assert answer.status_code == 200
    refused, kept = answer.get_json()["volumes"]
    assert (refused["outcome"], refused["field"], kept["outcome"]) == ("refused", field, "stored")


@pytest.mark.parametrize("name", ["admin", "x" * 200])
def test_what_a_program_does_is_never_under_the_login_of_a_person(
    two: Database, browser: Browser, name: str
) -> None:
    with two.write(Operator()) as session:
        terms = Terms(frozenset({TokenScope.VOLUMES_WRITE}), frozenset({FOIX}))
        token = issue_token(session, name, terms, now=datetime.now(UTC))
    item = {"adherent": FOIX, "subscription": 1, "month": "2026-10", "volume": 5}
    headers = {"Authorization": f"Bearer {token}"}
    assert browser.post("/api/v1/volumes", json=[item], headers=headers).status_code == 200
    with two.read(Operator()) as session:
        entry = session.scalars(select(a.AuditEntry).where(a.AuditEntry.kind == "volume_month.added")).one()
    assert entry.by == stored(two)[0][3] == f"token/1 {name}"[:200]
    assert LOGIN.fullmatch(entry.by) is None


@pytest.mark.parametrize("items", [{}, "rien", None, [{}] * 20_001])
def test_what_is_no_list_is_refused_whole(post, items: Any) -> None:
    answer = post(items)
    assert answer.status_code == 422
    assert answer.get_json()["error"]["code"] == "invalid"


def test_a_program_tells_as_many_volumes_as_are_promised(two: Database, post) -> None:
    """About two megabytes, of which the first is of an adherent that is there."""
    code = "a-service-with-a-name-as-long-as-any"
    item = {"adherent": "310781406", "subscription": code, "month": "2026-10", "volume": 10**9}
    answer = post([item | {"adherent": FOIX, "subscription": 1}, *[item] * (MOST_ROWS - 1)])
    assert answer.status_code == 200
    assert len(answer.get_json()["volumes"]) == MOST_ROWS
    assert [row[:3] for row in stored(two)] == [(FOIX, 10**9, "api")]
    assert post(["x" * LARGEST_LIST]).status_code == 413


def test_a_token_for_something_else_or_none_opens_nothing(two: Database, browser: Browser, post) -> None:
    assert post([], TokenScope.READINGS_WRITE).status_code == 403
    assert browser.post("/api/v1/volumes", json=[]).status_code == 401
    deep = browser.post("/api/v1/volumes", data=b"[" * 100_000)
    assert deep.status_code == 401


def test_a_list_nested_too_deep_is_refused(two: Database, browser: Browser) -> None:
    with two.write(Operator()) as session:
        terms = Terms(frozenset({TokenScope.VOLUMES_WRITE}), frozenset({FOIX}))
        token = issue_token(session, "paie", terms, now=datetime.now(UTC))
    headers = {"Authorization": f"Bearer {token}"}
    assert browser.post("/api/v1/volumes", data=b"[" * 100_000, headers=headers).status_code == 422
