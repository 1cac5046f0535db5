"""Service levels in the browser: a year, a month with its computation, closing, correcting, a group."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import update

from console.actions.amendments import amend
from console.actions.incidents import Revision, set_particulars
from console.actions.service_months import close_month
from console.domain.access import Role
from console.domain.outages import Effect
from console.domain.price import PricePer
from console.store.models import catalogue as c
from console.store.queries.service_levels import group_levels, month_levels, year_of
from console.store.queries.service_months import adherents_to_close
from console.store.session import Database, Operator
from console.web.pages import service_levels
from tests import given
from tests.browser import Browser

SignIn = Callable[..., Browser]
CH, HOSTING = 11, 2
BEGAN = datetime(2026, 10, 14, 9, tzinfo=UTC)
IN_NOVEMBER = datetime(2026, 11, 3, 8, tzinfo=UTC)
YEAR = f"/adherents/{CH}/service-levels"
OCTOBER = f"{YEAR}/{HOSTING}/2026-10"


@pytest.fixture
def hospital(database: Database) -> Database:
    """Hosting at 1 000 euros a month, with two hours of outage on 14 October 2026."""
    with database.write(Operator()) as session:
        given.an_adherent(session, CH, "CH de Fleyriat")
        given.a_subscription(
            session, CH, "hds-iaas", price_cents=100_000, price_per=PricePer.MONTH, volume=300
        )
        given.an_incident(session, CH, subscription=HOSTING, opened_at=BEGAN, effect=Effect.OUTAGE)
        given.it_is(session, "resolved", CH, 1, BEGAN + timedelta(hours=2))
    return database


def closed(database: Database) -> None:
    with database.write(Operator()) as session:
        close_month(session, CH, date(2026, 10, 1), now=IN_NOVEMBER, by="ops")


def test_a_year_shows_its_months_its_quarters_and_itself(hospital: Database, sign_in_as: SignIn) -> None:
    text = sign_in_as(Role.CIO, CH).get(f"{YEAR}?year=2026").text
    assert "99,7315" in text
    for period in ("octobre 2026", "Trimestre 4", "Année 2026", "sous la cible", "provisoire"):
        assert period in text
    assert "Clore un mois" not in text


def test_a_month_shows_how_its_credit_is_computed(hospital: Database, sign_in_as: SignIn) -> None:
    text = sign_in_as(Role.CIO, CH).get(OCTOBER).text.replace("\u202f", " ").replace("\xa0", " ")
    assert "99,7315 % est sous 99,9000 % : 5 % de 1 000,00 € font 50,00 €, au centime supérieur." in text
    assert "incident n° 1" in text


@pytest.mark.parametrize("address", [f"{YEAR}/{HOSTING}/2026-13", f"{YEAR}/9/2026-10", f"{YEAR}/{HOSTING}/x"])
def test_a_month_that_is_not_there_is_not_found(hospital: Database, sign_in_as: SignIn, address: str) -> None:
    assert sign_in_as(Role.ADMINISTRATOR).get(address).status_code == 404


def test_a_month_is_closed_once_it_is_over(hospital: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    running = f"{datetime.now(UTC):%Y-%m}"
    refused = browser.submit(YEAR, month=running)
    assert refused.status_code == 422
    assert "pas fini" in refused.text
    assert browser.submit(YEAR, month="x").status_code == 422
    browser.submit(YEAR, month="2026-10")
    assert "Révision 1" in browser.get(OCTOBER).text


def test_a_correction_says_what_changed(hospital: Database, sign_in_as: SignIn) -> None:
    closed(hospital)
    browser = sign_in_as(Role.ADMINISTRATOR)
    assert browser.submit(OCTOBER, reason="Rien").status_code == 409
    with hospital.write(Operator()) as session:
        set_particulars(
            session,
            tenant_id=CH,
            number=1,
            revision=Revision(effect=Effect.DEGRADED),
            at=BEGAN,
            now=IN_NOVEMBER,
            by="ops",
        )
    assert browser.submit(OCTOBER, reason="").status_code == 422
    assert browser.submit(OCTOBER, reason="Partielle").status_code == 303
    text = browser.get(OCTOBER).text
    assert "Partielle." in text
    assert "incident 1: degraded" in text
    assert "aucun avoir" in text
    figures = text[text.index("Chiffres de chaque révision") :]
    before, after = figures.index("99,7315"), figures.index("100,0000")
    assert figures.index("50,00") < after
    assert before < after < figures.index("Ce qui a changé")
    csv = browser.get(f"{YEAR}.csv?year=2026").text.splitlines()
    assert next(line for line in csv if line.startswith("2;") and ";2026-10-01;1;" in line).endswith(";2")


def test_a_year_is_taken_away_as_a_file(hospital: Database, sign_in_as: SignIn) -> None:
    answer = sign_in_as(Role.CIO, CH).get(f"{YEAR}.csv?year=2026")
    lines = answer.text.splitlines()
    [october] = [line for line in lines if ";2026-10-01;1;" in line and line.startswith("2;")]
    assert ";7200;" in october
    assert october.endswith("50,0;")


def test_who_reads_does_not_close(hospital: Database, sign_in_as: SignIn) -> None:
    closed(hospital)
    for role, tenants in ((Role.CIO, [CH]), (Role.OPS, [])):
        browser = sign_in_as(role, *tenants)
        assert browser.submit(YEAR, month="2026-09").status_code == 403
        assert browser.submit(OCTOBER, reason="Essai").status_code == 403


def test_a_group_is_weighted_by_the_use_of_its_members(hospital: Database, sign_in_as: SignIn) -> None:
    """300 units at 99.7315 %, 100 at 100 %: 99.7986 %."""
    with hospital.write(Operator()) as session:
        given.an_adherent(session, 12, "CH d'Oyonnax")
        given.a_subscription(session, 12, "hds-iaas", volume=100)
        for tenant_id, finess_ej in ((CH, "010780054"), (12, "010008407")):
            session.get_one(c.Adherent, tenant_id).finess_ej = finess_ej
        given.the_directory(session)
        given.a_group(session, "84103", "010780054", "010008407")
    text = sign_in_as(Role.ADMINISTRATOR).get("/ght/84103/service-levels?month=2026-10").text
    assert "99,7986" in text
    assert "CH d&#39;Oyonnax" in text


def test_a_group_tells_of_how_many_its_figure_is(hospital: Database, sign_in_as: SignIn) -> None:
    with hospital.write(Operator()) as session:
        given.an_adherent(session, 12, "CH d'Oyonnax")
        given.a_subscription(session, 12, "hds-iaas")
        for tenant_id, finess_ej in ((CH, "010780054"), (12, "010008407")):
            session.get_one(c.Adherent, tenant_id).finess_ej = finess_ej
        given.the_directory(session)
        given.a_group(session, "84103", "010780054", "010008407")
    text = sign_in_as(Role.ADMINISTRATOR).get("/ght/84103/service-levels?month=2026-10").text
    assert "1 sur 2 pondérés" in text


def test_an_incident_that_is_not_resolved_is_listed_apart(hospital: Database, sign_in_as: SignIn) -> None:
    with hospital.write(Operator()) as session:
        given.an_incident(session, CH, subscription=HOSTING, opened_at=BEGAN)
    text = sign_in_as(Role.CIO, CH).get(OCTOBER).text
    assert "Incidents non résolus à la fin du mois" in text
    assert "n° 2" in text[text.index('id="open-incidents"') :]


def test_a_quarter_allows_what_its_months_allow(hospital: Database) -> None:
    """October at 99.9 % of 745 hours; from November on at 99.5 % of working hours."""
    with hospital.write(Operator()) as session:
        changes = {"plan_code": "standard", "plan_version": 1}
        amend(
            session, CH, HOSTING, effective_on=date(2026, 11, 1), changes=changes, now=IN_NOVEMBER, by="ops"
        )
    with hospital.read(Operator()) as session:
        [hosting] = [one for one in year_of(session, CH, 2026, IN_NOVEMBER) if one.subscription == HOSTING]
    october, november, quarter = hosting.levels[-4:-1]
    assert october.budget
    assert november.budget
    assert quarter.budget
    assert quarter.budget.elapsed_s == (october.budget.allowed + november.budget.allowed) // 1_000_000
    assert (october.target_ppm, november.target_ppm) == (999_000, 995_000)
    assert 995_000 < (quarter.target_ppm or 0) < 999_000


def test_a_target_of_all_the_time_reads_as_used_up(hospital: Database, sign_in_as: SignIn) -> None:
    with hospital.write(Operator()) as session:
        session.execute(update(c.SlaPlan).values(availability_ppm=1_000_000))
    browser = sign_in_as(Role.CIO, CH)
    assert "épuisé" in browser.get(OCTOBER).text
    assert "(épuisé)" in browser.get(f"{YEAR}?year=2026").text


def test_a_running_month_says_how_fast_its_budget_burns_and_what_can_be_borne(
    hospital: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.CIO, CH)
    assert "2,68 fois" in browser.get(OCTOBER).text
    assert "commencerait maintenant" not in browser.get(OCTOBER).text
    with hospital.read(Operator()) as session:
        [october] = [
            one
            for one in month_levels(session, CH, [date(2026, 10, 1)], BEGAN + timedelta(hours=9))
            if one.subscription == HOSTING
        ]
    assert october.bearable_s is not None
    assert october.bearable_s < 0


def test_a_member_that_holds_a_service_twice_is_weighted_by_both(
    hospital: Database, sign_in_as: SignIn
) -> None:
    """300 units at 99.7315 %, 100 more of the same adherent at 100 %: 99.7986 %."""
    with hospital.write(Operator()) as session:
        given.a_subscription(session, CH, "hds-iaas", volume=100, starts_on=date(2026, 9, 1))
    with hospital.read(Operator()) as session:
        [hosting] = [
            level
            for level in group_levels(session, [CH], date(2026, 10, 1), IN_NOVEMBER)
            if level.availability_ppm is not None and len(level.members) > 1
        ]
    assert [(one.subscription, one.use) for one in hosting.members] == [(HOSTING, 300), (3, 100)]
    assert hosting.availability_ppm == (300 * 743 + 100 * 745) * 1_000_000 // (400 * 745)


def test_the_error_budget_is_shown_in_full(hospital: Database, sign_in_as: SignIn) -> None:
    """Of 745 hours at 99.9 %, 44 min 42 s; two hours are used: 268 %."""
    browser = sign_in_as(Role.CIO, CH)
    text = browser.get(OCTOBER).text
    budget = (
        text[text.index('id="budget"') : text.index('id="credit"')]
        .replace("\u202f", " ")
        .replace("\xa0", " ")
    )
    assert budget.count("268 %") == 2
    assert "44 min" in budget
    assert "−1 h 15 min" in budget
    assert "(268 %)" in browser.get(f"{YEAR}?year=2026").text.replace("\u202f", " ").replace("\xa0", " ")


CLOSING = "/service-levels/close"


@pytest.fixture
def three(hospital: Database) -> Database:
    """Two adherents more, one of which subscribed only after October."""
    with hospital.write(Operator()) as session:
        for tenant_id, starts_on in ((12, date(2026, 1, 1)), (13, date(2026, 11, 1))):
            given.an_adherent(session, tenant_id, f"CH numéro {tenant_id}")
            given.a_subscription(session, tenant_id, "hds-iaas", starts_on=starts_on)
    return hospital


def test_a_month_is_closed_for_the_portfolio_by_the_next_adherents(
    three: Database, sign_in_as: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at a time: where it stands is in the address, and nothing is closed twice."""
    monkeypatch.setattr(service_levels, "CLOSED_AT_ONCE", 2)
    browser = sign_in_as(Role.ADMINISTRATOR)
    assert "3. Les suivants" in browser.get(f"{CLOSING}?month=2026-10").text
    answer = browser.submit(CLOSING, month="2026-10", after="0")
    assert answer.headers["Location"].endswith("month=2026-10&after=12")
    rest = browser.get(answer.headers["Location"]).text
    assert "1. Les suivants" in rest
    assert "CH numéro 13" in rest
    last = browser.submit(CLOSING, month="2026-10", after="12")
    assert "Plus rien à clore" in browser.get(last.headers["Location"]).text
    assert "Révision 1" in browser.get(OCTOBER).text


def test_a_manager_closes_the_months_of_its_portfolio_alone(three: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, CH)
    assert "CH numéro 12" not in browser.get(f"{CLOSING}?month=2026-10").text
    browser.submit(CLOSING, month="2026-10")
    with three.read(Operator()) as session:
        assert adherents_to_close(session, date(2026, 10, 1), 0) == [12, 13]


def test_a_running_month_is_not_closed_for_the_portfolio(three: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    refused = browser.submit(CLOSING, month=f"{datetime.now(UTC):%Y-%m}")
    assert refused.status_code == 422
    assert "pas fini" in refused.text
    assert sign_in_as(Role.CIO, CH).get(CLOSING).status_code == 403
