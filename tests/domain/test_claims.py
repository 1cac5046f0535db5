"""Whose a workload is."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from console.domain.claims import Claim, check_claim, owner_at
from console.domain.errors import Conflict, Invalid

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_claim_holds_from_its_first_hour_to_the_one_before_its_end() -> None:
    claim = Claim(1, 7, NOON, NOON + 2 * HOUR)
    held = [claim.holds_at(NOON + n * HOUR) for n in (-1, 0, 1, 2)]
    assert held == [False, True, True, False]


def test_what_no_claim_holds_has_no_owner() -> None:
    claims = [Claim(1, 7, NOON, NOON + HOUR), Claim(2, 8, NOON + 2 * HOUR, None)]
    owners = [owner_at(claims, NOON + n * HOUR) for n in (0, 1, 2, 1000)]
    assert [owner and owner.tenant_id for owner in owners] == [7, None, 8, 8]


@pytest.mark.parametrize(
    ("start", "end", "fits"),
    [
        (0, 1, True),
        (0, 2, True),
        (1, 3, False),
        (2, 4, False),
        (3, 4, False),
        (4, None, True),
        (3, None, False),
        (0, None, False),
    ],
)
def test_a_claim_may_touch_another_but_not_overlap_it(start: int, end: int | None, fits: bool) -> None:
    other = Claim(1, 7, NOON + 2 * HOUR, NOON + 4 * HOUR)
    given = (NOON + start * HOUR, None if end is None else NOON + end * HOUR, [other])
    if fits:
        check_claim(*given)
    else:
        with pytest.raises(Conflict):
            check_claim(*given)


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [(NOON, NOON, "valid_to"), (NOON, NOON - HOUR, "valid_to"), (NOON + HOUR / 2, None, "valid_from")],
)
def test_an_empty_claim_or_one_off_the_hour_is_refused(
    start: datetime, end: datetime | None, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        check_claim(start, end, [])
    assert refused.value.field == field


def test_the_day_since_which_another_claim_holds_is_that_of_the_zone() -> None:
    other = Claim(1, 7, datetime(2026, 11, 24, 23, tzinfo=UTC), None)
    with pytest.raises(Conflict, match="2026-11-25"):
        check_claim(NOON, None, [other], ZoneInfo("Europe/Paris"))
