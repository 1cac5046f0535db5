"""Which adherents are read through a hospital group, on which day."""

from datetime import date

import pytest

from console.store.models import catalogue as c
from console.store.queries.ght import group_page, groups_of, list_groups, members_seen_by
from console.store.session import Database, Operator, Tenants
from tests import given

pytestmark = pytest.mark.both_databases

CHIEF, ONE, TWO, NAMELESS, FAR = 11, 12, 13, 14, 15
ENTITIES = {CHIEF: "010780054", ONE: "010008407", TWO: "010780062", NAMELESS: None, FAR: "970302022"}
NOVEMBER, JUNE = date(2026, 11, 25), date(2026, 6, 1)


@pytest.fixture
def group(database: Database) -> Database:
    with database.write(Operator()) as session:
        for tenant_id, finess_ej in ENTITIES.items():
            given.an_adherent(session, tenant_id, f"CH {tenant_id}")
            session.get_one(c.Adherent, tenant_id).finess_ej = finess_ej
        given.a_group(session, "84103", "010780054", "010008407")
        given.a_membership(session, "84103", "010780062", "member", date(2020, 1, 1), JUNE)
        given.a_membership(session, "84103", "750100042", "member", date(2020, 1, 1))  # no adherent
        given.a_group(session, "84104", "970302022")
    return database


@pytest.mark.parametrize(
    ("own", "day", "seen"),
    [
        ({CHIEF}, NOVEMBER, {ONE}),
        ({CHIEF}, date(2026, 5, 31), {ONE, TWO}),
        ({CHIEF}, JUNE, {ONE}),
        ({CHIEF}, date(2019, 12, 31), set()),
        ({CHIEF, ONE}, date(2026, 5, 31), {TWO}),
        ({ONE}, NOVEMBER, set()),
        ({TWO}, date(2026, 5, 31), set()),
        ({NAMELESS}, NOVEMBER, set()),
        ({FAR}, NOVEMBER, set()),
        (set(), NOVEMBER, set()),
    ],
)
def test_the_support_establishment_reads_its_members_of_the_day_and_a_member_nobody(
    group: Database, own: set[int], day: date, seen: set[int]
) -> None:
    with group.read(Operator()) as session:
        assert members_seen_by(session, own, day) == seen


def test_the_page_of_a_group_tells_members_from_those_who_were_and_adherents_in_scope(
    group: Database,
) -> None:
    with group.read(Operator()) as session:
        page = group_page(session, "84103", NOVEMBER)
    assert [(one.finess_ej, one.role.value, one.tenant_id) for one in page.members] == [
        ("010780054", "support", CHIEF),
        ("010008407", "member", ONE),
        ("750100042", "member", None),
    ]
    assert [(one.finess_ej, one.last_day, one.tenant_id) for one in page.others] == [
        ("010780062", date(2026, 5, 31), TWO)
    ]
    with group.read(Tenants(frozenset({TWO}))) as session:
        narrowed = group_page(session, "84103", NOVEMBER)
    assert [one.tenant_id for one in (*narrowed.members, *narrowed.others)] == [None, None, None, TWO]


def test_groups_are_found_by_name_and_code_and_say_who_supports_them(group: Database) -> None:
    with group.read(Operator()) as session:
        found = list_groups(session, NOVEMBER, "84103")
        assert [(one.code, one.support, one.members) for one in found.rows] == [("84103", "010780054", 3)]
        assert (found.total, found.known) == (1, 2)
        assert list_groups(session, NOVEMBER, "ght 8410").total == 2
        assert list_groups(session, NOVEMBER, "100%").total == 0


def test_an_entity_knows_its_groups(group: Database) -> None:
    with group.read(Operator()) as session:
        (line,) = groups_of(session, "010780062")
    assert (line.code, line.first_day, line.last_day) == ("84103", date(2020, 1, 1), date(2026, 5, 31))
