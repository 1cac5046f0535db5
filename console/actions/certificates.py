"""Certificates: uploaded by a person with their file, replaced by another, withdrawn; never overwritten."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.services import hold_catalogue
from console.domain.certificates import Framework, Validity, check_file, check_validity
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.free_text import one_line, several_lines
from console.store.models import catalogue as c
from console.store.models import offer as o


@dataclass(frozen=True, slots=True)
class Wording:
    """What a certificate says of itself."""

    framework: Framework
    name: str
    body: str
    number: str
    scope: str
    validity: Validity


def add_certificate(
    session: Session,
    wording: Wording,
    services: Iterable[str],
    content: bytes,
    *,
    replaces: int | None = None,
    now: datetime,
    by: str,
) -> int:
    """Keep a certificate and its file, which `replaces` another or none; its number.

    Raises `Conflict` where the same file was kept under the same number, or the other is replaced already.
    """
    hold_catalogue(session)
    media_type, sha256 = check_file(content), hashlib.sha256(content).hexdigest()
    check_validity(wording.validity)
    named = _known_services(session, services)
    number = one_line(wording.number, "number")
    _refuse_twin(session, wording.framework, number, sha256)
    _refuse_second_successor(session, replaces)
    scope = several_lines(wording.scope, "scope")
    if not scope:
        raise Invalid("scope", "Le périmètre est ce que le certificat couvre : recopiez-le.")
    certificate = o.Certificate(
        framework=wording.framework,
        name=one_line(wording.name, "name"),
        body=one_line(wording.body, "body"),
        number=number,
        scope=scope,
        valid_from=wording.validity.valid_from,
        valid_to=wording.validity.valid_to,
        replaces_id=replaces,
        content=content,
        media_type=media_type,
        size_bytes=len(content),
        sha256=sha256,
        uploaded_by=by,
        uploaded_at=now,
    )
    session.add(certificate)
    session.flush()
    session.add_all(
        o.CertifiedService(certificate_id=certificate.certificate_id, service_code=code) for code in named
    )
    return certificate.certificate_id


def withdraw_certificate(session: Session, certificate_id: int, *, withdrawn_on: date) -> None:
    """Say that a certificate attests nothing from a day on: suspended by its body, or uploaded by mistake."""
    hold_catalogue(session)
    certificate = certificate_of(session, certificate_id)
    if certificate.withdrawn_on is not None:
        raise Conflict("Ce certificat est déjà retiré.")
    check_validity(Validity(certificate.valid_from, certificate.valid_to, withdrawn_on))
    certificate.withdrawn_on = withdrawn_on


def certificate_of(session: Session, certificate_id: int) -> o.Certificate:
    """A certificate; raises `NotFound`."""
    certificate = session.get(o.Certificate, certificate_id)
    if certificate is None:
        raise NotFound("Certificat introuvable.")
    return certificate


def _known_services(session: Session, services: Iterable[str]) -> list[str]:
    asked = set(services)
    known = session.scalars(select(c.Service.code).where(c.Service.code.in_(asked)).order_by(c.Service.code))
    named = list(known)
    if not named or len(named) < len(asked):
        raise Invalid("services", "Choisissez au moins un service du catalogue.")
    return named


def _refuse_twin(session: Session, framework: Framework, number: str, sha256: str) -> None:
    certificate = o.Certificate
    twin = select(certificate.certificate_id).where(
        certificate.framework == framework, certificate.number == number, certificate.sha256 == sha256
    )
    if session.scalar(twin) is not None:
        raise Conflict("Ce fichier est déjà gardé pour le certificat %(number)s.", number=number)


def _refuse_second_successor(session: Session, replaces: int | None) -> None:
    if replaces is None:
        return
    if session.get(o.Certificate, replaces) is None:
        raise Invalid("replaces", "Un choix de la liste est attendu.")
    later = select(o.Certificate.number).where(o.Certificate.replaces_id == replaces)
    if (number := session.scalar(later)) is not None:
        raise Conflict("Ce certificat est déjà remplacé par le %(number)s.", number=number)
