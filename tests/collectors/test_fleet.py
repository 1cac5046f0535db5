"""Hosts are measured through their hypervisor: intervals, silences, hosts that come and go, nothing twice."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from collectors import registry
from collectors.__main__ import main
from collectors.agent import Pace
from collectors.configuration import load
from collectors.courier import Courier
from collectors.fleet import Managed, Watch
from collectors.instrument import Energy, Missing, SecretFile, Source
from collectors.outbox import OutboxFull, OutboxUnusable, Room
from collectors.power_models.servers import server_of
from collectors.power_models.stated import ModelSettings
from collectors.reading import Authority, Boundary, Facts, Quality, Reading
from collectors.sampler import Moment
from collectors.sender import Console as Door
from collectors.virtual import FIRST_READ, Guest, HostSpan, Hypervisor, Unreachable
from console.domain.attribution import Consumer, attribute
from tests.collectors.consoles import Batch, Console, accept, refuse
from tests.hypervisors import libvirt_files

NOON_S = 1_795_608_000.0
A, B = "4b5e0f38-6c1e-4f0a-9c0c-0a4e8d0a1b01", "9f8e7d6c-6c1e-4f0a-9c0c-0a4e8d0a1b02"
EPYC = Facts("tls", "prod", "AMD EPYC 7543 32-Core Processor", 1, 262_144)
Told = Mapping[str, HostSpan | Missing]


class Laid(Hypervisor):
    """A hypervisor that tells what a test laid out, one answer a read."""

    name = "laid"

    def __init__(self, *answers: Told | Exception) -> None:
        self.answers = list(answers)

    def available(self) -> str | None:
        return None

    def read(self) -> Told:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Platform(Laid):
    """One whose hosts have a sensor."""

    tells_power = True


class Meter(Source):
    """A sensor of a host that always draws 300 W, on the clock of this machine."""

    name = "meter"
    authority = Authority.BMC
    boundary = Boundary.SERVER_INPUT
    quality = Quality.MEASURED

    def __init__(self) -> None:
        self.last_s = time.monotonic()

    def available(self) -> str | None:
        return None

    def read(self) -> Energy:
        before_s, self.last_s = self.last_s, time.monotonic()
        duration_ms = round((self.last_s - before_s) * 1000)
        return Energy(300 * duration_ms, duration_ms)


def moment(seconds: float) -> Moment:
    return Moment(NOON_S + seconds, 5000 + seconds, 7000 + seconds)


def guest(cpu_s: float = 6, name: str = "web", uid: str = A) -> Guest:
    return Guest(name, uid, uid[:8], 2, round(cpu_s * 1e6), ram_mb=4096)


def span(*guests: Guest, covered_s: float = 15, busy_s: float = 96, watts: int | None = None) -> HostSpan:
    energy = None if watts is None else Energy(round(watts * covered_s * 1000), round(covered_s * 1000))
    return HostSpan(round(covered_s * 1e6), 64, round(busy_s * 1e6), guests, EPYC, energy=energy)


Kept = dict[str, list[Reading]]


def watched(
    hypervisor: Hypervisor, sources: Mapping[str, list[Source]] | None = None, others: set[str] | None = None
) -> tuple[Watch, Kept]:
    """A watch over a hypervisor, and what it keeps of each host."""
    kept: Kept = {}

    def keeper(host: str) -> Callable[[Reading, Facts], None]:
        kept[host] = []
        return lambda reading, _: kept[host].append(reading)

    managed = Managed(hypervisor, sources or {})
    return Watch(managed, keeper, Pace(), others or set()), kept


def looked(watch: Watch, *seconds: float) -> None:
    for second in seconds:
        watch.look(moment(second))


def test_a_minute_of_a_host_is_one_interval_with_its_machines_and_its_modelled_power() -> None:
    watch, kept = watched(Laid({"esx-01": FIRST_READ}, *[{"esx-01": span(guest())} for _ in range(5)]))
    looked(watch, 0, 15, 30, 45, 60, 75)
    first, minute = kept["esx-01"]
    assert (first.duration_ms, minute.duration_ms) == (15_000, 45_000)
    assert (minute.vcpu, minute.busy_cpu_ms, minute.ram_mb) == (64, 288_000, 262_144)
    [use] = minute.workloads
    assert (use.name, use.uid, use.cpu_ms, use.reserved_mcpu) == ("web", A, 18_000, 2000)
    [modelled] = minute.measurements
    assert (modelled.source, modelled.quality, modelled.authority) == (
        "model",
        Quality.MODELLED,
        Authority.MODEL,
    )
    assert modelled.min_mj is not None
    assert modelled.max_mj is not None
    assert 0 < modelled.min_mj < modelled.energy_mj < modelled.max_mj
    assert minute.gaps == ()


def test_what_the_platform_measured_comes_before_the_model() -> None:
    watch, kept = watched(
        Platform({"esx-01": FIRST_READ}, *[{"esx-01": span(guest(), watts=350)} for _ in range(4)])
    )
    looked(watch, 0, 15, 30, 45, 60)
    minute = kept["esx-01"][-1]
    assert [(one.source, one.authority) for one in minute.measurements] == [
        ("hypervisor", Authority.BMC),
        ("model", Authority.MODEL),
    ]
    assert minute.measurements[0].energy_mj == 350 * 45 * 1000


def test_a_machine_hardly_used_pays_for_no_idle_server_though_the_sensor_knows_no_idle_power() -> None:
    idle = span(guest(0.01), busy_s=0.01, watts=100)
    watch, kept = watched(Platform({"esx-01": FIRST_READ}, *[{"esx-01": idle}] * 4))
    looked(watch, 0, 15, 30, 45, 60)
    minute = kept["esx-01"][-1]
    [sensor, model] = minute.measurements
    assert sensor.idle_power_mw == model.idle_power_mw
    consumers = {use.name: Consumer(use.cpu_ms, use.reserved_mcpu) for use in minute.workloads}
    shares = attribute(
        sensor.energy_mj, minute.duration_ms, sensor.idle_power_mw, 64, minute.busy_cpu_ms, consumers
    )
    assert shares.energy_mj == sensor.energy_mj
    assert shares.workloads["web"].energy_mj <= sensor.energy_mj * 2 // 64


def test_a_platform_that_lacks_a_sensor_is_a_gap_and_the_model_stands() -> None:
    watch, kept = watched(Platform({"esx-01": FIRST_READ}, {"esx-01": span(guest())}))
    looked(watch, 0, 15)
    [reading] = kept["esx-01"]
    assert [one.source for one in reading.measurements] == ["model"]
    assert [gap.reason for gap in reading.gaps] == ["the platform tells no power of this host"]


def test_a_sensor_that_the_configuration_names_measures_on_its_own_clock() -> None:
    hypervisor = Laid({"esx-01": FIRST_READ}, {"esx-01": span(guest(), covered_s=0.2, busy_s=1)})
    watch, kept = watched(hypervisor, {"esx-01": [Meter()]})
    watch.look(Moment.now())
    time.sleep(0.2)
    watch._asked_s = 0.0
    watch.look(Moment.now())
    [reading] = kept["esx-01"]
    assert [one.source for one in reading.measurements] == ["meter", "model"]
    assert reading.measurements[0].energy_mj == pytest.approx(300 * reading.duration_ms, abs=300 * 20)


def test_what_the_hypervisor_counted_in_a_silence_comes_with_its_next_answer() -> None:
    silence = Unreachable("vcenter: no answer")
    watch, kept = watched(
        Laid({"esx-01": FIRST_READ}, {"esx-01": span()}, silence, silence, {"esx-01": span(guest(30))})
    )
    looked(watch, 0, 15, 60, 120, 180)
    readings = kept["esx-01"]
    assert [reading.duration_ms for reading in readings] == [15_000, 165_000]
    assert [use.cpu_ms for use in readings[1].workloads] == [30_000]
    assert readings[0].ended_at == readings[1].started_at


def test_after_a_long_silence_a_host_begins_anew() -> None:
    silence = [Unreachable("vcenter: no answer")] * 12
    after = [{"esx-01": span(guest(900), covered_s=720)}, {"esx-01": span(guest(6))}]
    watch, kept = watched(Laid({"esx-01": FIRST_READ}, {"esx-01": span()}, *silence, *after))
    looked(watch, 0, 15, *range(60, 60 * 13, 60), 60 * 13, 60 * 13 + 15)
    readings = kept["esx-01"]
    assert [reading.duration_ms for reading in readings] == [15_000, 15_000]
    assert [use.cpu_ms for use in readings[1].workloads] == [6000]


class Clocked(Meter):
    """The same sensor on the clock of the test."""

    now_s = 0.0

    def __init__(self) -> None:
        self.last_s: float = self.now_s

    def read(self) -> Energy:
        before_s, self.last_s = self.last_s, Clocked.now_s
        duration_ms = round((self.last_s - before_s) * 1000)
        return Energy(300 * duration_ms, duration_ms)


@pytest.fixture
def clocked(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Looks at moments of the test, also where a source is read."""

    def look(watch: Watch, *seconds: float) -> None:
        for second in seconds:
            monkeypatch.setattr(Clocked, "now_s", second)
            monkeypatch.setattr(Moment, "now", lambda: moment(Clocked.now_s))
            watch.look(moment(second))

    return look


def measured_mj(readings: list[Reading]) -> int:
    return sum(one.energy_mj for each in readings for one in each.measurements if one.source == "meter")


def test_an_hour_without_the_hypervisor_takes_nothing_from_what_the_sensor_measured(
    clocked: Callable[..., None],
) -> None:
    silence = [Unreachable("vcenter: no answer")] * 240
    after = [{"esx-01": span(guest(900), covered_s=3600)}, *[{"esx-01": span(guest(6))}] * 4]
    watch, kept = watched(
        Laid({"esx-01": FIRST_READ}, {"esx-01": span(guest())}, *silence, *after), {"esx-01": [Clocked()]}
    )
    clocked(watch, *[15.0 * number for number in range(247)])
    watch.end()
    readings = kept["esx-01"]
    assert measured_mj(readings) == 300 * 15_000 * 246
    assert sum(reading.duration_ms for reading in readings) == 15_000 * 246
    alone = [reading for reading in readings if not reading.workloads]
    assert sum(reading.duration_ms for reading in alone) == 15_000 * 241
    for reading in alone:
        assert (reading.vcpu, reading.busy_cpu_ms) == (64, 0)
        assert ("workloads", "vcenter: no answer") in [(gap.source, gap.reason) for gap in reading.gaps]
        shared = attribute(measured_mj([reading]), reading.duration_ms, None, 64, 0, {})
        assert shared.unattributed.energy_mj == measured_mj([reading])
    told = [use.cpu_ms for reading in readings for use in reading.workloads]
    assert sum(told) == 5 * 6000


def test_a_silence_that_ends_within_ten_minutes_closes_nothing_without_its_machines(
    clocked: Callable[..., None],
) -> None:
    silence = [Unreachable("vcenter: no answer")] * 20
    after = {"esx-01": span(guest(90), covered_s=315)}
    watch, kept = watched(
        Laid({"esx-01": FIRST_READ}, {"esx-01": span()}, *silence, after), {"esx-01": [Clocked()]}
    )
    clocked(watch, *[15.0 * number for number in range(23)])
    assert [(one.duration_ms, len(one.workloads)) for one in kept["esx-01"]] == [(15_000, 0), (315_000, 1)]
    assert measured_mj(kept["esx-01"]) == 300 * 330_000


def test_a_host_that_is_called_off_is_still_measured_by_its_own_sensor(clocked: Callable[..., None]) -> None:
    told, off = {"esx-01": span(guest())}, {"esx-01": Missing("vCenter has no connection to it")}
    watch, kept = watched(
        Laid({"esx-01": FIRST_READ}, told, told, *[off] * 60, {"esx-01": FIRST_READ}, told, told),
        {"esx-01": [Clocked()]},
    )
    clocked(watch, *[15.0 * number for number in range(66)])
    watch.end()
    readings = kept["esx-01"]
    assert measured_mj(readings) == 300 * 15_000 * 65
    assert sum(use.cpu_ms for reading in readings for use in reading.workloads) == 4 * 6000
    busy = [reading for reading in readings if reading.workloads]
    assert sum(reading.duration_ms for reading in busy) == 4 * 15_000


def test_a_wall_clock_that_is_set_back_an_hour_stops_no_hypervisor() -> None:
    """As it is when the clock of a machine is put right after its start."""
    hypervisor = Laid({"esx-01": FIRST_READ}, *[{"esx-01": span(guest())}] * 100)
    hypervisor.every_s = 60.0  # type: ignore[misc]
    watch, kept = watched(hypervisor)
    for number in range(40):
        second = 15.0 * number
        set_back_s = 3600 if second >= 150 else 0
        watch.look(Moment(NOON_S + second - set_back_s, 5000 + second, 7000 + second))
    asked = 101 - len(hypervisor.answers)
    assert asked in (10, 11)
    assert sum(reading.duration_ms for reading in kept["esx-01"]) >= 8 * 60_000
    assert all(reading.workloads for reading in kept["esx-01"])


def test_a_source_that_cannot_start_is_a_gap_of_its_host_and_stops_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Unstartable(Meter):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    hosts = ("esx-01", "esx-02", "esx-03")
    told = [dict.fromkeys(hosts, span(guest()))] * 5
    watch, kept = watched(Laid(dict.fromkeys(hosts, FIRST_READ), *told), {"esx-02": [Unstartable()]})
    looked(watch, 0, 15, 30, 45, 60, 75)
    assert {host: len(readings) for host, readings in kept.items()} == dict.fromkeys(hosts, 2)
    assert [(gap.source, gap.reason) for gap in kept["esx-02"][0].gaps] == [
        ("meter", "RuntimeError: can't start new thread")
    ]
    assert "esx-02: not from meter: RuntimeError: can't start new thread" in caplog.text


def test_a_host_that_is_misspelt_is_said_once_after_the_first_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told = {"ESX-01": span(guest())}
    watch, _ = watched(
        Laid(Unreachable("no answer"), {"ESX-01": FIRST_READ}, told, told), {"esx-01": [], "esx-10": []}
    )
    looked(watch, 0, 15, 30, 45)
    said = [record.message for record in caplog.records if "esx-10" in record.message]
    assert said == [
        "laid: it tells of no host 'esx-10', so its table measures nothing; it tells of esx-01",
    ]


def test_the_reason_why_a_minute_lacks_the_power_of_the_platform_is_the_real_one() -> None:
    """It is asked once a minute, and its samples are of 40 s of this one."""
    platform = Platform({"esx-01": FIRST_READ}, *[{"esx-01": span(covered_s=40, watts=300)}] * 3)
    platform.every_s = 60.0  # type: ignore[misc]
    watch, kept = watched(platform)
    looked(watch, *range(0, 190, 15))
    for reading in kept["esx-01"]:
        assert [(gap.source, gap.reason) for gap in reading.gaps] == [
            ("hypervisor", "its reads do not add up to the interval")
        ]


def test_what_is_stated_of_a_host_makes_its_model() -> None:
    stated = ModelSettings(cpu_model="AMD EPYC 9654", cores=96, drives=8, ram_gb=1024)
    spans = [{"esx-01": span(guest())}] * 2
    kept: Kept = {"esx-01": []}
    watch = Watch(
        Managed(Laid({"esx-01": FIRST_READ}, *spans), models={"esx-01": stated}),
        lambda host: lambda reading, _: kept[host].append(reading),
        Pace(),
    )
    looked(watch, 0, 15)
    [modelled] = kept["esx-01"][0].measurements
    server = server_of("AMD EPYC 9654", 64, cores=96, sockets=1, ram_mb=1024 * 1024, drives=8)
    assert modelled.energy_mj == server.energy(15_000, 96 / (15 * 64)).energy_mj
    assert modelled.idle_power_mw == server.median.idle_mw


def test_a_host_that_is_called_off_ends_with_what_was_told_before() -> None:
    off = {"esx-01": Missing("vCenter has no connection to it"), "esx-02": span()}
    watch, kept = watched(
        Laid(
            {"esx-01": FIRST_READ, "esx-02": FIRST_READ},
            {"esx-01": span(), "esx-02": span()},
            {"esx-01": span(guest()), "esx-02": span()},
            off,
            off,
        )
    )
    looked(watch, 0, 15, 30, 45, 60)
    assert [reading.duration_ms for reading in kept["esx-01"]] == [15_000, 15_000]
    assert [reading.duration_ms for reading in kept["esx-02"]] == [15_000, 45_000]


def test_a_host_that_is_told_no_more_ends_and_one_that_comes_begins() -> None:
    watch, kept = watched(
        Laid(
            {"esx-01": FIRST_READ},
            {"esx-01": span()},
            {"esx-02": FIRST_READ},
            {"esx-02": span(guest())},
        )
    )
    looked(watch, 0, 15, 30, 45)
    assert [len(kept[host]) for host in ("esx-01", "esx-02")] == [1, 1]


def test_a_machine_that_moves_within_a_minute_counts_on_each_host_for_what_that_host_saw() -> None:
    watch, kept = watched(
        Laid(
            {"esx-01": FIRST_READ, "esx-02": FIRST_READ},
            {"esx-01": span(guest(10)), "esx-02": span()},
            {"esx-01": span(guest(9)), "esx-02": span()},
            {"esx-01": span(), "esx-02": span(guest(2))},
            {"esx-01": span(), "esx-02": span(guest(8))},
        )
    )
    looked(watch, 0, 15, 30, 45, 60)
    seen = {
        host: sum(use.cpu_ms for reading in readings for use in reading.workloads)
        for host, readings in kept.items()
    }
    assert seen == {"esx-01": 19_000, "esx-02": 10_000}
    assert {use.uid for readings in kept.values() for one in readings for use in one.workloads} == {A}


def test_a_hypervisor_that_breaks_is_a_reason_and_the_next_pass_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watch, kept = watched(Laid({"esx-01": FIRST_READ}, KeyError("cpu"), {"esx-01": span(guest())}))
    looked(watch, 0, 15, 30)
    assert [reading.duration_ms for reading in kept["esx-01"]] == [30_000]
    [record] = caplog.records
    assert re.fullmatch(r"laid: KeyError in \w+\.py, line \d+", record.message), (
        "the place of the fault, not its text: it may quote a secret"
    )


def test_a_host_whose_name_the_console_cannot_take_is_said_once_and_the_others_are_measured(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answers = [{"ESX 01!": FIRST_READ, "ESX-02.example": FIRST_READ}] * 2
    watch, kept = watched(Laid(*answers))
    looked(watch, 0, 15)
    assert list(kept) == ["esx-02.example"]
    assert len(caplog.records) == 1


def test_the_host_that_the_agent_measures_itself_is_not_measured_twice(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watch, kept = watched(Laid({"kvm-03": FIRST_READ}), others={"kvm-03"})
    looked(watch, 0)
    assert kept == {}
    assert "this_host" in caplog.text


def a_reading(second: int) -> Reading:
    watch, kept = watched(Laid({"h": FIRST_READ}, {"h": span(guest())}))
    looked(watch, second, second + 15)
    return kept["h"][0]


Hire = Callable[..., Courier]


@pytest.fixture
def courier(tmp_path: Path) -> Iterator[Hire]:
    """Makes couriers that use the same folder, and lets go of what they hold."""
    (tmp_path / "token").write_text("token")
    with ExitStack() as hired:

        def hire(url: str, room: Room | None = None) -> Courier:
            door = Door(url, SecretFile(tmp_path / "token"))
            return hired.enter_context(Courier(tmp_path / "outbox", "test", door, room or Room()))

        yield hire


def test_each_host_has_its_own_stream_and_facts_and_all_are_sent_by_one_courier(courier: Hire) -> None:
    with Console() as console:
        sending = courier(console.url)
        for number in range(3):
            keep = sending.keeper(f"esx-0{number}")
            keep(a_reading(0), replace(EPYC, cluster=f"c{number}"))
            keep(a_reading(15), replace(EPYC, cluster=f"c{number}"))
        assert sending.round()
    told = {batch["host"]: (batch["facts"]["cluster"], len(batch["readings"])) for batch in console.batches}
    assert told == {"esx-00": ("c0", 2), "esx-01": ("c1", 2), "esx-02": ("c2", 2)}
    assert len({batch["stream"] for batch in console.batches}) == 3


def test_a_console_that_is_away_is_not_asked_for_every_host_and_each_gets_its_turn(courier: Hire) -> None:
    with Console(reply=refuse(500, "no")) as console:
        sending = courier(console.url)
        for number in range(5):
            sending.keeper(f"esx-0{number}")(a_reading(0), EPYC)
        assert not sending.round()
        assert [batch["host"] for batch in console.batches] == ["esx-00", "esx-01", "esx-02"]
        console.reply = accept
        console.batches.clear()
        assert sending.round()
        assert [batch["host"] for batch in console.batches] == [
            "esx-03",
            "esx-04",
            "esx-00",
            "esx-01",
            "esx-02",
        ]


def test_what_one_host_may_not_send_holds_up_no_other(courier: Hire, tmp_path: Path) -> None:
    def only_others(batch: Batch) -> tuple[int, object]:
        return refuse(403, "not this host")(batch) if batch["host"] == "esx-00" else accept(batch)

    with Console(reply=only_others) as console:
        sending = courier(console.url)
        for number in range(4):
            sending.keeper(f"esx-0{number}")(a_reading(0), EPYC)
        assert not sending.round()
        assert len({batch["host"] for batch in console.batches}) == 4
        assert len(list((tmp_path / "outbox/hosts/esx-00").glob("0*.json"))) == 1
        assert list((tmp_path / "outbox/hosts/esx-01").glob("0*.json")) == []


def test_what_an_earlier_run_left_is_sent_though_its_host_is_told_of_no_more(courier: Hire) -> None:
    with Console(reply=refuse(503, "later")) as console:
        with courier(console.url) as earlier:
            earlier.keeper("esx-00")(a_reading(0), EPYC)
        console.reply = accept
        console.batches.clear()
        later = courier(console.url)
        later.start()
        waited_until_s = time.monotonic() + 10
        while not console.batches and time.monotonic() < waited_until_s:
            time.sleep(0.02)
        later.stop(5)
    assert [batch["host"] for batch in console.batches] == ["esx-00"]


def test_the_outboxes_of_all_hosts_share_their_room_and_the_oldest_stay(
    courier: Hire, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sending = courier("http://127.0.0.1:1", Room(3 * 4096))
    for number in range(5):
        sending.keeper(f"esx-0{number}")(a_reading(0), EPYC)
    kept = sorted(path.parent.name for path in (tmp_path / "outbox/hosts").glob("*/0*.json"))
    assert kept == ["esx-00", "esx-01", "esx-02"]
    assert "were not kept" in caplog.text
    assert issubclass(OutboxFull, Exception)


def test_two_agents_do_not_use_the_outbox_of_one_host(courier: Hire) -> None:
    courier("http://127.0.0.1:1").keeper("esx-00")
    with pytest.raises(OutboxUnusable, match="another collector uses this outbox"):
        courier("http://127.0.0.1:1").keeper("esx-00")


HOST = """
<node>
  <domain type='test'>
    <name>payroll</name><uuid>4b5e0f38-6c1e-4f0a-9c0c-0a4e8d0a1b01</uuid>
    <memory>8388608</memory><vcpu>4</vcpu><os><type>hvm</type></os>
  </domain>
  <cpu>
    <mhz>2400</mhz><model>x86_64</model><active>64</active>
    <nodes>2</nodes><sockets>1</sockets><cores>16</cores><threads>2</threads>
  </cpu>
  <memory>268435456</memory>
</node>
"""


def agent(tmp_path: Path, url: str, *options: str, hosts: str = "") -> subprocess.Popen[str]:
    """A real agent that reads a libvirt host and not its own, with the system's binding in its path."""
    modules = tmp_path / "modules"
    modules.mkdir(exist_ok=True)
    for path in libvirt_files():
        if not (modules / path.name).exists():
            (modules / path.name).symlink_to(path)
    (tmp_path / "host.xml").write_text(HOST)
    token = tmp_path / "token"
    token.write_text("token")
    token.chmod(0o600)
    (tmp_path / "collector.toml").write_text(
        f"""
        [console]
        url = "{url}"
        token_file = "{token}"

        [agent]
        outbox = "{tmp_path}/outbox"
        this_host = false
        sample_seconds = 0.5
        interval_seconds = 1

        [[hypervisors]]
        kind = "libvirt"
        uri = "test://{tmp_path}/host.xml"
        host = "kvm-03"
        cluster = "prod"
        {hosts}
        """
    )
    command = [sys.executable, "-m", "collectors", "--config", str(tmp_path / "collector.toml"), *options]
    return subprocess.Popen(
        command, env=os.environ | {"PYTHONPATH": str(modules)}, stdout=subprocess.PIPE, text=True
    )


def until(batches: list[Batch], count: int) -> None:
    waited_until_s = time.monotonic() + 20
    while len(batches) < count and time.monotonic() < waited_until_s:
        time.sleep(0.05)


@pytest.mark.libvirt
def test_an_agent_measures_the_host_of_a_libvirt_and_goes_on_after_it_was_killed(tmp_path: Path) -> None:
    with Console() as console:
        killed = agent(tmp_path, console.url)
        until(console.batches, 2)
        killed.send_signal(signal.SIGKILL)
        killed.communicate()
        before = len(console.batches)
        ended = agent(tmp_path, console.url)
        until(console.batches, before + 2)
        ended.terminate()
        ended.communicate(timeout=20)
    assert ended.returncode == 0
    assert {batch["host"] for batch in console.batches} == {"kvm-03"}
    assert {batch["facts"]["cluster"] for batch in console.batches} == {"prod"}
    assert len({batch["stream"] for batch in console.batches}) == 1
    assert len(console.sequences) == len(set(console.sequences))
    reading = console.batches[-1]["readings"][-1]
    assert [use["uid"] for use in reading["workloads"]] == ["4b5e0f38-6c1e-4f0a-9c0c-0a4e8d0a1b01"]
    assert [one["source"] for one in reading["measurements"]] == ["model"]


@pytest.mark.libvirt
def test_a_dry_run_shows_the_hosts_of_a_hypervisor_and_sends_nothing(tmp_path: Path) -> None:
    with Console() as console:
        shown, _ = agent(tmp_path, console.url, "--dry-run").communicate(timeout=30)
    batch = json.loads(shown)
    assert (batch["host"], batch["readings"][0]["vcpu"]) == ("kvm-03", 64)
    assert console.batches == []
    assert not (tmp_path / "outbox").exists()


def test_the_settings_in_the_manual_are_those_that_an_agent_takes(tmp_path: Path) -> None:
    manual = (Path(__file__).parents[2] / "docs" / "hypervisors.md").read_text()
    blocks = re.findall(r"```toml\n(.*?)```", manual, re.DOTALL)
    for name in ("token", "vcenter.password", "ilo.password", "vcenter-ca.pem"):
        (tmp_path / name).write_text("secret")
        (tmp_path / name).chmod(0o600)
    console = f'[console]\nurl = "https://console.example"\ntoken_file = "{tmp_path}/token"\n'
    agent_table = '[agent]\noutbox = "/var/lib/console-inr-collector"\n'
    found = []
    for block in blocks:
        text = console + ("" if "[agent]" in block else agent_table) + block
        path = tmp_path / "collector.toml"
        path.write_text(text.replace("/etc/console-inr", str(tmp_path)))
        found += load(path).managers
    assert [(one.kind, list(one.host_sources)) for one in found] == [
        ("vsphere", ["esx-01.example"]),
        ("libvirt", ["kvm-03"]),
    ]
    assert {name for one in found for wanted in one.host_sources.values() for name in wanted} == {
        "redfish",
        "rapl",
    }


def test_every_kind_of_hypervisor_is_in_the_manual() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "hypervisors.md").read_text()
    for kind in registry.HYPERVISORS:
        assert f"| `{kind}` |" in manual


@pytest.mark.libvirt
def test_the_doctor_asks_the_hypervisors_and_says_which_host_is_misspelt(tmp_path: Path) -> None:
    asked = agent(tmp_path, "http://127.0.0.1:1", "doctor", hosts="[hypervisors.hosts.kvm-30.sources.model]")
    shown, _ = asked.communicate(timeout=30)
    assert re.search(r"good +hypervisors libvirt +tells of 1 hosts?: kvm-03", shown)
    assert re.search(r"broken +hypervisors libvirt +it tells of no host 'kvm-30', .* tells of kvm-03", shown)


@pytest.mark.parametrize(
    ("hypervisors", "message"),
    [
        ("", "this_host: false, and no [[hypervisors]]: nothing is left to measure"),
        (
            '[[hypervisors]]\nkind = "rvtools"\nfolder = "/nowhere"\n',
            "hypervisors: rvtools: folder: /nowhere: there is no such folder",
        ),
    ],
)
def test_an_agent_that_could_measure_nothing_does_not_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, hypervisors: str, message: str
) -> None:
    (tmp_path / "token").write_text("token")
    (tmp_path / "token").chmod(0o600)
    (tmp_path / "collector.toml").write_text(
        f'[console]\nurl = "https://console.example"\ntoken_file = "{tmp_path}/token"\n'
        f'[agent]\noutbox = "{tmp_path}/outbox"\nthis_host = false\n{hypervisors}'
    )
    assert main(["--config", str(tmp_path / "collector.toml")]) == 2
    assert message in caplog.text
    assert not (tmp_path / "outbox").exists()
