"""What tools of this field are known to get wrong about counters, clocks and processes, each once.

Every test is named after a defect and holds the right answer. Those of other instruments, of virtual machines
and of the ledger are with their subjects.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from collectors.counter import between
from collectors.instrument import Energy, HostUse, Missing, Roots
from collectors.rules import parse
from collectors.sources.processes import Processes
from collectors.sources.rapl import Rapl
from tests.collectors.trees import Host

RANGE_UJ = 262_143_328_850
JOULE = 1_000_000
BY_USER = parse({"workload": [{"name": "user {user}", "user": "*"}]})
BY_COMMAND = parse(
    {
        "workload": [
            {"name": "old", "command": "^old"},
            {"name": "new", "command": "^new"},
            {"name": "{systemd}", "systemd": "*.service"},
        ]
    }
)


def energy(
    host: Host, before_uj: int, now_uj: int, elapsed_s: float, range_uj: int | None = RANGE_UJ
) -> Energy | Missing:
    """What a package is worth whose counter is read twice, so many seconds apart."""
    host.zone("intel-rapl:0", "package-0", before_uj, range_uj)
    source = Rapl(host.roots)
    before = source.snapshot(0.0)
    host.zone("intel-rapl:0", "package-0", now_uj, range_uj)
    return between(before, source.snapshot(elapsed_s))


def joules(host: Host, later_uj: dict[str, int]) -> float:
    """The energy over ten seconds of the zones of a host, which begin at what they hold."""
    source = Rapl(host.roots)
    before = source.snapshot(0.0)
    for zone, counter_uj in later_uj.items():
        (host.roots.powercap / zone / "energy_uj").write_text(f"{counter_uj}\n")
    result = between(before, source.snapshot(10.0))
    assert isinstance(result, Energy)
    return result.energy_mj / 1000


def reason(result: Energy | Missing) -> str:
    assert isinstance(result, Missing)
    return result.reason


def used_s(source: Processes) -> dict[str, float]:
    use = source.read()
    assert isinstance(use, HostUse)
    return {name: work.cpu_us / 1e6 for name, work in use.workloads.items()}


def test_10_000_joules_and_then_1_within_ten_seconds_is_a_reset_and_not_252_144(host: Host) -> None:
    assert "taken for a reset" in reason(energy(host, 10_000 * JOULE, JOULE, 10))


def test_lower_than_before_with_no_maximum_is_missing_and_never_negative(host: Host) -> None:
    result = energy(host, 4_000 * JOULE, 10_000, 10, range_uj=None)
    assert "its maximum is unknown" in reason(result)


def test_a_true_wrap_within_a_minute_has_its_value(host: Host) -> None:
    assert energy(host, RANGE_UJ - 5_000 * JOULE, 4_000 * JOULE, 60) == Energy(9_000_000, 60_000)


def test_an_hour_between_reads_at_350_watts_is_missing(host: Host) -> None:
    came_to_uj = (350 * 3600 * JOULE) % RANGE_UJ  # the counter came round four times
    assert "3600 s between two reads" in reason(energy(host, 0, came_to_uj, 3600))


def test_one_empty_read_is_a_gap_and_no_spike_follows(host: Host) -> None:
    host.zone("intel-rapl:0", "package-0", 1_000 * JOULE)
    source = Rapl(host.roots)
    source.read()
    host.zone("intel-rapl:0", "package-0", "")
    assert "an empty or torn read" in reason(source.read())
    host.zone("intel-rapl:0", "package-0", 1_001 * JOULE)
    time.sleep(0.01)
    after = source.read()
    assert isinstance(after, Energy)
    assert after.energy_mj == 1_000


def test_of_psys_package_core_and_uncore_together_one_counts(host: Host) -> None:
    zones = {"0": "package-0", "0:0": "core", "0:1": "uncore", "1": "psys"}
    for place, name in zones.items():
        host.zone(f"intel-rapl:{place}", name, 0)
    later = {"0": 1_000, "0:0": 600, "0:1": 100, "1": 1_500}
    assert joules(host, {f"intel-rapl:{place}": count * JOULE for place, count in later.items()}) == 1_000


def test_dram_that_is_nested_beside_its_package_counts_3_600_joules_and_not_3_000(host: Host) -> None:
    host.zone("intel-rapl:0", "package-0", 0)
    host.zone("intel-rapl:0/intel-rapl:0:0", "dram", 0)
    later = {"intel-rapl:0": 3_000 * JOULE, "intel-rapl:0/intel-rapl:0:0": 600 * JOULE}
    assert joules(host, later) == 3_600


def test_two_packages_whose_counters_differ_by_less_than_a_joule_both_count(host: Host) -> None:
    host.zone("intel-rapl:0", "package-0", 5_000 * JOULE)
    host.zone("intel-rapl:1", "package-1", 5_000 * JOULE + 400_000)
    later = {"intel-rapl:0": 5_100 * JOULE, "intel-rapl:1": 5_100 * JOULE + 400_000}
    assert joules(host, later) == 200


def test_two_dies_that_mirror_one_counter_count_once(host: Host) -> None:
    host.boot(vendor="AuthenticAMD")
    host.zone("intel-rapl:0", "package-0-die-0", 5_000 * JOULE)
    host.zone("intel-rapl:1", "package-0-die-1", 5_000 * JOULE)
    later = {"intel-rapl:0": 5_100 * JOULE, "intel-rapl:1": 5_100 * JOULE}
    assert joules(host, later) == 100


def test_a_zone_that_shows_power_and_no_energy_is_no_counter(host: Host) -> None:
    host.zone("intel-rapl:0", "package-0", 0)
    watts = host.roots.powercap / "intel-rapl:1"
    watts.mkdir()
    (watts / "name").write_text("package-1\n")
    (watts / "power_uw").write_text("95000000\n")
    assert joules(host, {"intel-rapl:0": 475 * JOULE}) == 475


def test_a_process_of_2_seconds_between_two_samples_counts_in_its_group(host: Host) -> None:
    host.v2("/system.slice/night.service", 10)
    source = Processes(host.roots, BY_COMMAND)
    source.read()
    host.busy(2)
    host.v2("/system.slice/night.service", 12)
    assert used_s(source) == {"night.service": 2}


def test_a_process_of_2_seconds_between_two_samples_counts_with_who_reaped_it(host: Host) -> None:
    host.process(70, 1, uid=12345)
    source = Processes(host.roots, BY_USER)
    source.read()
    host.busy(2)
    host.process(70, 1, reaped_s=2, uid=12345)
    assert used_s(source) == {"user 12345": 2}


def test_a_process_of_2_seconds_that_nobody_counts_is_unattributed_and_the_total_is_the_same(
    host: Host,
) -> None:
    host.process(70, 1, uid=12345)
    source = Processes(host.roots, BY_USER)
    source.read()
    host.busy(2)
    use = source.read()
    assert isinstance(use, HostUse)
    assert (use.busy_us, dict(use.workloads)) == (2_000_000, {})


def test_a_pid_that_is_used_again_is_two_workloads(host: Host) -> None:
    host.process(75, 50, start=100, command="old")
    source = Processes(host.roots, BY_COMMAND)
    source.read()
    host.process(75, 51, start=100, command="old")
    assert used_s(source) == {"old": 1}
    host.process(75, 3, start=900, command="new")
    assert used_s(source) == {"new": 3}


def test_an_idle_process_on_a_host_of_two_sockets_is_almost_nothing() -> None:
    """A real process that sleeps beside one that works: shares are of CPU time, not of processes."""
    rules = parse(
        {
            "workload": [
                {"name": "idle", "command": "^[^ ]*python[^ ]* -c pass # idle"},
                {"name": "busy", "command": "^[^ ]*python[^ ]* -c pass # busy"},
            ]
        }
    )
    idle = "pass # idle\nimport time; print(flush=True); time.sleep(60)"
    busy = "pass # busy\nprint(flush=True)\nwhile True: sum(range(9999))"
    programs = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) for program in (idle, busy)
    ]
    try:
        for program in programs:
            assert program.stdout is not None
            program.stdout.readline()
        source = Processes(Roots(), rules)
        source.read()
        time.sleep(0.8)
        shares = used_s(source)
    finally:
        for program in programs:
            program.kill()
            program.communicate()
    assert shares["busy"] > 0.1
    assert shares.get("idle", 0) <= 0.01 * shares["busy"] + 0.02


def test_an_energy_file_that_disappears_is_a_gap_with_the_reason(host: Host) -> None:
    host.zone("intel-rapl:0", "package-0", 100)
    source = Rapl(host.roots)
    source.read()
    Path(host.roots.powercap / "intel-rapl:0/energy_uj").unlink()
    assert "intel-rapl:0/energy_uj cannot be read" in reason(source.read())


@pytest.mark.parametrize("boot", ["same", "other"])
def test_two_boots_are_never_compared(host: Host, boot: str) -> None:
    host.zone("intel-rapl:0", "package-0", 100 * JOULE)
    source = Rapl(host.roots)
    before = source.snapshot(0.0)
    if boot == "other":
        host.boot("another boot")
    host.zone("intel-rapl:0", "package-0", 200 * JOULE)
    result = between(before, source.snapshot(10.0))
    assert isinstance(result, Energy) is (boot == "same")
