"""The audit log of an adherent, and the operator's own: read, filtered, exported, and redacted."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.audit import redact
from console.domain.access import Permission
from console.domain.claims import OPERATOR_TENANT
from console.domain.errors import Invalid
from console.domain.hours import day_bounds
from console.domain.patient_data import patient_numbers
from console.store.audit import record
from console.store.queries import audit, names
from console.store.queries.audit import Wanted
from console.store.queries.names import Named
from console.store.session import Operator
from console.web import audit_words, exports, inputs
from console.web.access import allowed, current_account, requires, scope
from console.web.errors import message_of
from console.web.fragments import go_to, wants_fragment
from console.web.state import state

bp = Blueprint("audit", __name__)


@bp.get("/audit")
@requires(Permission.SEE_AUDIT)
def index() -> ResponseReturnValue:
    """The operator's own chain; for an adherent, the way to its own."""
    seen = scope()
    if isinstance(seen, Operator):
        return _list(OPERATOR_TENANT)
    with state().database.read(seen) as session:
        adherents = names.adherents(session, seen.ids - current_account().members)
    return render_template("audit/choice.html", adherents=adherents.values())


@bp.get("/adherents/<int:tenant_id>/audit")
@requires(Permission.SEE_AUDIT)
def of_adherent(tenant_id: int) -> ResponseReturnValue:
    """What was done for an adherent, by whom and when."""
    return _list(tenant_id)


@bp.get("/adherents/<int:tenant_id>/audit.csv")
@requires(Permission.SEE_AUDIT)
def export(tenant_id: int) -> ResponseReturnValue:
    """Every entry that the filter lets through, as a CSV; that it was taken away is an entry too."""
    with state().database.read(scope()) as session:
        adherent = names.adherent(session, tenant_id)
        wanted = _wanted(adherent)
        rows = [_row(deed, adherent.zone) for deed in audit.every_deed(session, tenant_id, wanted)]
    with state().database.write(scope(), by=current_account().login) as session:
        record(session, tenant_id, "audit.exported", "audit", {"entries": len(rows), **_asked()})
    headings = [_("Numéro"), _("Date"), _("Par"), _("Nature"), _("Objet"), _("Faits"), _("Empreinte")]
    return exports.send(f"audit-{tenant_id}", headings, rows, "csv")


@bp.get("/adherents/<int:tenant_id>/audit/<int:number>")
@requires(Permission.SEE_AUDIT)
def show(tenant_id: int, number: int) -> ResponseReturnValue:
    """One entry with its hashes."""
    return _page(tenant_id, number, {})


@bp.post("/adherents/<int:tenant_id>/audit/<int:number>")
@requires(Permission.REDACT)
def erase(tenant_id: int, number: int) -> ResponseReturnValue:
    """Redact an entry; a reason that seems to name a patient is refused, for it stays."""
    try:
        reason = inputs.text("reason")
        if patient_numbers(reason):
            raise Invalid("reason", "Un motif ne contient pas de numéro de patient : il reste au journal.")
        with state().database.read(scope()) as session:
            names.adherent(session, tenant_id)
        with state().database.write(
            Operator(), by=current_account().login
        ) as session:  # the web erases nothing
            redact(session, tenant_id, number, reason=reason)
    except Invalid as error:
        return _page(tenant_id, number, {error.field: message_of(error)}), 422
    flash(_("Le contenu de l'entrée est expurgé ; la chaîne se vérifie toujours."))
    return go_to(url_for("audit.show", tenant_id=tenant_id, number=number))


def _list(tenant_id: int) -> ResponseReturnValue:
    errors: dict[str, str] = {}
    with state().database.read(scope()) as session:
        adherent = names.adherent(session, tenant_id)
        try:
            wanted = _wanted(adherent)
        except Invalid as error:
            wanted, errors = Wanted(open_only=_open_only()), {error.field: message_of(error)}
        found = audit.list_deeds(session, tenant_id, wanted, _asked_number("before"))
    page = render_template(
        "audit/list.html" if wants_fragment() else "audit/index.html",
        adherent=adherent,
        found=found,
        asked=_asked(),
        before=_asked_number("before"),
        errors=errors,
        things=audit_words.THINGS,
        words=audit_words,
    )
    return page, 422 if errors else 200


def _page(tenant_id: int, number: int, errors: dict[str, str]) -> str:
    with state().database.read(scope()) as session:
        adherent = names.adherent(session, tenant_id)
        deed = audit.one_deed(session, tenant_id, number, open_only=_open_only())
    return render_template("audit/show.html", adherent=adherent, deed=deed, errors=errors, words=audit_words)


def _row(deed: audit.LoggedDeed, zone: str) -> list[exports.Cell]:
    facts = " ; ".join(audit_words.changes(deed, zone))
    said = audit_words.sentence(deed)
    return [deed.number, deed.at.astimezone(ZoneInfo(zone)), deed.by, said, deed.subject, facts, deed.sha256]


def _open_only() -> bool:
    """Whether the reader is not of the operator, and so does not see what it writes for itself."""
    return not allowed(Permission.SEE_PORTFOLIO)


def _asked() -> dict[str, str]:
    """The filter as the address holds it, without what is empty."""
    fields = ("by", "what", "subject", "first_day", "last_day")
    typed = ((name, request.args.get(name, "").strip()) for name in fields)
    return {name: text for name, text in typed if text}


def _wanted(adherent: Named) -> Wanted:
    asked, zone = _asked(), ZoneInfo(adherent.zone)
    first, last = _asked_day("first_day"), _asked_day("last_day")
    if first is not None and last is not None and last < first:
        raise Invalid("last_day", "Le dernier jour vient après le premier.")
    return Wanted(
        by=asked.get("by", ""),
        what=asked.get("what", ""),
        subject=asked.get("subject", ""),
        start=None if first is None else day_bounds(first, zone)[0],
        end=None if last is None else day_bounds(last, zone)[1],
        open_only=_open_only(),
    )


def _asked_day(field: str) -> date | None:
    text = _asked().get(field)
    if text is None:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise Invalid(field, "%(value)s n'est pas une date ; par exemple 2026-11-25.", value=text) from None
    if not 2000 <= found.year < 2200:
        raise Invalid(field, "%(value)s n'est pas une date de ce siècle.", value=text)
    return found


def _asked_number(field: str) -> int | None:
    text = request.args.get(field, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
