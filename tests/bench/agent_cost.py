"""What the agent costs: CPU and memory among 300 processes, without and with CodeCarbon.

    python -m tests.bench.agent_cost [--minutes 3] [--processes 300]

Starts the processes (one in 30 works a little, the others sleep), runs the real agent at its default pace
against a console that accepts everything, and prints its CPU time, its children's, and its memory at the end.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TICKS_S = os.sysconf("SC_CLK_TCK")
SLEEPER = "import time; time.sleep(100000)"
WORKER = "import time\nwhile True:\n    sum(range(20000)); time.sleep(0.5)"
SETTLING_S = 10


class Accepting(BaseHTTPRequestHandler):
    """A console that accepts every reading."""

    def do_POST(self) -> None:
        body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
        batch = json.loads(body)
        answers = [{"sequence": one["sequence"], "status": "accepted"} for one in batch["readings"]]
        body = json.dumps({"readings": answers}).encode()
        self.send_response(202)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it overrides
        pass


def main() -> None:
    """Print one line per way of running."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--processes", type=int, default=300)
    options = parser.parse_args()
    with ExitStack() as stack:
        console = ThreadingHTTPServer(("127.0.0.1", 0), Accepting)
        threading.Thread(target=console.serve_forever, daemon=True).start()
        stack.callback(console.shutdown)
        for number in range(options.processes):
            program = [sys.executable, "-S", "-c", WORKER if number % 30 == 0 else SLEEPER]
            process = subprocess.Popen(program)
            stack.callback(process.wait)
            stack.callback(process.kill)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "token").write_text("bench")
        for sources in ("rapl,model", "rapl,codecarbon,model"):
            measure(sources, f"http://127.0.0.1:{console.server_port}", folder, options.minutes * 60)


def measure(sources: str, url: str, folder: Path, seconds: float) -> None:
    """Run the agent for so long and print what it and its children used after their start."""
    command = [sys.executable, "-m", "collectors", "--url", url, "--sources", sources]
    agent = subprocess.Popen([*command, "--token-file", folder / "token", "--outbox", folder / "outbox"])
    try:
        time.sleep(SETTLING_S)
        family = [agent.pid, *children(agent.pid)]
        before_s = [cpu_s(pid) for pid in family]
        time.sleep(seconds)
        for role, pid, earlier_s in zip(("agent", "codecarbon"), family, before_s, strict=False):
            percent = (cpu_s(pid) - earlier_s) / seconds * 100
            print(f"{sources}: {role}: {percent:.3f} % of one core, {resident_mb(pid):.0f} MB")
    finally:
        agent.terminate()
        agent.wait()


def children(pid: int) -> list[int]:
    """The direct children of a process."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def cpu_s(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_S


def resident_mb(pid: int) -> float:
    """Resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main()
