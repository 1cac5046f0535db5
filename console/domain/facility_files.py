"""Tables of what the meters of a site tell, in French or in English, with `;`, `,` or tabs between the cells.

    bytes -> table -> a row for each amount (long), or a column for each quantity (wide) -> measures

A long table has a quantity, an amount and a unit in each row; a wide one has a column for each quantity, with
its unit in the heading: `Énergie IT (kWh)`, `Eau (m3)`. Either says when by a month (`mois`), a day (`jour`),
or a start and an end on the wall clock of the site or with an offset; an end that is a day is the last one. A
meter (`compteur`), the category of the PUE for IT energy (`catégorie`) and a quality (`mesuré`, `déclaré`)
may be told by columns of their own. The meter of a zone is its name. An empty cell is unknown, never 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from console.domain.errors import Invalid
from console.domain.facility import NO_POINT, WHOLE_SITE, Quantity, check_category, check_zone
from console.domain.folding import fold
from console.domain.local_periods import Clock, Period, Written, month_period, read_written
from console.domain.site_judging import Told
from console.domain.site_measures import LARGEST, Measure, Quality
from console.domain.tables import RefusedRow, decoded, read_csv, separator_of
from console.domain.volumes import read_month

Rows = Iterable[tuple[int, Sequence[str]]]
LARGEST_FILE = 8 * 1024 * 1024
MOST_ROWS = 50_000
LONGEST_METER = 64
GAPS = frozenset({"", "ND", "N/A", "NA", "NAN"})
ENERGY_UNITS: Mapping[str, int] = {  # in millijoules
    "WH": 3_600_000,
    "KWH": 3_600_000_000,
    "MWH": 3_600_000_000_000,
    "GWH": 3_600_000_000_000_000,
    "MJ": 1_000_000_000,
    "GJ": 1_000_000_000_000,
}
WATER_UNITS: Mapping[str, int] = {  # in millilitres
    "L": 1_000,
    "LITRE": 1_000,
    "LITRES": 1_000,
    "M3": 1_000_000,
    "MÈTRES CUBES": 1_000_000,
}
QUANTITIES: Mapping[Quantity, tuple[str, ...]] = {
    Quantity.TOTAL: ("ENERGIE TOTALE", "ENERGIE DU SITE", "TOTAL ENERGY", "SITE ENERGY", "E DC", "EDC"),
    Quantity.IT: ("ENERGIE IT", "ENERGIE INFORMATIQUE", "IT ENERGY", "E IT", "EIT"),
    Quantity.STORAGE: ("ENERGIE STOCKAGE", "ENERGIE DU STOCKAGE", "STORAGE ENERGY", "E STORAGE"),
    Quantity.BACKUP: ("ENERGIE SAUVEGARDE", "ENERGIE DES SAUVEGARDES", "BACKUP ENERGY", "E BACKUP"),
    Quantity.NETWORK: ("ENERGIE RESEAU", "ENERGIE DU RESEAU", "NETWORK ENERGY", "E NETWORK"),
    Quantity.RENEWABLE: ("ENERGIE RENOUVELABLE", "RENEWABLE ENERGY", "E REN", "ERES TOT"),
    Quantity.REUSED: ("CHALEUR REUTILISEE", "ENERGIE REUTILISEE", "REUSED HEAT", "E REUSE", "EREUSE"),
    Quantity.GENERATORS: ("GROUPES ELECTROGENES", "GENERATORS", "E GEN", "EDC BG"),
    Quantity.WATER: ("EAU", "EAU PRELEVEE", "WATER", "WATER DRAWN", "WIN"),
    Quantity.WATER_POTABLE: ("EAU POTABLE", "POTABLE WATER", "WATER POTABLE", "WIN POT"),
    Quantity.ZONE: ("ENERGIE ZONE", "ENERGIE DE LA ZONE", "ENERGIE D UNE ZONE", "ZONE ENERGY", "E ZONE"),
    Quantity.ZONE_IT: (
        "ENERGIE IT ZONE",
        "ENERGIE IT DE LA ZONE",
        "ENERGIE IT D UNE ZONE",
        "ZONE IT ENERGY",
        "IT ENERGY ZONE",
        "E IT ZONE",
    ),
}
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "month": ("MOIS", "MONTH"),
    "day": ("JOUR", "DAY", "DATE"),
    "start": ("DEBUT", "DU", "START", "FROM"),
    "end": ("FIN", "AU", "END", "TO"),
    "meter": ("COMPTEUR", "POINT DE MESURE", "METER"),
    "category": ("CATEGORIE", "CATEGORIE PUE", "CATEGORY", "PUE CATEGORY"),
    "quality": ("QUALITE", "QUALITY"),
    "quantity": ("GRANDEUR", "QUANTITE", "QUANTITY"),
    "amount": ("VALEUR", "VALUE", "AMOUNT"),
    "unit": ("UNITE", "UNIT"),
}
QUALITIES: Mapping[str, Quality] = {
    "": Quality.MEASURED,
    "MESURE": Quality.MEASURED,
    "MEASURED": Quality.MEASURED,
    "DECLARE": Quality.DECLARED,
    "DECLARED": Quality.DECLARED,
}
BY_NAME = {name: quantity for quantity, names in QUANTITIES.items() for name in names}
IN_BRACKETS = re.compile(r"(?P<name>[^(\[]+)[(\[](?P<unit>[^)\]]+)[)\]]")
BLANKS = re.compile("[ '\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]")
NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,9})?")
THOUSANDS_OR_DECIMALS = re.compile(r"[1-9]\d{0,2}[,.]\d{3}")
MILLI = re.compile("m[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds where a table does not say it."""

    category: int = NO_POINT
    meter: str = WHOLE_SITE


@dataclass(slots=True)
class FacilityFile:
    """What a table tells; `gaps` are empty cells, `ignored` the columns that mean nothing here."""

    rows: int = 0
    gaps: int = 0
    told: list[Told] = field(default_factory=list)
    refusals: list[RefusedRow] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Row:
    """A row with its cells by what they hold, and when it is of."""

    line: int
    cells: Sequence[str]
    facts: Mapping[str, str]
    start: Written | None
    end: Written | None

    @property
    def key(self) -> tuple[object, ...]:
        """What the two rows of an hour that happens twice have in common."""
        named = (self.facts.get(name, "") for name in ("meter", "quantity", "category"))
        return (self.start, self.end, *map(_bare, named))


@dataclass(frozen=True, slots=True)
class _Wide:
    """A column that tells one quantity in one unit."""

    place: int
    heading: str
    quantity: Quantity
    size: int


def read_facility(
    content: bytes, zone: ZoneInfo, *, now: datetime, defaults: Defaults | None = None
) -> FacilityFile:
    """The measures of a table; raises `Invalid` where its headings tell no quantity or no time."""
    if len(content) > LARGEST_FILE:
        raise Invalid("file", "Ce fichier passe %(most)s Mo.", most=LARGEST_FILE // 1024**2)
    table = read_csv(content)
    places = _places(table.headings)
    wide = [] if "quantity" in places else list(_wide(table.headings, places))
    _check_headings(places, wide)
    reader = _Reader(places, wide, Clock(zone), now, defaults or Defaults(), separator_of(decoded(content)))
    known = {*places.values(), *(column.place for column in wide)}
    reader.found.ignored = [
        heading for place, heading in enumerate(table.headings) if heading and place not in known
    ]
    return reader.read(table.rows)


@dataclass(slots=True)
class _Reader:
    """Reads the rows of a table one after the other, once all of them were seen."""

    places: Mapping[str, int]
    wide: Sequence[_Wide]
    clock: Clock
    now: datetime
    defaults: Defaults
    separator: str
    found: FacilityFile = field(default_factory=FacilityFile)

    def read(self, rows: Rows) -> FacilityFile:
        for row in list(self._dated(rows)):
            try:
                period = self._period(row)
            except Invalid as error:
                self._refuse(row.line, error)
                continue
            for column in self.wide or (None,):
                try:
                    self._take(row, period, column)
                except Invalid as error:
                    self._refuse(row.line, error)
        return self.found

    def _refuse(self, line: int, error: Invalid) -> None:
        self.found.refusals.append(RefusedRow(line, error))

    def _dated(self, rows: Rows) -> Iterator[_Row]:
        for line, cells in rows:
            self.found.rows += 1
            if self.found.rows > MOST_ROWS:
                raise Invalid("file", "Ce fichier passe %(most)s lignes.", most=MOST_ROWS)
            facts = {name: cells[place] if place < len(cells) else "" for name, place in self.places.items()}
            try:
                row = _Row(line, cells, facts, *_written(facts))
            except Invalid as error:
                self._refuse(line, error)
                continue
            self.clock.see(row.key)
            yield row

    def _period(self, row: _Row) -> Period:
        if row.start is None or row.end is None:
            period = month_period(read_month(row.facts.get("month", "")), self.clock.zone)
        else:
            period = self.clock.period(row.start, row.end, row.key, "start")
        if period[1] > self.now:
            raise Invalid("end", "Cette période n'est pas finie.")
        return period

    def _take(self, row: _Row, period: Period, column: _Wide | None) -> None:
        text = self._cell(row, column)
        if fold(text) in GAPS or set(text) <= {"-"}:
            self.found.gaps += 1
            return
        quantity, size, heading = self._meaning(row, column)
        meter = meter_name(row.facts.get("meter", "") or self.defaults.meter)
        check_zone(quantity, meter)
        measure = Measure(
            *period,
            quantity=quantity,
            category=self._category(row, quantity),
            meter=meter,
            amount=read_amount(text, size, heading, separator=self.separator),
            quality=_quality(row.facts.get("quality", "")),
        )
        self.found.told.append(Told(row.line, measure))

    def _cell(self, row: _Row, column: _Wide | None) -> str:
        if column is None:
            return row.facts["amount"].strip()
        return row.cells[column.place].strip() if column.place < len(row.cells) else ""

    def _meaning(self, row: _Row, column: _Wide | None) -> tuple[Quantity, int, str]:
        """What an amount is of, and how many of our units its own is."""
        if column is not None:
            return column.quantity, column.size, column.heading
        quantity = BY_NAME.get(_bare(row.facts["quantity"]))
        if quantity is None:
            raise Invalid(
                "quantity",
                "« %(value)s » n'est pas l'un de : %(choices)s.",
                value=row.facts["quantity"][:80],
                choices=", ".join(names[0] for names in QUANTITIES.values()),
            )
        return quantity, unit_size(quantity, row.facts["unit"], "unit"), "amount"

    def _category(self, row: _Row, quantity: Quantity) -> int:
        if not quantity.is_of_it:
            return NO_POINT
        text = row.facts.get("category", "").strip()
        category = int(text) if text in ("1", "2", "3") else self.defaults.category if not text else -1
        check_category(quantity, category)
        return category


def read_amount(text: str, size: int, field: str, separator: str = "") -> int:
    """An amount of units of `size`, a decimal number with a comma or a point and blanks between thousands.

    One that may stand before decimals or thousands is refused: a comma where commas separate the cells, as in
    tables in English, and a point anywhere else.
    """
    bare = BLANKS.sub("", text)
    if THOUSANDS_OR_DECIMALS.fullmatch(bare):
        _refuse_two_ways(bare, field, separator)
    decimal, thousands = (",", ".") if bare.rfind(",") > bare.rfind(".") else (".", ",")
    number = bare.replace(thousands, "").replace(decimal, ".")
    if not NUMBER.fullmatch(number):
        raise Invalid(
            field, "« %(value)s » n'est pas un nombre positif ; par exemple 1234,5.", value=text[:40]
        )
    exact = Fraction(number) * size
    if exact > LARGEST:
        raise Invalid(field, "« %(value)s » est trop grand.", value=text[:40])
    return round(exact)


def _refuse_two_ways(text: str, field: str, separator: str) -> None:
    if separator == "," and "," in text:
        raise Invalid(
            field,
            "« %(value)s » se lit de deux façons : milliers ou décimales ; écrivez-le avec un point ou sans "
            "virgule.",
            value=text,
        )
    if separator != "," and "." in text:
        raise Invalid(
            field,
            "« %(value)s » se lit de deux façons : milliers ou décimales ; écrivez-le avec une virgule ou "
            "sans point.",
            value=text,
        )


def unit_size(quantity: Quantity, unit: str, field: str) -> int:
    """How many millijoules or millilitres a unit is; raises `Invalid` for one of another kind."""
    units = WATER_UNITS if quantity.is_water else ENERGY_UNITS
    written = unit.strip().replace("³", "3")
    size = None if MILLI.match(written) else units.get(written.upper())  # mJ are no MJ
    if size is None:
        raise Invalid(
            field,
            "« %(value)s » n'est pas l'unité d'une telle grandeur, mais l'une de : %(choices)s.",
            value=unit.strip()[:40],
            choices="L, m3" if quantity.is_water else "Wh, kWh, MWh, GWh, MJ, GJ",
        )
    return size


def _bare(text: str) -> str:
    """A name as it is compared: capitals without accents, hyphens or underscores."""
    return fold(text.replace("_", " "))


def _places(headings: Sequence[str]) -> dict[str, int]:
    bare = [_bare(heading) for heading in headings]
    found = {}
    for name, known in COLUMNS.items():
        place = next((bare.index(one) for one in known if one in bare), None)
        if place is not None:
            found[name] = place
    return found


def _wide(headings: Sequence[str], places: Mapping[str, int]) -> Iterator[_Wide]:
    for place, heading in enumerate(headings):
        if place in places.values():
            continue
        match = IN_BRACKETS.fullmatch(heading.strip())
        name, unit = (match["name"], match["unit"]) if match else (heading, "")
        quantity = BY_NAME.get(_bare(name))
        if quantity is None:
            continue
        if not unit:
            raise Invalid(
                heading,
                "La colonne « %(name)s » ne dit pas son unité ; par exemple « %(name)s (%(unit)s) ».",
                name=heading,
                unit="m3" if quantity.is_water else "kWh",
            )
        yield _Wide(place, heading, quantity, unit_size(quantity, unit, heading))


def _check_headings(places: Mapping[str, int], wide: Sequence[_Wide]) -> None:
    if not wide and not {"quantity", "amount", "unit"} <= places.keys():
        raise Invalid(
            "file",
            "Ce fichier n'a ni colonnes grandeur, valeur et unité, ni colonne d'une grandeur avec son unité, "
            "comme « Énergie IT (kWh) » ; grandeurs connues : %(choices)s.",
            choices=", ".join(names[0] for names in QUANTITIES.values()),
        )
    if not ({"month"} <= places.keys() or {"day"} <= places.keys() or {"start", "end"} <= places.keys()):
        raise Invalid(
            "file", "Ce fichier ne dit pas quand : il faut une colonne mois, ou jour, ou début et fin."
        )


def _written(facts: Mapping[str, str]) -> tuple[Written | None, Written | None]:
    """The start and the end of a row as they are written; None where it names a month."""
    if facts.get("month"):
        return None, None
    if facts.get("start") or facts.get("end"):
        return read_written(facts.get("start", ""), "start"), read_written(facts.get("end", ""), "end")
    if facts.get("day"):
        day = read_written(facts["day"], "day")
        if isinstance(day, datetime):
            raise Invalid("day", "Un jour est attendu, sans heure.")
        return day, day
    raise Invalid("start", "Cette ligne ne dit pas quand.")


def meter_name(text: str) -> str:
    """The name of a measuring point; raises `Invalid` where it is none."""
    name = " ".join(text.split())
    if not 0 < len(name) <= LONGEST_METER or not name.isprintable():
        raise Invalid(
            "meter", "Un texte lisible de 1 à %(longest)s caractères est attendu.", longest=LONGEST_METER
        )
    return name


def _quality(text: str) -> Quality:
    quality = QUALITIES.get(_bare(text))
    if quality is None:
        raise Invalid(
            "quality",
            "« %(value)s » n'est pas l'un de : %(choices)s.",
            value=text[:80],
            choices="mesuré, déclaré",
        )
    return quality
