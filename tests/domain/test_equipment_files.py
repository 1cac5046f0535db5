"""What fields of a form and headings of a table tell of equipment."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.equipment import Disk, EndOfLife, EquipmentKind
from console.domain.equipment_files import (
    COLUMNS,
    disks_text,
    mapping_of,
    read_equipment,
    read_facts,
)
from console.domain.errors import Invalid
from console.domain.formats import read_table

DISKS = st.lists(
    st.builds(Disk, st.sampled_from(("ssd", "hdd")), st.integers(1, 999_999), st.integers(1, 999)), min_size=1
)


@given(DISKS)
def test_disks_are_read_back_as_they_are_told(disks: list[Disk]) -> None:
    facts, refusals = read_facts({"name": "S1", "kind": "server", "disks": disks_text(disks)})
    assert (facts["disks"], refusals) == (tuple(disks), [])


def test_a_form_that_tells_nothing_of_a_fact_says_that_it_is_not_known() -> None:
    facts, refusals = read_facts({"name": " S1 ", "kind": "Serveur"})
    assert refusals == []
    assert facts == {
        **dict.fromkeys(COLUMNS),
        "name": "S1",
        "kind": EquipmentKind.SERVER,
        "quantity": 1,
        "disks": (),
        "is_second_hand": False,
    }


def test_each_field_that_cannot_be_read_is_refused_by_its_name() -> None:
    told = {"name": "", "kind": "cafetière", "cores": "-1", "disks": "deux", "retired_on": "hier"}
    _facts, refusals = read_facts(told)
    assert [one.field for one in refusals] == ["name", "kind", "cores", "disks", "retired_on"]


@pytest.mark.parametrize(
    ("told", "route"),
    [("DEEE", EndOfLife.WEEE), ("don", EndOfLife.DONATION), ("resale", EndOfLife.RESALE)],
)
def test_where_a_thing_goes_is_read_in_both_languages(told: str, route: EndOfLife) -> None:
    table = read_table(f"nom;type;retrait;fin de vie\nS1;Serveur;2025-01-31;{told}\n".encode())
    [row] = read_equipment(table).rows
    assert (row.facts["retired_on"], row.facts["end_of_life"]) == (date(2025, 1, 31), route)


def test_a_fact_has_one_column_and_a_column_that_gives_nothing_has_none() -> None:
    assert mapping_of([("Asset", "name"), ("What", "kind"), ("Weight", "")]) == {
        "name": "Asset",
        "kind": "What",
    }
    with pytest.raises(Invalid) as refusal:
        mapping_of([("Asset", "name"), ("Tag", "name")])
    assert refusal.value.field == "name"
