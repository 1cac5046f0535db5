"""Rack PDUs: the program snmpsim as a real agent, which answers what the files of tests/data/snmp hold."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DATA = Path(__file__).parents[1] / "data" / "snmp"
USER, AUTH, PRIV = "inr", "auth-s3cret", "priv-s3cret"
PROGRAM = Path(sys.executable).parent / "snmpsim-command-responder"
START_S = 30.0


@contextmanager
def pdus(folder: Path) -> Iterator[int]:
    """The port of an agent; the community, or the context of version 3, names the vendor's file."""
    records = folder / "records"
    shutil.copytree(DATA, records)
    port = _free_port()
    words = [
        *(str(PROGRAM), f"--data-dir={records}", f"--cache-dir={folder / 'cache'}"),
        f"--agent-udpv4-endpoint=127.0.0.1:{port}",
        *(f"--v3-user={USER}", f"--v3-auth-key={AUTH}", "--v3-auth-proto=SHA256"),
        *(f"--v3-priv-key={PRIV}", "--v3-priv-proto=AES"),
    ]
    if os.geteuid() == 0:  # it refuses to run as root by itself
        words += ["--process-user=root", "--process-group=root"]
    log = folder / "agent.log"
    with log.open("w") as said:
        agent = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=said)
    try:
        deadline_s = time.monotonic() + START_S
        while "Listening at" not in log.read_text():
            assert agent.poll() is None, log.read_text()
            assert time.monotonic() < deadline_s, log.read_text()
            time.sleep(0.05)
        yield port
    finally:
        agent.kill()
        agent.wait()


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
