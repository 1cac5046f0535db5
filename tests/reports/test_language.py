"""Numbers, dates and durations as readers of each language write them."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from reports.language import ENGLISH, FRENCH, language


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (FRENCH.number(1234567), "1\u202f234\u202f567"),
        (ENGLISH.number(1234567), "1,234,567"),
        (FRENCH.number(Fraction(5, 2), 2), "2,50"),
        (ENGLISH.number(Fraction(1, 3), 3), "0.333"),
        (FRENCH.percent(Fraction(1, 2)), "50,0\u202f%"),
        (FRENCH.percent(Fraction(4, 5), decimals=0), "80\u202f%"),
        (FRENCH.percent(Fraction(9999, 10000)), "99,9\u202f%"),
        (FRENCH.percent(Fraction(1, 10000)), "<\u00a00,1\u202f%"),
        (ENGLISH.percent(Fraction(1)), "100%"),
        (ENGLISH.percent(Fraction(0)), "0%"),
        (FRENCH.day(date(2026, 10, 1)), "1er octobre 2026"),
        (ENGLISH.day(date(2026, 10, 1)), "1 October 2026"),
        (FRENCH.month(date(2026, 8, 1)), "août 2026"),
        (FRENCH.duration(timedelta(hours=3, minutes=5)), "3\u00a0h 05\u00a0min"),
        (ENGLISH.duration(timedelta(days=2, hours=1)), "2\u00a0d 1\u00a0h"),
        (FRENCH.duration(timedelta(seconds=59)), "0\u00a0min"),
    ],
)
def test_figures_are_written_as_in_the_language(made: str, wanted: str) -> None:
    assert made == wanted


def test_the_hour_that_comes_twice_is_told_by_its_offset() -> None:
    paris = ZoneInfo("Europe/Paris")
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC).astimezone(paris) for hour in (0, 1))
    assert FRENCH.instant(first) == "25 octobre 2026, 02:30 (UTC+2)"
    assert FRENCH.instant(second) == "25 octobre 2026, 02:30 (UTC+1)"


def test_zones_off_the_hour_and_utc_are_named() -> None:
    instant = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    assert ENGLISH.instant(instant).endswith("(UTC)")
    assert ENGLISH.instant(instant.astimezone(ZoneInfo("America/St_Johns"))).endswith("(UTC−3:30)")


def test_french_punctuation_gets_its_no_break_spaces() -> None:
    assert FRENCH.gettext("À faire : « %(what)s » ; vite !", what="a : b") == (
        "À faire\u00a0: «\u00a0a : b\u00a0»\u202f; vite\u202f!"
    )


@pytest.mark.parametrize(("count", "many"), [(0, False), (1, False), (2, True)])
def test_french_counts_zero_as_one(count: int, many: bool) -> None:
    made = FRENCH.ngettext("%(count)s hôte", "%(count)s hôtes", count)
    assert made == f"{count} hôte{'s' if many else ''}"


def test_english_counts_zero_as_many() -> None:
    one = "L'énergie de %(count)s ligne est inconnue ; les totaux ne la contiennent pas."
    many = "L'énergie de %(count)s lignes est inconnue ; les totaux ne les contiennent pas."
    assert "0 lines" in ENGLISH.ngettext(one, many, 0)
    assert "1 line " in ENGLISH.ngettext(one, many, 1)


def test_a_language_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(ValueError, match="'de' is not one of fr, en"):
        language("de")
