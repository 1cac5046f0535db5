"""No route shows or changes anything of an adherent out of scope."""

from tests.isolation.filling import owned_tables, rows_of, texts_without
from tests.isolation.walk import SAME, misread, unclassified, walk
from tests.isolation.world import World


def test_each_adherent_has_rows_wherever_one_is_named(world: World) -> None:
    for filled in (world.a, world.b):
        kept = rows_of(world.both.database, filled)
        empty = [table.name for table in owned_tables() if not kept[table.name]]
        assert not empty, f"tests/isolation/filling.py fills no {', '.join(empty)}"


def test_every_text_of_the_other_adherent_holds_its_word(world: World) -> None:
    missing = sorted(texts_without(world.b.word, world.both.database, world.b))
    assert not missing, "\n".join(missing)


def test_what_names_a_row_of_one_adherent_names_none_of_the_other(world: World) -> None:
    assert {name for name in world.b.ids if world.a.ids[name] == world.b.ids[name]} <= SAME


def test_each_route_says_how_it_is_tried(world: World) -> None:
    findings = unclassified(world)
    assert not findings, "\n".join(findings)


def test_no_route_shows_or_changes_anything_of_another_adherent(world: World) -> None:
    findings = walk(world)
    assert not findings, "\n".join(findings)


def test_each_page_shows_to_the_operator_what_it_must_hide_from_others(world: World) -> None:
    assert misread(world) == []
