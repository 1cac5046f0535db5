"""What an incident's log lacks of the states of its ticket."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.clock import Event, EventKind, next_events
from console.domain.desk_tickets import read_ticket
from console.domain.errors import Conflict, Invalid
from console.domain.service_desk import DeskState, Standing, in_order, missing_events, not_told_before

NINE = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
OPENED = Event(EventKind.OPENED, NINE)


def at(hours: float) -> datetime:
    return NINE + timedelta(hours=hours)


def told(*states: tuple[str, float]) -> list[Standing]:
    return [Standing(DeskState(state), at(hours)) for state, hours in states]


standings = st.lists(
    st.builds(
        Standing,
        st.sampled_from([state for state in DeskState if state is not DeskState.CLOSED]),
        st.integers(0, 50).map(at),
    ),
    max_size=8,
).map(in_order)


@pytest.mark.parametrize(
    ("states", "events"),
    [
        ([("new", 0)], []),
        ([("acknowledged", 1)], [("acknowledged", 1)]),
        ([("waiting", 1)], [("acknowledged", 1), ("waiting", 1)]),
        ([("waiting", 1), ("acknowledged", 2)], [("acknowledged", 1), ("waiting", 1), ("resumed", 2)]),
        ([("closed", 3)], [("resolved", 3), ("closed", 3)]),
        ([("resolved", 2), ("closed", 3)], [("resolved", 2), ("closed", 3)]),
        ([("resolved", 2), ("new", 3)], [("resolved", 2), ("reopened", 3)]),
        ([("acknowledged", 1), ("acknowledged", 2)], [("acknowledged", 1)]),
        ([("acknowledged", -1)], [("acknowledged", 0)]),
    ],
)
def test_a_ticket_is_brought_to_where_the_desk_says(states, events) -> None:
    missing = missing_events([OPENED], told(*states))
    assert [(event.kind.value, event.at) for event in missing] == [
        (kind, at(hours)) for kind, hours in events
    ]


def test_an_acknowledgement_is_dated_by_itself() -> None:
    missing = missing_events([OPENED], told(("waiting", 2)), acknowledged_at=at(1))
    assert missing == [Event(EventKind.ACKNOWLEDGED, at(1)), Event(EventKind.WAITING, at(2))]
    assert missing_events([OPENED], [], acknowledged_at=at(1)) == [Event(EventKind.ACKNOWLEDGED, at(1))]


def test_what_the_console_did_meanwhile_stays() -> None:
    resolved_here = [OPENED, Event(EventKind.RESOLVED, at(1))]
    assert missing_events(resolved_here, told(("acknowledged", 2)), before=DeskState.ACKNOWLEDGED) == []
    reopened = missing_events(resolved_here, told(("acknowledged", 2)), before=DeskState.RESOLVED)
    assert [event.kind for event in reopened] == [EventKind.REOPENED]


@pytest.mark.parametrize(
    ("log", "states", "events"),
    [
        ([("resolved", 5)], [("acknowledged", 1)], []),
        ([("resolved", 5)], [("new", 1)], []),
        ([("resolved", 5)], [("closed", 4)], [("closed", 5)]),
        ([("resolved", 5)], [("waiting", 6)], [("reopened", 6), ("waiting", 6)]),
        ([("waiting", 5)], [("acknowledged", 1)], []),
        ([("waiting", 5)], [("acknowledged", 6)], [("resumed", 6), ("acknowledged", 6)]),
        ([("waiting", 5)], [("resolved", 4)], []),
        ([("acknowledged", 5)], [("acknowledged", 1)], []),
        ([("acknowledged", 5)], [("waiting", 1), ("resolved", 4)], [("resolved", 5)]),
        ([("acknowledged", 5)], [("resolved", 4), ("new", 4.5)], [("resolved", 5), ("reopened", 5)]),
        ([("resolved", 4), ("reopened", 5)], [("resolved", 3)], []),
        ([("resolved", 4), ("closed", 5)], [("acknowledged", 3)], []),
    ],
)
def test_a_state_that_began_before_what_the_console_knows_undoes_nothing(log, states, events) -> None:
    known = [OPENED, *(Event(EventKind(kind), at(hours)) for kind, hours in log)]
    missing = missing_events(known, told(*states))
    assert [(event.kind.value, event.at) for event in missing] == [
        (kind, at(hours)) for kind, hours in events
    ]


def test_an_acknowledgement_before_a_resolution_is_not_dated_again() -> None:
    resolved_here = [OPENED, Event(EventKind.RESOLVED, at(5))]
    assert missing_events(resolved_here, told(("acknowledged", 1)), acknowledged_at=at(1)) == []
    waits_here = [OPENED, Event(EventKind.WAITING, at(5))]
    assert missing_events(waits_here, [], acknowledged_at=at(1)) == []
    assert missing_events(waits_here, [], acknowledged_at=at(6)) == [Event(EventKind.ACKNOWLEDGED, at(6))]


@given(st.integers(1, 50), standings)
def test_no_state_before_a_resolution_of_the_console_opens_it_again(resolved: int, states) -> None:
    log = [OPENED, Event(EventKind.RESOLVED, at(resolved))]
    earlier = [one for one in states if one.since < at(resolved)]
    assert missing_events(log, earlier) == []


def test_a_ticket_that_runs_is_no_closed_incident() -> None:
    closed = [OPENED, Event(EventKind.RESOLVED, at(1)), Event(EventKind.CLOSED, at(2))]
    with pytest.raises(Conflict, match="clos"):
        missing_events(closed, told(("acknowledged", 3)))
    assert missing_events(closed, told(("resolved", 3))) == []


@pytest.mark.parametrize(
    ("states", "last", "left"),
    [
        ([("waiting", 1)], None, 1),
        ([("waiting", 1)], ("waiting", 1), 0),
        ([("acknowledged", 1)], ("waiting", 1), 0),  # an older message, of the same second
        ([("resolved", 1)], ("waiting", 1), 1),
        ([("acknowledged", 0.5)], ("waiting", 1), 0),
        ([("waiting", 1), ("acknowledged", 1)], ("acknowledged", 1), 0),
        ([("waiting", 1), ("acknowledged", 1), ("resolved", 2)], ("acknowledged", 1), 1),
    ],
)
def test_what_was_told_before_is_not_told_again(states, last, left: int) -> None:
    assert len(not_told_before(told(*states), told(last)[0] if last else None)) == left


@given(standings)
def test_any_ticket_makes_a_log_that_can_be_and_its_repetition_nothing(states: list[Standing]) -> None:
    log = [OPENED, *missing_events([OPENED], states)]
    next_events(log)
    assert [event.at for event in log] == sorted(event.at for event in log)
    if states:
        assert not_told_before(states, states[-1]) == []


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ([], "ticket"),
        ({"status": "new"}, "status"),
        ({"title": "a\nb" * 200}, "title"),
        ({"title": 1.5}, "title"),
        ({"state": "open", "since": "2026-11-25T09:00:00Z"}, "state"),
        ({"state": "waiting"}, "since"),
        ({"opened_at": "2026-11-25T09:00:00"}, "opened_at"),
        ({"opened_at": "hier"}, "opened_at"),
        ({"opened_at": 12}, "opened_at"),
        ({"impact": "2"}, "impact"),
        ({"impact": True}, "impact"),
        ({"incident": 0}, "incident"),
        ({"is_security": "yes"}, "is_security"),
        ({"comments": {}}, "comments"),
        ({"comments": [{"id": "", "text": "x"}]}, "comments"),
        ({"comments": [{"id": "1", "text": " "}]}, "comments"),
        ({"description": "a\0"}, "description"),
        ({"description": "\ud800"}, "description"),
    ],
)
def test_a_field_that_is_wrong_is_named(facts, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read_ticket(facts)
    assert refusal.value.field == field


def test_dates_of_a_ticket_say_its_states() -> None:
    ticket = read_ticket(
        {
            "state": "closed",
            "closed_at": "2026-11-25T12:00:00+00:00",
            "resolved_at": "2026-11-25T12:00:00.7+01:00",
        }
    )
    assert list(ticket.standings) == told(("resolved", 2), ("closed", 3))
