"""A newcomer types `make run` and follows the README in a browser, up to a first statement."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page
from pypdf import PdfReader

from tests.running import Installation, wait_until

pytestmark = pytest.mark.chromium

FIRST_ENERGY_S = 90
PARIS = ZoneInfo("Europe/Paris")
PASSWORD = "une phrase que personne ne devine"
LOGIN = re.compile(r"First sign-in: login (\S+), one-time password (\S+)")


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Installation]:
    """`make run` on a free port with data of its own, stopped as by Ctrl-C."""
    console = Installation(tmp_path)
    process = console.start("make", "run")
    try:
        wait_until(console.answers, FIRST_ENERGY_S, "the console does not answer")
        yield console
        console.stop(process, signal.SIGINT)
    finally:
        if process.poll() is None:
            console.stop(process, signal.SIGKILL)
    assert not console.answers()


def test_from_make_run_to_a_first_statement(run: Installation, chromium: Browser, tmp_path: Path) -> None:
    wait_until(lambda: has_energy(run), FIRST_ENERGY_S, "no named workload has energy")
    run.console("import", "sae", "tests/data/sae/ID_2023r.csv", "--yes")
    context = chromium.new_context(locale="fr-FR", accept_downloads=True)
    context.set_default_timeout(10_000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(run.url)
    sign_in(page, (tmp_path / "make.log").read_text())

    page.goto(f"{run.url}/adherents/directory")
    page.get_by_label("Nom, ville ou FINESS").fill("CHU TOULOUSE")
    page.get_by_role("row", name="HOPITAUX MERE & ENFANTS").get_by_role("button", name="Choisir").click()
    page.get_by_role("heading", level=1, name="CHU TOULOUSE").wait_for()
    home = page.url

    page.get_by_role("link", name="Abonner à un service").click()
    page.get_by_role("combobox", name="Service", exact=True).select_option("hds-iaas")
    page.get_by_role("button", name="Abonner").click()
    page.get_by_text("La souscription est enregistrée").wait_for()

    claims = f"{home}/claims"
    wait_until(lambda: offers(page, claims, "console collector"), 60, "the collector has no energy yet")
    charge = page.get_by_label("Charge", exact=True)
    charge.select_option(charge.get_by_role("option", name="console collector").get_attribute("value"))
    page.get_by_role("button", name="Affecter").click()
    page.get_by_text("son énergie est celle de l'adhérent").wait_for()
    wait_until(lambda: carbon_is_known(page, home), 60, "the carbon of the month is not reckoned")

    page.get_by_role("link", name="Ouvrir un incident").click()
    page.get_by_label("Titre").fill("Portail patient lent")
    page.get_by_role("button", name="Ouvrir l'incident").click()
    page.get_by_role("heading", level=1, name="Portail patient lent").wait_for()

    page.goto(home)
    page.locator("main").get_by_role("link", name="Relevés").click()
    page.get_by_label("Mois").select_option(f"{datetime.now(PARIS):%Y-%m}")
    page.get_by_role("button", name="Émettre").click()
    page.get_by_text("console collector").first.wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name="PDF").click()
    pdf = PdfReader(download.value.path())
    printed = " ".join(" ".join(sheet.extract_text() for sheet in pdf.pages).split())  # cells have lines
    for said in ("console collector", "Portail patient lent", "incorporé", "modélisé"):
        assert said in printed
    assert errors == []
    assert run.ledger()["residue_mj"] == 0
    context.close()


def has_energy(console: Installation) -> bool:
    found = console.ledger()
    return found["workloads"] > 0 and found["energy_mj"] > 0 and found["residue_mj"] == 0


def sign_in(page: Page, said: str) -> None:
    """With the one-time password that the start printed, which must be changed at once."""
    found = LOGIN.search(said)
    assert found is not None
    login, once = found.groups()
    page.get_by_label("Identifiant").fill(login)
    page.get_by_label("Mot de passe").fill(once)
    page.get_by_role("button", name="Se connecter").click()
    page.get_by_label("Mot de passe actuel").fill(once)
    page.get_by_label("Nouveau mot de passe", exact=True).fill(PASSWORD)
    page.get_by_label("Nouveau mot de passe, une seconde fois").fill(PASSWORD)
    page.locator("main").get_by_role("button").first.click()
    page.get_by_role("heading", level=1).wait_for()


def offers(page: Page, claims: str, workload: str) -> bool:
    page.goto(claims)
    return page.get_by_label("Charge", exact=True).get_by_role("option", name=workload).count() > 0


def carbon_is_known(page: Page, home: str) -> bool:
    page.goto(home)
    figure = page.locator("dl.figures div", has_text="Carbone de l'usage du mois").inner_text()
    return "inconnu" not in figure
