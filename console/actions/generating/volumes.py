"""Monthly volumes of the contracts: what was used, told by form, file or API, now and then corrected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta

from sqlalchemy.orm import Session

from console.actions.generating.chance import dice, weighted
from console.actions.generating.rows import Deed, Row
from console.actions.generating.world import Adherent, Contract, World
from console.domain.renewal import add_months
from console.store.bulk import add_rows
from console.store.models import contract as k

TOLD_AT = time(8)
MISSING = 0.03  # of the months: nobody told
CORRECTED = 0.02
SOURCES = {k.VolumeSource.CSV: 6, k.VolumeSource.API: 3, k.VolumeSource.FORM: 2}
SEASON = (104, 101, 103, 99, 97, 101, 92, 84, 103, 106, 102, 98)  # per cent of a year's mean, by month
ABOUT = {"software": 1_200, "payroll": 1_800, "consulting": 15, "hosting": 25_000}


def store_volumes(world: World) -> Iterator[Deed]:
    """The volumes of an adherent in each transaction."""
    for adherent in world.adherents:
        rows = [
            row
            for contract in world.contracts[adherent.tenant_id]
            for row in _of_contract(world, adherent, contract)
        ]

        def add(session: Session, rows: Sequence[Row] = rows) -> int:
            add_rows(session, k.VolumeMonth, rows)
            return 1

        yield add


def _of_contract(world: World, adherent: Adherent, contract: Contract) -> Iterator[Row]:
    rng = dice(world.scale.seed, "volumes", contract.tenant_id, contract.number)
    about = max(1, int(ABOUT[contract.service.trade] * rng.lognormvariate(0, 0.8)))
    source = weighted(rng, SOURCES)
    for month in _months(world, contract):
        volume = round(about * SEASON[month.month - 1] / 100 * rng.uniform(0.95, 1.05))
        if rng.random() < MISSING:
            continue
        corrected = rng.random() < CORRECTED
        for revision, told in enumerate((volume, volume + max(1, volume // 50))[: 1 + corrected], start=1):
            yield {
                "tenant_id": contract.tenant_id,
                "subscription": contract.number,
                "month": month,
                "revision": revision,
                "volume": told,
                "source": source if revision == 1 else k.VolumeSource.FORM,
                "recorded_at": _told_at(adherent, month, revision),
                "recorded_by": f"dsi-{contract.tenant_id:04}",
            }


def _months(world: World, contract: Contract) -> Iterator[date]:
    """The months of a contract that were over, and told of, in the past that is told."""
    month = max(contract.starts_on, world.scale.since).replace(day=1)
    end = world.scale.until if contract.ends_on is None else min(contract.ends_on, world.scale.until)
    while add_months(month, 1) + timedelta(days=10) <= world.scale.until and month <= end:
        yield month
        month = add_months(month, 1)


def _told_at(adherent: Adherent, month: date, revision: int) -> datetime:
    return datetime.combine(add_months(month, 1) + timedelta(days=3 * revision), TOLD_AT, adherent.zone)
