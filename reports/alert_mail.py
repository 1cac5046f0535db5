"""The mails of alerts as plain text: what happened, what it means, what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reports import due_date
from reports.figures import SlaState
from reports.labels import state_label
from reports.language import Language
from reports.mail import Message, facts, instant, line, message, steps


class Phase(StrEnum):
    """A mail is sent when an alert opens and when it ends."""

    OPENED = "opened"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorSilent:
    """A host that should send readings and does not; `zone` is the reader's IANA zone."""

    host: str
    last_seen_at: datetime | None
    silent_since: datetime
    zone: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaAtRisk:
    """An incident close to its due date; `zone` is the adherent's; `state` is where it stands now.

    `explanation` are the steps to its due date.
    """

    adherent: str
    incident_number: str
    incident_title: str
    priority: str
    due_at: datetime | None
    state: SlaState
    zone: str
    link: str
    explanation: Sequence[due_date.Step]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeDown:
    """A probe that tells of an outage of so many `subscriptions`; `zone` is the reader's IANA zone."""

    name: str
    target: str
    service: str
    subscriptions: int
    down_since: datetime
    zone: str
    link: str


def collector_silent(alert: CollectorSilent, phase: Phase, at: datetime, language: Language) -> Message:
    """The mail for a collector that went silent, or that is heard again, at an aware instant."""
    if phase is Phase.OPENED:
        return _silence_opened(alert, at, language)
    return _silence_ended(alert, at, language)


def sla_at_risk(alert: SlaAtRisk, phase: Phase, at: datetime, language: Language) -> Message:
    """The mail for an incident at risk of missing its due date, or no longer so, at an aware instant."""
    return _risk_opened(alert, at, language) if phase is Phase.OPENED else _risk_ended(alert, at, language)


def probe_down(alert: ProbeDown, phase: Phase, at: datetime, language: Language) -> Message:
    """The mail for a service that does not answer as it should, or of which that is over."""
    return _probe_opened(alert, at, language) if phase is Phase.OPENED else _probe_ended(alert, at, language)


def trial(asked_by: str, at: datetime, zone: str, language: Language) -> Message:
    """The mail that shows that alerts arrive; it asks for nothing."""
    _ = language.gettext
    return message(
        _("[Console INR] Essai d'alerte"),
        [
            _("Ceci est un essai : aucune alerte n'est ouverte."),
            _(
                "Demandé par %(who)s, le %(instant)s.",
                who=line(asked_by),
                instant=instant(at, zone, language),
            ),
            _("Si vous lisez ce message, les alertes arrivent à cette adresse. Il n'y a rien à faire."),
        ],
        language,
    )


def _silence_opened(alert: CollectorSilent, at: datetime, language: Language) -> Message:
    _ = language.gettext
    host = line(alert.host)
    return message(
        _("[Console INR] Collecteur muet : %(host)s", host=host),
        [
            _("Le collecteur de l'hôte %(host)s ne dit plus rien.", host=host),
            facts(
                (_("Hôte"), host),
                (_("Dernier relevé reçu"), instant(alert.last_seen_at, alert.zone, language)),
                (_("Muet depuis"), instant(alert.silent_since, alert.zone, language)),
                (_("Durée du silence"), language.duration(at - alert.silent_since)),
            ),
            _(
                "Tant qu'il se tait, l'énergie de cet hôte est inconnue ; elle n'est pas comptée comme "
                "nulle. Si l'agent tourne encore, il garde ses relevés et les enverra."
            ),
            steps(
                language,
                _("Vérifier que l'hôte est allumé et joignable."),
                _("Vérifier que l'agent (python -m collectors) tourne, et lire la fin de son journal."),
                _(
                    "Un refus 401 dans ce journal veut dire que le jeton a été remplacé ou révoqué ; une "
                    "erreur de connexion, que l'hôte n'atteint plus la console."
                ),
            ),
            _("L'hôte dans la console : %(link)s", link=alert.link),
            _("Un message dira la fin de l'alerte ; celui-ci ne sera pas répété."),
        ],
        language,
    )


def _silence_ended(alert: CollectorSilent, at: datetime, language: Language) -> Message:
    _ = language.gettext
    host = line(alert.host)
    return message(
        _("[Console INR] Fin d'alerte : le collecteur %(host)s répond", host=host),
        [
            _("Le collecteur de l'hôte %(host)s envoie de nouveau ses relevés.", host=host),
            facts(
                (_("Hôte"), host),
                (_("Muet depuis"), instant(alert.silent_since, alert.zone, language)),
                (_("Entendu de nouveau"), instant(at, alert.zone, language)),
                (_("Durée du silence"), language.duration(at - alert.silent_since)),
            ),
            steps(
                language,
                _(
                    "Regarder si la période du silence a été rattrapée ; ce qui manque encore reste inconnu "
                    "dans les relevés."
                ),
            ),
            _("L'hôte dans la console : %(link)s", link=alert.link),
        ],
        language,
    )


def _risk_opened(alert: SlaAtRisk, at: datetime, language: Language) -> Message:
    _ = language.gettext
    number, adherent = line(alert.incident_number), line(alert.adherent)
    return message(
        _("[Console INR] Engagement à risque : %(number)s, %(adherent)s", number=number, adherent=adherent),
        [
            _("L'incident %(number)s a consommé l'essentiel de son délai.", number=number),
            facts(
                *_incident_facts(alert, language),
                *_remaining(alert, at, language),
            ),
            due_date.paragraph(alert.explanation, alert.zone, language),
            steps(
                language,
                _("Ouvrir l'incident et vérifier que quelqu'un y travaille."),
                _("Si l'on attend l'adhérent, le mettre en attente : l'échéance est alors suspendue."),
                _("S'il ne peut pas être tenu, prévenir l'adhérent avant l'échéance."),
            ),
            _("L'incident dans la console : %(link)s", link=alert.link),
            _("Un message dira la fin de l'alerte ; celui-ci ne sera pas répété."),
        ],
        language,
    )


def _risk_ended(alert: SlaAtRisk, at: datetime, language: Language) -> Message:
    _ = language.gettext
    number, adherent = line(alert.incident_number), line(alert.adherent)
    return message(
        _("[Console INR] Fin d'alerte : %(number)s, %(adherent)s", number=number, adherent=adherent),
        [
            _("L'incident %(number)s n'est plus « à risque ».", number=number),
            facts(
                *_incident_facts(alert, language),
                (_("État"), state_label(alert.state, language)),
                (_("Fin de l'alerte"), instant(at, alert.zone, language)),
            ),
            steps(language, _next_step(alert.state, language)),
            _("L'incident dans la console : %(link)s", link=alert.link),
        ],
        language,
    )


def _probe_opened(alert: ProbeDown, at: datetime, language: Language) -> Message:
    _ = language.gettext
    name = line(alert.name)
    return message(
        _("[Console INR] Sonde en panne : %(name)s", name=name),
        [
            _("La sonde %(name)s ne reçoit plus la réponse attendue.", name=name),
            facts(*_probe_facts(alert, language), (_("Durée"), language.duration(at - alert.down_since))),
            _(
                "La panne compte dans la disponibilité de ces souscriptions jusqu'à ce que la sonde "
                "reçoive de nouveau la bonne réponse."
            ),
            steps(
                language,
                _("Ouvrir la sonde et lire ses dernières réponses."),
                _("Vérifier le service ; si la panne est réelle, déclarer l'incident."),
                _("Si c'est la sonde qui se trompe, la corriger ou l'arrêter."),
            ),
            _("La sonde dans la console : %(link)s", link=alert.link),
            _("Un message dira la fin de l'alerte ; celui-ci ne sera pas répété."),
        ],
        language,
    )


def _probe_ended(alert: ProbeDown, at: datetime, language: Language) -> Message:
    _ = language.gettext
    name = line(alert.name)
    return message(
        _("[Console INR] Fin d'alerte : sonde %(name)s", name=name),
        [
            _(
                "La sonde %(name)s ne signale plus de panne : elle reçoit la bonne réponse, ou elle a été "
                "arrêtée ou modifiée.",
                name=name,
            ),
            facts(
                *_probe_facts(alert, language),
                (_("Fin de l'alerte"), instant(at, alert.zone, language)),
            ),
            _("La sonde dans la console : %(link)s", link=alert.link),
        ],
        language,
    )


def _probe_facts(alert: ProbeDown, language: Language) -> Sequence[tuple[str, str]]:
    _ = language.gettext
    return (
        (_("Service"), line(alert.service)),
        (_("Adresse"), line(alert.target)),
        (_("Souscriptions touchées"), language.number(alert.subscriptions)),
        (_("En panne depuis"), instant(alert.down_since, alert.zone, language)),
    )


def _next_step(state: SlaState, language: Language) -> str:
    _ = language.gettext
    match state:
        case SlaState.MET:
            return _("Rien : l'engagement est tenu.")
        case SlaState.BREACHED | SlaState.MISSED:
            return _("Prévenir l'adhérent du dépassement et noter sa cause dans l'incident.")
        case SlaState.WAITING:
            return _("Relancer l'adhérent ; le délai reprendra à sa réponse.")
        case SlaState.ON_TIME | SlaState.AT_RISK:
            return _("Suivre l'incident : son échéance a changé.")


def _incident_facts(alert: SlaAtRisk, language: Language) -> Sequence[tuple[str, str]]:
    _ = language.gettext
    due = _("suspendue") if alert.due_at is None else instant(alert.due_at, alert.zone, language)
    return (
        (_("Adhérent"), line(alert.adherent)),
        (_("Incident"), f"{line(alert.incident_number)} — {line(alert.incident_title)}"),
        (_("Priorité"), line(alert.priority)),
        (_("Échéance"), due),
    )


def _remaining(alert: SlaAtRisk, at: datetime, language: Language) -> Sequence[tuple[str, str]]:
    if alert.due_at is None or alert.due_at <= at:
        return ()
    return ((language.gettext("Temps avant l'échéance"), language.duration(alert.due_at - at)),)
