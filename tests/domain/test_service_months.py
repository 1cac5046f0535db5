"""What a closed month is reckoned from: one order, and every difference told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest

from console.domain.credits import CreditStep
from console.domain.outages import Effect, Source
from console.domain.price import PricePer
from console.domain.service_months import (
    IncidentTold,
    MonthInputs,
    OutageTold,
    Outcome,
    PlanHeld,
    PriceHeld,
    Stretch,
    WorkTold,
    moved_between,
    nothing_counted,
)
from reports import canonical

DAY = timedelta(days=1)
START = datetime(2026, 5, 31, 22, tzinfo=UTC)
HOURS = tuple(Stretch(START + n * DAY, START + n * DAY + DAY / 2) for n in range(3))
PLAN = PlanHeld(
    first=date(2026, 6, 1),
    after=date(2026, 7, 1),
    code="critical",
    version=1,
    target_ppm=999_000,
    notice_hours=72,
    degraded_percent=0,
    credit_steps=(CreditStep(999_000, 5), CreditStep(995_000, 10)),
    hours=HOURS,
    prices=(PriceHeld(10, 100_000, PricePer.MONTH, 3), PriceHeld(20, 200_000, PricePer.MONTH, 3)),
)
OUTAGES = tuple(
    OutageTold(START, START + DAY, Effect.OUTAGE, source, number) for source in Source for number in (1, 2)
)
WORK = WorkTold(START, START + DAY, START - DAY, Effect.OUTAGE, 1)
INCIDENTS = (
    IncidentTold(1, "P1", Outcome.MET, Outcome.MISSED),
    IncidentTold(2, "P2", Outcome.MET, Outcome.MET),
)
INPUTS = MonthInputs(
    month=date(2026, 6, 1),
    zone="Europe/Paris",
    service_code="hds-iaas",
    plans=(PLAN,),
    outages=OUTAGES,
    works=(WORK,),
    incidents=INCIDENTS,
    open_incidents=(3, 4),
    volume=3,
)


def with_plan(**changes: object) -> MonthInputs:
    return replace(INPUTS, plans=(replace(PLAN, **changes),))  # type: ignore[arg-type]


def with_work(**changes: object) -> MonthInputs:
    return replace(INPUTS, works=(replace(WORK, **changes),))  # type: ignore[arg-type]


OTHERS = {
    "an inner limit of the hours": with_plan(
        hours=(HOURS[0], Stretch(HOURS[1].starts_at + DAY / 8, HOURS[1].ends_at + DAY / 8), HOURS[2])
    ),
    "the target": with_plan(target_ppm=998_000),
    "no target": with_plan(target_ppm=None),
    "the notice": with_plan(notice_hours=48),
    "the weight of degraded": with_plan(degraded_percent=50),
    "a credit step": with_plan(credit_steps=(CreditStep(999_000, 5), CreditStep(995_000, 11))),
    "a day more": with_plan(after=date(2026, 6, 30)),
    "a price": with_plan(prices=(PriceHeld(30, 100_000, PricePer.MONTH, 3),)),
    "a volume of a price": with_plan(prices=tuple(replace(one, volume=None) for one in PLAN.prices)),
    "the effect of work": with_work(effect=Effect.DEGRADED),
    "its announcement": with_work(announced_at=START - DAY + timedelta(seconds=1)),
    "no announcement": with_work(announced_at=None),
    "one outage less": replace(INPUTS, outages=OUTAGES[1:]),
    "an outcome": replace(INPUTS, incidents=(replace(INCIDENTS[0], ttr=Outcome.MET), INCIDENTS[1])),
    "an open incident": replace(INPUTS, open_incidents=(3,)),
    "the volume": replace(INPUTS, volume=None),
    "the zone": replace(INPUTS, zone="Indian/Reunion"),
    "nothing": nothing_counted(INPUTS),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_every_difference_is_told(other: MonthInputs) -> None:
    for one, two in ((INPUTS, other), (other, INPUTS)):
        moved = moved_between(one, two)
        assert moved
        assert all(change.was != change.value for change in moved)
    assert canonical.encode(other) != canonical.encode(INPUTS)
    assert moved_between(other, canonical.decode(MonthInputs, canonical.encode(other))) == []


def test_neither_order_nor_repetition_is_a_difference() -> None:
    for outages in permutations(OUTAGES):
        shuffled = replace(
            INPUTS,
            plans=(
                replace(
                    PLAN,
                    hours=HOURS[::-1] + HOURS,
                    credit_steps=PLAN.credit_steps[::-1],
                    prices=PLAN.prices[::-1],
                ),
            ),
            outages=outages + outages[:2],
            works=(WORK, WORK),
            incidents=INCIDENTS[::-1],
            open_incidents=(4, 3, 4),
        )
        assert shuffled == INPUTS
        assert canonical.encode(shuffled) == canonical.encode(INPUTS)
        assert moved_between(INPUTS, shuffled) == []
