"""Claims follow virtual machines, whatever the order in which their hours come."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.following import BeginEarlier, CarryOn, Held, to_follow

START = datetime(2026, 11, 25, tzinfo=UTC)
A, B, C = 1, 2, 3


def at(hour: int) -> datetime:
    return START + timedelta(hours=hour)


def claim(
    number: int = 1,
    host: int = A,
    owner: str = "chu",
    since: int = 0,
    until: int | None = None,
    follows: int | None = None,
) -> Held:
    return Held(number, host, (owner,), at(since), None if until is None else at(until), follows)


@pytest.mark.parametrize(
    ("claims", "found"),
    [
        ([claim()], CarryOn(claim(), at(5), None)),
        ([claim(until=9)], CarryOn(claim(until=9), at(5), at(9))),
        ([], None),
        ([claim(until=5)], None),
        ([claim(since=6)], None),
        ([claim(), claim(2, B, "ght", since=8)], CarryOn(claim(), at(5), at(8))),
        ([claim(), claim(2, B, "ght")], None),
        ([claim(), claim(2, B, follows=1, since=3)], None),
        ([claim(), claim(2, B, follows=1, since=1, until=3)], None),
        ([claim(), claim(2, B, follows=1, since=7)], BeginEarlier(claim(2, B, follows=1, since=7), at(5))),
        ([claim(), claim(2, B, follows=1, since=7, until=7)], None),
        ([claim(), claim(2, C, "ght")], None),
        ([claim(3, since=2), claim(2, C)], CarryOn(claim(2, C), at(5), None)),
        ([claim(until=4), claim(2, C, follows=1, until=4)], None),
    ],
    ids=[
        "it moved here",
        "to the end of the claim",
        "nobody's",
        "ended before",
        "not yet",
        "until somebody else's begins",
        "somebody else's here",
        "it is back",
        "ended here",
        "an earlier hour",
        "withdrawn here",
        "two holders",
        "one holder twice",
        "all ended",
    ],
)
def test_what_a_machine_asks_for_on_a_host(claims: list[Held], found: object) -> None:
    assert to_follow(claims, B, at(5)) == found


def carried(claims: list[Held], hours: list[tuple[int, int]]) -> list[Held]:
    """The claims after some hours (host, hour) came in that order."""
    for host, hour in hours:
        match to_follow(claims, host, at(hour)):
            case CarryOn(first, valid_from, valid_to):
                new = Held(100 + len(claims), host, first.owner, valid_from, valid_to, first.number)
                claims = [*claims, new]
            case BeginEarlier(one, valid_from):
                claims = [replace(each, valid_from=valid_from) if each == one else each for each in claims]
    return claims


spans = st.tuples(st.integers(0, 20), st.none() | st.integers(1, 12)).map(
    lambda span: (span[0], None if span[1] is None else span[0] + span[1])
)


@given(
    st.lists(st.tuples(st.sampled_from([A, B, C]), st.sampled_from(["chu", "ght"]), spans), max_size=4),
    st.lists(st.tuples(st.sampled_from([A, B, C]), st.integers(0, 25)), max_size=12, unique=True),
    st.randoms(use_true_random=False),
)
def test_the_order_of_hours_makes_no_difference_and_no_two_claims_hold_an_hour(made, hours, rng) -> None:
    claims: list[Held] = []
    for number, (host, owner, (since, until)) in enumerate(made, start=1):
        new = claim(number, host, owner, since, until)
        if not _overlaps(new, claims):
            claims.append(new)
    in_order = carried(claims, sorted(hours, key=lambda one: one[1]))
    shuffled = carried(claims, rng.sample(hours, len(hours)))
    told = {(one.host_id, one.owner, one.valid_from, one.valid_to) for one in in_order}
    assert {(one.host_id, one.owner, one.valid_from, one.valid_to) for one in shuffled} == told
    assert carried(in_order, hours) == in_order
    for place, one in enumerate(in_order):
        assert not _overlaps(one, in_order[:place])


def _overlaps(one: Held, others: list[Held]) -> bool:
    return any(
        other.host_id == one.host_id
        and (other.valid_to is None or one.valid_from < other.valid_to)
        and (one.valid_to is None or other.valid_from < one.valid_to)
        for other in others
    )
