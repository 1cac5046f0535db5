"""`/healthz`: whether this process can serve."""

from __future__ import annotations

from flask import Blueprint, Response
from sqlalchemy.exc import SQLAlchemyError

from console.store.queries.generation import Origin, origin
from console.store.roles import UnsafeRole
from console.store.schema import present_revision, wanted_revision
from console.store.session import Operator
from console.web.access import public
from console.web.state import state

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@public
def show() -> Response:
    """200 when the database answers, is safe and has the code's schema, else 503; one line either way."""
    try:
        state().database.check()
        present = present_revision(state().database)
    except SQLAlchemyError as error:
        return _line(f"the database does not answer: {type(error).__name__}", 503)
    except UnsafeRole:  # the line that says why is for the log and the commands, not for everyone
        return _line("the database does not keep adherents apart: run console prepare", 503)
    wanted = wanted_revision()
    if present != wanted:
        return _line(f"the schema is at {present or 'nothing'}, {wanted} is needed: run console prepare", 503)
    with state().database.read(Operator()) as session:
        if origin(session) is Origin.INCOMPLETE:
            return _line("the generation of this database was not finished", 503)
    return _line("ok", 200)


def _line(text: str, status: int) -> Response:
    return Response(text + "\n", status, content_type="text/plain; charset=utf-8")
