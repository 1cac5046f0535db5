"""What counts beside the other sources of a host, and the hosts of a site beside its meter."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from console.domain.access import Role
from console.domain.hours import HOUR, day_bounds, hour_of
from console.domain.reconciliation import Compared, Verdict, holds_the_same
from console.store.models import measurement as m
from console.store.queries.reconciliation import (
    ComparedSource,
    host_reconciled,
    reconciled,
    site_reconciled,
)
from console.store.session import Database, Operator
from tests import fleet, given
from tests.browser import Browser
from tests.fleet import Told

SignIn = Callable[..., Browser]
PARIS = ZoneInfo("Europe/Paris")
TENTH = Fraction(1, 10)
NOW = datetime.now(UTC)
NOON = hour_of(NOW) - 6 * HOUR  # the end of what the hosts told
WH = 3_600_000


@pytest.fixture
def told(database: Database) -> Database:
    """Three hours of three hosts: the outlet and the board agree on one, and differ on another."""
    with database.write(Operator()) as session:
        given.an_adherent(session, 11, "CH de Foix")
        said = {"hours": 3, "until": NOON}
        fleet.heard(session, Told("srv-close", {"pdu": 310, "redfish": 300, "rapl": 200}), **said)
        fleet.heard(session, Told("srv-far", {"pdu": 300, "redfish": 240}), **said)
        fleet.heard(session, Told("srv-alone", {"redfish": 100}, site="ami"), **said)
    return database


def found(database: Database, hours: int = 3) -> dict[tuple[str, str], ComparedSource]:
    with database.read(Operator()) as session:
        page = reconciled(session, NOON - hours * HOUR, NOON, TENTH, now=NOW)
    return {(one.host, one.instrument.name): one for one in page.sources.rows}


@pytest.mark.both_databases
def test_each_source_stands_beside_what_counts_over_the_hours_that_both_cover(told: Database) -> None:
    sources = found(told)
    board, chips = sources["srv-close", "redfish"], sources["srv-close", "rapl"]
    assert board.energies == Compared(3 * 300 * WH, 3 * 310 * WH)
    assert (board.compared, board.hours, board.verdict) == (3, 3, Verdict.CLOSE)
    assert chips.energies.difference_mj == -3 * 110 * WH
    assert chips.verdict is Verdict.OTHER_BOUNDARY
    assert sources["srv-far", "redfish"].verdict is Verdict.FAR
    assert sources["srv-far", "redfish"].energies.share == Fraction(-1, 5)
    assert not [key for key in sources if key[1] == "pdu" or key[0] == "srv-alone"]
    assert next(iter(sources)) == ("srv-far", "redfish")


def test_an_hour_that_one_side_did_not_cover_alike_is_not_compared(database: Database) -> None:
    with database.write(Operator()) as session:
        given.an_adherent(session, 11, "CH de Foix")
        fleet.heard(session, Told("srv-01", {"pdu": 300, "redfish": 290}), hours=1, until=NOON - HOUR)
        late = Told("srv-01", {"pdu": 300})
        fleet.heard(session, late, hours=0, until=NOON - HOUR / 2)
        both = Told("srv-01", {"pdu": 300, "redfish": 290})
        fleet.heard(session, both, hours=0, until=NOON - HOUR / 6)
    (source,) = found(database, hours=2).values()
    assert source.compared == 1
    assert source.energies == Compared(290 * WH, 300 * WH)


@pytest.mark.parametrize(
    ("energy_mj", "reference_mj", "same", "verdict"),
    [
        (100, 100, True, Verdict.CLOSE),
        (110, 100, True, Verdict.CLOSE),
        (111, 100, True, Verdict.FAR),
        (89, 100, True, Verdict.FAR),
        (50, 100, False, Verdict.OTHER_BOUNDARY),
        (None, 100, True, Verdict.UNKNOWN),
        (100, None, True, Verdict.UNKNOWN),
        (100, 0, True, Verdict.UNKNOWN),
    ],
)
def test_a_difference_is_judged_by_its_share_of_what_counts(
    energy_mj: int | None, reference_mj: int | None, same: bool, verdict: Verdict
) -> None:
    assert Compared(energy_mj, reference_mj).verdict(TENTH, same_boundary=same) is verdict


def test_a_plug_and_the_input_of_a_server_hold_the_same_and_packages_do_not() -> None:
    assert holds_the_same("pdu", "server_input")
    assert holds_the_same("package+dram", "package+dram")
    assert not holds_the_same("package+dram", "server_input")


@pytest.mark.both_databases
def test_the_hosts_of_a_site_stand_beside_its_meter_with_their_coverage(told: Database) -> None:
    with told.write(Operator()) as session:
        fleet.a_meter(session, "tls", NOON - 3 * HOUR, NOON, 1_500 * WH)
        fleet.a_meter(session, "tls", NOON - 3 * HOUR, NOON, 700 * WH, meter="annexe")
        fleet.a_meter(session, "ami", NOON - 6 * HOUR, NOON, 200 * WH, category=3)
        alone = Told("srv-alone", {"redfish": 100}, site="ami")
        fleet.heard(session, alone, hours=1, until=NOON - 5 * HOUR)  # and then two hours of silence
    with told.read(Operator()) as session:
        page = reconciled(session, NOON - 3 * HOUR, NOON, TENTH, now=NOW)
    ami, tls = page.sites
    assert (tls.meters, tls.hosts, tls.covered) == (2, 2, Fraction(1))
    assert tls.energies == Compared(3 * 610 * WH, 2_200 * WH)
    assert not tls.excess
    assert (ami.covered, ami.energies.difference_mj) == (Fraction(2, 3), 200 * WH)
    assert ami.excess


def test_a_meter_without_hosts_or_off_the_hours_is_unknown_and_not_zero(told: Database) -> None:
    start, end = NOON - 3 * HOUR, NOON
    with told.write(Operator()) as session:
        fleet.a_meter(session, "tls", start + timedelta(minutes=7), end, 1_500 * WH)
        fleet.a_meter(session, "ami", start - 30 * HOUR, start - 20 * HOUR, 1_500 * WH)
    with told.read(Operator()) as session:
        (off,) = site_reconciled(session, "tls", start, end).readings
        (before,) = site_reconciled(session, "ami", start - 40 * HOUR, end).readings
    assert (off.energies.energy_mj, off.energies.share, off.covered) == (None, None, None)
    assert before.energies.energy_mj is None
    assert before.energies.difference_mj is None


def test_the_days_of_a_host_follow_one_source(told: Database) -> None:
    today = NOON.astimezone(PARIS).date()
    start, end = day_bounds(today - timedelta(days=1), PARIS)[0], day_bounds(today, PARIS)[1]
    with told.read(Operator()) as session:
        host_id = m.stable_id("srv-close")
        page = host_reconciled(session, host_id, start, end, TENTH, PARIS, "rapl")
    assert page.chosen is not None
    assert page.chosen.instrument.name == "rapl"
    assert len(page.days) == 2
    assert sum(day.hours for day in page.days) == 3
    assert sum(day.energies.energy_mj or 0 for day in page.days) == 3 * 200 * WH
    unknown = [day for day in page.days if not day.hours]
    assert all(day.energies.energy_mj is None for day in unknown)


def test_the_pages_show_the_differences_and_the_file_holds_them(told: Database, sign_in_as: SignIn) -> None:
    ops = sign_in_as(Role.OPS)
    with told.write(Operator()) as session:
        fleet.a_meter(session, "tls", NOON - 3 * HOUR, NOON, 2_000 * WH)
    days = f"first={NOW.date() - timedelta(days=2)}&last={NOW.date() + timedelta(days=1)}"
    page = ops.get(f"/fleet/reconciliation?{days}").text.replace("\N{NO-BREAK SPACE}", " ")
    assert "écart à expliquer" in page
    assert "autre périmètre" in page
    assert "1 écart à expliquer" in page
    assert "Toulouse" in page
    assert "srv-close" not in ops.get(f"/fleet/reconciliation?only=far&{days}").text
    assert "écart à expliquer" not in re.sub(
        r"Écart à expliquer", "", ops.get(f"/fleet/reconciliation?percent=50&{days}").text
    )
    table = ops.get(f"/fleet/reconciliation.csv?{days}").data.decode("utf-8-sig")
    head, *rows = csv.reader(io.StringIO(table), delimiter=";")
    far = dict(zip(head, rows[0], strict=True))
    assert (far["Hôte"], far["Écart (%)"], far["Constat"]) == ("srv-far", "-20,0", "écart à expliquer")
    of_host = ops.get(f"/fleet/reconciliation/hosts/{m.stable_id('srv-close')}?source=redfish&{days}").text
    assert "en plus" in of_host
    assert "Écart de chaque jour" in of_host
    assert "2 hôtes" in ops.get(f"/fleet/reconciliation/sites/tls?{days}").text
    assert ops.get("/fleet/reconciliation/sites/nowhere").status_code == 404
    assert ops.get("/fleet/reconciliation/hosts/7").status_code == 404


def test_a_period_or_a_threshold_that_cannot_be_is_refused(sign_in_as: SignIn) -> None:
    ops = sign_in_as(Role.OPS)
    periods = ("first=hier", "first=2026-02-02&last=2026-02-01", "first=2020-01-01")
    for asked in (*periods, "percent=0", "percent=x", "percent=101"):
        assert ops.get(f"/fleet/reconciliation?{asked}").status_code == 422, asked
