"""The pages in a real browser: accessible, light, without an error, and usable without JavaScript."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import delete
from werkzeug.serving import make_server

from console.app import create_app
from console.config import read_config
from console.domain.access import Role
from console.store.models import people as p
from console.store.models.measurement import stable_id
from console.store.session import Database, Operator
from console.web.access import COOKIE
from tests import fleet, followed_up, given, grids, sites
from tests.domain.test_formats import GROUPS, MANGLED

pytestmark = pytest.mark.chromium

SEEN = (("light", 1440), ("dark", 390))  # colours know nothing of widths: two pairs show both of each
HEAVIEST_FIRST_PAGE = 60_000  # bytes over the wire
YESTERDAY = datetime.now(UTC) - timedelta(days=1)
DAY = YESTERDAY.date().isoformat()
TODAY = (YESTERDAY + timedelta(days=1)).date().isoformat()
HOST = stable_id("srv-02")
PAGES = (
    (None, "/sign-in"),
    (Role.ADMINISTRATOR, "/"),
    (Role.ADMINISTRATOR, "/account"),
    (Role.ADMINISTRATOR, "/account/password"),
    (Role.ADMINISTRATOR, "/account/second-factor"),
    (Role.ACCOUNT_MANAGER, "/account"),
    (Role.ACCOUNT_MANAGER, "/account/delegations/new"),
    (Role.ADMINISTRATOR, "/people"),
    (Role.ADMINISTRATOR, "/people/1?words=foix"),
    (Role.ADMINISTRATOR, "/people/invite"),
    (Role.ADMINISTRATOR, "/tokens"),
    (Role.ADMINISTRATOR, "/tokens/new"),
    (Role.ADMINISTRATOR, f"/energy?day={DAY}"),
    (Role.ADMINISTRATOR, "/energy?day=2020-01-01"),
    (Role.ADMINISTRATOR, "/fleet"),
    (Role.ADMINISTRATOR, f"/fleet/{HOST}"),
    (Role.ADMINISTRATOR, "/fleet/live"),
    (Role.ADMINISTRATOR, "/fleet/workloads"),
    (Role.ADMINISTRATOR, f"/fleet/reconciliation?last={TODAY}"),
    (Role.ADMINISTRATOR, f"/fleet/reconciliation/hosts/{HOST}?last={TODAY}"),
    (Role.ADMINISTRATOR, "/fleet/quarantine?rule=energy"),
    (Role.ADMINISTRATOR, "/sites"),
    (Role.ADMINISTRATOR, "/sites/ami"),
    (Role.ADMINISTRATOR, "/sites/ami/measures/new"),
    (Role.ADMINISTRATOR, "/sites/ami/import"),
    (Role.ADMINISTRATOR, "/sites/ami/pools"),
    (Role.ADMINISTRATOR, "/sites/ami/contracts/1"),
    (Role.CIO, "/adherents/2/carbon"),
    (Role.ADMINISTRATOR, "/catalogue/services/payroll/sharing"),
    (Role.ADMINISTRATOR, "/carbon/factors"),
    (Role.ADMINISTRATOR, "/carbon/factors/ademe-fra-2022-consumption"),
    (Role.CIO, "/carbon/factors/ademe-fra-2022-consumption"),
    (Role.ADMINISTRATOR, "/carbon/factors/ademe-fra-2022-consumption/replace"),
    (Role.ADMINISTRATOR, "/carbon/factors/import"),
    (Role.ADMINISTRATOR, "/carbon/equipment"),
    (Role.ADMINISTRATOR, "/carbon/equipment/1"),
    (Role.ADMINISTRATOR, "/carbon/equipment/1/edit"),
    (Role.ADMINISTRATOR, "/carbon/equipment/proposals"),
    (Role.ADMINISTRATOR, "/carbon/equipment/obsolescence"),
    (Role.ADMINISTRATOR, "/carbon/grids"),
    (Role.ADMINISTRATOR, "/carbon/grids/FR?month=2026-02"),
    (Role.ADMINISTRATOR, "/carbon/grids/FR?day=2026-02-03"),
    (Role.ADMINISTRATOR, "/carbon/grids/import"),
    (Role.ADMINISTRATOR, "/carbon/close"),
    (Role.ADMINISTRATOR, "/carbon/sci"),
    (Role.CIO, "/methodology"),
    (Role.CIO, f"/adherents/2/carbon/months?year={DAY[:4]}"),
    (Role.CIO, f"/adherents/2/carbon/{DAY[:7]}"),
    (Role.CIO, f"/adherents/2/carbon/{DAY[:7]}/trace"),
    (Role.CIO, "/adherents/2/sci"),
    (Role.ADMINISTRATOR, "/cmdb"),
    (Role.ADMINISTRATOR, "/adherents"),
    (Role.ADMINISTRATOR, "/adherents?sort=energy&order=descending&only=no_plan"),
    (Role.ADMINISTRATOR, "/adherents/new"),
    (Role.ADMINISTRATOR, "/adherents/2/facts"),
    (Role.ADMINISTRATOR, "/adherents/2/contacts"),
    (Role.ADMINISTRATOR, "/adherents/2/contacts/1"),
    (Role.ADMINISTRATOR, "/adherents/2/notes"),
    (Role.ADMINISTRATOR, "/committees"),
    (Role.ADMINISTRATOR, "/adherents/2/committees/1"),
    (Role.ADMINISTRATOR, "/adherents/2/committees/2"),
    (Role.ADMINISTRATOR, "/adherents/2/committees/new"),
    (Role.ADMINISTRATOR, "/adherents/2/committees/1/facts"),
    (Role.ADMINISTRATOR, "/tasks"),
    (Role.ADMINISTRATOR, "/adherents/2/tasks/1"),
    (Role.ADMINISTRATOR, "/portfolio"),
    (Role.ACCOUNT_MANAGER, "/portfolio"),
    (Role.ADMINISTRATOR, "/adherents/directory"),
    (Role.ADMINISTRATOR, "/adherents/2"),
    (Role.ADMINISTRATOR, "/incidents"),
    (Role.ADMINISTRATOR, "/adherents/2/incidents/new"),
    (Role.ADMINISTRATOR, "/adherents/2/incidents/1"),
    (Role.ADMINISTRATOR, "/adherents/2/incidents/1/due-dates/ttr"),
    (Role.ADMINISTRATOR, "/adherents/2/incidents/1/report"),
    (Role.ADMINISTRATOR, "/adherents/2/incidents"),
    (Role.ADMINISTRATOR, "/incidents?which=all&priority=P2"),
    (Role.ADMINISTRATOR, "/catalogue/calendars"),
    (Role.ADMINISTRATOR, "/catalogue/calendars/working-hours?year=2027"),
    (Role.ADMINISTRATOR, "/catalogue/calendars/working-hours/edit"),
    (Role.ADMINISTRATOR, "/catalogue/plans"),
    (Role.ADMINISTRATOR, "/catalogue/plans/critical"),
    (Role.ADMINISTRATOR, "/catalogue/plans/critical/next"),
    (Role.ADMINISTRATOR, "/catalogue/matrix"),
    (Role.ADMINISTRATOR, "/alert-routes"),
    (Role.ADMINISTRATOR, "/alert-routes/new"),
    (Role.ADMINISTRATOR, "/adherents/2/status"),
    (Role.CIO, "/adherents/2/status"),
    (Role.ADMINISTRATOR, "/adherents/2/subscriptions/1"),
    (Role.ADMINISTRATOR, "/adherents/2/subscriptions/new"),
    (Role.ADMINISTRATOR, "/adherents/2/subscriptions/1/amend?subject=terms"),
    (Role.ADMINISTRATOR, "/adherents/2/subscriptions/1/amend?subject=price"),
    (Role.ADMINISTRATOR, "/adherents/2/subscriptions/1/amend?subject=status"),
    (Role.ADMINISTRATOR, "/adherents/2/subscriptions/1/amend?subject=end"),
    (Role.ADMINISTRATOR, "/adherents/2/claims"),
    (Role.ADMINISTRATOR, "/shared-services"),
    (Role.ADMINISTRATOR, "/contracts?months=12"),
    (Role.ADMINISTRATOR, "/contracts/revisions"),
    (Role.ADMINISTRATOR, "/contracts/without-plan"),
    (Role.ADMINISTRATOR, "/contracts/ending-services"),
    (Role.ADMINISTRATOR, "/contracts/unclaimed"),
    (Role.ADMINISTRATOR, "/volumes"),
    (Role.CIO, "/adherents/2/subscriptions/1"),
    (Role.ADMINISTRATOR, "/statements"),
    (Role.ADMINISTRATOR, "/adherents/2/statements"),
    (Role.ADMINISTRATOR, "/adherents/2/statements/1"),
    (Role.ADMINISTRATOR, "/directory"),
    (Role.ADMINISTRATOR, "/directory/imports/1"),
    (Role.ADMINISTRATOR, "/directory/imports/2"),
    (Role.ADMINISTRATOR, "/directory/imports/3/columns"),
    (Role.ADMINISTRATOR, "/directory/imports/3/columns?kind=memberships"),
    (Role.ADMINISTRATOR, "/directory/entities/010780054"),
    (Role.ADMINISTRATOR, "/ght"),
    (Role.ADMINISTRATOR, "/ght/84103"),
    (Role.ADMINISTRATOR, "/catalogue"),
    (Role.ADMINISTRATOR, "/catalogue/new"),
    (Role.ADMINISTRATOR, "/catalogue/services/payroll"),
    (Role.ADMINISTRATOR, "/catalogue/services/payroll/subscribers"),
    (Role.ADMINISTRATOR, "/catalogue/services/payroll/end"),
    (Role.ADMINISTRATOR, "/catalogue/services/payroll/hosting"),
    (Role.ADMINISTRATOR, "/catalogue/services/payroll/dependencies"),
    (Role.ADMINISTRATOR, "/catalogue/services/payroll/release"),
    (Role.ADMINISTRATOR, "/catalogue/criticalities"),
    (Role.ADMINISTRATOR, "/catalogue/regulatory-rules"),
    (Role.ADMINISTRATOR, "/catalogue/regulatory-rules/nis2-final-report"),
    (Role.ADMINISTRATOR, "/major-incidents"),
    (Role.ADMINISTRATOR, "/major-incidents/new"),
    (Role.ADMINISTRATOR, "/major-incidents/1"),
    (Role.ADMINISTRATOR, "/major-incidents/1/adherents"),
    (Role.ADMINISTRATOR, "/major-incidents/1/duties"),
    (Role.ACCOUNT_MANAGER, "/adherents/3/incidents/1/duties"),
    (Role.ADMINISTRATOR, "/maintenance"),
    (Role.ADMINISTRATOR, "/maintenance/new"),
    (Role.ADMINISTRATOR, "/maintenance/1"),
    (Role.CIO, "/adherents/2/maintenance"),
    (Role.CIO, "/account/calendars"),
    (Role.ADMINISTRATOR, "/adherents/2/service-levels"),
    (Role.CIO, "/adherents/2/service-levels/1/2026-10"),
    (Role.ADMINISTRATOR, "/service-levels/close?month=2026-10"),
    (Role.ADMINISTRATOR, "/ght/84103/service-levels?month=2026-10"),
    (Role.ADMINISTRATOR, "/catalogue/campaigns"),
    (Role.ADMINISTRATOR, "/catalogue/certificates"),
    (Role.ADMINISTRATOR, "/catalogue/certificates/new"),
    (Role.CIO, "/catalogue/services/hds-iaas"),
    (Role.CIO, "/"),
    (Role.CIO, "/adherents/2"),
    (Role.CIO, "/adherents/2/incidents/1"),
    (Role.CIO, f"/adherents/2/energy?day={DAY}"),
    (Role.ADMINISTRATOR, "/audit"),
    (Role.ADMINISTRATOR, "/adherents/2/audit"),
    (Role.ADMINISTRATOR, "/adherents/2/audit/1"),
    (Role.CIO, "/audit"),
    (Role.ACCOUNT_MANAGER, "/"),
)


@dataclass(frozen=True)
class Console:
    """A console that answers on a port of this machine."""

    database: Database
    url: str

    def sign_in(self, context: BrowserContext, role: Role | None) -> None:
        if role is None:
            return
        with self.database.write(Operator()) as session:
            token = given.signed_in(session, role, (2, 3) if role is Role.ACCOUNT_MANAGER else (2,))
        context.add_cookies([{"name": COOKIE, "value": token, "url": self.url}])


@pytest.fixture(scope="module")
def console(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A console with two adherents, a metered morning, a statement and an open incident."""
    folder = tmp_path_factory.mktemp("console")
    shutil.copy(sqlite_template, folder / "console.db")
    app = create_app(read_config({"CONSOLE_VAR": str(folder), "CONSOLE_PUBLIC_URL": "http://127.0.0.1"}))
    database: Database = app.extensions["console"].database
    with database.write(Operator()) as session:
        given.the_directory(session)
        given.a_group(session, "84103", "010780054", "010008407")
        given.a_file_sent(session, GROUPS)
        given.a_file_sent(session, MANGLED, as_of=given.NOW.date())
        given.a_file_sent(session, Path("sites.csv"), b"FINESS;Nom\n010000024;CH\n")
        given.an_adherent(session, 2, "CH de Foix")
        given.an_adherent(session, 3, "CHU de Nulle-Part")
        given.an_account(session, "ana", Role.OPS)
        given.a_metered_morning(session, YESTERDAY, payroll=2)
        given.a_statement(session, 2, YESTERDAY)
        given.an_open_incident(session, 2, "Bulletins bloqués")
        followed_up.an_adherent_in_full(session, 2)
        given.a_subscription(session, 2, "payroll")
        given.a_service_that_ends(session, "payroll", "hr")
        given.a_certificate(session)
        given.a_major_incident(session, 3)
        given.planned_work(session)
        fleet.heard(session, fleet.Told("srv-02", {"redfish": 300, "rapl": 200}, {"payroll": 1.0}), hours=3)
        fleet.a_meter(session, "tls", YESTERDAY, YESTERDAY + timedelta(hours=1), 3_600_000_000)
        fleet.an_impossible_minute(session, "srv-02")
        sites.a_metered_year(session, "ami")
        given.a_server(session)
        grids.a_known_february(session)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Console(database, f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()
    database.close()


def errors_of(page: Page) -> list[str]:
    """Collects what the page complains of from now on: scripts, policies, missing files."""
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("requestfailed", lambda request: errors.append(f"{request.url}: {request.failure}"))
    return errors


@pytest.mark.parametrize(("role", "address"), PAGES)
def test_a_page_is_accessible_whole_and_without_error_at_any_width_in_both_schemes(
    console: Console, chromium: Browser, role: Role | None, address: str
) -> None:
    context = chromium.new_context(locale="fr-FR", reduced_motion="reduce")
    console.sign_in(context, role)
    page = context.new_page()
    errors = errors_of(page)
    answer = page.goto(console.url + address)
    assert answer is not None
    assert answer.status == 200
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    for scheme, width in SEEN:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        found = Axe().run(page)
        assert found.violations_count == 0, f"{scheme} {width}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (scheme, width)
    assert errors == []
    context.close()


@pytest.mark.parametrize(
    "address", [f"/adherents/2/carbon/months?year={DAY[:4]}", f"/adherents/2/carbon/{DAY[:7]}/trace"]
)
def test_tables_of_carbon_show_every_column_on_a_desk(
    console: Console, chromium: Browser, address: str
) -> None:
    context = chromium.new_context(locale="fr-FR", viewport={"width": 1440, "height": 900})
    console.sign_in(context, Role.CIO)
    page = context.new_page()
    page.goto(console.url + address)
    regions = page.locator("main .scroll")
    assert regions.count() > 0
    assert all(regions.evaluate_all("all => all.map(one => one.scrollWidth <= one.clientWidth)"))
    context.close()


@pytest.mark.parametrize(("role", "address"), [(None, "/sign-in"), (Role.ADMINISTRATOR, "/")])
def test_the_first_page_is_light(
    console: Console, chromium: Browser, role: Role | None, address: str
) -> None:
    context = chromium.new_context()
    console.sign_in(context, role)
    page = context.new_page()
    sizes: list[int] = []
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(console.url + address, wait_until="networkidle")
    assert len(sizes) >= 3
    assert sum(sizes) < HEAVIEST_FIRST_PAGE
    context.close()


def test_the_first_page_refreshes_itself_and_leaves_when_the_session_ends(
    console: Console, chromium: Browser
) -> None:
    context = chromium.new_context()
    console.sign_in(context, Role.ADMINISTRATOR)
    page = context.new_page()
    page.clock.install()
    page.goto(console.url)
    assert page.get_by_text("Admissions arrêtées").count() == 0
    page.locator("#incidents-table").focus()
    with console.database.write(Operator()) as session:
        given.an_open_incident(session, 3, "Admissions arrêtées")
    page.clock.fast_forward(31_000)
    page.get_by_text("Admissions arrêtées").wait_for()
    assert page.evaluate("document.activeElement.id") == "incidents-table"
    with console.database.write(Operator()) as session:
        session.execute(delete(p.SignIn))
    for _ in range(10):  # a refresh that was under way when the session ended changes nothing
        page.clock.fast_forward(31_000)
        page.wait_for_timeout(500)
        if "/sign-in" in page.url:
            break
    page.wait_for_url("**/sign-in?next=/")
    context.close()


def test_the_power_now_is_asked_for_while_somebody_looks_and_read_aloud_without_the_rest(
    console: Console, chromium: Browser
) -> None:
    context = chromium.new_context(locale="fr-FR")
    console.sign_in(context, Role.ADMINISTRATOR)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/live/now" in request.url else None)
    page.clock.install()
    page.goto(f"{console.url}/fleet/live")
    page.evaluate("document.querySelector('#total').dataset.kept = 'yes'")
    page.clock.run_for(16_000)
    page.wait_for_function("document.querySelector('#live[data-every]') !== null")
    assert len(asked) == 1
    assert page.evaluate("document.querySelector('#total').dataset.kept") == "yes"  # it is the same region
    assert page.evaluate("document.querySelector('#total').ariaLive") == "polite"
    assert "pour" in page.inner_text("#total")
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    page.clock.run_for(60_000)
    assert len(asked) == 1
    page.evaluate("Object.defineProperty(document, 'hidden', {value: false, configurable: true})")
    with page.expect_request("**/fleet/live/now"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    context.close()


def test_everything_works_without_javascript(console: Console, chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False, locale="fr-FR")
    page = context.new_page()
    page.goto(f"{console.url}/energy?day={DAY}")
    page.get_by_label("Identifiant").fill("ana")
    page.get_by_label("Mot de passe").fill(given.PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    assert page.url == f"{console.url}/energy?day={DAY}"
    page.get_by_role("link", name="Le jour précédent").click()
    assert "Aucune énergie n'est connue ce jour-là" in page.inner_text("main")
    page.get_by_role("button", name="English").click()
    assert page.get_by_role("heading", level=1).inner_text().startswith("Energy")
    page.get_by_role("button", name="Sign out").click()
    assert page.url == f"{console.url}/sign-in"
    context.close()


def test_the_keyboard_reaches_the_content_first_and_sees_where_it_is(
    console: Console, chromium: Browser
) -> None:
    context = chromium.new_context(locale="fr-FR")
    console.sign_in(context, Role.ADMINISTRATOR)
    page = context.new_page()
    page.goto(console.url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Aller au contenu"
    outline: dict[str, Any] = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    context.close()
