"""What is said in a language is said anew for each page."""

from pathlib import Path

import pytest
from flask import Flask
from jinja2 import nodes

TEMPLATES = Path("console/web/templates")
NAMES = sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html"))


def imports(tree: nodes.Template) -> list[nodes.FromImport | nodes.Import]:
    return list(tree.find_all((nodes.FromImport, nodes.Import)))


def says_something_as_it_is_imported(tree: nodes.Template) -> bool:
    """Whether what it sets for those who import it calls a translation."""
    texts = [
        text for node in tree.body if isinstance(node, nodes.Assign) for text in node.find_all(nodes.Call)
    ]
    return any(isinstance(call.node, nodes.Name) and call.node.name in ("_", "gettext") for call in texts)


@pytest.mark.parametrize("name", NAMES)
def test_a_template_keeps_no_text_in_the_language_of_who_read_it_first(app: Flask, name: str) -> None:
    def parsed(template: str) -> nodes.Template:
        return app.jinja_env.parse((TEMPLATES / template).read_text("utf-8"))

    for node in imports(parsed(name)):
        if isinstance(node.template, nodes.Const) and not node.with_context:
            assert not says_something_as_it_is_imported(parsed(node.template.value)), node.template.value
