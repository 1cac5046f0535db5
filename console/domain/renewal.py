"""Terms, renewals and notices: when a contract renews itself, and until when notice may be given."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

ONE_DAY = timedelta(days=1)


class NoticeUnit(StrEnum):
    """What a notice is counted in."""

    DAYS = "days"
    MONTHS = "months"


class Step(StrEnum):
    """What is to be done about a term that comes to its end."""

    GIVE_NOTICE = "give_notice"  # or let it be renewed
    RENEWS = "renews"  # the notice is past: it renews itself
    RENEW = "renew"  # it does not renew itself
    LAPSED = "lapsed"  # its term is past and nothing renewed it
    CLARIFY = "clarify"  # nobody knows whether it renews itself


@dataclass(frozen=True, slots=True)
class Deadline:
    """What is to be done, and by when."""

    step: Step
    by: date


def add_months(day: date, months: int) -> date:
    """The same day so many months later, or that month's last day; `months` may be negative."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def current_term(term_ends_on: date, tacit: bool | None, renewal_months: int | None, day: date) -> date:
    """The last day of the term that runs on `day`, after the tacit renewals there were until then.

    A term that ends with a month keeps ending with the month: the day after it is what moves by months.
    """
    if not tacit or not renewal_months:
        return term_ends_on
    first, renewals, ends_on = term_ends_on + ONE_DAY, 0, term_ends_on
    while ends_on < day:
        renewals += 1
        ends_on = add_months(first, renewals * renewal_months) - ONE_DAY
    return ends_on


def notice_deadline(term_ends_on: date, notice: int, unit: NoticeUnit) -> date:
    """The last day on which a notice may be given, so long before the last day of a term."""
    if unit is NoticeUnit.DAYS:
        return term_ends_on - timedelta(days=notice)
    return add_months(term_ends_on, -notice)


def next_deadline(term_ends_on: date, tacit: bool | None, notice_by: date | None, today: date) -> Deadline:
    """What is to be done about the current term."""
    if tacit is None:
        return Deadline(Step.CLARIFY, term_ends_on)
    if not tacit:
        return Deadline(Step.LAPSED if term_ends_on < today else Step.RENEW, term_ends_on)
    if notice_by is None or notice_by < today:
        return Deadline(Step.RENEWS, term_ends_on)
    return Deadline(Step.GIVE_NOTICE, notice_by)
