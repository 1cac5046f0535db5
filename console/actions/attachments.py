"""Files that people join to an incident, kept in the database with their hash; redacted, never replaced."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.actions.incident_clocks import hold_incident
from console.actions.numbering import next_number
from console.domain.attachments import check_file, safe_name
from console.domain.clock import Phase
from console.domain.errors import Conflict, NotFound
from console.store.models import incident as i


def attach(
    session: Session,
    tenant_id: int,
    number: int,
    name: str,
    content: bytes,
    *,
    shared: bool,
    now: datetime,
    by: str,
) -> int:
    """Join a file to an incident that is not closed; its number within the incident.

    Raises `Conflict` where the incident holds the same file already: a form that was sent twice.
    """
    incident = hold_incident(session, tenant_id, number)
    if incident.phase == Phase.CLOSED:
        raise Conflict("Un incident clos ne reçoit plus de fichier.")
    kept = i.Attachment
    of_incident = (kept.tenant_id == tenant_id, kept.incident == number, kept.redacted_at.is_(None))
    held_bytes = session.scalar(select(func.coalesce(func.sum(kept.size_bytes), 0)).where(*of_incident))
    kind, sha256 = check_file(content, int(held_bytes or 0)), hashlib.sha256(content).hexdigest()
    if session.scalar(select(kept.number).where(*of_incident, kept.sha256 == sha256).limit(1)) is not None:
        raise Conflict("Ce fichier est déjà joint à cet incident.")
    attachment = kept(
        tenant_id=tenant_id,
        incident=number,
        number=next_number(session, kept.number, tenant_id, kept.incident == number),
        name=safe_name(name, kind),
        kind=kind,
        size_bytes=len(content),
        sha256=sha256,
        content=content,
        is_shared=shared,
        added_by=by,
        added_at=now,
    )
    session.add(attachment)
    session.flush()
    return attachment.number


def redact_attachment(
    session: Session, tenant_id: int, number: int, attachment: int, *, now: datetime, by: str
) -> None:
    """Take the content and the name of a file away for good; that there was one, and its hash, stay."""
    hold_incident(session, tenant_id, number)
    row = session.get(i.Attachment, (tenant_id, number, attachment))
    if row is None:
        raise NotFound("Fichier introuvable.")
    if row.redacted_at is not None:
        raise Conflict("Ce fichier est déjà caviardé.")
    row.name, row.content, row.redacted_at, row.redacted_by = "", b"", now, by
