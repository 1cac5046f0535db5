"""The inventory: a server for each host, what a whole site has, and what making them emitted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from console.actions.equipment import Impact, estimate_impact, record_impact, record_thing
from console.actions.generating.chance import dice
from console.actions.generating.facilities import BY, SITES, site_of
from console.actions.generating.rows import Deed
from console.actions.generating.world import Host, World
from console.domain.equipment import Disk, EquipmentKind, ImpactSource, Thing
from console.store.models import carbon as b

THREADS_PER_CORE = 2
RAM_GB_PER_THREAD = 8
DISKS = (Disk("ssd", 960, 2),)
PLANNED_MONTHS = (60, 60, 60, 72, 84)
OLDEST_DAYS = 6 * 365  # of a server that was there when the past begins
SECOND_HAND = 0.15
UG_PER_KG = 1_000_000_000
SAID = "Valeur de démonstration"
OF_SITES = (  # kind, months of its life, kilograms by host of the site
    (EquipmentKind.BUILDING, 300, 4_000),
    (EquipmentKind.UPS, 144, 120),
    (EquipmentKind.BATTERY, 96, 90),
    (EquipmentKind.COOLING, 180, 150),
    (EquipmentKind.STORAGE, 84, 110),
)
BATCH = 50  # servers a transaction


def store_inventory(world: World) -> Iterator[Deed]:
    """Servers, then what the sites have; what that makes due is reckoned with the ledger."""
    for start in range(0, len(world.hosts), BATCH):
        batch = world.hosts[start : start + BATCH]

        def add(session: Session, batch: Sequence[Host] = batch) -> int:
            for host in batch:
                number = record_thing(session, _server(world, host), now=world.scale.now, by=BY)
                estimate_impact(session, number, now=world.scale.now, by=BY)
            session.execute(delete(b.ReckoningDue))
            return len(batch)

        yield add
    yield _of_sites(world)


def _of_sites(world: World) -> Deed:
    def add(session: Session) -> int:
        for site in SITES:
            hosts = sum(site_of(host) == site for host in world.hosts)
            for kind, months, kg_by_host in OF_SITES if hosts else ():
                first = date(world.scale.since.year - 3, 1, 1)
                thing = Thing(
                    name=f"{site}-{kind.value}",
                    kind=kind,
                    site=site,
                    purchased_on=first,
                    commissioned_on=first,
                    planned_months=months,
                )
                number = record_thing(session, thing, now=world.scale.now, by=BY)
                gwp_ug = kg_by_host * hosts * UG_PER_KG
                told = Impact(ImpactSource.DECLARED, SAID, gwp_ug, gwp_ug // 2, gwp_ug * 2)
                record_impact(session, number, told, now=world.scale.now, by=BY)
        session.execute(delete(b.ReckoningDue))
        return 0

    return add


def _server(world: World, host: Host) -> Thing:
    rng = dice(world.scale.seed, "server", host.name)
    there_before = host.since.date() <= world.scale.since
    age_days = rng.randrange(OLDEST_DAYS) if there_before else 1
    born = host.since.date() - timedelta(age_days)
    return Thing(
        name=f"serveur {host.name}",
        kind=EquipmentKind.SERVER,
        site=site_of(host),
        host_name=host.name,
        manufacturer="Démonstration",
        cpus=2,
        cores=host.vcpu // THREADS_PER_CORE,
        ram_gb=host.vcpu * RAM_GB_PER_THREAD,
        disks=DISKS,
        purchased_on=born - timedelta(rng.randrange(20, 90)),
        commissioned_on=born,
        planned_months=rng.choice(PLANNED_MONTHS),
        is_second_hand=rng.random() < SECOND_HAND,
    )
