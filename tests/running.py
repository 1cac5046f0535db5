"""The console and its agent as real processes, for tests that start, stop and kill them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
START_S = 30


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_until(holds: Callable[[], object], seconds: float, what: str) -> None:
    """Ask four times a second; fails with `what` when the time is over."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds} s: {what}")
        time.sleep(0.25)


@dataclass
class Installation:
    """A console of its own: folder, port, settings, and the processes started from it."""

    var: Path
    port: int = field(default_factory=free_port)
    settings: dict[str, str] = field(default_factory=dict)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        own = {"CONSOLE_VAR": str(self.var), "CONSOLE_PORT": str(self.port)}
        return {"PATH": f"{BIN}:{os.environ['PATH']}", "PYTHONUNBUFFERED": "1"} | own | self.settings

    def console(self, *arguments: str) -> str:
        """What a `console` command prints; it must succeed."""
        done = subprocess.run(
            [BIN / "console", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ledger(self) -> dict[str, int]:
        found: dict[str, int] = json.loads(self.console("ledger", "check", "--json"))
        return found

    def start(self, *command: str | Path) -> subprocess.Popen[bytes]:
        """A process in a group of its own; its output goes to a file beside the data."""
        log = (self.var / f"{Path(command[0]).name}.log").open("ab")
        process = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
        )
        log.close()
        self.processes.append(process)
        return process

    def start_web(self) -> subprocess.Popen[bytes]:
        process = self.start(BIN / "gunicorn", "--workers=2", f"--bind=127.0.0.1:{self.port}", "wsgi:app")
        wait_until(self.answers, START_S, "the web process does not answer")
        return process

    def start_agent(self, url: str, *arguments: str) -> subprocess.Popen[bytes]:
        """An agent on the model source, a sample and an interval each second."""
        return self.start(
            *(sys.executable, "-m", "collectors", "--url", url, "--sources=model"),
            *("--token-file", str(self.var / "collector.token"), "--outbox", str(self.var / "outbox")),
            *("--sample-seconds=1", "--interval-seconds=1", *arguments),
        )

    def answers(self) -> bool:
        with contextlib.suppress(OSError, urllib.error.HTTPError):
            return urllib.request.urlopen(f"{self.url}/healthz", timeout=5).status == 200
        return False

    def stop(self, process: subprocess.Popen[bytes], with_signal: int = signal.SIGTERM) -> int:
        """Signal the process and its children, and wait for its end."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, with_signal)
        return process.wait(timeout=20)


@contextlib.contextmanager
def installation(var: Path, **settings: str) -> Iterator[Installation]:
    """A prepared installation; whatever it started is ended."""
    installed = Installation(var, settings=settings)
    installed.console("prepare")
    try:
        yield installed
    finally:
        for process in installed.processes:
            if process.poll() is None:
                installed.stop(process, signal.SIGKILL)
