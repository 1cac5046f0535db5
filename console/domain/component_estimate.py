"""What making a server emitted and used, added up from its components.

The constants and their sources are in `component_factors.toml`. The bounds are those of what is not known of
a component: the density of its silicon, the area of its die, the weight of a power supply.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from console.domain.equipment import Disk
from console.domain.errors import Invalid

UG_PER_KG = 1_000_000_000
MJ_PER_MEGAJOULE = 1_000_000_000  # millijoules
BOUNDS = ("value", "low", "high")


@dataclass(frozen=True, slots=True)
class Components:
    """What a server is made of; `cores` are those of all its CPUs. None: not known."""

    cpus: int
    ram_gb: int
    cpu_model: str = ""
    cores: int | None = None
    disks: tuple[Disk, ...] = ()


@dataclass(frozen=True, slots=True)
class Estimate:
    """For one server; `parts` are of the GWP, in micrograms, and add up to it."""

    gwp_ug: int
    gwp_low_ug: int
    gwp_high_ug: int
    adpe_ug: int
    primary_mj: int
    parts: Mapping[str, int]
    reference: str


Amounts = dict[str, Fraction]  # by criterion and bound: gwp, gwp_low, gwp_high, adpe, pe


def estimate(told: Components) -> Estimate:
    """The estimate; raises `Invalid` where the CPUs or the memory are not known."""
    if told.cpus < 1:
        raise Invalid("cpus", "Une estimation demande le nombre de processeurs.")
    if told.ram_gb < 1:
        raise Invalid("ram_gb", "Une estimation demande la mémoire en Go.")
    factors = _factors()
    family, area = _die(told, factors["cpu"])
    amounts = {
        "cpu": _times(_of_size(factors["cpu"], "per_mm2", area), told.cpus),
        "ram": _silicon(factors["ram"], *_modules(told.ram_gb, factors["ram"]["module_gb"])),
        "ssd": _sum(
            _silicon(factors["ssd"], Fraction(one.gb), one.count) for one in told.disks if one.kind == "ssd"
        ),
        "hdd": _sum(
            _times(_fixed(factors["hdd"]["each"]), one.count) for one in told.disks if one.kind == "hdd"
        ),
        "frame": _sum(
            [
                _times(
                    _of_size(factors["psu"], "per_kg", _bounds(factors["psu"]["kg"])), factors["psu"]["count"]
                ),
                *(_fixed(factors[name]["each"]) for name in ("chassis", "motherboard", "assembly")),
            ]
        ),
    }
    whole = _sum(amounts.values())
    parts = {name: round(one.get("gwp", Fraction(0)) * UG_PER_KG) for name, one in amounts.items()}
    return Estimate(
        gwp_ug=sum(parts.values()),
        gwp_low_ug=round(whole["gwp_low"] * UG_PER_KG),
        gwp_high_ug=round(whole["gwp_high"] * UG_PER_KG),
        adpe_ug=round(whole["adpe"] * UG_PER_KG),
        primary_mj=round(whole["pe"] * MJ_PER_MEGAJOULE),
        parts={name: amount for name, amount in parts.items() if amount},
        reference=f"composants {factors['version']} : {family}",
    )


@cache
def _factors() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("component_factors.toml").read_text(encoding="utf-8"))


def _die(told: Components, cpu: Mapping[str, Any]) -> tuple[str, dict[str, Fraction]]:
    """The family of a CPU, and the area of the silicon of one of them in mm2 with its bounds."""
    cores = -(-told.cores // told.cpus) if told.cores else cpu["default_cores"]
    model = re.sub(r"\((?:r|tm)\)", "", told.cpu_model.lower())
    for family in cpu["family"]:
        if re.search(family["pattern"], model):
            area = _area(family, cores)
            return family["name"], dict.fromkeys(BOUNDS, area)
    return f"{cores} cœurs", {bound: each * cores for bound, each in _bounds(cpu["mm2_per_core"]).items()}


def _area(family: Mapping[str, Any], cores: int) -> Fraction:
    if "io_mm2" in family:
        dies = -(-cores // int(family["cores_per_die"]))
        return Fraction(family["io_mm2"]) + dies * Fraction(family["mm2_per_die"])
    steps = family["by_cores"]
    return Fraction(next((area for most, area in steps if cores <= most), steps[-1][1]))


def _modules(ram_gb: int, module_gb: int) -> tuple[Fraction, int]:
    """GB of each module and how many there are, where only the whole is told."""
    count = -(-ram_gb // module_gb)
    return Fraction(ram_gb, count), count


def _silicon(factors: Mapping[str, Any], gb: Fraction, count: int) -> Amounts:
    area = {bound: gb / density for bound, density in _bounds(factors["gb_per_cm2"]).items()}
    return _times(_of_size(factors, "per_cm2", area), count)


def _of_size(factors: Mapping[str, Any], per: str, size: Mapping[str, Fraction]) -> Amounts:
    """What goes with a size, and what carries it."""
    base = factors.get("base", {"gwp": "0", "adpe": "0", "pe": "0"})
    each = factors[per]
    found = {name: Fraction(base[name]) + Fraction(each[name]) * size["value"] for name in each}
    for bound in ("low", "high"):
        found[f"gwp_{bound}"] = Fraction(base["gwp"]) + Fraction(each["gwp"]) * size[bound]
    return found


def _fixed(each: Mapping[str, str]) -> Amounts:
    found = {name: Fraction(amount) for name, amount in each.items()}
    return found | {"gwp_low": found["gwp"], "gwp_high": found["gwp"]}


def _bounds(told: Mapping[str, str]) -> dict[str, Fraction]:
    return {bound: Fraction(told[bound]) for bound in BOUNDS}


def _times(amounts: Amounts, count: int) -> Amounts:
    return {name: amount * count for name, amount in amounts.items()}


def _sum(all_amounts: Iterable[Amounts]) -> Amounts:
    found: Amounts = {}
    for amounts in all_amounts:
        for name, amount in amounts.items():
            found[name] = found.get(name, Fraction(0)) + amount
    return found
