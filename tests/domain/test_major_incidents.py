"""Whom one outage touches, and what a record of it may go through."""

from datetime import date

import pytest

from console.domain.clock import EventKind
from console.domain.dependencies import Dependency
from console.domain.errors import Conflict
from console.domain.major_incidents import (
    MajorPhase,
    Subscribed,
    Touched,
    adherents_touched,
    after,
    services_touched,
)

DAY = date(2026, 11, 28)
SINCE = date(2026, 1, 1)
PORTAL_NEEDS_PLATFORM = Dependency("portal", "platform", SINCE)
PLATFORM_NEEDS_HOSTING = Dependency("platform", "hosting", SINCE)
ENDED = Dependency("payroll", "hosting", SINCE, date(2026, 11, 27))
DEPENDENCIES = [PORTAL_NEEDS_PLATFORM, PLATFORM_NEEDS_HOSTING, ENDED]


@pytest.mark.parametrize(
    ("down", "touched"),
    [
        (["portal"], {"portal": 0}),
        (["platform"], {"platform": 0, "portal": 1}),
        (["hosting"], {"hosting": 0, "platform": 1, "portal": 2}),
        (["hosting", "portal"], {"hosting": 0, "platform": 1, "portal": 0}),
        ([], {}),
    ],
)
def test_what_stands_on_a_service_that_is_down_is_touched(down: list[str], touched: dict[str, int]) -> None:
    assert services_touched(down, DEPENDENCIES, DAY) == touched


def test_each_adherent_is_touched_once_by_the_nearest_of_its_services() -> None:
    subscribed = [
        Subscribed(12, 1, "portal"),
        Subscribed(11, 1, "portal"),
        Subscribed(11, 2, "hosting"),
        Subscribed(11, 3, "platform"),
        Subscribed(13, 1, "payroll"),
    ]
    services = services_touched(["hosting"], DEPENDENCIES, DAY)
    assert adherents_touched(subscribed, services) == [Touched(11, 2, (1, 3)), Touched(12, 1, ())]
    assert adherents_touched(subscribed, services, only={12, 13}) == [Touched(12, 1, ())]
    assert adherents_touched(reversed(subscribed), services) == adherents_touched(subscribed, services)


@pytest.mark.parametrize(
    ("phase", "kind", "then"),
    [
        (MajorPhase.OPEN, EventKind.ACKNOWLEDGED, MajorPhase.ACKNOWLEDGED),
        (MajorPhase.OPEN, EventKind.RESOLVED, MajorPhase.RESOLVED),
        (MajorPhase.ACKNOWLEDGED, EventKind.RESOLVED, MajorPhase.RESOLVED),
        (MajorPhase.RESOLVED, EventKind.REOPENED, MajorPhase.ACKNOWLEDGED),
        (MajorPhase.RESOLVED, EventKind.CLOSED, MajorPhase.CLOSED),
    ],
)
def test_a_record_goes_from_phase_to_phase(phase: MajorPhase, kind: EventKind, then: MajorPhase) -> None:
    assert after(phase, kind) is then


@pytest.mark.parametrize("phase", MajorPhase)
def test_a_record_does_not_wait_for_an_adherent(phase: MajorPhase) -> None:
    with pytest.raises(Conflict):
        after(phase, EventKind.WAITING)
