"""What is declared of hosts holds from an hour on; those taken out of service come back when they send."""

from __future__ import annotations

import json
import logging
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from console.actions import hosts
from console.actions.calibrating import calibrate, calibrations_due
from console.actions.hosts import Terms, set_terms
from console.actions.ingest import ingest
from console.actions.metering import hours_due, meter_hour
from console.domain.attribution import IdlePolicy
from console.domain.calibration import TOO_FEW
from console.domain.claims import OPERATOR_TENANT
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.hours import HOUR
from console.store.models import audit as a
from console.store.models import catalogue as c
from console.store.models import fleet as f
from console.store.models import measurement as m
from console.store.queries import ledger
from console.store.session import Database, Operator
from tests.readings import MINUTE, START, batch, measured, reading

HOST = m.stable_id("srv-01")
NOW = START + 2 * HOUR
LATER = START + timedelta(days=2)


@pytest.fixture
def database(database: Database) -> Database:
    with database.write(Operator()) as session:
        operator = c.Adherent(
            tenant_id=OPERATOR_TENANT, name="O", kind=c.AdherentKind.OPERATOR, since=date(2026, 1, 1)
        )
        session.add(operator)
    return database


def bmc(energy_mj: int, **changes: object):
    return measured(energy_mj, source="redfish", authority="bmc", boundary="server_input", **changes)


def take_in(database: Database, *readings, now=NOW) -> None:
    with database.write(Operator()) as session:
        ingest(session, batch(*readings), now=now)


def meter(database: Database, now=NOW) -> None:
    with database.write(Operator()) as session:
        for host_id, hour in hours_due(session, now=LATER):
            meter_hour(session, host_id, hour, now=now)


def declare(database: Database, terms: Terms, valid_from=START, now=NOW) -> None:
    with database.write(Operator()) as session:
        set_terms(session, HOST, terms, valid_from=valid_from, now=now, by="ana")


def idle_of(database: Database, hour=START) -> dict[int, int]:
    with database.read(Operator()) as session:
        rows = session.execute(
            select(m.WorkloadHour.workload_id, m.WorkloadHour.idle_mj).where(m.WorkloadHour.hour == hour)
        )
        return dict(rows.all())


def sources(database: Database, hour=START) -> dict[str, tuple[int, int]]:
    """Energy and covered time of each instrument."""
    with database.read(Operator()) as session:
        rows = session.execute(
            select(c.EnergySource.name, f.SourceHour.energy_mj, f.SourceHour.covered_ms)
            .join(c.EnergySource, c.EnergySource.source_id == f.SourceHour.source_id)
            .where(f.SourceHour.hour == hour)
        )
        return {name: (energy_mj, covered_ms) for name, energy_mj, covered_ms in rows}


def counting(database: Database, hour=START) -> set[tuple[str, str]]:
    """Which instruments count in an hour, with their quality."""
    with database.read(Operator()) as session:
        rows = session.execute(
            select(c.EnergySource.name, c.EnergySource.quality)
            .join(m.WorkloadHour, m.WorkloadHour.source_id == c.EnergySource.source_id)
            .where(m.WorkloadHour.hour == hour)
        )
        return {(name, quality) for name, quality in rows}


def residue(database: Database, now=NOW) -> int:
    with database.read(Operator()) as session:
        return ledger.check(session, START - timedelta(days=1), LATER, now=now).residue_mj


def test_declared_idle_power_and_policy_hold_from_their_hour_on_and_meter_it_again(
    database: Database,
) -> None:
    take_in(database, reading(1, bmc(600_000), web=4_000), reading(61, bmc(600_000), web=4_000))
    meter(database)
    assert idle_of(database)[m.stable_id("web")] == 0
    declare(database, Terms(5_000, IdlePolicy.OPERATOR), valid_from=START + HOUR)
    meter(database)
    assert m.IDLE_KEPT not in idle_of(database)
    assert idle_of(database, START + HOUR)[m.IDLE_KEPT] == 300_000
    assert residue(database) == 0


def test_a_host_below_its_declared_idle_is_all_idle_and_the_residue_is_0(database: Database) -> None:
    take_in(database, reading(1, bmc(240_000), web=4_000))
    declare(database, Terms(10_000, IdlePolicy.OPERATOR))
    meter(database)
    assert idle_of(database)[m.IDLE_KEPT] == 240_000
    assert residue(database) == 0


@pytest.mark.both_databases
def test_later_terms_replace_earlier_ones_and_nothing_before_them(database: Database) -> None:
    declare_first = [reading(1, bmc(600_000), web=4_000), reading(61, bmc(600_000), web=4_000)]
    take_in(database, *declare_first)
    declare(database, Terms(5_000, IdlePolicy.OPERATOR))
    declare(database, Terms(2_000, IdlePolicy.OPERATOR), valid_from=START + HOUR)
    declare(database, Terms(1_000, IdlePolicy.OPERATOR), valid_from=START + HOUR)  # the same hour anew
    meter(database)
    kept = [idle_of(database, START + place * HOUR)[m.IDLE_KEPT] for place in (0, 1)]
    assert kept == [300_000, 60_000]


def test_the_operator_chooses_the_instrument_that_counts(database: Database) -> None:
    take_in(database, reading(1, bmc(600_000), measured(300_000), web=4_000))
    meter(database)
    assert counting(database) == {("redfish", "measured")}
    declare(database, Terms(source="rapl"))
    meter(database)
    assert counting(database) == {("rapl", "measured")}
    assert sources(database) == {"redfish": (600_000, 60_000), "rapl": (300_000, 60_000)}
    assert residue(database) == 0


@pytest.mark.parametrize(
    ("terms", "valid_from", "field"),
    [
        (Terms(idle_power_mw=-1), START, "idle_power"),
        (Terms(idle_power_mw=100_000_001), START, "idle_power"),
        (Terms(source="ipmi"), START, "source"),
        (Terms(), START + MINUTE, "valid_from"),
        (Terms(), START - timedelta(days=36), "valid_from"),
    ],
)
def test_terms_that_make_no_sense_are_refused(database: Database, terms, valid_from, field: str) -> None:
    take_in(database, reading(1, bmc(600_000)))
    with pytest.raises(Invalid) as refused:
        declare(database, terms, valid_from=valid_from)
    assert refused.value.field == field


def test_an_unknown_host_has_no_terms(database: Database) -> None:
    with pytest.raises(NotFound):
        declare(database, Terms())


def test_what_a_retired_host_had_kept_from_before_does_not_bring_it_back(database: Database) -> None:
    take_in(database, reading(1, bmc(600_000)))
    with database.write(Operator()) as session:
        hosts.retire(session, HOST, now=NOW)
    take_in(database, reading(2, bmc(600_000)), now=NOW + HOUR)
    with database.read(Operator()) as session:
        assert session.get_one(m.Host, HOST).retired_at == NOW
        assert len(session.scalars(select(m.Reading)).all()) == 2


def test_a_retired_host_that_sends_again_is_back_and_the_log_says_so(database: Database, caplog) -> None:
    take_in(database, reading(1, bmc(600_000)))
    with database.write(Operator()) as session:
        hosts.retire(session, HOST, now=NOW)
    with database.write(Operator()) as session, pytest.raises(Conflict):
        hosts.retire(session, HOST, now=NOW)
    with caplog.at_level(logging.WARNING):
        take_in(database, reading(2, bmc(600_000), started_at=NOW), now=NOW + HOUR)
    assert "srv-01 was retired" in caplog.text
    with database.write(Operator()) as session:
        assert session.get_one(m.Host, HOST).retired_at is None
        with pytest.raises(Conflict):
            hosts.bring_back(session, HOST)


def two_hours_of_loads(slope: float = 1.5, offset_w: int = 50):
    """Minutes that RAPL and the server both measured, at loads that rise and fall."""
    loads = [100 + 3 * (minute % 50) for minute in range(120)]
    return [
        reading(
            number,
            measured(load * 60_000),
            bmc(int((slope * load + offset_w) * 60_000)),
            web=4_000,
        )
        for number, load in enumerate(loads, start=1)
    ]


@pytest.mark.both_databases
def test_rapl_is_scaled_by_a_calibration_from_the_next_hour_on_where_the_server_is_not_measured(
    database: Database,
) -> None:
    take_in(database, *two_hours_of_loads())
    with database.write(Operator()) as session:
        assert calibrations_due(session, now=NOW) == [(HOST,)]
        (outcome,) = calibrate(session, HOST, now=NOW)
        assert outcome.line is not None
        assert (outcome.source, outcome.reference) == ("rapl", "redfish")
        assert (outcome.line.slope_ppm, outcome.line.offset_mw) == (1_500_000, 50_000)
        assert calibrations_due(session, now=NOW) == []
    with database.read(Operator()) as session:
        row = session.scalars(select(f.Calibration)).one()
        assert (row.valid_from, row.intervals, row.boundary) == (NOW + HOUR, 120, "server_input")
        assert (row.fitted_from, row.fitted_to) == (START, START + 2 * HOUR)
    alone = [
        reading(number, measured(6_000_000), started_at=START + number * MINUTE, web=4_000)
        for number in (150, 190, 200)  # in the hour before the calibration holds, and in the first of its own
    ]
    take_in(database, *alone, now=LATER)
    meter(database)
    assert counting(database, START + 2 * HOUR) == {("rapl", "measured")}
    assert counting(database, START + 3 * HOUR) == {("rapl~redfish", "modelled")}
    assert sources(database, START + 3 * HOUR) == {
        "rapl": (12_000_000, 120_000),
        "rapl~redfish": (2 * 12_000_000, 120_000),
    }
    assert residue(database, now=LATER) == 0


def test_an_hour_metered_again_after_a_later_calibration_is_what_it_was(database: Database) -> None:
    take_in(database, *two_hours_of_loads()[:60])
    with database.write(Operator()) as session:
        calibrate(session, HOST, now=NOW)
    alone = reading(300, measured(6_000_000), started_at=NOW + HOUR, web=4_000)
    take_in(database, alone, now=LATER)
    meter(database)
    before = sources(database, NOW + HOUR)
    with database.write(Operator()) as session:
        later = [
            reading(
                400 + number,
                measured((100 + number) * 60_000),
                bmc((2 * (100 + number) + 10) * 60_000),
                started_at=NOW + 3 * HOUR + number * MINUTE,
            )
            for number in range(80)
        ]
        ingest(session, batch(*later), now=LATER)
        calibrate(session, HOST, now=LATER)
        assert len(session.scalars(select(f.Calibration)).all()) == 2
        session.add(m.HourDue(host_id=HOST, hour=NOW + HOUR, due_at=NOW, waits_since=NOW))
    meter(database, now=LATER)
    assert sources(database, NOW + HOUR) == before
    assert residue(database, now=LATER) == 0


def test_too_few_intervals_give_no_calibration_and_say_so(database: Database) -> None:
    take_in(database, *two_hours_of_loads()[:20])
    with database.write(Operator()) as session:
        (outcome,) = calibrate(session, HOST, now=NOW)
        assert outcome.line is None
        assert outcome.unfit is not None
        assert (outcome.unfit.reason, outcome.unfit.value) == (TOO_FEW, 20)
        assert calibrations_due(session, now=NOW) == [(HOST,)]


def test_cards_are_out_of_both_sides_of_a_calibration(database: Database) -> None:
    loads = [100 + 3 * (minute % 50) for minute in range(100)]
    cards = {"source": "nvml", "authority": "gpu", "boundary": "gpu"}
    readings = [
        reading(
            number,
            measured(load * 60_000),
            bmc((2 * load + 10 + 7 * (number % 30)) * 60_000),
            measured(7 * (number % 30) * 60_000, **cards),
        )
        for number, load in enumerate(loads, start=1)
    ]
    take_in(database, *readings)
    with database.write(Operator()) as session:
        (outcome,) = calibrate(session, HOST, now=NOW)
        assert outcome.line is not None
        assert (outcome.line.slope_ppm, outcome.line.offset_mw) == (2_000_000, 10_000)
        assert session.scalars(select(f.Calibration)).one().beside_gpu


def test_who_declared_what_and_who_took_a_host_out_of_service_is_in_the_audit_log(
    database: Database,
) -> None:
    """Terms of the same hour are replaced: what they were is told there alone."""
    take_in(database, reading(1, measured(60_000)))
    meter(database)
    for by, idle_mw in (("ana", 1), ("eve", 500)):
        with database.write(Operator(), by=by) as session:
            set_terms(session, HOST, Terms(idle_power_mw=idle_mw), valid_from=START, now=NOW, by=by)
    with database.write(Operator(), by="eve") as session:
        hosts.retire(session, HOST, now=NOW)
    with database.write(Operator(), by="ana") as session:
        hosts.bring_back(session, HOST)
    with database.read(Operator()) as session:
        told = [
            (entry.by, entry.kind, entry.subject, json.loads(payload.payload))
            for entry, payload in session.execute(
                select(a.AuditEntry, a.AuditPayload)
                .join(a.AuditPayload, a.AuditPayload.number == a.AuditEntry.number)
                .where(a.AuditEntry.kind.startswith("host."))
                .order_by(a.AuditEntry.number)
            )
        ]
    first = {"idle_power_mw": 1, "idle_policy": None, "source": None}
    since = {"valid_from": "2026-11-25T08:00:00Z"}
    assert told == [
        ("ana", "host.declared", "host/srv-01", {"old": {}, "new": first} | since),
        (
            "eve",
            "host.declared",
            "host/srv-01",
            {"old": first, "new": first | {"idle_power_mw": 500}} | since,
        ),
        ("eve", "host.retired", "host/srv-01", {}),
        ("ana", "host.brought_back", "host/srv-01", {}),
    ]
