"""An incident as a document: what happened, what was promised, and why each due date is what it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from reports import due_date
from reports.document import Column, Document, Fact, Facts, KeyFigures, Section, Table
from reports.due_date import Step, Target
from reports.figures import SlaState
from reports.labels import state_label
from reports.language import Language
from reports.quantities import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockFigures:
    """One clock, "tto" or "ttr", as it stands; `due_at` is None while a wait moves it.

    `consumed_s` and `remaining_s` are open time.
    """

    clock: str
    target: Target
    state: SlaState
    due_at: datetime | None
    stopped_at: datetime | None
    consumed_s: int
    remaining_s: int
    steps: Sequence[Step]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFigures:
    """An incident at `as_of`; `log` are its events, by code and instant; `zone` is the adherent's."""

    adherent: str
    zone: str
    number: int
    title: str
    service: str
    priority: str
    plan: str
    plan_version: int
    calendar: str
    opened_at: datetime
    resolved_at: datetime | None
    log: Sequence[tuple[str, datetime]]
    clocks: Sequence[ClockFigures]
    as_of: datetime
    generated_by: str


def document(incident: IncidentFigures, language: Language) -> Document:
    """The report in a language: where the incident stands, its promise, its log, each due date explained."""
    _ = language.gettext
    return Document(
        name=f"incident-{incident.number}",
        title=_("Incident n° %(number)s : %(title)s", number=incident.number, title=incident.title),
        subtitle=_(
            "%(adherent)s — état du %(instant)s",
            adherent=incident.adherent,
            instant=language.instant(incident.as_of.astimezone(ZoneInfo(incident.zone))),
        ),
        marks=(),
        author=incident.generated_by,
        footer=_(
            "Incident n° %(number)s de %(adherent)s", number=incident.number, adherent=incident.adherent
        ),
        sections=(
            Section("", (KeyFigures(tuple(_key_figures(incident, language))),)),
            Section(_("Engagement"), (_promise(incident, language),)),
            Section(_("Journal"), (_log(incident, language),)),
            *(_explained(clock, incident.zone, language) for clock in incident.clocks),
        ),
    )


def event_label(kind: str, language: Language) -> str:
    """What happened, in words."""
    _ = language.gettext
    return {
        "opened": _("ouvert"),
        "acknowledged": _("pris en charge"),
        "waiting": _("mis en attente de l'adhérent"),
        "resumed": _("repris"),
        "resolved": _("résolu"),
        "closed": _("clos"),
        "reopened": _("rouvert"),
    }[kind]


def _key_figures(incident: IncidentFigures, language: Language) -> Iterable[Fact]:
    _ = language.gettext
    yield Fact(_("Priorité"), incident.priority)
    for clock in incident.clocks:
        yield Fact(
            due_date.clock_words(clock.clock, language).capitalize(),
            state_label(clock.state, language),
            note=_("échéance : %(due)s", due=_due(clock, incident.zone, language)),
        )


def _promise(incident: IncidentFigures, language: Language) -> Facts:
    _ = language.gettext
    delays = (
        Fact(
            _("Délai de %(clock)s", clock=due_date.clock_words(clock.clock, language)),
            due_date.target_words(clock.target, language),
        )
        for clock in incident.clocks
    )
    return Facts(
        _("Ce qui est promis"),
        (
            Fact(_("Service"), incident.service),
            Fact(
                _("Plan"),
                _("%(plan)s, version %(version)s", plan=incident.plan, version=incident.plan_version),
            ),
            Fact(_("Heures de service"), incident.calendar),
            *delays,
        ),
    )


def _log(incident: IncidentFigures, language: Language) -> Table:
    _ = language.gettext
    zone = ZoneInfo(incident.zone)
    return Table(
        _("Journal de l'incident"),
        (Column(_("Événement")), Column(_("Survenu le"), Kind.INSTANT)),
        tuple((event_label(kind, language), at.astimezone(zone)) for kind, at in incident.log),
    )


def _explained(clock: ClockFigures, zone: str, language: Language) -> Section:
    _ = language.gettext
    title = _("Échéance de %(clock)s", clock=due_date.clock_words(clock.clock, language))
    facts = [
        Fact(_("Échéance"), _due(clock, zone, language)),
        Fact(_("Temps de service consommé"), due_date.open_time(clock.consumed_s, language)),
        Fact(_("Temps de service restant"), due_date.open_time(clock.remaining_s, language)),
    ]
    if clock.stopped_at is not None:
        stopped = language.instant(clock.stopped_at.astimezone(ZoneInfo(zone)))
        facts.insert(1, Fact(_("Délai arrêté"), stopped))
    caption = _("Étapes jusqu'à l'échéance de %(clock)s", clock=due_date.clock_words(clock.clock, language))
    steps = due_date.table(caption, clock.steps, zone, language)
    return Section(title, (Facts(_("Où en est ce délai"), tuple(facts)), steps))


def _due(clock: ClockFigures, zone: str, language: Language) -> str:
    if clock.due_at is None:
        return language.gettext("suspendue")
    return language.instant(clock.due_at.astimezone(ZoneInfo(zone)))
