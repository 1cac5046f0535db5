"""Why a due date is what it is, step by step, in words: for pages, mails and documents alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from reports.document import Column, Table
from reports.language import NO_BREAK, Language


class Step(Protocol):
    """A step as the clocks tell it: `console.domain.explanation.Step`."""

    @property
    def kind(self) -> str: ...
    @property
    def begins(self) -> datetime: ...
    @property
    def ends(self) -> datetime | None: ...
    @property
    def seconds(self) -> int: ...
    @property
    def why(self) -> str | None: ...
    @property
    def name(self) -> str: ...
    @property
    def number(self) -> int: ...


class Target(Protocol):
    """A delay to keep: `console.domain.clock.Target`."""

    @property
    def amount(self) -> int: ...
    @property
    def unit(self) -> str: ...
    @property
    def end_of_day(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Line:
    """A step as it is read: when, what, and the open time that it is about, where it is about any."""

    when: str
    what: str
    open_time: str


def lines(steps: Iterable[Step], zone: str, language: Language) -> list[Line]:
    """The steps in order, on the wall clock of a zone."""
    return [
        Line(
            _when(step, ZoneInfo(zone), language),
            _what(step, language),
            open_time(step.seconds, language) if step.seconds else "",
        )
        for step in steps
    ]


def table(caption: str, steps: Iterable[Step], zone: str, language: Language) -> Table:
    """The steps as a table of a document."""
    _ = language.gettext
    rows = tuple((line.when, line.what, line.open_time) for line in lines(steps, zone, language))
    return Table(caption, (Column(_("Quand")), Column(_("Étape")), Column(_("Temps de service"))), rows)


def paragraph(steps: Sequence[Step], zone: str, language: Language, *, most: int = 40) -> str:
    """The steps as a paragraph of a mail; the middle of a long list is left out, and said to be."""
    told = [_text(line) for line in lines(steps, zone, language)]
    if left_out := max(len(told) - most, 0):
        gap = language.ngettext(
            "… %(count)s étape de plus, dans la console",
            "… %(count)s étapes de plus, dans la console",
            left_out,
        )
        told[most // 2 : most // 2 + left_out] = [f"  {gap}"]
    return "\n".join([language.gettext("Comment cette échéance est calculée :"), *told])


def target_words(target: Target, language: Language) -> str:
    """A delay in words."""
    _ = language.gettext
    match target.unit:
        case "minutes":
            words = language.ngettext(
                "%(count)s minute de service", "%(count)s minutes de service", target.amount
            )
        case "hours":
            words = language.ngettext(
                "%(count)s heure de service", "%(count)s heures de service", target.amount
            )
        case _:
            words = language.ngettext("%(count)s jour ouvré", "%(count)s jours ouvrés", target.amount)
    return _("%(delay)s, jusqu'à la fin de la journée", delay=words) if target.end_of_day else words


def open_time(seconds: int, language: Language) -> str:
    """A length of open time, to the second."""
    hours, rest_s = divmod(seconds, 3600)
    minutes, rest_s = divmod(rest_s, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest_s, "s")]
    told = [(amount, unit) for amount, unit in parts if amount] or [(0, "min")]
    return " ".join(f"{language.number(amount)}{NO_BREAK}{unit}" for amount, unit in told)


def clock_words(clock: str, language: Language) -> str:
    """Which of the two clocks, in words."""
    _ = language.gettext
    return {"tto": _("prise en charge"), "ttr": _("rétablissement")}[clock]


def holiday_name(name: str, language: Language) -> str:
    """The name of a public holiday; one that is not known here keeps its own."""
    _ = language.gettext
    names = {
        "Abolition de l'esclavage": _("Abolition de l'esclavage"),
        "Armistice": _("Armistice"),
        "Ascension": _("Ascension"),
        "Assomption": _("Assomption"),
        "Fête de Victor Schoelcher": _("Fête de Victor Schoelcher"),
        "Fête de la Victoire": _("Fête de la Victoire"),
        "Fête du Travail": _("Fête du Travail"),
        "Fête nationale": _("Fête nationale"),
        "Jour de l'an": _("Jour de l'an"),
        "Lundi de Pentecôte": _("Lundi de Pentecôte"),
        "Lundi de Pâques": _("Lundi de Pâques"),
        "Mi-Carême": _("Mi-Carême"),
        "Noël": _("Noël"),
        "Saint-Étienne": _("Saint-Étienne"),
        "Toussaint": _("Toussaint"),
        "Vendredi saint": _("Vendredi saint"),
    }
    return "; ".join(names.get(part, part) for part in name.split("; "))


def _text(line: Line) -> str:
    open_time = f" ({line.open_time})" if line.open_time else ""
    return f"  - {line.when} : {line.what}{open_time}"


def _when(step: Step, zone: ZoneInfo, language: Language) -> str:
    begins = step.begins.astimezone(zone)
    if step.kind == "day":  # its date is that of the calendar, which its noon has in other zones too
        return language.day((begins + timedelta(hours=12)).date())
    if step.kind in ("start", "wall", "due"):
        return language.instant(begins)
    if step.ends is None:
        return language.gettext("depuis le %(instant)s", instant=language.short_instant(begins))
    ends = step.ends.astimezone(zone)
    last = ends - timedelta(microseconds=1)
    until = "24:00" if last.date() != ends.date() else language.hour(ends)
    if last.date() == begins.date():
        return f"{language.short_day(begins.date())} {language.hour(begins)} – {until}"
    return f"{language.short_instant(begins)} – {language.short_day(last.date())} {until}"


def _what(step: Step, language: Language) -> str:
    _ = language.gettext
    match step.kind:
        case "closed":
            return _closed(step, language)
        case "wall":
            return _wall(step, language)
        case "day":
            return _("Jour ouvré n° %(number)s", number=step.number)
        case "paused" if step.why == "resolved":
            return _("Résolu, puis rouvert : ne compte pas")
        case kind:
            return {
                "start": _("Début du délai"),
                "counted": _("Temps compté"),
                "paused": _("En attente de l'adhérent : ne compte pas"),
                "added": _("Ajouté pour la pause"),
                "due": _("Échéance"),
                "suspended": _("Échéance suspendue : ce temps restera à la reprise"),
                "too_late": _("Pause commencée après l'échéance : elle ne la déplace pas"),
            }[kind]


def _closed(step: Step, language: Language) -> str:
    _ = language.gettext
    match step.why:
        case "holiday":
            return _("Fermé, jour férié : %(name)s", name=holiday_name(step.name, language))
        case "closure" if step.name:
            return _("Fermeture : %(name)s", name=step.name)
        case "closure":
            return _("Fermeture")
        case "opening" if step.name:
            return _("Fermé, horaires de ce jour : %(name)s", name=step.name)
        case "opening":
            return _("Fermé, horaires propres à ce jour")
        case _:
            return _("Fermé, hors des heures de service")


def _wall(step: Step, language: Language) -> str:
    _ = language.gettext
    match step.why:
        case "next_opening":
            return _("Fermé à cette heure : ouverture suivante de ce jour")
        case "closing":
            return _("Ce jour ferme avant cette heure : sa fermeture")
        case "end_of_day":
            return _("Fin de la journée de service")
        case _:
            return _("La même heure, ce jour-là")
