"""The inventory: what there is, what making it emitted, how long it is kept, and what grows old."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from console.actions.equipment import (
    Impact,
    confirm_impact,
    estimate_impact,
    extend_life,
    record_impact,
    retire,
)
from console.actions.equipment_files import Fate, Looked, look_at, note_import, store_file
from console.actions.imports import open_table
from console.actions.volume_files import forget_file, keep_file, kept_file
from console.domain.access import Permission
from console.domain.equipment import EndOfLife, EquipmentKind, ImpactSource
from console.domain.equipment_files import LARGEST_FILE, disks_text, read_equipment
from console.domain.errors import Invalid
from console.store.queries.equipment import inventory, item_page
from console.store.session import Operator
from console.web import inputs
from console.web.access import current_account, requires
from console.web.audit_words import COLUMNS
from console.web.deeds import carry_out
from console.web.equipment_words import KINDS, ROUTES, SOURCES
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.languages import current_language, today
from console.web.long_files import allow_long_file
from console.web.state import state

LISTED = 500
UG_PER_HUNDREDTH_KG = 10_000_000

bp = Blueprint("equipment", __name__)
allow_long_file(bp, "preview", Permission.MANAGE_CARBON, LARGEST_FILE)


@bp.get("/carbon/equipment")
@requires(Permission.SEE_FLEET)
def index() -> ResponseReturnValue:
    """The inventory, narrowed by what the address asks for."""
    kind, site, standing = (request.args.get(name, "") for name in ("kind", "site", "standing"))
    with state().database.read(Operator()) as session:
        known = inventory(session)
    found = [
        one
        for one in known
        if kind in ("", one.kind.value)
        and site in ("", one.site)
        and {
            "used": one.retired_on is None,
            "retired": one.retired_on is not None,
            "unknown": one.gwp_ug is None,
            "waits": one.waits,
        }.get(standing, True)
    ]
    return render_template(
        "equipment/index.html",
        found=found[:LISTED],
        count=len(found),
        listed=LISTED,
        kind=kind,
        site=site,
        standing=standing,
        sites=sorted({one.site for one in known if one.site}),
        kinds=KINDS,
    )


@bp.get("/carbon/equipment/<int:equipment_id>")
@requires(Permission.SEE_FLEET)
def show(equipment_id: int) -> ResponseReturnValue:
    """One thing of the inventory."""
    return _page(equipment_id, {})


@bp.post("/carbon/equipment/<int:equipment_id>/estimate")
@requires(Permission.MANAGE_CARBON)
def estimate(equipment_id: int) -> ResponseReturnValue:
    """Estimate the making of a server from its components."""
    return _do(
        equipment_id,
        lambda session: estimate_impact(session, equipment_id, now=_now(), by=current_account().login),
        _("L'empreinte est estimée."),
    )


@bp.post("/carbon/equipment/<int:equipment_id>/impacts")
@requires(Permission.MANAGE_CARBON)
def declare(equipment_id: int) -> ResponseReturnValue:
    """Write down what a sheet or a person says of its making."""

    def deed(session: Session) -> None:
        kg = inputs.optional_hundredths("gwp")
        if kg is None or kg < 0:
            raise Invalid("gwp", "Un nombre positif est attendu.")
        source = inputs.choice("source", ImpactSource)
        told = Impact(source, inputs.text("reference"), kg * UG_PER_HUNDREDTH_KG)
        record_impact(session, equipment_id, told, now=_now(), by=current_account().login)

    return _do(equipment_id, deed, _("L'empreinte est enregistrée."))


@bp.post("/carbon/equipment/<int:equipment_id>/impacts/<int:version>/confirm")
@requires(Permission.MANAGE_CARBON)
def confirm(equipment_id: int, version: int) -> ResponseReturnValue:
    """Stand behind a match."""
    return _do(
        equipment_id,
        lambda session: confirm_impact(
            session, equipment_id, version, now=_now(), by=current_account().login
        ),
        _("L'empreinte est confirmée."),
    )


@bp.post("/carbon/equipment/<int:equipment_id>/extend")
@requires(Permission.MANAGE_CARBON)
def extend(equipment_id: int) -> ResponseReturnValue:
    """Plan a longer life from this month on."""

    def deed(session: Session) -> None:
        months = inputs.optional_count("planned_months") or 0
        month = today().replace(day=1)
        extend_life(session, equipment_id, month, months, now=_now(), by=current_account().login)

    return _do(equipment_id, deed, _("La durée de vie est prolongée."))


@bp.post("/carbon/equipment/<int:equipment_id>/retire")
@requires(Permission.MANAGE_CARBON)
def withdraw(equipment_id: int) -> ResponseReturnValue:
    """End its life here, by a route."""

    def deed(session: Session) -> None:
        day, route = inputs.day("retired_on"), inputs.choice("end_of_life", EndOfLife)
        retire(session, equipment_id, day, route, now=_now())

    return _do(equipment_id, deed, _("L'équipement est retiré."))


@bp.get("/carbon/equipment/import")
@requires(Permission.MANAGE_CARBON)
def upload() -> ResponseReturnValue:
    """The form that takes an inventory."""
    return _form({})


@bp.post("/carbon/equipment/import/preview")
@requires(Permission.MANAGE_CARBON)
def preview() -> ResponseReturnValue:
    """What an inventory would change, and what of it is refused; it is kept while there is something new."""
    content, now = _sent(), _now()
    try:
        file, months = read_equipment(open_table(content)), inputs.optional_count("planned_months")
    except Invalid as error:
        return _form({error.field: message_of(error)}), 422
    with state().database.read(Operator()) as session:
        found = look_at(session, file, planned_months=months, now=now)
    file_id = None
    if found.to_store:
        account = current_account()
        with state().database.write(Operator(), by=account.login) as session:
            file_id = keep_file(session, content, account_id=account.account_id, now=now)
    sent = request.files.get("file")
    return render_template(
        "equipment/preview.html",
        found=found,
        by_fate={fate.value: [one for one in found.planned if one.fate is fate] for fate in Fate},
        counts=found.counts(),
        refused=found.refused(),
        listed=LISTED,
        file_id=file_id,
        file_name=(sent.filename or "") if sent else "",
        planned_months=months,
        message_of=message_of,
        kinds=KINDS,
        facts=COLUMNS,
        told=_in_words,
    )


@bp.post("/carbon/equipment/import")
@requires(Permission.MANAGE_CARBON)
def store() -> ResponseReturnValue:
    """Store the inventory that the preview showed; what changed since is judged again."""
    account, file_id = current_account(), inputs.optional_count("file")
    months = inputs.optional_count("planned_months")
    with state().database.read(Operator()) as session:
        content = kept_file(session, file_id, account_id=account.account_id)
    file = read_equipment(open_table(content))
    with state().database.write(Operator(), by=account.login) as session:
        found = store_file(session, file, planned_months=months, now=_now(), by=account.login)
        note_import(session, inputs.text("name") or str(file_id), found)
        forget_file(session, file_id)
    flash(_told(found))
    return go_to(url_for("equipment.index"))


def _in_words(value: object) -> str:
    """A fact of a thing as its reader says it."""
    if value is None:
        return str(_("inconnu"))
    if isinstance(value, bool):
        return str(_("oui") if value else _("non"))
    if isinstance(value, EquipmentKind):
        return str(KINDS[value.value])
    if isinstance(value, date):
        return current_language().day(value)
    if isinstance(value, tuple):
        return ", ".join(f"{one.count} × {one.kind.upper()} {one.gb}" for one in value) or "—"
    return str(value)


def _told(found: Looked) -> str:
    counts = found.counts()
    return str(
        _(
            "Équipements : %(new)s nouveaux, %(changed)s changés, %(unchanged)s inchangés, %(refused)s "
            "refusés.",
            new=counts[Fate.NEW],
            changed=counts[Fate.CHANGED],
            unchanged=counts[Fate.UNCHANGED],
            refused=counts[Fate.REFUSED],
        )
    )


def _do(equipment_id: int, deed: object, said: str) -> ResponseReturnValue:
    return carry_out(
        deed,  # type: ignore[arg-type]
        lambda errors: _page(equipment_id, errors),
        said=said,
        address=url_for("equipment.show", equipment_id=equipment_id),
    )


def _page(equipment_id: int, errors: dict[str, str]) -> str:
    with state().database.read(Operator()) as session:
        page = item_page(session, equipment_id, today())
        return render_template(
            "equipment/show.html",
            page=page,
            errors=errors,
            today=today(),
            kinds=KINDS,
            sources=SOURCES,
            routes=ROUTES,
            ppm=_ppm,
            disks_text=disks_text,
        )


def _form(errors: dict[str, str]) -> str:
    return render_template("equipment/upload.html", errors=errors)


def _sent() -> bytes:
    """The file of the form; a long one lies on the disk and is closed at once."""
    sent = request.files.get("file")
    if sent is None:
        return b""
    with sent.stream as stream:
        return stream.read()


def _ppm(value: int | None) -> str:
    return "" if value is None else current_language().percent(Fraction(value, 1_000_000))


def _now() -> datetime:
    return datetime.now(UTC)
