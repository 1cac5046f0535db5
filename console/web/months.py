"""Months as addresses and forms name them, such as 2026-11."""

from __future__ import annotations

from datetime import date

from flask import abort

from console.domain.errors import Invalid

FIRST_YEAR, LAST_YEAR = 2000, 2999  # a month that dates can hold the end of


def month_typed(text: str) -> date:
    """The first day of the month that a form names; raises `Invalid`."""
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError:
        raise Invalid("month", "%(month)s n'est pas un mois ; par exemple 2026-11.", month=text) from None
    if not FIRST_YEAR <= month.year <= LAST_YEAR:
        raise Invalid("month", "%(month)s n'est pas un mois ; par exemple 2026-11.", month=text)
    return month


def month_in_path(text: str) -> date:
    """The month of an address, which is not found where it is none."""
    try:
        return month_typed(text)
    except Invalid:
        abort(404)
