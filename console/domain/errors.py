"""What can go wrong in the field's own terms; the edges translate it (language, HTTP status, exit code).

A message is written in French, fit for the person who made the request, with `%(name)s` for its values: the
text itself is the key under which the catalogue holds its translation.
"""

from __future__ import annotations


class DomainError(Exception):
    """A request that the rules refuse."""

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message % values if values else message)
        self.message = message
        self.values = values


class NotFound(DomainError):
    """It does not exist, or not for the one who asks: the two are told alike."""


class Unauthenticated(DomainError):
    """Nothing says who asks, or what says it opens nothing any more."""


class Forbidden(DomainError):
    """The role of the one who asks does not hold the permission."""


class Invalid(DomainError):
    """An input breaks a rule; `field` names the input."""

    def __init__(self, field: str, message: str, **values: object) -> None:
        super().__init__(message, **values)
        self.field = field


class Conflict(DomainError):
    """It cannot happen now: the state of the thing does not allow it."""
