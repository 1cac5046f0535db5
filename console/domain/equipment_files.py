"""Tables of an inventory, in French or in English, and the physical file of G4IT: a row for each thing.

A cell that is empty, and a column that is not there, tell nothing: what is known stays. A form tells the same
facts in the same words, of one thing; what is empty there is not known. Dates are 2026-11-25
or 25/11/2026, disks 2 x SSD 480 + 4 x HDD 8000 with the GB of each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from console.domain import spreadsheets
from console.domain.equipment import Disk, EndOfLife, EquipmentKind
from console.domain.errors import Invalid
from console.domain.folding import fold
from console.domain.tables import RefusedRow, Table, normal

LARGEST_FILE = 8 * 1024 * 1024
MOST_ROWS = 20_000
LONGEST = 200
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("NOM", "EQUIPEMENT", "NOMEQUIPEMENTPHYSIQUE", "NAME", "NUMERO DE SERIE", "SERIAL NUMBER"),
    "kind": ("TYPE", "NATURE", "KIND"),
    "site": ("SITE", "CENTRE DE DONNEES", "NOMCOURTDATACENTER", "DATA CENTRE"),
    "host_name": ("HOTE", "NOM D HOTE", "HOST", "HOSTNAME"),
    "manufacturer": ("CONSTRUCTEUR", "FABRICANT", "MANUFACTURER"),
    "model": ("MODELE", "MODEL"),
    "quantity": ("QUANTITE", "QUANTITY"),
    "cpu_model": ("PROCESSEUR", "CPU"),
    "cpus": ("PROCESSEURS", "NOMBRE DE PROCESSEURS", "CPUS"),
    "cores": ("COEURS", "NBCOEUR", "CORES"),
    "ram_gb": ("RAM (GO)", "MEMOIRE (GO)", "RAM (GB)"),
    "disks": ("DISQUES", "DISKS"),
    "purchased_on": ("ACHAT", "DATE D ACHAT", "DATEACHAT", "PURCHASED"),
    "commissioned_on": ("MISE EN SERVICE", "COMMISSIONED"),
    "planned_months": ("DUREE PREVUE (MOIS)", "PLANNED MONTHS"),
    "retired_on": ("RETRAIT", "DATE DE RETRAIT", "DATERETRAIT", "RETIRED"),
    "end_of_life": ("FIN DE VIE", "DESTINATION", "END OF LIFE"),
    "is_second_hand": ("OCCASION", "SECOND HAND"),
}
KINDS: Mapping[str, EquipmentKind] = {
    "SERVEUR": EquipmentKind.SERVER,
    "STOCKAGE": EquipmentKind.STORAGE,
    "BAIE DE STOCKAGE": EquipmentKind.STORAGE,
    "SAUVEGARDE": EquipmentKind.BACKUP,
    "RESEAU": EquipmentKind.NETWORK,
    "COMMUTATEUR": EquipmentKind.NETWORK,
    "SWITCH": EquipmentKind.NETWORK,
    "ONDULEUR": EquipmentKind.UPS,
    "BATTERIE": EquipmentKind.BATTERY,
    "CLIMATISATION": EquipmentKind.COOLING,
    "GROUPE ELECTROGENE": EquipmentKind.GENERATOR,
    "BATIMENT": EquipmentKind.BUILDING,
    "AUTRE": EquipmentKind.OTHER,
    **{kind.value.upper(): kind for kind in EquipmentKind},
}
ROUTES: Mapping[str, EndOfLife] = {
    "SECONDE VIE": EndOfLife.REUSE,
    "DON": EndOfLife.DONATION,
    "REVENTE": EndOfLife.RESALE,
    "DEEE": EndOfLife.WEEE,
    "INCONNUE": EndOfLife.UNKNOWN,
    **{route.value.upper(): route for route in EndOfLife},
}
DISKS = re.compile(r"([1-9]\d{0,2}) ?[x×*] ?(ssd|hdd) ?([1-9]\d{0,5})(?: ?(?:go|gb))?", re.IGNORECASE)
WHOLE = ("quantity", "cpus", "cores", "ram_gb", "planned_months")
DAYS = ("purchased_on", "commissioned_on", "retired_on")
YES = frozenset({"OUI", "VRAI", "YES", "TRUE", "1"})
NO = frozenset({"NON", "FAUX", "NO", "FALSE", "0"})
NOTHING: Mapping[str, Any] = {
    "quantity": 1,
    "disks": (),
    "is_second_hand": False,
}  # told by an empty field
NEEDED = ("name", "kind")


@dataclass(frozen=True, slots=True)
class ThingRow:
    """What a row tells: facts by the names of `Thing`, and its end; what it does not tell is absent."""

    line: int
    name: str
    facts: Mapping[str, Any]


@dataclass(slots=True)
class EquipmentFile:
    """What a table tells; `ignored` are the columns that mean nothing here."""

    rows: list[ThingRow] = field(default_factory=list)
    refusals: list[RefusedRow] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def likely_mapping(headings: Sequence[str]) -> dict[str, str]:
    """The columns whose heading is a usual name of a fact."""
    by_name = {fold(heading): heading for heading in headings}
    found = {}
    for fact, names in COLUMNS.items():
        heading = next((by_name[name] for name in names if name in by_name), None)
        if heading is not None:
            found[fact] = heading
    return found


def mapping_of(choices: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Which column holds a fact, from the fact that was chosen for each heading, if any.

    Raises `Invalid` where two columns would hold one fact.
    """
    found: dict[str, str] = {}
    for heading, fact in choices:
        if fact in found:
            raise Invalid(
                fact,
                "Deux colonnes le donneraient : %(one)s et %(other)s.",
                one=found[fact],
                other=heading,
            )
        if fact:
            found[fact] = heading
    return found


def read_facts(texts: Mapping[str, str]) -> tuple[dict[str, Any], list[Invalid]]:
    """The facts that the fields of a form tell of one thing, and what of them cannot be read, by field."""
    facts: dict[str, Any] = {}
    refusals = []
    for fact in COLUMNS:
        text = texts.get(fact, "").strip()
        try:
            if not text and fact == "name":
                raise _unreadable(fact)
            if not text and fact == "kind":
                raise Invalid(fact, "Un choix de la liste est attendu.")
            facts[fact] = _fact(fact, text, fact) if text else NOTHING.get(fact)
        except Invalid as error:
            refusals.append(error)
    return facts, refusals


def disks_text(disks: Sequence[Disk]) -> str:
    """Disks as they are told."""
    return " + ".join(f"{one.count} × {one.kind.upper()} {one.gb}" for one in disks)


def read_equipment(table: Table, mapping: Mapping[str, str] | None = None) -> EquipmentFile:
    """The things of a table; `mapping` says which column holds a fact.

    Raises `Invalid` where no column tells names or kinds.
    """
    columns = likely_mapping(table.headings) if mapping is None else dict(mapping)
    places = _places(columns, table.headings)
    found, lines = EquipmentFile(), dict[str, int]()
    found.ignored = [one for place, one in enumerate(table.headings) if one and place not in places.values()]
    for count, (line, cells) in enumerate(table.rows):
        if count >= MOST_ROWS:
            raise Invalid("file", "Ce fichier passe %(most)s lignes.", most=MOST_ROWS)
        texts = {
            fact: cells[place].strip()
            for fact, place in places.items()
            if place < len(cells) and cells[place]
        }
        try:
            row = _row(line, texts, columns)
            if row.name in lines:
                raise Invalid(
                    columns["name"],
                    "%(value)s est déjà à la ligne %(line)s.",
                    value=row.name,
                    line=lines[row.name],
                )
        except Invalid as error:
            found.refusals.append(RefusedRow(line, error))
            continue
        lines[row.name] = line
        found.rows.append(row)
    return found


def _places(columns: Mapping[str, str], headings: Sequence[str]) -> dict[str, int]:
    by_name = {normal(heading): place for place, heading in enumerate(headings)}
    for fact, heading in columns.items():
        if fact not in COLUMNS or normal(heading) not in by_name:
            raise Invalid(fact, "Un choix de la liste est attendu.")
    for needed in NEEDED:
        if needed not in columns:
            raise Invalid(needed, "Il faut dire quelle colonne le donne.")
    return {fact: by_name[normal(heading)] for fact, heading in columns.items()}


def _row(line: int, texts: Mapping[str, str], columns: Mapping[str, str]) -> ThingRow:
    facts = {fact: _fact(fact, text, columns[fact]) for fact, text in texts.items() if text}
    name = str(facts.pop("name", ""))
    if not name:
        raise _unreadable(columns["name"])
    return ThingRow(line, name, facts)


def _fact(fact: str, text: str, column: str) -> Any:
    if fact == "kind":
        return _chosen(KINDS, text, column)
    if fact == "end_of_life":
        return _chosen(ROUTES, text, column)
    if fact == "is_second_hand":
        return _chosen(dict.fromkeys(YES, True) | dict.fromkeys(NO, False), text, column)
    if fact == "disks":
        return _disks(text, column)
    if fact in DAYS:
        return spreadsheets.day_of(text, column)
    if fact in WHOLE:
        whole = text.removesuffix(",0").removesuffix(".0")
        if not (whole.isascii() and whole.isdigit() and len(whole) <= 7):
            raise Invalid(column, "« %(value)s » n'est pas un nombre entier positif.", value=text[:40])
        return int(whole)
    shown = " ".join(text.split())
    if len(shown) > LONGEST or not shown.isprintable():
        raise _unreadable(column)
    return shown


def _unreadable(column: str) -> Invalid:
    return Invalid(column, "Un texte lisible de 1 à %(longest)s caractères est attendu.", longest=LONGEST)


def _disks(text: str, column: str) -> tuple[Disk, ...]:
    told = [DISKS.fullmatch(one.strip()) for one in re.split(r"[+,;]", text)]
    if not all(told):
        raise Invalid(
            column,
            "« %(value)s » ne dit pas des disques ; par exemple 2 x SSD 480 + 4 x HDD 8000 (Go).",
            value=text[:80],
        )
    return tuple(Disk(one[2].lower(), int(one[3]), int(one[1])) for one in told if one)


def _chosen(known: Mapping[str, Any], text: str, column: str) -> Any:
    found = known.get(fold(text))
    if found is None:
        raise Invalid(
            column,
            "« %(value)s » n'est pas l'un de : %(choices)s.",
            value=text[:80],
            choices=", ".join(known),
        )
    return found
