"""Volumes are read from files as they come, and refused with what would be right."""

from datetime import date

import pytest

from console.domain.errors import Invalid
from console.domain.volumes import Told, check_month, read_month, read_volume, read_volumes

OCTOBER = date(2026, 10, 1)


@pytest.mark.parametrize("text", ["2026-10", "2026-10-01", "10/2026", "01/10/2026", " 2026-10 "])
def test_a_month_is_read_however_it_is_written(text: str) -> None:
    assert read_month(text) == OCTOBER


@pytest.mark.parametrize("text", ["", "2026-13", "octobre", "2026-10-15", "1926-10", "2026"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read_month(text)
    assert refusal.value.field == "month"


@pytest.mark.parametrize(
    ("text", "volume"), [("0", 0), ("2400", 2400), ("2 400", 2400), ("2\N{NARROW NO-BREAK SPACE}400", 2400)]
)
def test_a_volume_is_a_whole_number(text: str, volume: int) -> None:
    assert read_volume(text) == volume


@pytest.mark.parametrize("text", ["", " ", "-1", "2400.5", "2,5", "beaucoup", "9" * 13, "²"])
def test_what_is_no_volume_is_refused_never_taken_for_zero(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read_volume(text)
    assert refusal.value.field == "volume"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("separator", [";", ","])
def test_a_file_is_read_by_its_headings_in_any_order(encoding: str, separator: str) -> None:
    rows = [
        ["Mois", "Adhérent", "Volume", "Souscription", "autre"],
        ["2026-10", "010780054", "24", "payroll", ""],
    ]
    content = "\r\n".join(separator.join(row) for row in rows).encode(encoding)
    assert read_volumes(content) == [Told(2, "010780054", "payroll", "2026-10", "24")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "vide"),
        (b"mois;volume\n2026-10;3\n", "colonne"),
        (b"%PDF-1.7", "PDF"),
        ("adhérent;souscription;mois;volume\n".encode() + b"1;1;2026-10;1\n" * 20_001, "20001"),
    ],
)
def test_a_file_that_is_none_is_refused_whole(content: bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        read_volumes(content)


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "today", "holds"),
    [
        (date(2026, 10, 31), None, date(2026, 10, 31), True),
        (date(2026, 1, 1), date(2026, 10, 1), date(2026, 12, 1), True),
        (date(2026, 11, 1), None, date(2026, 12, 1), False),
        (date(2026, 1, 1), date(2026, 9, 30), date(2026, 12, 1), False),
        (date(2026, 1, 1), None, date(2026, 9, 30), False),
    ],
)
def test_a_month_has_begun_and_lies_within_the_subscription(starts_on, ends_on, today, holds: bool) -> None:
    if holds:
        check_month(OCTOBER, starts_on=starts_on, ends_on=ends_on, today=today)
    else:
        with pytest.raises(Invalid):
            check_month(OCTOBER, starts_on=starts_on, ends_on=ends_on, today=today)
