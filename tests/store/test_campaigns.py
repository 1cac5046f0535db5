"""Migration campaigns: who in scope is still on a service that ends, and who has moved."""

from datetime import date

import pytest
from sqlalchemy import event

from console.actions.services import plan_end, release_version
from console.domain.errors import NotFound
from console.domain.offer import Life
from console.store.models import tenant as t
from console.store.queries.campaigns import campaigns, still_on, subscriber_counts
from console.store.queries.catalogue import list_services, service_page
from console.store.session import Database, Operator, Tenants
from tests import given

pytestmark = pytest.mark.both_databases

END = date(2027, 6, 30)
TODAY = date(2026, 11, 25)
FOIX, PAMIERS, ARLES = 2, 3, 4


@pytest.fixture
def ending(database: Database) -> Database:
    """Payroll ends and digihosp follows: Foix has moved, Pamiers has not, Arles never took either."""
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
        given.an_adherent(session, ARLES, "CH d'Arles")
        given.a_subscription(session, FOIX, "payroll", starts_on=date(2020, 1, 1))
        given.a_subscription(session, PAMIERS, "payroll", starts_on=date(2021, 1, 1))
        given.a_subscription(session, PAMIERS, "payroll", starts_on=date(2022, 1, 1))
        given.a_subscription(session, FOIX, "digihosp", starts_on=date(2026, 2, 1))
        plan_end(session, "payroll", Life(support_ends_on=END), "digihosp")
    return database


def test_a_campaign_counts_adherents_and_those_that_have_moved(ending: Database) -> None:
    with ending.read(Operator()) as session:
        (campaign,) = campaigns(session)
    assert (campaign.service.code, campaign.support_ends_on) == ("payroll", END)
    assert campaign.successor is not None
    assert campaign.successor.code == "digihosp"
    assert (campaign.adherents, campaign.moved, campaign.to_move) == (2, 1, 1)


def test_who_is_still_on_it_is_listed_with_since_when(ending: Database) -> None:
    with ending.read(Operator()) as session:
        found = still_on(session, "payroll")
        with pytest.raises(NotFound):
            still_on(session, "fax")
    assert [(one.name, one.number, one.since, one.successor_since) for one in found.subscribers] == [
        ("CH de Foix", 2, date(2020, 1, 1), date(2026, 2, 1)),
        ("CH de Pamiers", 2, date(2021, 1, 1), None),
        ("CH de Pamiers", 3, date(2022, 1, 1), None),
    ]


def test_who_is_on_which_version_is_told(ending: Database) -> None:
    with ending.write(Operator()) as session:
        release_version(session, "payroll", "1", released_on=date(2020, 1, 1))
        release_version(session, "payroll", "2", released_on=date(2026, 1, 1))
        for tenant_id, number, version in ((FOIX, 2, "2"), (PAMIERS, 2, "1"), (PAMIERS, 3, "1")):
            session.get_one(t.Subscription, (tenant_id, number)).service_version = version
    with ending.read(Operator()) as session:
        listed = still_on(session, "payroll").subscribers
        assert [(one.tenant_id, one.version) for one in listed] == [
            (FOIX, "2"),
            (PAMIERS, "1"),
            (PAMIERS, "1"),
        ]
        versions = service_page(session, "payroll", TODAY).versions
        assert [(one.version, one.adherents) for one in versions] == [("2", 1), ("1", 1)]
    with ending.read(Tenants(frozenset({FOIX}))) as session:
        versions = service_page(session, "payroll", TODAY).versions
        assert [(one.version, one.adherents) for one in versions] == [("2", 1), ("1", 0)]


def test_a_scope_sees_and_counts_its_own_adherents_only(ending: Database) -> None:
    with ending.read(Tenants(frozenset({FOIX}))) as session:
        (campaign,) = campaigns(session)
        assert (campaign.adherents, campaign.moved) == (1, 1)
        assert {one.name for one in still_on(session, "payroll").subscribers} == {"CH de Foix"}
        assert subscriber_counts(session) == {"consulting": 1, "payroll": 1, "digihosp": 1}
        assert service_page(session, "payroll", TODAY).adherents == 1
    with ending.read(Tenants(frozenset({ARLES}))) as session:
        assert campaigns(session)[0].adherents == 0
        assert still_on(session, "payroll").subscribers == []


def test_a_service_that_ends_without_a_successor_is_a_campaign_too(ending: Database) -> None:
    with ending.write(Operator()) as session:
        plan_end(session, "payroll", Life(support_ends_on=END), None)
    with ending.read(Operator()) as session:
        (campaign,) = campaigns(session)
    assert (campaign.successor, campaign.moved, campaign.to_move) == (None, 0, 2)


def test_pages_of_the_catalogue_run_a_constant_number_of_statements(ending: Database) -> None:
    def count() -> dict[str, int]:
        counts: dict[str, int] = {}
        statements: list[str] = []

        def listen(*arguments: object) -> None:
            statements.append(str(arguments[2]))

        event.listen(ending.engine, "before_cursor_execute", listen)
        for name, read in (
            ("list", lambda s: list_services(s, TODAY)),
            ("page", lambda s: service_page(s, "payroll", TODAY)),
            ("campaigns", campaigns),
            ("still on", lambda s: still_on(s, "payroll")),
        ):
            with ending.read(Operator()) as session:
                statements.clear()
                read(session)
                counts[name] = len([text for text in statements if text.lstrip().startswith("SELECT")])
        event.remove(ending.engine, "before_cursor_execute", listen)
        return counts

    before = count()
    with ending.write(Operator()) as session:
        for tenant_id in range(20, 40):
            given.an_adherent(session, tenant_id, f"CH {tenant_id}")
            given.a_subscription(session, tenant_id, "payroll")
        plan_end(session, "hr", Life(support_ends_on=END), "finance")
    assert count() == before
    assert before["list"] <= 5
    assert before["campaigns"] <= 3
