"""Probes from slot to outage, on both databases."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from console import jobs
from console.actions import probing
from console.actions.alerting import Readers, observe
from console.actions.delivering import Envelope
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.outages import Effect, Source
from console.domain.probes import RESULTS_KEPT, Answer, Fault, ProbeKind, Question
from console.store.models import coordination as k
from console.store.models import probes as p
from console.store.models import tenant as t
from console.store.queries.probes import due_probes, probe_page, probes
from console.store.session import Database, Operator
from tests import given
from tests.probing.servers import pages
from tests.running import free_port

pytestmark = pytest.mark.both_databases

FOIX, PAMIERS = 11, 12
PAYROLL = 2  # the number of that subscription
NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
GOOD, BAD = Answer(None, 12), Answer(Fault.UNREACHABLE, 3, "Connection refused")
TERMS = probing.Terms(
    name="Paie, page d'état",
    question=Question(ProbeKind.HTTP, "https://paie.exemple.fr/etat", 5),
    every_s=60,
    effect=Effect.OUTAGE,
    service_code="payroll",
)


@pytest.fixture
def subscribed(database: Database) -> Database:
    """Foix and Pamiers have payroll, Foix also the human resources software."""
    with database.write(Operator()) as session:
        for tenant_id, name in ((FOIX, "CH de Foix"), (PAMIERS, "CH de Pamiers")):
            given.an_adherent(session, tenant_id, name)
            given.a_subscription(session, tenant_id)
        given.a_subscription(session, FOIX, "hr")
    return database


def add(database: Database, terms: probing.Terms = TERMS) -> int:
    with database.write(Operator()) as session:
        return probing.add_probe(session, terms, now=NOW)


def answers(database: Database, probe_id: int, *said: Answer, start: datetime = NOW) -> None:
    """The probe is run at each minute from `start`, and answered so."""
    for minute, answer in enumerate(said):
        with database.write(Operator()) as session:
            claim = probing.claim_slot(session, probe_id, now=start + minute * MINUTE)
            assert claim is not None
            probing.take_answer(session, claim, answer)


def outages(database: Database) -> list[tuple[int, int, datetime, datetime | None, Effect]]:
    row = t.Outage
    with database.read(Operator()) as session:
        found = session.execute(
            select(row.tenant_id, row.subscription, row.began_at, row.ended_at, row.effect).order_by(
                row.began_at, row.tenant_id
            )
        )
        return [tuple(one) for one in found]  # type: ignore[misc]


def test_an_outage_of_a_service_is_that_of_each_subscriber(subscribed: Database) -> None:
    probe_id = add(subscribed)
    answers(subscribed, probe_id, GOOD, BAD)
    assert outages(subscribed) == []
    answers(subscribed, probe_id, BAD, start=NOW + 2 * MINUTE)
    lasting = [(tenant, PAYROLL, NOW + MINUTE, None, Effect.OUTAGE) for tenant in (FOIX, PAMIERS)]
    assert outages(subscribed) == lasting
    answers(subscribed, probe_id, BAD, GOOD, GOOD, GOOD, start=NOW + 3 * MINUTE)
    ended = NOW + 4 * MINUTE
    assert outages(subscribed) == [(*row[:3], ended, row[4]) for row in lasting]


def test_a_probe_of_one_subscription_speaks_for_it_alone(subscribed: Database) -> None:
    probe_id = add(subscribed, replace(TERMS, subscription=(PAMIERS, PAYROLL), effect=Effect.DEGRADED))
    answers(subscribed, probe_id, BAD, BAD)
    assert outages(subscribed) == [(PAMIERS, PAYROLL, NOW, None, Effect.DEGRADED)]


def test_a_slot_is_taken_once_and_asked_once(subscribed: Database) -> None:
    probe_id = add(subscribed)
    with subscribed.write(Operator()) as session:
        assert due_probes(session, now=NOW) == [probe_id]
        first = probing.claim_slot(session, probe_id, now=NOW)
        assert first == probing.Claim(probe_id, NOW, TERMS.question)
    with subscribed.write(Operator()) as session:
        assert probing.claim_slot(session, probe_id, now=NOW + 59 * timedelta(seconds=1)) is None
        assert due_probes(session, now=NOW) == []


def test_an_answer_that_comes_again_or_late_changes_nothing(subscribed: Database) -> None:
    probe_id = add(subscribed)
    slow = probing.Claim(probe_id, NOW, TERMS.question)
    answers(subscribed, probe_id, GOOD, GOOD)
    with subscribed.write(Operator()) as session:
        probing.take_answer(session, slow, BAD)
        probing.take_answer(session, replace(slow, slot=NOW + MINUTE), BAD)
    with subscribed.read(Operator()) as session:
        page = probe_page(session, probe_id, now=NOW + MINUTE)
        assert [answer.fault for answer in page.answers] == [None, None]
    assert outages(subscribed) == []


def test_slots_that_nobody_ran_are_counted_and_open_nothing(subscribed: Database) -> None:
    probe_id = add(subscribed)
    answers(subscribed, probe_id, GOOD, BAD)
    answers(subscribed, probe_id, GOOD, start=NOW + timedelta(minutes=10, seconds=20))
    with subscribed.read(Operator()) as session:
        page = probe_page(session, probe_id, now=NOW + timedelta(minutes=10, seconds=40))
    assert [answer.slot for answer in page.answers] == [NOW + 10 * MINUTE, NOW + MINUTE, NOW]
    assert (page.expected, page.missed) == (11, 8)
    assert outages(subscribed) == []


def test_a_probe_that_is_stopped_or_changed_ends_what_it_told_of(subscribed: Database) -> None:
    probe_id = add(subscribed)
    answers(subscribed, probe_id, BAD, BAD)
    stopped_at = NOW + timedelta(minutes=5)
    with subscribed.write(Operator()) as session:
        probing.stop_probe(session, probe_id, now=stopped_at)
    assert {row[3] for row in outages(subscribed)} == {stopped_at}
    with subscribed.write(Operator()) as session:
        assert due_probes(session, now=NOW + timedelta(days=1)) == []
        with pytest.raises(Conflict):
            probing.run_soon(session, probe_id, now=stopped_at)
        with pytest.raises(Conflict):
            probing.stop_probe(session, probe_id, now=stopped_at)
        probing.start_probe(session, probe_id, now=NOW + timedelta(hours=1))
    answers(subscribed, probe_id, BAD, BAD, start=NOW + timedelta(hours=1))
    changed_at = NOW + timedelta(hours=2)
    with subscribed.write(Operator()) as session:
        probing.edit_probe(session, probe_id, replace(TERMS, every_s=120), now=changed_at)
    assert {row[3] for row in outages(subscribed)} == {stopped_at, changed_at}
    with subscribed.read(Operator()) as session:
        (found,) = probes(session)
        assert (found.every_s, found.down_since) == (120, None)


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (replace(TERMS, name=" "), "name"),
        (replace(TERMS, effect=Effect.NONE), "effect"),
        (replace(TERMS, service_code="nothing"), "service"),
        (replace(TERMS, service_code="hr", subscription=(FOIX, PAYROLL)), "service"),
        (replace(TERMS, every_s=5), "every_s"),
        (replace(TERMS, question=replace(TERMS.question, target="paie")), "target"),
    ],
)
def test_what_cannot_be_a_probe_is_refused(subscribed: Database, terms: probing.Terms, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        add(subscribed, terms)
    assert refused.value.field == field
    with subscribed.read(Operator()) as session:
        assert probes(session) == []


def test_two_probes_do_not_share_a_name(subscribed: Database) -> None:
    add(subscribed)
    with pytest.raises(Invalid, match="s'appelle déjà"):
        add(subscribed)


def test_a_probe_of_a_subscription_that_does_not_exist_is_refused(subscribed: Database) -> None:
    with pytest.raises(NotFound):
        add(subscribed, replace(TERMS, subscription=(PAMIERS, 9)))


def alert(database: Database, now: datetime) -> list[tuple[str, str]]:
    """Someone looks for alerts, twice; the subject and the text of each mail so far."""
    readers = Readers(Envelope("mail", ("ops@inr.example",), "inr.example"), "https://console.inr.example")
    for _again in range(2):
        with database.write(Operator()) as session:
            observe(session, now=now, silent_after=None, readers=readers)
    with database.read(Operator()) as session:
        rows = session.scalars(select(k.Delivery).order_by(k.Delivery.delivery_id))
        return [
            (row.subject.replace("\u00a0", " ").removeprefix("[Console INR] "), " ".join(row.body.split()))
            for row in rows
        ]


def test_a_probe_that_is_down_is_told_of_once_and_so_is_its_end(subscribed: Database) -> None:
    probe_id = add(subscribed)
    answers(subscribed, probe_id, BAD)
    assert alert(subscribed, NOW + MINUTE) == []  # one bad answer is no outage
    answers(subscribed, probe_id, BAD, start=NOW + MINUTE)
    [(subject, body)] = alert(subscribed, NOW + 2 * MINUTE)
    assert subject == "Sonde en panne : Paie, page d'état"
    assert "Souscriptions touchées 2" in body
    assert f"https://console.inr.example/probes/{probe_id}" in body
    answers(subscribed, probe_id, BAD, GOOD, GOOD, start=NOW + 2 * MINUTE)
    assert [subject for subject, _ in alert(subscribed, NOW + 5 * MINUTE)] == [
        "Sonde en panne : Paie, page d'état",
        "Fin d'alerte : sonde Paie, page d'état",
    ]


def test_the_alert_of_a_probe_ends_where_it_is_stopped(subscribed: Database) -> None:
    probe_id = add(subscribed)
    answers(subscribed, probe_id, BAD, BAD)
    alert(subscribed, NOW + 2 * MINUTE)
    with subscribed.write(Operator()) as session:
        probing.stop_probe(session, probe_id, now=NOW + 3 * MINUTE)
    *_, (subject, body) = alert(subscribed, NOW + 3 * MINUTE)
    assert subject == "Fin d'alerte : sonde Paie, page d'état"
    assert "arrêtée" in body


def test_old_answers_are_forgotten_and_outages_stay(subscribed: Database) -> None:
    probe_id = add(subscribed)
    answers(subscribed, probe_id, BAD, BAD)
    with subscribed.write(Operator()) as session:
        probing.forget_answers(session, now=NOW + RESULTS_KEPT + MINUTE)
        assert [row.slot for row in session.scalars(select(p.ProbeAnswer))] == [NOW + MINUTE]
    assert len(outages(subscribed)) == 2


def test_the_jobs_ask_a_real_service_that_stops_and_comes_back(subscribed: Database) -> None:
    now = [NOW]
    means = jobs.Means(
        database=subscribed,
        channels={},
        readers=Readers(None, ""),
        silent_after=MINUTE,
        started_at=NOW,
        clock=lambda: now[0],
    )

    def minutes(count: int) -> None:
        for _ in range(count):
            jobs.ask_services(means)
            now[0] += MINUTE

    port = free_port()
    question = Question(ProbeKind.HTTP, f"http://127.0.0.1:{port}/ok", 5, text="Tout va bien")
    add(subscribed, replace(TERMS, question=question))
    with pages(port=port):
        minutes(2)
    minutes(3)
    with pages(port=port):
        minutes(2)
    assert [row[2:4] for row in outages(subscribed)] == [(NOW + 2 * MINUTE, NOW + 5 * MINUTE)] * 2
    with subscribed.read(Operator()) as session:
        kept = session.scalars(select(t.Outage.source)).all()
        assert set(kept) == {Source.PROBE}


def test_a_subscriber_whose_subscription_had_ended_is_not_touched(subscribed: Database) -> None:
    with subscribed.write(Operator()) as session:
        subscription = session.get_one(t.Subscription, (PAMIERS, PAYROLL))
        subscription.ends_on = date(2026, 10, 1)
    probe_id = add(subscribed)
    answers(subscribed, probe_id, BAD, BAD)
    assert {row[0] for row in outages(subscribed)} == {FOIX}
