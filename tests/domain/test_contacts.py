"""Phone numbers and addresses: checked loosely, dialled exactly."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.contacts import check_days, dialled, is_current, mail, phone
from console.domain.errors import Invalid

MARCH = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("typed", "kept", "called"),
    [
        ("05 61 00 00 00", "05 61 00 00 00", "0561000000"),
        ("  05.61.00.00.00 ", "05.61.00.00.00", "0561000000"),
        ("+33 (0)5 61 00 00 00", "+33 (0)5 61 00 00 00", "+33561000000"),
        ("0262 90 90 90", "0262 90 90 90", "0262909090"),
        ("05 61 00 00 00 poste 4512", "05 61 00 00 00 poste 4512", "0561000000;ext=4512"),
        ("3115", "3115", "3115"),
    ],
)
def test_a_number_is_kept_as_it_was_typed_and_dialled_without_its_blanks(
    typed: str, kept: str, called: str
) -> None:
    assert phone(typed) == kept
    assert dialled(kept) == called


@pytest.mark.parametrize("typed", ["standard", "05", "+", "05 61 00 00 00 00 00 00", "1" * 41, "05;61=1"])
def test_what_no_telephone_dials_is_refused(typed: str) -> None:
    with pytest.raises(Invalid, match="par exemple") as refusal:
        phone(typed)
    assert refusal.value.field == "phone"


@pytest.mark.parametrize("typed", ["dsi@ch-foix.fr", "a.b+c@sous.domaine.ch-foix.fr", "é@hôpital.fr"])
def test_a_mail_address_is_kept(typed: str) -> None:
    assert mail(f" {typed} ") == typed


@pytest.mark.parametrize("typed", ["dsi", "dsi@", "@ch.fr", "dsi@ch", "a b@ch.fr", "a@ch.fr,b@ch.fr"])
def test_what_no_mail_reaches_is_refused(typed: str) -> None:
    with pytest.raises(Invalid, match="adresse électronique"):
        mail(typed)


def test_nothing_typed_is_nothing_known() -> None:
    assert (phone("  "), mail("")) == (None, None)


@given(st.text(max_size=60))
def test_a_dialled_number_has_nothing_that_a_link_would_not_hold(typed: str) -> None:
    try:
        number = phone(typed)
    except Invalid:
        return
    assert number is None or set(dialled(number)) <= set("+0123456789;ext=")


@pytest.mark.parametrize(
    ("ends_on", "today", "current"),
    [
        (None, date(2026, 2, 28), False),
        (None, MARCH, True),
        (MARCH, MARCH, True),
        (MARCH, date(2026, 3, 2), False),
    ],
)
def test_both_days_count(ends_on: date | None, today: date, current: bool) -> None:
    assert is_current(MARCH, ends_on, today) is current


def test_a_last_day_does_not_come_before_the_first() -> None:
    check_days(MARCH, MARCH)
    with pytest.raises(Invalid, match="2026-03-01"):
        check_days(MARCH, date(2026, 2, 28))
