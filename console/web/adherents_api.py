"""The door of programs that read adherents: `GET /api/v1/adherents`."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Response, jsonify, request

from console.domain.errors import Invalid
from console.domain.tokens import TokenScope
from console.store.queries.adherents_told import LARGEST_NUMBER, TOLD_AT_ONCE, tell_adherents
from console.store.session import Operator, Scope, Tenants
from console.web.access import public
from console.web.bearer import asking
from console.web.state import state

bp = Blueprint("adherents_api", __name__, url_prefix="/api/v1")


@bp.get("/adherents")
@public  # the bearer token is the credential
def list_adherents() -> Response:
    """The adherents of the token by number, 500 at a time: 200, 401, 403, or 422 where `after` is no number.

    `next` is what to ask as `after` for those that follow, null at the end. `until` is the last day of one
    that leaves; what is not known is null.
    """
    bearer = asking(TokenScope.ADHERENTS_READ)
    scope: Scope = Operator() if bearer.tenants is None else Tenants(bearer.tenants)
    with state().database.read(scope) as session:
        told = tell_adherents(session, after=_after())
    last = told[-1].number if len(told) == TOLD_AT_ONCE else None
    return jsonify(adherents=[asdict(one) for one in told], next=last)


def _after() -> int:
    asked = request.args.get("after", "0")
    if not asked.isascii() or not asked.isdigit() or len(asked) > len(str(LARGEST_NUMBER)):
        raise Invalid("after", "Le numéro d'un adhérent est attendu.")
    return min(int(asked), LARGEST_NUMBER)
