"""Passwords are long rather than odd, and an account that fails again and again waits longer and longer."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.access import Role
from console.domain.credentials import COMMON, LONGEST_DELAY, check_password, lock_delay
from console.domain.errors import Invalid


@pytest.mark.parametrize(
    ("password", "role"),
    [
        ("a quiet hill", Role.OPS),
        ("correct horse battery", Role.ADMINISTRATOR),
        ("é" * 4 + "bdegikmo", Role.CIO),
        ("one two three " * 14, Role.OPS),
        ("sunshine on the pier", Role.OPS),
        ("xk7-qzp4-tw2m", Role.OPS),
        ("1998 et 2012 : quelle joie", Role.ADMINISTRATOR),
    ],
)
def test_a_long_password_is_accepted_whatever_it_is_made_of(password: str, role: Role) -> None:
    check_password(password, "c.vidal", role, "Chloé Vidal")


@pytest.mark.parametrize(
    ("password", "role"),
    [
        ("eleven char", Role.OPS),
        ("fourteen chars", Role.ADMINISTRATOR),
        ("my name is C.Vidal", Role.OPS),
        ("abababababababab", Role.OPS),
        ("one two three " * 15, Role.OPS),
    ],
)
def test_a_password_is_refused_when_short_endless_monotonous_or_holding_the_login(
    password: str, role: Role
) -> None:
    with pytest.raises(Invalid) as refusal:
        check_password(password, "c.vidal", role)
    assert refusal.value.field == "password"


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("vidal est mon nom", "votre nom"),
        ("la chloe du 3e etage", "votre nom"),
        ("V1d4l est mon nom", "votre nom"),
        ("c0ns0le du matin", "celui de la maison"),
        ("Bienvenue MIPIH 31", "celui de la maison"),
        ("abcabcabcabcabc", "répète"),
        ("soleil7soleil7", "répète"),
        ("azertyuiop12345", "clavier"),
        ("1234567890987654321", "clavier"),
        ("qwertyuiopasdfgh", "clavier"),
        ("zyxwvutsrqponm", "clavier"),
        ("Sunshine-2026!", "essaie en premier"),
        ("P@ssw0rd!2026!", "essaie en premier"),
        ("iloveyou>>2026", "essaie en premier"),
    ],
)
def test_what_is_tried_first_is_refused_with_its_reason(password: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        check_password(password, "c.vidal", Role.OPS, "Chloé Vidal")


LONG_ONES = [line for line in COMMON.read_text().split() if len(line) >= 12]


def test_the_list_is_there() -> None:
    assert len(LONG_ONES) > 300


@pytest.mark.parametrize("case", [str.lower, str.upper, str.title])
def test_no_password_of_the_list_is_accepted(case: Callable[[str], str]) -> None:
    for password in LONG_ONES:
        with pytest.raises(Invalid):
            check_password(case(password), "c.vidal", Role.OPS)


@given(st.text(min_size=0, max_size=60))
def test_any_text_is_either_accepted_or_refused_on_its_field(password: str) -> None:
    assert field_refused(password) in (None, "password")


def field_refused(password: str) -> str | None:
    try:
        check_password(password, "c.vidal", Role.OPS, "Chloé Vidal")
    except Invalid as refusal:
        return refusal.field
    return None


@pytest.mark.parametrize(
    ("failures", "minutes"),
    [(0, 0), (1, 0), (4, 0), (5, 1), (6, 2), (7, 4), (10, 32), (11, 60), (12, 60), (1000, 60)],
)
def test_the_delay_doubles_after_the_fifth_failure_up_to_an_hour(failures: int, minutes: int) -> None:
    assert lock_delay(failures) == timedelta(minutes=minutes)
    assert lock_delay(failures) <= LONGEST_DELAY
