"""Monthly volumes: of one month by form, of many by a file that is looked at before it is stored."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.volumes import Judged, Verdict, VolumeSource, judge, record, record_month
from console.domain.access import Permission
from console.domain.errors import Invalid
from console.domain.volumes import Told, read_month, read_volume, read_volumes
from console.web import inputs
from console.web.access import current_account, requires, scope
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.state import state

LISTED = 200  # rows of each kind on the page
COLUMNS = ("adhérent", "souscription", "mois", "volume")

bp = Blueprint("volumes", __name__)


@bp.post("/adherents/<int:tenant_id>/subscriptions/<int:number>/volumes")
@requires(Permission.RECORD_VOLUMES)
def add(tenant_id: int, number: int) -> ResponseReturnValue:
    """The volume of one month; an empty one makes the month unknown again."""
    by, typed = current_account().login, inputs.text("volume")
    try:
        with state().database.write(scope(), by=by) as session:
            stored = record_month(
                session,
                tenant_id,
                number,
                read_month(inputs.text("month")),
                read_volume(typed) if typed else None,
                source=VolumeSource.ESTIMATE if inputs.text("estimate") else VolumeSource.FORM,
                now=datetime.now(UTC),
                by=by,
            )
    except Invalid as error:
        return _refused(tenant_id, number, error)
    flash(_("Le volume est enregistré.") if stored else _("Ce volume est déjà enregistré."))
    return go_to(url_for("subscription.show", tenant_id=tenant_id, number=number, _anchor="volumes"))


@bp.get("/volumes")
@requires(Permission.RECORD_VOLUMES)
def index() -> ResponseReturnValue:
    """The form that takes a file."""
    return render_template("volumes/index.html", errors={})


@bp.post("/volumes/preview")
@requires(Permission.RECORD_VOLUMES)
def preview() -> ResponseReturnValue:
    """What a file would change, and what of it is refused."""
    sent = request.files.get("file")
    try:
        told = read_volumes(sent.read() if sent else b"")
    except Invalid as error:
        return render_template("volumes/index.html", errors={"file": message_of(error)}), 422
    with state().database.read(scope()) as session:
        return _preview(judge(session, told, now=datetime.now(UTC)))


@bp.post("/volumes")
@requires(Permission.RECORD_VOLUMES)
def store() -> ResponseReturnValue:
    """Store what the preview showed; what changed since is judged again."""
    by = current_account().login
    told = read_volumes(inputs.text("rows").encode())
    with state().database.write(scope(), by=by) as session:
        judged = record(session, told, source=VolumeSource.CSV, now=datetime.now(UTC), by=by)
    counts = Counter(one.verdict for one in judged)
    flash(
        _(
            "Volumes enregistrés : %(new)s nouveaux, %(changed)s corrigés, %(unchanged)s inchangés, "
            "%(refused)s refusés.",
            new=counts[Verdict.NEW],
            changed=counts[Verdict.CHANGED],
            unchanged=counts[Verdict.UNCHANGED],
            refused=counts[Verdict.REFUSED],
        )
    )
    return go_to(url_for("volumes.index"))


def _preview(judged: Sequence[Judged]) -> str:
    by_verdict = {verdict: [one for one in judged if one.verdict is verdict] for verdict in Verdict}
    to_store = [*by_verdict[Verdict.NEW], *by_verdict[Verdict.CHANGED]]
    return render_template(
        "volumes/preview.html",
        by_verdict={verdict.value: rows for verdict, rows in by_verdict.items()},
        listed=LISTED,
        to_store=len(to_store),
        rows=_file_of([one.told for one in to_store]),
        message_of=message_of,
    )


def _file_of(told: Sequence[Told]) -> str:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=";", lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((one.adherent, one.subscription, one.month, one.volume) for one in told)
    return file.getvalue()


def _refused(tenant_id: int, number: int, error: Invalid) -> ResponseReturnValue:
    """The form by itself, with what is wrong and what was typed."""
    page = render_template(
        "volumes/month.html", tenant_id=tenant_id, number=number, errors={error.field: message_of(error)}
    )
    return page, 422
