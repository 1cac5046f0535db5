"""The doctor finds what is wrong with a real installation, and changes nothing."""

from __future__ import annotations

import json
import os
import ssl
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from collectors import doctor, registry
from collectors.__main__ import main
from collectors.configuration import AgentSettings, Configuration, ConsoleSettings
from collectors.doctor import Check, State
from collectors.instrument import SecretFile
from collectors.outbox import Outbox
from collectors.registry import unset
from tests.collectors.consoles import Console, accept, refuse
from tests.collectors.trees import Host
from tests.readings import reading


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SPAN_S", 0.02)
    monkeypatch.setattr(doctor, "LONGEST_SPAN_S", 0.06)


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("s3cret\n")
    path.chmod(0o600)
    return path


def asked(
    host: Host, token: Path, url: str, sources: str = "rapl,model", ca_file: Path | None = None, **agent: Any
) -> Configuration:
    settings: dict[str, Any] = {
        "outbox": token.parent / "outbox",
        "host": "srv-01",
        "proc_root": host.roots.proc,
        "cgroup_root": host.roots.cgroup,
        "powercap_root": host.roots.powercap,
    }
    return Configuration(
        ConsoleSettings(url, SecretFile(token), ca_file),
        AgentSettings(**settings | agent),
        unset(sources.split(",")),
    )


def found(configuration: Configuration) -> dict[str, Check]:
    return {check.name: check for check in doctor.examine(configuration, "collectors 1.0")}


def broken(checks: dict[str, Check]) -> list[str]:
    return [name for name, check in checks.items() if check.state is State.BROKEN]


def test_on_a_sound_host_nothing_is_broken_and_nothing_was_changed(host: Host, token: Path) -> None:
    host.zone("intel-rapl:0", "package-0", 1000)
    host.v2("/system.slice/payroll.service", 1)
    outbox = token.parent / "outbox"
    with Outbox(outbox, "agent", "srv-01") as kept, Console() as console:
        kept.put(reading())
        before = sorted(outbox.rglob("*"))
        checks = found(asked(host, token, console.url, "rapl"))
        assert sorted(outbox.rglob("*")) == before
    assert broken(checks) == []
    assert console.sequences == []
    assert checks["token"].message == "accepted for srv-01"
    assert checks["source rapl"].message.endswith("(measured, package+dram)")
    assert checks["outbox"].message.startswith("1 readings wait, the oldest for 0 minutes")
    assert "version 2" in checks["control groups"].message


@pytest.mark.parametrize(
    ("reply", "name", "state", "words"),
    [
        (refuse(401, "unknown token"), "token", State.BROKEN, "does not accept it for srv-01: unknown token"),
        (refuse(403, "other host"), "token", State.BROKEN, "does not accept it for srv-01: other host"),
        (refuse(429, "slowly"), "token", State.NOTE, "the console is busy (429): slowly"),
        (refuse(404, "not here"), "token", State.BROKEN, "the console answered 404: not here"),
        (accept, "token", State.GOOD, "accepted for srv-01"),
    ],
)
def test_what_the_console_says_of_the_token_is_told(
    host: Host, token: Path, reply: Any, name: str, state: State, words: str
) -> None:
    with Console(reply) as console:
        check = found(asked(host, token, console.url))[name]
    assert (check.state, words in check.message) == (state, True)


@pytest.mark.parametrize(
    ("ahead_s", "state", "words"),
    [
        (0, State.GOOD, "the console's"),
        (90, State.BROKEN, "90 s ahead of"),
        (-90, State.BROKEN, "90 s behind"),
    ],
)
def test_a_clock_that_differs_from_the_console_is_told(
    host: Host, token: Path, ahead_s: int, state: State, words: str
) -> None:
    date = format_datetime(datetime.now(UTC) - timedelta(seconds=ahead_s), usegmt=True)
    with Console(headers={"Date": date}) as console:
        check = found(asked(host, token, console.url))["clock"]
    assert check.state is state
    assert words.split(" s ")[-1] in check.message


def test_each_thing_that_is_wrong_is_found_in_one_go(host: Host, token: Path) -> None:
    with Console() as console:
        url = console.url
    (host.roots.proc / "stat").write_text("")
    checks = found(asked(host, token, url, "rapl", rules=Path("/no/rules"), outbox=Path("/proc/outbox")))
    assert broken(checks) == ["processes", "rules", "source rapl", "sources", "outbox", "console"]
    assert "Connection refused" in checks["console"].message
    assert "no powercap tree" in checks["source rapl"].message


def test_a_source_of_the_default_list_that_cannot_run_here_is_worth_a_note(
    host: Host, token: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "DEFAULT", ("rapl", "model"))
    with Console() as console:
        checks = found(asked(host, token, console.url, "rapl,model"))
    assert checks["source rapl"].state is State.NOTE


def test_a_token_that_others_may_read_is_not_sent(host: Host, token: Path) -> None:
    token.chmod(0o644)
    with Console() as console:
        checks = found(asked(host, token, console.url))
    assert checks["token"].message == f"{token}: others may read it; chmod 600 {token}"
    assert console.tokens == []


@pytest.mark.parametrize("known", [True, False])
def test_the_certificate_is_verified_and_the_way_out_is_told(
    host: Host, token: Path, tmp_path: Path, known: bool
) -> None:
    authority = trustme.CA()
    (authority if known else trustme.CA()).cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with Console() as console:
        console.encrypt(context)
        url = f"https://localhost:{console.port}"
        checks = found(asked(host, token, url, ca_file=tmp_path / "ca.pem"))
    if known:
        assert checks["encryption"].message == "TLS, and the certificate was verified"
    else:
        assert checks["console"].message.endswith("name the authority that signed it with ca_file")


def test_what_the_console_refused_and_what_waits_too_long_is_told(host: Host, token: Path) -> None:
    with Outbox(token.parent / "outbox", "agent", "srv-01") as outbox:
        outbox.put(reading())
        outbox.set_aside(outbox.kept(), "422 no")
    with Console() as console:
        check = found(asked(host, token, console.url))["outbox"]
    assert check.state is State.NOTE
    assert "1 that the console refused are in " in check.message


def test_what_waits_of_hosts_measured_in_their_stead_is_told_with_its_age(host: Host, token: Path) -> None:
    an_hour_ago = time.time() - 3600
    for folder in (token.parent / "outbox", token.parent / "outbox/hosts/esx-01"):
        with Outbox(folder, "agent", "srv-01") as outbox:
            outbox.put(reading())
            os.utime(outbox.kept()[0], (an_hour_ago, an_hour_ago))
    with Console() as console:
        check = found(asked(host, token, console.url))["outbox"]
    assert check.state is State.NOTE
    assert check.message.startswith("2 readings wait, the oldest for 60 minutes; 0.0 of 256 MB")


def test_the_command_tells_people_and_programs_and_its_status_says_the_same(
    token: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "collector.toml"
    with Console() as console:
        path.write_text(
            f'[console]\nurl = "{console.url}"\ntoken_file = "{token}"\n'
            f'[agent]\noutbox = "{tmp_path}/outbox"\nhost = "srv-01"\n[sources.model]\n'
        )
        assert main(["doctor", "--config", str(path)]) == 0
        assert capsys.readouterr().out.endswith("nothing is broken\n")
        assert main(["doctor", "--config", str(path), "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
    assert told["sound"] is True
    assert {"name": "token", "state": "good", "message": "accepted for srv-01"} in told["checks"]
    path.write_text("[console]\nurl = 3\n")
    assert main(["doctor", "--config", str(path)]) == 1
    out = capsys.readouterr().out
    assert f"{path}:2: console.url: 3 is not what belongs here" in out
    assert "found something broken" in out
