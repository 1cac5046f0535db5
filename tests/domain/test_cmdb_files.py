"""Tables of a CMDB: by columns, by tags, by application."""

from datetime import date

import pytest

from console.domain.cmdb_files import CmdbFile, MachineRow, read_cmdb
from console.domain.errors import Invalid
from console.domain.tables import read_csv

DAY = date(2026, 11, 1)


def read(*rows: str, from_day: date | None = DAY) -> CmdbFile:
    return read_cmdb(read_csv("\n".join(rows).encode()), from_day)


def only(found: CmdbFile) -> MachineRow:
    assert found.refusals == []
    (row,) = found.machines
    return row


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("Hôte;Machine virtuelle;Application;Adhérent;Service", "esx01;web-1;Paie;010780054;payroll"),
        ("Host,VM,APP,client,subscription", "esx01,web-1,Paie,010780054,payroll"),
        ("host;vm;application;tags", 'esx01;web-1;Paie;"adherent=010780054;service=payroll;env=prod"'),
        ("host;vm;étiquettes", "esx01;web-1;Adhérent: 010780054 | Service: payroll | application=Paie"),
    ],
)
def test_a_machine_is_told_by_columns_or_by_tags_in_either_language(head: str, row: str) -> None:
    assert only(read(head, row)) == MachineRow(
        2, "esx01", "web-1", "", "Paie", "010780054", "payroll", DAY, None
    )


def test_an_inventory_of_rvtools_with_attributes_of_its_own_is_read() -> None:
    head = "VM,Powerstate,Template,CPUs,Memory,Annotation,Datacenter,Cluster,Host,VM UUID,adherent,service"
    row = only(
        read(head, "web-1,poweredOn,False,4,8192,,DC,PROD,esx01.example,4211f5a8-7e21,CH de Foix,payroll")
    )
    assert (row.machine, row.host, row.uid) == ("web-1", "esx01.example", "4211f5a8-7e21")
    assert (row.adherent, row.service) == ("CH de Foix", "payroll")


def test_an_application_says_whose_its_machines_are_unless_they_say_it_themselves() -> None:
    found = read(
        "vm;application;adhérent;service;à partir du;jusqu'au",
        "web-1;Paie;;;;",
        "web-2;paie;12;;2026-06-01;",
        ";Paie;11;payroll;01/02/2026;31/12/2026",
    )
    assert (found.applications, found.refusals) == (1, [])
    first, second = found.machines
    assert (first.adherent, first.service) == ("11", "payroll")
    assert (first.first_day, first.last_day) == (date(2026, 2, 1), date(2026, 12, 31))
    assert (second.adherent, second.service, second.first_day) == ("12", "", date(2026, 6, 1))
    assert second.last_day is None


def test_columns_of_a_row_go_before_its_tags() -> None:
    row = only(read("vm;adhérent;service;tags", 'web-1;11;;"adherent=12;service=payroll"'))
    assert (row.adherent, row.service) == ("11", "payroll")


@pytest.mark.parametrize("word", ["partagé", "Partagé", "mutualisé", "shared"])
def test_a_machine_may_serve_all_subscribers(word: str) -> None:
    assert only(read("vm;adhérent;service", f"web-1;{word};payroll")).is_shared


@pytest.mark.parametrize(
    ("head", "row", "said"),
    [
        ("vm;adhérent", "web-1;", "Rien ne dit à qui est web-1"),
        ("vm;application;adhérent", ";;", ""),
        ("vm;application;adhérent", ";;11", "ni machine, ni application"),
        ("vm;adhérent;à partir du", "web-1;11;hier", "n'est pas une date"),
        ("vm;adhérent;jusqu'au", "web-1;11;2026-10-01", "finit après son début"),
        ("vm;tags", 'web-1;"adherent=11;adherent=12"', "deux valeurs"),
        ("vm;adhérent", f"{'x' * 2001};11", "2000"),
    ],
)
def test_a_wrong_row_is_told_with_its_line(head: str, row: str, said: str) -> None:
    found = read(head, row)
    assert found.machines == []
    assert [(one.line, said in str(one.error)) for one in found.refusals] == ([(2, True)] if said else [])


def test_an_application_that_two_rows_tell_otherwise_is_refused_the_second_time() -> None:
    found = read("vm;application;adhérent", ";Paie;11", ";PAIE;12", "web-1;Paie;")
    assert [one.line for one in found.refusals] == [3]
    assert found.machines[0].adherent == "11"


def test_a_row_holds_from_a_day_that_somebody_says() -> None:
    found = read("vm;adhérent", "web-1;11", from_day=None)
    assert "depuis quand" in str(found.refusals[0].error)


@pytest.mark.parametrize(
    ("head", "said"), [("host;adhérent", "machine virtuelle ou uid"), ("vm;host", "adhérent ou étiquettes")]
)
def test_a_table_without_machines_or_owners_is_refused_whole(head: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        read(head, "a;b")
