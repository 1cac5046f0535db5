"""Months of carbon in the browser: states, closing, revisions, and the trace of each figure."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from console.actions.reckoning_due import Step, make_due, make_months_due
from console.actions.stays import put
from console.domain.access import Role
from console.domain.hours import HOUR
from console.domain.trace import key_text
from console.store.models import carbon as b
from console.store.models import site as s
from console.store.models.measurement import stable_id
from console.store.queries.carbon_months import inputs_of
from console.store.session import Database, Operator
from tests import given
from tests.actions.test_carbon_months import KWH, MARCH, START, a_newer_factor, reckoned, told
from tests.browser import Browser
from tests.carbon_past import NOW, hours_of

SignIn = Callable[..., Browser]
MONTH = "/adherents/7/carbon/2026-03"


@pytest.fixture
def database(database: Database) -> Database:
    with database.write(Operator()) as session:
        told(session)
        given.an_adherent(session, 8, "CH de Pamiers")
    return database


def line_key(database: Database) -> str:
    with database.read(Operator()) as session:
        (line,) = inputs_of(session, 7, [MARCH])[MARCH].lines
    return key_text(line.key)


def test_a_year_tells_the_state_of_each_month_and_why(database: Database, sign_in_as: SignIn) -> None:
    text = sign_in_as(Role.CIO, 7).get("/adherents/7/carbon/months?year=2026").text
    for words in ("mars 2026", "provisoire", "le facteur de l'année n'est pas encore connu", "3,00"):
        assert words in text
    assert "avril 2026" not in text


def test_a_month_names_the_factors_that_nobody_has_read_again_whatever_its_state(
    database: Database, sign_in_as: SignIn
) -> None:
    pages = (MONTH, "/adherents/7/carbon/months?year=2026", "/carbon/close?month=2026-03", f"{MONTH}/trace")
    browser = sign_in_as(Role.ADMINISTRATOR)
    for page in pages:
        assert "Facteur à confirmer : ADEME" in " ".join(browser.get(page).text.split()), page
    with database.write(Operator()) as session:
        session.execute(update(b.EmissionFactor).values(confirmed=True))
    for page in pages:
        assert "acteur à confirmer" not in browser.get(page).text, page


def test_a_month_is_not_final_while_something_of_it_waits(database: Database, sign_in_as: SignIn) -> None:
    with database.write(Operator()) as session:
        hours_of(session, "srv-01", START + 3 * HOUR, 743 - 3, {"payroll": KWH})
        a_newer_factor(session)
        reckoned(session)
    browser = sign_in_as(Role.CIO, 7)
    for page in (MONTH, "/adherents/7/carbon/months?year=2026"):
        text = browser.get(page).text
        assert "définitif" in text
        assert "un calcul est attendu" not in text
    with database.write(Operator()) as session:
        make_due(session, Step.SITE, [("tls", MARCH)], now=NOW)
    for page in (MONTH, "/adherents/7/carbon/months?year=2026"):
        text = browser.get(page).text
        assert "définitif" not in text
        assert "un calcul est attendu" in text


def test_carbon_that_is_of_a_part_of_the_energy_says_of_which(database: Database, sign_in_as: SignIn) -> None:
    with database.write(Operator()) as session:
        line = session.scalars(
            select(b.CarbonLine).where(b.CarbonLine.tenant_id == 7, b.CarbonLine.basis == "hourly_direct")
        ).one()
        line.covered_mj = KWH
    text = sign_in_as(Role.CIO, 7).get("/adherents/7/carbon/months?year=2026").text
    assert text.replace("\xa0", " ").count("sur 1,00 kWh") == 1


def grid_hours_are(session: Session, state: str) -> None:
    """How final the hours of the grid are from now on, with the month reckoned again."""
    session.execute(update(s.GridHour).values(state=state))
    make_months_due(session, [(7, MARCH)], now=NOW)
    reckoned(session)


def test_carbon_by_the_hour_tells_what_of_it_is_of_real_time_until_it_is_final(
    database: Database, sign_in_as: SignIn
) -> None:
    pages = (MONTH, "/adherents/7/carbon/months?year=2026", f"{MONTH}/trace/{line_key(database)}")
    browser = sign_in_as(Role.CIO, 7)
    for state, expected in (("realtime", 1), ("consolidated", 0)):
        with database.write(Operator()) as session:
            grid_hours_are(session, state)
        for page in pages:
            text = browser.get(page).text.replace("\xa0", " ")
            assert text.count("provisoire : 3,00 kWh en temps réel") == expected, (page, state)
        told_why = "Cet état est celui de la moyenne annuelle" in browser.get(MONTH).text
        assert told_why == bool(expected), state


def test_real_time_figures_leave_the_state_of_a_month_as_it_is(
    database: Database, sign_in_as: SignIn
) -> None:
    with database.write(Operator()) as session:
        hours_of(session, "srv-01", START + 3 * HOUR, 743 - 3, {"payroll": KWH})
        a_newer_factor(session)
        grid_hours_are(session, "realtime")
    text = sign_in_as(Role.CIO, 7).get(MONTH).text
    assert "définitif" in text
    assert "kWh en temps réel" in text


def test_a_closed_month_whose_hours_became_final_is_told_that_no_figure_would_change(
    database: Database, sign_in_as: SignIn
) -> None:
    with database.write(Operator()) as session:
        grid_hours_are(session, "realtime")
    browser = sign_in_as(Role.ADMINISTRATOR)
    assert browser.submit(f"{MONTH}/close").status_code == 303
    with database.write(Operator()) as session:
        grid_hours_are(session, "consolidated")
    text = browser.get(MONTH).text
    assert "seul change ce qui est dit de leur origine" in text
    assert "kWh en temps réel" in text
    assert browser.submit(f"{MONTH}/revise", reason="Intensités consolidées").status_code == 303
    assert "kWh en temps réel" not in browser.get(MONTH).text


def test_a_month_is_closed_and_revised_with_its_causes(database: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    assert "Clore ce mois" in browser.get(MONTH).text
    answer = browser.submit(f"{MONTH}/close")
    assert answer.status_code == 303, answer.text
    assert "Révision 1" in browser.get(MONTH).text
    assert browser.submit(f"{MONTH}/revise", reason="Rien").status_code == 409
    with database.write(Operator()) as session:
        a_newer_factor(session)
        reckoned(session)
    text = browser.get(MONTH).text
    assert "une révision changerait" in text
    assert browser.submit(f"{MONTH}/revise", reason="").status_code == 422
    assert browser.submit(f"{MONTH}/revise", reason="Facteur de 2026").status_code == 303
    text = browser.get(MONTH).text
    assert "Facteur de 2026" in text
    assert "facteur, réseau, contrats" in text
    with database.read(Operator()) as session:
        assert [row.revision for row in session.scalars(select(b.CarbonMonth))] == [1, 2]


def test_a_reader_of_one_adherent_closes_nothing(database: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.CIO, 7)
    assert "Clore ce mois" not in browser.get(MONTH).text
    assert browser.submit(f"{MONTH}/close").status_code == 403
    assert browser.get("/adherents/8/carbon/2026-03").status_code == 404
    assert browser.get("/adherents/7/carbon/2026-13").status_code == 404


def test_a_months_page_closes_those_that_are_final_and_the_provisional_when_asked(
    database: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    page = browser.get("/carbon/close?month=2026-03").text
    assert "CH de Foix" in page
    browser.submit("/carbon/close", month="2026-03", after="0")
    with database.read(Operator()) as session:
        assert not session.scalars(select(b.CarbonMonth)).all()
    browser.submit("/carbon/close", month="2026-03", after="0", provisional="1")
    with database.read(Operator()) as session:
        assert 7 in {row.tenant_id for row in session.scalars(select(b.CarbonMonth))}
    assert browser.submit("/carbon/close", month="x").status_code == 422


def test_one_click_from_a_total_to_the_hours_the_factor_and_the_formula(
    database: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.CIO, 7)
    key = line_key(database)
    assert f"{MONTH}/trace" in browser.get(MONTH).text
    assert f"{MONTH}/trace/{key}" in browser.get(f"{MONTH}/trace").text
    text = browser.get(f"{MONTH}/trace/{key}").text
    for words in (
        "srv-01",
        "entrée du serveur",
        "PUE 1,4000",
        "déclaré",
        "selon les vCPU réservés (version 1)",
        f"({3 * KWH} + {3 * KWH * 4 // 10}) × 52000 × 1000 ÷ 3600000000",
        f"{3 * KWH} × ",
        "/carbon/factors/",
    ):
        assert words in text, words


@pytest.mark.parametrize("month", ["9999-12", "0001-01", "2026-13", "x"])
def test_what_is_no_month_is_not_found(sign_in_as: SignIn, month: str) -> None:
    browser = sign_in_as(Role.CIO, 7)
    for page in ("", "/trace", "/trace.csv"):
        assert browser.get(f"/adherents/7/carbon/{month}{page}").status_code == 404


def test_a_trace_tells_of_the_making_in_words_with_what_it_is_reckoned_from(
    database: Database, sign_in_as: SignIn
) -> None:
    thing = {
        "name": "serveur srv-01", "version": 1, "source": "estimate", "reference": "composants 2026-11",
        "whole_ug": 60_000, "month_ug": 1_000, "plan_months": 60,
    }  # fmt: skip
    told = {
        "things": [thing], "unknown": ["baie 4"], "parts": {"cpu": 600, "ram": 100, "ssd": 100, "frame": 200},
        "share": {"cpu": 300, "ram": 50, "frame": 77}, "hours": 3, "of_hours": 6,
        "weights": {"cpu": {"by": "mcpu_hours", "weight": 4_000, "sum": 8_000}},
        "technical": {"embodied_ug": 900, "it_mj": 5_000}, "energy_mj": 1_234,
    }  # fmt: skip
    key = line_key(database)
    with database.write(Operator()) as session:
        line = session.scalars(select(b.MonthLine).where(b.MonthLine.tenant_id == 7)).one()
        line.embodied_ug, line.terms = 435, {**line.terms, "embodied": told}
    page = sign_in_as(Role.CIO, 7).get(f"{MONTH}/trace/{key}").text.replace("\u202f", " ")
    for words in (
        "serveur srv-01", "estimation par composants", "60 mois", "par millièmes de vCPU réservés × heures",
        '<td class="number">4 000</td><td class="number">8 000</td><td class="number">300</td>',
        "3 des 6 heures", "baie 4", "900 µg ce mois pour 5 000 mJ",
    ):  # fmt: skip
        assert words in page, words
    assert "month_ug" not in page
    exported = json.loads(sign_in_as(Role.CIO, 7).get(f"{MONTH}/trace/{key}/line.json").text)
    assert exported["line"]["embodied_terms"]["share"] == {"cpu": 300, "ram": 50, "frame": 77}


def test_lines_of_a_workload_whose_host_moved_are_told_apart_by_site_and_beginning(
    database: Database, sign_in_as: SignIn
) -> None:
    with database.write(Operator()) as session:
        put(session, stable_id("srv-01"), "ami", START + HOUR, START + 2 * HOUR, now=NOW)
        reckoned(session)
    page = sign_in_as(Role.CIO, 7).get(f"{MONTH}/trace").text
    told = re.findall(r"<small>(srv-01[^<]*)</small>", page)
    assert sorted(told) == [
        "srv-01, ami, à partir du 1 mars 01:00",
        "srv-01, tls",
        "srv-01, tls, à partir du 1 mars 02:00",
    ]


def test_a_trace_is_taken_away_in_whole_numbers(database: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.CIO, 7)
    key = line_key(database)
    text = browser.get(f"{MONTH}/trace.csv").text.lstrip("\ufeff").replace("\xa0", " ")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert [row["Énergie, mJ"] for row in rows] == [str(3 * KWH)]
    assert rows[0]["Moyenne annuelle : carbone, µg CO2e"] == str(3 * 52_000_000 * 14 // 10)
    whole = json.loads(browser.get(f"{MONTH}/trace.json").text)
    assert whole["inputs"]["lines"][0]["energy_mj"] == 3 * KWH
    line = json.loads(browser.get(f"{MONTH}/trace/{key}/line.json").text)
    assert [one["what"] for one in line["formulas"]] == ["overhead_mj", "hourly_direct", "yearly_average"]
    assert sum(day["energy_mj"] for day in line["days"]) == 3 * KWH
    table = browser.get(f"{MONTH}/trace/{key}/line.csv").text
    assert str(3 * KWH) in table
    assert "Facteur;yearly_average;52000;mg/kWh;ademe-fra-2022-consumption" in table
    assert "Hôte;srv-01;tls;" in table


@pytest.mark.parametrize("key", ["x", "20260228T230000Z.1.2.3"])
def test_a_line_that_is_none_is_not_found(database: Database, sign_in_as: SignIn, key: str) -> None:
    assert sign_in_as(Role.CIO, 7).get(f"{MONTH}/trace/{key}").status_code == 404


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_the_method_is_read_from_what_is_in_force(
    database: Database, sign_in_as: SignIn, locale: str
) -> None:
    text = sign_in_as(Role.CIO, 7, locale=locale).get("/methodology").text
    for words in ("1,400" if locale == "fr" else "1.400", "Toulouse", "bmc", "ADEME", "80", "35"):
        assert words in text, words
    assert "« reserved »" not in text
    assert "ISO/IEC 21031" in text
    assert ("1er mars 2026, 02:00" if locale == "fr" else "1 March 2026, 02:00") in text
    assert date.today().strftime("%Y") in text  # noqa: DTZ011 - the year that a reader sees
