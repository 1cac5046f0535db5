"""The whole agent as a real process: it measures, sends, ends in time, and survives being killed."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from collectors import agent as agent_module
from collectors.agent import Pace, Shelf
from collectors.outbox import Outbox
from collectors.reading import decode_batch, decode_reading
from tests.collectors.consoles import Console
from tests.readings import MINUTE, START, reading

ROOT = Path(__file__).parents[2]
FAST = ["--sample-seconds", "0.3", "--interval-seconds", "0.6"]
UNHURRIED_S = 2.0
"""What a source reads is to add up to the interval, to a tenth of it: of half a second that is 50 ms, for
which a busy machine may well let a process wait."""


def secret(folder: Path) -> None:
    (folder / "token").write_text("s3cret\n")
    (folder / "token").chmod(0o600)


def command(folder: Path, url: str, *more: str) -> list[str]:
    secret(folder)
    where = ["--token-file", str(folder / "token"), "--outbox", str(folder / "outbox")]
    return [sys.executable, "-m", "collectors", "--url", url, "--host", "srv-01", *where, *more]


@contextmanager
def start(folder: Path, url: str, *more: str) -> Iterator[subprocess.Popen[str]]:
    """A running agent; killed at the end if the test did not end it."""
    with subprocess.Popen(command(folder, url, *more), cwd=ROOT, stderr=subprocess.PIPE, text=True) as agent:
        try:
            yield agent
        finally:
            agent.kill()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "collectors", *arguments]
    return subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def until(holds: Callable[[], object], seconds: float = 30) -> None:
    end_s = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end_s
        time.sleep(0.02)


def kept(folder: Path) -> list[int]:
    return sorted(int(path.stem) for path in (folder / "outbox").glob("[0-9]*.json"))


def measured_by(folder: Path) -> set[str]:
    """The sources of the measurements in the outbox."""
    batches = [json.loads(path.read_text()) for path in (folder / "outbox").glob("[0-9]*.json")]
    return {m["source"] for batch in batches for one in batch["readings"] for m in one["measurements"]}


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def test_it_measures_this_machine_and_sends_closed_intervals_one_after_another(tmp_path: Path) -> None:
    with Console() as console:
        with start(tmp_path, console.url, "--sources", "model", *FAST) as agent:
            until(lambda: len(console.sequences) >= 4)
            agent.terminate()
            assert agent.wait(2) == 0
        readings = [decode_reading(raw) for batch in console.batches for raw in batch["readings"]]
    assert [one.sequence for one in readings] == list(range(1, len(readings) + 1))
    for before, after in pairwise(readings):
        assert before.ended_at == after.started_at
    energies_mj = [measurement.energy_mj for one in readings for measurement in one.measurements]
    assert energies_mj
    assert min(energies_mj) > 0
    assert kept(tmp_path) == []


def test_it_ends_on_a_signal_within_two_seconds_and_keeps_its_last_interval(tmp_path: Path) -> None:
    for sign in (signal.SIGTERM, signal.SIGINT):
        before = kept(tmp_path)
        with start(tmp_path, "http://127.0.0.1:9", "--sources", "model") as agent:
            assert agent.stderr is not None
            until(lambda: (tmp_path / "outbox/stream.json").exists())
            time.sleep(1.5)
            agent.send_signal(sign)
            began_s = time.monotonic()
            assert agent.wait(5) == 0
            assert time.monotonic() - began_s < 2
            assert "Traceback" not in agent.stderr.read()
        assert len(kept(tmp_path)) == len(before) + 1


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL])
def test_with_codecarbon_it_leaves_no_child_behind_however_it_ends(tmp_path: Path, sign: int) -> None:
    with start(tmp_path, "http://127.0.0.1:9", "--sources", "codecarbon", *FAST) as agent:
        until(lambda: "codecarbon" in measured_by(tmp_path))
        (child,) = children_of(agent.pid)
        agent.send_signal(sign)
        agent.wait(2)
    until(lambda: not alive(child), 2)


def test_killed_again_and_again_it_loses_no_reading_and_repeats_no_sequence(tmp_path: Path) -> None:
    with Console() as console:
        for moment_s in (0.9, 1.3, 1.7):
            with start(tmp_path, console.url, "--sources", "model", *FAST) as agent:
                until(lambda: (tmp_path / "outbox/stream.json").exists())
                time.sleep(moment_s)
                os.kill(agent.pid, signal.SIGKILL)
        with start(tmp_path, console.url, "--sources", "model", "--once", *FAST) as agent:
            assert agent.wait(20) == 0
        streams = {batch["stream"] for batch in console.batches}
        contents = {r["sequence"]: r for batch in console.batches for r in batch["readings"]}
        resent = [r for batch in console.batches for r in batch["readings"]]
    assert len(streams) == 1
    assert kept(tmp_path) == []
    assert len(contents) >= 4
    assert all(reading == contents[reading["sequence"]] for reading in resent)


def test_a_second_agent_on_the_same_outbox_is_refused_in_one_line(tmp_path: Path) -> None:
    with start(tmp_path, "http://127.0.0.1:9", "--sources", "model") as agent:
        until(lambda: (tmp_path / "outbox/stream.json").exists())
        second = subprocess.run(
            command(tmp_path, "http://127.0.0.1:9"), cwd=ROOT, capture_output=True, text=True, check=False
        )
        agent.kill()
    assert second.returncode == 2
    assert second.stderr == f"collectors: {tmp_path}/outbox: another collector uses this outbox\n"


@pytest.mark.parametrize(("console_answers", "status"), [(True, 0), (False, 1)])
def test_once_says_by_its_status_whether_all_was_sent(
    tmp_path: Path, console_answers: bool, status: int
) -> None:
    with Console() as console:
        url = console.url if console_answers else "http://127.0.0.1:9"
        done = subprocess.run(
            command(tmp_path, url, "--once", "--sources", "model", *FAST),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == status
    assert len(kept(tmp_path)) == status


def test_it_says_once_what_it_measures_with_and_why_not_with_the_rest(tmp_path: Path) -> None:
    powercap = tmp_path / "powercap"
    arguments = ["--once", "--sources", "rapl,model", "--powercap-root", str(powercap), *FAST]
    done = subprocess.run(
        command(tmp_path, "http://127.0.0.1:9", *arguments),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stderr.splitlines()
    assert re.fullmatch(
        r"host srv-01, stream [0-9a-f]{32}, to http://127\.0\.0\.1:9/api/v1/readings", lines[0]
    )
    assert lines[1] == "energy from: model"
    assert lines[2].startswith(f"not from rapl: no powercap tree at {powercap}")
    assert lines[3].startswith("readings are kept: ")
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"--url": "console.example"}, "--url: 'console.example' is not an address such as"),
        ({"--url": "ftp://console.example"}, "is not an address"),
        ({"--url": "http://console.example:99999"}, "is not an address"),
        ({"--url": "http://console.example"}, "--url: 'http://console.example' would send the token"),
        ({"--url": "https://me:secret@console.example"}, "an address holds no name and no password"),
        ({"--token-file": "/no/token"}, "token_file: /no/token: No such file or directory"),
        ({"--token-file": "/dev/null"}, "token_file: /dev/null: one line with the secret is needed"),
        ({"--token-file": "/proc/version"}, "/proc/version: others may read it; chmod 600 /proc/version"),
        ({"--outbox": "/proc/outbox"}, "/proc/outbox: "),
        ({"--host": "Not A Host"}, "--host: 'Not A Host' is not made of"),
        ({"--rules": "/no/rules"}, "/no/rules: No such file or directory"),
        ({"--sources": "rapl,abacus"}, "'abacus' is not one of "),
        ({"--sample-seconds": "soon"}, "argument --sample-seconds: invalid float value: 'soon'"),
        ({"--sample-seconds": "90"}, "0.1 <= sample_seconds <= interval_seconds"),
        ({"--proc-root": "/no/proc"}, "proc_root: /no/proc/stat: "),
        ({"--config": "/no/file"}, "--url: belongs in /no/file"),
        ({"--colour": "run"}, "unrecognized arguments: --colour (see --help)"),
        ({"--url": None}, "--config is missing; without it so are --url (see --help)"),
    ],
)
def test_what_is_asked_wrongly_is_one_clear_line_and_status_2(
    tmp_path: Path, changes: dict[str, str | None], message: str
) -> None:
    secret(tmp_path)
    given: dict[str, str | None] = {
        "--url": "http://127.0.0.1:9",
        "--token-file": str(tmp_path / "token"),
        "--outbox": str(tmp_path / "outbox"),
    }
    asked = [part for name, value in (given | changes).items() if value is not None for part in (name, value)]
    done = run(*asked)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.startswith("collectors: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_help_names_every_option() -> None:
    done = run("--help")
    assert done.returncode == 0
    options = ["--url", "--token-file", "--outbox", "--host", "--rules", "--sources", "--powercap-root"]
    options += ["--cgroup-root", "--proc-root", "--once", "--sample-seconds", "--interval-seconds"]
    options += ["--config", "--ca-file", "--allow-plain-http", "--dry-run", "--json", "doctor"]
    assert [option for option in options if option not in done.stdout] == []


@pytest.mark.parametrize(
    ("wall_s", "next_s"),
    [(0.0, 15.0), (9.9, 15.0), (10.1, 30.0), (15.002, 30.0), (14.998, 30.0), (59.0, 75.0)],
)
def test_samples_fall_on_whole_quarters_of_a_minute_and_never_close_together(
    wall_s: float, next_s: float
) -> None:
    assert Pace().next_sample_s(wall_s) == next_s


@pytest.mark.parametrize(
    ("began_s", "sampled_s", "closes"),
    [(0, 45, False), (0, 60.01, True), (0, 59.99, True), (45, 60, True), (60.01, 75, False), (30, 200, True)],
)
def test_intervals_close_on_whole_minutes(began_s: float, sampled_s: float, closes: bool) -> None:
    assert Pace().closes(began_s, sampled_s) is closes


def configured(folder: Path, url: str, *lines: str) -> Path:
    """A configuration file for one quick sample."""
    token = folder / "token"
    token.write_text("s3cret\n")
    token.chmod(0o600)
    path = folder / "collector.toml"
    agent = [
        f'outbox = "{folder}/outbox"',
        'host = "srv-01"',
        f"sample_seconds = {UNHURRIED_S}",
        f"interval_seconds = {UNHURRIED_S}",
    ]
    console = [f'url = "{url}"', f'token_file = "{token}"']
    path.write_text("\n".join(["[console]", *console, "[agent]", *agent, *lines]) + "\n")
    return path


def test_it_does_what_its_file_says(tmp_path: Path) -> None:
    with Console() as console:
        path = configured(tmp_path, console.url, 'site = "tls"', 'cluster = "blue"', "[sources.model]")
        done = run("--config", str(path), "--once")
    assert done.returncode == 0, done.stderr
    (batch,) = console.batches
    facts, (sent,) = batch["facts"], batch["readings"]
    assert (facts["site"], facts["cluster"]) == ("tls", "blue")
    assert facts["ram_mb"] == sent["ram_mb"] > 0
    assert [one["source"] for one in sent["measurements"]] == ["model"], sent["gaps"]
    assert re.fullmatch(r"collectors \d+\.\d+.*", batch["agent"])
    sent_at, ended_at = (datetime.fromisoformat(one) for one in (batch["sent_at"], sent["ended_at"]))
    assert sent_at >= ended_at - timedelta(
        seconds=UNHURRIED_S / 10
    )  # a label takes the whole second it is near


def test_a_file_with_mistakes_starts_nothing_and_tells_every_one(tmp_path: Path) -> None:
    path = configured(tmp_path, "http://console.example", "outbox_max_mb = 0", "[sources.abacus]")
    done = run("--config", str(path))
    assert done.returncode == 2
    told = [line.removeprefix(f"collectors: {path}:") for line in done.stderr.splitlines()]
    assert [line.rpartition("; ")[0] or line for line in told] == [
        "2: console.url: 'http://console.example' would send the token unencrypted",
        "9: agent.outbox_max_mb: 1 or more is expected",
        "10: sources.abacus: unknown",
    ]
    assert not (tmp_path / "outbox").exists()


def test_a_dry_run_prints_the_batch_as_it_would_be_sent_and_sends_and_keeps_nothing(tmp_path: Path) -> None:
    with Console() as console:
        done = run("--config", str(configured(tmp_path, console.url, "[sources.model]")), "--dry-run")
    assert done.returncode == 0, done.stderr
    envelope = decode_batch(done.stdout.encode())
    (raw,) = envelope.readings
    told = decode_reading(raw)
    assert (envelope.host, len(told.measurements)) == ("srv-01", 1)
    assert UNHURRIED_S * 900 <= told.duration_ms < 10_000
    assert console.paths == []
    assert not (tmp_path / "outbox").exists()


def test_no_argument_of_any_process_leaves_the_host(tmp_path: Path) -> None:
    """A process with a secret among its arguments is measured under every kind of rule."""
    secret = "hunter2-in-an-argument"
    rules = tmp_path / "rules.toml"
    rules.write_text(
        f"""
        [[workload]]
        name = "by command"
        command = "--password={secret}"
        [[workload]]
        name = "by program {{executable}}"
        executable = "*"
        [[workload]]
        name = "by user {{user}}"
        user = "*"
        """
    )
    program = "import sys, time\nwhile True:\n    sum(range(20000)); time.sleep(0.001)"
    worker = subprocess.Popen([sys.executable, "-c", program, f"--password={secret}", f"{secret}.conf"])
    try:
        with Console() as console:
            path = configured(tmp_path, console.url, f'rules = "{rules}"', "[sources.model]")
            path.write_text(path.read_text().replace("= 0.5", "= 1"))
            kept = run("--config", str(path), "--once")
            shown = run("--config", str(path), "--dry-run")
    finally:
        worker.kill()
        worker.wait()
    names = {use["name"] for one in console.batches[0]["readings"] for use in one["workloads"]}
    assert "by command" in names
    assert any(name.startswith("by program ") for name in names)
    written = [*console.bodies, kept.stderr.encode(), shown.stdout.encode(), shown.stderr.encode()]
    assert all(secret.encode() not in text for text in written)
    assert all(b"range(20000)" not in text for text in written)


def test_readings_that_a_full_outbox_refuses_are_lost_counted_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Outbox(tmp_path, "agent", "host", most_bytes=5 * 4096) as outbox:
        shelf = Shelf(outbox)
        for _ in range(70):
            shelf.keep(reading())
        assert [int(path.stem) for path in outbox.kept()] == [1, 2, 3, 4, 5]
        assert shelf.lost == 65
        batch = outbox.oldest(2, 10**6)
        assert batch is not None
        outbox.acknowledge(batch, [1, 2])
        shelf.keep(reading())
        assert shelf.lost == 0
    said = [record.getMessage() for record in caplog.records]
    assert [line.split()[0] for line in said[:2]] == ["1", "60"]
    assert said[-1] == "readings are kept again; 65 were lost"


def test_on_a_full_disk_readings_wait_in_memory_and_go_to_the_disk_in_their_order(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_module, "MOST_UNSAVED", 20)
    full = small_disk / "full"
    with Outbox(small_disk / "outbox", "agent", "host") as outbox:
        shelf = Shelf(outbox)
        full.write_bytes(b"0" * (shutil.disk_usage(small_disk).free - 4096))
        for minute in range(1, 31):
            shelf.keep(replace(reading(minute), sequence=0))
        first = outbox.kept()
        assert len(first) < 30
        assert shelf.lost == 30 - len(first) - 20
        full.unlink()
        shelf.keep(replace(reading(31), sequence=0))
        batch = outbox.oldest(100, 10**6)
        assert batch is not None
    minutes = [(one.started_at - START) // MINUTE + 1 for one in batch.readings]
    assert minutes == [*range(1, len(first) + 21), 31]


def test_what_waits_in_memory_at_the_end_goes_to_the_disk_where_it_has_room_or_is_said_to_be_lost(
    small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    full = small_disk / "full"
    with Outbox(small_disk / "outbox", "agent", "host") as outbox:
        shelf = Shelf(outbox)
        full.write_bytes(b"0" * (shutil.disk_usage(small_disk).free - 4096))
        for minute in range(1, 11):
            shelf.keep(replace(reading(minute), sequence=0))
        waiting = 10 - len(outbox.kept())
        shelf.end()
        assert caplog.messages[-1].startswith(f"{waiting} readings that waited in memory are lost")
        full.unlink()
        shelf.end()
        assert len(outbox.kept()) == 10
