"""The rules of what the law wants told of security incidents: the list, one with its history, its form."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.regulatory_rules import Wording, add_version
from console.domain.access import Permission
from console.domain.regulatory import Capacity, Recipient, Rule
from console.store.queries.regulatory import RuleHistory, rule_history, rules
from console.web import inputs
from console.web.access import current_account, requires, scope
from console.web.deeds import carry_out
from console.web.languages import today
from console.web.major_words import CAPACITIES, RECIPIENTS
from console.web.state import state

bp = Blueprint("regulatory_rules", __name__)


@bp.get("/catalogue/regulatory-rules")
@requires(Permission.SEE_CATALOGUE)
def index() -> ResponseReturnValue:
    """Every rule as it holds today."""
    with state().database.read(scope()) as session:
        listed = rules(session, today())
    return render_template(
        "regulatory_rules/index.html", rules=listed, capacities=CAPACITIES, recipients=RECIPIENTS
    )


@bp.get("/catalogue/regulatory-rules/new")
@requires(Permission.MANAGE_CATALOGUE)
def new() -> ResponseReturnValue:
    """The form of a new rule."""
    return _form(None, {})


@bp.post("/catalogue/regulatory-rules/new")
@requires(Permission.MANAGE_CATALOGUE)
def add() -> ResponseReturnValue:
    """Add a rule."""
    return _save(None)


@bp.get("/catalogue/regulatory-rules/<code>")
@requires(Permission.SEE_CATALOGUE)
def show(code: str) -> ResponseReturnValue:
    """A rule with its versions, and the form of the next one."""
    return _form(code, {})


@bp.post("/catalogue/regulatory-rules/<code>")
@requires(Permission.MANAGE_CATALOGUE)
def save(code: str) -> ResponseReturnValue:
    """Add a version of a rule."""
    return _save(code)


def _save(code: str | None) -> ResponseReturnValue:
    return carry_out(
        lambda session: add_version(
            session,
            _rule(code),
            _wording(),
            today=today(),
            now=datetime.now(UTC),
            by=current_account().login,
        ),
        lambda errors: _form(code, errors),
        said=_("La version est enregistrée ; elle vaut pour ce qui sera connu à partir de son jour."),
        address=url_for("regulatory_rules.index"),
    )


def _rule(code: str | None) -> Rule:
    return Rule(
        code=inputs.text("code") if code is None else code,
        version=inputs.optional_count("version") or 0,
        capacity=inputs.choice("capacity", Capacity),
        recipient=inputs.choice("recipient", Recipient),
        hours=inputs.optional_count("hours"),
        months=inputs.optional_count("months"),
        by_contract=bool(inputs.text("by_contract")),
        after=inputs.text("after") or None,
        each_adherent=bool(inputs.text("each_adherent")),
        own_limit=bool(inputs.text("own_limit")),
    )


def _wording() -> Wording:
    return Wording(
        name_fr=inputs.text("name_fr"),
        name_en=inputs.text("name_en"),
        basis=inputs.text("basis"),
        source=inputs.text("source"),
        since=inputs.day("since"),
        is_retired=bool(inputs.text("is_retired")),
    )


def _form(code: str | None, errors: dict[str, str]) -> str:
    with state().database.read(scope()) as session:
        listed = rules(session, today())
        history = None if code is None else rule_history(session, code, today())
    return render_template(
        "regulatory_rules/show.html",
        history=history,
        others=[one for one in listed if one.code != code],
        typed=request.form if request.method == "POST" else _values(history),
        errors=errors,
        capacities=CAPACITIES,
        recipients=RECIPIENTS,
    )


def _values(history: RuleHistory | None) -> dict[str, object]:
    """What the form begins with: the latest version of the rule, from today on."""
    if history is None:
        return {"since": today().isoformat()}
    latest, rule = history.latest, history.latest.rule
    flags = ("by_contract", "each_adherent", "own_limit")
    return {
        "version": rule.version,
        "capacity": rule.capacity.value,
        "recipient": rule.recipient.value,
        "hours": "" if rule.hours is None else rule.hours,
        "months": "" if rule.months is None else rule.months,
        "after": rule.after or "",
        "since": max(today(), latest.since).isoformat(),
        **{name: "yes" if getattr(rule, name) else "" for name in flags},
        **{name: getattr(latest, name) for name in ("name_fr", "name_en", "basis", "source")},
    }
