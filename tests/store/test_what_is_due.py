"""With fifty thousand open incidents, what is due is found by its index, and so is a page of the list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, literal, select
from sqlalchemy.orm import Session

from console.domain.alerts import Standing
from console.store.models import escalation as e
from console.store.models import tenant as t
from console.store.queries.alerts import incidents_past_their_risk
from console.store.queries.escalations import due_escalations
from console.store.queries.incident_list import Asked, Facet, Which, list_incidents
from console.store.session import Database, Operator
from tests import given
from tests.given import NOW

pytestmark = pytest.mark.both_databases

ADHERENTS = 20
FIRST, DOUBLINGS = 500, 7
OPEN = FIRST << DOUBLINGS  # 64 000
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SORTS = ("TEMP B-TREE FOR ORDER BY", "Sort ")  # as SQLite and PostgreSQL tell that rows are put in order


@pytest.fixture
def many(database: Database) -> Database:
    """Open incidents, a hundred and one of them at risk, of which sixty are past their due date; five hundred
    more that are resolved.
    """
    with database.write(Operator()) as session:
        for tenant_id in range(2, ADHERENTS + 2):
            given.an_adherent(session, tenant_id, f"CH {tenant_id}")
        incident = t.Incident.__table__
        session.execute(insert(t.Incident), [_incident(n, NOW + (n + 1) * HOUR) for n in range(FIRST)])
        per_adherent = FIRST // ADHERENTS
        same = [column for column in incident.columns if column.name != "number"]
        names = ["number", *(column.name for column in same)]
        for doubling in range(DOUBLINGS):
            further = select(incident.c.number + (per_adherent << doubling), *same)
            session.execute(insert(t.Incident).from_select(names, further))
        late = [_incident(OPEN + n, NOW + (n - 60) * MINUTE) for n in range(101)]
        session.execute(insert(t.Incident), late)
        done = {"resolved_at": NOW, "outcome": "met"}
        past = [_incident(OPEN + len(late) + n, NOW) | done for n in range(FIRST)]
        session.execute(insert(t.Incident), past)
        levels = select(
            incident.c.tenant_id, incident.c.number, literal("ttr"), literal(1), incident.c.at_risk_at
        ).where(incident.c.resolved_at.is_(None))
        columns = ["tenant_id", "incident", "promise", "level", "due_at"]
        session.execute(insert(e.Escalation).from_select(columns, levels))
    with database.schema() as connection:
        connection.exec_driver_sql("ANALYZE")
    return database


def _incident(number: int, due_at: datetime) -> dict[str, Any]:
    return {
        "tenant_id": 2 + number % ADHERENTS,
        "number": 1 + number // ADHERENTS,
        "subscription": 1,
        "title": f"Panne {number}",
        "priority": t.Priority.P3,
        "opened_at": NOW - HOUR,
        "phase": "running",
        "due_at": due_at,
        "at_risk_at": due_at - 40 * MINUTE,
        "outcome": "on_time",
        "is_security": False,
        "origin": "console",
    }


def plan(database: Database, ask: Callable[[Session], object], table: str) -> str:
    """How a database finds what the last statement of a question that reads a table asks for."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, text: str, parameters: Any, *_: object) -> None:
        asked.append((text, parameters))

    explain = "EXPLAIN QUERY PLAN" if database.engine.dialect.name == "sqlite" else "EXPLAIN"
    with database.read(Operator()) as session:
        session.connection()
        event.listen(database.engine, "before_cursor_execute", note)
        ask(session)
        event.remove(database.engine, "before_cursor_execute", note)
        text, parameters = next(one for one in reversed(asked) if f"FROM {table}" in one[0])
        rows = session.connection().exec_driver_sql(f"{explain} {text}", parameters)
        return "\n".join(str(row[-1]) for row in rows)


LISTED = ("ix_incident_open_due_at", "ix_incident_resolved_at")  # have the rows in the order of the list, too
# Each question with its table, and the index that answers it.
QUESTIONS: tuple[tuple[Callable[[Session], object], str, str], ...] = (
    (lambda session: incidents_past_their_risk(session, NOW), "incident", "ix_incident_at_risk_at"),
    (lambda session: due_escalations(session, now=NOW), "escalation", "ix_escalation_due_at"),
    (lambda session: list_incidents(session, Asked(), now=NOW), "incident", LISTED[0]),
    (
        lambda session: list_incidents(session, Asked(which=Which.RESOLVED), now=NOW),
        "incident",
        LISTED[1],
    ),
)


def test_what_is_due_and_a_page_of_the_list_are_found_by_an_index(many: Database) -> None:
    for ask, table, index in QUESTIONS:
        how = plan(many, ask, table)
        assert index in how, how
        assert index not in LISTED or not any(line in how for line in SORTS), how
    with many.read(Operator()) as session:
        assert len(incidents_past_their_risk(session, NOW)) == 101
        assert len(due_escalations(session, now=NOW)) == 101


def test_the_counts_of_the_filters_add_up(many: Database) -> None:
    with many.read(Operator()) as session:
        found = list_incidents(session, Asked(values={Facet.STATE: Standing.AT_RISK}), now=NOW)
    assert found.total == 41
    assert found.counts[Facet.STATE] == {"breached": 60, "at_risk": 41, "on_time": OPEN}
    assert found.counts[Facet.PRIORITY] == {"P3": 41}
    assert [line.title for line in found.rows[:2]] == [f"Panne {OPEN + 60}", f"Panne {OPEN + 61}"]
