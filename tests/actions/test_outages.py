"""What incidents make services suffer, written from their logs."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from console.actions.incident_clocks import reckon
from console.actions.incidents import Revision, set_particulars
from console.domain.outages import Effect, Source
from console.store.models import tenant as t
from console.store.session import Database, Operator
from tests import given

pytestmark = pytest.mark.both_databases
CH = 11
BEGAN = datetime(2026, 11, 20, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
Row = tuple[int, Effect, float, float | None]


@pytest.fixture
def hospital(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, CH, "CH de Fleyriat")
        given.a_subscription(session, CH, "hds-iaas")
    return database


def it_is(database: Database, kind: str, hours: int) -> None:
    with database.write(Operator()) as session:
        given.it_is(session, kind, CH, 1, BEGAN + hours * HOUR)


def told_anew(database: Database, effect: Effect, hours: int) -> None:
    with database.write(Operator()) as session:
        at = BEGAN + hours * HOUR
        set_particulars(
            session, tenant_id=CH, number=1, revision=Revision(effect=effect), at=at, now=at, by="ops"
        )


def written(database: Database) -> list[Row]:
    """Subscription, effect, hours from the opening to its begin and to its end."""
    with database.read(Operator()) as session:
        rows = session.scalars(select(t.Outage).order_by(t.Outage.subscription, t.Outage.began_at)).all()
        assert all(row.source is Source.INCIDENT and row.reference == 1 for row in rows)
        return [
            (
                row.subscription,
                row.effect,
                (row.began_at - BEGAN) / HOUR,
                None if row.ended_at is None else (row.ended_at - BEGAN) / HOUR,
            )
            for row in rows
        ]


def declared(database: Database, effect: Effect | None, *touches: int) -> None:
    with database.write(Operator()) as session:
        given.an_incident(session, CH, opened_at=BEGAN, effect=effect, touches=touches)


@pytest.mark.parametrize("effect", [None, Effect.NONE])
def test_an_incident_of_which_no_effect_is_told_is_no_outage(
    hospital: Database, effect: Effect | None
) -> None:
    declared(hospital, effect)
    assert written(hospital) == []


def test_an_outage_lasts_until_the_resolution_whoever_is_waited_for(hospital: Database) -> None:
    declared(hospital, Effect.OUTAGE)
    it_is(hospital, "waiting", 1)
    assert written(hospital) == [(1, Effect.OUTAGE, 0, None)]
    it_is(hospital, "resumed", 4)
    it_is(hospital, "resolved", 6)
    assert written(hospital) == [(1, Effect.OUTAGE, 0, 6)]


def test_the_time_between_a_resolution_and_a_reopening_is_none_of_it(hospital: Database) -> None:
    declared(hospital, Effect.OUTAGE)
    for hours, kind in enumerate(["resolved", "reopened", "resolved", "closed"], start=1):
        it_is(hospital, kind, hours)
    assert written(hospital) == [(1, Effect.OUTAGE, 0, 1), (1, Effect.OUTAGE, 2, 3)]


def test_an_effect_holds_from_when_it_was_told(hospital: Database) -> None:
    declared(hospital, Effect.DEGRADED)
    told_anew(hospital, Effect.OUTAGE, 2)
    told_anew(hospital, Effect.NONE, 3)
    it_is(hospital, "resolved", 5)
    assert written(hospital) == [(1, Effect.DEGRADED, 0, 2), (1, Effect.OUTAGE, 2, 3)]


def test_each_service_that_it_touches_suffers(hospital: Database) -> None:
    declared(hospital, Effect.OUTAGE, 2)
    it_is(hospital, "resolved", 2)
    assert written(hospital) == [(1, Effect.OUTAGE, 0, 2), (2, Effect.OUTAGE, 0, 2)]


def test_written_again_it_is_the_same(hospital: Database) -> None:
    declared(hospital, Effect.OUTAGE, 2)
    before = written(hospital)
    with hospital.write(Operator()) as session:
        reckon(session, CH, 1, now=BEGAN + HOUR)
    assert written(hospital) == before
