"""Tables of a CMDB: which virtual machine is of which application, and so of which adherent and service.

    bytes -> table -> rows of machines, rows of applications -> each machine with its holder, as it is written

A row of a machine names it (`machine virtuelle` or `uid`), the host where it runs, if it says it, and whose
it is: by columns (`adhérent`, `service`), by a column of tags (`adherent=010780054;service=payroll`, as lists
of custom attributes write them), or by its `application`, of which a row without a machine says whose it is.
What the row itself says goes before what its tags say, and these before its application. An adherent that is
`partagé` means that the machine serves all subscribers of the service. `à partir du` and `jusqu'au` date a
row; without them it holds from the day that is given with the file, and on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from console.domain.errors import Invalid
from console.domain.folding import fold
from console.domain.spreadsheets import day_of
from console.domain.tables import RefusedRow, Table

MOST_ROWS = 20_000
LARGEST_FILE = 16 * 1024 * 1024
LONGEST_CELL = 2_000
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "host": ("HOTE", "HOST", "HYPERVISEUR", "ESXI", "SERVEUR"),
    "machine": ("MACHINE VIRTUELLE", "VM", "VM NAME", "MACHINE", "CHARGE", "WORKLOAD"),
    "uid": ("UID", "UUID", "VM UUID", "IDENTIFIANT VM"),
    "application": ("APPLICATION", "APP"),
    "adherent": ("ADHERENT", "CLIENT", "TENANT", "FINESS", "SIRET"),
    "service": ("SERVICE", "SOUSCRIPTION", "SERVICE OU SOUSCRIPTION", "SUBSCRIPTION"),
    "tags": ("ETIQUETTES", "TAGS", "ATTRIBUTS", "CUSTOM ATTRIBUTES"),
    "first_day": ("A PARTIR DU", "DEPUIS", "DU", "FROM"),
    "last_day": ("JUSQU AU", "AU", "UNTIL"),
}
TOLD_BY_TAGS = ("application", "adherent", "service", "first_day", "last_day")
BY_NAME = {name: fact for fact, names in COLUMNS.items() for name in names}
SHARED = frozenset({"PARTAGE", "MUTUALISE", "SHARED"})
TAGS = re.compile(r"[;|\n]")
TAG = re.compile(r"(?P<name>[^=:]{1,60})[=:](?P<value>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class MachineRow:
    """A machine with whose it is, as it is written; empty where nothing says it."""

    line: int
    host: str
    machine: str
    uid: str
    application: str
    adherent: str
    service: str
    first_day: date
    last_day: date | None

    @property
    def is_shared(self) -> bool:
        return fold(self.adherent) in SHARED

    @property
    def named(self) -> str:
        """What the row calls its machine."""
        return self.machine or self.uid


@dataclass(slots=True)
class CmdbFile:
    """What a table tells; `applications` are the rows that only say whose an application is."""

    rows: int = 0
    machines: list[MachineRow] = field(default_factory=list)
    applications: int = 0
    refusals: list[RefusedRow] = field(default_factory=list)


def read_cmdb(table: Table, from_day: date | None) -> CmdbFile:
    """The machines of a table; raises `Invalid` where no column names them, or nothing dates them.

    `from_day` is the day from which the rows hold that say none themselves.
    """
    places = _places(table.headings)
    found = CmdbFile()
    machines: list[tuple[int, dict[str, str]]] = []
    applications: dict[str, dict[str, str]] = {}
    for line, facts in _rows(table, places, found):
        if facts.get("machine") or facts.get("uid"):
            machines.append((line, facts))
        else:
            _note_application(found, applications, line, facts)
    for line, facts in machines:
        try:
            found.machines.append(_machine(line, facts, applications, from_day))
        except Invalid as error:
            found.refusals.append(RefusedRow(line, error))
    found.refusals.sort(key=lambda one: one.line)
    return found


def _places(headings: Sequence[str]) -> dict[str, int]:
    bare = [fold(heading.replace("_", " ")) for heading in headings]
    found = {}
    for name, known in COLUMNS.items():
        place = next((bare.index(one) for one in known if one in bare), None)
        if place is not None:
            found[name] = place
    if not {"machine", "uid"} & found.keys():
        raise Invalid(
            "file", "Ce fichier ne nomme pas de machines : il faut une colonne machine virtuelle ou uid."
        )
    if not {"adherent", "tags", "application"} & found.keys():
        raise Invalid(
            "file",
            "Ce fichier ne dit pas à qui sont les machines : il faut une colonne adhérent ou étiquettes.",
        )
    return found


def _rows(table: Table, places: Mapping[str, int], found: CmdbFile) -> Iterator[tuple[int, dict[str, str]]]:
    """The facts of each row: those of its columns, then those of its tags."""
    for line, cells in table.rows:
        found.rows += 1
        if found.rows > MOST_ROWS:
            raise Invalid("file", "Ce fichier passe %(most)s lignes.", most=MOST_ROWS)
        facts = {name: cells[place] if place < len(cells) else "" for name, place in places.items()}
        try:
            if any(len(text) > LONGEST_CELL or "\0" in text for text in facts.values()):
                raise Invalid("file", "Une cellule passe %(longest)s caractères.", longest=LONGEST_CELL)
            for name, value in _tags(facts.pop("tags", "")).items():
                facts[name] = facts.get(name) or value
        except Invalid as error:
            found.refusals.append(RefusedRow(line, error))
            continue
        yield line, facts


def _tags(text: str) -> dict[str, str]:
    """What the tags of a row say of what is known here; other tags are none of ours."""
    found: dict[str, str] = {}
    for told in filter(None, (part.strip() for part in TAGS.split(text))):
        match = TAG.fullmatch(told)
        name = BY_NAME.get(fold(match["name"].replace("_", " "))) if match else None
        if match is None or name not in TOLD_BY_TAGS:
            continue
        value = match["value"].strip()
        if found.setdefault(name, value) != value:
            raise Invalid("tags", "L'étiquette %(name)s a deux valeurs.", name=match["name"].strip())
    return found


def _note_application(
    found: CmdbFile, applications: dict[str, dict[str, str]], line: int, facts: dict[str, str]
) -> None:
    name = fold(facts.get("application", ""))
    if not name or not facts.get("adherent"):
        error = Invalid("file", "Cette ligne ne nomme ni machine, ni application avec son adhérent.")
        found.refusals.append(RefusedRow(line, error))
    elif applications.setdefault(name, facts) != facts:
        error = Invalid(
            "application", "L'application %(name)s est déjà dite d'un autre.", name=facts["application"]
        )
        found.refusals.append(RefusedRow(line, error))
    else:
        found.applications += 1


def _machine(
    line: int, facts: Mapping[str, str], applications: Mapping[str, Mapping[str, str]], from_day: date | None
) -> MachineRow:
    of_application = applications.get(fold(facts.get("application", "")), {})
    whose = facts if facts.get("adherent") else of_application
    if not whose.get("adherent"):
        raise Invalid(
            "adherent",
            "Rien ne dit à qui est %(machine)s : l'adhérent est attendu, ou « partagé ».",
            machine=facts.get("machine") or facts.get("uid", ""),
        )
    first_day = day_of(facts.get("first_day") or whose.get("first_day", ""), "first_day") or from_day
    last_day = day_of(facts.get("last_day") or whose.get("last_day", ""), "last_day")
    if first_day is None:
        raise Invalid("first_day", "Rien ne dit depuis quand : un premier jour est attendu.")
    if last_day is not None and last_day < first_day:
        raise Invalid("last_day", "Une affectation finit après son début.")
    return MachineRow(
        line=line,
        host=facts.get("host", ""),
        machine=facts.get("machine", ""),
        uid=facts.get("uid", ""),
        application=facts.get("application", ""),
        adherent=whose["adherent"],
        service=facts.get("service") or whose.get("service", ""),
        first_day=first_day,
        last_day=last_day,
    )
