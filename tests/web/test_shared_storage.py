"""Storage that a site meters, from its meter and its equipment to the shares, followed on the pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest

from console.actions import facility
from console.actions.carbon_months import close_month, unsound_months
from console.actions.equipment import Impact, record_impact, record_thing
from console.actions.sharing_keys import assign_meter
from console.domain.access import Role
from console.domain.claims import OPERATOR_TENANT
from console.domain.equipment import EquipmentKind, ImpactSource, Thing
from console.domain.facility import Contract, ContractKind, Quantity
from console.domain.month_lines import LineKind
from console.store.models import carbon as b
from console.store.session import Database, Operator
from tests.browser import Browser
from tests.carbon_past import NOW, reckon_all
from tests.given import an_adherent
from tests.sharing_past import SERVICE, a_metered_month, takes, tells
from tests.web.test_sites import text_of

SignIn = Callable[..., Browser]
pytestmark = pytest.mark.both_databases

APRIL = date(2026, 4, 1)
MWH = 3_600_000_000_000
TRACE = "/adherents/{}/carbon/2026-04/trace"
FOIX = 7


@pytest.fixture
def storage(database: Database) -> Database:
    """April, with a contract of 10 g/kWh from the 16th on, and a bay of which nobody knows the making."""
    with database.write(Operator()) as session:
        an_adherent(session, FOIX, "CH de Foix")
        tells(session, FOIX, takes(session, FOIX), APRIL, 40)
        a_metered_month(session, "tls", APRIL, 90 * MWH, 120 * MWH, storage=30 * MWH)
        assign_meter(session, "tls", Quantity.STORAGE, SERVICE, valid_from=APRIL, now=NOW, by="test")
        for name, gwp_ug in (("Baie 1", 1_800_000_000_000), ("Baie 2", None)):
            told = Thing(
                name, EquipmentKind.STORAGE, site="tls", commissioned_on=date(2025, 1, 1), planned_months=60
            )
            number = record_thing(session, told, now=NOW, by="test")
            if gwp_ug:
                impact = Impact(ImpactSource.MANUFACTURER, "fiche 12", gwp_ug)
                record_impact(session, number, impact, now=NOW, by="test")
        contract = Contract(
            ContractKind.GUARANTEE, "F", date(2026, 4, 16), date(2027, 1, 1), 10**6, 10_000, None, "GO 1"
        )
        facility.add_contract(session, "tls", contract, now=NOW, by="test")
        reckon_all(session)
    return database


def test_the_operator_follows_a_metered_service_to_its_stretch_its_contract_and_its_equipment(
    storage: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    whole = browser.get(TRACE.format(OPERATOR_TENANT)).text
    pools = re.findall(r'<a href="([^"]+)">Compteur du site</a>', whole)
    assert len(pools) == 2
    first, second = (text_of(browser.get(one).text) for one in pools)
    assert "Cette ligne va du 1 avr. 00:00 au 16 avr. 00:00" in first
    assert "Cette ligne va du 16 avr. 00:00 au 1 mai 00:00" in second
    assert "Les compteurs du centre de données la donnent" in first
    assert ["contrat n° 1" in one for one in (first, second)] == [False, True]
    assert f"{15 * MWH} × {30 * MWH} ÷ {90 * MWH}" in second
    assert "Baie 1" in first
    assert "Cette ligne porte 360 des 720 heures du mois." in first
    assert "Fabrication ou durée inconnue : Baie 2" in first
    rows = browser.get(f"{pools[1]}/line.csv").text
    assert "2026-04-30T22:00" in rows or "2026-05-01" in rows


def test_a_subscriber_reads_the_stretch_of_its_share_and_what_is_unknown_of_it_and_no_pool(
    storage: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.CIO, FOIX)
    own = browser.get(TRACE.format(FOIX)).text
    assert "avant leur répartition" not in own
    shares = re.findall(r'<th scope="row"><a href="([^"]+)"', own)
    texts = [text_of(browser.get(one).text) for one in shares]
    told = {("au 16 avr. 00:00" in one, "contrat n° 1" in one) for one in texts}
    assert told == {(True, False), (False, True)}
    assert all("Fabrication ou durée inconnue : Baie 2" in one for one in texts)
    with storage.read(Operator()) as session:
        line = session.query(b.MonthLine).filter_by(kind=LineKind.POOL).first()
        assert line is not None
        since = f"{line.since:%Y%m%dT%H%M%SZ}"
        key = f"{since}.{line.host_id}.{line.workload_id}.{line.claim_id}"
    assert browser.get(f"{TRACE.format(FOIX)}/{key}").status_code == 404


def test_months_with_stretches_of_contracts_are_closed_and_reckoned_again_from_what_was_frozen(
    storage: Database, sign_in_as: SignIn
) -> None:
    with storage.write(Operator()) as session:
        for tenant_id in (FOIX, OPERATOR_TENANT):
            assert close_month(session, tenant_id, APRIL, now=NOW, by="test") == 1
            assert unsound_months(session, tenant_id) == []
    whole = sign_in_as(Role.ADMINISTRATOR).get(TRACE.format(OPERATOR_TENANT)).text
    assert whole.count("Compteur du site") == 2
