"""Workloads ticked together go to one holder, each with its own outcome."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from console.actions.bulk_claims import Fate, Holder, Outcome, claim_one
from console.domain.claims import OPERATOR_TENANT
from console.domain.errors import Conflict, NotFound
from console.store.models import catalogue as c
from console.store.models import measurement as m
from console.store.models import tenant as t
from console.store.session import Database, Operator
from tests import given

CH, OTHER = 11, 12
MORNING = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
NOW = MORNING + timedelta(hours=3)
HOST = m.stable_id("srv-01")
PAYROLL, NGINX, NOBODY = map(m.stable_id, ("payroll", "nginx", "nobody"))
MINE, SHARED = Holder(CH, 1), Holder(service_code="payroll")


@pytest.fixture
def metered(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, CH, "CH de Fleyriat")
        given.an_adherent(session, OTHER, "CH voisin")
        given.a_metered_morning(session, MORNING, nginx=OTHER)
    return database


def give(database: Database, holder: Holder, *workloads: int) -> list[Outcome]:
    outcomes = []
    for workload_id in workloads:
        with database.write(Operator(), by="ops") as session:
            day = MORNING.date()
            outcomes.append(claim_one(session, HOST, workload_id, holder, first_day=day, now=NOW, by="ops"))
    return outcomes


def posted(database: Database) -> dict[int, int]:
    with database.read(Operator()) as session:
        amount = func.sum(t.EnergyLine.energy_mj)
        rows = session.execute(select(t.EnergyLine.tenant_id, amount).group_by(t.EnergyLine.tenant_id))
        return {tenant_id: int(energy) for tenant_id, energy in rows}


def test_each_workload_is_claimed_or_refused_with_its_reason_and_energy_moves(metered: Database) -> None:
    before = posted(metered)
    mine, anothers, none = give(metered, MINE, PAYROLL, NGINX, NOBODY)
    assert [one.fate for one in (mine, anothers, none)] == [Fate.CLAIMED, Fate.REFUSED, Fate.REFUSED]
    assert isinstance(anothers.refusal, Conflict)
    assert isinstance(none.refusal, NotFound)
    after = posted(metered)
    assert after[CH] > 0
    assert sum(after.values()) == sum(before.values())


def test_repeated_it_changes_nothing(metered: Database) -> None:
    give(metered, MINE, PAYROLL)
    assert [one.fate for one in give(metered, MINE, PAYROLL)] == [Fate.HELD]
    assert [one.fate for one in give(metered, Holder(OTHER, 1), NGINX)] == [Fate.REFUSED]  # from 8 h on only
    with metered.read(Operator()) as session:
        assert len(session.scalars(select(c.WorkloadClaim)).all()) == 2


def test_a_shared_service_holds_them_for_its_subscribers(metered: Database) -> None:
    assert [one.fate for one in give(metered, SHARED, PAYROLL)] == [Fate.CLAIMED]
    assert [one.fate for one in give(metered, SHARED, PAYROLL)] == [Fate.HELD]
    assert [one.fate for one in give(metered, MINE, PAYROLL)] == [Fate.REFUSED]
    assert posted(metered)[OPERATOR_TENANT] > 0


@pytest.mark.parametrize("holder", [Holder(CH, 99), Holder(99, 1), Holder(service_code="rien"), Holder(CH)])
def test_a_holder_that_is_none_refuses_every_workload(metered: Database, holder: Holder) -> None:
    assert [one.fate for one in give(metered, holder, PAYROLL)] == [Fate.REFUSED]
