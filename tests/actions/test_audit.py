"""The audit log kept: sealed, purged, redacted, and verified against rows that somebody tampered with."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from alembic import command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Executable, delete, insert, select, text

from console.actions.alerting import Readers
from console.actions.audit import anchor_seals, chains_to_purge, chains_to_seal, purge, redact, seal_months
from console.domain.audit import ChainCheck
from console.domain.claims import OPERATOR_TENANT
from console.domain.errors import Conflict, Invalid, NotFound
from console.jobs import Means, keep_audit
from console.store import schema
from console.store.audit import record
from console.store.models import audit as a
from console.store.models import catalogue as c
from console.store.models import tenant as t
from console.store.queries.audit import chains, hold_still, verify, verify_every
from console.store.session import Database, Operator, Tenants
from tests import given as past

pytestmark = pytest.mark.both_databases

FOIX, PAMIERS = 11, 12
NOW = datetime.now(UTC)
NEXT_MONTH, IN_14_MONTHS = NOW + timedelta(days=32), NOW + timedelta(days=427)


@pytest.fixture
def two(database: Database) -> Database:
    with database.write(Operator()) as session:
        past.an_adherent(session, FOIX, "CH de Foix")
        past.an_adherent(session, PAMIERS, "CH de Pamiers")
    past.a_short_log(database, FOIX, PAMIERS)
    return database


def check(database: Database, tenant_id: int = FOIX) -> ChainCheck:
    with database.read(Operator()) as session:
        hold_still(session)
        return verify(session, tenant_id)


def some_deeds(database: Database, count: int = 3, tenant_id: int = FOIX) -> None:
    for volume in range(1, count + 1):
        with database.write(Tenants(frozenset({tenant_id})), by="claire") as session:
            session.get_one(t.Subscription, (tenant_id, 1)).volume = volume


def seal(database: Database, now: datetime = NEXT_MONTH) -> list[int]:
    with database.read(Operator()) as session:
        due = chains_to_seal(session, now=now)
    for tenant_id in due:
        with database.write(Operator()) as session:
            seal_months(session, tenant_id, now=now)
    return due


def purge_all(
    database: Database, now: datetime = IN_14_MONTHS, keep_months: int = 12
) -> list[tuple[int, int]]:
    with database.read(Operator()) as session:
        due = chains_to_purge(session, keep_months=keep_months, now=now)
    for tenant_id, through in due:
        with database.write(Operator()) as session:
            purge(session, tenant_id, through)
    return due


def tamper(database: Database, statement: Executable) -> None:
    """Change rows behind the back of the console, as who administers the database can."""
    with database.schema() as connection:
        if connection.dialect.name == "postgresql":
            for table in ("audit_entry", "audit_payload", "audit_head", "audit_checkpoint"):
                connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
        connection.execute(statement)


def test_a_month_is_sealed_once_it_has_passed(two: Database) -> None:
    assert seal(two, NOW) == []
    assert seal(two) == [FOIX, PAMIERS]
    assert seal(two) == []
    with two.read(Operator()) as session:
        checkpoint = session.scalars(select(a.AuditCheckpoint).order_by(a.AuditCheckpoint.tenant_id)).first()
    assert checkpoint is not None
    assert (checkpoint.tenant_id, checkpoint.last_number) == (FOIX, 2)
    some_deeds(two)
    found = check(two)
    assert (found.entries, found.fault) == (5, None)
    assert seal(two) == [FOIX]


def test_payloads_are_purged_past_their_time_and_the_chain_holds(two: Database) -> None:
    some_deeds(two)
    seal(two)
    assert purge_all(two, NOW) == []
    assert purge_all(two) == [(FOIX, 5), (PAMIERS, 2)]
    assert purge_all(two) == []
    found = check(two)
    assert (found.entries, found.purged, found.fault) == (6, 5, None)
    with two.read(Operator()) as session:
        texts = session.scalars(select(a.AuditPayload.payload).where(a.AuditPayload.tenant_id == FOIX)).all()
    assert [told for told in texts if told] == ["{}"]


def test_the_jobs_seal_and_purge_by_themselves(two: Database) -> None:
    some_deeds(two)
    means = Means(
        database=two,
        channels={},
        readers=Readers(None, "http://localhost"),
        silent_after=timedelta(minutes=3),
        started_at=NOW,
        clock=lambda: IN_14_MONTHS,
    )
    keep_audit(means)
    keep_audit(means)
    found = check(two)
    assert (found.entries, found.purged, found.fault) == (6, 5, None)


def test_the_trace_of_a_purge_asks_for_no_other_purge(two: Database) -> None:
    seal(two)
    purge_all(two)
    seal(two, IN_14_MONTHS)
    assert purge_all(two, IN_14_MONTHS + timedelta(days=450)) == []


def test_a_person_redacts_an_entry_for_a_reason(two: Database) -> None:
    some_deeds(two)
    with two.write(Operator(), by="dpo") as session:
        redact(session, FOIX, 3, reason=" Un nom de patient\n dans le contrat ")
    found = check(two)
    assert (found.entries, found.redacted, found.fault) == (6, 1, None)
    with two.read(Operator()) as session:
        entry = session.get_one(a.AuditEntry, (FOIX, 6))
        payload = session.get_one(a.AuditPayload, (FOIX, 6)).payload
        erased = session.get_one(a.AuditPayload, (FOIX, 3))
    assert (entry.by, entry.kind, entry.subject) == ("dpo", "audit.redacted", "entry/3")
    assert json.loads(payload or "") == {"reason": "Un nom de patient dans le contrat"}
    assert (erased.salt, erased.payload) == (None, None)


def test_the_reason_of_a_redaction_stays(two: Database) -> None:
    some_deeds(two)
    with two.write(Operator(), by="dpo") as session:
        redact(session, FOIX, 3, reason="Un nom de patient")
    with two.read(Operator()) as session, pytest.raises(Conflict):
        redact(session, FOIX, 6, reason="Rien à voir")
    seal(two)
    assert purge_all(two) == [(FOIX, 6), (PAMIERS, 2)]
    with two.read(Operator()) as session:
        assert "patient" in (session.get_one(a.AuditPayload, (FOIX, 6)).payload or "")
    found = check(two)
    assert (found.entries, found.purged, found.redacted, found.fault) == (7, 4, 1, None)
    tamper(two, text("UPDATE audit_payload SET payload = NULL WHERE tenant_id = 11 AND number = 6"))
    fault = check(two).fault
    assert fault is not None
    assert (fault.number, "never purged" in fault.reason) == (6, True)


@pytest.mark.parametrize(
    ("number", "reason", "refusal"),
    [(3, "Motif", Conflict), (1, " ", Invalid), (1, "x" * 501, Invalid), (99, "Motif", NotFound)],
)
def test_a_redaction_that_cannot_be_leaves_no_trace(
    two: Database, number: int, reason: str, refusal: type[Exception]
) -> None:
    some_deeds(two, 1)
    with two.write(Operator()) as session:
        redact(session, FOIX, 3, reason="Motif")
    with two.read(Operator()) as session, pytest.raises(refusal):
        redact(session, FOIX, number, reason=reason)
    assert check(two).entries == 4


TAMPERING = {
    "a person": ("UPDATE audit_entry SET by = 'nobody' WHERE tenant_id = 11 AND number = 3", 3, "altered"),
    "a date": ("UPDATE audit_entry SET at = '2026-01-01' WHERE tenant_id = 11 AND number = 3", 3, "altered"),
    "a kind": ("UPDATE audit_entry SET kind = 'x' WHERE tenant_id = 11 AND number = 3", 3, "altered"),
    "a payload": (
        "UPDATE audit_payload SET payload = '{}' WHERE tenant_id = 11 AND number = 3",
        3,
        "payload that was altered",
    ),
    "a payload erased": (
        "UPDATE audit_payload SET payload = NULL, salt = NULL WHERE tenant_id = 11 AND number = 4",
        4,
        "lost its payload",
    ),
    "a payload deleted": ("DELETE FROM audit_payload WHERE tenant_id = 11 AND number = 4", 4, "lost"),
    "the head": ("UPDATE audit_head SET number = 4 WHERE tenant_id = 11", 5, "head"),
    "no head": ("DELETE FROM audit_head WHERE tenant_id = 11", 5, "head"),
    "a seal": ("UPDATE audit_checkpoint SET sha256 = 'x' WHERE tenant_id = 11", 5, "sealed"),
    "a seal moved": ("UPDATE audit_checkpoint SET last_number = 4 WHERE tenant_id = 11", 4, "sealed"),
}


@pytest.mark.parametrize(("statement", "number", "reason"), TAMPERING.values(), ids=TAMPERING.keys())
def test_tampering_with_rows_is_found(two: Database, statement: str, number: int, reason: str) -> None:
    some_deeds(two)
    seal(two)
    tamper(two, text(statement))
    fault = check(two).fault
    assert fault is not None
    assert (fault.number, reason in fault.reason) == (number, True)
    assert check(two, PAMIERS).fault is None


@pytest.mark.parametrize("number", [1, 3, 5])
def test_an_entry_that_was_deleted_is_found(two: Database, number: int) -> None:
    some_deeds(two)
    for table in (a.AuditPayload, a.AuditEntry):
        tamper(two, delete(table).where(table.tenant_id == FOIX, table.number == number))
    fault = check(two).fault
    assert fault is not None
    assert (fault.number, "missing" in fault.reason) == (number, True)


def test_a_chain_that_lost_all_its_entries_is_still_asked_for(two: Database) -> None:
    for table in (a.AuditPayload, a.AuditEntry):
        tamper(two, delete(table).where(table.tenant_id == FOIX))
    with two.read(Operator()) as session:
        assert FOIX in chains(session)
    assert check(two).fault is not None


TABLES = (a.AuditPayload, a.AuditEntry, a.AuditHead, a.AuditCheckpoint)


def erase_chain(database: Database, tenant_id: int) -> None:
    for table in TABLES:
        tamper(database, delete(table).where(table.tenant_id == tenant_id))


def faults(database: Database) -> dict[int, str]:
    with database.read(Operator()) as session:
        hold_still(session)
        found = dict(verify_every(session))
    return {number: one.fault.reason for number, one in found.items() if one.fault}


def anchor(database: Database, now: datetime = NEXT_MONTH) -> int:
    with database.write(Operator()) as session:
        anchor_seals(session, now=now)
    return check(database, OPERATOR_TENANT).entries


def test_a_whole_chain_that_was_erased_is_missed(two: Database) -> None:
    erase_chain(two, FOIX)
    assert list(faults(two)) == [FOIX]


def test_an_adherent_from_before_the_log_is_not_missed(two: Database) -> None:
    with two.schema() as connection:
        command.downgrade(schema.settings(connection), "0006")
        schema.upgrade(connection)
    assert faults(two) == {}
    some_deeds(two, 1)
    assert (faults(two), check(two).entries) == ({}, 1)
    erase_chain(two, PAMIERS)
    assert list(faults(two)) == [PAMIERS]


def test_a_chain_that_was_erased_with_its_adherent_is_missed_once_anchored(two: Database) -> None:
    seal(two)
    assert anchor(two) == 1
    assert faults(two) == {}
    erase_chain(two, FOIX)
    tamper(two, text("DELETE FROM subscription WHERE tenant_id = 11"))
    tamper(two, text("DELETE FROM adherent WHERE tenant_id = 11"))
    assert list(faults(two)) == [FOIX]


def test_a_chain_that_was_begun_anew_is_not_the_one_that_was_anchored(two: Database) -> None:
    seal(two)
    anchor(two)
    erase_chain(two, FOIX)
    with two.write(Operator(), by="claire") as session:
        record(session, FOIX, "adherent.added", f"adherent/{FOIX}")
    assert "later" in faults(two)[FOIX]
    some_deeds(two)
    assert "is not the one" in faults(two)[FOIX]


def test_the_chain_of_the_operator_is_missed_once_a_month_was_sealed(two: Database) -> None:
    assert faults(two) == {}
    seal(two)
    anchor(two)
    erase_chain(two, OPERATOR_TENANT)
    assert list(faults(two)) == [OPERATOR_TENANT]


def test_an_end_is_anchored_once(two: Database) -> None:
    seal(two)
    assert [anchor(two), anchor(two)] == [1, 1]
    some_deeds(two)
    seal(two)
    assert anchor(two) == 2
    assert faults(two) == {}


deeds = st.lists(st.lists(st.sampled_from([FOIX, PAMIERS]), min_size=1, max_size=3), min_size=2, max_size=8)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(transactions=deeds)
def test_any_order_of_concurrent_deeds_gives_chains_without_holes(
    database: Database, transactions: list[list[int]]
) -> None:
    """Each transaction writes to some adherents, in an order of its own; the first one begins the chain."""
    past.an_empty_database(database)
    with database.write(Operator()) as session:
        session.execute(insert(c.Adherent), [_unaudited(tenant_id) for tenant_id in (FOIX, PAMIERS)])
    _at_the_same_time([partial(_transaction, database, tenants) for tenants in transactions])
    for tenant_id in {tenant_id for tenants in transactions for tenant_id in tenants}:
        found = check(database, tenant_id)
        written = sum(tenants.count(tenant_id) for tenants in transactions)
        assert (found.entries, found.fault) == (written, None)


def _unaudited(tenant_id: int) -> dict[str, object]:
    """An adherent that came in bulk, without an entry."""
    kind = c.AdherentKind.HOSPITAL
    return {"tenant_id": tenant_id, "name": f"CH {tenant_id}", "kind": kind, "since": NOW.date()}


def _transaction(database: Database, tenants: list[int]) -> None:
    with database.write(Operator(), by="writer") as session:
        for tenant_id in tenants:
            record(session, tenant_id, "statement.downloaded", "statement/1")


def _at_the_same_time(work: list[Callable[[], None]]) -> None:
    failures: list[Exception] = []
    start = threading.Barrier(len(work))

    def run(deed: Callable[[], None]) -> None:
        start.wait()
        try:
            deed()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(deed,)) for deed in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
