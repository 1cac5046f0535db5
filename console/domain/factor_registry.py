"""What is told of emission factors beside what the registry knows: checked, judged, and given an id.

A value is never edited. What a publisher corrects, or what is confirmed by its own file, is another factor
that replaces the one that was known.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from itertools import count

from console.domain.errors import Conflict, Invalid
from console.domain.factors import Factor, Perimeter, standing
from console.domain.free_text import one_line, several_lines

MOST_MG_PER_KWH = 5_000_000  # the worst power stations emit about 1 500 g
ROUNDING_PPM = 10_000  # publishers round each figure to three digits: parts and whole differ by up to 1 %
EARLIEST, LATEST = 1990, 2100
UNITS = {"g/kWh": 1_000, "kg/kWh": 1_000_000, "t/MWh": 1_000_000, "mg/kWh": 1}  # mg/kWh in each
PARTS = ("combustion_mg_per_kwh", "upstream_mg_per_kwh", "losses_mg_per_kwh")
LONGEST_ID = 64
SHORT: dict[Perimeter, str] = {
    Perimeter.CONSUMPTION_LIFE_CYCLE: "consumption",
    Perimeter.PRODUCTION_LIFE_CYCLE: "production",
    Perimeter.PRODUCTION_DIRECT: "direct",
    Perimeter.RESIDUAL_MIX: "residual",
}
TAKEN_BY_ADDRESSES = frozenset({"new", "import"})
Key = tuple[str, Perimeter, str, int]


@dataclass(frozen=True, slots=True)
class Stated:
    """A value as it is stated, with who states it; `confirmed`: it was read in the publisher's own words."""

    publisher: str
    title: str
    vintage: int
    perimeter: Perimeter
    geography: str
    intensity_mg_per_kwh: int
    licence: str
    source: str
    confirmed: bool
    low_mg_per_kwh: int | None = None
    high_mg_per_kwh: int | None = None
    combustion_mg_per_kwh: int | None = None
    upstream_mg_per_kwh: int | None = None
    losses_mg_per_kwh: int | None = None
    retrieved_on: date | None = None
    valid_from: date | None = None
    valid_to: date | None = None

    @property
    def key(self) -> Key:
        """What two values of one thing have in common."""
        return self.publisher.casefold(), self.perimeter, self.geography, self.vintage


@dataclass(frozen=True, slots=True)
class Told:
    """A value with the line of the file that tells it."""

    line: int
    stated: Stated


class Verdict(StrEnum):
    """What becomes of a value."""

    NEW = "new"
    REPLACES = "replaces"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Judged:
    """A value with its fate; `before` is the factor that it replaces, or that says the same."""

    told: Told
    verdict: Verdict
    before: Factor | None = None
    refusal: Invalid | None = None

    @property
    def to_store(self) -> bool:
        return self.verdict in (Verdict.NEW, Verdict.REPLACES)


def check(stated: Stated) -> Stated:
    """The value with its texts in order; raises `Invalid` for what cannot be."""
    if not EARLIEST <= stated.vintage < LATEST:
        raise Invalid(
            "vintage", "« %(value)s » n'est pas une année ; par exemple 2024.", value=stated.vintage
        )
    for field in ("intensity_mg_per_kwh", "low_mg_per_kwh", "high_mg_per_kwh", *PARTS):
        value = getattr(stated, field)
        if value is not None and not 0 <= value <= MOST_MG_PER_KWH:
            raise Invalid(field, "De 0 à %(most)s g/kWh sont attendus.", most=MOST_MG_PER_KWH // 1000)
    _check_bounds(stated)
    _check_parts(stated)
    if stated.valid_from and stated.valid_to and stated.valid_to <= stated.valid_from:
        raise Invalid("valid_to", "La fin précède le début.")
    if not stated.source.strip():
        raise Invalid(
            "source", "Une valeur n'est gardée qu'avec sa source : la page ou le fichier où elle est."
        )
    return replace(
        stated,
        publisher=one_line(stated.publisher, "publisher"),
        title=one_line(stated.title, "title"),
        licence=one_line(stated.licence, "licence"),
        source=several_lines(stated.source, "source"),
    )


def judge(told: Sequence[Told], registry: Iterable[Factor], *, today: date) -> list[Judged]:
    """The fate of each value of a file, in its order.

    A value is compared with the one that stands for the same publisher, perimeter, geography and year. A
    second one of the same file that says otherwise is refused, as is one that was not read at the publisher's
    and contradicts one that was.
    """
    known = {_key_of(factor): factor for factor in standing(registry, today)}
    first: dict[Key, Told] = {}
    found = []
    for one in told:
        before = first.setdefault(one.stated.key, one)
        if before is not one:
            found.append(_second(one, before, known.get(one.stated.key)))
        else:
            found.append(_judged(one, known.get(one.stated.key)))
    return found


def check_replacement(stated: Stated, before: Factor, registry: Iterable[Factor]) -> None:
    """Raise where a value cannot take the place of a factor: another thing, or one that was replaced."""
    if (stated.perimeter, stated.geography, stated.vintage) != (
        before.perimeter,
        before.geography,
        before.vintage,
    ):
        raise Invalid(
            "vintage", "Une correction est du même périmètre, du même territoire et de la même année."
        )
    after = next((one.factor_id for one in registry if one.replaces == before.factor_id), None)
    if after is not None:
        raise Conflict("Ce facteur est déjà remplacé par %(after)s : corrigez celui-là.", after=after)


def factor_id_of(stated: Stated, taken: Container[str]) -> str:
    """A name that nothing has yet, such as `ademe-fra-2024-consumption`."""
    parts = (
        _slug(stated.publisher)[:24],
        stated.geography.lower(),
        str(stated.vintage),
        SHORT[stated.perimeter],
    )
    stem = "-".join(part for part in parts if part)[: LONGEST_ID - 6]
    if stem not in taken and stem not in TAKEN_BY_ADDRESSES:
        return stem
    return next(name for number in count(2) if (name := f"{stem}-{number}") not in taken)


def read_milligrams(text: str, mg_of_unit: int, field: str) -> int | None:
    """A value as a table writes it, in whole mg/kWh, half to even; None where there is none."""
    written = text.replace("\N{NARROW NO-BREAK SPACE}", "").replace("\N{NO-BREAK SPACE}", "").replace(" ", "")
    if not written:
        return None
    try:
        value = Decimal(written.replace(",", "."))
    except InvalidOperation:
        value = Decimal(-1)
    if not value.is_finite() or not 0 <= value * mg_of_unit <= MOST_MG_PER_KWH:
        raise Invalid(
            field,
            "« %(value)s » n'est pas une intensité de 0 à %(most)s g/kWh.",
            value=text[:40],
            most=MOST_MG_PER_KWH // 1000,
        )
    return int((value * mg_of_unit).to_integral_value())


def _check_bounds(stated: Stated) -> None:
    low, high, value = stated.low_mg_per_kwh, stated.high_mg_per_kwh, stated.intensity_mg_per_kwh
    if (low is not None and low > value) or (high is not None and high < value):
        raise Invalid("low_mg_per_kwh", "La valeur n'est pas entre ses bornes.")


def _check_parts(stated: Stated) -> None:
    parts = [getattr(stated, name) for name in PARTS]
    if any(part is None for part in parts):
        return
    total, value = sum(parts), stated.intensity_mg_per_kwh
    if abs(total - value) * 1_000_000 > value * ROUNDING_PPM:
        raise Invalid(
            "combustion_mg_per_kwh",
            "La combustion, l'amont et les pertes font %(total)s mg/kWh ; la valeur en dit %(value)s.",
            total=total,
            value=value,
        )


def _judged(one: Told, before: Factor | None) -> Judged:
    if before is None:
        return Judged(one, Verdict.NEW)
    same = _figures(one.stated) == _figures(before)
    if same and before.confirmed >= one.stated.confirmed:
        return Judged(one, Verdict.UNCHANGED, before)
    if before.confirmed and not one.stated.confirmed:
        return Judged(one, Verdict.REFUSED, before, _contradicts(one.stated, before))
    return Judged(one, Verdict.REPLACES, before)


def _second(one: Told, first: Told, before: Factor | None) -> Judged:
    if _figures(one.stated) == _figures(first.stated):
        return Judged(one, Verdict.UNCHANGED, before)
    error = Invalid(
        "value",
        "La ligne %(line)s dit %(before)s mg/kWh de la même chose, celle-ci %(after)s.",
        line=first.line,
        before=first.stated.intensity_mg_per_kwh,
        after=one.stated.intensity_mg_per_kwh,
    )
    return Judged(one, Verdict.REFUSED, before, error)


def _contradicts(stated: Stated, before: Factor) -> Invalid:
    return Invalid(
        "value",
        "%(publisher)s dit lui-même %(before)s mg/kWh, confirmé ; ce fichier, qui n'est pas le sien, en dit "
        "%(after)s.",
        publisher=before.publisher,
        before=before.intensity_mg_per_kwh,
        after=stated.intensity_mg_per_kwh,
    )


def _figures(one: Stated | Factor) -> tuple[object, ...]:
    names = ("intensity_mg_per_kwh", "low_mg_per_kwh", "high_mg_per_kwh", *PARTS, "valid_from", "valid_to")
    return tuple(getattr(one, name) for name in names)


def _key_of(factor: Factor) -> Key:
    return factor.publisher.casefold(), factor.perimeter, factor.geography, factor.vintage


def _slug(text: str) -> str:
    bare = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", bare).strip("-")
