"""Files of grid intensities as their publishers give them, with what is wrong in them."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from console.domain.errors import Invalid
from console.domain.facility import Basis
from console.domain.grid import State
from console.domain.grid_files import PARIS, read_grid
from console.domain.hours import day_bounds
from console.domain.tables import normal, read_csv

DATA = Path(__file__).parents[1] / "data" / "eco2mix"
NATIONAL = DATA / "eCO2mix_RTE_En-cours-TR_2026-02_03.xls"
ODRE = DATA / "odre_eco2mix-national-tr_2021-12_cut.csv"
REGIONAL = DATA / "eCO2mix_HdF_2017_DST-days_cut.csv"
QUARTER, HALF, HOUR = timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=1)
HEAD = "Périmètre;Nature;Date;Heures;Taux de Co2"
NATURES = {"realtime": "Données temps réel", "definitive": "Données définitives"}


def rows(*told: str, head: str = HEAD) -> bytes:
    return "\n".join([head, *told]).encode("cp1252")


def row(wall: str, rate: str, nature: str = "realtime", perimeter: str = "France") -> str:
    day, clock = wall.split(" ")
    return f"{perimeter};{NATURES.get(nature, nature)};{day};{clock};{rate}"


def clock_change() -> bytes:
    """The days of 2017 on which the clock changes, as if what thermal stations gave were the rate."""
    text = REGIONAL.read_bytes().decode("latin-1")
    return text.replace("Hauts-de-France", "France").replace("Thermique", "Taux de CO2", 1).encode("latin-1")


def test_the_xls_of_rte_is_text_and_its_rows_of_forecasts_alone_are_refused() -> None:
    found = read_grid(NATIONAL.read_bytes(), "FR")
    assert (found.rows, found.forecasts, found.gaps, found.repeated) == (4128, 128, 0, 0)
    assert found.refusals == []
    assert len(found.intensities) == 4000
    first = found.intensities[0]
    assert (first.started_at, first.duration) == (datetime(2026, 1, 31, 23, 0, tzinfo=UTC), QUARTER)
    assert (first.intensity_mg_per_kwh, first.state) == (37_000, State.REALTIME)
    assert {one.basis for one in found.intensities} == {Basis.DIRECT_PRODUCTION}


@pytest.mark.parametrize(
    ("measured", "expected", "forecasts", "gaps"),
    [("", "55000", 1, 0), ("ND", "55000", 1, 0), ("54000", "55000", 0, 1), ("", "", 0, 1), ("ND", "-", 0, 1)],
)
def test_a_row_of_a_forecast_is_told_apart_from_one_whose_rate_is_not_known(
    measured: str, expected: str, forecasts: int, gaps: int
) -> None:
    head = "Périmètre;Nature;Date;Heures;Consommation;Prévision J-1;Taux de Co2"
    told = f"France;Données temps réel;2026-02-01;00:00;{measured};{expected};"
    found = read_grid(rows(told, head=head), "FR")
    assert (found.forecasts, found.gaps, found.intensities) == (forecasts, gaps, [])


def test_rates_of_rte_are_what_burnt_fuels_emit_over_all_production() -> None:
    """986 g of coal, 777 of oil, 429 of gas, 494 of biomass: within 0.61 g on every quarter of the file."""
    table = read_csv(NATIONAL.read_bytes())
    headings = [normal(heading) for heading in table.headings]
    burnt = {"charbon": 986, "fioul": 777, "gaz": 429, "bioénergies": 494}
    produced = [*burnt, "nucléaire", "eolien", "solaire", "hydraulique"]
    rates = {
        one.started_at: one.intensity_mg_per_kwh for one in read_grid(NATIONAL.read_bytes(), "FR").intensities
    }
    worst, told = Fraction(0), iter(sorted(rates))
    for _line, cells in table.rows:
        values = dict(zip(headings, cells, strict=False))
        if not values.get("taux de co2"):
            continue
        emitted = sum(grams * int(values[fuel]) for fuel, grams in burnt.items())
        oracle = Fraction(emitted, sum(int(values[name]) for name in produced))
        worst = max(worst, abs(oracle - Fraction(rates[next(told)], 1000)))
    assert next(told, None) is None
    assert round(float(worst), 2) == 0.61


def test_rows_of_odre_are_read_in_any_order_by_their_instants() -> None:
    found = read_grid(ODRE.read_bytes(), "fra")
    assert (found.rows, len(found.intensities), found.refusals) == (500, 500, [])
    at = datetime(2021, 12, 11, 9, 0, tzinfo=UTC)  # 10:00+01:00
    assert next(one for one in found.intensities if one.started_at == at).intensity_mg_per_kwh == 73_000
    assert [one.started_at for one in found.intensities] == sorted(
        one.started_at for one in found.intensities
    )


def test_march_has_96_rows_of_which_those_of_no_hour_are_left_out() -> None:
    found = read_grid(clock_change(), "FR")
    assert found.repeated == 4
    by_hour = Counter(one.started_at.replace(minute=0) for one in found.intensities)
    change = datetime(2017, 3, 26, 1, 0, tzinfo=UTC)
    assert [by_hour[change + hours * HOUR] for hours in (-1, 0, 1)] == [2, 2, 2]
    start, end = day_bounds(date(2017, 3, 26), PARIS)
    day = [one for one in found.intensities if start <= one.started_at < end]
    assert len(day) == 2 * 23
    assert {one.duration for one in found.intensities} == {HALF}
    assert {one.state for one in found.intensities} == {State.DEFINITIVE}


def test_october_tells_one_of_two_hours_and_the_other_stays_unknown() -> None:
    found = read_grid(clock_change(), "FR")
    told = {one.started_at for one in found.intensities}
    first, second = datetime(2017, 10, 29, 0, 0, tzinfo=UTC), datetime(2017, 10, 29, 1, 0, tzinfo=UTC)
    assert {first, first + HALF} <= told
    assert not {second, second + HALF} & told
    assert second + HOUR in told
    assert found.unhoured == 2


def test_both_hours_of_october_are_told_where_rows_have_their_offset() -> None:
    head = "Périmètre;Nature;Date;Heure;Date - Heure;Taux de CO2 (g/kWh)"
    told = [
        f"France;Données temps réel;2021-10-31;02:00;2021-10-31T02:00:00+0{offset}:00;{rate}"
        for offset, rate in ((1, 40), (2, 50))
    ]
    found = read_grid(rows(*told, head=head), "FR")
    assert [(one.started_at.hour, one.intensity_mg_per_kwh) for one in found.intensities] == [
        (0, 50_000),
        (1, 40_000),
    ]
    assert found.unhoured == 0


@pytest.mark.parametrize("empty", ["ND", "-", "", "nd"])
def test_what_is_not_told_is_a_gap_and_never_0(empty: str) -> None:
    found = read_grid(rows(row("2026-02-01 00:00", empty), row("2026-02-01 00:15", "0")), "FR")
    assert found.gaps == 1
    assert [one.intensity_mg_per_kwh for one in found.intensities] == [0]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (row("2026-02-01 00:00", "beaucoup"), "intensité"),
        (row("2026-02-01 00:00", "-3"), "intensité"),
        (row("2026-02-01 00:00", "99999"), "intensité"),
        (row("2026-02-01 00:00", "30", "Données rêvées"), "données temps réel"),
        (row("2026-02-01 00:00", "30", perimeter="Bretagne"), "Bretagne"),
        (row("2026-02-30 00:00", "30"), "n'est pas une date"),
        (row("2026-02-01 25:00", "30"), "n'est pas une heure"),
        (row("2026-02-01 00:07", "30"), "pas de"),
    ],
)
def test_a_wrong_row_is_told_with_its_line_and_the_others_are_read(told: str, said: str) -> None:
    found = read_grid(rows(row("2026-02-01 00:15", "30"), told), "FR")
    assert [one.line for one in found.refusals] == [3]
    assert said in str(found.refusals[0].error)
    assert len(found.intensities) == 1


def test_of_two_rows_of_one_instant_the_more_final_one_holds() -> None:
    told = (row("2026-02-01 00:00", "30", "definitive"), row("2026-02-01 00:00", "31"))
    for order in (told, told[::-1]):
        found = read_grid(rows(*order), "FR")
        assert [(one.intensity_mg_per_kwh, one.state) for one in found.intensities] == [
            (30_000, State.DEFINITIVE)
        ]
        assert found.refusals == []


def test_two_rows_that_contradict_each_other_are_told_with_both_values_and_neither_is_taken() -> None:
    found = read_grid(rows(row("2026-02-01 00:00", "30"), row("2026-02-01 00:00", "31")), "FR")
    assert found.intensities == []
    assert [str(one.error) for one in found.refusals] == [
        "La ligne 2 dit 30 g/kWh du même instant, celle-ci 31."
    ]


MAPS = (
    "Datetime (UTC),Country,Zone name,Zone id,Carbon intensity gCO₂eq/kWh (direct),"
    "Carbon intensity gCO₂eq/kWh (Life cycle),Data source,Data estimated"
)
OLD_MAPS = MAPS.replace("Carbon intensity", "Carbon Intensity").replace("Life cycle", "LCA")


@pytest.mark.parametrize("head", [MAPS, OLD_MAPS])
def test_electricity_maps_tells_consumption_on_two_bases_in_utc(head: str) -> None:
    content = "\n".join(
        [
            head,
            "2026-01-01 00:00:00,France,France,FR,21.53,44.9,RTE,false",
            "2026-01-01 01:00:00,France,France,FR,22,,RTE,true",
        ]
    )
    found = read_grid(content.encode(), "FR")
    assert [(one.basis, one.intensity_mg_per_kwh, one.state) for one in found.intensities] == [
        (Basis.DIRECT_CONSUMPTION, 21_530, State.CONSOLIDATED),
        (Basis.DIRECT_CONSUMPTION, 22_000, State.REALTIME),
        (Basis.LIFE_CYCLE_CONSUMPTION, 44_900, State.CONSOLIDATED),
    ]
    assert {one.duration for one in found.intensities} == {HOUR}
    with pytest.raises(Invalid, match="XXX"):
        read_grid(content.encode(), "XXX")
    elsewhere = read_grid(content.encode(), "YT")
    assert (elsewhere.intensities, len(elsewhere.refusals)) == ([], 2)  # Mayotte is not France


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (REGIONAL.read_bytes(), "régions"),
        (b"a;b\n1;2\n", "eCO2mix"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel"),
        (b"", "vide"),
        (b"Datetime (UTC),Zone id\n2026-01-01,FR\n", "intensité carbone"),
        (rows(row("2026-02-01 00:00", "1"), head="Périmètre;Nature;Date;Autre;Taux de CO2"), "Heures"),
    ],
)
def test_a_file_that_tells_no_intensity_is_refused_whole(content: bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        read_grid(content, "FR")
