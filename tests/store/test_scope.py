"""A session sees the adherents of its scope and no other."""

from datetime import date

import pytest
from sqlalchemy import (
    Select,
    TextClause,
    bindparam,
    column,
    delete,
    exists,
    func,
    insert,
    select,
    table,
    text,
    update,
)
from sqlalchemy.orm import aliased

from console.store.models.carbon import EmissionFactor
from console.store.models.catalogue import Adherent, AdherentKind
from console.store.models.tenant import IncidentEvent, Statement
from console.store.session import Database, Operator, OutOfScope, ScopedSession, Tenants

pytestmark = pytest.mark.both_databases

ONE, TWO = Tenants(frozenset({11})), Tenants(frozenset({12}))


@pytest.fixture
def two_tenants(database: Database) -> Database:
    with database.write(Operator()) as session:
        for tenant_id in (11, 12):
            session.add(an_adherent(tenant_id))
            session.flush()
            session.add(a_statement(tenant_id))
    return database


def an_adherent(tenant_id: int) -> Adherent:
    kind = AdherentKind.HOSPITAL
    return Adherent(tenant_id=tenant_id, name=f"CH {tenant_id}", kind=kind, since=date(2026, 1, 1))


def a_statement(tenant_id: int, number: int = 1) -> Statement:
    from tests.given import NOW

    return Statement(
        tenant_id=tenant_id,
        number=number,
        month=date(2026, 11, 1),
        status="draft",
        figures="{}",
        sha256="0" * 64,
        issued_at=NOW,
        issued_by="test",
    )


READS = {
    "entities": lambda s: [row.tenant_id for row in s.scalars(select(Statement))],
    "columns": lambda s: list(s.scalars(select(Statement.tenant_id))),
    "catalogue rows with an owner": lambda s: list(s.scalars(select(Adherent.tenant_id))),
    "an alias": lambda s: list(s.scalars(select(aliased(Statement).tenant_id))),
    "a subquery": lambda s: list(s.scalars(select(select(Statement.tenant_id).subquery().c.tenant_id))),
    "an exists that names its entity in a condition": lambda s: list(
        s.scalars(select(Adherent.tenant_id).where(exists().where(Statement.number == 1)))
    ),
    "an exists on an entity": lambda s: list(
        s.scalars(select(Adherent.tenant_id).where(exists(select(Statement.number))))
    ),
    "a join": lambda s: list(
        s.scalars(select(Adherent.tenant_id).join(Statement, Statement.tenant_id == Adherent.tenant_id))
    ),
    "an explicit filter on another": lambda s: list(
        s.scalars(select(Statement.tenant_id).where(Statement.tenant_id > 0))
    ),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
@pytest.mark.parametrize("scope", [ONE, TWO], ids=["one", "two"])
def test_a_read_is_narrowed_to_the_scope(two_tenants: Database, read, scope: Tenants) -> None:
    with two_tenants.read(scope) as session:
        assert read(session) == list(scope.ids)


def test_the_operator_reads_every_adherent(two_tenants: Database) -> None:
    with two_tenants.read(Operator()) as session:
        assert sorted(session.scalars(select(Statement.tenant_id))) == [11, 12]


def test_a_count_counts_the_scope_only(two_tenants: Database) -> None:
    with two_tenants.read(ONE) as session:
        assert session.scalar(select(func.count()).select_from(Statement)) == 1


def test_a_row_of_another_adherent_is_not_found_by_its_key(two_tenants: Database) -> None:
    with two_tenants.read(ONE) as session:
        assert session.get(Statement, (12, 1)) is None
        assert session.get(Statement, (11, 1)) is not None


def narrowed(statement: str) -> TextClause:
    """A statement with the condition that the guard looks for."""
    tenants = bindparam("scope_tenants", [11], expanding=True)
    return text(statement.format(narrowing="statement.tenant_id IN :scope_tenants")).bindparams(tenants)


REFUSED = {
    "another narrowing": lambda s: s.execute(
        select(Statement.__table__.c.number).where(Statement.__table__.c.tenant_id.in_([12]))
    ),
    "a bare alias": lambda s: s.execute(select(Statement.__table__.alias().c.number)),
    "adding a row": lambda s: s.add(a_statement(12, 2)),
    "a table past its entity": lambda s: s.execute(select(Statement.__table__.c.number)),
    "a table beside its entity": lambda s: s.execute(
        select(Adherent.name).where(exists(select(Statement.__table__.c.number)))
    ),
    "raw text": lambda s: s.execute(text("SELECT * FROM statement")),
    "raw text in capitals": lambda s: s.execute(text('SELECT * FROM "STATEMENT"')),
    "text inside a condition": lambda s: s.execute(
        select(EmissionFactor.factor_id).where(text("exists (select 1 from statement)"))
    ),
    "the driver's own text": lambda s: s.connection().exec_driver_sql("SELECT * FROM statement"),
    "raw text with a schema": lambda s: s.execute(text("SELECT * FROM main.statement")),
    "raw text with a quoted schema": lambda s: s.execute(text('SELECT * FROM "main"."statement"')),
    "a schema, a comment in between": lambda s: s.execute(text("SELECT * FROM main./**/statement")),
    "a schema that a label is called after": lambda s: s.execute(
        text("SELECT 1 AS main, number FROM main.statement")
    ),
    "a bare table of a schema": lambda s: s.execute(
        select(table("statement", column("number"), schema="main").c.number)
    ),
    "a narrowing in a comment": lambda s: s.execute(narrowed("SELECT * FROM statement -- {narrowing}")),
    "a narrowing in a comment that opens": lambda s: s.execute(
        narrowed("SELECT * FROM statement /* /* */ {narrowing} */")
    ),
    "a narrowing in a literal": lambda s: s.execute(
        narrowed("SELECT * FROM statement WHERE '{narrowing}' <> ''")
    ),
    "a narrowing in a quoted name": lambda s: s.execute(narrowed('SELECT 1 AS "{narrowing}" FROM statement')),
    "moving rows by a statement": lambda s: s.execute(update(Statement).values(tenant_id=12, number=2)),
    "moving rows by raw text": lambda s: s.execute(
        narrowed("UPDATE statement SET number = 2, tenant_id = 12 WHERE {narrowing}")
    ),
    "moving rows by a pair": lambda s: s.execute(
        narrowed('UPDATE statement SET (number, "tenant_id") = (2, 12) WHERE {narrowing}')
    ),
    "a bulk insert": lambda s: s.execute(insert(Statement), [{"tenant_id": 12, "number": 3}]),
}


@pytest.mark.parametrize("reach", REFUSED.values(), ids=REFUSED.keys())
def test_reaching_past_the_scope_is_refused(two_tenants: Database, reach) -> None:
    with pytest.raises(OutOfScope), two_tenants.write(ONE) as session:
        reach(session)


COLUMNS = {
    "of its table": select(IncidentEvent.incident).where(IncidentEvent.incident == 1),
    "of an alias": select(aliased(IncidentEvent).incident),
    "of a subquery": select(select(IncidentEvent.incident.label("of")).subquery().c.of),
}


@pytest.mark.parametrize("read", COLUMNS.values(), ids=COLUMNS.keys())
def test_a_column_called_after_a_table_is_not_taken_for_it(two_tenants: Database, read: Select[int]) -> None:
    with two_tenants.read(ONE) as session:
        assert session.scalars(read).all() == []


def test_updates_and_deletes_leave_the_others_alone(two_tenants: Database) -> None:
    with two_tenants.write(ONE) as session:
        session.execute(update(Statement).values(status="changed"))
        session.execute(delete(Statement).where(Statement.tenant_id == 12))
    with two_tenants.read(Operator()) as session:
        statuses = dict(session.execute(select(Statement.tenant_id, Statement.status)).all())
    assert statuses == {11: "changed", 12: "draft"}


def test_a_row_cannot_be_moved_to_another_adherent(two_tenants: Database) -> None:
    with pytest.raises(OutOfScope), two_tenants.write(ONE) as session:
        session.scalars(select(Statement)).one().tenant_id = 12


def test_a_refused_flush_leaves_no_door_open(two_tenants: Database) -> None:
    with two_tenants.read(ONE) as session:
        session.add(a_statement(12, 2))
        with pytest.raises(OutOfScope):
            session.flush()
        session.rollback()
        with pytest.raises(OutOfScope):
            session.execute(text("SELECT * FROM statement"))


def test_there_is_no_session_without_a_scope(database: Database) -> None:
    with pytest.raises(OutOfScope):
        ScopedSession(database.engine, None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one"):
        Tenants(frozenset())


def test_a_bare_connection_does_not_reach_an_owned_table(two_tenants: Database) -> None:
    with two_tenants.engine.connect() as connection, pytest.raises(OutOfScope):
        connection.execute(select(Statement.__table__))
