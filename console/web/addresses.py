"""Numbers in addresses: those that the database can hold, and no other."""

from __future__ import annotations

from flask import Flask
from werkzeug.exceptions import NotFound
from werkzeug.routing import IntegerConverter

LARGEST = 2**31 - 1
LARGEST_KEY = 2**63 - 1


class Number(IntegerConverter):
    """A whole number up to `LARGEST`; there is nothing at an address that holds a larger one."""

    regex = r"[0-9]{1,10}"
    largest = LARGEST

    def to_python(self, value: str) -> int:
        number = int(value)
        if number > self.largest:
            raise NotFound  # a mere mismatch would answer 405 where the address takes several methods
        return number


class Key(Number):
    """The key of a host, which is born of its name and fills 63 bits."""

    regex = r"[0-9]{1,19}"
    largest = LARGEST_KEY


def install(app: Flask) -> None:
    """Make them what `int` and `key` mean in an address."""
    app.url_map.converters["int"] = Number
    app.url_map.converters["key"] = Key
