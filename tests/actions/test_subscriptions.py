"""Subscriptions, from their first day to their last."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from console.actions.amendments import amend, amendments_of, revise_price, set_end, turn_subscriptions
from console.actions.subscriptions import cancel_draft, change_status, end_subscription, subscribe
from console.domain.contract import Status, terms_on
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.price import PricePer, Revision
from console.domain.renewal import NoticeUnit
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import offer as o
from console.store.models import tenant as t
from console.store.session import Database, Operator, Tenants
from tests import given
from tests.given import NOW

CH, OTHER = 11, 12
OWN = Tenants(frozenset({CH}))
TODAY = NOW.date()


@pytest.fixture
def adherent(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, CH, "CH de Fleyriat")
        given.an_adherent(session, OTHER, "CH voisin")
    return database


def suspend(session, tenant_id: int, number: int, on: date = TODAY) -> None:
    change_status(session, tenant_id, number, Status.SUSPENDED, on=on, now=NOW)


def resume(session, tenant_id: int, number: int, on: date = TODAY) -> None:
    change_status(session, tenant_id, number, Status.ACTIVE, on=on, now=NOW)


def status(database: Database, number: int) -> t.SubscriptionStatus:
    with database.read(OWN) as session:
        return session.get_one(t.Subscription, (CH, number)).status


def test_a_subscription_is_numbered_within_its_adherent_and_keeps_the_version_of_its_plan(
    adherent: Database,
) -> None:
    with adherent.write(OWN) as session:
        number = subscribe(
            session, CH, "payroll", starts_on=TODAY, volume=2_400, contract="M-2026-18", now=NOW
        )
    with adherent.read(OWN) as session:
        row = session.get_one(t.Subscription, (CH, number))
    assert (number, row.plan_code, row.plan_version, row.volume) == (2, "standard", 1, 2_400)
    assert row.status is t.SubscriptionStatus.ACTIVE


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"service_code": "none"}, "service"),
        ({"ends_on": TODAY - timedelta(days=1)}, "ends_on"),
        ({"volume": -1}, "volume"),
        ({"contract": "a\nb"}, "contract"),
    ],
)
def test_terms_that_cannot_be_are_refused_with_their_field(adherent: Database, terms, field: str) -> None:
    with pytest.raises(Invalid) as refusal, adherent.write(OWN) as session:
        subscribe(session, CH, **{"service_code": "payroll", "starts_on": TODAY, "now": NOW} | terms)
    assert refusal.value.field == field


def test_a_service_is_taken_on_days_on_which_it_is_sold(adherent: Database) -> None:
    with adherent.write(Operator()) as session:
        session.get_one(c.Service, "payroll").sales_end_on = TODAY
        assert given.a_subscription(session, CH, starts_on=TODAY) == 2
    with (
        pytest.raises(Invalid, match="plus vendu le 2026-11-26") as refusal,
        adherent.write(OWN) as session,
    ):
        given.a_subscription(session, CH, starts_on=TODAY + timedelta(days=1))
    assert refusal.value.field == "starts_on"


def test_an_adherent_takes_nothing_after_its_last_day(adherent: Database) -> None:
    with adherent.write(Operator()) as session:
        session.get_one(c.Adherent, CH).until = TODAY
        assert given.a_subscription(session, CH, starts_on=TODAY, ends_on=TODAY) == 2
    with pytest.raises(Invalid, match="dernier jour est le 2026-11-25"), adherent.write(OWN) as session:
        given.a_subscription(session, CH, starts_on=TODAY + timedelta(days=1))


TWIN = {"service_code": "payroll", "starts_on": TODAY, "contract": None, "now": NOW}


@pytest.mark.both_databases
@pytest.mark.parametrize("contract", [None, "", "M-2026-18"])
def test_the_same_subscription_taken_at_once_is_one_and_the_others_are_told_its_number(
    adherent: Database, contract: str | None
) -> None:
    def take(_time: int) -> str:
        try:
            with adherent.write(OWN) as session:
                return f"taken {subscribe(session, CH, **TWIN | {'contract': contract})}"
        except Conflict as refusal:
            return f"refused for {refusal.values['number']}"

    with ThreadPoolExecutor(3) as people:
        outcomes = sorted(people.map(take, range(3)))
    assert outcomes == ["refused for 2", "refused for 2", "taken 2"]


@pytest.mark.parametrize(
    "other", [{"service_code": "hds-iaas"}, {"starts_on": TODAY + timedelta(days=1)}, {"contract": "M-19"}]
)
def test_a_service_may_be_taken_again_from_another_day_or_under_another_contract(
    adherent: Database, other
) -> None:
    with adherent.write(OWN) as session:
        numbers = [subscribe(session, CH, **terms) for terms in (TWIN, TWIN | other)]
    assert numbers == [2, 3]


def test_a_service_may_be_taken_again_once_it_is_ended_not_while_it_is_suspended(adherent: Database) -> None:
    past = TWIN | {"starts_on": TODAY - timedelta(days=9)}
    with adherent.write(OWN) as session:
        number = subscribe(session, CH, **past)
        suspend(session, CH, number)
    with pytest.raises(Conflict), adherent.write(OWN) as session:
        subscribe(session, CH, **past)
    with adherent.write(OWN) as session:
        end_subscription(session, CH, number, ends_on=TODAY - timedelta(days=1), now=NOW)
        assert subscribe(session, CH, **past) == number + 1


def test_a_subscription_is_suspended_and_resumed_once_each(adherent: Database) -> None:
    with adherent.write(OWN) as session:
        suspend(session, CH, 1)
    assert status(adherent, 1) is t.SubscriptionStatus.SUSPENDED
    with pytest.raises(Conflict), adherent.write(OWN) as session:
        suspend(session, CH, 1)
    with adherent.write(OWN) as session:
        resume(session, CH, 1)
    assert status(adherent, 1) is t.SubscriptionStatus.ACTIVE


@pytest.mark.parametrize(
    ("ends_on", "after"),
    [
        (TODAY - timedelta(days=1), t.SubscriptionStatus.ENDED),
        (TODAY, t.SubscriptionStatus.ACTIVE),
        (TODAY + timedelta(days=30), t.SubscriptionStatus.ACTIVE),
    ],
)
def test_it_is_ended_once_its_last_day_has_passed_and_never_deleted(
    adherent: Database, ends_on: date, after: t.SubscriptionStatus
) -> None:
    with adherent.write(OWN) as session:
        end_subscription(session, CH, 1, ends_on=ends_on, now=NOW)
    assert status(adherent, 1) is after


def test_it_does_not_end_before_its_first_day_nor_twice(adherent: Database) -> None:
    with pytest.raises(Invalid), adherent.write(OWN) as session:
        end_subscription(session, CH, 1, ends_on=date(2025, 12, 31), now=NOW)
    with adherent.write(OWN) as session:
        end_subscription(session, CH, 1, ends_on=date(2026, 6, 30), now=NOW)
    with pytest.raises(Conflict, match="Rien ne change"), adherent.write(OWN) as session:
        end_subscription(session, CH, 1, ends_on=date(2026, 6, 30), now=NOW)


def test_it_does_not_end_under_workloads_that_stay_claimed(adherent: Database) -> None:
    with adherent.write(Operator()) as session:
        given.a_metered_morning(session, NOW, payroll=CH)
    with pytest.raises(Conflict, match="affectées"), adherent.write(OWN) as session:
        end_subscription(session, CH, 1, ends_on=TODAY, now=NOW)


def test_another_adherents_subscription_is_not_there(adherent: Database) -> None:
    for deed in (suspend, resume):
        with pytest.raises(NotFound), adherent.write(OWN) as session:
            deed(session, OTHER, 1)
    with adherent.read(Operator()) as session:
        assert set(session.scalars(select(t.Subscription.status))) == {t.SubscriptionStatus.ACTIVE}


def test_a_subscription_ends_by_itself_once_its_last_day_has_passed_where_it_is(adherent: Database) -> None:
    with adherent.write(Operator()) as session:
        given.an_adherent(session, 13, "CHU de La Réunion", zone="Indian/Reunion")
        for tenant_id in (CH, 13):
            end_subscription(session, tenant_id, 1, ends_on=TODAY, now=NOW)
    already_tomorrow_in_reunion = NOW.replace(hour=21)
    with adherent.write(Operator()) as session:
        turn_subscriptions(session, now=already_tomorrow_in_reunion)
        statuses = dict(session.execute(select(t.Subscription.tenant_id, t.Subscription.status)).all())
    assert statuses == {
        CH: t.SubscriptionStatus.ACTIVE,
        OTHER: t.SubscriptionStatus.ACTIVE,
        13: t.SubscriptionStatus.ENDED,
    }


def agree(database: Database, *, on: date = TODAY, note: str = "", **changes) -> int:
    with database.write(OWN) as session:
        return amend(session, CH, 1, effective_on=on, changes=changes, note=note, now=NOW, by="ana")


def row(database: Database, number: int = 1) -> t.Subscription:
    with database.read(OWN) as session:
        return session.get_one(t.Subscription, (CH, number))


def turn(database: Database, day: date) -> None:
    with database.write(Operator()) as session:
        turn_subscriptions(session, now=datetime.combine(day, NOW.timetz()))


@pytest.mark.both_databases
def test_an_amendment_holds_from_its_day_on_and_the_state_of_any_day_is_read(adherent: Database) -> None:
    agree(adherent, on=date(2026, 3, 1), volume=300)
    agree(adherent, on=date(2026, 6, 1), volume=600, note="Nouvelle aile")
    agree(adherent, on=date(2026, 2, 1), volume=200)  # written last, dated first
    with adherent.read(OWN) as session:
        past = amendments_of(session, CH, 1)
    volumes = [terms.volume for month in (1, 2, 3, 6) if (terms := terms_on(past, date(2026, month, 1)))]
    assert volumes == [None, 200, 300, 600]
    assert row(adherent).volume == 600


@pytest.mark.both_databases
def test_an_amendment_to_come_changes_the_row_on_its_day(adherent: Database) -> None:
    later = TODAY + timedelta(days=10)
    agree(adherent, on=later, plan_code="critical", plan_version=1)
    assert (row(adherent).plan_code, row(adherent).changes_on) == ("request", later)
    turn(adherent, later - timedelta(days=1))
    assert row(adherent).plan_code == "request"
    turn(adherent, later)
    assert (row(adherent).plan_code, row(adherent).changes_on) == ("critical", None)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"on": date(2025, 12, 31), "volume": 3}, Invalid),
        ({"plan_code": "none", "plan_version": 1}, Invalid),
        ({"volume": -1}, Invalid),
        ({"price_cents": 100}, Invalid),
        ({"status": Status.DRAFT}, Conflict),
    ],
)
def test_an_amendment_that_cannot_be_changes_nothing(adherent: Database, changes, error) -> None:
    with pytest.raises(error):
        agree(adherent, **changes)
    with adherent.read(OWN) as session:
        assert len(amendments_of(session, CH, 1)) == 1


def test_a_form_sent_twice_makes_one_amendment(adherent: Database) -> None:
    agree(adherent, volume=3)
    with pytest.raises(Conflict, match="Rien ne change"):
        agree(adherent, volume=3)


@pytest.mark.both_databases
def test_amendments_made_at_once_are_numbered_one_after_the_other(adherent: Database) -> None:
    with ThreadPoolExecutor(3) as people:
        numbers = sorted(people.map(lambda volume: agree(adherent, volume=volume), (1, 2, 3)))
    assert numbers == [2, 3, 4]


def revise(database: Database, on: date, **values: int) -> int:
    with database.write(OWN) as session:
        revision = Revision(**values)
        return revise_price(session, CH, 1, effective_on=on, revision=revision, now=NOW, by="ana")


def test_a_price_is_revised_once_and_its_next_revision_is_a_year_later(adherent: Database) -> None:
    with pytest.raises(Conflict, match="pas de prix"):
        revise(adherent, TODAY, rate=200)
    agree(adherent, on=date(2026, 2, 1), price_cents=100_000, price_per=PricePer.MONTH, revise_on=TODAY)
    revise(adherent, TODAY, index_from=31_340, index_to=31_820)
    assert (row(adherent).price_cents, row(adherent).revise_on) == (101_532, date(2027, 11, 25))
    with pytest.raises(Conflict, match="déjà cette révision"):
        revise(adherent, TODAY, index_from=31_340, index_to=31_820)
    with adherent.read(OWN) as session:
        written = session.get_one(k.SubscriptionAmendment, (CH, 1, 3))
    assert written.revision == {"index_from": 31_340, "index_to": 31_820, "rate": None}


def test_the_term_that_runs_and_its_notice_follow_tacit_renewals(adherent: Database) -> None:
    agree(
        adherent,
        term_ends_on=date(2026, 12, 31),
        tacit=True,
        renewal_months=12,
        notice=3,
        notice_unit=NoticeUnit.MONTHS,
    )
    assert (row(adherent).term_ends_on, row(adherent).notice_by) == (date(2026, 12, 31), date(2026, 9, 30))
    assert row(adherent).changes_on == date(2027, 1, 1)
    turn(adherent, date(2027, 1, 1))
    assert (row(adherent).term_ends_on, row(adherent).notice_by) == (date(2027, 12, 31), date(2027, 9, 30))


def test_an_end_may_be_moved_and_taken_back_while_it_has_not_passed(adherent: Database) -> None:
    def end(day: date | None) -> None:
        with adherent.write(OWN) as session:
            set_end(session, CH, 1, ends_on=day, now=NOW, by="ana")

    for day in (TODAY + timedelta(days=30), TODAY + timedelta(days=60), None, TODAY - timedelta(days=1)):
        end(day)
        assert row(adherent).ends_on == day
    assert row(adherent).status is Status.ENDED


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("corrected", "after"),
    [
        (date(2026, 7, 31), Status.ENDED),
        (date(2026, 3, 31), Status.ENDED),
        (TODAY + timedelta(days=30), Status.ACTIVE),
        (None, Status.ACTIVE),
    ],
)
def test_an_end_that_has_passed_is_corrected_with_a_note(
    adherent: Database, corrected: date | None, after: Status
) -> None:
    def end(day: date | None, note: str = "") -> None:
        with adherent.write(OWN) as session:
            set_end(session, CH, 1, ends_on=day, note=note, now=NOW, by="ana")

    end(date(2026, 6, 30))
    with pytest.raises(Invalid, match="note") as refusal:
        end(corrected)
    assert refusal.value.field == "note"
    end(corrected, "Faute de frappe")
    assert (row(adherent).ends_on, row(adherent).status) == (corrected, after)


def test_what_has_ended_is_amended_within_its_life(adherent: Database) -> None:
    with adherent.write(OWN) as session:
        set_end(session, CH, 1, ends_on=date(2026, 6, 30), now=NOW, by="ana")
    agree(adherent, on=date(2026, 6, 1), volume=7)
    assert (row(adherent).volume, row(adherent).status) == (7, Status.ENDED)
    with pytest.raises(Invalid, match="finit le 2026-06-30"):
        agree(adherent, on=date(2026, 7, 1), volume=8)


def test_nothing_lasts_beyond_the_last_day_of_an_adherent(adherent: Database) -> None:
    with adherent.write(Operator()) as session:
        session.get_one(c.Adherent, CH).until = TODAY
    for day in (None, TODAY + timedelta(days=1)):
        with pytest.raises(Invalid) as refusal, adherent.write(OWN) as session:
            set_end(session, CH, 1, ends_on=day, note="Oubli", now=NOW, by="ana")
        assert refusal.value.field == "ends_on"
        with pytest.raises(Invalid), adherent.write(OWN) as session:
            given.a_subscription(session, CH, ends_on=day)


def test_a_draft_that_will_not_be_signed_is_cancelled_and_may_come_back(adherent: Database) -> None:
    later = TODAY + timedelta(days=30)
    with adherent.write(OWN) as session:
        number = given.a_subscription(session, CH, status=Status.DRAFT, starts_on=later)
    with adherent.write(OWN) as session:
        cancel_draft(session, CH, number, note="Budget refusé", now=NOW)
    assert (row(adherent, number).status, row(adherent, number).changes_on) == (Status.ENDED, None)
    turn(adherent, later)
    assert row(adherent, number).status is Status.ENDED
    with pytest.raises(Conflict, match="Seul un brouillon"), adherent.write(OWN) as session:
        cancel_draft(session, CH, number, now=NOW)
    with adherent.write(OWN) as session:
        set_end(session, CH, number, ends_on=None, note="Budget voté", now=NOW, by="ana")
    assert row(adherent, number).status is Status.DRAFT


def test_what_is_signed_is_not_cancelled(adherent: Database) -> None:
    with pytest.raises(Conflict, match="Seul un brouillon"), adherent.write(OWN) as session:
        cancel_draft(session, CH, 1, now=NOW)


def test_a_term_that_was_set_is_taken_back(adherent: Database) -> None:
    agree(adherent, on=date(2026, 2, 1), volume=7, price_cents=100, price_per=PricePer.UNIT)
    agree(adherent, on=date(2026, 3, 1), volume=None, price_cents=None, price_per=None)
    assert (row(adherent).volume, row(adherent).price_cents, row(adherent).price_per) == (None, None, None)
    with adherent.read(OWN) as session:
        before = terms_on(amendments_of(session, CH, 1), date(2026, 2, 28))
    assert before is not None
    assert (before.volume, before.price_cents) == (7, 100)


def test_a_version_is_one_that_the_catalogue_knows_where_it_knows_any(adherent: Database) -> None:
    agree(adherent, service_version="anything")
    with adherent.write(Operator()) as session:
        code = session.get_one(t.Subscription, (CH, 1)).service_code
        released = {"service_code": code, "released_on": date(2026, 1, 1)}
        session.add_all(o.ServiceVersion(version=version, **released) for version in ("12.4", "12.5"))
    with pytest.raises(Invalid, match=r"12\.4, 12\.5") as refusal:
        agree(adherent, service_version="12.3")
    assert refusal.value.field == "service_version"
    with pytest.raises(Invalid, match=r"12\.4, 12\.5"), adherent.write(OWN) as session:
        given.a_subscription(session, CH, code, contract="V", service_version="12.3")
    agree(adherent, service_version="12.5")
    agree(adherent, volume=3)
    assert row(adherent).service_version == "12.5"


def test_a_draft_is_activated_from_a_day(adherent: Database) -> None:
    with adherent.write(OWN) as session:
        number = given.a_subscription(session, CH, status=Status.DRAFT, with_plan=False)
        with pytest.raises(Conflict):
            suspend(session, CH, number)
        change_status(session, CH, number, Status.ACTIVE, on=TODAY, now=NOW)
    assert (row(adherent, number).status, row(adherent, number).plan_code) == (Status.ACTIVE, None)


def test_a_subscription_without_a_plan_takes_no_incident_and_says_why(adherent: Database) -> None:
    with adherent.write(OWN) as session:
        number = given.a_subscription(session, CH, with_plan=False)
        with pytest.raises(Invalid, match="pas encore de plan"):
            given.an_incident(session, CH, subscription=number)


@pytest.mark.both_databases
@pytest.mark.parametrize("days", [0, 10])
def test_open_incidents_are_due_under_the_plan_that_holds(adherent: Database, days: int) -> None:
    with adherent.write(OWN) as session:
        incident = given.an_incident(session, CH, priority="P1")  # in 2 working days
        before = session.get_one(t.Incident, (CH, incident)).due_at
    changed_on = TODAY + timedelta(days=days)
    agree(adherent, on=changed_on, plan_code="critical", plan_version=1)  # in 4 hours, day and night
    turn(adherent, changed_on)
    with adherent.read(OWN) as session:
        after = session.get_one(t.Incident, (CH, incident)).due_at
    assert before is not None
    assert after == NOW + timedelta(hours=4) < before


def test_a_plan_that_leaves_a_priority_out_is_refused(adherent: Database) -> None:
    with adherent.write(Operator()) as session:
        plan = session.get_one(c.SlaPlan, ("critical", 1))
        p1 = {"P1": plan.targets["P1"]}
        session.add(c.SlaPlan(code="p1", version=1, name="P1", calendar_code="24x7", targets=p1))
    with pytest.raises(Invalid, match="P2, P3, P4"):
        agree(adherent, plan_code="p1", plan_version=1)
