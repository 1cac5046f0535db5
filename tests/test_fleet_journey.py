"""A cluster whose machines move, from what its hypervisor counts to whose energy it is, each part of it once.

The hypervisor is simulated as libvirt counts: each host has a busy time, and for each machine a CPU time that
begins at 0 with every start or arrival. Everything after it is real: the watch over its hosts, the wire, the
console's ledger and claims.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import func, select

from collectors.agent import Pace
from collectors.fleet import Managed, Watch
from collectors.instrument import Energy, Missing
from collectors.reading import Facts, Reading, decode_batch, encode_batch
from collectors.sampler import Moment
from collectors.virtual import FIRST_READ, Counted, Guest, HostSpan, Hypervisor, Spent, Unreachable, spent
from console.actions.claims import claim_workload
from console.actions.ingest import Status, ingest
from console.actions.metering import hours_due, meter_hour
from console.store.models import measurement as m
from console.store.models import tenant as t
from console.store.queries import ledger
from console.store.session import Database, Operator
from tests import given as past

START = datetime.fromisoformat("2026-11-25T08:00+00:00")
NOW = START + timedelta(hours=6)
HOSTS = ("esx-01", "esx-02", "esx-03")
MACHINES = {"uid-payroll": "payroll", "uid-clone": "payroll", "uid-pacs": "pacs", "uid-web": "web"}
PAYROLL = m.workload_key("payroll", "uid-payroll")
SAMPLE_S, VCPU, CHU = 15, 2, 7


class Cluster(Hypervisor):
    """Three hosts of 8 logical CPUs and 350 W, and machines that work, move, restart and end."""

    name = "cluster"
    tells_power = True

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a cluster that is the same each time
        self._counted: dict[str, dict[str, Counted]] = {host: {} for host in HOSTS}
        self._before: dict[str, dict[str, Counted]] | None = None
        self._busy_us: Counter[str] = Counter()
        self._runs = 0
        self.used_us: Counter[str] = Counter()
        self.told_us: Counter[str] = Counter()
        self.away = False

    def available(self) -> str | None:
        return None

    def work(self, second: int) -> None:
        """What happens in a second, somewhere."""
        host = self._random.choice(HOSTS)
        uid = self._random.choice(list(MACHINES))
        where = [name for name in HOSTS if uid in self._counted[name]]
        moves = not where or self._random.random() < 0.02
        if moves:
            for name in where:
                del self._counted[name][uid]
            self._runs += 1
            self._counted[host][uid] = Counted(str(self._runs), 0)
            where = [host]
        cpu_us = self._random.randrange(VCPU * 1_000_000)
        counted = self._counted[where[0]][uid]
        self._counted[where[0]][uid] = Counted(counted.epoch, counted.cpu_us + cpu_us)
        self._busy_us[where[0]] += cpu_us + 1_000
        self.used_us[uid] += cpu_us

    def read(self) -> Mapping[str, HostSpan | Missing]:
        if self.away:
            raise Unreachable("no answer")
        before, self._before = self._before, {host: dict(self._counted[host]) for host in HOSTS}
        busy_us, self._busy_us = self._busy_us, Counter()
        if before is None:
            return dict.fromkeys(HOSTS, FIRST_READ)
        return {host: self._span(host, before[host], busy_us[host]) for host in HOSTS}

    def _span(self, host: str, before: Mapping[str, Counted], busy_us: int) -> HostSpan:
        guests = []
        for uid, counted in self._counted[host].items():
            used = spent(before.get(uid), counted, VCPU, 10 * SAMPLE_S * 1_000_000)
            assert isinstance(used, Spent)
            self.told_us[uid] += used.cpu_us
            guests.append(Guest(MACHINES[uid], uid, uid[-8:], VCPU, used.cpu_us, ram_mb=2048))
        energy = Energy(350 * SAMPLE_S * 1000, SAMPLE_S * 1000)
        return HostSpan(SAMPLE_S * 1_000_000, 8, busy_us, tuple(guests), Facts(cluster="prod"), energy=energy)


def measured(cluster: Cluster, minutes: int) -> dict[str, list[Reading]]:
    """So long of the cluster, as the watch over it keeps it; it does not answer for two minutes of it."""
    kept: defaultdict[str, list[Reading]] = defaultdict(list)

    def keeper(host: str) -> Callable[[Reading, Facts], None]:
        return lambda reading, _: kept[host].append(reading)

    watch = Watch(Managed(cluster), keeper, Pace(SAMPLE_S, 60))
    for second in range(minutes * 60 + 1):
        if second % SAMPLE_S == 0:
            cluster.away = 600 <= second < 720
            watch.look(Moment(START.timestamp() + second, 5000 + second, 7000 + second))
        cluster.work(second)
    watch.end()
    return kept


def test_what_hypervisors_counted_is_in_the_ledger_once_and_stays_its_holders_wherever_it_runs(
    database: Database,
) -> None:
    cluster = Cluster(seed=4)
    kept = measured(cluster, minutes=75)
    with database.write(Operator()) as session:
        past.an_adherent(session, CHU, "CHU", zone="UTC")
        for number, (host, readings) in enumerate(sorted(kept.items())):
            numbered = [replace(reading, sequence=place) for place, reading in enumerate(readings, start=1)]
            envelope = decode_batch(encode_batch("test", host, f"{number:032x}", numbered))
            receipts = ingest(session, envelope, now=NOW)
            assert {receipt.status for receipt in receipts} == {Status.ACCEPTED}
    where = _first_host_of(database, PAYROLL)
    with database.write(Operator()) as session:
        claim_workload(
            session,
            tenant_id=CHU,
            subscription=1,
            host_id=where,
            workload_id=PAYROLL,
            first_day=START.date(),
            last_day=None,
            now=NOW,
            by="ana",
        )
    _meter(database)
    with database.read(Operator()) as session:
        found = ledger.check(session, START, NOW, now=NOW)
        assert found.residue_mj == 0
        cpu_ms = dict(
            session.execute(
                select(m.WorkloadHour.workload_id, func.sum(m.WorkloadHour.cpu_ms)).group_by(
                    m.WorkloadHour.workload_id
                )
            ).all()
        )
        energy_mj = session.scalar(select(func.sum(m.HostHour.energy_mj)))
        line, hour = t.EnergyLine, m.WorkloadHour
        of_chu = dict(
            session.execute(
                select(line.workload_id, func.sum(line.energy_mj))
                .where(line.tenant_id == CHU)
                .group_by(line.workload_id)
            ).all()
        )
        payroll_mj, hosts = session.execute(
            select(func.sum(hour.energy_mj), func.count(hour.host_id.distinct())).where(
                hour.workload_id == PAYROLL
            )
        ).one()
    for uid, name in MACHINES.items():
        told_ms = cluster.told_us[uid] // 1000
        assert 0 <= told_ms - cpu_ms[m.workload_key(name, uid)] <= sum(map(len, kept.values()))
        assert cluster.told_us[uid] <= cluster.used_us[uid]
    assert energy_mj == sum(
        reading.measurements[0].energy_mj for readings in kept.values() for reading in readings
    )
    assert hosts == len(HOSTS)
    assert of_chu == {PAYROLL: payroll_mj}


def _first_host_of(database: Database, workload_id: int) -> int:
    """The host where a machine was met first; its hours are metered for that."""
    _meter(database)
    with database.read(Operator()) as session:
        return session.scalars(
            select(m.WorkloadHour.host_id)
            .where(m.WorkloadHour.workload_id == workload_id)
            .order_by(m.WorkloadHour.hour, m.WorkloadHour.host_id)
            .limit(1)
        ).one()


def _meter(database: Database) -> None:
    with database.write(Operator()) as session:
        for host_id, hour in sorted(hours_due(session, now=NOW)):
            meter_hour(session, host_id, hour, now=NOW)
