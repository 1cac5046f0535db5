"""The pages of probes: made, read, changed, stopped; for those who run the services only."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from console.actions import probing
from console.domain.access import Role
from console.domain.probes import Answer, Fault
from console.store.queries.probes import probes
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser

SignIn = Callable[..., Browser]
FOIX = 11
FORM = {
    "name": "Paie",
    "kind": "http",
    "target": "https://paie.exemple.fr/etat",
    "status": "200",
    "text": "",
    "every_s": "60",
    "timeout_s": "10",
    "service": "payroll",
    "effect": "outage",
    "adherent": "",
    "subscription": "",
}


@pytest.fixture
def ops(database: Database, sign_in_as: SignIn) -> Browser:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.a_subscription(session, FOIX)
    return sign_in_as(Role.OPS)


def answer(database: Database, *said: Answer) -> None:
    for one in said:
        with database.write(Operator()) as session:
            (probe,) = probes(session)
            probing.run_soon(session, probe.probe_id, now=datetime.now(UTC))
            claim = probing.claim_slot(session, probe.probe_id, now=datetime.now(UTC))
            assert claim is not None
            probing.take_answer(session, claim, one)


def test_a_probe_is_made_and_told_of(ops: Browser, database: Database) -> None:
    assert "Aucune sonde" in ops.get("/probes").text
    assert ops.submit("/probes", **FORM).status_code == 303
    page = ops.get("/probes").text
    assert "1 sonde" in page
    assert "pas encore passée" in page
    answer(database, Answer(None, 40))
    assert "répond" in ops.get("/probes").text
    answer(database, Answer(Fault.STATUS, 40, "500"))
    assert "à confirmer" in ops.get("/probes").text
    answer(database, Answer(Fault.STATUS, 40, "500"))
    assert "en panne" in ops.get("/probes").text
    page = ops.get("/probes/1").text
    assert "code de réponse inattendu" in page
    assert "en cours" in page


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"kind": "smoke"}, "kind"),
        ({"target": "paie"}, "target"),
        ({"kind": "tcp"}, "target"),
        ({"every_s": "5"}, "every_s"),
        ({"every_s": "souvent"}, "every_s"),
        ({"timeout_s": "60"}, "timeout_s"),
        ({"service": ""}, "service"),
        ({"effect": "none"}, "effect"),
        ({"subscription": "1"}, "adherent"),
        ({"adherent": "11"}, "subscription"),
    ],
)
def test_what_cannot_be_asked_is_refused_on_its_field(
    ops: Browser, changes: dict[str, str], field: str
) -> None:
    answer = ops.submit("/probes", **FORM | changes)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert FORM["every_s"] in answer.text


def test_a_probe_is_changed_stopped_and_started(ops: Browser) -> None:
    ops.submit("/probes", **FORM)
    assert 'value="https://paie.exemple.fr/etat"' in ops.get("/probes/1/edit").text
    ops.submit("/probes/1", **FORM | {"name": "Paie, nuit", "adherent": "11", "subscription": "2"})
    assert "CH de Foix" in ops.get("/probes/1").text
    assert ops.submit("/probes/1/run").status_code == 303
    ops.submit("/probes/1/stop")
    assert "arrêtée" in ops.get("/probes").text
    assert ops.submit("/probes/1/run").status_code == 409
    ops.submit("/probes/1/start")
    assert "arrêtée" not in ops.get("/probes").text


def test_a_probe_that_does_not_exist_is_not_found(ops: Browser) -> None:
    assert ops.get("/probes/9").status_code == 404
    assert ops.submit("/probes/9/stop").status_code == 404


@pytest.mark.parametrize("role", [Role.CIO, Role.ACCOUNT_MANAGER, Role.AUDITOR])
def test_probes_are_for_those_who_run_the_services(ops: Browser, sign_in_as: SignIn, role: Role) -> None:
    other = sign_in_as(role, FOIX)
    assert other.get("/probes").status_code == 403
    assert other.submit("/probes", **FORM).status_code == 403


def test_the_pages_of_probes_speak_english(ops: Browser, database: Database, sign_in_as: SignIn) -> None:
    ops.submit("/probes", **FORM)
    answer(database, Answer(Fault.TIMED_OUT, 10_000))
    page = sign_in_as(Role.ADMINISTRATOR, locale="en").get("/probes/1").text
    assert "no answer in time" in page
    assert "Outages seen" in page
