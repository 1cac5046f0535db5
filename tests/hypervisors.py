"""Test doubles that makers of hypervisors ship: the test driver of libvirt, VMware's simulated vCenter."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.machinery
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme

SYSTEM_MODULES = Path("/usr/lib/python3/dist-packages")
GO_CODE = Path("/usr/share/gocode")
SIMULATOR = GO_CODE / "src/github.com/vmware/govmomi/simulator"
SOURCE = Path(__file__).parent / "collectors" / "vcsim" / "main.go"


def libvirt_files() -> list[Path]:
    """The system's Python binding of libvirt, where this interpreter can load it; else none."""
    suffixes = [suffix for suffix in importlib.machinery.EXTENSION_SUFFIXES if suffix != ".so"]
    paths = [SYSTEM_MODULES / f"libvirtmod{suffix}" for suffix in suffixes]
    binary = [path for path in paths if path.exists()]
    module = SYSTEM_MODULES / "libvirt.py"
    return [module, *binary] if binary and module.exists() else []


def can_simulate_vcenter() -> bool:
    """Whether there is a Go compiler and the library that holds the simulator."""
    return shutil.which("go") is not None and SIMULATOR.is_dir()


def build_vcenter(folder: Path) -> Path:
    """The simulator as a program, built once in the folder by whoever comes first."""
    program = folder / f"vcsim-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]}"
    with (folder / "vcsim.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            _build(program)
    return program


def _build(program: Path) -> None:
    settings = {"GO111MODULE": "off", "GOPATH": str(GO_CODE), "CGO_ENABLED": "0", "GOFLAGS": ""}
    home = {"HOME": os.environ.get("HOME", str(program.parent)), "PATH": os.environ["PATH"]}
    subprocess.run(["go", "build", "-o", program, SOURCE], env=home | settings, check=True)


@contextmanager
def vcenter(program: Path, folder: Path, authority: trustme.CA, *size: int) -> Iterator[str]:
    """A vCenter on an address of this machine, until the end of the block.

    Four hosts of two machines each at most, or a cluster of so many hosts and machines.
    """
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    chain, key = folder / "vcenter.pem", folder / "vcenter.key"
    chain.write_bytes(b"".join(part.bytes() for part in certificate.cert_chain_pems))
    certificate.private_key_pem.write_to_path(key)
    command = [program, chain, key, *map(str, size)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate("\n", timeout=10)
