"""Statements: issued once, read as page, PDF and CSV, always from the archived figures."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from pypdf import PdfReader

from console.domain.access import Role
from console.store.session import Database, Operator
from console.web.pages.statements import MONTHS_OFFERED
from tests import given
from tests.browser import Browser
from tests.carbon_past import reckon_all

SignIn = Callable[..., Browser]
MORNING = datetime(2026, 10, 12, 7, 10, tzinfo=UTC)


@pytest.fixture
def metered(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, 2, "CH de Foix")
        given.a_metered_morning(session, MORNING, payroll=2)
    return database


def test_a_statement_is_issued_listed_and_taken_away(metered: Database, sign_in_as: SignIn) -> None:
    manager = sign_in_as(Role.ACCOUNT_MANAGER, 2)
    answer = manager.submit("/adherents/2/statements", month="2026-10")
    assert (answer.status_code, answer.location) == (303, "/adherents/2/statements/1")
    page = manager.get(answer.location).text
    assert "Ce que ce relevé ne contient pas encore" in page
    assert "CH de Foix — octobre 2026" in page
    cio = sign_in_as(Role.CIO, 2)
    assert 'href="/adherents/2/statements/1"' in cio.get("/statements").text
    assert "Émettre un relevé" not in cio.get("/adherents/2/statements").text
    document = cio.get("/adherents/2/statements/1.pdf")
    assert document.mimetype == "application/pdf"
    assert "attachment" in document.headers["Content-Disposition"]
    assert "CH de Foix" in PdfReader(BytesIO(document.data)).pages[0].extract_text()
    table = cio.get("/adherents/2/statements/1.csv")
    assert table.mimetype == "text/csv"
    assert table.data.startswith(b"\xef\xbb\xbf")


def test_a_statement_does_not_change_when_the_ledger_does(metered: Database, sign_in_as: SignIn) -> None:
    manager = sign_in_as(Role.ACCOUNT_MANAGER, 2)
    manager.submit("/adherents/2/statements", month="2026-10")
    before = manager.get("/adherents/2/statements/1.csv").data
    with metered.write(Operator()) as session:
        given.a_metered_morning(session, MORNING.replace(hour=9))
    assert manager.get("/adherents/2/statements/1.csv").data == before
    manager.submit("/adherents/2/statements", month="2026-10")
    assert manager.get("/adherents/2/statements/2.csv").data != before


def test_a_statement_whose_month_has_moved_says_that_the_trace_tells_other_figures(
    metered: Database, sign_in_as: SignIn
) -> None:
    moved = "Des données de ce mois ont changé"
    manager = sign_in_as(Role.ACCOUNT_MANAGER, 2)
    manager.submit("/adherents/2/statements", month="2026-10")
    assert moved not in manager.get("/adherents/2/statements/1").text
    with metered.write(Operator()) as session:
        given.a_metered_morning(session, MORNING, "srv-02", payroll=2)
        reckon_all(session)
    assert moved in manager.get("/adherents/2/statements/1").text
    manager.submit("/adherents/2/statements", month="2026-10")
    assert moved not in manager.get("/adherents/2/statements/2").text
    assert moved in manager.get("/adherents/2/statements/1").text


@pytest.mark.parametrize(
    ("month", "said"),
    [
        ("", "n&#39;est pas un mois"),
        ("2026-13", "2026-13 n&#39;est pas un mois"),
        ("0001-01", "un mois commencé, depuis janvier 2000."),
        ("1999-01", "un mois commencé, depuis janvier 2000."),
        ("1999-12", "un mois commencé, depuis janvier 2000."),
        ("2199-01", "un mois commencé, depuis janvier 2000."),
        ("9999-12", "un mois commencé, depuis janvier 2000."),
    ],
)
def test_a_month_that_cannot_be_issued_is_refused_beside_its_field(
    metered: Database, sign_in_as: SignIn, month: str, said: str
) -> None:
    answer = sign_in_as(Role.ADMINISTRATOR).submit("/adherents/2/statements", month=month)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'aria-describedby="month-error"' in answer.text


def test_the_running_month_is_offered_first_then_those_before_it(
    metered: Database, sign_in_as: SignIn
) -> None:
    page = sign_in_as(Role.ADMINISTRATOR).get("/adherents/2/statements").text
    offered = re.findall(r'<option value="(\d{4}-\d\d)"[^>]*>([^<]+)', page)
    months = [month for month, _label in offered]
    assert months[0] == datetime.now(ZoneInfo("Europe/Paris")).strftime("%Y-%m")
    assert months == sorted(set(months), reverse=True)
    assert len(months) == MONTHS_OFFERED
    assert [number for number, (_month, label) in enumerate(offered) if "brouillon" in label] == [0]


def test_a_statement_is_read_in_the_language_of_the_reader(metered: Database, sign_in_as: SignIn) -> None:
    sign_in_as(Role.ADMINISTRATOR).submit("/adherents/2/statements", month="2026-10")
    page = sign_in_as(Role.CIO, 2, locale="en").get("/adherents/2/statements/1").text
    assert "October 2026" in page
    assert "octobre" not in page
