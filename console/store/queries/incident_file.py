"""What is kept of an incident beside its clocks: its timeline, sites, files and review."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, undefer

from console.domain.attachments import FileKind
from console.domain.errors import NotFound
from console.store.models import catalogue as c
from console.store.models import directory as d
from console.store.models import follow_up as f
from console.store.models import incident as i
from console.store.models import tenant as t
from console.store.queries.paging import PAGE, PageOf


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of the log: an event, or a change from what it `was` to a `value`."""

    kind: str
    was: str | None
    value: str | None
    at: datetime
    by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody wrote; its text is empty once it is redacted."""

    number: int
    text: str
    is_shared: bool
    at: datetime
    by: str
    redacted_at: datetime | None
    redacted_by: str | None


@dataclass(frozen=True, slots=True)
class File:
    """A file, without its content; its name is empty once it is redacted."""

    number: int
    name: str
    kind: FileKind
    size_bytes: int
    sha256: str
    is_shared: bool
    at: datetime
    by: str
    redacted_at: datetime | None
    redacted_by: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """Something of the timeline, of which one is told: a line of the log, a comment or a file."""

    at: datetime
    by: str
    line: LogLine | None = None
    comment: Comment | None = None
    file: File | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A site that may be touched: `code` names it in a form."""

    code: str
    name: str
    town: str


@dataclass(frozen=True, slots=True)
class Touched:
    """Another subscription that an incident touches."""

    subscription: int
    service_fr: str
    service_en: str


@dataclass(frozen=True, slots=True)
class Review:
    """What was learnt; `version` is what a form was filled in from."""

    cause: str
    done: str
    written_by: str
    written_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class Action:
    """What somebody of the operator does until a day; `is_done` says how it was settled."""

    tenant_id: int
    adherent: str
    incident: int
    incident_title: str
    number: int
    title: str
    in_charge: str
    due_on: date
    is_done: bool
    settled_at: datetime | None
    settled_by: str | None


@dataclass(frozen=True, slots=True)
class Content:
    """A file with its content."""

    name: str
    kind: FileKind
    content: bytes


def timeline(session: Session, tenant_id: int, number: int, *, internal: bool) -> list[Entry]:
    """All that happened to an incident, the latest first; without `internal`, what the adherent may read."""
    lines, comments, files = (
        _log(session, tenant_id, number),
        _comments(session, tenant_id, number, internal),
        files_of(session, tenant_id, number, internal=internal),
    )
    entries = [
        *(Entry(line.at, line.by, line=line) for line in lines),
        *(Entry(comment.at, comment.by, comment=comment) for comment in comments),
        *(Entry(file.at, file.by, file=file) for file in files),
    ]
    entries.sort(key=lambda entry: entry.at)  # what was recorded first is first where the times are the same
    return entries[::-1]


def files_of(session: Session, tenant_id: int, number: int, *, internal: bool) -> list[File]:
    """The files of an incident, in the order in which they were joined."""
    kept = i.Attachment
    rows = session.scalars(
        select(kept)
        .where(kept.tenant_id == tenant_id, kept.incident == number, *_readable(kept, internal))
        .order_by(kept.number)
    )
    return [
        File(
            number=row.number,
            name=row.name,
            kind=row.kind,
            size_bytes=row.size_bytes,
            sha256=row.sha256,
            is_shared=row.is_shared,
            at=row.added_at,
            by=row.added_by,
            redacted_at=row.redacted_at,
            redacted_by=row.redacted_by,
        )
        for row in rows
    ]


def file_content(session: Session, tenant_id: int, number: int, file: int, *, internal: bool) -> Content:
    """A file to send; raises `NotFound`, also for one that is redacted, or not for the one who asks."""
    kept = i.Attachment
    row = session.scalars(
        select(kept)
        .options(undefer(kept.content))
        .where(
            kept.tenant_id == tenant_id,
            kept.incident == number,
            kept.number == file,
            kept.redacted_at.is_(None),
            *_readable(kept, internal),
        )
    ).one_or_none()
    if row is None:
        raise NotFound("Fichier introuvable.")
    return Content(row.name, row.kind, row.content)


def touched_services(session: Session, tenant_id: int, number: int) -> list[Touched]:
    """The other subscriptions that an incident touches."""
    touched = t.TouchedService
    rows = session.execute(
        select(touched.subscription, c.Service.name_fr, c.Service.name_en)
        .join(
            t.Subscription,
            (t.Subscription.tenant_id == touched.tenant_id) & (t.Subscription.number == touched.subscription),
        )
        .join(c.Service, c.Service.code == t.Subscription.service_code)
        .where(touched.tenant_id == tenant_id, touched.incident == number)
        .order_by(touched.subscription)
    )
    return [Touched(*row) for row in rows]


def touched_sites(session: Session, tenant_id: int, number: int) -> list[Place]:
    """The places that an incident touches."""
    touched, own, listed = i.TouchedSite, f.OwnSite, d.DirectorySite
    rows = session.execute(
        select(touched, own, listed)
        .outerjoin(own, (own.tenant_id == touched.tenant_id) & (own.number == touched.own_site))
        .outerjoin(listed, listed.finess_et == touched.finess_et)
        .where(touched.tenant_id == tenant_id, touched.incident == number)
        .order_by(touched.position)
    )
    return [_own(one) if one is not None else _listed(other) for _row, one, other in rows]


def places_of(session: Session, tenant_id: int) -> list[Place]:
    """The places of an adherent that an incident may touch: those of the directory, then its own."""
    adherent = session.scalars(select(c.Adherent).where(c.Adherent.tenant_id == tenant_id)).one_or_none()
    if adherent is None:
        raise NotFound("Adhérent introuvable.")
    own, listed = f.OwnSite, d.DirectorySite
    ours = session.scalars(
        select(own).where(own.tenant_id == tenant_id, own.ended_on.is_(None)).order_by(own.name)
    )
    theirs = session.scalars(
        select(listed)
        .where(listed.finess_ej == adherent.finess_ej, listed.closed.is_(False))
        .order_by(listed.folded_name)
    )
    return [*map(_listed, theirs), *map(_own, ours)]


def review_of(session: Session, tenant_id: int, number: int) -> Review | None:
    """The review of an incident, None while nobody wrote it."""
    row = session.get(i.Review, (tenant_id, number))
    return None if row is None else Review(row.cause, row.done, row.written_by, row.written_at, row.version)


def actions_of(session: Session, tenant_id: int, number: int) -> list[Action]:
    """The actions of the review of an incident, in the order in which they are due."""
    action = i.ReviewAction
    return _actions(session, action.tenant_id == tenant_id, action.incident == number)


def open_actions(session: Session, *, page: int) -> PageOf[Action]:
    """The actions that are not settled, of all incidents in scope, the first due first."""
    is_open = i.ReviewAction.settled_at.is_(None)
    total = session.scalar(select(func.count()).select_from(i.ReviewAction).where(is_open)) or 0
    page = min(page, max(1, -(-total // PAGE)))
    rows = _actions(session, is_open, limit=PAGE, offset=(page - 1) * PAGE)
    return PageOf(rows=rows, total=total, page=page)


def _log(session: Session, tenant_id: int, number: int) -> list[LogLine]:
    line = t.IncidentEvent
    rows = session.scalars(
        select(line)
        .where(line.tenant_id == tenant_id, line.incident == number)
        .order_by(line.at, line.position)
    )
    return [LogLine(row.kind, row.was, row.value, row.at, row.recorded_by, row.recorded_at) for row in rows]


def _comments(session: Session, tenant_id: int, number: int, internal: bool) -> list[Comment]:
    comment = i.Comment
    rows = session.scalars(
        select(comment)
        .where(comment.tenant_id == tenant_id, comment.incident == number, *_readable(comment, internal))
        .order_by(comment.number)
    )
    return [
        Comment(
            number=row.number,
            text=row.text,
            is_shared=row.is_shared,
            at=row.written_at,
            by=row.written_by,
            redacted_at=row.redacted_at,
            redacted_by=row.redacted_by,
        )
        for row in rows
    ]


def _readable(model: type[i.Comment | i.Attachment], internal: bool) -> list[ColumnElement[bool]]:
    return [] if internal else [model.is_shared.is_(True)]


def _actions(session: Session, *where: Any, limit: int | None = None, offset: int = 0) -> list[Action]:
    action = i.ReviewAction
    rows = session.execute(
        select(action, c.Adherent.name, t.Incident.title)
        .join(c.Adherent, c.Adherent.tenant_id == action.tenant_id)
        .join(t.Incident, (t.Incident.tenant_id == action.tenant_id) & (t.Incident.number == action.incident))
        .where(*where)
        .order_by(action.due_on, action.tenant_id, action.incident, action.number)
        .limit(limit)
        .offset(offset)
    )
    return [
        Action(
            tenant_id=row.tenant_id,
            adherent=adherent,
            incident=row.incident,
            incident_title=title,
            number=row.number,
            title=row.title,
            in_charge=row.in_charge,
            due_on=row.due_on,
            is_done=row.is_done,
            settled_at=row.settled_at,
            settled_by=row.settled_by,
        )
        for row, adherent, title in rows
    ]


def _own(site: f.OwnSite) -> Place:
    return Place(f"own-{site.number}", site.name, site.town)


def _listed(site: d.DirectorySite) -> Place:
    return Place(site.finess_et, site.name, site.town)
