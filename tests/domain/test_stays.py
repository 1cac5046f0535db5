"""Where a host stands, dated."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.hours import month_of
from console.domain.stays import FIRST, Stay, Whereabouts, stand

START = datetime.fromisoformat("2026-03-01T00:00+00:00")


def at(hour: int) -> datetime:
    return START + timedelta(hours=hour)


def test_what_is_said_first_holds_for_all_that_was_before() -> None:
    known = stand(Whereabouts(), "tls", at(10))

    assert known == Whereabouts((), "tls")
    assert known.at(FIRST) == known.at(at(99)) == "tls"


def test_a_host_that_moves_leaves_its_past_where_it_was() -> None:
    known = stand(Whereabouts(now="tls"), "ami", at(10))

    assert known == Whereabouts((Stay(FIRST, at(10), "tls"),), "ami")
    assert [known.at(at(hour)) for hour in (9, 10, 11)] == ["tls", "ami", "ami"]


TLS, TO_AMI = Whereabouts(now="tls"), Whereabouts((Stay(FIRST, at(10), "tls"),), "ami")
CASES = {
    "back again": (TO_AMI, "tls", 20, None, [(10, "tls"), (20, "ami")], "tls"),
    "back at the hour it left": (TO_AMI, "tls", 10, None, [], "tls"),
    "sooner than was thought": (TO_AMI, "ami", 4, None, [(4, "tls")], "ami"),
    "later than was thought": (TO_AMI, "tls", 10, 14, [(14, "tls")], "ami"),
    "away for a while": (TLS, "ami", 5, 8, [(5, "tls"), (8, "ami")], "tls"),
    "away for a while, before it moved": (TO_AMI, "cas", 5, 8, [(5, "tls"), (8, "cas"), (10, "tls")], "ami"),
    "away around its move": (TO_AMI, "cas", 8, 12, [(8, "tls"), (12, "cas")], "ami"),
    "where it is": (TO_AMI, "ami", 30, None, [(10, "tls")], "ami"),
}


@pytest.mark.parametrize(("known", "site", "since", "until", "stays", "now"), CASES.values(), ids=CASES)
def test_a_stay_takes_the_place_of_what_was_known_of_its_hours_alone(
    known: Whereabouts, site: str, since: int, until: int | None, stays: list[tuple[int, str]], now: str
) -> None:
    found = stand(known, site, at(since), None if until is None else at(until))

    assert [(one.until, one.site) for one in found.stays] == [(at(hour), where) for hour, where in stays]
    assert found.now == now


def test_a_stay_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="ends after"):
        stand(TLS, "ami", at(5), at(5))


SAID = st.tuples(st.sampled_from(("tls", "ami", "cas")), st.integers(0, 40), st.integers(1, 40) | st.none())


@given(st.lists(SAID, min_size=1, max_size=8))
def test_each_hour_is_where_it_was_last_said_and_stays_follow_without_a_hole(
    said: list[tuple[str, int, int | None]],
) -> None:
    known = TLS
    expected = dict.fromkeys(range(100), "tls")
    for site, since, length in said:
        until = None if length is None else since + length
        known = stand(known, site, at(since), None if until is None else at(until))
        expected |= dict.fromkeys(range(since, until or 100), site)
        assert stand(known, site, at(since), None if until is None else at(until)) == known

    assert {hour: known.at(at(hour)) for hour in range(100)} == expected
    ends = [FIRST, *(one.until for one in known.stays)]
    assert [one.since for one in known.stays] == ends[:-1]
    sites = [*(one.site for one in known.stays), known.now]
    assert all(one != other for one, other in pairwise(sites))


ZONES = {
    "tls": ZoneInfo("Europe/Paris"),
    "ami": ZoneInfo("Indian/Reunion"),
    "cas": ZoneInfo("America/Cayenne"),
}


@given(st.lists(SAID, max_size=8))
def test_each_hour_of_a_host_is_of_the_month_that_its_site_is_in(
    said: list[tuple[str, int, int | None]],
) -> None:
    known = TLS
    for site, since, length in said:
        known = stand(known, site, at(since - 20), None if length is None else at(since + length - 20))
    hours = {hour: known.at(at(hour)) for hour in range(-48, 48)}
    for month in (date(2026, 2, 1), date(2026, 3, 1)):
        stays = known.in_month(month, lambda site: ZONES[site])
        held = [hour for hour in hours for one in stays if one.since <= at(hour) < one.until]
        assert held == [
            hour for hour, site in hours.items() if site and month_of(at(hour), ZONES[site]) == month
        ]
