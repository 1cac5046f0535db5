"""Who is in which hospital group (GHT), by date: what joining one does to what is known, and who sees whom.

An entity is in one group at a time, and a group has one support establishment at a time. Days are those on
which a membership begins (`valid_from`) and is no more (`valid_to`); one that is empty was withdrawn. Each
keeps the day it was last said on (`as_of`): an older file never replaces what a later one said.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from console.domain.directory import GroupRole, Membership
from console.domain.errors import Conflict, Invalid


@dataclass(frozen=True, slots=True)
class Held:
    """A membership that is known."""

    ght_code: str
    finess_ej: str
    role: GroupRole
    valid_from: date
    valid_to: date | None
    as_of: date

    @property
    def withdrawn(self) -> bool:
        return self.valid_to is not None and self.valid_to <= self.valid_from

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    def lasts_past(self, day: date) -> bool:
        return not self.withdrawn and (self.valid_to is None or day < self.valid_to)

    def meets(self, start: date, end: date | None) -> bool:
        """Whether it holds on one of the days from `start` up to `end`."""
        if self.withdrawn:
            return False
        return (end is None or self.valid_from < end) and (self.valid_to is None or start < self.valid_to)


class Relation:
    """The memberships known so far; each change is checked against all of them, and kept."""

    def __init__(self, held: Iterable[Held]) -> None:
        self._of: dict[str, list[Held]] = defaultdict(list)
        for one in held:
            self._of[one.finess_ej].append(one)

    def all(self) -> Iterator[Held]:
        for held in self._of.values():
            yield from held

    def join(
        self, wanted: Membership, day: date, said_on: date | None = None
    ) -> list[tuple[Held | None, Held]]:
        """Take in what a file of a day says of an entity: pairs of what was and what is.

        `said_on` is the day of a word that is not a file's own. What is told as it is known already only
        becomes known to a later day; where a later word stands against it, nothing changes.

        Where the file gives no first day, a membership in the same role goes on, or begins on that day; what
        the entity was before ends as it begins. Raises `Conflict` where another group has it later on, or the
        group has another support establishment.
        """
        known, said_on = self._of[wanted.finess_ej], said_on or day
        same = next((one for one in known if _is_same(one, wanted, day)), None)
        start = wanted.valid_from or (same.valid_from if same else day)
        end = wanted.valid_to or (same.valid_to if same and same.lasts_past(day) else None)
        result = Held(wanted.ght_code, wanted.finess_ej, wanted.role, start, end, said_on)
        others = [one for one in known if one is not same and one.meets(start, end)]
        if any(
            one.as_of > said_on and (one is same or one in others or _goes_on(one, result)) for one in known
        ):
            return []
        self._check(result, others)
        changes: list[tuple[Held | None, Held]] = [
            (one, replace(one, valid_to=start, as_of=said_on)) for one in others
        ]
        if result != same:
            changes.append((same, result))
        self._keep(changes)
        return changes

    def end(self, held: Held, day: date, said_on: date | None = None) -> tuple[Held, Held]:
        """Let a membership hold no more from a day on; `said_on` is when that was said, if not then."""
        if day < held.valid_from:
            raise Invalid("last_day", "Une appartenance finit après son début.")
        change = (held, replace(held, valid_to=day, as_of=said_on or day))
        self._keep([change])
        return change

    def _check(self, result: Held, others: list[Held]) -> None:
        if later := next((one for one in others if one.valid_from >= result.valid_from), None):
            raise Conflict(
                "L'entité %(finess_ej)s est au GHT %(ght)s depuis le %(day)s.",
                finess_ej=later.finess_ej,
                ght=later.ght_code,
                day=later.valid_from.isoformat(),
            )
        if result.role is not GroupRole.SUPPORT:
            return
        for one in self.all():
            if (one.ght_code, one.role) == (result.ght_code, GroupRole.SUPPORT) and (
                one.finess_ej != result.finess_ej and one.meets(result.valid_from, result.valid_to)
            ):
                raise Conflict(
                    "Le GHT %(ght)s a déjà un établissement support : %(finess_ej)s.",
                    ght=one.ght_code,
                    finess_ej=one.finess_ej,
                )

    def _keep(self, changes: list[tuple[Held | None, Held]]) -> None:
        for before, after in changes:
            known = self._of[after.finess_ej]
            if before is not None:
                known.remove(before)
            known.append(after)


def _is_same(held: Held, wanted: Membership, day: date) -> bool:
    if held.ght_code != wanted.ght_code:
        return False
    if held.valid_from == wanted.valid_from or (held.withdrawn and held.valid_from == day):
        return True
    return not held.withdrawn and held.role is wanted.role and held.holds_on(day)


def _goes_on(known: Held, told: Held) -> bool:
    """Whether what is told would be in the same group for good, past the end that is known."""
    return told.valid_to is None and known.ght_code == told.ght_code


def seen_through_groups(own: Iterable[str], held: Iterable[Held], day: date) -> frozenset[str]:
    """The legal entities whose figures those of `own` may read on a day, besides themselves.

    The support establishment of a group sees its members; a member sees none of its siblings.
    """
    own, held = frozenset(own), [one for one in held if one.holds_on(day)]
    groups = {one.ght_code for one in held if one.role is GroupRole.SUPPORT and one.finess_ej in own}
    return frozenset(one.finess_ej for one in held if one.ght_code in groups) - own
