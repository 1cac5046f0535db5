"""The English catalogue of the console holds every text and no other."""

import ast
import re

import pytest

from tests.messages import CONSOLE, House, untranslated

PLACEHOLDER = re.compile(r"%\((\w+)\)s")


@pytest.fixture(scope="module", params=[CONSOLE], ids=["console"])
def house(request: pytest.FixtureRequest) -> House:
    found: House = request.param
    return found


def ids(catalogue: object) -> set[object]:
    return {message.id for message in catalogue if message.id}  # type: ignore[attr-defined]


def test_every_text_is_translated_and_sure(house: House) -> None:
    assert ids(house.texts()) - ids(house.translations()) == set()
    assert untranslated(house.translations()) == []


def test_no_translation_outlives_its_text(house: House) -> None:
    assert ids(house.translations()) - ids(house.texts()) == set()


def test_translations_keep_the_names_of_their_values(house: House) -> None:
    for message in house.translations():
        if message.id and isinstance(message.id, str):
            assert sorted(PLACEHOLDER.findall(str(message.string))) == sorted(PLACEHOLDER.findall(message.id))


def test_lazy_texts_hold_no_values() -> None:
    """They reach a page unescaped."""
    for path in CONSOLE.code.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and "lazy_" in getattr(node.func, "id", ""):
                assert (len(node.args), node.keywords) == (1, []), path.name


def test_templates_hold_no_text_of_their_own() -> None:
    """But names: of the product, of formats, of units."""
    names = {"Console", "INR", "PDF", "CSV", "FINESS", "SIREN", "SIRET", "min"}
    for path in (CONSOLE.code / "web/templates").rglob("*.html"):
        source = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", path.read_text(encoding="utf-8"), flags=re.S)
        bare = re.sub(r"<[^>]*>|&\w+;|[a-z-]+=\"[^\"]*\"", " ", source)
        assert set(re.findall(r"[A-Za-zÀ-ÿ]{2,}", bare)) <= names, path.name
