"""Who is told of the status of an adherent by mail, and the telling: each incident and each work once.

    asked -> a mail with a link -> confirmed -> told -> left

Links are sealed texts: they say what they are for and for whom, and nothing is kept of them. A row for each
incident, and for each announcement, says what was told; who writes that row posts the mails with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from console.actions.delivering import Envelope, post
from console.actions.numbering import next_number
from console.actions.sealing import BrokenSeal, Seal
from console.actions.tenancy import hold_adherent
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.outages import Effect
from console.notify.channels.mail import is_address
from console.store.base import Base
from console.store.conditional import rows_touched
from console.store.models import catalogue as c
from console.store.models import watching as w
from console.store.queries import status as told_of
from console.store.queries.status import SUFFERS, Reader
from reports import status_mail
from reports.language import language
from reports.mail import Message

CONFIRM_WITHIN = timedelta(hours=72)
ASKED_AGAIN_AFTER = timedelta(minutes=10)
MOST = 100  # addresses of one adherent
STATUS = "status"
News = w.News


class Purpose(StrEnum):
    """What a link is for; it opens nothing else."""

    CONFIRM = "confirm"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Links:
    """The addresses that mails hold, made and read."""

    public_url: str
    seal: Seal

    def to(self, purpose: Purpose, tenant_id: int, number: int) -> str:
        """The link by which a reader confirms or leaves."""
        return (
            f"{self.public_url}/status/{purpose}/{self.seal.close(f'status {purpose} {tenant_id} {number}')}"
        )

    def page(self, tenant_id: int) -> str:
        """The page of the status, for those who may sign in."""
        return f"{self.public_url}/adherents/{tenant_id}/status"


@dataclass(frozen=True, slots=True)
class PostOffice:
    """How mails of a status leave, and the links that they hold; `domain` is the sender's."""

    domain: str
    links: Links


def read_link(seal: Seal, purpose: Purpose, token: str) -> tuple[int, int]:
    """The adherent and the number of the reader; raises `NotFound` for a link that opens nothing."""
    lasts = CONFIRM_WITHIN if purpose is Purpose.CONFIRM else None
    try:
        subject, meant, tenant_id, number = seal.open(token, lasts).split(" ")
        if (subject, meant) == (STATUS, purpose):
            return int(tenant_id), int(number)
    except (BrokenSeal, ValueError):
        pass
    raise NotFound("Ce lien n'ouvre rien : il est incomplet, ou trop ancien.")


def ask_reader(session: Session, tenant_id: int, email: str, locale: str, *, now: datetime, by: str) -> int:
    """Note an address that will be asked whether it wants to be told; the number of the reader."""
    hold_adherent(session, tenant_id)
    email = email.strip().lower()
    if not is_address(email):
        raise Invalid("email", "%(email)s n'est pas une adresse de messagerie.", email=email)
    known = select(w.StatusReader).where(
        w.StatusReader.tenant_id == tenant_id, w.StatusReader.ended_at.is_(None)
    )
    reader = session.scalars(known.where(w.StatusReader.email == email)).one_or_none()
    if reader is not None and reader.confirmed_at is not None:
        raise Conflict("%(email)s reçoit déjà l'état des services.", email=email)
    if reader is not None and now - reader.asked_at < ASKED_AGAIN_AFTER:
        raise Conflict("Un message vient de partir à %(email)s : attendez dix minutes.", email=email)
    if reader is None:
        if (session.scalar(select(func.count()).select_from(known.subquery())) or 0) >= MOST:
            raise Conflict("Un adhérent a %(most)s adresses au plus.", most=MOST)
        number = next_number(session, w.StatusReader.number, tenant_id)
        reader = w.StatusReader(tenant_id=tenant_id, number=number, email=email)
        session.add(reader)
    reader.locale, reader.asked_by, reader.asked_at = locale, by, now
    session.flush()
    return reader.number


def post_confirmation(
    session: Session, tenant_id: int, number: int, office: PostOffice, *, now: datetime
) -> None:
    """Post the mail that asks an address to confirm; nothing else is sent to it before it did."""
    reader = session.get_one(w.StatusReader, (tenant_id, number))
    name = session.get_one(c.Adherent, tenant_id).name
    link = office.links.to(Purpose.CONFIRM, tenant_id, number)
    hours = CONFIRM_WITHIN // timedelta(hours=1)
    text = status_mail.confirmation(name, link, hours, language(reader.locale))
    post(session, Envelope("mail", (reader.email,), office.domain), text, STATUS, now=now)


def confirm_reader(session: Session, tenant_id: int, number: int, *, now: datetime) -> None:
    """The address wants to be told; done again it changes nothing."""
    reader = _reader(session, tenant_id, number)
    if reader.ended_at is not None:
        raise Conflict("Cet abonnement a pris fin : demandez-en un autre.")
    reader.confirmed_at = reader.confirmed_at or now


def end_reader(session: Session, tenant_id: int, number: int, *, now: datetime) -> None:
    """The address is told nothing more; done again it changes nothing."""
    reader = _reader(session, tenant_id, number)
    reader.ended_at = reader.ended_at or now


def tell_incident(session: Session, tenant_id: int, number: int, office: PostOffice, *, now: datetime) -> int:
    """Tell that an incident began, does another thing or is over, where that was not told; how many mails."""
    incident = told_of.told_incident(session, tenant_id, number)
    notice = session.get(w.IncidentNotice, (tenant_id, number))
    was = None if notice is None else notice.effect
    if notice is None:
        row = w.IncidentNotice(tenant_id=tenant_id, incident=number, effect=incident.stands, told_at=now)
        is_ours = incident.is_told_of and _was_first(session, row)
    else:
        is_ours = was is not incident.stands and _turned(session, notice, incident.stands, now)
    if not is_ours:
        return 0
    readers = told_of.confirmed_readers(session, tenant_id)

    def written(reader: Reader, told: status_mail.Told) -> Message:
        tongue = language(reader.locale)
        trouble = status_mail.Trouble(
            number=number,
            title=incident.title,
            service=incident.service.name(reader.locale),
            effect=incident.suffered,
            was=was if was in SUFFERS else None,
            began_at=incident.opened_at,
            ended_at=(incident.resolved_at or now) if incident.stands is Effect.NONE else None,
        )
        return status_mail.trouble(told, trouble, tongue)

    return _post_to(session, tenant_id, readers, written, office, now)


def tell_work(
    session: Session, tenant_id: int, news: told_of.WorkNews, office: PostOffice, *, now: datetime
) -> int:
    """Tell of planned work that was announced or cancelled at an instant, once; how many mails."""
    row = w.WorkNotice(
        tenant_id=tenant_id, maintenance_id=news.maintenance_id, news=news.news, at=news.at, told_at=now
    )
    if not _was_first(session, row):
        return 0
    work = told_of.told_work(session, tenant_id, news, now=now)

    def written(reader: Reader, told: status_mail.Told) -> Message:
        letter = status_mail.Work(
            title=work.title,
            services=[service.name(reader.locale) for service in work.services],
            effect=work.effect,
            dates=work.dates,
            is_cancelled=news.news is News.CANCELLED,
        )
        return status_mail.planned(told, letter, language(reader.locale))

    return _post_to(session, tenant_id, told_of.confirmed_readers(session, tenant_id), written, office, now)


def _post_to(
    session: Session,
    tenant_id: int,
    readers: Sequence[Reader],
    written: Callable[[Reader, status_mail.Told], Message],
    office: PostOffice,
    now: datetime,
) -> int:
    """A mail to each reader, with the link by which that one leaves."""
    adherent = session.get_one(c.Adherent, tenant_id)
    for reader in readers:
        told = status_mail.Told(
            adherent=adherent.name,
            zone=adherent.zone,
            page=office.links.page(tenant_id),
            leave=office.links.to(Purpose.LEAVE, tenant_id, reader.number),
        )
        envelope = Envelope("mail", (reader.email,), office.domain, told.leave)
        post(session, envelope, written(reader, told), STATUS, now=now)
    return len(readers)


def _was_first(session: Session, row: Base) -> bool:
    """Whether this process wrote the row; another one may have."""
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True


def _turned(session: Session, notice: w.IncidentNotice, effect: Effect, now: datetime) -> bool:
    as_seen = (
        w.IncidentNotice.tenant_id == notice.tenant_id,
        w.IncidentNotice.incident == notice.incident,
        w.IncidentNotice.effect == notice.effect,
    )
    change = update(w.IncidentNotice).where(*as_seen).values(effect=effect, told_at=now)
    return rows_touched(session, change) == 1


def _reader(session: Session, tenant_id: int, number: int) -> w.StatusReader:
    reader = session.get(w.StatusReader, (tenant_id, number))
    if reader is None:
        raise NotFound("Cet abonnement n'existe pas.")
    return reader
