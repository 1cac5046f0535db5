"""Files of grid intensities as their publishers give them: eCO2mix of RTE, ODRÉ, Electricity Maps.

    bytes -> table -> layout, known by its headings -> rows -> intensities, gaps, refusals

eCO2mix (`.xls` that is text, or CSV) and ODRÉ tell what production in France emits as it happens, in g/kWh,
by quarters of an hour or by half-hours. Each civil day has 96 rows whatever the clock does: in March those of
the hour that does not exist repeat others and are left out, in October the hour that happens twice is told
once, so that its second time stays unknown. Cells with `ND`, `-` or nothing are gaps, never 0; rows of
forecasts have no rate and are gaps too. The rows need not be in order.

Electricity Maps tells what consumption emits, direct and over the life cycle, in UTC. Hours that it estimated
are as final as real time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from zoneinfo import ZoneInfo

from console.domain.countries import grid_zone
from console.domain.errors import Invalid
from console.domain.facility import Basis
from console.domain.grid import Intensity, State
from console.domain.spreadsheets import day_of
from console.domain.tables import RefusedRow, Table, normal, read_csv

PARIS = ZoneInfo("Europe/Paris")
QUARTER, HALF, HOUR = timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=1)
STEPS = (timedelta(minutes=5), QUARTER, HALF, HOUR)  # that a publisher may have
GAPS = frozenset({"", "nd", "-", "--", "n/a", "nan"})
LARGEST_G = 5_000  # g/kWh; the worst power stations emit about 1 500
LARGEST_FILE = 64 * 1024 * 1024
MOST_ROWS = 300_000
DISCLAIMER = "rte ne pourra"
RTE, ELECTRICITY_MAPS = "RTE", "Electricity Maps"
STATES: Mapping[str, State] = {
    "données temps réel": State.REALTIME,
    "données consolidées": State.CONSOLIDATED,
    "données définitives": State.DEFINITIVE,
}
PERIMETERS: Mapping[str, str] = {"france": "FR"}
RTE_NEEDED = ("périmètre", "nature", "date")
RATES = ("taux de co2", "taux de co2 (g/kwh)")
WALLS = ("heures", "heure")
INSTANTS = ("date - heure", "date et heure")
MAPS_NEEDED = ("datetime (utc)", "zone id")
MAPS_RATES: Sequence[tuple[str, Basis]] = (
    ("carbon intensity gco₂eq/kwh (direct)", Basis.DIRECT_CONSUMPTION),
    ("carbon intensity gco₂eq/kwh (lca)", Basis.LIFE_CYCLE_CONSUMPTION),
    ("carbon intensity gco₂eq/kwh (life cycle)", Basis.LIFE_CYCLE_CONSUMPTION),
)
Cells = Mapping[str, str]


@dataclass(slots=True)
class GridFile:
    """What a file tells of one zone; `gaps` are rows without a rate, `repeated` those of no hour.

    `forecasts` are rows that tell nothing but what was expected; they are no gaps, for nothing was measured.
    """

    publisher: str
    rows: int = 0
    gaps: int = 0
    forecasts: int = 0
    repeated: int = 0
    unhoured: int = 0  # rows of an hour that happens twice, of which the file tells one
    intensities: list[Intensity] = field(default_factory=list)
    refusals: list[RefusedRow] = field(default_factory=list)


def read_grid(content: bytes, zone: str) -> GridFile:
    """The intensities of a zone; raises `Invalid` for a file of no known layout, or of another zone."""
    if len(content) > LARGEST_FILE:
        raise Invalid("file", "Ce fichier passe %(most)s Mo.", most=LARGEST_FILE // 1024**2)
    table, zone = read_csv(content), grid_zone(zone)
    headings = {normal(heading) for heading in table.headings}
    for needed, read in LAYOUTS:
        if headings.issuperset(needed):
            return read(table, zone)
    raise Invalid(
        "file",
        "Ce fichier n'est ni d'eCO2mix (%(rte)s), ni d'Electricity Maps (%(maps)s).",
        rte=", ".join(RTE_NEEDED),
        maps=", ".join(MAPS_NEEDED),
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """A rate with the instant it holds from."""

    line: int
    at: datetime
    state: State
    basis: Basis
    mg_per_kwh: int


def _read_rte(table: Table, zone: str) -> GridFile:
    headings = [normal(heading) for heading in table.headings]
    rate = next((name for name in RATES if name in headings), None)
    if rate is None:
        raise Invalid(
            "file",
            "Ce fichier eCO2mix n'a pas de colonne « Taux de CO2 » : ceux des régions n'en ont pas, prenez "
            "celui de la France.",
        )
    if not any(name in headings for name in (*WALLS, *INSTANTS)):
        raise Invalid("file", "Ce fichier eCO2mix n'a pas de colonne « Heures ».")
    found, told = GridFile(RTE), []
    for line, cells in _rows(table, headings, found):
        with _noting(found, line):
            _refuse_other_zone(cells["périmètre"], PERIMETERS.get(normal(cells["périmètre"])), zone)
            at, state = _rte_instant(cells), _state(cells["nature"])
            if at is None:
                found.repeated += 1
                continue
            mg = _milligrams(cells[rate], table.headings[headings.index(rate)])
            if mg is None:
                is_forecast = _is_forecast(cells)
                found.forecasts += is_forecast
                found.gaps += not is_forecast
                continue
            told.append(_Told(line, at, state, Basis.DIRECT_PRODUCTION, mg))
    return _finish(found, told, _rte_step(told))


def _is_forecast(cells: Cells) -> bool:
    """Whether a row without a rate has a forecast and no consumption."""
    expected = {name: text for name, text in cells.items() if name.startswith("prévision")}
    measured = next((text for name, text in cells.items() if name.startswith("consommation")), "")
    return normal(measured) in GAPS and any(normal(text) not in GAPS for text in expected.values())


def _read_maps(table: Table, zone: str) -> GridFile:
    headings = [normal(heading) for heading in table.headings]
    rates = [(name, basis) for name, basis in MAPS_RATES if name in headings]
    if not rates:
        raise Invalid(
            "file",
            "Ce fichier d'Electricity Maps n'a pas de colonne d'intensité carbone (%(expected)s).",
            expected=", ".join(name for name, _basis in MAPS_RATES),
        )
    found, told = GridFile(ELECTRICITY_MAPS), []
    for line, cells in _rows(table, headings, found):
        with _noting(found, line):
            _refuse_other_zone(cells["zone id"], grid_zone(cells["zone id"], "Zone id"), zone)
            at = _utc(cells["datetime (utc)"])
            estimated = normal(cells.get("data estimated", "")) in ("true", "1", "yes")
            state = State.REALTIME if estimated else State.CONSOLIDATED
            known = 0
            for name, basis in rates:
                mg = _milligrams(cells[name], table.headings[headings.index(name)])
                if mg is not None:
                    told.append(_Told(line, at, state, basis, mg))
                    known += 1
            found.gaps += known == 0
    return _finish(found, told, _step(told))


LAYOUTS: Sequence[tuple[Sequence[str], Callable[[Table, str], GridFile]]] = (
    (RTE_NEEDED, _read_rte),
    (MAPS_NEEDED, _read_maps),
)


@contextmanager
def _noting(found: GridFile, line: int) -> Iterator[None]:
    """What is wrong with a row is noted with its line, and the next one is read."""
    found.rows += 1
    try:
        yield
    except Invalid as error:
        found.refusals.append(RefusedRow(line, error))


def _rows(table: Table, headings: Sequence[str], found: GridFile) -> Iterator[tuple[int, Cells]]:
    for line, cells in table.rows:
        if normal(cells[0]).startswith(DISCLAIMER):
            continue
        if found.rows >= MOST_ROWS:
            raise Invalid("file", "Ce fichier passe %(most)s lignes.", most=MOST_ROWS)
        padded = [*cells, *[""] * (len(headings) - len(cells))]
        yield line, dict(zip(headings, padded, strict=False))


def _refuse_other_zone(written: str, zone: str | None, wanted: str) -> None:
    if zone != wanted:
        raise Invalid(
            "zone",
            "Cette ligne est de la zone « %(zone)s » ; %(wanted)s était attendue.",
            zone=written[:40],
            wanted=wanted,
        )


def _state(text: str) -> State:
    state = STATES.get(normal(text))
    if state is None:
        raise Invalid(
            "Nature",
            "« %(value)s » n'est pas l'un de : %(choices)s.",
            value=text[:80],
            choices=", ".join(STATES),
        )
    return state


def _rte_instant(cells: Cells) -> datetime | None:
    """The instant of a row; None where its wall clock skipped that hour, for such a row repeats another."""
    wall_text = next((cells[name] for name in WALLS if name in cells), "")
    written = next((cells[name] for name in INSTANTS if name in cells), "")
    if not wall_text:
        return _offset_instant(written)
    day = day_of(cells["date"], "Date")
    try:
        clock = time.fromisoformat(wall_text)
    except ValueError:
        raise Invalid("Heures", "« %(value)s » n'est pas une heure.", value=wall_text[:40]) from None
    if day is None or clock.tzinfo is not None:
        raise Invalid("Date", "Une date est attendue.")
    wall = datetime.combine(day, clock)
    local = wall.replace(tzinfo=PARIS)
    if local.astimezone(UTC).astimezone(PARIS).replace(tzinfo=None) != wall:
        return None
    return _offset_instant(written) if written else local.astimezone(UTC)


def _offset_instant(text: str) -> datetime:
    at: datetime | None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Invalid(
            "Date - Heure",
            "« %(value)s » n'est pas un instant avec son décalage ; par exemple 2021-12-11T10:00:00+01:00.",
            value=text[:40],
        )
    return at.astimezone(UTC)


def _utc(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid(
            "Datetime (UTC)",
            "« %(value)s » n'est pas un instant ; par exemple 2026-01-31 23:00:00.",
            value=text[:40],
        ) from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _milligrams(text: str, column: str) -> int | None:
    """A rate in g/kWh as milligrams; None where the cell is a gap."""
    if normal(text) in GAPS:
        return None
    try:
        grams = Decimal(text.replace(",", "."))
    except InvalidOperation:
        grams = Decimal(-1)
    if not (grams.is_finite() and 0 <= grams <= LARGEST_G):
        raise Invalid(
            column,
            "« %(value)s » n'est pas une intensité de 0 à %(most)s g/kWh.",
            value=text[:40],
            most=LARGEST_G,
        )
    return int((grams * 1000).to_integral_value())


def _rte_step(told: Sequence[_Told]) -> timedelta:
    """By quarters of an hour where any of them has a rate, else by half-hours, as definitive years are."""
    return QUARTER if any(one.at.minute % 30 for one in told) else HALF


def _step(told: Sequence[_Told]) -> timedelta:
    """The least distance of two rows, which a publisher keeps all through a file."""
    instants = sorted({one.at for one in told})
    least = min((after - before for before, after in pairwise(instants)), default=HOUR)
    if least not in STEPS:
        raise Invalid(
            "file",
            "Deux lignes de ce fichier sont à %(least)s l'une de l'autre ; 5, 15, 30 ou 60 minutes sont "
            "attendues.",
            least=least,
        )
    return least


def _finish(found: GridFile, told: Sequence[_Told], step: timedelta) -> GridFile:
    """The rates with how long they hold: the more final of two, and none of two that contradict each other.

    Those that are off the step of the file are refused.
    """
    first: dict[tuple[Basis, datetime], _Told] = {}
    torn: set[tuple[Basis, datetime]] = set()
    for one in told:
        if (one.at.minute * 60 + one.at.second) % step.seconds or one.at.microsecond:
            at = f"{one.at:%Y-%m-%d %H:%M:%S}Z"
            error = Invalid("file", "%(at)s n'est pas au pas de %(step)s du fichier.", at=at, step=step)
            found.refusals.append(RefusedRow(one.line, error))
            continue
        key = (one.basis, one.at)
        before = first.setdefault(key, one)
        if one.state.rank > before.state.rank:
            first[key] = one
        elif one.state is before.state and one.mg_per_kwh != before.mg_per_kwh:
            torn.add(key)
            found.refusals.append(RefusedRow(one.line, _contradiction(before, one)))
    whole = {key: one for key, one in first.items() if key not in torn}
    found.intensities = [
        Intensity(one.basis, one.at, step, one.mg_per_kwh, found.publisher, one.state)
        for one in whole.values()
    ]
    found.intensities.sort(key=lambda one: (one.basis, one.started_at))
    found.refusals.sort(key=lambda one: one.line)
    if found.publisher == RTE:
        found.unhoured = sum(_is_told_once(one, whole) for one in whole.values())
    return found


def _is_told_once(one: _Told, told: Mapping[tuple[Basis, datetime], _Told]) -> bool:
    """Whether its wall clock shows the same hour again later, of which the file tells nothing."""
    local = one.at.astimezone(PARIS)
    again = local.replace(fold=1).astimezone(UTC)
    return local.fold == 0 and again != one.at and (one.basis, again) not in told


def _contradiction(before: _Told, one: _Told) -> Invalid:
    return Invalid(
        "file",
        "La ligne %(line)s dit %(before)s g/kWh du même instant, celle-ci %(after)s.",
        line=before.line,
        before=Decimal(before.mg_per_kwh) / 1000,
        after=Decimal(one.mg_per_kwh) / 1000,
    )
