"""What the law, or a contract, wants told of a security incident: to whom, and until when.

A rule counts hours around the clock, or calendar months on the wall clock of a zone, from when the operator
became aware or from when what another rule wants was done. Until that other thing is done its own due date
stands in for it, so that a final report has a provisional date from the first hour.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from console.domain.errors import Invalid

WARNED_AFTER = (3, 4)  # of the time to the due date: as for the time to restore
LONGEST_HOURS = 24 * 366
LONGEST_MONTHS = 24


class Capacity(StrEnum):
    """As what the operator is bound."""

    PROCESSOR = "processor"
    CONTROLLER = "controller"
    ESSENTIAL_ENTITY = "essential_entity"
    HEALTH_HOST = "health_host"


class Recipient(StrEnum):
    """Who is told."""

    ADHERENT = "adherent"
    CNIL = "cnil"
    ANSSI = "anssi"
    CERT_SANTE = "cert_sante"


class DutyState(StrEnum):
    """Where a duty stands."""

    RUNNING = "running"
    SOON = "soon"
    LATE = "late"
    DONE = "done"
    DONE_LATE = "done_late"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A version of a rule; it has hours or months.

    `by_contract`: the hours of the adherent's plan come first. `after` is the code of the rule that it counts
    from. `each_adherent`: every adherent touched has its own; else one for the whole event is enough.
    `own_limit`: the text says "without delay", and the delay is the operator's own.
    """

    code: str
    version: int
    capacity: Capacity
    recipient: Recipient
    hours: int | None
    months: int | None
    by_contract: bool = False
    after: str | None = None
    each_adherent: bool = False
    own_limit: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """When a duty is due and from when it counts; provisional while what it counts from is not done."""

    counts_from: datetime
    due_at: datetime
    warn_at: datetime
    is_provisional: bool


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a rule by the day from which it holds; a retired one ends the rule.

    `after` is the code of the rule that it counts from.
    """

    code: str
    version: int
    since: date
    is_retired: bool
    after: str | None = None


def due_dates(
    rules: Iterable[Rule],
    aware_at: datetime,
    zone: ZoneInfo,
    *,
    contract_hours: int | None = None,
    done: Mapping[str, datetime] | None = None,
) -> dict[str, Due]:
    """When what each rule wants is due, by code; `done` says what was done, and when.

    A rule that counts from one that is not among the rules counts from awareness.
    """
    known = {rule.code: rule for rule in rules}
    done = done or {}
    found: dict[str, Due] = {}

    def of(rule: Rule) -> Due:
        if rule.code in found:
            return found[rule.code]
        before = known.get(rule.after or "")
        provisional = False
        if before is None:
            start = aware_at
        elif before.code in done:
            start = done[before.code]
        else:
            start, provisional = of(before).due_at, True
        found[rule.code] = _due(rule, start, zone, contract_hours, provisional)
        return found[rule.code]

    for rule in known.values():
        of(rule)
    return found


def add_months(instant: datetime, months: int, zone: ZoneInfo) -> datetime:
    """The same wall time some calendar months later, clamped to the month's last day; in UTC.

    A wall time that a clock change skips moves forward by the gap; a repeated one is its first occurrence.
    """
    wall = instant.astimezone(zone)
    year, month = divmod(wall.year * 12 + wall.month - 1 + months, 12)
    day = min(wall.day, monthrange(year, month + 1)[1])
    return wall.replace(year=year, month=month + 1, day=day, fold=0).astimezone(UTC)


def state_of(
    *,
    due_at: datetime,
    warn_at: datetime,
    done_at: datetime | None,
    withdrawn_at: datetime | None,
    now: datetime,
) -> DutyState:
    """Where a duty stands; what is done at the due date is done in time."""
    if withdrawn_at is not None:
        return DutyState.WITHDRAWN
    if done_at is not None:
        return DutyState.DONE if done_at <= due_at else DutyState.DONE_LATE
    if now > due_at:
        return DutyState.LATE
    return DutyState.SOON if now >= warn_at else DutyState.RUNNING


def versions_on(versions: Iterable[Version], day: date) -> dict[str, int]:
    """The version of each rule that holds on a day; rules that are retired by then have none."""
    held: dict[str, Version] = {}
    for one in versions:
        last = held.get(one.code)
        if one.since <= day and (last is None or one.version > last.version):
            held[one.code] = one
    return {code: one.version for code, one in held.items() if not one.is_retired}


def left_without_start(added: Version, versions: Iterable[Version]) -> str | None:
    """The code of a rule that would count from one which does not hold, on some day since that of `added`.

    It is the rule that counts from the one that `added` retires, or that of `added` itself; None for neither.
    `versions` are those that are known so far, of all rules.
    """
    known = [*versions, added]
    for day in sorted({one.since for one in known if one.since >= added.since}):
        held = versions_on(known, day)
        for one in known:
            counts = one.after is not None and added.code in (one.code, one.after)
            if counts and held.get(one.code) == one.version and one.after not in held:
                return one.code
    return None


def check_rule(rule: Rule, others: Mapping[str, str | None]) -> None:
    """Refuse a delay that is none, and a rule that comes to count from itself.

    `others` says from which rule each of the other rules counts.
    """
    if (rule.hours is None) is (rule.months is None):
        raise Invalid("hours", "Un délai est attendu, en heures ou en mois.")
    if rule.hours is not None and not 0 < rule.hours <= LONGEST_HOURS:
        raise Invalid("hours", "Un délai va de 1 à %(longest)s heures.", longest=LONGEST_HOURS)
    if rule.months is not None and not 0 < rule.months <= LONGEST_MONTHS:
        raise Invalid("months", "Un délai va de 1 à %(longest)s mois.", longest=LONGEST_MONTHS)
    if rule.by_contract and rule.months is not None:
        raise Invalid("months", "Un délai de contrat se compte en heures.")
    passed, at = {rule.code}, rule.after
    while at is not None:
        if at in passed:
            raise Invalid("after", "Cette règle compterait à partir d'elle-même.")
        if at not in others:
            raise Invalid("after", "Cette règle n'existe pas.")
        passed.add(at)
        at = others[at]


def _due(rule: Rule, start: datetime, zone: ZoneInfo, contract_hours: int | None, provisional: bool) -> Due:
    hours = contract_hours if rule.by_contract and contract_hours is not None else rule.hours
    if hours is not None:
        due_at = start + timedelta(hours=hours)
    else:
        due_at = add_months(start, rule.months or 0, zone)
    part, whole = WARNED_AFTER
    return Due(start, due_at, start + (due_at - start) * part // whole, provisional)
