"""The page of one adherent: what it shows, what may be changed there, and by whom."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from console.domain.access import Role
from console.domain.hours import hour_of
from console.store.models.tenant import Subscription, SubscriptionStatus
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser

SignIn = Callable[..., Browser]
FOIX, PAMIERS = 11, 12
THIS_HOUR = hour_of(datetime.now(UTC))


@pytest.fixture
def two(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
        given.a_metered_morning(session, THIS_HOUR - timedelta(hours=2), nginx=PAMIERS)
    return database


def test_it_shows_the_facts_the_subscriptions_and_the_claims(two: Database, sign_in_as: SignIn) -> None:
    page = sign_in_as(Role.OPS).get(f"/adherents/{PAMIERS}").text
    for text in ("CH de Pamiers", "Conseil et accompagnement", "nginx", "srv-01", "mesuré", "Europe/Paris"):
        assert text in page
    english = sign_in_as(Role.OPS, locale="en").get(f"/adherents/{PAMIERS}").text
    assert "Consulting" in english


def test_what_runs_is_listed_and_what_is_over_is_folded_away(two: Database, sign_in_as: SignIn) -> None:
    states = {"OLD": SubscriptionStatus.ENDED, "NOW": SubscriptionStatus.ACTIVE}
    with two.write(Operator()) as session:
        for contract, status in states.items():
            number = given.a_subscription(session, FOIX, contract=contract)
            session.get_one(Subscription, (FOIX, number)).status = status
    page = sign_in_as(Role.OPS).get(f"/adherents/{FOIX}").text
    card = page[page.index('id="subscriptions"') :]
    running, folded, ended = card[: card.index("</section>")].partition("<details>")
    assert folded
    assert ("NOW" in running, "OLD" in running) == (True, False)
    assert "Souscriptions terminées\xa0: 1" in ended
    assert ("NOW" in ended, "OLD" in ended) == (False, True)


def test_a_cio_reads_its_own_page_and_changes_nothing(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.CIO, FOIX)
    page = browser.get(f"/adherents/{FOIX}").text
    main = page[page.index("<main") : page.index("</main>")]
    assert "CH de Foix" in main
    assert "<form" not in main
    assert "Ouvrir un incident" not in main
    for address in (
        "subscriptions",
        "subscriptions/1/amendments",
        "claims",
        "claims/1",
        "incidents/1/events",
    ):
        assert browser.submit(f"/adherents/{FOIX}/{address}").status_code == 403


@pytest.mark.parametrize("role", [Role.CIO, Role.ACCOUNT_MANAGER])
def test_another_adherent_does_not_exist(two: Database, sign_in_as: SignIn, role: Role) -> None:
    answer = sign_in_as(role, FOIX).get(f"/adherents/{PAMIERS}")
    assert answer.status_code == 404
    assert "Pamiers" not in answer.text
