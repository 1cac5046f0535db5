"""The state of a subscription on any day is read from its dated amendments."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.contract import (
    Amendment,
    Status,
    Terms,
    check_terms,
    check_timeline,
    differences,
    from_plain,
    in_order,
    terms_on,
    to_plain,
)
from console.domain.errors import Conflict, Invalid
from console.domain.price import Indexation, PricePer
from console.domain.renewal import NoticeUnit

START = date(2026, 1, 1)


def amendment(number: int, month: int, **changes) -> Amendment:
    return Amendment(number, date(2026, month, 1), changes)


SIGNED = amendment(1, 1, status=Status.ACTIVE, volume=100, plan_code="standard", plan_version=1)
days = st.integers(0, 800).map(lambda offset: START + timedelta(days=offset))
changes = st.dictionaries(
    st.sampled_from(["volume", "price_cents", "renewal_months", "notice"]),
    st.none() | st.integers(0, 100),
    min_size=1,
)
pasts = st.lists(st.tuples(days, changes), max_size=8).map(
    lambda rows: [SIGNED, *(Amendment(number, *row) for number, row in enumerate(rows, start=2))]
)


def test_a_day_has_the_terms_that_hold_on_it() -> None:
    past = [SIGNED, amendment(2, 3, volume=120), amendment(3, 6, status=Status.SUSPENDED)]
    assert terms_on(past, date(2025, 12, 31)) is None
    assert [
        (terms.status, terms.volume) for month in (2, 3, 6) if (terms := terms_on(past, date(2026, month, 1)))
    ] == [
        (Status.ACTIVE, 100),
        (Status.ACTIVE, 120),
        (Status.SUSPENDED, 120),
    ]


def test_of_one_day_the_last_written_holds() -> None:
    past = [amendment(3, 3, volume=3), SIGNED, amendment(2, 3, volume=2)]
    assert terms_on(past, date(2026, 3, 1)) == Terms(Status.ACTIVE, "standard", 1, 3)


def test_past_its_last_day_a_subscription_is_ended() -> None:
    past = [SIGNED, amendment(2, 5, ends_on=date(2026, 6, 30))]
    states = {
        day: terms.status for day in (date(2026, 6, 30), date(2026, 7, 1)) if (terms := terms_on(past, day))
    }
    assert states == {date(2026, 6, 30): Status.ACTIVE, date(2026, 7, 1): Status.ENDED}


def test_the_end_that_was_written_last_holds_for_every_day() -> None:
    past = [
        SIGNED,
        amendment(2, 6, ends_on=date(2026, 12, 31)),
        amendment(3, 4, ends_on=date(2026, 4, 1)),
    ]
    states = [terms.status for month in (3, 4, 5, 7) if (terms := terms_on(past, date(2026, month, 1)))]
    assert states == [Status.ACTIVE, Status.ACTIVE, Status.ENDED, Status.ENDED]
    prolonged = [*past, amendment(4, 4, ends_on=None)]
    assert terms_on(prolonged, date(2026, 7, 1)) == Terms(Status.ACTIVE, "standard", 1, 100)


@given(pasts, days, st.randoms())
def test_the_order_in_which_amendments_come_changes_nothing(past, day, random) -> None:
    shuffled = list(past)
    random.shuffle(shuffled)
    assert terms_on(shuffled, day) == terms_on(past, day)


@given(pasts, days)
def test_each_term_is_what_the_last_amendment_to_name_it_says(past, day) -> None:
    terms = terms_on(past, day)
    for name in ("volume", "price_cents", "renewal_months", "notice"):
        said = [
            one.changes[name] for one in in_order(past) if one.effective_on <= day and name in one.changes
        ]
        assert getattr(terms, name) == (said[-1] if said else None)


@given(pasts, days, days, changes)
def test_an_amendment_changes_no_day_before_its_own(past, day, effective_on, changed) -> None:
    later = Amendment(len(past) + 1, effective_on, changed)
    if day < effective_on:
        assert terms_on([*past, later], day) == terms_on(past, day)


@given(pasts, days)
def test_changes_survive_being_written_as_json(past, day) -> None:
    again = [Amendment(one.number, one.effective_on, from_plain(to_plain(one.changes))) for one in past]
    assert terms_on(again, day) == terms_on(past, day)


def test_days_and_choices_are_written_plainly() -> None:
    said = {
        "status": Status.ACTIVE,
        "price_per": PricePer.UNIT,
        "indexation": Indexation.ICHT_REV_TS,
        "notice_unit": NoticeUnit.MONTHS,
        "term_ends_on": date(2026, 12, 31),
        "ends_on": None,
        "tacit": True,
    }
    plain = to_plain(said)
    assert plain["term_ends_on"] == "2026-12-31"
    assert from_plain(plain) == said


@pytest.mark.parametrize(
    "states",
    [
        [(1, Status.DRAFT), (2, Status.ACTIVE), (3, Status.SUSPENDED), (4, Status.ACTIVE)],
        [(1, Status.ACTIVE), (3, Status.SUSPENDED), (3, Status.ACTIVE)],
    ],
)
def test_states_that_follow_each_other_may_be(states) -> None:
    check_timeline(amendment(number, month, status=status) for number, (month, status) in enumerate(states))


@pytest.mark.parametrize(
    "states",
    [
        [(1, Status.DRAFT), (2, Status.SUSPENDED)],
        [(1, Status.ACTIVE), (2, Status.ACTIVE)],
        [(1, Status.ACTIVE), (2, Status.DRAFT)],
        [(1, Status.ACTIVE), (4, Status.SUSPENDED), (2, Status.SUSPENDED)],  # written later, dated before
    ],
)
def test_a_state_that_cannot_follow_another_is_refused(states) -> None:
    with pytest.raises(Conflict):
        check_timeline(
            amendment(number, month, status=status) for number, (month, status) in enumerate(states)
        )


def test_only_what_is_new_is_a_change() -> None:
    assert differences(Terms(volume=3, contract="M-1"), {"volume": 3, "contract": "M-2"}) == {
        "contract": "M-2"
    }


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (Terms(volume=-1), "volume"),
        (Terms(price_cents=100), "price_per"),
        (Terms(price_cents=-1, price_per=PricePer.MONTH), "price"),
        (Terms(indexation=Indexation.FIXED), "indexation_rate"),
        (Terms(tacit=True, term_ends_on=START), "renewal_months"),
        (Terms(tacit=True, renewal_months=12), "term_ends_on"),
        (Terms(tacit=True, renewal_months=0, term_ends_on=START), "renewal_months"),
        (Terms(notice=3), "notice_unit"),
        (Terms(contract="a\nb"), "contract"),
        (Terms(service_version="v" * 201), "service_version"),
    ],
)
def test_terms_that_cannot_be_are_refused_with_their_field(terms: Terms, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_terms(terms)
    assert refusal.value.field == field


def test_terms_that_say_nothing_may_be() -> None:
    check_terms(Terms())
