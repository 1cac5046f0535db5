"""Certificates, the services they name, and their files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from console.domain.certificates import Attestation, Framework, MediaType, Standing, Validity
from console.domain.errors import NotFound
from console.store.models import catalogue as c
from console.store.models import offer as o
from console.store.queries.service_names import ServiceName, name_of


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate without its file; `replaced_by` is the number of the one that follows it."""

    certificate_id: int
    framework: Framework
    name: str
    body: str
    number: str
    scope: str
    validity: Validity
    replaced_by: str | None
    media_type: MediaType
    size_bytes: int
    sha256: str
    uploaded_by: str
    uploaded_at: datetime
    services: Sequence[ServiceName]

    def standing(self, day: date) -> Standing:
        return self.validity.standing(day)

    def days_left(self, day: date) -> int:
        return self.validity.days_left(day)


@dataclass(frozen=True, slots=True)
class CertificateFile:
    """The file of a certificate as it was uploaded."""

    certificate_id: int
    framework: Framework
    media_type: MediaType
    content: bytes


def certificates(session: Session) -> list[Certificate]:
    """Every certificate, the last to end first; two statements."""
    return _found(session, _with_successor())


def certificates_of(session: Session, code: str) -> list[Certificate]:
    """The certificates that name a service, the last to end first."""
    named = select(o.CertifiedService.certificate_id).where(o.CertifiedService.service_code == code)
    return _found(session, _with_successor().where(o.Certificate.certificate_id.in_(named)))


def certificates_ending(session: Session, before: date) -> list[Certificate]:
    """Certificates whose last day is before a day, not withdrawn and replaced by none: ended ones too."""
    ending = _with_successor().where(o.Certificate.valid_to < before, o.Certificate.withdrawn_on.is_(None))
    return [found for found in _found(session, ending) if found.replaced_by is None]


def certificate_file(session: Session, certificate_id: int) -> CertificateFile:
    """The file of a certificate; raises `NotFound`."""
    row = session.execute(
        select(o.Certificate.framework, o.Certificate.media_type, o.Certificate.content).where(
            o.Certificate.certificate_id == certificate_id
        )
    ).one_or_none()
    if row is None:
        raise NotFound("Certificat introuvable.")
    return CertificateFile(certificate_id, row.framework, row.media_type, row.content)


def attestations(session: Session) -> list[Attestation]:
    """Every certificate as far as coverage goes."""
    return [
        Attestation(found.framework, found.validity, frozenset(one.code for one in found.services))
        for found in certificates(session)
    ]


def _with_successor() -> Select[o.Certificate, str | None]:
    later = aliased(o.Certificate)
    return (
        select(o.Certificate, later.number)
        .outerjoin(later, later.replaces_id == o.Certificate.certificate_id)
        .order_by(o.Certificate.valid_to.desc(), o.Certificate.certificate_id.desc())
    )


def _found(session: Session, wanted: Select[o.Certificate, str | None]) -> list[Certificate]:
    rows = session.execute(wanted).all()
    services = _covered(session, [row.certificate_id for row, _later in rows])
    return [
        Certificate(
            certificate_id=row.certificate_id,
            framework=row.framework,
            name=row.name,
            body=row.body,
            number=row.number,
            scope=row.scope,
            validity=Validity(row.valid_from, row.valid_to, row.withdrawn_on),
            replaced_by=later,
            media_type=row.media_type,
            size_bytes=row.size_bytes,
            sha256=row.sha256,
            uploaded_by=row.uploaded_by,
            uploaded_at=row.uploaded_at,
            services=services.get(row.certificate_id, []),
        )
        for row, later in rows
    ]


def _covered(session: Session, certificate_ids: Sequence[int]) -> dict[int, list[ServiceName]]:
    rows = session.execute(
        select(o.CertifiedService.certificate_id, c.Service)
        .join(c.Service, c.Service.code == o.CertifiedService.service_code)
        .where(o.CertifiedService.certificate_id.in_(certificate_ids))
        .order_by(c.Service.name_fr)
    )
    covered: dict[int, list[ServiceName]] = {}
    for certificate_id, row in rows:
        covered.setdefault(certificate_id, []).append(name_of(row))
    return covered
