"""The status of an adherent's services: what it shows, and the mails that tell of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from console import jobs
from console.actions.incidents import (
    Particulars,
    Priority,
    Revision,
    open_incident,
    record_event,
    set_particulars,
)
from console.config import Config, Smtp
from console.domain.access import Role
from console.domain.clock import EventKind
from console.domain.outages import Effect, Source
from console.store.models import coordination as k
from console.store.models import tenant as t
from console.store.models import watching as w
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser

SignIn = Callable[..., Browser]
FOIX, PAMIERS = 11, 12
NOW = datetime.now(UTC).replace(microsecond=0)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LINK = re.compile(r"http://localhost(/status/\w+/\S+)")
EMAIL = "astreinte@chu.example"
STATUS = f"/adherents/{FOIX}/status"


@pytest.fixture
def config(config: Config) -> Config:
    """The settings of a console that has a server for its mails."""
    return replace(config, smtp=Smtp("127.0.0.1", 2525, "plain", None, None, "console@inr.example"))


@pytest.fixture
def desk(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
    return database


def mails(database: Database) -> list[k.Delivery]:
    """What is to leave, in order."""
    with database.read(Operator()) as session:
        return list(session.scalars(select(k.Delivery).order_by(k.Delivery.delivery_id)))


def work_is_done(config: Config, database: Database) -> list[k.Delivery]:
    """The mails that the jobs process adds."""
    before = len(mails(database))
    for _twice in range(2):
        jobs.tell_status(jobs.means_of(config, database))
    return mails(database)[before:]


def link_of(mail: k.Delivery) -> str:
    """The last link of a mail for its reader."""
    return LINK.findall(mail.body)[-1]


def a_reader(database: Database, email: str = EMAIL, tenant_id: int = FOIX, **more: Any) -> None:
    """An address that confirmed ten hours ago."""
    with database.write(Operator()) as session:
        number = len(session.scalars(select(w.StatusReader)).all()) + 1
        session.add(
            w.StatusReader(
                **{
                    "tenant_id": tenant_id,
                    "number": number,
                    "email": email,
                    "locale": "fr",
                    "asked_by": "test",
                    "asked_at": NOW - 11 * HOUR,
                    "confirmed_at": NOW - 10 * HOUR,
                }
                | more
            )
        )


def an_outage(database: Database, *, tenant_id: int = FOIX, effect: Effect | None = Effect.OUTAGE) -> int:
    """An incident that began an hour ago."""
    with database.write(Operator()) as session:
        title = f"Paie arrêtée de {tenant_id}"
        return given.an_incident(session, tenant_id, title, "P1", 1, NOW - HOUR, effect=effect)


def it_is(database: Database, kind: EventKind, number: int, at: datetime) -> None:
    with database.write(Operator()) as session:
        given.it_is(session, kind, FOIX, number, at)


def it_does(database: Database, number: int, effect: Effect) -> None:
    """An incident does another thing to its service now."""
    with database.write(Operator()) as session:
        set_particulars(
            session,
            tenant_id=FOIX,
            number=number,
            revision=Revision(effect=effect),
            at=NOW,
            now=NOW,
            by="ops",
        )


def planned(tenant_id: int, title: str, starts_at: datetime, **more: Any) -> t.PlannedWork:
    values: dict[str, Any] = {"announced_at": NOW, "effect": Effect.OUTAGE, "maintenance_id": 5} | more
    return t.PlannedWork(
        tenant_id=tenant_id,
        subscription=1,
        occurrence=starts_at,
        starts_at=starts_at,
        ends_at=starts_at + HOUR,
        title=title,
        **values,
    )


@pytest.mark.both_databases
def test_the_page_tells_what_does_not_work_what_is_planned_and_the_days_before(
    desk: Database, sign_in_as: SignIn
) -> None:
    an_outage(desk)
    with desk.write(Operator()) as session:
        session.add(planned(FOIX, "Mise à jour du socle", NOW + 3 * DAY))
        session.add(planned(FOIX, "Travaux annulés hier", NOW + 4 * DAY, cancelled_at=NOW - DAY))
        session.add(planned(FOIX, "Brouillon", NOW + 5 * DAY, announced_at=None))
        session.add(planned(FOIX, "Du passé", NOW - 3 * DAY))
        session.add(planned(PAMIERS, "Secret de Pamiers", NOW + 3 * DAY))
    page = sign_in_as(Role.CIO, FOIX).get(STATUS).text
    for text in (
        "Paie arrêtée",
        "Mise à jour du socle",
        "Travaux annulés hier",
        "annulés",
        "90 derniers jours",
    ):
        assert text in page
    for text in ("Brouillon", "Du passé", "Pamiers"):
        assert text not in page
    assert page.count('<rect class="chart') == 90
    assert len(re.findall(r'<th scope="row" class="nowrap">', page)) == 90


def test_a_grave_incident_of_unknown_effect_leaves_nothing_green(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.CIO, FOIX)
    assert "Aucune panne connue" in browser.get(STATUS).text
    number = an_outage(desk, effect=None)
    page = browser.get(STATUS).text
    assert "effet non évalué" in page
    assert "Aucune panne connue" not in page
    it_is(desk, EventKind.RESOLVED, number, NOW)
    assert "Aucune panne connue" in browser.get(STATUS).text


def test_a_service_that_suffers_says_how_badly_and_since_when(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.CIO, FOIX)
    assert "Aucune panne connue" in browser.get(STATUS).text
    with desk.write(Operator()) as session:
        for source, effect in ((Source.PROBE, Effect.DEGRADED), (Source.INCIDENT, Effect.OUTAGE)):
            row = {"tenant_id": FOIX, "subscription": 1, "source": source, "reference": 1, "effect": effect}
            session.add(t.Outage(**row, began_at=NOW - HOUR))
    page = browser.get(STATUS).text
    assert "1 service ne fonctionne pas" in page.replace("\N{NO-BREAK SPACE}", " ")
    assert '<span class="badge is-bad">arrêté</span>' in page


def test_another_adherent_is_not_there(desk: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.CIO, FOIX)
    assert browser.get(f"/adherents/{PAMIERS}/status").status_code == 404
    assert browser.submit(f"/adherents/{PAMIERS}/status/readers", email=EMAIL).status_code == 404


@pytest.mark.both_databases
def test_an_address_is_told_nothing_before_it_confirmed_and_nothing_after_it_left(
    desk: Database, sign_in_as: SignIn, browser: Browser, config: Config
) -> None:
    cio = sign_in_as(Role.CIO, FOIX)
    assert cio.submit(f"{STATUS}/readers", email=EMAIL.upper()).status_code == 303
    (asked,) = mails(desk)
    assert asked.recipients == [EMAIL]
    assert "à confirmer" in cio.get(STATUS).text
    assert cio.submit(f"{STATUS}/readers", email=EMAIL).status_code == 409

    number = an_outage(desk)
    assert work_is_done(config, desk) == []
    link = link_of(asked)
    assert "Oui, je m'abonne" in browser.get(link).text
    assert work_is_done(config, desk) == []
    assert "C'est confirmé" in browser.submit(link).text
    assert "C'est confirmé" in browser.submit(link).text
    assert cio.submit(f"{STATUS}/readers", email=EMAIL).status_code == 409
    it_is(desk, EventKind.RESOLVED, number, NOW - 40 * MINUTE)
    assert work_is_done(config, desk) == [], "it was over before the address wanted to be told"

    with desk.write(Operator()) as session:
        session.scalars(select(w.StatusReader)).one().confirmed_at = NOW - 30 * MINUTE
    with desk.write(Operator()) as session:
        given.an_incident(session, FOIX, "Lenteurs", "P2", 1, NOW - 20 * MINUTE, effect=Effect.DEGRADED)
    (told,) = work_is_done(config, desk)
    leave = link_of(told)
    assert browser.get(leave.replace("leave", "confirm")).status_code == 404
    assert "je me désabonne" in browser.get(leave).text
    assert "ne reçoit plus" in browser.submit(leave).text
    it_is(desk, EventKind.RESOLVED, 2, NOW)
    assert work_is_done(config, desk) == []
    assert browser.submit(link).status_code == 409
    assert EMAIL not in cio.get(STATUS).text


def test_a_link_that_was_not_sealed_here_opens_nothing(desk: Database, browser: Browser) -> None:
    for address in ("/status/confirm/nothing", "/status/leave/nothing", "/status/other/nothing"):
        assert browser.get(address).status_code == 404
        assert browser.submit(address).status_code == 404


@pytest.mark.parametrize("email", ["", "not an address", "a@b@c", "é@chu.example"])
def test_what_is_no_address_is_refused_beside_its_field(
    desk: Database, sign_in_as: SignIn, email: str
) -> None:
    answer = sign_in_as(Role.CIO, FOIX).submit(f"{STATUS}/readers", email=email)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert mails(desk) == []


def test_who_only_reads_subscribes_no_address(desk: Database, sign_in_as: SignIn) -> None:
    auditor = sign_in_as(Role.AUDITOR)
    assert "Adresse à abonner" not in auditor.get(STATUS).text
    assert auditor.submit(f"{STATUS}/readers", email=EMAIL).status_code == 403


def test_an_address_is_taken_off_by_those_of_the_page(desk: Database, sign_in_as: SignIn) -> None:
    a_reader(desk)
    cio = sign_in_as(Role.CIO, FOIX)
    assert EMAIL in cio.get(STATUS).text
    assert cio.submit(f"{STATUS}/readers/1/end").status_code == 303
    assert EMAIL not in cio.get(STATUS).text
    assert cio.submit(f"{STATUS}/readers/9/end").status_code == 404


@pytest.mark.both_databases
def test_an_incident_is_told_once_when_it_begins_is_over_and_is_opened_again(
    desk: Database, config: Config
) -> None:
    a_reader(desk)
    a_reader(desk, "support@chu.example", locale="en")
    a_reader(desk, "autre@pamiers.example", PAMIERS)
    number = an_outage(desk)
    french, english = work_is_done(config, desk)
    assert (french.recipients, english.recipients) == ([EMAIL], ["support@chu.example"])
    assert "incident en cours" in french.subject
    assert "Paie arrêtée" in french.body
    assert "service arrêté" in french.body
    assert "incident in progress" in english.subject

    it_is(desk, EventKind.RESOLVED, number, NOW - HOUR / 2)
    over, _ = work_is_done(config, desk)
    assert "incident terminé" in over.subject
    assert re.search(r"Durée\s+30\smin", over.body)
    it_is(desk, EventKind.REOPENED, number, NOW)
    again, _ = work_is_done(config, desk)
    assert "incident en cours" in again.subject
    assert work_is_done(config, desk) == []


@pytest.mark.parametrize("effect", [None, Effect.NONE])
def test_an_incident_without_effect_on_a_service_is_not_told(
    desk: Database, config: Config, effect: Effect | None
) -> None:
    a_reader(desk)
    number = an_outage(desk, effect=effect)
    it_is(desk, EventKind.RESOLVED, number, NOW)
    assert work_is_done(config, desk) == []


@pytest.mark.both_databases
def test_an_incident_that_gets_worse_is_told_again_with_what_it_was(desk: Database, config: Config) -> None:
    a_reader(desk)
    number = an_outage(desk, effect=Effect.DEGRADED)
    assert "service dégradé" in work_is_done(config, desk)[0].body
    it_does(desk, number, Effect.OUTAGE)
    (worse,) = work_is_done(config, desk)
    assert "incident en cours" in worse.subject
    assert re.search(r"Effet +service arrêté\n +Auparavant +service dégradé", worse.body)
    it_does(desk, number, Effect.NONE)
    assert "incident terminé" in work_is_done(config, desk)[0].subject
    assert work_is_done(config, desk) == []


@pytest.mark.both_databases
def test_an_outage_that_was_over_before_anybody_looked_is_told_once(desk: Database, config: Config) -> None:
    a_reader(desk)
    number = an_outage(desk)
    it_is(desk, EventKind.RESOLVED, number, NOW - HOUR / 2)
    (told,) = work_is_done(config, desk)
    assert "incident terminé" in told.subject
    assert work_is_done(config, desk) == []


def test_an_incident_recorded_late_is_told_and_an_imported_past_is_not(
    desk: Database, config: Config
) -> None:
    a_reader(desk)
    opened_at = NOW - 3 * DAY
    with desk.write(Operator()) as session:
        told = Particulars(priority=Priority.P1, effect=Effect.OUTAGE)
        among = {"tenant_id": FOIX, "subscription": 1, "at": opened_at, "told": told, "by": "desk"}
        open_incident(session, title="Arrêt connu ce matin", now=NOW, **among)
        old = open_incident(session, title="Ancien ticket", now=NOW, **among)
        record_event(
            session,
            tenant_id=FOIX,
            number=old,
            kind=EventKind.RESOLVED,
            at=opened_at + HOUR,
            now=NOW,
            by="desk",
        )
    (mail,) = work_is_done(config, desk)
    assert "Arrêt connu ce matin" in mail.body


def test_the_title_of_an_incident_of_security_stays_inside(desk: Database, config: Config) -> None:
    a_reader(desk)
    with desk.write(Operator()) as session:
        given.an_incident(
            session, FOIX, "Rançongiciel", "P1", 1, NOW - HOUR, effect=Effect.OUTAGE, is_security=True
        )
    (mail,) = [one for one in work_is_done(config, desk) if one.recipients == [EMAIL]]
    assert "incident en cours" in mail.subject
    assert "Rançongiciel" not in mail.subject + mail.body


def test_a_mail_names_the_page_on_which_its_reader_leaves(desk: Database, config: Config) -> None:
    a_reader(desk)
    an_outage(desk)
    (mail,) = work_is_done(config, desk)
    assert mail.unsubscribe is not None
    assert mail.unsubscribe.endswith(link_of(mail))


@pytest.mark.both_databases
def test_planned_work_is_told_when_it_is_announced_announced_again_and_cancelled(
    desk: Database, config: Config
) -> None:
    a_reader(desk)
    with desk.write(Operator()) as session:
        for week in range(7):
            session.add(planned(FOIX, "Mise à jour", NOW + (3 + 7 * week) * DAY, announced_at=NOW - HOUR))
        session.add(planned(FOIX, "Ancien", NOW + DAY, announced_at=NOW - DAY, maintenance_id=6))
        session.add(planned(FOIX, "Brouillon", NOW + DAY, announced_at=None, maintenance_id=7))
        session.add(planned(PAMIERS, "Ailleurs", NOW + DAY))
    (told,) = work_is_done(config, desk)
    assert "Travaux prévus : Mise à jour" in told.subject.replace("\N{NO-BREAK SPACE}", " ")
    assert "et 2 autres dates" in told.body
    with desk.write(Operator()) as session:
        first, second = session.scalars(
            select(t.PlannedWork).where(t.PlannedWork.title == "Mise à jour").limit(2)
        )
        first.starts_at, first.announced_at = first.starts_at - HOUR, NOW - HOUR / 2
        second.cancelled_at = NOW - HOUR / 4
    moved, cancelled = work_is_done(config, desk)
    assert "Travaux prévus" in moved.subject
    assert "Travaux annulés" in cancelled.subject
    assert work_is_done(config, desk) == []


def test_without_a_server_for_mails_nobody_is_asked_or_told(
    desk: Database, config: Config, sign_in_as: SignIn
) -> None:
    a_reader(desk)
    an_outage(desk)
    assert work_is_done(replace(config, smtp=None), desk) == []
