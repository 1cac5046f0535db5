"""Names as they are sought and sorted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.folding import fold, folded_words


@pytest.mark.parametrize(
    ("typed", "in_the_directory"),
    [
        ("béziers", "BEZIERS"),
        ("Épernay", "EPERNAY"),
        ("hopital océane", "HOPITAL OCEANE"),
        ("Saint-Étienne", "ST ETIENNE"),
        ("ST ETIENNE", "SAINT ETIENNE"),
        ("Sainte-Anne", "STE ANNE"),
        ("ste anne", "SAINTE-ANNE"),
        ("Sacré-Cœur", "SACRE COEUR"),
        ("Hôpital de l'Arbresle", "HOPITAL DE L ARBRESLE"),
        ("l\N{RIGHT SINGLE QUOTATION MARK}Arbresle", "L'ARBRESLE"),
        ("Bourg\N{NON-BREAKING HYPHEN}en\N{EN DASH}Bresse", "BOURG EN BRESSE"),
        ("E\N{COMBINING ACUTE ACCENT}pernay", "Épernay"),
    ],
)
def test_both_writings_are_one(typed: str, in_the_directory: str) -> None:
    assert fold(typed) == fold(in_the_directory)


@pytest.mark.parametrize("name", ["STAINS", "BREST", "ESTE", "CASTRES"])
def test_a_saint_is_a_whole_word(name: str) -> None:
    assert fold(name) == name


def test_the_words_of_a_search_are_folded_one_by_one() -> None:
    assert folded_words("  CH  Saint-Étienne ") == ["CH", "SAINT", "ETIENNE"]
    assert folded_words(" - ") == []


@given(st.text())
def test_what_is_folded_stays_as_it_is(text: str) -> None:
    assert fold(fold(text)) == fold(text)
