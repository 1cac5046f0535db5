"""Probes: which services are asked from outside, what they answered, and the forms of a probe."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions import probing
from console.domain.access import Permission
from console.domain.errors import Invalid
from console.domain.outages import Effect
from console.domain.probes import ProbeKind, Question
from console.store.queries import plans
from console.store.queries.probes import ListedProbe, probe, probe_page, probes
from console.store.session import Operator
from console.web import inputs
from console.web.access import current_account, requires
from console.web.deeds import carry_out
from console.web.fragments import go_to
from console.web.state import state

EVERY_S, TIMEOUT_S, STATUS = 60, 10, 200

bp = Blueprint("probes", __name__)


@bp.get("/probes")
@requires(Permission.MANAGE_PROBES)
def index() -> ResponseReturnValue:
    """Every probe and where it stands."""
    with state().database.read(Operator()) as session:
        listed = probes(session)
    return render_template("probes/index.html", probes=listed, now=datetime.now(UTC))


@bp.get("/probes/new")
@requires(Permission.MANAGE_PROBES)
def new() -> ResponseReturnValue:
    """The form of a new probe."""
    return _form(None, {})


@bp.post("/probes")
@requires(Permission.MANAGE_PROBES)
def add() -> ResponseReturnValue:
    """Make a probe, which runs at once."""
    return carry_out(
        lambda session: probing.add_probe(session, _terms(), now=datetime.now(UTC)),
        lambda errors: _form(None, errors),
        said=_("La sonde est créée ; elle passe dans quelques secondes."),
        address=url_for("probes.index"),
    )


@bp.get("/probes/<int:probe_id>")
@requires(Permission.MANAGE_PROBES)
def show(probe_id: int) -> ResponseReturnValue:
    """One probe with its last answers and outages."""
    now = datetime.now(UTC)
    with state().database.read(Operator()) as session:
        page = probe_page(session, probe_id, now=now)
    return render_template("probes/show.html", page=page, probe=page.probe, now=now)


@bp.get("/probes/<int:probe_id>/edit")
@requires(Permission.MANAGE_PROBES)
def edit(probe_id: int) -> ResponseReturnValue:
    """The form of a probe."""
    return _form(probe_id, {})


@bp.post("/probes/<int:probe_id>")
@requires(Permission.MANAGE_PROBES)
def save(probe_id: int) -> ResponseReturnValue:
    """Change a probe."""
    return carry_out(
        lambda session: probing.edit_probe(session, probe_id, _terms(), now=datetime.now(UTC)),
        lambda errors: _form(probe_id, errors),
        said=_("La sonde est enregistrée."),
        address=url_for("probes.show", probe_id=probe_id),
    )


@bp.post("/probes/<int:probe_id>/stop")
@requires(Permission.MANAGE_PROBES)
def stop(probe_id: int) -> ResponseReturnValue:
    """Ask no more."""
    return _do(probe_id, probing.stop_probe, _("La sonde est arrêtée."))


@bp.post("/probes/<int:probe_id>/start")
@requires(Permission.MANAGE_PROBES)
def start(probe_id: int) -> ResponseReturnValue:
    """Ask again."""
    return _do(probe_id, probing.start_probe, _("La sonde tourne de nouveau."))


@bp.post("/probes/<int:probe_id>/run")
@requires(Permission.MANAGE_PROBES)
def run(probe_id: int) -> ResponseReturnValue:
    """Ask within seconds."""
    return _do(probe_id, probing.run_soon, _("La sonde passe dans quelques secondes : rechargez la page."))


def _do(probe_id: int, deed: Callable[..., None], said: str) -> ResponseReturnValue:
    with state().database.write(Operator(), by=current_account().login) as session:
        deed(session, probe_id, now=datetime.now(UTC))
    flash(said)
    return go_to(url_for("probes.show", probe_id=probe_id))


def _form(probe_id: int | None, errors: dict[str, str]) -> str:
    with state().database.read(Operator()) as session:
        chosen = None if probe_id is None else probe(session, probe_id)
        services = plans.offers(session)
    return render_template(
        "probes/form.html",
        probe=chosen,
        services=services,
        typed=request.form if request.method == "POST" else _values(chosen),
        kinds=list(ProbeKind),
        errors=errors,
    )


def _values(chosen: ListedProbe | None) -> dict[str, object]:
    """What the form begins with: the probe, or a new one of what the address names."""
    if chosen is None:
        asked = ("service", "adherent", "subscription")
        usual = {"every_s": EVERY_S, "timeout_s": TIMEOUT_S, "status": STATUS}
        return {**usual, **{name: request.args.get(name, "") for name in asked}}
    return {
        "name": chosen.name,
        "kind": chosen.kind,
        "target": chosen.target,
        "status": chosen.status,
        "text": chosen.text or "",
        "every_s": chosen.every_s,
        "timeout_s": chosen.timeout_s,
        "effect": chosen.effect,
        "service": chosen.service_code,
        "adherent": "" if chosen.tenant_id is None else chosen.tenant_id,
        "subscription": "" if chosen.subscription is None else chosen.subscription,
    }


def _terms() -> probing.Terms:
    return probing.Terms(
        name=inputs.text("name"),
        question=Question(
            kind=inputs.choice("kind", ProbeKind),
            target=inputs.text("target"),
            timeout_s=_number("timeout_s", TIMEOUT_S),
            status=_number("status", STATUS),
            text=inputs.text("text") or None,
        ),
        every_s=_number("every_s", EVERY_S),
        effect=inputs.choice("effect", Effect),
        service_code=inputs.text("service"),
        subscription=_subscription(),
    )


def _number(field: str, usual: int) -> int:
    value = inputs.optional_count(field)
    return usual if value is None else value


def _subscription() -> tuple[int, int] | None:
    adherent = inputs.optional_count("adherent")
    if adherent is None and not inputs.text("subscription"):
        return None
    if adherent is None:
        raise Invalid("adherent", "Une souscription se dit avec le numéro de son adhérent.")
    return adherent, inputs.subscription()
