"""What the agent costs among 300 processes in 50 control groups, beside CodeCarbon's own tracker in one run.

    python -m tests.bench.agent_cost [--minutes 3] [--processes 300] [--groups 50]

As root, where control groups can be made. Starts the processes in their groups, half of them services and
half containers (one process in 30 works a little, the others sleep), then at the same time the real agent at
its default pace and rules against a console that accepts everything, and CodeCarbon's tracker of the whole
machine at the same interval of 15 s, which attributes nothing. Each has a control group of its own, whose CPU
time the kernel counts to the nanosecond, children included. Prints both, their ratio, and their memory.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from collectors import proc
from tests.collectors.real_groups import counted_s, counting_root, group, join

SLEEPER = "import time; time.sleep(100000)"
WORKER = "import time\nwhile True:\n    sum(range(20000)); time.sleep(0.5)"
TRACKER = """
import time
from codecarbon import OfflineEmissionsTracker
tracker = OfflineEmissionsTracker(
    country_iso_code="FRA", tracking_mode="machine", measure_power_secs=15, save_to_file=False,
    allow_multiple_runs=True, log_level="error",
)
tracker.start()
time.sleep(100000)
"""
SETTLING_S = 30


class Accepting(BaseHTTPRequestHandler):
    """A console that accepts every reading, and keeps them."""

    readings: list[dict[str, Any]] = []  # noqa: RUF012 - one server a run

    def do_POST(self) -> None:
        body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
        batch = json.loads(body)
        self.readings.extend(batch["readings"])
        answers = [{"sequence": one["sequence"], "status": "accepted"} for one in batch["readings"]]
        answer = json.dumps({"readings": answers}).encode()
        self.send_response(202)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it overrides
        pass


def main() -> None:
    """Print what each cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--processes", type=int, default=300)
    parser.add_argument("--groups", type=int, default=50)
    options = parser.parse_args()
    root = counting_root()
    if root is None:
        sys.exit("control groups cannot be made here: run as root, on a machine whose kernel has them")
    with ExitStack() as stack:
        console = ThreadingHTTPServer(("127.0.0.1", 0), Accepting)
        threading.Thread(target=console.serve_forever, daemon=True).start()
        stack.callback(console.shutdown)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(group(root / "bench.slice"))
        groups = [
            stack.enter_context(group(root / "bench.slice" / name(number)))
            for number in range(options.groups)
        ]
        for number in range(options.processes):
            program = WORKER if number % 30 == 0 else SLEEPER
            started(stack, groups[number % len(groups)], "-S", "-c", program)
        (folder / "token").write_text("bench")
        (folder / "token").chmod(0o600)
        costs = [
            Cost(stack, root, "agent", *agent(folder, console.server_port)),
            Cost(stack, root, "CodeCarbon", "-c", TRACKER),
        ]
        time.sleep(SETTLING_S)
        before = [cost.cpu_s() for cost in costs]
        began_s = time.monotonic()
        time.sleep(options.minutes * 60)
        used = [cost.cpu_s() - earlier for cost, earlier in zip(costs, before, strict=True)]
        percent = [100 * seconds / (time.monotonic() - began_s) for seconds in used]
        for cost, share in zip(costs, percent, strict=True):
            print(f"{cost.name}: {share:.3f} % of one core, {cost.resident_mb():.0f} MB")
        print(f"ratio: {percent[0] / percent[1]:.2f}")
        working = len({number % options.groups for number in range(0, options.processes, 30)})
        others = len([*proc.every_pid(Path("/proc"))]) - options.processes
        print(f"other processes and kernel threads of this machine: {others}; load {os.getloadavg()[0]:.1f}")
        print(f"workloads told in the last minute: {named()}, of {working} groups with a process that works")


def name(number: int) -> str:
    """A service, or a container by its id."""
    return f"docker-{secrets.token_hex(32)}.scope" if number % 2 else f"bench-{number}.service"


def started(stack: ExitStack, inside: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """A Python program in a control group, killed at the end."""
    process = subprocess.Popen([sys.executable, *arguments])
    join(inside, process.pid)
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process


def agent(folder: Path, port: int) -> tuple[str, ...]:
    """The agent as it runs anywhere, but for its console."""
    where = [
        "--token-file",
        str(folder / "token"),
        "--outbox",
        str(folder / "outbox"),
        "--sources",
        "rapl,model",
    ]
    return ("-m", "collectors", "--url", f"http://127.0.0.1:{port}", *where)


class Cost:
    """A program in a group of its own, and what the kernel counted of it."""

    def __init__(self, stack: ExitStack, root: Path, name: str, *arguments: str) -> None:
        self.name = name
        self._group = stack.enter_context(group(root / f"cost-{name.lower()}.service"))
        self._process = started(stack, self._group, *arguments)

    def cpu_s(self) -> float:
        """CPU time of the program and of all that it started."""
        return counted_s(self._group)

    def resident_mb(self) -> float:
        """Resident memory of the program, without its children."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def named() -> int:
    """How many of the groups the last reading attributes CPU time to."""
    names = [use["name"] for use in Accepting.readings[-1]["workloads"]]
    return sum(one.startswith(("bench-", "container ")) for one in names)


if __name__ == "__main__":
    main()
