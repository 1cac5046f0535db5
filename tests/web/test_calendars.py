"""Calendars as people read, write, check and copy them."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from console.domain.access import Role
from console.store.queries.calendars import service_calendar
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser, fields_of

SignIn = Callable[..., Browser]
NEXT_YEAR = datetime.now(UTC).year + 1
FORM = {
    "code": "payroll-desk",
    "name": "Guichet de la paie",
    "kind": "weekly",
    "zone": "Europe/Paris",
    "territory": "FR-57",
    **{f"day-{weekday}": "08:00-12:00, 14:00-18:00" for weekday in range(5)},
    "day-5": "22:00-06:00",
    "day-6": "",
    "closure-0-first": "2026-12-24",
    "closure-0-last": "2027-01-02",
    "closure-0-name": "Fin d'année",
    "closure-1-first": "",
    "closure-1-last": "",
    "closure-1-name": "",
    "opening-0-on": "2027-05-01",
    "opening-0-segments": "09:00-11:00",
    "opening-0-name": "Inventaire",
}

NO_OPENING = {"opening-0-on": "", "opening-0-segments": "", "opening-0-name": ""}


@pytest.fixture
def administrator(database: Database, sign_in_as: SignIn) -> Browser:
    with database.write(Operator()) as session:
        given.an_adherent(session, 11, "CH de Foix")
    return sign_in_as(Role.ADMINISTRATOR)


def test_a_calendar_is_added_and_a_year_of_it_is_shown(administrator: Browser) -> None:
    answer = administrator.submit("/catalogue/calendars", **FORM)
    assert (answer.status_code, answer.location) == (303, "/catalogue/calendars/payroll-desk")
    year = administrator.get("/catalogue/calendars/payroll-desk?year=2027").text
    for text in ("Vendredi saint", "Fin d&#39;année", "Inventaire", "jour de 23 h", "jour de 25 h", "8 h"):
        assert text in year
    assert "Guichet de la paie" in administrator.get("/catalogue/calendars").text
    edit = administrator.get("/catalogue/calendars/payroll-desk/edit").text
    assert 'value="22:00-06:00"' in edit
    assert 'value="2027-05-01"' in edit


def test_a_calendar_begins_as_the_one_it_copies(administrator: Browser) -> None:
    form = administrator.get("/catalogue/calendars/new?copy=working-hours").text
    assert form.count('value="08:00-18:00"') == 5
    assert 'name="code"' in form


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"day-0": "8h-12h"}, "ne se lit pas comme une plage"),
        ({"day-0": "08:00-12:00, 11:00-18:00"}, "Deux plages se chevauchent"),
        ({"day-6": "05:00-08:00"}, "chevauchent celles de la veille"),
        ({f"day-{weekday}": "" for weekday in range(7)}, "Aucun jour de la semaine"),
        ({"zone": "Paris"}, "n&#39;est pas un fuseau"),
        ({"territory": "FR-99"}, "Un territoire de la liste"),
        ({"closure-0-last": "2026-12-23"}, "Une fermeture finit au plus tôt"),
        ({"closure-0-first": "hier"}, "n&#39;est pas une date"),
        ({"opening-0-segments": ""}, "Les heures du 2027-05-01"),
        ({"opening-0-on": ""}, "n&#39;est pas une date"),
        ({"code": "Guichet"}, "Un code s&#39;écrit en minuscules"),
        ({"name": " "}, "Un texte d&#39;une ligne"),
        (
            NO_OPENING | {"closure-0-first": "2000-01-01", "closure-0-last": "2100-12-31"},
            "n&#39;ouvre pas dans les dix ans",
        ),
    ],
)
def test_what_cannot_be_a_calendar_is_told_at_its_field(
    database: Database, administrator: Browser, changes: dict[str, str], said: str
) -> None:
    answer = administrator.submit("/catalogue/calendars", **FORM | changes)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="Fin d&#39;année"' in answer.text
    assert "payroll-desk" not in administrator.get("/catalogue/calendars").text


def test_the_form_is_checked_while_it_is_written(administrator: Browser) -> None:
    good = administrator.submit(
        "/catalogue/calendars/check",
        **FORM | {"closure-0-first": "", "closure-0-last": "", "closure-0-name": ""},
    )
    assert f"en {NEXT_YEAR}" in good.text
    wrong = administrator.submit("/catalogue/calendars/check", **FORM | {"day-0": "8"})
    assert "ne se lit pas" in wrong.text


def test_a_calendar_that_a_subscription_holds_keeps_its_week_and_takes_a_closure_ahead(
    database: Database, administrator: Browser
) -> None:
    with database.write(Operator()) as session:
        given.a_subscription(session, 11, "training")
    form = {
        **FORM,
        **{f"day-{weekday}": "08:00-18:00" if weekday < 5 else "" for weekday in range(7)},
        "name": "Jours ouvrés, 8 h – 18 h",
        "territory": "FR",
        **NO_OPENING,
        "closure-0-first": f"{NEXT_YEAR}-08-02",
        "closure-0-last": f"{NEXT_YEAR}-08-06",
    }
    edit = administrator.get("/catalogue/calendars/working-hours/edit").text
    assert "Une souscription tient ce calendrier" in edit
    address = "/catalogue/calendars/working-hours"
    seen = administrator.filled_in(f"{address}/edit", address)
    form["version"] = seen["version"]
    assert administrator.submit(address, **form | {"day-0": "08:00-12:00"}).status_code == 409
    yearly = administrator.submit(address, **form | {"closure-0-yearly": "yes"})
    assert (yearly.status_code, "vaudrait aussi pour le passé" in yearly.text) == (422, True)
    past = administrator.submit(address, **form | {"closure-0-first": "2026-01-05"})
    assert (past.status_code, "est passé ou en cours" in past.text) == (422, True)
    assert administrator.submit(address, **form).status_code == 303
    with database.read(Operator()) as session:
        (closure,) = service_calendar(session, "working-hours").hours.closures
    assert closure.first.year == NEXT_YEAR
    stale = administrator.submit(address, **form | {"name": "Autre nom"})
    assert (stale.status_code, 'value="Autre nom"' in stale.text) == (409, True)
    again = fields_of(stale.text, address)
    assert administrator.submit(address, **again).status_code == 303


def test_a_cio_reads_calendars_and_changes_none(administrator: Browser, sign_in_as: SignIn) -> None:
    cio = sign_in_as(Role.CIO, 11)
    page = cio.get("/catalogue/calendars/24x7?year=2028").text
    assert "8 784 h".replace(" ", "\N{NARROW NO-BREAK SPACE}", 1) in page
    assert "Modifier" not in page
    assert cio.get("/catalogue/calendars/24x7/edit").status_code == 403
    assert cio.get("/catalogue/calendars/unknown").status_code == 404
