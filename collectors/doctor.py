"""The doctor: looks at everything the agent needs, says what is wrong and what would be right.

It may run beside an agent: it takes neither the outbox nor its lock, and sends the console a batch without
readings, which changes nothing there.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from collectors import machine, proc, registry, rules
from collectors.cgroups import counted_hierarchy
from collectors.configuration import LOCAL, AgentSettings, Configuration, ConsoleSettings, Manager
from collectors.instrument import Energy, Missing, Roots, Source
from collectors.outbox import KEPT, REFUSED
from collectors.reading import encode_batch
from collectors.sender import PATIENCE_S, Answer, Console
from collectors.settings import unusable_secret
from collectors.virtual import misspelt

NO_STREAM = "0" * 32
READY_S, SPAN_S, LONGEST_SPAN_S = 15.0, 1.0, 15.0
MOST_OFFSET_S = 5.0
"""Clocks this far apart move energy between minutes; the console refuses readings of its future."""
LEAST_FREE_BYTES = 64 << 20
OLD_S = 900.0


class State(StrEnum):
    """What became of a check: as it should be, worth knowing, or in the way of measuring."""

    GOOD = "good"
    NOTE = "note"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: State
    message: str


def good(name: str, message: str) -> Check:
    return Check(name, State.GOOD, message)


def note(name: str, message: str) -> Check:
    return Check(name, State.NOTE, message)


def broken(name: str, message: str) -> Check:
    return Check(name, State.BROKEN, message)


def as_text(checks: Sequence[Check]) -> str:
    """One line a check, and what it comes to."""
    width = max(len(check.name) for check in checks)
    lines = [f"{check.state:6}  {check.name:{width}}  {check.message}" for check in checks]
    count = sum(check.state is State.BROKEN for check in checks)
    lines.append(f"{count} of {len(checks)} checks found something broken" if count else "nothing is broken")
    return "\n".join(lines) + "\n"


def as_json(checks: Sequence[Check]) -> str:
    """The same for a program."""
    sound = all(check.state is not State.BROKEN for check in checks)
    return json.dumps({"sound": sound, "checks": [asdict(check) for check in checks]}, indent=2) + "\n"


def examine(asked: Configuration, agent: str) -> list[Check]:
    """Every check of an agent that is configured so."""
    checks = [*_kernel(asked.agent.roots), *_rules(asked.agent.rules)]
    if asked.agent.this_host:
        checks += _sources(asked)
    for manager in asked.managers:
        checks += _manager(manager, asked.agent.roots)
    return [*checks, *_outbox(asked.agent), *_console(asked, agent)]


def _kernel(roots: Roots) -> Iterator[Check]:
    try:
        times = proc.cpu_times(roots.proc)
    except proc.Unreadable as reason:
        yield broken("processes", f"{reason}; proc_root must show the kernel's process files")
        return
    pids = list(proc.every_pid(roots.proc))
    hidden = sum(proc.process(roots.proc, pid) is None for pid in pids)
    told = f"{times.vcpu} logical CPUs, {len(pids)} processes and kernel threads"
    if hidden > len(pids) // 10:
        yield broken("processes", f"{told}, {hidden} of them unreadable: /proc is mounted with hidepid?")
    else:
        yield good("processes", told)
    facts = machine.facts(roots.proc)
    yield good("machine", f"{facts.cpu_model or 'unknown processor'}, {facts.ram_mb or 'unknown'} MB")
    yield _executables(roots, pids)
    hierarchy = counted_hierarchy(roots.cgroup)
    if hierarchy is None:
        yield note("control groups", f"none with CPU counters under {roots.cgroup}: every process is read")
        return
    version = "version 1" if hierarchy.controller else "version 2"
    told = f"{version} at {hierarchy.root}, {len(hierarchy.groups())} groups"
    listed = "" if hierarchy.lists_members() else "; their processes are not listed, so every process is read"
    yield good("control groups", told + listed)


def _executables(roots: Roots, pids: Sequence[int]) -> Check:
    unreadable = 0
    for pid in pids:
        try:
            (roots.proc / str(pid) / "exe").readlink()
        except PermissionError:
            unreadable += 1
        except OSError:
            continue
    if unreadable:
        told = f"those of {unreadable} processes cannot be read: rules by path hold against their short names"
        return note("executables", f"{told} (CAP_SYS_PTRACE would let them be)")
    return good("executables", "can be read")


def _rules(path: Path) -> Iterator[Check]:
    try:
        yield good("rules", f"{len(rules.load(path).entries)} in {path}")
    except rules.BadRules as reason:
        yield broken("rules", str(reason))


def _sources(asked: Configuration) -> Iterator[Check]:
    usable, absent = registry.choose(asked.sources, asked.agent.roots)
    tried = [_read(source) for source in usable]
    named = set(asked.sources) != set(registry.DEFAULT)
    yield from tried
    for gap in absent:
        yield (broken if named else note)(f"source {gap.source}", gap.reason)
    if not any(check.state is State.GOOD for check in tried):
        yield broken("sources", "none gives energy: the host would have readings without any")


def _read(source: Source) -> Check:
    """One real read: the first starts a span, the next ends it."""
    name = f"source {source.name}"
    try:
        source.start()
        _wait_for(source)
        first = source.read()
        end_s = time.monotonic() + LONGEST_SPAN_S
        result: Energy | Missing = first
        while time.monotonic() < end_s:
            time.sleep(SPAN_S)
            result = source.read()
            if isinstance(result, Energy):
                return good(name, _told(source, result))
        return broken(name, result.reason if isinstance(result, Missing) else "no energy")
    except Exception as error:
        return broken(name, f"{type(error).__name__}: {error}")
    finally:
        with suppress(Exception):
            source.close()


def _wait_for(source: Source) -> None:
    end_s = time.monotonic() + READY_S
    while not source.ready() and time.monotonic() < end_s:
        time.sleep(0.1)


def _told(source: Source, energy: Energy) -> str:
    watts = energy.energy_mj / max(energy.duration_ms, 1)
    return f"{watts:.1f} W over {energy.duration_ms / 1000:.1f} s ({source.quality}, {source.boundary})"


def _manager(manager: Manager, roots: Roots) -> Iterator[Check]:
    name = f"hypervisors {manager.kind}"
    try:
        hypervisor = registry.manager(manager.kind, manager.settings)
        if reason := hypervisor.available():
            yield broken(name, reason)
            return
        try:
            hosts = hypervisor.read()
            yield good(name, f"tells of {len(hosts)} hosts: {', '.join(sorted(hosts)) or 'none'}")
            for reason in misspelt(manager.host_sources, hosts):
                yield broken(name, reason)
        finally:
            hypervisor.close()
    except Exception as error:
        yield broken(name, f"{type(error).__name__}: {error}")
    for host, wanted in manager.host_sources.items():
        usable, absent = registry.choose(wanted, roots)
        for check in [_read(source) for source in usable]:
            yield Check(f"{host} {check.name}", check.state, check.message)
        for gap in absent:
            yield broken(f"{host} source {gap.source}", gap.reason)


def _outbox(settings: AgentSettings) -> Iterator[Check]:
    folder = settings.outbox
    if not folder.exists():
        nearest = next(parent for parent in folder.absolute().parents if parent.exists())
        if reason := _cannot_hold_folders(nearest):
            yield broken("outbox", f"{folder} is missing, and cannot be made in {nearest}: {reason}")
            return
        yield note("outbox", f"{folder} is missing; the agent makes it")
    else:
        yield _kept(folder, settings.outbox_max_mb)
        nearest = folder
    free_bytes = shutil.disk_usage(nearest).free
    told = f"{free_bytes >> 20} MB free"
    wanted_bytes = min(settings.outbox_max_mb << 20, LEAST_FREE_BYTES)
    yield good("disk", told) if free_bytes >= wanted_bytes else broken("disk", f"{told} where {folder} is")


def _cannot_hold_folders(folder: Path) -> str | None:
    probe = folder / f".doctor-{os.getpid()}"
    try:
        probe.mkdir()
        probe.rmdir()
    except OSError as error:
        return error.strerror
    return None


def _kept(folder: Path, most_mb: int) -> Check:
    """What waits there, of this host and of those that are measured in their stead."""
    probe = folder / f".doctor-{os.getpid()}"
    try:
        probe.write_bytes(b"x")
        probe.unlink()
        found = [path for path in folder.rglob("*.json") if KEPT.fullmatch(path.name)]
        refused = sum(path.parent.name == REFUSED for path in found)
        waiting = [path.stat() for path in found if path.parent.name != REFUSED]
    except OSError as error:
        return broken("outbox", f"{folder}: {error.strerror}")
    told, age_s = f"{folder} can be written and is empty", 0.0
    if waiting:
        age_s = max(time.time() - min(one.st_mtime for one in waiting), 0)
        size_mb = sum(one.st_size for one in waiting) / (1 << 20)
        told = f"{len(waiting)} readings wait, the oldest for {age_s / 60:.0f} minutes"
        told = f"{told}; {size_mb:.1f} of {most_mb} MB"
    if refused:
        return note("outbox", f"{told}; {refused} that the console refused are in {folder}/{REFUSED}")
    return note("outbox", told) if age_s > OLD_S else good("outbox", told)


def _console(asked: Configuration, agent: str) -> Iterator[Check]:
    settings = asked.console
    if reason := unusable_secret(settings.token_file.path):
        yield broken("token", reason)
        return
    try:
        console = Console(settings.url, settings.token_file, settings.ca_file)
    except OSError as error:
        yield broken("console", f"ca_file: {settings.ca_file}: {error.strerror or error}")
        return
    began = datetime.now(UTC)
    answer = console.post(encode_batch(agent, asked.agent.named, NO_STREAM, []), PATIENCE_S)
    took_s = (datetime.now(UTC) - began).total_seconds()
    if answer.status == 0:
        yield broken("console", f"{console.address}: {_unreached(answer.text)}")
        return
    yield good("console", f"{console.address} answers in {took_s * 1000:.0f} ms")
    yield _encrypted(settings)
    yield _token(answer, asked.agent.named)
    if answer.date:
        yield _clock((began - answer.date).total_seconds(), took_s)


def _unreached(reason: str) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return f"{reason}; name the authority that signed it with ca_file"
    return reason


def _encrypted(settings: ConsoleSettings) -> Check:
    if urlsplit(settings.url).scheme == "https":
        return good("encryption", "TLS, and the certificate was verified")
    if urlsplit(settings.url).hostname in LOCAL:
        return good("encryption", "none, and none is needed: the console is on this machine")
    return note("encryption", "none: readings and token can be read on the way")


def _token(answer: Answer, host: str) -> Check:
    if answer.status == 202:
        return good("token", f"accepted for {host}")
    if answer.status in (401, 403):
        return broken("token", f"the console does not accept it for {host}: {answer.text}")
    if answer.status in (429, 503):
        return note("token", f"not looked at: the console is busy ({answer.status}): {answer.text}")
    return broken("token", f"the console answered {answer.status}: {answer.text}")


def _clock(ahead_s: float, took_s: float) -> Check:
    """A date has whole seconds, and is of a moment between question and answer."""
    told = f"{abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} the console's"
    if abs(ahead_s) > MOST_OFFSET_S + took_s:
        return broken("clock", f"{told}; let the time be synchronised (chrony, systemd-timesyncd)")
    return good("clock", told)
