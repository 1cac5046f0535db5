"""Shares of a host: exactly the whole, never more, and more for who holds more."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from console.domain.embodied_shares import Capacity, Held, component_of, share_parts, weigh

REST = 1
AMOUNT = st.integers(0, 10**12)
PARTS = st.fixed_dictionaries({"cpu": AMOUNT, "ram": AMOUNT, "ssd": AMOUNT, "hdd": AMOUNT, "frame": AMOUNT})
SMALL = st.integers(0, 10**9)
HELD = st.builds(
    lambda idle, dynamic, mcpu, mb: Held(idle + dynamic, idle, mcpu, mb), SMALL, SMALL, SMALL, SMALL
)
WORKLOADS = st.dictionaries(st.integers(1, 12), HELD, max_size=8)
CAPACITY = st.builds(Capacity, SMALL, SMALL)


@given(PARTS, WORKLOADS, CAPACITY)
def test_shares_add_up_to_the_host_with_the_operators_rest(
    parts: dict[str, int], held: dict[int, Held], capacity: Capacity
) -> None:
    shares = share_parts(parts, held, capacity, REST)

    assert sum(sum(one.values()) for one in shares.values()) == sum(parts.values())
    assert all(amount >= 0 for one in shares.values() for amount in one.values())
    assert set(shares) == {*held, REST}


@given(PARTS, WORKLOADS, CAPACITY)
def test_a_share_is_its_component_times_the_weights_that_are_told_to_a_unit(
    parts: dict[str, int], held: dict[int, Held], capacity: Capacity
) -> None:
    shares = share_parts(parts, held, capacity, REST)
    for name in ("cpu", "ram", "frame"):
        whole = sum(amount for part, amount in parts.items() if component_of(part) == name)
        weighed = weigh(name, held, capacity, REST)
        for key in shares:
            told = weighed.told(key)
            exact = Fraction(whole * told["weight"], told["sum"])
            assert abs(shares[key].get(name, 0) - exact) < 1


@given(PARTS, CAPACITY, st.integers(0, 9))
def test_who_reserves_all_gets_all_and_not_more(parts: dict[str, int], capacity: Capacity, over: int) -> None:
    assume(capacity.mcpu_hours and capacity.mb_hours)
    more = 10 + over
    all_of_it = Held(5, 5, capacity.mcpu_hours * more // 10, capacity.mb_hours * more // 10)

    shares = share_parts(parts, {7: all_of_it, 8: Held()}, capacity, REST)

    assert sum(shares[7].values()) == sum(parts.values())
    assert not any(shares[8].values())
    assert not any(shares[REST].values())


@given(PARTS, WORKLOADS, CAPACITY, st.data(), st.integers(0, 10**9))
def test_adding_memory_to_one_never_lowers_its_share(
    parts: dict[str, int], held: dict[int, Held], capacity: Capacity, data: st.DataObject, more: int
) -> None:
    assume(any(one.mb_hours for one in held.values()))  # else another key holds
    key = data.draw(st.sampled_from(sorted(held)))
    grown = held | {key: replace(held[key], mb_hours=held[key].mb_hours + more)}
    if key == REST:
        return

    before = share_parts(parts, held, capacity, REST)[key]
    after = share_parts(parts, grown, capacity, REST)[key]

    assert sum(after.values()) >= sum(before.values())


@given(st.lists(st.integers(1, 50), min_size=1, max_size=8), st.integers(1, 50), st.integers(1, 10**12))
def test_the_same_to_the_unit_where_sums_of_reservations_pass_the_host(
    weights: list[int], capacity: int, amount: int
) -> None:
    held = {place + 2: Held(0, 0, weight, 0) for place, weight in enumerate(weights)}
    shares = share_parts({"cpu": amount}, held, Capacity(mcpu_hours=capacity), REST)

    whole = max(sum(weights), capacity)
    for place, weight in enumerate(weights):
        assert abs(shares[place + 2]["cpu"] - amount * weight / whole) <= 1 + amount * 1e-12


def test_a_host_on_which_nothing_ran_is_the_operators() -> None:
    assert share_parts({"cpu": 10, "frame": 5}, {}, Capacity(1000, 1000), REST) == {
        REST: {"cpu": 10, "frame": 5}
    }


def test_where_nothing_is_reserved_the_cpu_goes_by_what_each_used() -> None:
    held = {5: Held(400, 100), 6: Held(200, 100), REST: Held(50, 50)}

    assert share_parts({"cpu": 400}, held, Capacity(1000, 1000), REST)[5] == {"cpu": 300}
