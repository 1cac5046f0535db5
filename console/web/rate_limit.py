"""How often one address may fail where a secret is asked for; what is right never counts.

The lockout holds an account whatever the address; this holds an address whatever the account. In memory
each web process counts by itself; a shared storage makes them count together.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, request
from flask_limiter import Limiter
from limits.errors import ConfigurationError

from console.domain.devices import network_of

FAILURES = "20 per minute; 200 per hour"
FAILED = frozenset({401, 403, 404, 409, 410, 422})

View = TypeVar("View", bound=Callable[..., Any])


class UnusableCounter(Exception):
    """The storage of the counts cannot be used; the message says why."""


def limited(view: View) -> View:
    """Answer 429 to an address that failed here too often."""
    view.__dict__["limited"] = True
    return view


def install(app: Flask, storage: str) -> None:
    """Hold the views marked so; raises `UnusableCounter`."""
    try:
        limiter = Limiter(_address, app=app, storage_uri=storage, headers_enabled=True)
    except (ConfigurationError, ImportError, ValueError) as error:
        raise UnusableCounter(str(error)) from None
    held: Any = limiter.shared_limit(FAILURES, scope="failures", deduct_when=_has_failed)
    marked = {name: view for name, view in app.view_functions.items() if getattr(view, "limited", False)}
    app.view_functions.update({name: held(view) for name, view in marked.items()})


def _address() -> str:
    """One IPv4 address, or the network that one customer of an IPv6 provider has."""
    address = request.remote_addr or ""
    return network_of(address) if ":" in address else address


def _has_failed(response: Response) -> bool:
    return response.status_code in FAILED
