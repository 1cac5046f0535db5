"""Forms that carry what they were filled in from, so that only what a person changed of them is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import request
from werkzeug.datastructures import MultiDict

from console.domain.errors import DomainError, Invalid

SEEN = "seen-"  # before the name of a field: what it was filled in from


@dataclass(frozen=True, slots=True)
class FilledForm:
    """The values that a form shows, and those that it was filled in from."""

    values: MultiDict[str, str]
    seen: MultiDict[str, str]


def filled_form(stored: Mapping[str, Sequence[str]], error: DomainError | None = None) -> FilledForm:
    """A form as it is stored, or once more as it was typed.

    Where somebody else changed what is stored meanwhile, what the person did not change is as it is now.
    """
    now = MultiDict((name, value) for name, values in stored.items() for value in values)
    if error is None:
        return FilledForm(now, now)
    seen = MultiDict((name, value) for name in stored for value in request.form.getlist(SEEN + name))
    if isinstance(error, Invalid):
        return FilledForm(request.form, seen)
    untouched = {name for name in stored if _told(request.form, name) == _told(seen, name)}
    values = MultiDict(
        (name, value)
        for name in stored
        for value in (now if name in untouched else request.form).getlist(name)
    )
    return FilledForm(values, now)


def _told(values: MultiDict[str, str], name: str) -> list[str]:
    return sorted(value for value in values.getlist(name) if value)
