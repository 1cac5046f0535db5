"""The mails on incidents that are no alerts: what adherents are told of an outage, and duties of the law."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reports.language import Language
from reports.mail import Message, facts, instant, line, message, steps

SHOWN = 5  # adherents named in one mail


class DutyPhase(StrEnum):
    """A mail is sent before the due date, at it, and once the duty is done or does not apply any more."""

    SOON = "soon"
    LATE = "late"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Communication:
    """What the operator tells the contacts of one adherent; `zone` is the adherent's."""

    adherent: str
    incident_number: str
    title: str
    text: str
    at: datetime
    zone: str
    link: str


class Deed(StrEnum):
    """What an adherent did that the operator is told of at once."""

    DECLARED = "declared"
    ANSWERED = "answered"  # an incident that waited on it


@dataclass(frozen=True, slots=True, kw_only=True)
class AdherentDid:
    """What an adherent did to an incident, told to the operator; `zone` is the adherent's."""

    adherent: str
    number: int
    title: str
    priority: str
    deed: Deed
    at: datetime
    zone: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyDue:
    """What the law wants told, by due date; `adherents` are those that it is owed to, none for the event.

    `zone` is that of those who read it.
    """

    name: str
    basis: str
    title: str
    adherents: tuple[str, ...]
    due_at: datetime
    zone: str
    link: str


def communication(told: Communication, language: Language) -> Message:
    """The mail of a communication on an incident."""
    _ = language.gettext
    title, adherent = line(told.title), line(told.adherent)
    return message(
        _("[Console INR] %(title)s : information de l'opérateur", title=title),
        [
            facts(
                (_("Adhérent"), adherent),
                (_("Incident"), f"{line(told.incident_number)} — {title}"),
                (_("Écrit le"), instant(told.at, told.zone, language)),
            ),
            told.text,
            _("L'incident dans la console : %(link)s", link=told.link),
        ],
        language,
    )


def adherent_did(told: AdherentDid, language: Language) -> Message:
    """The mail of an incident that an adherent declared, or answered."""
    _ = language.gettext
    adherent = line(told.adherent)
    subjects = {
        Deed.DECLARED: _("[Console INR] %(adherent)s déclare un incident", adherent=adherent),
        Deed.ANSWERED: _(
            "[Console INR] %(adherent)s a répondu sur un incident en attente", adherent=adherent
        ),
    }
    return message(
        subjects[told.deed],
        [
            facts(
                (_("Adhérent"), adherent),
                (_("Incident"), f"{told.number} — {line(told.title)}"),
                (_("Priorité"), told.priority),
                (_("Écrit le"), instant(told.at, told.zone, language)),
            ),
            _("L'incident dans la console : %(link)s", link=told.link),
        ],
        language,
    )


def duty_due(duty: DutyDue, phase: DutyPhase, at: datetime, language: Language) -> Message:
    """The mail of a duty whose due date comes near, has passed, or matters no more."""
    _ = language.gettext
    name, title = line(duty.name), line(duty.title)
    subjects = {
        DutyPhase.SOON: _("[Console INR] Échéance réglementaire proche : %(name)s", name=name),
        DutyPhase.LATE: _("[Console INR] Échéance réglementaire dépassée : %(name)s", name=name),
        DutyPhase.ENDED: _("[Console INR] Fin d'alerte réglementaire : %(name)s", name=name),
    }
    left = (_("Temps restant"), language.duration(duty.due_at - at))
    return message(
        subjects[phase],
        [
            facts(
                (_("Obligation"), name),
                (_("Fondement"), line(duty.basis)),
                (_("Incident"), title),
                *(((_("Adhérents"), _named(duty.adherents, language)),) if duty.adherents else ()),
                (_("Échéance"), instant(duty.due_at, duty.zone, language)),
                *((left,) if phase is DutyPhase.SOON else ()),
            ),
            steps(language, _next(phase, language)),
            _("Les obligations dans la console : %(link)s", link=duty.link),
        ],
        language,
    )


def _next(phase: DutyPhase, language: Language) -> str:
    _ = language.gettext
    if phase is DutyPhase.ENDED:
        return _("Rien : elle est remplie, déclarée sans objet, ou son échéance a changé.")
    if phase is DutyPhase.LATE:
        return _("La remplir sans attendre, avec les raisons du retard ; puis le noter dans la console.")
    return _("La remplir, ou la dire sans objet avec son motif ; puis le noter dans la console.")


def _named(adherents: tuple[str, ...], language: Language) -> str:
    names = ", ".join(line(name) for name in adherents[:SHOWN])
    left = len(adherents) - SHOWN
    if left <= 0:
        return names
    return language.gettext("%(names)s et %(left)s de plus", names=names, left=left)
