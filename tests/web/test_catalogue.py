"""The catalogue as people see and change it."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from console.domain.access import Permission, Role, may
from console.store.queries.catalogue import hosting_of, service_page
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser

SignIn = Callable[..., Browser]
FOIX, PAMIERS = 11, 12
TODAY = datetime.now(UTC).date()
PAYROLL = "/catalogue/services/payroll"


@pytest.fixture
def two(database: Database) -> Database:
    """Foix and Pamiers take payroll, which ends; only Foix has its successor."""
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
        given.a_subscription(session, FOIX, "payroll")
        given.a_subscription(session, PAMIERS, "payroll")
        given.a_subscription(session, FOIX, "digihosp")
        given.a_service_that_ends(session, "payroll", "digihosp", date(2030, 6, 30))
    return database


def form(**changes: str) -> dict[str, str]:
    return {
        "code": "backup",
        "trade": "hosting",
        "name_fr": "Sauvegarde externalisée",
        "name_en": "Off-site backup",
        "unit_fr": "Go",
        "unit_en": "GB",
        "plan_code": "critical",
        "criticality_code": "",
        "description_fr": "Une copie ailleurs.",
        "description_en": "",
    } | changes


def test_services_are_listed_by_trade_and_searched(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.CIO, FOIX)
    page = browser.get("/catalogue").text
    for text in (
        "Logiciels",
        "Hébergement HDS",
        "Production de la paie",
        "bulletin de paie",
        "sans certificat",
    ):
        assert text in page
    found = browser.fragment("/catalogue?words=plateforme hds").text
    assert "hds-paas" in found
    assert "payroll" not in found
    assert "<html" not in found
    assert "Aucun service ne correspond" in browser.get("/catalogue?words=minitel").text


def test_the_page_of_a_service_says_what_is_known_and_what_is_not(two: Database, sign_in_as: SignIn) -> None:
    page = sign_in_as(Role.CIO, FOIX).get("/catalogue/services/digihosp").text
    for text in ("parcours", "Critique 24 h / 24", "Gestion administrative du patient", "à travers 2 autres"):
        assert text in page
    assert page.count("non renseigné") >= 6
    assert "Aucun certificat déposé" in page
    english = sign_in_as(Role.CIO, FOIX, locale="en").get("/catalogue/services/digihosp").text
    assert "not stated" in english
    assert "Patient administration" in english


def test_a_service_that_is_not_there_is_nowhere(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    for address in ("", "/subscribers", "/subscribers.csv", "/edit", "/end", "/release", "/versions/1"):
        assert browser.get(f"/catalogue/services/fax{address}").status_code == 404
    assert browser.get("/catalogue/criticalities/fax").status_code == 404
    for address in ("/edit", "/end", "/release", "/versions/1", "/dependencies", "/hosting"):
        answer = browser.submit(
            f"/catalogue/services/fax{address}",
            **form(version="1", released_on="2026-01-01", needs="hr", since="2026-01-01", country="FR"),
        )
        assert answer.status_code == 404, address


@pytest.mark.parametrize("role", Role)
def test_who_still_is_on_a_service_is_for_those_who_follow_adherents(
    two: Database, sign_in_as: SignIn, role: Role
) -> None:
    browser = sign_in_as(role, FOIX)
    for address in (f"{PAYROLL}/subscribers", f"{PAYROLL}/subscribers.csv", "/catalogue/campaigns"):
        expected = 200 if may(role, Permission.SEE_PORTFOLIO) else 403
        assert browser.get(address).status_code == expected


def test_a_cio_reads_nothing_of_another_adherent(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.CIO, FOIX)
    for address in ("/catalogue", PAYROLL, "/catalogue/certificates"):
        page = browser.get(address)
        assert page.status_code == 200
        assert "Pamiers" not in page.text
    assert "<dd>1<small>dans votre périmètre" in browser.get(PAYROLL).text
    assert "<dd>2<small>dans votre périmètre" in sign_in_as(Role.OPS).get(PAYROLL).text


def test_a_manager_sees_who_is_left_to_move_in_the_portfolio(two: Database, sign_in_as: SignIn) -> None:
    everyone = sign_in_as(Role.ADMINISTRATOR)
    listed = everyone.get(f"{PAYROLL}/subscribers").text
    assert "CH de Foix" in listed
    assert "CH de Pamiers" in listed
    assert "pas encore" in listed
    manager = sign_in_as(Role.ACCOUNT_MANAGER, PAMIERS)
    assert "CH de Foix" not in manager.get(f"{PAYROLL}/subscribers").text
    table = manager.get("/catalogue/campaigns").text
    assert "Production de la paie" in table
    assert "Digihosp" in table


def test_the_list_leaves_as_a_file_with_exactly_its_rows(two: Database, sign_in_as: SignIn) -> None:
    manager = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    answer = manager.get(f"{PAYROLL}/subscribers.csv")
    assert "attachment; filename=encore-sur-payroll.csv" in answer.headers["Content-Disposition"]
    lines = answer.data.decode("utf-8-sig").splitlines()
    assert len(lines) == 2
    assert lines[1] == "CH de Foix;2;;active;2026-01-01;;;Digihosp, parcours numérique du patient;2026-01-01"
    book = manager.get(f"{PAYROLL}/subscribers.xlsx")
    assert book.data.startswith(b"PK")


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_only_who_manages_the_catalogue_is_offered_and_let_to_change_it(
    two: Database, sign_in_as: SignIn, role: Role
) -> None:
    browser = sign_in_as(role, FOIX)
    assert f"{PAYROLL}/edit" not in browser.get(PAYROLL).text
    assert "/catalogue/new" not in browser.get("/catalogue").text
    assert browser.get(f"{PAYROLL}/edit").status_code == 403
    assert browser.submit(f"{PAYROLL}/edit", **form()).status_code == 403
    assert browser.submit(f"{PAYROLL}/end").status_code == 403


def test_a_service_is_added_edited_and_ends(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    assert 'name="code"' in browser.get("/catalogue/new").text
    answer = browser.submit("/catalogue/services", **form())
    assert (answer.status_code, answer.location) == (303, "/catalogue/services/backup")
    edit = browser.get("/catalogue/services/backup/edit").text
    assert "Une copie ailleurs." in edit
    assert 'name="code"' not in edit
    browser.submit(
        "/catalogue/services/backup/edit", **form(name_fr="Sauvegarde", criticality_code="payroll-days")
    )
    ends = {
        "sales_end_on": "2030-01-31",
        "support_ends_on": "2030-06-30",
        "retired_on": "",
        "successor": "hds-iaas",
    }
    assert browser.submit("/catalogue/services/backup/end", **ends).status_code == 303
    page = browser.get("/catalogue/services/backup").text
    for text in ("Sauvegarde", "Jours de paie", "30 juin 2030", "Hébergement HDS : infrastructure"):
        assert text in page
    assert browser.submit("/catalogue/services", **form()).status_code == 409


@pytest.mark.parametrize(
    ("address", "typed", "field"),
    [
        ("/catalogue/services", form(code="Deux mots"), "code"),
        (f"{PAYROLL}/edit", form(name_en=""), "name_en"),
        (f"{PAYROLL}/edit", form(trade="pêche"), "trade"),
        (
            f"{PAYROLL}/end",
            {"sales_end_on": "2026-02-01", "support_ends_on": "2026-01-01"},
            "support_ends_on",
        ),
        (f"{PAYROLL}/end", {"successor": "payroll"}, "successor"),
        (f"{PAYROLL}/release", {"version": "1/2", "released_on": "2026-01-01"}, "version"),
        (f"{PAYROLL}/release", {"version": "1", "released_on": "hier"}, "released_on"),
        ("/catalogue/services/hr/dependencies", {"needs": "payroll", "since": "2030-01-01"}, "needs"),
        (f"{PAYROLL}/hosting", {"since": "2026-01-01"}, "country"),
        (f"{PAYROLL}/hosting", {"since": "2026-01-01", "subcontractors": "Seul"}, "subcontractors"),
        (f"{PAYROLL}/hosting", {"since": "2026-01-01", "activities": "7"}, "activities"),
        (f"{PAYROLL}/hosting", {"since": "2026-01-01", "data_centres": "lille"}, "data_centres"),
        (f"{PAYROLL}/hosting", {"since": "2026-01-01", "transfers": "some"}, "transfer_details"),
        (
            "/catalogue/criticalities",
            {"code": "x", "name_fr": "x", "name_en": "x", "windows": "40"},
            "windows",
        ),
    ],
)
def test_a_wrong_value_is_told_beside_its_field(
    two: Database, sign_in_as: SignIn, address: str, typed: dict[str, str], field: str
) -> None:
    answer = sign_in_as(Role.ADMINISTRATOR).submit(address, **typed)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text


def test_versions_show_with_the_end_of_their_support(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    browser.submit(f"{PAYROLL}/release", version="2026.1", released_on="2026-01-01", notes="Première")
    browser.submit(f"{PAYROLL}/versions/2026.1", support_ends_on="2026-06-30", notes="Close")
    page = sign_in_as(Role.CIO, FOIX).get(PAYROLL).text
    for text in ("2026.1", "30 juin 2026", "sans support", "Close"):
        assert text in page
    assert f"{PAYROLL}/versions/2026.1" not in page
    assert browser.get(f"{PAYROLL}/versions/9").status_code == 404


def test_dependencies_are_added_and_ended_and_a_circle_is_named(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    answer = browser.submit("/catalogue/services/hr/dependencies", needs="payroll", since="2030-01-01")
    assert "hr → payroll → hr" in answer.text
    browser.submit("/catalogue/services/finance/dependencies", needs="hr", since=TODAY.isoformat())
    with two.read(Operator()) as session:
        assert [one.service.code for one in service_page(session, "finance", TODAY).stands_on] == ["hr"]
    page = browser.get("/catalogue/services/finance/dependencies").text
    number = page.split("/catalogue/services/finance/dependencies/")[1].split('"')[0]
    early = browser.submit(f"/catalogue/services/finance/dependencies/{number}", until="2020-01-01")
    assert (early.status_code, f'id="until-{number}-error"' in early.text) == (422, True)
    other = browser.submit(f"/catalogue/services/hr/dependencies/{number}", until=TODAY.isoformat())
    assert other.status_code == 404
    browser.submit(f"/catalogue/services/finance/dependencies/{number}", until=TODAY.isoformat())
    assert "sans terme" not in browser.get("/catalogue/services/finance/dependencies").text


def test_hosting_facts_are_stated_and_what_is_left_empty_stays_unknown(
    two: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    answer = browser.submit(
        f"{PAYROLL}/hosting",
        since="2026-01-01",
        data_centres=["toulouse", "amiens"],
        country="fr",
        activities=["6", "1"],
        subcontractors="Cloud Inc. ; US ; support",
        transfers="none",
        reversibility="Export SQL\r\nsous 30 jours",
    )
    assert answer.status_code == 303
    page = browser.get(PAYROLL).text
    for text in ("Toulouse, Amiens", "1. Sites physiques", "Cloud Inc. (US) : support", "Export SQL<br>sous"):
        assert text in page
    assert "ces sous-traitants en viennent pourtant" in page
    with two.read(Operator()) as session:
        stated = hosting_of(session, "payroll", TODAY)
    assert stated is not None
    assert (stated.facts.country, stated.facts.reversibility_days) == ("FR", None)
    filled = browser.get(f"{PAYROLL}/hosting").text
    assert 'value="amiens" checked' in filled
    assert 'value="6" checked' in filled
    assert "Cloud Inc. ; US ; support" in filled


def test_a_service_is_read_as_it_was_on_a_past_day(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    browser.submit(f"{PAYROLL}/hosting", since="2025-01-01", country="DE")
    browser.submit(f"{PAYROLL}/hosting", since="2026-01-01", country="FR")
    now = browser.get(PAYROLL).text
    assert "<dd>FR</dd>" in now
    assert f"{PAYROLL}?day=2025-01-01" in now
    assert "<dd>DE</dd>" in browser.get(f"{PAYROLL}?day=2025-12-31").text
    before = browser.get(f"{PAYROLL}?day=2024-12-31").text
    assert "<dd>DE</dd>" not in before
    assert "Ressources humaines" not in before  # the dependency had not begun
    assert browser.get(f"{PAYROLL}?day=hier").status_code == 422


def test_a_list_that_is_said_to_be_complete_may_be_empty(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    browser.submit(
        f"{PAYROLL}/hosting", since="2026-01-01", activities_known="known", subcontractors_known="known"
    )
    page = browser.get(PAYROLL).text
    assert "hors du périmètre HDS" in page
    assert "<dd>aucun</dd>" in page


def test_a_calendar_of_critical_days_is_added_and_changed(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    typed = {"name_fr": "Facturation", "name_en": "Billing", "windows": "1-3, 31"}
    assert browser.submit("/catalogue/criticalities", code="billing", **typed).status_code == 303
    assert "1-3, 31" in browser.get("/catalogue/criticalities/billing").text
    browser.submit("/catalogue/criticalities/billing", **typed | {"windows": "5"})
    assert "1-3, 31" not in browser.get("/catalogue/criticalities").text


def test_a_text_that_seems_to_name_a_patient_is_confirmed_first(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    typed = form(description_fr="Patient 1 85 05 78 006 084 36")
    refused = browser.submit(f"{PAYROLL}/edit", **typed)
    assert refused.status_code == 422
    assert 'name="confirmed"' in refused.text
    assert "1 85 05 78 006 084 36" in refused.text
    assert browser.submit(f"{PAYROLL}/edit", confirmed="yes", **typed).status_code == 303


def test_what_people_type_is_never_markup(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    browser.submit(
        f"{PAYROLL}/edit", **form(name_fr="<script>alert(1)</script>", description_fr="<b>gras</b>")
    )
    for address in (
        "/catalogue",
        PAYROLL,
        f"{PAYROLL}/edit",
        f"{PAYROLL}/subscribers",
        "/catalogue/campaigns",
    ):
        page = browser.get(address).text
        assert "<script>alert" not in page
        assert "<b>gras" not in page
