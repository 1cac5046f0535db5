"""An inventory from a table: looked at, stored once, what it refuses named by line."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from console.actions.equipment_files import Fate, look_at, store_file
from console.actions.imports import open_table
from console.domain.equipment import EndOfLife, EquipmentKind
from console.domain.equipment_files import read_equipment
from console.domain.errors import Invalid
from console.store.models import equipment as q
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
