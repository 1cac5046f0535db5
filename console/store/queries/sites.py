"""Data centres with their indicators, and the page of one: its meters, what it states, what it buys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.domain.errors import Invalid, NotFound
from console.domain.facility import Contract, DeclaredPue
from console.domain.factors import Choice, choose
from console.domain.hours import month_bounds
from console.domain.renewal import add_months
from console.domain.site_indicators import (
    YEAR,
    Found,
    amounts_by_month,
    carbon_usage,
    indicators,
    last_months,
    partial_pues,
    zone_by_month,
)
from console.domain.site_measures import Line, Measure, Point, Quality
from console.domain.site_zones import zone_names
from console.store.models import measurement as m
from console.store.models import site as s
from console.store.queries.factors import factors as factors_known
from console.store.queries.site_months import SiteBalance, site_balances

ONE_DAY: Final = timedelta(days=1)
LATEST: Final = 8  # measures listed on the page of a site


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """A data centre as it is called, with how many hosts say that they stand there."""

    code: str
    name: str
    zone: str
    country: str
    grid_zone: str
    hosts: int


@dataclass(frozen=True, slots=True)
class SiteSummary:
    """A line of the list: the indicators of the last whole months, and the PUE that is declared, if any."""

    facts: SiteFacts
    indicators: Sequence[Found]
    declared: DeclaredPue | None


@dataclass(frozen=True, slots=True)
class Meter:
    """A measuring point with the first and the last instant it told of."""

    line: Line
    first: datetime
    last: datetime
    measures: int


@dataclass(frozen=True, slots=True)
class Stored:
    """A measure with who told it."""

    measure: Measure
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class IndicatorMonth:
    """A month: its indicators alone, and over the twelve months that end with it."""

    month: date
    alone: Sequence[Found]
    rolling: Sequence[Found]


@dataclass(frozen=True, slots=True)
class SiteZone:
    """A zone of a data centre: its pPUE over the last twelve months, and what it and its IT took in each."""

    name: str
    partial_pues: Sequence[Found]
    by_month: Mapping[Point, Mapping[date, int | None]]
    series: Sequence[IndicatorMonth]


@dataclass(frozen=True, slots=True)
class SitePage:
    """Everything that is known of a data centre; `factors` are those of its CUE, by year.

    `by_month` is of the whole site: what its zones take is told of each in `zones`.
    """

    summary: SiteSummary
    months: Sequence[date]
    by_month: Mapping[Point, Mapping[date, int | None]]
    meters: Sequence[Meter]
    latest: Sequence[Stored]
    declared: Sequence[DeclaredPue]
    contracts: Sequence[tuple[int, Contract]]
    intensity: s.GridIntensity | None  # the latest one of its grid
    series: Sequence[IndicatorMonth]
    zones: Sequence[SiteZone]
    factors: Mapping[int, Choice]
    balances: Sequence[SiteBalance]


def sites(session: Session) -> list[SiteFacts]:
    """Every data centre, by name."""
    hosts = dict(
        session.execute(
            select(m.Host.site, func.count())
            .where(m.Host.site.is_not(None), m.Host.retired_at.is_(None))
            .group_by(m.Host.site)
        ).all()
    )
    rows = session.scalars(select(s.Site).order_by(s.Site.name))
    return [
        SiteFacts(row.code, row.name, row.zone, row.country, row.grid_zone, hosts.get(row.code, 0))
        for row in rows
    ]


def summaries(session: Session, today: date) -> list[SiteSummary]:
    """Every data centre with its indicators over the last twelve whole months."""
    months = last_months(today)
    known = sites(session)
    measures = _measures(session, [one.code for one in known], months)
    declared = _declared(session, [one.code for one in known])
    return [
        _summary(one, measures.get(one.code, []), declared.get(one.code, []), months, today) for one in known
    ]


def site_page(session: Session, code: str, today: date) -> SitePage:
    """The page of a data centre; raises `NotFound`."""
    facts = next((one for one in sites(session) if one.code == code), None)
    if facts is None:
        raise NotFound("Site introuvable.")
    two_years = last_months(today, 2 * YEAR)
    months = two_years[YEAR:]
    measures = _measures(session, [code], two_years).get(code, [])
    declared = _declared(session, [code]).get(code, [])
    zone = ZoneInfo(facts.zone)
    factors = _factors(session, facts.country, {month.year for month in two_years})
    emitted = {
        month: factors[month.year].factor.intensity_mg_per_kwh for month in two_years if month.year in factors
    }
    summary = _summary(facts, measures, declared, months, today)
    cue = carbon_usage(measures, months, zone, emitted)
    return SitePage(
        summary=replace(summary, indicators=(*summary.indicators, cue)),
        series=[
            IndicatorMonth(
                month,
                _all_indicators(measures, [month], zone, emitted),
                _all_indicators(measures, two_years[place + 1 : place + 1 + YEAR], zone, emitted),
            )
            for place, month in enumerate(months)
        ],
        zones=[
            _zone(name, [one for one in measures if one.meter == name], two_years, zone)
            for name in zone_names(measures)
        ],
        factors=factors,
        balances=site_balances(session, code, zone, [*months, add_months(months[-1], 1)]),
        months=months,
        by_month={
            point: amounts_by_month(measures, point, months, zone)
            for point in sorted({one.point for one in measures if not one.quantity.is_of_zone})
        },
        meters=_meters(session, code),
        latest=_latest(session, code),
        declared=declared,
        contracts=_contracts(session, code),
        intensity=session.scalars(
            select(s.GridIntensity)
            .where(s.GridIntensity.grid_zone == facts.grid_zone)
            .order_by(s.GridIntensity.started_at.desc(), s.GridIntensity.basis)
            .limit(1)
        ).one_or_none(),
    )


def _all_indicators(
    measures: Sequence[Measure], months: Sequence[date], zone: ZoneInfo, mg_per_kwh: Mapping[date, int]
) -> list[Found]:
    return [*indicators(measures, months, zone), carbon_usage(measures, months, zone, mg_per_kwh)]


def _zone(name: str, measures: Sequence[Measure], two_years: Sequence[date], zone: ZoneInfo) -> SiteZone:
    months = two_years[YEAR:]
    return SiteZone(
        name=name,
        partial_pues=partial_pues(measures, name, months, zone),
        by_month=zone_by_month(measures, name, months, zone),
        series=[
            IndicatorMonth(
                month,
                partial_pues(measures, name, [month], zone),
                partial_pues(measures, name, two_years[place + 1 : place + 1 + YEAR], zone),
            )
            for place, month in enumerate(months)
        ],
    )


def _factors(session: Session, country: str, years: Iterable[int]) -> dict[int, Choice]:
    """The yearly average factor of each year, where there is one."""
    registry, found = factors_known(session), {}
    for year in years:
        with suppress(NotFound, Invalid):
            found[year] = choose(registry, country, year)
    return found


def _summary(
    facts: SiteFacts,
    measures: Iterable[Measure],
    declared: Sequence[DeclaredPue],
    months: Sequence[date],
    today: date,
) -> SiteSummary:
    return SiteSummary(
        facts=facts,
        indicators=indicators(measures, months, ZoneInfo(facts.zone)),
        declared=next((one for one in declared if one.valid_from <= today), None),
    )


def _measures(session: Session, codes: Sequence[str], months: Sequence[date]) -> dict[str, list[Measure]]:
    """What touches the months, by site; zones of sites differ by less than the day around them."""
    row = s.SiteMeasure
    utc = ZoneInfo("UTC")
    start, end = month_bounds(months[0], utc)[0] - ONE_DAY, month_bounds(months[-1], utc)[1] + ONE_DAY
    columns = (row.started_at, row.ended_at, row.quantity, row.category, row.meter, row.amount, row.quality)
    rows = session.execute(
        select(row.site, *columns).where(row.site.in_(codes), row.ended_at > start, row.started_at < end)
    )
    found: dict[str, list[Measure]] = {}
    for one in rows:
        found.setdefault(one.site, []).append(measure_of(one))
    return found


def _declared(session: Session, codes: Sequence[str]) -> dict[str, list[DeclaredPue]]:
    """What is declared of each site, the latest first."""
    row = s.SitePue
    found: dict[str, list[DeclaredPue]] = {}
    for one in session.scalars(select(row).where(row.site.in_(codes)).order_by(row.valid_from.desc())):
        found.setdefault(one.site, []).append(declared_of(one))
    return found


def _meters(session: Session, code: str) -> list[Meter]:
    row = s.SiteMeasure
    line = (row.quantity, row.category, row.meter)
    rows = session.execute(
        select(*line, func.min(row.started_at), func.max(row.ended_at), func.count())
        .where(row.site == code)
        .group_by(*line)
        .order_by(*line)
    )
    return [
        Meter((quantity, category, meter), first, last, count)
        for quantity, category, meter, first, last, count in rows
    ]


def _latest(session: Session, code: str) -> list[Stored]:
    row = s.SiteMeasure
    rows = session.scalars(
        select(row)
        .where(row.site == code)
        .order_by(row.ended_at.desc(), row.quantity, row.category, row.meter)
        .limit(LATEST)
    )
    return [Stored(measure_of(one), one.recorded_by, one.recorded_at) for one in rows]


def _contracts(session: Session, code: str) -> list[tuple[int, Contract]]:
    row = s.PowerContract
    rows = session.scalars(
        select(row).where(row.site == code).order_by(row.valid_from.desc(), row.number.desc())
    )
    return [(one.number, contract_of(one)) for one in rows]


def measure_of(row: Any) -> Measure:
    """A stored measure, or its columns, in the terms of the domain."""
    return Measure(
        started_at=row.started_at,
        ended_at=row.ended_at,
        quantity=row.quantity,
        category=row.category,
        meter=row.meter,
        amount=row.amount,
        quality=Quality(row.quality),
    )


def declared_of(row: s.SitePue) -> DeclaredPue:
    """A stored PUE in the terms of the domain."""
    return DeclaredPue(
        valid_from=row.valid_from,
        pue_ppm=row.pue_ppm,
        category=row.category,
        window_from=row.window_from,
        window_to=row.window_to,
        is_provisional=row.is_provisional,
        note=row.note,
    )


def contract_of(row: s.PowerContract) -> Contract:
    """A stored contract in the terms of the domain."""
    return Contract(
        kind=row.kind,
        supplier=row.supplier,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        share_ppm=row.share_ppm,
        intensity_mg_per_kwh=row.intensity_mg_per_kwh,
        renewable_ppm=row.renewable_ppm,
        evidence=row.evidence,
    )
