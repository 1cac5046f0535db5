"""Contacts and places of an adherent: numbered, checked, ended and kept."""

from datetime import date

import pytest
from sqlalchemy import select

from console.actions.contacts import SiteFacts, add_site, change_contact, end_site
from console.domain.contacts import ContactRole
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.revisions import Stale
from console.store.models import follow_up as f
from console.store.queries import contacts
from console.store.session import Database, Operator, Tenants
from tests import followed_up, given
from tests.followed_up import contact_facts

pytestmark = pytest.mark.both_databases
FOIX, PAMIERS = 2, 3
TODAY = date(2026, 11, 25)
FOIX_ONLY = Tenants(frozenset({FOIX}))


@pytest.fixture
def two(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
    return database


def test_contacts_are_numbered_within_their_adherent(two: Database) -> None:
    with two.write(Operator()) as session:
        assert followed_up.a_contact(session, FOIX) == 1
        assert followed_up.a_contact(session, PAMIERS) == 1
    with two.write(FOIX_ONLY) as session:
        assert followed_up.a_contact(session, FOIX, "night") == 2


def test_the_night_contact_and_the_security_officer_come_first(two: Database) -> None:
    with two.write(FOIX_ONLY) as session:
        for role in ("finance", "cio", "security", "night"):
            followed_up.a_contact(session, FOIX, role)
        found = contacts.contacts_of(session, FOIX, TODAY).current
    assert [contact.role.value for contact in found] == ["night", "security", "cio", "finance"]


def test_one_contact_of_a_role_is_called_first(two: Database) -> None:
    with two.write(FOIX_ONLY) as session:
        followed_up.a_contact(session, FOIX, name="Alix", is_primary=True)
        followed_up.a_contact(session, FOIX, "dpo", name="Bao", is_primary=True)
        followed_up.a_contact(session, FOIX, name="Zoé", is_primary=True)
        found = contacts.contacts_of(session, FOIX, TODAY)
    assert [(contact.name, contact.is_primary) for contact in found.current] == [
        ("Zoé", True),
        ("Alix", False),
        ("Bao", True),
    ]
    first = found.of(ContactRole.CIO)
    assert first is not None
    assert first.name == "Zoé"


def test_a_contact_that_ends_is_kept_among_the_others(two: Database) -> None:
    with two.write(FOIX_ONLY) as session:
        number = followed_up.a_contact(session, FOIX)
        change_contact(session, FOIX, number, contact_facts(ends_on=date(2026, 11, 24)), seen_version=1)
        found = contacts.contacts_of(session, FOIX, TODAY)
    assert (len(found.current), len(found.others)) == (0, 1)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"phone": None, "mail": None}, "phone"),
        ({"phone": "standard"}, "phone"),
        ({"mail": "dsi@"}, "mail"),
        ({"name": ""}, "name"),
        ({"ends_on": date(2025, 1, 1)}, "ends_on"),
        ({"role": ContactRole.NIGHT, "phone": None, "mail": "a@b.fr"}, "phone"),
    ],
)
def test_a_contact_that_nobody_can_reach_is_refused(
    two: Database, facts: dict[str, object], field: str
) -> None:
    with two.write(FOIX_ONLY) as session:
        followed_up.a_contact(session, FOIX)
    with pytest.raises(Invalid) as refusal, two.write(FOIX_ONLY) as session:
        change_contact(session, FOIX, 1, contact_facts(**facts), seen_version=1)
    assert refusal.value.field == field


def test_a_contact_of_another_adherent_is_not_there(two: Database) -> None:
    with two.write(Operator()) as session:
        followed_up.a_contact(session, PAMIERS)
    with pytest.raises(NotFound), two.write(FOIX_ONLY) as session:
        change_contact(session, PAMIERS, 1, contact_facts(), seen_version=1)
    with pytest.raises(NotFound), two.write(FOIX_ONLY) as session:
        change_contact(session, FOIX, 1, contact_facts(), seen_version=1)


def test_a_place_that_the_directory_does_not_hold_is_added_and_ends(two: Database) -> None:
    with two.write(FOIX_ONLY) as session:
        number = add_site(session, FOIX, SiteFacts("Annexe", "Bastia", "2b", None))
        end_site(session, FOIX, number, today=TODAY)
        (site,) = contacts.own_sites(session, FOIX)
        assert (site.department, site.ended_on) == ("2B", TODAY)
        with pytest.raises(Conflict):
            end_site(session, FOIX, number, today=TODAY)
        with pytest.raises(NotFound):
            end_site(session, FOIX, 9, today=TODAY)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        (SiteFacts("", "Foix", None, None), "site_name"),
        (SiteFacts("Annexe", "", None, None), "town"),
        (SiteFacts("Annexe", "Foix", "99", None), "department"),
        (SiteFacts("Annexe", "Foix", None, "12345678901234"), "siret"),
    ],
)
def test_a_place_says_where_it_is(two: Database, facts: SiteFacts, field: str) -> None:
    with pytest.raises(Invalid) as refusal, two.write(FOIX_ONLY) as session:
        add_site(session, FOIX, facts)
    assert refusal.value.field == field
    with two.read(Operator()) as session:
        assert session.scalars(select(f.OwnSite)).all() == []


def test_an_adherent_may_know_three_roles_of_the_operator(two: Database) -> None:
    with two.write(Operator()) as session:
        for role in ContactRole:
            followed_up.a_contact(session, 1, role.value)
        known = contacts.operator_contacts(session, TODAY)
    assert [contact.role.value for contact in known] == ["night", "security", "dpo"]


def test_the_second_of_two_people_at_a_contact_is_told(two: Database) -> None:
    with two.write(FOIX_ONLY) as session:
        number = followed_up.a_contact(session, FOIX)
    with two.write(FOIX_ONLY) as session:
        change_contact(session, FOIX, number, contact_facts(name="Zoé"), seen_version=1)
    with pytest.raises(Stale), two.write(FOIX_ONLY) as session:
        change_contact(session, FOIX, number, contact_facts(name="Alix"), seen_version=1)
    with two.read(FOIX_ONLY) as session:
        kept = contacts.contact(session, FOIX, number)
    assert (kept.name, kept.version) == ("Zoé", 2)
