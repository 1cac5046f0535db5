"""Steps to a due date in the reader's words, on the wall clock of the adherent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import holidays
import pytest

from console.domain.clock import Target, Unit
from console.domain.explanation import Step, StepKind, Why
from reports import due_date
from reports.language import ENGLISH, FRENCH, Language

PARIS = "Europe/Paris"
MONDAY = datetime(2026, 6, 15, 7, 0, tzinfo=UTC)  # 9:00 in Paris
HOUR = timedelta(hours=1)


def told(step: Step, language: Language = FRENCH, zone: str = PARIS) -> tuple[str, str, str]:
    (line,) = due_date.lines([step], zone, language)
    when, what, open_time = (
        text.replace("\u00a0", " ").replace("\u202f", " ") for text in (line.when, line.what, line.open_time)
    )
    return when, what, open_time


def step(
    kind: StepKind, hours: float | None = 0, seconds: int = 0, why: Why | None = None, **more: str
) -> Step:
    ends = None if hours is None else MONDAY + hours * HOUR
    return Step(kind, MONDAY, ends, seconds, why, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (step(StepKind.START), ("15 juin 2026, 09:00 (UTC+2)", "Début du délai", "")),
        (step(StepKind.COUNTED, 3.5, 12_600), ("15 juin 09:00 – 12:30", "Temps compté", "3 h 30 min")),
        (step(StepKind.COUNTED, 1, 3_661), ("15 juin 09:00 – 10:00", "Temps compté", "1 h 1 min 1 s")),
        (
            step(StepKind.CLOSED, 15, why=Why.OUTSIDE),
            ("15 juin 09:00 – 24:00", "Fermé, hors des heures de service", ""),
        ),
        (
            step(StepKind.CLOSED, 24, why=Why.HOLIDAY, name="Fête nationale"),
            ("15 juin 09:00 – 16 juin 09:00", "Fermé, jour férié : Fête nationale", ""),
        ),
        (
            step(StepKind.CLOSED, 39, why=Why.CLOSURE, name="Noël des équipes"),
            ("15 juin 09:00 – 16 juin 24:00", "Fermeture : Noël des équipes", ""),
        ),
        (step(StepKind.CLOSED, 1, why=Why.CLOSURE), ("15 juin 09:00 – 10:00", "Fermeture", "")),
        (
            step(StepKind.CLOSED, 1, why=Why.OPENING, name="Paie"),
            ("15 juin 09:00 – 10:00", "Fermé, horaires de ce jour : Paie", ""),
        ),
        (
            step(StepKind.CLOSED, 1, why=Why.OPENING),
            ("15 juin 09:00 – 10:00", "Fermé, horaires propres à ce jour", ""),
        ),
        (
            step(StepKind.PAUSED, 1, 1_800, Why.WAITING),
            ("15 juin 09:00 – 10:00", "En attente de l'adhérent : ne compte pas", "30 min"),
        ),
        (
            step(StepKind.PAUSED, None, 0, Why.WAITING),
            ("depuis le 15 juin 09:00", "En attente de l'adhérent : ne compte pas", ""),
        ),
        (
            step(StepKind.PAUSED, 1, 3_600, Why.RESOLVED),
            ("15 juin 09:00 – 10:00", "Résolu, puis rouvert : ne compte pas", "1 h"),
        ),
        (step(StepKind.ADDED, 1, 3_600), ("15 juin 09:00 – 10:00", "Ajouté pour la pause", "1 h")),
        (
            step(StepKind.WALL, why=Why.SAME_WALL),
            ("15 juin 2026, 09:00 (UTC+2)", "La même heure, ce jour-là", ""),
        ),
        (
            step(StepKind.WALL, why=Why.NEXT_OPENING),
            ("15 juin 2026, 09:00 (UTC+2)", "Fermé à cette heure : ouverture suivante de ce jour", ""),
        ),
        (
            step(StepKind.WALL, why=Why.CLOSING),
            ("15 juin 2026, 09:00 (UTC+2)", "Ce jour ferme avant cette heure : sa fermeture", ""),
        ),
        (
            step(StepKind.WALL, why=Why.END_OF_DAY),
            ("15 juin 2026, 09:00 (UTC+2)", "Fin de la journée de service", ""),
        ),
        (step(StepKind.DUE), ("15 juin 2026, 09:00 (UTC+2)", "Échéance", "")),
        (
            step(StepKind.SUSPENDED, None, 7_200),
            ("depuis le 15 juin 09:00", "Échéance suspendue : ce temps restera à la reprise", "2 h"),
        ),
        (
            step(StepKind.TOO_LATE, 1, 3_600, Why.WAITING),
            ("15 juin 09:00 – 10:00", "Pause commencée après l'échéance : elle ne la déplace pas", "1 h"),
        ),
    ],
)
def test_a_step_in_words(given: Step, expected: tuple[str, str, str]) -> None:
    assert told(given) == expected


@pytest.mark.parametrize("zone", [PARIS, "Indian/Reunion", "America/Cayenne", "Pacific/Noumea"])
def test_a_working_day_has_the_date_of_its_calendar_wherever_it_is_read(zone: str) -> None:
    midnight = datetime(2026, 6, 14, 22, 0, tzinfo=UTC)
    day = Step(StepKind.DAY, midnight, midnight + 24 * HOUR, 36_000, number=2)
    assert told(day, zone=zone) == ("15 juin 2026", "Jour ouvré n° 2", "10 h")


def test_the_same_wall_time_twice_is_told_apart_by_its_offset() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    for instant, offset in ((first, "UTC+2"), (first + HOUR, "UTC+1")):
        assert told(Step(StepKind.DUE, instant, instant))[0] == f"25 octobre 2026, 02:30 ({offset})"


def test_every_holiday_of_mainland_alsace_and_overseas_has_its_english_name() -> None:
    for part in (None, "57", "971", "972", "973", "974", "976"):
        french = holidays.country_holidays("FR", subdiv=part, years=range(2026, 2030), language="fr")
        for name in french.values():
            words = due_date.holiday_name(name, ENGLISH)
            assert words != name or name in ("Armistice", "Ascension"), name
            assert due_date.holiday_name(name, FRENCH) == name


@pytest.mark.parametrize(
    ("target", "french", "english"),
    [
        (Target(1, Unit.MINUTES), "1 minute de service", "1 service minute"),
        (Target(4, Unit.HOURS), "4 heures de service", "4 service hours"),
        (Target(3, Unit.WORKING_DAYS), "3 jours ouvrés", "3 working days"),
        (
            Target(0, Unit.WORKING_DAYS, end_of_day=True),
            "0 jour ouvré, jusqu'à la fin de la journée",
            "0 working days, until the end of the day",
        ),
    ],
)
def test_a_delay_in_words(target: Target, french: str, english: str) -> None:
    assert due_date.target_words(target, FRENCH) == french
    assert due_date.target_words(target, ENGLISH) == english


def test_a_mail_leaves_the_middle_of_a_long_list_out_and_says_so() -> None:
    steps = [
        Step(StepKind.COUNTED, MONDAY + day * 24 * HOUR, MONDAY + day * 24 * HOUR + HOUR, 3_600)
        for day in range(50)
    ]
    assert len(due_date.paragraph(steps[:40], PARIS, FRENCH).splitlines()) == 41
    text = due_date.paragraph(steps, PARIS, FRENCH)
    assert len(text.splitlines()) == 42
    assert "… 10 étapes de plus, dans la console" in text
    assert "15 juin 09:00" in text
    assert "3 août 09:00" in text
