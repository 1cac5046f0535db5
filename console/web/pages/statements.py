"""INR statements: the list, issuing one for a month, reading it and taking it away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.statements import issue_statement
from console.domain.access import Permission
from console.domain.errors import Invalid
from console.store.audit import record
from console.store.queries import names, statements
from console.store.session import Operator
from console.web import generated
from console.web.access import current_account, requires, scope
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.languages import current_language, today
from console.web.state import state
from reports import inr
from reports.document import Document
from reports.formats import csv, html, pdf

MONTHS_OFFERED = 24
FIRST_MONTH = date(2000, 1, 1)

bp = Blueprint("statements", __name__)


@bp.get("/statements")
@requires(Permission.SEE_ADHERENTS)
def index() -> ResponseReturnValue:
    """Every statement in scope."""
    with state().database.read(scope()) as session:
        issued = statements.issued(session)
    return render_template("statements/index.html", issued=issued)


@bp.get("/adherents/<int:tenant_id>/statements")
@requires(Permission.SEE_ADHERENTS)
def of_adherent(tenant_id: int) -> ResponseReturnValue:
    """The statements of one adherent, and the form that issues another."""
    return _list(tenant_id, "")


@bp.post("/adherents/<int:tenant_id>/statements")
@requires(Permission.ISSUE_STATEMENTS)
def issue(tenant_id: int) -> ResponseReturnValue:
    """Issue the statement of a month and show it."""
    with state().database.read(scope()) as session:
        adherent = names.adherent(session, tenant_id)
    try:
        month = _asked_month(today(adherent.zone))
        by = current_account().login
        with state().database.write(Operator(), by) as session:  # it reckons the month on the way
            number = issue_statement(session, tenant_id, month, now=datetime.now(UTC), by=by)
    except Invalid as error:
        return _list(tenant_id, message_of(error)), 422
    flash(_("Le relevé est émis : ses chiffres ne changeront plus."))
    return go_to(url_for("statements.show", tenant_id=tenant_id, number=number))


@bp.get("/adherents/<int:tenant_id>/statements/<int:number>")
@requires(Permission.SEE_ADHERENTS)
def show(tenant_id: int, number: int) -> ResponseReturnValue:
    """A statement as a page."""
    with state().database.read(scope()) as session:
        adherent = names.adherent(session, tenant_id)
        issued = statements.archived_figures(session, tenant_id, number)
        has_moved = statements.has_moved(session, tenant_id, issued, datetime.now(UTC))
    return render_template(
        "statements/show.html",
        adherent=adherent,
        number=number,
        month=issued.period.first_day,
        has_moved=has_moved,
        report=html.fragment(_document(tenant_id, number), current_language()),
    )


@bp.get("/adherents/<int:tenant_id>/statements/<int:number>.pdf")
@requires(Permission.SEE_ADHERENTS)
def as_pdf(tenant_id: int, number: int) -> ResponseReturnValue:
    """A statement as an accessible PDF."""
    document = _taken_away(tenant_id, number, "pdf")
    return _file(pdf.render(document, current_language()), "application/pdf", f"{document.name}.pdf")


@bp.get("/adherents/<int:tenant_id>/statements/<int:number>.csv")
@requires(Permission.SEE_ADHERENTS)
def as_csv(tenant_id: int, number: int) -> ResponseReturnValue:
    """A statement to recompute from."""
    document = _taken_away(tenant_id, number, "csv")
    return _file(csv.render(document, current_language()), "text/csv; charset=utf-8", f"{document.name}.csv")


def _list(tenant_id: int, error: str) -> str:
    with state().database.read(scope()) as session:
        adherent = names.adherent(session, tenant_id)
        issued = statements.issued(session, tenant_id)
    return render_template(
        "statements/of_adherent.html",
        adherent=adherent,
        issued=issued,
        months=list(_offered_months(today(adherent.zone))),
        asked=request.form.get("month", ""),
        error=error,
    )


def _document(tenant_id: int, number: int) -> Document:
    """The report of archived figures, in the language of the reader."""
    with state().database.read(scope()) as session:
        figures = statements.archived_figures(session, tenant_id, number)
    document = inr.document(figures, current_language())
    return replace(document, marks=(*generated.marks(), *document.marks))


def _taken_away(tenant_id: int, number: int, kind: str) -> Document:
    """The report, for a file that leaves the console: the audit log says who took it."""
    document = _document(tenant_id, number)
    with state().database.write(scope(), by=current_account().login) as session:
        record(session, tenant_id, "statement.downloaded", f"statement/{number}", {"format": kind})
    return document


def _file(content: bytes, kind: str, name: str) -> Response:
    answer = Response(content, content_type=kind)
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


def _asked_month(day: date) -> date:
    """The month that the form asks for, not after that of a day."""
    text = request.form.get("month", "")
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError:
        raise Invalid("month", "%(month)s n'est pas un mois ; par exemple 2026-11.", month=text) from None
    if not FIRST_MONTH <= month <= day:
        raise Invalid("month", "Un relevé porte sur un mois commencé, depuis janvier 2000.")
    return month


def _offered_months(day: date) -> Iterator[date]:
    """The running month, a newcomer's only one, then those before it."""
    month = day.replace(day=1)
    for _number in range(MONTHS_OFFERED):
        yield month
        month = (month - timedelta(days=1)).replace(day=1)
