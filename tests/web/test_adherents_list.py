"""The list of adherents: every filter, every order, its files, and what it costs."""

import csv
import io
import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from console.actions.catalogue import seed_catalogue
from console.domain.access import Role
from console.domain.adherents import Sector
from console.domain.directory import GroupRole
from console.domain.factors import Basis
from console.domain.month_lines import LineKind
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import directory as d
from console.store.models import tenant as t
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser

SignIn = Callable[..., Browser]
TODAY = datetime.now(UTC).date()
FOIX, PAMIERS, TOULOUSE, AUCH = "CH de Foix", "ch de Pamiers", "Université de Toulouse", "CH d'Auch"
NAME = re.compile(r'<th scope="row"><a href="/adherents/(\d+)">([^<]+)</a>')


@pytest.fixture
def four(database: Database) -> Database:
    """Foix and Pamiers are of one group, Foix has an incident, Toulouse has energy, Auch has left."""
    with database.write(Operator()) as session:
        for number, name in enumerate((FOIX, PAMIERS, TOULOUSE, AUCH), 2):
            given.an_adherent(session, number, name)
        foix, pamiers, toulouse, auch = (session.get_one(c.Adherent, number) for number in range(2, 6))
        foix.finess_ej, foix.sector, foix.agency = "090781774", Sector.PUBLIC, "Toulouse"
        pamiers.finess_ej, pamiers.agency = "090781816", "Bordeaux"
        toulouse.kind, toulouse.siren = c.AdherentKind.UNIVERSITY, "193113842"
        toulouse.sector = Sector.PRIVATE
        auch.until = TODAY - timedelta(days=1)
        given.an_account(session, "zoe", Role.ACCOUNT_MANAGER, [2, 4], name="Zoé Martin")
        given.an_account(session, "alix", Role.ACCOUNT_MANAGER, [3], name="Alix Petit")
        given.an_account(session, "cio", Role.CIO, [2], name="Aaron")
        given.a_subscription(session, 3)
        given.an_incident(session, 2)
        _a_month(session, 2, energy_mj=7_200_000_000, carbon_ug=1_000_000_000)
        _a_month(session, 4, energy_mj=3_600_000_000, carbon_ug=2_500_000_000)
        _a_group(session, "ght-09", ["090781774", "090781816"])
        _a_site(session, "090781774", "Saint-Jean-de-Verges")
    return database


def _a_month(session: Session, tenant_id: int, **amounts: int) -> None:
    factor = session.scalars(select(b.EmissionFactor).limit(1)).one()
    session.add(
        b.CarbonLine(
            tenant_id=tenant_id,
            month=TODAY.replace(day=1),
            since=datetime(TODAY.year, TODAY.month, 1, tzinfo=UTC),
            host_id=1,
            workload_id=1,
            claim_id=1,
            basis=Basis.YEARLY_AVERAGE,
            revision=0,
            kind=LineKind.OWN,
            counts=True,
            covered_mj=amounts["energy_mj"],
            terms={},
            factor_id=factor.factor_id,
            intensity_mg_per_kwh=factor.intensity_mg_per_kwh,
            provisional=True,
            reckoned_at=datetime.now(UTC),
            **amounts,
        )
    )


def _a_group(session: Session, code: str, members: Iterable[str]) -> None:
    session.add(d.Ght(code=code, name="GHT des Pyrénées ariégeoises", source="test", as_of=TODAY))
    session.flush()
    session.add_all(
        d.GhtMembership(
            ght_code=code,
            finess_ej=member,
            role=GroupRole.MEMBER,
            valid_from=date(2020, 1, 1),
            source="test",
            as_of=TODAY,
        )
        for member in members
    )


def _a_site(session: Session, finess_ej: str, town: str) -> None:
    session.add(
        d.DirectorySite(
            finess_et="090000001",
            finess_ej=finess_ej,
            name="Site",
            department="09",
            town=town,
            source="test",
            as_of=TODAY,
        )
    )


def names(page: str) -> list[str]:
    return [found[1].replace("&#39;", "'") for found in NAME.findall(page)]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", [FOIX, PAMIERS, TOULOUSE]),
        ("words=UNIVERSITÉ", [TOULOUSE]),
        ("words=université+toulouse", [TOULOUSE]),
        ("words=090781816", [PAMIERS]),
        ("words=193113842", [TOULOUSE]),
        ("words=verges", [FOIX]),
        ("words=ST+JEAN", [FOIX]),
        ("words=universite", [TOULOUSE]),
        ("words=Fo%C3%AFx", [FOIX]),
        ("words=%25", []),
        ("kind=university", [TOULOUSE]),
        ("sector=public", [FOIX]),
        ("agency=Bordeaux", [PAMIERS]),
        ("ght=ght-09", [FOIX, PAMIERS]),
        ("ght=ght-10", []),
        ("only=incidents", [FOIX]),
        ("only=ended", [AUCH]),
        ("only=ended&words=foix", []),
        ("kind=palace&sector=x&agency=Lyon&only=x&sort=x&manager=x", [FOIX, PAMIERS, TOULOUSE]),
    ],
)
def test_a_filter_leaves_what_it_says(
    four: Database, sign_in_as: SignIn, asked: str, found: list[str]
) -> None:
    assert names(sign_in_as(Role.OPS).get(f"/adherents?{asked}").text) == found


def test_an_accented_name_stands_where_its_letter_does(four: Database, sign_in_as: SignIn) -> None:
    with four.write(Operator()) as session:
        session.get_one(c.Adherent, 2).name = "Épernay"
    assert names(sign_in_as(Role.OPS).get("/adherents").text) == [PAMIERS, "Épernay", TOULOUSE]


def test_by_manager(four: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    page = browser.get("/adherents").text
    number = re.search(r'<option value="(\d+)">Zoé Martin', page)
    assert number is not None
    assert names(browser.get(f"/adherents?manager={number[1]}").text) == [FOIX, TOULOUSE]
    assert "Aaron" not in page


def test_without_a_plan_are_those_without_an_active_subscription(four: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    assert names(browser.get("/adherents?only=no_plan").text) == []
    with four.write(Operator()) as session:
        session.get_one(t.Subscription, (2, 1)).status = t.SubscriptionStatus.SUSPENDED
        session.get_one(t.Subscription, (3, 2)).plan_code = None
        session.get_one(t.Subscription, (3, 2)).plan_version = None
    assert names(browser.get("/adherents?only=no_plan").text) == [FOIX, PAMIERS]


@pytest.mark.parametrize(
    ("sort", "ascending", "descending"),
    [
        ("name", [FOIX, PAMIERS, TOULOUSE], [TOULOUSE, PAMIERS, FOIX]),
        ("kind", [FOIX, PAMIERS, TOULOUSE], [TOULOUSE, FOIX, PAMIERS]),
        ("sector", [TOULOUSE, FOIX, PAMIERS], [FOIX, TOULOUSE, PAMIERS]),
        ("finess", [FOIX, PAMIERS, TOULOUSE], [PAMIERS, FOIX, TOULOUSE]),
        ("agency", [PAMIERS, FOIX, TOULOUSE], [FOIX, PAMIERS, TOULOUSE]),
        ("manager", [PAMIERS, FOIX, TOULOUSE], [FOIX, TOULOUSE, PAMIERS]),
        ("subscriptions", [FOIX, TOULOUSE, PAMIERS], [PAMIERS, FOIX, TOULOUSE]),
        ("incidents", [PAMIERS, TOULOUSE, FOIX], [FOIX, PAMIERS, TOULOUSE]),
        ("energy", [TOULOUSE, FOIX, PAMIERS], [FOIX, TOULOUSE, PAMIERS]),
        ("carbon", [FOIX, TOULOUSE, PAMIERS], [TOULOUSE, FOIX, PAMIERS]),
    ],
)
def test_every_column_sorts_both_ways_and_what_is_unknown_comes_last(
    four: Database, sign_in_as: SignIn, sort: str, ascending: list[str], descending: list[str]
) -> None:
    browser = sign_in_as(Role.OPS)
    page = browser.get(f"/adherents?sort={sort}").text
    assert names(page) == ascending
    assert page.count('aria-sort="ascending"') == 1
    page = browser.get(f"/adherents?sort={sort}&order=descending").text
    assert names(page) == descending
    assert page.count('aria-sort="descending"') == 1
    mine = sign_in_as(Role.ACCOUNT_MANAGER, 2, 3, 4).get(f"/adherents?sort={sort}").text
    assert names(mine) == (ascending if sort != "manager" else [FOIX, PAMIERS, TOULOUSE])


def test_chips_tell_how_many_there_are_under_the_other_filters(four: Database, sign_in_as: SignIn) -> None:
    page = sign_in_as(Role.OPS).get("/adherents?words=ch&sort=kind").text
    for text in ("en cours 2<", "avec un incident ouvert 1<", "sans plan 0<", "partis 1<"):
        assert text in page
    assert "/adherents?words=ch&amp;sort=kind&amp;only=ended" in page


def test_the_csv_file_read_back_has_the_rows_of_the_screen(four: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    asked = "agency=&sort=energy&order=descending"
    answer = browser.get(f"/adherents.csv?{asked}")
    heading, *rows = csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig")), delimiter=";")
    assert [row[0] for row in rows] == names(browser.get(f"/adherents?{asked}").text)
    assert heading[-2:] == ["Énergie du mois (kWh)", "Carbone du mois (kg CO2e)"]
    assert rows[0][1:] == [
        *("établissement de santé", "public", "090781774", "", "Toulouse", "Zoé Martin"),
        *("1", "1", "2,0", "1,0"),
    ]
    assert rows[2][-2:] == ["", ""]


def test_the_spreadsheet_holds_numbers_and_every_page(four: Database, sign_in_as: SignIn) -> None:
    with four.write(Operator()) as session:
        for number in range(100, 160):
            given.an_adherent(session, number, f"=CH {number}")
    browser = sign_in_as(Role.OPS)
    sheet = load_workbook(io.BytesIO(browser.get("/adherents.xlsx?sort=carbon").get_data())).active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))[1:]
    pages = [browser.get(f"/adherents?sort=carbon&page={page}").text for page in (1, 2)]
    assert [row[0] for row in rows] == names(pages[0]) + names(pages[1])
    assert rows[0][-1] == 1
    assert len(rows) == 63


def test_an_adherent_takes_away_its_own_line_only(four: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.CIO, 2)
    text = browser.get("/adherents.csv?only=").get_data().decode("utf-8-sig")
    assert len(text.splitlines()) == 2
    assert "Zoé" not in text
    assert "Pamiers" not in text


@pytest.mark.parametrize("role", [Role.OPS, Role.ACCOUNT_MANAGER])
def test_the_list_costs_as_many_statements_for_300_adherents_as_for_3(
    four: Database, app: Flask, sign_in_as: SignIn, role: Role
) -> None:
    statements: list[str] = []
    engine = app.extensions["console"].database.engine
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    few = sign_in_as(role, 2, 3, 4)
    with four.write(Operator()) as session:
        seed_catalogue(session, TODAY)
        many = list(range(1000, 1300))
        session.add_all(
            c.Adherent(tenant_id=number, name=f"CH {number}", kind=c.AdherentKind.HOSPITAL, since=TODAY)
            for number in many
        )
    costs = set()
    for browser, address in (
        (few, "/adherents?words=foix&sort=incidents"),
        (sign_in_as(role, *many), "/adherents?words=ch&sort=incidents"),
        (few, "/adherents?sort=energy&only=incidents&agency=Toulouse"),
    ):
        browser.fragment(address)
        statements.clear()
        browser.fragment(address)
        costs.add(len(statements))
    assert len(costs) == 1
    for kind in ("csv", "xlsx"):
        statements.clear()
        few.get(f"/adherents.{kind}")
        assert {len(statements)} == costs
