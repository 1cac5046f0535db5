"""The report of an incident: where it stands, what is promised, what happened, and why its dates are so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from console.domain.calendar import Calendar
from console.domain.clock import Event, EventKind, Target, Unit
from console.domain.explanation import explain
from reports import incident
from reports.figures import SlaState
from reports.formats import pdf
from reports.formats.html import fragment
from reports.incident import ClockFigures, IncidentFigures
from reports.language import ENGLISH, FRENCH, Language
from tests.domain.test_calendar import OFFICE

MONDAY = datetime(2026, 6, 15, 7, 0, tzinfo=UTC)  # 9:00 in Paris
HOUR = timedelta(hours=1)
LOG = [
    Event(EventKind.OPENED, MONDAY),
    Event(EventKind.ACKNOWLEDGED, MONDAY + HOUR / 4),
    Event(EventKind.WAITING, MONDAY + HOUR),
]


def a_clock(clock: str, target: Target, calendar: Calendar = OFFICE) -> ClockFigures:
    explanation = explain(LOG, calendar, target, pauses=clock == "ttr", now=MONDAY + 2 * HOUR)
    return ClockFigures(
        clock=clock,
        target=target,
        state=SlaState.MET if clock == "tto" else SlaState.WAITING,
        due_at=explanation.due_at,
        stopped_at=MONDAY + HOUR / 4 if clock == "tto" else None,
        consumed_s=900 if clock == "tto" else 3_600,
        remaining_s=explanation.remaining_s,
        steps=explanation.steps,
    )


FIGURES = IncidentFigures(
    adherent="CH de Foix",
    zone="Europe/Paris",
    number=12,
    title="Bulletins <bloqués>",
    service="Paie",
    priority="P2",
    plan="Standard",
    plan_version=3,
    calendar="Heures ouvrées",
    opened_at=MONDAY,
    resolved_at=None,
    log=[(event.kind.value, event.at) for event in LOG],
    clocks=[a_clock("tto", Target(30, Unit.MINUTES)), a_clock("ttr", Target(8, Unit.HOURS))],
    as_of=MONDAY + 2 * HOUR,
    generated_by="Anne",
)


def text_of(language: Language, figures: IncidentFigures = FIGURES) -> str:
    plain = fragment(incident.document(figures, language), language).striptags()
    return plain.replace("\u00a0", " ").replace("\u202f", " ")


def test_it_tells_the_promise_the_log_and_both_explanations() -> None:
    shown = text_of(FRENCH)
    for expected in (
        "Incident n° 12 : Bulletins <bloqués>",
        "CH de Foix — état du 15 juin 2026, 11:00 (UTC+2)",
        "Standard, version 3",
        "8 heures de service",
        "mis en attente de l'adhérent",
        "Échéance de prise en charge",
        "15 juin 2026, 09:30 (UTC+2)",
        "Échéance de rétablissement",
        "suspendue",
        "Échéance suspendue : ce temps restera à la reprise",
        "7 h",
    ):
        assert expected in shown.replace("&lt;", "<").replace("&gt;", ">"), expected


def test_it_speaks_english_too() -> None:
    shown = text_of(ENGLISH)
    assert "Due date, time to restore" in shown
    assert "Waiting on the adherent: does not count" in shown
    assert "échéance" not in shown.lower()


def test_it_is_a_pdf_as_well() -> None:
    document = incident.document(replace(FIGURES, title="Panne"), FRENCH)
    assert document.name == "incident-12"
    assert pdf.render(document, FRENCH).startswith(b"%PDF")
