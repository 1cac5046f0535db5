"""A backup as one file: an ordinary tar whose last member is the SHA-256 of all that comes before it.

What was cut off or altered, in any byte, is refused before anything is read from it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

BLOCK = 512  # bytes, of a tar
END = b"\0" * 2 * BLOCK
CHUNK = 1024 * 1024
SEAL = "sha256"
MANIFEST = "manifest.json"


class DamagedArchive(Exception):
    """Not a backup, or no longer the one that was made; the message is one line."""


class Hashed:
    """A file that is written once, and the hash of what was."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.hash = hashlib.sha256()

    def write(self, content: bytes) -> None:
        self.file.write(content)
        self.hash.update(content)


@contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """A file for its owner's eyes only, which bears its name once it is whole and on the disk."""
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.rename(target)
        _keep_name(target)
    finally:
        partial.unlink(missing_ok=True)


def pack(target: Path, manifest: str, parts: Mapping[str, Path]) -> None:
    """Write an archive of some files."""
    with whole_file(target) as file:
        hashed = Hashed(file)
        hashed.write(_member(MANIFEST, manifest.encode()))
        for name, path in parts.items():
            size = path.stat().st_size
            hashed.write(_header(name, size))
            with path.open("rb") as source:
                shutil.copyfileobj(source, cast(BinaryIO, hashed), CHUNK)
            hashed.write(_padding(size))
        file.write(_tail(hashed.hash.hexdigest()))


def read_manifest(archive: Path) -> str:
    """The manifest of an archive that is whole; raises `DamagedArchive`."""
    tail = len(_tail(""))
    size = archive.stat().st_size
    if size <= tail:
        raise DamagedArchive(f"{archive}: not a backup of the console, or cut off")
    with archive.open("rb") as file:
        sha256 = _hash(file, size - tail)
        if file.read() != _tail(sha256):
            raise DamagedArchive(
                f"{archive}: not a backup of the console, or cut off or altered since it was made"
            )
    with part(archive, MANIFEST) as found:
        return found.read().decode()


def names(archive: Path) -> list[str]:
    """The parts of an archive."""
    with tarfile.open(archive) as tar:
        return tar.getnames()


@contextmanager
def part(archive: Path, name: str) -> Iterator[BinaryIO]:
    """The content of a part of an archive."""
    with tarfile.open(archive) as tar:
        found = tar.extractfile(name)
        if found is None:
            raise DamagedArchive(f"{archive}: {name} is not a file")
        with found:
            yield cast(BinaryIO, found)


def _tail(sha256: str) -> bytes:
    return _member(SEAL, f"{sha256:64}\n".encode()) + END


def _member(name: str, content: bytes) -> bytes:
    return _header(name, len(content)) + content + _padding(len(content))


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> bytes:
    return b"\0" * (-size % BLOCK)


def _hash(file: BinaryIO, size: int) -> str:
    hashed = hashlib.sha256()
    while size > 0:
        content = file.read(min(CHUNK, size))
        hashed.update(content)
        size -= len(content)
    return hashed.hexdigest()


def _keep_name(path: Path) -> None:
    """Make a file's new name outlive a power cut."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
