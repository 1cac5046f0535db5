"""The rules of what the law wants told: each change is a version, which holds from a day on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.services import hold_catalogue
from console.domain.errors import Conflict, Invalid
from console.domain.free_text import one_line
from console.domain.offer import check_code
from console.domain.regulatory import Rule, Version, check_rule, left_without_start
from console.store.models import regulatory as r

LONGEST_SOURCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What a version says beside how it counts; texts as they were typed."""

    name_fr: str
    name_en: str
    basis: str
    source: str
    since: date
    is_retired: bool = False


def add_version(
    session: Session, rule: Rule, wording: Wording, *, today: date, now: datetime, by: str
) -> int:
    """Add a version of a rule, or the first one of a new rule; its number.

    It holds for what becomes known from its day on, which is not past: what is known keeps its due dates.
    """
    hold_catalogue(session)
    check_code(rule.code)
    rows = session.scalars(select(r.RegulatoryRule).order_by(r.RegulatoryRule.version)).all()
    latest = {row.code: row for row in rows}
    check_rule(rule, {code: row.after for code, row in latest.items() if code != rule.code})
    if wording.since < today:
        raise Invalid("since", "Une règle ne change pas pour ce qui est passé : aujourd'hui au plus tôt.")
    before = latest.get(rule.code)
    if before is not None and before.version != rule.version:
        raise Conflict("Cette règle a changé entre-temps : rechargez la page.")
    if before is not None and wording.since < before.since:
        raise Invalid("since", "Une version plus récente vaut déjà à partir du %(day)s.", day=before.since)
    added = replace(rule, version=rule.version + 1)
    _check_starts(added, wording, rows)
    session.add(
        r.RegulatoryRule(
            **{name: getattr(added, name) for name in Rule.__slots__},
            since=wording.since,
            name_fr=one_line(wording.name_fr, "name_fr"),
            name_en=one_line(wording.name_en, "name_en"),
            basis=one_line(wording.basis, "basis"),
            source=_source(wording.source),
            is_retired=wording.is_retired,
            made_by=by,
            made_at=now,
        )
    )
    session.flush()
    return added.version


def _check_starts(added: Rule, wording: Wording, rows: Sequence[r.RegulatoryRule]) -> None:
    """Refuse a version by which a rule would count from one that does not hold."""
    version = Version(added.code, added.version, wording.since, wording.is_retired, added.after)
    known = [Version(row.code, row.version, row.since, row.is_retired, row.after) for row in rows]
    code = left_without_start(version, known)
    if code == added.code:
        raise Invalid("after", "La règle à partir de laquelle celle-ci compte ne vaut pas à ce moment-là.")
    if code is not None:
        raise Invalid(
            "since",
            "La règle « %(rule)s » compte à partir de celle-ci : retirez-la, ou changez-la, d'abord.",
            rule=next(row.name_fr for row in reversed(rows) if row.code == code),
        )


def _source(text: str) -> str:
    source = " ".join(text.split())
    if not source.startswith("https://") or len(source) > LONGEST_SOURCE or not source.isprintable():
        raise Invalid("source", "L'adresse d'un texte est attendue ; elle commence par https://.")
    return source
