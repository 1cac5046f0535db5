"""What a spreadsheet did to a cell is told, and undone only where a key proves it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.errors import Invalid
from console.domain.identifiers import finess, luhn_holds, siren, siret
from console.domain.spreadsheets import day_of, is_floating, refuse_decimal, whole_identifier


def reads(read):
    def holds(text: str) -> bool:
        try:
            return bool(read(text))
        except Invalid:
            return False

    return holds


@pytest.mark.parametrize(
    ("read", "lengths", "damaged", "whole"),
    [
        (finess, (9,), "10000024", "010000024"),
        (finess, (9,), "10000024.0", "010000024"),
        (finess, (9,), "10000024,00", "010000024"),
        (finess, (9,), "970300026.0", "970300026"),
        (siret, (14,), "5580000700001", "05580000700001"),
        (siren, (9,), "55800007", "055800007"),
    ],
)
def test_lost_zeros_come_back_where_the_key_proves_them(read, lengths, damaged: str, whole: str) -> None:
    assert whole_identifier(damaged, lengths, reads(read)) == whole


@pytest.mark.parametrize(
    ("read", "lengths", "text"),
    [
        (finess, (9,), "10000025"),  # the key of 010000025 is false
        (finess, (9,), "1000002"),  # 001000002 would be of department 00
        (finess, (9,), "010000024"),  # nothing is lost
        (finess, (9,), "2A0000030"),
        (finess, (9,), "1,0E+07"),
        (siret, (14,), "2,601E+13"),
        (siret, (14,), "80007"),  # nine zeros are not lost, they were never there
        (siret, (14,), ""),
    ],
)
def test_what_nothing_proves_is_left_alone(read, lengths, text: str) -> None:
    assert whole_identifier(text, lengths, reads(read)) is None


def test_two_candidates_prove_nothing() -> None:
    text = "10000024"
    assert whole_identifier(text, (9, 10), lambda candidate: len(candidate) in (9, 10)) is None
    assert whole_identifier(text, (9, 10), lambda candidate: len(candidate) == 10) == "0010000024"


@given(st.integers(1, 9), st.integers(0, 10**6 - 1))
def test_any_finess_number_survives_a_spreadsheet(department: int, body: int) -> None:
    start = f"0{department}{body:06}"
    key = next(digit for digit in range(10) if luhn_holds(f"{start}{digit}"))
    number = f"{start}{key}"
    assert whole_identifier(str(int(number)), (9,), reads(finess)) == number


@given(st.from_regex(r"[1-9][0-9]{7}", fullmatch=True))
def test_a_number_is_repaired_exactly_when_its_key_holds(digits: str) -> None:
    repaired = whole_identifier(digits, (9,), reads(finess))
    assert repaired == (f"0{digits}" if luhn_holds(f"0{digits}") else None)


@pytest.mark.parametrize("text", ["2,601E+13", "2.601e13", "3,31254E+13", "3E+13"])
def test_a_rounded_number_is_told(text: str) -> None:
    assert is_floating(text)


@pytest.mark.parametrize("text", ["26010004500012", "2A0000030", "E+13", "2,601"])
def test_what_is_not_rounded_is_not_taken_for_it(text: str) -> None:
    assert not is_floating(text)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("", None),
        ("1979-02-13", date(1979, 2, 13)),
        ("13/02/1979", date(1979, 2, 13)),
        ("1/2/1979", date(1979, 2, 1)),
        ("13/02/1979 00:00", date(1979, 2, 13)),
        ("1979-02-13 00:00:00", date(1979, 2, 13)),
        ("1979-02-13T00:00:00", date(1979, 2, 13)),
    ],
)
def test_a_day_is_read_as_a_french_spreadsheet_writes_it(text: str, day: date | None) -> None:
    assert day_of(text, "there") == day


@pytest.mark.parametrize("text", ["02/13/1979", "28899", "hier", "31/02/2024", "13/02/79"])
def test_a_day_that_is_none_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(Invalid, match="25/11/2026") as refusal:
        day_of(text, "there")
    assert refusal.value.field == "there"


def test_a_code_with_decimals_is_told_with_what_would_be_right() -> None:
    with pytest.raises(Invalid, match="355 attendu"):
        refuse_decimal("355,0", "cat")
    refuse_decimal("355", "cat")
