"""Certificates: the days they cover, the services they name, and what a file is."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.certificates import (
    LARGEST_FILE,
    Attestation,
    Framework,
    MediaType,
    Standing,
    Validity,
    certified,
    check_file,
    check_validity,
    media_type_of,
)
from console.domain.errors import Invalid

START, END = date(2024, 1, 1), date(2026, 12, 31)
VALIDITY = Validity(START, END)


@pytest.mark.parametrize(
    ("validity", "day", "standing"),
    [
        (VALIDITY, date(2023, 12, 31), Standing.COMING),
        (VALIDITY, START, Standing.VALID),
        (VALIDITY, END - timedelta(days=91), Standing.VALID),
        (VALIDITY, END - timedelta(days=90), Standing.ENDS_SOON),
        (VALIDITY, END, Standing.ENDS_SOON),
        (VALIDITY, END + timedelta(days=1), Standing.ENDED),
        (Validity(START, END, date(2025, 1, 1)), date(2024, 12, 31), Standing.VALID),
        (Validity(START, END, date(2025, 1, 1)), date(2025, 1, 1), Standing.WITHDRAWN),
    ],
)
def test_a_certificate_stands_somewhere_every_day(validity: Validity, day: date, standing: Standing) -> None:
    assert validity.standing(day) is standing
    assert validity.holds_on(day) is (standing in (Standing.VALID, Standing.ENDS_SOON))


@given(st.dates(START - timedelta(days=9), END + timedelta(days=9)))
def test_days_left_end_with_the_certificate(day: date) -> None:
    assert (VALIDITY.days_left(day) >= 0) is (day <= END)
    assert day + timedelta(days=VALIDITY.days_left(day)) == END


def test_a_service_is_certified_while_some_certificate_of_the_framework_names_it() -> None:
    following = Validity(END + timedelta(days=1), END + timedelta(days=1095))
    known = [
        Attestation(Framework.HDS, VALIDITY, frozenset({"hds-iaas", "hds-paas"})),
        Attestation(Framework.HDS, following, frozenset({"hds-iaas"})),
        Attestation(Framework.ISO_27001, VALIDITY, frozenset({"payroll"})),
    ]
    assert certified(known, Framework.HDS, END) == {"hds-iaas", "hds-paas"}
    assert certified(known, Framework.HDS, END + timedelta(days=1)) == {"hds-iaas"}
    assert certified(known, Framework.HDS, START - timedelta(days=1)) == frozenset()
    assert certified(known, Framework.ISO_27001, END) == {"payroll"}


def test_a_withdrawn_certificate_attests_nothing() -> None:
    withdrawn = Attestation(Framework.HDS, Validity(START, END, START), frozenset({"hds-iaas"}))
    assert certified([withdrawn], Framework.HDS, START) == frozenset()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7\n", MediaType.PDF),
        (b"\x89PNG\r\n\x1a\n....", MediaType.PNG),
        (b"\xff\xd8\xff\xe0..JFIF", MediaType.JPEG),
    ],
)
def test_a_file_is_what_its_first_bytes_say(content: bytes, kind: MediaType) -> None:
    assert check_file(content) is kind


@pytest.mark.parametrize(
    "content", [b"<html>", b"MZ\x90", b"PK\x03\x04", b" %PDF-1.7", b"GIF89a", b"<svg/>", b"%pdf-1.7"]
)
def test_another_file_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid, match="un PDF, un PNG ou un JPEG"):
        media_type_of(content)


def test_a_file_is_neither_empty_nor_too_large() -> None:
    with pytest.raises(Invalid, match="vide ou absent"):
        check_file(b"")
    check_file(b"%PDF-".ljust(LARGEST_FILE, b"."))
    with pytest.raises(Invalid, match="5 Mio"):
        check_file(b"%PDF-".ljust(LARGEST_FILE + 1, b"."))


@pytest.mark.parametrize(
    ("validity", "field"),
    [(Validity(END, START), "valid_to"), (Validity(START, END, date(2023, 1, 1)), "withdrawn_on")],
)
def test_days_out_of_order_are_refused_at_their_field(validity: Validity, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_validity(validity)
    assert refused.value.field == field
