"""Machines are told apart and counted once: clones, restores, reboots, moves, machines that come and go."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.host_view import HostView
from collectors.instrument import HostUse, Missing
from collectors.reading import Kind, Use, decode_batch, decode_reading, encode_batch
from collectors.sampler import Moment, Sampler
from collectors.virtual import Counted, Guest, HostSpan, Names, Spent, spent, use_of
from console.domain.attribution import Attribution, Consumer, IdlePolicy, attribute

MINUTE_US = 60_000_000
A, B = "4b5e0f38-6c1e-4f0a-9c0c-0a4e8d0a1b01", "9f8e7d6c-6c1e-4f0a-9c0c-0a4e8d0a1b02"


def guest(name: str = "web", uid: str | None = A, cpu_s: float | None = 6, vcpu: int = 2) -> Guest:
    cpu_us = None if cpu_s is None else round(cpu_s * 1e6)
    return Guest(name, uid, (uid or "none")[:8], vcpu, cpu_us, ram_mb=4096, steal_us=0)


def span(*guests: Guest, busy_s: float = 30, vcpu: int = 8) -> HostSpan:
    return HostSpan(MINUTE_US, vcpu, round(busy_s * 1e6), guests)


def moment(seconds: float) -> Moment:
    return Moment(1_795_000_000 + seconds, 5000 + seconds, 7000 + seconds)


def uses(*spans: HostSpan | Missing) -> dict[str, Use]:
    """The workloads of an interval of so many minutes, as the console reads them."""
    view = HostView(moment(0).monotonic_s)
    sampler = Sampler([], [], view)
    sampler.mark(moment(0))
    for number, told in enumerate(spans, start=1):
        view.take(told, moment(60 * number).monotonic_s)
        sampler.sample(moment(60 * number))
    reading = sampler.close()
    assert reading is not None
    [raw] = decode_batch(encode_batch("test", "esx-01", "0" * 32, [reading])).readings
    return {use.name: use for use in decode_reading(raw).workloads}


def energies(told: HostSpan, energy_mj: int, idle_power_mw: int | None = None) -> Attribution:
    use = use_of(told)
    consumers = {
        name: Consumer(work.cpu_us // 1000, work.reserved_mcpu) for name, work in use.workloads.items()
    }
    return attribute(energy_mj, 60_000, idle_power_mw, use.vcpu, use.busy_us // 1000, consumers)


@pytest.mark.parametrize(
    ("before", "now", "used"),
    [
        (Counted("7", 10_000_000), Counted("7", 14_000_000), 4_000_000),
        (Counted("7", 10_000_000), Counted("7", 3_000_000), "began again"),
        (Counted("7", 10_000_000), Counted("8", 3_000_000), 3_000_000),
        (None, Counted("7", 3_000_000), 3_000_000),
        (None, Counted("7", 3_600_000_000), "more CPU time"),
        (Counted("7", 0), Counted("7", 3_600_000_000), "more CPU time"),
    ],
    ids=[
        "between two reads",
        "a counter that is lower after a reboot or a move is missing and never negative",
        "a machine that was started again counts from its start",
        "a machine that was born or arrived since counts whole",
        "a counter that travelled with its machine does not count twice",
        "a torn read",
    ],
)
def test_two_reads_of_the_counter_of_a_machine(before: Counted | None, now: Counted, used: int | str) -> None:
    found = spent(before, now, vcpu=2, longest_us=15_000_000)
    if isinstance(used, int):
        assert found == Spent(used, None)
    else:
        assert isinstance(found, Missing)
        assert used in found.reason


@pytest.mark.parametrize("vcpu", [1, 4, 64, 448])
@pytest.mark.parametrize("late_s", [0.0, 0.4, 3.0])
def test_a_machine_that_is_fully_busy_and_read_a_little_late_is_told_whatever_its_size(
    vcpu: int, late_s: float
) -> None:
    used_us = round(vcpu * (15 + late_s) * 1e6)
    found = spent(Counted("7", 10**9), Counted("7", 10**9 + used_us), vcpu, longest_us=15_000_000)
    assert found == Spent(used_us, None)


def test_a_counter_that_began_again_leaves_the_total_of_its_host_unchanged() -> None:
    lost = Guest("web", A, "4b5e0f38", 2, cpu_us=None, missing="its CPU time began again")
    told = span(lost, guest("db", B, 10), busy_s=30)
    use = use_of(told)
    assert (use.busy_us, use.missing) == (30_000_000, "web: its CPU time began again")
    shares = energies(told, 3_000_000)
    assert shares.energy_mj == 3_000_000
    assert shares.unattributed.dynamic_mj == 2_000_000


def test_what_waited_for_a_cpu_is_told_and_is_no_use() -> None:
    waiting = Guest("web", A, "4b5e0f38", 2, cpu_us=6_000_000, steal_us=40_000_000)
    assert uses(span(waiting))["web"] == Use("web", Kind.VM, 6000, 2000, None, None, 40_000, A)


def test_a_clone_with_the_same_name_is_told_with_its_mark_and_so_is_the_original() -> None:
    told = Names().told_apart(
        {"esx-01": span(guest(uid=A, cpu_s=6)), "esx-02": span(guest(uid=B, cpu_s=4))}, 0
    )
    names = {host: [*use_of(found).workloads] for host, found in told.items() if isinstance(found, HostSpan)}
    assert names == {"esx-01": ["web [4b5e0f38]"], "esx-02": ["web [9f8e7d6c]"]}


def test_a_machine_made_anew_under_the_name_of_another_is_told_with_its_mark_for_an_hour() -> None:
    names = Names()

    def name_of(uid: str, now_s: float) -> str:
        told = names.told_apart({"esx-01": span(guest(uid=uid))}, now_s)["esx-01"]
        assert isinstance(told, HostSpan)
        return told.guests[0].name

    assert [name_of(A, 0), name_of(B, 15), name_of(B, 3600), name_of(B, 3700)] == [
        "web",
        "web [9f8e7d6c]",
        "web [9f8e7d6c]",
        "web",
    ]


def test_a_machine_on_two_hosts_while_it_moves_keeps_its_name_and_uid() -> None:
    told = Names().told_apart({"esx-01": span(guest(cpu_s=6)), "esx-02": span(guest(cpu_s=1))}, 0)
    for found in told.values():
        assert isinstance(found, HostSpan)
        assert [(one.name, one.uid) for one in found.guests] == [("web", A)]


def test_a_uid_reused_by_a_restore_beside_the_original_names_neither() -> None:
    told = Names().told_apart({"esx-01": span(guest("web"), guest("web-restored"), guest("db", B))}, 0)[
        "esx-01"
    ]
    assert isinstance(told, HostSpan)
    assert [(one.name, one.uid) for one in told.guests] == [("web", None), ("web-restored", None), ("db", B)]


def test_two_machines_that_nothing_tells_apart_are_one_workload_and_nothing_is_lost() -> None:
    used = use_of(span(guest(uid=None, cpu_s=6), guest(uid=None, cpu_s=4))).workloads
    assert [(work.cpu_us, work.reserved_mcpu) for work in used.values()] == [(10_000_000, 4000)]


@pytest.mark.parametrize("name", ["x" * 300, "tab\tand\nline", "", "é" * 130])
def test_any_name_and_its_clone_pass_the_wire(name: str) -> None:
    told = Names().told_apart({"esx-01": span(guest(name, A), guest(name, B))}, 0)["esx-01"]
    assert {use.uid for use in uses(told).values()} == {A, B}


def test_a_machine_that_left_halfway_reserves_for_half_of_the_interval() -> None:
    used = uses(span(guest("web", A, 6), guest("db", B, 4)), span(guest("db", B, 4)))
    assert [(use.name, use.cpu_ms, use.reserved_mcpu) for use in used.values()] == [
        ("db", 8000, 2000),
        ("web", 6000, 1000),
    ]


def test_n_machines_on_an_idle_host_carry_its_idle_energy_once() -> None:
    idle = [guest(f"vm-{number}", f"uid-{number}", cpu_s=0, vcpu=1) for number in range(8)]
    shares = energies(span(*idle, busy_s=0, vcpu=16), energy_mj=6_000_000, idle_power_mw=100_000)
    assert shares.policy is IdlePolicy.RESERVED
    assert sum(share.energy_mj for share in shares.workloads.values()) == 3_000_000
    assert (shares.idle_kept_mj, shares.energy_mj) == (3_000_000, 6_000_000)


def test_overcommitted_vcpus_share_the_idle_energy_by_all_that_is_reserved() -> None:
    crowd = [guest(f"vm-{number}", f"uid-{number}", cpu_s=1, vcpu=4) for number in range(8)]
    shares = energies(span(*crowd, busy_s=8, vcpu=8), energy_mj=6_000_000, idle_power_mw=50_000)
    assert [share.idle_mj for share in shares.workloads.values()] == [375_000] * 8
    assert (shares.idle_kept_mj, shares.energy_mj) == (0, 6_000_000)


HOSTS, MACHINES, STEPS, VCPU = ("esx-01", "esx-02", "esx-03"), ("a", "b", "c", "d"), 6, 2


@dataclass
class Simulated:
    """Three hosts that count as libvirt does: from 0 with each start or arrival of a machine."""

    counted: dict[str, dict[str, Counted]] = field(default_factory=lambda: {host: {} for host in HOSTS})
    busy_us: Counter[str] = field(default_factory=Counter)
    used_us: Counter[str] = field(default_factory=Counter)
    runs: int = 0

    def run(self, host: str, machine: str, cpu_us: int) -> None:
        """A machine works on a host; it arrives there first if it is not there."""
        for other in HOSTS:
            if other != host:
                self.counted[other].pop(machine, None)
        if machine not in self.counted[host]:
            self.runs += 1
            self.counted[host][machine] = Counted(str(self.runs), 0)
        before = self.counted[host][machine]
        self.counted[host][machine] = Counted(before.epoch, before.cpu_us + cpu_us)
        self.busy_us[host] += cpu_us
        self.used_us[machine] += cpu_us


work = st.tuples(
    st.sampled_from(MACHINES), st.sampled_from(HOSTS), st.integers(0, VCPU * 1_000_000), st.booleans()
)


@given(
    minutes=st.lists(st.lists(work, max_size=STEPS), min_size=1, max_size=6),
    overhead_us=st.integers(0, 1_000_000),
    energy_mj=st.integers(0, 10**8),
    idle_mw=st.integers(0, 10**6),
)
def test_whatever_moves_where_time_and_energy_add_up(
    minutes: list[list[tuple[str, str, int, bool]]], overhead_us: int, energy_mj: int, idle_mw: int
) -> None:
    """What hosts tell of a machine plus what they saw of it after their last read is what it used."""
    simulated, told_us = Simulated(), Counter[str]()
    unseen_us: Counter[str] = Counter()
    before: dict[str, dict[str, Counted]] = {host: {} for host in HOSTS}
    for minute in minutes:
        busy_before = Counter(simulated.busy_us)
        used_here: defaultdict[tuple[str, str], int] = defaultdict(int)
        for machine, host, cpu_us, ends in minute:
            simulated.run(host, machine, cpu_us)
            used_here[host, machine] += cpu_us
            if ends:
                simulated.counted[host].pop(machine)
        for host in HOSTS:
            now = dict(simulated.counted[host])
            guests = []
            for machine, counted in now.items():
                used = spent(before[host].get(machine), counted, VCPU * STEPS, MINUTE_US)
                assert isinstance(used, Spent)
                guests.append(Guest(machine, machine, machine, VCPU, used.cpu_us))
                told_us[machine] += used.cpu_us
                unseen_us[machine] += used_here[host, machine] - used.cpu_us
            for machine in MACHINES:
                if machine not in now:
                    unseen_us[machine] += used_here[host, machine]
            busy_us = simulated.busy_us[host] - busy_before[host] + overhead_us
            span = HostSpan(MINUTE_US, 8, busy_us, tuple(guests))
            named_us = sum(one.cpu_us or 0 for one in span.guests)
            assert named_us <= busy_us
            shares = energies(span, energy_mj, idle_mw)
            assert shares.energy_mj == energy_mj
            before[host] = now
    assert all(value >= 0 for value in unseen_us.values())
    for machine in MACHINES:
        assert told_us[machine] + unseen_us[machine] == simulated.used_us[machine]


def test_a_machine_that_appears_and_dies_between_two_reads_stays_unattributed() -> None:
    told = span(guest("web", A, 6), busy_s=10)
    shares = energies(told, 1_000_000)
    assert shares.workloads["web"].energy_mj == 600_000
    assert shares.unattributed.energy_mj == 400_000


def test_a_view_tells_nothing_before_its_hypervisor_was_asked() -> None:
    view = HostView(0.0)
    assert isinstance(view.read(), Missing)
    view.take(span(guest()), 60.0)
    assert isinstance(view.read(), HostUse)
