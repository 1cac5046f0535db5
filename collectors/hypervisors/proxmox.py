"""Proxmox VE: the nodes of a cluster and their guests (QEMU machines and LXC containers), by its HTTP API.

    [[hypervisors]]
    kind = "proxmox"
    address = "pve.example:8006"
    user = "console@pve"
    token_name = "inr"
    token_file = "/etc/console-inr/proxmox.token"    # the secret of the token, and nothing else
    ca_file = "/etc/console-inr/pve-root-ca.pem"     # default: the authorities of the system
    site = "tls"

Needs the role `PVEAuditor` on `/` for the token (Sys.Audit, VM.Audit): it can read, and change nothing. The
certificate is verified against `ca_file`; there is no way to leave that out.

`GET /cluster/resources` tells all nodes and guests at once, as often as the agent samples: `cpu` is a share
of `maxcpu` over the last ten seconds or so, a gauge and not a counter. CPU time is that share over the time
since the last read, so what happens between two reads is a sample of it, and no total is exact: the quality
of the energy is the sensor's, the shares are sampled. A guest that started since counts for its `uptime`. Of
more than a minute without an answer only the last minute of each guest is told; the rest is unattributed.
Proxmox tells no waiting time, and no power.

A guest is known by its number in its cluster, which moves with it, and by the UUID of its firmware, which a
guest that gets the same number later has not: `cluster/101/4b5e0f38`. That is asked once for each guest
(`GET /nodes/NODE/qemu/101/config`). A container has no UUID. A guest reserves its vCPUs and its memory as
they are configured; a template or a guest that does not run is not told.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from collectors.instrument import Missing, SecretFile
from collectors.reading import MOST_VCPU, Facts
from collectors.virtual import FIRST_READ, Guest, HostSpan, Hypervisor, Unreachable

MEBIBYTE = 1024 * 1024
LONGEST_GAUGE_S = 60.0
"""How long a gauge stands for the time before it."""
FACTS_S = 3600.0
SMBIOS_UUID = re.compile(r"(?:^|,)uuid=([0-9a-fA-F]{8})-[0-9a-fA-F-]{27}(?:,|$)")


@dataclass(frozen=True, slots=True)
class ProxmoxSettings:
    """One node of a cluster that answers for all, and the token to ask with."""

    address: str
    user: str
    token_name: str
    token_file: SecretFile
    ca_file: Path | None = None
    site: str | None = None
    timeout_seconds: float = 10.0

    def __post_init__(self) -> None:
        if not self.address or "/" in self.address:
            raise ValueError("address: a host and perhaps a port is expected, such as pve.example:8006")
        if "@" not in self.user:
            raise ValueError("user: a user with its realm is expected, such as console@pve")
        for name, value in (("user", self.user), ("token_name", self.token_name)):
            if not (value.isascii() and value.isprintable()):  # it goes into a header, beside the token
                raise ValueError(f"{name}: plain letters, digits and signs are expected")
        if not 1 <= self.timeout_seconds <= 60:
            raise ValueError("timeout_seconds: from 1 to 60")


class Proxmox(Hypervisor):
    """The cluster behind one address."""

    name = "proxmox"
    settings = ProxmoxSettings

    def __init__(self, settings: ProxmoxSettings) -> None:
        self._settings = settings
        self._cluster: str | None = None
        self._made: dict[str, tuple[float, Facts, int | None]] = {}
        self._uids: dict[int, tuple[int, str]] = {}
        self._online: set[str] = set()
        self._read_s: float | None = None

    def available(self) -> str | None:
        if find_spec("proxmoxer") is None or find_spec("requests") is None:
            return "not installed: proxmoxer and requests, the extra 'proxmox' of the wheel"
        try:
            self._settings.token_file.token()
        except OSError as error:
            return f"{self._settings.token_file.path}: {error.strerror}"
        return None

    def read(self) -> Mapping[str, HostSpan | Missing]:
        import requests
        from proxmoxer.core import AuthenticationError, ResourceException

        try:
            return self._read(self._door())
        except (ResourceException, AuthenticationError, requests.RequestException, OSError) as error:
            raise Unreachable(f"{self._settings.address}: {error}") from None
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            shown = f"{type(error).__name__}: {error}"
            raise Unreachable(f"{self._settings.address}: not an answer of Proxmox VE ({shown})") from None

    def _door(self) -> Any:
        """The API with the token as it is in its file now."""
        from proxmoxer import ProxmoxAPI

        ca_file = self._settings.ca_file
        return ProxmoxAPI(
            self._settings.address,
            user=self._settings.user,
            token_name=self._settings.token_name,
            token_value=self._settings.token_file.token(),
            verify_ssl=True if ca_file is None else str(ca_file),
            timeout=self._settings.timeout_seconds,
        )

    def _read(self, door: Any) -> dict[str, HostSpan | Missing]:
        resources = door.cluster.resources.get()
        now_s = time.monotonic()
        before_s, self._read_s = self._read_s, now_s
        nodes = {item["node"]: item for item in resources if item["type"] == "node"}
        online = {name for name, node in nodes.items() if node.get("status") == "online"}
        running = [item for item in resources if _runs(item)]
        self._uids = {item["vmid"]: self._identity(door, item) for item in running}
        told: dict[str, HostSpan | Missing] = {}
        for name, node in nodes.items():
            if name not in online:
                told[name] = Missing(f"Proxmox calls this node {node.get('status')!r}")
            elif before_s is None or name not in self._online:
                told[name] = FIRST_READ
            else:
                guests = [item for item in running if item["node"] == name]
                told[name] = self._span(door, node, guests, round((now_s - before_s) * 1e6))
        self._online = online
        return told

    def _span(self, door: Any, node: Mapping[str, Any], items: list[Any], elapsed_us: int) -> HostSpan:
        facts, cores = self._made_of(door, str(node["node"]))
        vcpu = int(node["maxcpu"])
        if not 1 <= vcpu <= MOST_VCPU:
            raise ValueError(f"maxcpu of {node['node']} is {vcpu}")
        return HostSpan(
            covered_us=elapsed_us,
            vcpu=vcpu,
            busy_us=_gauge_us(node, elapsed_us),
            guests=tuple(self._guest(item, elapsed_us) for item in items),
            facts=facts,
            load=float(node["cpu"]),
            cores=cores,
        )

    def _guest(self, item: Mapping[str, Any], elapsed_us: int) -> Guest:
        seen_us = min(elapsed_us, round(LONGEST_GAUGE_S * 1e6), int(item["uptime"]) * 1_000_000)
        return Guest(
            name=str(item.get("name") or item["vmid"]),
            uid=self._uids[item["vmid"]][1],
            mark=str(item["vmid"]),
            vcpu=max(round(float(item["maxcpu"])), 1),
            cpu_us=_gauge_us(item, seen_us),
            ram_mb=int(item["maxmem"]) // MEBIBYTE,
        )

    def _identity(self, door: Any, item: Mapping[str, Any]) -> tuple[int, str]:
        """The uptime and the uid of a guest; its firmware is asked anew where it was started anew."""
        known = self._uids.get(item["vmid"])
        if known and known[0] <= item["uptime"]:
            return item["uptime"], known[1]
        uid = f"{self._cluster_name(door)}/{item['vmid']}"
        if item["type"] == "qemu":
            config = door.nodes(item["node"]).qemu(item["vmid"]).config.get()
            if found := SMBIOS_UUID.search(str(config.get("smbios1", ""))):
                uid += f"/{found[1].lower()}"
        return item["uptime"], uid

    def _cluster_name(self, door: Any) -> str:
        """What the cluster is called; a node that stands alone answers for itself."""
        if self._cluster is None:
            told = door.cluster.status.get()
            named = [item["name"] for kind in ("cluster", "node") for item in told if item["type"] == kind]
            self._cluster = str(named[0])
        return self._cluster

    def _made_of(self, door: Any, node: str) -> tuple[Facts, int | None]:
        """What a node is made of, and its cores where they are told; asked once an hour."""
        known = self._made.get(node)
        if known is None or time.monotonic() - known[0] > FACTS_S:
            status = door.nodes(node).status.get()
            cpu = status["cpuinfo"]
            facts = Facts(
                site=self._settings.site,
                cluster=self._cluster_name(door),
                cpu_model=str(cpu["model"]),
                sockets=int(cpu["sockets"]),
                ram_mb=int(status["memory"]["total"]) // MEBIBYTE,
            )
            known = time.monotonic(), facts, int(cpu.get("cores") or 0) or None
            self._made[node] = known
        return known[1:]


def _runs(item: Mapping[str, Any]) -> bool:
    guest = item["type"] in ("qemu", "lxc")
    return guest and item.get("status") == "running" and not item.get("template")


def _gauge_us(item: Mapping[str, Any], span_us: int) -> int:
    """CPU time of a share of the CPUs over a span; more than all of them is all of them."""
    share = float(item["cpu"])
    if not 0 <= share < 1000:
        raise ValueError(f"cpu of {item['id']} is {share}")
    return round(min(share, 1.0) * float(item["maxcpu"]) * span_us)
