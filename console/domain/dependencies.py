"""What a service stands on: dated dependencies, which never close a circle."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from console.domain.errors import Conflict, Invalid


@dataclass(frozen=True, slots=True)
class Dependency:
    """`service` needs `needs` from a day to another, both included, or without end."""

    service: str
    needs: str
    since: date
    until: date | None = None

    def holds_on(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day <= self.until)

    def meets(self, since: date, until: date | None) -> bool:
        """Whether it shares a day with a stretch of days."""
        return (until is None or self.since <= until) and (self.until is None or since <= self.until)


@dataclass(frozen=True, slots=True)
class Reached:
    """A service at the end of a path; `steps` is 1 for a direct dependency."""

    code: str
    steps: int


def check_dependency(new: Dependency, others: Sequence[Dependency]) -> None:
    """Refuse a dependency that is empty, known already, or that closes a circle on some day."""
    if new.until is not None and new.until < new.since:
        raise Invalid("until", "Une dépendance finit après son début.")
    if new.service == new.needs:
        raise Invalid("needs", "Un service ne dépend pas de lui-même.")
    for other in others:
        if (other.service, other.needs) == (new.service, new.needs) and other.meets(new.since, new.until):
            raise Conflict("Cette dépendance est déjà au catalogue depuis le %(since)s.", since=other.since)
    if circle := find_circle(new, others):
        raise Invalid("needs", "Cette dépendance fermerait une boucle : %(path)s.", path=" → ".join(circle))


def find_circle(new: Dependency, others: Sequence[Dependency]) -> list[str] | None:
    """The services of a circle that `new` would close on some day, from its service back to it."""
    for path in _paths(new.needs, new.service, new.since, new.until, others, (new.service,)):
        return [*path, new.service]
    return None


def reach(start: str, dependencies: Iterable[Dependency], day: date) -> list[Reached]:
    """What a service stands on that day, directly or through others; the nearest first, each once."""
    return _spread(start, [(d.service, d.needs) for d in dependencies if d.holds_on(day)])


def reach_back(start: str, dependencies: Iterable[Dependency], day: date) -> list[Reached]:
    """What stands on a service that day, directly or through others; the nearest first, each once."""
    return _spread(start, [(d.needs, d.service) for d in dependencies if d.holds_on(day)])


def _paths(
    at: str,
    goal: str,
    since: date,
    until: date | None,
    others: Sequence[Dependency],
    passed: tuple[str, ...],
) -> Iterator[tuple[str, ...]]:
    """Ways from a service to another along dependencies that hold together on some day of a stretch."""
    for step in others:
        if step.service != at or not step.meets(since, until):
            continue
        if step.needs == goal:
            yield (*passed, at)
        elif step.needs not in passed:
            ends = [end for end in (until, step.until) if end is not None]
            yield from _paths(
                step.needs, goal, max(since, step.since), min(ends, default=None), others, (*passed, at)
            )


def _spread(start: str, edges: Iterable[tuple[str, str]]) -> list[Reached]:
    following: dict[str, list[str]] = {}
    for origin, target in edges:
        following.setdefault(origin, []).append(target)
    steps = {start: 0}
    waiting = deque([start])
    while waiting:
        code = waiting.popleft()
        for target in sorted(following.get(code, ())):
            if target not in steps:
                steps[target] = steps[code] + 1
                waiting.append(target)
    return [Reached(code, number) for code, number in steps.items() if number]
