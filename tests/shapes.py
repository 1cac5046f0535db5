"""How the small tables behind `console generate` are made from the public files in tests/data.

    python -m tests.shapes

writes console/actions/generating/shapes again; a test compares what is shipped with what this makes.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path

from console.actions.generating.sites import COLUMNS
from console.domain.clock import EventKind
from tests import uci_log

DATA = Path(__file__).parent / "data"
SHIPPED = Path(__file__).parent.parent / "console" / "actions" / "generating" / "shapes"
HOURS_A_WEEK = 168
POINTS = 20  # a distribution is told by its 21 quantiles, the least and the greatest included
HOUR = timedelta(hours=1)
SERVERS = 40


def main() -> None:
    """Write every file again."""
    for name, content in build().items():
        (SHIPPED / name).write_text(content, encoding="utf-8", newline="\n")
        print(f"{name}: {len(content.encode())} bytes")


def build() -> dict[str, str]:
    """The files by name."""
    return {
        "sites.csv": _sites(),
        "load.csv": _load(),
        "servers.csv": _servers(),
        "incidents.toml": _incidents(),
    }


def _sites() -> str:
    """The columns of the SAE table that the console reads, all rows, in UTF-8."""
    with (DATA / "sae" / "ID_2023r.csv").open(encoding="cp1252", newline="") as lines:
        header, *rows = csv.reader(lines, delimiter=";")
    places = [[name.lower() for name in header].index(column) for column in COLUMNS]
    content = io.StringIO()
    writer = csv.writer(content, delimiter=";", lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([row[place].strip() for place in places] for row in rows)
    return content.getvalue()


def _load() -> str:
    """Whole weeks of a server's mean power, one a line: thousandths between its least and greatest."""
    with (DATA / "power-trace" / "cbsugpu08_usage_stats.txt").open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    watts = {_hour(row["timestamp"]): float(row["powerave"]) for row in rows if row["powerave"]}
    least, greatest = min(watts.values()), max(watts.values())
    hours = list(_whole_weeks(min(watts), max(watts)))
    levels: list[int] = []
    for hour in hours:  # where the hour is missing it is as the one before
        levels.append(
            round(1000 * (watts[hour] - least) / (greatest - least)) if hour in watts else levels[-1]
        )
    weeks = [levels[start : start + HOURS_A_WEEK] for start in range(0, len(levels), HOURS_A_WEEK)]
    return "".join(";".join(map(str, week)) + "\n" for week in weeks)


def _hour(text: str) -> datetime:
    return datetime.fromisoformat(text.partition(".")[0])


def _whole_weeks(first: datetime, last: datetime) -> Iterator[datetime]:
    monday = (first + timedelta(days=-first.weekday() % 7)).replace(hour=0)
    weeks = (last - monday) // timedelta(weeks=1)
    for number in range(weeks * HOURS_A_WEEK):
        yield monday + number * HOUR


def _servers() -> str:
    """Idle and full power of two-socket servers published since 2017, evenly taken in order of full power."""
    with (DATA / "specpower" / "SPECpower-2026-03-09.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    servers = sorted(
        (float(row["avg. watts @ 100%"]), float(row["avg. watts @ active idle"]), int(row["Total Threads"]))
        for row in rows
        if row["Chips"] == "2" and int(row["Published"][-4:]) >= 2017
    )
    taken = [servers[(2 * place + 1) * len(servers) // (2 * SERVERS)] for place in range(SERVERS)]
    lines_out = (f"{threads};{round(1000 * idle)};{round(1000 * full)}\n" for full, idle, threads in taken)
    return "threads;idle_mw;full_mw\n" + "".join(lines_out)


def _incidents() -> str:
    """When incidents come, how grave they are and how long each step takes."""
    tickets = uci_log.read_tickets()
    outages = list(_outages())
    hours = Counter(ticket.opened_at.hour for ticket in tickets)
    weekdays = Counter(start.weekday() for start, _, _ in outages)
    priorities = Counter(ticket.priority for ticket in tickets)
    waits = [_minutes(wait) for ticket in tickets for wait in _waits(ticket)]
    lines = [
        "# Made by tests/shapes.py; sources in SOURCE.txt. Distributions: 21 quantiles, least to greatest.",
        "",
        "# Incidents opened by hour of the day (service desk) and by weekday from Monday (public outages).",
        f"by_hour = {[hours[hour] for hour in range(24)]}",
        f"by_weekday = {[weekdays[day] for day in range(7)]}",
        "",
        "# Of all incidents, how many wait on the person who asked, and how many are opened again.",
        f"tickets = {len(tickets)}",
        f"waiting = {sum(bool(_waits(ticket)) for ticket in tickets)}",
        f"reopened = {sum(_has(ticket, EventKind.REOPENED) for ticket in tickets)}",
        "",
        "# Minutes: the desk's first step after the opening, a wait, from resolution to closing, an outage.",
        f"to_acknowledge = {_quantiles(_first_steps())}",
        f"wait = {_quantiles(waits)}",
        f"to_close = {_quantiles(_closings(tickets))}",
        f"outage = {_quantiles(_minutes(end - start) for start, end, impact in outages if impact)}",
        "",
        "# By priority: how many, and the minutes from the opening to the resolution.",
    ]
    for priority in sorted(priorities):
        lines += [
            "[[priority]]",
            f'code = "P{priority}"',
            f"count = {priorities[priority]}",
            f"to_resolve = {_quantiles(_resolutions(tickets, priority))}",
        ]
    return "\n".join(lines) + "\n"


def _outages() -> Iterator[tuple[datetime, datetime, bool]]:
    """Start, end, and whether something was down."""
    with (DATA / "outages" / "downtime_windows.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            start, end = (datetime.fromisoformat(row[name]) for name in ("downtime_start", "downtime_end"))
            if row["impact"] != "maintenance":
                yield start, end, row["impact"] in ("major", "critical") and end > start


def _has(ticket: uci_log.Ticket, kind: EventKind) -> bool:
    return any(event.kind is kind for event in ticket.events)


def _waits(ticket: uci_log.Ticket) -> list[timedelta]:
    return [
        after.at - event.at for event, after in pairwise(ticket.events) if event.kind is EventKind.WAITING
    ]


def _first_steps() -> Iterator[int]:
    """From the opening to the first row that is not "New"."""
    with uci_log.LOG.open(encoding="utf-8", newline="") as lines:
        for _, log in groupby(csv.DictReader(lines), key=itemgetter("number")):
            step = next((row for row in log if row["incident_state"] != "New"), None)
            if step is not None:
                yield _minutes(_wall(step["sys_updated_at"]) - _wall(step["opened_at"]))


def _wall(text: str) -> datetime:
    return datetime.strptime(text, "%d-%m-%Y %H:%M").replace(tzinfo=UTC)


def _closings(tickets: Sequence[uci_log.Ticket]) -> Iterator[int]:
    return (_minutes(t.closed_at - t.resolved_at) for t in tickets if t.resolved_at)


def _resolutions(tickets: Sequence[uci_log.Ticket], priority: int) -> Iterator[int]:
    return (
        _minutes(t.resolved_at - t.opened_at) for t in tickets if t.priority == priority and t.resolved_at
    )


def _minutes(delay: timedelta) -> int:
    return max(0, delay // timedelta(minutes=1))


def _quantiles(values: Iterable[int]) -> list[int]:
    ordered = sorted(values)
    return [ordered[round(place * (len(ordered) - 1) / POINTS)] for place in range(POINTS + 1)]


if __name__ == "__main__":
    main()
