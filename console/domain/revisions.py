"""Two people at one form: the second to send it is told that the first one was there."""

from __future__ import annotations

from console.domain.errors import Conflict


class Stale(Conflict):
    """What a form was filled in from is no longer what is stored."""


def check_version(seen: int | None, present: int) -> None:
    """Raise `Stale` where a form was filled in from another version than the present one."""
    if seen != present:
        raise Stale(
            "Quelqu'un a modifié cette fiche entre-temps. Rien n'est perdu : votre saisie est ci-dessous ; "
            "comparez, puis enregistrez à nouveau."
        )
