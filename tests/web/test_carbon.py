"""Twelve months of carbon: three bases side by side, the making beside the use, and nothing counted twice."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import delete, select, update

from console.actions import facility
from console.actions.reckoning_due import make_months_due
from console.domain.access import Role
from console.domain.claims import OPERATOR_TENANT
from console.domain.facility import Contract, ContractKind
from console.domain.factors import Basis
from console.domain.hours import month_bounds
from console.domain.month_lines import LineKind
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import measurement as m
from console.store.models import site as s
from console.store.queries.carbon_month import carbon_months
from console.store.session import Database, Operator, Tenants
from console.web.languages import today
from tests.browser import Browser
from tests.carbon_past import NOW, PARIS, hours_of, intensity, reckon_all
from tests.given import an_adherent
from tests.sharing_past import a_platform, takes, tells

SignIn = Callable[..., Browser]
KWH = 3_600_000_000


@pytest.fixture
def database(database: Database) -> Database:
    """Hours of this month: of an own workload, and of a platform that two adherents share."""
    month = today().replace(day=1)
    start = month_bounds(month, PARIS)[0]
    with database.write(Operator()) as session:
        for tenant_id, volume in ((7, 30), (8, 10)):
            an_adherent(session, tenant_id, f"CH {tenant_id}")
            tells(session, tenant_id, takes(session, tenant_id), month, volume)
        session.add(
            c.WorkloadClaim(
                tenant_id=7, subscription=1, host_id=m.stable_id("srv-01"), workload_id=m.stable_id("dpi"),
                host_name="srv-01", workload_name="dpi", valid_from=start - timedelta(days=9),
                claimed_by="test", claimed_at=start,
            )
        )  # fmt: skip
        session.flush()
        a_platform(session, start, 3, 4 * KWH)
        hours_of(session, "srv-01", start, 3, {"dpi": KWH}, kept_mj=KWH)
        intensity(session, start, 2, 30_000)
        end = month + timedelta(days=400)
        bought = Contract(ContractKind.PPA, "Parc", month, end, 1_000_000, 10_000, 1_000_000, "PPA-7")
        facility.add_contract(session, "tls", bought, now=start, by="test")
        reckon_all(session)
    return database


def test_a_subscription_is_told_once_with_its_own_workloads_and_its_shares(database: Database) -> None:
    month = today().replace(day=1)
    start = month_bounds(month, PARIS)[0]
    with database.write(Operator()) as session:
        session.add(
            c.WorkloadClaim(
                tenant_id=7, subscription=2, host_id=m.stable_id("srv-02"), workload_id=m.stable_id("vm"),
                host_name="srv-02", workload_name="vm", valid_from=start, claimed_by="test", claimed_at=start,
            )
        )  # fmt: skip
        session.flush()
        hours_of(session, "srv-02", start, 1, {"vm": KWH})
        reckon_all(session)
        told = carbon_months(session, 7, [month]).by_service
    assert {one.number: one.amounts.energy_mj for one in told} == {1: 3 * KWH, 2: 10 * KWH}
    assert len(told) == 2


@pytest.mark.both_databases
def test_months_services_kinds_and_adherents_add_up_on_each_basis(database: Database) -> None:
    month = today().replace(day=1)
    with database.read(Operator()) as session:
        seen = {one: carbon_months(session, one, [month]) for one in (7, 8, OPERATOR_TENANT)}
    for one in seen.values():
        assert one.whole is not None
        assert one.by_month == {month: one.whole}
        for parts in ([line.amounts for line in one.by_service], [amounts for _, amounts in one.by_kind]):
            assert sum(part.energy_mj for part in parts) == one.whole.energy_mj
            for basis in Basis:
                assert sum(part.carbon_ug(basis) or 0 for part in parts) == one.whole.carbon_ug(basis)
    whole = {tenant_id: one.whole for tenant_id, one in seen.items()}
    assert [one.energy_mj for one in whole.values() if one] == [12 * KWH, 3 * KWH, 3 * KWH]
    assert [one.carbon_ug(Basis.MARKET_BASED) for one in whole.values() if one] == [
        120_000_000, 30_000_000, 30_000_000,
    ]  # fmt: skip
    assert [kind for kind, _ in seen[7].by_kind] == [LineKind.OWN, LineKind.SHARE]
    assert [kind for kind, _ in seen[OPERATOR_TENANT].by_kind] == [LineKind.UNCLAIMED]


@pytest.mark.both_databases
def test_hours_without_intensity_leave_that_basis_partly_covered(database: Database) -> None:
    month = today().replace(day=1)
    with database.read(Tenants(frozenset({7}))) as session:
        whole = carbon_months(session, 7, [month]).whole
    assert whole is not None
    assert (whole.covers_all(Basis.YEARLY_AVERAGE), whole.covers_all(Basis.HOURLY_DIRECT)) == (True, False)
    assert whole.bases[Basis.HOURLY_DIRECT].covered_mj == 8 * KWH


@pytest.mark.both_databases
def test_what_is_of_real_time_is_told_of_the_basis_by_the_hour_alone(
    database: Database, sign_in_as: SignIn
) -> None:
    """One of the two hours that are known: half of 2 kWh of its own, and of 6 of the platform."""
    month = today().replace(day=1)
    start = month_bounds(month, PARIS)[0]
    with database.write(Operator()) as session:
        session.execute(update(s.GridHour).where(s.GridHour.hour == start).values(state="realtime"))
        make_months_due(session, [(7, month), (OPERATOR_TENANT, month)], now=NOW)
        reckon_all(session)
        whole = carbon_months(session, 7, [month]).whole
    assert whole is not None
    assert {basis: held.realtime_mj for basis, held in whole.bases.items()} == {
        Basis.YEARLY_AVERAGE: 0,
        Basis.HOURLY_DIRECT: 4 * KWH,
        Basis.MARKET_BASED: 0,
    }
    page = unescape(sign_in_as(Role.CIO, 7).get("/adherents/7/carbon").text).replace("\xa0", " ")
    assert "provisoire : 4,00 kWh en temps réel" in page


def test_the_page_says_what_it_lacks_and_leads_to_what_figures_are_made_of(
    database: Database, sign_in_as: SignIn
) -> None:
    page = sign_in_as(Role.CIO, 7).get("/adherents/7/carbon").text
    page = unescape(page)
    assert "La fabrication des équipements n'est pas comptée" in page
    assert "La surconsommation du site (PUE) est inconnue" in page
    assert "sur 66,7" in page
    assert f"/adherents/7/carbon/{today():%Y-%m}/trace" in page
    assert page.count('<a href="#months"') == 3  # a sum of twelve months leads to them
    assert 'id="months"' in page
    assert "part d'un service partagé" in page


def figures_of(page: str) -> Iterator[tuple[str, str | None]]:
    """The amounts in the table of months of a page, below its chart, each with where it leads."""
    card = page[page.index('id="months"') :]
    table = re.findall(r"<table>.*?</table>", card[: card.index("</section>")], re.DOTALL)[-1]
    for cell in re.findall(r'<td class="number">(.*?)</td>', table, re.DOTALL):
        link = re.match(r'<a href="([^"]+)"[^>]*>([^<]+)</a>', cell)
        text = link[2] if link else re.sub(r"<[^>]+>", "", cell)
        if re.search(r"\d", text):
            yield unescape(text), unescape(link[1]) if link else None


@pytest.mark.parametrize("page", ["/adherents/7/carbon", "/adherents/7/carbon/months"])
def test_every_figure_of_a_month_leads_in_one_click_to_what_it_is_the_sum_of(
    database: Database, sign_in_as: SignIn, page: str
) -> None:
    with database.write(Operator()) as session:
        session.execute(update(b.MonthLine).values(embodied_ug=4_321_000, overhead_mj=0))
    browser = sign_in_as(Role.CIO, 7)
    found = list(figures_of(browser.get(page).text))
    assert len(found) >= 5
    for text, address in found:
        assert address is not None, text
        trace = browser.get(address)
        assert (trace.status_code, f"<b>{text}</b>" in unescape(trace.text)) == (200, True), text
        lines = re.findall(r'<th scope="row"><a href="([^"]+)"', trace.text)
        assert lines
        assert {browser.get(unescape(line)).status_code for line in lines} == {200}


def test_making_that_is_known_of_some_hosts_of_a_pool_is_told_over_twelve_months(
    database: Database, sign_in_as: SignIn
) -> None:
    """A quarter of the pool is of hosts whose making is known: three quarters of its share lack it."""
    with database.write(Operator()) as session:
        for line in session.scalars(select(b.MonthLine).where(b.MonthLine.tenant_id == 7)):
            line.embodied_ug = 1_000
            if line.kind is LineKind.SHARE:
                known = {"pool_lines": 1, "known_mj": line.terms["share"]["pool_mj"] // 4}
                line.terms = line.terms | {"embodied": known}
                missing_mj = line.energy_mj * 3 // 4
        session.flush()
        whole = carbon_months(session, 7, [today().replace(day=1)]).whole
    assert whole is not None
    assert whole.without_embodied_mj == missing_mj
    text = sign_in_as(Role.CIO, 7).get("/adherents/7/carbon").text
    assert "La fabrication n'est connue que pour une partie des équipements" in unescape(text)


def test_a_year_without_any_hourly_intensity_is_told_on_the_other_bases(
    database: Database, sign_in_as: SignIn
) -> None:
    with database.write(Operator()) as session:
        session.execute(delete(b.CarbonLine).where(b.CarbonLine.basis == Basis.HOURLY_DIRECT))
    answer = sign_in_as(Role.CIO, 7).get("/adherents/7/carbon")
    assert answer.status_code == 200
    assert "inconnu" in answer.text


def test_an_adherent_without_anything_has_an_unknown_year(database: Database, sign_in_as: SignIn) -> None:
    with database.write(Operator()) as session:
        an_adherent(session, 9, "CH 9")
    assert "Ce n'est pas zéro" in unescape(sign_in_as(Role.CIO, 9).get("/adherents/9/carbon").text)
