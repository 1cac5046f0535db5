"""The registry of emission factors as its pages show it: the list, one factor, and where it is used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import String, case, cast, func, or_, select
from sqlalchemy.orm import Session

from console.domain.claims import OPERATOR_TENANT
from console.domain.errors import NotFound
from console.domain.factors import Basis, Choice, Factor, Perimeter, choose
from console.store.models import carbon as b
from console.store.models import tenant as t

MOST_MONTHS = 100  # of one factor on its page
MOST_YEARS = 20


@dataclass(frozen=True, slots=True)
class Listed:
    """A factor with what is told of it beside its value."""

    factor: Factor
    replaced_by: tuple[str, ...]
    recorded_by: str | None
    confirmed_by: str | None
    confirmed_at: datetime | None

    @property
    def stands(self) -> bool:
        return not self.replaced_by


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list of factors is narrowed to; empty texts ask for all."""

    perimeter: str = ""
    geography: str = ""
    standing: str = ""  # "yes", "no"
    confirmed: str = ""  # "yes", "no"

    def fits(self, one: Listed) -> bool:
        """Whether a factor is asked for."""
        answers = {"yes": True, "no": False}
        return (
            self.perimeter in ("", one.factor.perimeter.value)
            and self.geography in ("", one.factor.geography)
            and answers.get(self.standing, one.stands) is one.stands
            and answers.get(self.confirmed, one.factor.confirmed) is one.factor.confirmed
        )


@dataclass(frozen=True, slots=True)
class UsedMonth:
    """The lines of a month, on one basis, whose carbon was reckoned with a factor."""

    month: date
    basis: Basis
    adherents: int  # beside the operator, whose lines are counted
    lines: int
    closed: int  # of these, lines of months that were closed: they keep the factor
    energy_mj: int
    carbon_ug: int | None


@dataclass(frozen=True, slots=True)
class YearHeld:
    """What holds for the energy of a year now; provisional until the factor of that year is known."""

    year: int
    choice: Choice | None


@dataclass(frozen=True, slots=True)
class FactorPage:
    """A factor, those it stands beside in its chain, and where it is used in the scope of the session."""

    listed: Listed
    before: Listed | None  # what it replaces
    after: Sequence[Listed]  # what replaces it
    years: Sequence[YearHeld] = field(default_factory=list)
    used: Sequence[UsedMonth] = field(default_factory=list)
    statements: int = 0  # that were issued and name the factor


def factors(session: Session) -> list[Factor]:
    """The registry in the terms of the domain."""
    return [factor_of(row) for row in session.scalars(select(b.EmissionFactor))]


def factor_of(row: b.EmissionFactor) -> Factor:
    """A stored factor in the terms of the domain."""
    return Factor(
        factor_id=row.factor_id,
        publisher=row.publisher,
        title=row.title,
        vintage=row.vintage,
        perimeter=row.perimeter,
        geography=row.geography,
        intensity_mg_per_kwh=row.intensity_mg_per_kwh,
        low_mg_per_kwh=row.low_mg_per_kwh,
        high_mg_per_kwh=row.high_mg_per_kwh,
        licence=row.licence,
        source=row.source,
        retrieved_on=row.retrieved_on,
        confirmed=row.confirmed,
        combustion_mg_per_kwh=row.combustion_mg_per_kwh,
        upstream_mg_per_kwh=row.upstream_mg_per_kwh,
        losses_mg_per_kwh=row.losses_mg_per_kwh,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        known_since=row.known_since,
        replaces=row.replaces,
    )


def registry(session: Session, known_on: date | None = None) -> list[Listed]:
    """Every factor, or those known on a day as they stood then; by geography and perimeter, latest first."""
    rows = session.scalars(select(b.EmissionFactor)).all()
    if known_on is not None:
        rows = [row for row in rows if row.known_since <= known_on]
    replaced = _replaced(rows)
    listed = [_listed(row, replaced) for row in rows]
    return sorted(listed, key=_place)


def factor_page(session: Session, factor_id: str, today: date) -> FactorPage:
    """The page of a factor; raises `NotFound`."""
    known = registry(session)
    by_id = {one.factor.factor_id: one for one in known}
    listed = by_id.get(factor_id)
    if listed is None:
        raise NotFound("Il n'y a pas de facteur d'émission « %(code)s ».", code=factor_id[:64])
    return FactorPage(
        listed=listed,
        before=by_id.get(listed.factor.replaces or ""),
        after=[by_id[one] for one in listed.replaced_by],
        years=_years([one.factor for one in known], listed.factor, today),
        used=_used(session, listed.factor),
        statements=_statements(session, listed.factor),
    )


def _years(known: Sequence[Factor], factor: Factor, today: date) -> list[YearHeld]:
    """What holds in each year of a factor's country and perimeter, from its first to this one."""
    first = min(factor.vintage, (factor.valid_from or today).year)
    last = max(today.year, factor.vintage)
    return [
        YearHeld(year, _choice(known, factor, year))
        for year in range(max(first, last - MOST_YEARS), last + 1)
    ]


def _choice(known: Sequence[Factor], factor: Factor, year: int) -> Choice | None:
    try:
        return choose(known, factor.geography, year, factor.perimeter)
    except NotFound:
        return None


def _statements(session: Session, factor: Factor) -> int:
    """Statements whose figures name a factor, also where the lines of their month took another one since.

    None is older than the year the factor begins in, but for a month that begins before it in UTC.
    """
    statement = t.Statement
    first = min(factor.vintage, (factor.valid_from or date.max).year)
    named = statement.figures.contains(f'"{factor.factor_id}"', autoescape=True)
    return session.scalar(select(func.count()).where(statement.month >= date(first - 1, 12, 1), named)) or 0


def _used(session: Session, factor: Factor) -> list[UsedMonth]:
    """Where a factor is used, the latest month first; each basis by itself, for they are never added.

    A residual mix is a part of lines that have no factor of their own: it is told by their terms.
    """
    line = b.CarbonLine
    of_factor = line.factor_id == factor.factor_id
    if factor.perimeter is Perimeter.RESIDUAL_MIX:
        told = cast(line.terms, String).contains(f'"factor_id": "{factor.factor_id}"', autoescape=True)
        of_factor = or_(of_factor, (line.basis == Basis.MARKET_BASED) & told)
    rows = session.execute(
        select(
            line.month,
            line.basis,
            func.count(case((line.tenant_id != OPERATOR_TENANT, line.tenant_id)).distinct()),
            func.count(),
            func.count().filter(line.revision > 0),
            func.sum(line.covered_mj),
            func.sum(line.carbon_ug),
        )
        .where(of_factor, line.counts)
        .group_by(line.month, line.basis)
        .order_by(line.month.desc(), line.basis)
        .limit(MOST_MONTHS)
    )
    return [
        UsedMonth(
            month, basis, adherents, lines, closed, int(energy), None if carbon is None else int(carbon)
        )
        for month, basis, adherents, lines, closed, energy, carbon in rows
    ]


def _replaced(rows: Iterable[b.EmissionFactor]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.replaces is not None:
            found.setdefault(row.replaces, []).append(row.factor_id)
    return found


def _listed(row: b.EmissionFactor, replaced: Mapping[str, list[str]]) -> Listed:
    return Listed(
        factor=factor_of(row),
        replaced_by=tuple(sorted(replaced.get(row.factor_id, ()))),
        recorded_by=row.recorded_by,
        confirmed_by=row.confirmed_by,
        confirmed_at=row.confirmed_at,
    )


def _place(one: Listed) -> tuple[str, int, int, str]:
    factor = one.factor
    return factor.geography, list(Perimeter).index(factor.perimeter), -factor.vintage, factor.factor_id
