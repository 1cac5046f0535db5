"""Which months of a generated database have lines and no hours, on whatever clock."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from console.store.models.generation import Generation
from console.store.queries.generation import is_partly_before_ledger
from console.store.session import Database, Operator
from tests.given import an_adherent

JANUARY, FEBRUARY = datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 1, 31, 23, tzinfo=UTC)


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Europe/Paris", [False, False]),
        ("America/Guadeloupe", [True, False]),  # its December ends five hours into the January of Paris
        ("Indian/Reunion", [True, False]),  # its January begins before the ledger
    ],
)
def test_a_sites_month_is_whole_where_every_month_that_meets_it_has_hours(
    database: Database, zone: str, expected: list[bool]
) -> None:
    with database.write(Operator()) as session:
        an_adherent(session, 7, "CH de Foix", zone=zone)
        assert not is_partly_before_ledger(session, JANUARY)  # nothing was generated
        session.add(Generation(generation_id=1, options={}, began_at=JANUARY, ledger_from=JANUARY))
        session.flush()
        assert [is_partly_before_ledger(session, one) for one in (JANUARY, FEBRUARY)] == expected
