"""A shared service's month, split among its subscribers: exact shares of each amount, by a key.

pool: amounts of a stretch -> weights of the subscribers -> shares, that add up to the pool to the unit
      volume missing       -> the share that was to be expected is nobody's, and says whose volume is missing

Weights are whole numbers: units of the service, 1 for each subscription, or millijoules of IT energy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from console.domain.carbon import KnownHours
from console.domain.contract import Amendment, Status, Terms, terms_over
from console.domain.month_lines import EMBODIED, SharingKeyKind
from console.domain.proportion import apportion
from console.domain.renewal import add_months

QUALITIES = ("measured_mj", "modelled_mj", "declared_mj")
WHOLE = ("low_mj", "high_mj", "overhead_mj", "water_ml")  # unknown where a part is
OTHER_QUALITY = "other_mj"  # energy of none of the three
LOOKS_BACK_MONTHS = 12
DEFAULT_VERSION = 0  # of the key of a service for which none was set

Amounts = Mapping[str, int | None]
Subscriber = tuple[int, int]  # adherent, subscription


@dataclass(frozen=True, slots=True)
class Key:
    """By what a service is split from a month on; version 0 is what holds where nothing was set."""

    kind: SharingKeyKind
    valid_from: date
    version: int = DEFAULT_VERSION


class Origin(StrEnum):
    """Where a weight is from; all but the first two are what was to be expected of who told no volume."""

    TOLD = "told"  # the volume of the month
    KEY = "key"  # one for each subscription, the IT energy of its lines
    LAST_VOLUME = "last_volume"  # the last one of the twelve months before
    CONTRACT = "contract"  # the volume agreed in the contract
    MEAN = "mean"  # of those that are known
    EQUAL = "equal"  # nothing is known of anyone


ESTIMATES = frozenset({Origin.LAST_VOLUME, Origin.CONTRACT, Origin.MEAN, Origin.EQUAL})


@dataclass(frozen=True, slots=True)
class Weight:
    """What a subscriber counts for."""

    value: int
    origin: Origin

    @property
    def estimated(self) -> bool:
        """Whether it is only expected: the share is then nobody's."""
        return self.origin in ESTIMATES


@dataclass(frozen=True, slots=True)
class Volumes:
    """What is known of the volume of a subscriber in a month; None: unknown."""

    told: int | None
    last: int | None = None
    contract: int | None = None


def key_for(keys: Iterable[Key], month: date) -> Key:
    """The key that holds in a month: the last to begin, in its last version; by volume where none is set."""
    held = [one for one in keys if one.valid_from <= month]
    return max(held, key=lambda one: (one.valid_from, one.version), default=Key(SharingKeyKind.VOLUME, month))


def terms_in(amendments: Sequence[Amendment], month: date) -> Terms | None:
    """The terms of a subscription at the end of what of it runs in a month; None where it does not run.

    It runs on days on which it is active; one that is suspended does not.
    """
    pieces = terms_over(amendments, month, add_months(month, 1))
    active = [terms for _, _, terms in pieces if terms.status is Status.ACTIVE]
    return active[-1] if active else None


def volume_weights(volumes: Mapping[Subscriber, Volumes]) -> dict[Subscriber, Weight]:
    """Weights by the volumes of a month; a volume that was told as 0 is 0.

    Who told none weighs what was to be expected: the last volume that was told in the twelve months before,
    else that of the contract, else the mean of the others; never 0, for its share would then vanish.
    """
    known = {who: weight for who, one in volumes.items() if (weight := _of_itself(one)) is not None}
    mean = _mean([one.value for one in known.values()])
    other = Weight(mean, Origin.MEAN) if mean else Weight(1, Origin.EQUAL)
    return {who: known.get(who, other) for who in volumes}


def _of_itself(volumes: Volumes) -> Weight | None:
    if volumes.told is not None:
        return Weight(volumes.told, Origin.TOLD)
    if volumes.last:
        return Weight(volumes.last, Origin.LAST_VOLUME)
    return Weight(volumes.contract, Origin.CONTRACT) if volumes.contract else None


def _mean(values: Sequence[int]) -> int:
    """Rounded, but 0 only where all are."""
    total = sum(values)
    return max(1, round(Fraction(total, len(values)))) if total else 0


def pool_of(parts: Sequence[Amounts]) -> dict[str, int | None]:
    """The amounts of the lines of a pool together.

    Bounds, overhead and water are unknown where those of a line are. What was embodied is of the lines of
    which it is known, as it is in any sum of lines.
    """
    energy = {name: sum(one[name] or 0 for one in parts) for name in ("energy_mj", *QUALITIES)}
    return (
        energy | {name: _all(parts, name) for name in WHOLE} | {name: _some(parts, name) for name in EMBODIED}
    )


def _all(parts: Sequence[Amounts], name: str) -> int | None:
    values = [one[name] for one in parts]
    return None if None in values or not values else sum(value or 0 for value in values)


def _some(parts: Sequence[Amounts], name: str) -> int | None:
    values = [value for one in parts if (value := one[name]) is not None]
    return sum(values) if values else None


def shares(pool: Amounts, weights: Mapping[Subscriber, Weight]) -> dict[Subscriber, dict[str, int | None]]:
    """The share of each subscriber in each amount; they add up to the pool exactly.

    The energy of a share is the sum of its qualities. The weights do not all vanish.
    """
    parts = {who: weight.value for who, weight in weights.items()}
    other_mj = (pool["energy_mj"] or 0) - sum(pool[name] or 0 for name in QUALITIES)
    split = {
        name: _split(amount, parts)
        for name, amount in {**pool, OTHER_QUALITY: other_mj}.items()
        if name != "energy_mj"
    }
    found: dict[Subscriber, dict[str, int | None]] = {}
    for who in weights:
        amounts = {name: of_all[who] for name, of_all in split.items()}
        other = amounts.pop(OTHER_QUALITY) or 0
        energy_mj = other + sum(amounts[name] or 0 for name in QUALITIES)
        found[who] = {"energy_mj": energy_mj, **amounts}
    return found


def _split(amount: int | None, parts: Mapping[Subscriber, int]) -> Mapping[Subscriber, int | None]:
    return dict.fromkeys(parts) if amount is None else dict(apportion(amount, parts))


def split_hours(known: KnownHours, weights: Mapping[Subscriber, Weight]) -> dict[Subscriber, KnownHours]:
    """The energy of hours whose intensity is known, by weight, and the rest of them as that energy went.

    Who has none of the energy has none of its carbon: a share without known hours has no line by the hour.
    """
    energy = apportion(known.energy_mj, {who: weight.value for who, weight in weights.items()})
    products, realtime = apportion(known.mg_mj, energy), apportion(known.realtime_mj, energy)
    return {who: KnownHours(energy[who], products[who], realtime[who]) for who in energy}
