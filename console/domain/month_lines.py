"""Month lines: what kinds there are, and the terms under which one was reckoned, kept with it.

    hours of a workload in a month -> one line for each stretch in which the terms of its site are the same
    pool of a shared service       -> shares of its subscribers, and what is left unallocated
    site                           -> IT energy that no host measured, and the rest of its overhead

A figure is the sum of lines that count, of one revision: a pool counts by its shares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from typing import Any

OPEN_REVISION = 0  # a month that is not closed is reckoned in place
NO_HOST = 0  # the host of a share and of a line of a site
LineKey = tuple[datetime, int, int, int]  # since when, host, workload, claim: a line of an adherent's month
EMBODIED = ("embodied_ug", "embodied_low_ug", "embodied_high_ug", "adpe_ug", "primary_mj")
"""What a line holds of the making of what it used: greenhouse gases with bounds, antimony, primary energy."""


class LineKind(StrEnum):
    """What a line is; all but the first two are the operator's."""

    OWN = "own"  # what workloads of the adherent used
    SHARE = "share"  # of a shared service
    POOL = "pool"  # a shared service as a whole, before it is split
    UNALLOCATED = "unallocated"  # of a shared service: the shares of subscribers whose volume is missing
    UNCLAIMED = "unclaimed"  # what no one claims: workloads, idle energy that is kept, what is unattributed
    IT_REST = "it_rest"  # IT energy that a site metered and no host, no shared service told of
    SITE_REST = "site_rest"  # of a site's overhead, what no other line carries


class SharingKeyKind(StrEnum):
    """By what a shared service is split among its subscribers."""

    VOLUME = "volume"  # the monthly volumes of its unit: payslips, active users, pathways, GB
    SUBSCRIPTION = "subscription"  # one part each for a month in which the subscription runs
    IT_ENERGY = "it_energy"  # the IT energy of the subscribers' own lines: for networks


@dataclass(frozen=True, slots=True)
class Facility:
    """What a site takes beside each millijoule of its IT: `overhead_mj` over `it_mj`, and where that is from.

    `origin` is `metered`, or `declared` since the day `declared_from`. `category` is the point of ISO/IEC
    30134-2 at which the IT energy is taken. `water_ml` is over the same `it_mj`; None: unknown.
    """

    origin: str
    category: int
    overhead_mj: int
    it_mj: int
    provisional: bool
    declared_from: date | None = None
    water_ml: int | None = None

    @property
    def pue(self) -> Fraction:
        return Fraction(self.it_mj + self.overhead_mj, self.it_mj)

    def overhead_of(self, energy_mj: int) -> int:
        """The overhead that falls to an IT energy, rounded down: the site keeps what rounding leaves."""
        return energy_mj * self.overhead_mj // self.it_mj

    def water_of(self, energy_mj: int) -> int | None:
        """The water that falls to an IT energy, in millilitres, rounded down."""
        return None if self.water_ml is None else energy_mj * self.water_ml // self.it_mj

    def to_terms(self) -> dict[str, Any]:
        """Its JSON, under `facility` in the terms of a line."""
        return {
            "origin": self.origin,
            "category": self.category,
            "overhead_mj": self.overhead_mj,
            "it_mj": self.it_mj,
            "provisional": self.provisional,
            "declared_from": self.declared_from.isoformat() if self.declared_from else None,
            "water_ml": self.water_ml,
        }

    @classmethod
    def of_terms(cls, terms: Mapping[str, Any]) -> Facility | None:
        """What a line was reckoned with; None where its overhead is unknown."""
        told = terms.get("facility")
        if told is None:
            return None
        day = told["declared_from"]
        return cls(**{**told, "declared_from": date.fromisoformat(day) if day else None})


@dataclass(frozen=True, slots=True)
class ShareTerms:
    """By what a share was reckoned: its weight among all, in the unit of the key.

    `estimated` says that the weight is what was expected of a subscriber that told no volume, whose share
    nobody carries; `origin` is where it is from (`domain.sharing.Origin`). Version 0 of a key is what holds
    where none was set. `pool_mj` is the energy of the pool that is shared, `missing` how many of all told no
    volume: the share is provisional as long as one did not.
    """

    service_code: str
    key: SharingKeyKind
    key_from: date
    key_version: int
    weight: int
    weights: int
    estimated: bool = False
    origin: str = "told"
    pool_mj: int | None = None
    missing: int = 0

    def to_terms(self) -> dict[str, Any]:
        """Its JSON, under `share` in the terms of a line."""
        return {
            "service_code": self.service_code,
            "key": self.key.value,
            "key_from": self.key_from.isoformat(),
            "key_version": self.key_version,
            "weight": self.weight,
            "weights": self.weights,
            "estimated": self.estimated,
            "origin": self.origin,
            "pool_mj": self.pool_mj,
            "missing": self.missing,
        }

    @classmethod
    def of_terms(cls, terms: Mapping[str, Any]) -> ShareTerms | None:
        """What a line was reckoned with; None where it is no share."""
        told = terms.get("share")
        if told is None:
            return None
        day = date.fromisoformat(told["key_from"])
        return cls(**{**told, "key": SharingKeyKind(told["key"]), "key_from": day})
