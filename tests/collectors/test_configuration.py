"""The agent's file is checked whole before anything starts."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from collectors.configuration import BadConfiguration, Configuration, load
from collectors.instrument import SecretFile
from collectors.power_models.stated import ModelSettings
from collectors.registry import DEFAULT
from collectors.sources.rapl import RaplSettings

CONSOLE = """
[console]
url = "https://console.example"
token_file = "TOKEN"
[agent]
outbox = "/var/lib/collector"
host = "srv-01"
"""


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("s3cret\n")
    path.chmod(0o600)
    return path


def written(folder: Path, text: str) -> Path:
    path = folder / "collector.toml"
    path.write_text(textwrap.dedent(text).replace("TOKEN", str(folder / "token")))
    return path


def loaded(folder: Path, text: str) -> Configuration:
    return load(written(folder, text))


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(BadConfiguration) as refusal:
        loaded(folder, text)
    path = folder / "collector.toml"
    return [line.removeprefix(f"{path}:") for line in str(refusal.value).splitlines()]


def test_the_least_that_must_be_said(tmp_path: Path, token: Path) -> None:
    asked = loaded(tmp_path, CONSOLE)
    assert (asked.console.url, asked.console.token_file) == ("https://console.example", SecretFile(token))
    assert (asked.agent.outbox, asked.agent.outbox_max_mb) == (Path("/var/lib/collector"), 256)
    assert (asked.agent.named, asked.agent.sample_seconds, asked.agent.this_host) == ("srv-01", 15.0, True)
    assert tuple(asked.sources) == DEFAULT


def test_a_table_of_sources_enables_those_that_have_one(tmp_path: Path, token: Path) -> None:
    asked = loaded(tmp_path, CONSOLE + "[sources.model]\n[sources.rapl]\nsocket_limit_w = 2500\n")
    assert set(asked.sources) == {"model", "rapl"}
    assert asked.sources["rapl"] == RaplSettings(socket_limit_w=2500)


PROXMOX = """
[[hypervisors]]
kind = "proxmox"
address = "pve.example"
user = "console@pve"
token_name = "inr"
token_file = "TOKEN"
"""
LIBVIRT = "\n[[hypervisors]]\nkind = 'libvirt'\nuri = '{}'\n"


@pytest.mark.parametrize("source", ["rapl", "nvml", "codecarbon", "ipmi"])
def test_a_source_of_this_machine_is_refused_for_a_host_that_is_another(
    tmp_path: Path, token: Path, source: str
) -> None:
    table = f"[hypervisors.hosts.pve-01.sources.{source}]\n"
    assert mistakes(tmp_path, CONSOLE + PROXMOX + table) == [
        f"15: hypervisors.hosts.pve-01.sources.{source}: it measures the machine that the agent runs on, and "
        "'pve-01' is another; redfish, snmp, prometheus, or ipmi with an address, measure it from here"
    ]
    [refused] = mistakes(tmp_path, CONSOLE + LIBVIRT.format("qemu+tls://kvm-03/system") + table)
    assert "it measures the machine that the agent runs on" in refused


def test_a_source_of_this_machine_is_taken_for_the_host_that_it_is(tmp_path: Path, token: Path) -> None:
    rapl = "[hypervisors.hosts.{}.sources.rapl]\n"
    own_node = loaded(tmp_path, CONSOLE + PROXMOX + rapl.format("SRV-01"))
    assert [*own_node.managers[0].host_sources["srv-01"]] == ["rapl"]
    own_kvm = loaded(tmp_path, CONSOLE + LIBVIRT.format("qemu:///system") + rapl.format("kvm-03"))
    assert [*own_kvm.managers[0].host_sources["kvm-03"]] == ["rapl"]


def test_what_is_stated_of_another_host_goes_to_its_model_and_reads_nothing_of_this_one(
    tmp_path: Path, token: Path
) -> None:
    table = "[hypervisors.hosts.pve-01.sources.model]\ntdp_w = 205.0\ndrives = 6\n"
    [manager] = loaded(tmp_path, CONSOLE + PROXMOX + table).managers
    assert manager.host_sources == {"pve-01": {}}
    assert manager.models == {"pve-01": ModelSettings(tdp_w=205.0, drives=6)}


def test_one_host_has_one_table_however_it_is_written(tmp_path: Path, token: Path) -> None:
    tables = "[hypervisors.hosts.pve-01]\n[hypervisors.hosts.PVE-01]\n"
    assert mistakes(tmp_path, CONSOLE + PROXMOX + tables) == [
        "16: hypervisors.hosts.PVE-01: 'pve-01' has a table already; capitals make no other host"
    ]


def test_an_empty_table_of_sources_enables_none(tmp_path: Path, token: Path) -> None:
    assert dict(loaded(tmp_path, CONSOLE + "[sources]\n").sources) == {}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("[agent]", "[agnet]"), ["4: agnet: unknown; did you mean agent?"]),
        (("https", "http"), ["2: console.url: 'http://console.example' would send the token unencrypted"]),
        (("https://", "https://me:pw@"), ["2: console.url: an address holds no name and no password"]),
        (('"srv-01"', '"Not A Host"'), ["6: agent.host: 'Not A Host' is not made of small letters"]),
        (("host", "sample_seconds = 90\nhost"), ["6: agent.sample_seconds: 0.1 <= sample_seconds"]),
        (("host", "outbox_max_mb = 0\nhost"), ["6: agent.outbox_max_mb: 1 or more is expected"]),
        (("host", "site = ''\nhost"), ["6: agent.site: 1 to 64 printable characters"]),
        (("host", "[sources.abacus]\nhost"), ["6: sources.abacus: unknown; known here"]),
        (("host", "[sources.rapl]\nhost"), ["7: sources.rapl.host: unknown; known here: socket_limit_w"]),
        (("host", "[[hypervisors]]\nkind = 'abacus'\nhost"), ["7: hypervisors.kind: 'abacus' is not one of"]),
        (("host", "[[hypervisors]]\nhost"), ["6: hypervisors.kind: missing; one of"]),
        (("[agent]", "ca_file = '/no/ca'\n[agent]"), ["4: console.ca_file: /no/ca: there is no such file"]),
    ],
)
def test_a_mistake_is_one_line_with_the_file_the_line_and_what_would_be_right(
    tmp_path: Path, token: Path, change: tuple[str, str], told: list[str]
) -> None:
    found = mistakes(tmp_path, CONSOLE.strip().replace(*change, 1))
    found = [line for line in found if "agent.outbox: missing" not in line]
    assert len(found) == len(told)
    assert all(line.startswith(start) for line, start in zip(found, told, strict=True))


def test_every_mistake_of_a_file_is_told_in_the_order_of_its_lines(tmp_path: Path) -> None:
    found = mistakes(tmp_path, "[console]\nurl = 3\ntoken_file = '/no/token'\n[agent]\nhosts = 'a'\n")
    assert [line.partition(": ")[0] for line in found] == ["2", "3", "4", "5"]
    assert [line.split(": ")[1] for line in found] == [
        "console.url",
        "console.token_file",
        "agent.outbox",
        "agent.hosts",
    ]


def test_a_token_that_others_may_read_is_refused(tmp_path: Path, token: Path) -> None:
    token.chmod(0o644)
    (told,) = mistakes(tmp_path, CONSOLE.strip())
    assert told == f"3: console.token_file: {token}: others may read it; chmod 600 {token}"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[console", "not TOML: "),
        (b"\xff", "not UTF-8 text"),
        (b"#" * ((1 << 20) + 1), "more than 1048576 bytes"),
        (b"a=" + b"[" * 5000, "not TOML: "),
    ],
    ids=["torn", "bytes", "huge", "deep"],
)
def test_what_is_no_configuration_is_refused_in_one_line(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "collector.toml"
    path.write_bytes(content)
    with pytest.raises(BadConfiguration) as refusal:
        load(path)
    assert str(refusal.value).startswith(f"{path}: {told}")
    assert "\n" not in str(refusal.value)


def test_http_is_for_this_machine_or_for_who_says_so(tmp_path: Path, token: Path) -> None:
    local = CONSOLE.replace("https://console.example", "http://127.0.0.1:8000")
    assert loaded(tmp_path, local).console.url == "http://127.0.0.1:8000"
    told = CONSOLE.replace("https://", "http://").replace("[agent]", "allow_plain_http = true\n[agent]")
    assert loaded(tmp_path, told).console.allow_plain_http
