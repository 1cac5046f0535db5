"""An inventory from a table: looked at, stored once, what it refuses named by line."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import delete, select

from console.actions.equipment import confirm_impact, estimate_impact, refuse_impact
from console.actions.equipment_files import Fate, look_at, store_file, store_thing
from console.actions.imports import open_table
from console.domain.equipment import EndOfLife, EquipmentKind
from console.domain.equipment_files import COLUMNS, ThingRow, read_equipment
from console.domain.errors import Conflict, Invalid
from console.domain.folding import fold
from console.store.models import equipment as q
from console.store.models.carbon import ReckoningDue
from console.store.models.site import Site
from console.store.queries.equipment import standing_impact
from console.store.queries.equipment_proposals import proposals
from console.store.session import Database, Operator
from tests.carbon_past import NOW

pytestmark = pytest.mark.both_databases

G4IT = (
    "nomEquipementPhysique;modele;quantite;nomCourtDatacenter;dateAchat;dateRetrait;type;statut;"
    "paysDUtilisation;consoElecAnnuelle;utilisateur;nomSourceDonnee;nomEntite;nbCoeur\n"
    "S1;PowerEdge R740;1;tls;2022-03-14;;Serveur;Actif;France;1200;;CMDB;Mipih;40\n"
    "S2;PowerEdge R640;2;tls;14/03/2019;01/02/2026;Serveur;Retiré;France;;;CMDB;Mipih;\n"
    "B1;Inconnue;1;tls;2020-01-01;;Baie de stockage;Actif;France;;;CMDB;Mipih;\n"
    "S1;PowerEdge R740;1;tls;2022-03-14;;Serveur;Actif;France;;;CMDB;Mipih;40\n"
    "S4;PowerEdge R740;1;nulle-part;2022-03-14;;Serveur;Actif;France;;;CMDB;Mipih;40\n"
    "S5;PowerEdge R740;un;tls;2022-03-14;;Serveur;Actif;France;;;CMDB;Mipih;40\n"
    "S6;PowerEdge R740;1;tls;2022-03-14;;Cafetière;Actif;France;;;CMDB;Mipih;40\n"
)


def test_a_file_of_g4it_is_looked_at_stored_and_nothing_the_second_time(database: Database) -> None:
    file = read_equipment(open_table(G4IT.encode()))
    with database.read(Operator()) as session:
        looked = look_at(session, file, planned_months=60, now=NOW)
        assert session.scalar(select(q.Equipment)) is None
    assert looked.counts() == {Fate.NEW: 3, Fate.REFUSED: 4}
    assert [one.line for one in looked.refused()] == [5, 6, 7, 8]

    with database.write(Operator()) as session:
        store_file(session, file, planned_months=60, now=NOW, by="test")
    with database.write(Operator()) as session:
        again = store_file(session, file, planned_months=60, now=NOW, by="test")
    assert again.counts() == {Fate.UNCHANGED: 3, Fate.REFUSED: 4}

    with database.read(Operator()) as session:
        rows = {row.name: row for row in session.scalars(select(q.Equipment))}
        assert (rows["S1"].cores, rows["S1"].site, rows["S1"].planned_months) == (40, "tls", 60)
        assert rows["S2"].commissioned_on == date(2019, 3, 14)
        assert (rows["S2"].retired_on, rows["S2"].end_of_life) == (date(2026, 2, 1), EndOfLife.UNKNOWN)
        assert rows["B1"].kind is EquipmentKind.STORAGE
        waiting = session.scalars(select(q.EmbodiedImpact)).all()
        assert {one.equipment_id for one in waiting} == {rows["S1"].equipment_id, rows["S2"].equipment_id}
        assert not any(one.confirmed for one in waiting)


def test_any_table_is_read_by_a_mapping_and_changes_only_what_it_tells(database: Database) -> None:
    with database.write(Operator()) as session:
        store_file(session, read_equipment(open_table(G4IT.encode())), planned_months=60, now=NOW, by="test")
    other = "Asset,What,Host\nS1,server,srv-01\n"
    file = read_equipment(open_table(other.encode()), {"name": "Asset", "kind": "What", "host_name": "Host"})

    with database.write(Operator()) as session:
        looked = store_file(session, file, planned_months=None, now=NOW, by="test")

    assert looked.planned[0].changes == {"host_name": (None, "srv-01")}
    with database.read(Operator()) as session:
        row = session.scalars(select(q.Equipment).where(q.Equipment.name == "S1")).one()
        assert (row.host_name, row.cores, row.planned_months) == ("srv-01", 40, 60)


def test_the_usual_names_of_columns_are_told_as_headings_are_compared() -> None:
    assert [name for names in COLUMNS.values() for name in names if fold(name) != name] == []


def test_a_day_of_purchase_that_is_told_later_leaves_the_day_of_use_that_is_known(database: Database) -> None:
    first = "nom;type;mise en service\nS1;Serveur;2022-12-13\n"
    later = "nom;type;date d'achat\nS1;Serveur;2022-11-19\n"
    with database.write(Operator()) as session:
        store_file(session, read_equipment(open_table(first.encode())), planned_months=60, now=NOW, by="test")
        store_file(session, read_equipment(open_table(later.encode())), planned_months=60, now=NOW, by="test")
        row = session.scalars(select(q.Equipment)).one()
        assert (row.purchased_on, row.commissioned_on) == (date(2022, 11, 19), date(2022, 12, 13))


def test_an_end_before_its_use_or_still_to_come_is_refused_by_line(database: Database) -> None:
    text = "nom;type;achat;retrait\nS1;Serveur;2022-03-14;2021-03-14\nS2;Serveur;2022-03-14;2030-01-01\n"
    with database.read(Operator()) as session:
        looked = look_at(session, read_equipment(open_table(text.encode())), planned_months=60, now=NOW)
    assert [one.line for one in looked.refused()] == [2, 3]


def test_disks_are_told_in_words_so_that_an_estimate_holds_them(database: Database) -> None:
    text = (
        "nom;type;processeur;processeurs;coeurs;ram (go);disques\n"
        "S1;Serveur;Intel Xeon Gold 6230;2;40;384;2 x SSD 480 + 4 × HDD 8000 Go\n"
        "S2;Serveur;;;;;deux disques\n"
    )
    with database.write(Operator()) as session:
        looked = store_file(
            session, read_equipment(open_table(text.encode())), planned_months=60, now=NOW, by="test"
        )
        row = session.scalars(select(q.Equipment)).one()
        assert row.disks == [
            {"kind": "ssd", "gb": 480, "count": 2},
            {"kind": "hdd", "gb": 8000, "count": 4},
        ]
        version = estimate_impact(session, row.equipment_id, now=NOW, by="test")
        impact = session.get_one(q.EmbodiedImpact, (row.equipment_id, version))
        assert {"ssd", "hdd"} <= set(impact.parts)
    assert [one.line for one in looked.refused()] == [3]


@pytest.mark.parametrize(
    ("table", "mapping", "field"),
    [
        ("a;b\n1;2\n", None, "name"),
        ("nom;b\n1;2\n", None, "kind"),
        ("nom;type\n1;2\n", {"name": "nom", "kind": "autre"}, "kind"),
        ("nom;type\n1;2\n", {"name": "nom", "colour": "type"}, "colour"),
    ],
)
def test_a_table_without_names_or_kinds_is_no_inventory(
    table: str, mapping: dict[str, str] | None, field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        read_equipment(open_table(table.encode()), mapping)

    assert refusal.value.field == field


def told(name: str, **facts: object) -> ThingRow:
    return ThingRow(0, name, {"kind": EquipmentKind.SERVER} | facts)


def stored(database: Database, row: ThingRow, equipment_id: int | None = None) -> int:
    with database.write(Operator()) as session:
        return store_thing(session, row, equipment_id=equipment_id, now=NOW, by="test")


def test_a_form_corrects_one_thing_in_the_way_of_a_file(database: Database) -> None:
    first = stored(database, told("S1", site="tls", purchased_on=date(2022, 3, 14)))
    second = stored(database, told("S2"))

    assert stored(database, told("S-01", site=None, cores=40), first) == first

    with database.read(Operator()) as session:
        row = session.get_one(q.Equipment, first)
        assert (row.name, row.site, row.cores) == ("S-01", None, 40)
        assert row.commissioned_on == date(2022, 3, 14)  # what is not told stays, as in a file
    with pytest.raises(Invalid) as refusal:
        stored(database, told("S-01"), second)
    assert refusal.value.field == "name"


def test_a_correction_has_the_months_before_and_after_reckoned_again(database: Database) -> None:
    day = date(2026, 1, 5)
    number = stored(database, told("S1", site="tls", commissioned_on=day))
    with database.write(Operator()) as session:
        session.execute(delete(ReckoningDue))
        session.add(Site(code="mrs", name="Marseille", zone="Europe/Paris", country="FR", grid_zone="FR"))
    stored(database, told("S1", site="mrs"), number)
    with database.read(Operator()) as session:
        found = session.execute(select(ReckoningDue.subject, ReckoningDue.month))
        due = {(subject, month) for subject, month in found}
    months = [*(date(2026, month, 1) for month in range(1, 13)), date(2027, 1, 1)]
    assert due == {(site, month) for site in ("tls", "mrs") for month in months}


def test_a_match_that_is_refused_never_holds_and_no_longer_waits(database: Database) -> None:
    number = stored(database, told("S1", manufacturer="Dell", model="PowerEdge R740"))
    with database.write(Operator()) as session:
        [waiting] = proposals(session)
        assert (waiting.name, waiting.version, waiting.confidence_ppm) == ("S1", 1, 1_000_000)
        refuse_impact(session, number, 1, now=NOW, by="claire")
        assert proposals(session) == []
        assert standing_impact(session, number) is None
        row = session.get_one(q.EmbodiedImpact, (number, 1))
        assert (row.refused_by, row.refused_at) == ("claire", NOW)
        with pytest.raises(Conflict):
            confirm_impact(session, number, 1, now=NOW, by="paul")

    stored(database, told("S1", model="PowerEdge R640"), number)  # another model is matched again
    with database.read(Operator()) as session:
        assert [(one.version, one.model) for one in proposals(session)] == [(2, "PowerEdge R640")]
