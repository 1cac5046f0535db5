"""What becomes of audited rows is written down with them, once, in the chain of their adherent."""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, ProgrammingError

from console.domain.access import Role
from console.domain.audit import Entry, Payload, check_chain
from console.domain.audit import Head as ChainHead
from console.store import roles
from console.store.audit import record
from console.store.models import audit as a
from console.store.models import catalogue as c
from console.store.models import people as p
from console.store.models import tenant as t
from console.store.session import Database, Operator, OutOfScope, ScopedSession, Tenants
from tests import given

pytestmark = pytest.mark.both_databases

OPERATOR, FOIX, PAMIERS = 1, 11, 12
ONE = Tenants(frozenset({FOIX}))


class Abandoned(Exception):
    """A transaction that ends badly."""


@pytest.fixture
def two(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
    given.a_short_log(database, FOIX, PAMIERS)
    return database


def chain(database: Database, tenant_id: int) -> list[tuple[Entry, Payload]]:
    with database.read(Operator()) as session:
        rows = session.execute(
            select(a.AuditEntry, a.AuditPayload)
            .join(a.AuditPayload, a.AuditPayload.number == a.AuditEntry.number)
            .where(a.AuditEntry.tenant_id == tenant_id, a.AuditPayload.tenant_id == tenant_id)
            .order_by(a.AuditEntry.number)
        ).all()
    return [
        (
            Entry(**{name: getattr(entry, name) for name in Entry.__slots__}),
            Payload(payload.salt, payload.payload),
        )
        for entry, payload in rows
    ]


def told(database: Database, tenant_id: int, after: int = 0) -> Iterator[tuple[str, str, dict]]:
    for entry, payload in chain(database, tenant_id)[after:]:
        yield entry.kind, entry.subject, json.loads(payload.text)


def holds(database: Database, tenant_id: int) -> bool:
    with database.read(Operator()) as session:
        head = session.get_one(a.AuditHead, tenant_id)
    return check_chain(chain(database, tenant_id), ChainHead(head.number, head.sha256)).fault is None


def subscription(session: ScopedSession) -> t.Subscription:
    return session.get_one(t.Subscription, (FOIX, 1))


def test_a_row_that_is_added_is_an_entry_of_its_adherent(two: Database) -> None:
    with two.write(Operator()) as session:
        given.an_adherent(session, 13, "CH de Mirepoix")
    (kind, subject, facts), (second, of, _), *_ = told(two, 13)
    assert (kind, subject, facts["new"]["name"]) == ("adherent.added", "adherent/13", "CH de Mirepoix")
    assert (second, of) == ("subscription.added", "subscription/1")
    assert holds(two, 13)


def test_a_change_says_who_and_what_was_before(two: Database) -> None:
    with two.write(ONE, by="claire") as session:
        subscription(session).volume = 2400
    ((kind, subject, facts),) = told(two, FOIX, after=2)
    assert (kind, subject, facts) == (
        "subscription.changed",
        "subscription/1",
        {"new": {"volume": 2400}, "old": {"volume": None}},
    )
    entry, _ = chain(two, FOIX)[-1]
    assert (entry.by, entry.number) == ("claire", 3)
    assert holds(two, FOIX)


def test_several_flushes_of_a_row_are_one_entry(two: Database) -> None:
    with two.write(ONE) as session:
        for volume in (1, 2, 3):
            subscription(session).volume = volume
            session.flush()
        subscription(session).contract = "M-18"
    ((_, _, facts),) = told(two, FOIX, after=2)
    assert facts == {"new": {"contract": "M-18", "volume": 3}, "old": {"contract": None, "volume": None}}


def test_a_change_that_was_undone_is_no_entry(two: Database) -> None:
    with two.write(ONE) as session:
        subscription(session).volume = 1
        session.flush()
        subscription(session).volume = None
    assert not list(told(two, FOIX, after=2))


def test_what_is_added_and_removed_at_once_is_no_entry(two: Database) -> None:
    with two.write(Operator()) as session:
        row = c.ServiceCalendar(
            code="nights", name="Nuits", kind=c.CalendarKind.ALWAYS, zone="UTC", segments=[]
        )
        session.add(row)
        session.flush()
        session.delete(row)
    assert not list(told(two, OPERATOR))


def test_a_removed_row_leaves_what_it_held(two: Database) -> None:
    with two.write(Operator()) as session:
        account_id = given.an_account(session, "marie", Role.CIO, [FOIX])
    with two.write(Operator()) as session:
        session.delete(session.get_one(p.Portfolio, (account_id, FOIX)))
    kind, subject, facts = list(told(two, FOIX))[-1]
    assert (kind, subject) == ("portfolio.removed", f"portfolio/{account_id}")
    assert facts == {"old": {"account_id": account_id, "tenant_id": FOIX}}


def test_a_hidden_column_is_only_said_to_have_changed(two: Database) -> None:
    with two.write(Operator(), by="ops") as session:
        statement = given_statement(session)
        session.flush()
        statement.figures = '{"secret": 1}'
    ((_, _, facts),) = told(two, FOIX, after=2)
    assert facts["hidden"] == ["figures"]
    assert "figures" not in facts["new"]


def given_statement(session: ScopedSession) -> t.Statement:
    statement = t.Statement(
        tenant_id=FOIX,
        number=1,
        month=date(2026, 11, 1),
        status="draft",
        figures="{}",
        sha256="0" * 64,
        issued_at=given.NOW,
        issued_by="test",
    )
    session.add(statement)
    return statement


def test_rows_without_an_adherent_go_to_the_operators_chain(two: Database) -> None:
    with two.write(Operator(), by="admin") as session:
        service = session.scalars(select(c.Service).order_by(c.Service.code).limit(1)).one()
        service.unit_fr = "bulletin"
    ((kind, _, facts),) = told(two, OPERATOR)
    assert kind == "service.changed"
    assert facts["new"] == {"unit_fr": "bulletin"}


def test_a_deed_without_a_row_is_recorded_with_its_transaction(two: Database) -> None:
    with two.write(ONE, by="dsi") as session:
        record(session, FOIX, "statement.downloaded", "statement/1", {"format": "pdf"})
    assert list(told(two, FOIX, after=2)) == [("statement.downloaded", "statement/1", {"format": "pdf"})]


def test_what_is_rolled_back_was_never_done(two: Database) -> None:
    with suppress(Abandoned), two.write(ONE) as session:
        subscription(session).volume = 1
        record(session, FOIX, "statement.downloaded", "statement/1")
        session.flush()
        raise Abandoned
    assert not list(told(two, FOIX, after=2))


def test_what_a_savepoint_takes_back_was_never_done(two: Database) -> None:
    with two.write(ONE) as session:
        subscription(session).volume = 1
        with suppress(Abandoned), session.begin_nested():
            subscription(session).contract = "M-18"
            session.flush()
            raise Abandoned
        with session.begin_nested():
            subscription(session).ends_on = date(2026, 12, 31)
    ((_, _, facts),) = told(two, FOIX, after=2)
    assert facts["new"] == {"ends_on": "2026-12-31", "volume": 1}


def test_a_flush_that_fails_in_a_savepoint_leaves_what_was_done_before_it(two: Database) -> None:
    with two.write(Operator()) as session:
        subscription(session).volume = 1
        with suppress(IntegrityError), session.begin_nested():
            session.add(c.Service(**service_without_a_name()))
            session.flush()
    assert [facts["new"] for _, _, facts in told(two, FOIX, after=2)] == [{"volume": 1}]
    assert holds(two, FOIX)


def service_without_a_name() -> dict[str, object]:
    return {
        "code": "new",
        "trade": c.Trade.PAYROLL,
        "name_fr": None,
        "name_en": "New",
        "unit_fr": "u",
        "unit_en": "u",
        "plan_code": "x",
    }


def test_a_session_writes_in_no_chain_out_of_its_scope(two: Database) -> None:
    with pytest.raises((OutOfScope, ProgrammingError)), two.write(ONE) as session:
        record(session, PAMIERS, "statement.downloaded", "statement/1")
    assert not list(told(two, PAMIERS, after=2))


def test_one_transaction_writes_in_several_chains(two: Database) -> None:
    with two.write(Operator()) as session:
        for tenant_id in (PAMIERS, FOIX):
            session.get_one(t.Subscription, (tenant_id, 1)).volume = 7
    for tenant_id in (FOIX, PAMIERS):
        assert len(chain(two, tenant_id)) == 3
        assert holds(two, tenant_id)


ERASING = {
    "an entry changed": "UPDATE audit_entry SET by = 'nobody'",
    "an entry deleted": "DELETE FROM audit_entry",
    "a payload deleted": "DELETE FROM audit_payload",
    "a head deleted": "DELETE FROM audit_head",
    "a seal changed": "UPDATE audit_checkpoint SET last_number = 1",
    "a seal deleted": "DELETE FROM audit_checkpoint",
}


@pytest.mark.parametrize("statement", ERASING.values(), ids=ERASING.keys())
@pytest.mark.parametrize("role", [roles.WEB, roles.ENGINE])
def test_neither_role_may_rewrite_the_log(two: Database, role: str, statement: str) -> None:
    if two.engine.dialect.name == "sqlite":
        return  # it knows no roles: there a rewritten chain is found, not prevented
    with two.schema() as connection:
        connection.exec_driver_sql(f"SET LOCAL ROLE {role}")
        with pytest.raises(ProgrammingError, match="permission denied"):
            connection.exec_driver_sql(statement)
