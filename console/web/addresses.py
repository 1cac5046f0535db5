"""Numbers in addresses: those that the database can hold, and no other."""

from __future__ import annotations

from flask import Flask
from werkzeug.exceptions import NotFound
from werkzeug.routing import IntegerConverter

LARGEST = 2**31 - 1


class Number(IntegerConverter):
    """A whole number up to `LARGEST`; there is nothing at an address that holds a larger one."""

    regex = r"[0-9]{1,10}"

    def to_python(self, value: str) -> int:
        number = int(value)
        if number > LARGEST:
            raise NotFound  # a mere mismatch would answer 405 where the address takes several methods
        return number


def install(app: Flask) -> None:
    """Make it what `int` means in an address."""
    app.url_map.converters["int"] = Number
