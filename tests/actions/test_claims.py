"""Claims move energy between the operator and the adherents, and lose none of it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from console.actions.claims import claim_workload, end_claim
from console.actions.subscriptions import end_subscription
from console.domain.claims import OPERATOR_TENANT
from console.domain.errors import Conflict, Invalid, NotFound
from console.store.models import catalogue as c
from console.store.models import coordination as k
from console.store.models import measurement as m
from console.store.models import tenant as t
from console.store.queries import ledger
from console.store.session import Database, Operator
from tests import given

CH, OTHER = 11, 12
MORNING = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
NOW = MORNING + timedelta(hours=3)
TODAY = MORNING.date()


@pytest.fixture
def metered(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, CH, "CH de Fleyriat")
        given.an_adherent(session, OTHER, "CH voisin", zone="Indian/Reunion")
        given.a_metered_morning(session, MORNING)
    return database


def claim(database: Database, workload: str = "payroll", **changes) -> int:
    claimed = {
        "tenant_id": CH,
        "subscription": 1,
        "host_id": m.stable_id("srv-01"),
        "workload_id": m.stable_id(workload),
        "first_day": TODAY,
        "now": NOW,
        "by": "ops",
    }
    with database.write(Operator()) as session:
        return claim_workload(session, **claimed | changes)


def end(database: Database, claim_id: int, last_day: date, tenant_id: int = CH) -> None:
    with database.write(Operator()) as session:
        end_claim(session, tenant_id, claim_id, last_day=last_day, now=NOW)


def energy_of(database: Database, tenant_id: int) -> int:
    with database.read(Operator()) as session:
        of_tenant = t.EnergyLine.tenant_id == tenant_id
        return int(session.scalar(select(func.sum(t.EnergyLine.energy_mj)).where(of_tenant)) or 0)


def residue(database: Database) -> int:
    with database.read(Operator()) as session:
        return ledger.check(session, MORNING - timedelta(days=1), NOW, now=NOW).residue_mj


@pytest.mark.both_databases
def test_a_claim_moves_what_was_already_metered_to_the_adherent(metered: Database) -> None:
    before = energy_of(metered, OPERATOR_TENANT)
    claim(metered)
    moved = energy_of(metered, CH)
    assert moved > 0
    assert energy_of(metered, OPERATOR_TENANT) == before - moved
    assert residue(metered) == 0
    with metered.read(Operator()) as session:
        due = {tuple(row) for row in session.execute(select(k.MonthDue.tenant_id, k.MonthDue.month))}
    assert due == {(CH, date(2026, 11, 1)), (OPERATOR_TENANT, date(2026, 11, 1))}


def test_a_claim_keeps_the_names_of_what_it_claims(metered: Database) -> None:
    claim_id = claim(metered)
    with metered.read(Operator()) as session:
        row = session.get_one(c.WorkloadClaim, claim_id)
    assert (row.host_name, row.workload_name, row.claimed_by) == ("srv-01", "payroll", "ops")
    assert (row.valid_from, row.valid_to) == (datetime(2026, 11, 24, 23, 0, tzinfo=UTC), None)


def test_days_are_those_of_the_adherents_zone(metered: Database) -> None:
    claim_id = claim(metered, tenant_id=OTHER, last_day=TODAY)
    with metered.read(Operator()) as session:
        row = session.get_one(c.WorkloadClaim, claim_id)
    assert row.valid_from == datetime(2026, 11, 24, 20, 0, tzinfo=UTC)
    assert row.valid_to == datetime(2026, 11, 25, 20, 0, tzinfo=UTC)


def test_a_workload_is_held_by_one_adherent_at_a_time(metered: Database) -> None:
    claim_id = claim(metered)
    with pytest.raises(Conflict, match="déjà affectée"):
        claim(metered, tenant_id=OTHER)
    end(metered, claim_id, TODAY)
    claim(metered, tenant_id=CH, first_day=TODAY + timedelta(days=1))
    assert energy_of(metered, OTHER) == 0


def test_ending_a_claim_gives_the_rest_back_to_the_operator(metered: Database) -> None:
    before = energy_of(metered, OPERATOR_TENANT)
    claim_id = claim(metered, first_day=TODAY - timedelta(days=7))
    end(metered, claim_id, TODAY - timedelta(days=1))
    assert energy_of(metered, CH) == 0
    assert energy_of(metered, OPERATOR_TENANT) == before
    assert residue(metered) == 0


def test_a_claim_made_by_mistake_is_withdrawn_and_leaves_its_trace(metered: Database) -> None:
    claim_id = claim(metered)
    end(metered, claim_id, TODAY - timedelta(days=1))
    assert energy_of(metered, CH) == 0
    claim(metered, tenant_id=OTHER)
    with metered.read(Operator()) as session:
        assert session.scalar(select(func.count()).select_from(c.WorkloadClaim)) == 2


def test_a_claim_does_not_end_before_it_began_nor_later_than_it_did(metered: Database) -> None:
    claim_id = claim(metered)
    with pytest.raises(Invalid, match="après son début"):
        end(metered, claim_id, TODAY - timedelta(days=2))
    end(metered, claim_id, TODAY)
    with pytest.raises(Conflict):
        end(metered, claim_id, TODAY)


def test_another_adherents_claim_is_not_there(metered: Database) -> None:
    claim_id = claim(metered)
    with pytest.raises(NotFound):
        end(metered, claim_id, TODAY, tenant_id=OTHER)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"workload_id": 99}, NotFound),
        ({"workload_id": m.UNATTRIBUTED}, NotFound),
        ({"workload_id": m.IDLE_KEPT}, NotFound),
        ({"host_id": 99}, NotFound),
        ({"subscription": 99}, NotFound),
        ({"tenant_id": 99}, NotFound),
        ({"first_day": date(2025, 12, 31)}, Invalid),
        ({"last_day": TODAY - timedelta(days=1)}, Invalid),
    ],
)
def test_a_claim_that_cannot_be_is_refused(metered: Database, changes, error) -> None:
    with pytest.raises(error):
        claim(metered, **changes)


def test_a_claim_stays_within_its_subscription(metered: Database) -> None:
    with metered.write(Operator()) as session:
        end_subscription(session, CH, 1, ends_on=TODAY, now=NOW)
    for last_day in (None, TODAY + timedelta(days=1)):
        with pytest.raises(Invalid, match="finit le 2026-11-25"):
            claim(metered, last_day=last_day)
    claim(metered, last_day=TODAY)
