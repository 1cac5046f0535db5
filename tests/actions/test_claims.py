"""Claims move energy between the operator and the adherents, and lose none of it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from console.actions.claims import claim_for_service, claim_workload, end_claim, end_service_claim
from console.actions.reckoning import reckon
from console.actions.subscriptions import end_subscription
from console.domain.claims import OPERATOR_TENANT
from console.domain.contract import Status
from console.domain.errors import Conflict, Invalid, NotFound
from console.store.models import catalogue as c
from console.store.models import coordination as k
from console.store.models import measurement as m
from console.store.models import tenant as t
from console.store.queries import ledger
from console.store.queries.energy import energy_day
from console.store.queries.month_figures import month_figures
from console.store.queries.overview import fleet
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


def test_a_claim_posts_again_the_lines_of_its_workload_and_no_other(metered: Database) -> None:
    line, nginx = t.EnergyLine, m.stable_id("nginx")
    with metered.write(Operator()) as session:
        session.execute(update(line).where(line.workload_id == nginx).values(low_mj=1))
    end(metered, claim(metered), TODAY)
    with metered.read(Operator()) as session:
        assert session.scalars(select(line.low_mj).where(line.workload_id == nginx)).all() == [1]


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


def test_a_workload_is_claimed_for_days_of_a_subscription_that_has_ended_since(metered: Database) -> None:
    yesterday = TODAY - timedelta(days=1)
    with metered.write(Operator()) as session:
        end_subscription(session, CH, 1, ends_on=yesterday, now=NOW)
        draft = given.a_subscription(session, CH, status=Status.DRAFT, now=NOW)
    with metered.write(Operator()) as session:
        end_subscription(session, CH, draft, ends_on=yesterday, now=NOW)
    with pytest.raises(Invalid, match="finit le 2026-11-24"):
        claim(metered, first_day=yesterday)
    with pytest.raises(Conflict, match="brouillon"):
        claim(metered, subscription=draft, first_day=yesterday, last_day=yesterday)
    assert claim(metered, first_day=yesterday - timedelta(days=2), last_day=yesterday)


def share(database: Database, workload: str = "payroll", **changes) -> int:
    claimed = {
        "service_code": "payroll",
        "host_id": m.stable_id("srv-01"),
        "workload_id": m.stable_id(workload),
        "first_day": TODAY,
        "now": NOW,
        "by": "ops",
    }
    with database.write(Operator()) as session:
        return claim_for_service(session, **claimed | changes)


def lines_of(database: Database, workload: str = "payroll") -> set[tuple[int, int, int | None, str | None]]:
    line = t.EnergyLine
    with database.read(Operator()) as session:
        rows = session.execute(
            select(line.tenant_id, line.claim_id, line.subscription, line.service_code)
            .where(line.workload_id == m.stable_id(workload))
            .distinct()
        )
        return {tuple(row) for row in rows}


@pytest.mark.both_databases
def test_a_workload_of_a_shared_service_stays_with_the_operator_under_the_service(metered: Database) -> None:
    before = energy_of(metered, OPERATOR_TENANT)
    number = share(metered)
    assert lines_of(metered) == {(OPERATOR_TENANT, -number, None, "payroll")}
    assert lines_of(metered, "nginx") == {(OPERATOR_TENANT, 0, None, None)}
    assert (energy_of(metered, OPERATOR_TENANT), residue(metered)) == (before, 0)


@pytest.mark.both_databases
def test_a_workload_is_claimed_once_at_a_time_whatever_the_kind(metered: Database) -> None:
    number = share(metered, last_day=TODAY)
    for again in (claim, share):
        with pytest.raises(Conflict, match="déjà affectée"):
            again(metered)
    own = claim(metered, first_day=TODAY + timedelta(days=1))
    with pytest.raises(Conflict, match="déjà affectée"):
        share(metered, first_day=TODAY + timedelta(days=2))
    assert {number, own} == {1}  # each kind has numbers of its own


def test_a_claim_for_a_service_ends_or_is_withdrawn(metered: Database) -> None:
    number = share(metered)
    with metered.write(Operator()) as session:
        end_service_claim(session, number, last_day=TODAY - timedelta(days=1), now=NOW)
    assert lines_of(metered) == {(OPERATOR_TENANT, 0, None, None)}
    assert residue(metered) == 0
    claim(metered)
    with pytest.raises(NotFound), metered.write(Operator()) as session:
        end_service_claim(session, 99, last_day=TODAY, now=NOW)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"workload_id": 99}, NotFound),
        ({"workload_id": m.UNATTRIBUTED}, NotFound),
        ({"service_code": "none"}, Invalid),
        ({"last_day": TODAY - timedelta(days=1)}, Invalid),
    ],
)
def test_a_claim_for_a_service_that_cannot_be_is_refused(metered: Database, changes, error) -> None:
    with pytest.raises(error):
        share(metered, **changes)


def test_the_day_and_the_overview_name_the_service_of_a_shared_workload(metered: Database) -> None:
    share(metered)
    with metered.read(Operator()) as session:
        day = energy_day(session, TODAY, "Europe/Paris")
        seen = fleet(session, TODAY, "Europe/Paris", now=NOW, silent_after=timedelta(minutes=3))
    assert {
        line.workload: line.service_fr for line in day.lines if line.workload in ("payroll", "nginx")
    } == {
        "payroll": "Production de la paie",
        "nginx": None,
    }
    assert {top.workload: (top.adherent, top.service_en) for top in seen.workloads} == {
        "payroll": (None, "Payroll production"),
        "nginx": (None, None),
    }


def test_the_statement_of_the_operator_names_shared_services_apart(metered: Database) -> None:
    share(metered)
    with metered.write(Operator()) as session:
        reckon(session, OPERATOR_TENANT, TODAY.replace(day=1), now=NOW)
    with metered.read(Operator()) as session:
        figures = month_figures(session, OPERATOR_TENANT, TODAY.replace(day=1), now=NOW, by="test")
    assert [one.service for one in figures.handed_on] == ["Production de la paie"]
    assert not any("payroll" in line.workload for line in figures.lines)  # its subscribers carry it
    assert figures.coverage.elapsed_hours > 0
