"""An alert starts once, lasts in silence, and ends once, whoever looks and however often."""

import threading
from collections import Counter
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from console.actions.alerting import Readers, observe
from console.actions.catalogue import seed_catalogue
from console.actions.delivering import Envelope
from console.actions.incidents import Particulars, open_incident, record_event
from console.actions.subscriptions import subscribe
from console.domain.clock import EventKind
from console.store.models import catalogue as c
from console.store.models import coordination as k
from console.store.models import measurement as m
from console.store.models import tenant as t
from console.store.session import Database, Operator
from tests.given import NOW

pytestmark = pytest.mark.both_databases

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SILENT_AFTER = 3 * MINUTE
READERS = Readers(
    Envelope("mail", ("ops@inr.example",), "inr.example"), public_url="https://console.inr.example"
)
NOBODY = Readers(None, public_url="https://console.inr.example")
HOSPITAL = 7


def a_host_was_seen(database: Database, at, name: str = "srv-01") -> None:
    with database.write(Operator()) as session:
        row = session.get(m.Host, m.stable_id(name))
        if row is None:
            row = m.Host(host_id=m.stable_id(name), name=name, agent="1.0", vcpu=4, first_seen_at=at, gaps=[])
            session.add(row)
        row.last_seen_at = at


def look(database: Database, now, readers: Readers = READERS, silent_after=SILENT_AFTER) -> int:
    with database.write(Operator()) as session:
        return observe(session, now=now, silent_after=silent_after, readers=readers)


def subjects(database: Database) -> list[str]:
    with database.read(Operator()) as session:
        rows = session.scalars(select(k.Delivery).order_by(k.Delivery.delivery_id))
        return [row.subject.replace("\u00a0", " ").removeprefix("[Console INR] ") for row in rows]


def last_body(database: Database) -> str:
    with database.read(Operator()) as session:
        newest = select(k.Delivery.body).order_by(k.Delivery.delivery_id.desc()).limit(1)
        return " ".join(session.scalars(newest).one().split())


def episodes(database: Database) -> list[k.AlertEpisode]:
    with database.read(Operator()) as session:
        return list(session.scalars(select(k.AlertEpisode).order_by(k.AlertEpisode.episode_id)))


def test_a_silent_collector_is_told_of_once_and_so_is_its_return(database: Database) -> None:
    a_host_was_seen(database, NOW)
    for minutes in (1, 3, 4, 5, 600):
        look(database, NOW + minutes * MINUTE)
    assert subjects(database) == ["Collecteur muet : srv-01"]

    a_host_was_seen(database, NOW + 11 * HOUR)
    for minutes in (0, 1):
        look(database, NOW + 11 * HOUR + minutes * MINUTE)
    assert subjects(database) == ["Collecteur muet : srv-01", "Fin d'alerte : le collecteur srv-01 répond"]
    assert "11 h" in last_body(database)


def test_an_episode_lasts_from_the_last_reading_to_the_return(database: Database) -> None:
    a_host_was_seen(database, NOW)
    look(database, NOW + HOUR)
    a_host_was_seen(database, NOW + 2 * HOUR)
    look(database, NOW + 2 * HOUR)
    [episode] = episodes(database)
    assert (episode.started_at, episode.ended_at) == (NOW, NOW + 2 * HOUR)
    assert episode.facts["host"] == "srv-01"


def test_a_host_that_is_retired_is_not_missed_and_nobody_says_that_it_answers(database: Database) -> None:
    a_host_was_seen(database, NOW)
    look(database, NOW + HOUR)
    with database.write(Operator()) as session:
        session.get_one(m.Host, m.stable_id("srv-01")).retired_at = NOW + HOUR
    for hours in (1, 2, 3):
        look(database, NOW + hours * HOUR)
    [episode] = episodes(database)
    assert episode.ended_at == NOW + HOUR
    assert subjects(database) == ["Collecteur muet : srv-01"]
    assert f"/fleet/{m.stable_id('srv-01')}" in last_body(database)


def test_a_second_silence_is_another_episode(database: Database) -> None:
    for hours in (0, 2):
        a_host_was_seen(database, NOW + hours * HOUR)
        look(database, NOW + hours * HOUR)
        look(database, NOW + (hours + 1) * HOUR)
    assert Counter(subjects(database))["Collecteur muet : srv-01"] == 2


def test_a_console_that_has_just_started_judges_no_silence(database: Database) -> None:
    a_host_was_seen(database, NOW)
    assert look(database, NOW + HOUR, silent_after=None) == 0
    look(database, NOW + HOUR)
    a_host_was_seen(database, NOW + HOUR)
    look(database, NOW + HOUR, silent_after=None)
    assert [episode.ended_at for episode in episodes(database)] == [None]


def test_without_a_reader_the_episode_opens_and_no_message_is_made(database: Database) -> None:
    a_host_was_seen(database, NOW)
    look(database, NOW + HOUR, NOBODY)
    assert [episode.fingerprint for episode in episodes(database)] == ["collector_silent/srv-01"]
    assert subjects(database) == []


@pytest.fixture
def hospital(database: Database) -> Database:
    """A hospital whose service runs day and night: a P1 is at risk after 3 h and due after 4 h."""
    with database.write(Operator()) as session:
        seed_catalogue(session, NOW.date())
        kind = c.AdherentKind.HOSPITAL
        session.add(c.Adherent(tenant_id=HOSPITAL, name="CH de Test", kind=kind, since=date(2026, 1, 1)))
        session.flush()
        subscribe(session, HOSPITAL, "patient-administration", starts_on=date(2026, 1, 1), now=NOW)
        open_incident(
            session,
            tenant_id=HOSPITAL,
            subscription=1,
            title="Admissions bloquées",
            told=Particulars(priority=t.Priority.P1),
            at=NOW,
            now=NOW,
            by="ops",
        )
    return database


def happens(database: Database, kind: EventKind, at) -> None:
    with database.write(Operator()) as session:
        record_event(session, tenant_id=HOSPITAL, number=1, kind=kind, at=at, now=at, by="ops")


RISK = "Engagement à risque : 1, CH de Test"
END = "Fin d'alerte : 1, CH de Test"


def test_an_incident_is_told_of_from_three_quarters_of_its_time(hospital: Database) -> None:
    look(hospital, NOW + 3 * HOUR - MINUTE)
    assert subjects(hospital) == []
    for minutes in (0, 1, 30):
        look(hospital, NOW + 3 * HOUR + minutes * MINUTE)
    assert subjects(hospital) == [RISK]
    assert "https://console.inr.example/adherents/7/incidents/1" in last_body(hospital)
    [episode] = episodes(hospital)
    assert episode.started_at == NOW + 3 * HOUR
    assert episode.facts["title"] == "Admissions bloquées"


@pytest.mark.parametrize(
    ("events", "seen_at", "said"),
    [
        ([EventKind.RESOLVED], 3.5, "État tenu"),
        ([EventKind.WAITING], 3.5, "État en attente de l'adhérent"),
        ([], 4.5, "État délai dépassé"),
    ],
    ids=["resolved", "waiting", "breached"],
)
def test_the_end_of_a_risk_says_how_it_ended(
    hospital: Database, events: list[EventKind], seen_at: float, said: str
) -> None:
    look(hospital, NOW + 3 * HOUR)
    for kind in events:
        happens(hospital, kind, NOW + 3.25 * HOUR)
    for minutes in (0, 1):
        look(hospital, NOW + seen_at * HOUR + minutes * MINUTE)
    assert subjects(hospital) == [RISK, END]
    assert said in last_body(hospital)


def test_an_incident_resolved_after_its_breach_says_nothing_more(hospital: Database) -> None:
    for hours in (3, 4.5):
        look(hospital, NOW + hours * HOUR)
    happens(hospital, EventKind.RESOLVED, NOW + 5 * HOUR)
    look(hospital, NOW + 5 * HOUR)
    assert subjects(hospital) == [RISK, END]


def test_a_breach_that_nobody_saw_coming_is_told_of(hospital: Database) -> None:
    for minutes in range(5):
        look(hospital, NOW + 10 * HOUR + minutes * MINUTE)
    assert subjects(hospital) == [RISK, END]
    assert "délai dépassé" in last_body(hospital)


def test_a_breach_older_than_its_record_is_no_news(hospital: Database) -> None:
    happens(hospital, EventKind.RESOLVED, NOW)
    with hospital.write(Operator()) as session:
        open_incident(
            session,
            tenant_id=HOSPITAL,
            subscription=1,
            title="Ancien ticket",
            told=Particulars(priority=t.Priority.P1),
            at=NOW,
            now=NOW + 10 * HOUR,
            by="desk",
        )
    look(hospital, NOW + 10 * HOUR)
    assert subjects(hospital) == []


def test_a_risk_that_comes_back_after_a_wait_is_another_episode(hospital: Database) -> None:
    look(hospital, NOW + 3 * HOUR)
    happens(hospital, EventKind.WAITING, NOW + 3.25 * HOUR)
    look(hospital, NOW + 3.5 * HOUR)
    happens(hospital, EventKind.RESUMED, NOW + 10 * HOUR)
    for hours in (10, 10.5):
        look(hospital, NOW + hours * HOUR)
    assert subjects(hospital) == [RISK, END, RISK]


def test_an_incident_resolved_in_time_is_never_told_of(hospital: Database) -> None:
    happens(hospital, EventKind.RESOLVED, NOW + 2 * HOUR)
    look(hospital, NOW + 10 * HOUR)
    assert subjects(hospital) == []


def test_two_processes_that_look_at_once_start_and_end_one_episode(database: Database) -> None:
    hosts = [f"srv-{number:02}" for number in range(20)]
    for host in hosts:
        a_host_was_seen(database, NOW, host)
    at_once(database, NOW + HOUR)
    assert sorted(subjects(database)) == [f"Collecteur muet : {host}" for host in hosts]
    for host in hosts:
        a_host_was_seen(database, NOW + 2 * HOUR, host)
    at_once(database, NOW + 2 * HOUR)
    assert len(subjects(database)) == 40
    assert all(episode.ended_at for episode in episodes(database))


def at_once(database: Database, now) -> None:
    """Four lookers who all read before any of them writes."""
    others = [Database(database.engine.url.render_as_string(hide_password=False)) for _ in range(4)]
    barrier = threading.Barrier(len(others))

    def look_too(other: Database) -> None:
        barrier.wait()
        look(other, now)

    threads = [threading.Thread(target=look_too, args=[other]) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for other in others:
        other.close()


def test_who_looks_while_another_opens_the_episode_loses_in_peace(database: Database) -> None:
    a_host_was_seen(database, NOW)
    other = Database(database.engine.url.render_as_string(hide_password=False))
    changes: list[int] = []
    late = threading.Thread(target=lambda: changes.append(look(other, NOW + HOUR)))
    with database.write(Operator()) as session:
        assert observe(session, now=NOW + HOUR, silent_after=SILENT_AFTER, readers=READERS) == 1
        late.start()
        late.join(0.3)
        assert late.is_alive()
    late.join()
    other.close()
    assert changes == [0]
    assert len(episodes(database)) == 1
    assert subjects(database) == ["Collecteur muet : srv-01"]
