"""What a file tells of factors is judged beside what stands; values are checked, and nothing is edited."""

from dataclasses import replace
from datetime import date

import pytest

from console.domain.errors import Conflict, Invalid
from console.domain.factor_registry import (
    Stated,
    Told,
    Verdict,
    check,
    check_replacement,
    factor_id_of,
    judge,
    read_milligrams,
)
from console.domain.factors import Factor, Perimeter

TODAY = date(2026, 11, 25)
STATED = Stated(
    publisher="ADEME",
    title="Base Carbone, mix moyen",
    vintage=2022,
    perimeter=Perimeter.CONSUMPTION_LIFE_CYCLE,
    geography="FRA",
    intensity_mg_per_kwh=52_000,
    licence="Licence Ouverte 2.0",
    source="élément 1",
    confirmed=True,
)


def factor(stated: Stated, factor_id: str = "known", replaces: str | None = None) -> Factor:
    return Factor(
        factor_id=factor_id,
        publisher=stated.publisher,
        title=stated.title,
        vintage=stated.vintage,
        perimeter=stated.perimeter,
        geography=stated.geography,
        intensity_mg_per_kwh=stated.intensity_mg_per_kwh,
        low_mg_per_kwh=stated.low_mg_per_kwh,
        high_mg_per_kwh=stated.high_mg_per_kwh,
        licence=stated.licence,
        source=stated.source,
        retrieved_on=None,
        confirmed=stated.confirmed,
        known_since=date(2026, 1, 1),
        replaces=replaces,
    )


TO_CONFIRM = replace(STATED, confirmed=False)
OTHER = replace(STATED, intensity_mg_per_kwh=53_000)
JUDGED = (
    ("nothing stands", None, STATED, Verdict.NEW),
    ("the same, confirmed", STATED, STATED, Verdict.UNCHANGED),
    ("the same, and now confirmed", TO_CONFIRM, STATED, Verdict.REPLACES),
    ("another value for one to confirm", TO_CONFIRM, OTHER, Verdict.REPLACES),
    ("the publisher corrects itself", STATED, OTHER, Verdict.REPLACES),
    ("the same from elsewhere", STATED, TO_CONFIRM, Verdict.UNCHANGED),
    ("another from elsewhere", STATED, replace(OTHER, confirmed=False), Verdict.REFUSED),
    ("one to confirm by another", TO_CONFIRM, replace(OTHER, confirmed=False), Verdict.REPLACES),
    ("the publisher in small letters", STATED, replace(STATED, publisher="ademe"), Verdict.UNCHANGED),
    ("another publisher", STATED, replace(OTHER, publisher="RTE"), Verdict.NEW),
    ("another year", STATED, replace(OTHER, vintage=2023), Verdict.NEW),
    ("another country", STATED, replace(OTHER, geography="MYT"), Verdict.NEW),
    ("another perimeter", STATED, replace(OTHER, perimeter=Perimeter.RESIDUAL_MIX), Verdict.NEW),
)


@pytest.mark.parametrize(
    ("known", "told", "verdict"), [one[1:] for one in JUDGED], ids=[one[0] for one in JUDGED]
)
def test_a_value_is_judged_beside_the_one_that_stands(
    known: Stated | None, told: Stated, verdict: Verdict
) -> None:
    (judged,) = judge([Told(2, told)], [factor(known)] if known else [], today=TODAY)
    assert judged.verdict is verdict
    assert (judged.refusal is not None) is (verdict is Verdict.REFUSED)


def test_what_was_replaced_is_not_what_a_value_is_compared_with() -> None:
    registry = [factor(STATED), factor(OTHER, "again", replaces="known")]
    (judged,) = judge([Told(2, OTHER)], registry, today=TODAY)
    assert judged.verdict is Verdict.UNCHANGED
    assert judged.before is registry[1]


def test_a_second_row_of_a_file_that_says_otherwise_is_refused_with_both_values() -> None:
    first, same, second = judge([Told(2, STATED), Told(3, STATED), Told(4, OTHER)], [], today=TODAY)
    assert [one.verdict for one in (first, same, second)] == [Verdict.NEW, Verdict.UNCHANGED, Verdict.REFUSED]
    assert second.refusal is not None
    assert (second.refusal.values["line"], second.refusal.values["before"]) == (2, 52_000)


PARTS = {"combustion_mg_per_kwh": 38_000, "upstream_mg_per_kwh": 13_800, "losses_mg_per_kwh": 5_150}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"vintage": 1789}, "vintage"),
        ({"intensity_mg_per_kwh": -1}, "intensity_mg_per_kwh"),
        ({"intensity_mg_per_kwh": 6_000_000}, "intensity_mg_per_kwh"),
        ({"low_mg_per_kwh": 60_000}, "low_mg_per_kwh"),
        ({"high_mg_per_kwh": 40_000}, "low_mg_per_kwh"),
        (PARTS, "combustion_mg_per_kwh"),
        ({"valid_from": TODAY, "valid_to": TODAY}, "valid_to"),
        ({"source": " "}, "source"),
        ({"publisher": ""}, "publisher"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(changes: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as error:
        check(replace(STATED, **changes))  # type: ignore[arg-type]
    assert error.value.field == field


def test_components_add_up_to_the_value_but_for_the_rounding_of_its_publisher() -> None:
    stated = replace(STATED, intensity_mg_per_kwh=56_900, **PARTS)  # type: ignore[arg-type]
    assert check(stated) == stated
    assert check(replace(STATED, combustion_mg_per_kwh=1)) is not None  # the others are unknown


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("0,0569", 1_000_000, 56_900),
        ("5,15E-03", 1_000_000, 5_150),
        ("56.039", 1_000, 56_039),
        ("1 020,5", 1_000, 1_020_500),
        ("0.0000005", 1_000_000, 0),
        ("0.0000015", 1_000_000, 2),
        ("", 1_000, None),
    ],
)
def test_values_are_read_in_their_unit_half_to_even(text: str, unit: int, expected: int | None) -> None:
    assert read_milligrams(text, unit, "value") == expected


@pytest.mark.parametrize("text", ["beaucoup", "-1", "nan", "inf", "5001", "1e400"])
def test_what_is_no_intensity_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        read_milligrams(text, 1_000, "value")


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        (set(), "ademe-fra-2022-consumption"),
        ({"ademe-fra-2022-consumption"}, "ademe-fra-2022-consumption-2"),
        ({"ademe-fra-2022-consumption", "ademe-fra-2022-consumption-2"}, "ademe-fra-2022-consumption-3"),
    ],
)
def test_a_factor_gets_a_name_that_nothing_has(taken: set[str], expected: str) -> None:
    assert factor_id_of(STATED, taken) == expected


def test_a_name_is_never_longer_than_it_may_be() -> None:
    long = replace(STATED, publisher="Agence de l'environnement " * 8)
    assert len(factor_id_of(long, set())) <= 64


def test_only_a_value_of_the_same_thing_takes_the_place_of_another_and_only_once() -> None:
    before = factor(STATED)
    check_replacement(OTHER, before, [before])
    with pytest.raises(Invalid):
        check_replacement(replace(OTHER, vintage=2023), before, [before])
    with pytest.raises(Conflict, match="again|remplac"):
        check_replacement(OTHER, before, [before, factor(OTHER, "again", replaces="known")])
