"""Months of carbon as they are frozen, made of few words or drawn at random."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st

from console.domain.carbon import carbon_ug
from console.domain.carbon_months import CarbonHeld, FactorHeld, Inputs, LineHeld
from console.domain.factors import Basis
from console.domain.month_lines import Facility, LineKind, ShareTerms, SharingKeyKind

MARCH = date(2026, 3, 1)
SINCE = datetime(2026, 2, 28, 23, tzinfo=UTC)
PUE_14 = Facility("declared", 3, 2, 5, provisional=False, declared_from=date(2026, 1, 1))
KWH = 3_600_000_000


def a_factor(factor_id: str, intensity_mg_per_kwh: int, vintage: int = 2026) -> FactorHeld:
    return FactorHeld(factor_id, "ADEME", "Mix", vintage, intensity_mg_per_kwh, None, None, confirmed=True)


def a_share(weight: int, weights: int) -> ShareTerms:
    return ShareTerms("payroll", SharingKeyKind.VOLUME, MARCH, 1, weight, weights)


def a_line(workload_id: int, energy_mj: int, **changes: Any) -> LineHeld:
    """A line with its overhead, priced at `intensity` mg/kWh by `factor`."""
    facility = changes.pop("facility", PUE_14)
    intensity, factor = changes.pop("intensity", 52_000), changes.pop("factor", "f2026")
    overhead_mj = facility.overhead_of(energy_mj) if facility else None
    whole_mj = energy_mj + (overhead_mj or 0)
    usual = CarbonHeld(
        Basis.YEARLY_AVERAGE, whole_mj, carbon_ug([(whole_mj, intensity)]), None, None, factor, intensity,
        provisional=False,
    )  # fmt: skip
    line = LineHeld(
        since=SINCE, host_id=1, workload_id=workload_id, claim_id=1, kind=LineKind.OWN, host="srv-01",
        workload="payroll", subscription=1, service_code=None, site="tls", hours=3, energy_mj=energy_mj,
        measured_mj=energy_mj, modelled_mj=0, declared_mj=0, low_mj=None, high_mj=None,
        overhead_mj=overhead_mj, water_ml=None, embodied_ug=None, embodied_low_ug=None,
        embodied_high_ug=None, adpe_ug=None, primary_mj=None, facility=facility, share=None,
        embodied_terms="", carbon=(usual,),
    )  # fmt: skip
    return replace(line, **changes)


def a_month(*lines: LineHeld, **changes: Any) -> Inputs:
    inputs = Inputs(
        month=MARCH, zone="Europe/Paris", lines=lines, factors=(a_factor("f2026", 52_000),),
        policies=("reserved/1",), hours=743, covered_hours=743,
    )  # fmt: skip
    return replace(inputs, **changes)


FACILITIES = st.one_of(
    st.none(),
    st.builds(
        Facility,
        origin=st.just("metered"),
        category=st.integers(1, 3),
        overhead_mj=st.integers(0, 10**12),
        it_mj=st.integers(1, 10**12),
        provisional=st.booleans(),
    ),
)


@st.composite
def shares(draw: st.DrawFn) -> ShareTerms:
    weights = draw(st.integers(1, 10**6))
    return a_share(draw(st.integers(0, weights)), weights)


@st.composite
def lines(draw: st.DrawFn, number: int) -> LineHeld:
    line = a_line(
        number,
        draw(st.integers(0, 10**13)),
        facility=draw(FACILITIES),
        intensity=draw(st.integers(0, 10**6)),
        embodied_ug=draw(st.none() | st.integers(0, 10**12)),
        share=draw(st.none() | shares()),
    )
    if draw(st.booleans()):
        part_mj = draw(st.integers(0, line.facility_mj))
        carbon = draw(st.none() | st.integers(0, 10**12))
        hourly = CarbonHeld(Basis.HOURLY_DIRECT, part_mj, carbon, None, None, None, None, provisional=False)
        line = replace(line, carbon=(*line.carbon, hourly))
    return line if line.share is None else replace(line, kind=LineKind.SHARE)


@st.composite
def months(draw: st.DrawFn) -> Inputs:
    numbers = draw(st.lists(st.integers(1, 6), unique=True, max_size=5))
    return a_month(*(draw(lines(number)) for number in numbers))
