"""Texts as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.errors import Invalid
from console.domain.free_text import LONGEST_TEXT, one_line, optional_line, several_lines


def test_the_blanks_of_a_line_are_made_single() -> None:
    assert one_line("  Point \t annuel\n", "title") == "Point annuel"
    assert optional_line("  ", "title") is None


@pytest.mark.parametrize("text", ["", "   ", "x" * 201, "a\x07b"])
def test_a_line_that_is_none_is_refused_under_its_field(text: str) -> None:
    with pytest.raises(Invalid, match="200") as refusal:
        one_line(text, "title")
    assert refusal.value.field == "title"


def test_lines_end_alike_and_without_blanks() -> None:
    assert several_lines("\r\n un  \r\ndeux\ttrois\r\n\r\n", "text") == " un\ndeux trois"


def test_a_long_text_is_told_its_length() -> None:
    assert len(several_lines("x" * LONGEST_TEXT, "text")) == LONGEST_TEXT
    with pytest.raises(Invalid, match="20001"):
        several_lines("x" * (LONGEST_TEXT + 1), "text")
    with pytest.raises(Invalid, match="ne s'affichent pas"):
        several_lines("a\x07", "text")


@given(st.text(max_size=200))
def test_a_kept_text_is_kept_again_as_it_is(text: str) -> None:
    try:
        kept = several_lines(text, "text")
    except Invalid:
        return
    assert several_lines(kept, "text") == kept
