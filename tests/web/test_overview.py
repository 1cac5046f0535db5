"""The first page: figures that add up, steps ticked from the data, a banner when energy is modelled."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from console.actions.ingest import ingest
from console.actions.metering import hours_due, meter_hour
from console.domain.access import Role
from console.store.models import directory as d
from console.store.queries.energy_so_far import modelled_since
from console.store.queries.first_steps import steps
from console.store.queries.overview import fleet, portfolio
from console.store.session import Database, Operator, ScopedSession, Tenants
from tests import given
from tests.browser import Browser
from tests.given import NOW
from tests.readings import batch, modelled, reading

SignIn = Callable[..., Browser]
MORNING = NOW - timedelta(hours=2)
TODAY = date(2026, 11, 25)
ZONE = "Europe/Paris"
SILENT_AFTER = timedelta(minutes=3)


@pytest.fixture
def metered(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, 2, "CH de Foix")
        given.an_adherent(session, 3, "CHU de Nulle-Part")
        given.a_metered_morning(session, MORNING, payroll=2)
    return database


def a_modelled_minute(session: ScopedSession, started_at: datetime) -> None:
    minute = reading(1, modelled(60_000), started_at=started_at, nginx=1_000)
    ingest(session, batch(minute, host="vm-01"), now=started_at + timedelta(hours=1))
    now = started_at + timedelta(hours=1)
    for host_id, hour in hours_due(session, now=now):
        meter_hour(session, host_id, hour, now=now)


def test_the_fleet_adds_up_what_the_portfolios_see_of_it(metered: Database) -> None:
    with metered.read(Operator()) as session:
        whole = fleet(session, TODAY, ZONE, now=NOW, silent_after=SILENT_AFTER)
    with metered.read(Tenants(frozenset({2}))) as session:
        own = portfolio(session, TODAY, ZONE, now=NOW)
    with metered.read(Tenants(frozenset({3}))) as session:
        other = portfolio(session, TODAY, ZONE, now=NOW)
    assert whole.today.energy_mj == whole.today.measured_mj == 600_000
    assert [(line.workload, line.adherent) for line in whole.workloads] == [
        ("payroll", "CH de Foix"),
        ("nginx", None),
    ]
    assert own.today.energy_mj == whole.workloads[0].energy_mj
    assert own.month.energy_mj == own.today.energy_mj
    assert own.today.carbon_ug == own.month.carbon_ug
    assert (other.today.energy_mj, other.today.carbon_ug, other.month.energy_mj) == (None, None, None)
    assert [line.name for line in own.adherents] == ["CH de Foix"]


def test_carbon_of_the_day_is_unknown_while_the_month_is_behind(metered: Database) -> None:
    with metered.write(Operator()) as session:
        a_modelled_minute(session, MORNING + timedelta(minutes=20))
        seen = fleet(session, TODAY, ZONE, now=NOW, silent_after=SILENT_AFTER)
    assert seen.today.energy_mj == 660_000
    assert seen.today.carbon_ug is None
    assert seen.month.energy_mj == 600_000


def test_a_host_is_silent_after_the_delay(metered: Database) -> None:
    heard_at = MORNING + timedelta(hours=1)
    with metered.read(Operator()) as session:
        for now, silent in (
            (heard_at + SILENT_AFTER, 0),
            (heard_at + SILENT_AFTER + timedelta(seconds=1), 1),
        ):
            seen = fleet(session, TODAY, ZONE, now=now, silent_after=SILENT_AFTER)
            assert (seen.hosts, seen.silent) == (1, silent)
            assert [host.silent for host in seen.listed_hosts] == [bool(silent)]


def test_steps_are_ticked_from_the_data(database: Database) -> None:
    with database.write(Operator()) as session:
        assert (steps(session).done, steps(session).all) == (0, 7)
        given.an_adherent(session, 2, "CH de Foix")
        assert (steps(session).adherent, steps(session).done) == (2, 2)
        given.a_metered_morning(session, MORNING, payroll=2)
        given.an_open_incident(session, 2, "Disque plein")
        given.a_statement(session, 2)
        assert steps(session).done == 6
        session.add(
            d.DirectorySite(
                finess_et="090000001",
                finess_ej="090000002",
                name="CH",
                category="355",
                legal_status="13",
                department="09",
                town="Foix",
                source="test",
                as_of=date(2024, 12, 31),
            )
        )
        session.flush()
        assert steps(session).done == steps(session).all


def test_modelled_energy_shows_to_those_who_carry_it_and_only_lately(metered: Database) -> None:
    with metered.write(Operator()) as session:
        assert not modelled_since(session, MORNING - timedelta(days=1), of_fleet=True)
        a_modelled_minute(session, MORNING)
        assert modelled_since(session, MORNING - timedelta(hours=1), of_fleet=True)
        assert not modelled_since(session, MORNING + timedelta(hours=1), of_fleet=True)
    with metered.read(Tenants(frozenset({2}))) as session:
        assert not modelled_since(session, MORNING - timedelta(days=1), of_fleet=False)


def test_every_page_says_that_energy_is_modelled(database: Database, sign_in_as: SignIn) -> None:
    ops = sign_in_as(Role.OPS)
    for address in ("/", "/energy", "/statements", "/account"):
        assert "Énergie modélisée." not in ops.get(address).text
    with database.write(Operator()) as session:
        given.an_adherent(session, 2, "CH de Foix")
        a_modelled_minute(session, datetime.now(UTC) - timedelta(minutes=70))
    for address in ("/", "/energy", "/statements", "/account"):
        assert "Énergie modélisée." in ops.get(address).text


def test_a_new_installation_is_told_its_first_steps(sign_in_as: SignIn) -> None:
    page = sign_in_as(Role.ADMINISTRATOR).get("/").text
    assert "0 sur 7" in page
    assert "console import sae FICHIER" in page
    assert 'href="/adherents/directory"' in page
    assert "inconnu" in page


def test_the_live_part_is_a_fragment_that_asks_for_itself(sign_in_as: SignIn) -> None:
    answer = sign_in_as(Role.OPS).fragment("/overview/live")
    assert answer.text.lstrip().startswith('<div id="live" hx-get="/overview/live" hx-trigger="every 30s"')
    assert "<html" not in answer.text
