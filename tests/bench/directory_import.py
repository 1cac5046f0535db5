"""How long the national directory takes to import, and to compare again, in SQLite.

python -m tests.bench.directory_import
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.running import Installation

FILE = "tests/data/sae/ID_2023r.csv"


def main() -> None:
    """Print the seconds of the command, its start included."""
    with tempfile.TemporaryDirectory() as folder:
        console = Installation(Path(folder))
        console.console("prepare")
        for what in ("first import", "second import"):
            started = time.perf_counter()
            console.console("import", "sae", FILE, "--yes")
            print(f"{what}: {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
