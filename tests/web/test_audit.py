"""The audit log as pages: who did what, from which value to which, for those who may read it."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, Enum, delete, event, inspect

from console.domain.access import Method, Role
from console.domain.clock import EventKind, Phase, State
from console.domain.credentials import FREE_FAILURES
from console.store.audit import record
from console.store.base import Base
from console.store.models import audit as a
from console.store.models import people as p
from console.store.models import tenant as t
from console.store.queries.audit import PAGE, history
from console.store.session import Database, Operator, Tenants
from console.web.audit_choices import CHOICES
from console.web.audit_columns import COLUMNS
from console.web.audit_words import THINGS
from tests import given
from tests.browser import Browser

SignIn = Callable[..., Browser]
FOIX, PAMIERS = 11, 12
LOG = f"/adherents/{FOIX}/audit"


@pytest.fixture
def two(database: Database) -> Database:
    with database.write(Operator(), by="claire") as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.an_adherent(session, PAMIERS, "CH de Pamiers")
    given.a_short_log(database, FOIX, PAMIERS)
    with database.write(Tenants(frozenset({FOIX})), by="paul") as session:
        subscription = session.get_one(t.Subscription, (FOIX, 1))
        subscription.volume, subscription.contract = 2400, "M-18"
    return database


def main(page: str) -> str:
    return page[page.index("<main") : page.index("</main>")]


def test_it_says_in_words_what_became_of_what(two: Database, sign_in_as: SignIn) -> None:
    page = main(sign_in_as(Role.AUDITOR).get(LOG).text)
    for said in ("Souscription n° 1 modifiée", "volume : vide → 2 400", "référence du contrat : vide → M-18"):
        assert said in page.replace("\N{NARROW NO-BREAK SPACE}", " ").replace("\N{NO-BREAK SPACE}", " ")
    assert "paul" in page
    assert "CH de Pamiers" not in page
    assert page.index("modifiée") < page.index("ajouté")


def test_it_is_there_in_english(two: Database, sign_in_as: SignIn) -> None:
    page = sign_in_as(Role.AUDITOR, locale="en").get(LOG).text
    assert "Subscription no. 1 changed" in page


@pytest.mark.parametrize(
    ("asked", "shown", "left_out"),
    [
        ("by=paul", "M-18", "Adhérent ajouté"),
        ("what=adherent", "Adhérent ajouté", "M-18"),
        ("subject=subscription/1", "M-18", "Adhérent ajouté"),
        ("subject=subscription", "M-18", "Adhérent ajouté"),
        ("first_day=2026-01-01", "M-18", "Aucune entrée"),
        ("last_day=2026-01-01", "Aucune entrée", "M-18"),
        ("by=pau%25", "Aucune entrée", "M-18"),
    ],
)
def test_it_is_filtered(two: Database, sign_in_as: SignIn, asked: str, shown: str, left_out: str) -> None:
    page = sign_in_as(Role.AUDITOR).fragment(f"{LOG}?{asked}").text
    assert shown in page
    assert left_out not in page


@pytest.mark.parametrize(
    "asked", ["first_day=hier", "first_day=0001-01-01", "first_day=2026-02-01&last_day=2026-01-01"]
)
def test_a_wrong_day_is_told_beside_its_field(two: Database, sign_in_as: SignIn, asked: str) -> None:
    answer = sign_in_as(Role.AUDITOR).get(f"{LOG}?{asked}")
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text


def test_a_long_log_is_read_page_by_page(two: Database, sign_in_as: SignIn) -> None:
    with two.write(Operator()) as session:
        for number in range(PAGE):
            record(session, FOIX, "statement.downloaded", f"statement/{number + 1}")
    browser = sign_in_as(Role.AUDITOR)
    first = browser.get(LOG).text
    assert "Plus anciennes" in first
    assert "M-18" not in first
    second = browser.get(f"{LOG}?before=4").text
    assert "M-18" in second
    assert "Plus anciennes" not in second
    assert "Les plus récentes" in second


def test_a_cio_reads_its_own_log_without_what_the_operator_writes_for_itself(
    two: Database, sign_in_as: SignIn
) -> None:
    with two.write(Operator(), by="claire") as session:
        record(session, FOIX, "note.added", "note/1", {"text": "client mécontent"})
    assert "client mécontent" in sign_in_as(Role.AUDITOR).get(LOG).text
    browser = sign_in_as(Role.CIO, FOIX)
    page = browser.get(LOG).text
    assert "M-18" in page
    assert "mécontent" not in page
    assert "mécontent" not in browser.get(f"{LOG}.csv").text
    assert "mécontent" not in browser.get(f"{LOG}?what=note").text
    assert browser.get(f"{LOG}/4").status_code == 404
    assert browser.get(f"{LOG}/3").status_code == 200


@pytest.mark.parametrize("address", [LOG, f"{LOG}.csv", f"{LOG}/1"])
def test_another_adherents_log_does_not_exist(two: Database, sign_in_as: SignIn, address: str) -> None:
    answer = sign_in_as(Role.CIO, PAMIERS).get(address)
    assert answer.status_code == 404
    assert "Foix" not in answer.text


@pytest.mark.parametrize("role", Role)
def test_the_log_is_for_those_who_see_it(two: Database, sign_in_as: SignIn, role: Role) -> None:
    assert sign_in_as(role, FOIX).get(LOG).status_code == (403 if role is Role.OPS else 200)


def test_the_operators_own_log_holds_accounts_and_is_not_for_a_cio(two: Database, sign_in_as: SignIn) -> None:
    with two.write(Operator(), by="claire") as session:
        account_id = given.an_account(session, "marie", Role.OPS)
    with two.read(Operator()) as session:
        (added,) = history(session, 1, f"account/{account_id}")
    administrator = sign_in_as(Role.ADMINISTRATOR)
    assert f"/adherents/1/audit/{added.number}" in administrator.get("/audit").text
    page = administrator.get(f"/adherents/1/audit/{added.number}").text
    assert "marie" in page
    assert "password_hash" in page
    assert "argon2" not in page
    page = sign_in_as(Role.CIO, FOIX).get("/audit").text
    assert "marie" not in page
    assert LOG in page
    assert sign_in_as(Role.CIO, FOIX).get("/adherents/1/audit").status_code == 404


def test_signing_in_and_out_is_written_down_with_the_login(two: Database, browser: Browser) -> None:
    with two.write(Operator()) as session:
        account_id = given.an_account(session, "marie", Role.ADMINISTRATOR)
    for _attempt in range(FREE_FAILURES + 1):
        browser.submit("/sign-in", login="marie", password="wrong")
    with two.write(Operator()) as session:
        session.execute(delete(p.AccountUse))
    browser.submit("/sign-in", login="marie", password=given.PASSWORD)
    browser.submit("/sign-out")
    with two.read(Operator()) as session:
        deeds = history(session, 1, f"account/{account_id}")
    assert [(deed.kind, deed.by) for deed in deeds] == [
        ("sign_in.closed", "marie"),
        ("sign_in.opened", "marie"),
        ("sign_in.suspended", "console"),
        ("account.added", "console"),
    ]
    assert deeds[2].facts["failures"] == FREE_FAILURES + 1


def test_what_a_person_does_on_a_page_bears_their_login(two: Database, sign_in_as: SignIn) -> None:
    form = {"subscription": "1", "title": "Impression en panne", "priority": "P2"}
    assert sign_in_as(Role.OPS).submit(f"/adherents/{FOIX}/incidents", **form).status_code == 303
    with two.read(Operator()) as session:
        (opened,) = history(session, FOIX, "incident/1")
    assert opened.by.startswith("ops-")


def test_the_export_holds_exactly_the_filter_and_is_an_entry(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.AUDITOR)
    rows = browser.get(f"{LOG}.csv?what=subscription").get_data().decode("utf-8-sig").splitlines()
    assert [row.split(";")[0] for row in rows] == ["Numéro", "2", "3"]
    assert "M-18" in rows[2]
    with two.read(Operator()) as session:
        entry = session.get_one(a.AuditEntry, (FOIX, 4))
    assert (entry.kind, entry.by.startswith("auditor-")) == ("audit.exported", True)


def test_a_statement_that_leaves_the_console_is_an_entry(two: Database, sign_in_as: SignIn) -> None:
    with two.write(Operator()) as session:
        number = given.a_statement(session, FOIX)
    cio = sign_in_as(Role.CIO, FOIX)
    for kind in ("pdf", "csv"):
        assert cio.get(f"/adherents/{FOIX}/statements/{number}.{kind}").status_code == 200
    with two.read(Operator()) as session:
        told = history(session, FOIX, f"statement/{number}")
    assert [(deed.kind, deed.facts.get("format")) for deed in told] == [
        ("statement.downloaded", "csv"),
        ("statement.downloaded", "pdf"),
        ("statement.added", None),
    ]


def test_an_administrator_redacts_an_entry(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    assert "M-18" in browser.get(f"{LOG}/3").text
    assert browser.submit(f"{LOG}/3", reason="Référence erronée").status_code == 303
    page = browser.get(f"{LOG}/3").text
    assert "M-18" not in page
    assert "contenu effacé" in page
    assert "Effacer ce contenu" not in page
    assert "Référence erronée" in browser.get(LOG).text
    assert browser.submit(f"{LOG}/3", reason="Encore").status_code == 409


@pytest.mark.parametrize("reason", ["", "Patient 1 85 07 78 006 084 36"])
def test_a_redaction_needs_a_reason_that_names_no_patient(
    two: Database, sign_in_as: SignIn, reason: str
) -> None:
    browser = sign_in_as(Role.ADMINISTRATOR)
    answer = browser.submit(f"{LOG}/3", reason=reason)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert "M-18" in browser.get(f"{LOG}/3").text


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.CIO, Role.OPS])
def test_others_redact_nothing(two: Database, sign_in_as: SignIn, role: Role) -> None:
    browser = sign_in_as(role, FOIX)
    assert browser.submit(f"{LOG}/3", reason="Motif").status_code == 403
    assert "Effacer ce contenu" not in browser.get(f"{LOG}/3").text


def test_a_page_costs_as_many_statements_whatever_it_shows(two: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.AUDITOR)
    few = _statements(two, lambda: browser.get(LOG))
    with two.write(Operator()) as session:
        for number in range(PAGE):
            record(session, FOIX, "statement.downloaded", f"statement/{number}")
    assert _statements(two, lambda: browser.get(LOG)) == few


def _statements(database: Database, deed: Callable[[], object]) -> int:
    """How many statements reach the databases of this process meanwhile."""

    count = 0

    def add(*_: object) -> None:
        nonlocal count
        count += 1

    event.listen(Engine, "before_cursor_execute", add)
    deed()
    event.remove(Engine, "before_cursor_execute", add)
    return count


def test_every_table_and_column_that_is_logged_has_words() -> None:
    logged = [mapper.class_ for mapper in Base.registry.mappers if mapper.class_.audited]
    assert logged
    for model in logged:
        told = {column.key for column in inspect(model).column_attrs} - model.fleeting - model.hidden
        assert model.__tablename__ in THINGS
        assert told - COLUMNS.keys() == set(), model


def test_every_choice_that_is_logged_has_words() -> None:
    choices = {
        f"{mapper.class_.__tablename__}.{column.name}": set(column.type.enums)
        for mapper in Base.registry.mappers
        if mapper.class_.audited
        for column in inspect(mapper.class_).local_table.columns
        if isinstance(column.type, Enum) and column.name not in mapper.class_.hidden
    }
    assert choices
    choices |= {
        "incident.phase": set(Phase),
        "incident.outcome": set(State),
        "incident_event.kind": set(EventKind),
        "sign_in.method": set(Method),
    }
    without = {name: codes - CHOICES.get(name, {}).keys() for name, codes in choices.items()}
    assert [(name, codes) for name, codes in without.items() if codes] == []


@pytest.mark.parametrize(
    ("locale", "said"),
    [("fr", ("ressources humaines", "autre rencontre")), ("en", ("human resources", "other meeting"))],
)
def test_a_code_is_told_by_what_it_is_of(
    two: Database, sign_in_as: SignIn, locale: str, said: tuple[str, ...]
) -> None:
    with two.write(Operator(), by="claire") as session:
        record(session, FOIX, "contact.added", "contact/1", {"new": {"role": "human_resources"}})
        record(session, FOIX, "committee.added", "committee/1", {"new": {"kind": "other"}})
    told = sign_in_as(Role.AUDITOR, locale=locale).get(f"{LOG}.csv").get_data().decode("utf-8-sig")
    assert all(words in told for words in said)


def test_a_fact_named_as_a_change_is_told_as_a_fact(two: Database, sign_in_as: SignIn) -> None:
    with two.write(Operator(), by="claire") as session:
        record(session, FOIX, "directory.imported", "import/sites.csv", {"new": 12, "old": "2023"})
    page = main(sign_in_as(Role.ADMINISTRATOR).get(LOG).text)
    assert "sites.csv" in page
    assert "12" in page
