"""What a subscription says on a day: the fold of its dated amendments, which come in any order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any

from console.domain.errors import Conflict, Invalid
from console.domain.price import Indexation, PricePer
from console.domain.renewal import Deadline, NoticeUnit, current_term, next_deadline, notice_deadline

ONE_DAY = timedelta(days=1)
LONGEST_LINE = 200
LARGEST_AMOUNT = 10**12  # of a volume, and of a price in cents
LONGEST_PERIOD = 1_200  # months of a term, months or days of a notice


class Status(StrEnum):
    """Where a subscription is in its life; it is ended, never deleted."""

    DRAFT = "draft"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    ENDED = "ended"


RUNNING = (Status.ACTIVE, Status.SUSPENDED)
NEXT: Mapping[Status, frozenset[Status]] = {
    Status.DRAFT: frozenset({Status.ACTIVE}),
    Status.ACTIVE: frozenset({Status.SUSPENDED}),
    Status.SUSPENDED: frozenset({Status.ACTIVE}),
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What is agreed; None is not agreed, or not known.

    `volume` is in the unit of the service, for a month; the price is in euro cents, for a month or a unit;
    `indexation_rate` in hundredths of a percent a year. `ends_on` is the last day of the subscription,
    `term_ends_on` the last day of the term that was agreed last, `tacit` renewals add `renewal_months` to it.
    """

    status: Status = Status.DRAFT
    plan_code: str | None = None
    plan_version: int | None = None
    volume: int | None = None
    price_cents: int | None = None
    price_per: PricePer | None = None
    indexation: Indexation | None = None
    indexation_rate: int | None = None
    revise_on: date | None = None
    contract: str | None = None
    service_version: str | None = None
    ends_on: date | None = None
    term_ends_on: date | None = None
    tacit: bool | None = None
    renewal_months: int | None = None
    notice: int | None = None
    notice_unit: NoticeUnit | None = None


NAMES = tuple(field.name for field in fields(Terms))


@dataclass(frozen=True, slots=True)
class Amendment:
    """From its day on, `changes` hold: names of terms with their values."""

    number: int
    effective_on: date
    changes: Mapping[str, Any]


def in_order(amendments: Iterable[Amendment]) -> list[Amendment]:
    """By the day they take effect, those of one day by their number."""
    return sorted(amendments, key=lambda amendment: (amendment.effective_on, amendment.number))


def last_day(amendments: Iterable[Amendment]) -> date | None:
    """The last day of a subscription, as it was written last: an end holds whatever day it is read on."""
    said = [amendment for amendment in amendments if "ends_on" in amendment.changes]
    last = max(said, key=lambda amendment: amendment.number, default=None)
    return last.changes["ends_on"] if last else None


def terms_on(amendments: Collection[Amendment], day: date) -> Terms | None:
    """The terms of a day; None before the first one. Past its last day a subscription is ended."""
    begun = [amendment for amendment in in_order(amendments) if amendment.effective_on <= day]
    if not begun:
        return None
    terms = Terms()
    for amendment in begun:
        terms = replace(terms, **amendment.changes)
    ends_on = last_day(amendments)
    over = ends_on is not None and ends_on < day
    return replace(terms, ends_on=ends_on, status=Status.ENDED if over else terms.status)


def terms_over(amendments: Collection[Amendment], first: date, after: date) -> list[tuple[date, date, Terms]]:
    """The terms of the days from `first` to before `after`: (first day, day after the last, terms), in order.

    Days before the first amendment are left out.
    """
    ends_on = last_day(amendments)
    turns = {amendment.effective_on for amendment in amendments} | ({ends_on + ONE_DAY} if ends_on else set())
    days = [first, *sorted(day for day in turns if first < day < after), after]
    pieces = [(day, next_day, terms_on(amendments, day)) for day, next_day in pairwise(days)]
    return [(day, next_day, terms) for day, next_day, terms in pieces if terms is not None]


@dataclass(frozen=True, slots=True)
class State:
    """The terms of a day, the last day of the term that runs then and the last to give notice of it."""

    day: date
    terms: Terms
    term_ends_on: date | None
    notice_by: date | None

    @property
    def revision_due(self) -> bool:
        """Whether the price is to be revised by that day."""
        running = self.terms.status in RUNNING
        return running and self.terms.revise_on is not None and self.terms.revise_on <= self.day

    @property
    def deadline(self) -> Deadline | None:
        """What is to be done about the term, seen from that day."""
        if self.term_ends_on is None or self.terms.status is Status.ENDED:
            return None
        return next_deadline(self.term_ends_on, self.terms.tacit, self.notice_by, self.day)


def state_on(amendments: Collection[Amendment], day: date) -> State | None:
    """The state of a day; None before the first one. What is ended has no notice to be given."""
    terms = terms_on(amendments, day)
    if terms is None:
        return None
    if terms.term_ends_on is None:
        return State(day, terms, None, None)
    term = current_term(terms.term_ends_on, terms.tacit, terms.renewal_months, day)
    if terms.notice is None or terms.notice_unit is None or terms.status is Status.ENDED:
        return State(day, terms, term, None)
    return State(day, terms, term, notice_deadline(term, terms.notice, terms.notice_unit))


def differences(terms: Terms, proposed: Mapping[str, Any]) -> dict[str, Any]:
    """What of the proposed changes is not so already."""
    return {name: value for name, value in proposed.items() if getattr(terms, name) != value}


def check_timeline(amendments: Iterable[Amendment]) -> None:
    """Refuse amendments that make a state follow one it cannot follow, in any order they were written."""
    status: Status | None = None
    for amendment in in_order(amendments):
        after = amendment.changes.get("status")
        if after is None:
            continue
        if status is not None and after not in NEXT[status]:
            raise Conflict(
                "L'état de la souscription au %(day)s, ou un changement qui le suit, ne le permet pas.",
                day=f"{amendment.effective_on:%Y-%m-%d}",
            )
        status = after


def check_terms(terms: Terms) -> None:
    """Refuse terms that cannot be, or that only make sense with another that is missing."""
    _check_range("volume", terms.volume, LARGEST_AMOUNT)
    _check_range("price", terms.price_cents, LARGEST_AMOUNT)
    _check_range("renewal_months", terms.renewal_months, LONGEST_PERIOD, least=1)
    _check_range("notice", terms.notice, LONGEST_PERIOD)
    _check_line("contract", terms.contract)
    _check_line("service_version", terms.service_version)
    if terms.price_cents is not None and terms.price_per is None:
        raise Invalid("price_per", "Un prix est celui d'un mois ou celui d'une unité : choisissez.")
    if terms.indexation is Indexation.FIXED and terms.indexation_rate is None:
        raise Invalid("indexation_rate", "Une révision à taux fixe a un taux.")
    if terms.tacit and (terms.renewal_months is None or terms.term_ends_on is None):
        missing = "renewal_months" if terms.renewal_months is None else "term_ends_on"
        raise Invalid(missing, "Une tacite reconduction a un terme et une durée en mois.")
    if terms.notice is not None and terms.notice_unit is None:
        raise Invalid("notice_unit", "Un préavis se compte en jours ou en mois.")


def _check_range(field: str, value: int | None, most: int, least: int = 0) -> None:
    if value is not None and not least <= value <= most:
        raise Invalid(field, "Un nombre entier de %(least)s à %(most)s est attendu.", least=least, most=most)


def _check_line(field: str, text: str | None) -> None:
    if text is not None and (len(text) > LONGEST_LINE or not text.isprintable()):
        raise Invalid(field, "Une ligne de 200 caractères au plus est attendue.")


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "status": Status,
    "price_per": PricePer,
    "indexation": Indexation,
    "notice_unit": NoticeUnit,
    "revise_on": date.fromisoformat,
    "ends_on": date.fromisoformat,
    "term_ends_on": date.fromisoformat,
}


def to_plain(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes as JSON holds them: days in ISO 8601, choices by value."""
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in changes.items()}


def from_plain(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Changes from what `to_plain` made of them."""
    return {
        name: _READERS[name](value) if value is not None and name in _READERS else value
        for name, value in plain.items()
    }
