"""Which incident an alert becomes: by the first route whose labels match, or by what its own labels say.

Without a route the labels `adherent` (number or FINESS) and `service` or `subscription` must say whose the
alert is; a route may say either, or leave it to the label. `priority` and `effect` come from the route, then
the label of that name; a priority that nobody says follows from the label `severity`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from console.domain.errors import Invalid
from console.domain.outages import Effect

MATCHER = re.compile(r"\s*(?P<label>[^\s=!]{1,200})\s*(?P<sign>!=|=)\s*(?P<pattern>.{0,200}?)\s*")
MOST_MATCHERS = 20
SEVERITIES: Mapping[str, str] = {"critical": "P2", "warning": "P3", "info": "P4"}
USUAL_PRIORITY = "P3"
PRIORITIES = frozenset({"P1", "P2", "P3", "P4", "P5"})


class Fate(StrEnum):
    """What became of an alert."""

    OPENED = "opened"
    IGNORED = "ignored"
    UNROUTED = "unrouted"  # no route, and no labels that say whose it is
    REFUSED = "refused"  # whose it is was said, but no incident can be opened there


@dataclass(frozen=True, slots=True)
class Matcher:
    """A label that is, or is not, like a pattern with `*` and `?`; an absent label is an empty text."""

    label: str
    pattern: str
    negative: bool = False

    def __str__(self) -> str:
        return f"{self.label} {'!=' if self.negative else '='} {self.pattern}"

    def holds(self, labels: Mapping[str, str]) -> bool:
        return fnmatchcase(labels.get(self.label, ""), self.pattern) is not self.negative


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where alerts go whose labels all match; None leaves it to the labels. `ignored`: they go nowhere."""

    name: str
    matchers: Sequence[Matcher]
    ignored: bool = False
    adherent: int | None = None
    subscription: int | None = None
    service: str | None = None
    priority: str | None = None
    effect: Effect | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """Whose incident an alert becomes, and of which kind; empty texts are what nobody said."""

    adherent: str
    subscription: str
    priority: str
    effect: Effect | None
    ignored: bool = False
    route: str = ""


def destination(labels: Mapping[str, str], routes: Iterable[Route]) -> Destination | None:
    """Where an alert goes; None where no route matches and its labels do not say."""
    for route in routes:
        if all(matcher.holds(labels) for matcher in route.matchers):
            return _by_route(labels, route)
    found = _by_route(labels, Route(name="", matchers=()))
    return found if found.adherent and found.subscription else None


def read_matchers(text: str) -> list[Matcher]:
    """The matchers of a text, one a line; raises `Invalid`."""
    return list(_matchers(text))


def _by_route(labels: Mapping[str, str], route: Route) -> Destination:
    by_label = labels.get("subscription", "") or labels.get("service", "")
    subscription = str(route.subscription or "") or route.service or by_label
    return Destination(
        adherent=str(route.adherent or "") or labels.get("adherent", ""),
        subscription=subscription,
        priority=route.priority or _priority(labels),
        effect=route.effect or _effect(labels),
        ignored=route.ignored,
        route=route.name,
    )


def _priority(labels: Mapping[str, str]) -> str:
    said = labels.get("priority", "").upper()
    return said if said in PRIORITIES else SEVERITIES.get(labels.get("severity", "").lower(), USUAL_PRIORITY)


def _effect(labels: Mapping[str, str]) -> Effect | None:
    said = labels.get("effect", "")
    return Effect(said) if said in set(Effect) else None


def _matchers(text: str) -> Iterator[Matcher]:
    lines = [line for line in text.splitlines() if line.strip()]
    if not 0 < len(lines) <= MOST_MATCHERS:
        raise Invalid(
            "matchers", "De 1 à %(most)s conditions sont attendues, une par ligne.", most=MOST_MATCHERS
        )
    for line in lines:
        found = MATCHER.fullmatch(line)
        if found is None or not line.isprintable():
            raise Invalid(
                "matchers",
                "« %(line)s » n'est pas une condition ; par exemple alertname = Disque*, severity != info.",
                line=line[:80],
            )
        yield Matcher(found["label"], found["pattern"], negative=found["sign"] == "!=")
