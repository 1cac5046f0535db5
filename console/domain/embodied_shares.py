"""The making of a host, shared among what runs on it by component: never more than the whole, nothing twice.

    CPU             by reserved vCPU, over what is reserved or what the host has, whichever is more
    memory          by reserved GB, likewise
    disks, frame    by the idle energy that each carries: no one tells the GB of a disk that a machine holds

Where no vCPU, or no memory, is reserved on the host, that part goes by what each used above idle. What is
left is the operator's. Whole numbers by the largest remainder, so that shares add up to the host exactly; as
one weight alone grows, its share never falls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from console.domain.proportion import apportion

CPU, RAM, FRAME = "cpu", "ram", "frame"
BY_FRAME = frozenset({"ssd", "hdd", FRAME})


@dataclass(frozen=True, slots=True)
class Held:
    """What a workload held of a host over a month: sums over its hours."""

    energy_mj: int = 0
    idle_mj: int = 0
    mcpu_hours: int = 0
    mb_hours: int = 0


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the host had to give over the same hours; 0: not known, so what is reserved is all of it."""

    mcpu_hours: int = 0
    mb_hours: int = 0


class By(StrEnum):
    """What weighs: sums over the hours of a month."""

    CPU = "mcpu_hours"
    RAM = "mb_hours"
    IDLE = "idle_mj"
    USED = "used_mj"
    NOTHING = "nothing"  # ran there: all of it is the operator's


@dataclass(frozen=True, slots=True)
class Weighed:
    """By what a component goes, and what each weighs; what is left weighs as the operator's."""

    by: By
    weights: Mapping[int, int]

    def told(self, key: int) -> dict[str, Any]:
        """What one weighs of the sum, as it is written down."""
        return {"by": self.by.value, "weight": self.weights.get(key, 0), "sum": sum(self.weights.values())}


def component_of(part: str) -> str:
    """By whose key a part of the making goes."""
    return part if part in (CPU, RAM) else FRAME


def weigh(component: str, held: Mapping[int, Held], capacity: Capacity, rest: int) -> Weighed:
    """By what a component goes, and what each weighs; `rest` is the key of the operator's."""
    if component == CPU:
        return _reserved(By.CPU, {key: one.mcpu_hours for key, one in held.items()}, capacity, held, rest)
    if component == RAM:
        return _reserved(By.RAM, {key: one.mb_hours for key, one in held.items()}, capacity, held, rest)
    idle = {key: one.idle_mj for key, one in held.items()}
    return Weighed(By.IDLE, idle) if any(idle.values()) else _used(held, rest)


def share_parts(
    parts: Mapping[str, int], held: Mapping[int, Held], capacity: Capacity, rest: int
) -> dict[int, dict[str, int]]:
    """Each one's share of each component; over all of them a component adds up to its amount exactly."""
    by_component: dict[str, int] = {}
    for part, amount in parts.items():
        name = component_of(part)
        by_component[name] = by_component.get(name, 0) + amount
    shares: dict[int, dict[str, int]] = {key: {} for key in (*held, rest)}
    for name, amount in sorted(by_component.items()):
        for key, share in apportion(amount, weigh(name, held, capacity, rest).weights).items():
            shares[key][name] = share
    return shares


def _reserved(
    by: By, reserved: dict[int, int], capacity: Capacity, held: Mapping[int, Held], rest: int
) -> Weighed:
    total = sum(reserved.values())
    if not total:
        return _used(held, rest)
    left = max(0, (capacity.mcpu_hours if by is By.CPU else capacity.mb_hours) - total)
    return Weighed(by, reserved | {rest: reserved.get(rest, 0) + left})


def _used(held: Mapping[int, Held], rest: int) -> Weighed:
    """By what each used above idle; where nothing ran, all is the operator's."""
    used = {key: one.energy_mj - one.idle_mj for key, one in held.items()}
    return Weighed(By.USED, used) if any(used.values()) else Weighed(By.NOTHING, {rest: 1})
