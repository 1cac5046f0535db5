"""Equipment: what it is, where its impacts come from, and how it ends."""

from __future__ import annotations

from enum import StrEnum


class EquipmentKind(StrEnum):
    """What a thing of the inventory is."""

    SERVER = "server"
    STORAGE = "storage"
    BACKUP = "backup"
    NETWORK = "network"
    UPS = "ups"
    BATTERY = "battery"
    COOLING = "cooling"
    GENERATOR = "generator"
    BUILDING = "building"
    OTHER = "other"

    @property
    def is_technical(self) -> bool:
        """Whether it serves the whole site, and so all of its IT energy."""
        return self in TECHNICAL


TECHNICAL = frozenset(
    {
        EquipmentKind.UPS,
        EquipmentKind.BATTERY,
        EquipmentKind.COOLING,
        EquipmentKind.GENERATOR,
        EquipmentKind.BUILDING,
    }
)


class ImpactSource(StrEnum):
    """Who says what making it emitted, the surest first."""

    MANUFACTURER = "manufacturer"
    BOAVIZTA = "boavizta"  # the open data of manufacturers' sheets
    ESTIMATE = "estimate"  # from its components, with our own constants
    DECLARED = "declared"


class EndOfLife(StrEnum):
    """Where it goes when it is retired."""

    REUSE = "reuse"  # a second life here
    DONATION = "donation"
    RESALE = "resale"
    WEEE = "weee"  # collected and recycled as waste of electrical equipment
    UNKNOWN = "unknown"
