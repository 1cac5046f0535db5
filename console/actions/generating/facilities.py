"""What data centres took besides their IT: meters by the month, and the electricity that they bought."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from sqlalchemy.orm import Session

from console.actions.generating.chance import dice
from console.actions.generating.rows import Deed, Row
from console.actions.generating.scale import ZONE
from console.actions.generating.world import Host, World
from console.domain.facility import MILLION, NO_POINT, ContractKind, Quantity
from console.domain.hours import month_bounds
from console.domain.month_lines import Facility
from console.domain.site_months import METERED
from console.store.bulk import add_rows
from console.store.models import site as s

SITES = ("ami", "tls")
CATEGORY = 3  # the IT energy is metered at the input of the equipment
NOT_ATTRIBUTED_PPM = (60_000, 110_000)  # storage, network and backup beside the hosts
STORAGE_PPM = 400_000  # of that, which has a meter of its own
STORED = "hds-storage"  # the service that storage is for
PUE_PPM = {"tls": 1_390_000, "ami": 1_470_000}
SUMMER_PPM = 60_000  # by how much cooling raises it in July, and winter lowers it
WATER_ML_PER_KWH = {"tls": 900, "ami": 350}
MJ_PER_KWH = 3_600_000_000
RENEWABLE_PPM = 260_000
Terms = tuple[ContractKind, str, int, int, int, str]  # kind, supplier, share, mg/kWh, renewable, evidence
CONTRACTS: tuple[Terms, ...] = (
    (ContractKind.PPA, "Parc solaire de démonstration", 300_000, 0, MILLION, "PPA de démonstration"),
    (ContractKind.GUARANTEE, "Fournisseur de démonstration", 250_000, 6_000, MILLION, "GO de démonstration"),
)
WITHIN_A_MONTH: tuple[str, Terms] = (
    "tls",
    (ContractKind.GUARANTEE, "Fournisseur de démonstration", 100_000, 0, MILLION, "GO de démonstration"),
)
CUTS_ON = 16  # the day of its month on which that one begins, so that a month is seen cut in two
BY = "exploitation"


def site_of(host: Host) -> str:
    """The data centre where a host stands, as its name tells."""
    return host.name.partition("-")[0]


def store_facilities(world: World) -> Iterator[Deed]:
    """What each site buys during the last year that is told, and the PUE that is stated of it."""

    def add(session: Session) -> int:
        first = date(world.scale.until.year - 1, 1, 1)
        rows = [
            _contract(world, site, number, first, terms)
            for site in SITES
            for number, terms in enumerate(CONTRACTS, start=1)
        ]
        site, terms = WITHIN_A_MONTH
        rows.append(_contract(world, site, len(CONTRACTS) + 1, _last_cut(world.scale.until), terms))
        add_rows(session, s.PowerContract, rows)
        add_rows(session, s.SitePue, [_declared(world, site) for site in SITES])
        return 1

    yield add


def _contract(world: World, site: str, number: int, first: date, terms: Terms) -> Row:
    kind, supplier, share_ppm, intensity, renewable_ppm, evidence = terms
    return {
        "site": site,
        "number": number,
        "kind": kind,
        "supplier": supplier,
        "valid_from": first,
        "valid_to": date(world.scale.until.year + 2, 1, 1),
        "share_ppm": share_ppm,
        "intensity_mg_per_kwh": intensity,
        "renewable_ppm": renewable_ppm,
        "evidence": evidence,
        "recorded_by": BY,
        "recorded_at": world.scale.now,
    }


def _last_cut(until: date) -> date:
    """The last day that cuts a month of the past."""
    month = (until - timedelta(days=CUTS_ON)).replace(day=1)
    return month.replace(day=CUTS_ON)


def _declared(world: World, site: str) -> Row:
    """For a month that is not over, and so has no meters yet."""
    first = world.scale.since
    return {
        "site": site,
        "valid_from": first,
        "pue_ppm": PUE_PPM[site],
        "category": CATEGORY,
        "window_from": date(first.year - 1, 1, 1),
        "window_to": date(first.year - 1, 12, 31),
        "is_provisional": False,
        "note": "Audit de démonstration",
        "recorded_by": BY,
        "recorded_at": world.scale.now,
    }


def metered(seed: int, site: str, month: date, hosts_mj: int) -> dict[Quantity, int]:
    """What the meters of a site told of a month in which its hosts used so much."""
    rng = dice(seed, "meters", site, month)
    it_mj = hosts_mj * (MILLION + rng.randint(*NOT_ATTRIBUTED_PPM)) // MILLION
    warmth = -math.cos((month.month - 1) * math.pi / 6)  # -1 in January, 1 in July
    pue_ppm = PUE_PPM[site] + int(SUMMER_PPM * warmth) + rng.randint(-8_000, 8_000)
    total_mj = it_mj * pue_ppm // MILLION
    return {
        Quantity.IT: it_mj,
        Quantity.TOTAL: total_mj,
        Quantity.STORAGE: (it_mj - hosts_mj) * STORAGE_PPM // MILLION,
        Quantity.RENEWABLE: total_mj * RENEWABLE_PPM // MILLION,
        Quantity.WATER: it_mj * WATER_ML_PER_KWH[site] * int(1_000 + 500 * warmth) // 1_000 // MJ_PER_KWH,
    }


def facility_of_meters(amounts: Mapping[Quantity, int]) -> Facility | None:
    """The terms that these meters make; none for a site without a host."""
    it_mj, total_mj = amounts[Quantity.IT], amounts[Quantity.TOTAL]
    if not it_mj:
        return None
    return Facility(
        METERED, CATEGORY, total_mj - it_mj, it_mj, provisional=False, water_ml=amounts[Quantity.WATER]
    )


def meter_rows(world: World, site: str, month: date, amounts: Mapping[Quantity, int]) -> Iterator[Row]:
    """The measures of a month, as a file of meters would have told them."""
    start, end = month_bounds(month, ZONE)
    for quantity, amount in amounts.items():
        yield {
            "site": site,
            "quantity": quantity,
            "category": CATEGORY if quantity is Quantity.IT else NO_POINT,
            "meter": "site",
            "started_at": start,
            "ended_at": end,
            "amount": amount,
            "quality": "measured",
            "recorded_by": BY,
            "recorded_at": end,
        }
