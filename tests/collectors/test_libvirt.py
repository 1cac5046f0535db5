"""The machines of a host by libvirt's own library, on the test driver that is built into it.

The driver keeps real domains that are defined, started, paused and destroyed. Its clocks are simple: the CPU
time of each domain is the wall clock, so a machine uses one CPU, and the host's own time stands still.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from collectors.hypervisors.libvirt import (
    Domain,
    Libvirt,
    LibvirtSettings,
    cores_of,
    domain_of,
    guest_of,
    model_of,
)
from collectors.power_models.families import family_of
from collectors.virtual import FIRST_READ, Counted, HostSpan, Unreachable, use_of
from tests.hypervisors import libvirt_files

RUNNING, PAUSED, OFF = 1, 3, 5
needs_libvirt = pytest.mark.libvirt
HOST = """
<node>
  <domain type='test'>
    <name>payroll</name><uuid>4b5e0f38-6c1e-4f0a-9c0c-0a4e8d0a1b01</uuid>
    <memory>8388608</memory><vcpu>4</vcpu><os><type>hvm</type></os>
  </domain>
  <domain type='test'>
    <name>imaging</name><uuid>9f8e7d6c-6c1e-4f0a-9c0c-0a4e8d0a1b02</uuid>
    <memory>4194304</memory><vcpu>2</vcpu><os><type>hvm</type></os>
  </domain>
  <cpu>
    <mhz>2400</mhz><model>x86_64</model><active>64</active>
    <nodes>2</nodes><sockets>1</sockets><cores>16</cores><threads>2</threads>
  </cpu>
  <memory>268435456</memory>
</node>
"""
ARRIVING = """
<domain type='test'>
  <name>new</name><memory>1048576</memory><vcpu>1</vcpu><os><type>hvm</type></os>
</domain>
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The system's binding alone, and none of the other modules beside it."""
    folder = tmp_path / "modules"
    folder.mkdir()
    for path in libvirt_files():
        (folder / path.name).symlink_to(path)
    monkeypatch.syspath_prepend(folder)
    import libvirt

    yield libvirt
    for name in ("libvirt", "libvirtmod"):
        sys.modules.pop(name, None)


@pytest.fixture
def kvm(library: Any, tmp_path: Path) -> Iterator[Libvirt]:
    """A host of two machines."""
    path = tmp_path / "host.xml"
    path.write_text(HOST)
    hypervisor = Libvirt(LibvirtSettings(f"test://{path}", host="kvm-03", cluster="prod", site="tls"))
    yield hypervisor
    hypervisor.close()


@pytest.fixture
def shared(library: Any) -> Iterator[tuple[Libvirt, Any]]:
    """The driver's default host, and a connection that may change its one machine."""
    owner = library.open("test:///default")
    hypervisor = Libvirt(LibvirtSettings("test:///default"))
    yield hypervisor, owner
    hypervisor.close()
    owner.close()


def told(hypervisor: Libvirt, after_s: float = 0.06) -> HostSpan:
    """The span since the last read, of so long at least."""
    time.sleep(after_s)
    [found] = hypervisor.read().values()
    assert isinstance(found, HostSpan)
    return found


@needs_libvirt
def test_a_host_and_its_machines_are_told_from_the_second_read_on(kvm: Libvirt) -> None:
    assert kvm.available() is None
    assert kvm.read() == {"kvm-03": FIRST_READ}
    span = told(kvm)
    assert span.vcpu == 64
    assert (span.facts.site, span.facts.cluster, span.facts.sockets, span.facts.ram_mb) == (
        "tls",
        "prod",
        2,
        262_144,
    )
    found = {guest.name: (guest.uid, guest.vcpu, guest.ram_mb) for guest in span.guests}
    assert found == {
        "payroll": ("4b5e0f38-6c1e-4f0a-9c0c-0a4e8d0a1b01", 4, 8192),
        "imaging": ("9f8e7d6c-6c1e-4f0a-9c0c-0a4e8d0a1b02", 2, 4096),
    }
    for guest in span.guests:
        assert guest.cpu_us == pytest.approx(span.covered_us, abs=50_000)


@needs_libvirt
def test_the_cores_of_a_host_are_told_beside_its_logical_cpus(shared: tuple[Libvirt, Any]) -> None:
    """The driver's host shows each of its cores once."""
    hypervisor, _ = shared
    hypervisor.read()
    assert told(hypervisor).cores == 16


def test_logical_cpus_that_are_siblings_share_a_core() -> None:
    cpu = "<cpu id='{0}' socket_id='0' die_id='0' core_id='{1}' siblings='{1},{2}'/>"
    assert cores_of("".join(cpu.format(number, number % 4, number % 4 + 4) for number in range(8))) == 4
    assert cores_of("<host/>") is None


@needs_libvirt
def test_what_the_machines_used_is_told_once_over_many_reads(kvm: Libvirt) -> None:
    kvm.read()
    began_s = time.time()
    spans = [told(kvm, 0.05) for _ in range(5)]
    elapsed_us = (time.time() - began_s) * 1e6
    for number in range(2):
        used_us = sum(span.guests[number].cpu_us or 0 for span in spans)
        assert used_us == pytest.approx(elapsed_us, abs=50_000)


@needs_libvirt
def test_a_machine_that_is_destroyed_is_told_no_more(shared: tuple[Libvirt, Any]) -> None:
    hypervisor, owner = shared
    hypervisor.read()
    assert [guest.name for guest in told(hypervisor).guests] == ["test"]
    owner.lookupByName("test").destroy()
    assert told(hypervisor).guests == ()


@needs_libvirt
def test_a_machine_that_was_started_again_runs_anew(shared: tuple[Libvirt, Any]) -> None:
    """The driver's counter goes on where a real one begins at 0, so it is not believed: missing, once."""
    hypervisor, owner = shared
    hypervisor.read()
    domain = owner.lookupByName("test")
    domain.destroy()
    domain.create()
    [again] = told(hypervisor).guests
    assert (again.cpu_us, again.missing) == (None, "more CPU time than its vCPUs can have used")
    [after] = told(hypervisor).guests
    assert after.missing is None


@needs_libvirt
def test_a_machine_that_arrives_with_a_counter_from_elsewhere_counts_from_there(
    shared: tuple[Libvirt, Any],
) -> None:
    hypervisor, owner = shared
    hypervisor.read()
    owner.createXML(ARRIVING)
    arrived = {guest.name: guest.missing for guest in told(hypervisor).guests}
    assert arrived == {"test": None, "new": "more CPU time than its vCPUs can have used"}
    assert use_of(told(hypervisor)).missing is None


@needs_libvirt
def test_the_statistics_of_a_real_machine_of_qemu_are_read_by_their_names(
    shared: tuple[Libvirt, Any],
) -> None:
    """Those that libvirtd 9.0 gave of a machine of two vCPUs; they are laid on a machine of the driver."""
    recorded = {
        "state.state": 1,
        "state.reason": 1,
        "cpu.time": 394_223_000,
        "cpu.user": 204_370_000,
        "cpu.system": 189_852_000,
        "balloon.current": 65_536,
        "balloon.maximum": 65_536,
        "balloon.rss": 44_404,
        "vcpu.current": 2,
        "vcpu.maximum": 2,
        "vcpu.0.state": 1,
        "vcpu.0.time": 180_000_000,
        "vcpu.0.wait": 0,
        "vcpu.0.delay": 234_869_424,
        "vcpu.1.state": 1,
        "vcpu.1.time": 0,
        "vcpu.1.wait": 0,
        "vcpu.1.delay": 27_749_055,
    }
    domain = domain_of(shared[1].lookupByName("test"), recorded)
    assert (domain.state, domain.vcpu, domain.ram_mb) == (RUNNING, 2, 64)
    assert (domain.counted.cpu_us, domain.counted.steal_us) == (394_223, 262_618)


@pytest.mark.parametrize(
    ("state", "used_s", "is_told"),
    [(RUNNING, 0, True), (RUNNING, 2, True), (PAUSED, 2, True), (PAUSED, 0, False), (OFF, 0, False)],
    ids=["idle", "busy", "paused since", "paused", "off"],
)
def test_a_machine_is_told_while_it_runs_or_for_what_it_used(state: int, used_s: int, is_told: bool) -> None:
    def domain(counted_s: int) -> Domain:
        return Domain("web", "uid", state, 2, 4096, Counted("7", counted_s * 1_000_000))

    guest = guest_of(domain(10), domain(10 + used_s), longest_us=15_000_000)
    assert (guest is not None) == is_told
    assert guest is None or guest.cpu_us == used_s * 1_000_000


@needs_libvirt
def test_the_connection_can_change_nothing(kvm: Libvirt, library: Any) -> None:
    kvm.read()
    domain = kvm._connection.lookupByName("payroll")
    with pytest.raises(library.libvirtError, match="read only"):
        domain.destroy()


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("qemu+tcp://kvm-03/system", "'tcp' is neither encrypted nor verified"),
        ("qemu+ext:///system?command=/bin/sh", "'ext' is neither"),
        ("qemu+tls://kvm-03/system?no_verify=1", "no_verify=1 would leave out who answers"),
        ("qemu+ssh://root@kvm-03/system?socket=/run/x&No_Verify=1", "No_Verify=1 would leave out"),
        ("qemu+libssh://kvm-03/system?known_hosts_verify=ignore", "known_hosts_verify=ignore would"),
        ("qemu+libssh2://kvm-03/system?known_hosts_verify=auto", "known_hosts_verify=auto would"),
        ("esx://esx-01/?transport=http", "transport=http would leave out"),
        ("qemu+ssh://root:secret@kvm-03/system", "an address holds no password"),
        ("kvm-03", "an address such as qemu:///system"),
    ],
)
def test_an_address_that_leaves_out_who_answers_is_refused_at_the_start(uri: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        LibvirtSettings(uri)
    assert str(caught.value).startswith("uri: ")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "uri",
    [
        "qemu:///system",
        "qemu+unix:///system?socket=/run/libvirt/libvirt-sock",
        "qemu://kvm-03/system",
        "qemu+tls://kvm-03/system?pkipath=/etc/console-inr/pki&no_verify=0",
        "qemu+ssh://inr@kvm-03/system?keyfile=/etc/console-inr/key",
        "qemu+libssh2://inr@kvm-03/system?known_hosts_verify=normal",
        "esx://esx-01/",
    ],
)
def test_an_address_that_is_local_or_verified_is_taken(uri: str) -> None:
    assert Libvirt.is_here(LibvirtSettings(uri)) == (":///" in uri)


@needs_libvirt
def test_a_host_that_cannot_be_reached_says_so_and_nothing_on_the_screen(
    library: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    hypervisor = Libvirt(LibvirtSettings("qemu+unix:///system?socket=/nowhere"))
    with pytest.raises(Unreachable, match=r"socket=/nowhere: .*Failed to connect"):
        hypervisor.read()
    assert capfd.readouterr() == ("", "")


@needs_libvirt
def test_a_connection_that_is_lost_is_opened_again_and_nothing_counts_twice(kvm: Libvirt) -> None:
    kvm.read()
    began_s = time.time()
    told(kvm, 0.05)
    kvm.close()
    spans = [told(kvm, 0.05)]
    assert spans[0].guests[0].cpu_us is not None
    assert spans[0].guests[0].cpu_us <= (time.time() - began_s) * 1e6


@pytest.mark.parametrize(
    ("model", "vendor", "name", "family"),
    [
        ("Skylake-Server-IBRS", "Intel", "Intel Processor (Skylake)", "skylake"),
        ("SapphireRapids", "Intel", "Intel Processor (SapphireRapids)", "sapphire-rapids"),
        ("EPYC-Milan", "AMD", "AMD EPYC-Milan", "milan"),
        ("kvm64", "AMD", "AMD Processor (kvm64)", None),
    ],
)
def test_a_processor_that_only_libvirt_names_finds_its_family(
    model: str, vendor: str, name: str, family: str | None
) -> None:
    capabilities = f"""
        <capabilities>
          <host>
            <uuid>9a244507-b113-4852-acac-1608188d6ccf</uuid>
            <cpu>
              <arch>x86_64</arch>
              <model>{model}</model>
              <vendor>{vendor}</vendor>
              <topology sockets='2' dies='1' cores='16' threads='2'/>
            </cpu>
          </host>
        </capabilities>"""
    assert model_of(capabilities) == name
    assert family_of(name) == family


def test_a_host_whose_processor_has_no_name_has_none() -> None:
    assert model_of("<capabilities><host><cpu><arch>i686</arch></cpu></host></capabilities>") is None


def test_an_address_is_refused_where_it_is_none() -> None:
    with pytest.raises(ValueError, match=r"uri: an address such as qemu:///system"):
        LibvirtSettings("kvm-03")


@pytest.mark.skipif(find_spec("libvirt") is not None, reason="this environment has libvirt")
def test_without_the_library_it_says_what_to_install() -> None:
    assert Libvirt(LibvirtSettings()).available() == (
        "not installed: apt install python3-libvirt, or the extra 'libvirt' of the wheel"
    )
