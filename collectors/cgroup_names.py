r"""What the path of a control group says of who works in it.

    systemd     /system.slice/payroll.service, /user.slice/user-1000.slice/session-3.scope
    Docker      /docker/ID (cgroupfs), /system.slice/docker-ID.scope (systemd)
    Podman      /machine.slice/libpod-ID.scope
    Kubernetes  /kubepods/burstable/podUID/ID (cgroupfs),
                /kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podUID.slice/cri-containerd-ID.scope
                (systemd; besteffort the same, guaranteed without a class)
    LXC, LXD    /lxc/NAME, /lxc.payload.NAME, /lxc.monitor.NAME (Proxmox: the number of the container)
    libvirt     /machine.slice/machine-qemu\x2dNUMBER\x2dNAME.scope (systemd),
                /machine/qemu-NUMBER-NAME.libvirt-qemu, /libvirt/qemu/NAME (older)
    Proxmox     /qemu.slice/NUMBER.scope
    nspawn      /machine.slice/machine-NAME.scope, /machine.slice/systemd-nspawn@NAME.service

A path knows the identity of a container or a pod, not its name: see `collectors.container_names`.
"""

from __future__ import annotations

import re
from functools import lru_cache

UNIT = re.compile(r"[^/]+\.(service|scope|socket|mount|swap)")
CONTAINER_ID = re.compile(r"(?:.*[-_:])?([0-9a-f]{64})(?:\.scope)?")
LXC = re.compile(r"lxc(?:\.(?:payload|monitor)[./]|/)([^/]+)")
UID = r"[0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32}"
POD = re.compile(rf"(?:.*-)?pod({UID})(?:\.slice(?::.*)?)?")
ESCAPED = re.compile(r"\\x([0-9a-f]{2})")
MACHINE_SCOPE = re.compile(r"machine-(.+)\.scope")
NSPAWN = re.compile(r"systemd-nspawn@(.+)\.service")
LIBVIRT_MACHINE = re.compile(r"(?:qemu|lxc)-\d+-(.+)")
LIBVIRT_FOLDER = re.compile(r"(.+)\.libvirt-(?:qemu|lxc)")
LIBVIRT_PATH = re.compile(r"/libvirt/(?:qemu|lxc)/([^/]+)")
PROXMOX = re.compile(r"/qemu\.slice/(\d+)\.scope")

KEPT_PATHS = 4096
"""Paths whose names are remembered: the same few hundred are asked about again and again."""


@lru_cache(KEPT_PATHS)
def unit_of(path: str) -> str | None:
    """The systemd unit of a group: the first part below the slices that is one."""
    parts = path.split("/")[1:]
    for part in parts:
        if not part.endswith(".slice"):
            return part if UNIT.fullmatch(part) else None
    return None


@lru_cache(KEPT_PATHS)
def container_id_of(path: str) -> str | None:
    """The whole id of the container of a group, 64 digits."""
    for part in path.split("/"):
        if match := CONTAINER_ID.fullmatch(part):
            return match[1]
    return None


@lru_cache(KEPT_PATHS)
def container_of(path: str) -> str | None:
    """The container of a group: the first 12 digits of its id, or the name of an LXC one."""
    if identity := container_id_of(path):
        return identity[:12]
    match = LXC.search(path)
    return match[1] if match else None


@lru_cache(KEPT_PATHS)
def pod_of(path: str) -> str | None:
    """The UID of the Kubernetes pod of a group, as `kubectl` writes it."""
    for part in path.split("/"):
        if match := POD.fullmatch(part):
            return match[1].replace("_", "-")
    return None


@lru_cache(KEPT_PATHS)
def machine_of(path: str) -> str | None:
    """The virtual machine (libvirt, Proxmox) or the registered container (nspawn) of a group."""
    if match := PROXMOX.search(path) or LIBVIRT_PATH.search(path):
        return match[1]
    for part in path.split("/"):
        match = MACHINE_SCOPE.fullmatch(part) or NSPAWN.fullmatch(part) or LIBVIRT_FOLDER.fullmatch(part)
        if match:
            name = _unescaped(match[1])
            numbered = LIBVIRT_MACHINE.fullmatch(name)
            return numbered[1] if numbered else name
    return None


def _unescaped(name: str) -> str:
    """The text of which systemd made a part of a unit's name: `\\x2d` for `-`."""
    return ESCAPED.sub(lambda match: chr(int(match[1], 16)), name)
