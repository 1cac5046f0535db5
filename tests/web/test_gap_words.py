"""Reasons of gaps: what agents word by themselves is told in French; what nobody foresaw stays as it came."""

import ast
from collections.abc import Iterator
from pathlib import Path

from flask import Flask

from collectors.counter import Counter, Snapshot, between
from collectors.instrument import Missing
from console.web.gap_words import gap_reason


def worded(node: ast.expr) -> str | None:
    """A text of the code, 7 in place of each value; None where it is all of it a value."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "7" for part in node.values]
        return "".join(map(str, parts))
    return None


def reasons() -> Iterator[str]:
    """Every reason for which the code of agents says itself that a time is missing."""
    for path in Path("collectors").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
            if name == "Missing" and node.args and (text := worded(node.args[0])) is not None:
                yield text


def test_every_reason_that_agents_word_by_themselves_has_its_french(app: Flask) -> None:
    found = sorted(set(reasons()) - {"7: 7"})  # the message of a failure of the library or the system
    assert len(found) > 15
    with app.test_request_context():
        assert [reason for reason in found if gap_reason(reason) == reason] == []


def test_a_reason_of_a_real_counter_keeps_its_values(app: Flask) -> None:
    counter = Counter("intel-rapl:0", None)
    before, now = Snapshot("boot", 0.0, {counter: 10**10}), Snapshot("boot", 10.0, {counter: 10**6})
    missing = between(before, now)
    assert isinstance(missing, Missing)
    with app.test_request_context():
        assert gap_reason(missing.reason) == "compteur remis à zéro"


def test_what_nobody_foresaw_stays_as_it_came(app: Flask) -> None:
    odd = ["", "%(what)s", "100 % sure", "<b>no</b>", "it rains: the sensor is wet", "pas installé"]
    with app.test_request_context():
        assert [gap_reason(reason) for reason in odd] == odd


def test_what_a_reason_quotes_is_quoted_and_not_read(app: Flask) -> None:
    with app.test_request_context():
        told = gap_reason("not installed: %(how)s %s <b>")
    assert told.replace("\N{NO-BREAK SPACE}", " ") == "pas installé : %(how)s %s <b>"
