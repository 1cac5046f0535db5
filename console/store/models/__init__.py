"""The tables, by plane and by subject; importing this package registers them all."""

from console.store.models import (
    audit,
    catalogue,
    contract,
    coordination,
    directory,
    follow_up,
    generation,
    incident,
    major,
    measurement,
    offer,
    people,
    probes,
    regulatory,
    tenant,
    watching,
)

__all__ = [
    "audit",
    "catalogue",
    "contract",
    "coordination",
    "directory",
    "follow_up",
    "generation",
    "incident",
    "major",
    "measurement",
    "offer",
    "people",
    "probes",
    "regulatory",
    "tenant",
    "watching",
]
