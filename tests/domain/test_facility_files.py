"""Tables of what the meters of a site tell, in both languages, on days of 23, 24 and 25 hours."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from console.domain.errors import Invalid
from console.domain.facility import Quantity
from console.domain.facility_files import Defaults, FacilityFile, read_facility
from console.domain.site_measures import Measure, Quality

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
MWH = 3_600_000_000_000
HOUR = timedelta(hours=1)


def read(*rows: str, category: int = 0) -> FacilityFile:
    return read_facility("\n".join(rows).encode(), PARIS, now=NOW, defaults=Defaults(category))


def only(found: FacilityFile) -> Measure:
    assert found.refusals == []
    (told,) = found.told
    return told.measure


def said(found: FacilityFile) -> list[tuple[int, str]]:
    return [(one.line, str(one.error)) for one in found.refusals]


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("Mois;Énergie totale (MWh)", "2026-10;1,5"),
        ("mois;e_dc [kWh]", "10/2026;1 500"),
        ("Month,Total energy (MJ)", "2026-10,5400"),
        ("month,site energy (GJ)", '2026-10,"5,4"'),
        ("Grandeur;Valeur;Unité;Mois", "énergie totale;1500;kWh;2026-10"),
        ("quantity\tamount\tunit\tstart\tend", "E_DC\t1.5\tMWh\t2026-10-01\t2026-10-31"),
        ("Début;Fin;Énergie du site (kWh)", "01/10/2026 00:00;01/11/2026 00:00;1500,000"),
        ("start;end;EDC (kWh)", "2026-10-01T00:00+02:00;2026-10-31T23:00Z;1500"),
    ],
)
def test_an_energy_is_read_in_either_language_in_its_unit_over_its_period(head: str, row: str) -> None:
    measure = only(read(head, row))
    assert (measure.quantity, measure.amount, measure.quality) == (
        Quantity.TOTAL,
        1_500_000 * 3_600_000,
        Quality.MEASURED,
    )
    assert measure.ended_at - measure.started_at == timedelta(days=31, hours=1)  # October has 745 hours


def test_a_wide_table_has_a_measure_for_each_cell_and_empty_ones_are_unknown_not_0() -> None:
    found = read(
        "mois;compteur;énergie totale (MWh);énergie IT (MWh);eau (m3);chaleur réutilisée (MWh);remarque",
        "2026-09;TGBT A;150;100;180;;vidange",
        "2026-10;TGBT A;151;ND;-;0;",
        category=2,
    )
    assert found.ignored == ["remarque"]
    assert (found.gaps, found.refusals) == (3, [])
    told = [(one.line, one.measure.quantity, one.measure.category, one.measure.amount) for one in found.told]
    assert told == [
        (2, Quantity.TOTAL, 0, 150 * MWH),
        (2, Quantity.IT, 2, 100 * MWH),
        (2, Quantity.WATER, 0, 180_000_000),
        (3, Quantity.TOTAL, 0, 151 * MWH),
        (3, Quantity.REUSED, 0, 0),
    ]
    assert {one.measure.meter for one in found.told} == {"TGBT A"}


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("mois;compteur;énergie zone (MWh)", "2026-10;Salle A;1,5"),
        ("mois;compteur;énergie d'une zone (kWh)", "2026-10;Salle A;1 500"),
        ("month,meter,zone energy (MWh)", "2026-10,Salle A,1.5"),
        ("mois;compteur;E_ZONE (MWh)", "2026-10;Salle A;1,5"),
        ("Mois;Compteur;Grandeur;Valeur;Unité", "2026-10;Salle A;énergie de la zone;1500;kWh"),
        ("month,meter,quantity,amount,unit", "2026-10,Salle A,Zone energy,1.5,MWh"),
    ],
)
def test_the_energy_of_a_zone_is_read_in_either_language_and_layout(head: str, row: str) -> None:
    measure = only(read(head, row, category=2))
    assert (measure.quantity, measure.category, measure.meter) == (Quantity.ZONE, 0, "Salle A")
    assert measure.amount == MWH * 3 // 2


@pytest.mark.parametrize(
    ("head", "row", "category"),
    [
        ("mois;compteur;énergie IT zone (MWh)", "2026-10;Salle A;1,5", 0),
        ("mois;compteur;catégorie;énergie IT d'une zone (MWh)", "2026-10;Salle A;3;1,5", 3),
        ("month,meter,category,zone IT energy (MWh)", "2026-10,Salle A,1,1.5", 1),
        ("mois;compteur;E_IT_ZONE (MWh)", "2026-10;Salle A;1,5", 0),
        ("month,meter,quantity,amount,unit", "2026-10,Salle A,E_IT_ZONE,1.5,MWh", 0),
    ],
)
def test_the_it_energy_of_a_zone_has_the_category_that_is_told_or_none(
    head: str, row: str, category: int
) -> None:
    measure = only(read(head, row))
    assert (measure.quantity, measure.category, measure.meter) == (Quantity.ZONE_IT, category, "Salle A")


def hourly(day: str, clocks: list[int]) -> FacilityFile:
    """A row for each hour that the wall clock shows on a day, each of 1 kWh more than the one before."""
    rows = []
    for amount, hour in enumerate(clocks, start=1):
        start = datetime.fromisoformat(f"{day}T{hour:02}:00")
        rows.append(f"{start:%d/%m/%Y %H:%M};{start + HOUR:%d/%m/%Y %H:%M};{amount}")
    return read("début;fin;énergie totale (kWh)", *rows)


def test_a_day_of_25_hours_is_told_by_25_rows_of_an_hour_each() -> None:
    found = hourly("2026-10-25", [0, 1, 2, 2, *range(3, 24)])
    assert found.refusals == []
    measures = [one.measure for one in found.told]
    assert len(measures) == 25
    assert {one.ended_at - one.started_at for one in measures} == {HOUR}
    assert measures[0].started_at == datetime(2026, 10, 24, 22, tzinfo=UTC)
    assert [before.ended_at for before in measures[:-1]] == [after.started_at for after in measures[1:]]


def test_a_day_of_23_hours_is_told_by_23_rows_and_the_hour_that_does_not_exist_is_refused() -> None:
    found = hourly("2026-03-29", [0, 1, *range(3, 24)])
    measures = [one.measure for one in found.told]
    assert (len(measures), found.refusals) == (23, [])
    assert {one.ended_at - one.started_at for one in measures} == {HOUR}
    assert [before.ended_at for before in measures[:-1]] == [after.started_at for after in measures[1:]]
    skipped = hourly("2026-03-29", [0, 1, 2, 3])
    assert said(skipped) == [(4, "2026-03-29 02:00 n'existe pas : l'horloge saute cette heure-là.")]


def test_one_row_for_an_hour_that_happens_twice_is_refused_with_how_to_write_it() -> None:
    found = hourly("2026-10-25", list(range(24)))
    ((line, why),) = said(found)
    assert line == 4
    assert "a lieu deux fois" in why
    assert "+02:00" in why
    told = only(
        read("start;end;EDC (kWh)", "2026-10-25T02:00+01:00;2026-10-25T03:00+01:00;7")
    )  # the second of the two
    assert told.period == (datetime(2026, 10, 25, 1, tzinfo=UTC), datetime(2026, 10, 25, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    ("head", "cell", "kwh"),
    [
        ("mois;EDC (kWh)", "1,500", "1.5"),
        ("mois;EDC (kWh)", "1.500,0", "1500"),
        ("mois;EDC (kWh)", "0.125", "0.125"),
        ("mois;EDC (kWh)", "1234.500", "1234.5"),
        ("mois;EDC (kWh)", "1.50", "1.5"),
        ("month,EDC (kWh)", "1.500", "1.5"),
        ("month,EDC (kWh)", '"1,500.0"', "1500"),
        ("month,EDC (kwh)", '"0,125"', "0.125"),
    ],
)
def test_a_number_that_is_read_in_one_way_only_is_taken(head: str, cell: str, kwh: str) -> None:
    told = only(read(head, f"2026-10{';' if ';' in head else ','}{cell}"))
    assert told.amount == Decimal(kwh) * 3_600_000_000


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-10-26", 24)])
def test_a_day_by_itself_has_the_hours_it_has(day: str, hours: int) -> None:
    measure = only(read("jour;EDC (kWh)", f"{day};1"))
    assert measure.ended_at - measure.started_at == hours * HOUR


@pytest.mark.parametrize(
    ("head", "row", "why"),
    [
        ("mois;EDC (kWh)", "2026-13;1", "n'est pas un mois"),
        ("mois;EDC (kWh)", "2026-11;1", "n'est pas finie"),
        ("mois;EDC (kWh)", "2026-10;beaucoup", "nombre positif"),
        ("mois;EDC (kWh)", "2026-10;-5", "nombre positif"),
        ("month,EDC (kWh)", '2026-10,"1,500"', "deux façons"),
        ("mois;EDC (kWh)", "2026-10;1.500", "deux façons"),
        ("mois\tEDC (kWh)", "2026-10\t12.500", "deux façons"),
        ("mois;EDC (GWh)", "2026-10;99999999999", "trop grand"),
        ("mois;EIT (kWh)", "2026-10;5", "catégorie de PUE : 1, 2 ou 3"),
        ("mois;catégorie;EIT (kWh)", "2026-10;4;5", "catégorie de PUE : 1, 2 ou 3"),
        ("mois;compteur;catégorie;E_IT_ZONE (kWh)", "2026-10;Salle A;4;5", "1, 2, 3 ou aucune"),
        ("mois;E_ZONE (kWh)", "2026-10;5", "nom de la zone ; par exemple Salle A"),
        ("mois;grandeur;valeur;unité", "2026-10;énergie totale;5;m3", "kWh"),
        ("mois;grandeur;valeur;unité", "2026-10;eau;5;kWh", "L, m3"),
        ("mois;grandeur;valeur;unité", "2026-10;énergie totale;5;mJ", "MJ, GJ"),
        ("mois;grandeur;valeur;unité", "2026-10;bonheur;5;kWh", "EAU"),
        ("début;fin;EDC (kWh)", "2026-10-02;2026-10-01;5", "finit après son début"),
        ("début;fin;EDC (kWh)", "hier;demain;5", "n'est pas une date"),
        ("début;fin;EDC (kWh)", ";;5", "ne dit pas quand"),
        ("mois;qualité;EDC (kWh)", "2026-10;rêvé;5", "mesuré, déclaré"),
    ],
)
def test_a_wrong_row_is_told_with_its_line_and_what_would_be_right(head: str, row: str, why: str) -> None:
    found = read(head, row)
    assert found.told == []
    ((line, error),) = said(found)
    assert line == 2
    assert why in error


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("mois;énergie IT\n2026-10;5", "unité"),
        ("mois;énergie IT (m3)\n2026-10;5", "kWh"),
        ("mois;énergie IT (mJ)\n2026-10;5", "« mJ »"),
        ("mois;énergie IT (mWh)\n2026-10;5", "« mWh »"),
        ("mois;bonheur (kWh)\n2026-10;5", "grandeur"),
        ("énergie totale (kWh)\n5", "quand"),
        ("", "vide"),
        ("PK\x03\x04", "classeur"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_whole(content: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        read_facility(content.encode(), PARIS, now=NOW)
