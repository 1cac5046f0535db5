"""Proxmox VE by proxmoxer, over TLS, against a server that answers as the API's documentation says.

The shapes are those of the API viewer (pve.proxmox.com/pve-docs/api-viewer: `/cluster/resources`,
`/cluster/status`, `/nodes/{node}/status`, `/nodes/{node}/qemu/{vmid}/config`); no real cluster was asked.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from collectors.hypervisors.proxmox import Proxmox, ProxmoxSettings
from collectors.instrument import Missing, SecretFile
from collectors.reading import Facts
from collectors.virtual import FIRST_READ, HostSpan, Names, Unreachable, use_of

GIBIBYTE = 1024**3
TOKEN = "6a0c1f6e-aaaa-bbbb-cccc-0123456789ab"
UUID = "4b5e0f38-6c1e-4f0a-9c0c-0a4e8d0a1b01"


def node(name: str, cpu: float = 0.25, status: str = "online") -> dict[str, Any]:
    common = {"id": f"node/{name}", "type": "node", "node": name, "status": status}
    if status != "online":
        return common
    return common | {
        "cpu": cpu,
        "maxcpu": 64,
        "mem": 10 * GIBIBYTE,
        "maxmem": 256 * GIBIBYTE,
        "uptime": 10**6,
    }


def guest(vmid: int, on: str = "pve1", kind: str = "qemu", **changed: Any) -> dict[str, Any]:
    return {
        "id": f"{kind}/{vmid}",
        "type": kind,
        "node": on,
        "vmid": vmid,
        "name": f"vm-{vmid}",
        "status": "running",
        "template": 0,
        "cpu": 0.5,
        "maxcpu": 4,
        "mem": GIBIBYTE,
        "maxmem": 8 * GIBIBYTE,
        "uptime": 86_400,
    } | changed


STATUS = [
    {"id": "cluster", "type": "cluster", "name": "prod", "nodes": 2, "quorate": 1, "version": 4},
    {"id": "node/pve1", "type": "node", "name": "pve1", "online": 1, "local": 1, "nodeid": 1},
]
NODE_STATUS = {
    "cpuinfo": {"model": "AMD EPYC 7543 32-Core Processor", "sockets": 1, "cores": 32, "cpus": 64},
    "memory": {"total": 256 * GIBIBYTE, "used": 10 * GIBIBYTE, "free": 246 * GIBIBYTE},
}


@dataclass
class Cluster:
    """Answers for a cluster, and keeps what it was asked and with which token."""

    resources: list[dict[str, Any]]
    uuids: dict[int, str] = field(default_factory=dict)
    status: int = 200
    asked: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)

    def answer(self, path: str) -> Any:
        if path == "/cluster/resources":
            return [{"id": "storage/pve1/local", "type": "storage", "node": "pve1"}, *self.resources]
        if path == "/cluster/status":
            return STATUS
        if path.endswith("/config"):
            uuid = self.uuids.get(int(path.split("/")[4]))
            return {"cores": 4, "memory": "8192"} | ({"smbios1": f"uuid={uuid}"} if uuid else {})
        return NODE_STATUS


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[Cluster, ProxmoxSettings]]:
    """Two nodes, a machine on each and a container, behind a certificate of their own authority."""
    behind = Cluster([node("pve1"), node("pve2"), guest(101), guest(102, "pve2"), guest(200, kind="lxc")])
    behind.uuids = {101: UUID}

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.removeprefix("/api2/json")
            behind.asked.append(path)
            behind.tokens.add(str(self.headers["Authorization"]))
            body = json.dumps({"data": behind.answer(path)}).encode()
            self.send_response(behind.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it overrides
            pass

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    address = f"127.0.0.1:{server.server_port}"
    yield (
        behind,
        ProxmoxSettings(
            address, "console@pve", "inr", SecretFile(tmp_path / "token"), tmp_path / "ca.pem", "tls"
        ),
    )
    server.shutdown()
    server.server_close()
    thread.join()


Change = Callable[[Cluster], None]


def read_twice(
    cluster: tuple[Cluster, ProxmoxSettings], change: Change = lambda _: None, after_s: float = 0.02
) -> dict[str, HostSpan | Missing]:
    """What is told by the second read, and what changed before it."""
    hypervisor = Proxmox(cluster[1])
    assert set(hypervisor.read().values()) == {FIRST_READ}
    change(cluster[0])
    time.sleep(after_s)
    return dict(hypervisor.read())


def on(told: dict[str, HostSpan | Missing], name: str) -> HostSpan:
    span = told[name]
    assert isinstance(span, HostSpan)
    return span


def test_a_cluster_is_told_by_node_from_the_second_read_on(cluster: tuple[Cluster, ProxmoxSettings]) -> None:
    told = read_twice(cluster)
    span = on(told, "pve1")
    assert span.facts == Facts("tls", "prod", "AMD EPYC 7543 32-Core Processor", 1, 262_144)
    assert (span.vcpu, span.cores, span.utilisation) == (64, 32, 0.25)
    assert span.busy_us == pytest.approx(span.covered_us * 16, abs=2)
    found = {one.name: (one.uid, one.vcpu, one.ram_mb, one.cpu_us) for one in span.guests}
    assert found == {
        "vm-101": ("prod/101/4b5e0f38", 4, 8192, 2 * span.covered_us),
        "vm-200": ("prod/200", 4, 8192, 2 * span.covered_us),
    }
    assert [one.uid for one in on(told, "pve2").guests] == ["prod/102"]
    assert cluster[0].tokens == {f"PVEAPIToken=console@pve!inr={TOKEN}"}


def test_what_a_node_is_made_of_and_its_guests_are_asked_for_once(
    cluster: tuple[Cluster, ProxmoxSettings],
) -> None:
    hypervisor = Proxmox(cluster[1])
    for _ in range(4):
        hypervisor.read()
    asked = cluster[0].asked
    assert asked.count("/cluster/resources") == 4
    assert [asked.count(path) for path in ("/cluster/status", "/nodes/pve1/status")] == [1, 1]
    assert asked.count("/nodes/pve1/qemu/101/config") == 1


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        ({"status": "stopped", "cpu": 0, "uptime": 0}, ["vm-200"]),
        ({"template": 1, "status": "stopped"}, ["vm-200"]),
        ({"status": "unknown"}, ["vm-200"]),
    ],
)
def test_a_guest_that_does_not_run_is_not_told(
    cluster: tuple[Cluster, ProxmoxSettings], changed: dict[str, Any], names: list[str]
) -> None:
    told = read_twice(cluster, lambda behind: behind.resources[2].update(changed))
    assert [one.name for one in on(told, "pve1").guests] == names


def test_a_guest_that_moved_is_told_by_its_new_node_alone(cluster: tuple[Cluster, ProxmoxSettings]) -> None:
    told = read_twice(cluster, lambda behind: behind.resources[2].update(node="pve2", uptime=1))
    assert [one.uid for one in on(told, "pve1").guests] == ["prod/200"]
    assert [one.uid for one in on(told, "pve2").guests] == ["prod/101/4b5e0f38", "prod/102"]


def test_a_guest_that_started_since_counts_for_its_uptime(cluster: tuple[Cluster, ProxmoxSettings]) -> None:
    told = read_twice(cluster, lambda behind: behind.resources[2].update(uptime=0))
    assert on(told, "pve1").guests[0].cpu_us == 0


def test_a_number_that_another_machine_got_is_another_uid(cluster: tuple[Cluster, ProxmoxSettings]) -> None:
    def recreated(behind: Cluster) -> None:
        behind.resources[2].update(uptime=0)
        behind.uuids[101] = UUID.replace("4b5e0f38", "00000001")

    told = read_twice(cluster, recreated)
    assert on(told, "pve1").guests[0].uid == "prod/101/00000001"


def test_two_guests_of_one_name_are_told_apart_by_their_numbers(
    cluster: tuple[Cluster, ProxmoxSettings],
) -> None:
    read = read_twice(cluster, lambda behind: behind.resources[3].update(name="vm-101"))
    told = Names().told_apart(read, 0)
    assert [*use_of(on(told, "pve1")).workloads] == ["vm-101 [101]", "vm-200"]
    assert [*use_of(on(told, "pve2")).workloads] == ["vm-101 [102]"]


def test_a_node_that_is_offline_is_missing(cluster: tuple[Cluster, ProxmoxSettings]) -> None:
    def away(behind: Cluster) -> None:
        behind.resources[1] = node("pve2", status="offline")

    assert read_twice(cluster, away)["pve2"] == Missing("Proxmox calls this node 'offline'")


def test_a_share_beyond_all_cpus_is_all_of_them(cluster: tuple[Cluster, ProxmoxSettings]) -> None:
    told = read_twice(cluster, lambda behind: behind.resources[0].update(cpu=1.02))
    span = on(told, "pve1")
    assert (span.busy_us, span.utilisation) == (64 * span.covered_us, 1.0)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda behind: setattr(behind, "status", 401), r"401"),
        (lambda behind: setattr(behind, "status", 500), r"500"),
        (lambda behind: behind.resources[0].pop("cpu"), r"not an answer of Proxmox VE \(KeyError: 'cpu'\)"),
        (lambda behind: behind.resources[0].update(cpu=-1), r"cpu of node/pve1 is -1\.0"),
        (lambda behind: behind.resources[0].update(maxcpu=0), r"maxcpu of pve1 is 0"),
        (lambda behind: behind.resources[2].update(uptime=None), r"not an answer of Proxmox VE"),
    ],
)
def test_an_answer_that_makes_no_sense_is_no_figure(
    cluster: tuple[Cluster, ProxmoxSettings], change: Change, reason: str
) -> None:
    hypervisor = Proxmox(cluster[1])
    hypervisor.read()
    change(cluster[0])
    with pytest.raises(Unreachable, match=reason) as caught:
        hypervisor.read()
    assert TOKEN not in str(caught.value)


def test_a_certificate_of_somebody_else_is_refused(
    cluster: tuple[Cluster, ProxmoxSettings], tmp_path: Path
) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    with pytest.raises(Unreachable, match=r"certificate verify failed|CERTIFICATE_VERIFY_FAILED"):
        Proxmox(cluster[1]).read()
    assert cluster[0].asked == []


def test_the_token_is_read_each_time(cluster: tuple[Cluster, ProxmoxSettings], tmp_path: Path) -> None:
    hypervisor = Proxmox(cluster[1])
    hypervisor.read()
    (tmp_path / "token").write_text("renewed")
    hypervisor.read()
    assert "PVEAPIToken=console@pve!inr=renewed" in cluster[0].tokens


def test_a_token_file_that_is_missing_is_a_reason(cluster: tuple[Cluster, ProxmoxSettings]) -> None:
    settings = replace(cluster[1], token_file=SecretFile(Path("/nowhere/token")))
    assert Proxmox(settings).available() == "/nowhere/token: No such file or directory"
    assert Proxmox(cluster[1]).available() is None


@pytest.mark.parametrize("text", ["s3cret\nsecond line\n", "s3cret\u20ac", "", "s3cret\r\nX: y"])
def test_a_token_file_that_is_replaced_by_no_token_is_a_reason_without_it(
    cluster: tuple[Cluster, ProxmoxSettings], tmp_path: Path, text: str
) -> None:
    hypervisor = Proxmox(cluster[1])
    hypervisor.read()
    (tmp_path / "token").write_text(text, encoding="utf-8")
    with pytest.raises(Unreachable, match="token") as caught:
        hypervisor.read()
    assert "s3cret" not in str(caught.value)
    assert "token" in str(hypervisor.available())


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"address": "https://pve:8006"}, "address: a host and perhaps a port is expected"),
        ({"user": "console"}, "user: a user with its realm is expected"),
        ({"token_name": "inr\nX: y"}, "token_name: plain letters, digits and signs"),
        ({"user": "jos\u00e9@pve"}, "user: plain letters, digits and signs"),
        ({"timeout_seconds": 0}, "timeout_seconds: from 1 to 60"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changed: dict[str, Any], reason: str) -> None:
    fields = {"address": "pve:8006", "user": "console@pve", "token_name": "inr"} | changed
    with pytest.raises(ValueError, match=reason):
        ProxmoxSettings(token_file=SecretFile(Path("token")), **fields)
