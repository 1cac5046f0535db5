"""A shared platform from its hours to the shares on the page, and back by a volume that comes late."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from console import jobs
from console.actions.alerting import Readers
from console.actions.carbon_months import close_month
from console.actions.delivering import Envelope
from console.actions.sharing_keys import assign_meter
from console.domain.access import Role
from console.domain.claims import OPERATOR_TENANT
from console.domain.facility import Quantity
from console.domain.hours import month_bounds
from console.domain.month_lines import LineKind
from console.store.models import carbon as b
from console.store.models import site as s
from console.store.queries import sharing
from console.store.session import Database, Operator
from tests.browser import Browser
from tests.carbon_past import NOW, PARIS
from tests.given import an_adherent
from tests.sharing_past import a_metered_month, a_platform, pool, shared, takes, tells, total
from tests.web.test_sites import text_of

SignIn = Callable[..., Browser]
pytestmark = pytest.mark.both_databases

MARCH = date(2026, 3, 1)
START, _ = month_bounds(MARCH, PARIS)
PAGE = "/catalogue/services/payroll/sharing"
FOIX, PAMIERS = 7, 9


@pytest.fixture
def platform(database: Database) -> Database:
    """A platform of March that two hospitals share, of which one told its payslips."""
    with database.write(Operator()) as session:
        for tenant_id, name in ((FOIX, "CH de Foix"), (PAMIERS, "CH de Pamiers")):
            an_adherent(session, tenant_id, name)
            takes(session, tenant_id, volume=250)
        a_platform(session, START, 3, 1_000_003_601)
        a_metered_month(session, "tls", MARCH, 5_000_000_000, 7_700_003_000)
        tells(session, FOIX, 2, MARCH, 750)
    reckon(database)
    return database


def reckon(database: Database) -> None:
    """What the job does, until it has nothing left to do."""
    means = jobs.Means(
        database=database,
        channels={},
        readers=Readers(Envelope("mail", ("ops@inr.example",), "inr.example"), "https://console.inr.example"),
        silent_after=timedelta(minutes=3),
        started_at=NOW,
        clock=lambda: NOW,
    )
    for _ in range(3):
        jobs.reckon(means)


def test_a_share_that_nobody_carries_is_on_the_page_until_its_volume_comes(
    platform: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    listed = text_of(browser.get(PAGE).text)
    assert "1 manque" in listed
    assert "par défaut" in listed
    page = browser.get(f"{PAGE}/2026-03")
    text = text_of(page.text)
    assert "Volume manquant de" in text
    assert "attendu : volume du contrat" in text
    assert "CH de Pamiers" in text
    assert f'href="/adherents/{PAMIERS}/subscriptions/2#volumes"' in page.text
    with platform.read(Operator()) as session:
        (whole,) = pool(session)
        parts = {row.kind: row.energy_mj for row in shared(session)}
        assert parts == {LineKind.SHARE: 2_250_008_102, LineKind.UNALLOCATED: 750_002_701}
        assert sum(parts.values()) == whole.energy_mj
    sent = browser.submit(
        f"/adherents/{PAMIERS}/subscriptions/2/volumes", month="2026-03", volume="250", estimate=""
    )
    assert sent.status_code == 303
    reckon(platform)
    text = text_of(browser.get(f"{PAGE}/2026-03").text)
    assert "Volume manquant de" not in text
    with platform.read(Operator()) as session:
        rows = shared(session)
        assert [(row.tenant_id, row.kind) for row in rows] == [
            (FOIX, LineKind.SHARE),
            (PAMIERS, LineKind.SHARE),
        ]
        for name in ("energy_mj", "overhead_mj"):
            assert total(rows, name) == getattr(whole, name)


def test_each_figure_of_a_shared_month_leads_to_the_lines_it_is_made_of(
    platform: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    page = browser.get(f"{PAGE}/2026-03").text
    traces = set(re.findall(r'href="(/adherents/\d+/carbon/2026-03/trace[^"]*)"', page))
    operators = f"/adherents/{OPERATOR_TENANT}/carbon/2026-03/trace"
    assert traces == {f"{operators}#pools", operators, f"/adherents/{FOIX}/carbon/2026-03/trace"}
    assert f'href="{operators}#pools"' in browser.get("/carbon/sci").text
    assert 'id="pools"' in browser.get(operators).text
    own = sign_in_as(Role.CIO, FOIX).get(f"{PAGE}/2026-03").text
    assert set(re.findall(r'href="(/adherents/\d+/carbon/[^"]*)"', own)) == {
        f"/adherents/{FOIX}/carbon/2026-03/trace"
    }


def test_the_overhead_of_a_pool_is_unknown_where_that_of_a_part_is_as_in_its_shares(
    platform: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    assert "de surconsommation du site" in text_of(browser.get(f"{PAGE}/2026-03").text)
    with platform.write(Operator()) as session:
        a_platform(session, START, 3, 500_000_000, host="platform-02", site="ami")
    reckon(platform)
    assert "surconsommation du site inconnue" in text_of(browser.get(f"{PAGE}/2026-03").text)
    with platform.read(Operator()) as session:
        assert sorted(row.overhead_mj is None for row in pool(session)) == [False, True]
        page = sharing.month_page(session, "payroll", MARCH)
        assert page.summary.overhead_mj is None
        assert {one.share.overhead_mj for one in [*page.shares, *page.unallocated]} == {None}


def test_tables_of_two_shared_services_are_told_apart_by_those_who_listen(
    platform: Database, sign_in_as: SignIn
) -> None:
    with platform.write(Operator()) as session:
        number = takes(session, FOIX, "hr", volume=100)
        a_platform(session, START, 3, 500_000_000, service_code="hr", host="platform-02", workload="hr-db")
        tells(session, FOIX, number, MARCH, 100)
    reckon(platform)
    page = sign_in_as(Role.ADMINISTRATOR).get("/carbon/sci").text
    regions = re.findall(r'role="region" aria-label="([^"]+)"', page)
    assert len(regions) > 2
    assert len(set(regions)) == len(regions)


def test_a_share_of_a_closed_month_stays_beside_what_is_known_now(
    platform: Database, sign_in_as: SignIn
) -> None:
    """Foix has 750 of 1 000 when its month and the operator's are closed, 750 of 1 250 once all is told."""
    browser = sign_in_as(Role.ADMINISTRATOR)
    with platform.write(Operator()) as session:
        for tenant_id in (FOIX, OPERATOR_TENANT):
            assert close_month(session, tenant_id, MARCH, now=NOW, by="test") == 1
    before = text_of(browser.get(f"{PAGE}/2026-03").text)
    assert "clos" in before
    assert "aujourd'hui" not in before.replace("que l'on connaît aujourd'hui", "")
    with platform.write(Operator()) as session:
        tells(session, PAMIERS, 2, MARCH, 500)
    reckon(platform)
    with platform.read(Operator()) as session:
        page = sharing.month_page(session, "payroll", MARCH)
        ours = {one.share.tenant_id: one for one in page.shares}
        assert (ours[FOIX].closed, ours[FOIX].share.energy_mj) == (True, 2_250_008_102)
        assert ours[FOIX].now is not None
        assert ours[FOIX].now.energy_mj == 1_800_006_482
        assert (ours[PAMIERS].closed, ours[PAMIERS].moved, ours[PAMIERS].share.energy_mj) == (
            False, False, 1_200_004_321,
        )  # fmt: skip
        (left,) = page.unallocated
        assert (left.share.energy_mj, left.now, left.moved) == (750_002_701, None, True)
    text = text_of(browser.get(f"{PAGE}/2026-03").text)
    for words in ("aujourd'hui : 500 Wh", "aujourd'hui : aucune"):
        assert words in text
    cio = text_of(sign_in_as(Role.CIO, FOIX).get(f"{PAGE}/2026-03").text)
    assert "aujourd'hui : 500 Wh" in cio
    assert "Volume manquant de" not in cio


def test_a_volume_told_by_an_account_manager_moves_the_month_as_well(
    platform: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, PAMIERS)
    browser.submit(f"/adherents/{PAMIERS}/subscriptions/2/volumes", month="2026-03", volume="0")
    reckon(platform)
    with platform.read(Operator()) as session:
        assert [(row.tenant_id, row.energy_mj) for row in shared(session)] == [
            (FOIX, 3_000_010_803),
            (PAMIERS, 0),
        ]
        assert session.scalars(select(b.SharingChange)).all() == []


def test_an_adherent_sees_its_own_share_and_nothing_of_the_others(
    platform: Database, sign_in_as: SignIn
) -> None:
    foix = sign_in_as(Role.CIO, FOIX)
    page = text_of(foix.get(f"{PAGE}/2026-03").text)
    assert "CH de Foix" in page
    assert "CH de Pamiers" not in page
    assert "les parts sont provisoires" in page
    assert "Non alloué" not in page
    assert "Énergie à partager" not in text_of(foix.get(PAGE).text)
    pamiers = sign_in_as(Role.CIO, PAMIERS)
    assert "Aucune part attribuée" in text_of(pamiers.get(f"{PAGE}/2026-03").text)
    assert "Aucun mois partagé" in text_of(pamiers.get(PAGE).text)


def test_a_key_is_set_with_its_reason_and_the_months_follow(platform: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    told = {"kind": "subscription", "month": "2026-03", "note": "Comité du 12"}
    assert browser.submit(PAGE, **told | {"note": ""}).status_code == 422
    assert browser.submit(PAGE, **told | {"month": "mars"}).status_code == 422
    assert browser.submit(PAGE, **told).status_code == 303
    assert browser.submit(PAGE, **told).status_code == 409
    text = text_of(browser.get(PAGE).text)
    assert "Comité du 12" in text
    assert "une part par souscription" in text
    reckon(platform)
    with platform.read(Operator()) as session:
        assert [(row.tenant_id, row.terms["share"]["weight"]) for row in shared(session)] == [
            (FOIX, 1),
            (PAMIERS, 1),
        ]


@pytest.mark.parametrize("role", [Role.CIO, Role.ACCOUNT_MANAGER, Role.AUDITOR])
def test_who_does_not_manage_carbon_sets_no_key_and_assigns_no_meter(
    platform: Database, sign_in_as: SignIn, role: Role
) -> None:
    browser = sign_in_as(role, FOIX)
    assert browser.submit(PAGE, kind="subscription", month="2026-03", note="Non").status_code == 403
    assert browser.submit("/sites/tls/pools", quantity="e_storage", month="2026-03").status_code == 403


def test_the_meters_of_a_site_are_assigned_to_a_service_by_form(
    platform: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.OPS)
    told = {"quantity": "e_storage", "service": "payroll", "month": "2026-04"}
    assert browser.submit("/sites/tls/pools", **told | {"quantity": "e_it"}).status_code == 422
    assert browser.submit("/sites/tls/pools", **told).status_code == 303
    with platform.write(Operator()) as session:
        a_metered_month(session, "tls", date(2026, 4, 1), 5_000_000_000, 7_700_003_000, storage=1_000_000)
    reckon(platform)
    with platform.read(Operator()) as session:
        storage = [row for row in pool(session) if row.month.month == 4]
        assert [row.energy_mj for row in storage] == [1_000_000]
    assert "énergie du stockage" in text_of(browser.get("/sites/tls/pools").text)
    browser.submit("/sites/tls/pools", **told | {"service": ""})
    reckon(platform)
    with platform.read(Operator()) as session:
        assert [row for row in pool(session) if row.month.month == 4] == []
        (row,) = session.scalars(select(s.SitePool))
        assert row.service_code is None
    assert "aucun : à l'opérateur" in text_of(browser.get("/sites/tls/pools").text)


def test_nothing_is_shared_before_anything_is(database: Database, sign_in_as: SignIn) -> None:
    with database.write(Operator()) as session:
        an_adherent(session, FOIX, "CH de Foix")
    browser = sign_in_as(Role.ADMINISTRATOR)
    assert "Aucun mois partagé" in text_of(browser.get(PAGE).text)
    for address in (
        f"{PAGE}/mars",
        "/catalogue/services/none/sharing",
        "/sites/none/pools",
    ):
        assert browser.get(address).status_code == 404
    with database.write(Operator()) as session:
        assign_meter(session, "tls", Quantity.NETWORK, "payroll", valid_from=MARCH, now=NOW, by="test")
    assert "énergie du réseau" in text_of(browser.get("/sites/tls/pools").text)
