"""What rows of a CMDB are read against: machines of the fleet, adherents by each of their names, services.

It is read once for a whole file, and holds plain values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.domain import identifiers
from console.domain.cmdb_files import MachineRow
from console.domain.errors import Invalid
from console.domain.folding import fold
from console.store.models import catalogue as c
from console.store.models import directory as d
from console.store.models import measurement as m

BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)
SIREN_LENGTH: Final = 9


@dataclass(frozen=True, slots=True)
class Place:
    """A machine on a host; `last_hour` is when it ran there last."""

    host_id: int
    workload_id: int
    host: str
    name: str
    uid: str | None
    last_hour: datetime


@dataclass(frozen=True, slots=True)
class KnownAdherent:
    """An adherent, with the zone in which its days are told."""

    tenant_id: int
    name: str
    zone: str


@dataclass(slots=True)
class Known:
    """Hosts, machines by uid and by name, adherents and services by what they may be called."""

    hosts: dict[str, set[int]] = field(default_factory=dict)
    by_uid: dict[str, list[Place]] = field(default_factory=dict)
    by_name: dict[str, list[Place]] = field(default_factory=dict)
    adherents: dict[str, dict[int, KnownAdherent]] = field(default_factory=dict)
    services: dict[str, str] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)


class Unseen(Exception):
    """No host has told of the machine of a row."""


def known_of(session: Session) -> Known:
    """All of it; needs the operator's scope."""
    known = Known()
    _read_machines(session, known)
    _read_adherents(session, known)
    for service in session.scalars(select(c.Service)):
        for text in (service.code, service.name_fr, service.name_en):
            known.services.setdefault(fold(text), service.code)
    return known


def machine_of(known: Known, row: MachineRow) -> Place:
    """The machine of a row on the host it names, else on the one where it ran last; raises `Unseen`."""
    hosts = _hosts(known, row.host) if row.host else None
    found = known.by_uid.get(row.uid.lower(), []) if row.uid else []
    if not found and row.machine:
        found = known.by_name.get(fold(row.machine), [])
        if hosts is not None:
            found = [one for one in found if one.host_id in hosts]
        if row.uid:  # one with another uid is another machine of the same name
            found = [one for one in found if one.uid is None]
    if not found:
        raise Unseen
    machines = {(one.workload_id if one.uid else (one.host_id, one.workload_id)) for one in found}
    if len(machines) > 1:
        raise Invalid(
            "machine",
            "Plusieurs machines s'appellent %(name)s (%(hosts)s) : nommez l'hôte ou donnez l'uid.",
            name=row.machine,
            hosts=", ".join(sorted({one.host for one in found})),
        )
    here = [one for one in found if hosts is not None and one.host_id in hosts]
    return max(here or found, key=lambda one: one.last_hour)


def adherent_of(known: Known, text: str) -> KnownAdherent:
    """By its number here, its FINESS, that of a site of it, its SIREN or a SIRET, or its name."""
    bare = identifiers.SEPARATORS.sub("", text)
    found = known.adherents.get(bare) or known.adherents.get(fold(text)) or {}
    if not found and len(bare) == 14 and bare.isascii() and bare.isdigit():
        found = known.adherents.get(bare[:SIREN_LENGTH], {})
    if not found:
        raise Invalid(
            "adherent",
            "Aucun adhérent ne s'appelle « %(value)s » : son numéro, son FINESS, un SIRET ou son nom est "
            "attendu.",
            value=text[:80],
        )
    if len(found) > 1:
        raise Invalid(
            "adherent",
            "« %(value)s » est le nom de plusieurs adhérents (%(numbers)s) : donnez le numéro.",
            value=text[:80],
            numbers=", ".join(map(str, sorted(found))),
        )
    return next(iter(found.values()))


def _hosts(known: Known, name: str) -> set[int]:
    """The host of a name, with or without its domain."""
    text = name.strip().lower()
    found = known.hosts.get(text) or known.hosts.get(text.partition(".")[0], set())
    if len(found) != 1:
        raise Invalid("host", "L'hôte %(name)s n'est pas connu.", name=name[:80])
    return found


def _read_machines(session: Session, known: Known) -> None:
    for host_id, name in session.execute(select(m.Host.host_id, m.Host.name)):
        for text in {name.lower(), name.lower().partition(".")[0]}:
            known.hosts.setdefault(text, set()).add(host_id)
    workload = m.Workload
    columns = (workload.host_id, workload.workload_id, m.Host.name, workload.name, workload.uid)
    rows = session.execute(
        select(*columns, workload.last_hour)
        .join(m.Host, m.Host.host_id == workload.host_id)
        .where(workload.workload_id.not_in([m.IDLE_KEPT, m.UNATTRIBUTED]))
    )
    for host_id, workload_id, host, name, uid, last_hour in rows:
        place = Place(host_id, workload_id, host, name, uid, last_hour or BEGINNING)
        known.by_name.setdefault(fold(name), []).append(place)
        if uid is not None:
            known.by_uid.setdefault(uid.lower(), []).append(place)


def _read_adherents(session: Session, known: Known) -> None:
    of_entity: dict[str, KnownAdherent] = {}
    for row in session.scalars(select(c.Adherent)):
        adherent = KnownAdherent(row.tenant_id, row.name, row.zone)
        known.names[row.tenant_id] = row.name
        for text in (str(row.tenant_id), row.finess_ej, row.siren, row.folded_name):
            if text:
                known.adherents.setdefault(text, {})[row.tenant_id] = adherent
        if row.finess_ej:
            of_entity[row.finess_ej] = adherent
    site = d.DirectorySite
    sites = select(site.finess_et, site.siret, site.finess_ej).where(site.finess_ej.in_(of_entity))
    for finess_et, siret, finess_ej in session.execute(sites):
        for text in filter(None, (finess_et, siret)):
            known.adherents.setdefault(text, {})[of_entity[finess_ej].tenant_id] = of_entity[finess_ej]
