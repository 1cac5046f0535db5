"""What can go wrong in the field's own terms; the edges translate it (HTTP status, exit code)."""

from __future__ import annotations


class DomainError(Exception):
    """A request that the rules refuse, with a message fit for the person who made it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(DomainError):
    """It does not exist, or not for the one who asks: the two are told alike."""


class Forbidden(DomainError):
    """The role of the one who asks does not hold the permission."""


class Invalid(DomainError):
    """An input breaks a rule; `field` names the input."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Conflict(DomainError):
    """It cannot happen now: the state of the thing does not allow it."""
