"""Machines by file: what would change is shown, then each is claimed in the name of who asks."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from console.domain.access import Role
from console.domain.hours import hour_of
from console.store.models import catalogue as c
from console.store.session import Database, Operator
from tests import given
from tests.browser import Browser
from tests.web.test_directory import form
from tests.web.test_sites import text_of

SignIn = Callable[..., Browser]
FOIX = 11
HEAD = "hôte;machine virtuelle;adhérent;service"


@pytest.fixture
def fleet(database: Database) -> Database:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        given.a_subscription(session, FOIX)
        given.a_metered_morning(session, hour_of(datetime.now(UTC)) - timedelta(hours=2))
    return database


def look(browser: Browser, *rows: str) -> Any:
    content = "\n".join([HEAD, *rows]).encode()
    return browser.post("/cmdb/preview", **form(browser, content, "cmdb.csv", first_day="2026-11-01"))


def claims(database: Database) -> list[c.WorkloadClaim]:
    with database.read(Operator()) as session:
        return list(session.scalars(select(c.WorkloadClaim)))


def test_a_file_is_looked_at_then_claimed_in_the_name_of_who_sent_it(
    fleet: Database, sign_in_as: SignIn
) -> None:
    browser = sign_in_as(Role.OPS)
    seen = look(
        browser, "srv-01;payroll;CH de Foix;payroll", "srv-01;autre;11;payroll", "srv-01;nginx;99;payroll"
    )
    assert seen.status_code == 200
    text = text_of(seen.text)
    assert "Enregistrer 1 machine" in text
    assert "Aucun adhérent ne" in text
    assert "Aucun hôte" in text
    assert claims(fleet) == []
    fields = dict(re.findall(r'type="hidden" name="(file|name|first_day)" value="([^"]*)"', seen.text))
    assert browser.submit("/cmdb", **fields).status_code == 303
    (claim,) = claims(fleet)
    assert (claim.workload_name, claim.tenant_id) == ("payroll", FOIX)
    assert claim.claimed_by.startswith("ops-")
    assert browser.submit("/cmdb", **fields).status_code == 404  # it is taken
    assert "Enregistrer" not in look(browser, "srv-01;payroll;11;payroll").text


def test_a_file_that_names_no_machine_is_refused(fleet: Database, sign_in_as: SignIn) -> None:
    browser = sign_in_as(Role.OPS)
    for content in (b"", b"%PDF-1.7", b"a;b\n1;2\n"):
        answer = browser.post("/cmdb/preview", **form(browser, content, "x.csv", first_day="2026-11-01"))
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.text


def test_only_those_who_claim_send_one(fleet: Database, sign_in_as: SignIn) -> None:
    for role in (Role.AUDITOR, Role.ACCOUNT_MANAGER, Role.CIO):
        assert sign_in_as(role, FOIX).get("/cmdb").status_code == 403
