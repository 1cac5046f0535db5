"""What the law wants told of a security incident: made, done, withdrawn, and told of in time."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from console.actions import duties
from console.actions.alerting import Readers, observe
from console.actions.delivering import Envelope
from console.actions.duties import Matter
from console.actions.incidents import Revision, set_particulars
from console.actions.regulatory_rules import Wording, add_version
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.regulatory import DutyState
from console.store.models import catalogue as c
from console.store.models import coordination as k
from console.store.models import regulatory as r
from console.store.models import tenant as t
from console.store.queries.regulatory import Duty, duties_of_incident, rule_of
from console.store.session import Database, Operator
from tests import given

CH = 11
AWARE = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)  # Friday, 23:30 in Paris
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EACH = {"adherent-notice", "cert-sante"}
ONCE = {"cnil-notification", "nis2-early-warning", "nis2-notification", "nis2-final-report"}
READERS = Readers(Envelope("mail", ("ops@inr.example",), "inr.example"), "https://console.example")


@pytest.fixture
def office(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, CH, "CH de Fleyriat")
    return database


def breached(database: Database, **told: object) -> int:
    """A security incident of the first subscription, at AWARE."""
    with database.write(Operator()) as session:
        return given.an_incident(session, CH, "Intrusion", opened_at=AWARE, **({"is_security": True} | told))


def listed(database: Database, number: int, now: datetime = AWARE) -> dict[str, Duty]:
    with database.read(Operator()) as session:
        found = duties_of_incident(session, CH, number, now=now)
        return {duty.rule.rule.code: duty for duty in found.rows}


def flag(database: Database, number: int, is_security: bool, now: datetime) -> None:
    with database.write(Operator()) as session:
        set_particulars(
            session,
            tenant_id=CH,
            number=number,
            revision=Revision(is_security=is_security),
            at=now,
            now=now,
            by="ops",
        )


def settle(database: Database, number: int, duty: Duty, at: datetime, reference: str = "") -> None:
    with database.write(Operator()) as session:
        matter = Matter(CH, incident=number)
        duties.settle(session, matter, duty.number, at=at, reference=reference, now=at, by="rssi")


def qualify(database: Database, number: int, applying: set[int], **told: object) -> None:
    with database.write(Operator()) as session:
        duties.qualify(
            session,
            Matter(CH, incident=number),
            **{
                "aware_at": AWARE,
                "applying": applying,
                "reason": "",
                "now": AWARE + 2 * HOUR,
                "by": "rssi",
                **told,
            },
        )


@pytest.mark.both_databases
def test_a_security_incident_has_a_duty_for_each_rule_on_the_clock_of_its_role(office: Database) -> None:
    found = listed(office, breached(office))
    assert found.keys() == EACH | ONCE
    with office.read(Operator()) as session:
        plan = session.get_one(t.Subscription, (CH, 1))
        hours = session.scalars(
            select(c.SlaPlan.breach_notice_hours).where(
                c.SlaPlan.code == plan.plan_code, c.SlaPlan.version == plan.plan_version
            )
        ).one()
    assert hours is not None
    assert found["adherent-notice"].due_at == AWARE + hours * HOUR
    assert found["cnil-notification"].due_at == AWARE + 72 * HOUR
    assert found["nis2-early-warning"].due_at == AWARE + 24 * HOUR
    # a month after the notification, which is due on Monday the 23rd at 23:30 in Paris
    assert found["nis2-final-report"].due_at == datetime(2026, 12, 23, 22, 30, tzinfo=UTC)
    assert found["nis2-final-report"].is_provisional


def test_an_incident_that_is_not_of_security_has_none(office: Database) -> None:
    assert listed(office, breached(office, is_security=False)) == {}


def test_an_incident_of_a_major_one_has_what_each_adherent_is_owed(office: Database) -> None:
    assert listed(office, breached(office, major=3)).keys() == EACH


@pytest.mark.both_databases
def test_what_turns_out_to_be_of_security_has_duties_that_rest_and_come_back(office: Database) -> None:
    number = breached(office, is_security=False)
    flag(office, number, True, AWARE + HOUR)
    assert listed(office, number).keys() == EACH | ONCE
    flag(office, number, False, AWARE + 2 * HOUR)
    assert {duty.state for duty in listed(office, number).values()} == {DutyState.WITHDRAWN}
    flag(office, number, True, AWARE + 3 * HOUR)
    found = listed(office, number)
    assert len(found) == len(EACH | ONCE)
    assert {duty.state for duty in found.values()} == {DutyState.RUNNING}


def test_what_a_person_withdrew_stays_so_when_the_flag_comes_back(office: Database) -> None:
    number = breached(office)
    kept = {duty.number for code, duty in listed(office, number).items() if code != "cnil-notification"}
    qualify(office, number, kept, reason="Aucune donnée propre de l'opérateur")
    flag(office, number, False, AWARE + 2 * HOUR)
    flag(office, number, True, AWARE + 3 * HOUR)
    found = listed(office, number)
    assert found["cnil-notification"].state is DutyState.WITHDRAWN
    assert found["cnil-notification"].reason == "Aucune donnée propre de l'opérateur"
    assert found["nis2-notification"].state is DutyState.RUNNING


def test_the_final_report_follows_the_notification_once_it_is_made(office: Database) -> None:
    number = breached(office)
    made_at = AWARE + 30 * HOUR  # Sunday the 22nd, 05:30 in Paris
    settle(office, number, listed(office, number)["nis2-notification"], made_at, "ANSSI-2026-118")
    found = listed(office, number)
    assert found["nis2-notification"].reference == "ANSSI-2026-118"
    assert found["nis2-final-report"].due_at == datetime(2026, 12, 22, 4, 30, tzinfo=UTC)
    assert not found["nis2-final-report"].is_provisional
    with office.write(Operator()) as session:
        duties.take_back(session, Matter(CH, incident=number), found["nis2-notification"].number)
    assert listed(office, number)["nis2-final-report"].due_at == datetime(2026, 12, 23, 22, 30, tzinfo=UTC)


def test_an_awareness_that_was_wrong_moves_every_due_date(office: Database) -> None:
    number = breached(office)
    every = {duty.number for duty in listed(office, number).values()}
    qualify(office, number, every, aware_at=AWARE - 5 * HOUR)
    found = listed(office, number)
    assert found["cnil-notification"].due_at == AWARE + 67 * HOUR
    assert found["nis2-early-warning"].due_at == AWARE + 19 * HOUR


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"aware_at": AWARE + 9 * HOUR}, "aware_at"),
        ({"applying": set()}, "reason"),
    ],
)
def test_a_qualification_that_says_too_little_is_refused(
    office: Database, told: dict[str, object], field: str
) -> None:
    number = breached(office)
    every = {duty.number for duty in listed(office, number).values()}
    with pytest.raises(Invalid) as refused:
        qualify(office, number, **({"applying": every} | told))
    assert refused.value.field == field
    assert {duty.state for duty in listed(office, number).values()} == {DutyState.RUNNING}


def test_a_duty_is_done_once_and_after_it_was_known(office: Database) -> None:
    number = breached(office)
    duty = listed(office, number)["cert-sante"]
    with pytest.raises(Invalid, match="après la prise de connaissance"):
        settle(office, number, duty, AWARE - HOUR)
    settle(office, number, duty, AWARE + HOUR)
    with pytest.raises(Conflict):
        settle(office, number, duty, AWARE + 2 * HOUR)


def test_a_duty_of_another_incident_is_not_found(office: Database) -> None:
    number = breached(office)
    duty = listed(office, number)["cert-sante"]
    with pytest.raises(NotFound):
        qualify(office, number, {duty.number, 99}, reason="Essai")
    with pytest.raises(NotFound):
        settle(office, number + 1, duty, AWARE + HOUR)


def test_a_rule_that_holds_from_a_later_day_does_not_touch_what_is_known(office: Database) -> None:
    with office.write(Operator()) as session:
        rule = session.get_one(r.RegulatoryRule, ("nis2-early-warning", 1))
        columns = {column.name: getattr(rule, column.name) for column in rule.__table__.columns}
        columns |= {"version": 2, "hours": 12, "since": date(2026, 11, 22)}
        session.add(r.RegulatoryRule(**columns))
    early = listed(office, breached(office))["nis2-early-warning"]
    assert (early.rule.rule.version, early.due_at) == (1, AWARE + 24 * HOUR)
    with office.write(Operator()) as session:
        number = given.an_incident(session, CH, "Autre", opened_at=AWARE + 2 * DAY, is_security=True)
    later = listed(office, number)["nis2-early-warning"]
    assert (later.rule.rule.version, later.due_at) == (2, AWARE + 2 * DAY + 12 * HOUR)


def retire(database: Database, code: str, since: date) -> None:
    """Add the version that ends a rule, on 22 November."""
    with database.write(Operator()) as session:
        row = session.get_one(r.RegulatoryRule, (code, 1))
        wording = Wording(
            name_fr=row.name_fr,
            name_en=row.name_en,
            basis=row.basis,
            source=row.source,
            since=since,
            is_retired=True,
        )
        add_version(
            session, rule_of(row), wording, today=date(2026, 11, 22), now=AWARE + 2 * DAY, by="claire"
        )


def test_a_rule_from_which_another_counts_is_retired_with_it_or_after_it(office: Database) -> None:
    with pytest.raises(Invalid, match="compte à partir de celle-ci") as refused:
        retire(office, "nis2-notification", date(2026, 12, 1))
    assert refused.value.field == "since"
    assert refused.value.values["rule"] == "Rapport final NIS 2"
    retire(office, "nis2-final-report", date(2026, 12, 1))
    with pytest.raises(Invalid, match="compte à partir de celle-ci"):
        retire(office, "nis2-notification", date(2026, 11, 30))
    retire(office, "nis2-notification", date(2026, 12, 1))
    with office.write(Operator()) as session:
        number = given.an_incident(session, CH, "Autre", opened_at=AWARE + 20 * DAY, is_security=True)
    assert not {"nis2-notification", "nis2-final-report"} & listed(office, number).keys()


def look(database: Database, now: datetime) -> list[str]:
    """The subjects of the mails that a look makes."""
    with database.write(Operator()) as session:
        before = set(session.scalars(select(k.Delivery.delivery_id)))
        observe(session, now=now, silent_after=None, readers=READERS)
        rows = session.scalars(select(k.Delivery).order_by(k.Delivery.delivery_id))
        subjects = [row.subject.replace("\u00a0", " ") for row in rows if row.delivery_id not in before]
    return [subject.removeprefix("[Console INR] ") for subject in subjects if "glementaire" in subject]


@pytest.mark.both_databases
def test_a_mail_leaves_before_the_due_date_one_after_it_and_one_once_it_is_done(office: Database) -> None:
    number = breached(office)
    early = listed(office, number)["nis2-early-warning"]
    others = {duty.number for duty in listed(office, number).values()} & {early.number}
    qualify(office, number, others, reason="Sans objet ici")
    assert look(office, AWARE + 18 * HOUR - timedelta(seconds=1)) == []
    assert look(office, AWARE + 18 * HOUR) == ["Échéance réglementaire proche : Alerte précoce NIS 2"]
    assert look(office, AWARE + 24 * HOUR) == []
    assert look(office, AWARE + 25 * HOUR) == ["Échéance réglementaire dépassée : Alerte précoce NIS 2"]
    assert look(office, AWARE + 26 * HOUR) == []
    settle(office, number, early, AWARE + 27 * HOUR)
    assert look(office, AWARE + 27 * HOUR) == ["Fin d'alerte réglementaire : Alerte précoce NIS 2"]
    assert look(office, AWARE + 28 * HOUR) == []
    assert listed(office, number)["nis2-early-warning"].state is DutyState.DONE_LATE


def test_what_is_due_is_found_by_its_index(office: Database) -> None:
    breached(office)
    with office.read(Operator()) as session:
        plan = session.connection().exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT * FROM regulatory_duty "
            "WHERE warn_at <= '2026-11-28' AND done_at IS NULL AND withdrawn_at IS NULL"
        )
        assert "ix_regulatory_duty_warn_at" in " ".join(str(row) for row in plan)
