"""How large a generation will be, and how long it will take, told before anything is made."""

from __future__ import annotations

from dataclasses import dataclass

from console.actions.generating.ledger import start_of
from console.actions.generating.scale import ZONE, Scale
from console.domain.hours import HOUR

# By how many bytes on disk and microseconds of one core a generation grows with one more of each. An hour is
# that of a workload with all that hangs on it: its lines and its part of the readings.
EMPTY_BYTES = 2_500_000  # with the directory
ADHERENT_BYTES = 28_000
SUBSCRIPTION_BYTES = 3_800
MONTH_BYTES = 950  # of a workload, before the ledger
INCIDENT_BYTES = 810
HOUR_BYTES = {"sqlite": 680, "postgresql": 720}
INCIDENT_US = 220
SUBSCRIPTION_US = 3_800
HOUR_US = 60
NAMELESS = 2  # lines of a host that no workload is for: what idles, and what nothing explains


@dataclass(frozen=True, slots=True)
class Size:
    """What is foreseen; `hours` are those of workloads in the ledger, which begins `days` before the end."""

    days: int
    hours: int
    bytes: int
    seconds: float


def foresee(scale: Scale, engine: str) -> Size:
    """The size of a generation on an engine; the ledger begins with a month, whatever days are asked for."""
    ledger = int((scale.now - start_of(scale, [ZONE])) / HOUR)
    lines = scale.workloads + NAMELESS * scale.hosts
    months = scale.years * 12 - ledger * 12 // (365 * 24)
    hours = ledger * lines
    size = (
        EMPTY_BYTES
        + ADHERENT_BYTES * scale.adherents
        + SUBSCRIPTION_BYTES * scale.subscriptions
        + MONTH_BYTES * months * lines
        + INCIDENT_BYTES * scale.incidents
        + HOUR_BYTES[engine] * hours
    )
    time_us = SUBSCRIPTION_US * scale.subscriptions + INCIDENT_US * scale.incidents + HOUR_US * hours
    return Size(days=-(-ledger // 24), hours=hours, bytes=size, seconds=time_us / 1e6)
