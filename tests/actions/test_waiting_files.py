"""An import is stored by one at a time, and its file is forgotten by the one that stored it."""

from datetime import timedelta

import pytest

from console.actions.waiting_files import (
    CLAIM_LASTS,
    abandon,
    begin_storing,
    has_died,
    keep_claim,
    reread,
    settle,
)
from console.domain.errors import Conflict
from console.store.models import directory as d
from console.store.session import Database, Operator
from tests import given
from tests.domain.test_formats import GROUPS
from tests.given import NOW

pytestmark = pytest.mark.both_databases

LATER = NOW + CLAIM_LASTS + timedelta(seconds=1)


@pytest.fixture
def sent(database: Database) -> int:
    with database.write(Operator()) as session:
        return given.a_file_sent(session, GROUPS)


def begin(database: Database, import_id: int, now=NOW):
    with database.write(Operator()) as session:
        return begin_storing(session, import_id, now=now)


def test_one_claim_at_a_time(database: Database, sent: int) -> None:
    begin(database, sent)
    with pytest.raises(Conflict, match="en cours"):
        begin(database, sent, NOW + CLAIM_LASTS)
    with pytest.raises(Conflict, match="décision"), database.write(Operator()) as session:
        abandon(session, sent)


def test_a_claim_that_shows_no_life_may_be_taken_over_and_the_first_one_is_stopped(
    database: Database, sent: int
) -> None:
    first = begin(database, sent)
    second = begin(database, sent, LATER)
    assert (first.number, second.number) == (1, 2)
    with database.read(Operator()) as session:
        listing, _difference = reread(session, sent, now=LATER)
    with pytest.raises(Conflict, match="repris"), database.write(Operator()) as session:
        keep_claim(session, first, now=LATER)
    with pytest.raises(Conflict, match="repris"), database.write(Operator()) as session:
        settle(session, first, listing, {"new": 1}, now=LATER)
    with database.write(Operator()) as session:
        settle(session, second, listing, {"new": 2}, now=LATER)
    with database.read(Operator()) as session:
        row = session.get_one(d.DirectoryImport, sent)
    assert (row.state.value, row.counts, row.content) == ("stored", {"new": 2}, None)


def test_a_sign_of_life_keeps_a_claim(database: Database, sent: int) -> None:
    claim = begin(database, sent)
    with database.write(Operator()) as session:
        keep_claim(session, claim, now=LATER)
    with pytest.raises(Conflict, match="en cours"):
        begin(database, sent, LATER)
    assert (has_died(LATER, LATER), has_died(NOW, LATER), has_died(None, LATER)) == (False, True, False)


def test_what_is_stored_is_not_settled_again(database: Database, sent: int) -> None:
    claim = begin(database, sent)
    with database.read(Operator()) as session:
        listing, _difference = reread(session, sent, now=NOW)
    with database.write(Operator()) as session:
        settle(session, claim, listing, {}, now=NOW)
    with pytest.raises(Conflict), database.write(Operator()) as session:
        settle(session, claim, listing, {}, now=NOW)
    with pytest.raises(Conflict):
        begin(database, sent, LATER)
