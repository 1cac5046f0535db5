"""Amounts kept in hundredths as people read them: euros, percents, points of an index."""

from __future__ import annotations

from fractions import Fraction

from flask import Blueprint

from console.web.languages import current_language
from reports.language import NO_BREAK

HUNDRED = 100


def install(bp: Blueprint) -> None:
    """Give the templates the filters `euros` and `hundredths`."""
    bp.add_app_template_filter(euros)
    bp.add_app_template_filter(hundredths)


def euros(cents: int) -> str:
    """An amount of euro cents in euros."""
    return f"{hundredths(cents)}{NO_BREAK}€"


def hundredths(amount: int) -> str:
    """A number of hundredths with its two decimals."""
    return current_language().number(Fraction(amount, HUNDRED), 2)
