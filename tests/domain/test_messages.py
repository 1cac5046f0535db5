"""Templates of messages and their words."""

import pytest

from console.domain.errors import Invalid
from console.domain.messages import Word, check_template, fill_in


def test_words_stand_for_what_is_known_and_are_filled_in_once() -> None:
    values = {word: word.value.upper() for word in Word} | {Word.TITLE: "{numero}"}
    assert fill_in("n° {numero} « {titre} »", values) == "n° NUMERO « {numero} »"


@pytest.mark.parametrize("text", ["", "   \n", "Bonjour {nom}", "{}"])
def test_a_template_without_text_or_with_unknown_words_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_template(text, "text_fr")
    assert refusal.value.field == "text_fr"
