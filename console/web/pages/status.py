"""The status of an adherent's services, and the mails that tell of it: asked for, confirmed and ended."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

from flask import Blueprint, flash, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.status_mail import (
    CONFIRM_WITHIN,
    Links,
    PostOffice,
    Purpose,
    ask_reader,
    confirm_reader,
    end_reader,
    post_confirmation,
    read_link,
)
from console.domain.access import Permission
from console.domain.errors import Invalid, NotFound
from console.store.queries import names
from console.store.queries.availability import days_of
from console.store.queries.status import status_page
from console.store.session import Operator, Tenants
from console.web import inputs
from console.web.access import current_account, public, requires, scope
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.languages import current_language
from console.web.rate_limit import limited
from console.web.state import state

HOURS = int(CONFIRM_WITHIN.total_seconds()) // 3600

DAYS = 90
CLEAR_PPM = 1_000_000  # of a day without any outage

bp = Blueprint("status", __name__)


@bp.get("/adherents/<int:tenant_id>/status")
@requires(Permission.SEE_ADHERENTS)
def show(tenant_id: int) -> ResponseReturnValue:
    """What does not work now, what is planned, the days before, and who is told by mail."""
    return _page(tenant_id, {})


@bp.post("/adherents/<int:tenant_id>/status/readers")
@requires(Permission.DECLARE_INCIDENTS)
def ask(tenant_id: int) -> ResponseReturnValue:
    """Ask an address by mail whether it wants to be told."""
    now, by, domain = datetime.now(UTC), current_account().login, state().sender_domain
    try:
        if domain is None:
            raise Invalid("email", "Aucun message ne part de cette console : l'envoi n'est pas réglé.")
        with state().database.write(scope(), by=by) as session:
            number = ask_reader(
                session, tenant_id, inputs.text("email"), current_language().code, now=now, by=by
            )
    except Invalid as error:
        return _page(tenant_id, {error.field: message_of(error)}), 422
    office = PostOffice(domain, Links(state().public_url, state().seal))
    with state().database.write(Operator(), by=by) as session:  # mails are of no adherent's scope
        post_confirmation(session, tenant_id, number, office, now=now)
    flash(_("Un message part à cette adresse : l'abonnement commence quand son lien est ouvert."))
    return go_to(url_for("status.show", tenant_id=tenant_id))


@bp.post("/adherents/<int:tenant_id>/status/readers/<int:number>/end")
@requires(Permission.DECLARE_INCIDENTS)
def end(tenant_id: int, number: int) -> ResponseReturnValue:
    """Tell an address nothing more."""
    with state().database.write(scope(), by=current_account().login) as session:
        end_reader(session, tenant_id, number, now=datetime.now(UTC))
    flash(_("Cette adresse ne reçoit plus l'état des services."))
    return go_to(url_for("status.show", tenant_id=tenant_id))


@bp.get("/status/<purpose>/<token>")
@public
@limited
def link(purpose: str, token: str) -> ResponseReturnValue:
    """A button: programs that open the links of mails press none."""
    read_link(state().seal, _purpose(purpose), token)
    return render_template("status/link.html", purpose=purpose, token=token, done=False)


@bp.post("/status/<purpose>/<token>")
@public
@limited
def follow(purpose: str, token: str) -> ResponseReturnValue:
    """Confirm, or leave."""
    tenant_id, number = read_link(state().seal, _purpose(purpose), token)
    deed = confirm_reader if purpose == Purpose.CONFIRM else end_reader
    with state().database.write(Tenants(frozenset({tenant_id}))) as session:
        deed(session, tenant_id, number, now=datetime.now(UTC))
    return render_template("status/link.html", purpose=purpose, token=token, done=True)


def _percent(availability_ppm: int) -> str:
    """With four decimals, and never rounded up to the whole: it was floored to that."""
    return f"{current_language().number(Fraction(availability_ppm, 10_000), 4)}\N{NARROW NO-BREAK SPACE}%"


def _purpose(text: str) -> Purpose:
    if text not in list(Purpose):
        raise NotFound("Ce lien n'ouvre rien : il est incomplet, ou trop ancien.")
    return Purpose(text)


def _page(tenant_id: int, errors: dict[str, str]) -> str:
    now = datetime.now(UTC)
    with state().database.read(scope()) as session:
        adherent = names.adherent(session, tenant_id)
        page = status_page(session, tenant_id, now=now)
        services = days_of(session, tenant_id, DAYS, now)
    return render_template(
        "status/show.html",
        adherent=adherent,
        page=page,
        services=services,
        percent=_percent,
        clear=CLEAR_PPM,
        errors=errors,
        typed=inputs.text("email"),
        hours=HOURS,
    )
