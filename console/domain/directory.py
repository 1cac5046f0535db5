"""The national directory: legal entities, their sites, the hospital groups (GHT) and who is in them.

A file says some facts of its records and leaves others out; `Listing.says` tells them apart, so that what a
file does not know never erases what is known. An empty cell says nothing either, but of the facts of
`Listing.states`, whose absence a published format tells too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo

from console.domain.adherents import Sector
from console.domain.errors import Invalid

MAINLAND = "Europe/Paris"
ZONES: Mapping[str, str] = {
    "9A": "America/Guadeloupe",
    "9B": "America/Martinique",
    "9C": "America/Cayenne",
    "9D": "Indian/Reunion",
    "9E": "America/Miquelon",
    "9F": "Indian/Mayotte",
    "9J": "Pacific/Wallis",
}
PUBLIC_STATUSES = range(1, 30)  # the State and its bodies, local authorities, public establishments
NON_PROFIT_STATUSES = {*range(40, 67), 89}  # social security, mutual societies, associations, foundations
PRIVATE_STATUSES = range(70, 100)  # persons and companies


class Kind(StrEnum):
    """What the records of a file are."""

    LEGAL_ENTITIES = "legal_entities"
    SITES = "sites"
    GROUPS = "groups"
    MEMBERSHIPS = "memberships"


class GroupRole(StrEnum):
    """What a legal entity is in its group: the support establishment, of which there is one, or a member."""

    SUPPORT = "support"
    MEMBER = "member"


@dataclass(frozen=True, slots=True)
class LegalEntity:
    """A body that runs sites."""

    finess_ej: str
    name: str
    long_name: str | None = None
    siren: str | None = None
    legal_status: str | None = None
    category: str | None = None
    department: str | None = None
    town: str | None = None
    address: str | None = None
    closed: bool = False
    closed_on: date | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """A place; `siret` is None where the file gives only the SIREN of its legal entity."""

    finess_et: str
    finess_ej: str
    name: str
    department: str
    town: str
    long_name: str | None = None
    siret: str | None = None
    siren: str | None = None
    category: str | None = None
    legal_status: str | None = None
    address: str | None = None
    opened_on: date | None = None
    closed: bool = False
    closed_on: date | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A hospital group of its territory (GHT)."""

    code: str
    name: str
    short_name: str | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """A legal entity in a group, from its first day up to `valid_to`, which is not in it any more."""

    ght_code: str
    finess_ej: str
    role: GroupRole
    valid_from: date | None = None  # None: the file does not say it
    valid_to: date | None = None


Record = LegalEntity | Site | Group | Membership


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was left out: the line of the file it starts on, and why."""

    line: int
    error: Invalid


@dataclass(frozen=True, slots=True)
class Repair:
    """A cell that a spreadsheet damaged and that was put right; nothing after: its value stays unknown."""

    line: int
    field: str
    before: str
    after: str | None


@dataclass(frozen=True, slots=True)
class Listing:
    """What a file holds: its records by their key, what it says of them, and what was wrong with its rows.

    `lines` are those of the records in the file; `states` are facts of which it would give each there is: a
    body without a day of closing is open.
    """

    kind: Kind
    source: str
    as_of: date
    says: frozenset[str]
    records: Mapping[str, Record]
    lines: Mapping[str, int]
    refusals: Sequence[Refusal]
    repairs: Sequence[Repair]
    states: Collection[str] = frozenset()


def key_of(record: Record) -> str:
    """What names a record in its directory."""
    match record:
        case LegalEntity():
            return record.finess_ej
        case Site():
            return record.finess_et
        case Group():
            return record.code
        case Membership():
            return f"{record.ght_code} {record.finess_ej}"


def sector_of(legal_status: str | None) -> Sector | None:
    """Whose a body is by the two digits of its legal status (FINESS); None where it is unknown."""
    if legal_status is None or not legal_status.isdigit():
        return None
    status = int(legal_status)
    if status in PUBLIC_STATUSES:
        return Sector.PUBLIC
    if status in NON_PROFIT_STATUSES:
        return Sector.NON_PROFIT
    return Sector.PRIVATE if status in PRIVATE_STATUSES else None


def zone_of(department: str) -> ZoneInfo:
    """The zone of a department; raises `Invalid` for an overseas one that is not known here."""
    if department[0] == "9" and department[1:].isalpha():
        if department not in ZONES:
            raise Invalid(
                "department",
                "Le fuseau du département %(department)s n'est pas connu (connus : %(known)s).",
                department=department,
                known=", ".join(ZONES),
            )
        return ZoneInfo(ZONES[department])
    return ZoneInfo(MAINLAND)
