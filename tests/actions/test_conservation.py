"""Not a millijoule is lost or made, whatever hosts tell in whatever order, and on a week of a real server."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from collectors.reading import Kind, Measurement, Reading, Use
from console.actions.claims import claim_workload, end_claim
from console.actions.hosts import Terms, set_terms
from console.actions.ingest import Status, forget_readings, ingest
from console.actions.metering import hours_due, meter_hour
from console.actions.quarantine import accept
from console.domain.attribution import IdlePolicy
from console.domain.errors import Conflict
from console.domain.hours import HOUR, hour_of
from console.domain.intervals import RETENTION, Rule
from console.store.models import catalogue as c
from console.store.models import fleet as f
from console.store.models import measurement as m
from console.store.models import tenant as t
from console.store.queries import ledger
from console.store.queries.quarantine import waiting_keys
from console.store.session import Database, Operator
from tests import given as past
from tests.readings import MINUTE, OTHER_STREAM, START, batch, measured, reading
from tests.running import Installation

TRACE = Path(__file__).parents[1] / "data" / "power-trace" / "cbsugpu08_usage_stats.txt"
NEW_YORK = ZoneInfo("America/New_York")
WEEK = (
    datetime(2025, 3, 5),
    datetime(2025, 3, 12),
)  # the clocks went forward on the 9th, and an hour is missing
HOSTS = ("srv-01", "srv-02")
NOW = START + 6 * HOUR
LATE = NOW + RETENTION + timedelta(days=2)
CHU = 7
INSTRUMENTS: dict[str, dict[str, Any]] = {
    "rapl": {},
    "redfish": {"source": "redfish", "authority": "bmc", "boundary": "server_input"},
    "pdu": {"source": "pdu", "authority": "pdu_outlet", "boundary": "pdu"},
    "model": {"source": "model", "authority": "model", "boundary": "server_input", "quality": "modelled"},
    "nvml": {"source": "nvml", "authority": "gpu", "boundary": "gpu"},
}


@dataclass(frozen=True)
class Told:
    """A reading of a host; `uses` has what each workload used, by name."""

    host: str
    start_s: int
    length_s: int
    sources: dict[str, int]
    idle_power_mw: int | None
    uses: dict[str, tuple[int, int | None, int | None]]

    def reading(self, sequence: int) -> Reading:
        one = reading(
            sequence,
            *(
                measured(energy_mj, idle_power_mw=self.idle_power_mw, **INSTRUMENTS[name])
                for name, energy_mj in self.sources.items()
            ),
            started_at=START + timedelta(seconds=self.start_s),
            duration=timedelta(seconds=self.length_s),
        )
        uses = tuple(
            Use(name, Kind.VM, cpu_ms, reserved, 1_024, gpu_ms, uid=name if name.startswith("vm") else None)
            for name, (cpu_ms, reserved, gpu_ms) in self.uses.items()
        )
        busy_ms = 1_000 + sum(use.cpu_ms for use in uses)
        return replace(one, workloads=uses, busy_cpu_ms=busy_ms, gpus=2)


uses = st.dictionaries(
    st.sampled_from(["web", "vm-1", "vm-2"]),
    st.tuples(st.integers(0, 20_000), st.none() | st.integers(0, 9_000), st.none() | st.integers(0, 90_000)),
    max_size=3,
)
told = st.builds(
    Told,
    st.sampled_from(HOSTS),
    st.integers(-600, 3 * 3_600),
    st.integers(60, 3_600),
    st.dictionaries(st.sampled_from(sorted(INSTRUMENTS)), st.integers(0, 10**7), max_size=4),
    st.none() | st.integers(0, 200_000),
    uses,
)
hours = st.integers(0, 3)
terms = st.tuples(
    st.sampled_from(HOSTS),
    hours,
    st.builds(Terms, st.none() | st.integers(0, 300_000), st.none() | st.sampled_from(IdlePolicy)),
)
lines = st.tuples(
    st.sampled_from(HOSTS), hours, st.integers(1, 4_000_000), st.integers(-50_000, 50_000), st.booleans()
)
claims = st.tuples(st.sampled_from(HOSTS), st.sampled_from(["web", "vm-1", "vm-2"]), hours, st.none() | hours)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(told, min_size=1, max_size=8),
    st.lists(terms, max_size=3),
    st.lists(lines, max_size=2),
    st.lists(claims, max_size=3, unique_by=lambda one: one[:2]),
    st.lists(told, max_size=2),
    st.randoms(use_true_random=False),
)
def test_the_residue_is_0_and_the_ledger_the_same_in_any_order(
    database, told, terms, lines, claims, late, rng
) -> None:
    orders = (told, rng.sample(told, len(told)))
    found = []
    for order in orders:
        past.an_empty_database(database)
        _prepare(database, claims, lines)
        for place, one in enumerate(order):
            _take_in(database, one.host, one.reading(1 + told.index(one)))
            if place == 0:
                _declare(database, terms)
            if rng.random() < 0.4:
                _meter(database)
        _declare(database, terms)
        _meter(database)
        _end(database, claims)
        _check(database, NOW)
        _let_in_late(database, late)
        _check(database, LATE)
        with database.read(Operator()) as session:
            found.append(_ledger(session))
    assert found[0] == found[1]


def _check(database: Database, now: datetime) -> None:
    with database.read(Operator()) as session:
        assert ledger.check(session, START - HOUR, NOW, now=now).residue_mj == 0


def _end(database: Database, claims) -> None:
    """End with a local day, two hours after the start, the claims that have begun by then."""
    for number, (_, _, since, length) in enumerate(claims, start=1):
        if since <= 2 and (length is None or since + length > 2):
            with database.write(Operator()) as session:
                end_claim(session, CHU, number, last_day=START.date(), now=NOW)


def _let_in_late(database: Database, late) -> None:
    """Readings that come when the others are gone; what may have been counted stays out."""
    with database.write(Operator()) as session:
        forget_readings(session, now=LATE)
        assert session.scalar(select(func.count()).select_from(m.Reading)) == 0
    for place, one in enumerate(late):
        with database.write(Operator()) as session:
            ingest(session, batch(one.reading(1_000 + place), host=one.host), now=LATE)
    with database.read(Operator()) as session:
        keys = waiting_keys(session, rule=Rule.TOO_LATE)
    for key in sorted(keys):
        with suppress(Conflict), database.write(Operator()) as session:
            accept(session, *key, note=None, now=LATE, by="ana")


def _prepare(database: Database, claims, lines) -> None:
    with database.write(Operator()) as session:
        past.an_adherent(session, CHU, "CHU", zone="Pacific/Kiritimati")  # its day ends at 10:00 UTC
        for number, (host, workload, since, length) in enumerate(claims, start=1):
            uid = workload if workload.startswith("vm") else None
            session.add(
                c.WorkloadClaim(
                    claim_id=number,
                    tenant_id=CHU,
                    subscription=1,
                    host_id=m.stable_id(host),
                    workload_id=m.workload_key(workload, uid),
                    host_name=host,
                    workload_name=workload,
                    valid_from=START + since * HOUR,
                    valid_to=None if length is None else START + (since + length) * HOUR,
                    claimed_by="ana",
                    claimed_at=NOW,
                )
            )
        for host in HOSTS:
            session.add(
                m.Host(
                    host_id=m.stable_id(host),
                    name=host,
                    agent="1",
                    vcpu=4,
                    first_seen_at=START,
                    last_seen_at=START,
                    gaps=[],
                )
            )
        session.flush()
        for host, hour, slope_ppm, offset_mw, beside_gpu in lines:
            session.merge(
                f.Calibration(
                    host_id=m.stable_id(host),
                    source="rapl",
                    valid_from=START + hour * HOUR,
                    reference="redfish",
                    boundary="server_input",
                    slope_ppm=slope_ppm,
                    offset_mw=offset_mw,
                    error_ppm=10_000,
                    beside_gpu=beside_gpu,
                    intervals=60,
                    fitted_from=START,
                    fitted_to=START,
                )
            )


def _declare(database: Database, terms) -> None:
    with database.write(Operator()) as session:
        for host, hour, declared in terms:
            set_terms(session, m.stable_id(host), declared, valid_from=START + hour * HOUR, now=NOW, by="ana")


def _take_in(database: Database, host: str, one: Reading) -> None:
    with database.write(Operator()) as session:
        ingest(session, batch(one, host=host), now=NOW)


def _meter(database: Database) -> None:
    with database.write(Operator()) as session:
        for host_id, hour in hours_due(session, now=NOW):
            meter_hour(session, host_id, hour, now=NOW)


def _ledger(session) -> list[set[tuple]]:
    """What the ledger holds, without the numbers that things got in the order in which they came."""
    line, posted, source = m.WorkloadHour, t.EnergyLine, c.EnergySource
    told = (line.energy_mj, line.idle_mj, line.gpu_mj, line.cpu_ms, line.low_mj, line.reserved_mcpu)
    of_line = select(line.hour, line.host_id, line.workload_id, source.name, *told).join(
        source, source.source_id == line.source_id
    )
    of_posted = select(
        posted.tenant_id, posted.hour, posted.host_id, posted.workload_id, source.name, posted.energy_mj
    ).join(source, source.source_id == posted.source_id)
    instruments = select(
        f.SourceHour.hour, f.SourceHour.host_id, source.name, f.SourceHour.energy_mj, f.SourceHour.covered_ms
    ).join(source, source.source_id == f.SourceHour.source_id)
    host_hours = select(m.HostHour.host_id, m.HostHour.hour, m.HostHour.energy_mj, m.HostHour.gpu_mj)
    return [
        {tuple(row) for row in session.execute(one)} for one in (of_line, of_posted, instruments, host_hours)
    ]


def the_week() -> Iterator[tuple[datetime, float, float, float, float]]:
    """Start of each hour there is, its mean, least and greatest power in watts, and use in percent."""
    with TRACE.open(encoding="utf-8-sig", newline="") as rows:
        for row in csv.DictReader(rows, delimiter="\t"):
            if not row["powerave"]:
                continue  # the lines below the table
            local = datetime.fromisoformat(row["timestamp"].partition(".")[0])
            if WEEK[0] <= local < WEEK[1]:
                watts = (float(row[name]) for name in ("powerave", "powermin", "powermax"))
                yield local.replace(tzinfo=NEW_YORK).astimezone(UTC), *watts, float(row["utilave"])


def replayed(shift: timedelta) -> Iterator[tuple[str, Reading]]:
    """Quarters of an hour as the BMC of a server would tell them; a machine runs now here, now there."""
    for start, mean_w, least_w, most_w, used_percent in the_week():
        low_w, high_w = min(mean_w, least_w), max(mean_w, most_w)  # some hours of the file break this
        for quarter in range(4):
            at = start + shift + quarter * 15 * MINUTE
            busy_ms = round(4 * 900_000 * used_percent / 100)
            bmc = Measurement(
                energy_mj=round(mean_w * 900_000),
                min_mj=round(low_w * 900_000),
                max_mj=round(high_w * 900_000),
                idle_power_mw=49_000,
                source="redfish",
                authority="bmc",
                boundary="server_input",
                quality="measured",
            )
            one = reading(
                1 + int((at - datetime(2020, 1, 1, tzinfo=UTC)) / MINUTE),
                bmc,
                started_at=at,
                duration=15 * MINUTE,
            )
            machine = Use("train", Kind.VM, busy_ms * 3 // 4, 2_000, 65_536, uid="train")
            yield (
                HOSTS[at.hour // 8 % 2],
                replace(
                    one, busy_cpu_ms=busy_ms, workloads=(machine, Use("web", Kind.SYSTEMD, busy_ms // 8))
                ),
            )


def test_a_week_of_a_real_server_across_a_change_of_clocks_adds_up_to_the_last_millijoule(
    database: Database, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    end = WEEK[1].replace(tzinfo=NEW_YORK).astimezone(UTC)
    week = list(replayed((now - end) // timedelta(weeks=1) * timedelta(weeks=1)))
    assert (
        len(week) == 4 * 166
    )  # hours: the clocks skip one of 168, and the file has no row for the one before
    rng = random.Random(5)  # noqa: S311
    with database.write(Operator()) as session:
        past.an_adherent(session, CHU, "CHU")
    first = week[-1]
    batches = [week[place : place + 60] for place in range(0, len(week), 60)]
    rng.shuffle(batches)
    for number, several in enumerate([[first], *batches, batches[0]]):  # one of them twice
        for host in HOSTS:
            readings = [one for name, one in several if name == host]
            rng.shuffle(readings)
            with database.write(Operator()) as session:
                receipts = ingest(session, batch(*readings, host=host), now=now)
            assert {receipt.status for receipt in receipts} <= {Status.ACCEPTED, Status.DUPLICATE}
        if number == 0:
            _meter_at(database, now)
            with database.write(Operator()) as session:
                host_id, train = m.stable_id(first[0]), m.workload_key("train", "train")
                day = hour_of(first[1].started_at).date()
                claim_workload(
                    session,
                    tenant_id=CHU,
                    subscription=1,
                    host_id=host_id,
                    workload_id=train,
                    first_day=day,
                    now=now,
                    by="ana",
                )
        if number == 5:
            _meter_at(database, now)
    overlapping = replace(week[50][1], started_at=week[50][1].started_at + MINUTE, duration_ms=14 * 60_000)
    with database.write(Operator()) as session:
        again = batch(overlapping, host=week[50][0], stream=OTHER_STREAM)
        assert [receipt.status for receipt in ingest(session, again, now=now)] == [Status.QUARANTINED]
    _meter_at(database, now)
    found = Installation(tmp_path).ledger()
    assert found["residue_mj"] == 0
    assert found["energy_mj"] == sum(one.measurements[0].energy_mj for _, one in week)
    assert (found["waiting_hours"], found["hosts"], found["hours"]) == (0, 2, 166)
    with database.read(Operator()) as session:
        held = session.scalars(
            select(t.EnergyLine.host_id).where(t.EnergyLine.tenant_id == CHU).distinct()
        ).all()
    assert len(held) == 2  # the claim followed the machine


def _meter_at(database: Database, now: datetime) -> None:
    with database.read(Operator()) as session:
        due = hours_due(session, now=now)
    with database.write(Operator()) as session:
        for host_id, hour in due:
            meter_hour(session, host_id, hour, now=now)
