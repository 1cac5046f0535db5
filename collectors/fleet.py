"""Measures other hosts through the hypervisors that run on them, each host with an outbox of its own.

    hypervisor.read -> spans by host -> told apart -> each host: view, sources -> sampler -> keep

One thread for each hypervisor asks it and samples its hosts. The power of a host comes from whatever tells
it: the platform itself, the sources that the configuration names for it (a BMC, an outlet), and the model by
its processor and load, which is always there. The console lets the strongest count.

An interval closes only where the hypervisor has just told of its host. While it does not answer intervals
stay open, ten minutes at most: what it counted meanwhile comes with its next answer. After that the use of
the host is not known: what its own sources measured is told without its machines, every ten minutes, with the
reason, and the next answer, which tells of a time that was closed, begins anew. So it is with a host that its
hypervisor calls off. One that it no longer tells of, or that has no source of its own, ends with what was
told before, and begins anew when it is told again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from collectors import registry
from collectors.agent import Pace
from collectors.configuration import Manager
from collectors.host_view import NOT_ASKED, HostView, ModelledPower, PlatformPower
from collectors.instrument import Missing, Roots, Source
from collectors.outbox import OutboxUnusable
from collectors.polling import place_of
from collectors.power_models.stated import ModelSettings
from collectors.reading import HOST, Facts, Gap, Reading
from collectors.sampler import Moment, Sampler, started
from collectors.virtual import FIRST_READ, HostSpan, Hypervisor, Names, Unreachable, misspelt

log = logging.getLogger(__name__)

MOST_HOSTS = 1000
MOST_OPEN_S = 600.0

Keep = Callable[[Reading, Facts], None]
"""Where the readings of one host go, with the facts of that host."""
Keeper = Callable[[str], Keep]


@dataclass(frozen=True, slots=True)
class Managed:
    """A hypervisor to ask, and what else measures its hosts or is stated of them, by their names."""

    hypervisor: Hypervisor
    sources: Mapping[str, Sequence[Source]] = field(default_factory=dict)
    absent: Mapping[str, Sequence[Gap]] = field(default_factory=dict)
    models: Mapping[str, ModelSettings] = field(default_factory=dict)


def managed_by(manager: Manager, roots: Roots) -> Managed:
    """The manager of a configuration, ready to be asked; raises `Unreachable` where that needs more here."""
    hypervisor = registry.manager(manager.kind, manager.settings)
    if reason := hypervisor.available():
        raise Unreachable(f"{manager.kind}: {reason}")
    chosen = {name: registry.choose(wanted, roots) for name, wanted in manager.host_sources.items()}
    return Managed(
        hypervisor,
        {name: sources for name, (sources, _) in chosen.items()},
        {name: absent for name, (_, absent) in chosen.items()},
        manager.models,
    )


class Watched:
    """One host of a hypervisor: its interval under way, and what measures it.

    `_silence` is why its hypervisor tells nothing of it now; where it is `_late`, its next answer tells of a
    time that was closed without it.
    """

    def __init__(self, managed: Managed, name: str, keep: Keep, pace: Pace) -> None:
        self._own, failed = started(managed.sources.get(name, ()))
        self._absent = [*managed.absent.get(name, ()), *failed]
        self._stated = managed.models.get(name)
        self._tells_power = managed.hypervisor.tells_power
        self._keep = keep
        self._pace = pace
        self._view = HostView(0.0)
        self._sampler: Sampler | None = None
        self._open_since_s = 0.0
        self._closed_s: float | None = None
        self._vcpu = 0
        self._silence: str | None = None
        self._late = False
        for gap in failed:
            log.warning("%s: not from %s: %s", name, gap.source, gap.reason)

    def look(self, told: HostSpan | Missing, asked: Moment) -> None:
        """One sample with what the hypervisor told; closes the interval where one ends.

        What a hypervisor told is of the time when it was asked; sources of its own are read now.
        """
        moment = Moment.now() if self._own else asked
        begins = told == FIRST_READ or isinstance(told, HostSpan)
        if self._sampler is None:
            if begins:
                self._begin(moment)
        elif told == FIRST_READ or (self._late and begins):
            self._sample(self._sampler, Missing(self._silence or FIRST_READ.reason), moment)
            self.close()
            self._begin(moment)
        else:
            stepped = self._sample(self._sampler, told, moment)
            if isinstance(told, HostSpan):
                if stepped or self._closed_s is None or self._pace.closes(self._closed_s, moment.wall_s):
                    self.close()
                    self._open_since_s, self._closed_s = moment.monotonic_s, moment.wall_s
            elif moment.monotonic_s - self._open_since_s > MOST_OPEN_S:
                self._go_on_without(moment)

    def call_off(self, reason: Missing, asked: Moment) -> None:
        """Its hypervisor says that it can tell nothing of this host."""
        if self._own and self._sampler is not None:
            if not self._late:
                self.close()
                self._late = True
            self.look(reason, asked)
        else:
            self.end()

    def close(self) -> None:
        """Keep the interval up to the last sample, where anything is known of it."""
        if self._sampler is None:
            return
        reading = None if self._silence else self._sampler.close()
        if reading is None and self._vcpu:
            reading = self._sampler.close_without_use(self._vcpu, self._silence or NOT_ASKED.reason)
        if reading is not None:
            self._keep(reading, self._view.facts)

    def end(self) -> None:
        """The host is told no more."""
        self.close()
        self._sampler = None

    def stop(self) -> None:
        """Let go of its sources."""
        for source in self._own:
            source.close()

    def _sample(self, sampler: Sampler, told: HostSpan | Missing, moment: Moment) -> bool:
        """Read everything; True where the wall clock was stepped."""
        if isinstance(told, HostSpan):
            self._vcpu, self._silence = told.vcpu, None
        elif not told.expected:
            self._silence = told.reason
        self._view.take(told, moment.monotonic_s)
        return sampler.sample(moment)

    def _go_on_without(self, moment: Moment) -> None:
        """What its hypervisor counts from here to its next answer belongs to no interval any more."""
        self.close()
        if self._own:
            self._begin(moment)
            self._late = True
        else:
            self._sampler = None

    def _begin(self, moment: Moment) -> None:
        facts = self._view.facts
        self._view = HostView(moment.monotonic_s)
        self._view.facts = facts
        sources: list[Source] = [PlatformPower(self._view)] if self._tells_power else []
        sources += [*self._own, ModelledPower(self._view, self._stated)]
        self._sampler = Sampler(sources, self._absent, self._view, self._pace.sample_s)
        self._sampler.mark(moment)
        self._open_since_s, self._closed_s = moment.monotonic_s, None
        self._silence, self._late = None, False


class Watch:
    """Asks one hypervisor and samples its hosts, in a thread of its own.

    `keeper` makes the `Keep` of a host, or raises `OutboxUnusable`; those of `others` are measured elsewhere.
    """

    def __init__(self, managed: Managed, keeper: Keeper, pace: Pace, others: Set[str] = frozenset()) -> None:
        self._managed = managed
        self._keeper = keeper
        self._others = others
        self._pace = pace
        self._asking = Pace(pace.sample_s, max(managed.hypervisor.every_s, pace.sample_s))
        self._asked_s: float | None = None
        self._names = Names()
        self._named: Set[str] = managed.sources.keys() | managed.models.keys()
        self._hosts: dict[str, Watched] = {}
        self._said: dict[str, str] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=managed.hypervisor.name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, within_s: float) -> None:
        """End the intervals under way and keep them."""
        self._stopping.set()
        self._thread.join(within_s)

    def look(self, moment: Moment) -> None:
        """One pass over the hosts."""
        if self._asked_s is not None and not self._asking.closes(self._asked_s, moment.wall_s):
            self._sample_all(NOT_ASKED, moment)
            return
        self._asked_s = moment.wall_s
        told = self._ask(moment)
        if isinstance(told, Missing):
            self._sample_all(told, moment)
            return
        self._say_misspelt(told)
        for name, span in told.items():
            watched = self._watched(name)
            if watched is None:
                continue
            if isinstance(span, HostSpan) or span == FIRST_READ:
                watched.look(span, moment)
            else:
                self._say(name, span.reason)
                watched.call_off(span, moment)
        for name in self._hosts.keys() - {name.lower() for name in told}:
            self._hosts[name].end()

    def end(self) -> None:
        """The last word on every host."""
        for watched in self._hosts.values():
            watched.end()
        for watched in self._hosts.values():
            watched.stop()
        self._managed.hypervisor.close()

    def _run(self) -> None:
        while not self._stopping.wait(self._pace.next_sample_s(time.time()) - time.time()):
            try:
                self.look(Moment.now())
            except Exception:
                log.exception("%s: this pass over its hosts failed", self._managed.hypervisor.name)
        self.end()

    def _sample_all(self, reason: Missing, moment: Moment) -> None:
        for watched in self._hosts.values():
            watched.look(reason, moment)

    def _ask(self, moment: Moment) -> Mapping[str, HostSpan | Missing] | Missing:
        """What the hypervisor tells now; whatever goes wrong in it is a reason."""
        name = self._managed.hypervisor.name
        try:
            told = self._names.told_apart(self._managed.hypervisor.read(), moment.monotonic_s)
        except Unreachable as reason:
            self._say(name, str(reason))
            return Missing(str(reason))
        except Exception as error:
            self._say(name, place_of(error))
            return Missing(place_of(error))
        if self._said.pop(name, None):
            log.info("%s: it answers again", name)
        return told

    def _watched(self, told_name: str) -> Watched | None:
        """The host of this name; None where it can have none in the console, which is said."""
        name = told_name.lower()
        if name in self._hosts:
            return self._hosts[name]
        if not HOST.fullmatch(name):
            self._say(told_name, "not a name that the console takes (small letters, digits, '.', '_', '-')")
        elif name in self._others:
            self._say(told_name, "this agent measures it as its own host (this_host): not measured twice")
        elif len(self._hosts) >= MOST_HOSTS:
            self._say(told_name, f"more than {MOST_HOSTS} hosts: not measured")
        else:
            try:
                self._hosts[name] = Watched(self._managed, name, self._keeper(name), self._pace)
            except OutboxUnusable as reason:
                self._say(told_name, str(reason))
        return self._hosts.get(name)

    def _say_misspelt(self, told: Mapping[str, object]) -> None:
        """Once: hosts that have a table in the configuration, and that the first answer does not tell of."""
        for name in misspelt(self._named, told):
            log.warning("%s: %s", self._managed.hypervisor.name, name)
        self._named = frozenset()

    def _say(self, about: str, reason: str) -> None:
        """Once, until something else is to be said of it."""
        if self._said.get(about) != reason:
            log.warning("%s: %s", about, reason)
        self._said[about] = reason


class Fleet:
    """All hypervisors that this agent asks."""

    def __init__(
        self, managed: Sequence[Managed], keeper: Keeper, pace: Pace, others: Set[str] = frozenset()
    ) -> None:
        self._watches = [Watch(one, keeper, pace, others) for one in managed]
        self._once_s = max([pace.sample_s, *(one.hypervisor.every_s for one in managed)])

    def start(self) -> None:
        for watch in self._watches:
            watch.start()

    def stop(self, within_s: float) -> None:
        for watch in self._watches:
            watch.stop(within_s)

    def measure_once(self, wait: Callable[[float], object]) -> None:
        """One interval of every host: ask, wait as long as the slowest needs, and ask again."""
        for watch in self._watches:
            watch.look(Moment.now())
        wait(self._once_s)
        for watch in self._watches:
            watch.look(Moment.now())
            watch.end()
