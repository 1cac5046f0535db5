"""Two people at one form: the second to send it is told that the first one was there."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping

from console.domain.errors import Conflict


class Stale(Conflict):
    """What a form was filled in from is no longer what is stored."""


def check_version(seen: int | str | None, present: int | str) -> None:
    """Raise `Stale` where a form was filled in from another version than the present one."""
    if seen != present:
        raise _stale()


def fingerprint(*told: Hashable) -> str:
    """A version of what has none: another one for each other content."""
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def changed_fields(
    typed: Mapping[str, Hashable], seen: Mapping[str, Hashable], present: Mapping[str, Hashable]
) -> set[str]:
    """The fields of a form that a person changed from what it was filled in from; the others are left alone.

    Raises `Stale` where somebody else changed one of them meanwhile to something else.
    """
    changed = {field for field, value in typed.items() if value != seen[field]}
    if any(present[field] not in (seen[field], typed[field]) for field in changed):
        raise _stale()
    return changed


def _stale() -> Stale:
    return Stale(
        "Quelqu'un a modifié cette fiche entre-temps. Rien n'est perdu : votre saisie est ci-dessous ; "
        "comparez, puis enregistrez à nouveau."
    )
