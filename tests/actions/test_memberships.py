"""Who is in which group: from files, and by hand."""

from datetime import date

import pytest
from sqlalchemy import select

from console.actions.directory import store_records
from console.actions.memberships import (
    add_membership,
    compare_memberships,
    end_membership,
    end_those_left,
    store_memberships,
)
from console.domain.directory import GroupRole, Listing
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.formats import known_as, read_as, read_table
from console.store.models import directory as d
from console.store.models.audit import AuditEntry
from console.store.session import Database, Operator
from tests.domain.test_formats import GROUPS, open_file
from tests.given import SAE

pytestmark = pytest.mark.both_databases

SUPPORT, MEMBER = GroupRole.SUPPORT, GroupRole.MEMBER
BOURG, OYONNAX, BELLEY = "010780054", "010008407", "010780062"
ENTITIES = (BOURG, OYONNAX, BELLEY)
JANUARY, JUNE = date(2026, 1, 1), date(2026, 6, 1)


@pytest.fixture
def groups(database: Database) -> Database:
    groups, sites = open_file(GROUPS), open_file(SAE)
    some = [site for site in sites.records.values() if getattr(site, "finess_ej", "") in ENTITIES]
    with database.write(Operator()) as session:
        store_records(session, groups, groups.records.values())
        store_records(session, sites, some)
    return database


def members(*rows: str, as_of: date = JANUARY) -> Listing:
    table = read_table("\n".join(["CODE_GHT;FINESS_EJ;ROLE;DU;AU", *rows]).encode())
    return read_as(known_as("ght-members", table), table, as_of)


def take_in(database: Database, listing: Listing):
    with database.write(Operator()) as session:
        difference = compare_memberships(session, listing)
        store_memberships(session, listing, difference.to_store)
    return difference


def known(database: Database) -> set[tuple[str, str, str, str, str]]:
    with database.read(Operator()) as session:
        rows = session.scalars(select(d.GhtMembership))
        return {
            (row.ght_code, row.finess_ej, row.role.value, str(row.valid_from), str(row.valid_to or ""))
            for row in rows
        }


def said(database: Database) -> dict[str, date]:
    with database.read(Operator()) as session:
        return {row.finess_ej: row.as_of for row in session.scalars(select(d.GhtMembership))}


FIRST = (f"84103;{BOURG};support;;", f"84103;{OYONNAX};membre;;", f"84102;{BELLEY};membre;01/07/2016;")


def test_the_first_file_adds_and_the_second_changes_nothing(groups: Database) -> None:
    first = take_in(groups, members(*FIRST))
    assert (len(first.new), len(first.changed), first.unchanged) == (3, 0, 0)
    assert known(groups) == {
        ("84103", BOURG, "support", "2026-01-01", ""),
        ("84103", OYONNAX, "member", "2026-01-01", ""),
        ("84102", BELLEY, "member", "2016-07-01", ""),
    }
    second = take_in(groups, members(*FIRST))
    assert (second.to_store, second.unchanged) == ((), 3)
    later = take_in(groups, members(*FIRST, as_of=JUNE))
    assert (list(later.changed), len(later.confirmed), later.unchanged) == ([], 3, 0)
    assert said(groups) == {BOURG: JUNE, OYONNAX: JUNE, BELLEY: JUNE}


def test_one_that_moves_is_told_with_both_ends(groups: Database) -> None:
    take_in(groups, members(*FIRST))
    difference = take_in(groups, members(*FIRST[:2], f"84103;{BELLEY};;;", as_of=JUNE))
    (changed,) = difference.changed
    assert [(one.field, one.before, one.after) for one in changed.changes] == [
        ("valid_to", None, JUNE),
        ("ght_code", None, "84103"),
        ("role", None, MEMBER),
    ]
    assert ("84102", BELLEY, "member", "2016-07-01", "2026-06-01") in known(groups)
    assert ("84103", BELLEY, "member", "2026-06-01", "") in known(groups)


def test_the_support_establishment_changes_in_one_file_whatever_the_order(groups: Database) -> None:
    take_in(groups, members(*FIRST))
    swapped = (f"84103;{OYONNAX};support;;", f"84103;{BOURG};membre;;")
    difference = take_in(groups, members(*swapped, as_of=JUNE))
    assert (len(difference.changed), difference.refused) == (2, [])
    assert ("84103", OYONNAX, "support", "2026-06-01", "") in known(groups)
    assert ("84103", BOURG, "support", "2026-01-01", "2026-06-01") in known(groups)


def test_what_contradicts_is_refused_with_its_line_and_the_rest_counts(groups: Database) -> None:
    rows = (f"84103;{BOURG};support;;", f"84103;{OYONNAX};support;;", f"99999;{BELLEY};;;")
    difference = take_in(groups, members(*rows))
    refused = sorted((one.line, str(one.error)) for one in difference.refused)
    assert refused == [
        (3, f"Le GHT 84103 a déjà un établissement support : {BOURG}."),
        (4, "Le GHT 99999 n'est pas connu : importez d'abord les GHT."),
    ]
    assert {row[1] for row in known(groups)} == {BOURG}


def test_who_is_not_in_the_file_stays_unless_it_is_complete(groups: Database) -> None:
    take_in(groups, members(*FIRST))
    shorter = members(*FIRST[:1], as_of=JUNE)
    difference = take_in(groups, shorter)
    assert {held.finess_ej for held in difference.left} == {OYONNAX, BELLEY}
    assert not any(row[4] for row in known(groups))
    with groups.write(Operator()) as session:
        assert end_those_left(session, shorter) == 2
    ended = {row[1]: row[4] for row in known(groups)}
    assert ended == {BOURG: "", OYONNAX: "2026-06-01", BELLEY: "2026-06-01"}
    with groups.write(Operator()) as session:
        assert end_those_left(session, shorter) == 0


def test_a_membership_is_added_and_ended_by_hand_and_written_down(groups: Database) -> None:
    with groups.write(Operator(), by="anne") as session:
        add_membership(session, "84103", f" {BOURG} ", SUPPORT, first_day=JANUARY, today=JUNE, by="anne")
    with groups.write(Operator(), by="anne") as session:
        number = session.scalars(select(d.GhtMembership.membership_id)).one()
        end_membership(session, "84103", number, last_day=date(2026, 5, 31), today=JUNE)
    assert known(groups) == {("84103", BOURG, "support", "2026-01-01", "2026-06-01")}
    with groups.read(Operator()) as session:
        kinds = list(session.scalars(select(AuditEntry.kind).order_by(AuditEntry.number)))
    assert kinds == ["ght_membership.added", "ght_membership.changed"]


@pytest.mark.parametrize(
    ("ght", "entity", "error", "said"),
    [
        ("99999", BOURG, NotFound, "GHT introuvable"),
        ("84103", "010780055", Invalid, "clé"),
        ("84103", "750100042", Invalid, "répertoire"),
    ],
)
def test_by_hand_only_what_the_directory_knows(
    groups: Database, ght: str, entity: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said), groups.write(Operator()) as session:
        add_membership(session, ght, entity, MEMBER, first_day=JANUARY, today=JUNE, by="anne")
    assert known(groups) == set()


def test_twice_by_hand_is_a_conflict_and_a_membership_of_another_group_is_not_there(groups: Database) -> None:
    with groups.write(Operator()) as session:
        add_membership(session, "84103", BOURG, SUPPORT, first_day=JANUARY, today=JUNE, by="anne")
    with pytest.raises(Conflict), groups.write(Operator()) as session:
        add_membership(session, "84103", BOURG, SUPPORT, first_day=JANUARY, today=JUNE, by="anne")
    with groups.read(Operator()) as session:
        number = session.scalars(select(d.GhtMembership.membership_id)).one()
    with pytest.raises(NotFound), groups.write(Operator()) as session:
        end_membership(session, "84102", number, last_day=JUNE, today=JUNE)
    with groups.write(Operator()) as session:
        end_membership(session, "84103", number, last_day=JUNE, today=JUNE)
    with pytest.raises(Conflict, match="finit déjà"), groups.write(Operator()) as session:
        end_membership(session, "84103", number, last_day=JUNE, today=JUNE)
    with pytest.raises(Invalid, match="après son début"), groups.write(Operator()) as session:
        end_membership(session, "84103", number, last_day=date(2025, 12, 1), today=JUNE)


def test_by_hand_one_leaves_the_group_it_was_in(groups: Database) -> None:
    with groups.write(Operator()) as session:
        add_membership(session, "84103", BOURG, MEMBER, first_day=JANUARY, today=JUNE, by="anne")
    with groups.write(Operator()) as session:
        add_membership(session, "84102", BOURG, MEMBER, first_day=JUNE, today=JUNE, by="anne")
    assert known(groups) == {
        ("84103", BOURG, "member", "2026-01-01", "2026-06-01"),
        ("84102", BOURG, "member", "2026-06-01", ""),
    }


def test_an_older_file_replaces_nothing_that_a_later_one_said(groups: Database) -> None:
    take_in(groups, members(*FIRST))
    take_in(groups, members(*FIRST, as_of=JUNE))
    before, told = (
        known(groups),
        (f"84102;{OYONNAX};;;", f"84103;{BELLEY};;;", f"84103;{BOURG};support;;01/04/2026"),
    )
    older = members(*told, as_of=date(2026, 3, 1))
    difference = take_in(groups, older)
    assert (difference.to_store, difference.unchanged, difference.left) == ((), 3, [])
    assert known(groups) == before
    assert said(groups) == {BOURG: JUNE, OYONNAX: JUNE, BELLEY: JUNE}


def test_an_older_complete_file_ends_nothing_that_a_later_one_confirmed(groups: Database) -> None:
    take_in(groups, members(*FIRST))
    take_in(groups, members(*FIRST[:2], as_of=JUNE))
    with groups.write(Operator()) as session:
        assert end_those_left(session, members(FIRST[0], as_of=date(2026, 3, 1))) == 1
    assert {row[1]: row[4] for row in known(groups)} == {BOURG: "", OYONNAX: "", BELLEY: "2026-03-01"}


def test_an_older_file_does_not_begin_again_what_was_withdrawn_by_hand(groups: Database) -> None:
    take_in(groups, members(*FIRST))
    with groups.write(Operator()) as session:
        number = session.scalars(
            select(d.GhtMembership.membership_id).where(d.GhtMembership.finess_ej == OYONNAX)
        ).one()
        end_membership(session, "84103", number, last_day=date(2025, 12, 31), today=JUNE)
    before = known(groups)
    take_in(groups, members(*FIRST, as_of=date(2026, 3, 1)))
    assert known(groups) == before


def test_an_older_file_tells_of_a_time_that_was_unknown(groups: Database) -> None:
    take_in(groups, members(f"84103;{OYONNAX};;01/06/2026;", as_of=JUNE))
    difference = take_in(groups, members(f"84102;{OYONNAX};;01/01/2020;01/01/2026"))
    assert len(difference.new) == 1
    assert ("84102", OYONNAX, "member", "2020-01-01", "2026-01-01") in known(groups)


@pytest.mark.parametrize(
    "refused",
    [f"84103;{OYONNAX[:-1]}9;membre;;", f"84103;{OYONNAX};chef;;", f"99999;{OYONNAX};membre;;"],
    ids=["its number is wrong", "its role is none", "its group is unknown"],
)
def test_a_complete_file_ends_nothing_while_a_row_is_refused(groups: Database, refused: str) -> None:
    take_in(groups, members(*FIRST))
    damaged = members(FIRST[0], refused, FIRST[2], as_of=JUNE)
    assert take_in(groups, damaged).left == []
    with groups.write(Operator()) as session:
        assert end_those_left(session, damaged) == 0
    assert not any(row[4] for row in known(groups))
