"""Plans and the priority matrix as people read them and make versions of them."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from console.domain.access import Role
from console.domain.clock import Target, Unit
from console.domain.escalation import Promise
from console.store.queries.matrix import matrix_on, matrix_versions
from console.store.queries.plan_versions import plan_history
from console.store.queries.plans import plan_of
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser

SignIn = Callable[..., Browser]
FORM = {
    "version": "1",
    "name": "Standard heures ouvrées",
    "calendar": "working-hours",
    "availability": "99,95 %",
    "notice_hours": "48",
    "degraded_percent": "50",
    "breach_notice_hours": "",
    **{f"P{level}-{clock}": "2" for level in range(1, 6) for clock in ("tto", "ttr")},
    **{f"P{level}-tto-unit": "hours" for level in range(1, 6)},
    **{f"P{level}-ttr-unit": "working_days_end" for level in range(1, 6)},
    "step-0-below": "99,95",
    "step-0-percent": "5",
    "step-1-below": "99",
    "step-1-percent": "10",
    "escalation-0-clock": "ttr",
    "escalation-0-side": "before",
    "escalation-0-amount": "30",
    "escalation-0-unit": "minutes",
    "escalation-0-level": "2",
}
CELLS = {f"cell-{i}-{u}": str(max(i, u)) for i in range(1, 6) for u in range(1, 6)}


@pytest.fixture
def administrator(database: Database, sign_in_as: SignIn) -> Browser:
    with database.write(Operator()) as session:
        given.an_adherent(session, 11, "CH de Foix")
    return sign_in_as(Role.ADMINISTRATOR)


def test_a_version_follows_another_and_says_what_it_changes(
    database: Database, administrator: Browser
) -> None:
    answer = administrator.submit("/catalogue/plans/standard/next", **FORM)
    assert (answer.status_code, answer.location) == (303, "/catalogue/plans/standard")
    with database.read(Operator()) as session:
        plan = plan_of(session, "standard", 2)
        history = plan_history(session, "standard")
    assert plan.targets["P3"].ttr == Target(2, Unit.WORKING_DAYS, end_of_day=True)
    assert (plan.availability_ppm, plan.notice_hours, plan.degraded_percent) == (999_500, 48, 50)
    assert [(step.below_ppm, step.percent) for step in plan.credit_steps] == [(999_500, 5), (990_000, 10)]
    (rule,) = plan.escalations
    assert (rule.promise, rule.amount, rule.unit, rule.level) == (Promise.TTR, -30, Unit.MINUTES, 2)
    changed = {one.term for one in history.latest.changes}
    assert {"P1.ttr", "availability_ppm", "escalations", "breach_notice_hours"} <= changed
    assert "name" not in changed
    page = administrator.get("/catalogue/plans/standard").text
    for text in (
        "99,95",
        "Ce que la version 2 change",
        "2 jours ouvrés jusqu'au soir",
        "niveau 2, 30 minutes avant",
    ):
        assert text in page


def test_the_next_version_begins_as_the_latest(administrator: Browser) -> None:
    form = administrator.get("/catalogue/plans/critical/next").text
    assert 'name="availability" type="text" value="99,9"' in form
    assert 'name="escalation-2-amount" value="60"' in form
    assert 'name="step-2-below" value="99"' in form


def test_subscriptions_keep_the_version_they_hold(database: Database, administrator: Browser) -> None:
    with database.write(Operator()) as session:
        given.a_subscription(session, 11, "training")
    administrator.submit("/catalogue/plans/request/next", **FORM)
    assert "version 1" in administrator.get("/adherents/11/subscriptions/1").text


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"version": "7"}, 409, "une version plus récente"),
        ({"P2-tto": ""}, 422, "Un nombre entier est attendu"),
        ({"P2-tto": "0"}, 422, "Un délai est d&#39;au moins 1"),
        ({"P2-ttr-unit": "weeks"}, 422, "Un choix de la liste"),
        ({"P1-ttr": "1", "P1-ttr-unit": "hours"}, 422, "ne précède pas la prise en charge"),
        ({"calendar": "unknown"}, 422, "Un calendrier de la liste"),
        ({"availability": "100,1"}, 422, "100 au plus"),
        ({"availability": "beaucoup"}, 422, "à quatre décimales au plus"),
        ({"availability": ""}, 422, "suppose une disponibilité promise"),
        ({"degraded_percent": "101"}, 422, "de 0 à 100"),
        ({"notice_hours": "9999"}, 422, "heures sont attendues"),
        ({"step-1-percent": "5"}, 422, "Un palier plus bas rend davantage"),
        ({"step-0-below": "99,99"}, 422, "au plus à la disponibilité promise"),
        ({"escalation-0-level": "6"}, 422, "Un niveau va de 1 à 5"),
        ({"escalation-0-amount": "0"}, 422, "va de 1 à"),
    ],
)
def test_what_cannot_be_promised_is_told_at_its_field(
    administrator: Browser, changes: dict[str, str], status: int, said: str
) -> None:
    answer = administrator.submit("/catalogue/plans/standard/next", **FORM | changes)
    assert answer.status_code == status
    assert said in answer.text
    assert "Version 2" not in administrator.get("/catalogue/plans/standard").text


def test_a_plan_is_added_and_its_first_version_is_not_made_twice(administrator: Browser) -> None:
    assert administrator.submit("/catalogue/plans", code="night", **FORM).status_code == 303
    assert administrator.submit("/catalogue/plans", code="night", **FORM).status_code == 409
    same = administrator.submit("/catalogue/plans/night/next", **FORM)
    assert (same.status_code, "dit la même chose" in same.text) == (422, True)


def test_the_matrix_is_changed_with_a_reason_and_the_one_before_is_kept(
    database: Database, administrator: Browser
) -> None:
    before = datetime.now(UTC)
    answer = administrator.submit("/catalogue/matrix", version="0", reason="Comité de juin", **CELLS)
    assert answer.status_code == 303
    with database.read(Operator()) as session:
        assert matrix_on(session, before)[1][5] == 4
        assert matrix_on(session, datetime.now(UTC))[1][5] == 5
        assert [one.version for one in matrix_versions(session)] == [1, 0]
    page = administrator.get("/catalogue/matrix").text
    assert "Comité de juin" in page
    assert "Matrice d'origine" in page


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"version": "3"}, 409, "La matrice a changé entre-temps"),
        ({"reason": ""}, 422, "Un texte d&#39;une ligne"),
        ({"cell-2-2": "6"}, 422, "Une priorité de 1 à 5"),
        ({"cell-2-2": ""}, 422, "Une priorité de 1 à 5"),
        ({"cell-1-1": "3"}, 422, "ne peut pas donner une priorité plus basse"),
    ],
)
def test_a_matrix_that_cannot_be_is_refused(
    administrator: Browser, changes: dict[str, str], status: int, said: str
) -> None:
    sent = {"version": "0", "reason": "Essai"} | CELLS | changes
    answer = administrator.submit("/catalogue/matrix", **sent)
    assert answer.status_code == status
    assert said in answer.text


def test_a_cio_reads_what_is_promised_and_not_who_wrote_it(
    administrator: Browser, sign_in_as: SignIn
) -> None:
    administrator.submit("/catalogue/matrix", version="0", reason="Comité de juin", **CELLS)
    cio = sign_in_as(Role.CIO, 11)
    page = cio.get("/catalogue/matrix").text
    assert "Comité de juin" in page
    assert "administrator" not in page
    assert cio.get("/catalogue/plans/critical").status_code == 200
    assert cio.get("/catalogue/plans/critical/next").status_code == 403
    assert cio.submit("/catalogue/matrix", version="1", reason="Essai", **CELLS).status_code == 403
    assert cio.get("/catalogue/plans/unknown").status_code == 404
