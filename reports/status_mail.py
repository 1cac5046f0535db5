"""The mails of a status: the address is asked to confirm, then told of outages and of planned work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from reports.language import Language
from reports.mail import Message, facts, instant, line, message

SHOWN = 5  # dates of one piece of work


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Whom a mail is about and where its reader goes on: the page of the status, and the end of the mails."""

    adherent: str
    zone: str
    page: str
    leave: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """An incident as its readers are told of it; `ended_at` is its end.

    `effect` is `degraded` or `outage`, `was` what they were told before, where that was another. Without
    `title` the number names it.
    """

    number: int
    title: str | None
    service: str
    effect: str
    was: str | None
    began_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Planned work: its dates as (start, end), and what it does to the services meanwhile."""

    title: str
    services: Sequence[str]
    effect: str
    dates: Sequence[tuple[datetime, datetime]]
    is_cancelled: bool


def confirmation(adherent: str, link: str, hours: int, language: Language) -> Message:
    """The mail that asks whether its address wants to be told."""
    _ = language.gettext
    name = line(adherent)
    return message(
        _("[Console INR] Confirmez votre abonnement à l'état des services de %(adherent)s", adherent=name),
        [
            _(
                "Quelqu'un a demandé que cette adresse reçoive l'état des services de %(adherent)s : "
                "incidents qui les touchent et travaux prévus.",
                adherent=name,
            ),
            _("Pour confirmer, ouvrez ce lien dans les %(hours)s heures :", hours=hours),
            link,
            _("Si vous n'avez rien demandé, il n'y a rien à faire : aucun autre message ne viendra."),
        ],
        language,
    )


def trouble(told: Told, incident: Trouble, language: Language) -> Message:
    """The mail of an incident that began, or that is over."""
    _ = language.gettext
    service, adherent = line(incident.service), line(told.adherent)
    if incident.ended_at is None:
        subject = _("[Console INR] %(service)s : incident en cours", service=service)
        lead = _("Un incident touche un service de %(adherent)s.", adherent=adherent)
    else:
        subject = _("[Console INR] %(service)s : incident terminé", service=service)
        lead = _(
            "L'incident qui touchait un service de %(adherent)s est terminé.", adherent=line(told.adherent)
        )
    rows = [
        (_("Service"), service),
        (_("Incident"), " — ".join([str(incident.number), *filter(None, [line(incident.title or "")])])),
        (_("Effet"), _effect(incident.effect, language)),
        *_before(incident, language),
        (_("Début"), instant(incident.began_at, told.zone, language)),
    ]
    if incident.ended_at is not None:
        rows.append((_("Fin"), instant(incident.ended_at, told.zone, language)))
        rows.append((_("Durée"), language.duration(incident.ended_at - incident.began_at)))
    return message(subject, [lead, facts(*rows), *_ending(told, language)], language)


def planned(told: Told, work: Work, language: Language) -> Message:
    """The mail of work that was announced, or cancelled."""
    _ = language.gettext
    title, adherent = line(work.title), line(told.adherent)
    if work.is_cancelled:
        subject = _("[Console INR] Travaux annulés : %(title)s", title=title)
        lead = _("Des travaux prévus sur les services de %(adherent)s sont annulés.", adherent=adherent)
    else:
        subject = _("[Console INR] Travaux prévus : %(title)s", title=title)
        lead = _("Des travaux sont prévus sur les services de %(adherent)s.", adherent=adherent)
    dates = [_stretch(date, told.zone, language) for date in work.dates[:SHOWN]]
    if len(work.dates) > SHOWN:
        more = len(work.dates) - SHOWN
        dates.append(language.ngettext("et %(count)s autre date", "et %(count)s autres dates", more))
    rows = [
        (_("Travaux"), title),
        (_("Services"), ", ".join(map(line, work.services))),
        (_("Effet"), _effect(work.effect, language)),
        *((_("Dates") if number == 0 else "", date) for number, date in enumerate(dates)),
    ]
    return message(subject, [lead, facts(*rows), *_ending(told, language)], language)


def _before(incident: Trouble, language: Language) -> list[tuple[str, str]]:
    if incident.was is None or incident.was == incident.effect:
        return []
    return [(language.gettext("Auparavant"), _effect(incident.was, language))]


def _effect(effect: str, language: Language) -> str:
    _ = language.gettext
    texts = {"none": _("sans effet"), "degraded": _("service dégradé"), "outage": _("service arrêté")}
    return texts[effect]


def _stretch(date: tuple[datetime, datetime], zone: str, language: Language) -> str:
    """A start with its date and an end, which has its own where that is another."""
    start, end = (one.astimezone(ZoneInfo(zone)) for one in date)
    until = language.hour(end) if end.date() == start.date() else language.short_instant(end)
    return f"{language.instant(start)} → {until}"


def _ending(told: Told, language: Language) -> list[str]:
    _ = language.gettext
    return [
        _("L'état des services dans la console : %(link)s", link=told.page),
        _("Pour ne plus recevoir ces messages : %(link)s", link=told.leave),
    ]
