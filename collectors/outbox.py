"""Keeps readings on disk until the console acknowledges them.

    outbox/lock                 held by the agent that uses the folder
    outbox/stream.json          the stream's id, born with the outbox, and the next sequence
    outbox/00000000000000000017.json   a batch of one reading, as the console will read it
    outbox/refused/             batches the console could not read, each with its message beside it

Each file is written whole under another name, flushed to disk and renamed. The next sequence is on disk
before a reading takes it: whenever the process is killed, no reading that was kept is lost, and no sequence
is used twice (one may be skipped).

The folder may be bounded, alone or with others that share its room. One that is full takes nothing more until
the console has answered for something: the oldest readings stay, the newest are refused, and whoever brings
them counts them. What the console could not read has a bound of its own beside it, an eighth of the same: the
oldest of it go first, so that it never takes the place of what is still to be sent.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
import secrets
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from collectors.reading import (
    STREAM,
    Facts,
    Reading,
    UnreadableBatch,
    UnreadableReading,
    decode_batch,
    decode_reading,
    encode_batch,
)

log = logging.getLogger(__name__)

KEPT = re.compile(r"\d{20}\.json")
LEFT_OVER = ".writing-"
REFUSED = "refused"
BLOCK = 4096
"""What the smallest file takes on a disk."""
REFUSED_PART = 8


class OutboxUnusable(Exception):
    """The folder cannot be used; the message says which one and why."""


class OutboxFull(Exception):
    """The folder holds as much as it may; the reading was not kept."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Readings on disk that share their envelope, oldest first."""

    agent: str
    host: str
    stream: str
    facts: Facts
    readings: tuple[Reading, ...]
    files: tuple[Path, ...]

    def body(self, sent_at: datetime) -> bytes:
        """The batch as the console reads it."""
        return encode_batch(self.agent, self.host, self.stream, self.readings, self.facts, sent_at)

    def joins(self, other: Batch) -> bool:
        """Whether both have one envelope."""
        mine, others = ((one.agent, one.host, one.stream, one.facts) for one in (self, other))
        return mine == others


class Room:
    """How much one outbox or several together may hold on the disk; senders free what agents fill.

    What was refused is counted beside it, and has its own bound.
    """

    def __init__(self, most_bytes: int | None = None) -> None:
        self.most_bytes = most_bytes
        self.held_bytes = 0
        self.refused_bytes = 0
        self._counting = threading.Lock()

    def has(self, more_bytes: int) -> bool:
        return self.most_bytes is None or self.held_bytes + more_bytes <= self.most_bytes

    def count(self, more_bytes: int) -> None:
        with self._counting:
            self.held_bytes += more_bytes

    def count_refused(self, more_bytes: int) -> None:
        with self._counting:
            self.refused_bytes += more_bytes

    def has_too_much_refused(self) -> bool:
        return self.most_bytes is not None and self.refused_bytes > self.most_bytes // REFUSED_PART


class Outbox:
    """A folder of readings of at most `most_bytes` on the disk, used by one agent at a time.

    `facts` are what is told of the host with its readings, as it was when each was kept: one that was kept
    before the host moved does not tell where it moved to. Outboxes that are given one `room` share it.
    """

    def __init__(
        self, folder: Path, agent: str, host: str, most_bytes: int | None = None, room: Room | None = None
    ) -> None:
        self.folder = folder
        self.host = host
        self.facts: Facts | None = None
        self._agent = agent
        self._room = room or Room(most_bytes)
        self._lock = self._locked()
        for left_over in folder.glob(f"{LEFT_OVER}*"):
            left_over.unlink()
        try:
            self.stream, self._next_sequence = self._identity()
        except OutboxUnusable:
            self._lock.close()
            raise
        self.unreadable: list[Path] = []
        self._room.count(sum(_on_disk(path) for path in folder.glob("*")))
        self._room.count_refused(sum(_on_disk(path) for path in (folder / REFUSED).glob("*")))
        self._drop_refused()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let another agent use the folder."""
        self._lock.close()

    def put(self, reading: Reading) -> int:
        """Number the reading and keep it; returns its sequence.

        Raises `OutboxFull`, or `OSError` where the disk refuses.
        """
        sequence = self._next_sequence
        numbered = replace(reading, sequence=sequence)
        body = encode_batch(self._agent, self.host, self.stream, [numbered], self.facts)
        if not self._room.has(_blocks(len(body))):
            raise OutboxFull(f"{self.folder} holds the {(self._room.most_bytes or 0) >> 20} MB that it may")
        self._next_sequence += 1
        self._write_identity()
        path = self.folder / f"{sequence:020}.json"
        _write(path, body)
        self._room.count(_on_disk(path))
        return sequence

    def kept(self) -> list[Path]:
        """The readings not yet acknowledged, oldest first."""
        return sorted(path for path in self.folder.iterdir() if KEPT.fullmatch(path.name))

    def oldest(self, most: int, most_bytes: int) -> Batch | None:
        """The oldest readings that share an envelope, up to a number and a size; None where there is none.

        A file that cannot be read is passed over, and is in `unreadable`.
        """
        batch, size = None, 0
        self.unreadable = []
        for path in self.kept():
            if batch and len(batch.readings) >= most:
                break
            try:
                one = self._batch_of(path)
            except OSError:
                self.unreadable.append(path)
                continue
            if one is None:
                continue
            size += _size(path)
            if batch and size > most_bytes:
                break
            if batch is None:
                batch = one
            elif one.joins(batch):
                batch = replace(batch, readings=batch.readings + one.readings, files=batch.files + one.files)
            else:
                break
        return batch

    def acknowledge(self, batch: Batch, sequences: Iterable[int]) -> None:
        """Delete the readings of the batch that the console has answered for."""
        answered = set(sequences)
        for reading, path in zip(batch.readings, batch.files, strict=True):
            if reading.sequence in answered:
                freed = _on_disk(path)
                path.unlink()
                self._room.count(-freed)

    def set_aside(self, files: Iterable[Path], message: str) -> None:
        """Move readings to `refused/`, with the reason beside each; a full disk takes no reason."""
        refused = self.folder / REFUSED
        refused.mkdir(exist_ok=True)
        for path in files:
            with suppress(OSError):
                reason = refused / f"{path.stem}.txt"
                _write(reason, f"{message}\n".encode())
                self._room.count_refused(_on_disk(reason))
            moved = _on_disk(path)
            path.rename(refused / path.name)
            self._room.count(-moved)
            self._room.count_refused(moved)
        self._drop_refused()

    def _drop_refused(self) -> None:
        """Delete the oldest of what was refused until the rest is within its bound."""
        refused = sorted((self.folder / REFUSED).glob("*.json")) if self._room.has_too_much_refused() else []
        dropped = 0
        for path in refused:
            if not self._room.has_too_much_refused():
                break
            for one in (path, path.with_suffix(".txt")):
                freed = _on_disk(one)
                one.unlink(missing_ok=True)
                self._room.count_refused(-freed)
            dropped += 1
        if dropped:
            log.warning("%s holds what it may: the oldest %d were deleted", self.folder / REFUSED, dropped)

    def _batch_of(self, path: Path) -> Batch | None:
        """The batch of a file; None where it was damaged, and is set aside. Raises `OSError`."""
        try:
            envelope = decode_batch(path.read_bytes())
            readings = tuple(decode_reading(raw) for raw in envelope.readings)
        except (UnreadableBatch, UnreadableReading) as error:
            self.set_aside([path], f"damaged on this disk: {error}")
            return None
        files = (path,) * len(readings)
        return Batch(envelope.agent, envelope.host, envelope.stream, envelope.facts, readings, files)

    def _locked(self) -> IO[str]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / "lock").open("w")
        except OSError as error:
            raise OutboxUnusable(f"{self.folder}: {error.strerror}") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise OutboxUnusable(f"{self.folder}: another collector uses this outbox") from None
        return lock

    def _identity(self) -> tuple[str, int]:
        path = self.folder / "stream.json"
        if not path.exists():
            self.stream, self._next_sequence = secrets.token_hex(16), 1
            self._write_identity()
            return self.stream, 1
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            stream, sequence = fields["stream"], int(fields["next_sequence"])
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise OutboxUnusable(
                f"{path}: cannot be read ({error}); remove it to begin a new stream"
            ) from None
        if not STREAM.fullmatch(str(stream)):
            raise OutboxUnusable(
                f"{path}: stream is not 32 hexadecimal digits; remove it to begin a new stream"
            )
        return stream, sequence

    def _write_identity(self) -> None:
        fields = {"stream": self.stream, "next_sequence": self._next_sequence}
        _write(self.folder / "stream.json", json.dumps(fields).encode())


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and on the disk when this returns."""
    writing = path.with_name(f"{LEFT_OVER}{path.name}")
    try:
        with writing.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        writing.rename(path)
    except OSError:
        writing.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _on_disk(path: Path) -> int:
    """What a reading or a reason takes on the disk."""
    kept = path.suffix in (".json", ".txt") and path.name != "stream.json"
    try:
        return _blocks(path.stat().st_size) if kept else 0
    except OSError:
        return 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _blocks(size: int) -> int:
    return -(-size // BLOCK) * BLOCK
