"""How long the national directory takes to import, and to compare again, in SQLite.

python -m tests.bench.directory_import
"""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

from tests.running import Installation

FILES = {
    "3 975 sites": ("sae", "tests/data/sae/ID_2023r.csv"),
    "135 groups": ("ght", "tests/data/sae/GHT_2023r.csv"),
}
GOAL_S = 20  # the first imports of all the files


def main() -> None:
    """Print the seconds of each command, its start included; fails where a second import changes anything."""
    with tempfile.TemporaryDirectory() as folder:
        console = Installation(Path(folder))
        console.console("prepare")
        first_s = sum(_import_twice(console, what, *file) for what, file in FILES.items())
    print(f"first imports: {first_s:.1f} s, to be under {GOAL_S} s")


def _import_twice(console: Installation, what: str, command: str, file: str) -> float:
    """The seconds of the first import."""
    taken_s = []
    for turn in ("first", "second"):
        started, used_s = time.perf_counter(), _used_s()
        output = console.console("import", command, file, "--yes")
        taken_s.append(time.perf_counter() - started)
        print(f"{what}, {turn} import: {taken_s[-1]:.1f} s, {_used_s() - used_s:.1f} s of CPU")
        if (turn == "second") != output.endswith("Nothing to import.\n"):
            raise SystemExit(f"the {turn} import of {file} says: {output}")
    return taken_s[0]


def _used_s() -> float:
    """Seconds of CPU of the commands so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
