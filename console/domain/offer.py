"""The life of a service at the catalogue: sold, then supported, then retired; and what follows it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from console.domain.errors import Invalid

CODE = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
TAKEN_CODES = frozenset({"new", "check"})
LONGEST_CODE = 64


class Stage(StrEnum):
    """Where a service is in its life."""

    SOLD = "sold"
    ENDING = "ending"  # still sold or supported, and the end of its support is known
    UNSUPPORTED = "unsupported"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Life:
    """The last day on which a service is sold, the last of its support, and the first without it."""

    sales_end_on: date | None = None
    support_ends_on: date | None = None
    retired_on: date | None = None

    def stage(self, day: date) -> Stage:
        if self.retired_on is not None and self.retired_on <= day:
            return Stage.RETIRED
        if self.support_ends_on is None:
            return Stage.SOLD
        return Stage.ENDING if day <= self.support_ends_on else Stage.UNSUPPORTED

    def sold_on(self, day: date) -> bool:
        """Whether an adherent may subscribe to the service that day."""
        ended = self.sales_end_on is not None and self.sales_end_on < day
        return not ended and self.stage(day) in (Stage.SOLD, Stage.ENDING)


def check_life(life: Life) -> None:
    """Refuse ends that do not follow each other: of sales, of support, then the retirement."""
    if life.sales_end_on and life.support_ends_on and life.support_ends_on < life.sales_end_on:
        raise Invalid("support_ends_on", "Le support ne finit pas avant la vente.")
    last = life.support_ends_on or life.sales_end_on
    if life.retired_on and last and life.retired_on <= last:
        raise Invalid("retired_on", "Un service est retiré après la fin de sa vente et de son support.")


def check_code(code: str) -> None:
    """Refuse a code that could not be an address, or that is one already: the form of a new one is there."""
    if code in TAKEN_CODES:
        raise Invalid("code", "Le code %(code)s est déjà celui d'une page.", code=code)
    if len(code) > LONGEST_CODE or not CODE.fullmatch(code):
        raise Invalid(
            "code",
            "Un code s'écrit en minuscules sans accent, chiffres et traits d'union ; par exemple hds-iaas.",
        )


def check_label(version: str) -> None:
    """Refuse a version that could not be an address."""
    if len(version) > LONGEST_CODE or not LABEL.fullmatch(version):
        raise Invalid(
            "version",
            "Une version s'écrit en lettres sans accent, chiffres, points et tirets ; par exemple 2026.2.",
        )


def check_successor(code: str, successor: str, successors: Mapping[str, str]) -> None:
    """Refuse a successor from which one would come back; `successors` maps a service to the one after it."""
    path = [code]
    after: str | None = successor
    while after is not None:
        path.append(after)
        if after in path[:-1]:
            raise Invalid(
                "successor", "Cette succession tournerait en rond : %(path)s.", path=" → ".join(path)
            )
        after = successors.get(after)


def newest_first(versions: Iterable[tuple[date, str]]) -> list[tuple[date, str]]:
    """Versions by the day of their release, those of one day by their numbers: 1.10 is after 1.9."""
    return sorted(versions, key=lambda version: (version[0], _natural(version[1])), reverse=True)


def _natural(label: str) -> list[tuple[int, int, str]]:
    parts = re.findall(r"\d+|\D+", label)
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts]
