"""A ticket as a service desk sends it, read or refused with the name of the field.

The fields: `adherent` (number or FINESS), `subscription` (number, or code of the service), `incident` (the
number of one that the console has already), `title`, `description`, `priority` (P1 to P5) or `impact` and
`urgency` (1 to 5), `category`, `is_security`, `effect`, `state` and `since` (where it stands, and since
when), `opened_at`, `acknowledged_at`, `resolved_at`, `closed_at`, and `comments`: a list of objects
with `id` and `text`, and `shared` (true where the adherent reads it; internal otherwise), `author` and `at`.
Instants are ISO 8601 with an offset. What is null or absent is not told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from console.domain.errors import Invalid
from console.domain.free_text import one_line, several_lines
from console.domain.service_desk import DeskState, Standing, in_order
from console.domain.spans import whole_second

LARGEST_TICKET = 256 * 1024  # bytes
MOST_COMMENTS = 200
LONGEST_ID = 200
LONGEST_DESK = 64
# Dates of a ticket that say when a state began.
DATED = {"resolved_at": DeskState.RESOLVED, "closed_at": DeskState.CLOSED}
NAMES = frozenset(
    {
        *("adherent", "subscription", "incident", "title", "description", "priority", "impact", "urgency"),
        *("category", "is_security", "effect", "state", "since", "opened_at", "acknowledged_at", "comments"),
        *DATED,
    }
)
COMMENT_NAMES = frozenset({"id", "text", "shared", "author", "at"})


@dataclass(frozen=True, slots=True)
class DeskComment:
    """What somebody of the desk wrote, by the desk's own name for it; `author` may be empty."""

    external_id: str
    text: str
    shared: bool = False
    author: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What a desk tells of a ticket; None, or an empty text, is not told. `standings` are in order."""

    adherent: str = ""
    subscription: str = ""
    incident: int | None = None
    title: str = ""
    description: str | None = None
    priority: str | None = None
    impact: int | None = None
    urgency: int | None = None
    category: str | None = None
    is_security: bool | None = None
    effect: str | None = None
    opened_at: datetime | None = None
    acknowledged_at: datetime | None = None
    standings: Sequence[Standing] = ()
    comments: Sequence[DeskComment] = field(default_factory=tuple)


def read_ticket(facts: Any) -> Ticket:
    """The ticket of a JSON object; raises `Invalid` with the field that is wrong."""
    if not isinstance(facts, dict):
        raise Invalid("ticket", "Un objet JSON est attendu : les champs d'un ticket.")
    if unknown := sorted(facts.keys() - NAMES):
        raise Invalid(
            unknown[0],
            "%(name)s n'est pas un champ d'un ticket ; ce sont : %(names)s.",
            name=unknown[0][:LONGEST_ID],
            names=", ".join(sorted(NAMES)),
        )
    description = _text(facts, "description")
    return Ticket(
        adherent=_text(facts, "adherent") or "",
        subscription=_text(facts, "subscription") or "",
        incident=_whole(facts, "incident"),
        title=one_line(_text(facts, "title") or "", "title") if facts.get("title") else "",
        description=None if description is None else several_lines(description, "description"),
        priority=_text(facts, "priority"),
        impact=_whole(facts, "impact"),
        urgency=_whole(facts, "urgency"),
        category=_text(facts, "category"),
        is_security=_truth(facts, "is_security"),
        effect=_text(facts, "effect"),
        opened_at=_instant(facts, "opened_at"),
        acknowledged_at=_instant(facts, "acknowledged_at"),
        standings=in_order(_standings(facts)),
        comments=tuple(_comments(facts)),
    )


def check_name(text: str, field: str, longest: int) -> str:
    """The name of a desk, or its own of a ticket; raises `Invalid` where it cannot be one."""
    if not 0 < len(text) <= longest or not text.isprintable() or text != text.strip():
        raise Invalid(field, "Un nom de 1 à %(longest)s caractères est attendu.", longest=longest)
    return text


def state_of(text: str, field: str = "state") -> DeskState:
    """A state by its name; raises `Invalid` with those that there are."""
    try:
        return DeskState(text)
    except ValueError:
        raise Invalid(
            field,
            "« %(value)s » n'est pas un état ; les états sont : %(states)s.",
            value=text[:LONGEST_ID],
            states=", ".join(DeskState),
        ) from None


def _standings(facts: Mapping[str, Any]) -> Iterator[Standing]:
    for name, state in DATED.items():
        at = _instant(facts, name)
        if at is not None:
            yield Standing(state, at)
    said = _text(facts, "state")
    if said is None:
        return
    state = state_of(said)
    since = _instant(facts, "since")
    if since is not None:
        yield Standing(state, since)
    elif state not in DATED.values() or facts.get(f"{state.value}_at") is None:
        raise Invalid("since", "Un état vient avec l'instant depuis lequel il dure.")


def _comments(facts: Mapping[str, Any]) -> Iterator[DeskComment]:
    told = facts.get("comments")
    if told is None:
        return
    if not isinstance(told, list) or len(told) > MOST_COMMENTS:
        raise Invalid(
            "comments", "Une liste de %(most)s commentaires au plus est attendue.", most=MOST_COMMENTS
        )
    for one in told:
        if not isinstance(one, dict):
            raise Invalid("comments", "Un commentaire est un objet avec id et text.")
        try:
            yield _comment(one)
        except Invalid as wrong:
            raise Invalid("comments", wrong.message, **wrong.values) from None


def _comment(facts: Mapping[str, Any]) -> DeskComment:
    if unknown := sorted(facts.keys() - COMMENT_NAMES):
        raise Invalid(
            "comments",
            "%(name)s n'est pas un champ d'un commentaire ; ce sont : %(names)s.",
            name=unknown[0][:LONGEST_ID],
            names=", ".join(sorted(COMMENT_NAMES)),
        )
    name = check_name(_text(facts, "id") or "", "id", LONGEST_ID)
    text = several_lines(_text(facts, "text") or "", "text")
    if not text:
        raise Invalid("comments", "Le commentaire %(name)s n'a pas de texte.", name=name)
    return DeskComment(
        external_id=name,
        text=text,
        shared=_truth(facts, "shared") or False,
        author=one_line(_text(facts, "author") or "", "author") if facts.get("author") else "",
        at=_instant(facts, "at"),
    )


def _text(facts: Mapping[str, Any], name: str) -> str | None:
    value = facts.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Invalid(name, "Un texte est attendu.")
    text = str(value)
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Invalid(name, "Ce texte contient des caractères qui ne s'affichent pas.")
    return text


def _whole(facts: Mapping[str, Any], name: str) -> int | None:
    value = facts.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**31:
        raise Invalid(name, "Un nombre entier à partir de 1 est attendu.")
    return value


def _truth(facts: Mapping[str, Any], name: str) -> bool | None:
    value = facts.get(name)
    if value is None or isinstance(value, bool):
        return value
    raise Invalid(name, "true ou false est attendu.")


def _instant(facts: Mapping[str, Any], name: str) -> datetime | None:
    value = facts.get(name)
    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None or not 2000 <= instant.year < 2200:
            raise ValueError
    except (TypeError, ValueError):
        raise Invalid(
            name, "Un instant avec son décalage est attendu ; par exemple 2026-11-25T09:30:00+01:00."
        ) from None
    return whole_second(instant)
