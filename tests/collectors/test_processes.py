"""CPU time goes to named workloads once, from groups first; what lives shorter than a sample is not lost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import tomllib
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.instrument import HostUse, Missing, Roots, Work
from collectors.proc import Key, ProcessTimes
from collectors.reading import Kind
from collectors.rules import parse
from collectors.sources import processes
from collectors.sources.processes import Processes, spent
from console.domain.attribution import Consumer, IdlePolicy, default_policy
from tests.collectors.real_groups import counted_s, counting_root, group, join
from tests.collectors.trees import Host, written

RULES = parse(
    tomllib.loads("""
        [[workload]]
        name = "backup"
        command = "^/usr/bin/backup"
        [[workload]]
        name = "{systemd}"
        systemd = "*.service"
        [[workload]]
        name = "container {container}"
        container = "*"
        [[workload]]
        name = "user {user}"
        user = "*"
    """)
)
PAYROLL = "/system.slice/payroll.service"


def started(host: Host) -> Processes:
    source = Processes(host.roots, RULES)
    assert isinstance(source.read(), Missing)
    return source


def used_s(source: Processes) -> dict[str, float]:
    use = source.read()
    assert isinstance(use, HostUse)
    return {name: work.cpu_us / 1e6 for name, work in use.workloads.items()}


def test_a_unit_counts_what_its_group_used_short_lived_processes_included(host: Host) -> None:
    host.v2("/system.slice", 10)
    host.v2(PAYROLL, 10)
    host.process(70, 5, groups=f"0::{PAYROLL}")
    source = started(host)
    host.busy(9)
    host.v2("/system.slice", 18)
    host.v2(PAYROLL, 17)
    host.process(70, 6, groups=f"0::{PAYROLL}")
    assert used_s(source) == {"payroll.service": 7}


def test_what_an_earlier_rule_names_is_taken_out_of_its_group(host: Host) -> None:
    host.v2(PAYROLL, 10)
    host.process(71, 1, groups=f"0::{PAYROLL}", command="/usr/bin/backup --all")
    source = started(host)
    host.busy(9)
    host.v2(PAYROLL, 15)
    host.process(71, 3, groups=f"0::{PAYROLL}", command="/usr/bin/backup --all")
    assert used_s(source) == {"backup": 2, "payroll.service": 3}


def test_a_group_below_a_named_one_counts_for_itself(host: Host) -> None:
    container = f"/system.slice/engine.service/{'ab' * 32}"
    rules = parse(
        {"workload": [{"name": "c", "container": "*"}, {"name": "{systemd}", "systemd": "*.service"}]}
    )
    host.v2("/system.slice/engine.service", 10)
    host.v2(container, 5)
    source = Processes(host.roots, rules)
    source.read()
    host.v2("/system.slice/engine.service", 20)
    host.v2(container, 12)
    assert used_s(source) == {"engine.service": 3, "c": 7}


def test_a_service_that_was_restarted_counts_from_its_new_beginning(host: Host) -> None:
    host.v2(PAYROLL, 100)
    source = started(host)
    (host.roots.cgroup / PAYROLL.lstrip("/") / "cpu.stat").unlink()
    (host.roots.cgroup / PAYROLL.lstrip("/")).rmdir()
    host.v2("/placeholder", 0)  # takes the freed inode
    host.v2(PAYROLL, 4)
    assert used_s(source) == {"payroll.service": 4}


def test_version_1_names_units_by_the_systemd_hierarchy_where_cpuacct_does_not(host: Host) -> None:
    groups = f"4:cpu,cpuacct:/\n1:name=systemd:{PAYROLL}"
    host.v1("/", 0)
    host.process(72, 1, groups=groups)
    source = started(host)
    host.process(72, 4, groups=groups)
    assert used_s(source) == {"payroll.service": 3}


def test_where_no_group_names_it_a_process_counts_by_its_user(host: Host) -> None:
    host.process(73, 1, uid=12345)
    host.process(74, 1, uid=54321)
    source = started(host)
    host.process(73, 3, uid=12345)
    host.process(74, 2, uid=54321)
    assert used_s(source) == {"user 12345": 2, "user 54321": 1}


def test_a_process_born_since_counts_whole_and_its_pid_may_be_an_old_one(host: Host) -> None:
    host.process(75, 50, start=100)
    source = started(host)
    host.process(75, 2, start=900)
    assert used_s(source) == {"user 12345": 2}


def test_children_that_came_and_went_count_with_their_parent(host: Host) -> None:
    host.process(76, 1, reaped_s=10, command="make")
    source = started(host)
    host.process(76, 1, reaped_s=17, command="make")
    assert used_s(source) == {"user 12345": 7}


def test_what_init_reaps_of_a_service_counts_with_the_service_alone(host: Host) -> None:
    host.v2(PAYROLL, 10)
    host.v2("/init.scope", 1)
    host.process(1, 1, command="/sbin/init", uid=54321, groups="0::/init.scope")
    source = started(host)
    host.busy(9)
    host.v2(PAYROLL, 17)
    host.v2("/init.scope", 1.5)
    host.process(1, 1.5, reaped_s=7, command="/sbin/init", uid=54321, groups="0::/init.scope")
    assert used_s(source) == {"payroll.service": 7, "user 54321": 0.5}


def test_what_a_session_reaps_counts_as_far_as_the_session_used_it(host: Host) -> None:
    session = "/user.slice/user-1000.slice/session-3.scope"
    host.v2(session, 10)
    host.process(86, 1, groups=f"0::{session}")
    source = started(host)
    host.busy(9)
    host.v2(session, 16)
    host.process(86, 2, reaped_s=8, groups=f"0::{session}")
    assert used_s(source) == {"user 12345": 6}


@pytest.mark.parametrize("counted", [True, False], ids=["the kernel counts the root", "it does not"])
def test_in_the_root_group_no_more_is_reaped_than_the_root_used(host: Host, counted: bool) -> None:
    host.v2(PAYROLL, 10)
    if counted:
        host.v2("/", 20)
    host.process(87, 1)
    source = started(host)
    host.busy(9)
    host.v2(PAYROLL, 15)
    if counted:
        host.v2("/", 29)
    host.process(87, 2, reaped_s=8)
    assert used_s(source) == {"payroll.service": 5, "user 12345": 4}


def test_a_child_already_counted_while_it_lived_is_not_counted_again(host: Host) -> None:
    host.process(77, 1, command="make")
    host.process(78, 30, parent=77, start=200)
    source = started(host)
    host.process(78, 40, parent=77, start=200)
    assert used_s(source) == {"user 12345": 10}
    host.gone(78)
    host.process(77, 1, reaped_s=41, command="make")
    assert used_s(source) == {"user 12345": 1}


def test_an_orphan_reaped_by_init_does_not_burst_into_it(host: Host) -> None:
    host.process(1, 1, parent=0, command="init", uid=0, start=1)
    host.process(80, 0, parent=1)
    host.process(81, 3600, parent=80, start=200)
    source = started(host)
    host.gone(80)
    host.gone(81)
    host.process(1, 1, reaped_s=3600, parent=0, command="init", uid=0, start=1)
    assert used_s(source) == {}


def test_a_program_started_by_exec_is_named_again(host: Host) -> None:
    host.process(82, 1, command="sh")
    source = started(host)
    host.process(82, 3, command="/usr/bin/backup --all")
    assert used_s(source) == {"backup": 2}


def test_what_no_rule_names_stays_out(host: Host) -> None:
    host.process(83, 1)
    source = Processes(host.roots, parse({"workload": [{"name": "x", "command": "^nothing"}]}))
    source.read()
    host.process(83, 5)
    assert used_s(source) == {}


def test_a_torn_read_of_the_cpu_times_loses_nothing(host: Host) -> None:
    host.process(84, 1)
    source = started(host)
    (host.roots.proc / "stat").write_text("")
    assert isinstance(source.read(), Missing)
    host.busy(9)
    host.process(84, 4)
    use = source.read()
    assert isinstance(use, HostUse)
    assert (use.busy_us, use.vcpu) == (9_000_000, 2)
    assert use.workloads == {"user 12345": Work(Kind.USER, 3_000_000)}


ID = "8d1c3a" + "0" * 58
CONTAINER = f"/docker/{ID}"


def listed(host: Host) -> None:
    """The kernel lists the processes of groups, and those of the root group."""
    host.v2("/", 100)
    host.members("/", 2)
    host.process(2, 0, command="kthreadd", flags=0x00200000)


def read_pids(source: Processes) -> set[int]:
    """The processes that were read at the last sample."""
    assert source._last is not None
    return {key.pid for key in source._last.processes}


def test_processes_are_read_where_no_rule_names_their_group_and_nowhere_else(host: Host) -> None:
    listed(host)
    host.v2(PAYROLL, 10)
    host.members(PAYROLL, 70)
    host.process(70, 5, groups=f"0::{PAYROLL}")
    host.v2("/batch", 3)
    host.members("/batch", 71)
    host.process(71, 3, groups="0::/batch")
    source = started(host)
    host.busy(9)
    host.v2(PAYROLL, 17)
    host.v2("/batch", 5)
    host.process(71, 5, groups="0::/batch")
    assert used_s(source) == {"payroll.service": 7, "user 12345": 2}
    assert read_pids(source) == {71}


def test_a_group_of_which_an_earlier_rule_takes_a_process_is_read_whole(host: Host) -> None:
    listed(host)
    host.v2(PAYROLL, 10)
    host.members(PAYROLL, 70, 71)
    host.process(70, 5, groups=f"0::{PAYROLL}")
    host.process(71, 1, groups=f"0::{PAYROLL}", command="/usr/bin/backup --all")
    source = started(host)
    host.busy(9)
    host.v2(PAYROLL, 15)
    host.process(70, 8, groups=f"0::{PAYROLL}")
    host.process(71, 3, groups=f"0::{PAYROLL}", command="/usr/bin/backup --all")
    assert used_s(source) == {"backup": 2, "payroll.service": 3}
    assert read_pids(source) == {70, 71}


def test_one_that_an_earlier_rule_takes_is_found_when_it_is_born_and_counts_from_there(host: Host) -> None:
    listed(host)
    host.v2(PAYROLL, 1000)
    host.members(PAYROLL, 70)
    host.process(70, 900, groups=f"0::{PAYROLL}")
    source = started(host)
    assert read_pids(source) == set()
    host.busy(9)
    host.v2(PAYROLL, 1005)
    host.members(PAYROLL, 70, 72)
    host.process(70, 903, groups=f"0::{PAYROLL}")
    host.process(72, 2, start=700, groups=f"0::{PAYROLL}", command="/usr/bin/backup --all")
    assert used_s(source) == {"backup": 2, "payroll.service": 3}
    host.busy(18)
    host.v2(PAYROLL, 1010)
    host.process(72, 3, start=700, groups=f"0::{PAYROLL}", command="/usr/bin/backup --all")
    assert used_s(source) == {"backup": 1, "payroll.service": 4}


def test_a_group_in_which_nothing_ran_is_not_looked_into_and_one_that_ran_is(host: Host) -> None:
    listed(host)
    host.v2(PAYROLL, 1000)
    host.members(PAYROLL, 70)
    host.process(70, 900, groups=f"0::{PAYROLL}")
    source = started(host)
    host.members(PAYROLL, 70, 72)
    host.process(72, 0, start=700, groups=f"0::{PAYROLL}", command="/usr/bin/backup --all")
    host.busy(9)
    assert used_s(source) == {}
    assert read_pids(source) == set()
    host.busy(18)
    host.v2(PAYROLL, 1002)
    host.process(72, 2, start=700, groups=f"0::{PAYROLL}", command="/usr/bin/backup --all")
    assert used_s(source) == {"backup": 2}
    assert read_pids(source) == {70, 72}


def test_an_old_process_that_begins_to_be_read_brings_nothing_of_its_past(host: Host) -> None:
    listed(host)
    rules = parse({"workload": [{"name": "{systemd}", "systemd": "*.service"}, {"name": "u", "user": "*"}]})
    host.v2(PAYROLL, 5000)
    host.members(PAYROLL, 70)
    host.process(70, 5000, groups=f"0::{PAYROLL}")
    host.v2("/session", 1)
    host.members("/session")
    source = Processes(host.roots, rules)
    source.read()
    host.busy(9)
    host.v2(PAYROLL, 5001)
    host.v2("/session", 3)
    host.members(PAYROLL)
    host.members("/session", 70)
    host.process(70, 5003, groups="0::/session")
    assert used_s(source) == {"payroll.service": 1, "u": 2}


def test_a_process_that_its_group_spoke_for_brings_nothing_of_that_time_where_it_moves(host: Host) -> None:
    listed(host)
    host.v2(PAYROLL, 5000)
    host.members(PAYROLL, 70)
    host.process(70, 4000, groups=f"0::{PAYROLL}")
    host.v2("/session", 1)
    host.members("/session", 71)
    host.process(71, 1, groups="0::/session")
    source = started(host)
    host.busy(90)
    host.v2(PAYROLL, 5001)
    host.v2("/session", 51)
    host.members(PAYROLL)
    host.members("/session", 70, 71)
    host.process(70, 4003, groups="0::/session")
    host.process(71, 6, groups="0::/session")
    assert used_s(source) == {"payroll.service": 1, "user 12345": 5}
    host.busy(99)
    host.process(70, 4007, groups="0::/session")
    assert used_s(source) == {"user 12345": 4}


def test_a_process_that_leaves_for_a_named_group_is_not_counted_as_reaped(host: Host) -> None:
    listed(host)
    host.v2(PAYROLL, 0)
    host.members(PAYROLL)
    host.v2("/session", 100)
    host.members("/session", 69, 70)
    host.process(69, 1, reaped_s=50, groups="0::/session")
    host.process(70, 40, parent=69, groups="0::/session")
    source = started(host)
    host.busy(9)
    host.v2(PAYROLL, 3)
    host.v2("/session", 105)
    host.members(PAYROLL, 70)
    host.members("/session", 69)
    host.process(70, 43, parent=69, groups=f"0::{PAYROLL}")
    host.process(69, 2, reaped_s=54, groups="0::/session")
    assert used_s(source) == {"payroll.service": 3, "user 12345": 5}


def test_kernel_threads_are_looked_at_once_and_not_at_every_sample(host: Host) -> None:
    listed(host)
    host.process(60, 1)
    host.members("/", 2, 60)
    source = started(host)
    host.gone(2)
    host.process(60, 3)
    assert used_s(source) == {"user 12345": 2}
    assert read_pids(source) == {60}


def test_listed_as_strangers_the_processes_of_groups_are_all_read(host: Host) -> None:
    host.v2("/", 100)
    host.members("/", 0, 0)
    host.v2(PAYROLL, 10)
    host.process(70, 5, groups=f"0::{PAYROLL}")
    source = started(host)
    assert read_pids(source) == {70}


def test_a_hierarchy_that_begins_to_tell_more_apart_is_read_from_there(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.v2("/", 100, "unified")
    host.v1("/", 100)
    source = started(host)
    host.v1(CONTAINER, 50)
    host.v1(f"{CONTAINER}/worker", 1)
    monkeypatch.setattr(processes, "IDENTITY_S", 0.0)
    host.busy(2)
    assert used_s(source) == {}
    host.busy(9)
    host.v1("/", 107)
    host.v1(CONTAINER, 54)
    assert used_s(source) == {"container 8d1c3a000000": 4}


def test_a_ceiling_is_no_reservation(host: Host) -> None:
    """The quota of the agent's own unit, told as reserved, decided who carries the host's idle energy."""
    for unit in ("payroll", "console-inr-collector"):
        host.v2(f"/system.slice/{unit}.service", 10)
    limited = host.roots.cgroup / "system.slice/console-inr-collector.service"
    written(limited / "cpu.max", "20000 100000\n")
    written(limited / "memory.max", f"{256 << 20}\n")
    source = started(host)
    host.busy(20)
    host.v2(PAYROLL, 20)
    host.v2("/system.slice/console-inr-collector.service", 11)
    use = source.read()
    assert isinstance(use, HostUse)
    assert use.workloads == {
        "payroll.service": Work(Kind.SYSTEMD, 10_000_000),
        "console-inr-collector.service": Work(Kind.SYSTEMD, 1_000_000),
    }
    consumers = {
        name: Consumer(work.cpu_us // 1000, work.reserved_mcpu) for name, work in use.workloads.items()
    }
    assert default_policy(consumers) is IdlePolicy.USED


def test_a_group_that_does_not_answer_once_brings_what_it_used_since_and_not_its_whole_life(
    host: Host,
) -> None:
    host.v2("/system.slice", 2_000_000)
    host.v2(PAYROLL, 1_000_000)
    source = started(host)
    written(host.roots.cgroup / "system.slice/payroll.service/cpu.stat", "")
    host.v2("/system.slice", 2_000_003)
    assert used_s(source) == {}
    host.busy(7)
    host.v2("/system.slice", 2_000_007)
    host.v2(PAYROLL, 1_000_005)
    assert used_s(source) == {"payroll.service": 5}
    host.gone_group(PAYROLL)
    assert used_s(source) == {}


def test_a_group_around_one_that_does_not_answer_waits_with_it(host: Host) -> None:
    container = f"/system.slice/engine.service/{'ab' * 32}"
    rules = [{"name": "inside", "container": "*"}, {"name": "engine", "systemd": "engine.service"}]
    host.v2("/system.slice/engine.service", 100)
    host.v2(container, 90)
    source = Processes(host.roots, parse({"workload": rules}))
    source.read()
    host.v2("/system.slice/engine.service", 105)
    written(host.roots.cgroup / container.lstrip("/") / "cpu.stat", "")
    assert used_s(source) == {}
    host.busy(9)
    host.v2("/system.slice/engine.service", 109)
    host.v2(container, 97)
    assert used_s(source) == {"inside": 7, "engine": 2}


def test_a_group_that_did_not_answer_at_first_begins_with_its_first_answer(host: Host) -> None:
    host.v2("/system.slice", 10)
    written(host.roots.cgroup / "system.slice/payroll.service/cpu.stat", "")
    source = started(host)
    host.busy(4)
    host.v2(PAYROLL, 1_000_000)
    assert used_s(source) == {}
    host.v2(PAYROLL, 1_000_003)
    assert used_s(source) == {"payroll.service": 3}


def test_a_process_that_does_not_answer_once_brings_what_it_used_since_and_not_its_whole_life(
    host: Host,
) -> None:
    host.process(70, 5000)
    written(host.roots.proc / "71/stat", "71 (torn")
    source = started(host)
    host.process(71, 7000)
    written(host.roots.proc / "70/stat", "")
    assert used_s(source) == {}
    host.process(70, 5003)
    host.process(71, 7001)
    assert used_s(source) == {"user 12345": 4}


def test_a_child_that_does_not_answer_and_then_ends_is_not_counted_with_its_parent_again(host: Host) -> None:
    host.process(60, 1, reaped_s=2)
    host.process(70, 5000, parent=60)
    source = started(host)
    written(host.roots.proc / "70/stat", "")
    assert used_s(source) == {}
    host.gone(70)
    host.process(60, 1, reaped_s=5003)
    assert used_s(source) == {"user 12345": 1}


def test_a_pod_and_a_container_go_by_the_names_that_their_runtime_tells(host: Host) -> None:
    rules = parse(
        {
            "workload": [
                {"name": "pod {pod_name}", "pod_name": "payroll/*"},
                {"name": "container {container_name}", "container_name": "*"},
                {"name": "{pod}", "pod": "*"},
                {"name": "{vm}", "vm": "*"},
            ]
        }
    )
    other = "f" * 64
    pod = "3ad7f1c2-9a54-4c1e-8e31-0c5b2d9e77aa"
    paths = [f"/kubepods/pod{pod}/{ID}", f"/docker/{other}", f"/kubepods/pod{pod}/{'e' * 64}"]
    paths.append(r"/machine.slice/machine-qemu\x2d3\x2ddb\x2d01.scope")
    written(host.roots.container_logs / f"web-7d9f_payroll_app-{ID}.log", "")
    written(host.roots.docker / other / "config.v2.json", '{"Name": "/wiki", "Args": ["--key", "s3cret"]}')
    for path in paths:
        host.v2(path, 1)
    source = Processes(host.roots, rules)
    source.read()
    host.busy(9)
    for path in paths:
        host.v2(path, 3)
    assert used_s(source) == {"pod payroll/web-7d9f": 2, "container wiki": 2, pod: 2, "db-01": 2}


def test_what_is_counted_by_process_goes_to_its_workload_read_or_not(host: Host) -> None:
    listed(host)
    host.v2(PAYROLL, 10)
    host.members(PAYROLL, 70, 71)
    host.process(70, 5, groups=f"0::{PAYROLL}")
    host.process(71, 5, groups=f"0::{PAYROLL}", command="/usr/bin/backup --all")
    host.process(72, 1, groups="0::/")
    source = started(host)
    named = {pid: source.workload_of(pid) for pid in (70, 71, 72, 99)}
    assert named == {
        70: ("payroll.service", Kind.SYSTEMD),
        71: ("backup", Kind.COMMAND),
        72: ("user 12345", Kind.USER),
        99: None,
    }


times = st.tuples(st.integers(0, 10**9), st.integers(0, 10**9))
table = st.dictionaries(st.integers(2, 12), times, max_size=10)


@given(before=table, now=table, parents=st.dictionaries(st.integers(2, 12), st.integers(1, 12)))
def test_no_process_ever_uses_less_than_nothing_whatever_its_family(
    before: dict[int, tuple[int, int]], now: dict[int, tuple[int, int]], parents: dict[int, int]
) -> None:
    def snapshot(rows: dict[int, tuple[int, int]]) -> dict[Key, ProcessTimes]:
        return {
            Key(pid, 1): ProcessTimes(Key(pid, 1), parents.get(pid, 1), "x", own, reaped)
            for pid, (own, reaped) in rows.items()
        }

    used = spent(snapshot(before), snapshot(now))
    assert used.keys() == snapshot(now).keys()
    assert all(span.own_us >= 0 and span.reaped_us >= 0 for span in used.values())


def test_on_this_machine_the_work_of_a_known_process_is_found() -> None:
    rules = parse({"workload": [{"name": "known work", "command": "sum\\(range\\(31337\\)\\)"}]})
    source = Processes(Roots(), rules)
    program = "print('there', flush=True)\nfor _ in range(99999): sum(range(31337))"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()  # until then it may still be the process that started it
        source.read()
        before_s = _cpu_s(worker.pid)
        time.sleep(1.0)
        use = source.read()
        used_s = _cpu_s(worker.pid) - before_s
        worker.kill()
    assert isinstance(use, HostUse)
    assert used_s > 0.1
    assert abs(use.workloads["known work"].cpu_us / 1e6 - used_s) <= 0.1


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(counting_root() is None, reason="no control groups can be made here: run as root")
def test_in_a_real_control_group_even_what_lived_between_two_samples_is_found() -> None:
    root = counting_root()
    assert root is not None
    rules = parse({"workload": [{"name": "{systemd}", "systemd": "payroll-test-*.service"}]})
    waits = "import sys, time\nsys.stdin.readline()\nwhile time.process_time() < 0.2: sum(range(9999))"
    with ExitStack() as stack:
        inside = stack.enter_context(group(root / f"payroll-test-{os.getpid()}.service"))
        for number in range(9):  # more than any other hierarchy of this machine has
            stack.enter_context(group(inside / f"idle-{number}"))
        source = Processes(Roots(), rules)
        source.read()
        before_s = counted_s(inside)
        with subprocess.Popen([sys.executable, "-c", waits], stdin=subprocess.PIPE) as worker:
            join(inside, worker.pid)
            worker.communicate(b"\n")
        use = source.read()
        used_s = counted_s(inside) - before_s
    assert isinstance(use, HostUse)
    assert used_s > 0.05
    found_s = use.workloads[inside.name].cpu_us / 1e6
    assert abs(found_s - used_s) < 0.02
    assert worker.pid not in read_pids(source)
