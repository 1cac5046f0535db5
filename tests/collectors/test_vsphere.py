"""vSphere over pyvmomi: against VMware's own simulator of a vCenter, and what samples are worth."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from collectors.hypervisors.vsphere import (
    ENERGY,
    POWER,
    READY,
    SAMPLE_S,
    USAGE,
    USED,
    Host,
    Machine,
    Vsphere,
    VsphereSettings,
    spans,
    window_end,
)
from collectors.instrument import Energy, Missing, SecretFile
from collectors.reading import Facts
from collectors.virtual import FIRST_READ, HostSpan, Unreachable, use_of
from tests.hypervisors import build_vcenter, vcenter

needs_simulator = pytest.mark.vcsim
ESX = Host("host-1", "esx-01", True, 32, 64, Facts(cluster="PROD"))
WEB = Machine("vm-1", "host-1", "web", "502e71fa-1", 4, 8192)
DB = Machine("vm-2", "host-1", "db", "502e71fa-2", 8, 16384)
MINUTE = (1_795_000_020, 1_795_000_040, 1_795_000_060)
QUARTER = dict.fromkeys(MINUTE, 2500)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, built once for all workers of a run."""
    return build_vcenter(tmp_path_factory.getbasetemp().parent)


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def address(simulator: Path, tmp_path: Path, authority: trustme.CA) -> Iterator[str]:
    """A vCenter with a lone host and a cluster of three, of two machines each."""
    with vcenter(simulator, tmp_path, authority) as found:
        yield found


@pytest.fixture
def settings(address: str, tmp_path: Path, authority: trustme.CA) -> VsphereSettings:
    (tmp_path / "password").write_text("read-only\n")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return VsphereSettings(
        address, "console", SecretFile(tmp_path / "password"), tmp_path / "ca.pem", site="tls"
    )


@pytest.fixture
def asked(settings: VsphereSettings) -> Iterator[Vsphere]:
    """A vCenter that was read once, a minute of samples ago."""
    hypervisor = Vsphere(settings)
    assert set(hypervisor.read().values()) == {FIRST_READ}
    hypervisor.told_until_s -= 60
    yield hypervisor
    hypervisor.close()


@pytest.fixture
def owner(settings: VsphereSettings) -> Iterator[Any]:
    """Somebody who may change what is on the vCenter."""
    from pyVim.connect import Disconnect, SmartConnect

    host, _, port = settings.address.partition(":")
    context = ssl.create_default_context(cafile=str(settings.ca_file))
    service = SmartConnect(host=host, port=int(port), user="owner", pwd="owner", sslContext=context)
    yield service
    Disconnect(service)
    service._GetStub().DropConnections()


def machine_named(owner: Any, name: str) -> Any:
    content = owner.RetrieveContent()
    from pyVmomi import vim

    view = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True)
    return next(machine for machine in view.view if machine.name == name)


@needs_simulator
def test_a_minute_of_a_vcenter_is_told_by_host(asked: Vsphere) -> None:
    assert asked.available() is None
    told = asked.read()
    assert sorted(told) == ["DC0_C0_H0", "DC0_C0_H1", "DC0_C0_H2", "DC0_H0"]
    for name, span in told.items():
        assert isinstance(span, HostSpan), name
        assert span.covered_us == 60_000_000
        assert span.facts.cpu_model == "Intel(R) Core(TM) i7-3615QM CPU @ 2.30GHz"
        assert span.facts.cluster == ("DC0_C0" if "_C0_" in name else None)
        assert 0 < span.busy_us <= span.covered_us * span.vcpu
    guests = [guest for span in told.values() if isinstance(span, HostSpan) for guest in span.guests]
    assert sorted(guest.name for guest in guests) == [
        "DC0_C0_RP0_VM0",
        "DC0_C0_RP0_VM1",
        "DC0_H0_VM0",
        "DC0_H0_VM1",
    ]
    for guest in guests:
        assert guest.cpu_us, guest
        assert guest.steal_us, guest
        assert (guest.vcpu, guest.ram_mb, len(guest.uid or "")) == (1, 32, 36)


@needs_simulator
def test_a_minute_is_told_once(asked: Vsphere) -> None:
    first = asked.read()
    assert any(isinstance(span, HostSpan) for span in first.values())
    again = [span for span in asked.read().values() if isinstance(span, HostSpan)]
    assert sum(span.covered_us for span in again) <= len(first) * SAMPLE_S * 1_000_000


@needs_simulator
def test_a_machine_that_is_switched_off_is_told_no_more(asked: Vsphere, owner: Any) -> None:
    machine_named(owner, "DC0_H0_VM0").PowerOff()
    told = asked.read()["DC0_H0"]
    assert isinstance(told, HostSpan)
    assert [guest.name for guest in told.guests] == ["DC0_H0_VM1"]


@needs_simulator
def test_a_machine_that_moved_is_told_on_its_new_host_alone_with_its_uid(asked: Vsphere, owner: Any) -> None:
    from pyVmomi import vim

    machine = machine_named(owner, "DC0_C0_RP0_VM0")
    uid, there = machine.config.instanceUuid, machine.runtime.host
    elsewhere = next(host for host in there.parent.host if host.name != there.name)
    machine.RelocateVM_Task(vim.vm.RelocateSpec(host=elsewhere))
    told = asked.read()
    where = {
        name: guest.uid
        for name, span in told.items()
        if isinstance(span, HostSpan)
        for guest in span.guests
        if guest.name == "DC0_C0_RP0_VM0"
    }
    assert where == {elsewhere.name: uid}


@needs_simulator
def test_only_the_hosts_of_the_cluster_that_is_named_are_told(settings: VsphereSettings) -> None:
    from dataclasses import replace

    hypervisor = Vsphere(replace(settings, cluster="DC0_C0"))
    assert sorted(hypervisor.read()) == ["DC0_C0_H0", "DC0_C0_H1", "DC0_C0_H2"]
    hypervisor.close()


@needs_simulator
def test_a_session_that_ended_is_opened_again_at_the_next_read_which_tells_the_whole_time(
    asked: Vsphere, address: str
) -> None:
    asked._service.content.sessionManager.Logout()
    with pytest.raises(Unreachable, match=address):
        asked.read()
    told = [span for span in asked.read().values() if isinstance(span, HostSpan)]
    assert {span.covered_us for span in told} == {60_000_000}


@needs_simulator
def test_a_certificate_of_somebody_else_is_refused(settings: VsphereSettings, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    with pytest.raises(Unreachable, match=r"certificate verify failed"):
        Vsphere(settings).read()


@needs_simulator
def test_a_wrong_password_is_said_and_not_shown(settings: VsphereSettings, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("")
    with pytest.raises(Unreachable, match=r"(?i)login|password") as caught:
        Vsphere(settings).read()
    assert "read-only" not in str(caught.value)


def test_nobody_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret-word")
    hypervisor = Vsphere(VsphereSettings("127.0.0.1:1", "console", SecretFile(tmp_path / "password")))
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1: .*refused") as caught:
        hypervisor.read()
    assert "secret-word" not in str(caught.value)


def test_a_password_file_that_is_missing_is_a_reason(tmp_path: Path) -> None:
    hypervisor = Vsphere(VsphereSettings("vcenter", "console", SecretFile(tmp_path / "nowhere")))
    assert hypervisor.available() == f"{tmp_path}/nowhere: No such file or directory"


def server_time(second: float) -> datetime:
    return datetime.fromtimestamp(1_795_000_000 + second, UTC)


@pytest.mark.parametrize(
    ("second", "end"),
    [
        (0, 1_794_999_960),
        (4.9, 1_794_999_960),
        (5, 1_794_999_980),
        (24.9, 1_794_999_980),
        (65, 1_795_000_040),
    ],
)
def test_the_first_window_ends_with_a_sample_that_is_clearly_complete(second: float, end: int) -> None:
    assert window_end(server_time(second)) == end


@pytest.mark.parametrize("phase_s", [*range(20), 5.001, 19.999])
def test_an_agent_on_the_edge_of_a_sample_reads_a_minute_each_minute(phase_s: float) -> None:
    """A little early, a little late, with a clock that goes a tenth of a second a minute wrong."""
    ends = [window_end(server_time(phase_s))]
    moments = [
        phase_s + 60 * minute + jitter for minute, jitter in enumerate([0, 0.01, -0.6, 2, -0.005, 4, 0.1])
    ]
    for before, now in pairwise(moments):
        ends.append(window_end(server_time(now), ends[-1], now - before))
    assert {later - end for end, later in pairwise(ends)} == {60}
    for now, end in zip(moments, ends, strict=True):
        assert 20 <= server_time(now).timestamp() - end < 60


@given(
    phase_s=st.floats(0, 20),
    steps=st.lists(st.tuples(st.sampled_from([60, 60, 60, 180]), st.floats(-3, 3), st.floats(-40, 40))),
)
def test_whatever_clocks_do_no_window_is_of_samples_to_come_and_none_is_left_out(
    phase_s: float, steps: list[tuple[int, float, float]]
) -> None:
    """The agent is asked late or early, and the clock of the server is put right now and then."""
    now = phase_s
    end = window_end(server_time(now))
    for pause_s, jitter_s, put_right_s in steps:
        now += pause_s + jitter_s + (put_right_s if abs(put_right_s) > 35 else 0)
        end = window_end(server_time(now), end, pause_s + jitter_s)
        assert 20 <= server_time(now).timestamp() - end < 60
        assert end % SAMPLE_S == 0


def test_samples_become_the_use_of_a_host_and_its_machines() -> None:
    told = spans(
        [ESX],
        [WEB, DB],
        {
            ("host-1", USAGE): QUARTER,
            ("vm-1", USED): dict.fromkeys(MINUTE, 40_000),
            ("vm-1", READY): dict.fromkeys(MINUTE, 700),
            ("vm-2", USAGE): dict.fromkeys(MINUTE, 5000),
        },
    )["esx-01"]
    assert isinstance(told, HostSpan)
    assert (told.busy_us, told.load, told.energy, told.cores) == (480_000_000, 0.25, None, 32)
    found = {name: (work.cpu_us, work.steal_us) for name, work in use_of(told).workloads.items()}
    assert found == {"web": (120_000_000, 2_100_000), "db": (240_000_000, None)}


@pytest.mark.parametrize(
    ("samples", "energy"),
    [
        ({ENERGY: dict.fromkeys(MINUTE, 7000)}, Energy(21_000_000, 60_000)),
        ({POWER: dict.fromkeys(MINUTE, 350)}, Energy(21_000_000, 60_000)),
        (
            {ENERGY: dict.fromkeys(MINUTE, 7000), POWER: dict.fromkeys(MINUTE, 1)},
            Energy(21_000_000, 60_000),
        ),
        (
            {ENERGY: dict.fromkeys(MINUTE[:2], 7000), POWER: dict.fromkeys(MINUTE, 350)},
            Energy(21_000_000, 60_000),
        ),
        ({POWER: dict.fromkeys(MINUTE[:2], 350)}, Missing("the platform lacks samples of the power")),
        ({}, None),
        ({ENERGY: dict.fromkeys(MINUTE, 0), POWER: dict.fromkeys(MINUTE, 0)}, None),
        (
            {POWER: dict.fromkeys(MINUTE, 350) | {MINUTE[1]: 0}},
            Missing("the platform lacks samples of the power"),
        ),
    ],
    ids=[
        "joules",
        "watts",
        "joules before watts",
        "joules with a hole",
        "watts with a hole",
        "no sensor",
        "no sensor, told as 0 W",
        "a sample of 0 W",
    ],
)
def test_the_power_of_the_platform_is_of_all_the_samples_or_missing(
    samples: dict[str, dict[int, int]], energy: Energy | Missing | None
) -> None:
    told = spans(
        [ESX], [], {("host-1", USAGE): QUARTER} | {("host-1", key): value for key, value in samples.items()}
    )
    span = told["esx-01"]
    assert isinstance(span, HostSpan)
    if isinstance(energy, Missing):
        assert isinstance(span.energy, Missing)
        assert span.energy.reason.startswith(energy.reason)
    else:
        assert span.energy == energy


def test_a_machine_counts_only_where_its_host_has_a_sample() -> None:
    told = spans(
        [ESX],
        [WEB],
        {
            ("host-1", USAGE): {MINUTE[0]: 2500},
            ("vm-1", USED): dict.fromkeys(MINUTE, 40_000),
        },
    )["esx-01"]
    assert isinstance(told, HostSpan)
    assert [guest.cpu_us for guest in told.guests] == [40_000_000]


@pytest.mark.parametrize(
    ("used", "missing"),
    [
        ({}, "no sample of it on this host"),
        (dict.fromkeys(MINUTE, 10**7), "more CPU time than its vCPUs can have used"),
    ],
)
def test_a_machine_without_samples_to_believe_is_missing_and_not_idle(
    used: dict[int, int], missing: str
) -> None:
    told = spans([ESX], [WEB], {("host-1", USAGE): QUARTER, ("vm-1", USED): used})["esx-01"]
    assert isinstance(told, HostSpan)
    assert [(guest.cpu_us, guest.missing) for guest in told.guests] == [(None, missing)]


def test_a_machine_that_is_fully_busy_at_turbo_is_told() -> None:
    """Used time is weighed by frequency: 64 vCPUs at 1.3 times their nominal one use 83 CPUs."""
    large = Machine("vm-1", "host-1", "web", "502e71fa-1", 64, 8192)
    used = {("host-1", USAGE): QUARTER, ("vm-1", USED): dict.fromkeys(MINUTE, 64 * 26_000)}
    told = spans([ESX], [large], used)["esx-01"]
    assert isinstance(told, HostSpan)
    assert [guest.cpu_us for guest in told.guests] == [64 * 78_000_000]


def test_a_host_without_a_sample_is_missing() -> None:
    assert spans([ESX], [WEB], {}) == {"esx-01": Missing("no sample of it is complete")}


@given(
    places=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 80_000)), min_size=1, max_size=8),
    busy=st.integers(0, 10_000),
)
def test_wherever_machines_move_each_of_their_samples_counts_on_one_host(
    places: list[tuple[int, int]], busy: int
) -> None:
    """One machine, one sample at a time, on the host where the inventory has it then."""
    told_us, used_ms = 0, 0
    hosts = [Host(f"host-{number}", f"esx-{number}", True, 32, 64, Facts()) for number in range(3)]
    for step, (where, cpu_ms) in enumerate(places):
        now = MINUTE[0] + step * SAMPLE_S
        samples = {(host.key, USAGE): {now: busy} for host in hosts} | {("vm-1", USED): {now: cpu_ms}}
        machine = Machine("vm-1", f"host-{where}", "web", "502e71fa-1", 4, 8192)
        for span in spans(hosts, [machine], samples).values():
            assert isinstance(span, HostSpan)
            told_us += sum(guest.cpu_us or 0 for guest in span.guests)
        used_ms += cpu_ms
    assert told_us == used_ms * 1000


@pytest.mark.parametrize("address", ["", "https://vcenter/sdk", "vcenter:https"])
def test_an_address_is_a_host_and_a_port(address: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="address: a host and perhaps a port is expected"):
        VsphereSettings(address, "console", SecretFile(tmp_path / "password"))
