"""The registry of emission factors: added to, corrected, confirmed, filled from files; none is overwritten.

form or file -> check -> judge beside what stands -> a new factor, which may replace another
             -> the years whose factor is another now -> months of adherents to price again
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, String, cast, literal, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from console.actions.imports import open_table
from console.actions.pricing import COUNTRY_OF_UNPLACED
from console.actions.reckoning_due import Step
from console.domain.base_carbone import FactorFile, is_base_carbone, read_base_carbone
from console.domain.claims import OPERATOR_TENANT
from console.domain.countries import alpha2
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.factor_registry import (
    Judged,
    Stated,
    Verdict,
    check,
    check_replacement,
    factor_id_of,
    judge,
)
from console.domain.factor_tables import FactorMapping, read_factors
from console.domain.factors import Factor, Perimeter, changed_years, standing
from console.domain.free_text import several_lines
from console.domain.month_lines import OPEN_REVISION
from console.domain.tables import RefusedRow, every_refusal
from console.store.audit import record
from console.store.base import Instant
from console.store.models import carbon as b
from console.store.models import site as s
from console.store.queries.factors import factor_of
from console.store.queries.factors import factors as known_factors

USED = (Perimeter.CONSUMPTION_LIFE_CYCLE, Perimeter.RESIDUAL_MIX)  # those that lines are priced with


@dataclass(frozen=True, slots=True)
class Looked:
    """What a file of factors would change."""

    file: FactorFile
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


def add(session: Session, stated: Stated, *, now: datetime, today: date, by: str) -> str:
    """Write a factor down; its id. Raises `Conflict` where one stands for the same thing."""
    stated, before = _checked(stated, today), known_factors(session)
    same = next((one for one in standing(before) if _is_same_thing(one, stated)), None)
    if same is not None:
        raise Conflict("Ce facteur est déjà connu (%(known)s) : remplacez-le.", known=same.factor_id)
    added = _store(session, stated, before, None, today, by)
    _price_again(session, before, [added], now)
    return added.factor_id


def replace(session: Session, factor_id: str, stated: Stated, *, now: datetime, today: date, by: str) -> str:
    """Write down what corrects a factor, which stays as it was; the id of the new one."""
    stated, before = _checked(stated, today), known_factors(session)
    check_replacement(stated, factor_of(_found(session, factor_id)), before)
    added = _store(session, stated, before, factor_id, today, by)
    _price_again(session, before, [added], now)
    return added.factor_id


def confirm(session: Session, factor_id: str, source: str, read_on: date, *, now: datetime, by: str) -> None:
    """Say that a value was read at its publisher's: where, when and by whom. The value is not touched."""
    before, row = known_factors(session), _found(session, factor_id)
    if row.confirmed:
        raise Conflict("Ce facteur est déjà confirmé.")
    _refuse_day_to_come(read_on, now.date())
    told = several_lines(source, "source")
    if not told:
        raise Invalid("source", "Où cette valeur a-t-elle été lue ? La page ou le fichier est attendu.")
    row.confirmed, row.retrieved_on, row.source = True, read_on, told
    row.confirmed_by, row.confirmed_at = by, now
    session.flush()
    _price_again(session, before, [factor_of(row)], now)


def look_at(
    session: Session, content: bytes, file_name: str, mapping: FactorMapping | None, *, today: date
) -> Looked:
    """What storing a file would do; raises `Invalid` for one that is no table, or that needs a mapping."""
    table = open_table(content)
    if is_base_carbone(table.headings):
        file = read_base_carbone(table, file_name, today)
    elif mapping is None:
        raise Invalid("file", "Ce fichier n'est pas la Base Carbone : dites quelle colonne donne quoi.")
    else:
        file = read_factors(table, mapping, today)
    return Looked(file, judge(file.told, known_factors(session), today=today))


def store_file(
    session: Session,
    content: bytes,
    file_name: str,
    mapping: FactorMapping | None,
    *,
    now: datetime,
    today: date,
    by: str,
) -> Looked:
    """Store what of a file is new or corrects, beside what it refuses; repeated, it changes nothing."""
    looked = look_at(session, content, file_name, mapping, today=today)
    before, added = known_factors(session), list[Factor]()
    for one in looked.judged:
        if one.to_store:
            replaced = one.before.factor_id if one.before else None
            added.append(_store(session, one.told.stated, [*before, *added], replaced, today, by))
    _price_again(session, before, added, now)
    return looked


def note_import(session: Session, file_name: str, looked: Looked) -> None:
    """Write down, with the transaction, that a file of factors came in."""
    counts = looked.counts()
    facts = {
        "factors_new": counts[Verdict.NEW],
        "factors_replaced": counts[Verdict.REPLACES],
        "factors_unchanged": counts[Verdict.UNCHANGED],
        "rows_refused": counts[Verdict.REFUSED],
    }
    record(session, OPERATOR_TENANT, "factors.imported", (file_name or "-")[:200], facts)


def make_prices_due(session: Session, geography: str, years: Iterable[int], *, now: datetime) -> None:
    """Mark the months of a country's lines whose carbon is reckoned with another factor now.

    Only what is open: closed months keep theirs. A month of an adherent may hold hours of the year before or
    after, where its clock is not that of the site.
    """
    line, due = b.MonthLine, b.ReckoningDue
    told = sorted(years)
    if not told:
        return
    wanted = {month for year in told for month in _months_around(year)}
    there: ColumnElement[bool] = line.site.in_(select(s.Site.code).where(s.Site.country == alpha2(geography)))
    if geography == COUNTRY_OF_UNPLACED:
        there = or_(there, line.site.is_(None))
    months = (
        select(
            literal(Step.PRICES.value),
            cast(line.tenant_id, String),
            line.month,
            literal(now, Instant),
        )
        .where(line.revision == OPEN_REVISION, line.month.in_(wanted), there)
        .distinct()
    )
    dialect: Any = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    insert = dialect.insert(due).from_select(["step", "subject", "month", "due_at"], months)
    session.execute(insert.on_conflict_do_nothing())


def _checked(stated: Stated, today: date) -> Stated:
    if stated.retrieved_on is not None:
        _refuse_day_to_come(stated.retrieved_on, today)
    return check(stated)


def _refuse_day_to_come(read_on: date, today: date) -> None:
    if read_on > today:
        raise Invalid("retrieved_on", "Ce jour n'est pas encore venu.")


def _months_around(year: int) -> list[date]:
    return [date(year - 1, 12, 1), *(date(year, month, 1) for month in range(1, 13)), date(year + 1, 1, 1)]


def _store(
    session: Session, stated: Stated, known: Iterable[Factor], replaces: str | None, today: date, by: str
) -> Factor:
    row = b.EmissionFactor(
        factor_id=factor_id_of(stated, {one.factor_id for one in known}),
        publisher=stated.publisher,
        title=stated.title,
        vintage=stated.vintage,
        perimeter=stated.perimeter,
        geography=stated.geography,
        intensity_mg_per_kwh=stated.intensity_mg_per_kwh,
        low_mg_per_kwh=stated.low_mg_per_kwh,
        high_mg_per_kwh=stated.high_mg_per_kwh,
        combustion_mg_per_kwh=stated.combustion_mg_per_kwh,
        upstream_mg_per_kwh=stated.upstream_mg_per_kwh,
        losses_mg_per_kwh=stated.losses_mg_per_kwh,
        licence=stated.licence,
        source=stated.source,
        retrieved_on=stated.retrieved_on,
        confirmed=stated.confirmed,
        valid_from=stated.valid_from,
        valid_to=stated.valid_to,
        known_since=today,
        replaces=replaces,
        recorded_by=by,
    )
    session.add(row)
    session.flush()
    return factor_of(row)


def _price_again(
    session: Session, before: Sequence[Factor], changed: Sequence[Factor], now: datetime
) -> None:
    """Mark the months that are priced otherwise now than with the registry before."""
    after = known_factors(session)
    for geography, perimeter in sorted({(one.geography, one.perimeter) for one in changed}):
        if perimeter in USED:
            first = min(map(_first_year, changed))
            years = range(first, max(first, now.year) + 1)
            others = changed_years(before, after, geography, perimeter, years)
            make_prices_due(session, geography, others, now=now)


def _first_year(factor: Factor) -> int:
    return min(factor.vintage, (factor.valid_from or date(factor.vintage, 1, 1)).year)


def _is_same_thing(factor: Factor, stated: Stated) -> bool:
    same = (factor.publisher.casefold(), factor.perimeter, factor.geography, factor.vintage)
    return same == stated.key


def _found(session: Session, factor_id: str) -> b.EmissionFactor:
    row = session.get(b.EmissionFactor, factor_id)
    if row is None:
        raise NotFound("Il n'y a pas de facteur d'émission « %(code)s ».", code=factor_id[:64])
    return row
