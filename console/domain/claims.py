"""Whose a workload is, and since when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from console.domain.errors import Conflict, Invalid
from console.domain.hours import hour_of

OPERATOR_TENANT = 1  # the operator is its own adherent: it carries what no one claims
OPERATOR_ZONE = ZoneInfo("Europe/Paris")  # of its days, and of hosts of which nobody says where they stand
UNCLAIMED = 0  # the claim number of lines that no claim backs


@dataclass(frozen=True, slots=True)
class Claim:
    """A workload belongs to a subscription from `valid_from` (included) to `valid_to` (excluded).

    Or it serves a shared service, `service_code`, for which the operator carries it: its number is below 0.
    """

    claim_id: int
    tenant_id: int
    valid_from: datetime
    valid_to: datetime | None
    subscription: int | None = None
    service_code: str | None = None

    def holds_at(self, hour: datetime) -> bool:
        return self.valid_from <= hour and (self.valid_to is None or hour < self.valid_to)


def owner_at(claims: Iterable[Claim], hour: datetime) -> Claim | None:
    """The claim that holds for an hour; claims of one workload never overlap."""
    return next((claim for claim in claims if claim.holds_at(hour)), None)


def check_claim(
    valid_from: datetime, valid_to: datetime | None, others: Iterable[Claim], zone: tzinfo = UTC
) -> None:
    """Refuse a claim that is empty, not on whole hours, or that overlaps another of the same workload.

    The day since which the other holds is told in the zone.
    """
    if hour_of(valid_from) != valid_from or (valid_to and hour_of(valid_to) != valid_to):
        raise Invalid("valid_from", "Une affectation commence et finit à une heure ronde.")
    if valid_to is not None and valid_to <= valid_from:
        raise Invalid("valid_to", "Une affectation finit après son début.")
    for other in others:
        starts_in = other.valid_to is None or valid_from < other.valid_to
        ends_in = valid_to is None or other.valid_from < valid_to
        if starts_in and ends_in:
            raise Conflict(
                "Cette charge est déjà affectée depuis le %(since)s.",
                since=f"{other.valid_from.astimezone(zone):%Y-%m-%d}",
            )
