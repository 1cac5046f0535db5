"""From the columns of a table to the records of the directory, each checked.

A mapping says in which columns a table holds each fact: `{"finess_et": ("fi",), "address": ("no", "voie")}`.
Published formats have theirs; that of any other table is a person's choice, remembered by its headings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date

from console.domain import identifiers, spreadsheets
from console.domain.directory import (
    Group,
    GroupRole,
    Kind,
    LegalEntity,
    Listing,
    Membership,
    Record,
    Refusal,
    Repair,
    Site,
    key_of,
)
from console.domain.errors import Invalid
from console.domain.tables import Table, normal

Columns = Mapping[str, Sequence[str]]
RECORDS: Mapping[Kind, type[LegalEntity] | type[Site] | type[Group] | type[Membership]] = {
    Kind.LEGAL_ENTITIES: LegalEntity,
    Kind.SITES: Site,
    Kind.GROUPS: Group,
    Kind.MEMBERSHIPS: Membership,
}
NEEDED: Mapping[Kind, tuple[str, ...]] = {
    Kind.LEGAL_ENTITIES: ("finess_ej", "name"),
    Kind.SITES: ("finess_et", "finess_ej", "name", "department", "town"),
    Kind.GROUPS: ("code", "name"),
    Kind.MEMBERSHIPS: ("ght_code", "finess_ej"),
}
USUAL_NAMES: Mapping[str, tuple[str, ...]] = {
    "finess_et": (
        "finess_et",
        "nofinesset",
        "finess et",
        "fi",
        "finess géographique",
        "finess",
        "numéro finess",
    ),
    "finess_ej": ("finess_ej", "nofinessej", "finess ej", "fi_ej", "finess juridique", "nofiness", "entité"),
    "name": ("nom", "name", "rs", "raison sociale", "établissement", "nom de l'établissement"),
    "long_name": ("rslongue", "raison sociale longue"),
    "siret": ("siret", "sir"),
    "siren": ("siren",),
    "category": ("categetab", "catégorie", "cat"),
    "legal_status": ("statutjuridique", "statut juridique", "stj"),
    "department": ("departement", "département", "dep", "dépt", "dept"),
    "town": ("commune", "ville", "libcommune", "libcom"),
    "address": ("adresse",),
    "opened_on": ("dateouv", "date d'ouverture"),
    "closed_on": ("datefermeture", "date de fermeture"),
    "code": ("code_ght", "code ght", "code"),
    "short_name": ("nom_court_ght",),
    "ght_code": ("code_ght", "code ght", "ght"),
    "role": ("role", "rôle"),
    "valid_from": ("du", "début", "debut", "date de début"),
    "valid_to": ("au", "fin", "date de fin"),
}
SUPPORT_WORDS = frozenset({"support", "établissement support", "etablissement support"})
MEMBER_WORDS = frozenset({"", "member", "membre", "partie", "établissement partie", "etablissement partie"})
LONGEST_NAME = 200
LONGEST_CODE = 40
DEPARTMENT = re.compile(r"0[1-9]|1\d|2[1-9AB]|[3-8]\d|9[0-5A-J]")
OVERSEAS: Mapping[str, str] = {
    "971": "9A",
    "972": "9B",
    "973": "9C",
    "974": "9D",
    "975": "9E",
    "976": "9F",
    "986": "9J",
}
CLOSED = re.compile(r"\[fermée?\]\s*", re.IGNORECASE)
SORTING = re.compile(r"^\d{5} | CEDEX(?: \d+)?$")  # the postcode before a town, the mail centre after it


def facts_of(kind: Kind) -> list[str]:
    """The facts that a column may hold, in order."""
    return [place.name for place in fields(RECORDS[kind]) if place.name != "closed"]


def check_mapping(kind: Kind, mapping: Columns, headings: Sequence[str]) -> None:
    """Raise `Invalid` for a needed fact without a column, a fact or a column that is none."""
    for name in NEEDED[kind]:
        if not mapping.get(name):
            raise Invalid(name, "Il faut dire quelle colonne le donne.")
    known = {normal(heading) for heading in headings}
    for name, columns in mapping.items():
        if name not in facts_of(kind) or not {normal(column) for column in columns} <= known:
            raise Invalid(name, "Un choix de la liste est attendu.")


def likely_mapping(kind: Kind, headings: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The columns whose heading is a usual name of a fact, to start from."""
    by_name = {normal(heading): heading for heading in headings}
    found: dict[str, tuple[str, ...]] = {}
    for name in facts_of(kind):
        usual = next((by_name[usual] for usual in USUAL_NAMES.get(name, ()) if usual in by_name), None)
        if usual is not None and (usual,) not in found.values():
            found[name] = (usual,)
    return found


def read_records(table: Table, kind: Kind, mapping: Columns, *, source: str, as_of: date) -> Listing:
    """Every record of a table, and the rows that were refused or repaired."""
    places = _places(table.headings, mapping)
    reading = Reading(kind, {name: " + ".join(columns) for name, columns in mapping.items() if columns})
    for line, cells in table.rows:
        reading.take(line, cells, len(table.headings), places)
    says = set(places) | ({"closed"} if "closed_on" in places else set())
    if kind is Kind.SITES and "siret" in places:
        says.add("siren")
    return Listing(
        kind=kind,
        source=source,
        as_of=as_of,
        says=frozenset(says),
        records=reading.records,
        lines=reading.lines,
        refusals=reading.refusals,
        repairs=reading.repairs,
    )


def _places(headings: Sequence[str], mapping: Columns) -> dict[str, list[int]]:
    by_name = {normal(heading): place for place, heading in enumerate(headings)}
    return {
        name: [by_name[normal(column)] for column in columns] for name, columns in mapping.items() if columns
    }


@dataclass(slots=True)
class Reading:
    """What was read of a table so far."""

    kind: Kind
    columns: Mapping[str, str]
    records: dict[str, Record] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)

    def take(self, line: int, cells: Sequence[str], width: int, places: Mapping[str, list[int]]) -> None:
        """Read a row, or say why it is refused."""
        try:
            _check_width(cells, width)
            texts = {name: _joined(cells, where) for name, where in places.items()}
            row = Row(line, texts, self.columns)
            record = READERS[self.kind](row)
            self._refuse_second(record)
        except Invalid as error:
            self.refusals.append(Refusal(line, error))
            return
        key = key_of(record)
        self.records[key], self.lines[key] = record, line
        self.repairs += row.repairs

    def _refuse_second(self, record: Record) -> None:
        key = key_of(record)
        if key in self.lines:
            name = NEEDED[self.kind][-1] if self.kind is Kind.MEMBERSHIPS else NEEDED[self.kind][0]
            raise Invalid(
                self.columns[name],
                "%(value)s est déjà à la ligne %(line)s.",
                value=key,
                line=self.lines[key],
            )


@dataclass(slots=True)
class Row:
    """The cells of a row by the fact they hold; reading one checks it, and notes what had to be repaired.

    Refusals name the column as the file does.
    """

    line: int
    texts: Mapping[str, str]
    columns: Mapping[str, str]
    repairs: list[Repair] = field(default_factory=list)

    def text(self, name: str) -> str:
        return self.texts.get(name, "")

    def finess(self, name: str) -> str:
        return self._identifier(name, identifiers.finess, (9,))

    def siren(self, name: str) -> str | None:
        return self._optional(name, identifiers.siren, (9,))

    def siret_or_siren(self, name: str) -> tuple[str | None, str | None]:
        """A column of SIRET holds a SIREN where a site has none of its own."""
        found = self._optional(name, _siret_or_siren, (9, 14))
        if found is None:
            return None, None
        return (None, found) if len(found) == 9 else (found, found[:9])

    def name(self, name: str) -> str:
        """A text that must be there."""
        text = " ".join(self.text(name).split())
        if not 0 < len(text) <= LONGEST_NAME or not text.isprintable():
            raise Invalid(
                self.columns[name],
                "Un texte lisible de 1 à %(longest)s caractères est attendu.",
                longest=LONGEST_NAME,
            )
        return text

    def optional_name(self, name: str) -> str | None:
        return self.name(name) if self.text(name) else None

    def code(self, name: str, length: int) -> str | None:
        """Digits; nothing proves those of which a spreadsheet took the leading zeros."""
        text = self.text(name)
        if not text:
            return None
        spreadsheets.refuse_decimal(text, self.columns[name])
        if not (text.isascii() and text.isdigit() and len(text) == length):
            whole = text.zfill(length) if text.isdigit() else None
            raise _misshapen(self.columns[name], text, whole, "0" * length)
        return text

    def key(self, name: str) -> str:
        """A short text that names something."""
        text = self.name(name)
        spreadsheets.refuse_decimal(text, self.columns[name])
        if len(text) > LONGEST_CODE:
            raise _misshapen(self.columns[name], text, None, "84101")
        return text

    def department(self, name: str, finess: str) -> str | None:
        """A department; the FINESS number of a mainland body begins with it, which proves a lost zero."""
        text = self.text(name).upper()
        if not text and name not in NEEDED[Kind.SITES]:
            return None
        department = OVERSEAS.get(text, text)
        if DEPARTMENT.fullmatch(department):
            return department
        whole = text.zfill(2)
        if len(text) == 1 and finess.startswith(whole):
            return self._repaired(name, text, whole)
        raise _misshapen(self.columns[name], text, whole if len(text) == 1 else None, "31, 2A, 9D")

    def day(self, name: str) -> date | None:
        text = self.text(name)
        day = spreadsheets.day_of(text, self.columns.get(name, name))
        if day is not None and not text.startswith(day.isoformat()):
            self._repaired(name, text, day.isoformat())
        return day

    def role(self, name: str) -> GroupRole:
        text = self.text(name).lower()
        if text in SUPPORT_WORDS:
            return GroupRole.SUPPORT
        if text in MEMBER_WORDS:
            return GroupRole.MEMBER
        raise Invalid(
            self.columns[name], "« %(value)s » n'est pas un rôle : support ou membre attendu.", value=text
        )

    def _optional(self, name: str, read: Callable[[str, str], str], lengths: tuple[int, ...]) -> str | None:
        """An identifier, None where there is none or a spreadsheet rounded it away."""
        text = self.text(name)
        if not text:
            return None
        if spreadsheets.is_floating(text):
            self.repairs.append(Repair(self.line, self.columns[name], text, None))
            return None
        return self._identifier(name, read, lengths)

    def _identifier(self, name: str, read: Callable[[str, str], str], lengths: tuple[int, ...]) -> str:
        text, column = self.text(name), self.columns[name]
        whole = spreadsheets.whole_identifier(text, lengths, lambda candidate: _reads(read, candidate))
        if whole is not None:
            return self._repaired(name, text, whole)
        spreadsheets.refuse_decimal(text, column)
        return read(text, column)

    def _repaired(self, name: str, before: str, after: str) -> str:
        self.repairs.append(Repair(self.line, self.columns[name], before, after))
        return after


def _entity(row: Row) -> LegalEntity:
    finess_ej, (name, closed) = row.finess("finess_ej"), _open_name(row)
    closed_on = row.day("closed_on")
    return LegalEntity(
        finess_ej=finess_ej,
        name=name,
        long_name=row.optional_name("long_name"),
        siren=row.siren("siren"),
        legal_status=row.code("legal_status", 2),
        category=row.code("category", 3),
        department=row.department("department", finess_ej) if row.text("department") else None,
        town=_town(row.optional_name("town")),
        address=row.optional_name("address"),
        closed=closed or closed_on is not None,
        closed_on=closed_on,
    )


def _site(row: Row) -> Site:
    finess_et, (name, closed) = row.finess("finess_et"), _open_name(row)
    siret, of_entity = row.siret_or_siren("siret")
    closed_on = row.day("closed_on")
    return Site(
        finess_et=finess_et,
        finess_ej=row.finess("finess_ej"),
        name=name,
        department=row.department("department", finess_et) or "",
        town=_town(row.name("town")) or "",
        long_name=row.optional_name("long_name"),
        siret=siret,
        siren=of_entity or row.siren("siren"),
        category=row.code("category", 3),
        legal_status=row.code("legal_status", 2),
        address=row.optional_name("address"),
        opened_on=row.day("opened_on"),
        closed=closed or closed_on is not None,
        closed_on=closed_on,
    )


def _group(row: Row) -> Group:
    return Group(row.key("code"), row.name("name"), row.optional_name("short_name"))


def _membership(row: Row) -> Membership:
    start, end = row.day("valid_from"), row.day("valid_to")
    if start is not None and end is not None and end <= start:
        raise Invalid(row.columns["valid_to"], "La fin précède le début.")
    return Membership(row.key("ght_code"), row.finess("finess_ej"), row.role("role"), start, end)


READERS: Mapping[Kind, Callable[[Row], Record]] = {
    Kind.LEGAL_ENTITIES: _entity,
    Kind.SITES: _site,
    Kind.GROUPS: _group,
    Kind.MEMBERSHIPS: _membership,
}


def _open_name(row: Row) -> tuple[str, bool]:
    """A name without the mark that FINESS puts before those of closed bodies, and whether it was there."""
    name = row.name("name")
    bare = CLOSED.sub("", name, count=1) or name
    return bare, bare != name


def _town(text: str | None) -> str | None:
    return text and (SORTING.sub("", text).strip() or text)


def _siret_or_siren(text: str, column: str) -> str:
    return identifiers.siren(text, column) if len(text) == 9 else identifiers.siret(text, column)


def _reads(read: Callable[[str, str], str], text: str) -> bool:
    try:
        return bool(read(text, ""))
    except Invalid:
        return False


def _joined(cells: Sequence[str], places: Sequence[int]) -> str:
    return " ".join(cells[place] for place in places if cells[place])


def _check_width(cells: Sequence[str], width: int) -> None:
    if (len(cells) != width and any(cells[width:])) or len(cells) < width:
        raise Invalid(
            "row",
            "Cette ligne a %(found)s cellules ; l'en-tête en annonce %(expected)s.",
            found=len(cells),
            expected=width,
        )


def _misshapen(column: str, value: str, whole: str | None, example: str) -> Invalid:
    if whole is not None and len(whole) > len(value):
        return Invalid(
            column, "%(value)s a perdu ses zéros de tête : %(whole)s attendu.", value=value, whole=whole
        )
    return Invalid(
        column,
        "« %(value)s » n'a pas la forme attendue (exemple : %(example)s).",
        value=value,
        example=example,
    )
