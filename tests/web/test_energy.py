"""The energy of a day: each line, what nobody knows, and the same figures in the file."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from console.domain.access import Role
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser

SignIn = Callable[..., Browser]
MORNING = datetime(2026, 10, 25, 7, 10, tzinfo=UTC)  # the day on which summer time ends in Paris
DAY = "2026-10-25"


@pytest.fixture
def metered(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, 2, "CH de Foix")
        given.a_metered_morning(session, MORNING, payroll=2)
    return database


def rows_of(file: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(file.decode("utf-8-sig")), delimiter=";"))


def test_a_day_shows_its_lines_and_counts_the_hours_that_nobody_knows(
    metered: Database, sign_in_as: SignIn
) -> None:
    page = sign_in_as(Role.OPS).get(f"/energy?day={DAY}").text
    assert "Énergie du 25 octobre 2026" in page
    assert "1 sur 25" in page
    assert re.search(r'scope="row">payroll<small>srv-01</small>', page)
    assert "CH de Foix" in page
    assert "non affectée" in page
    assert "non attribué : noyau" in page.replace("\N{NO-BREAK SPACE}", " ")
    assert "mesuré" in page
    assert f'href="/energy?day={"2026-10-24"}"' in page


def test_a_day_without_readings_is_unknown_and_not_zero(metered: Database, sign_in_as: SignIn) -> None:
    page = sign_in_as(Role.OPS).get("/energy?day=2026-10-20").text
    assert "Aucune énergie n'est connue ce jour-là" in page
    assert "0 Wh" not in page.replace("\N{NO-BREAK SPACE}", " ")


def test_the_file_holds_every_line_of_the_page_to_the_millijoule(
    metered: Database, sign_in_as: SignIn
) -> None:
    answer = sign_in_as(Role.OPS).get(f"/energy.csv?day={DAY}")
    assert answer.mimetype == "text/csv"
    assert f"energie-{DAY}.csv" in answer.headers["Content-Disposition"]
    table = rows_of(answer.data)
    head = next(place for place, row in enumerate(table) if row and row[0] == "Hôte")
    lines = table[head + 1 : table.index([], head)]
    assert sum(int(row[3]) for row in lines) == 600_000
    assert {row[1]: row[2] for row in lines}["payroll"] == "CH de Foix"


def test_an_adherent_reads_its_own_lines_only(metered: Database, sign_in_as: SignIn) -> None:
    cio = sign_in_as(Role.CIO, 2)
    page = cio.get(f"/adherents/2/energy?day={DAY}").text
    assert "payroll" in page
    assert "nginx" not in page
    assert "non attribué" not in page
    table = rows_of(cio.get(f"/adherents/2/energy.csv?day={DAY}").data)
    assert [row[1] for row in table if row and row[0] == "srv-01"] == ["payroll"]


def test_the_day_of_an_adherent_is_cut_in_its_own_zone(database: Database, sign_in_as: SignIn) -> None:
    night = datetime(2026, 10, 25, 22, 30, tzinfo=UTC)
    with database.write(Operator()) as session:
        given.an_adherent(session, 2, "CHU de La Réunion", zone="Indian/Reunion")
        given.a_metered_morning(session, night, payroll=2)
    cio = sign_in_as(Role.CIO, 2)
    assert "payroll" in cio.get("/adherents/2/energy?day=2026-10-26").text
    assert "payroll" not in cio.get("/adherents/2/energy?day=2026-10-25").text


def test_the_page_of_today_does_not_draw_the_hours_to_come(database: Database, sign_in_as: SignIn) -> None:
    with database.write(Operator()) as session:
        given.an_adherent(session, 2, "CH de Foix")
        given.a_metered_morning(session, datetime.now(UTC) - timedelta(minutes=75))
    page = sign_in_as(Role.OPS).get("/energy").text
    begun = re.search(r"(\d+) sur (\d+)", page)
    assert begun is None or int(begun[2]) <= 25
    assert 'rel="next"' not in page
