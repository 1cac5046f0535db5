"""Two figures of the same energy, and what their difference says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

AT_THE_PLUG = frozenset({"server_input", "pdu"})  # boundaries that hold the same but for a cable


class Verdict(StrEnum):
    """What is to be made of a difference."""

    UNKNOWN = "unknown"  # a side is missing
    CLOSE = "close"
    FAR = "far"  # beyond the threshold
    OTHER_BOUNDARY = "other_boundary"  # the two do not hold the same: they are expected to differ
    COUNTS = "counts"  # it is what counts: it differs from itself by nothing


@dataclass(frozen=True, slots=True)
class Compared:
    """An energy beside the one it is compared with, over the same time; None where it is unknown."""

    energy_mj: int | None
    reference_mj: int | None

    @property
    def difference_mj(self) -> int | None:
        if self.energy_mj is None or self.reference_mj is None:
            return None
        return self.energy_mj - self.reference_mj

    @property
    def share(self) -> Fraction | None:
        """The difference over the reference."""
        if self.difference_mj is None or not self.reference_mj:
            return None
        return Fraction(self.difference_mj, self.reference_mj)

    def verdict(self, threshold: Fraction, *, same_boundary: bool = True) -> Verdict:
        if self.share is None:
            return Verdict.UNKNOWN
        if not same_boundary:
            return Verdict.OTHER_BOUNDARY
        return Verdict.FAR if abs(self.share) > threshold else Verdict.CLOSE


def holds_the_same(boundary: str, other: str) -> bool:
    """Whether two instruments measure at the same place."""
    return boundary == other or {boundary, other} <= AT_THE_PLUG
