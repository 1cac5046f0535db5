"""What it costs to measure the hosts of a vCenter in their stead, against VMware's own simulator.

    python -m tests.bench.hypervisors [--hosts 300] [--machines 4000]

One pass a minute: ask the inventory and the samples of a minute, tell machines apart, sample every host and
keep its reading on disk. Prints the time and the CPU time of this process for a pass, and for keeping. The
simulator shares the cores, and answers from memory: a real vCenter takes longer to answer.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import trustme

from collectors.agent import Pace
from collectors.courier import Courier
from collectors.fleet import Managed, Watch
from collectors.hypervisors.vsphere import Vsphere, VsphereSettings
from collectors.instrument import SecretFile
from collectors.outbox import Room
from collectors.sampler import Moment
from collectors.sender import Console
from tests.hypervisors import build_vcenter, can_simulate_vcenter, vcenter

PASSES = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hosts", type=int, default=300)
    parser.add_argument("--machines", type=int, default=4000)
    size = parser.parse_args()
    if not can_simulate_vcenter():
        print("no vCenter simulator: apt install golang-go golang-github-vmware-govmomi-dev")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "ca.pem")
        (folder / "secret").write_text("secret")
        with vcenter(build_vcenter(folder), folder, authority, size.hosts, size.machines) as address:
            measure(folder, address, size.machines)


def measure(folder: Path, address: str, machines: int) -> None:
    """A first pass that only begins, then a few that tell a minute each."""
    secret = SecretFile(folder / "secret")
    hypervisor = Vsphere(VsphereSettings(address, "bench", secret, folder / "ca.pem"))
    console = Console("http://127.0.0.1:1", secret)
    with Courier(folder / "outbox", "bench", console, Room()) as courier:
        watch = Watch(Managed(hypervisor), courier.keeper, Pace(60.0, 60.0))
        now = Moment.now()
        for number in range(PASSES):
            if number:
                hypervisor.told_until_s -= 60
            moment = Moment(*(second + 60 * number for second in (now.wall_s, now.monotonic_s, now.boot_s)))
            began_s, cpu_s = time.perf_counter(), time.process_time()
            watch.look(moment)
            took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
            print(f"pass {number}: {took_s:.2f} s, {cpu_s:.2f} s of CPU")
        kept = list((folder / "outbox").rglob("0*.json"))
        hosts = len({path.parent for path in kept})
        told = sum(path.read_text().count('"uid"') for path in kept)
        print(f"{hosts} hosts, {machines} machines: {len(kept)} readings with {told} uses of machines kept")
        watch.end()


if __name__ == "__main__":
    main()
