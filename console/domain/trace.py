"""How the figures of a month line are reckoned, with the numbers put in, so that a reader does it by hand.

An expression has whole numbers, `+`, `×`, `÷` and brackets only; its value is rounded as the formula says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from console.domain.carbon import MJ_PER_KWH, UG_PER_MG
from console.domain.carbon_months import OF_HOURS, CarbonHeld, LineHeld
from console.domain.errors import NotFound
from console.domain.facility import MILLION
from console.domain.factors import Basis
from console.domain.month_lines import LineKey, LineKind

STAMP = "%Y%m%dT%H%M%SZ"
KEY_PARTS = 4
BY_ENERGY = (*OF_HOURS, LineKind.POOL, LineKind.IT_REST)  # whose overhead is reckoned by their own energy


class Rounding(StrEnum):
    """How a result becomes a whole number."""

    DOWN = "down"
    HALF_EVEN = "half_even"


@dataclass(frozen=True, slots=True)
class Formula:
    """One figure of a line: `what` is the column it makes, `unit` mJ, mL or ug."""

    what: str
    expression: str
    rounding: Rounding
    result: int
    unit: str


def formulas(line: LineHeld) -> list[Formula]:
    """What the line's figures are reckoned by, in the order of the chain; what was shared out has none."""
    of_carbon = (one for held in line.carbon for one in _of_carbon(line, held))
    return [*_of_facility(line), *of_carbon, *_of_making(line)]


def _of_facility(line: LineHeld) -> Iterator[Formula]:
    facility = line.facility
    if facility is None or line.kind not in BY_ENERGY:
        return
    if line.overhead_mj is not None:
        expression = f"{line.energy_mj} × {facility.overhead_mj} ÷ {facility.it_mj}"
        yield Formula("overhead_mj", expression, Rounding.DOWN, line.overhead_mj, "mJ")
    if line.water_ml is not None and facility.water_ml is not None:
        expression = f"{line.energy_mj} × {facility.water_ml} ÷ {facility.it_mj}"
        yield Formula("water_ml", expression, Rounding.DOWN, line.water_ml, "mL")


def _of_carbon(line: LineHeld, held: CarbonHeld) -> Iterator[Formula]:
    whole = f"({line.energy_mj} + {line.overhead_mj or 0})"
    in_ug = f"{UG_PER_MG} ÷ {MJ_PER_KWH}"
    if held.carbon_ug is None:
        return
    if held.basis is Basis.YEARLY_AVERAGE and held.intensity_mg_per_kwh is not None:
        expression = f"{whole} × {held.intensity_mg_per_kwh} × {in_ug}"
    elif held.basis is Basis.MARKET_BASED and held.parts:
        known = [one for one in held.parts if one.intensity_mg_per_kwh is not None]
        parts = (f"{one.share_ppm} × {one.intensity_mg_per_kwh}" for one in known)
        expression = f"{whole} × ({' + '.join(parts)}) ÷ {MILLION} × {in_ug}"
    elif held.mg_mj is not None and line.kind in BY_ENERGY:
        facility = line.facility
        pue = f" × ({facility.it_mj} + {facility.overhead_mj}) ÷ {facility.it_mj}" if facility else ""
        expression = f"{held.mg_mj} × {in_ug}{pue}"
    else:
        return
    yield Formula(held.basis.value, expression, Rounding.HALF_EVEN, held.carbon_ug, "ug")


def _of_making(line: LineHeld) -> Iterator[Formula]:
    """What falls to the line of its host's making, and of its site's technical equipment; they add up."""
    told = json.loads(line.embodied_terms) if line.embodied_terms else {}
    if line.embodied_ug is None or not {"share", "hours", "of_hours"} <= set(told):
        return
    technical, technical_ug = told.get("technical"), 0
    if technical:
        technical_ug = technical["embodied_ug"] * told["energy_mj"] // technical["it_mj"]
    share = " + ".join(str(amount) for amount in told["share"].values())
    hours = min(told["hours"], told["of_hours"])
    expression = f"({share}) × {hours} ÷ {told['of_hours']}"
    yield Formula("embodied_ug", expression, Rounding.DOWN, line.embodied_ug - technical_ug, "ug")
    if technical:
        expression = f"{technical['embodied_ug']} × {told['energy_mj']} ÷ {technical['it_mj']}"
        yield Formula("technical_ug", expression, Rounding.DOWN, technical_ug, "ug")


def key_text(key: LineKey) -> str:
    """The key of a line as it stands in an address, such as `20260228T230000Z.12.34.5`."""
    since, *numbers = key
    return ".".join([since.astimezone(UTC).strftime(STAMP), *map(str, numbers)])


def key_of(text: str) -> LineKey:
    """The key that an address names; raises `NotFound`."""
    parts = text.split(".")
    try:
        since = datetime.strptime(parts[0], STAMP).replace(tzinfo=UTC)
        host_id, workload_id, claim_id = map(int, parts[1:KEY_PARTS])
    except ValueError:
        raise NotFound("Cette ligne n'existe pas.") from None
    return since, host_id, workload_id, claim_id
