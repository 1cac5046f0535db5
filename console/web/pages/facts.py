"""What is said of an adherent: the form that changes it, and the one that adds a body typed in."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.adherents import AdherentKind, Facts, add_by_hand, change_facts
from console.domain.access import SEES_EVERY_ADHERENT, Permission
from console.domain.adherents import AGENCIES, ZONES, Sector
from console.domain.errors import DomainError, Invalid
from console.domain.revisions import Stale
from console.store.queries.facts import KnownFacts, known_facts
from console.store.session import Operator
from console.web import inputs
from console.web.access import current_account, requires, scope
from console.web.adherent_words import kind_name, sector_name, zone_name
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.languages import today
from console.web.state import state

WORDS: dict[str, Callable[[str], str]] = {"kind": kind_name, "sector": sector_name, "zone": zone_name}

bp = Blueprint("facts", __name__)


@bp.get("/adherents/new")
@requires(Permission.MANAGE_ADHERENTS)
def new() -> ResponseReturnValue:
    """The form that adds a body that the directory does not hold."""
    return _new()


@bp.post("/adherents/new")
@requires(Permission.MANAGE_ADHERENTS)
def add() -> ResponseReturnValue:
    """Add it; it joins the portfolio of who typed it."""
    account = current_account()
    entrust_to = None if account.role in SEES_EVERY_ADHERENT else account.account_id
    try:
        facts = _typed()
        if facts.kind is AdherentKind.OPERATOR:
            raise Invalid("kind", "Un choix de la liste est attendu.")
        with state().database.write(Operator(), by=account.login) as session:  # it is in nobody's scope yet
            tenant_id = add_by_hand(session, facts, entrust_to=entrust_to)
    except Invalid as error:
        return _new(error), 422
    flash(_("L'adhérent est ajouté : abonnez-le à ses services."))
    return go_to(url_for("adherent.show", tenant_id=tenant_id))


@bp.get("/adherents/<int:tenant_id>/facts")
@requires(Permission.MANAGE_ADHERENTS)
def edit(tenant_id: int) -> ResponseReturnValue:
    """The form that changes what is said of an adherent."""
    return _edit(tenant_id)


@bp.post("/adherents/<int:tenant_id>/facts")
@requires(Permission.MANAGE_ADHERENTS)
def change(tenant_id: int) -> ResponseReturnValue:
    """Change it; who was not the first to send the form sees both what is stored and what they typed."""
    try:
        facts, seen_version = _typed(), inputs.optional_count("version")
        # Its keys are compared with those of all adherents; the gate has checked that this one is in scope.
        with state().database.write(Operator(), by=current_account().login) as session:
            change_facts(session, tenant_id, facts, seen_version=seen_version)
    except Invalid as error:
        return _edit(tenant_id, error), 422
    except Stale as error:
        return _edit(tenant_id, error), 409
    flash(_("La fiche est modifiée."))
    return go_to(url_for("adherent.show", tenant_id=tenant_id))


def _typed() -> Facts:
    return Facts(
        name=inputs.text("name"),
        kind=inputs.choice("kind", AdherentKind),
        sector=inputs.choice("sector", Sector) if inputs.text("sector") else None,
        finess_ej=inputs.text("finess_ej") or None,
        siren=inputs.text("siren") or None,
        agency=inputs.text("agency") or None,
        zone=inputs.text("zone"),
        convention=inputs.text("convention") or None,
        since=inputs.day("since"),
        until=inputs.optional_day("until"),
    )


def _new(error: Invalid | None = None) -> str:
    typed = request.form if error else {"since": today().isoformat(), "zone": ZONES[0]}
    return render_template("facts/new.html", typed=typed, **_choices(), **_told(error))


def _edit(tenant_id: int, error: DomainError | None = None) -> str:
    with state().database.read(scope()) as session:
        known = known_facts(session, tenant_id)
    return render_template(
        "facts/edit.html",
        known=known,
        typed=request.form if error else known.as_typed(),
        differences=_differences(known) if isinstance(error, Stale) else {},
        **_choices(),
        **_told(error),
    )


def _differences(known: KnownFacts) -> dict[str, str]:
    """What is stored now where it is not what was typed, as a person reads it."""
    return {
        name: _shown(name, value)
        for name, value in known.as_typed().items()
        if request.form.get(name, "").strip() != value
    }


def _shown(name: str, value: str) -> str:
    if not value:
        nothing: str = _("rien")
        return nothing
    return WORDS[name](value) if name in WORDS else value


def _choices() -> dict[str, object]:
    kinds = [kind.value for kind in AdherentKind if kind is not AdherentKind.OPERATOR]
    return {
        "kinds": kinds,
        "sectors": [sector.value for sector in Sector],
        "agencies": AGENCIES,
        "zones": ZONES,
    }


def _told(error: DomainError | None) -> dict[str, object]:
    errors = {error.field: message_of(error)} if isinstance(error, Invalid) else {}
    return {"errors": errors, "stale": message_of(error) if isinstance(error, Stale) else ""}
