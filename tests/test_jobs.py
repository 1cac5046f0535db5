"""The jobs process as a real process: it catches up, sends once, survives a kill, and ends when told to."""

import logging
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from console import jobs
from console.actions.alerting import Readers
from console.actions.catalogue import seed_catalogue
from console.actions.contacts import ContactFacts, add_contact
from console.actions.delivering import CLAIM_LASTS, STARTED, Envelope, post
from console.actions.incidents import Particulars, open_incident, record_event
from console.actions.ingest import ingest
from console.actions.major_incidents import Declaration, communicate, declare
from console.actions.subscriptions import subscribe
from console.domain.alerts import Kind
from console.domain.clock import EventKind
from console.domain.contacts import ContactRole
from console.domain.major_incidents import ScopeKind
from console.domain.outages import Effect
from console.notify.channels import open_channels
from console.store.models import catalogue as c
from console.store.models import coordination as k
from console.store.models import measurement as m
from console.store.models import people as p
from console.store.models import tenant as t
from console.store.queries import alerts
from console.store.session import Database, Operator
from reports.mail import Message
from tests import given
from tests.given import NOW
from tests.readings import batch, measured, reading
from tests.running import BIN, Installation, installation, wait_until
from tests.smtp import MailServer, mail_server

pytestmark = pytest.mark.both_databases

ENVELOPE = Envelope("mail", ("ops@inr.example",), "inr.example")
HOSPITAL = 700


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def installed(tmp_path: Path, server: MailServer, database: Database) -> Iterator[Installation]:
    settings = {
        "CONSOLE_SMTP_URL": server.url,
        "CONSOLE_ALERTS_TO": "ops@inr.example",
        "CONSOLE_DATABASE_URL": database.engine.url.render_as_string(hide_password=False),
    }
    with installation(tmp_path / "var", **settings) as installed:
        yield installed


@pytest.fixture
def store(installed: Installation, database: Database) -> Database:
    """The database of the installation, seen from the test."""
    return database


@pytest.fixture
def means(database: Database, server: MailServer) -> jobs.Means:
    """What the jobs work with, in this process, at a time of our own."""
    return jobs.Means(
        database=database,
        channels=open_channels(smtp=server.settings),
        readers=Readers(ENVELOPE, "https://console.inr.example"),
        silent_after=timedelta(minutes=3),
        started_at=NOW - timedelta(hours=1),
        clock=lambda: NOW,
    )


def a_message(database: Database, subject: str = "Collecteur muet", now: datetime | None = None) -> int:
    now = now or datetime.now(UTC)
    with database.write(Operator()) as session:
        return post(session, ENVELOPE, Message(subject, "…\n"), STARTED, now=now).delivery_id


def line(database: Database, number: int) -> alerts.DeliveryLine:
    with database.read(Operator()) as session:
        return alerts.delivery(session, number)


def log_of(installed: Installation) -> str:
    return (installed.var / "console.log").read_text()


def wait_for_start(installed: Installation) -> None:
    wait_until(lambda: "first runs now" in log_of(installed), 60, "the jobs process does not start")


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGINT], ids=lambda s: s.name)
def test_a_signal_ends_the_process_at_once_and_in_peace(
    installed: Installation, with_signal: signal.Signals
) -> None:
    process = installed.start(BIN / "console", "jobs")
    wait_for_start(installed)
    assert installed.stop(process, with_signal) == 0
    assert "Traceback" not in log_of(installed)


def test_a_signal_during_a_hung_delivery_ends_the_process_at_once_too(
    installed: Installation, store: Database, server: MailServer
) -> None:
    number = a_message(store)
    server.after_data = "hang"
    process = installed.start(BIN / "console", "jobs")
    assert server.arrived.wait(60)
    assert installed.stop(process) == 0
    assert "stopped in the middle of its work" in log_of(installed)
    assert line(store, number).state is alerts.DeliveryState.SENDING


def test_what_was_due_before_the_start_is_done_and_its_end_too(
    installed: Installation, store: Database, server: MailServer
) -> None:
    now = datetime.now(UTC)
    with store.write(Operator()) as session:
        kind = c.AdherentKind.HOSPITAL
        session.add(c.Adherent(tenant_id=HOSPITAL, name="CH de Test", kind=kind, since=date(2026, 1, 1)))
        session.flush()
        subscribe(session, HOSPITAL, "patient-administration", starts_on=date(2020, 1, 1), now=now)
        open_incident(
            session,
            tenant_id=HOSPITAL,
            subscription=1,
            title="Admissions bloquées",
            told=Particulars(priority=t.Priority.P1),
            at=now - timedelta(hours=3, minutes=30),
            now=now - timedelta(hours=3, minutes=30),
            by="ops",
        )
    installed.start(BIN / "console", "jobs")
    wait_until(lambda: len(server.taken) > 2, 60, "no mails at the start of the risk")
    with store.write(Operator()) as session:
        now = datetime.now(UTC)
        record_event(
            session, tenant_id=HOSPITAL, number=1, kind=EventKind.RESOLVED, at=now, now=now, by="ops"
        )
    wait_until(lambda: len(server.taken) > 3, 30, "no mail at the end of the risk")
    subjects = [mail.subject.replace("\u00a0", " ") for mail in server.received]
    escalated = "[Console INR] Escalade de niveau 1 : n° 1, CH de Test"
    assert subjects.count(escalated) == 2  # of the time to own, and of the time to restore
    assert [subject for subject in subjects if subject != escalated] == [
        "[Console INR] Engagement à risque : 1, CH de Test",
        "[Console INR] Fin d'alerte : 1, CH de Test",
    ]
    assert server.taken[0].recipients == ["ops@inr.example"]


def test_two_processes_send_each_message_once(
    installed: Installation, store: Database, server: MailServer
) -> None:
    sent = [f"message {number}" for number in range(20)]
    numbers = [a_message(store, subject) for subject in sent]
    for _ in range(2):
        installed.start(BIN / "console", "jobs")
    wait_until(
        lambda: all(line(store, number).state is alerts.DeliveryState.SENT for number in numbers),
        30,
        "not everything was sent",
    )
    assert Counter(mail.subject for mail in server.received) == Counter(sent)


def test_a_process_killed_after_the_text_left_is_uncertain_and_its_message_is_sent_again(
    installed: Installation, store: Database, server: MailServer, means: jobs.Means
) -> None:
    number = a_message(store)
    server.after_data = "hang"
    process = installed.start(BIN / "console", "jobs")
    assert server.arrived.wait(60)
    installed.stop(process, signal.SIGKILL)
    server.after_data = "reply"
    server.released.set()

    soon = datetime.now(UTC)
    jobs.deliver(replace(means, database=store, clock=lambda: soon))
    assert line(store, number).state is alerts.DeliveryState.SENDING
    later = soon + CLAIM_LASTS
    jobs.deliver(replace(means, database=store, clock=lambda: later))

    became = line(store, number)
    assert became.state is alerts.DeliveryState.SENT
    assert [attempt.split()[1] for attempt in became.log.splitlines()] == ["uncertain:", "sent:"]
    assert len(server.received) == 2
    assert len({mail.message_id for mail in server.received}) == 1


def test_a_job_that_cannot_work_says_so_in_one_line_and_the_process_goes_on(
    tmp_path: Path, server: MailServer
) -> None:
    (tmp_path / "var").mkdir()
    empty = Installation(tmp_path / "var", settings={"CONSOLE_SMTP_URL": server.url})
    process = empty.start(BIN / "console", "jobs")
    wait_until(lambda: log_of(empty).count("metering failed") > 1, 20, "it is not tried again")
    assert empty.stop(process) == 0
    written = log_of(empty)
    assert "ERROR console.jobs: metering failed: OperationalError: " in written
    assert "no such table: hour_due" in written
    assert "Traceback" not in written


def test_a_wrong_setting_stops_the_start_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    unfit = Installation(tmp_path / "var", settings={"CONSOLE_SMTP_URL": "http://mail"})
    process = unfit.start(BIN / "console", "jobs")
    assert process.wait(timeout=20) == 1
    assert "CONSOLE_SMTP_URL" in log_of(unfit)


def test_a_silence_is_judged_once_the_console_has_listened_for_long_enough(means: jobs.Means) -> None:
    with means.database.write(Operator()) as session:
        long_ago = NOW - timedelta(days=1)
        session.add(
            m.Host(
                host_id=m.stable_id("srv-01"),
                name="srv-01",
                agent="1.0",
                vcpu=4,
                first_seen_at=long_ago,
                last_seen_at=long_ago,
                gaps=[],
            )
        )
    jobs.watch(replace(means, started_at=NOW - timedelta(minutes=1)))
    with means.database.read(Operator()) as session:
        assert alerts.open_episodes(session) == []
    jobs.watch(means)
    with means.database.read(Operator()) as session:
        assert [episode.kind for episode in alerts.open_episodes(session)] == [Kind.COLLECTOR_SILENT]


def test_without_a_channel_messages_wait(means: jobs.Means, server: MailServer) -> None:
    number = a_message(means.database, now=NOW)
    jobs.deliver(replace(means, channels={}))
    assert line(means.database, number).state is alerts.DeliveryState.PENDING
    jobs.deliver(means)
    assert [mail.subject for mail in server.taken] == ["Collecteur muet"]


def test_a_failing_channel_is_written_down_and_does_not_stop_the_others(
    means: jobs.Means, server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = (a_message(means.database, f"message {number}", now=NOW) for number in (1, 2))
    server.data_replies = ["451 try later"]
    with caplog.at_level(logging.INFO, "console.jobs"):
        jobs.deliver(means)
    assert line(means.database, first).state is alerts.DeliveryState.PENDING
    assert line(means.database, second).state is alerts.DeliveryState.SENT
    assert caplog.messages == [
        f"message {first} passing: 451 try later",
        f"message {second} sent: 250 Taken",
    ]


def test_an_item_that_fails_is_named_and_does_not_hold_back_the_others(
    means: jobs.Means, caplog: pytest.LogCaptureFixture
) -> None:
    with means.database.write(Operator()) as session:
        seed_catalogue(session, NOW.date())
        session.add(k.MonthDue(tenant_id=99, month=date(2026, 10, 1), due_at=NOW - timedelta(hours=1)))
        kind = c.AdherentKind.HOSPITAL
        session.add(c.Adherent(tenant_id=HOSPITAL, name="CH de Test", kind=kind, since=date(2026, 1, 1)))
        session.add(k.MonthDue(tenant_id=HOSPITAL, month=date(2026, 11, 1), due_at=NOW))
    jobs.reckon(means)
    [failure] = caplog.messages
    assert failure.startswith("reckoning of 99 2026-10-01 failed: NoResultFound")
    with means.database.read(Operator()) as session:
        assert session.get(k.MonthDue, (99, date(2026, 10, 1))) is not None
        assert session.get(k.MonthDue, (HOSPITAL, date(2026, 11, 1))) is None


def test_readings_reach_the_ledger_through_the_timetable(means: jobs.Means) -> None:
    with means.database.write(Operator()) as session:
        seed_catalogue(session, NOW.date())
    with means.database.write(Operator()) as session:
        ingest(session, batch(reading(1, measured(60_000), web=1_000)), now=NOW)
    jobs.meter(means)
    with means.database.read(Operator()) as session:
        hour = session.scalars(select(m.HostHour)).one()
    assert hour.energy_mj == 60_000


def test_expired_sign_ins_are_cleared_out(means: jobs.Means) -> None:
    with means.database.write(Operator()) as session:
        for name, expires_at in (("old", NOW), ("new", NOW + timedelta(hours=1))):
            row = p.SignIn(
                token_sha256=name, account_id=1, created_at=NOW, seen_at=NOW, expires_at=expires_at
            )
            session.add(row)
    jobs.clear_out(means)
    with means.database.read(Operator()) as session:
        assert session.get(p.SignIn, "old") is None
        assert session.get(p.SignIn, "new") is not None


@pytest.mark.parametrize("entry", jobs.TIMETABLE, ids=lambda entry: entry.name)
def test_every_line_of_the_timetable_may_be_repeated_with_nothing_to_do(
    means: jobs.Means, entry: jobs.Entry
) -> None:
    entry.work(means)
    entry.work(means)


def test_a_major_incident_reaches_its_adherents_and_their_people(
    means: jobs.Means, server: MailServer
) -> None:
    told = Declaration(
        title="Panne de Toulouse",
        description="",
        scope_kind=ScopeKind.SERVICE,
        scope_code="hds-iaas",
        priority=t.Priority.P1,
        category=None,
        is_security=False,
        effect=Effect.OUTAGE,
        at=NOW,
    )
    person = ContactFacts(ContactRole.CIO, "Paul", None, "dsi@foix.example", True, date(2026, 1, 1), None)
    with means.database.write(Operator()) as session:
        given.an_adherent(session, 11, "CH de Foix")
        given.a_subscription(session, 11, "hds-iaas")
        add_contact(session, 11, person)
        major_id = declare(session, told, {11}, now=NOW, by="ops")
        communicate(session, major_id, "Retour à 14 h.", is_mailed=True, is_notice=False, now=NOW, by="ops")
    means = replace(means, letters=replace(ENVELOPE, recipients=()))
    for _run in range(2):
        jobs.pass_majors_on(means)
        jobs.deliver(means)
    with means.database.read(Operator()) as session:
        assert session.get_one(t.Incident, (11, 1)).major == major_id
    assert [mail.recipients for mail in server.taken] == [["dsi@foix.example"]]
