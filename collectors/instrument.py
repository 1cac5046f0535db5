"""What every energy source offers: whether it can run here, and the energy since it was last asked.

A source is one file of `collectors.sources`, with its manual as its docstring. It converts to millijoules at
its own edge, and says what it does not know: `Missing` with a reason, never zero.
"""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

from collectors.reading import Authority, Boundary, Kind, Quality


@dataclass(frozen=True, slots=True)
class Roots:
    """Where the kernel shows this machine; trees of files may stand for them."""

    powercap: Path = Path("/sys/class/powercap")
    cgroup: Path = Path("/sys/fs/cgroup")
    proc: Path = Path("/proc")
    container_logs: Path = Path("/var/log/containers")
    docker: Path = Path("/var/lib/docker/containers")


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A file that holds a secret, read each time it is used: a new one is taken without a restart.

    It is looked at each time as well: a line break in a header would have the whole of it in a message.
    """

    path: Path

    def read(self) -> str:
        """The secret; raises `OSError` where the file cannot be read, or holds anything but one line."""
        secret = self.path.read_text(encoding="utf-8", errors="replace").strip()
        if not secret.isprintable() or not secret or "\N{REPLACEMENT CHARACTER}" in secret:
            raise self._wrong("one line with the secret is expected")
        return secret

    def token(self) -> str:
        """The secret as it goes into a header; raises `OSError` where that cannot be."""
        secret = self.read()
        if not secret.isascii():
            raise self._wrong("a token is plain letters, digits and signs")
        return secret

    def _wrong(self, reason: str) -> OSError:
        return OSError(errno.EINVAL, reason, str(self.path))


@dataclass(frozen=True, slots=True)
class NoSettings:
    """The settings of a source that needs none.

    A source that needs some has a frozen dataclass of its own, whose fields are `str`, `int`, `float`,
    `bool`, `Path`, `SecretFile`, a tuple of strings, or one of these or None; a value that makes no sense
    raises `ValueError("field: what would be right")` in its `__post_init__`.
    """


@dataclass(frozen=True, slots=True)
class Energy:
    """Energy of the host over the `duration_ms` that end with this read, on the monotonic clock."""

    energy_mj: int
    duration_ms: int
    min_mj: int | None = None
    max_mj: int | None = None
    idle_power_mw: int | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """Nothing can be said of the time since the last read, or not yet; and why.

    It is `expected` where nothing went wrong, and a later read tells of this time too.
    """

    reason: str
    expected: bool = False


class Source(ABC):
    """An instrument. `read` starts a new span each time it gives `Energy`, and keeps the old one open while
    a read fails for want of an answer: what a counter has counted meanwhile comes with the next good read.
    """

    name: ClassVar[str]
    authority: ClassVar[Authority]
    boundary: ClassVar[Boundary]
    quality: ClassVar[Quality]
    settings: ClassVar[type] = NoSettings

    @classmethod
    def only_here(cls, settings: object) -> bool:
        """Whether it measures the machine that it runs on, with these settings, and no other."""
        return False

    @abstractmethod
    def available(self) -> str | None:
        """None where the source can run here, else the reason why it cannot."""

    @abstractmethod
    def read(self) -> Energy | Missing:
        """The energy since the last read; the first read only starts a span."""

    def gpus(self) -> int | None:
        """How many graphics cards the energy is of, where it is of cards."""
        return None

    def gpu_us_by_pid(self) -> Mapping[int, int]:
        """GPU time of each process over the span of the last `Energy`, where the source knows it."""
        return {}

    def start(self) -> None:  # noqa: B027 - most sources have nothing to prepare
        """Begin to get ready; returns at once."""

    def ready(self) -> bool:
        """False while the source still gets ready."""
        return True

    def close(self) -> None:  # noqa: B027 - most sources hold nothing
        """Let go of what the source holds."""


@dataclass(frozen=True, slots=True)
class Work:
    """What one named workload used since the last read, and what is set aside for it now."""

    kind: Kind
    cpu_us: int
    reserved_mcpu: int | None = None
    reserved_mb: int | None = None
    steal_us: int | None = None
    uid: str | None = None


@dataclass(frozen=True, slots=True)
class HostUse:
    """CPU time of a host since the last read, all its logical CPUs together, and of its workloads by name.

    The kernel may count busy time by sampling ticks, and the time of processes and groups to the nanosecond:
    workloads may add up to more than busy. Whoever closes an interval settles it. `missing` is what cannot be
    told of some of the workloads, and why.
    """

    busy_us: int
    vcpu: int
    workloads: Mapping[str, Work] = field(default_factory=dict)
    ram_mb: int | None = None
    missing: str | None = None


class Usage(Protocol):
    """Who tells the use of a host: its own kernel, or the hypervisor that runs it."""

    def read(self) -> HostUse | Missing:
        """The use since the last read; the first read only starts a span."""

    def workload_of(self, pid: int) -> tuple[str, Kind] | None:
        """The workload that a process of this host belongs to, for what is counted by process."""
