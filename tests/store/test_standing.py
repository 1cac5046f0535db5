"""Where an incident stands is one rule, which the domain and the database both tell."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from console.domain.alerts import IncidentClock, Standing, standing
from console.store.models import tenant as t
from console.store.queries.standing import standing_at
from console.store.session import Database, Operator
from tests import given
from tests.given import NOW

pytestmark = pytest.mark.both_databases

ADHERENT = 2
SECOND = timedelta(seconds=1)
AROUND_NOW = (None, NOW - SECOND, NOW, NOW + SECOND)  # instants that count: before, at, after, or none
STATES = tuple(itertools.product(AROUND_NOW, AROUND_NOW, AROUND_NOW, Standing))


def test_the_database_tells_of_every_combination_of_states_what_the_domain_does(database: Database) -> None:
    with database.write(Operator()) as session:
        given.an_adherent(session, ADHERENT, "CH de Foix")
        session.execute(insert(t.Incident), [_row(*state) for state in enumerate(STATES)])
    with database.read(Operator()) as session:
        rows = session.execute(select(t.Incident.number, standing_at(NOW))).all()
    told = {STATES[number]: Standing(stands) for number, stands in rows}
    assert told == {state: standing(_clock(*state), NOW) for state in STATES}
    assert set(told.values()) == set(Standing)


def _row(number: int, state: tuple[Any, Any, Any, Standing]) -> dict[str, Any]:
    resolved_at, due_at, at_risk_at, outcome = state
    return {
        "tenant_id": ADHERENT,
        "number": number,
        "subscription": 1,
        "title": "Panne",
        "priority": t.Priority.P3,
        "opened_at": NOW - timedelta(hours=1),
        "phase": "running",
        "resolved_at": resolved_at,
        "due_at": due_at,
        "at_risk_at": at_risk_at,
        "outcome": outcome.value,
        "is_security": False,
        "origin": "console",
    }


def _clock(resolved_at: Any, due_at: Any, at_risk_at: Any, outcome: Standing) -> IncidentClock:
    return IncidentClock(
        tenant_id=ADHERENT,
        number=1,
        title="Panne",
        priority="P3",
        adherent="CH de Foix",
        zone="Europe/Paris",
        due_at=due_at,
        at_risk_at=at_risk_at,
        resolved_at=resolved_at,
        outcome=outcome.value,
    )
