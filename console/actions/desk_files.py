"""Tables of tickets taken in, ticket by ticket, and the mappings that come with the console."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files

from sqlalchemy.orm import Session

from console.actions.service_desk import Taken, take_ticket
from console.domain.desk_files import FileTicket, RefusedTicket
from console.domain.errors import DomainError

SHIPPED = files("console.store") / "seed" / "mappings"


@dataclass(slots=True)
class Tally:
    """What became of tickets: how many of each outcome, and those that are refused."""

    outcomes: Counter[str] = field(default_factory=Counter)
    refused: list[RefusedTicket] = field(default_factory=list)

    def count(self, found: Taken | RefusedTicket) -> None:
        if isinstance(found, RefusedTicket):
            self.refused.append(found)
        else:
            self.outcomes[found.outcome.value] += 1


def shipped_mappings() -> list[str]:
    """The names of the mappings that come with the console."""
    return sorted(one.name.removesuffix(".toml") for one in SHIPPED.iterdir() if one.name.endswith(".toml"))


def shipped_mapping(name: str) -> str | None:
    """The text of a mapping that comes with the console, None where there is none of this name."""
    return (SHIPPED / f"{name}.toml").read_text() if name in shipped_mappings() else None


def take_from_file(
    session: Session, desk: str, told: FileTicket, *, now: datetime, by: str
) -> Taken | RefusedTicket:
    """Take one ticket in, whole or not at all."""
    try:
        with session.begin_nested():
            return take_ticket(session, desk, told.external_id, told.ticket, now=now, by=by)
    except DomainError as error:
        return RefusedTicket(told.line, told.external_id, error)
