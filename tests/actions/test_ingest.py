"""Each reading is taken in once, or kept aside with the reason."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, func, select

from collectors.reading import Facts, Kind, Use
from console.actions.ingest import Status, ingest
from console.domain.intervals import Rule
from console.store.models import measurement as m
from console.store.session import Database, Operator
from tests.readings import MINUTE, OTHER_STREAM, START, batch, measured, reading

pytestmark = pytest.mark.both_databases

NOW = START + timedelta(hours=1)


def take_in(database: Database, envelope, now=NOW) -> list[str]:
    with database.write(Operator()) as session:
        return [receipt.status for receipt in ingest(session, envelope, now=now)]


def count(database: Database, model) -> int:
    with database.read(Operator()) as session:
        return session.scalar(select(func.count()).select_from(model))


def test_a_reading_sent_twice_counts_once(database: Database) -> None:
    envelope = batch(reading(1, measured(60_000), web=100))
    assert take_in(database, envelope) == [Status.ACCEPTED]
    assert take_in(database, envelope) == [Status.DUPLICATE]
    assert count(database, m.Reading) == 1


def test_a_reading_twice_in_one_batch_counts_once(database: Database) -> None:
    twice = reading(1, measured(60_000))
    assert take_in(database, batch(twice, twice)) == [Status.ACCEPTED, Status.DUPLICATE]


def test_readings_may_come_in_any_order(database: Database) -> None:
    minutes = [reading(n, measured(60_000)) for n in (3, 1, 2)]
    assert take_in(database, batch(*minutes)) == [Status.ACCEPTED] * 3


def test_two_streams_may_not_tell_of_the_same_time_of_a_host(database: Database) -> None:
    take_in(database, batch(reading(1, measured(60_000))))
    overlapping = reading(1, measured(60_000), started_at=START + MINUTE / 2)
    following = reading(2, measured(60_000), started_at=START + MINUTE)
    statuses = take_in(database, batch(overlapping, following, stream=OTHER_STREAM))
    assert statuses == [Status.QUARANTINED, Status.ACCEPTED]


def test_two_hosts_may(database: Database) -> None:
    take_in(database, batch(reading(1, measured(60_000))))
    other = batch(reading(1, measured(60_000)), host="srv-02", stream=OTHER_STREAM)
    assert take_in(database, other) == [Status.ACCEPTED]


def test_a_clock_step_within_one_stream_loses_no_energy(database: Database) -> None:
    take_in(database, batch(reading(1, measured(60_000))))
    stepped_back = reading(2, measured(60_000), started_at=START + MINUTE / 2)
    assert take_in(database, batch(stepped_back)) == [Status.ACCEPTED]


@pytest.mark.parametrize(
    ("unfit", "field"),
    [
        (reading(1, measured(60_000), started_at=NOW + timedelta(minutes=5)), "ended_at"),
        (reading(1, measured(60_000), started_at=NOW - timedelta(days=36)), "started_at"),
        (reading(1, measured(60_000), started_at=START - MINUTE, duration=61 * MINUTE), "duration_ms"),
        (reading(1, measured(6_000_000_001)), "energy_mj"),
        (reading(1, measured(1, max_mj=6_000_000_001)), "energy_mj"),
        (reading(1, measured(60_000), web=600_000), "busy_cpu_ms"),
        (replace(reading(1, measured(60_000), web=2**63 - 1), busy_cpu_ms=1), "workloads"),
        (replace(reading(1, measured(60_000)), duration_ms=3_600_000), "duration_ms"),
    ],
    ids=[
        "future",
        "too late",
        "too long",
        "too much energy",
        "too high a bound",
        "too much CPU",
        "too much CPU of a workload",
        "a duration that is not the label's",
    ],
)
def test_what_cannot_be_true_is_quarantined_with_the_reason(database: Database, unfit, field: str) -> None:
    envelope = batch(unfit, reading(2, measured(60_000)))
    assert take_in(database, envelope) == [Status.QUARANTINED, Status.ACCEPTED]
    assert take_in(database, envelope) == [Status.QUARANTINED, Status.DUPLICATE]
    with database.read(Operator()) as session:
        kept = session.scalars(select(m.QuarantinedReading)).one()
        assert kept.reason.startswith(field)
        assert kept.rule in (Rule.FUTURE, Rule.TOO_LATE, Rule.TOO_LONG, Rule.LABEL, Rule.CPU, Rule.ENERGY)
        assert json.loads(kept.reading)["sequence"] == 1


def test_one_unreadable_reading_does_not_hold_back_its_batch(database: Database) -> None:
    good = batch(reading(1, measured(60_000)), reading(2, measured(60_000)))
    raw = [good.readings[0] | {"vcpu": "four"}, "no object", good.readings[1]]
    envelope = type(good)(good.agent, good.host, good.stream, tuple(raw))
    with database.write(Operator()) as session:
        receipts = ingest(session, envelope, now=NOW)
    assert [receipt.status for receipt in receipts] == [
        Status.QUARANTINED,
        Status.QUARANTINED,
        Status.ACCEPTED,
    ]
    assert [receipt.sequence for receipt in receipts] == [1, None, 2]
    assert receipts[0].reason == "vcpu: 'four' is not a whole number from 1 to 65536"


def test_a_host_remembers_its_agent_its_gaps_and_when_it_was_seen(database: Database) -> None:
    take_in(database, batch(reading(1)))
    with database.read(Operator()) as session:
        host = session.scalars(select(m.Host)).one()
    assert (host.name, host.agent, host.vcpu) == ("srv-01", "1.0", 4)
    assert (host.first_seen_at, host.last_seen_at) == (START, NOW)
    assert host.gaps == [{"source": "rapl", "reason": "no counter"}]


def test_a_batch_costs_the_same_statements_whatever_it_holds(database: Database) -> None:
    take_in(database, batch(reading(1, measured(60_000), web=100)))

    def statements(first: int, count: int) -> int:
        told: list[str] = []

        def note(*args: object) -> None:
            told.append(str(args[2]))

        event.listen(database.engine, "before_cursor_execute", note)
        minutes = [reading(number, measured(60_000), web=100) for number in range(first, first + count)]
        assert take_in(database, batch(*minutes)) == [Status.ACCEPTED] * count
        event.remove(database.engine, "before_cursor_execute", note)
        return len(told)

    assert statements(2, 10) == statements(12, 50)


def test_what_a_workload_used_is_kept_as_it_was_told(database: Database) -> None:
    use = Use("vm", Kind.VM, 100, 2_000, 4_096, 50, 7, "uid-1")
    take_in(database, batch(replace(reading(1, measured(60_000, idle_power_mw=0)), workloads=(use,), gpus=2)))
    with database.read(Operator()) as session:
        row = session.scalars(select(m.Reading)).one()
    assert row.workloads == [
        {
            "name": "vm",
            "kind": "vm",
            "cpu_ms": 100,
            "reserved_mcpu": 2_000,
            "reserved_mb": 4_096,
            "gpu_ms": 50,
            "steal_ms": 7,
            "uid": "uid-1",
        }
    ]
    assert (row.gpus, row.measurements[0]["idle_power_mw"], "min_mj" in row.measurements[0]) == (2, 0, False)


def test_a_host_keeps_the_facts_that_it_told_and_how_far_its_clock_is(database: Database) -> None:
    facts = Facts("tls", "cluster-1", "Xeon", 2, 65_536)
    sent = replace(batch(reading(1, measured(1))), facts=facts, sent_at=NOW + timedelta(seconds=90))
    take_in(database, sent)
    silent = replace(batch(reading(2, measured(1))), facts=Facts(cluster="cluster-2"))
    take_in(database, silent)
    with database.read(Operator()) as session:
        host = session.scalars(select(m.Host)).one()
    told = (host.site, host.cluster, host.cpu_model, host.sockets, host.ram_mb, host.clock_ahead_ms)
    assert told == ("tls", "cluster-2", "Xeon", 2, 65_536, 90_000)


def test_a_late_batch_makes_its_hours_due_again(database: Database) -> None:
    late = reading(1, measured(60_000), started_at=START - timedelta(days=3) - MINUTE / 2)
    take_in(database, batch(late))
    with database.read(Operator()) as session:
        due = session.scalars(select(m.HourDue.hour).order_by(m.HourDue.hour)).all()
    hour = START - timedelta(days=3)
    assert due == [hour - timedelta(hours=1), hour]


def test_a_batch_without_readings_is_no_sign_of_life(database: Database) -> None:
    assert take_in(database, batch()) == []
    assert count(database, m.Host) == 0
