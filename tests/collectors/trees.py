"""Trees of files that stand for what this machine lacks: powercap, control groups, processes."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from collectors.instrument import Roots
from collectors.proc import TICK_US

TICKS_S = 1_000_000 // TICK_US


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@dataclass
class Host:
    """A machine made of files."""

    folder: Path

    @property
    def roots(self) -> Roots:
        return Roots(
            powercap=self.folder / "powercap",
            cgroup=self.folder / "cgroup",
            proc=self.folder / "proc",
            container_logs=self.folder / "logs",
            docker=self.folder / "docker",
        )

    def boot(self, boot_id: str = "b41503ed", vendor: str = "GenuineIntel") -> None:
        written(self.roots.proc / "sys/kernel/random/boot_id", f"{boot_id}\n")
        written(self.roots.proc / "cpuinfo", f"processor\t: 0\nvendor_id\t: {vendor}\ncpu family\t: 6\n")

    def zone(
        self, path: str, name: str, counter_uj: int | str, range_uj: int | None = 262_143_328_850
    ) -> None:
        folder = self.roots.powercap / path
        written(folder / "name", f"{name}\n")
        written(folder / "energy_uj", f"{counter_uj}\n" if counter_uj != "" else "")
        if range_uj is not None:
            written(folder / "max_energy_range_uj", f"{range_uj}\n")

    def busy(self, busy_s: float, idle_s: float = 1000.0, vcpu: int = 2) -> None:
        ticks = f"{round(busy_s * TICKS_S)} 0 0 {round(idle_s * TICKS_S)} 0 0 0 0 0 0"
        cpus = "".join(f"cpu{number} {ticks}\n" for number in range(vcpu))
        written(self.roots.proc / "stat", f"cpu  {ticks}\n{cpus}intr 1 2 3\nbtime 1700000000\n")

    def process(
        self,
        pid: int,
        own_s: float,
        *,
        reaped_s: float = 0.0,
        parent: int = 1,
        start: int = 100,
        command: str = "sleep",
        uid: int = 12345,
        groups: str = "0::/",
        flags: int = 0,
    ) -> None:
        name = command.split(" ", maxsplit=1)[0].rpartition("/")[2][:15]
        own, reaped = round(own_s * TICKS_S), round(reaped_s * TICKS_S)
        times = f"{own} 0 {reaped} 0"
        stat = f"{pid} ({name}) S {parent} 1 1 0 -1 {flags} 0 0 0 0 {times} 20 0 1 0 {start}" + " 0" * 30
        folder = self.roots.proc / str(pid)
        written(folder / "stat", f"{stat}\n")
        written(folder / "cmdline", command.replace(" ", "\0") + "\0")
        written(folder / "status", f"Name:\t{name}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\nGid:\t0\t0\t0\t0\n")
        written(folder / "cgroup", f"{groups}\n")

    def gone(self, pid: int) -> None:
        shutil.rmtree(self.roots.proc / str(pid))

    def gone_group(self, path: str) -> None:
        shutil.rmtree(self.roots.cgroup / path.lstrip("/"))

    def v2(self, path: str, used_s: float, mount: str = "") -> None:
        root = self.roots.cgroup / mount
        written(root / "cgroup.controllers", "cpu memory\n")
        usage_us = round(used_s * 1e6)
        written(root / path.lstrip("/") / "cpu.stat", f"usage_usec {usage_us}\nuser_usec 0\nsystem_usec 0\n")

    def members(self, path: str, *pids: int, mount: str = "") -> None:
        """Lists the processes of a group, as the kernel does for each one."""
        folder = self.roots.cgroup / mount / path.lstrip("/")
        written(folder / "cgroup.procs", "".join(f"{pid}\n" for pid in pids))

    def v1(self, path: str, used_s: float, mount: str = "cpu,cpuacct") -> None:
        root = self.roots.cgroup / mount
        written(root / "cpuacct.usage", "0\n")
        written(root / path.lstrip("/") / "cpuacct.usage", f"{round(used_s * 1e9)}\n")
