"""Plans: what is promised by priority, in versions; one with its past, and the form of the next version."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from console.actions.plans import add_plan, add_plan_version
from console.domain.access import Permission
from console.domain.clock import Target, Unit
from console.domain.credits import CreditStep
from console.domain.errors import Invalid
from console.domain.escalation import HIGHEST_LEVEL, Escalation, Promise
from console.domain.plan_terms import PRIORITIES, PlanTerms
from console.store.queries import plan_versions
from console.web import inputs
from console.web.access import current_account, requires, scope
from console.web.deeds import carry_out
from console.web.rows import Rows
from console.web.state import state

END_OF_DAY = "working_days_end"  # working days that count their last one whole
PERCENT = re.compile(r"(?P<whole>[0-9]{1,3})(?:[.,](?P<decimals>[0-9]{1,4}))?")
STEPS = Rows("step", ("below", "percent"), needed=("below", "percent"))
ESCALATIONS = Rows("escalation", ("clock", "side", "amount", "unit", "level"), needed=("amount", "level"))

bp = Blueprint("plans", __name__)


@bp.get("/catalogue/plans")
@requires(Permission.SEE_CATALOGUE)
def index() -> ResponseReturnValue:
    """Every plan in its latest version."""
    with state().database.read(scope()) as session:
        listed = plan_versions.latest_plans(session)
        names = plan_versions.calendar_names(session)
    return render_template("plans/index.html", plans=listed, calendars=names)


@bp.get("/catalogue/plans/<code>")
@requires(Permission.SEE_CATALOGUE)
def show(code: str) -> ResponseReturnValue:
    """A plan with its versions, and what each changed."""
    with state().database.read(scope()) as session:
        history = plan_versions.plan_history(session, code)
    return render_template("plans/show.html", history=history, priorities=PRIORITIES)


@bp.get("/catalogue/plans/new")
@requires(Permission.MANAGE_CATALOGUE)
def new() -> ResponseReturnValue:
    """The form of a new plan."""
    return _form(None, {})


@bp.post("/catalogue/plans")
@requires(Permission.MANAGE_CATALOGUE)
def add() -> ResponseReturnValue:
    """Add a plan in its first version."""
    return carry_out(
        lambda session: add_plan(
            session, inputs.text("code"), _terms(), now=datetime.now(UTC), by=current_account().login
        ),
        lambda errors: _form(None, errors),
        said=_("Le plan est enregistré."),
        address=url_for("plans.index"),
    )


@bp.get("/catalogue/plans/<code>/next")
@requires(Permission.MANAGE_CATALOGUE)
def edit(code: str) -> ResponseReturnValue:
    """The form of the next version."""
    return _form(code, {})


@bp.post("/catalogue/plans/<code>/next")
@requires(Permission.MANAGE_CATALOGUE)
def save(code: str) -> ResponseReturnValue:
    """Add a version of a plan; subscriptions keep theirs until an amendment changes it."""
    return carry_out(
        lambda session: add_plan_version(
            session,
            code,
            _terms(),
            after=inputs.optional_count("version") or 0,
            now=datetime.now(UTC),
            by=current_account().login,
        ),
        lambda errors: _form(code, errors),
        said=_("La version est enregistrée ; les souscriptions gardent la leur jusqu'à un avenant."),
        address=url_for("plans.show", code=code),
    )


def _form(code: str | None, errors: dict[str, str]) -> str:
    with state().database.read(scope()) as session:
        history = None if code is None else plan_versions.plan_history(session, code)
        names = plan_versions.calendar_names(session)
    typed = request.form if request.method == "POST" else _values(history)
    return render_template(
        "plans/form.html",
        history=history,
        calendars=names,
        priorities=PRIORITIES,
        typed=typed,
        steps=STEPS.shown(typed),
        escalations=ESCALATIONS.shown(typed),
        errors=errors,
    )


def _terms() -> PlanTerms:
    return PlanTerms(
        name=inputs.text("name"),
        calendar_code=inputs.text("calendar"),
        targets={
            priority: {promise: _target(f"{priority}-{promise}") for promise in Promise}
            for priority in PRIORITIES
        },
        availability_ppm=_ppm("availability", inputs.text("availability")),
        notice_hours=_count("notice_hours", inputs.text("notice_hours")),
        degraded_percent=_count("degraded_percent", inputs.text("degraded_percent")),
        credit_steps=_steps(),
        escalations=_escalations(),
        breach_notice_hours=inputs.optional_count("breach_notice_hours"),
    )


def _target(field: str) -> Target:
    amount, unit = _count(field, inputs.text(field)), inputs.text(f"{field}-unit")
    try:
        if unit == END_OF_DAY:
            return Target(amount, Unit.WORKING_DAYS, end_of_day=True)
        return Target(amount, inputs.choice(f"{field}-unit", Unit))
    except Invalid as error:
        raise Invalid(field, error.message, **error.values) from None


def _steps() -> list[CreditStep]:
    found = []
    for row in STEPS.filled(request.form):
        below_ppm = _ppm("credit_steps", row["below"])
        if below_ppm is None:
            raise Invalid("credit_steps", "Une disponibilité est attendue.")
        found.append(CreditStep(below_ppm, _count("credit_steps", row["percent"])))
    return sorted(found, key=lambda step: -step.below_ppm)


def _escalations() -> list[Escalation]:
    return [_escalation(row) for row in ESCALATIONS.filled(request.form)]


def _escalation(row: Mapping[str, str]) -> Escalation:
    amount, level = _count("escalations", row["amount"]), _count("escalations", row["level"])
    try:
        clock, unit = Promise(row["clock"]), Unit(row["unit"])
    except ValueError:
        raise Invalid("escalations", "Un choix de la liste est attendu.") from None
    if not 1 <= level <= HIGHEST_LEVEL:
        raise Invalid("escalations", "Un niveau va de 1 à %(highest)s.", highest=HIGHEST_LEVEL)
    return Escalation(clock, -amount if row["side"] == "before" else amount, unit, level)


def _count(field: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid(field, "Un nombre entier est attendu.")
    return int(text)


def _ppm(field: str, text: str) -> int | None:
    """A percentage with at most four decimals, in millionths."""
    if not text:
        return None
    found = PERCENT.fullmatch(text.removesuffix("%").strip())
    if found is None:
        raise Invalid(field, "Un pourcentage est attendu, à quatre décimales au plus ; par exemple 99,9.")
    return int(found["whole"]) * 10_000 + int((found["decimals"] or "0").ljust(4, "0"))


def _percent(ppm: int | None) -> str:
    """What `_ppm` reads."""
    if ppm is None:
        return ""
    return f"{ppm // 10_000},{ppm % 10_000:04}".rstrip("0").rstrip(",")


def _values(history: plan_versions.PlanHistory | None) -> dict[str, object]:
    """What the form begins with: the latest version of the plan."""
    if history is None:
        return {"notice_hours": 72, "degraded_percent": 0, "version": 0}
    terms = history.latest.terms
    values: dict[str, object] = {
        "version": history.latest.version,
        "name": terms.name,
        "calendar": terms.calendar_code,
        "availability": _percent(terms.availability_ppm),
        "notice_hours": terms.notice_hours,
        "degraded_percent": terms.degraded_percent,
        "breach_notice_hours": "" if terms.breach_notice_hours is None else terms.breach_notice_hours,
    }
    for priority, promised in terms.targets.items():
        for promise, target in promised.items():
            values[f"{priority}-{promise}"] = target.amount
            values[f"{priority}-{promise}-unit"] = END_OF_DAY if target.end_of_day else target.unit.value
    for number, step in enumerate(terms.credit_steps):
        values |= STEPS.values(number, _percent(step.below_ppm), step.percent)
    for number, rule in enumerate(terms.escalations):
        side = "before" if rule.amount < 0 else "after"
        amount = abs(rule.amount)
        values |= ESCALATIONS.values(number, rule.promise.value, side, amount, rule.unit.value, rule.level)
    return values
