"""Frozen dataclasses to canonical JSON and back, exactly, so that archived figures keep their hash.

Keys are sorted, instants are UTC, and a field at its default is left out: a field added later, with a
default, changes no hash of what was archived before it. So a default, once archived, never changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

Shape = TypeVar("Shape")


class UnreadableFigures(ValueError):
    """Archived figures do not have the shape that is asked of them; the message names the field."""


def encode(value: object) -> str:
    """The canonical JSON of a dataclass of dataclasses, tuples, texts, whole numbers, dates and enums."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def decode(shape: type[Shape], text: str) -> Shape:
    """The dataclass a canonical JSON text was made from; raises `UnreadableFigures`."""
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableFigures(f"not JSON: {error}") from None
    made: Shape = _read(shape, raw, shape.__name__)
    return made


def sha256(text: str) -> str:
    """The SHA-256 of a text's UTF-8 bytes, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> object:
    if is_dataclass(value):
        held = ((field, getattr(value, field.name)) for field in fields(value))
        return {field.name: _plain(part) for field, part in held if not _is_default(field, part)}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError(f"{type(value).__name__} has no canonical form")


def _is_default(field: Field[Any], value: object) -> bool:
    return field.default is not MISSING and type(value) is type(field.default) and value == field.default


def _read(shape: Any, raw: object, path: str) -> Any:
    if get_origin(shape) in (Union, UnionType):
        return None if raw is None else _read(get_args(shape)[0], raw, path)
    if get_origin(shape) is tuple:
        items = _expect(raw, list, path)
        return tuple(_read(get_args(shape)[0], item, f"{path}[{n}]") for n, item in enumerate(items))
    if is_dataclass(shape):
        return _read_dataclass(shape, _expect(raw, dict, path), path)
    if shape in (str, int, bool):
        return _expect(raw, shape, path)
    return _read_text(shape, _expect(raw, str, path), path)


def _read_dataclass(shape: Any, raw: Mapping[str, object], path: str) -> Any:
    hints = _hints(shape)
    required = {field.name for field in fields(shape) if field.default is MISSING}
    if unknown := raw.keys() - hints.keys():
        raise UnreadableFigures(f"{path}: unknown field {', '.join(sorted(unknown))}")
    if missing := required - raw.keys():
        raise UnreadableFigures(f"{path}: missing field {', '.join(sorted(missing))}")
    return shape(**{name: _read(hints[name], part, f"{path}.{name}") for name, part in raw.items()})


def _read_text(shape: Any, raw: str, path: str) -> Any:
    try:
        return shape.fromisoformat(raw) if issubclass(shape, date) else shape(raw)
    except ValueError as error:
        raise UnreadableFigures(f"{path}: {error}") from None


def _expect(raw: object, shape: type[Shape], path: str) -> Shape:
    if type(raw) is not shape:
        raise UnreadableFigures(f"{path}: {raw!r} is not of type {shape.__name__}")
    return raw


@cache
def _hints(shape: type) -> Mapping[str, Any]:
    return get_type_hints(shape)
