"""Certificates of services: what their file is, and which services they cover on a day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from console.domain.errors import Invalid

LARGEST_FILE = 5 * 1024 * 1024  # bytes
ENDS_SOON_DAYS = 90


class Framework(StrEnum):
    """What a certificate attests conformity to."""

    HDS = "hds"
    ISO_27001 = "iso_27001"
    SECNUMCLOUD = "secnumcloud"
    OTHER = "other"


class MediaType(StrEnum):
    """What the file of a certificate may be."""

    PDF = "application/pdf"
    PNG = "image/png"
    JPEG = "image/jpeg"

    @property
    def extension(self) -> str:
        return self.name.lower()


SIGNATURES = {
    b"%PDF-": MediaType.PDF,
    b"\x89PNG\r\n\x1a\n": MediaType.PNG,
    b"\xff\xd8\xff": MediaType.JPEG,
}


class Standing(StrEnum):
    """Where a certificate is on a day."""

    COMING = "coming"
    VALID = "valid"
    ENDS_SOON = "ends_soon"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Validity:
    """From a day to another, both included; from `withdrawn_on` on it attests nothing."""

    valid_from: date
    valid_to: date
    withdrawn_on: date | None = None

    def holds_on(self, day: date) -> bool:
        withdrawn = self.withdrawn_on is not None and self.withdrawn_on <= day
        return self.valid_from <= day <= self.valid_to and not withdrawn

    def standing(self, day: date) -> Standing:
        if self.withdrawn_on is not None and self.withdrawn_on <= day:
            return Standing.WITHDRAWN
        if day < self.valid_from:
            return Standing.COMING
        if day > self.valid_to:
            return Standing.ENDED
        return Standing.ENDS_SOON if self.days_left(day) <= ENDS_SOON_DAYS else Standing.VALID

    def days_left(self, day: date) -> int:
        """Days after this one on which the certificate still holds; negative once it has ended."""
        return (self.valid_to - day).days


@dataclass(frozen=True, slots=True)
class Attestation:
    """A certificate as far as coverage goes: its framework, its days and the services it names."""

    framework: Framework
    validity: Validity
    services: frozenset[str]


def certified(attestations: Iterable[Attestation], framework: Framework, day: date) -> frozenset[str]:
    """The services that some certificate of a framework covers on a day."""
    held = (a.services for a in attestations if a.framework is framework and a.validity.holds_on(day))
    return frozenset().union(*held)


def media_type_of(content: bytes) -> MediaType:
    """What a file is by its first bytes, whatever its name says; raises `Invalid` for anything else."""
    for signature, media_type in SIGNATURES.items():
        if content.startswith(signature):
            return media_type
    raise Invalid("file", "Le fichier d'un certificat est un PDF, un PNG ou un JPEG.")


def check_file(content: bytes) -> MediaType:
    """The kind of a file that may be kept."""
    if not content:
        raise Invalid("file", "Choisissez le fichier du certificat : il est vide ou absent.")
    if len(content) > LARGEST_FILE:
        raise Invalid("file", "Le fichier d'un certificat pèse au plus 5 Mio.")
    return media_type_of(content)


def check_validity(validity: Validity) -> None:
    """Refuse days that do not follow each other."""
    if validity.valid_to < validity.valid_from:
        raise Invalid("valid_to", "Un certificat finit après son début.")
    if validity.withdrawn_on is not None and validity.withdrawn_on < validity.valid_from:
        raise Invalid("withdrawn_on", "Un certificat n'est pas retiré avant son début.")
