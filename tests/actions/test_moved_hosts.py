"""A host that moves to another data centre leaves its past where it was spent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from collectors.reading import Facts
from console.actions.carbon_months import close_month
from console.actions.ingest import ingest
from console.actions.making import making_of_site
from console.actions.site_terms import hosts_energy
from console.actions.stays import put
from console.domain.equipment import EquipmentKind
from console.domain.errors import Invalid
from console.domain.facility import Quantity
from console.domain.hours import HOUR, hours_between, month_bounds
from console.domain.month_lines import EMBODIED, LineKind
from console.store.models import carbon as b
from console.store.models import equipment as q
from console.store.models import measurement as m
from console.store.models import site as s
from console.store.queries.month_ledger import check_months
from console.store.queries.stays import whereabouts
from console.store.session import Database, Operator
from tests.actions.test_host_months import a_thing, claim
from tests.carbon_past import NOW, PARIS, a_host, a_meter, hours_of, intensity, reckon_all
from tests.given import an_adherent
from tests.readings import batch, measured, reading
from tests.sharing_past import a_platform, pool, shared, takes

pytestmark = pytest.mark.both_databases

FEBRUARY, MARCH = date(2026, 2, 1), date(2026, 3, 1)
START, END = month_bounds(MARCH, PARIS)
MOVED = START + 240 * HOUR
KWH = 3_600_000_000
KG = 1_000_000_000
HOST = m.stable_id("srv-01")


@pytest.fixture
def database(database: Database) -> Database:
    with database.write(Operator()) as session:
        an_adherent(session, 7, "CH de Foix")
    return database


def lines(session: Session, **wanted: object) -> Sequence[b.MonthLine]:
    row = b.MonthLine
    found = session.scalars(select(row).where(row.revision == 0).order_by(row.month, row.since)).all()
    return [one for one in found if all(getattr(one, name) == value for name, value in wanted.items())]


def two_metered_sites(session: Session) -> None:
    """Toulouse takes as much again as its IT, Amiens half as much."""
    for site, total in (("tls", 2000), ("ami", 1500)):
        a_meter(session, site, MARCH, Quantity.IT, 1000 * KWH, category=3)
        a_meter(session, site, MARCH, Quantity.TOTAL, total * KWH)


def moved_to_amiens(session: Session, at: datetime = MOVED) -> None:
    """The host stands in Amiens and told so; until an instant it stood in Toulouse."""
    put(session, HOST, "tls", START - timedelta(days=300), at, now=NOW)


def test_hours_before_the_move_keep_their_site_and_what_it_takes(database: Database) -> None:
    with database.write(Operator()) as session:
        two_metered_sites(session)
        claim(session, 7, "payroll", "srv-01")
        a_host(session, "srv-01", site="ami")
        hours_of(session, "srv-01", MOVED - 3 * HOUR, 8, {"payroll": KWH})
        moved_to_amiens(session)
        reckon_all(session)
        own = lines(session, tenant_id=7)
        priced = session.scalars(select(b.CarbonLine).where(b.CarbonLine.tenant_id == 7)).all()

        assert [(one.site, one.since, one.hours) for one in own] == [("tls", START, 3), ("ami", MOVED, 5)]
        assert [one.overhead_mj for one in own] == [3 * KWH, 5 * KWH // 2]
        assert {(one.since, one.covered_mj) for one in priced if one.basis == "yearly_average"} == {
            (START, 6 * KWH),
            (MOVED, 5 * KWH * 3 // 2),
        }
        assert hosts_energy(session, "tls", START, END) == 3 * KWH
        assert hosts_energy(session, "ami", START, END) == 5 * KWH
        for site, total in (("tls", 2000), ("ami", 1500)):
            assert (
                sum(one.energy_mj + (one.overhead_mj or 0) for one in lines(session, site=site))
                == total * KWH
            )


def test_the_grid_of_an_hour_is_that_of_where_it_was_spent(database: Database) -> None:
    with database.write(Operator()) as session:
        claim(session, 7, "payroll", "srv-01")
        a_host(session, "srv-01", site="ami")
        hours_of(session, "srv-01", MOVED - HOUR, 2, {"payroll": KWH})
        intensity(session, MOVED - HOUR, 1, 20_000)
        intensity(session, MOVED, 1, 50_000)
        moved_to_amiens(session)
        reckon_all(session)
        row = b.CarbonLine
        found = session.scalars(
            select(row.carbon_ug).where(row.tenant_id == 7, row.basis == "hourly_direct").order_by(row.since)
        ).all()
    assert list(found) == [20_000_000, 50_000_000]


def test_a_move_that_is_told_late_changes_the_months_since_and_none_before(database: Database) -> None:
    with database.write(Operator()) as session:
        two_metered_sites(session)
        claim(session, 7, "payroll", "srv-01")
        a_host(session, "srv-01", site="ami")
        hours_of(session, "srv-01", START - 5 * HOUR, 10, {"payroll": KWH})
        reckon_all(session)
        before = {one.month: one.energy_mj for one in lines(session, tenant_id=7)}
        put(session, HOST, "tls", START + 2 * HOUR, START + 4 * HOUR, now=NOW)
        reckon_all(session, NOW + HOUR)
        after = lines(session, tenant_id=7)

        assert [(one.month, one.site, one.hours) for one in after] == [
            (FEBRUARY, "ami", 5),
            (MARCH, "ami", 2),
            (MARCH, "tls", 2),
            (MARCH, "ami", 1),
        ]
        assert [one.reckoned_at for one in after] == [NOW, *3 * [NOW + HOUR]]
        assert sum(one.energy_mj for one in after[1:]) == before[MARCH]
        assert check_months(session, START, END).holds


def test_a_closed_month_keeps_where_its_hosts_were_thought_to_stand(database: Database) -> None:
    with database.write(Operator()) as session:
        claim(session, 7, "payroll", "srv-01")
        a_host(session, "srv-01", site="ami")
        hours_of(session, "srv-01", START, 4, {"payroll": KWH})
        reckon_all(session)
        close_month(session, 7, MARCH, now=NOW, by="test")
        told = session.get_one(b.CarbonMonth, (7, MARCH, 1)).sha256
        put(session, HOST, "tls", START, MOVED, now=NOW)
        reckon_all(session)
        frozen = session.scalars(
            select(b.MonthLine.site).where(b.MonthLine.tenant_id == 7, b.MonthLine.revision == 1)
        ).all()
        assert list(frozen) == ["ami"]
        assert session.get_one(b.CarbonMonth, (7, MARCH, 1)).sha256 == told
        assert [one.site for one in lines(session, tenant_id=7)] == ["tls"]


def test_what_was_embodied_in_a_host_that_moved_is_on_the_lines_of_both_sites_once(
    database: Database,
) -> None:
    with database.write(Operator()) as session:
        claim(session, 7, "payroll", "srv-01")
        a_host(session, "srv-01", site="ami")
        hours_of(session, "srv-01", MOVED - 30 * HOUR, 40, {"payroll": KWH}, reserved={"payroll": (8000, 1)})
        moved_to_amiens(session)
        a_thing(session, "A-1", host_name="srv-01")
        reckon_all(session)
        of_7 = [one.embodied_ug or 0 for one in lines(session, tenant_id=7)]
        booked = making_of_site(session, "ami", MARCH, technical=False)

        assert of_7[0] == 3 * of_7[1] > 0
        assert making_of_site(session, "tls", MARCH, technical=False) is None
        assert booked is not None
        assert sum(one.embodied_ug or 0 for one in lines(session, month=MARCH)) == booked.embodied_ug


def made_and_on_lines(session: Session, *sites: str) -> tuple[list[int], int]:
    """What is booked in March of making what stands on sites, and what lines of the month carry of it."""
    made = [making_of_site(session, site, MARCH, technical=False) for site in sites]
    carried = sum(one.embodied_ug or 0 for one in lines(session, month=MARCH))
    return [0 if one is None else one.embodied_ug for one in made], carried


def test_the_making_of_a_host_that_comes_from_another_calendar_is_booked_once(database: Database) -> None:
    with database.write(Operator()) as session:
        reunion = s.Site(code="run", name="Saint-Denis", zone="Indian/Reunion", country="FRA", grid_zone="RE")
        session.add(reunion)
        session.flush()
        two_metered_sites(session)
        claim(session, 7, "payroll", "srv-01")
        a_host(session, "srv-01", site="tls")
        hours_of(session, "srv-01", END - 9 * HOUR, 12, {"payroll": KWH})
        put(session, HOST, "run", START - 9 * HOUR, END - 5 * HOUR, now=NOW)
        a_thing(session, "A-1", host_name="srv-01")
        reckon_all(session)
        booked, carried = made_and_on_lines(session, "tls", "run")
        held = session.scalars(select(q.WorkloadMonth.hours).where(q.WorkloadMonth.hours > 0)).all()

    assert sum(booked) == booked[0] == carried > 0
    assert sorted(held) == [3, 3, 9, 9]  # nothing of the last two hours of March is lost, nor told twice


def test_a_host_that_says_nowhere_where_it_stands_has_its_making_once(database: Database) -> None:
    with database.write(Operator()) as session:
        two_metered_sites(session)
        claim(session, 7, "payroll", "srv-01")
        a_host(session, "srv-01", site=None)
        hours_of(session, "srv-01", START, 4, {"payroll": KWH})
        a_thing(session, "A-1", host_name="srv-01", site="ami")
        a_thing(session, "A-2", kg=60, site="ami")
        reckon_all(session)
        unplaced = made_and_on_lines(session, "tls", "ami")
        own = [(one.site, one.embodied_ug) for one in lines(session, tenant_id=7)]
        put(session, HOST, "tls", START, None, now=NOW)
        reckon_all(session)
        placed = made_and_on_lines(session, "tls", "ami")

    assert own == [(None, 20 * KG)]
    assert unplaced == ([0, 21 * KG], 21 * KG)
    assert placed == ([20 * KG, KG], 21 * KG)


def test_a_host_that_was_elsewhere_in_a_month_in_which_it_told_nothing_took_its_making_along(
    database: Database,
) -> None:
    with database.write(Operator()) as session:
        two_metered_sites(session)
        a_host(session, "srv-01", site="tls")
        hours_of(session, "srv-01", START - 40 * HOUR, 4, {"payroll": KWH})
        a_thing(session, "A-1", host_name="srv-01")
        reckon_all(session)
        before = {one.site: one.embodied_ug for one in lines(session, month=MARCH, kind=LineKind.SITE_REST)}
        put(session, HOST, "ami", START - 30 * HOUR, NOW, now=NOW)
        reckon_all(session)
        after = {one.site: one.embodied_ug for one in lines(session, month=MARCH, kind=LineKind.SITE_REST)}

    assert (before.get("tls"), before.get("ami")) == (20 * KG, None)
    assert (after.get("tls"), after.get("ami")) == (None, 20 * KG)


def test_a_platform_that_comes_within_a_stretch_is_in_the_same_shares_as_what_was_there(
    database: Database,
) -> None:
    with database.write(Operator()) as session:
        two_metered_sites(session)
        takes(session, 7)
        a_platform(session, MOVED - 2 * HOUR, 4, 1000, host="srv-01", site="tls")
        a_platform(session, START, 3, 100, host="srv-02", workload="shared-web", site="ami")
        put(session, HOST, "ami", MOVED, MOVED + 40 * HOUR, now=NOW)
        reckon_all(session)
        whole = [(one.site, one.since, one.energy_mj) for one in pool(session)]
        shares = [(one.site, one.since, one.energy_mj) for one in shared(session)]

    assert whole == [("ami", START, 300), ("tls", START, 2000), ("ami", MOVED, 2000)]
    assert shares == [("ami", START, 2300), ("tls", START, 2000)]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(("tls", "ami")), st.integers(0, 70), st.integers(1, 40)), max_size=4),
    st.integers(1, KWH),
    st.booleans(),
)
def test_wherever_hosts_stood_every_hour_is_on_one_line_and_every_site_adds_up(
    database: Database, told: list[tuple[str, int, int]], used_mj: int, technical: bool
) -> None:
    with database.write(Operator()) as session:
        two_metered_sites(session)
        claim(session, 7, "payroll", "srv-01")
        a_host(session, "srv-01", site="ami")
        hours_of(session, "srv-01", START, 80, {"payroll": used_mj, "other": 17}, kept_mj=5)
        hours_of(session, "srv-02", START, 80, {"web": 999})
        a_thing(session, "A-1", host_name="srv-01")
        a_thing(session, "A-2", host_name="srv-02", kg=333)
        if technical:
            a_thing(session, "UPS", EquipmentKind.UPS, site="tls", kg=501)
            a_thing(session, "Cooling", EquipmentKind.COOLING, site="ami", kg=77)
        reckon_all(session)
        for site, since, length in told:
            put(session, HOST, site, START + since * HOUR, START + (since + length) * HOUR, now=NOW)
            reckon_all(session)

        known = whereabouts(session, [HOST])[HOST]
        there = [hour for hour in hours_between(START, START + 80 * HOUR) if known.at(hour) == "ami"]
        own = lines(session, tenant_id=7)
        assert sum(one.energy_mj for one in own) == 80 * used_mj
        assert sum(one.energy_mj for one in own if one.site == "ami") == len(there) * used_mj
        for site, total in (("tls", 2000), ("ami", 1500)):
            of_site = lines(session, site=site)
            assert sum(one.energy_mj + (one.overhead_mj or 0) for one in of_site) == total * KWH
        whole = [making_of_site(session, site, MARCH, technical=False) for site in ("tls", "ami")]
        for name in EMBODIED:
            on_lines = sum(getattr(one, name) or 0 for one in lines(session, month=MARCH))
            assert on_lines == sum(one.amounts[name] or 0 for one in whole if one is not None)
        assert check_months(session, START, END).holds
        session.rollback()


def heard(session: Session, site: str | None, start: datetime, minutes: int = 2, first: int = 1) -> None:
    told = [
        reading(first + place, measured(60_000), started_at=start + timedelta(minutes=place))
        for place in range(minutes)
    ]
    envelope = replace(batch(*told), facts=Facts(site=site))
    ingest(session, envelope, now=start + timedelta(hours=1))


def sites(session: Session) -> tuple[list[tuple[str, datetime]], str | None]:
    known = whereabouts(session, [HOST])[HOST]
    return [(one.site, one.until) for one in known.stays], known.now


def test_an_agent_that_tells_another_site_has_moved_its_host_from_its_first_hour_there(
    database: Database,
) -> None:
    with database.write(Operator()) as session:
        heard(session, None, START)
        assert sites(session) == ([], None)
        heard(session, "tls", START + HOUR, first=10)
        assert sites(session) == ([], "tls")  # what nobody said before
        heard(session, "ami", START + 7 * HOUR + timedelta(minutes=20), first=20)
        assert sites(session) == ([("tls", START + 7 * HOUR)], "ami")
        heard(session, None, START + 9 * HOUR, first=30)
        assert sites(session) == ([("tls", START + 7 * HOUR)], "ami")


def test_readings_that_come_late_and_tell_another_site_speak_of_their_own_hours(database: Database) -> None:
    with database.write(Operator()) as session:
        heard(session, "tls", START + 20 * HOUR, first=100)
        heard(session, "ami", START + 3 * HOUR, first=1)
        assert sites(session) == ([("tls", START + 3 * HOUR), ("ami", START + 4 * HOUR)], "tls")


def test_the_same_batch_again_moves_nothing(database: Database) -> None:
    with database.write(Operator()) as session:
        heard(session, "tls", START)
        heard(session, "ami", START + 5 * HOUR, first=10)
        heard(session, "tls", START + 9 * HOUR, first=20)
        before = sites(session)
        heard(session, "ami", START + 5 * HOUR, first=10)
        assert sites(session) == before


def test_lines_of_a_host_that_says_late_where_it_stands_come_to_its_site(database: Database) -> None:
    with database.write(Operator()) as session:
        claim(session, 7, "payroll", "srv-01")
        a_host(session, "srv-01", site=None)
        hours_of(session, "srv-01", START, 4, {"payroll": KWH})
        reckon_all(session)
        assert [one.site for one in lines(session, tenant_id=7)] == [None]
        put(session, HOST, "tls", START + HOUR, None, now=NOW)
        reckon_all(session)
        assert [(one.site, one.since) for one in lines(session, tenant_id=7)] == [("tls", START)]


REFUSED = {
    "no such site": ("cas", START, MOVED, "site"),
    "not a whole hour": ("tls", START + timedelta(minutes=1), MOVED, "since"),
    "to come": ("tls", START, NOW + HOUR, "until"),
    "the end before the beginning": ("tls", MOVED, START, "until"),
    "what its agent contradicts": ("tls", START, None, "until"),
}


@pytest.mark.parametrize(("site", "since", "until", "field"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused(
    database: Database, site: str, since: datetime, until: datetime | None, field: str
) -> None:
    with database.write(Operator()) as session:
        a_host(session, "srv-01", site="ami")
        with pytest.raises(Invalid) as refused:
            put(session, HOST, site, since, until, now=NOW)
        assert refused.value.field == field
        assert sites(session) == ([], "ami")
