"""Files between the look at them and their storing, of volumes, meters or machines; each is its sender's."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from console.domain.errors import NotFound
from console.store.models import contract as k

KEPT: Final = timedelta(days=7)  # how long a file waits for a decision


def keep_file(session: Session, content: bytes, *, account_id: int, now: datetime) -> int:
    """Keep a file until it is stored; its number."""
    row = k.VolumeFile(content=content, account_id=account_id, sent_at=now)
    session.add(row)
    session.flush()
    return row.file_id


def kept_file(session: Session, file_id: int | None, *, account_id: int) -> bytes:
    """The content of a file that waits; raises `NotFound` where it does not, or is somebody else's."""
    row = session.get(k.VolumeFile, file_id) if file_id is not None else None
    if row is None or row.account_id != account_id:
        raise NotFound("Ce fichier n'est plus gardé : envoyez-le à nouveau.")
    return row.content


def forget_file(session: Session, file_id: int | None) -> None:
    """Delete a file that is stored."""
    session.execute(delete(k.VolumeFile).where(k.VolumeFile.file_id == file_id))


def forget_old_files(session: Session, *, now: datetime) -> None:
    """Delete the files that waited too long."""
    session.execute(delete(k.VolumeFile).where(k.VolumeFile.sent_at <= now - KEPT))
