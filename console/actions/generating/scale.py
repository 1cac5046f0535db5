"""How much is generated, and of which time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from console.domain.errors import Invalid
from console.domain.hours import day_bounds

ZONE = ZoneInfo("Europe/Paris")
UNTIL = date(2026, 1, 1)  # where nothing else is asked: the same command gives the same rows on any day
EARLIEST, LATEST = 2011, 2100  # years; no emission factor is known of before
LARGEST = {
    "adherents": 2_000,
    "subscriptions": 1_000_000,
    "incidents_a_year": 5_000_000,
    "hosts": 10_000,
    "workloads": 1_000_000,
    "years": 20,
}


@dataclass(frozen=True, slots=True)
class Scale:
    """The options of a generation; the past goes up to the beginning of `until`, in the operator's zone."""

    seed: int
    adherents: int = 700
    subscriptions: int = 10_000
    incidents_a_year: int = 50_000
    hosts: int = 300
    workloads: int = 4_000
    years: int = 5
    ledger_days: int = 31
    until: date = UNTIL

    def __post_init__(self) -> None:
        for name, largest in LARGEST.items():
            if not (0 if name == "incidents_a_year" else 1) <= getattr(self, name) <= largest:
                raise Invalid(name, "Un nombre de 1 à %(largest)s est attendu.", largest=largest)
        if self.until.year - self.years < EARLIEST or self.until.year > LATEST:
            raise Invalid(
                "until",
                "Le passé généré tient entre %(earliest)s et %(latest)s.",
                earliest=EARLIEST,
                latest=LATEST,
            )
        if self.subscriptions < self.adherents:
            raise Invalid("subscriptions", "Chaque adhérent prend au moins un service.")
        if self.workloads < self.hosts:
            raise Invalid("workloads", "Chaque hôte porte au moins une charge.")
        if self.ledger_days < 0:
            raise Invalid("ledger_days", "Un nombre de jours est attendu.")

    @property
    def since(self) -> date:
        """The first day of the past that is told."""
        return self.until.replace(year=self.until.year - self.years, day=min(self.until.day, 28))

    @property
    def start(self) -> datetime:
        return day_bounds(self.since, ZONE)[0]

    @property
    def now(self) -> datetime:
        """The instant at which the past ends."""
        return day_bounds(self.until, ZONE)[0]

    @property
    def incidents(self) -> int:
        return self.incidents_a_year * self.years

    @property
    def ledger_from(self) -> datetime:
        """The earliest hour that is asked for; the ledger begins with the month that holds it."""
        return max(self.start, self.now - timedelta(days=self.ledger_days))

    def options(self) -> dict[str, Any]:
        """What says the same again, in plain values."""
        return asdict(self) | {"until": self.until.isoformat()}
