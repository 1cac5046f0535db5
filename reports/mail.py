"""Mails as plain text: one line for the subject, then paragraphs, facts in columns and steps to take."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from reports.language import Language

LONGEST_SUBJECT = 150
NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True, slots=True)
class Message:
    """What a channel sends; the subject is one line."""

    subject: str
    body: str


def message(subject: str, paragraphs: Sequence[str], language: Language) -> Message:
    """A mail of some paragraphs, signed by the console; a subject that is too long is cut."""
    line = subject if len(subject) <= LONGEST_SUBJECT else subject[: LONGEST_SUBJECT - 1] + "…"
    signature = language.gettext("Message automatique de la console INR.")
    return Message(line, "\n\n".join([*paragraphs, "-- \n" + signature]) + "\n")


def facts(*facts: tuple[str, str]) -> str:
    """Pairs of a label and a value, one a line, the values under each other."""
    width = max(len(label) for label, _ in facts)
    return "\n".join(f"  {label:<{width}}  {value}" for label, value in facts)


def steps(language: Language, *steps: str) -> str:
    """What to do, numbered."""
    numbered = (f"  {number}. {step}" for number, step in enumerate(steps, start=1))
    return "\n".join([language.gettext("À faire :"), *numbered])


def line(text: str) -> str:
    """A text from elsewhere on one line, without what could break a header or turn the reading around."""
    return " ".join(NOT_SHOWN.sub(" ", text).split())


def instant(instant: datetime | None, zone: str, language: Language) -> str:
    """An aware instant on the wall clock of a zone; never, where there is none."""
    if instant is None:
        return language.gettext("jamais")
    return language.instant(instant.astimezone(ZoneInfo(zone)))
