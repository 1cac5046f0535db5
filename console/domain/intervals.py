"""One interval of a host: which instrument counts, and what of it falls into an hour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from console.domain.attribution import Attribution, Cards, Consumer, IdlePolicy, attribute
from console.domain.calibration import Line
from console.domain.hours import HOUR, split_by_hour

AUTHORITIES = ("pdu_outlet", "bmc", "rapl", "model")  # strongest first
GPU = "gpu"  # the authority of what measures graphics cards alone, beside those of the host
MODELLED = "modelled"
HOLDING_CARDS = ("server_input", "pdu")  # the boundaries in which graphics cards are
LONGEST = timedelta(hours=1)
RETENTION = timedelta(days=35)  # of raw readings: what comes later can no longer be attributed
AHEAD = timedelta(minutes=5)  # how far a host's clock may run before ours
LABEL_ERROR_MS = 2_000  # what rounding may put between a duration and its label
MILLISECOND = timedelta(milliseconds=1)
HIGHEST_POWER_W = 100_000  # no single host draws more
LONGEST_SOURCE = 200  # of what an instrument is called in the ledger
LARGEST_ADDED = 10**15  # of the figures of a reading: thousands of them add up in 63 bits


Stretch = tuple[int, int]  # from and until which millisecond of an hour


@dataclass(frozen=True, slots=True)
class Measured:
    """The host's energy over the interval as one instrument gives it."""

    source: str
    authority: str
    boundary: str
    quality: str
    energy_mj: int
    min_mj: int | None
    max_mj: int | None
    idle_power_mw: int | None


@dataclass(frozen=True, slots=True)
class Interval:
    """A closed interval of one host: what was measured, and what each workload used.

    `gpus` is how many graphics cards are in what measures them.
    """

    started_at: datetime
    ended_at: datetime
    duration_ms: int
    vcpu: int
    busy_cpu_ms: int
    measurements: Sequence[Measured]
    consumers: Mapping[str, Consumer]
    gpus: int = 1


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A line in force from an instrument of a host to a stronger one, and what its figures then hold.

    `beside_gpu`: the cards are out of both sides, and are added.
    """

    reference: str
    boundary: str
    line: Line
    beside_gpu: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator declared of a host for an hour, and its calibrations then, by instrument.

    None where it is left to the instruments: the idle power, the policy, which of them counts.
    """

    idle_power_mw: int | None = None
    idle_policy: IdlePolicy | None = None
    source: str | None = None
    calibrations: Mapping[str, Calibrated] = field(default_factory=dict)


NO_RULES = Rules()


@dataclass(frozen=True, slots=True)
class Counted:
    """What counts for the host over an interval: its energy, and that of the cards within it."""

    measured: Measured
    gpu_mj: int
    gpu_idle_mw: int


@dataclass(frozen=True, slots=True)
class Part:
    """What of an interval falls into one hour, attributed."""

    measured: Measured
    gpu_mj: int
    duration_ms: int
    attribution: Attribution


class Rule(StrEnum):
    """Why a reading is kept out of the ledger."""

    UNREADABLE = "unreadable"
    FUTURE = "future"
    TOO_LATE = "too_late"
    TOO_LONG = "too_long"
    LABEL = "label"  # its duration is not that of its label
    CPU = "cpu"  # more CPU time than there was
    ENERGY = "energy"  # more than any host draws
    OVERLAP = "overlap"  # another stream of the host told of the same time
    OTHER = "other"


IMPLAUSIBLE = frozenset({Rule.CPU, Rule.ENERGY})  # a person who knows better may say that it is true


@dataclass(frozen=True, slots=True)
class Refused:
    """The rule that an interval breaks, and how, in words for the agent's log."""

    rule: Rule
    reason: str


def refusal(interval: Interval, now: datetime) -> Refused | None:
    """Why an interval cannot enter the ledger, or None."""
    if interval.ended_at > now + AHEAD:
        return Refused(Rule.FUTURE, "ended_at: in the future; check the clock of the host")
    if interval.started_at < now - RETENTION:
        reason = f"started_at: more than {RETENTION.days} days ago, later than raw readings are kept"
        return Refused(Rule.TOO_LATE, reason)
    return shapeless(interval) or implausible(interval)


def shapeless(interval: Interval) -> Refused | None:
    """Why an interval has no place in hours, or None."""
    if interval.ended_at - interval.started_at > LONGEST or interval.duration_ms > LONGEST // MILLISECOND:
        return Refused(Rule.TOO_LONG, "duration_ms: an interval is at most one hour long")
    label_ms = (interval.ended_at - interval.started_at) // MILLISECOND
    if abs(label_ms - interval.duration_ms) > LABEL_ERROR_MS:
        reason = f"duration_ms: {interval.duration_ms} ms from a start and an end {label_ms} ms apart"
        return Refused(Rule.LABEL, reason)
    return None


def implausible(interval: Interval) -> Refused | None:
    """Why no host could have told an interval truly, or None."""
    runnable_ms = 2 * interval.vcpu * interval.duration_ms  # twice: ticks and counters do not agree
    if interval.busy_cpu_ms > runnable_ms:
        return Refused(Rule.CPU, "busy_cpu_ms: more than the CPUs could run in the interval")
    if sum(consumer.cpu_ms for consumer in interval.consumers.values()) > runnable_ms:
        return Refused(Rule.CPU, "workloads: more CPU time than the CPUs could run in the interval")
    for measured in interval.measurements:
        highest = max(measured.energy_mj, measured.max_mj or 0)
        if highest > HIGHEST_POWER_W * interval.duration_ms:
            reason = f"energy_mj: {measured.source} gives more than {HIGHEST_POWER_W} W"
            return Refused(Rule.ENERGY, reason)
    return None


def is_past_adding(interval: Interval) -> bool:
    """Whether some figure is so large that sums of it would not fit where the ledger keeps them."""
    energies = (max(one.energy_mj, one.max_mj or 0) for one in interval.measurements)
    times = (use.cpu_ms for use in interval.consumers.values())
    return max((interval.busy_cpu_ms, *energies, *times)) > LARGEST_ADDED


def counted(interval: Interval, rules: Rules = NO_RULES) -> Counted | None:
    """What counts for the host over the interval, None where nothing measured it.

    The instrument that the operator named where it measured, else the strongest one, the first named among
    equals. The others only reconcile: two that read the same counters never add up. Graphics cards are in
    what a server or an outlet draws; to what packages and memory draw they are added.
    """
    cards = next((one for one in interval.measurements if one.authority == GPU), None)
    own = [one for one in interval.measurements if one.authority in AUTHORITIES]
    scaled = [
        _scaled(one, rules.calibrations[one.source], cards, interval.duration_ms)
        for one in own
        if one.source in rules.calibrations
        and rules.calibrations[one.source].beside_gpu == (cards is not None)
    ]
    named = next((one for one in (*own, *scaled) if one.source == rules.source), None)
    # A stable sort: what a calibration scaled goes before what it was scaled from.
    ranked = sorted((*scaled, *own), key=lambda one: AUTHORITIES.index(one.authority))
    measured = named or next(iter(ranked), None)
    if measured is None or cards is None:
        return None if measured is None else Counted(measured, 0, 0)
    if measured.boundary in HOLDING_CARDS:
        return Counted(measured, min(cards.energy_mj, measured.energy_mj), cards.idle_power_mw or 0)
    return Counted(_with_cards(measured, cards), cards.energy_mj, 0)


def part_in(interval: Interval, hour: datetime, rules: Rules = NO_RULES) -> Part | None:
    """What of the interval falls into the hour; None where nothing does or nothing was measured.

    Energy, its bounds and the duration are cut at the hours first, then each part is attributed: an hour
    adds up on its own.
    """
    if not touches(interval, hour):
        return None
    found = counted(interval, rules)
    if found is None:
        return None
    measured = replace(
        found.measured,
        energy_mj=cut(interval, hour, found.measured.energy_mj),
        min_mj=None if found.measured.min_mj is None else cut(interval, hour, found.measured.min_mj),
        max_mj=None if found.measured.max_mj is None else cut(interval, hour, found.measured.max_mj),
    )
    gpu_mj = min(cut(interval, hour, found.gpu_mj), measured.energy_mj)
    duration_ms = cut(interval, hour, interval.duration_ms)
    attribution = attribute(
        energy_mj=measured.energy_mj,
        duration_ms=duration_ms,
        idle_power_mw=_idle_power_mw(found, rules),
        vcpu=interval.vcpu,
        busy_cpu_ms=interval.busy_cpu_ms,
        consumers=interval.consumers,
        policy=rules.idle_policy,
        cards=Cards(gpu_mj, interval.gpus),
    )
    return Part(measured, gpu_mj, duration_ms, attribution)


def touches(interval: Interval, hour: datetime) -> bool:
    """Whether any of an interval falls into an hour."""
    return interval.started_at < hour + HOUR and hour < interval.ended_at


def stretch_in(interval: Interval, hour: datetime) -> Stretch:
    """Which milliseconds of an hour an interval touches."""
    start, end = max(interval.started_at, hour), min(interval.ended_at, hour + HOUR)
    return (start - hour) // MILLISECOND, (end - hour) // MILLISECOND


def joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Stretches in order, those in one that overlap or are no further apart than labels may err."""
    found: list[Stretch] = []
    for start, end in sorted(stretches):
        if found and start <= found[-1][1] + LABEL_ERROR_MS:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


def cut(interval: Interval, hour: datetime, amount: int) -> int:
    """What of an amount of an interval falls into an hour."""
    if hour <= interval.started_at and interval.ended_at <= hour + HOUR:
        return amount
    return split_by_hour(amount, interval.started_at, interval.ended_at).get(hour, 0)


def _idle_power_mw(found: Counted, rules: Rules) -> int | None:
    """Of the host without its cards: what a server draws with nothing to do holds that of its cards."""
    idle_mw = found.measured.idle_power_mw if rules.idle_power_mw is None else rules.idle_power_mw
    return None if idle_mw is None else max(0, idle_mw - found.gpu_idle_mw)


def _scaled(weak: Measured, to: Calibrated, cards: Measured | None, duration_ms: int) -> Measured:
    """What the reference would have given, with twice the error of the line as bounds."""
    added_mj = 0 if cards is None else cards.energy_mj
    energy_mj = to.line.scale(weak.energy_mj, duration_ms)
    low_mj, high_mj = to.line.bounds(energy_mj)
    idle_mw = weak.idle_power_mw
    if idle_mw is not None:
        idle_mw = to.line.scale(idle_mw, 1000) + ((cards.idle_power_mw or 0) if cards else 0)
    return replace(
        weak,
        source=f"{weak.source}~{to.reference}"[:LONGEST_SOURCE],
        boundary=to.boundary,
        quality=MODELLED,
        energy_mj=energy_mj + added_mj,
        min_mj=low_mj + added_mj,
        max_mj=high_mj + added_mj,
        idle_power_mw=idle_mw,
    )


def _with_cards(measured: Measured, cards: Measured) -> Measured:
    """Packages and memory with the cards beside them; what states no bounds is taken as it stands."""
    return replace(
        measured,
        source=f"{measured.source}+{cards.source}"[:LONGEST_SOURCE],
        quality=measured.quality if measured.quality == cards.quality else MODELLED,
        energy_mj=measured.energy_mj + cards.energy_mj,
        min_mj=None if measured.min_mj is None else measured.min_mj + _or(cards.min_mj, cards.energy_mj),
        max_mj=None if measured.max_mj is None else measured.max_mj + _or(cards.max_mj, cards.energy_mj),
    )


def _or(bound: int | None, energy_mj: int) -> int:
    return energy_mj if bound is None else bound
