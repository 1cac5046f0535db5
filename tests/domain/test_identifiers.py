"""French identifiers and their keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.fr import siren as their_siren
from stdnum.fr import siret as their_siret

from console.domain.errors import Invalid
from console.domain.identifiers import finess, luhn_holds, siren, siret


@pytest.mark.parametrize("number", ["010000024", "2A0000030", "2B0000012", "970300026", "980500011"])
def test_a_finess_number_with_its_key_is_kept(number: str) -> None:
    assert finess(f" {number.lower()} ") == number


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (finess, "010000025", "clé"),
        (finess, "2A0000031", "clé"),
        (finess, "2C0000030", "9 caractères"),
        (finess, "10000024", "010000024 attendu"),
        (finess, "", "manque"),
        (siren, "26010004", "9 caractères"),
        (siren, "260100046", "clé"),
        (siret, "26010004500013", "clé"),
        (siret, "2,601E+13", "arrondi par un tableur"),
        (siret, "2.601E+13", "arrondi par un tableur"),
        (siret, "5580000700001", "05580000700001 attendu"),
    ],
)
def test_a_refusal_says_what_would_be_right(read, text: str, said: str) -> None:
    with pytest.raises(Invalid, match=said.replace("+", r"\+")) as refusal:
        read(text, "there")
    assert refusal.value.field == "there"


def test_blanks_between_digits_do_not_matter() -> None:
    assert siret("260 100 045 00012") == "26010004500012"
    assert siren("260\N{NARROW NO-BREAK SPACE}100\N{NO-BREAK SPACE}045") == "260100045"


def test_la_poste_has_a_key_of_its_own() -> None:
    assert siret("35600000049837") == "35600000049837"


@given(st.integers(0, 10**8 - 1))
def test_one_last_digit_in_ten_is_the_key(body: int) -> None:
    assert sum(luhn_holds(f"{body:08}{key}") for key in range(10)) == 1


@given(st.from_regex(r"[0-9]{9}", fullmatch=True), st.from_regex(r"[0-9]{14}", fullmatch=True))
def test_keys_agree_with_a_library(nine: str, fourteen: str) -> None:
    assert _holds(siren, nine) == their_siren.is_valid(nine)
    if not fourteen.startswith("356000000"):
        assert _holds(siret, fourteen) == their_siret.is_valid(fourteen)


def _holds(read, text: str) -> bool:
    try:
        return bool(read(text))
    except Invalid:
        return False
