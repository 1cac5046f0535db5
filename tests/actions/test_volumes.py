"""Volumes are stored once, corrected by a new revision, and refused one by one."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import select

from console.actions.subscriptions import end_subscription
from console.actions.volumes import Verdict, VolumeSource, judge, record, record_month
from console.domain.contract import Status
from console.domain.errors import Invalid, NotFound
from console.domain.volumes import Told
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.queries.volumes import volumes_of
from console.store.session import Database, Operator, Tenants
from tests import given
from tests.given import NOW

pytestmark = pytest.mark.both_databases

CH, OTHER = 11, 12
FINESS = "010780054"
OWN = Tenants(frozenset({CH}))
OCTOBER = date(2026, 10, 1)


@pytest.fixture
def adherents(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, CH, "CH de Fleyriat")
        given.an_adherent(session, OTHER, "CH voisin")
        session.get_one(c.Adherent, CH).finess_ej = FINESS
        given.a_subscription(session, CH)  # payroll, number 2
    return database


def told(line: int = 2, **cells: str) -> Told:
    return Told(
        line, **{"adherent": FINESS, "subscription": "2", "month": "2026-10", "volume": "2400"} | cells
    )


def send(database: Database, *rows: Told) -> list[Verdict]:
    with database.write(OWN) as session:
        judged = record(session, rows, source=VolumeSource.CSV, now=NOW, by="ana")
    return [one.verdict for one in judged]


def stored(database: Database) -> list[tuple[int, date, int, int | None]]:
    row = k.VolumeMonth
    with database.read(Operator()) as session:
        rows = session.execute(
            select(row.subscription, row.month, row.revision, row.volume).order_by(row.month, row.revision)
        )
        return [tuple(one) for one in rows]


def test_a_list_sent_again_changes_nothing_and_a_correction_keeps_what_was_told(adherents: Database) -> None:
    rows = [told(2), told(3, month="2026-09", subscription="payroll")]
    assert send(adherents, *rows) == [Verdict.NEW, Verdict.NEW]
    assert send(adherents, *rows) == [Verdict.UNCHANGED, Verdict.UNCHANGED]
    assert send(adherents, told(volume="2401")) == [Verdict.CHANGED]
    assert stored(adherents) == [
        (2, date(2026, 9, 1), 1, 2400),
        (2, OCTOBER, 1, 2400),
        (2, OCTOBER, 2, 2401),
    ]


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ({"adherent": "010000024"}, "adherent"),
        ({"adherent": str(OTHER)}, "adherent"),  # it is not in scope
        ({"adherent": ""}, "adherent"),
        ({"subscription": "9"}, "subscription"),
        ({"subscription": "hds-iaas"}, "subscription"),
        ({"month": "2026-12"}, "month"),
        ({"month": "2025-12"}, "month"),
        ({"month": "hier"}, "month"),
        ({"volume": ""}, "volume"),
        ({"volume": "-3"}, "volume"),
    ],
)
def test_a_row_that_cannot_be_is_refused_with_its_field_and_the_others_are_stored(
    adherents: Database, cells: dict[str, str], field: str
) -> None:
    with adherents.write(OWN) as session:
        judged = record(session, [told(2, **cells), told(3)], source=VolumeSource.API, now=NOW, by="paie")
    assert [one.verdict for one in judged] == [Verdict.REFUSED, Verdict.NEW]
    refusal = judged[0].refusal
    assert refusal is not None
    assert refusal.field == field
    assert stored(adherents) == [(2, OCTOBER, 1, 2400)]


def test_two_rows_for_one_month_agree_or_the_second_is_refused(adherents: Database) -> None:
    rows = [told(2), told(3), told(4, volume="1", adherent=str(CH))]
    assert send(adherents, *rows) == [Verdict.NEW, Verdict.UNCHANGED, Verdict.REFUSED]
    assert stored(adherents) == [(2, OCTOBER, 1, 2400)]


def test_a_service_that_two_subscriptions_take_is_named_by_number(adherents: Database) -> None:
    with adherents.write(Operator()) as session:
        given.a_subscription(session, CH, contract="second")
    assert send(adherents, told(subscription="payroll"), told(3)) == [Verdict.REFUSED, Verdict.NEW]
    with adherents.write(Operator()) as session:
        end_subscription(session, CH, 3, ends_on=date(2026, 8, 31), now=NOW)
    assert send(adherents, told(subscription="payroll")) == [Verdict.UNCHANGED]


def test_looking_at_a_list_stores_nothing(adherents: Database) -> None:
    with adherents.read(OWN) as session:
        assert [one.verdict for one in judge(session, [told()], now=NOW)] == [Verdict.NEW]
    assert stored(adherents) == []


def test_lists_sent_at_once_make_one_revision(adherents: Database) -> None:
    with ThreadPoolExecutor(3) as people:
        verdicts = sorted(people.map(lambda _time: send(adherents, told()), range(3)))
    assert verdicts == [[Verdict.NEW], [Verdict.UNCHANGED], [Verdict.UNCHANGED]]
    assert stored(adherents) == [(2, OCTOBER, 1, 2400)]


def test_a_month_may_become_unknown_again_and_is_not_zero(adherents: Database) -> None:
    def tell(volume: int | None, source: VolumeSource = VolumeSource.FORM) -> bool:
        with adherents.write(OWN) as session:
            return record_month(session, CH, 2, OCTOBER, volume, source=source, now=NOW, by="ana")

    assert not tell(None)
    assert tell(2400, VolumeSource.ESTIMATE)
    assert tell(2400)  # now it is told, not estimated
    assert not tell(2400)
    assert tell(None)
    with adherents.read(OWN) as session:
        (month,) = volumes_of(session, CH, 2, [OCTOBER])
    assert (month.volume, month.revision) == (None, 3)


def test_a_draft_and_another_adherent_have_no_volumes(adherents: Database) -> None:
    with adherents.write(Operator()) as session:
        draft = given.a_subscription(session, CH, service="hr", status=Status.DRAFT)
    with pytest.raises(Invalid, match="brouillon"), adherents.write(OWN) as session:
        record_month(session, CH, draft, OCTOBER, 1, source=VolumeSource.FORM, now=NOW, by="ana")
    with pytest.raises(NotFound), adherents.write(OWN) as session:
        record_month(session, OTHER, 1, OCTOBER, 1, source=VolumeSource.FORM, now=NOW, by="ana")
