"""Monthly volumes: of one month by form, of many by a file that is looked at before it is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from flask import Blueprint, flash, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.kept_files import forget_file
from console.actions.volumes import Judged, Verdict, VolumeSource, judge, record, record_month
from console.domain.access import Permission
from console.domain.errors import Invalid
from console.domain.volumes import LARGEST_LIST, read_month, read_volume, read_volumes
from console.store.session import Operator
from console.web import inputs
from console.web.access import current_account, requires, scope
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.long_files import allow_long_file
from console.web.sent_files import keep, kept, sent_file
from console.web.state import state

LISTED = 200  # rows of each kind on the page

bp = Blueprint("volumes", __name__)
allow_long_file(bp, "preview", Permission.RECORD_VOLUMES, LARGEST_LIST)


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
    """What a file would change, and what of it is refused; it is kept where there is something to store."""
    (content, _name), now = sent_file(), datetime.now(UTC)
    try:
        told = read_volumes(content)
    except Invalid as error:
        return render_template("volumes/index.html", errors={"file": message_of(error)}), 422
    with state().database.read(scope()) as session:
        judged = judge(session, told, now=now)
    to_store = any(one.verdict in (Verdict.NEW, Verdict.CHANGED) for one in judged)
    return _preview(judged, keep(content, now=now) if to_store else None)


@bp.post("/volumes")
@requires(Permission.RECORD_VOLUMES)
def store() -> ResponseReturnValue:
    """Store the file that the preview showed; what changed since is judged again, in the scope of now."""
    content, file_id = kept()
    told, account = read_volumes(content), current_account()
    with state().database.write(scope(), by=account.login) as session:
        judged = record(session, told, source=VolumeSource.CSV, now=datetime.now(UTC), by=account.login)
    with state().database.write(Operator(), by=account.login) as session:
        forget_file(session, file_id)
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


def _preview(judged: Sequence[Judged], file_id: int | None) -> str:
    by_verdict = {verdict: [one for one in judged if one.verdict is verdict] for verdict in Verdict}
    return render_template(
        "volumes/preview.html",
        by_verdict={verdict.value: rows for verdict, rows in by_verdict.items()},
        listed=LISTED,
        to_store=len(by_verdict[Verdict.NEW]) + len(by_verdict[Verdict.CHANGED]),
        file_id=file_id,
        message_of=message_of,
    )


def _refused(tenant_id: int, number: int, error: Invalid) -> ResponseReturnValue:
    """The form by itself, with what is wrong and what was typed."""
    page = render_template(
        "volumes/month.html", tenant_id=tenant_id, number=number, errors={error.field: message_of(error)}
    )
    return page, 422
