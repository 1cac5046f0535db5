"""Whose a control group is, from its path, whatever made it."""

from __future__ import annotations

import pytest

from collectors.cgroup_names import container_id_of, container_of, machine_of, pod_of, unit_of

ID = "8d1c3a" + "0" * 58
POD = "3ad7f1c2-9a54-4c1e-8e31-0c5b2d9e77aa"
SLICED = POD.replace("-", "_")
STATIC = "4be3a1b7c0d94f0e9c6a1b2c3d4e5f60"


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
        (f"/kubepods.slice/kubepods-pod{SLICED}.slice/crio-{ID}.scope", ID[:12]),
        (
            f"/system.slice/containerd.service/kubepods-burstable-pod{SLICED}.slice:cri-containerd:{ID}",
            ID[:12],
        ),
        (f"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope/container", ID[:12]),
        ("/lxc/mail", "mail"),
        ("/lxc/101/ns/system.slice/x.service", "101"),
        ("/lxc.monitor.101", "101"),
        ("/lxc.payload.mail/system.slice/x.service", "mail"),
        ("/system.slice/payroll.service", None),
    ],
)
def test_the_container_is_known_by_the_first_digits_of_its_id_or_its_name(
    path: str, container: str | None
) -> None:
    assert container_of(path) == container
    assert container is None or ID not in path or container_id_of(path) == ID


@pytest.mark.parametrize(
    ("path", "pod"),
    [
        (f"/kubepods/burstable/pod{POD}/{ID}", POD),
        (f"/kubepods/besteffort/pod{POD}/{ID}", POD),
        (f"/kubepods/pod{POD}/{ID}", POD),
        (f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{SLICED}.slice", POD),
        (
            f"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{SLICED}.slice/"
            f"cri-containerd-{ID}.scope",
            POD,
        ),
        (f"/kubepods.slice/kubepods-pod{SLICED}.slice/crio-{ID}.scope", POD),
        (f"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod{SLICED}.slice/x.scope", POD),
        (f"/system.slice/containerd.service/kubepods-burstable-pod{SLICED}.slice:cri-containerd:{ID}", POD),
        (f"/kubepods/burstable/pod{STATIC}/{ID}", STATIC),
        (f"/docker/{ID}", None),
        ("/user.slice/podcast.service", None),
        ("/kubepods/burstable", None),
    ],
    ids=str,
)
def test_the_pod_is_known_by_its_uid_with_both_drivers_and_in_every_class(path: str, pod: str | None) -> None:
    assert pod_of(path) == pod


@pytest.mark.parametrize(
    ("path", "machine"),
    [
        (r"/machine.slice/machine-qemu\x2d3\x2ddb\x2d01.scope", "db-01"),
        (r"/machine.slice/machine-qemu\x2d3\x2ddb\x2d01.scope/libvirt/vcpu0", "db-01"),
        ("/machine/qemu-3-db-01.libvirt-qemu/emulator", "db-01"),
        ("/libvirt/qemu/db-01/vcpu1", "db-01"),
        (r"/machine.slice/machine-lxc\x2d12\x2dmail.scope", "mail"),
        ("/qemu.slice/100.scope", "100"),
        ("/machine.slice/machine-builder.scope", "builder"),
        ("/machine.slice/systemd-nspawn@builder.service/payload", "builder"),
        ("/machine.slice", None),
        ("/system.slice/qemu-guest-agent.service", None),
    ],
)
def test_the_virtual_machine_is_known_by_its_name_or_its_number(path: str, machine: str | None) -> None:
    assert machine_of(path) == machine
