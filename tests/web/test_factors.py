"""The registry of emission factors: read by who sees the catalogue, written by who manages carbon."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from console.actions.statements import issue_statement
from console.domain.access import Role
from console.domain.factors import Basis
from console.store.models import carbon as b
from console.store.session import Database, Operator
from tests.actions.test_factors import a_priced_month
from tests.browser import Browser
from tests.carbon_past import NOW, reckon_all
from tests.given import an_adherent
from tests.web.test_directory import form
from tests.web.test_sites import text_of

SignIn = Callable[..., Browser]
BASE = Path(__file__).parents[1] / "data" / "base_carbone" / "base_carbone_v22_cut.csv"
SHIPPED = "/carbon/factors/ademe-fra-2022-consumption"
NEEDED = {
    "publisher": "ADEME",
    "title": "Base Carbone, mix moyen 2024",
    "vintage": "2024",
    "perimeter": "consumption_life_cycle",
    "geography": "fr",
    "value": "0,0421",
    "unit": "kg/kWh",
    "licence": "Licence Ouverte 2.0",
    "source": "page 12",
    "retrieved_on": "2026-11-01",
}


@pytest.fixture
def database(database: Database) -> Database:
    with database.write(Operator()) as session:
        an_adherent(session, 9, "CH de Pamiers")
    return database


def factors(database: Database) -> int:
    with database.read(Operator()) as session:
        return session.scalar(select(func.count()).select_from(b.EmissionFactor)) or 0


@pytest.mark.parametrize(
    ("asked", "shown", "hidden"),
    [
        ("", ["ADEME", "RTE", "Boavizta"], []),
        ("?perimeter=production_direct", ["RTE"], ["ADEME", "Boavizta"]),
        ("?confirmed=no", ["ADEME"], ["RTE"]),
        ("?geography=FRA&standing=yes&perimeter=consumption_life_cycle", ["ADEME"], ["RTE"]),
        ("?standing=no", ["Aucun facteur ne correspond"], ["ADEME"]),
        ("?known_on=2025-12-31", ["Aucun facteur ne correspond"], ["ADEME"]),
        ("?known_on=2026-01-01", ["ADEME", "RTE"], []),
    ],
)
def test_the_list_is_narrowed_to_what_is_asked(
    database: Database, sign_in_as: SignIn, asked: str, shown: list[str], hidden: list[str]
) -> None:
    page = text_of(sign_in_as(Role.AUDITOR).get(f"/carbon/factors{asked}").text)
    assert [said for said in shown if said not in page] == []
    assert [said for said in hidden if said in page] == []


def test_a_factor_is_added_corrected_and_both_say_what_became_of_the_other(
    database: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.OPS)
    assert browser.submit("/carbon/factors", **NEEDED).status_code == 303
    page = text_of(browser.get("/carbon/factors/ademe-fra-2024-consumption").text)
    for said in ("42,1 g CO₂e/kWh", "page 12", "à confirmer", "noté par", "provisoire", "définitif"):
        assert said in page, said
    filled = browser.get(f"{SHIPPED}/replace").text
    assert 'value="52"' in filled
    corrected = NEEDED | {"vintage": "2022", "value": "53", "unit": "g/kWh", "confirmed": "yes"}
    assert browser.submit(f"{SHIPPED}/replace", **corrected).status_code == 303
    assert "Remplacé par" in text_of(browser.get(SHIPPED).text)
    assert "Remplace" in text_of(browser.get(f"{SHIPPED}-2").text)
    assert browser.submit(f"{SHIPPED}/replace", **corrected).status_code == 409
    assert "Corriger" not in browser.get(SHIPPED).text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"value": "beaucoup"}, "n'est pas une intensité"),
        ({"value": ""}, "Une valeur est attendue"),
        ({"vintage": ""}, "Une année est attendue"),
        ({"geography": "XXX"}, "n'est pas un pays"),
        ({"source": ""}, "qu'avec sa source"),
        ({"low": "0,05"}, "entre ses bornes"),
        ({"combustion": "0,01", "upstream": "0,01", "losses": "0,001"}, "font 21000 mg/kWh"),
        ({"unit": "lb"}, "Un choix de la liste"),
        ({"valid_from": "2026-02-01", "last_day": "2026-01-01"}, "précède"),
        ({"retrieved_on": "2098-01-01"}, "Ce jour n'est pas encore venu"),
    ],
)
def test_what_is_wrong_is_told_beside_its_field_and_nothing_is_stored(
    database: Database, sign_in_as: SignIn, typed: dict[str, str], said: str
) -> None:
    before = factors(database)
    answer = sign_in_as(Role.OPS).submit("/carbon/factors", **NEEDED | typed)
    assert answer.status_code == 422
    assert said in text_of(answer.text)
    assert re.search(r'class="error" id="\w+-error"', answer.text)
    assert factors(database) == before


def test_a_confirmation_is_shown_with_who_where_and_when(database: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    refused = browser.submit(f"{SHIPPED}/confirm", source="", retrieved_on="2026-11-01")
    assert refused.status_code == 422
    assert "Où cette valeur" in text_of(refused.text)
    assert (
        browser.submit(f"{SHIPPED}/confirm", source="fiche 12", retrieved_on="2026-11-01").status_code == 303
    )
    page = text_of(browser.get(SHIPPED).text)
    assert "fiche 12" in page
    assert "Où la valeur a été lue" not in page


def test_the_base_carbone_is_looked_at_then_stored(database: Database, sign_in_as: SignIn) -> None:
    browser, before = sign_in_as(Role.OPS), factors(database)
    seen = browser.post("/carbon/factors/import/columns", **form(browser, BASE.read_bytes(), "base.csv"))
    text = text_of(seen.text)
    assert seen.status_code == 200
    for said in ("Enregistrer 1 facteur", "56,9 g CO₂e/kWh", "ne dit pas son année", "d'un seul usage"):
        assert said in text, said
    assert factors(database) == before
    fields = dict(re.findall(r'type="hidden" name="(file|name)" value="([^"]*)"', seen.text))
    assert browser.submit("/carbon/factors/import", **fields).status_code == 303
    assert factors(database) == before + 1
    again = browser.post("/carbon/factors/import/columns", **form(browser, BASE.read_bytes(), "base.csv"))
    assert "Enregistrer" not in again.text


def test_any_table_is_read_by_the_columns_that_are_chosen(database: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    content = "Année;Taux\n2025;0,0403\n2024;beaucoup\n".encode()
    asked = browser.post("/carbon/factors/import/columns", **form(browser, content, "aib.csv"))
    assert asked.status_code == 200
    fields = dict(re.findall(r'type="hidden" name="(file|name)" value="([^"]*)"', asked.text))
    told = fields | {
        "column-vintage": "Année",
        "column-value": "Taux",
        "fixed-publisher": "AIB",
        "fixed-title": "Mix résiduel",
        "fixed-perimeter": "residual_mix",
        "fixed-geography": "FR",
        "fixed-licence": "-",
        "unit": "kg/kWh",
    }
    missing = browser.submit("/carbon/factors/import/preview", **told)
    assert missing.status_code == 422
    assert "Il faut dire quelle colonne" in text_of(missing.text)
    seen = browser.submit("/carbon/factors/import/preview", **told, **{"fixed-source": "rapport 2025"})
    assert "Enregistrer 1 facteur" in text_of(seen.text)
    assert "Ligne" in seen.text
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', seen.text))
    hidden.pop("csrf_token")
    assert browser.submit("/carbon/factors/import", **hidden).status_code == 303
    assert "40,3 g CO₂e/kWh" in text_of(browser.get("/carbon/factors/aib-fra-2025-residual").text)


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "rien.csv", "vide"),
        (b"PK\x03\x04 and no more", "facteurs.xlsx", "n'est pas un classeur lisible"),
        (b"%PDF-1.7", "facteurs.csv", "C'est un PDF"),
    ],
)
def test_what_is_no_table_is_told_so(
    database: Database, sign_in_as: SignIn, content: bytes, name: str, said: str
) -> None:
    browser = sign_in_as(Role.OPS)
    answer = browser.post("/carbon/factors/import/columns", **form(browser, content, name))
    assert answer.status_code == 422
    assert said in text_of(answer.text)


def test_where_a_factor_is_used_is_told_for_the_scope_of_the_reader(
    database: Database, sign_in_as: SignIn
) -> None:
    with a_priced_month(database) as session:
        an_adherent(session, 8, "CH de Pau")
    for role, tenants, used in ((Role.AUDITOR, (), True), (Role.CIO, (7,), True), (Role.CIO, (8,), False)):
        page = text_of(sign_in_as(role, *tenants).get(SHIPPED).text)
        assert ("mars 2026" in page) is used, (role, tenants)
        assert ("Aucune ligne n'est calculée" in page) is not used
    with database.read(Operator()) as session:
        line = session.scalars(select(b.CarbonLine).where(b.CarbonLine.basis == Basis.YEARLY_AVERAGE)).first()
        assert line is not None
        assert line.month == date(2026, 3, 1)


def test_statements_that_name_a_factor_are_told_also_once_another_one_took_its_place(
    database: Database, sign_in_as: SignIn
) -> None:
    with a_priced_month(database) as session:
        issue_statement(session, 7, date(2026, 3, 1), now=NOW, by="test")
    browser = sign_in_as(Role.OPS)
    assert "1 relevé émis le nomme" in text_of(browser.get(SHIPPED).text)
    corrected = NEEDED | {"vintage": "2022", "value": "53", "unit": "g/kWh", "confirmed": "yes"}
    assert browser.submit(f"{SHIPPED}/replace", **corrected).status_code == 303
    with database.write(Operator()) as session:
        reckon_all(session)
    assert "Aucune ligne n'est calculée" in text_of(browser.get(SHIPPED).text)
    assert "1 relevé émis le nomme" in text_of(browser.get(SHIPPED).text)
    assert "0 relevé émis le nomme" in text_of(browser.get(f"{SHIPPED}-2").text)
    assert "1 relevé émis le nomme" not in text_of(sign_in_as(Role.CIO, 9).get(SHIPPED).text)


@pytest.mark.parametrize(
    ("role", "tenants"), [(Role.CIO, (9,)), (Role.AUDITOR, ()), (Role.ACCOUNT_MANAGER, (9,))]
)
def test_who_does_not_manage_carbon_reads_and_writes_nothing(
    database: Database, sign_in_as: SignIn, role: Role, tenants: tuple[int, ...]
) -> None:
    browser, before = sign_in_as(role, *tenants), factors(database)
    page = browser.get("/carbon/factors").text
    assert "/carbon/factors/import" not in page
    assert "Corriger" not in browser.get(SHIPPED).text
    for address in ("/carbon/factors/new", "/carbon/factors/import", f"{SHIPPED}/replace"):
        assert browser.get(address).status_code == 403, address
    assert browser.submit("/carbon/factors", **NEEDED).status_code == 403
    assert factors(database) == before


def test_an_unknown_factor_is_not_found(database: Database, sign_in_as: SignIn) -> None:
    assert sign_in_as(Role.OPS).get("/carbon/factors/rien").status_code == 404
