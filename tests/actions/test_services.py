"""Services, their ends and versions, dependencies, hosting facts and critical days."""

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from console.actions.catalogue import seed_catalogue
from console.actions.criticality import add_criticality, edit_criticality
from console.actions.dependencies import add_dependency, end_dependency, known_dependencies
from console.actions.hosting import state_facts
from console.actions.services import (
    Terms,
    Trade,
    add_service,
    change_version,
    edit_service,
    plan_end,
    release_version,
)
from console.domain.criticality import Window
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.hosting import Activity, DataCentre, HostingFacts, Subcontractor, Transfers
from console.domain.offer import Life, Stage
from console.store.models import catalogue as c
from console.store.models import offer as o
from console.store.queries.catalogue import (
    criticality,
    dependencies_of,
    hosting_of,
    list_services,
    service_page,
)
from console.store.queries.plans import offers
from console.store.session import Database, Operator

pytestmark = pytest.mark.both_databases

TODAY = date(2026, 11, 25)
TOMORROW = TODAY + timedelta(days=1)
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


@pytest.fixture
def seeded(database: Database) -> Database:
    with database.write(Operator()) as session:
        seed_catalogue(session, TODAY)
    return database


def terms(**changes: Any) -> Terms:
    said = {
        "trade": Trade.HOSTING,
        "name_fr": "Sauvegarde externalisée",
        "name_en": "Off-site backup",
        "unit_fr": "Go",
        "unit_en": "GB",
        "plan_code": "critical",
    }
    return Terms(**said | changes)  # type: ignore[arg-type]


def test_a_service_is_added_with_its_terms(seeded: Database) -> None:
    with seeded.write(Operator(), by="ada") as session:
        add_service(session, "backup", terms(description_fr="Une copie.\r\n\r\nAilleurs. \r\n"))
    with seeded.read(Operator()) as session:
        page = service_page(session, "backup", TODAY)
    assert (page.name_en, page.plan, page.stage) == ("Off-site backup", "Critique 24 h / 24", Stage.SOLD)
    assert page.description_fr == "Une copie.\n\nAilleurs."
    assert page.description_en is None
    assert page.adherents == 0


def test_a_code_is_given_once(seeded: Database) -> None:
    with pytest.raises(Conflict, match="payroll"), seeded.write(Operator()) as session:
        add_service(session, "payroll", terms())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name_fr": " "}, "name_fr"),
        ({"unit_en": "x" * 201}, "unit_en"),
        ({"plan_code": "gold"}, "plan_code"),
        ({"criticality_code": "never"}, "criticality_code"),
        ({"description_en": "\x07"}, "description_en"),
    ],
)
def test_wrong_terms_are_refused_at_their_field(
    seeded: Database, changes: dict[str, str], field: str
) -> None:
    with pytest.raises(Invalid) as refused, seeded.write(Operator()) as session:
        edit_service(session, "payroll", terms(**changes))
    assert refused.value.field == field
    with seeded.read(Operator()) as session:
        assert session.get_one(c.Service, "payroll").name_fr == "Production de la paie"


def test_a_service_that_is_not_there_is_not_edited(seeded: Database) -> None:
    with pytest.raises(NotFound), seeded.write(Operator()) as session:
        edit_service(session, "fax", terms())


def test_an_end_is_planned_with_a_successor_and_cleared(seeded: Database) -> None:
    life = Life(TODAY, TOMORROW, TODAY + timedelta(days=9))
    with seeded.write(Operator()) as session:
        plan_end(session, "payroll", life, "hr")
    with seeded.read(Operator()) as session:
        page = service_page(session, "payroll", TODAY)
        assert (page.life, page.stage) == (life, Stage.ENDING)
        assert page.successor is not None
        assert page.successor.code == "hr"
        assert [other.code for other in service_page(session, "hr", TODAY).precedes] == ["payroll"]
        assert "payroll" in {offer.code for offer in offers(session, TODAY)}
        assert "payroll" not in {offer.code for offer in offers(session, TOMORROW)}
        assert "payroll" in {offer.code for offer in offers(session)}
    with seeded.write(Operator()) as session:
        plan_end(session, "payroll", Life(), None)
    with seeded.read(Operator()) as session:
        page = service_page(session, "payroll", TODAY)
    assert (page.life, page.successor) == (Life(), None)


def test_successors_do_not_turn_in_a_circle(seeded: Database) -> None:
    with seeded.write(Operator()) as session:
        plan_end(session, "payroll", Life(), "hr")
        plan_end(session, "hr", Life(), "finance")
    with (
        pytest.raises(Invalid, match="finance → payroll → hr → finance"),
        seeded.write(Operator()) as session,
    ):
        plan_end(session, "finance", Life(), "payroll")
    with pytest.raises(Invalid, match="pas au catalogue"), seeded.write(Operator()) as session:
        plan_end(session, "finance", Life(), "fax")


def test_versions_are_released_and_their_support_ends(seeded: Database) -> None:
    with seeded.write(Operator()) as session:
        release_version(session, "payroll", "1.9", released_on=TODAY, notes="Première")
        release_version(session, "payroll", "1.10", released_on=TODAY)
        change_version(session, "payroll", "1.9", support_ends_on=TOMORROW, notes="")
    with seeded.read(Operator()) as session:
        versions = service_page(session, "payroll", TODAY).versions
    assert [(one.version, one.support_ends_on, one.notes) for one in versions] == [
        ("1.10", None, None),
        ("1.9", TOMORROW, None),
    ]


def test_a_version_is_released_once_and_supported_after_its_release(seeded: Database) -> None:
    with seeded.write(Operator()) as session:
        release_version(session, "payroll", "1", released_on=TODAY)
    with pytest.raises(Conflict, match="déjà une version 1"), seeded.write(Operator()) as session:
        release_version(session, "payroll", "1", released_on=TOMORROW)
    with pytest.raises(Invalid) as refused, seeded.write(Operator()) as session:
        change_version(session, "payroll", "1", support_ends_on=TODAY - timedelta(days=1))
    assert refused.value.field == "support_ends_on"
    with pytest.raises(NotFound), seeded.write(Operator()) as session:
        change_version(session, "hr", "1", support_ends_on=None)


def test_what_a_service_stands_on_is_followed_step_by_step(seeded: Database) -> None:
    with seeded.read(Operator()) as session:
        digihosp = service_page(session, "digihosp", TODAY)
        machines = service_page(session, "hds-iaas", TODAY)
    assert [(one.service.code, one.steps) for one in digihosp.stands_on] == [
        ("hds-managed-application", 1),
        ("patient-administration", 1),
        ("hds-paas", 2),
        ("hds-iaas", 3),
    ]
    assert ("digihosp", 3) in [(one.service.code, one.steps) for one in machines.serves]


def test_a_dependency_that_closes_a_circle_is_refused_with_its_path(seeded: Database) -> None:
    with seeded.write(Operator()) as session:
        before = len(known_dependencies(session))
    with pytest.raises(Invalid, match="hds-iaas → hds-managed-application → hds-paas → hds-iaas"):  # noqa: SIM117
        with seeded.write(Operator()) as session:
            add_dependency(session, "hds-iaas", "hds-managed-application", since=TODAY)
    with seeded.read(Operator()) as session:
        assert len(known_dependencies(session)) == before


def test_of_two_that_would_close_a_circle_together_the_later_is_refused(seeded: Database) -> None:
    start, refused = threading.Barrier(2), []

    def add(service: str, needs: str) -> None:
        start.wait()
        try:
            with seeded.write(Operator()) as session:
                add_dependency(session, service, needs, since=TODAY)
        except Invalid as error:
            refused.append(error.field)

    pairs = (("finance", "training"), ("training", "finance"))
    threads = [threading.Thread(target=add, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == ["needs"]


def test_a_dependency_ends_and_can_begin_again(seeded: Database) -> None:
    with seeded.write(Operator()) as session:
        number = add_dependency(session, "finance", "hr", since=TODAY)
        end_dependency(session, "finance", number, until=TODAY)
        add_dependency(session, "finance", "hr", since=TOMORROW)
    with pytest.raises(Invalid, match="finit déjà"), seeded.write(Operator()) as session:
        end_dependency(session, "finance", number, until=TOMORROW)
    with pytest.raises(NotFound), seeded.write(Operator()) as session:
        end_dependency(session, "hr", number, until=TODAY)
    with seeded.read(Operator()) as session:
        told = dependencies_of(session, "finance")
        assert [(one.since, one.until) for one in told] == [(TOMORROW, None), (TODAY, TODAY)]
        assert [one.service.code for one in service_page(session, "finance", TOMORROW).stands_on] == ["hr"]


def test_a_seeded_dependency_that_was_ended_is_not_seeded_again(seeded: Database) -> None:
    with seeded.write(Operator()) as session:
        (number,) = session.scalars(
            select(o.ServiceDependency.dependency_id).where(o.ServiceDependency.service_code == "payroll")
        )
        end_dependency(session, "payroll", number, until=TODAY)
        seed_catalogue(session, TOMORROW)
        assert service_page(session, "payroll", TOMORROW).stands_on == []


def test_a_dependency_told_the_other_way_round_is_not_seeded(seeded: Database) -> None:
    with seeded.write(Operator()) as session:
        for row in session.scalars(select(o.ServiceDependency)):
            session.delete(row)
        session.flush()
        add_dependency(session, "hr", "payroll", since=TODAY)
        seed_catalogue(session, TODAY)
        assert [one.service.code for one in service_page(session, "hr", TODAY).stands_on] == ["payroll"]


FACTS = HostingFacts(
    TODAY,
    data_centres=[DataCentre.TOULOUSE, DataCentre.AMIENS],
    country="FR",
    activities=[Activity.SITES, Activity.BACKUP],
    subcontractors=[Subcontractor("Maintenance SA", "FR", "maintenance")],
    transfers=Transfers.SOME,
    transfer_details="Support de nuit",
    legal_basis="Clauses contractuelles types",
    reversibility="Export SQL",
    reversibility_days=90,
)


def test_facts_come_back_as_they_were_stated(seeded: Database) -> None:
    with seeded.write(Operator()) as session:
        state_facts(session, "hds-iaas", FACTS, now=NOW, by="ada")
    with seeded.read(Operator()) as session:
        stated = hosting_of(session, "hds-iaas", TODAY)
        assert hosting_of(session, "hds-iaas", TODAY - timedelta(days=1)) is None
        assert hosting_of(session, "hds-paas", TODAY) is None
    assert stated is not None
    assert (stated.facts, stated.stated_by, stated.earlier) == (FACTS, "ada", [])


def test_what_is_not_stated_is_unknown_which_an_empty_list_is_not(seeded: Database) -> None:
    with seeded.write(Operator()) as session:
        state_facts(session, "hr", HostingFacts(TODAY, subcontractors=[]), now=NOW, by="ada")
    with seeded.read(Operator()) as session:
        stated = hosting_of(session, "hr", TODAY)
        nulls = select(func.count()).where(o.HostingStatement.activities.is_(None))
        assert session.scalar(nulls) == 1
    assert stated is not None
    assert stated.facts == HostingFacts(TODAY, subcontractors=[])


def test_facts_of_a_day_are_corrected_and_those_before_stay(seeded: Database) -> None:
    with seeded.write(Operator()) as session:
        state_facts(session, "hr", HostingFacts(TODAY, country="DE"), now=NOW, by="ada")
        state_facts(session, "hr", HostingFacts(TODAY, country="FR"), now=NOW, by="bob")
        state_facts(session, "hr", HostingFacts(TOMORROW, country="ES"), now=NOW, by="eve")
    with seeded.read(Operator()) as session:
        today, tomorrow = hosting_of(session, "hr", TODAY), hosting_of(session, "hr", TOMORROW)
    assert today is not None
    assert tomorrow is not None
    assert (today.facts.country, today.stated_by) == ("FR", "bob")
    assert (tomorrow.facts.country, tomorrow.earlier) == ("ES", [TODAY])


def test_a_calendar_of_critical_days_is_added_and_edited(seeded: Database) -> None:
    with seeded.write(Operator()) as session:
        add_criticality(session, "billing", "Facturation", "Billing", [Window(1, 3)])
        edit_criticality(session, "billing", "Facturation mensuelle", "Monthly billing", [Window(5, 6)])
    with pytest.raises(Conflict, match="billing"), seeded.write(Operator()) as session:
        add_criticality(session, "billing", "x", "x", [Window(1, 1)])
    with pytest.raises(NotFound), seeded.write(Operator()) as session:
        edit_criticality(session, "never", "x", "x", [Window(1, 1)])
    with seeded.read(Operator()) as session:
        calendar = criticality(session, "billing")
    assert (calendar.name_fr, calendar.windows) == ("Facturation mensuelle", [Window(5, 6)])
    assert calendar.next_from(TODAY) == date(2026, 12, 5)


def test_the_list_is_searched_in_both_languages(seeded: Database) -> None:
    with seeded.read(Operator()) as session:
        found = {
            words: {line.code for line in list_services(session, TODAY, words)}
            for words in ("PAIE", "payslips", "hds plateforme", "rien du tout")
        }
        assert len(list_services(session, TODAY)) == 15
    assert found["PAIE"] == {"payroll", "hr"}
    assert found["payslips"] == {"payroll"}
    assert found["hds plateforme"] == {"hds-paas"}
    assert found["rien du tout"] == set()
