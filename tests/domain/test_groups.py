"""Who is in which hospital group, by date, and who sees whom through it."""

from contextlib import suppress
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.directory import GroupRole, Membership
from console.domain.errors import Conflict, Invalid
from console.domain.groups import Held, Relation, seen_through_groups

SUPPORT, MEMBER = GroupRole.SUPPORT, GroupRole.MEMBER
JANUARY, JUNE, NOVEMBER = date(2026, 1, 1), date(2026, 6, 1), date(2026, 11, 25)


def held(
    entity: str, role: GroupRole = MEMBER, ght: str = "A", start: date = JANUARY, end=None, said=JANUARY
) -> Held:
    return Held(ght, entity, role, start, end, said)


def wanted(entity: str, role: GroupRole = MEMBER, ght: str = "A", start=None, end=None) -> Membership:
    return Membership(ght, entity, role, start, end)


GROUP = (held("chief", SUPPORT), held("one"), held("two"))


@pytest.mark.parametrize(
    ("own", "seen"),
    [
        ({"chief"}, {"one", "two"}),
        ({"one"}, set()),
        ({"stranger"}, set()),
        (set(), set()),
        ({"one", "chief"}, {"two"}),
    ],
)
def test_the_support_establishment_sees_the_members_and_a_member_no_sibling(own, seen) -> None:
    assert seen_through_groups(own, GROUP, NOVEMBER) == seen


@pytest.mark.parametrize(
    ("day", "seen"),
    [
        (date(2025, 12, 31), set()),
        (JANUARY, {"one"}),
        (date(2026, 5, 31), {"one"}),
        (JUNE, set()),
    ],
)
def test_a_member_is_seen_from_its_first_day_to_its_last(day: date, seen: set[str]) -> None:
    group = (held("chief", SUPPORT, start=date(2020, 1, 1)), held("one", end=JUNE))
    assert seen_through_groups({"chief"}, group, day) == seen


def test_the_support_establishment_sees_while_it_is_that() -> None:
    group = (held("chief", SUPPORT, end=JUNE), held("one"))
    assert seen_through_groups({"chief"}, group, date(2026, 5, 31)) == {"one"}
    assert seen_through_groups({"chief"}, group, JUNE) == set()


def test_a_support_establishment_sees_nobody_of_another_group() -> None:
    group = (*GROUP, held("far", SUPPORT, ght="B"), held("away", ght="B"))
    assert seen_through_groups({"chief"}, group, NOVEMBER) == {"one", "two"}


@given(st.sets(st.sampled_from(["chief", "one", "two", "x"])), st.dates(date(2025, 1, 1), date(2028, 1, 1)))
def test_nobody_sees_through_a_group_but_its_support(own: set[str], day: date) -> None:
    seen = seen_through_groups(own, GROUP, day)
    assert not seen & own
    assert seen <= {"one", "two"}
    assert not seen or "chief" in own


def test_an_entity_that_is_new_joins_on_the_day_of_the_file() -> None:
    assert Relation(GROUP).join(wanted("new"), NOVEMBER) == [
        (None, held("new", start=NOVEMBER, said=NOVEMBER))
    ]


def test_one_that_is_in_already_is_only_known_to_a_later_day() -> None:
    relation = Relation(GROUP)
    assert relation.join(wanted("one"), NOVEMBER) == [(held("one"), held("one", said=NOVEMBER))]
    assert relation.join(wanted("one"), NOVEMBER) == []
    assert relation.join(wanted("chief", SUPPORT), JANUARY) == []
    assert relation.join(wanted("one", start=JANUARY), NOVEMBER) == []


def test_taking_in_twice_is_taking_in_once() -> None:
    relation = Relation(GROUP)
    news = [wanted("new"), wanted("one", ght="B"), wanted("two", start=JUNE, end=NOVEMBER)]
    for one in news:
        assert relation.join(one, NOVEMBER)
    for one in news:
        assert relation.join(one, NOVEMBER) == []


def test_one_that_moves_leaves_where_it_was() -> None:
    assert Relation(GROUP).join(wanted("one", ght="B"), NOVEMBER) == [
        (held("one"), held("one", end=NOVEMBER, said=NOVEMBER)),
        (None, held("one", ght="B", start=NOVEMBER, said=NOVEMBER)),
    ]


def test_another_role_is_another_membership() -> None:
    relation = Relation(GROUP)
    relation.join(wanted("chief", MEMBER), NOVEMBER)
    assert relation.join(wanted("one", SUPPORT), NOVEMBER) == [
        (held("one"), held("one", end=NOVEMBER, said=NOVEMBER)),
        (None, held("one", SUPPORT, start=NOVEMBER, said=NOVEMBER)),
    ]


def test_a_group_has_one_support_establishment() -> None:
    with pytest.raises(Conflict, match="chief"):
        Relation(GROUP).join(wanted("one", SUPPORT), NOVEMBER)


def test_a_day_that_the_file_gives_counts() -> None:
    relation = Relation(GROUP)
    assert relation.join(wanted("one", start=date(2025, 7, 1)), NOVEMBER) == [
        (held("one"), held("one", start=date(2025, 7, 1), said=NOVEMBER))
    ]
    assert relation.join(wanted("two", start=JANUARY, end=JUNE), NOVEMBER) == [
        (held("two"), held("two", end=JUNE, said=NOVEMBER))
    ]


def test_who_joins_another_group_later_cannot_join_before_without_an_end() -> None:
    relation = Relation([held("one", ght="B", start=JUNE)])
    with pytest.raises(Conflict, match="GHT B depuis le 2026-06-01"):
        relation.join(wanted("one", start=JANUARY), NOVEMBER)
    assert relation.join(wanted("one", start=JANUARY, end=JUNE), NOVEMBER) == [
        (None, held("one", end=JUNE, said=NOVEMBER))
    ]


def test_the_day_before_the_first_withdraws_and_the_day_before_that_is_refused() -> None:
    one = held("one")
    assert Relation([one]).end(one, JANUARY)[1].withdrawn
    with pytest.raises(Invalid, match="après son début"):
        Relation([one]).end(one, date(2025, 12, 31))


def test_a_membership_that_was_withdrawn_may_be_begun_again_on_the_same_day() -> None:
    gone = held("one", end=JANUARY)
    assert Relation([gone]).join(wanted("one", start=JANUARY), JANUARY) == [(gone, held("one"))]


def test_a_file_that_holds_one_that_had_ended_opens_it_again_and_keeps_an_end_to_come() -> None:
    ended, ends = held("one", end=JUNE), held("two", end=date(2027, 1, 1))
    relation = Relation([ended, ends])
    assert relation.join(wanted("one", start=JANUARY), NOVEMBER) == [(ended, held("one", said=NOVEMBER))]
    kept = held("two", end=date(2027, 1, 1), said=NOVEMBER)
    assert relation.join(wanted("two", start=JANUARY), NOVEMBER) == [(ends, kept)]
    assert relation.join(wanted("two"), NOVEMBER) == []


@given(
    st.sampled_from(["chief", "one", "two"]),
    st.sampled_from([SUPPORT, MEMBER]),
    st.sampled_from(["A", "B"]),
    st.none() | st.dates(date(2025, 1, 1), date(2027, 1, 1)),
)
def test_an_older_file_changes_nothing_that_is_known_to_a_later_day(entity, role, ght, start) -> None:
    confirmed = [replace(one, as_of=NOVEMBER) for one in GROUP]
    relation = Relation(confirmed)
    with suppress(Conflict):
        relation.join(wanted(entity, role, ght, start), JUNE)
    assert set(relation.all()) == set(confirmed)
