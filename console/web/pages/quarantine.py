"""Readings kept out of the ledger: by the rule they broke and their host, one of them, and the decisions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from flask import Blueprint, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from console.actions import quarantine as deeds
from console.domain.access import Permission
from console.domain.errors import DomainError, Invalid
from console.domain.free_text import one_line
from console.domain.intervals import Rule
from console.store.again import write_again
from console.store.queries import quarantine
from console.store.queries.host import host_of
from console.store.queries.paging import PAGE, PageOf
from console.store.queries.quarantine import Kept
from console.store.session import Operator
from console.web import addresses, inputs
from console.web.access import current_account, requires
from console.web.errors import message_of
from console.web.fragments import go_to
from console.web.state import state

SHOWN = 20_000  # characters of a reading
Key = tuple[int, str]
Deed = Callable[..., None]
DEEDS: dict[str, Deed] = {"accept": deeds.accept, "reject": deeds.reject}

bp = Blueprint("quarantine", __name__)


@bp.get("/fleet/quarantine")
@requires(Permission.SEE_FLEET)
def index() -> ResponseReturnValue:
    """What waits, by rule and host; and the readings of a group, or those that were decided on."""
    return _list({})


@bp.get("/fleet/quarantine/<key:host_id>/<fingerprint>")
@requires(Permission.SEE_FLEET)
def show(host_id: int, fingerprint: str) -> ResponseReturnValue:
    """One reading as it came."""
    return _reading(host_id, fingerprint, {})


@bp.post("/fleet/quarantine/<key:host_id>/<fingerprint>")
@requires(Permission.MANAGE_FLEET)
def decide(host_id: int, fingerprint: str) -> ResponseReturnValue:
    """Let one reading into the ledger, or turn it down."""
    try:
        deed, note = _deed(), _note()
    except Invalid as error:
        return _reading(host_id, fingerprint, {error.field: message_of(error)}), 422
    try:
        _do(deed, (host_id, fingerprint), note)
    except DomainError as error:
        return _reading(host_id, fingerprint, {"deed": message_of(error)}), 409
    flash(_("C'est décidé."))
    return go_to(url_for("quarantine.index"))


@bp.post("/fleet/quarantine/decisions")
@requires(Permission.MANAGE_FLEET)
def decide_group() -> ResponseReturnValue:
    """Decide on every reading of a group, each by itself, and tell which ones could not be let in and why."""
    rule, host_id = _rule(inputs.text("rule")), _host(inputs.text("host"))
    try:
        deed, note = _deed(), _note()
        if rule is None:
            raise Invalid("rule", "Un motif de la liste est attendu.")
    except Invalid as error:
        return _list({error.field: message_of(error)}, rule, host_id), 422
    with state().database.read(Operator()) as session:
        keys = quarantine.waiting_keys(session, rule=rule, host_id=host_id)
    refused = Counter(why for key in keys if (why := _refusal(deed, key, note)))
    return render_template(
        "fleet/decided.html",
        done=len(keys) - refused.total(),
        refused=refused,
        back={"rule": rule, "host": host_id},
        left=_left(rule, host_id) - refused.total(),
    )


def _do(deed: Deed, key: Key, note: str) -> None:
    by = current_account().login
    write_again(
        state().database,
        Operator(),
        lambda session: deed(session, *key, note=note, now=datetime.now(UTC), by=by),
        by,
    )


def _refusal(deed: Deed, key: Key, note: str) -> str:
    """Decide on one reading, in a transaction of its own; why not, or nothing where it is done."""
    try:
        _do(deed, key, note)
    except DomainError as error:
        return message_of(error)
    return ""


def _left(rule: str, host_id: int | None) -> int:
    with state().database.read(Operator()) as session:
        return quarantine.count_kept(session, rule=rule, host_id=host_id)


def _deed() -> Deed:
    deed = DEEDS.get(inputs.text("deed"))
    if deed is None:
        raise Invalid("deed", "Un choix de la liste est attendu.")
    return deed


def _note() -> str:
    return one_line(inputs.text("note"), "note")


def _list(errors: dict[str, str], rule: str | None = None, host_id: int | None = None) -> str:
    rule = rule or _rule(request.args.get("rule", ""))
    host_id = host_id or _host(request.args.get("host", ""))
    waiting = request.args.get("which") != "decided"
    with state().database.read(Operator()) as session:
        return render_template(
            "fleet/quarantine.html",
            groups=quarantine.groups(session),
            found=_page(session, rule, host_id, waiting, inputs.asked_page()),
            waiting=waiting,
            rule=rule,
            host=None if host_id is None else host_of(session, host_id),
            at_once=quarantine.AT_ONCE,
            filters=_filters(rule, host_id, waiting),
            typed=request.form,
            errors=errors,
        )


def _page(session: Session, rule: str | None, host_id: int | None, waiting: bool, page: int) -> PageOf[Kept]:
    rows = quarantine.kept(
        session, rule=rule, host_id=host_id, waiting=waiting, limit=PAGE, offset=(page - 1) * PAGE
    )
    total = quarantine.count_kept(session, rule=rule, host_id=host_id, waiting=waiting)
    return PageOf(rows, total, page)


def _filters(rule: str | None, host_id: int | None, waiting: bool) -> dict[str, str]:
    told = {"rule": rule or "", "host": str(host_id or ""), "which": "" if waiting else "decided"}
    return {name: value for name, value in told.items() if value}


def _rule(value: str) -> str | None:
    return value if value in list(Rule) else None


def _host(value: str) -> int | None:
    is_key = value.isascii() and value.isdigit() and len(value) < 20 and int(value) <= addresses.LARGEST_KEY
    return int(value) if is_key else None


def _reading(host_id: int, fingerprint: str, errors: dict[str, str]) -> str:
    with state().database.read(Operator()) as session:
        found = quarantine.one_kept(session, host_id, fingerprint)
    return render_template(
        "fleet/kept_reading.html",
        one=found,
        text=_formatted(found.reading),
        typed=request.form,
        errors=errors,
    )


def _formatted(text: str) -> str:
    """The JSON of a reading over several lines; what no page could hold is written out."""
    with suppress(ValueError, RecursionError):  # then as it came
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    whole = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return whole if len(whole) <= SHOWN else f"{whole[:SHOWN]}\n…"
