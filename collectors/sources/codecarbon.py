"""CodeCarbon: its estimate of CPU, RAM and GPU energy, for machines whose counters cannot be read.

Needs the `codecarbon` extra. Runs `OfflineEmissionsTracker` for France in a child process
(`codecarbon_child`): its libraries stay out of the agent, and it is asked for energy only; carbon is the
console's business. Nothing is sent or looked up on the network.

Without a sensor CodeCarbon models: the CPU by its load and a table of thermal design powers (4 W per thread
where the model is unknown), the RAM by a constant per module. So the quality is `modelled` and the authority
that of a model. Where RAPL is readable CodeCarbon would read the same counters: `rapl` does, and this source
does not run. Its configuration files (`~/.codecarbon.config`) are followed for what describes the hardware,
such as `force_cpu_power`.

The child starts with the agent and ends with it, whatever way the agent ends. One that does not start, dies
or stops answering leaves gaps with the reason, and is started again after a while, at most every 10 minutes.
"""

from __future__ import annotations

import importlib.util
import json
import os
import select
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from collectors.instrument import Energy, Missing, Roots, Source
from collectors.reading import Authority, Boundary, Quality

ANSWER_S = 1.0
SILENT_READS = 3
"""Reads without an answer after which the child is replaced."""
FIRST_RETRY_S, LONGEST_RETRY_S = 15.0, 600.0
END_S = 0.3
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
DEFAULT_POWERCAP = Roots().powercap


class Codecarbon(Source):
    """The child process, asked for its running total at each read."""

    name = "codecarbon"
    authority = Authority.MODEL
    boundary = Boundary.PACKAGE_DRAM
    quality = Quality.MODELLED

    def __init__(self, roots: Roots) -> None:
        self._roots = roots
        self._child: Child | None = None
        self._last: tuple[float, int] | None = None
        self._silent_reads = 0
        self._retry_s = FIRST_RETRY_S
        self._retry_at_s = 0.0

    @classmethod
    def only_here(cls, settings: object) -> bool:
        return True

    def available(self) -> str | None:
        if importlib.util.find_spec("codecarbon") is None:
            return "not installed: codecarbon, the extra 'codecarbon' of the wheel"
        for root in {self._roots.powercap, DEFAULT_POWERCAP}:
            if any(_readable(path) for path in root.glob("*:*/energy_uj")):
                return f"the counters under {root} are readable: rapl reads the same ones"
        return None

    def start(self) -> None:
        self._last, self._silent_reads = None, 0
        self._child = Child()

    def ready(self) -> bool:
        return self._child is None or self._child.awake()

    def read(self) -> Energy | Missing:
        if self._child is None:
            return self._start_again()
        if not self._child.awake():
            return Missing("codecarbon is starting")
        answer = self._child.ask()
        if answer is None:
            return self._unanswered()
        self._silent_reads = 0
        if "reason" in answer:
            return self._give_up(str(answer["reason"]))
        return self._since_last(int(answer["energy_mj"]))

    def _since_last(self, total_mj: int) -> Energy | Missing:
        self._retry_s = FIRST_RETRY_S
        now_s = time.monotonic()
        before, self._last = self._last, (now_s, total_mj)
        if before is None:
            return Missing("codecarbon has just started")
        return Energy(total_mj - before[1], round((now_s - before[0]) * 1000))

    def _unanswered(self) -> Missing:
        self._silent_reads += 1
        if self._silent_reads < SILENT_READS:
            return Missing(f"codecarbon did not answer within {ANSWER_S:g} s")
        return self._give_up(f"codecarbon did not answer {SILENT_READS} times")

    def _give_up(self, reason: str) -> Missing:
        self.close()
        self._retry_at_s = time.monotonic() + self._retry_s
        self._retry_s = min(self._retry_s * 2, LONGEST_RETRY_S)
        return Missing(reason)

    def _start_again(self) -> Missing:
        if time.monotonic() < self._retry_at_s:
            return Missing("codecarbon failed and waits to be started again")
        self.start()
        return Missing("codecarbon is started again")

    def close(self) -> None:
        if self._child:
            self._child.close()
        self._child = None


class Child:
    """The process that holds CodeCarbon: a number in, a line of JSON out."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "collectors.sources.codecarbon_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **ONE_THREAD},
            bufsize=0,
            start_new_session=True,
        )
        self._lines: list[dict[str, Any]] = []
        self._partial = b""
        self._asked = 0
        self._awake = False

    def awake(self) -> bool:
        """Whether it has said a first word, or ended without one."""
        if not self._awake:
            self._awake = self._receive(0) == b"" or bool(self._lines)
        return self._awake

    def ask(self) -> dict[str, Any] | None:
        """Its running total, or the reason why it has none; None where no answer came in time."""
        self._asked += 1
        with suppress(BrokenPipeError):
            os.write(self._pipe_in, f"{self._asked}\n".encode())
        deadline_s = time.monotonic() + ANSWER_S
        while True:
            for line in self._lines:
                if line.get("asked") == self._asked or "reason" in line:
                    return line
            self._lines.clear()
            received = self._receive(deadline_s - time.monotonic())
            if received is None:
                return None
            if received == b"":
                return {"reason": f"codecarbon ended with status {self._status()}"}

    def _receive(self, wait_s: float) -> bytes | None:
        """Take in what the child has written: empty at its end, None where nothing came within the time."""
        ready, _, _ = select.select([self._pipe_out], [], [], max(wait_s, 0))
        if not ready:
            return None
        received = os.read(self._pipe_out, 65536)
        *whole, self._partial = (self._partial + received).split(b"\n")
        self._lines += [json.loads(line) for line in whole]
        return received

    def _status(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_S)
        return self._process.returncode

    @property
    def _pipe_in(self) -> int:
        assert self._process.stdin is not None  # noqa: S101 - asked for above
        return self._process.stdin.fileno()

    @property
    def _pipe_out(self) -> int:
        assert self._process.stdout is not None  # noqa: S101 - asked for above
        return self._process.stdout.fileno()

    def close(self) -> None:
        """End the child: it ends at the end of its input, or is killed."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _readable(path: Path) -> bool:
    try:
        return path.read_text(encoding="ascii").strip().isdecimal()
    except (OSError, UnicodeDecodeError):
        return False
