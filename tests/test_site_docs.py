"""The examples of docs/sites.md are files that the console reads whole."""

import re
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from console.domain.cmdb_files import read_cmdb
from console.domain.facility_files import Defaults, read_facility
from console.domain.grid_files import read_grid
from console.domain.tables import read_csv

PAGE = (Path(__file__).parents[1] / "docs" / "sites.md").read_text(encoding="utf-8")
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
EXAMPLES = re.findall(r"```csv (\w+)\n(.*?)```", PAGE, re.DOTALL)


def test_each_kind_of_file_has_two_examples() -> None:
    assert Counter(kind for kind, _text in EXAMPLES) == {"facility": 2, "grid": 2, "cmdb": 2}


def test_every_row_of_every_example_is_taken() -> None:
    for kind, text in EXAMPLES:
        content = text.encode()
        if kind == "facility":
            meters = read_facility(content, ZoneInfo("Europe/Paris"), now=NOW, defaults=Defaults(category=2))
            assert (meters.refusals, meters.ignored, bool(meters.told)) == ([], [], True)
        elif kind == "grid":
            grid = read_grid(content, "FR")
            assert (grid.refusals, grid.gaps, bool(grid.intensities)) == ([], 0, True)
        else:
            machines = read_cmdb(read_csv(content), date(2026, 11, 1))
            assert (machines.refusals, len(machines.machines) >= 2) == ([], True)
