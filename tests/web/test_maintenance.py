"""Planned work on its pages and in calendars: planned, announced, read by adherents and by programs."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from console.domain.access import Role
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser
from tests.calendar_files import ReadEvent, read_calendar

SignIn = Callable[..., Browser]
FOIX, PAMIERS = 2, 3
PARIS = ZoneInfo("Europe/Paris")
STARTS = (datetime.now(UTC) + timedelta(days=10)).replace(hour=20, minute=0, second=0, microsecond=0)
WALL = STARTS.astimezone(PARIS)
MONTH = f"{WALL:%Y-%m}"
FORM = {
    "title": "Mise à jour; du socle, et d'un titre assez long pour que sa ligne soit coupée en deux",
    "starts_at": f"{WALL:%Y-%m-%dT%H:%M}",
    "zone": "Europe/Paris",
    "duration_min": "120",
    "scope": "service:hds-iaas",
    "effect": "degraded",
}
WORK = "/maintenance/1"
LINK = re.compile(r"http://localhost(/calendar/[^<]+\.ics)")


@pytest.fixture
def two(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
        given.a_subscription(session, FOIX, "hds-iaas")
    return database


def announced(browser: Browser, **form: str) -> None:
    assert browser.submit("/maintenance", **(FORM | form)).location == WORK
    assert browser.submit(f"{WORK}/announce").status_code == 303


def feed(browser: Browser, adherent: int | str = "") -> str:
    """The address of a new link."""
    found = LINK.search(browser.submit("/account/calendars", adherent=str(adherent)).text)
    assert found is not None
    return found[1]


def events(browser: Browser, address: str) -> list[ReadEvent]:
    """What a calendar program reads at an address, in order."""
    answer = browser.get(address)
    assert answer.mimetype == "text/calendar"
    return sorted(read_calendar(answer.data).values(), key=lambda one: one.uid)


def test_work_is_drafted_seen_with_its_dates_and_announced(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    assert browser.submit("/maintenance", **FORM).location == WORK
    page = browser.get(WORK).text
    assert "brouillon" in page
    assert "CH de Foix" in page
    assert "suffisant" in page
    cio = sign_in_as(Role.CIO, FOIX)
    assert "du socle" not in cio.get(f"/adherents/{FOIX}/maintenance?month={MONTH}").text
    assert browser.submit(f"{WORK}/announce").status_code == 303
    assert "du socle" in cio.get(f"/adherents/{FOIX}/maintenance?month={MONTH}").text
    assert "du socle" in browser.get(f"/maintenance?month={MONTH}").text
    other = sign_in_as(Role.CIO, PAMIERS)
    assert "du socle" not in other.get(f"/adherents/{PAMIERS}/maintenance?month={MONTH}").text


def test_a_draft_is_changed_and_an_announced_record_is_not(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    browser.submit("/maintenance", **FORM)
    assert "Mise à jour" in browser.get(f"{WORK}/facts").text
    assert browser.submit(f"{WORK}/facts", **(FORM | {"title": "Autre titre"})).status_code == 303
    assert "Autre titre" in browser.get(WORK).text
    browser.submit(f"{WORK}/announce")
    assert browser.get(f"{WORK}/facts").status_code == 409
    assert browser.submit(f"{WORK}/facts", **FORM).status_code == 409


def test_work_told_too_late_says_for_how_many_it_is_downtime(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    soon = (datetime.now(UTC) + timedelta(hours=5)).astimezone(PARIS)
    browser.submit("/maintenance", **(FORM | {"starts_at": f"{soon:%Y-%m-%dT%H:%M}"}))
    assert "compte comme indisponibilité pour 1 souscription dont le plan demande 72" in browser.get(
        WORK
    ).text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"title": ""}, "Un texte d"),
        ({"starts_at": "demain"}, "date et une heure"),
        ({"rule": "FREQ=HOURLY"}, "règle de répétition"),
        ({"scope": "service:rien"}, "catalogue"),
        ({"adherents": "Foix"}, "numéros"),
        ({"adherents": str(PAMIERS)}, "souscrit"),
    ],
)
def test_a_wrong_field_gives_the_form_again(
    two: Database, sign_in_as: SignIn, form: dict[str, str], said: str
) -> None:
    browser = sign_in_as(Role.OPS)
    answer = browser.submit("/maintenance", **(FORM | form))
    assert answer.status_code == 422
    assert said in answer.text
    assert browser.get(WORK).status_code == 404


def test_one_date_is_moved_or_cancelled_and_the_feed_follows(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    announced(browser, rule="FREQ=WEEKLY;COUNT=2")
    address, anyone = feed(sign_in_as(Role.CIO, FOIX), FOIX), sign_in_as(Role.CIO, PAMIERS)
    first, second = events(anyone, address)
    assert first.summary == FORM["title"]
    assert (first.starts_at, first.ends_at) == (STARTS, STARTS + timedelta(hours=2))
    assert (first.sequence, first.status) == (0, "CONFIRMED")
    assert first.stamped_at <= datetime.now(UTC)
    key, later = STARTS.isoformat(), WALL + timedelta(days=1)
    moved = {"occurrence": key, "starts_at": f"{later:%Y-%m-%dT%H:%M}"}
    assert browser.submit(f"{WORK}/occurrences/move", **moved).status_code == 303
    assert browser.submit(f"{WORK}/occurrences/move", **moved).status_code == 422
    after, same = events(anyone, address)
    assert (after.uid, after.sequence, after.starts_at) == (first.uid, 1, later.astimezone(UTC))
    assert after.stamped_at >= first.stamped_at
    assert same == second
    assert browser.submit(f"{WORK}/occurrences/cancel", occurrence=key).status_code == 303
    assert browser.submit(f"{WORK}/occurrences/cancel", occurrence=key).status_code == 409
    assert browser.submit(f"{WORK}/occurrences/cancel", occurrence="hier").status_code == 422
    gone, still = events(anyone, address)
    assert (gone.uid, gone.sequence, gone.status) == (first.uid, 2, "CANCELLED")
    assert gone.stamped_at >= after.stamped_at
    assert still == second
    assert browser.submit(f"{WORK}/cancel").status_code == 303
    assert [(one.sequence, one.status) for one in events(anyone, address)] == [
        (2, "CANCELLED"),
        (1, "CANCELLED"),
    ]


def test_a_link_opens_what_its_account_sees_until_it_is_revoked(two: Database, sign_in_as: SignIn) -> None:
    ops = sign_in_as(Role.OPS)
    announced(ops)
    everyone, cio = feed(ops), sign_in_as(Role.CIO, PAMIERS)
    own = feed(cio, PAMIERS)
    assert len(events(cio, everyone)) == 1
    assert events(cio, own) == []
    assert cio.submit("/account/calendars", adherent=str(FOIX)).status_code == 404
    assert cio.submit("/account/calendars", adherent="").status_code == 404
    assert cio.submit("/account/calendars/1/end").status_code == 404
    assert cio.submit("/account/calendars/2/end").status_code == 303
    assert cio.get(own).status_code == 404
    assert cio.submit("/account/calendars/2/end").status_code == 404
    assert cio.get("/calendar/rien.ics").status_code == 404
    assert len(events(ops, everyone)) == 1


def test_the_feed_of_an_adherent_holds_its_own_work_alone_and_that_of_the_operator_each_date_once(
    two: Database, sign_in_as: SignIn
) -> None:
    with two.write(Operator()) as session:
        given.a_subscription(session, FOIX, "payroll")
        given.a_subscription(session, PAMIERS, "payroll")
    ops = sign_in_as(Role.OPS)
    announced(ops, rule="FREQ=WEEKLY;COUNT=2")
    ops.submit("/maintenance", **(FORM | {"title": "Paie", "scope": "service:payroll"}))
    ops.submit("/maintenance/2/announce")
    foix, pamiers = sign_in_as(Role.CIO, FOIX), sign_in_as(Role.CIO, PAMIERS)
    assert len(events(foix, feed(foix, FOIX))) == 3
    (own,) = events(pamiers, feed(pamiers, PAMIERS))
    assert own.summary == "Paie"
    assert len(events(ops, feed(ops))) == 3
    assert own in events(ops, feed(ops, PAMIERS))


def test_the_link_is_shown_once(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.CIO, FOIX)
    address = feed(browser, FOIX)
    page = browser.get("/account/calendars").text
    assert "CH de Foix" in page
    assert address not in page


@pytest.mark.parametrize(
    ("role", "sees", "plans"),
    [
        (Role.ADMINISTRATOR, 200, 200),
        (Role.OPS, 200, 200),
        (Role.AUDITOR, 200, 403),
        (Role.ACCOUNT_MANAGER, 403, 403),
        (Role.CIO, 403, 403),
    ],
)
def test_records_are_for_those_who_see_every_adherent(
    two: Database, sign_in_as: SignIn, role: Role, sees: int, plans: int
) -> None:
    announced(sign_in_as(Role.OPS))
    browser = sign_in_as(role, FOIX)
    assert (browser.get("/maintenance").status_code, browser.get(WORK).status_code) == (sees, sees)
    assert browser.get("/maintenance/new").status_code == plans
    assert browser.get(f"/adherents/{FOIX}/maintenance").status_code == 200
    assert browser.submit(f"{WORK}/cancel").status_code == (303 if plans == 200 else 403)


def test_it_is_there_in_english_and_a_month_that_is_none_is_refused(
    two: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.OPS, locale="en")
    announced(browser)
    assert "Planned work" in browser.get(f"/maintenance?month={MONTH}").text
    assert browser.get("/maintenance?month=1926-13").status_code == 422
