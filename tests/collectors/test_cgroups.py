"""Control groups of version 1, version 2 and both side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from collectors.cgroups import container_of, counted_hierarchy, unit_of
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
    ("path", "unit"),
    [
        ("/system.slice/postgresql@15-main.service", "postgresql@15-main.service"),
        ("/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service"),
        ("/system.slice/payroll.service/worker", "payroll.service"),
        ("/user.slice/user-1000.slice/session-3.scope", "session-3.scope"),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/editor.service", "user@1000.service"),
        ("/init.scope", "init.scope"),
        ("/system.slice", None),
        ("/docker/x.service", None),
        ("/", None),
    ],
)
def test_the_unit_is_the_first_part_below_the_slices(path: str, unit: str | None) -> None:
    assert unit_of(path) == unit


@pytest.mark.parametrize(
    ("path", "container"),
    [
        (f"/docker/{ID}", ID[:12]),
        (f"/system.slice/docker-{ID}.scope", ID[:12]),
        (f"/machine.slice/libpod-{ID}.scope", ID[:12]),
        (f"/kubepods.slice/kubepods-burstable.slice/kubepods-pod1.slice/cri-containerd-{ID}.scope", ID[:12]),
        (f"/kubepods/besteffort/pod12/{ID}", ID[:12]),
        ("/lxc/mail", "mail"),
        ("/lxc.payload.mail/system.slice/x.service", "mail"),
        ("/system.slice/payroll.service", None),
    ],
)
def test_the_container_is_known_by_the_first_digits_of_its_id_or_its_name(
    path: str, container: str | None
) -> None:
    assert container_of(path) == container
