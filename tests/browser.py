"""A test client that fills forms in as a browser does, with the secret of the page."""

from __future__ import annotations

import re
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

    def fragment(self, address: str, **headers: str) -> TestResponse:
        """Ask as htmx does."""
        return self.get(address, headers={"HX-Request": "true", **headers})
