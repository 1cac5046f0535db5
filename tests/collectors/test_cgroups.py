"""Control groups of version 1, version 2 and both side by side."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from collectors.cgroups import counted_hierarchy
from tests.collectors.trees import Host, written

ID = "8d1c3a" + "0" * 58


def used_s(host: Host) -> dict[str, float]:
    hierarchy = counted_hierarchy(host.roots.cgroup)
    assert hierarchy is not None
    return {group.path: us / 1e6 for group, us in hierarchy.groups().items() if us is not None}


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


def test_a_torn_counter_is_unknown_and_its_group_is_there(host: Host) -> None:
    host.v2("/a", 1)
    written(host.roots.cgroup / "b/cpu.stat", "")
    hierarchy = counted_hierarchy(host.roots.cgroup)
    assert hierarchy is not None
    told = {group.path: (us, hierarchy.holds(group)) for group, us in hierarchy.groups().items()}
    assert told == {"/a": (1_000_000, True), "/b": (None, True)}


def test_a_group_made_anew_under_its_path_is_another(host: Host) -> None:
    host.v2("/a", 1)
    hierarchy = counted_hierarchy(host.roots.cgroup)
    assert hierarchy is not None
    (group,) = hierarchy.groups()
    (host.roots.cgroup / "a").rename(host.roots.cgroup / "kept")
    assert not hierarchy.holds(group)
    host.v2("/a", 2)
    assert not hierarchy.holds(group)


def test_a_machine_without_groups_has_no_hierarchy(tmp_path: Path) -> None:
    assert counted_hierarchy(tmp_path / "none") is None


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
