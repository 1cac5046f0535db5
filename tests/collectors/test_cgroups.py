"""Control groups of version 1, version 2 and both side by side."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from collectors.cgroups import LimitFiles, Limits, counted_hierarchy
from tests.collectors.trees import Host, written

ID = "8d1c3a" + "0" * 58


def used_s(host: Host) -> dict[str, float]:
    hierarchy = counted_hierarchy(host.roots.cgroup)
    assert hierarchy is not None
    return {group.path: us / 1e6 for group, us in hierarchy.groups().items()}


def test_version_2_is_read_from_cpu_stat(host: Host) -> None:
    host.v2("/system.slice", 5)
    host.v2("/system.slice/payroll.service", 3)
    assert used_s(host) == {"/system.slice": 5, "/system.slice/payroll.service": 3}


@pytest.mark.parametrize("mount", ["cpuacct", "cpu,cpuacct"])
def test_version_1_is_read_from_cpuacct(host: Host, mount: str) -> None:
    host.v1(f"/docker/{ID}", 2.5, mount)
    host.v1("/docker", 4, mount)
    assert used_s(host) == {"/": 0, "/docker": 4, f"/docker/{ID}": 2.5}


def test_of_both_side_by_side_the_one_that_tells_more_apart_is_read(host: Host) -> None:
    host.v1("/docker", 4)
    host.v2("/system.slice", 5, "unified")
    host.v2("/system.slice/payroll.service", 3, "unified")
    assert set(used_s(host)) == {"/system.slice", "/system.slice/payroll.service"}
    host.v1(f"/docker/{ID}", 1)
    host.v1("/user.slice", 1)
    assert set(used_s(host)) == {"/", "/docker", f"/docker/{ID}", "/user.slice"}


def test_a_torn_counter_leaves_its_group_out(host: Host) -> None:
    host.v2("/a", 1)
    written(host.roots.cgroup / "b/cpu.stat", "")
    assert used_s(host) == {"/a": 1}


def test_a_machine_without_groups_has_no_hierarchy(tmp_path: Path) -> None:
    assert counted_hierarchy(tmp_path / "none") is None


@pytest.mark.parametrize(
    ("files", "limits"),
    [
        ({"cpu.max": "200000 100000", "memory.max": "536870912"}, Limits(2000, 512)),
        ({"cpu.max": "max 100000", "memory.max": "max"}, Limits()),
        ({"cpu.max": "50000 100000"}, Limits(500, None)),
        ({"memory.max": ""}, Limits()),
        ({"cpu.max": "12 0", "memory.max": "lots"}, Limits()),
    ],
    ids=["both limited", "no limit", "CPU alone", "a torn read", "nonsense"],
)
def test_the_limits_of_a_group_of_version_2(host: Host, files: dict[str, str], limits: Limits) -> None:
    host.v2("/app", 1)
    for name, text in files.items():
        written(host.roots.cgroup / "app" / name, f"{text}\n" if text else "")
    assert LimitFiles(host.roots.cgroup).of("/app") == limits


@pytest.mark.parametrize("mount", ["cpu", "cpu,cpuacct"])
@pytest.mark.parametrize(
    ("quota", "limit", "limits"),
    [("150000", "268435456", Limits(1500, 256)), ("-1", "9223372036854771712", Limits())],
)
def test_the_limits_of_version_1_stand_in_hierarchies_of_their_own(
    host: Host, mount: str, quota: str, limit: str, limits: Limits
) -> None:
    host.v1("/app", 1, "cpuacct")
    written(host.roots.cgroup / mount / "app/cpu.cfs_quota_us", f"{quota}\n")
    written(host.roots.cgroup / mount / "app/cpu.cfs_period_us", "100000\n")
    written(host.roots.cgroup / "memory/app/memory.limit_in_bytes", f"{limit}\n")
    assert LimitFiles(host.roots.cgroup).of("/app") == limits


def test_in_a_hybrid_the_smaller_of_two_limits_holds(host: Host) -> None:
    host.v1("/app", 1, "cpuacct")
    host.v2("/app", 1, "unified")
    written(host.roots.cgroup / "unified/app/memory.max", "1073741824\n")
    written(host.roots.cgroup / "memory/app/memory.limit_in_bytes", "536870912\n")
    assert LimitFiles(host.roots.cgroup).of("/app") == Limits(None, 512)


def test_the_members_of_a_group_are_trusted_only_under_the_numbers_of_this_process(host: Host) -> None:
    host.v2("/app", 1)
    hierarchy = counted_hierarchy(host.roots.cgroup)
    assert hierarchy is not None
    assert not hierarchy.lists_members()
    host.members("/", 1, 2)
    host.members("/app", 70, 71)
    assert hierarchy.lists_members()
    assert hierarchy.members("/app") == [70, 71]
    host.members("/", 0, 0, 7)
    assert not hierarchy.lists_members()


def test_a_list_of_processes_is_read_to_its_end_however_the_kernel_cuts_it(host: Host) -> None:
    host.v2("/app", 1)
    hierarchy = counted_hierarchy(host.roots.cgroup)
    assert hierarchy is not None
    path = host.roots.cgroup / "app/cgroup.procs"
    os.mkfifo(path)

    def page_by_page() -> None:
        with path.open("wb", buffering=0) as fifo:
            for page in (b"70\n71\n", b"72\n"):
                fifo.write(page)
                time.sleep(0.05)

    writer = threading.Thread(target=page_by_page)
    writer.start()
    assert hierarchy.members("/app") == [70, 71, 72]
    writer.join()
