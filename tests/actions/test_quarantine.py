"""Readings in quarantine: let in or turned down once, by somebody, and the ledger still adds up."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from collectors.reading import Envelope, Reading
from console.actions.ingest import Status, forget_readings, ingest
from console.actions.metering import hours_due, meter_hour
from console.actions.quarantine import accept, forget_quarantined, reject
from console.domain.claims import OPERATOR_TENANT
from console.domain.errors import Conflict, NotFound
from console.domain.hours import HOUR
from console.domain.intervals import RETENTION, Rule
from console.store.models import catalogue as c
from console.store.models import fleet as f
from console.store.models import measurement as m
from console.store.models import tenant as t
from console.store.queries import ledger
from console.store.queries.quarantine import count_kept, groups, kept, one_kept, waiting_keys
from console.store.session import Database, Operator
from tests.readings import MINUTE, OTHER_STREAM, START, batch, measured, reading

HOST = m.stable_id("srv-01")
NOW = START + HOUR
MONTHS_LATER = START + RETENTION + timedelta(days=5)


@pytest.fixture
def database(database: Database) -> Database:
    with database.write(Operator()) as session:
        operator = c.Adherent(
            tenant_id=OPERATOR_TENANT, name="O", kind=c.AdherentKind.OPERATOR, since=date(2026, 1, 1)
        )
        session.add(operator)
    return database


def take_in(database: Database, envelope: Envelope, now: datetime = NOW) -> list[Status]:
    with database.write(Operator()) as session:
        return [receipt.status for receipt in ingest(session, envelope, now=now)]


def the_one(database: Database) -> str:
    """The fingerprint of the reading that waits."""
    with database.read(Operator()) as session:
        return session.scalars(select(m.QuarantinedReading.fingerprint)).one()


def let_in(database: Database, now: datetime = NOW, fingerprint: str | None = None) -> None:
    fingerprint = fingerprint or the_one(database)
    with database.write(Operator()) as session:
        accept(session, HOST, fingerprint, note="vu sur place", now=now, by="ana")


def meter(database: Database, now: datetime = NOW) -> None:
    with database.write(Operator()) as session:
        for host_id, hour in hours_due(session, now=now):
            meter_hour(session, host_id, hour, now=now)


def check(database: Database, now: datetime) -> ledger.LedgerCheck:
    with database.read(Operator()) as session:
        return ledger.check(session, START - timedelta(days=1), now, now=now)


def test_what_seemed_impossible_counts_once_somebody_says_it_is_true(database: Database) -> None:
    assert take_in(database, batch(reading(1, measured(6_000_000_001)))) == [Status.QUARANTINED]
    let_in(database)
    meter(database)
    found = check(database, NOW)
    assert (found.energy_mj, found.residue_mj) == (6_000_000_001, 0)
    with database.read(Operator()) as session:
        row = one_kept(session, HOST, the_one(database))
    assert (row.rule, row.decision, row.decided_by, row.decided_at) == (Rule.ENERGY, "accepted", "ana", NOW)
    assert row.note == "vu sur place"


def test_it_counts_once_however_often_it_is_let_in_or_sent(database: Database) -> None:
    envelope = batch(reading(1, measured(6_000_000_001)))
    take_in(database, envelope)
    let_in(database)
    with pytest.raises(Conflict, match="ana"):
        let_in(database)
    assert take_in(database, envelope) == [Status.DUPLICATE]
    meter(database)
    assert check(database, NOW).energy_mj == 6_000_000_001


def test_what_is_turned_down_stays_with_who_did_so_and_is_not_asked_about_again(database: Database) -> None:
    envelope = batch(reading(1, measured(6_000_000_001)))
    take_in(database, envelope)
    with database.write(Operator()) as session:
        reject(session, HOST, the_one(database), note=None, now=NOW, by="ana")
    assert take_in(database, envelope) == [Status.QUARANTINED]
    with database.read(Operator()) as session:
        assert groups(session) == []
        (row,) = kept(session, waiting=False)
        assert (row.decision, row.decided_by, row.note) == ("rejected", "ana", None)
    with pytest.raises(Conflict):
        let_in(database)
    assert check(database, NOW).energy_mj == 0


def test_what_another_stream_told_of_stays_out(database: Database) -> None:
    """Two readings of the same time would count its energy twice; the larger is not the truer one."""
    take_in(database, batch(reading(1, measured(60_000))))
    overlapping = reading(1, measured(90_000), started_at=START + MINUTE / 2)
    assert take_in(database, batch(overlapping, stream=OTHER_STREAM)) == [Status.QUARANTINED]
    with pytest.raises(Conflict, match="Un autre flux"):
        let_in(database)
    with database.read(Operator()) as session:
        assert [group.rule for group in groups(session)] == [Rule.OVERLAP]  # it still waits


def test_what_was_in_the_future_is_let_in_once_its_time_has_come(database: Database) -> None:
    take_in(database, batch(reading(1, measured(60_000), started_at=NOW + HOUR)))
    with pytest.raises(Conflict, match="futur"):
        let_in(database)
    later = NOW + 2 * HOUR
    let_in(database, later)
    meter(database, later)
    assert check(database, later).energy_mj == 60_000


@pytest.mark.parametrize(
    "shapeless",
    [
        reading(1, measured(60_000), started_at=START - MINUTE, duration=61 * MINUTE),
        replace(reading(1, measured(60_000)), duration_ms=3_600_000),
    ],
    ids=["too long", "not its label"],
)
def test_what_has_no_place_in_hours_is_never_let_in(database: Database, shapeless: Reading) -> None:
    take_in(database, batch(shapeless))
    with pytest.raises(Conflict, match="pas de place"):
        let_in(database)


@pytest.mark.parametrize(
    "huge", [reading(1, measured(10**15 + 1)), reading(1, measured(1, max_mj=2**62)), reading(1, web=2**62)]
)
def test_what_no_sum_would_hold_is_never_let_in(database: Database, huge: Reading) -> None:
    take_in(database, batch(huge))
    with pytest.raises(Conflict, match="additionner"):
        let_in(database)


def test_what_cannot_be_read_is_never_let_in(database: Database) -> None:
    good = batch(reading(1, measured(60_000)))
    take_in(database, replace(good, readings=(good.readings[0] | {"vcpu": "four"},)))
    with pytest.raises(Conflict, match="vcpu"):
        let_in(database)


def test_an_unknown_reading_is_not_found(database: Database) -> None:
    take_in(database, batch(reading(1, measured(60_000))))
    for fingerprint in ("0" * 64, "x"):
        with pytest.raises(NotFound):
            let_in(database, fingerprint=fingerprint)


def months_later(database: Database, *minutes: Reading) -> list[str]:
    """Readings that come when the others of their hour are gone; their fingerprints."""
    with database.write(Operator()) as session:
        forget_readings(session, now=MONTHS_LATER)
    take_in(database, batch(*minutes), now=MONTHS_LATER)
    with database.read(Operator()) as session:
        return [fingerprint for _, fingerprint in waiting_keys(session, rule=Rule.TOO_LATE)]


@pytest.mark.both_databases
def test_what_comes_too_late_is_added_to_what_its_hour_has(database: Database) -> None:
    take_in(database, batch(reading(1, measured(60_000, min_mj=50_000, max_mj=70_000), web=4_000)))
    meter(database)
    (late,) = months_later(
        database, reading(2, measured(90_000, min_mj=80_000, max_mj=99_000), web=4_000, db=5_000)
    )
    let_in(database, MONTHS_LATER, late)
    found = check(database, MONTHS_LATER)
    assert (found.energy_mj, found.residue_mj, found.waiting_hours) == (150_000, 0, 0)
    with database.read(Operator()) as session:
        hour = session.scalars(select(m.HostHour)).one()
        lines = {
            row.workload_id: (row.energy_mj, row.cpu_ms, row.low_mj, row.high_mj)
            for row in session.scalars(select(m.WorkloadHour))
        }
        posted = session.scalars(select(t.EnergyLine.energy_mj)).all()
        source = session.scalars(select(f.SourceHour)).one()
    assert (hour.covered_ms, hour.policy) == (120_000, "used/1")
    assert lines[m.stable_id("web")] == (48_000 + 36_000, 8_000, 40_000 + 32_000, 56_000 + 39_600)
    assert lines[m.stable_id("db")] == (45_000, 5_000, 40_000, 49_500)
    assert sum(posted) == 150_000
    assert (source.energy_mj, source.covered_ms) == (150_000, 120_000)


def test_it_makes_an_hour_where_the_ledger_has_none_and_is_cut_at_the_hours(database: Database) -> None:
    across = reading(1, measured(60_001), started_at=START + HOUR - MINUTE / 4, web=4_000)
    (late,) = months_later(database, across)
    let_in(database, MONTHS_LATER, late)
    with database.read(Operator()) as session:
        hours = session.scalars(select(m.HostHour).order_by(m.HostHour.hour)).all()
    assert [(row.energy_mj, row.covered_ms) for row in hours] == [(15_000, 15_000), (45_001, 45_000)]
    assert check(database, MONTHS_LATER).residue_mj == 0


def test_what_was_counted_is_never_added_once_its_raw_readings_are_gone(database: Database) -> None:
    """A copy that comes months later, of any stream and in any form, and a late one that was let in."""
    take_in(database, batch(reading(1, measured(60_000), web=4_000)))
    meter(database)
    months_later(database)
    copies = (
        batch(reading(1, measured(60_000), web=4_000)),
        batch(reading(77, measured(61_000), started_at=START + MINUTE / 2), stream=OTHER_STREAM),
        batch(reading(2, measured(90_000))),
        batch(reading(2, measured(90_000), started_at=START + 1.5 * MINUTE)),
    )
    for copy in copies:
        take_in(database, copy, now=MONTHS_LATER)
    with database.read(Operator()) as session:
        first, second, third, fourth = (
            fingerprint for copy in copies for fingerprint in _fingerprints(session, copy)
        )
    let_in(database, MONTHS_LATER, third)
    for again in (first, second, fourth):
        with pytest.raises(Conflict, match="déjà compté"):
            let_in(database, MONTHS_LATER, again)
    found = check(database, MONTHS_LATER)
    assert (found.energy_mj, found.residue_mj) == (150_000, 0)


def _fingerprints(session: Session, envelope: Envelope) -> list[str]:
    """Of the readings of an envelope that wait."""
    texts = [json.dumps(one, sort_keys=True) for one in envelope.readings]
    row = m.QuarantinedReading
    return [session.scalars(select(row.fingerprint).where(row.reading == text)).one() for text in texts]


def test_nothing_is_added_to_an_hour_whose_minutes_are_not_known(database: Database) -> None:
    """It was metered before they were kept."""
    take_in(database, batch(reading(1, measured(60_000))))
    meter(database)
    with database.write(Operator()) as session:
        session.execute(update(m.HostHour).values(stretches=None))
    (late,) = months_later(database, reading(2, measured(90_000)))
    with pytest.raises(Conflict, match="ne sont plus connues"):
        let_in(database, MONTHS_LATER, late)


def test_an_hour_is_never_more_than_full_and_then_nothing_is_half_written(database: Database) -> None:
    minutes = [reading(number, measured(60_000), web=4_000) for number in range(1, 61)]
    take_in(database, batch(*minutes), now=NOW + HOUR)
    meter(database, NOW + HOUR)
    across = reading(99, measured(60_000), started_at=START - MINUTE / 2, web=4_000)
    (late,) = months_later(database, across)
    with pytest.raises(Conflict, match="déjà compté"):
        let_in(database, MONTHS_LATER, late)
    found = check(database, MONTHS_LATER)
    assert (found.energy_mj, found.hours, found.residue_mj) == (60 * 60_000, 1, 0)
    with database.read(Operator()) as session:
        assert one_kept(session, HOST, late).decision is None


def test_what_touches_an_hour_that_is_still_open_waits_for_it(database: Database) -> None:
    now = START + RETENTION + HOUR / 2  # the hour of START can be metered again, the one before cannot
    take_in(database, batch(reading(1, measured(60_000), started_at=START - MINUTE / 2)), now=now)
    with pytest.raises(Conflict, match="encore ouverte"):
        let_in(database, now)
    let_in(database, now + HOUR)
    assert check(database, now + HOUR).residue_mj == 0


def test_what_is_late_by_minutes_goes_the_normal_way_with_the_others_of_its_hour(database: Database) -> None:
    take_in(database, batch(reading(2, measured(60_000), web=4_000)))
    meter(database)
    now = START + RETENTION + HOUR / 2
    take_in(database, batch(reading(1, measured(60_000), web=4_000)), now=now)
    with database.write(Operator()) as session:
        forget_readings(session, now=now)
    let_in(database, now)
    meter(database, now)
    assert check(database, now).energy_mj == 120_000


def test_a_late_reading_of_an_hour_that_waits_is_asked_for_again(database: Database) -> None:
    take_in(database, batch(reading(1, measured(60_000))))
    (late,) = months_later(database, reading(2, measured(60_000)))
    with pytest.raises(Conflict, match="attend son calcul"):
        let_in(database, MONTHS_LATER, late)


def test_what_no_instrument_measured_adds_nothing(database: Database) -> None:
    (late,) = months_later(database, reading(2))
    with pytest.raises(Conflict, match="rien à ajouter"):
        let_in(database, MONTHS_LATER, late)


def test_what_waits_is_counted_by_rule_and_host(database: Database) -> None:
    take_in(database, batch(*(reading(number, measured(6_000_000_001)) for number in (1, 2, 3))))
    take_in(database, batch(reading(1, measured(60_000), started_at=NOW + HOUR), host="srv-02"))
    with database.read(Operator()) as session:
        found = groups(session)
        assert [(group.rule, group.host, group.count) for group in found] == [
            (Rule.ENERGY, "srv-01", 3),
            (Rule.FUTURE, "srv-02", 1),
        ]
        assert len(kept(session, rule=Rule.ENERGY, limit=2)) == 2
        assert len(kept(session, rule=Rule.ENERGY, limit=2, offset=2)) == 1
        assert count_kept(session, host_id=HOST) == 3
        assert len(waiting_keys(session, rule=Rule.ENERGY, host_id=HOST)) == 3
        assert waiting_keys(session, rule=Rule.ENERGY, host_id=m.stable_id("srv-02")) == []


def test_what_was_decided_or_has_waited_for_a_year_is_forgotten(database: Database) -> None:
    year = timedelta(days=365)
    take_in(database, batch(reading(1, measured(6_000_000_001))))
    with database.write(Operator()) as session:
        reject(session, HOST, the_one(database), note=None, now=NOW + HOUR, by="ana")
    take_in(database, batch(reading(2, measured(6_000_000_001))))
    left = []
    for later in (NOW + year, NOW + year + MINUTE, NOW + year + HOUR + MINUTE):
        with database.write(Operator()) as session:
            forget_quarantined(session, now=later)
            left.append(count_kept(session) + count_kept(session, waiting=False))
    assert left == [2, 1, 0]


def test_the_reason_is_short_however_long_what_is_wrong(database: Database) -> None:
    good = batch(reading(1, measured(60_000)))
    for field in ("sequence", "started_at"):
        take_in(database, replace(good, readings=(good.readings[0] | {field: "x" * 1_000_000},)))
    with database.read(Operator()) as session:
        reasons = session.scalars(select(m.QuarantinedReading.reason)).all()
    assert [len(reason) < 250 for reason in reasons] == [True, True]
