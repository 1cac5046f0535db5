"""Prices in euro cents and how they are revised."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from console.domain.errors import Invalid

WHOLE = 10_000  # hundredths of a percent


class PricePer(StrEnum):
    """What a price is for."""

    MONTH = "month"
    UNIT = "unit"


class Indexation(StrEnum):
    """How a price follows the times: by an index of INSEE or of Syntec, by a fixed rate, or not."""

    NONE = "none"
    SYNTEC = "syntec"
    ICHT_REV_TS = "icht_rev_ts"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True)
class Revision:
    """What a new price is reckoned from: two values of an index, in hundredths of a point, or a rate, in
    hundredths of a percent."""

    index_from: int | None = None
    index_to: int | None = None
    rate: int | None = None

    def apply(self, price_cents: int) -> int:
        """The revised price, rounded half to even, to the cent; raises `Invalid` where it cannot be."""
        return round(price_cents * self._ratio())

    def _ratio(self) -> Fraction:
        if self.rate is not None:
            if not -WHOLE < self.rate <= WHOLE:
                raise Invalid(
                    "rate", "Un taux plus grand que -100 et d'au plus 100, en pour cent, est attendu."
                )
            return Fraction(WHOLE + self.rate, WHOLE)
        for field, index in (("index_from", self.index_from), ("index_to", self.index_to)):
            if not index:
                raise Invalid(field, "La valeur d'un indice, plus grande que zéro, est attendue.")
        return Fraction(self.index_to or 0, self.index_from or 1)
