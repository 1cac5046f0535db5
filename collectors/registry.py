"""The energy sources by name, in their order of preference among equals."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from collectors.instrument import Roots, Source
from collectors.reading import Gap
from collectors.sources.codecarbon import Codecarbon
from collectors.sources.model import Model
from collectors.sources.rapl import Rapl

SOURCES: dict[str, Callable[[Roots], Source]] = {
    Rapl.name: Rapl,
    Codecarbon.name: Codecarbon,
    Model.name: Model,
}


class UnknownSource(ValueError):
    """A name that is not in the table."""


def choose(names: Iterable[str], roots: Roots) -> tuple[list[Source], list[Gap]]:
    """The named sources that can run here, and why the others cannot; raises `UnknownSource`."""
    usable, absent = [], []
    wanted = set(names)
    if unknown := sorted(wanted - SOURCES.keys()):
        raise UnknownSource(f"{unknown[0]!r} is not one of {', '.join(SOURCES)}")
    for name, make in SOURCES.items():
        if name in wanted:
            source = make(roots)
            reason = source.available()
            if reason is None:
                usable.append(source)
            else:
                absent.append(Gap(name, reason))
    return usable, absent
