"""Equipment: what it is, where its impacts come from, and how it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from console.domain.facility import Quantity


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


POOLED_KINDS: Mapping[Quantity, EquipmentKind] = {  # of what `POOLED` meters of a site tell
    Quantity.STORAGE: EquipmentKind.STORAGE,
    Quantity.BACKUP: EquipmentKind.BACKUP,
    Quantity.NETWORK: EquipmentKind.NETWORK,
}


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


@dataclass(frozen=True, slots=True)
class Disk:
    """Disks that are alike; `kind` is "ssd" or "hdd", `gb` is of each."""

    kind: str
    gb: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class Thing:
    """What is told of a thing of the inventory; None: not known."""

    name: str
    kind: EquipmentKind
    site: str | None = None
    host_name: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    quantity: int = 1
    cpu_model: str | None = None
    cpus: int | None = None
    cores: int | None = None
    ram_gb: int | None = None
    disks: tuple[Disk, ...] = ()
    purchased_on: date | None = None
    commissioned_on: date | None = None
    planned_months: int | None = None
    is_second_hand: bool = False
    note: str | None = None
