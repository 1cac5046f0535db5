"""Closing months of carbon: their lines are copied and frozen, hashed, and corrected by revisions only.

    open lines (revision 0) -> a copy of them, which counts from then on -> the month, with its inputs' hash

What comes in later moves the open lines alone. A revision is another copy, with a reason and the causes of
what it changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, exists, false, insert, literal, or_, select, update
from sqlalchemy.orm import Session

from console.actions.reckoning_due import Step
from console.actions.tenancy import hold_adherent
from console.domain.carbon_causes import causes
from console.domain.carbon_months import Figures, Inputs, contradictions, doubts, figures, unnamed
from console.domain.claims import OPERATOR_TENANT
from console.domain.errors import Conflict, Invalid
from console.domain.factors import Basis
from console.domain.free_text import one_line
from console.domain.hours import month_bounds
from console.domain.month_lines import OPEN_REVISION, LineKind
from console.store.models import carbon as b
from console.store.models import catalogue as c
from console.store.models import coordination as k
from console.store.models import measurement as m
from console.store.models import tenant as t
from console.store.queries.carbon_months import all_closed, inputs_of, revisions_of
from reports import canonical

COPIED = (b.MonthLine, b.CarbonLine)


def close_month(session: Session, tenant_id: int, month: date, *, now: datetime, by: str) -> int | None:
    """Close an adherent's local month; its revision, or None where it is closed already.

    Needs a session of the operator's scope. Raises `Invalid` while the month runs or where nothing is known
    of it, `Conflict` while something of it waits to be reckoned.
    """
    adherent = hold_adherent(session, tenant_id)
    if month.day != 1:
        raise Invalid("month", "Un mois est attendu.")
    if revisions_of(session, tenant_id, [month]).get(month):
        return None
    if month_bounds(month, ZoneInfo(adherent.zone))[1] > now:
        raise Invalid("month", "Ce mois n'est pas fini : il ne se clôt qu'ensuite.")
    refuse_what_waits(session, tenant_id, month)
    inputs = inputs_of(session, tenant_id, [month])[month]
    if not inputs.lines:
        raise Invalid("month", "Rien n'est connu de l'énergie de ce mois : il n'y a rien à clore.")
    return _freeze(session, tenant_id, inputs, None, None, now, by)


def revise_month(
    session: Session, tenant_id: int, month: date, *, reason: str, now: datetime, by: str
) -> int:
    """Close a month anew from what is known now; the number of the revision.

    Raises `Conflict` where it is not closed, where nothing of it changed, or while something of it waits.
    """
    hold_adherent(session, tenant_id)
    reason = one_line(reason, "reason")
    past = revisions_of(session, tenant_id, [month]).get(month)
    if not past:
        raise Conflict("Ce mois n'est pas clos : il n'y a rien à corriger.")
    refuse_what_waits(session, tenant_id, month)
    inputs, last = inputs_of(session, tenant_id, [month])[month], past[-1]
    if unnamed(inputs) == unnamed(last.inputs):
        raise Conflict("Rien n'a changé de ce dont ce mois a été calculé.")
    return _freeze(session, tenant_id, inputs, last.inputs, reason, now, by)


def refuse_what_waits(session: Session, tenant_id: int, month: date) -> None:
    """Raise `Conflict` while hours, lines or prices of a month wait to be reckoned."""
    if waits(session, tenant_id, month):
        raise Conflict("Ce mois attend encore un calcul, qui se fait dans les minutes qui suivent.")


def waits(session: Session, tenant_id: int, month: date) -> bool:
    """Whether something of an adherent's month is still to be reckoned."""
    zone = session.scalars(select(c.Adherent.zone).where(c.Adherent.tenant_id == tenant_id)).one()
    start, end = month_bounds(month, ZoneInfo(zone))
    due, step, change = k.MonthDue, b.ReckoningDue, b.SharingChange
    services = sorted(_services_of(session, tenant_id, month))
    asked = (
        exists().where(change.service_code.in_(services), change.month <= month),
        exists().where(due.tenant_id == tenant_id, due.month == month),
        exists().where(step.month == month, _steps_of(session, tenant_id, month)),
        exists().where(m.HourDue.hour >= start, m.HourDue.hour < end, _hosts_of(tenant_id)),
    )
    return any(session.scalar(select(one)) for one in asked)


def _services_of(session: Session, tenant_id: int, month: date) -> set[str]:
    """Those that an adherent takes, and those of its lines: pools, where it is the operator."""
    line, taken = b.MonthLine, t.Subscription
    of_lines = select(line.service_code).where(
        line.tenant_id == tenant_id, line.month == month, line.service_code.is_not(None)
    )
    of_subscriptions = select(taken.service_code).where(taken.tenant_id == tenant_id)
    return {code for code in (*session.scalars(of_lines), *session.scalars(of_subscriptions)) if code}


def _hosts_of(tenant_id: int) -> ColumnElement[bool]:
    if tenant_id == OPERATOR_TENANT:
        return m.HourDue.host_id.is_not(None)
    claim = c.WorkloadClaim
    return m.HourDue.host_id.in_(select(claim.host_id).where(claim.tenant_id == tenant_id))


def _steps_of(session: Session, tenant_id: int, month: date) -> ColumnElement[bool]:
    """The steps whose work the lines of a month hang on."""
    step = b.ReckoningDue
    return or_(
        false(),
        *(
            (step.step == one.value) & step.subject.in_(sorted(whose))
            for one, whose in steps_of(session, tenant_id, month).items()
            if whose
        ),
    )


def steps_of(session: Session, tenant_id: int, month: date) -> dict[Step, set[str]]:
    """Of each step the subjects on which the lines of a month hang."""
    line = b.MonthLine
    rows = session.execute(
        select(line.site, line.host_id).where(
            line.tenant_id == tenant_id, line.month == month, line.revision == OPEN_REVISION
        )
    ).all()
    sites = {row.site for row in rows if row.site}
    subjects: dict[Step, set[str]] = {
        Step.PRICES: {str(tenant_id)},
        Step.SITE: sites,
        Step.HOST: {str(row.host_id) for row in rows if row.host_id},
        Step.SERVICE: _services_of(session, tenant_id, month),
    }
    if tenant_id == OPERATOR_TENANT:
        subjects[Step.REST] = sites
    return subjects


def unsound_months(session: Session, tenant_id: int) -> list[tuple[date, int]]:
    """Closed months that no longer hold, as month and revision.

    Their inputs do not have their hash, do not make their figures or contradict themselves, or their lines
    are no longer those that were frozen.
    """
    rows = all_closed(session, tenant_id)
    found = []
    for before, row in zip([None, *rows], rows, strict=False):
        earlier = before if before is not None and before.month == row.month else None
        if not _is_sound(session, row, earlier):
            found.append((row.month, row.revision))
    return found


def _freeze(
    session: Session,
    tenant_id: int,
    inputs: Inputs,
    before: Inputs | None,
    reason: str | None,
    now: datetime,
    by: str,
) -> int:
    last = next(reversed(revisions_of(session, tenant_id, [inputs.month]).get(inputs.month, [])), None)
    revision = last.revision + 1 if last else 1
    _copy(session, tenant_id, inputs.month, revision)
    text = canonical.encode(inputs)
    session.add(
        b.CarbonMonth(
            tenant_id=tenant_id,
            month=inputs.month,
            revision=revision,
            inputs=text,
            sha256=_chained(text, last.sha256 if last else ""),
            causes=causes(before, inputs) if before is not None else {},
            closed_at=now,
            closed_by=by,
            reason=reason,
            **_columns(inputs),
        )
    )
    session.flush()
    return revision


def _copy(session: Session, tenant_id: int, month: date, revision: int) -> None:
    """Copy the open lines to a revision, which counts from now on instead of those before it."""
    for line in COPIED:
        table: Any = line.__table__
        of_month = (line.tenant_id == tenant_id, line.month == month)
        changed: dict[str, ColumnElement[Any]] = {
            "revision": literal(revision),
            "counts": line.kind != LineKind.POOL,
        }
        names = [column.name for column in table.columns]
        held = select(*(changed.get(name, table.c[name]).label(name) for name in names)).where(
            *of_month, line.revision == OPEN_REVISION
        )
        session.execute(
            update(line).where(*of_month, line.counts).values(counts=False),
            execution_options={"synchronize_session": False},
        )
        session.execute(insert(line).from_select(names, held))


def _columns(inputs: Inputs) -> dict[str, Any]:
    """The columns that the inputs make."""
    made: Figures = figures(inputs)
    usual = made.on(Basis.YEARLY_AVERAGE)
    return {
        "provisional": bool(doubts(inputs)),
        "energy_mj": made.energy_mj,
        "overhead_mj": made.overhead_mj,
        "carbon_ug": usual.carbon_ug if usual else None,
        "embodied_ug": made.embodied_ug,
    }


def _chained(text: str, before: str) -> str:
    """The hash of a revision, which covers that of the one before."""
    return canonical.sha256(before + text)


def _is_sound(session: Session, row: b.CarbonMonth, before: b.CarbonMonth | None) -> bool:
    if row.revision != (before.revision + 1 if before else 1):
        return False
    if _chained(row.inputs, before.sha256 if before else "") != row.sha256:
        return False
    inputs = canonical.decode(Inputs, row.inputs)
    if contradictions(inputs) or any(getattr(row, name) != value for name, value in _columns(inputs).items()):
        return False
    kept = inputs_of(session, row.tenant_id, [row.month], row.revision)[row.month]
    return _lines_of(kept) == _lines_of(inputs)


def _lines_of(inputs: Inputs) -> Iterable[Any]:
    return unnamed(inputs).lines
