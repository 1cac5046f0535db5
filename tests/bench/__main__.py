"""Every measurement that the documentation states, one after the other (about ten minutes)."""

from __future__ import annotations

import subprocess
import sys

BENCHES = (
    *("agent_cost", "ingest", "directory_import", "metering", "generate"),
    *("adherents_list", "incident_list", "row_policies", "restate", "reckoning"),
)

for name in BENCHES:
    print(f"\n== {name}", flush=True)
    subprocess.run([sys.executable, "-m", f"tests.bench.{name}"], check=True)
