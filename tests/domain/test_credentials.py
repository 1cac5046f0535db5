"""Passwords are long rather than odd, and an account that fails again and again waits longer and longer."""

from datetime import timedelta

import pytest

from console.domain.access import Role
from console.domain.credentials import LONGEST_DELAY, check_password, lock_delay
from console.domain.errors import Invalid


@pytest.mark.parametrize(
    ("password", "role"),
    [
        ("a quiet hill", Role.OPS),
        ("correct horse battery", Role.ADMINISTRATOR),
        ("é" * 4 + "abcdefgh", Role.CIO),
        ("one two three " * 14, Role.OPS),
    ],
)
def test_a_long_password_is_accepted_whatever_it_is_made_of(password: str, role: Role) -> None:
    check_password(password, "c.vidal", role)


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
    ("failures", "minutes"),
    [(0, 0), (1, 0), (4, 0), (5, 1), (6, 2), (7, 4), (10, 32), (11, 60), (12, 60), (1000, 60)],
)
def test_the_delay_doubles_after_the_fifth_failure_up_to_an_hour(failures: int, minutes: int) -> None:
    assert lock_delay(failures) == timedelta(minutes=minutes)
    assert lock_delay(failures) <= LONGEST_DELAY
