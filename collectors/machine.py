"""What a machine is made of: its processor, its sockets, its memory."""

from __future__ import annotations

from pathlib import Path

from collectors.reading import LONGEST_NAME, Facts

CPU_MODEL = ("model name", "cpu", "Processor", "cpu model")
"""What the kernel calls the model: x86, POWER, older ARM, MIPS. Newer ARM and s390 give none."""


def facts(proc_root: Path, site: str | None = None, cluster: str | None = None) -> Facts:
    """The facts that an agent tells of its host; what the kernel does not say stays unknown."""
    lines = _fields(proc_root / "cpuinfo")
    named = (value for wanted in CPU_MODEL for key, value in lines if key == wanted and value)
    model = " ".join(next(named, "").split())[:LONGEST_NAME]
    sockets = len({value for key, value in lines if key == "physical id"})
    return Facts(site, cluster, model or None, sockets or None, ram_mb(proc_root))


def cores(proc_root: Path) -> int | None:
    """How many cores the machine has; None where the kernel does not say, or a hypervisor makes them up."""
    found: set[tuple[str, str]] = set()
    package = ""
    for key, value in _fields(proc_root / "cpuinfo"):
        if key == "physical id":
            package = value
        elif key == "core id":
            found.add((package, value))
        elif key == "flags" and "hypervisor" in value.split():
            return None
    return len(found) or None


def ram_mb(proc_root: Path) -> int | None:
    """The memory that the kernel has, in MiB; None where it does not say."""
    for key, value in _fields(proc_root / "meminfo"):
        if key == "MemTotal" and value.split()[0].isdecimal():
            return int(value.split()[0]) // 1024
    return None


def _fields(path: Path) -> list[tuple[str, str]]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    pairs = (line.partition(":") for line in text.splitlines())
    return [(key.strip(), value.strip()) for key, _, value in pairs]
