"""The English catalogue holds every message of the reports and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from jinja2 import Environment
from jinja2.ext import babel_extract

import reports

HOUSE = Path(reports.__file__).parent
PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def catalogue() -> Catalog:
    with (HOUSE / "translations/en/LC_MESSAGES/messages.po").open("rb") as file:
        return read_po(file, locale="en")


def messages_in_python(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in ("_", "gettext", "ngettext"):
                texts = node.args[: 2 if name == "ngettext" else 1]
                yield from (text.value for text in texts if isinstance(text, ast.Constant))


def messages_in_template(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        for _, _, message, _ in babel_extract(file, ["gettext"], [], {}):
            yield str(message)


def messages() -> set[str]:
    python = {message for path in HOUSE.rglob("*.py") for message in messages_in_python(path)}
    return python | {message for path in HOUSE.rglob("*.jinja") for message in messages_in_template(path)}


def test_every_message_is_translated_and_sure() -> None:
    entries = {message.id: message for message in catalogue() if message.id}
    assert messages() - entries.keys() == set()
    assert [key for key, entry in entries.items() if not entry.string or entry.fuzzy] == []


def test_no_translation_outlives_its_message() -> None:
    assert {message.id for message in catalogue() if message.id} - messages() == set()


def test_translations_keep_the_names_of_their_values() -> None:
    for entry in catalogue():
        if entry.id:
            wanted, found = (sorted(PLACEHOLDER.findall(str(text))) for text in (entry.id, entry.string))
            assert found == wanted, entry.id


def test_templates_hold_no_text_of_their_own() -> None:
    for path in HOUSE.rglob("*.jinja"):
        source = path.read_text(encoding="utf-8")
        Environment(autoescape=True).parse(source)
        bare = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|<[^>]*>|<!doctype html>", " ", source, flags=re.DOTALL)
        assert re.findall(r"[A-Za-zÀ-ÿ]{2,}", bare) == [], path.name
