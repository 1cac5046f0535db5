"""Each message has one claimant at a time, one Message-ID, and an end that is written down."""

import threading
from datetime import datetime, timedelta

import pytest

from console.actions.delivering import (
    CLAIM_LASTS,
    ENDED,
    STARTED,
    TRIAL,
    Claim,
    Envelope,
    claim,
    claim_next,
    finish,
    lapse_claims,
    post,
    retry_failed,
)
from console.notify.letter import Outcome, Passing, Permanent, Sent, Uncertain
from console.store.models import coordination as k
from console.store.models.coordination import DeliveryState
from console.store.session import Database, Operator
from reports.mail import Message
from tests.given import NOW

pytestmark = pytest.mark.both_databases

SECOND = timedelta(seconds=1)
ENVELOPE = Envelope("mail", ("ops@inr.example", "night@inr.example"), "inr.example")
MESSAGE = Message("Collecteur muet", "Le collecteur ne dit plus rien.\n")


def a_message(database: Database, transition: str = STARTED, episode_id: int | None = None) -> int:
    with database.write(Operator()) as session:
        return post(session, ENVELOPE, MESSAGE, transition, now=NOW, episode_id=episode_id).delivery_id


def an_episode(database: Database) -> int:
    with database.write(Operator()) as session:
        row = k.AlertEpisode(fingerprint="collector_silent/srv-01", kind="x", facts={}, started_at=NOW)
        session.add(row)
        session.flush()
        return row.episode_id


def take(database: Database, now: datetime = NOW) -> Claim | None:
    with database.write(Operator()) as session:
        return claim_next(session, now)


def became(database: Database, claimed: Claim | None, outcome: Outcome, now: datetime = NOW) -> bool:
    assert claimed is not None
    with database.write(Operator()) as session:
        return finish(session, claimed, outcome, now)


def lapse(database: Database, now: datetime) -> int:
    with database.write(Operator()) as session:
        return lapse_claims(session, now)


def row(database: Database, delivery_id: int) -> k.Delivery:
    with database.read(Operator()) as session:
        return session.get_one(k.Delivery, delivery_id)


def test_a_message_is_claimed_once_and_sent_once(database: Database) -> None:
    number = a_message(database)
    claimed = take(database)
    assert claimed is not None
    assert claimed.letter.recipients == ENVELOPE.recipients
    assert (claimed.letter.subject, claimed.letter.body) == (MESSAGE.subject, MESSAGE.body)
    assert claimed.letter.message_id.endswith("@inr.example>")
    assert row(database, number).state is DeliveryState.SENDING
    assert take(database) is None
    assert became(database, claimed, Sent("250 OK"))
    assert take(database, NOW + timedelta(days=1)) is None
    assert row(database, number).outcome == "2026-11-25T09:30:00Z sent: 250 OK"


def test_no_two_messages_share_a_message_id(database: Database) -> None:
    for _ in range(3):
        a_message(database)
    claims = [take(database) for _ in range(3)]
    assert len({claimed.letter.message_id for claimed in claims if claimed}) == 3


@pytest.mark.parametrize("outcome", [Passing("451 later"), Uncertain("connection lost")])
def test_what_may_still_succeed_is_tried_again_later_under_the_same_message_id(
    database: Database, outcome: Outcome
) -> None:
    number = a_message(database)
    now, identities, waits = NOW, set(), []
    for _ in range(4):
        claimed = take(database, now)
        assert claimed is not None
        identities.add(claimed.letter.message_id)
        became(database, claimed, outcome, now)
        due_at = row(database, number).due_at
        assert take(database, due_at - SECOND) is None
        waits.append((due_at - now).seconds)
        now = due_at
    assert waits == [30, 60, 120, 240]
    assert len(identities) == 1
    assert became(database, take(database, now), Sent("250 OK"), now)
    log = (row(database, number).outcome or "").splitlines()
    assert [line.split()[1] for line in log] == [f"{type(outcome).__name__.lower()}:"] * 4 + ["sent:"]


def test_a_permanent_failure_ends_the_attempts_and_says_why(database: Database) -> None:
    number = a_message(database)
    became(database, take(database), Permanent("550 unknown user"))
    assert take(database, NOW + timedelta(days=365)) is None
    failed = row(database, number)
    assert failed.state is DeliveryState.FAILED
    assert failed.outcome == "2026-11-25T09:30:00Z permanent: 550 unknown user"


def test_what_failed_is_sent_again_once_a_person_asks(database: Database) -> None:
    a_message(database)
    became(database, take(database), Permanent("535 wrong password"))
    with database.write(Operator()) as session:
        assert retry_failed(session, now=NOW) == 1
    assert became(database, take(database), Sent("250 OK"))


def test_the_recipients_that_were_put_off_are_written_to_later_alone(database: Database) -> None:
    number = a_message(database)
    became(database, take(database), Sent("250 OK", later=("night@inr.example",)))
    again = take(database, row(database, number).due_at)
    assert again is not None
    assert again.letter.recipients == ("night@inr.example",)


def test_a_claim_left_by_a_dead_process_becomes_uncertain_and_is_sent_again(database: Database) -> None:
    number = a_message(database)
    dead = take(database)
    assert dead is not None
    assert lapse(database, NOW + CLAIM_LASTS) == 0
    later = NOW + CLAIM_LASTS + SECOND
    assert lapse(database, later) == 1
    assert row(database, number).state is DeliveryState.UNCERTAIN
    again = take(database, later)
    assert again is not None
    assert again.letter.message_id == dead.letter.message_id
    assert "uncertain: the process ended" in again.log


def test_who_lost_its_claim_writes_nothing_down(database: Database) -> None:
    number = a_message(database)
    slow = take(database)
    later = NOW + CLAIM_LASTS + SECOND
    lapse(database, later)
    fast = take(database, later)
    assert not became(database, slow, Permanent("550 no"), later)
    assert became(database, fast, Sent("250 OK"), later)
    assert row(database, number).state is DeliveryState.SENT


def test_the_end_of_an_alert_never_overtakes_its_start(database: Database) -> None:
    episode_id = an_episode(database)
    start, end = a_message(database, STARTED, episode_id), a_message(database, ENDED, episode_id)
    other = a_message(database)
    first = take(database)
    assert first is not None
    assert first.delivery_id == start
    became(database, first, Passing("451 later"))
    second = take(database)
    assert second is not None
    assert second.delivery_id == other
    assert take(database) is None
    now = row(database, start).due_at
    became(database, take(database, now), Sent("250 OK"), now)
    last = take(database, now)
    assert last is not None
    assert last.delivery_id == end


def test_a_start_that_failed_does_not_hold_back_the_end(database: Database) -> None:
    episode_id = an_episode(database)
    a_message(database, STARTED, episode_id)
    end = a_message(database, ENDED, episode_id)
    became(database, take(database), Permanent("550 no"))
    claimed = take(database)
    assert claimed is not None
    assert claimed.delivery_id == end


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Sent("250 OK"), DeliveryState.SENT),
        (Sent("250 OK", later=("night@inr.example",)), DeliveryState.SENT),
        (Passing("451 later"), DeliveryState.FAILED),
        (Permanent("550 no"), DeliveryState.FAILED),
        (Uncertain("lost"), DeliveryState.UNCERTAIN),
    ],
)
def test_a_trial_gets_its_answer_at_once(database: Database, outcome: Outcome, state: DeliveryState) -> None:
    number = a_message(database, TRIAL)
    with database.write(Operator()) as session:
        claimed = claim(session, number, NOW)
    became(database, claimed, outcome)
    assert row(database, number).state is state


def test_a_message_that_is_taken_cannot_be_claimed_by_its_number(database: Database) -> None:
    number = a_message(database)
    take(database)
    with database.write(Operator()) as session:
        assert claim(session, number, NOW) is None


def test_claimants_at_once_share_the_messages_and_none_is_taken_twice(database: Database) -> None:
    messages = {a_message(database) for _ in range(30)}
    taken: list[int] = []

    def take_all() -> None:
        own = Database(database.engine.url.render_as_string(hide_password=False))
        while claimed := take(own):
            taken.append(claimed.delivery_id)
        own.close()

    threads = [threading.Thread(target=take_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while claimed := take(database):  # one who loses every candidate stops; the next look finds the rest
        taken.append(claimed.delivery_id)
    assert sorted(taken) == sorted(messages)


def test_a_claim_that_another_is_making_is_lost(database: Database) -> None:
    """Both see it pending: the second update waits for the first and then touches no row."""
    number = a_message(database)
    other = Database(database.engine.url.render_as_string(hide_password=False))
    claims: list[Claim | None] = []
    late = threading.Thread(target=lambda: claims.append(take(other)))
    with database.write(Operator()) as session:
        assert claim_next(session, NOW) is not None
        late.start()
        late.join(0.3)
        assert late.is_alive()
    late.join()
    other.close()
    assert claims == [None]
    assert row(database, number).attempts == 1
