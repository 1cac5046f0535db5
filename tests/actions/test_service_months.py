"""Months of service: closed once, kept as they were, corrected by revisions that say what moved."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import update

from console.actions.amendments import amend
from console.actions.incidents import Revision, set_particulars
from console.actions.service_months import close_month, correct_month, unsound_months
from console.domain.contract import Status
from console.domain.errors import Conflict, Invalid
from console.domain.outages import Effect
from console.domain.price import PricePer
from console.domain.service_months import moved_between, reckon_month
from console.store.models import catalogue as c
from console.store.models import tenant as t
from console.store.models.service_months import ServiceMonth
from console.store.queries.availability import availability_of, days_of
from console.store.queries.service_months import ClosedMonth, closed_months, inputs_of, revisions_of
from console.store.session import Database, Operator
from tests import given

pytestmark = pytest.mark.both_databases
CH, HOSTING = 11, 2
OCTOBER = date(2026, 10, 1)
BOUNDS = (datetime(2026, 9, 30, 22, tzinfo=UTC), datetime(2026, 10, 31, 23, tzinfo=UTC))
BEGAN = datetime(2026, 10, 14, 9, tzinfo=UTC)
IN_NOVEMBER = datetime(2026, 11, 3, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def hospital(database: Database) -> Database:
    """Hosting around the clock at 1 000 euros a month; two hours of outage on 14 October."""
    with database.write(Operator()) as session:
        given.an_adherent(session, CH, "CH de Fleyriat")
        given.a_subscription(session, CH, "hds-iaas", price_cents=100_000, price_per=PricePer.MONTH)
        given.an_incident(session, CH, subscription=HOSTING, opened_at=BEGAN, effect=Effect.OUTAGE)
        given.it_is(session, "resolved", CH, 1, BEGAN + 2 * HOUR)
    return database


def close(database: Database, month: date = OCTOBER, now: datetime = IN_NOVEMBER) -> list[int]:
    with database.write(Operator()) as session:
        return close_month(session, CH, month, now=now, by="ops")


def correct(database: Database, reason: str = "La coupure n'était que partielle") -> int:
    with database.write(Operator()) as session:
        return correct_month(session, CH, HOSTING, OCTOBER, reason=reason, now=IN_NOVEMBER, by="ops")


def held(database: Database) -> ClosedMonth:
    with database.read(Operator()) as session:
        return next(one for one in closed_months(session, CH, [OCTOBER]) if one.subscription == HOSTING)


def say_it_was_partial(database: Database) -> None:
    with database.write(Operator()) as session:
        set_particulars(
            session,
            tenant_id=CH,
            number=1,
            revision=Revision(effect=Effect.DEGRADED),
            at=BEGAN,
            now=IN_NOVEMBER,
            by="ops",
        )


def test_a_month_is_closed_with_its_availability_and_credit(hospital: Database) -> None:
    """Two of the 745 hours of October: 99.7315 %, below 99.9 %, 5 % of 1 000 euros."""
    assert close(hospital) == [1, HOSTING]
    figures = reckon_month(held(hospital).inputs)
    assert figures.measured.counted_s == 745 * 3600
    assert figures.measured.availability_ppm == 743 * 1_000_000 // 745
    assert (figures.credit_percent, figures.credit_cents) == (5, 5_000)
    [incident] = held(hospital).inputs.incidents
    assert (incident.number, incident.tto.value, incident.ttr.value) == (1, "missed", "met")


def test_it_is_closed_once_and_not_while_it_runs(hospital: Database) -> None:
    close(hospital)
    before = held(hospital)
    assert close(hospital) == []
    assert held(hospital) == before
    with pytest.raises(Invalid):
        close(hospital, date(2026, 11, 1))


def test_a_closed_month_does_not_move(hospital: Database) -> None:
    close(hospital)
    before = held(hospital)
    say_it_was_partial(hospital)
    assert held(hospital) == before


def test_a_correction_is_a_revision_that_says_what_moved(hospital: Database) -> None:
    close(hospital)
    say_it_was_partial(hospital)
    assert correct(hospital) == 2
    with hospital.read(Operator()) as session:
        first, second = revisions_of(session, CH, HOSTING, OCTOBER)
    assert (second.reason, second.revision) == ("La coupure n'était que partielle", 2)
    assert reckon_month(second.inputs).credits == []
    moved = moved_between(first.inputs, second.inputs)
    assert [(one.what, bool(one.was), bool(one.value)) for one in moved] == [
        ("outages", True, False),
        ("outages", False, True),
    ]
    assert moved_between(first.inputs, first.inputs) == []


def test_there_is_nothing_to_correct_where_nothing_changed(hospital: Database) -> None:
    with pytest.raises(Conflict):
        correct(hospital)
    close(hospital)
    with pytest.raises(Conflict):
        correct(hospital)
    with pytest.raises(Invalid):
        correct(hospital, reason=" ")


TAMPERING: dict[str, dict[str, object]] = {
    "a figure": {"availability_ppm": 1_000_000},
    "the credit": {"credit_cents": 0},
    "the hash": {"sha256": "0" * 64},
}


@pytest.mark.parametrize("values", TAMPERING.values(), ids=TAMPERING)
def test_what_was_changed_behind_the_console_is_found(hospital: Database, values: dict[str, object]) -> None:
    close(hospital)
    assert unsound(hospital) == []
    with hospital.write(Operator()) as session:
        session.execute(update(ServiceMonth).where(ServiceMonth.subscription == HOSTING).values(**values))
    assert unsound(hospital) == [(HOSTING, OCTOBER, 1)]


def unsound(database: Database) -> list[tuple[int, date, int]]:
    with database.read(Operator()) as session:
        return unsound_months(session, CH)


def october(database: Database) -> tuple[int, int, int]:
    """Hours counted, lost, excused."""
    with database.read(Operator()) as session:
        measured = availability_of(session, CH, HOSTING, *BOUNDS, IN_NOVEMBER).measured
    return measured.counted_s // 3600, measured.outage_s // 3600, measured.excused_s // 3600


EARLY, LATE = BEGAN - 72 * HOUR, BEGAN - 2 * HOUR


@pytest.mark.parametrize(
    ("announced_at", "cancelled_at", "expected"),
    [
        pytest.param(EARLY, None, (743, 1, 2), id="announced in time"),
        pytest.param(LATE, None, (745, 2, 0), id="announced late"),
        pytest.param(None, None, (745, 2, 0), id="never announced"),
        pytest.param(EARLY, EARLY, (745, 2, 0), id="cancelled"),
    ],
)
def test_planned_work_counts_by_its_notice(
    hospital: Database,
    announced_at: datetime | None,
    cancelled_at: datetime | None,
    expected: tuple[int, int, int],
) -> None:
    with hospital.write(Operator()) as session:
        session.add(
            t.PlannedWork(
                tenant_id=CH,
                subscription=HOSTING,
                maintenance_id=1,
                occurrence=BEGAN + HOUR,
                starts_at=BEGAN + HOUR,
                ends_at=BEGAN + 3 * HOUR,
                title="Mise à jour",
                effect=Effect.OUTAGE,
                announced_at=announced_at,
                cancelled_at=cancelled_at,
            )
        )
    assert october(hospital) == expected


def test_a_running_month_is_counted_until_now(hospital: Database) -> None:
    with hospital.read(Operator()) as session:
        found = availability_of(session, CH, HOSTING, *BOUNDS, BEGAN + HOUR)
    assert found.measured.counted_s == (BEGAN + HOUR - BOUNDS[0]) // timedelta(seconds=1)
    assert found.measured.outage_s == 3600
    assert found.whole_counted_s == 745 * 3600
    assert found.target_ppm == 999_000


def test_the_days_of_each_service_end_with_today_and_are_unknown_before_it_began(hospital: Database) -> None:
    with hospital.write(Operator()) as session:
        given.a_subscription(session, CH, "hds-paas", starts_on=date(2026, 10, 14))
    with hospital.read(Operator()) as session:
        found = {one.subscription: one.days for one in days_of(session, CH, 3, BEGAN + HOUR)}
    assert [day.day.day for day in found[HOSTING]] == [12, 13, 14]
    today = found[HOSTING][-1]
    assert (today.counted_s, today.outage_s, today.availability_ppm) == (12 * 3600, 3600, 916_666)
    assert [day.availability_ppm for day in found[3]] == [None, None, 1_000_000]


def test_a_suspended_service_is_not_counted(hospital: Database) -> None:
    """From 30 October on: the last two days of the month."""
    with hospital.write(Operator()) as session:
        amend(
            session,
            CH,
            HOSTING,
            effective_on=date(2026, 10, 30),
            changes={"status": Status.SUSPENDED},
            now=IN_NOVEMBER,
            by="ops",
        )
    assert october(hospital) == (745 - 48, 2, 0)


def test_a_plan_without_a_promise_gives_no_credit(hospital: Database) -> None:
    with hospital.write(Operator()) as session:
        session.execute(update(c.SlaPlan).values(availability_ppm=None, credit_steps=[]))
    close(hospital)
    figures = reckon_month(held(hospital).inputs)
    assert (figures.target_ppm, figures.credits) == (None, [])


def changed(database: Database, effective_on: date, **changes: object) -> None:
    with database.write(Operator()) as session:
        amend(session, CH, HOSTING, effective_on=effective_on, changes=changes, now=IN_NOVEMBER, by="ops")


def test_a_plan_of_the_last_day_takes_back_no_credit(hospital: Database) -> None:
    """Two of 721 hours under the first plan: 5 % of the price of 30 days of 31, and none for a Saturday."""
    changed(hospital, date(2026, 10, 31), plan_code="standard", plan_version=1)
    close(hospital)
    figures = reckon_month(held(hospital).inputs)
    first, last = figures.stretches
    assert (first.plan.code, first.plan.days, first.price_cents) == ("critical", 30, 96_775)
    assert first.measured.availability_ppm == 719 * 1_000_000 // 721
    assert (last.plan.code, last.plan.days, last.credit) == ("standard", 1, None)
    assert (figures.credit_percent, figures.credit_cents) == (5, 4_839)
    assert unsound(hospital) == []


def test_other_terms_do_not_cut_what_one_plan_promised(hospital: Database) -> None:
    """10 days at 1 000 euros and 21 at 2 000, judged as one."""
    changed(hospital, date(2026, 10, 11), price_cents=200_000)
    close(hospital)
    [whole] = reckon_month(held(hospital).inputs).stretches
    assert whole.measured.counted_s == 745 * 3600
    assert whole.price_cents == 167_742


def test_two_days_of_a_month_are_credited_on_their_price(hospital: Database) -> None:
    """From 30 October: 46 of 48 hours, 20 % of 2 days of 31."""
    began = datetime(2026, 10, 30, 9, tzinfo=UTC)
    with hospital.write(Operator()) as session:
        new = given.a_subscription(
            session,
            CH,
            "hds-paas",
            starts_on=date(2026, 10, 30),
            price_cents=100_000,
            price_per=PricePer.MONTH,
        )
        given.an_incident(session, CH, subscription=new, opened_at=began, effect=Effect.OUTAGE)
        given.it_is(session, "resolved", CH, 2, began + 2 * HOUR)
    with hospital.read(Operator()) as session:
        figures = reckon_month(inputs_of(session, CH, [OCTOBER])[new, OCTOBER])
    assert [one.price_cents for one in figures.stretches] == [6_452]
    assert (figures.credit_percent, figures.credit_cents) == (20, 1_291)


def test_an_incident_counts_in_the_month_that_resolved_it(hospital: Database) -> None:
    november = date(2026, 11, 1)
    with hospital.write(Operator()) as session:
        given.an_incident(session, CH, subscription=HOSTING, opened_at=BOUNDS[1] - HOUR)
        given.it_is(session, "resolved", CH, 2, BOUNDS[1] + HOUR)
        given.an_incident(session, CH, subscription=HOSTING, opened_at=BOUNDS[1] + HOUR)
    with hospital.read(Operator()) as session:
        found = inputs_of(session, CH, [OCTOBER, november])
    told = {
        month.month: ([one.number for one in inputs.incidents], inputs.open_incidents)
        for month in (OCTOBER, november)
        for inputs in [found[HOSTING, month]]
    }
    assert told == {10: ([1], (2,)), 11: ([2], (3,))}


def test_a_month_in_which_it_was_not_active_is_corrected_to_nothing(hospital: Database) -> None:
    close(hospital)
    changed(hospital, date(2026, 9, 1), status=Status.SUSPENDED)
    assert correct(hospital, "Suspendue depuis septembre") == 2
    figures = reckon_month(held(hospital).inputs)
    assert (figures.measured.counted_s, figures.credit_cents, figures.stretches) == (0, 0, ())
    assert unsound(hospital) == []
    with pytest.raises(Conflict):
        correct(hospital)


def test_the_hash_of_a_revision_covers_the_one_before(hospital: Database) -> None:
    close(hospital)
    say_it_was_partial(hospital)
    correct(hospital)
    assert unsound(hospital) == []
    with hospital.write(Operator()) as session:
        first = ServiceMonth.subscription == HOSTING, ServiceMonth.revision == 1
        session.execute(update(ServiceMonth).where(*first).values(sha256="0" * 64))
    assert unsound(hospital) == [(HOSTING, OCTOBER, 1), (HOSTING, OCTOBER, 2)]
