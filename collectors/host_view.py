"""One host of a hypervisor as the sampler asks for it: its use, and its power as platform or model have it.

    view.take(span, now) -> view.read() -> HostUse
                         -> PlatformPower.read(), ModelledPower.read() -> Energy

What is taken stays until something else is; each reader takes it once.
"""

from __future__ import annotations

from dataclasses import dataclass

from collectors.instrument import Energy, HostUse, Missing, Source
from collectors.power_models.servers import Server
from collectors.power_models.stated import ModelSettings
from collectors.reading import Authority, Boundary, Facts, Kind, Quality
from collectors.virtual import HostSpan, use_of

NOT_ASKED = Missing("its hypervisor was not asked since the last read", expected=True)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a hypervisor told, and the time that it stands for on the monotonic clock of this machine."""

    span: HostSpan
    elapsed_ms: int


class HostView:
    """The use of one host as its hypervisor tells it, from `began_s` on."""

    def __init__(self, began_s: float) -> None:
        self.facts = Facts()
        self.taken: Taken | Missing = NOT_ASKED
        self._known_s = began_s

    def take(self, told: HostSpan | Missing, now_s: float) -> None:
        """What was told at `now_s`; what is missing keeps the time before it open."""
        if isinstance(told, Missing):
            self.taken = told
            return
        self.facts = told.facts
        self.taken = Taken(told, round((now_s - self._known_s) * 1000))
        self._known_s = now_s

    def read(self) -> HostUse | Missing:
        return use_of(self.taken.span) if isinstance(self.taken, Taken) else self.taken

    def workload_of(self, pid: int) -> tuple[str, Kind] | None:
        """None: a hypervisor tells nothing of processes."""
        return None


class PlatformPower(Source):
    """What the platform itself measured of the host, as the hypervisor passes it on."""

    name = "hypervisor"
    authority = Authority.BMC
    boundary = Boundary.SERVER_INPUT
    quality = Quality.MEASURED

    def __init__(self, view: HostView) -> None:
        self._view = view

    def available(self) -> str | None:
        return None

    def read(self) -> Energy | Missing:
        taken = self._view.taken
        if isinstance(taken, Missing):
            return taken
        return taken.span.energy or Missing("the platform tells no power of this host")


class ModelledPower(Source):
    """A server of the family of the host's processor, at the load that its hypervisor tells."""

    name = "model"
    authority = Authority.MODEL
    boundary = Boundary.SERVER_INPUT
    quality = Quality.MODELLED

    def __init__(self, view: HostView, stated: ModelSettings | None = None) -> None:
        self._view = view
        self._stated = stated or ModelSettings()
        self._server: tuple[tuple[int, int | None, Facts], Server] | None = None

    def available(self) -> str | None:
        return None

    def read(self) -> Energy | Missing:
        taken = self._view.taken
        if isinstance(taken, Missing):
            return taken
        if taken.elapsed_ms < 1:
            return Missing("no time passed since the last read")
        server = self._server_of(taken.span.vcpu, taken.span.cores, taken.span.facts)
        return server.energy(taken.elapsed_ms, taken.span.utilisation)

    def _server_of(self, vcpu: int, cores: int | None, facts: Facts) -> Server:
        """The model of this host, made again where it is made of something else."""
        if self._server is None or self._server[0] != (vcpu, cores, facts):
            self._server = (vcpu, cores, facts), self._stated.server(vcpu, cores, facts)
        return self._server[1]
