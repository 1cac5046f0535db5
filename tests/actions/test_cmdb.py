"""What a CMDB says of machines becomes dated claims, and nothing that holds is overwritten unasked."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, event, select

from collectors.reading import Kind, Use
from console.actions.bulk_claims import Holder, claim_one
from console.actions.cmdb import Fate, Planned, Tally, look_at, note_import, take
from console.actions.cmdb_known import known_of
from console.actions.ingest import ingest
from console.actions.metering import hours_due, meter_hour
from console.domain.cmdb_files import read_cmdb
from console.domain.tables import read_csv
from console.store.models import audit as a
from console.store.models import catalogue as c
from console.store.models import contract as k
from console.store.models import measurement as m
from console.store.session import Database, Operator
from tests import given
from tests.readings import MINUTE, batch, measured, reading

FOIX, PAMIERS = 11, 12
MORNING = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
NOW = MORNING + timedelta(hours=3)
HEAD = "host;vm;uid;adhérent;service;à partir du;jusqu'au"
UID = "4211f5a8-7e21-4a0e-9d3a-0a1b2c3d4e5f"


def a_host(session: Any, name: str, stream: str, *machines: tuple[str, str | None]) -> None:
    """Ten minutes of a host on which these virtual machines run."""
    uses = [Use(machine, Kind.VM, 1_000, uid=uid) for machine, uid in machines]
    told = [
        reading(number, measured(60_000, idle_power_mw=0), started_at=MORNING + (number - 1) * MINUTE)
        for number in range(1, 11)
    ]
    told = [replace(one, workloads=tuple(uses), busy_cpu_ms=10_000) for one in told]
    ingest(session, batch(*told, host=name, stream=stream), now=NOW)
    for host_id, hour in hours_due(session, now=NOW):
        meter_hour(session, host_id, hour, now=NOW)


@pytest.fixture
def fleet(database: Database) -> Database:
    """Two hospitals; two hosts, with a machine that ran on both and two machines of one name."""
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
        foix = session.get_one(c.Adherent, FOIX)
        foix.finess_ej, foix.siren = "090780054", "260900234"
        given.a_subscription(session, FOIX)
        given.a_subscription(session, PAMIERS)
        a_host(session, "esx01.mipih.example", "1" * 32, ("web-1", UID), ("db-1", None))
        a_host(session, "esx02", "2" * 32, ("web-1", UID), ("db-1", None), ("mail", None))
    return database


def planned(database: Database, *rows: str, head: str = HEAD) -> list[Planned]:
    file = read_cmdb(read_csv("\n".join([head, *rows]).encode()), date(2026, 11, 1))
    assert file.refusals == []
    with database.read(Operator()) as session:
        return look_at(session, known_of(session), file)


def taken(database: Database, *rows: str, head: str = HEAD) -> list[Planned]:
    """Taken in; the look before it said the same."""
    before = planned(database, *rows, head=head)
    file = read_cmdb(read_csv("\n".join([head, *rows]).encode()), date(2026, 11, 1))
    with database.read(Operator()) as session:
        known = known_of(session)
    done = []
    for row in file.machines:
        with database.write(Operator(), by="ops") as session:
            done.append(take(session, known, row, now=NOW, by="ops"))
    assert [one.fate for one in done] == [one.fate for one in before]
    return done


def fates(done: list[Planned]) -> list[Fate]:
    return [one.fate for one in done]


def claims(database: Database) -> list[tuple[str, int, str, str | None]]:
    """Those that people made: the machine, whose it is, its first day and the day after its last one."""
    row = c.WorkloadClaim
    with database.read(Operator()) as session:
        rows = session.scalars(
            select(row).where(row.follows.is_(None)).order_by(row.workload_name, row.valid_from)
        )
        return [
            (
                one.workload_name,
                one.tenant_id,
                f"{one.valid_from + timedelta(hours=2):%Y-%m-%d}",
                None if one.valid_to is None else f"{one.valid_to + timedelta(hours=2):%Y-%m-%d}",
            )
            for one in rows
        ]


def why(one: Planned) -> str:
    assert one.refusal is not None
    return str(one.refusal)


def test_machines_are_claimed_from_their_day_on_and_again_nothing_changes(fleet: Database) -> None:
    rows = (f";;{UID};11;payroll;2026-11-20;", "esx02;mail;;CH de Pamiers;payroll;;2026-12-31")
    assert fates(taken(fleet, *rows)) == [Fate.CLAIMED, Fate.CLAIMED]
    assert claims(fleet) == [
        ("mail", PAMIERS, "2026-11-01", "2027-01-01"),
        ("web-1", FOIX, "2026-11-20", None),
    ]
    assert fates(taken(fleet, *rows)) == [Fate.UNCHANGED, Fate.UNCHANGED]
    assert len(claims(fleet)) == 2


def test_an_adherent_is_called_by_any_of_its_names(fleet: Database) -> None:
    names = ("11", "090780054", "090 780 054", "260900234", "26090023400019", "CH de Foix", "ch de FOIX")
    for one in planned(fleet, *(f"esx02;mail;;{name};payroll;;" for name in names)):
        assert one.holder_name == "CH de Foix, payroll", one.row.adherent


def test_who_held_a_machine_keeps_it_until_the_day_before(fleet: Database) -> None:
    taken(fleet, "esx02;mail;;11;payroll;2026-11-02;")
    (one,) = taken(fleet, "esx02;mail;;12;payroll;2026-11-20;")
    assert (one.fate, one.before) == (Fate.CHANGED, "CH de Foix, n° 2")
    assert claims(fleet) == [
        ("mail", FOIX, "2026-11-02", "2026-11-20"),
        ("mail", PAMIERS, "2026-11-20", None),
    ]


def test_a_last_day_ends_what_its_holder_has_and_says_so(fleet: Database) -> None:
    taken(fleet, "esx02;mail;;11;payroll;2026-11-02;")
    assert fates(taken(fleet, "esx02;mail;;11;payroll;2026-11-02;2026-11-30")) == [Fate.ENDED]
    assert claims(fleet) == [("mail", FOIX, "2026-11-02", "2026-12-01")]


def test_an_earlier_day_adds_the_days_before_and_moves_none(fleet: Database) -> None:
    taken(fleet, "esx02;mail;;11;payroll;2026-11-20;")
    assert fates(taken(fleet, "esx02;mail;;11;payroll;2026-11-10;")) == [Fate.CLAIMED]
    assert claims(fleet) == [("mail", FOIX, "2026-11-10", "2026-11-20"), ("mail", FOIX, "2026-11-20", None)]


def test_a_claim_that_begins_on_the_day_or_later_is_named_and_kept(fleet: Database) -> None:
    taken(fleet, "esx02;mail;;11;payroll;2026-11-20;")
    for day in ("2026-11-20", "2026-11-10"):
        (one,) = taken(fleet, f"esx02;mail;;12;payroll;{day};")
        assert one.fate is Fate.REFUSED
        assert "CH de Foix, n° 2 depuis le 2026-11-20" in why(one)
    assert claims(fleet) == [("mail", FOIX, "2026-11-20", None)]


def test_a_machine_that_moved_has_one_claim_which_the_import_finds_wherever_it_was_made(
    fleet: Database,
) -> None:
    with fleet.write(Operator(), by="ops") as session:
        workload = session.scalars(select(m.Workload).where(m.Workload.uid == UID)).first()
        assert workload is not None
        host = m.stable_id("esx01.mipih.example")
        holder, day = Holder(FOIX, 2), date(2026, 11, 1)
        claim_one(session, host, workload.workload_id, holder, first_day=day, now=NOW, by="ops")
    assert fates(planned(fleet, f"esx02;web-1;{UID};11;payroll;;")) == [Fate.UNCHANGED]
    assert fates(taken(fleet, f"esx02;web-1;{UID};12;payroll;2026-11-10;")) == [Fate.CHANGED]
    assert [one[1] for one in claims(fleet)] == [FOIX, PAMIERS]


def test_a_machine_may_serve_all_subscribers_of_a_service(fleet: Database) -> None:
    assert fates(taken(fleet, "esx02;mail;;partagé;payroll;;")) == [Fate.CLAIMED]
    assert fates(taken(fleet, "esx02;mail;;partagé;payroll;;")) == [Fate.UNCHANGED]
    assert fates(taken(fleet, "esx02;mail;;12;payroll;2026-11-10;")) == [Fate.CHANGED]
    with fleet.read(Operator()) as session:
        (shared,) = session.scalars(select(k.ServiceClaim)).all()
        assert shared.valid_to is not None


def test_a_machine_that_no_host_has_told_of_waits_for_another_import(fleet: Database) -> None:
    rows = ("esx02;new-vm;;11;payroll;;", ";;0000-unknown;11;payroll;;")
    assert fates(taken(fleet, *rows)) == [Fate.UNSEEN, Fate.UNSEEN]
    with fleet.write(Operator()) as session:
        a_host(session, "esx03", "3" * 32, ("new-vm", None))
    assert fates(planned(fleet, "esx03;new-vm;;11;payroll;;")) == [Fate.CLAIMED]


def test_what_is_not_known_is_refused_with_its_name(fleet: Database) -> None:
    wrong = {
        "esx09;mail;;11;payroll;;": "esx09",
        ";db-1;;11;payroll;;": "esx01.mipih.example, esx02",
        "esx02;mail;;CH de Lavelanet;payroll;;": "CH de Lavelanet",
        "esx02;mail;;11;rien;;": "pas cette souscription",
        "esx02;mail;;11;99;;": "pas cette souscription",
        "esx02;mail;;11;;;": "souscription est attendue",
        "esx02;mail;;partagé;rien;;": "catalogue",
        "esx02;mail;;11;payroll;2025-01-01;": "ne commence que le 2026-01-01",
    }
    for one, said in zip(taken(fleet, *wrong), wrong.values(), strict=True):
        assert one.fate is Fate.REFUSED
        assert said in why(one)
    assert claims(fleet) == []


def test_a_host_is_called_with_or_without_its_domain(fleet: Database) -> None:
    for host in ("esx01", "ESX01.mipih.example"):
        (one,) = planned(fleet, f"{host};db-1;;11;payroll;;")
        assert (one.fate, one.host) == (Fate.CLAIMED, "esx01.mipih.example")


def test_a_machine_of_the_same_name_with_another_uid_is_another_one(fleet: Database) -> None:
    rows = ("esx02;web-1;0000-other;11;payroll;;", "esx02;mail;0000-other;11;payroll;;")
    assert fates(planned(fleet, *rows)) == [Fate.UNSEEN, Fate.CLAIMED]  # nobody told the uid of mail


def test_two_rows_of_one_machine_agree_or_the_second_is_refused(fleet: Database) -> None:
    first, second, third = planned(
        fleet,
        "esx02;mail;;11;payroll;2026-11-01;2026-11-10",
        "esx02;mail;;12;payroll;2026-11-05;",
        "esx02;mail;;12;payroll;2026-11-11;",
    )
    assert fates([first, second, third]) == [Fate.CLAIMED, Fate.REFUSED, Fate.CLAIMED]
    assert "ligne 2" in why(second)


def test_many_rows_cost_no_more_statements_than_few(fleet: Database) -> None:
    count = 0

    def add(*_told: object) -> None:
        nonlocal count
        count += 1

    costs = []
    for rows in (2, 40):
        count = 0
        event.listen(Engine, "before_cursor_execute", add)
        planned(fleet, *["esx02;mail;;11;payroll;;"] * rows)
        event.remove(Engine, "before_cursor_execute", add)
        costs.append(count)
    assert costs[0] == costs[1]


def test_a_file_that_came_in_is_written_down(fleet: Database) -> None:
    done = taken(fleet, "esx02;mail;;11;payroll;;", "esx09;mail;;11;payroll;;")
    with fleet.write(Operator(), by="ops") as session:
        note_import(session, "cmdb.csv", Tally().count(done))
    with fleet.read(Operator()) as session:
        entry = session.scalars(select(a.AuditEntry).where(a.AuditEntry.kind == "cmdb.imported")).one()
        assert entry.subject == "claims/cmdb.csv"


@pytest.mark.parametrize("zone", ["Indian/Reunion", "America/Martinique"])
def test_a_machine_that_goes_to_a_holder_of_another_zone_changes_hands_at_one_instant(
    fleet: Database, zone: str
) -> None:
    with fleet.write(Operator()) as session:
        session.get_one(c.Adherent, PAMIERS).zone = zone
    assert fates(taken(fleet, f";;{UID};11;payroll;2026-11-01;")) == [Fate.CLAIMED]
    assert fates(taken(fleet, f";;{UID};12;payroll;2026-11-20;")) == [Fate.CHANGED]
    row = c.WorkloadClaim
    with fleet.read(Operator()) as session:
        made = session.scalars(select(row).where(row.follows.is_(None)).order_by(row.valid_from)).all()
    midnight = datetime(2026, 11, 20, tzinfo=ZoneInfo(zone))
    assert [(one.tenant_id, one.valid_to) for one in made] == [(FOIX, midnight), (PAMIERS, None)]
    assert made[1].valid_from == midnight
    assert fates(taken(fleet, f";;{UID};12;payroll;2026-11-20;")) == [Fate.UNCHANGED]


def test_the_last_day_of_who_hands_over_to_an_earlier_zone_changes_nothing(fleet: Database) -> None:
    with fleet.write(Operator()) as session:
        session.get_one(c.Adherent, PAMIERS).zone = "Indian/Reunion"
    rows = (f";;{UID};11;payroll;2026-11-01;2026-11-19", f";;{UID};12;payroll;2026-11-20;")
    taken(fleet, rows[0])
    taken(fleet, rows[1])
    assert fates(taken(fleet, *rows)) == [Fate.UNCHANGED, Fate.UNCHANGED]


def test_the_look_before_refuses_what_no_claim_can_begin_at(fleet: Database) -> None:
    with fleet.write(Operator()) as session:
        session.get_one(c.Adherent, PAMIERS).zone = "Pacific/Marquesas"  # half an hour off the others
    (one,) = taken(fleet, f";;{UID};12;payroll;2026-11-20;")
    assert "heure ronde" in why(one)
