"""Shares of a pool: exact, by weights that say where they are from."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.carbon import NO_HOURS, KnownHours
from console.domain.contract import Amendment, Status
from console.domain.month_lines import SharingKeyKind
from console.domain.sharing import (
    EMBODIED,
    QUALITIES,
    WHOLE,
    Key,
    Origin,
    Volumes,
    Weight,
    key_for,
    pool_of,
    shares,
    split_hours,
    terms_in,
    volume_weights,
)

MARCH = date(2026, 3, 1)
FOIX, PAMIERS, AUCH = (7, 1), (8, 1), (9, 2)


def told(value: int) -> Weight:
    return Weight(value, Origin.TOLD)


@pytest.mark.parametrize(
    ("volumes", "weights"),
    [
        ({FOIX: Volumes(900), PAMIERS: Volumes(0)}, {FOIX: told(900), PAMIERS: told(0)}),
        (
            {FOIX: Volumes(900), PAMIERS: Volumes(None, last=300, contract=5)},
            {FOIX: told(900), PAMIERS: Weight(300, Origin.LAST_VOLUME)},
        ),
        (
            {FOIX: Volumes(900), PAMIERS: Volumes(None, contract=250)},
            {FOIX: told(900), PAMIERS: Weight(250, Origin.CONTRACT)},
        ),
        (
            {FOIX: Volumes(900), PAMIERS: Volumes(400), AUCH: Volumes(None)},
            {FOIX: told(900), PAMIERS: told(400), AUCH: Weight(650, Origin.MEAN)},
        ),
        (
            {FOIX: Volumes(900), PAMIERS: Volumes(None, last=0, contract=0)},
            {FOIX: told(900), PAMIERS: Weight(900, Origin.MEAN)},
        ),
        (
            {FOIX: Volumes(None), PAMIERS: Volumes(None)},
            {FOIX: Weight(1, Origin.EQUAL), PAMIERS: Weight(1, Origin.EQUAL)},
        ),
        ({FOIX: Volumes(0), AUCH: Volumes(None)}, {FOIX: told(0), AUCH: Weight(1, Origin.EQUAL)}),
        ({}, {}),
    ],
)
def test_who_told_no_volume_weighs_what_was_to_be_expected_and_never_nothing(
    volumes: dict[tuple[int, int], Volumes], weights: dict[tuple[int, int], Weight]
) -> None:
    assert volume_weights(volumes) == weights


def test_the_last_key_to_begin_holds_in_its_last_version() -> None:
    keys = [
        Key(SharingKeyKind.SUBSCRIPTION, date(2026, 1, 1), 1),
        Key(SharingKeyKind.IT_ENERGY, MARCH, 1),
        Key(SharingKeyKind.VOLUME, MARCH, 2),
        Key(SharingKeyKind.SUBSCRIPTION, date(2026, 6, 1), 1),
    ]
    assert key_for(keys, date(2026, 2, 1)) == keys[0]
    assert key_for(keys, date(2026, 5, 1)) == keys[2]
    assert key_for(keys, date(2025, 12, 1)) == Key(SharingKeyKind.VOLUME, date(2025, 12, 1), 0)


@pytest.mark.parametrize(
    ("changes", "runs"),
    [
        ([(date(2026, 1, 1), {"status": Status.ACTIVE})], True),
        ([(date(2026, 3, 31), {"status": Status.ACTIVE})], True),
        ([(date(2026, 4, 1), {"status": Status.ACTIVE})], False),
        ([(date(2026, 1, 1), {"status": Status.DRAFT})], False),
        ([(date(2026, 1, 1), {"status": Status.ACTIVE, "ends_on": date(2026, 3, 1)})], True),
        ([(date(2026, 1, 1), {"status": Status.ACTIVE, "ends_on": date(2026, 2, 28)})], False),
        (
            [
                (date(2026, 1, 1), {"status": Status.ACTIVE}),
                (date(2026, 2, 10), {"status": Status.SUSPENDED}),
            ],
            False,
        ),
        (
            [
                (date(2026, 1, 1), {"status": Status.ACTIVE}),
                (date(2026, 3, 2), {"status": Status.SUSPENDED}),
            ],
            True,
        ),
    ],
)
def test_a_subscription_runs_in_a_month_when_it_is_active_on_a_day_of_it(
    changes: list[tuple[date, dict[str, object]]], runs: bool
) -> None:
    amendments = [Amendment(n, day, what) for n, (day, what) in enumerate(changes, start=1)]
    assert (terms_in(amendments, MARCH) is not None) is runs


def test_bounds_and_overhead_are_unknown_where_those_of_a_line_are_and_embodied_is_of_the_known_ones() -> (
    None
):
    line = dict.fromkeys(("energy_mj", *QUALITIES, *WHOLE, *EMBODIED), 5)
    other = line | {"low_mj": None, "overhead_mj": None, "embodied_ug": None}
    pool = pool_of([line, other])
    assert (pool["energy_mj"], pool["low_mj"], pool["overhead_mj"]) == (10, None, None)
    assert (pool["high_mj"], pool["embodied_ug"]) == (10, 5)


AMOUNT = st.integers(0, 10**16)
UNKNOWN = st.none() | AMOUNT
POOLS = st.fixed_dictionaries(
    dict.fromkeys(QUALITIES, AMOUNT)
    | dict.fromkeys((*WHOLE, *EMBODIED), UNKNOWN)
    | {"other": st.integers(0, 9)}
).map(lambda one: {**one, "energy_mj": sum(one[name] or 0 for name in (*QUALITIES, "other"))})
WEIGHTS = st.dictionaries(
    st.tuples(st.integers(1, 700), st.integers(1, 9)),
    st.builds(Weight, st.integers(0, 10**12), st.sampled_from(Origin)),
    min_size=1,
    max_size=12,
).filter(lambda weights: any(one.value for one in weights.values()))


@given(pool=POOLS, weights=WEIGHTS)
def test_shares_add_up_to_the_pool_to_the_unit_for_each_amount(
    pool: dict[str, int | None], weights: dict[tuple[int, int], Weight]
) -> None:
    pool.pop("other")
    found = shares(pool, weights)
    assert set(found) == set(weights)
    for name, amount in pool.items():
        parts = [share[name] for share in found.values()]
        if amount is None:
            assert set(parts) == {None}
        else:
            assert sum(part or 0 for part in parts) == amount
            assert all(part is not None and part >= 0 for part in parts)
    for who, share in found.items():
        assert weights[who].value or not share["energy_mj"]
        assert (share["energy_mj"] or 0) >= sum(share[name] or 0 for name in QUALITIES)


@given(pool=POOLS, weights=WEIGHTS)
def test_shares_do_not_hang_on_the_order_in_which_subscribers_are_told(
    pool: dict[str, int | None], weights: dict[tuple[int, int], Weight]
) -> None:
    pool.pop("other")
    assert shares(pool, weights) == shares(pool, dict(reversed(weights.items())))


@given(data=st.data(), known_mj=AMOUNT, intensity=st.integers(0, 10**6), weights=WEIGHTS)
def test_known_hours_their_products_and_what_is_of_real_time_are_shared_without_loss(
    data: st.DataObject, known_mj: int, intensity: int, weights: dict[tuple[int, int], Weight]
) -> None:
    known = KnownHours(known_mj, known_mj * intensity, data.draw(st.integers(0, known_mj)))
    parts = split_hours(known, weights).values()
    assert sum(parts, NO_HOURS) == known
    assert all(one.realtime_mj <= one.energy_mj for one in parts)
    assert all(one.energy_mj or not one.mg_mj for one in parts), (
        "a share without known hours has no line by the hour"
    )
