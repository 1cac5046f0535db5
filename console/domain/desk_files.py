"""Tables of tickets as service desks export them, read by a mapping of their columns and words.

    mapping (TOML) + rows -> the rows of each ticket, in their order -> its states -> tickets

A row tells the state of a ticket, and since when: a file has one row for each ticket, or one for each update
of it, the first or the latest first. Equal states that follow each other are one; the last resolution has
the date of its own column, where there is one.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from console.domain.desk_tickets import LONGEST_DESK, LONGEST_ID, Ticket, check_name, read_ticket, state_of
from console.domain.errors import DomainError, Invalid
from console.domain.service_desk import DeskState, Standing
from console.domain.tables import Table, normal

TEXTS = ("adherent", "subscription", "title", "description", "priority", "category", "effect")
NUMBERS = ("impact", "urgency")
TRUTHS = ("is_security",)
INSTANTS = ("since", "opened_at", "acknowledged_at", "resolved_at", "closed_at")
FACTS = ("external_id", "state", *TEXTS, *NUMBERS, *TRUTHS, *INSTANTS)
NEEDED = ("external_id", "state")
KEYS = frozenset({"desk", "zone", "dates", "empty", "yes", "no", "join", "columns", "constants", "values"})
DATED_BY = {
    DeskState.NEW: "opened_at",
    DeskState.ACKNOWLEDGED: "acknowledged_at",
    DeskState.RESOLVED: "resolved_at",
    DeskState.CLOSED: "closed_at",
}
Rows = Sequence[tuple[int, Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class FileMapping:
    """How a desk's tables are read; texts are compared in small letters."""

    desk: str
    zone: ZoneInfo
    dates: Sequence[str]
    empty: frozenset[str]
    yes: frozenset[str]
    no: frozenset[str]
    join: str
    columns: Mapping[str, Sequence[str]]
    constants: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class FileTicket:
    """A ticket, and the line of its first row."""

    line: int
    external_id: str
    ticket: Ticket


@dataclass(frozen=True, slots=True)
class RefusedTicket:
    """A ticket of which a row cannot be read, or is not taken: why, and the line of that row."""

    line: int
    external_id: str
    error: DomainError


@dataclass(slots=True)
class FileTickets:
    """What a table holds."""

    rows: int = 0
    tickets: list[FileTicket] = field(default_factory=list)
    refused: list[RefusedTicket] = field(default_factory=list)


def read_mapping(text: str) -> FileMapping:
    """A mapping in TOML; raises `Invalid` with the key that is wrong."""
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Invalid("mapping", "Cette correspondance n'est pas du TOML : %(cause)s.", cause=error) from None
    if unknown := sorted(told.keys() - KEYS):
        raise _wrong(unknown[0], ", ".join(sorted(KEYS)))
    columns = {name: _list(value, f"columns.{name}") for name, value in _table(told, "columns").items()}
    constants = {name: str(value) for name, value in _table(told, "constants").items()}
    values = {
        name: {normal(word): str(means) for word, means in _table(_table(told, "values"), name).items()}
        for name in _table(told, "values")
    }
    for name in (*columns, *constants, *values):
        if name not in FACTS:
            raise _wrong(name, ", ".join(FACTS))
    for name in NEEDED:
        if not columns.get(name):
            raise Invalid(name, "Il faut dire quelle colonne le donne.")
    return FileMapping(
        desk=check_name(str(told.get("desk", "")), "desk", LONGEST_DESK),
        zone=_zone(str(told.get("zone", "UTC"))),
        dates=_list(told.get("dates", []), "dates"),
        empty=_words(told, "empty"),
        yes=_words(told, "yes"),
        no=_words(told, "no"),
        join=str(told.get("join", ", ")),
        columns=columns,
        constants=constants,
        values=values,
    )


def read_tickets(table: Table, mapping: FileMapping, given: Mapping[str, str]) -> FileTickets:
    """Every ticket of a table; `given` are facts that go before those of the mapping.

    Raises `Invalid` for a column that the table does not have.
    """
    places = _places(table.headings, mapping)
    found = FileTickets()
    by_ticket: dict[str, list[tuple[int, Mapping[str, str]]]] = {}
    for line, cells in table.rows:
        found.rows += 1
        if len(cells) < len(table.headings):
            cells = [*cells, *[""] * (len(table.headings) - len(cells))]
        facts = {name: _joined(cells, where, mapping) for name, where in places.items()}
        by_ticket.setdefault(facts["external_id"], []).append((line, {**mapping.constants, **facts, **given}))
    for external_id, rows in by_ticket.items():
        reader = _Reader(mapping)
        try:
            check_name(external_id, _column(mapping, "external_id"), LONGEST_ID)
            found.tickets.append(FileTicket(rows[0][0], external_id, reader.ticket(rows)))
        except Invalid as error:
            found.refused.append(RefusedTicket(reader.line or rows[0][0], external_id, error))
    return found


@dataclass(slots=True)
class _Reader:
    """Reads the rows of a ticket; `line` is the one that it is at."""

    mapping: FileMapping
    line: int = 0

    def ticket(self, rows: Rows) -> Ticket:
        """The particulars of the last row, and the states of all."""
        self.line, last = rows[-1]
        facts: dict[str, Any] = {name: self._meant(last, name) for name in TEXTS}
        facts |= {name: self._number(last, name) for name in NUMBERS}
        facts |= {name: self._truth(last, name) for name in TRUTHS}
        particulars = read_ticket({name: value for name, value in facts.items() if value is not None})
        return Ticket(
            adherent=particulars.adherent,
            subscription=particulars.subscription,
            title=particulars.title,
            description=particulars.description,
            priority=particulars.priority,
            impact=particulars.impact,
            urgency=particulars.urgency,
            category=particulars.category,
            is_security=particulars.is_security,
            effect=particulars.effect,
            opened_at=self._instant(last, "opened_at"),
            acknowledged_at=self._instant(last, "acknowledged_at"),
            standings=self._standings(rows),
        )

    def _standings(self, rows: Rows) -> list[Standing]:
        told = [self._standing(line, facts) for line, facts in rows]
        if told[0].since > told[-1].since:
            told.reverse()  # the latest row first
        runs = [next(run) for _state, run in groupby(told, key=lambda one: one.state)]
        resolved_at = self._instant(rows[-1][1], "resolved_at")
        if resolved_at is None:
            return runs
        return _dated(runs, resolved_at)

    def _standing(self, line: int, facts: Mapping[str, str]) -> Standing:
        self.line = line
        state = state_of(self._meant(facts, "state") or "", _column(self.mapping, "state"))
        since = self._instant(facts, "since")
        if since is None and state in DATED_BY:
            since = self._instant(facts, DATED_BY[state]) or self._instant(facts, "opened_at")
        if since is None:
            raise Invalid(
                _column(self.mapping, "since"), "Un état vient avec l'instant depuis lequel il dure."
            )
        return Standing(state, since)

    def _meant(self, facts: Mapping[str, str], name: str) -> str | None:
        """A text of the file in the words of the console."""
        text = facts.get(name) or None
        return None if text is None else self.mapping.values.get(name, {}).get(normal(text), text)

    def _number(self, facts: Mapping[str, str], name: str) -> int | None:
        text = self._meant(facts, name)
        if text is None:
            return None
        if not text.isascii() or not text.isdigit() or len(text) > 1:
            raise Invalid(
                _column(self.mapping, name),
                "« %(value)s » n'a pas de sens dans la correspondance : un niveau de 1 à 5 est attendu.",
                value=text[:80],
            )
        return int(text)

    def _truth(self, facts: Mapping[str, str], name: str) -> bool | None:
        text = self._meant(facts, name)
        if text is None:
            return None
        if normal(text) in self.mapping.yes | {"true"}:
            return True
        if normal(text) in self.mapping.no | {"false"}:
            return False
        raise Invalid(
            _column(self.mapping, name),
            "« %(value)s » n'est ni un oui ni un non de la correspondance.",
            value=text[:80],
        )

    def _instant(self, facts: Mapping[str, str], name: str) -> datetime | None:
        """An instant by the first form of the mapping that fits, or as ISO 8601; walls are of its zone."""
        text = facts.get(name)
        if not text:
            return None
        for read in (*(_by(form) for form in self.mapping.dates), datetime.fromisoformat):
            try:
                found = read(text)
            except ValueError:
                continue
            if not 2000 <= found.year < 2200:
                break
            return (found if found.tzinfo else found.replace(tzinfo=self.mapping.zone)).astimezone(UTC)
        raise Invalid(
            _column(self.mapping, name),
            "« %(value)s » n'est pas une date de la forme %(forms)s.",
            value=text[:80],
            forms=", ".join(self.mapping.dates) or "ISO 8601",
        )


def _dated(runs: list[Standing], resolved_at: datetime) -> list[Standing]:
    """The last resolution at the time that the desk gives it, before a closing if no row tells of it."""
    places = [place for place, one in enumerate(runs) if one.state is DeskState.RESOLVED]
    ends = places and runs[places[-1] + 1 :]
    if places and all(one.state is DeskState.CLOSED for one in ends or ()):
        runs[places[-1]] = Standing(DeskState.RESOLVED, max(runs[places[-1]].since, resolved_at))
    elif runs[-1].state is DeskState.CLOSED:
        before = runs[-2].since if len(runs) > 1 else resolved_at
        runs.insert(-1, Standing(DeskState.RESOLVED, max(resolved_at, before)))
    return runs


def _places(headings: Sequence[str], mapping: FileMapping) -> dict[str, list[int]]:
    by_name = {normal(heading): place for place, heading in enumerate(headings)}
    for name, columns in mapping.columns.items():
        for column in columns:
            if normal(column) not in by_name:
                raise Invalid(name, "Le fichier n'a pas de colonne « %(column)s ».", column=column)
    return {
        name: [by_name[normal(column)] for column in columns] for name, columns in mapping.columns.items()
    }


def _joined(cells: Sequence[str], places: Iterable[int], mapping: FileMapping) -> str:
    texts = (cells[place].strip() for place in places)
    return mapping.join.join(text for text in texts if text and normal(text) not in mapping.empty)


def _column(mapping: FileMapping, name: str) -> str:
    return " + ".join(mapping.columns.get(name, [name]))


def _by(form: str) -> Callable[[str], datetime]:
    return lambda text: datetime.strptime(text, form)  # noqa: DTZ007 - the zone is the mapping's


def _table(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = told.get(name, {})
    if not isinstance(found, dict):
        raise Invalid(name, "Une table TOML est attendue.")
    return found


def _list(value: Any, name: str) -> list[str]:
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise Invalid(name, "Un texte, ou une liste de textes, est attendu.")
    return found


def _words(told: Mapping[str, Any], name: str) -> frozenset[str]:
    return frozenset(normal(word) for word in _list(told.get(name, []), name))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Invalid(
            "zone", "Le fuseau %(name)s n'existe pas ; par exemple Europe/Paris.", name=name
        ) from None


def _wrong(name: str, names: str) -> Invalid:
    return Invalid(name, "%(name)s n'est pas connu ici ; sont connus : %(names)s.", name=name, names=names)
