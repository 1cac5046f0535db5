"""An interval holds what was measured of the whole of it; clocks and failures invent nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.instrument import Energy, HostUse, Missing, Source, Work
from collectors.reading import (
    Authority,
    Boundary,
    Gap,
    Kind,
    Quality,
    Reading,
    Use,
    decode_batch,
    decode_reading,
    encode_batch,
)
from collectors.rules import parse
from collectors.sampler import Interval, Moment, Sampler, settled
from collectors.sources.processes import Processes
from tests.collectors.trees import Host

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
RULES = parse({"workload": [{"name": "user {user}", "user": "*"}]})


class Meter(Source):
    """A source that gives what a test laid out, one result a read."""

    name = "meter"
    authority = Authority.BMC
    boundary = Boundary.SERVER_INPUT
    quality = Quality.MEASURED

    def __init__(self, *results: Energy | Missing | Exception) -> None:
        self.results = list(results)

    def available(self) -> str | None:
        return None

    def read(self) -> Energy | Missing:
        result = self.results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result


FIRST = Missing("the first read")


def joules(count: float, seconds: float = 15) -> Energy:
    return Energy(round(count * 1000), round(seconds * 1000), min_mj=0, max_mj=10**6, idle_power_mw=900)


def moment(seconds: float, *, stepped_s: float = 0, suspended_s: float = 0) -> Moment:
    """So many seconds after noon; the clocks started elsewhere."""
    wall_s = NOON.timestamp() + seconds + stepped_s + suspended_s
    return Moment(wall_s, 5000 + seconds, 7000 + seconds + suspended_s)


def interval(host: Host, *results: Energy | Missing | Exception, at: list[Moment] | None = None) -> Reading:
    """A minute from noon in four samples, or the samples given."""
    sampler = Sampler([Meter(FIRST, *results)], [], Processes(host.roots, RULES))
    sampler.mark(moment(0))
    for sampled in at or [moment(15), moment(30), moment(45), moment(60)]:
        sampler.sample(sampled)
    reading = sampler.close()
    assert reading is not None
    return reading


def test_the_samples_of_a_minute_add_up(host: Host) -> None:
    reading = interval(host, joules(10), joules(20), joules(30), joules(40))
    assert [(m.energy_mj, m.min_mj, m.max_mj) for m in reading.measurements] == [(100_000, 0, 4_000_000)]
    assert reading.measurements[0].idle_power_mw == 900
    assert (reading.started_at, reading.ended_at) == (NOON, NOON + timedelta(minutes=1))
    assert reading.duration_ms == 60_000
    assert reading.gaps == ()


def test_labels_near_a_whole_sample_take_it_and_others_stay(host: Host) -> None:
    near = interval(host, joules(1, 14.8), at=[moment(14.8)])
    assert near.ended_at == NOON + timedelta(seconds=15)
    assert near.duration_ms == 14_800
    far = interval(host, joules(1, 13), at=[moment(13)])
    assert far.ended_at == NOON + timedelta(seconds=13)


@pytest.mark.parametrize(
    ("results", "energy_mj", "reason"),
    [
        ([joules(1), Missing("torn"), joules(2, 30), joules(1)], 4000, None),
        ([joules(1), Missing("reset"), joules(1), joules(1)], None, "reset"),
        ([joules(1), joules(1), joules(1), Missing("no answer")], None, "no answer"),
        ([joules(1, 30), joules(1), joules(1), joules(1)], None, "do not add up"),
        ([joules(1), OSError("unplugged"), joules(1), joules(1)], None, "OSError: unplugged"),
        ([joules(1), Missing("two\nlines"), joules(1), joules(1)], None, "two lines"),
    ],
)
def test_a_part_never_passes_for_the_whole(
    host: Host, results: list[Energy | Missing | Exception], energy_mj: int | None, reason: str | None
) -> None:
    reading = interval(host, *results)
    assert [m.energy_mj for m in reading.measurements] == ([energy_mj] if energy_mj else [])
    assert len(reading.gaps) == (1 if reason else 0)
    if reason:
        assert reason in reading.gaps[0].reason


def test_a_source_that_cannot_run_here_is_a_gap_of_every_interval(host: Host) -> None:
    absent = Gap("rapl", "no powercap tree")
    sampler = Sampler([], [absent], Processes(host.roots, RULES))
    sampler.mark(moment(0))
    sampler.sample(moment(15))
    reading = sampler.close()
    assert reading is not None
    assert reading.gaps == (absent,)
    assert reading.measurements == ()


@pytest.mark.parametrize("step_s", [-3600, -5, 5, 86_400])
def test_a_step_of_the_wall_clock_closes_the_interval_and_changes_no_energy(
    host: Host, step_s: float
) -> None:
    sampler = Sampler([Meter(FIRST, joules(10), joules(10), joules(10))], [], Processes(host.roots, RULES))
    sampler.mark(moment(0))
    assert not sampler.sample(moment(15))
    assert sampler.sample(moment(30, stepped_s=step_s))
    before = sampler.close()
    sampler.sample(moment(45, stepped_s=step_s))
    after = sampler.close()
    assert before is not None
    assert after is not None
    assert (before.started_at, before.ended_at) == (NOON, NOON + timedelta(seconds=30))
    assert after.ended_at - after.started_at == timedelta(seconds=15)
    assert [m.energy_mj for r in (before, after) for m in r.measurements] == [20_000, 10_000]


def test_a_suspend_is_a_gap_and_not_energy(host: Host) -> None:
    samples = [moment(15), moment(30, suspended_s=3600)]
    reading = interval(host, joules(10), joules(500), at=samples)
    assert reading.measurements == ()
    assert reading.gaps == (Gap("meter", "the machine was suspended for 3600 s"),)
    assert reading.duration_ms == 30_000


def test_an_interval_goes_on_until_the_cpu_times_are_known(host: Host) -> None:
    sampler = Sampler([Meter(FIRST, joules(10), joules(10))], [], Processes(host.roots, RULES))
    sampler.mark(moment(0))
    (host.roots.proc / "stat").write_text("")
    sampler.sample(moment(15))
    assert sampler.close() is None
    host.busy(3)
    sampler.sample(moment(30))
    reading = sampler.close()
    assert reading is not None
    assert (reading.busy_cpu_ms, reading.measurements[0].energy_mj) == (3000, 20_000)


@pytest.mark.parametrize(
    ("busy_s", "used_s", "busy_ms", "used_ms"),
    [
        (9, (4, 3), 9000, [4000, 3000]),
        (5, (4, 3), 7000, [4000, 3000]),
        (9, (0, 0), 9000, []),
        (100, (80, 80), 120_000, [60_000, 60_000]),
    ],
    ids=["the rest is unattributed", "busy sampled too low", "nothing used", "more than there was"],
)
def test_the_workloads_never_add_up_to_more_than_busy(
    host: Host, busy_s: float, used_s: tuple[float, float], busy_ms: int, used_ms: list[int]
) -> None:
    host.process(90, 0, uid=54321)
    host.process(91, 0, uid=54322)
    sampler = Sampler([], [], Processes(host.roots, RULES))
    sampler.mark(moment(0))
    host.busy(busy_s)
    host.process(90, used_s[0], uid=54321)
    host.process(91, used_s[1], uid=54322)
    sampler.sample(moment(60))
    reading = sampler.close()
    assert reading is not None
    assert (reading.busy_cpu_ms, [use.cpu_ms for use in reading.workloads]) == (busy_ms, used_ms)
    assert {use.kind for use in reading.workloads} <= {Kind.USER}


@given(
    busy_us=st.integers(0, 10**9),
    used_us=st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 10**9)),
    duration_ms=st.integers(1, 100_000),
    vcpu=st.integers(1, 64),
)
def test_the_sum_stays_within_busy_for_any_counts(
    busy_us: int, used_us: dict[str, int], duration_ms: int, vcpu: int
) -> None:
    began = moment(0)
    ended = replace(began, monotonic_s=began.monotonic_s + duration_ms / 1000)
    under_way = Interval(began, ended, {}, began)
    works = {name: Work(Kind.USER, us) for name, us in used_us.items()}
    under_way.add_use(HostUse(busy_us, vcpu, works), ended)
    busy_ms, uses = settled(under_way)
    assert sum(use.cpu_ms for use in uses) <= busy_ms


def test_the_console_reads_what_the_sampler_wrote(host: Host) -> None:
    host.process(92, 0, uid=54321)
    sampler = Sampler([Meter(FIRST, joules(7))], [Gap("rapl", "none")], Processes(host.roots, RULES))
    sampler.mark(moment(0))
    host.process(92, 2, uid=54321)
    sampler.sample(moment(15))
    reading = sampler.close()
    assert reading is not None
    assert reading.workloads == (Use("user 54321", Kind.USER, 2000),)
    envelope = decode_batch(encode_batch("agent", "host", "a" * 32, [reading]))
    assert decode_reading(envelope.readings[0]) == reading


class Told:
    """The use of a host as somebody else than its kernel tells it, one result a read."""

    def __init__(self, *results: HostUse | Missing) -> None:
        self.results: list[HostUse | Missing] = [FIRST, *results]

    def read(self) -> HostUse | Missing:
        return self.results.pop(0)

    def workload_of(self, pid: int) -> tuple[str, Kind] | None:
        return {7: ("web-1", Kind.VM), 8: ("training", Kind.CONTAINER)}.get(pid)


class Card(Meter):
    """A graphics card that tells its time by process."""

    def gpus(self) -> int:
        return 2

    def gpu_us_by_pid(self) -> dict[int, int]:
        return {7: 250_000, 8: 1_000_000, 9: 3_000_000}


def told(*results: HostUse | Missing, sources: tuple[Source, ...] = ()) -> Reading:
    """A minute from noon in as many samples as results."""
    sampler = Sampler(list(sources), [], Told(*results))
    sampler.mark(moment(0))
    for number in range(1, len(results) + 1):
        sampler.sample(moment(60 * number / len(results)))
    reading = sampler.close()
    assert reading is not None
    return reading


def running(cpu_us: int, **told: int | str) -> HostUse:
    return HostUse(cpu_us, 4, {"web-1": Work(Kind.VM, cpu_us, **told)}, ram_mb=65536)  # type: ignore[arg-type]


def test_what_is_set_aside_is_the_mean_over_the_interval() -> None:
    there, away = running(1_000_000, reserved_mcpu=4000, reserved_mb=8192, uid="u-1"), HostUse(0, 4)
    assert told(there, there, away, away).workloads == (
        Use("web-1", Kind.VM, 2000, reserved_mcpu=2000, reserved_mb=4096, uid="u-1"),
    )


def test_a_read_that_fails_leaves_its_time_to_the_next() -> None:
    there = running(1_000_000, reserved_mcpu=4000)
    assert told(there, Missing("torn"), there, there).workloads[0].reserved_mcpu == 4000


def test_an_idle_machine_stays_in_the_reading_for_what_is_set_aside_for_it() -> None:
    reading = told(running(0, reserved_mcpu=2000, steal_us=0))
    assert reading.workloads == (Use("web-1", Kind.VM, 0, reserved_mcpu=2000, steal_ms=0),)
    assert (reading.busy_cpu_ms, reading.ram_mb) == (0, 65536)


def test_what_was_stolen_is_told_beside_what_was_used() -> None:
    reading = told(running(1_000_000, steal_us=500_000), running(1_000_000, steal_us=250_000))
    assert [(use.cpu_ms, use.steal_ms) for use in reading.workloads] == [(2000, 750)]
    assert reading.busy_cpu_ms == 2000


def test_what_cannot_be_told_of_some_workloads_is_a_gap_with_the_reason() -> None:
    torn = HostUse(1_000_000, 4, missing="web-1: its CPU time began again")
    assert told(torn, running(5)).gaps == (Gap("workloads", "web-1: its CPU time began again"),)


def test_the_time_of_graphics_cards_goes_to_the_workloads_of_the_processes_that_used_them() -> None:
    card = Card(FIRST, joules(10, 30), joules(10, 30))
    reading = told(running(1_000_000), running(1_000_000), sources=(card,))
    assert {use.name: (use.cpu_ms, use.gpu_ms) for use in reading.workloads} == {
        "training": (0, 2000),
        "web-1": (2000, 500),
    }
    assert reading.gpus == 2


def test_a_card_that_gave_no_energy_gives_no_time() -> None:
    reading = told(running(1_000_000), sources=(Card(FIRST, Missing("no answer")),))
    assert [use.gpu_ms for use in reading.workloads] == [None]
    assert reading.gpus is None
