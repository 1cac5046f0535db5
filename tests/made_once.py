"""What is the same in every console of a run, made once rather than once a console: most tests make one.

Werkzeug writes and compiles two functions for each rule of each application: they follow from the rule alone,
and find the converters on the rule they are bound to. SQLAlchemy compiles each statement for each engine: the
text follows from the statement and from the kind of its dialect.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from console.store import session

Builder = Callable[..., tuple[str, str]]
_compile = Rule._compile_builder
_builders: dict[Any, Builder] = {}
_create_engine = session.create_engine
_statements: LRUCache[Any, Any] = LRUCache(5000)


def _compiled_once(rule: Rule, append_unknown: bool = True) -> Builder:
    key = (tuple(rule._trace), repr(rule.defaults), append_unknown)
    if key not in _builders:
        _builders[key] = _compile(rule, append_unknown)
    return _builders[key]


def _engine(*arguments: Any, **options: Any) -> Engine:
    engine = _create_engine(*arguments, **options)
    engine._compiled_cache = _statements
    return engine


def install() -> None:
    """From here on, in this process."""
    Rule._compile_builder = _compiled_once  # type: ignore[method-assign]
    session.create_engine = _engine
    DefaultDialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign, assignment]
    DefaultDialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]
