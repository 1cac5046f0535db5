"""The life of a service: its stages, the order of its ends, its successors and its versions."""

from datetime import date

import pytest

from console.domain.errors import Invalid
from console.domain.offer import (
    Life,
    Stage,
    check_code,
    check_label,
    check_life,
    check_successor,
    newest_first,
)

JUNE, JULY, DECEMBER = date(2026, 6, 30), date(2026, 7, 31), date(2026, 12, 31)
NEW_YEAR = date(2027, 1, 1)
LIFE = Life(JUNE, DECEMBER, date(2027, 2, 1))


@pytest.mark.parametrize(
    ("life", "day", "stage", "sold"),
    [
        (Life(), JULY, Stage.SOLD, True),
        (LIFE, JUNE, Stage.ENDING, True),
        (LIFE, date(2026, 7, 1), Stage.ENDING, False),
        (LIFE, DECEMBER, Stage.ENDING, False),
        (LIFE, NEW_YEAR, Stage.UNSUPPORTED, False),
        (LIFE, date(2027, 2, 1), Stage.RETIRED, False),
        (Life(support_ends_on=DECEMBER), NEW_YEAR, Stage.UNSUPPORTED, False),
        (Life(sales_end_on=JUNE), JULY, Stage.SOLD, False),
        (Life(retired_on=NEW_YEAR), DECEMBER, Stage.SOLD, True),
        (Life(retired_on=NEW_YEAR), NEW_YEAR, Stage.RETIRED, False),
    ],
)
def test_a_service_is_sold_then_supported_then_retired(
    life: Life, day: date, stage: Stage, sold: bool
) -> None:
    assert (life.stage(day), life.sold_on(day)) == (stage, sold)


@pytest.mark.parametrize(
    ("life", "field"),
    [
        (Life(JULY, JUNE), "support_ends_on"),
        (Life(JUNE, DECEMBER, DECEMBER), "retired_on"),
        (Life(JULY, None, JUNE), "retired_on"),
    ],
)
def test_ends_out_of_order_are_refused_at_their_field(life: Life, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_life(life)
    assert refused.value.field == field


@pytest.mark.parametrize("life", [Life(), LIFE, Life(JUNE), Life(JUNE, JUNE, JULY), Life(retired_on=JUNE)])
def test_ends_in_order_are_accepted(life: Life) -> None:
    check_life(life)


@pytest.mark.parametrize("code", ["hr", "hds-iaas", "digihosp-2", "a" * 64])
def test_a_code_is_an_address(code: str) -> None:
    check_code(code)


@pytest.mark.parametrize(
    "code", ["", "HR", "2go", "a b", "a--b", "-a", "a-", "é", "a/b", "a" * 65, "new", "check"]
)
def test_what_could_not_be_an_address_is_no_code(code: str) -> None:
    with pytest.raises(Invalid):
        check_code(code)


@pytest.mark.parametrize("version", ["", " 1", "1/2", "..", "é", "1" * 65, "v 2"])
def test_what_could_not_be_an_address_is_no_version(version: str) -> None:
    with pytest.raises(Invalid):
        check_label(version)


def test_a_version_is_written_as_its_makers_do() -> None:
    for version in ("1.9", "2026.2", "12c", "v3", "5.0.0-rc1", "1.2+build.7"):
        check_label(version)


def test_successors_do_not_come_back() -> None:
    successors = {"old": "middle", "middle": "new"}
    check_successor("older", "old", successors)
    with pytest.raises(Invalid, match="new → old → middle → new"):
        check_successor("new", "old", successors)
    with pytest.raises(Invalid, match="old → old"):
        check_successor("old", "old", {})


def test_another_successor_may_take_the_place_of_one() -> None:
    check_successor("old", "new", {"old": "middle", "middle": "new"})


def test_versions_of_one_day_are_sorted_by_their_numbers() -> None:
    versions = [(JUNE, "1.9"), (JUNE, "1.10"), (JULY, "1.2"), (JUNE, "1.10-rc1")]
    assert [label for _day, label in newest_first(versions)] == ["1.2", "1.10-rc1", "1.10", "1.9"]
