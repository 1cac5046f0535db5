"""How the table of power by family of processor is made from the results of SPECpower in tests/data.

    python -m tests.power_families

writes collectors/power_models/families.csv again; a test compares what is shipped with what this makes.

Left out: results marked non-compliant ("NC") and those whose idle power is not below their full power, which
are shifted by a column (two in the editions of 2022 and 2023); families of fewer than four results.
"""

from __future__ import annotations

import csv
import io
import statistics
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from collectors.power_models.families import family_of
from collectors.power_models.servers import ALL, TABLE

RESULTS = Path(__file__).parent / "data" / "specpower" / "SPECpower-2026-03-09.csv"
IDLE, FULL = "avg. watts @ active idle", "avg. watts @ 100%"
FEWEST = 4
SINCE = 2017
COLUMNS = (
    "family",
    "results",
    "idle_p10_mw",
    "idle_p50_mw",
    "idle_p90_mw",
    "full_p10_mw",
    "full_p50_mw",
    "full_p90_mw",
    "ram_mb_per_cpu",
    "threads_per_core",
)

Row = dict[str, str]


def main() -> None:
    """Write the table again."""
    content = build(results())
    TABLE.write_text(content, encoding="utf-8", newline="\n")
    print(f"{TABLE.name}: {len(content.encode())} bytes")


def results() -> list[Row]:
    """The published results."""
    with RESULTS.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def believed(row: Row) -> bool:
    """Whether the watts of a result are those of its columns."""
    return "NC" not in row.values() and float(row[IDLE]) < float(row[FULL])


def build(rows: Iterable[Row]) -> str:
    """The table as text."""
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in filter(believed, rows):
        if family := family_of(row["CPU Description"]):
            groups[family].append(row)
        if int(row["Published"][-4:]) >= SINCE:
            groups[ALL].append(row)
    content = io.StringIO()
    writer = csv.writer(content, lineterminator="\n")
    writer.writerow(COLUMNS)
    for family in sorted(groups):
        if len(groups[family]) >= FEWEST:
            writer.writerow([family, len(groups[family]), *_figures(groups[family])])
    return content.getvalue()


def _figures(rows: list[Row]) -> list[int]:
    idle = _ranks([1000 * float(row[IDLE]) / int(row["Total Threads"]) for row in rows])
    full = _ranks([1000 * float(row[FULL]) / int(row["Total Threads"]) for row in rows])
    ram_mb = [1024 * float(row["Total Memory (GB)"]) / int(row["Total Threads"]) for row in rows]
    threads = statistics.mode(int(row["# Threads Per Core"]) for row in rows)
    return [*idle, *full, round(statistics.median(ram_mb)), threads]


def _ranks(values: list[float]) -> list[int]:
    percentiles = statistics.quantiles(values, n=100, method="inclusive")
    return [round(percentiles[rank - 1]) for rank in (10, 50, 90)]


if __name__ == "__main__":
    main()
