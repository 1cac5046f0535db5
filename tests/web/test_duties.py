"""Regulatory duties on their page, and the rules that they come from."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from console.domain.access import Role
from console.store.queries.regulatory import Duty, duties_of_incident, rule_history
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser

SignIn = Callable[..., Browser]
FOIX, PAMIERS = 2, 3
DUTIES = f"/adherents/{FOIX}/incidents/1/duties"
RULES = "/catalogue/regulatory-rules"
NIR = "1 85 05 78 006 084 36"
HOUR = timedelta(hours=1)
VERSION = {
    "version": "1",
    "name_fr": "Alerte précoce NIS 2",
    "name_en": "NIS2 early warning",
    "capacity": "essential_entity",
    "recipient": "anssi",
    "hours": "12",
    "basis": "Loi de transposition, article 17",
    "source": "https://www.legifrance.gouv.fr/loi",
    "since": "2099-01-01",
}


@pytest.fixture
def foix(database: Database) -> Database:
    opened_at = datetime.now(UTC) - 20 * HOUR
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
        given.an_incident(session, FOIX, "Intrusion", opened_at=opened_at, is_security=True)
        given.an_incident(session, FOIX, "Lenteurs", opened_at=opened_at)
    return database


def listed(database: Database) -> dict[str, Duty]:
    with database.read(Operator()) as session:
        found = duties_of_incident(session, FOIX, 1, now=datetime.now(UTC))
        return {duty.rule.rule.code: duty for duty in found.rows}


def test_what_is_owed_is_listed_with_its_due_dates(foix: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ACCOUNT_MANAGER, FOIX)
    page = browser.get(DUTIES).text
    for said in (
        "Alerte précoce NIS 2",
        "échéance proche",
        "ANSSI",
        "CERT Santé",
        "provisoire",
        "article 33",
    ):
        assert said in page
    assert "<html" not in browser.fragment(DUTIES).text
    assert "Aucune obligation" in browser.get(f"/adherents/{FOIX}/incidents/2/duties").text


def test_a_duty_is_done_with_its_reference_and_taken_back(foix: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    duty = listed(foix)["nis2-early-warning"]
    assert browser.submit(f"{DUTIES}/{duty.number}/done", reference="ANSSI-118").status_code == 303
    assert browser.submit(f"{DUTIES}/{duty.number}/done").status_code == 409
    assert "ANSSI-118" in browser.get(DUTIES).text
    assert browser.submit(f"{DUTIES}/{duty.number}/undone").status_code == 303
    assert "ANSSI-118" not in browser.get(DUTIES).text


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"at": "2099-01-01T00:00"}, "Une heure à venir"),
        ({"at": "2001-01-01T00:00"}, "après la prise de connaissance"),
        ({"reference": NIR}, 'name="confirmed"'),
    ],
)
def test_a_bad_field_is_told_beside_it(
    foix: Database, sign_in_as: SignIn, form: dict[str, str], said: str
) -> None:
    duty = listed(foix)["cert-sante"]
    answer = sign_in_as(Role.OPS).submit(f"{DUTIES}/{duty.number}/done", **form)
    assert answer.status_code == 422
    assert said in answer.text
    assert listed(foix)["cert-sante"].done_at is None


def test_what_does_not_apply_is_withdrawn_with_its_reason(foix: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    kept = [str(duty.number) for code, duty in listed(foix).items() if code != "cnil-notification"]
    aware_at = "2026-01-02T09:30"
    answer = browser.submit(DUTIES, aware_at=aware_at, applying=kept)
    assert (answer.status_code, "Un texte d" in answer.text) == (422, True)
    assert browser.submit(DUTIES, aware_at=aware_at, applying=["x"]).status_code == 422
    form = {"aware_at": aware_at, "applying": kept, "reason": "Aucune donnée de l'opérateur"}
    assert browser.submit(DUTIES, **form).status_code == 303
    page = browser.get(DUTIES).text
    assert "sans objet" in page
    assert "Aucune donnée de l&#39;opérateur" in page
    assert listed(foix)["cert-sante"].due_at == datetime(2026, 1, 3, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("role", "reads", "acts"),
    [
        (Role.OPS, 200, 303),
        (Role.ACCOUNT_MANAGER, 200, 303),
        (Role.AUDITOR, 200, 403),
        (Role.CIO, 403, 403),
    ],
)
def test_duties_are_the_operators(
    foix: Database, sign_in_as: SignIn, role: Role, reads: int, acts: int
) -> None:
    browser = sign_in_as(role, FOIX)
    duty = listed(foix)["cert-sante"]
    assert browser.get(DUTIES).status_code == reads
    assert browser.submit(f"{DUTIES}/{duty.number}/done").status_code == acts


def test_a_rule_gets_a_version_that_holds_from_a_day_on(foix: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    assert "Alerte précoce NIS 2" in browser.get(RULES).text
    assert browser.submit(f"{RULES}/nis2-early-warning", **VERSION).status_code == 303
    assert browser.submit(f"{RULES}/nis2-early-warning", **VERSION).status_code == 409
    page = browser.get(f"{RULES}/nis2-early-warning").text
    assert "Loi de transposition" in page
    assert "vaut aujourd" in page
    with foix.read(Operator()) as session:
        history = rule_history(session, "nis2-early-warning", datetime.now(UTC).date())
    assert [version.rule.version for version in history.versions] == [2, 1]
    assert history.current is not None
    assert history.current.rule.hours == 24


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"since": "2020-01-01"}, "aujourd&#39;hui au plus tôt"),
        ({"hours": ""}, "Un délai est attendu"),
        ({"months": "1"}, "Un délai est attendu"),
        ({"hours": "x"}, "Un nombre entier"),
        ({"after": "nis2-final-report"}, None),
        ({"after": "nis2-early-warning"}, "à partir d&#39;elle-même"),
        ({"source": "javascript:alert(1)"}, "commence par https://"),
        ({"name_en": ""}, "Un texte d&#39;une ligne"),
    ],
)
def test_a_version_that_cannot_be_is_refused(
    foix: Database, sign_in_as: SignIn, change: dict[str, str], said: str | None
) -> None:
    answer = sign_in_as(Role.ADMINISTRATOR).submit(f"{RULES}/nis2-early-warning", **(VERSION | change))
    assert answer.status_code == (303 if said is None else 422)
    assert said is None or said in answer.text


def test_a_new_rule_has_a_code_of_its_own(foix: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    form = {name: value for name, value in VERSION.items() if name != "version"}
    assert browser.submit(f"{RULES}/new", **form, code="ars-alert").status_code == 303
    assert browser.get(f"{RULES}/ars-alert").status_code == 200
    assert browser.submit(f"{RULES}/new", **form, code="ars-alert").status_code == 409
    assert browser.submit(f"{RULES}/new", **form, code="ARS !").status_code == 422
    assert browser.get(f"{RULES}/nothing").status_code == 404


@pytest.mark.parametrize("role", [Role.OPS, Role.ACCOUNT_MANAGER, Role.CIO, Role.AUDITOR])
def test_rules_are_read_by_all_and_changed_by_those_who_keep_the_catalogue(
    foix: Database, sign_in_as: SignIn, role: Role
) -> None:
    browser = sign_in_as(role, FOIX)
    assert browser.get(RULES).status_code == 200
    assert "Nouvelle version" not in browser.get(f"{RULES}/cert-sante").text
    assert browser.submit(f"{RULES}/nis2-early-warning", **VERSION).status_code == 403
