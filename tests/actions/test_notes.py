"""Notes: their author edits them, they end, a redacted one has lost its text for good."""

from datetime import timedelta

import pytest

from console.actions.notes import edit_note, end_note, redact_note, write_note
from console.domain.errors import Conflict, Forbidden, Invalid, NotFound
from console.store.queries.notes import Note, notes_of
from console.store.session import Database, Operator, Tenants
from tests import followed_up, given
from tests.given import NOW

pytestmark = pytest.mark.both_databases
FOIX = 2
FOIX_ONLY = Tenants(frozenset({FOIX}))
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def noted(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
    with database.write(FOIX_ONLY) as session:
        followed_up.a_note(session, FOIX)
    return database


def the_note(database: Database) -> Note:
    with database.read(FOIX_ONLY) as session:
        notes = notes_of(session, FOIX)
    (note,) = [*notes.standing, *notes.ended]
    return note


def test_its_author_alone_edits_a_note(noted: Database) -> None:
    with noted.write(FOIX_ONLY) as session:
        edit_note(session, FOIX, 1, "Préfère\r\nle courriel.", now=LATER, by=followed_up.BY)
    assert (the_note(noted).text, the_note(noted).edited_at) == ("Préfère\nle courriel.", LATER)
    with pytest.raises(Forbidden), noted.write(FOIX_ONLY) as session:
        edit_note(session, FOIX, 1, "Rien.", now=LATER, by="someone else")


def test_a_note_that_ended_is_read_but_changes_no_more(noted: Database) -> None:
    with noted.write(FOIX_ONLY) as session:
        end_note(session, FOIX, 1, now=LATER, by="ana")
    assert (the_note(noted).ended_by, the_note(noted).text) == ("ana", "Préfère le téléphone.")
    with pytest.raises(Conflict), noted.write(FOIX_ONLY) as session:
        edit_note(session, FOIX, 1, "Rien.", now=LATER, by=followed_up.BY)
    with pytest.raises(Conflict), noted.write(FOIX_ONLY) as session:
        end_note(session, FOIX, 1, now=LATER, by="ana")


def test_a_redacted_note_says_that_there_was_one(noted: Database) -> None:
    with noted.write(FOIX_ONLY) as session:
        redact_note(session, FOIX, 1, now=LATER, by="admin")
    note = the_note(noted)
    assert (note.text, note.redacted_by, note.ended_at) == ("", "admin", LATER)
    with pytest.raises(Conflict), noted.write(FOIX_ONLY) as session:
        redact_note(session, FOIX, 1, now=LATER, by="admin")


def test_a_note_says_something_about_an_adherent_in_scope(noted: Database) -> None:
    with pytest.raises(Invalid), noted.write(FOIX_ONLY) as session:
        write_note(session, FOIX, " \n ", now=NOW, by="zoe")
    with pytest.raises(NotFound), noted.write(FOIX_ONLY) as session:
        end_note(session, FOIX, 2, now=NOW, by="zoe")
    with pytest.raises(NotFound), noted.write(FOIX_ONLY) as session:
        write_note(session, 3, "Rien.", now=NOW, by="zoe")
