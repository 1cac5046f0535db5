"""A test client that fills forms in as a browser does, with the secret of the page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

SECRET = re.compile(r'name="csrf_token" value="([^"]+)"')


class Browser(FlaskClient):
    """Keeps cookies; `submit` sends a form from a page that anyone may open."""

    def submit(self, address: str, **fields: Any) -> TestResponse:
        """Post a form with a valid secret."""
        found = SECRET.search(self.get("/nowhere").text)
        assert found is not None
        return self.post(address, data={"csrf_token": found[1], **fields})

    def filled_in(self, page: str, action: str, **typed: Any) -> dict[str, Any]:
        """The fields of the form of a page that posts to `action`, as a browser sends them once `typed`."""
        return fields_of(self.get(page).text, action) | typed

    def fragment(self, address: str, **headers: str) -> TestResponse:
        """Ask as htmx does."""
        return self.get(address, headers={"HX-Request": "true", **headers})


def fields_of(page: str, action: str) -> dict[str, Any]:
    """The fields of the form of a page that posts to `action`, as they are shown."""
    reader = _Form(action)
    reader.feed(page)
    return reader.fields


class _Form(HTMLParser):
    """Reads the fields of the form that posts to an address, but for its secret and its buttons."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.fields: dict[str, list[str]] = {}
        self._action, self._inside, self._name = action, False, ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        name, value = told.get("name") or "", told.get("value") or ""
        if tag == "form":
            self._inside = told.get("action") == self._action
        if not self._inside:
            return
        if tag in ("select", "textarea"):
            self._name = name
        if tag == "textarea":
            self.fields[name] = [""]
        is_sent = told.get("type") != "checkbox" or "checked" in told
        if tag == "input" and name != "csrf_token" and is_sent:
            self.fields.setdefault(name, []).append(value)
        if tag == "option" and "selected" in told:
            self.fields[self._name] = [value]

    def handle_data(self, data: str) -> None:
        if self._inside and self.lasttag == "textarea":
            self.fields[self._name][0] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        self.lasttag = ""
