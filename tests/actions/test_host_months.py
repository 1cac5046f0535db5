"""The making of hosts and of a site: all of it on lines, none of it twice."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.actions.equipment import (
    Impact,
    confirm_impact,
    estimate_impact,
    extend_life,
    held,
    mark_due,
    record_impact,
    record_thing,
    retire,
)
from console.actions.making import making_of_site
from console.actions.reckoning_due import Step, steps_due
from console.domain.equipment import EndOfLife, EquipmentKind, ImpactSource, Thing
from console.domain.errors import Conflict, Invalid
from console.domain.facility import Quantity
from console.domain.hours import HOUR, month_bounds
from console.domain.month_lines import EMBODIED, LineKind
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import equipment as q
from console.store.models import measurement as m
from console.store.session import Database, Operator
from tests.carbon_past import NOW, PARIS, a_meter, hours_of, reckon_all
from tests.given import an_adherent

pytestmark = pytest.mark.both_databases

MARCH = date(2026, 3, 1)
START, END = month_bounds(MARCH, PARIS)
KG = 1_000_000_000
KWH = 3_600_000_000


@pytest.fixture
def database(database: Database) -> Database:
    with database.write(Operator()) as session:
        an_adherent(session, 7, "CH de Foix")
        an_adherent(session, 8, "CH de Saint-Denis", "Indian/Reunion")
    return database


def claim(session: Session, tenant_id: int, workload: str, host: str, days: int = -90) -> None:
    session.add(
        c.WorkloadClaim(
            tenant_id=tenant_id,
            subscription=1,
            host_id=m.stable_id(host),
            workload_id=m.stable_id(workload),
            host_name=host,
            workload_name=workload,
            valid_from=START + timedelta(days=days),
            valid_to=None,
            claimed_by="test",
            claimed_at=START,
        )
    )
    session.flush()


def a_thing(
    session: Session, name: str, kind: EquipmentKind = EquipmentKind.SERVER, kg: int = 1200, **told: object
) -> int:
    facts = {"commissioned_on": date(2025, 1, 10), "planned_months": 60} | told
    equipment_id = record_thing(session, Thing(name, kind, **facts), now=NOW, by="test")  # type: ignore[arg-type]
    impact = Impact(
        ImpactSource.MANUFACTURER, "fiche", kg * KG, kg * KG // 2, kg * KG * 2, 7_000_003, 11_000_000_007,
        {"cpu": 100 * KG, "ram": 700 * KG, "frame": 400 * KG},
    )  # fmt: skip
    record_impact(session, equipment_id, impact, now=NOW, by="test")
    return equipment_id


def total(session: Session, name: str = "embodied_ug", **wanted: object) -> int:
    row = b.MonthLine
    found = session.scalar(
        select(func.sum(getattr(row, name))).where(row.month == MARCH, row.counts).filter_by(**wanted)
    )
    return int(found or 0)


def of_march(session: Session) -> list[q.WorkloadMonth]:
    return list(session.scalars(select(q.WorkloadMonth).where(q.WorkloadMonth.month == MARCH)))


def test_what_is_booked_of_a_host_is_on_the_lines_of_who_ran_there(database: Database) -> None:
    with database.write(Operator()) as session:
        claim(session, 7, "payroll", "srv-01")
        hours_of(session, "srv-01", START, 48, {"payroll": KWH}, reserved={"payroll": (4000, 8000)})
        a_thing(session, "A-1", host_name="SRV-01")
        reckon_all(session)

        rows = {row.workload_id: row for row in of_march(session)}
        assert sum(row.embodied_ug or 0 for row in rows.values()) == 20 * KG
        assert total(session) == 20 * KG
        assert total(session, tenant_id=7) == rows[m.stable_id("payroll")].embodied_ug
        assert rows[m.stable_id("payroll")].terms["share"]["cpu"] == 20 * KG // 12 // 2  # 4 of 8 vCPU


def test_who_has_a_part_of_a_workloads_hours_has_that_part_of_its_making_and_no_more(
    database: Database,
) -> None:
    with database.write(Operator()) as session:
        claim(session, 7, "payroll", "srv-01", days=1)  # no one's on the first day
        hours_of(session, "srv-01", START, 96, {"payroll": KWH}, reserved={"payroll": (4000, 8000)})
        a_thing(session, "A-1", host_name="srv-01")
        reckon_all(session)

        row = next(one for one in of_march(session) if one.workload_id == m.stable_id("payroll"))
        assert row.embodied_ug
        assert total(session, tenant_id=7) == row.embodied_ug * 72 // 96
        assert total(session) == 20 * KG


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    used=st.lists(
        st.tuples(st.integers(1, KWH), st.integers(0, 8000), st.integers(0, 64_000)), min_size=1, max_size=4
    ),
    kept=st.integers(0, KWH),
    metered=st.booleans(),
    hours=st.integers(1, 30),
)
def test_all_that_stands_on_a_site_is_on_its_lines_to_the_microgram(
    database: Database, used: list[tuple[int, int, int]], kept: int, metered: bool, hours: int
) -> None:
    with database.write(Operator()) as session:
        for place, (mj, mcpu, mb) in enumerate(used):
            name = f"vm-{place}"
            if place < 2:
                claim(session, 7 + place, name, "srv-01")
            hours_of(
                session, f"srv-0{place % 2 + 1}", START + place * 40 * HOUR, hours, {name: mj},
                kept_mj=kept, reserved={name: (mcpu, mb)},
            )  # fmt: skip
        a_thing(session, "A-1", host_name="srv-01")
        a_thing(session, "A-2", host_name="srv-02", kg=977)
        a_thing(session, "A-3", site="tls", kg=333)  # it tells nothing
        a_thing(session, "UPS", EquipmentKind.UPS, site="tls", quantity=3, planned_months=150)
        a_thing(session, "Bay", EquipmentKind.STORAGE, site="tls", kg=5003)
        if metered:
            a_meter(session, "tls", MARCH, Quantity.IT, 1000 * KWH, 3)
            a_meter(session, "tls", MARCH, Quantity.TOTAL, 1400 * KWH)
        reckon_all(session)

        made = making_of_site(session, "tls", MARCH, technical=False)
        assert made is not None
        for name in EMBODIED:
            assert total(session, name) == made.amounts[name]
        session.rollback()


def test_nobody_told_is_unknown_and_never_nothing(database: Database) -> None:
    with database.write(Operator()) as session:
        claim(session, 7, "payroll", "srv-01")
        hours_of(session, "srv-01", START, 4, {"payroll": KWH})
        record_thing(session, Thing("A-1", EquipmentKind.SERVER, host_name="srv-01"), now=NOW, by="test")
        reckon_all(session)

        assert not of_march(session)
        assert set(session.scalars(select(b.MonthLine.embodied_ug))) == {None}


def test_technical_equipment_is_carried_by_it_energy_where_that_is_metered(database: Database) -> None:
    with database.write(Operator()) as session:
        claim(session, 7, "payroll", "srv-01")
        hours_of(session, "srv-01", START, 10, {"payroll": KWH}, reserved={"payroll": (8000, 8000)})
        a_thing(session, "A-1", host_name="srv-01", kg=0)
        a_thing(session, "UPS", EquipmentKind.UPS, site="tls")
        a_meter(session, "tls", MARCH, Quantity.IT, 40 * KWH, 3)
        reckon_all(session)

        assert total(session, tenant_id=7) == 20 * KG * 10 // 40
        assert total(session, kind=LineKind.SITE_REST) == 20 * KG * 30 // 40


def test_a_match_counts_once_a_person_confirms_it(database: Database) -> None:
    with database.write(Operator()) as session:
        hours_of(session, "srv-01", START, 4, {"payroll": KWH})
        told = Thing(
            "A-1",
            EquipmentKind.SERVER,
            host_name="srv-01",
            commissioned_on=date(2026, 1, 5),
            planned_months=60,
        )
        number = record_thing(session, told, now=NOW, by="test")
        match = Impact(ImpactSource.BOAVIZTA, "R740", 600 * KG, confidence_ppm=870_000, confirmed=False)
        version = record_impact(session, number, match, now=NOW, by="test")
        reckon_all(session)
        assert total(session) == 0

        confirm_impact(session, number, version, now=NOW, by="Ana")
        reckon_all(session)
        assert total(session) == 10 * KG


def test_a_second_hand_counts_what_is_declared_of_it_alone(database: Database) -> None:
    with database.write(Operator()) as session:
        number = a_thing(session, "A-1", site="tls", is_second_hand=True)
        hours_of(session, "srv-01", START, 4, {"payroll": KWH})
        reckon_all(session)
        assert total(session) == 0

        told = Impact(ImpactSource.DECLARED, "remise en état, transport", 60 * KG)
        record_impact(session, number, told, now=NOW, by="test")
        reckon_all(session)
        assert total(session) == KG


def test_an_estimate_an_extension_and_a_retirement_change_the_months_concerned(database: Database) -> None:
    with database.write(Operator()) as session:
        hours_of(session, "srv-01", START, 4, {"payroll": KWH})
        told = Thing(
            "A-1", EquipmentKind.SERVER, host_name="srv-01", cpu_model="Xeon Gold 6230", cpus=2, cores=40,
            ram_gb=384, commissioned_on=date(2026, 1, 5), planned_months=60,
        )  # fmt: skip
        number = record_thing(session, told, now=NOW, by="test")
        estimate_impact(session, number, now=NOW, by="test")
        reckon_all(session)
        first = total(session)
        assert first > 15 * KG

        extend_life(session, number, date(2026, 3, 1), 84, now=NOW, by="test")
        assert steps_due(session, Step.HOST, now=NOW)
        reckon_all(session)
        assert total(session) < first

        retire(session, number, date(2026, 3, 20), EndOfLife.DONATION, now=NOW)
        reckon_all(session)
        assert total(session) > 50 * first

        with pytest.raises(Conflict):
            retire(session, number, date(2026, 3, 20), EndOfLife.WEEE, now=NOW)
        with pytest.raises(Invalid):
            extend_life(session, number, date(2026, 6, 1), 96, now=NOW, by="test")


def test_reckoned_again_nothing_changes(database: Database) -> None:
    with database.write(Operator()) as session:
        number = a_thing(session, "A-1", host_name="srv-01")
        hours_of(session, "srv-01", START, 4, {"payroll": KWH})
        reckon_all(session)
        before = [row.embodied_ug for row in of_march(session)]
        estimate_refused = Thing("Bay", EquipmentKind.STORAGE, site="tls")
        bay = record_thing(session, estimate_refused, now=NOW, by="test")
        with pytest.raises(Invalid):
            estimate_impact(session, bay, now=NOW, by="test")

        mark_due(session, held(session, number), now=NOW)
        reckon_all(session)

        assert [row.embodied_ug for row in of_march(session)] == before
