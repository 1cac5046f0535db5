"""What the fleet draws now, by the rules of the ledger, from figures that are fresh."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from console.domain.access import Role
from console.domain.hours import HOUR, hour_of
from console.store.models import fleet as f
from console.store.models import measurement as m
from console.store.queries.live_power import live_power
from console.store.session import Database, Operator
from tests import fleet, given
from tests.browser import Browser
from tests.fleet import Told

SignIn = Callable[..., Browser]


@pytest.fixture
def drawing(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, 11, "CH de Foix")
        fleet.heard(session, Told("srv-01", {"redfish": 300, "rapl": 200}, cluster="esx-a"), hours=1)
        fleet.heard(session, Told("srv-02", {"model": 100}, cluster="esx-a"), hours=1)
        fleet.heard(session, Told("srv-03", {"rapl": 150, "nvml": 250}, site="ami"), hours=1)
        fleet.heard(session, Told("srv-04", {}, site="ami"), hours=1)
        fleet.heard(session, Told("srv-05", {"redfish": 900}), hours=1, until=datetime.now(UTC) - HOUR)
        fleet.heard(session, Told("srv-06", {"redfish": 900}), hours=1)
        session.get_one(m.Host, m.stable_id("srv-06")).retired_at = datetime.now(UTC)
    return database


def now_of(database: Database) -> dict[str, tuple[str | None, int | None]]:
    with database.read(Operator()) as session:
        seen = live_power(session, now=datetime.now(UTC))
    return {one.name: (one.instrument and one.instrument.name, one.power_mw) for one in seen.hosts}


def test_the_strongest_fresh_instrument_tells_the_power_and_cards_are_added_to_packages(
    drawing: Database,
) -> None:
    assert now_of(drawing) == {
        "srv-01": ("redfish", 300_000),
        "srv-02": ("model", 100_000),
        "srv-03": ("rapl+nvml", 400_000),
        "srv-04": (None, None),
        "srv-05": (None, None),
    }


def test_a_power_is_of_when_the_instrument_that_counts_told_last(drawing: Database) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    with drawing.write(Operator()) as session:
        for host, name, ago in (("srv-01", "redfish", 3), ("srv-01", "rapl", 1), ("srv-03", "rapl", 2)):
            row = session.get_one(f.HostSource, (m.stable_id(host), name))
            row.last_at = now - timedelta(minutes=ago)
        at = {one.name: one.at for one in live_power(session, now=now).hosts}
    assert at["srv-01"] == now - timedelta(minutes=3)
    assert at["srv-03"] == now - timedelta(minutes=2)  # of the packages, to which the cards are added
    assert at["srv-05"] is None


def test_what_the_operator_declared_and_what_was_calibrated_hold_for_the_power_now(drawing: Database) -> None:
    hour = hour_of(datetime.now(UTC))
    with drawing.write(Operator()) as session:
        session.add(
            f.HostTerms(
                host_id=m.stable_id("srv-01"), valid_from=hour, source="rapl", set_by="ops", set_at=hour
            )
        )
        session.add(
            f.Calibration(
                host_id=m.stable_id("srv-03"),
                source="rapl",
                valid_from=hour,
                reference="redfish",
                boundary="server_input",
                slope_ppm=1_200_000,
                offset_mw=20_000,
                error_ppm=30_000,
                beside_gpu=True,
                intervals=100,
                fitted_from=hour - timedelta(days=7),
                fitted_to=hour,
            )
        )
    found = now_of(drawing)
    assert found["srv-01"] == ("rapl", 200_000)
    assert found["srv-03"] == ("rapl~redfish", 450_000)


def test_the_total_adds_up_what_is_known_and_counts_what_is_not(drawing: Database) -> None:
    with drawing.read(Operator()) as session:
        seen = live_power(session, now=datetime.now(UTC))
        of_site = live_power(session, now=datetime.now(UTC), site="ami")
    assert (seen.total.power_mw, seen.total.known, seen.total.hosts) == (800_000, 3, 5)
    assert seen.total.modelled_mw == 100_000
    assert {one.name: (one.power_mw, one.known, one.hosts) for one in seen.by_site} == {
        "ami": (400_000, 1, 2),
        "tls": (400_000, 2, 3),
    }
    assert [(one.name, one.power_mw) for one in seen.by_cluster] == [("esx-a", 400_000), (None, 400_000)]
    assert (of_site.total.power_mw, of_site.total.hosts) == (400_000, 2)


def test_nothing_known_is_unknown_and_not_zero(database: Database, sign_in_as: SignIn) -> None:
    with database.write(Operator()) as session:
        given.an_adherent(session, 11, "CH de Foix")
        fleet.heard(session, Told("srv-04", {}), hours=1)
    page = sign_in_as(Role.OPS).get("/fleet/live").text
    assert re.search(r"<b>inconnu</b> pour 0 hôtes sur 1", page)
    assert "0 W" not in page.replace("\N{NO-BREAK SPACE}", " ")


def test_the_figures_alone_are_light_and_bring_the_total_with_them(
    drawing: Database, sign_in_as: SignIn
) -> None:
    ops = sign_in_as(Role.OPS)
    page, part = ops.get("/fleet/live").text, ops.fragment("/fleet/live/now").text
    assert page.count("aria-live") == 2  # the messages of every page, and the total
    assert 'data-every="15"' in page
    assert 'hx-get="/fleet/live/now?site=ami"' in ops.get("/fleet/live?site=ami").text
    assert "<html" not in part
    assert 'id="total" hx-swap-oob="innerHTML"' in part
    assert len(part.encode()) < 8_000
