"""What grows old: ages of what is in use, what comes to the end of its plan, what was bought second hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain.amortisation import saved
from console.domain.equipment import TECHNICAL, EquipmentKind
from console.domain.renewal import add_months
from console.domain.second_hand import COUNTED
from console.store.models import equipment as q
from console.store.queries.equipment import Listed, inventory, life_of

SOON_MONTHS = 12
OLDEST_YEARS = 10  # the last row of the pyramid: this old and older


@dataclass(frozen=True, slots=True)
class Pieces:
    """How many were bought, and how many of these second hand."""

    bought: int = 0
    second_hand: int = 0

    def with_more(self, quantity: int, *, is_second_hand: bool) -> Pieces:
        """These, and so many more."""
        return Pieces(self.bought + quantity, self.second_hand + (quantity if is_second_hand else 0))


@dataclass(frozen=True, slots=True)
class Bought:
    """What was bought in a year: what the rule on second hand counts, and other IT equipment.

    No rule asks for a building of second hand.
    """

    year: int
    counted: Pieces
    others: Pieces


@dataclass(frozen=True, slots=True)
class Aging:
    """What is in use by its age, what comes to the end of its plan, what is kept past it, what was bought."""

    ages: Sequence[tuple[int, Mapping[EquipmentKind, int]]]  # whole years, pieces by kind
    unknown: int  # pieces of which nobody told when they came into use
    ending: Sequence[Listed]
    kept: Sequence[tuple[Listed, int | None]]  # with what each saves a month
    saved_ug: int | None  # a month, of those whose making is known; None: of none is it known
    bought: Sequence[Bought]


def aging(session: Session, today: date) -> Aging:
    """How old what is in use is, on a day."""
    month, soon = today.replace(day=1), add_months(today.replace(day=1), SOON_MONTHS)
    everything = inventory(session)
    used = [one for one in everything if one.retired_on is None or one.retired_on > today]
    ending = [one for one in used if one.plan_ends is not None and month < one.plan_ends <= soon]
    kept = [
        (one, _saved(session, one, month))
        for one in used
        if one.plan_ends is not None and one.plan_ends <= month
    ]
    return Aging(
        _ages(used, today),
        sum(one.quantity for one in used if one.commissioned_on is None),
        sorted(ending, key=lambda one: (one.plan_ends or today, one.name)),
        sorted(kept, key=lambda pair: (pair[0].plan_ends or today, pair[0].name)),
        _total([amount for _, amount in kept]),
        _bought(session),
    )


def _saved(session: Session, one: Listed, month: date) -> int | None:
    thing = session.get_one(q.Equipment, one.equipment_id)
    life = life_of(thing)
    return None if one.gwp_ug is None or life is None else saved(one.gwp_ug, life, month)


def _total(amounts: Sequence[int | None]) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known or not amounts else None


def _ages(used: Iterable[Listed], today: date) -> list[tuple[int, Mapping[EquipmentKind, int]]]:
    by_age: dict[int, Counter[EquipmentKind]] = {}
    for one in used:
        if one.commissioned_on is None:
            continue
        day = one.commissioned_on
        years = today.year - day.year - ((today.month, today.day) < (day.month, day.day))
        by_age.setdefault(min(max(years, 0), OLDEST_YEARS), Counter())[one.kind] += one.quantity
    return [(years, by_age.get(years, Counter())) for years in range(OLDEST_YEARS + 1)]


def _bought(session: Session) -> list[Bought]:
    found: dict[int, Bought] = {}
    row = q.Equipment
    for day, kind, quantity, is_second_hand in session.execute(
        select(row.purchased_on, row.kind, row.quantity, row.is_second_hand).where(
            row.purchased_on.is_not(None), row.kind.not_in(TECHNICAL)
        )
    ):
        if day is None:
            continue
        one = found.get(day.year, Bought(day.year, Pieces(), Pieces()))
        name = "counted" if kind is COUNTED else "others"
        more = getattr(one, name).with_more(quantity, is_second_hand=is_second_hand)
        found[day.year] = replace(one, **{name: more})
    return sorted(found.values(), key=lambda one: one.year, reverse=True)
