"""What a page does differently when htmx asks: part of itself, or a header in place of a redirection."""

from __future__ import annotations

from flask import redirect
from htmx_flask import Htmx, make_response, request
from werkzeug.wrappers import Response

install = Htmx().init_app


def wants_fragment() -> bool:
    """Whether the request comes from a part of a page that will be replaced by the answer."""
    return bool(request.htmx) and not request.htmx.boosted and not request.htmx.history_restore_request


def go_to(address: str) -> Response:
    """After a form: show another page, with or without htmx."""
    if wants_fragment():
        answer: Response = make_response("", 204, redirect=address)
        return answer
    return redirect(address, 303)
