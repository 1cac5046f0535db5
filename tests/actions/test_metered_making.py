"""What was embodied in storage, backup and network goes with what a meter tells of them, none of it twice."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.actions import facility
from console.actions.equipment import Impact, record_impact, record_thing
from console.actions.making import making_of_site
from console.actions.sharing_keys import assign_meter
from console.domain.equipment import EquipmentKind, ImpactSource, Thing
from console.domain.facility import NO_POINT, Contract, ContractKind, Quantity
from console.domain.hours import HOUR, month_bounds
from console.domain.month_lines import EMBODIED, LineKind
from console.domain.site_measures import Measure, Quality
from console.store.models import carbon as b
from console.store.queries.month_figures import month_figures
from console.store.session import Database, Operator
from tests.carbon_past import NOW, PARIS, hours_of, reckon_all
from tests.given import an_adherent
from tests.sharing_past import SERVICE, a_metered_month, pool, shared, takes, tells
from tests.sharing_past import total as total_of

pytestmark = pytest.mark.both_databases

MARCH = date(2026, 3, 1)
START, END = month_bounds(MARCH, PARIS)
KG = 1_000_000_000
STORAGE, BACKUP, NETWORK = EquipmentKind.STORAGE, EquipmentKind.BACKUP, EquipmentKind.NETWORK


@pytest.fixture
def database(database: Database) -> Database:
    with database.write(Operator()) as session:
        for tenant_id, volume in ((7, 3), (8, 1)):
            an_adherent(session, tenant_id, f"CH {tenant_id}")
            tells(session, tenant_id, takes(session, tenant_id), MARCH, volume)
    return database


def a_thing(session: Session, name: str, kind: EquipmentKind, kg: int | None = 600, **told: object) -> int:
    """What is booked of it over 60 months, from before the month on; None: its making is unknown."""
    facts = {"site": "tls", "commissioned_on": date(2025, 1, 10), "planned_months": 60} | told
    equipment_id = record_thing(session, Thing(name, kind, **facts), now=NOW, by="test")  # type: ignore[arg-type]
    if kg is not None:
        is_made(session, equipment_id, kg)
    return equipment_id


def is_made(session: Session, equipment_id: int, kg: int) -> None:
    impact = Impact(
        ImpactSource.MANUFACTURER, "fiche", kg * KG, kg * KG // 2, kg * KG * 2, 7_000_003, 11_000_000_007
    )
    record_impact(session, equipment_id, impact, now=NOW, by="test")


def assign(session: Session, quantity: Quantity, service_code: str | None = SERVICE) -> None:
    assign_meter(session, "tls", quantity, service_code, valid_from=MARCH, now=NOW, by="test")


def total(session: Session, *kinds: LineKind, name: str = "embodied_ug") -> int:
    """What counts in the month."""
    line = b.MonthLine
    wanted = [line.month == MARCH, line.counts] + ([line.kind.in_(kinds)] if kinds else [])
    return int(session.scalar(select(func.sum(getattr(line, name))).where(*wanted)) or 0)


def rest(session: Session) -> b.MonthLine | None:
    """The line of the site that has the rest of what is booked there."""
    return session.scalars(
        select(b.MonthLine)
        .where(b.MonthLine.kind == LineKind.SITE_REST, b.MonthLine.month == MARCH)
        .execution_options(populate_existing=True)
    ).one_or_none()


def test_subscribers_carry_the_making_of_the_storage_that_a_meter_tells_of(database: Database) -> None:
    with database.write(Operator()) as session:
        a_metered_month(session, "tls", MARCH, 10_000, 15_000, storage=4_000)
        assign(session, Quantity.STORAGE)
        a_thing(session, "Baie 1", STORAGE)
        a_thing(session, "Baie 2", STORAGE, kg=1200)
        a_thing(session, "Commutateur", NETWORK, kg=60)
        reckon_all(session)
        (whole,) = pool(session)
        foix, other = shared(session)
        left = rest(session)
        assert left is not None
    assert whole.embodied_ug == 30 * KG
    assert [one["name"] for one in whole.terms["embodied"]["things"]] == ["Baie 1", "Baie 2"]
    assert [foix.embodied_ug, other.embodied_ug] == [30 * KG * 3 // 4, 30 * KG // 4]
    assert (left.embodied_ug, left.terms["embodied"]["of_ug"]) == (KG, KG)
    assert [one["name"] for one in left.terms["embodied"]["things"]] == ["Commutateur"]


def test_of_a_meter_that_is_of_no_service_or_tells_in_part_the_making_stays_the_operators(
    database: Database,
) -> None:
    with database.write(Operator()) as session:
        a_metered_month(session, "tls", MARCH, 10_000, 15_000, backup=4_000)
        in_part = Measure(START, END - HOUR, Quantity.NETWORK, NO_POINT, "site", 9, Quality.MEASURED)
        facility.record_measure(session, "tls", in_part, now=NOW, by="test")
        for name, kind in (("Robot", BACKUP), ("Cœur", NETWORK)):
            a_thing(session, name, kind)
        assign(session, Quantity.NETWORK)
        reckon_all(session)
        assert (pool(session), total(session, LineKind.SITE_REST)) == ([], 20 * KG)
        assign(session, Quantity.BACKUP)
        reckon_all(session)
        assert (total(session, LineKind.SHARE), total(session, LineKind.SITE_REST)) == (10 * KG, 10 * KG)
        assign(session, Quantity.BACKUP, None)
        reckon_all(session)
        assert (pool(session), total(session, LineKind.SITE_REST)) == ([], 20 * KG)


def test_storage_that_is_a_host_goes_with_the_host_and_not_with_the_meter(database: Database) -> None:
    with database.write(Operator()) as session:
        a_metered_month(session, "tls", MARCH, 10_000, 15_000, storage=4_000)
        assign(session, Quantity.STORAGE)
        hours_of(session, "srv-01", START, 2, {"vm": 100})
        a_thing(session, "Baie 1", STORAGE, host_name="SRV-01")
        a_thing(session, "Baie 2", STORAGE, kg=1200, host_name="baie-2")  # of which no collector ever told
        reckon_all(session)
        assert total(session, LineKind.UNCLAIMED) == 10 * KG
        assert total(session, LineKind.SHARE) == 20 * KG
        assert total(session) == 30 * KG


def test_what_is_told_of_a_thing_later_comes_to_the_shares(database: Database) -> None:
    with database.write(Operator()) as session:
        a_metered_month(session, "tls", MARCH, 10_000, 15_000, storage=4_000)
        assign(session, Quantity.STORAGE)
        bay = a_thing(session, "Baie 1", STORAGE, kg=None)
        reckon_all(session)
        assert {row.embodied_ug for row in shared(session)} == {None}
        is_made(session, bay, 600)
        reckon_all(session)
        assert total(session, LineKind.SHARE) == 10 * KG
        a_thing(session, "Baie 1", EquipmentKind.OTHER, kg=None)  # it was none
        reckon_all(session)
        assert (total(session, LineKind.SHARE), total(session, LineKind.SITE_REST)) == (0, 10 * KG)


@pytest.mark.parametrize(
    ("first", "second", "unknown"), [(600, 600, False), (600, None, True), (None, None, True)]
)
def test_a_share_says_that_the_making_of_some_of_its_pool_is_unknown(
    database: Database, first: int | None, second: int | None, unknown: bool
) -> None:
    with database.write(Operator()) as session:
        a_metered_month(session, "tls", MARCH, 10_000, 15_000, storage=4_000)
        assign(session, Quantity.STORAGE)
        a_thing(session, "Baie 1", STORAGE, kg=first)
        a_thing(session, "Baie 2", STORAGE, kg=second)
        reckon_all(session)
        (share,) = month_figures(session, 7, MARCH, now=NOW, by="test").lines
        told = shared(session)[0].terms.get("embodied", {})
    assert share.embodied_unknown is unknown
    assert share.embodied_ug == (None if first is None else 3 * (10 + (second or 0) // 60) * KG // 4)
    assert told.get("unknown", []) == (["Baie 2"] if first and unknown else [])


def test_technical_equipment_is_carried_by_the_energy_of_what_meters_tell_as_well(database: Database) -> None:
    with database.write(Operator()) as session:
        a_metered_month(session, "tls", MARCH, 10_000, 15_000, storage=4_000)
        assign(session, Quantity.STORAGE)
        a_thing(session, "Baie 1", STORAGE)
        a_thing(session, "Onduleur", EquipmentKind.UPS)
        reckon_all(session)
        assert total(session, LineKind.SHARE) == 10 * KG + 10 * KG * 4 // 10
        assert total(session) == 20 * KG


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bays=st.lists(st.tuples(st.sampled_from([STORAGE, BACKUP, NETWORK]), st.integers(1, 9_973)), max_size=4),
    meters=st.dictionaries(
        st.sampled_from(["storage", "backup", "network"]),
        st.tuples(st.integers(0, 10**12), st.sampled_from([SERVICE, "finance", None])),
    ),
    used_mj=st.integers(0, 10**12),
    first=st.integers(1, 31),
    technical=st.booleans(),
)
def test_whatever_meters_tell_all_that_stands_there_is_on_its_lines_to_the_microgram(
    database: Database,
    bays: list[tuple[EquipmentKind, int]],
    meters: dict[str, tuple[int, str | None]],
    used_mj: int,
    first: int,
    technical: bool,
) -> None:
    with database.write(Operator()) as session:
        hours_of(session, "srv-01", START + timedelta(days=9), 3, {"vm": used_mj}, kept_mj=3)
        a_thing(session, "A-1", EquipmentKind.SERVER, kg=1201, host_name="srv-01")
        for number, (kind, kg) in enumerate(bays):
            a_thing(session, f"B-{number}", kind, kg=kg)
        if technical:
            a_thing(session, "UPS", EquipmentKind.UPS, quantity=3, planned_months=150)
        amounts = {name: mj for name, (mj, _) in meters.items()}
        it_mj = 3 * used_mj + 9 + sum(amounts.values()) + 11
        a_metered_month(session, "tls", MARCH, it_mj, it_mj * 3 // 2, **amounts)
        for name, (_, service_code) in meters.items():
            assign(session, Quantity[name.upper()], service_code)
        contract = Contract(
            ContractKind.GUARANTEE, "F", MARCH.replace(day=first), date(2027, 1, 1), 10**6, 10, None, "GO 1"
        )
        facility.add_contract(session, "tls", contract, now=NOW, by="test")
        reckon_all(session)

        made = making_of_site(session, "tls", MARCH, technical=False)
        assert made is not None
        for name in EMBODIED:
            assert total(session, name=name) == made.amounts[name], name
        assert total_of(shared(session), "embodied_ug") == total_of(pool(session), "embodied_ug")
        session.rollback()
