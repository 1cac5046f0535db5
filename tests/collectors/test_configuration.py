"""The agent's file is checked whole before anything starts."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from collectors.configuration import BadConfiguration, Configuration, load
from collectors.instrument import SecretFile
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
