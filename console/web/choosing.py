"""Adherents chosen in a form: those that are, and those found by a search, each with its box to tick."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from console.domain.errors import Invalid
from console.store.queries.people import Entrusted, adherents_of, find_adherents
from console.store.session import ScopedSession
from console.web import addresses

FIELD = "adherents"
SEARCH = "search"  # the button that looks for adherents without sending the form


@dataclass(frozen=True, slots=True)
class Choice:
    """What the part of the form shows; `words` is the search that found the rest."""

    chosen: list[Entrusted]
    found: list[Entrusted]
    words: str


def numbers() -> list[int]:
    """The numbers of the adherents that were ticked."""
    values = request.form.getlist(FIELD)
    if not all(value.isascii() and value.isdigit() and len(value) <= 10 for value in values):
        raise Invalid(FIELD, "Des adhérents de la liste sont attendus.")
    ticked = sorted({int(value) for value in values})
    if ticked and ticked[-1] > addresses.LARGEST:
        raise Invalid(FIELD, "Des adhérents de la liste sont attendus.")
    return ticked


def searching() -> bool:
    """Whether the form came back for a search."""
    return request.form.get("deed") == SEARCH


def choice(session: ScopedSession) -> Choice:
    """The adherents ticked so far, and those that the words find."""
    words = request.values.get("words", "").strip()
    try:
        ticked = numbers()
    except Invalid:
        ticked = []
    found = find_adherents(session, words, without=ticked) if words else []
    return Choice(adherents_of(session, ticked), found, words)
