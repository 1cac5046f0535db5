"""The energy sources by name, in their order of preference among equals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from collectors.hypervisors.libvirt import Libvirt
from collectors.hypervisors.proxmox import Proxmox
from collectors.hypervisors.rvtools import Rvtools
from collectors.hypervisors.vsphere import Vsphere
from collectors.instrument import NoSettings, Roots, Source
from collectors.reading import Gap
from collectors.sources.codecarbon import Codecarbon
from collectors.sources.ipmi import Ipmi
from collectors.sources.model import Model
from collectors.sources.nvml import Nvml
from collectors.sources.prometheus import Prometheus
from collectors.sources.rapl import Rapl
from collectors.sources.redfish import Redfish
from collectors.sources.snmp import Snmp
from collectors.virtual import Hypervisor

SOURCES: dict[str, type[Source]] = {
    Snmp.name: Snmp,
    Redfish.name: Redfish,
    Ipmi.name: Ipmi,
    Rapl.name: Rapl,
    Prometheus.name: Prometheus,
    Codecarbon.name: Codecarbon,
    Model.name: Model,
    Nvml.name: Nvml,
}

HYPERVISORS: dict[str, type[Hypervisor]] = {
    Libvirt.name: Libvirt,
    Proxmox.name: Proxmox,
    Vsphere.name: Vsphere,
    Rvtools.name: Rvtools,
}
"""The managers of virtual machines by kind; each class declares its settings as a source does."""

DEFAULT = (Rapl.name, Codecarbon.name, Model.name)
"""What is tried where nobody says what to measure with: what needs no settings, and asks nobody."""


class UnknownSource(ValueError):
    """A name that is not in the table, or of a source that cannot run without settings."""


def unset(names: Iterable[str]) -> dict[str, object]:
    """The named sources, each with the settings that it has by itself; raises `UnknownSource`."""
    settings = {}
    for name in names:
        if name not in SOURCES:
            raise UnknownSource(f"{name!r} is not one of {', '.join(SOURCES)}")
        try:
            settings[name] = SOURCES[name].settings()
        except TypeError:
            raise UnknownSource(
                f"{name!r} needs settings: [sources.{name}] in a configuration file"
            ) from None
    return settings


def made(name: str, roots: Roots, settings: object) -> Source:
    """A source with its settings, which are of the class that it declares."""
    make: Callable[..., Source] = SOURCES[name]
    return make(roots) if isinstance(settings, NoSettings) else make(roots, settings)


def manager(kind: str, settings: object) -> Hypervisor:
    """A manager of virtual machines with its settings, which are of the class that it declares."""
    make: Callable[..., Hypervisor] = HYPERVISORS[kind]
    return make(settings)


def choose(wanted: Mapping[str, object], roots: Roots) -> tuple[list[Source], list[Gap]]:
    """Of the sources wanted, by name with their settings: those that can run here, and why others cannot."""
    usable, absent = [], []
    for name in SOURCES:
        if name in wanted:
            source = made(name, roots, wanted[name])
            reason = source.available()
            if reason is None:
                usable.append(source)
            else:
                absent.append(Gap(name, reason))
    return usable, absent
