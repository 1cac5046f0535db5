"""The mail that escalates an incident: which promise, when it is due and why, and who is told now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from reports import due_date, mail
from reports.due_date import Step
from reports.language import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalated:
    """An incident near or past the due date of one of its clocks, "tto" or "ttr"; `zone` is the adherent's.

    `due_at` is None while a wait moves it; `steps` lead to it.
    """

    adherent: str
    number: int
    title: str
    priority: str
    clock: str
    level: int
    due_at: datetime | None
    steps: Sequence[Step]
    zone: str
    link: str


def escalated(facts: Escalated, at: datetime, language: Language) -> mail.Message:
    """The mail at an aware instant, for all who are told of that level."""
    _ = language.gettext
    clock = due_date.clock_words(facts.clock, language)
    adherent = mail.line(facts.adherent)
    late = facts.due_at is not None and facts.due_at < at
    due = _("suspendue") if facts.due_at is None else mail.instant(facts.due_at, facts.zone, language)
    return mail.message(
        _(
            "[Console INR] Escalade de niveau %(level)s : n° %(number)s, %(adherent)s",
            level=facts.level,
            number=facts.number,
            adherent=adherent,
        ),
        [
            _("Le délai de %(clock)s de cet incident est dépassé.", clock=clock)
            if late
            else _("Le délai de %(clock)s de cet incident approche de son échéance.", clock=clock),
            mail.facts(
                (_("Adhérent"), adherent),
                (_("Incident"), f"{facts.number} — {mail.line(facts.title)}"),
                (_("Priorité"), facts.priority),
                (_("Niveau"), str(facts.level)),
                (_("Échéance"), due),
            ),
            due_date.paragraph(facts.steps, facts.zone, language),
            mail.steps(
                language,
                _("Ouvrir l'incident et s'assurer que quelqu'un le traite."),
                _("Prévenir l'adhérent du dépassement.")
                if late
                else _("Si l'échéance ne peut pas être tenue, prévenir l'adhérent avant."),
            ),
            _("L'incident dans la console : %(link)s", link=facts.link),
            _("Ce niveau ne sera pas rappelé, sauf si l'échéance change."),
        ],
        language,
    )
