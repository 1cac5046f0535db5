"""Dependencies between services: no circle on any day, and what is reached step by step."""

from datetime import date, timedelta
from graphlib import TopologicalSorter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from console.domain.dependencies import (
    Dependency,
    Reached,
    check_dependency,
    find_circle,
    reach,
    reach_back,
)
from console.domain.errors import Conflict, DomainError, Invalid

DAY = date(2026, 11, 25)
CODES = "abcd"
DAYS = [DAY + timedelta(days=number) for number in range(6)]


def needs(service: str, other: str, since: date = DAY, until: date | None = None) -> Dependency:
    return Dependency(service, other, since, until)


CHAIN = [needs("application", "platform"), needs("platform", "machines"), needs("payroll", "application")]


def test_what_closes_a_circle_is_refused_with_its_path() -> None:
    with pytest.raises(Invalid, match="machines → payroll → application → platform → machines"):
        check_dependency(needs("machines", "payroll"), CHAIN)


def test_a_service_does_not_need_itself() -> None:
    with pytest.raises(Invalid, match="lui-même"):
        check_dependency(needs("payroll", "payroll"), [])


def test_a_dependency_ends_after_it_begins() -> None:
    with pytest.raises(Invalid, match="après son début"):
        check_dependency(needs("a", "b", DAY, DAY - timedelta(days=1)), [])


@pytest.mark.parametrize(
    ("since", "until", "known"),
    [
        (DAYS[0], None, True),
        (DAYS[2], DAYS[2], True),
        (DAYS[3], DAYS[4], False),
        (DAYS[0], DAYS[0], False),
    ],
)
def test_the_same_dependency_is_told_once_a_day(since: date, until: date | None, known: bool) -> None:
    others = [needs("a", "b", DAYS[1], DAYS[2])]
    if known:
        with pytest.raises(Conflict, match="déjà au catalogue"):
            check_dependency(needs("a", "b", since, until), others)
    else:
        check_dependency(needs("a", "b", since, until), others)


def test_dependencies_that_never_hold_together_close_no_circle() -> None:
    past = [needs("a", "b", DAYS[0], DAYS[1]), needs("b", "c", DAYS[0], DAYS[3])]
    assert find_circle(needs("b", "a", DAYS[2]), past) is None
    assert find_circle(needs("b", "a", DAYS[1]), past) == ["b", "a", "b"]
    assert find_circle(needs("c", "a", DAYS[2]), past) is None


def test_what_is_reached_comes_nearest_first_and_once() -> None:
    both_ways = [*CHAIN, needs("payroll", "machines")]
    assert reach("payroll", both_ways, DAY) == [
        Reached("application", 1),
        Reached("machines", 1),
        Reached("platform", 2),
    ]
    assert reach_back("platform", CHAIN, DAY) == [Reached("application", 1), Reached("payroll", 2)]


def test_a_dependency_that_is_over_reaches_nothing() -> None:
    over = [needs("a", "b", DAYS[0], DAYS[1])]
    assert reach("a", over, DAYS[1]) == [Reached("b", 1)]
    assert reach("a", over, DAYS[2]) == []


@st.composite
def dependencies(draw: st.DrawFn) -> Dependency:
    since = draw(st.sampled_from(DAYS))
    until = draw(st.none() | st.sampled_from([day for day in DAYS if day >= since]))
    return Dependency(draw(st.sampled_from(CODES)), draw(st.sampled_from(CODES)), since, until)


@given(st.lists(dependencies(), max_size=12))
def test_what_is_accepted_can_be_sorted_on_every_day(wanted: list[Dependency]) -> None:
    kept: list[Dependency] = []
    for new in wanted:
        try:
            check_dependency(new, kept)
        except DomainError:
            continue
        kept.append(new)
    for day in DAYS:
        graph: dict[str, set[str]] = {}
        for one in kept:
            if one.holds_on(day):
                graph.setdefault(one.service, set()).add(one.needs)
        order = list(TopologicalSorter(graph).static_order())  # raises on a circle
        for code in CODES:
            for found in reach(code, kept, day):
                assert order.index(found.code) < order.index(code)


@given(st.lists(dependencies(), max_size=8), dependencies())
def test_a_circle_that_is_refused_exists_on_some_day(kept: list[Dependency], new: Dependency) -> None:
    acyclic: list[Dependency] = []
    for one in kept:
        if one.service != one.needs and find_circle(one, acyclic) is None:
            acyclic.append(one)
    assume(new.service != new.needs)
    circle = find_circle(new, acyclic)
    reachable = any(
        new.holds_on(day) and new.service in {found.code for found in reach(new.needs, acyclic, day)}
        for day in [*DAYS, DAYS[-1] + timedelta(days=1)]
    )
    assert (circle is not None) == reachable
