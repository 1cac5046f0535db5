"""Kinds of values a report shows, the unit each is read in, and its text in a language.

Amounts are stored in small integer units (mJ, ug, mg/kWh) and shown in the unit that suits their size: a
first statement of 3 Wh reads `3.00 Wh`, not `0.00 kWh`. Unknown (`None`) is shown as such and never as zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction

from reports.language import NO_BREAK, Language

MJ_PER_WH = 3_600_000
Value = str | int | Fraction | date | datetime | None


class Kind(StrEnum):
    """What a value is; amounts carry their stored unit in the name."""

    TEXT = "text"
    COUNT = "count"
    ENERGY_MJ = "energy_mj"
    POWER_MW = "power_mw"
    CARBON_UG = "carbon_ug"
    INTENSITY_MG_PER_KWH = "intensity_mg_per_kwh"
    WATER_ML = "water_ml"
    SHARE = "share"
    HOURS = "hours"
    DATE = "date"
    INSTANT = "instant"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit amounts are shown in: so many stored units make one, used from `least` of them on."""

    symbol: str
    size: int
    least: int = 1


UNITS: Mapping[Kind, tuple[Unit, ...]] = {
    Kind.ENERGY_MJ: (
        Unit("Wh", MJ_PER_WH),
        Unit("kWh", 1_000 * MJ_PER_WH),
        Unit("MWh", 1_000_000 * MJ_PER_WH, least=10),
    ),
    Kind.POWER_MW: (Unit("W", 10**3), Unit("kW", 10**6)),
    Kind.CARBON_UG: (
        Unit(f"mg{NO_BREAK}CO₂e", 10**3),
        Unit(f"g{NO_BREAK}CO₂e", 10**6),
        Unit(f"kg{NO_BREAK}CO₂e", 10**9),
        Unit(f"t{NO_BREAK}CO₂e", 10**12),
    ),
    Kind.INTENSITY_MG_PER_KWH: (Unit(f"g{NO_BREAK}CO₂e/kWh", 10**3),),
    Kind.WATER_ML: (Unit("mL", 1), Unit("L", 10**3), Unit("m³", 10**6)),
    Kind.HOURS: (Unit("h", 1),),
}
STORED_UNITS: Mapping[Kind, str] = {
    Kind.ENERGY_MJ: "mJ",
    Kind.POWER_MW: "mW",
    Kind.CARBON_UG: "µg CO2e",
    Kind.INTENSITY_MG_PER_KWH: "mg CO2e/kWh",
    Kind.WATER_ML: "mL",
    Kind.SHARE: "%",
    Kind.HOURS: "h",
}
NUMERIC = frozenset({Kind.COUNT, *STORED_UNITS})
MOST_DECIMALS = 3


@dataclass(frozen=True, slots=True)
class Scale:
    """One unit and one number of decimals for amounts that are read side by side."""

    unit: Unit
    decimals: int

    def number(self, amount: int | Fraction, language: Language) -> str:
        """The amount in the scale's unit, without its symbol; too small for it reads `< 0.001`."""
        value = Fraction(amount) / self.unit.size
        smallest = Fraction(1, 10**self.decimals)
        if 0 < value < smallest / 2:
            return f"<{NO_BREAK}{language.number(smallest, self.decimals)}"
        return language.number(value, self.decimals)

    def text(self, amount: int | Fraction, language: Language) -> str:
        """The amount with its symbol."""
        return f"{self.number(amount, language)}{NO_BREAK}{self.unit.symbol}"


def column_scale(kind: Kind, values: Iterable[Value]) -> Scale | None:
    """The scale shared by the values of a column: its unit suits the largest, its decimals the smallest."""
    if kind not in UNITS:
        return None
    amounts = [value for value in values if isinstance(value, int | Fraction) and value > 0]
    unit = _unit(kind, max(amounts, default=0))
    decimals = [_decimals(Fraction(amount, unit.size), digits=2) for amount in amounts]
    largest = _decimals(Fraction(max(amounts, default=0), unit.size), digits=3)
    if kind in (Kind.HOURS, Kind.INTENSITY_MG_PER_KWH):
        return Scale(unit, 0 if kind == Kind.HOURS else 1)
    return Scale(unit, min(max([*decimals, largest]), max(MOST_DECIMALS, largest)))


def text(kind: Kind, value: Value, language: Language) -> str:
    """One value by itself, with its unit."""
    return cell(kind, value, language, _own_scale(kind, value), with_unit=True)


def cell(kind: Kind, value: Value, language: Language, scale: Scale | None, with_unit: bool = False) -> str:
    """One value among others that share a scale; the unit is left to the heading unless asked for."""
    if value is None:
        return unknown(language)
    if scale is not None and isinstance(value, int | Fraction):
        return scale.text(value, language) if with_unit else scale.number(value, language)
    if kind == Kind.SHARE and isinstance(value, int | Fraction):
        return language.percent(Fraction(value))
    if isinstance(value, datetime):
        return language.instant(value) if with_unit else language.short_instant(value)
    if isinstance(value, date):
        return language.day(value)
    return value if isinstance(value, str) else language.number(value)


def unknown(language: Language) -> str:
    """What stands where nobody knows."""
    return language.gettext("inconnu")


def _own_scale(kind: Kind, value: Value) -> Scale | None:
    if kind not in UNITS or not isinstance(value, int | Fraction):
        return None
    if kind in (Kind.HOURS, Kind.INTENSITY_MG_PER_KWH):
        return column_scale(kind, [value])
    unit = _unit(kind, value)
    return Scale(unit, _decimals(Fraction(value) / unit.size, digits=3))


def _unit(kind: Kind, largest: int | Fraction) -> Unit:
    smallest, *larger = UNITS[kind]
    return next((unit for unit in reversed(larger) if largest >= unit.least * unit.size), smallest)


def _decimals(value: Fraction, digits: int) -> int:
    """How many decimals show this many significant digits of a value; the whole part is always shown."""
    if value <= 0:
        return 0
    decimals = digits - 1
    while value >= 10 and decimals > 0:
        value, decimals = value / 10, decimals - 1
    while value < 1:
        value, decimals = value * 10, decimals + 1
    return decimals
