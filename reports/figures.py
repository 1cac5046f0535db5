"""What a report is made from: frozen figures with units in their names, archived as canonical JSON.

Energies are integer millijoules (mJ), carbon integer micrograms of CO2e (ug), intensities mg/kWh. `None` is
unknown. Figures that contradict themselves are refused when they are made.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from zoneinfo import ZoneInfo

from reports import canonical

LEAST_SHARE_PERCENT = 80


class InvalidFigures(ValueError):
    """Figures contradict themselves; the message names the field and the values."""


class Status(StrEnum):
    """A provisional statement will be issued again once the factor of its year, or its end, has come."""

    PROVISIONAL = "provisional"
    FINAL = "final"


class DraftReason(StrEnum):
    """Why a statement cannot be issued as final."""

    PERIOD_RUNNING = "period_running"
    COVERAGE_LOW = "coverage_low"
    MEASURED_SHARE_LOW = "measured_share_low"
    ENERGY_UNKNOWN = "energy_unknown"
    CARBON_UNKNOWN = "carbon_unknown"
    FIGURES_DUE = "figures_due"


class Quality(StrEnum):
    """How an energy was come by."""

    MEASURED = "measured"
    MODELLED = "modelled"
    DECLARED = "declared"


class Boundary(StrEnum):
    """What an energy reading holds."""

    PACKAGE_DRAM = "package+dram"
    SERVER_INPUT = "server_input"
    PDU = "pdu"
    SITE = "site"


class Basis(StrEnum):
    """How carbon is reckoned; figures of two bases are never added."""

    YEARLY_AVERAGE = "yearly_average"  # location-based, consumption mix, life cycle
    HOURLY_DIRECT = "hourly_direct"  # location-based, what the grid burnt in each hour
    MARKET_BASED = "market_based"  # the contracts of the site, and the residual mix for the rest


class Perimeter(StrEnum):
    """What the publisher's factor holds."""

    CONSUMPTION_LIFE_CYCLE = "consumption_life_cycle"
    PRODUCTION_LIFE_CYCLE = "production_life_cycle"
    PRODUCTION_DIRECT = "production_direct"
    RESIDUAL_MIX = "residual_mix"


class LineKind(StrEnum):
    """What a line is; all but the first two are the operator's."""

    OWN = "own"  # what a workload of the adherent used
    SHARE = "share"  # of a shared service
    UNALLOCATED = "unallocated"  # of a shared service, what no subscriber carries
    UNCLAIMED = "unclaimed"
    IT_REST = "it_rest"  # IT energy that a site metered and no line tells of
    SITE_REST = "site_rest"  # of a site's overhead, what no other line carries


class Missing(StrEnum):
    """Why a month of a service has no carbon per unit."""

    VOLUME = "volume"
    NO_UNIT = "no_unit"  # the volume is 0
    FACILITY = "facility"  # what the data centre takes beside the energy
    CARBON = "carbon"
    EMBODIED = "embodied"


class SlaState(StrEnum):
    """Where an incident stands against its target."""

    ON_TIME = "on_time"
    AT_RISK = "at_risk"
    BREACHED = "breached"
    WAITING = "waiting"
    MET = "met"
    MISSED = "missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adherent:
    """The legal entity a statement is for; `zone` is an IANA name."""

    name: str
    finess_ej: str | None
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A civil month of the adherent's zone, as the instants it starts and ends at."""

    first_day: date
    starts_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        if self.first_day.day != 1:
            raise InvalidFigures(f"first_day: {self.first_day} is not the first of a month")
        if self.starts_at >= self.ends_at:
            raise InvalidFigures(f"ends_at: {self.ends_at} is not after {self.starts_at}")

    @classmethod
    def of_month(cls, first_day: date, zone: str) -> Period:
        """The month that begins on this day, from midnight to midnight in the zone: 743, 744 or 745 hours."""
        next_month = (first_day + timedelta(days=31)).replace(day=1)
        starts_at, ends_at = (
            datetime(day.year, day.month, 1, tzinfo=ZoneInfo(zone)) for day in (first_day, next_month)
        )
        return cls(first_day=first_day, starts_at=starts_at, ends_at=ends_at)

    @property
    def hours(self) -> int:
        """Whole hours between the two instants."""
        return int((self.ends_at.timestamp() - self.starts_at.timestamp()) // 3600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facility:
    """What a site takes beside its IT: `overhead_mj` over `it_mj`, of which a line carries its part.

    `origin` is `metered`, or `declared` since a day; `category` is the point of ISO/IEC 30134-2.
    """

    origin: str
    category: int
    overhead_mj: int
    it_mj: int
    provisional: bool = False
    declared_from: date | None = None
    water_ml: int | None = None

    @property
    def pue(self) -> Fraction:
        return Fraction(self.it_mj + self.overhead_mj, self.it_mj)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """By what a share was reckoned: its weight among all, under a version of the key of the service.

    `missing` is how many subscribers told no volume: the share is provisional as long as one did not.
    """

    key: str
    key_from: date
    key_version: int
    weight: int
    weights: int
    missing: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of what a site draws: by a contract, or the residual mix of a factor; in millionths."""

    share_ppm: int
    intensity_mg_per_kwh: int | None = None
    contract: int | None = None
    factor_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnBasis:
    """The carbon of a line on one basis; `covered_mj` is the energy that it is of, overhead within.

    By the hour: `known_mj` is the IT energy of the hours whose intensity is known, `mg_mj` the sum of it
    times that intensity, `realtime_mj` what of it is of hours with figures of real time.
    """

    basis: Basis
    covered_mj: int
    carbon_ug: int | None = None
    factor_id: str | None = None
    intensity_mg_per_kwh: int | None = None
    known_mj: int | None = None
    mg_mj: int | None = None
    parts: tuple[Part, ...] = ()
    provisional: bool = False
    realtime_mj: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOn:
    """A shared service of the operator: its energy, and what of it no subscriber carries."""

    service: str
    energy_mj: int
    unallocated_mj: int
    service_en: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PerUnit:
    """The terms of a month's carbon per unit of service (SCI, ISO/IEC 21031): micrograms over a volume.

    `use_ug` is unknown where it is not of all the energy and of what the data centre takes, `embodied_ug`
    where it is not of all the equipment.
    """

    use_ug: int | None = None
    embodied_ug: int | None = None
    volume: int | None = None

    @property
    def use(self) -> Fraction | None:
        """Micrograms of use for each unit; known before what was embodied is."""
        return Fraction(self.use_ug, self.volume) if self.use_ug is not None and self.volume else None

    @property
    def sci(self) -> Fraction | None:
        """Micrograms for each unit, making within."""
        if self.use is None or self.embodied_ug is None or not self.volume:
            return None
        return self.use + Fraction(self.embodied_ug, self.volume)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCarbon:
    """A subscription's carbon per unit of its service, in the month and in the one before.

    `covered_mj` is what the carbon of use is of, among `energy_mj`, overhead within.
    """

    subscription: str
    service: str
    service_en: str
    unit: str
    unit_en: str
    energy_mj: int
    covered_mj: int
    now: PerUnit
    before: PerUnit
    missing: tuple[Missing, ...] = ()

    @property
    def shown(self) -> Fraction | None:
        """Micrograms for each unit, of use alone where the making is unknown."""
        return self.now.use if self.now.sci is None else self.now.sci

    @property
    def trend(self) -> Fraction | None:
        """What is shown over the same of the month before, less one; None: either is unknown."""
        before = self.before.use if self.now.sci is None else self.before.sci
        return self.shown / before - 1 if self.shown is not None and before else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one workload used for one subscription, or a share; its three qualities add up to its energy.

    `overhead_mj` is what the facility takes beside it. `carbon_ug` is of the use, on the yearly average,
    with the overhead that is known; `bases` has what it is on each basis. `embodied_ug` is apart from it.
    """

    subscription: str
    service: str
    workload: str
    energy_mj: int | None
    measured_mj: int = 0
    modelled_mj: int = 0
    declared_mj: int = 0
    energy_min_mj: int | None = None
    energy_max_mj: int | None = None
    carbon_ug: int | None = None
    carbon_min_ug: int | None = None
    carbon_max_ug: int | None = None
    factor_id: str | None = None
    kind: LineKind = LineKind.OWN
    site: str = ""
    since: datetime | None = None  # where its month has several stretches
    overhead_mj: int | None = None
    facility: Facility | None = None
    share: Share | None = None
    water_ml: int | None = None
    embodied_ug: int | None = None
    embodied_min_ug: int | None = None
    embodied_max_ug: int | None = None
    adpe_ug: int | None = None  # of antimony equivalent
    primary_mj: int | None = None
    bases: tuple[OnBasis, ...] = ()
    embodied_unknown: bool = False  # the making of some of what it used, or of all of it, is unknown
    service_en: str = ""

    def __post_init__(self) -> None:
        parts_mj = self.measured_mj + self.modelled_mj + self.declared_mj
        if parts_mj != (self.energy_mj or 0):
            raise InvalidFigures(f"{self.workload}: qualities of {parts_mj} mJ for {self.energy_mj} mJ")
        if self.carbon_ug is not None and self.factor_id is None:
            raise InvalidFigures(f"{self.workload}: {self.carbon_ug} ug of carbon without a factor")

    @property
    def facility_mj(self) -> int | None:
        """Its energy with the overhead that is known."""
        return None if self.energy_mj is None else self.energy_mj + (self.overhead_mj or 0)

    def on(self, basis: Basis) -> OnBasis | None:
        """Its carbon on a basis; None where there is none."""
        return next((one for one in self.bases if one.basis is basis), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayEnergy:
    """The energy of one civil day of the adherent's zone: of its workloads; `None` when nobody knows.

    `shared_mj` is what falls to the day of lines that have no hours of their own, as shares.
    """

    day: date
    energy_mj: int | None
    shared_mj: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Hours with readings among the hours of the period that have passed."""

    covered_hours: int
    elapsed_hours: int

    def __post_init__(self) -> None:
        if not 0 <= self.covered_hours <= self.elapsed_hours:
            raise InvalidFigures(f"covered_hours: {self.covered_hours} of {self.elapsed_hours}")

    @property
    def share(self) -> Fraction | None:
        """Covered over elapsed; unknown before the first hour has passed."""
        return Fraction(self.covered_hours, self.elapsed_hours) if self.elapsed_hours else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """An emission factor as its publisher gives it; `provisional` when the year's own is still to come."""

    factor_id: str
    publisher: str
    title: str
    vintage: int
    perimeter: Perimeter
    geography: str
    intensity_mg_per_kwh: int
    low_mg_per_kwh: int | None
    high_mg_per_kwh: int | None
    licence: str
    source: str
    retrieved_on: date | None
    confirmed: bool
    provisional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """The policies that split the hosts' energy, `+` between them: `reserved`, `used`, `operator`."""

    policy: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The part of the energy that came from one source of readings."""

    name: str
    boundary: Boundary
    quality: Quality
    energy_mj: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """An incident open in the month; `due_at` is `None` while its clock is stopped."""

    number: str
    title: str
    priority: str
    opened_at: datetime
    due_at: datetime | None
    state: SlaState


@dataclass(frozen=True, slots=True, kw_only=True)
class InrStatement:
    """The INR statement of an adherent for a month."""

    adherent: Adherent
    period: Period
    lines: tuple[Line, ...]
    days: tuple[DayEnergy, ...]
    coverage: Coverage
    factors: tuple[Factor, ...]
    basis: Basis
    attribution: Attribution
    sources: tuple[Source, ...]
    incidents: tuple[Incident, ...]
    generated_at: datetime
    generated_by: str
    least_share_percent: int = LEAST_SHARE_PERCENT
    status: Status = Status.PROVISIONAL
    draft_reasons: tuple[DraftReason, ...] = ()
    waits: bool = False  # something of the month was still to be reckoned
    missing_volumes: tuple[int, ...] = ()  # subscriptions to shared services whose share nobody carries
    other_factors: tuple[Factor, ...] = ()  # of the bases beside that of the statement
    handed_on: tuple[HandedOn, ...] = ()
    services: tuple[ServiceCarbon, ...] = ()
    revision: int = 0  # of the closed month that it is of; 0: the month is open

    def __post_init__(self) -> None:
        used = {line.factor_id for line in self.lines if line.factor_id is not None}
        if unnamed := used - {factor.factor_id for factor in self.factors}:
            raise InvalidFigures(f"factors: lines use {', '.join(sorted(unnamed))}, which is not among them")

    @property
    def energy_mj(self) -> int | None:
        """The sum of the known lines; unknown when none is."""
        return known_sum(line.energy_mj for line in self.lines)

    @property
    def carbon_ug(self) -> int | None:
        """The sum of the known lines; unknown when none is."""
        return known_sum(line.carbon_ug for line in self.lines)

    @property
    def overhead_mj(self) -> int | None:
        """The sum of the known lines; unknown when none is."""
        return known_sum(line.overhead_mj for line in self.lines)

    @property
    def embodied_ug(self) -> int | None:
        """The sum of the known lines; unknown when none is."""
        return known_sum(line.embodied_ug for line in self.lines)

    @property
    def water_ml(self) -> int | None:
        """The sum of the known lines; unknown when none is."""
        return known_sum(line.water_ml for line in self.lines)

    def without(self, amount: str) -> int:
        """The energy of the lines of which an amount is unknown, such as `embodied_ug`, in mJ."""
        return sum(line.energy_mj or 0 for line in self.lines if getattr(line, amount) is None)

    def carbon_on(self, basis: Basis) -> int | None:
        """The carbon of use on one basis, of what of the energy it is known; never added to another's."""
        return known_sum(one.carbon_ug for one in self._on(basis))

    def covered_on(self, basis: Basis) -> int:
        """The energy, overhead within, that the carbon on a basis is of, in mJ."""
        return sum(one.covered_mj for one in self._on(basis))

    def realtime_on(self, basis: Basis) -> int:
        """The IT energy of hours whose intensity is of real time, and will be replaced, in mJ."""
        return sum(one.realtime_mj for one in self._on(basis))

    def _on(self, basis: Basis) -> list[OnBasis]:
        return [one for line in self.lines if (one := line.on(basis)) is not None]

    @property
    def unknown_lines(self) -> int:
        """Lines whose energy nobody knows; the total does not hold them."""
        return sum(line.energy_mj is None for line in self.lines)

    @property
    def is_draft(self) -> bool:
        """Whether it cannot be issued as final."""
        return bool(self.draft_reasons)

    def quality_share(self, quality: Quality) -> Fraction | None:
        """The part of the known energy that is of this quality; unknown without energy."""
        parts_mj = {
            Quality.MEASURED: sum(line.measured_mj for line in self.lines),
            Quality.MODELLED: sum(line.modelled_mj for line in self.lines),
            Quality.DECLARED: sum(line.declared_mj for line in self.lines),
        }
        return Fraction(parts_mj[quality], self.energy_mj) if self.energy_mj else None

    def judged(self) -> InrStatement:
        """The same figures with their status and draft reasons as they stand when generated."""
        return replace(self, status=_status(self), draft_reasons=tuple(_draft_reasons(self)))

    def to_json(self) -> str:
        """Its canonical JSON: what is archived, and what its hash is of."""
        return canonical.encode(self)

    @classmethod
    def from_json(cls, text: str) -> InrStatement:
        """The archived figures; raises `canonical.UnreadableFigures` or `InvalidFigures`."""
        return canonical.decode(cls, text)

    def sha256(self) -> str:
        """The SHA-256 of its canonical JSON, in hexadecimal."""
        return canonical.sha256(self.to_json())


def known_sum(amounts: Iterable[int | None]) -> int | None:
    """The sum of what is known; unknown when nothing is."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def complete_sum(amounts: Iterable[int | None]) -> int | None:
    """The sum when every part is known; else unknown."""
    parts = list(amounts)
    return known_sum(parts) if None not in parts else None


def _status(statement: InrStatement) -> Status:
    year = statement.period.first_day.year
    final = [factor for factor in statement.factors if factor.vintage == year and not factor.provisional]
    late = not final or len(final) < len(statement.factors)
    running = statement.generated_at < statement.period.ends_at
    return Status.PROVISIONAL if late or running or _lines_may_move(statement) else Status.FINAL


def _lines_may_move(statement: InrStatement) -> bool:
    """Whether a PUE is unknown or provisional, or a volume is missing by which a service is split."""
    return bool(statement.missing_volumes) or any(
        (line.overhead_mj is None and bool(line.energy_mj))
        or (line.facility is not None and line.facility.provisional)
        or (line.share is not None and line.share.missing > 0)
        for line in statement.lines
    )


def _draft_reasons(statement: InrStatement) -> Iterable[DraftReason]:
    least = Fraction(statement.least_share_percent, 100)
    measured = statement.quality_share(Quality.MEASURED)
    if statement.generated_at < statement.period.ends_at:
        yield DraftReason.PERIOD_RUNNING
    if statement.waits:
        yield DraftReason.FIGURES_DUE
    covered = statement.coverage.share
    if covered is None and statement.lines and all(one.share for one in statement.lines):
        covered = Fraction(1)  # only shares: nothing of its own was to be measured
    if (covered or 0) < least:
        yield DraftReason.COVERAGE_LOW
    if measured is not None and measured < least:
        yield DraftReason.MEASURED_SHARE_LOW
    if statement.energy_mj is None or statement.unknown_lines:
        yield DraftReason.ENERGY_UNKNOWN
    if any(line.carbon_ug is None for line in statement.lines if line.energy_mj is not None):
        yield DraftReason.CARBON_UNKNOWN
