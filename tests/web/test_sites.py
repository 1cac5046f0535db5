"""Data centres: indicators and measures for those who see the fleet, forms and files for those who run it."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

from sqlalchemy import select

from console.domain.access import Role
from console.domain.facility import Quantity
from console.domain.facility_files import LARGEST_FILE
from console.domain.hours import month_bounds
from console.domain.site_indicators import last_months
from console.store.models import site as s
from console.store.queries.site_months import SiteBalance, site_balances
from console.store.session import Database, Operator
from console.web.languages import today
from tests.browser import Browser
from tests.carbon_past import PARIS, a_meter, hours_of, reckon_all
from tests.given import an_adherent
from tests.sites import ZONES_HEAD, a_metered_year, a_year_of_meters, a_year_of_zones
from tests.web.test_directory import form

SignIn = Callable[..., Browser]
MWH = 3_600_000_000_000
NEEDED = {
    "/sites/tls/measures": {
        "quantity": "e_dc",
        "category": "",
        "meter": "TGBT",
        "first_day": "2026-01-01",
        "last_day": "2026-01-31",
        "amount": "151,5",
        "unit": "MWh",
        "quality": "declared",
    },
    "/sites/tls/pue": {
        "pue": "1,42",
        "category": "1",
        "valid_from": "2026-01-01",
        "window_from": "2025-01-01",
        "window_to": "2025-12-31",
        "note": "Audit",
    },
    "/sites/tls/contracts": {
        "kind": "guarantee_of_origin",
        "supplier": "Fournisseur",
        "first_day": "2026-01-01",
        "last_day": "2026-12-31",
        "share": "60",
        "renewable": "100",
        "intensity": "12,5",
        "evidence": "GO 118",
    },
}


def send(browser: Browser, content: bytes, site: str = "tls", **fields: str) -> Any:
    told = {"category": "2", "meter": "site"} | fields
    return browser.post(f"/sites/{site}/import/preview", **form(browser, content, "compteurs.csv", **told))


def stored(browser: Browser, page: str, site: str = "tls") -> Any:
    fields = dict(re.findall(r'type="hidden" name="(file|name|category|meter)" value="([^"]*)"', page))
    return browser.submit(f"/sites/{site}/import", **fields)


def text_of(page: str) -> str:
    """A page as it is read: plain blanks and apostrophes."""
    text = unescape(page).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


def measures(database: Database) -> list[s.SiteMeasure]:
    with database.read(Operator()) as session:
        return list(session.scalars(select(s.SiteMeasure)))


def test_a_file_is_looked_at_then_stored_and_makes_the_indicators_of_the_year(
    database: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.OPS)
    assert "inconnu" in browser.get("/sites").text
    seen = send(browser, a_year_of_meters("2026-13;1;1;1;1"))
    assert seen.status_code == 200
    assert "Enregistrer 48 mesures" in text_of(seen.text)
    assert "n'est pas un mois" in text_of(seen.text)
    assert measures(database) == []
    assert stored(browser, seen.text).status_code == 303
    assert len(measures(database)) == 48
    for page in (browser.get("/sites").text, browser.get("/sites/tls").text):
        text = text_of(page)
        assert "PUE2" in text
        assert "iPUE2" not in text
        assert "1,50" in text
        assert "1,80 L/kWh" in text
        assert "50,0 %" in text
        assert "12 mois sur 12" in text
    assert "site-chart" in browser.get("/sites/tls").text
    again = send(browser, a_year_of_meters())
    assert "Enregistrer" not in again.text


def test_an_interim_pue_says_so_and_an_unknown_month_is_not_0(database: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    month = last_months(today())[-1]
    content = f"mois;EDC (MWh);EIT (MWh)\n{month:%Y-%m};150;100\n".encode()
    stored(browser, send(browser, content).text)
    page = browser.get("/sites/tls").text
    assert "iPUE2" in page
    assert "1 mois sur 12" in text_of(page)
    assert page.count("inconnu") > 20  # the other eleven months, and what no meter tells


def test_each_form_stores_what_it_says(database: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    for address, typed in NEEDED.items():
        assert browser.submit(address, **typed).status_code == 303, address
    page = text_of(browser.get("/sites/tls").text)
    for said in ("TGBT", "Audit", "1,42", "GO 118", "60,0 %", "12,5 g CO₂e/kWh"):
        assert said in page


WRONG = (
    ("/sites/tls/measures", {"amount": "beaucoup"}, "nombre positif"),
    ("/sites/tls/measures", {"unit": "m3"}, "Wh, kWh"),
    ("/sites/tls/measures", {"quantity": "e_it"}, "catégorie de PUE"),
    ("/sites/tls/measures", {"last_day": "2025-12-31"}, "finit après son début"),
    ("/sites/tls/measures", {"last_day": "2199-12-31"}, "pas finie"),
    ("/sites/tls/pue", {"pue": "0,9"}, "0.9"),
    ("/sites/tls/pue", {"pue": ""}, "par exemple 1,42"),
    ("/sites/tls/pue", {"category": "7"}, "1, 2 ou 3"),
    ("/sites/tls/contracts", {"share": "101"}, "100 %"),
    ("/sites/tls/contracts", {"evidence": ""}, "prouve"),
    ("/sites/tls/contracts", {"intensity": "-1"}, "positif"),
)


def test_what_is_wrong_is_told_beside_its_field_and_nothing_is_stored(
    database: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.OPS)
    for address, typed, said in WRONG:
        answer = browser.submit(address, **NEEDED[address] | typed)
        assert answer.status_code == 422, said
        assert said in text_of(answer.text)
        assert 'aria-invalid="true"' in answer.text
    with database.read(Operator()) as session:
        for model in (s.SiteMeasure, s.SitePue, s.PowerContract):
            assert session.scalars(select(model)).all() == []


def test_contracts_past_the_whole_of_a_day_are_a_conflict(database: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    codes = [
        browser.submit("/sites/tls/contracts", **NEEDED["/sites/tls/contracts"]).status_code for _ in range(2)
    ]
    assert codes == [303, 409]


def test_less_energy_of_the_site_than_of_its_it_is_refused_with_both(
    database: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.OPS)
    seen = send(browser, b"mois;EDC (MWh);EIT (MWh)\n2026-01;99;100\n")
    assert "99000 kWh" in seen.text
    assert "100000 kWh" in seen.text
    assert "Enregistrer" not in seen.text


def section_of(page: str, of: str) -> str:
    """A card of a page, as it is read."""
    found = re.search(rf'<section class="card" id="{of}">.*?</section>', page, re.DOTALL)
    return text_of(found[0]) if found else ""


def test_a_file_of_zones_makes_the_partial_pue_of_each_with_its_months_and_its_chart(
    database: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.OPS)
    without = browser.get("/sites/tls").text
    assert section_of(without, "zones") == ""
    assert "Aucune zone n'a de compteur" in text_of(without)
    seen = send(browser, a_year_of_zones(), category="")
    assert "Enregistrer 48 mesures" in text_of(seen.text)
    assert "énergie d'une zone" in text_of(seen.text)
    assert stored(browser, seen.text).status_code == 303
    page = browser.get("/sites/tls").text
    zones = section_of(page, "zones")
    assert "<dt>pPUE2, Salle 2</dt><dd>1,25<" in zones
    assert "<dt>pPUE, Salle A</dt><dd>1,30<" in zones
    assert zones.count("12 mois sur 12") == 2
    for place, name, terms in ((1, "Salle 2", ("50,0 MWh", "40,0 MWh")), (2, "Salle A", ("78,0", "60,0"))):
        zone = section_of(page, f"zone-{place}")
        assert f"PUE partiel : {name}" in zone
        assert f"zone-chart-{place}" in zone
        assert [zone.count(f">{term}") for term in terms] == [12, 12]
    assert "Aucune zone n'a de compteur" not in text_of(page)


def test_what_zones_take_is_in_no_sum_of_their_site(database: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    stored(browser, send(browser, a_year_of_meters()).text)
    before = browser.get("/sites/tls").text
    rooms = b"mois;compteur;E_ZONE (MWh);E_IT_ZONE (MWh)\n%s;Salle A;78;60\n"
    month = f"{last_months(today())[-1]:%Y-%m}".encode()
    stored(browser, send(browser, rooms % month).text)
    after = browser.get("/sites/tls").text
    for card in ("months", "balance"):
        assert section_of(after, card) == section_of(before, card)
    assert after.partition('<section class="card"')[0].count("1,50") == 1  # the PUE of the site
    assert "ipPUE2" in section_of(after, "zones")
    assert "1 mois sur 12" in section_of(after, "zones")


def test_a_zone_of_which_one_term_is_told_has_an_unknown_partial_pue_that_names_the_other(
    database: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.OPS)
    month = f"{last_months(today())[-1]:%Y-%m}"
    stored(browser, send(browser, f"mois;compteur;E_ZONE (MWh)\n{month};Salle A;78\n".encode()).text)
    page = browser.get("/sites/tls").text
    zones = section_of(page, "zones")
    assert "<dt>pPUE, Salle A</dt><dd>inconnu<" in zones
    assert "rien n'est dit de : énergie IT d'une zone" in zones
    zone = section_of(page, "zone-1")
    assert ("78,0 MWh" in zone, zone.count("inconnu")) == (True, 11)


ZONE_REFUSALS = (
    ("2026-01;Salle A;99;100;;", "zone Salle A (99000 kWh) serait sous celle de son IT (100000 kWh)"),
    ("2026-01;Salle A;99;;100;2", "zone Salle A (99000 kWh) serait sous celle de son IT (100000 kWh)"),
    ("2026-02;Salle A;151;;;", "totale (150000 kWh) serait sous celle de la zone Salle A (151000 kWh)"),
    ("2026-01;;5;;;", "porte le nom de la zone ; par exemple Salle A"),
)


def test_a_zone_that_cannot_be_is_refused_in_the_preview_with_both_values(
    database: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.OPS)
    stored(browser, send(browser, b"mois;EDC (MWh)\n2026-02;150\n").text)
    for row, said in ZONE_REFUSALS:
        seen = send(browser, f"{ZONES_HEAD}\n{row}\n".encode(), category="")
        assert said in text_of(seen.text)
        assert "Enregistrer" not in seen.text


ZONE = {"quantity": "e_zone", "meter": "Salle A"}


def test_a_zone_is_typed_in_by_its_name_and_held_against_its_it(
    database: Database, sign_in_as: SignIn
) -> None:
    browser, address = sign_in_as(Role.OPS), "/sites/tls/measures"
    typed = NEEDED[address] | ZONE
    unnamed = browser.submit(address, **typed | {"meter": "site"})
    assert (unnamed.status_code, "par exemple Salle A" in unnamed.text) == (422, True)
    assert browser.submit(address, **typed).status_code == 303
    above = browser.submit(address, **typed | {"quantity": "e_it_zone", "amount": "151,6"})
    assert above.status_code == 422
    assert "(151500 kWh) serait sous celle de son IT (151600 kWh)" in text_of(above.text)
    it = browser.submit(address, **typed | {"quantity": "e_it_zone", "category": "3", "amount": "101"})
    assert it.status_code == 303
    assert browser.submit(address, **typed | {"category": "1"}).status_code == 422
    kept = [(one.quantity, one.category, one.meter) for one in measures(database)]
    assert sorted(kept) == [(Quantity.ZONE_IT, 3, "Salle A"), (Quantity.ZONE, 0, "Salle A")]


def test_zones_are_in_english_too(database: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS, locale="en")
    stored(browser, send(browser, a_year_of_zones(months=3), category="").text)
    page = browser.get("/sites/tls").text
    for said in ("Partial PUE: Salle 2", "ipPUE2, Salle 2", "1.25", "3 months of 12", "zone energy"):
        assert said in text_of(page), said
    assert "zone energy" in browser.get("/sites/tls/measures/new").text


def test_a_file_that_is_none_or_too_long_is_refused(database: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    assert send(browser, b"%PDF-1.7").status_code == 422
    assert send(browser, b"mois;EDC (kWh)\n" * (LARGEST_FILE // 8)).status_code == 413
    assert browser.submit("/sites/tls/import", file="7").status_code == 404


def test_those_who_see_the_fleet_read_and_only_those_who_run_it_write(
    database: Database, sign_in_as: SignIn
) -> None:
    for role, status in ((Role.AUDITOR, 403), (Role.ADMINISTRATOR, 200)):
        browser = sign_in_as(role)
        assert ("/sites/ami/import" in browser.get("/sites/ami").text) is (status == 200)
        assert browser.get("/sites/ami/pue/new").status_code == status
    assert sign_in_as(Role.ACCOUNT_MANAGER).get("/sites").status_code == 403


def test_a_site_that_is_none_is_not_there(database: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    for address in ("/sites/lyo", "/sites/lyo/import", "/sites/lyo/contracts/new"):
        assert browser.get(address).status_code == 404
    for address in NEEDED:
        assert browser.submit(address.replace("tls", "lyo"), **NEEDED[address]).status_code == 404


def test_another_data_centre_is_added_with_its_grid(database: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    told = {"code": "run", "name": "Saint-Denis", "zone": "Indian/Reunion", "country": "REU", "grid_zone": ""}
    assert browser.submit("/sites", **told).status_code == 303
    assert "Réseau RE, heure de Indian/Reunion" in text_of(browser.get("/sites/run").text)
    wrong = {
        "code": "run",
        "name": "",
        "zone": "Mars/Olympus",
        "country": "XXX",
        "grid_zone": "RE_1",
    }
    for field, value in wrong.items():
        answer = browser.submit("/sites", **told | {"code": "dom", field: value})
        assert (answer.status_code, f'id="{field}-error"' in answer.text) == (422, True), field
    assert browser.submit("/sites", **told | {"code": "new"}).status_code == 422


def test_pages_of_sites_are_in_english_too(database: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS, locale="en")
    stored(browser, send(browser, a_year_of_meters()).text)
    page = browser.get("/sites/tls").text
    assert "total energy" in page
    assert "1.50" in page


def test_a_contract_is_corrected_and_ended_early_and_never_outside_of_itself(
    database: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    browser.submit("/sites/tls/contracts", **NEEDED["/sites/tls/contracts"])
    page = "/sites/tls/contracts/1"
    told = browser.filled_in(page, page)
    assert (told["supplier"], told["share"], told["intensity"]) == (["Fournisseur"], ["60,00"], ["12,50"])
    assert browser.submit(page, **told | {"supplier": "Parc"}).status_code == 303
    refused = browser.submit(f"{page}/end", end_day="2027-01-01")
    assert (refused.status_code, "2026-12-31" in refused.text) == (422, True)
    assert browser.submit(f"{page}/end", end_day="2026-06-30").status_code == 303
    shown = browser.get("/sites/tls").text
    assert ("Parc" in shown, "30 juin 2026" in unescape(shown)) == (True, True)
    assert browser.get("/sites/tls/contracts/2").status_code == 404


def test_a_site_shows_each_indicator_month_by_month_and_over_the_year_that_ends_with_it(
    database: Database, sign_in_as: SignIn
) -> None:
    with database.write(Operator()) as session:
        an_adherent(session, 7, "CH de Foix")  # the registry of factors comes with it
        a_metered_year(session, "tls")
    page = unescape(sign_in_as(Role.ADMINISTRATOR).get("/sites/tls").text)
    assert "Chaque mois seul, et sur les douze mois qui finissent avec lui" in page
    assert "0,078 kg CO₂e/kWh" in page.replace("\u00a0", " ")  # 1.5 x 52 g
    assert "Surconsommation par kWh d'IT" in page


def test_meters_that_contradict_each_other_are_told_with_both_values(
    database: Database, sign_in_as: SignIn
) -> None:
    month = last_months(today())[-1]
    with database.write(Operator()) as session:
        an_adherent(session, 7, "CH de Foix")
        a_meter(session, "tls", month, Quantity.IT, 5 * MWH, category=2)
        hours_of(session, "srv-01", month_bounds(month, PARIS)[0], 1, {"payroll": 6 * MWH})
        reckon_all(session)
    page = unescape(sign_in_as(Role.ADMINISTRATOR).get("/sites/tls").text)
    assert f"{5 * MWH} mJ" in page
    assert f"{6 * MWH} mJ" in page


def test_the_balance_of_a_metered_month_has_no_residue(database: Database, sign_in_as: SignIn) -> None:
    month = last_months(today())[-1]
    with database.write(Operator()) as session:
        an_adherent(session, 7, "CH de Foix")
        a_meter(session, "tls", month, Quantity.IT, 5 * MWH + 1, category=2)
        a_meter(session, "tls", month, Quantity.TOTAL, 7 * MWH + 3)
        hours_of(session, "srv-01", month_bounds(month, PARIS)[0], 3, {"payroll": MWH + 7}, kept_mj=11)
        reckon_all(session)
        (balance,) = site_balances(session, "tls", PARIS, [month])
    assert balance.residue_mj == 0
    assert balance.hosts_mj + balance.it_rest_mj == 5 * MWH + 1
    assert "0 mJ" in sign_in_as(Role.ADMINISTRATOR).get("/sites/tls").text.replace("\u00a0", " ")


def test_the_zones_of_a_site_change_nothing_in_the_balance_of_its_month(database: Database) -> None:
    month = last_months(today())[-1]

    def balance() -> SiteBalance:
        with database.write(Operator()) as session:
            reckon_all(session)
            (found,) = site_balances(session, "tls", PARIS, [month])
            return found

    with database.write(Operator()) as session:
        an_adherent(session, 7, "CH de Foix")
        a_meter(session, "tls", month, Quantity.IT, 5 * MWH, category=2)
        a_meter(session, "tls", month, Quantity.TOTAL, 7 * MWH)
        hours_of(session, "srv-01", month_bounds(month, PARIS)[0], 3, {"payroll": MWH})
    before = balance()
    with database.write(Operator()) as session:
        a_meter(session, "tls", month, Quantity.ZONE, 4 * MWH, meter="Salle A")
        a_meter(session, "tls", month, Quantity.ZONE_IT, 3 * MWH, category=3, meter="Salle A")
    assert balance() == before
    assert (before.total_mj, before.residue_mj) == (7 * MWH, 0)
