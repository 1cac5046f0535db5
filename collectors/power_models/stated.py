"""What somebody states of a server without a sensor; it goes before what the server tells of itself."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.power_models.components import PORTS
from collectors.power_models.servers import MB_PER_GB, Server, server_of
from collectors.reading import MOST_VCPU, Facts

HIGHEST_TDP_W = 2000


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """What a host is made of, where its kernel or its hypervisor does not say it."""

    cpu_model: str | None = None
    sockets: int | None = None
    cores: int | None = None
    ram_gb: int | None = None
    tdp_w: float | None = None
    drives: int = 0
    ports: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.sockets is not None and not 1 <= self.sockets <= 64:
            raise ValueError("sockets: a number from 1 to 64 is expected")
        if self.cores is not None and not 1 <= self.cores <= MOST_VCPU:
            raise ValueError(f"cores: a number from 1 to {MOST_VCPU}, of all sockets together, is expected")
        if self.ram_gb is not None and self.ram_gb < 1:
            raise ValueError("ram_gb: at least 1 is expected")
        if self.tdp_w is not None and not 0 < self.tdp_w <= HIGHEST_TDP_W:
            raise ValueError(f"tdp_w: watts of one socket are expected, {HIGHEST_TDP_W} at most")
        if self.drives < 0:
            raise ValueError("drives: 0 or more is expected")
        for speed in self.ports:
            if speed not in PORTS:
                raise ValueError(f"ports: {speed!r} is not one of {', '.join(PORTS)}")

    def server(self, vcpu: int, cores: int | None, told: Facts) -> Server:
        """The model of the host, with what it tells of itself where nothing is stated."""
        return server_of(
            self.cpu_model or told.cpu_model,
            vcpu,
            cores=self.cores or cores,
            sockets=self.sockets or told.sockets,
            ram_mb=told.ram_mb if self.ram_gb is None else self.ram_gb * MB_PER_GB,
            tdp_w=self.tdp_w,
            drives=self.drives,
            ports=self.ports,
        )
