"""Carbon per unit of service, from the lines that count and the volumes that were told last."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.carbon_months import close_month
from console.actions.volumes import record_month
from console.domain.month_lines import LineKind
from console.domain.sci import Missing
from console.store.models import carbon as b
from console.store.models import contract as k
from console.store.models import measurement as m
from console.store.models import tenant as t
from console.store.models.contract import VolumeSource
from console.store.queries.sci import of_adherent, of_shared
from console.store.session import Database, Operator
from tests.actions.test_carbon_months import KWH, MARCH, START, reckoned, told
from tests.carbon_past import NOW, hours_of

pytestmark = pytest.mark.both_databases
LATER = NOW + timedelta(days=3)
MONTHS = [date(2026, 2, 1), MARCH, date(2026, 4, 1)]


def volume(session: Session, amount: int | None) -> None:
    record_month(session, 7, 1, MARCH, amount, source=VolumeSource.FORM, now=NOW, by="ops")
    session.flush()


@pytest.fixture
def database(database: Database) -> Database:
    with database.write(Operator()) as session:
        told(session)
    return database


def test_without_a_volume_there_is_no_sci_and_with_one_use_is_known_before_making_is(
    database: Database,
) -> None:
    with database.write(Operator()) as session:
        (service,) = of_adherent(session, 7, MONTHS)
        assert service.months[MARCH].missing == [Missing.EMBODIED, Missing.VOLUME]
        volume(session, 39)
        volume(session, 42)
        (service,) = of_adherent(session, 7, MONTHS)
    assert list(service.months) == [MARCH]
    told_of = service.months[MARCH]
    assert (told_of.volume, told_of.energy_mj) == (42, 3 * KWH * 14 // 10)
    assert told_of.use == 3 * 52_000_000 * 14 // 10 / 42
    assert (told_of.sci, told_of.missing) == (None, [Missing.EMBODIED])


def test_a_closed_month_is_counted_once(database: Database) -> None:
    with database.write(Operator()) as session:
        before = of_adherent(session, 7, MONTHS)
        close_month(session, 7, MARCH, now=NOW, by="ops")
        assert of_adherent(session, 7, MONTHS) == before


def test_a_closed_month_keeps_the_volume_that_was_known_when_it_was_closed(database: Database) -> None:
    with database.write(Operator()) as session:
        volume(session, 39)
        close_month(session, 7, MARCH, now=NOW, by="ops")
        record_month(session, 7, 1, MARCH, 50, source=VolumeSource.FORM, now=LATER, by="ops")
        session.flush()
        (service,) = of_adherent(session, 7, MONTHS)
    assert service.months[MARCH].volume == 39


def test_a_volume_that_was_not_known_when_a_month_was_closed_may_come_later(database: Database) -> None:
    with database.write(Operator()) as session:
        close_month(session, 7, MARCH, now=NOW, by="ops")
        record_month(session, 7, 1, MARCH, 50, source=VolumeSource.FORM, now=LATER, by="ops")
        session.flush()
        (service,) = of_adherent(session, 7, MONTHS)
    assert service.months[MARCH].volume == 50


def test_a_shared_service_as_a_whole_needs_the_volume_of_each_subscriber(database: Database) -> None:
    with database.write(Operator()) as session:
        subscription = session.get_one(t.Subscription, (7, 1))
        session.add(
            k.ServiceClaim(
                service_code=subscription.service_code, host_id=m.stable_id("srv-02"),
                workload_id=m.stable_id("shared"), host_name="srv-02", workload_name="shared",
                valid_from=START - timedelta(days=1), claimed_by="test", claimed_at=START,
            )
        )  # fmt: skip
        session.flush()
        hours_of(session, "srv-02", START, 2, {"shared": KWH})
        reckoned(session)
        (whole,) = of_shared(session, MONTHS)
        assert (whole.months[MARCH].volume, whole.silent) == (None, {MARCH: 1})
        volume(session, 10)
        reckoned(session)
        (whole,) = of_shared(session, MONTHS)
    assert (whole.months[MARCH].volume, whole.silent) == (10, {})
    assert whole.months[MARCH].energy_mj == 2 * KWH * 14 // 10


def test_a_share_of_hosts_of_which_some_have_no_known_making_has_no_sci(database: Database) -> None:
    with database.write(Operator()) as session:
        volume(session, 10)
        line = session.scalars(
            select(b.MonthLine).where(b.MonthLine.tenant_id == 7, b.MonthLine.kind == LineKind.OWN)
        ).one()
        line.kind, line.embodied_ug = LineKind.SHARE, 1_000
        pool_mj = 4 * line.energy_mj
        line.terms = {**line.terms, "share": {"pool_mj": pool_mj}, "embodied": {"known_mj": pool_mj // 4}}
        session.flush()
        told_of = of_adherent(session, 7, MONTHS)[0].months[MARCH]
        line.terms = {**line.terms, "embodied": {"known_mj": pool_mj}}
        session.flush()
        whole = of_adherent(session, 7, MONTHS)[0].months[MARCH]
    assert told_of.without_embodied_mj == 3 * KWH * 3 // 4
    assert (told_of.sci, told_of.missing) == (None, [Missing.EMBODIED])
    assert whole.missing == []


def test_energy_of_which_nobody_knows_what_the_site_takes_has_no_sci(database: Database) -> None:
    with database.write(Operator()) as session:
        volume(session, 10)
        line = session.scalars(
            select(b.MonthLine).where(b.MonthLine.tenant_id == 7, b.MonthLine.kind == LineKind.OWN)
        ).one()
        line.overhead_mj = None
        session.flush()
        told_of = of_adherent(session, 7, MONTHS)[0].months[MARCH]
    assert told_of.without_overhead_mj == 3 * KWH
    assert Missing.FACILITY in told_of.missing
    assert told_of.use is None
