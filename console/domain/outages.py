"""What a service suffers: how badly, and who says so."""

from __future__ import annotations

from enum import StrEnum


class Effect(StrEnum):
    """What is left of a service: everything, a part, or nothing."""

    NONE = "none"
    DEGRADED = "degraded"
    OUTAGE = "outage"


class Source(StrEnum):
    """Who tells of an outage."""

    INCIDENT = "incident"
    PROBE = "probe"
