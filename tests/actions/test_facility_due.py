"""What a site measures, states or buys, once it is another, has the months that hang on it reckoned again."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions import facility
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.facility import Contract, ContractKind, DeclaredPue, Quantity
from console.domain.factors import Basis
from console.domain.hours import month_bounds
from console.domain.month_lines import LineKind
from console.store.models import audit as a
from console.store.models import carbon as b
from console.store.models import site as s
from console.store.session import Database, Operator
from tests.carbon_past import NOW, PARIS, a_meter, hours_of, reckon_all
from tests.given import an_adherent

pytestmark = pytest.mark.both_databases

MARCH = date(2026, 3, 1)
START, END = month_bounds(MARCH, PARIS)
KWH = 3_600_000_000


@pytest.fixture
def database(database: Database) -> Database:
    with database.write(Operator()) as session:
        an_adherent(session, 7, "CH de Foix")
    return database


def overhead(session: Session) -> int | None:
    return sum(
        row.overhead_mj or 0
        for row in session.scalars(select(b.MonthLine).where(b.MonthLine.kind == LineKind.UNCLAIMED))
    )


def bought(session: Session) -> list[tuple[date, int | None]]:
    """Market-based lines: the local day each begins on, and its carbon."""
    row = b.CarbonLine
    found = session.scalars(
        select(row).where(row.basis == Basis.MARKET_BASED, row.energy_mj > 0).order_by(row.since)
    )
    return [(one.since.astimezone(PARIS).date(), one.carbon_ug) for one in found]


def a_contract(first: date, end: date, intensity: int = 12_000) -> Contract:
    return Contract(ContractKind.PPA, "Parc", first, end, 1_000_000, intensity, 1_000_000, "PPA-7")


def test_meters_that_come_late_or_are_corrected_give_the_month_its_overhead(database: Database) -> None:
    with database.write(Operator()) as session:
        hours_of(session, "srv-01", START, 3, {"payroll": KWH})
        reckon_all(session)
        assert overhead(session) == 0
        a_meter(session, "tls", MARCH, Quantity.IT, 3 * KWH, category=3)
        a_meter(session, "tls", MARCH, Quantity.TOTAL, 4 * KWH)
        reckon_all(session)
        assert overhead(session) == KWH
        a_meter(session, "tls", MARCH, Quantity.TOTAL, 5 * KWH)
        reckon_all(session)
        assert overhead(session) == 2 * KWH


def test_a_pue_that_is_declared_holds_in_months_that_were_reckoned_before(database: Database) -> None:
    with database.write(Operator()) as session:
        hours_of(session, "srv-01", START, 3, {"payroll": KWH})
        reckon_all(session)
        told = DeclaredPue(MARCH, 1_500_000, 2, date(2025, 1, 1), date(2025, 12, 31), False, "")
        facility.declare_pue(session, "tls", told, now=NOW, by="test")
        reckon_all(session)
        assert overhead(session) == 3 * KWH // 2


def test_a_contract_is_added_corrected_and_ended_and_its_months_follow(database: Database) -> None:
    with database.write(Operator(), by="ops") as session:
        hours_of(session, "srv-01", START, 3, {"payroll": KWH})
        hours_of(session, "srv-01", START + timedelta(days=14), 3, {"payroll": KWH})
        reckon_all(session)
        assert bought(session) == []
        number = facility.add_contract(
            session, "tls", a_contract(date(2026, 1, 1), date(2027, 1, 1)), now=NOW, by="ops"
        )
        reckon_all(session)
        assert bought(session) == [(MARCH, 6 * 12_000_000)]
    with database.write(Operator(), by="ops") as session:
        corrected = a_contract(date(2026, 1, 1), date(2027, 1, 1), 20_000)
        facility.correct_contract(session, "tls", number, corrected, now=NOW, by="ops")
        reckon_all(session)
        assert bought(session) == [(MARCH, 6 * 20_000_000)]
        facility.end_contract(session, "tls", number, date(2026, 3, 9), now=NOW, by="ops")
        reckon_all(session)
        assert bought(session) == [(MARCH, 3 * 20_000_000)]
    with database.read(Operator()) as session:
        kinds = session.scalars(select(a.AuditEntry.kind).order_by(a.AuditEntry.number)).all()
        assert [kind for kind in kinds if kind.startswith("power_contract")] == [
            "power_contract.added",
            "power_contract.changed",
        ]
        assert session.get_one(s.PowerContract, ("tls", 1)).valid_to == date(2026, 3, 10)


@pytest.mark.parametrize("day", [date(2025, 12, 31), date(2027, 1, 1)])
def test_a_contract_does_not_end_outside_of_itself(database: Database, day: date) -> None:
    with database.write(Operator(), by="ops") as session:
        whole = a_contract(date(2026, 1, 1), date(2027, 1, 1))
        facility.add_contract(session, "tls", whole, now=NOW, by="ops")
        with pytest.raises(Invalid, match="s'avance"):
            facility.end_contract(session, "tls", 1, day, now=NOW, by="ops")
        with pytest.raises(NotFound):
            facility.end_contract(session, "tls", 2, day, now=NOW, by="ops")


def test_a_correction_never_buys_more_than_the_whole(database: Database) -> None:
    with database.write(Operator(), by="ops") as session:
        first, second = a_contract(date(2026, 1, 1), MARCH), a_contract(MARCH, date(2027, 1, 1))
        for one in (first, second):
            facility.add_contract(session, "tls", one, now=NOW, by="ops")
        longer = a_contract(date(2026, 1, 1), date(2026, 3, 2))
        with pytest.raises(Conflict, match="100 %"):
            facility.correct_contract(session, "tls", 1, longer, now=NOW, by="ops")
