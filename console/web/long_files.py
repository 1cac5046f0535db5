"""Forms with a file that is longer than other requests may be."""

from __future__ import annotations

from flask import Blueprint, request

from console.domain.access import Permission
from console.web.access import allowed

AROUND_A_FILE = 64 * 1024  # bytes of a form beside its file


def allow_long_file(bp: Blueprint, view: str, permission: Permission, longest: int) -> None:
    """Let a view take a file of so many bytes, from someone who may send one; before the form is read."""

    @bp.url_value_preprocessor
    def allow(endpoint: str | None, _values: object) -> None:
        if endpoint == f"{bp.name}.{view}" and allowed(permission):
            request.max_content_length = longest + AROUND_A_FILE
