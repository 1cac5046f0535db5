"""The tables of a statement's consumption: what each tells of the figures it holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reports.consumption import tables
from reports.document import Table
from reports.figures import Basis, InrStatement, OnBasis
from reports.language import ENGLISH, FRENCH, Language
from tests.reports.figures_given import KWH, a_statement


def with_hours(realtime_mj: int) -> InrStatement:
    """A statement whose lines have carbon by the hour, some of it of real time."""
    hourly = OnBasis(basis=Basis.HOURLY_DIRECT, covered_mj=KWH, carbon_ug=21_000_000, realtime_mj=realtime_mj)
    statement = a_statement()
    return a_statement(lines=tuple(replace(line, bases=(hourly,)) for line in statement.lines))


def bases_of(statement: InrStatement, language: Language) -> list[str]:
    (table,) = (
        one
        for one in tables(statement, language)
        if isinstance(one, Table) and len(one.rows) == len(Basis) and len(one.columns) == 4
    )
    return [str(row[0]).replace("\xa0", " ").replace("\u202f", " ") for row in table.rows]


@pytest.mark.parametrize(
    ("realtime_mj", "language", "expected"),
    [
        (
            KWH // 2,
            FRENCH,
            "heure par heure, émissions directes (provisoire : intensité en temps réel pour 2,00 kWh)",
        ),
        (
            KWH // 2,
            ENGLISH,
            "hour by hour, direct emissions (provisional: real-time intensity for 2.00 kWh)",
        ),
        (0, FRENCH, "heure par heure, émissions directes"),
    ],
)
def test_a_statement_says_how_much_of_its_hours_are_of_real_time(
    realtime_mj: int, language: Language, expected: str
) -> None:
    """Half a kWh in each of its four lines, on that basis alone."""
    told = bases_of(with_hours(realtime_mj), language)
    assert expected in told
    assert sum("(" in name for name in told if "provis" in name) == bool(realtime_mj)
