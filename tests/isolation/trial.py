"""Pages that do what none may: the walk is tried on them."""

from __future__ import annotations

from flask import Blueprint, request
from sqlalchemy import select, update

from console.domain.access import Permission
from console.store.models import tenant as t
from console.store.session import Operator
from console.web.access import public, requires
from console.web.state import state
from tests.isolation.routes import OPERATOR, PUBLIC, across, of_adherent, own

trial = Blueprint("trial", __name__, url_prefix="/trial")
INCIDENTS = select(t.Incident.title).order_by(t.Incident.tenant_id)


@trial.get("/list")
@requires(Permission.SEE_ADHERENTS)
def list_all() -> list[str]:
    with state().database.read(Operator()) as session:
        return list(session.scalars(INCIDENTS))


@trial.get("/count")
@requires(Permission.SEE_ADHERENTS)
def count_all() -> str:
    with state().database.read(Operator()) as session:
        return str(len(session.scalars(INCIDENTS).all()))


@trial.get("/adherents/<int:tenant_id>/incidents/<int:number>")
@requires(Permission.SEE_ADHERENTS)
def by_number(tenant_id: int, number: int) -> list[str]:
    with state().database.read(Operator()) as session:
        return list(session.scalars(INCIDENTS.where(t.Incident.number == number)))


@trial.post("/adherents/<int:tenant_id>/incidents")
@requires(Permission.HANDLE_INCIDENTS)
def rename(tenant_id: int) -> str:
    with state().database.write(Operator()) as session:
        number = int(request.form["incident"])
        session.execute(update(t.Incident).where(t.Incident.number == number).values(phase="closed"))
    return ""


@trial.get("/mine")
@requires(Permission.SEE_ADHERENTS)
def mine() -> list[str]:
    return list_all()


@trial.get("/fleet")
@requires(Permission.SEE_ADHERENTS)
def fleet() -> str:
    return ""


@trial.get("/open")
@public
def everyone() -> list[str]:
    return list_all()


TRIALS = {
    "trial.list_all": across(),
    "trial.count_all": across(),
    "trial.by_number": of_adherent(number="{incident}"),
    "trial.rename": of_adherent({"incident": "{incident}"}),
    "trial.mine": own(),
    "trial.fleet": OPERATOR,
    "trial.everyone": PUBLIC,
}
