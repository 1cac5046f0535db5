"""On which days a delegation counts, and for how long as the giver has what was given."""

from datetime import UTC, date, datetime, timedelta

import pytest

from console.actions.accounts import change_role, disable, enable, take_back
from console.actions.delegations import delegate, end_delegation
from console.domain.access import Role
from console.domain.delegations import Standing
from console.store.queries.people import delegations
from console.store.queries.sign_in import effective_tenants
from console.store.session import Database, Operator, ScopedSession
from tests import given

pytestmark = pytest.mark.both_databases
FOIX, PAMIERS = 11, 12
# 09:30 UTC on Wednesday 25 November 2026; Paris is one hour ahead.
NOW = given.NOW


@pytest.fixture
def session(database: Database):
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
        yield session


def handed(session: ScopedSession, first: date, last: date) -> tuple[int, int, int]:
    ana = given.an_account(session, "ana", Role.ACCOUNT_MANAGER, [FOIX, PAMIERS])
    bob = given.an_account(session, "bob", Role.ACCOUNT_MANAGER, [PAMIERS])
    number = delegate(session, ana, bob, [FOIX], first_day=first, last_day=last, now=NOW, by="ana")
    return ana, bob, number


def seen(
    session: ScopedSession, account_id: int, now: datetime, role: Role = Role.ACCOUNT_MANAGER
) -> set[int]:
    return set(effective_tenants(session, account_id, role, now=now))


@pytest.mark.parametrize(
    ("now", "counts"),
    [
        (datetime(2026, 11, 26, 22, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 26, 23, 0, tzinfo=UTC), True),  # midnight in Paris
        (datetime(2026, 11, 29, 22, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 29, 23, 0, tzinfo=UTC), False),
    ],
)
def test_it_counts_from_the_first_to_the_last_day_in_paris(session, now: datetime, counts: bool) -> None:
    _ana, bob, _number = handed(session, date(2026, 11, 27), date(2026, 11, 29))
    assert seen(session, bob, now) == ({FOIX, PAMIERS} if counts else {PAMIERS})


def test_in_summer_the_day_begins_two_hours_before(session) -> None:
    _ana, bob, _number = handed(session, date(2027, 3, 28), date(2027, 6, 1))
    assert seen(session, bob, datetime(2027, 6, 1, 21, 59, tzinfo=UTC)) == {FOIX, PAMIERS}
    assert seen(session, bob, datetime(2027, 6, 1, 22, 0, tzinfo=UTC)) == {PAMIERS}


def test_the_giver_keeps_it_and_what_the_giver_loses_the_taker_loses(session) -> None:
    ana, bob, _number = handed(session, date(2026, 11, 25), date(2026, 11, 25))
    assert seen(session, ana, NOW) == {FOIX, PAMIERS}
    take_back(session, ana, FOIX)
    session.flush()
    assert seen(session, bob, NOW) == {PAMIERS}


def test_it_does_not_follow_the_taker_into_another_role(session) -> None:
    _ana, bob, _number = handed(session, date(2026, 11, 25), date(2026, 11, 25))
    change_role(session, bob, Role.CIO)
    assert seen(session, bob, NOW, Role.CIO) == {PAMIERS}


def test_ended_it_counts_no_more(session) -> None:
    ana, bob, number = handed(session, date(2026, 11, 25), date(2026, 11, 30))
    end_delegation(session, bob, number, now=NOW)
    session.flush()
    assert seen(session, bob, NOW) == {PAMIERS}
    (shown,) = delegations(session, ana, now=NOW)
    assert (shown.standing, shown.ended_at, shown.taker) == (Standing.OVER, NOW, "Bob")
    assert [one.name for one in shown.adherents] == ["CH de Foix"]


def test_those_to_come_are_shown_before_those_that_are_over(session) -> None:
    ana, bob, _number = handed(session, date(2026, 12, 1), date(2026, 12, 2))
    for days in range(12):
        last = date(2026, 11, 25) + timedelta(days=days)
        number = delegate(session, ana, bob, [FOIX], first_day=last, last_day=last, now=NOW, by="ana")
        end_delegation(session, ana, number, now=NOW)
    session.flush()
    shown = [one.standing for one in delegations(session, bob, now=NOW)]
    assert shown == [Standing.TO_COME] + [Standing.OVER] * 10


def test_it_counts_while_its_giver_is_an_enabled_account_manager(session) -> None:
    ana, bob, _number = handed(session, date(2026, 11, 25), date(2026, 11, 25))
    disable(session, ana, now=NOW)
    session.flush()
    assert seen(session, bob, NOW) == {PAMIERS}
    enable(session, ana)
    session.flush()
    assert seen(session, bob, NOW) == {FOIX, PAMIERS}
    change_role(session, ana, Role.CIO)
    session.flush()
    assert seen(session, bob, NOW) == {PAMIERS}
