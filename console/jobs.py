"""The timetable: what the jobs process does, and how often.

The scheduler only wakes the work up. What is due is found by its column in the database, so whatever was
missed while the process was down is caught up when it starts, and several processes may run. Each piece of
work is a series of short transactions; one that fails says so in one line and is tried again next time.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor as ThreadPool
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy.orm import Session

from console.actions import alerting, audit, calendars, delivering, escalations, maintenance, probing
from console.actions.alerting import Readers
from console.actions.amendments import turn_subscriptions
from console.actions.calibrating import calibrate, calibrations_due
from console.actions.delivering import Claim, Envelope
from console.actions.expiry import forget_links, forget_sign_ins
from console.actions.host_months import settle_host
from console.actions.ingest import forget_readings
from console.actions.kept_files import forget_old_files
from console.actions.metering import hours_due, meter_hour, postpone_hour
from console.actions.passing_on import Post, pass_on, postpone
from console.actions.pricing import portions, postpone_pricing, restate
from console.actions.quarantine import forget_quarantined
from console.actions.reckoning import months_due, postpone_month, reckon_month
from console.actions.reckoning_due import Step, postpone_step, steps_due
from console.actions.sealing import Seal
from console.actions.sharing import split
from console.actions.sharing_due import take_changes
from console.actions.signals import forget_signals
from console.actions.site_rest import settle_rest
from console.actions.site_terms import settle_month
from console.actions.status_mail import Links, PostOffice, tell_incident, tell_work
from console.config import Config
from console.notify.channels import mail, open_channels
from console.notify.letter import Channel, Outcome, Sent, Uncertain
from console.probing import ask
from console.store.again import write_again
from console.store.queries.escalations import due_escalations
from console.store.queries.generation import Origin, origin
from console.store.queries.maintenance import work_due
from console.store.queries.major_incidents import majors_due
from console.store.queries.probes import due_probes
from console.store.queries.status import incidents_to_tell, work_to_tell
from console.store.session import Database, Operator

STOPS_WITHIN_S = 1.5
ASKED_AT_ONCE = 8
RETRIED_AFTER = timedelta(minutes=1)
LONGEST_CAUSE = 400
PRICED_AT_ONCE = 500  # months of adherents
ENDING_SIGNALS = (signal.SIGTERM, signal.SIGINT)

log = logging.getLogger("console.jobs")
Item = TypeVar("Item", bound=tuple[object, ...])


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Means:
    """What the work is done with; silence is judged by a console that has listened since `started_at`."""

    database: Database
    channels: Mapping[str, Channel]
    readers: Readers
    silent_after: timedelta
    started_at: datetime
    clock: Callable[[], datetime] = _utc_now
    letters: Envelope | None = None  # how mails to the people of adherents leave; none: none does
    status_mail: PostOffice | None = None
    audit_keep_months: int = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timetable."""

    every_s: int
    name: str
    work: Callable[[Means], None]


def meter(means: Means) -> None:
    """Attribute the hours whose readings changed."""
    with means.database.read(Operator()) as session:
        due = hours_due(session, now=means.clock())
    _each(
        means,
        "metering",
        due,
        lambda session, hour: meter_hour(session, *hour, now=means.clock()),
        lambda session, hour: postpone_hour(session, *hour, until=means.clock() + RETRIED_AFTER),
    )


def calibrate_hosts(means: Means) -> None:
    """Fit a line again from weak instruments to strong ones, host by host."""
    with means.database.read(Operator()) as session:
        due = calibrations_due(session, now=means.clock())
    _each(
        means,
        "calibration",
        due,
        lambda session, host: calibrate(session, *host, now=means.clock()),
        lambda session, host: None,  # it is found again at the next run
    )


def reckon(means: Means) -> None:
    """Reckon the months whose hours, meters, keys or factors changed, each step before those that need it."""
    with means.database.write(Operator()) as session:
        take_changes(session, now=means.clock())
    for step in (Step.SITE, Step.HOST):
        _reckon_step(means, step)
    with means.database.read(Operator()) as session:
        due = months_due(session, now=means.clock())
    _each(
        means,
        "reckoning",
        due,
        lambda session, month: reckon_month(session, *month, now=means.clock()),
        lambda session, month: postpone_month(session, *month, until=means.clock() + RETRIED_AFTER),
    )
    _reckon_step(means, Step.SERVICE)
    _restate(means)
    _reckon_step(means, Step.REST)


def _restate(means: Means) -> None:
    """Price again the months whose factors changed, many adherents at a time, until none is left."""
    while True:
        with means.database.read(Operator()) as session:
            due = portions(steps_due(session, Step.PRICES, now=means.clock(), limit=PRICED_AT_ONCE))
        _each(
            means,
            "pricing",
            due,
            lambda session, portion: restate(session, *portion, now=means.clock()),
            lambda session, portion: postpone_pricing(session, *portion, until=means.clock() + RETRIED_AFTER),
        )
        if not due:
            return


def _reckon_step(means: Means, step: Step) -> None:
    work = RECKONINGS[step]
    with means.database.read(Operator()) as session:
        due = steps_due(session, step, now=means.clock())
    _each(
        means,
        f"reckoning of a {step.value}",
        due,
        lambda session, month: work(session, *month, now=means.clock()),
        lambda session, month: postpone_step(session, step, *month, until=means.clock() + RETRIED_AFTER),
    )


def watch(means: Means) -> None:
    """Start and end alerts."""
    now = means.clock()
    judges_silence = now - means.started_at >= means.silent_after
    with means.database.write(Operator()) as session:
        alerting.observe(
            session,
            now=now,
            silent_after=means.silent_after if judges_silence else None,
            readers=means.readers,
        )


def escalate(means: Means) -> None:
    """Tell of the incidents whose due dates are near or past, as their plans say."""
    with means.database.read(Operator()) as session:
        due = due_escalations(session, now=means.clock())
    _each(
        means,
        "escalation",
        due,
        lambda session, level: escalations.tell(session, *level, now=means.clock(), readers=means.readers),
        lambda session, level: escalations.postpone(session, *level, until=means.clock() + RETRIED_AFTER),
    )


def ask_services(means: Means) -> None:
    """Run the probes whose slot has come, several at a time."""
    with means.database.read(Operator()) as session:
        due = due_probes(session, now=means.clock())
    with ThreadPool(ASKED_AT_ONCE) as pool:
        list(pool.map(lambda probe_id: _ask(means, probe_id), due))


def read_clocks(means: Means) -> None:
    """Read the clocks of unresolved incidents again where the hours of their calendar changed."""
    with means.database.read(Operator()) as session:
        due = calendars.clocks_due(session, now=means.clock())
    _each(
        means,
        "clocks",
        due,
        lambda session, one: calendars.read_clocks(session, *one, now=means.clock()),
        lambda session, one: calendars.postpone_clocks(session, *one, until=means.clock() + RETRIED_AFTER),
    )


def pass_majors_on(means: Means) -> None:
    """Take the incidents of adherents through what happened to their major incidents, each by itself."""
    with means.database.read(Operator()) as session:
        due = majors_due(session, now=means.clock())
    post_by = Post(means.letters, means.readers.public_url)
    _each(
        means,
        "passing on",
        due,
        lambda session, one: pass_on(session, *one, post_by=post_by, now=means.clock()),
        lambda session, one: postpone(session, *one, until=means.clock() + RETRIED_AFTER),
    )


def tell_status(means: Means) -> None:
    """Tell those who read the status of an adherent what began, what is over and what is planned."""
    office = means.status_mail
    if office is None:
        return
    with means.database.read(Operator()) as session:
        incidents = incidents_to_tell(session, now=means.clock())
        work = work_to_tell(session, now=means.clock())
    _each(
        means,
        "status mail",
        incidents,
        lambda session, one: tell_incident(session, *one, office, now=means.clock()),
        lambda session, one: None,  # it is found again at the next run
    )
    _each(
        means,
        "status mail",
        work,
        lambda session, one: tell_work(session, *one, office, now=means.clock()),
        lambda session, one: None,
    )


def carry_work_on(means: Means) -> None:
    """Tell of the occurrences of planned work that came within reach, and those who have subscribed since."""
    with means.database.read(Operator()) as session:
        due = work_due(session, now=means.clock())
    _each(
        means,
        "planned work",
        due,
        lambda session, one: maintenance.extend(session, *one, now=means.clock()),
        lambda session, one: maintenance.postpone(session, *one, until=means.clock() + RETRIED_AFTER),
    )


def deliver(means: Means) -> None:
    """Send what is due, one message after the other; without a channel, or of generated data, all waits."""
    with means.database.read(Operator()) as session:
        if not means.channels or origin(session) is not Origin.REAL:
            return
    with means.database.write(Operator()) as session:
        delivering.lapse_claims(session, means.clock())
    while claim := _claim_next(means):
        outcome = send(means, claim)
        level = logging.INFO if isinstance(outcome, Sent) else logging.WARNING
        became = type(outcome).__name__.lower()
        log.log(level, "message %s %s: %s", claim.delivery_id, became, outcome.reason)


def turn_the_day(means: Means) -> None:
    """Do what a new day brings."""
    with means.database.write(Operator()) as session:
        turn_subscriptions(session, now=means.clock())


def clear_out(means: Means) -> None:
    """Delete what has had its time."""
    with means.database.write(Operator()) as session:
        forget_sign_ins(session, now=means.clock())
        forget_links(session, now=means.clock())
        forget_old_files(session, now=means.clock())
        probing.forget_answers(session, now=means.clock())
        forget_signals(session, now=means.clock())
    with means.database.write(Operator()) as session:
        forget_readings(session, now=means.clock())
        forget_quarantined(session, now=means.clock())


def keep_audit(means: Means) -> None:
    """Seal and anchor the months of the audit log that have passed, then erase what it kept long enough."""
    now, keep_months = means.clock(), means.audit_keep_months
    with means.database.read(Operator()) as session:
        unsealed = audit.chains_to_seal(session, now=now)
    for tenant_id in unsealed:
        with means.database.write(Operator()) as session:
            audit.seal_months(session, tenant_id, now=now)
    with means.database.write(Operator()) as session:
        audit.anchor_seals(session, now=now)
    with means.database.read(Operator()) as session:
        old = audit.chains_to_purge(session, keep_months=keep_months, now=now)
    for tenant_id, through in old:
        with means.database.write(Operator()) as session:
            audit.purge(session, tenant_id, through)


RECKONINGS: Mapping[Step, Callable[..., bool]] = {
    Step.SITE: settle_month,
    Step.HOST: settle_host,
    Step.SERVICE: split,
    Step.REST: settle_rest,
}
TIMETABLE = (
    Entry(5, "metering", meter),
    Entry(30, "reckoning", reckon),
    Entry(15, "alerting", watch),
    Entry(15, "escalation", escalate),
    Entry(5, "clocks", read_clocks),
    Entry(5, "major incidents", pass_majors_on),
    Entry(15, "planned work", carry_work_on),
    Entry(5, "deliveries", deliver),
    Entry(5, "probes", ask_services),
    Entry(60, "status mail", tell_status),
    Entry(900, "turning the day", turn_the_day),
    Entry(3600, "clearing out", clear_out),
    Entry(3600, "keeping the audit log", keep_audit),
    Entry(86_400, "calibration", calibrate_hosts),
)


def means_of(config: Config, database: Database) -> Means:
    """What a configuration gives to work with."""
    smtp = mail.Smtp(**asdict(config.smtp)) if config.smtp else None
    envelope = Envelope("mail", config.alert_recipients, mail.domain_of(smtp.sender)) if smtp else None
    links = Links(config.public_url, Seal(config.secret_key, "web"))  # the pages that they open unseal them
    return Means(
        database=database,
        channels=open_channels(smtp=smtp),
        readers=Readers(envelope if config.alert_recipients else None, config.public_url),
        silent_after=timedelta(seconds=config.silent_after_s),
        started_at=_utc_now(),
        letters=envelope and replace(envelope, recipients=()),
        status_mail=PostOffice(envelope.domain, links) if envelope else None,
        audit_keep_months=config.audit_keep_months,
    )


def send(means: Means, claim: Claim) -> Outcome:
    """Send a claimed message, with no transaction open, and write down what became of it."""
    channel = means.channels[claim.channel]
    try:
        outcome = channel(claim.letter)
    except Exception as error:  # a channel is a plug-in
        outcome = Uncertain(_cause(error))
    with means.database.write(Operator()) as session:
        delivering.finish(session, claim, outcome, means.clock())
    return outcome


def run(config: Config) -> None:
    """Do the work of the timetable until SIGTERM or SIGINT, then end within two seconds.

    Raises `UnsafeRole` where the database would not keep adherents apart by itself.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)  # in every thread: they wait for sigwait
    database = Database(config.database_url)
    database.check_at_start()
    scheduler = _scheduler(means_of(config, database))
    scheduler.start()
    log.info("%s jobs, the first runs now", len(TIMETABLE))
    signal.sigwait(ENDING_SIGNALS)
    ends_by = time.monotonic() + STOPS_WITHIN_S
    scheduler.shutdown(wait=False)
    if not _all_ended(ends_by):
        # What it was doing is rolled back by the database, or is a claim that lapses.
        log.warning("stopped in the middle of its work")
        logging.shutdown()
        os._exit(0)
    database.close()


def _scheduler(means: Means) -> BackgroundScheduler:
    logging.getLogger("apscheduler.executors.default").setLevel(logging.CRITICAL)  # _report says it in a line
    logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
    scheduler = BackgroundScheduler(timezone=UTC, executors={"default": ThreadPoolExecutor(len(TIMETABLE))})
    scheduler.add_listener(_report, EVENT_JOB_ERROR | EVENT_JOB_MISSED)
    for entry in TIMETABLE:
        scheduler.add_job(
            entry.work,
            IntervalTrigger(seconds=entry.every_s, timezone=UTC),
            args=[means],
            id=entry.name,
            next_run_time=_utc_now(),
            coalesce=True,
            misfire_grace_time=entry.every_s,
        )
    return scheduler


def _report(event: JobExecutionEvent) -> None:
    if event.code == EVENT_JOB_MISSED:
        log.error("%s missed its run of %s", event.job_id, event.scheduled_run_time)
    else:
        log.error("%s failed: %s", event.job_id, _cause(event.exception))


def _each(
    means: Means,
    name: str,
    items: Sequence[Item],
    work: Callable[[Session, Item], object],
    postpone: Callable[[Session, Item], None],
) -> None:
    """Work on each item in its own transaction: one that fails is postponed, and the others go on.

    One that another transaction stood in the way of is begun again at once.
    """
    for item in items:
        try:
            write_again(means.database, Operator(), partial(_work_on, work, item))
        except Exception as error:
            log.error("%s of %s failed: %s", name, " ".join(map(str, item)), _cause(error))
            with means.database.write(Operator()) as session:
                postpone(session, item)


def _work_on(work: Callable[[Session, Item], object], item: Item, session: Session) -> object:
    return work(session, item)


def _ask(means: Means, probe_id: int) -> None:
    """Run one slot of a probe, with no transaction open while it is asked."""
    try:
        with means.database.write(Operator()) as session:
            claim = probing.claim_slot(session, probe_id, now=means.clock())
        if claim is None:
            return
        answer = ask(claim.question)
        with means.database.write(Operator()) as session:
            probing.take_answer(session, claim, answer)
    except Exception as error:
        log.error("probe %s failed: %s", probe_id, _cause(error))


def _claim_next(means: Means) -> Claim | None:
    with means.database.write(Operator()) as session:
        return delivering.claim_next(session, means.clock())


def _cause(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:LONGEST_CAUSE]


def _all_ended(ends_by: float) -> bool:
    others = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    for thread in others:
        thread.join(max(0, ends_by - time.monotonic()))
    return not any(thread.is_alive() for thread in others)
