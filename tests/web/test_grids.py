"""Grids: what is known of them is shown with its gaps, and files are looked at before they are taken."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from console.actions.grid import portions, take
from console.domain.access import Role
from console.domain.grid import Intensity
from console.store.models import site as s
from console.store.session import Database, Operator
from tests.browser import Browser
from tests.grids import START, half_hours
from tests.web.test_directory import form
from tests.web.test_sites import text_of

SignIn = Callable[..., Browser]
ECO2MIX = Path(__file__).parents[1] / "data" / "eco2mix" / "eCO2mix_RTE_En-cours-TR_2026-02_03.xls"
MAPS = "Datetime (UTC),Zone id,Carbon intensity gCO₂eq/kWh (direct)\n2026-02-01 00:00:00,FR,30\n"


def know(database: Database, told: list[Intensity], zone: str = "FR") -> None:
    for portion in portions(told):
        with database.write(Operator()) as session:
            take(session, zone, portion, now=datetime.now(UTC))


def sent(browser: Browser, content: bytes, name: str = "eco2mix.xls", zone: str = "fra") -> str:
    answer = browser.post("/carbon/grids/import/preview", **form(browser, content, name, zone=zone))
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def count(database: Database, model: type) -> int:
    with database.read(Operator()) as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_a_file_is_looked_at_stored_and_changes_nothing_when_it_comes_again(
    database: Database, sign_in_as: SignIn
) -> None:
    browser, content = sign_in_as(Role.OPS), ECO2MIX.read_bytes()
    page = sent(browser, content)
    text = text_of(page)
    for said in ("Enregistrer 4000 intensités", "Prévisions seules", "128", "RTE"):
        assert said in text, said
    assert count(database, s.GridIntensity) == 0
    fields = dict(re.findall(r'type="hidden" name="(file|name|zone)" value="([^"]*)"', page))
    assert browser.submit("/carbon/grids/import", **fields).status_code == 303
    assert (count(database, s.GridIntensity), count(database, s.GridHour)) == (4000, 1000)
    shown = text_of(browser.get("/carbon/grids/FR").text)
    for said in ("mars 2026", "février 2026", "672 sur 672", "temps réel", "grid-chart"):
        assert said in shown, said
    assert "Enregistrer" not in sent(browser, content)
    assert browser.submit("/carbon/grids/import", **fields).status_code == 404  # it is no longer kept


@pytest.mark.parametrize(
    ("content", "zone", "said"),
    [
        (b"a;b\n1;2\n", "FR", "ni d'eCO2mix"),
        (MAPS.encode(), "atlantide", "n'est pas un pays"),
        (b"", "FR", "vide"),
    ],
)
def test_a_file_that_is_none_or_a_zone_that_is_none_is_told_so(
    sign_in_as: SignIn, content: bytes, zone: str, said: str
) -> None:
    browser = sign_in_as(Role.OPS)
    answer = browser.post("/carbon/grids/import/preview", **form(browser, content, "f.csv", zone=zone))
    assert answer.status_code == 422
    assert said in text_of(answer.text)


def test_rows_that_are_refused_are_told_with_their_line(sign_in_as: SignIn) -> None:
    page = text_of(sent(sign_in_as(Role.OPS), (MAPS + "2026-02-01 01:00:00,FR,beaucoup\n").encode(), "m.csv"))
    assert "n'est pas une intensité" in page
    assert "Enregistrer 1 intensité" in page


def test_gaps_are_listed_and_unknown_hours_are_not_0(database: Database, sign_in_as: SignIn) -> None:
    know(database, [*half_hours(24), *half_hours(23, START + timedelta(hours=26))])
    browser = sign_in_as(Role.AUDITOR)
    page = text_of(browser.get("/carbon/grids/FR?month=2026-02").text)
    assert "47 sur 672" in page
    assert "24 sur 24" in page
    assert "22 sur 24" in page
    assert re.search(r"2 févr\w*\.? 2026.{0,40}", page)
    day = text_of(browser.get("/carbon/grids/FR?day=2026-02-02").text)
    assert "inconnu" in day
    assert "Ce que l'éditeur en donne" in day
    empty = text_of(browser.get("/carbon/grids/FR?month=2026-05").text)
    assert "Rien n'est connu de ce mois" in empty


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-02-02", 24)])
def test_a_day_has_the_hours_of_its_clock(
    database: Database, sign_in_as: SignIn, day: str, hours: int
) -> None:
    know(database, half_hours(24 * 3, datetime.fromisoformat(f"{day}T00:00Z") - timedelta(days=1)))
    page = text_of(sign_in_as(Role.OPS).get(f"/carbon/grids/FR?month={day[:7]}").text)
    assert f"{hours} sur {hours}" in page


def test_the_list_names_the_data_centres_of_each_grid_and_they_lead_to_it(
    database: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.AUDITOR)
    before = text_of(browser.get("/carbon/grids").text)
    assert "aucune intensité n'a été importée" in before
    assert "Toulouse" in before
    know(database, half_hours(2))
    know(database, half_hours(2), zone="YT")
    after = text_of(browser.get("/carbon/grids").text)
    assert "YT" in after
    assert "/carbon/grids/FR" in browser.get("/sites/tls").text
    assert browser.get("/carbon/grids/YT").status_code == 200


@pytest.mark.parametrize("asked", ["?basis=rien", "?year=20x6", "?month=hier", "?month=0001-01"])
def test_what_is_no_period_or_basis_is_not_found(sign_in_as: SignIn, asked: str) -> None:
    assert sign_in_as(Role.OPS).get(f"/carbon/grids/FR{asked}").status_code == 404


def test_an_unknown_grid_is_not_found(sign_in_as: SignIn) -> None:
    assert sign_in_as(Role.OPS).get("/carbon/grids/ZZ").status_code == 404


def test_who_may_not_see_the_fleet_sees_no_grid_and_who_does_not_manage_carbon_sends_no_file(
    sign_in_as: SignIn,
) -> None:
    assert sign_in_as(Role.ACCOUNT_MANAGER).get("/carbon/grids").status_code == 403
    auditor = sign_in_as(Role.AUDITOR)
    assert "/carbon/grids/import" not in auditor.get("/carbon/grids").text
    assert auditor.get("/carbon/grids/import").status_code == 403
