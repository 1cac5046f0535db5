"""The routes of the console, compiled once a run rather than once a console.

Werkzeug writes and compiles two functions for each rule of each application: for our hundreds of rules that
is most of what making a console costs, and nearly every test makes one. What a function does follows from its
rule alone: it finds the converters on the rule it is bound to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

Builder = Callable[..., tuple[str, str]]
_compile = Rule._compile_builder
_compiled: dict[Any, Builder] = {}


def _compiled_once(rule: Rule, append_unknown: bool = True) -> Builder:
    key = (tuple(rule._trace), repr(rule.defaults), append_unknown)
    if key not in _compiled:
        _compiled[key] = _compile(rule, append_unknown)
    return _compiled[key]


def install() -> None:
    """From here on, in this process."""
    Rule._compile_builder = _compiled_once  # type: ignore[method-assign]
