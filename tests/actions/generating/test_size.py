"""What is announced of a generation is what it comes to."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from console.actions.generating.size import foresee
from console.store.models import measurement as m
from console.store.session import Database, Operator
from tests.actions.generating.generated import SMALL, generate


@pytest.mark.parametrize(
    "options",
    [{"ledger_days": 1}, {"ledger_days": 0, "incidents_a_year": 2_000}, {"ledger_days": 32, "workloads": 30}],
    ids=["a day", "no ledger", "two months"],
)
def test_hours_and_bytes_are_about_as_foreseen(database: Database, options: dict[str, int]) -> None:
    scale = replace(SMALL, **options)
    generate(database, scale)
    told = foresee(scale, "sqlite")
    with database.read(Operator()) as session:
        hours = session.scalar(select(func.count()).select_from(m.WorkloadHour)) or 0
    database.close()
    assert told.hours == pytest.approx(hours, rel=0.15)
    assert told.bytes == pytest.approx(Path(str(database.engine.url.database)).stat().st_size, rel=0.25)


def test_a_day_of_the_ledger_is_told_as_the_month_that_it_makes() -> None:
    told = foresee(replace(SMALL, ledger_days=1, hosts=300, workloads=4_000), "sqlite")
    assert (told.days, told.hours) == (31, 31 * 24 * (4_000 + 600))
