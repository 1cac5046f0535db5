"""A generated database says so on every page, takes in nothing from programs, and serves once it is whole."""

from __future__ import annotations

from flask import Flask, Response, current_app, g, request
from flask_babel import gettext

from console.domain.errors import Conflict
from console.store.queries.generation import Origin, origin
from console.store.session import Operator
from console.web.state import state

ALWAYS_ANSWERED = frozenset({"assets", "health"})  # blueprints
UNFINISHED = "The generation of this database was interrupted, or still runs: delete it and generate again.\n"
READS = frozenset({"GET", "HEAD", "OPTIONS"})


def install(app: Flask) -> None:
    """Ask where the data come from before every view, and tell the templates."""
    app.before_request(gate)
    app.jinja_env.globals["data_are_generated"] = data_are_generated


def gate() -> Response | None:
    """Answer 503 for an unfinished generation, and 409 to what a program would add to a finished one."""
    if request.blueprint in ALWAYS_ANSWERED:
        return None
    found = _origin()
    if found is Origin.INCOMPLETE:
        return Response(UNFINISHED, 503, content_type="text/plain; charset=utf-8")
    if found is Origin.GENERATED and request.path.startswith("/api/") and request.method not in READS:
        raise Conflict("Cette console ne contient que des données générées : elle n'en prend pas de réelles.")
    return None


def data_are_generated() -> bool:
    """Whether nothing that is shown is real."""
    return _origin() is Origin.GENERATED


def marks() -> tuple[str, ...]:
    """What a document that is taken away must say of its data."""
    return (gettext("Données générées"),) if data_are_generated() else ()


def settle_real() -> None:
    """Something real was stored: a generation refuses such a database, so that nobody has to ask again."""
    current_app.extensions["real"] = True


def _origin() -> Origin:
    """Asked once a request until it can change no more: that a database was generated is never undone."""
    if "generated" in current_app.extensions:
        return Origin.GENERATED
    if "real" in current_app.extensions:
        return Origin.REAL
    if "origin" not in g:
        g.origin = Origin.REAL  # where the question fails, the page that says so does not ask again
        with state().database.read(Operator()) as session:
            g.origin = origin(session)
        if g.origin is Origin.GENERATED:
            current_app.extensions["generated"] = True
    found: Origin = g.origin
    return found
