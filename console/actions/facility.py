"""What a site measures, states and buys, taken in: meters by file or form, a PUE, contracts of power."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.actions.facility_due import contracts_changed, measures_changed, pue_changed, site_came
from console.domain.claims import OPERATOR_TENANT
from console.domain.countries import alpha2, grid_zone
from console.domain.errors import Invalid, NotFound
from console.domain.facility import (
    Contract,
    DeclaredPue,
    check_category,
    check_contract,
    check_pue,
    check_zone,
)
from console.domain.facility_files import Defaults, FacilityFile, read_facility
from console.domain.free_text import one_line, several_lines
from console.domain.site_judging import Judged, Told, Verdict, judge
from console.domain.site_measures import Measure, shown
from console.domain.tables import RefusedRow, every_refusal
from console.store.audit import record
from console.store.models import site as s
from console.store.queries.sites import contract_of, measure_of
from console.store.upsert import upsert

CODE: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])")
TAKEN: Final = frozenset({"new"})  # by an address
NOTED_AT_ONCE: Final = 500  # corrections of one entry of the log
AROUND: Final = timedelta(days=400)  # a year's reading may reach over what is told


@dataclass(frozen=True, slots=True)
class Looked:
    """What a file would change: its measures with their fates, and the rows that cannot be read."""

    file: FacilityFile
    judged: Sequence[Judged]

    @property
    def to_store(self) -> int:
        return sum(one.to_store for one in self.judged)

    def counts(self) -> Counter[Verdict]:
        """How many of each fate; a row that cannot be read is refused."""
        found = Counter(one.verdict for one in self.judged)
        found[Verdict.REFUSED] += len(self.file.refusals)
        return found

    def refused(self) -> list[RefusedRow]:
        """Every refusal in the order of the file."""
        return every_refusal(self.file.refusals, ((one.told.line, one.refusal) for one in self.judged))


def site_called(session: Session, text: str) -> s.Site:
    """A site by its code or its name; raises `Invalid` naming those there are."""
    sites = session.scalars(select(s.Site).order_by(s.Site.code)).all()
    wanted = text.strip().casefold()
    found = next((one for one in sites if wanted in (one.code.casefold(), one.name.casefold())), None)
    if found is None:
        raise Invalid(
            "site",
            "« %(value)s » n'est pas l'un de : %(choices)s.",
            value=text[:80],
            choices=", ".join(f"{one.code} ({one.name})" for one in sites),
        )
    return found


def add_site(
    session: Session, code: str, name: str, zone: str, country: str, grid: str, *, now: datetime
) -> str:
    """Write a data centre down; its code. The grid is its country where none is told.

    Hosts may have named it before it was known: their months are reckoned again.
    """
    if not CODE.fullmatch(code) or code in TAKEN:
        raise Invalid(
            "code", "De 2 à 32 lettres minuscules, chiffres ou tirets sont attendus ; par exemple tls."
        )
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise Invalid(
            "zone", "Le fuseau %(name)s n'existe pas ; par exemple Europe/Paris.", name=zone[:80]
        ) from None
    if session.get(s.Site, code) is not None:
        raise Invalid("code", "Ce code est déjà celui d'un centre de données.")
    site = s.Site(
        code=code,
        name=one_line(name, "name"),
        zone=zone,
        country=alpha2(country),
        grid_zone=grid_zone(grid or country, "grid_zone"),
    )
    session.add(site)
    session.flush()
    site_came(session, code, now=now)
    return code


def look_at(session: Session, site: s.Site, content: bytes, defaults: Defaults, *, now: datetime) -> Looked:
    """What storing a file of meters would do; raises `Invalid` for a file that is none."""
    file = read_facility(content, ZoneInfo(site.zone), now=now, defaults=defaults)
    return Looked(file, judge(file.told, _known(session, site.code, file.told)))


def store_file(
    session: Session, site: s.Site, content: bytes, defaults: Defaults, *, now: datetime, by: str
) -> Looked:
    """Store what of a file is new or corrects, beside what it refuses; repeated, it changes nothing."""
    hold_site(session, site.code)
    looked = look_at(session, site, content, defaults, now=now)
    _store(session, site.code, looked.judged, now, by)
    return looked


def note_import(session: Session, site: s.Site, file_name: str, looked: Looked) -> None:
    """Write down, with the transaction, that a file of meters came in."""
    counts = looked.counts()
    facts = {
        "measures_new": counts[Verdict.NEW],
        "measures_changed": counts[Verdict.CHANGED],
        "measures_unchanged": counts[Verdict.UNCHANGED],
        "rows_refused": counts[Verdict.REFUSED],
    }
    record(session, OPERATOR_TENANT, "site.imported", f"{site.code}/{file_name}"[:200], facts)


def record_measure(session: Session, code: str, measure: Measure, *, now: datetime, by: str) -> bool:
    """Store one measure of a site, or correct it; False where it is stored already."""
    hold_site(session, code)
    check_category(measure.quantity, measure.category)
    check_zone(measure.quantity, measure.meter)
    if measure.ended_at > now:
        raise Invalid("end", "Cette période n'est pas finie.")
    told = [Told(0, measure)]
    (judged,) = judge(told, _known(session, code, told))
    if judged.refusal is not None:
        raise judged.refusal
    _store(session, code, [judged], now, by)
    return judged.to_store


def declare_pue(session: Session, code: str, declared: DeclaredPue, *, now: datetime, by: str) -> None:
    """State a PUE from its day on; that of the same day is corrected, earlier ones stay as they were."""
    hold_site(session, code)
    check_pue(declared)
    row = session.get(s.SitePue, (code, declared.valid_from))
    if row is None:
        row = s.SitePue(site=code, valid_from=declared.valid_from)
        session.add(row)
    row.pue_ppm, row.category = declared.pue_ppm, declared.category
    row.window_from, row.window_to = declared.window_from, declared.window_to
    row.is_provisional = declared.provisional
    row.note = several_lines(declared.note, "note")
    row.recorded_by, row.recorded_at = by, now
    session.flush()
    pue_changed(session, code, declared.valid_from, now=now)


def add_contract(session: Session, code: str, contract: Contract, *, now: datetime, by: str) -> int:
    """Write a contract down; its number. Raises where the contracts of a day would pass 100 %."""
    hold_site(session, code)
    check_contract(contract, _other_contracts(session, code, None))
    last = session.scalar(select(func.max(s.PowerContract.number)).where(s.PowerContract.site == code))
    row = s.PowerContract(site=code, number=(last or 0) + 1)
    session.add(_written(row, contract, now, by))
    session.flush()
    contracts_changed(session, code, contract.valid_from, now=now)
    return row.number


def correct_contract(
    session: Session, code: str, number: int, contract: Contract, *, now: datetime, by: str
) -> None:
    """Put what a contract says right; the audit log keeps what it said before."""
    hold_site(session, code)
    row = _contract(session, code, number)
    check_contract(contract, _other_contracts(session, code, number))
    first_day = min(row.valid_from, contract.valid_from)
    _written(row, contract, now, by)
    session.flush()
    contracts_changed(session, code, first_day, now=now)


def end_contract(session: Session, code: str, number: int, last_day: date, *, now: datetime, by: str) -> None:
    """End a contract earlier than agreed, with `last_day`; raises `Invalid` for a day outside of it."""
    hold_site(session, code)
    row = _contract(session, code, number)
    if not row.valid_from <= last_day < row.valid_to:
        raise Invalid(
            "last_day",
            "Ce contrat court du %(first)s au %(last)s : sa fin s'avance dans cet intervalle.",
            first=row.valid_from.isoformat(),
            last=(row.valid_to - timedelta(days=1)).isoformat(),
        )
    ended = replace(contract_of(row), valid_to=last_day + timedelta(days=1))
    _written(row, ended, now, by)
    session.flush()
    contracts_changed(session, code, ended.valid_to, now=now)


def _contract(session: Session, code: str, number: int) -> s.PowerContract:
    row = session.get(s.PowerContract, (code, number))
    if row is None:
        raise NotFound("Contrat introuvable.")
    return row


def _other_contracts(session: Session, code: str, number: int | None) -> list[Contract]:
    rows = session.scalars(select(s.PowerContract).where(s.PowerContract.site == code))
    return [contract_of(row) for row in rows if row.number != number]


def _written(row: s.PowerContract, contract: Contract, now: datetime, by: str) -> s.PowerContract:
    row.kind, row.supplier = contract.kind, one_line(contract.supplier, "supplier")
    row.valid_from, row.valid_to = contract.valid_from, contract.valid_to
    row.share_ppm, row.renewable_ppm = contract.share_ppm, contract.renewable_ppm
    row.intensity_mg_per_kwh = contract.intensity_mg_per_kwh
    row.evidence = several_lines(contract.evidence, "evidence")
    row.recorded_by, row.recorded_at = by, now
    return row


def hold_site(session: Session, code: str) -> s.Site:
    """A site, locked, so that what is told of it is judged one after the other; raises `NotFound`."""
    site = session.scalars(select(s.Site).where(s.Site.code == code).with_for_update()).one_or_none()
    if site is None:
        raise NotFound("Site introuvable.")
    return site


def _known(session: Session, code: str, told: Sequence[Told]) -> list[Measure]:
    """What is stored of the site around what is told."""
    if not told:
        return []
    row = s.SiteMeasure
    start = min(one.measure.started_at for one in told) - AROUND
    end = max(one.measure.ended_at for one in told) + AROUND
    rows = session.scalars(select(row).where(row.site == code, row.ended_at > start, row.started_at < end))
    return [measure_of(one) for one in rows]


def _store(session: Session, code: str, judged: Sequence[Judged], now: datetime, by: str) -> None:
    rows = [
        {
            "site": code,
            "quantity": one.told.measure.quantity,
            "category": one.told.measure.category,
            "meter": one.told.measure.meter,
            "started_at": one.told.measure.started_at,
            "ended_at": one.told.measure.ended_at,
            "amount": one.told.measure.amount,
            "quality": one.told.measure.quality.value,
            "recorded_by": by,
            "recorded_at": now,
        }
        for one in judged
        if one.to_store
    ]
    upsert(session, s.SiteMeasure, rows, update=["amount", "quality", "recorded_by", "recorded_at"])
    measures_changed(session, code, [one.told.measure for one in judged if one.to_store], now=now)
    _note_corrections(session, code, [one for one in judged if one.verdict is Verdict.CHANGED])


def _note_corrections(session: Session, code: str, changed: Sequence[Judged]) -> None:
    """Write down, with the transaction, what the measures were that others replace."""
    for place in range(0, len(changed), NOTED_AT_ONCE):
        some = changed[place : place + NOTED_AT_ONCE]
        first = some[0].told.measure.started_at
        facts = {"corrected": [_correction(one) for one in some]}
        record(session, OPERATOR_TENANT, "site.corrected", f"site/{code}/{first:%Y-%m-%dT%H:%MZ}", facts)


def _correction(one: Judged) -> str:
    measure, before = one.told.measure, one.before
    line = f"{measure.quantity.value} {measure.category or ''} {measure.meter}".replace("  ", " ")
    old = "" if before is None else f"{shown(before.quantity, before.amount)} ({before.quality.value}) -> "
    new = f"{shown(measure.quantity, measure.amount)} ({measure.quality.value})"
    return f"{line} {measure.started_at:%Y-%m-%dT%H:%MZ}: {old}{new}"
