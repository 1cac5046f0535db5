"""The names of the cookies: two consoles on one machine do not take each other's.

Browsers keep cookies by host and not by port, so on plain http the name carries the port. Over https it
begins with `__Host-`: the browser then refuses one set by another host of the domain, or over http.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response

from console.web.state import state


def cookie_name(public_url: str, name: str) -> str:
    """The full name of a cookie of the console at an address."""
    url = urlsplit(public_url)
    if url.scheme == "https":
        return f"__Host-{name}"
    return f"{name}-{url.port}" if url.port else name


def named(name: str) -> str:
    """The full name of a cookie of this console."""
    return cookie_name(state().public_url, name)


def keep(response: Response, name: str, value: str, max_age_s: int) -> None:
    """Hand a value to the browser, which no script reads and no other site sends."""
    response.set_cookie(
        named(name), value, max_age=max_age_s, secure=state().secure, httponly=True, samesite="Lax"
    )


def drop(response: Response, name: str) -> None:
    """Ask the browser to forget a value."""
    response.delete_cookie(named(name), secure=state().secure, httponly=True, samesite="Lax")
