"""Invitations: one link, one account; by real mail where there is a server, else shown once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from console import jobs
from console.app import create_app
from console.config import Config, Smtp
from console.domain.access import Role
from console.store.models import coordination as k
from console.store.models import people as p
from console.store.session import Database, Operator
from console.web.access import COOKIE
from tests import given
from tests.browser import Browser
from tests.smtp import MailServer, mail_server

SignIn = Callable[..., Browser]
FOIX = 11
LINK = re.compile(r"http://localhost(/invitation/[\w-]{43})")
CHOSEN = {"password": "a phrase of her own", "again": "a phrase of her own"}


@pytest.fixture
def boss(database: Database, sign_in_as: SignIn) -> Browser:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
    return sign_in_as(Role.ADMINISTRATOR)


def invite(boss: Browser, email: str = "Ana.Roy@inr.example", **fields: str) -> str:
    """The address of the link, as the page shows it where no mail leaves."""
    form = {"email": email, "name": "Ana Roy", "role": "cio", "adherents": str(FOIX)} | fields
    found = LINK.search(boss.submit("/people/invite", **form).text)
    assert found
    return found[1]


def test_who_follows_the_link_chooses_a_password_and_is_in(
    database: Database, boss: Browser, browser: Browser
) -> None:
    link = invite(boss)
    page = browser.get(link).text
    assert "Bienvenue, Ana Roy" in page
    assert 'value="ana.roy@inr.example"' in page
    answer = browser.submit(link, **CHOSEN)
    assert (answer.status_code, answer.location) == (303, "/")
    assert browser.get(f"/adherents/{FOIX}").status_code == 200
    assert browser.get("/people").status_code == 403
    browser.delete_cookie(COOKIE)
    entered = browser.submit("/sign-in", login="ana.roy@inr.example", password=CHOSEN["password"])
    assert entered.status_code == 303
    with database.read(Operator()) as session:
        row = session.scalars(select(p.Invitation)).one()
        assert row.used_at is not None
        assert link.rpartition("/")[2] not in repr(vars(row))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"again": "another phrase"}, "diffèrent"),
        ({"password": "short", "again": "short"}, "de 12 à 200"),
        ({"password": "ana roy is my name", "again": "ana roy is my name"}, ""),
        ({"password": "Sunshine-2026!", "again": "Sunshine-2026!"}, "essaie en premier"),
        ({"password": "inr.example, ana.roy", "again": "inr.example, ana.roy"}, ""),
    ],
)
def test_a_password_that_is_refused_leaves_the_link_open(
    boss: Browser, browser: Browser, fields: dict[str, str], said: str
) -> None:
    link = invite(boss)
    answer = browser.submit(link, **CHOSEN | fields)
    if not said:
        assert answer.status_code == 303
        return
    assert (answer.status_code, said in answer.text) == (422, True)
    assert browser.submit(link, **CHOSEN).status_code == 303


def test_a_link_serves_once(boss: Browser, browser: Browser, app: Flask) -> None:
    link = invite(boss)
    browser.submit(link, **CHOSEN)
    other = app.test_client()
    for answer in (other.get(link), other.submit(link, **CHOSEN)):
        assert (answer.status_code, "déjà ouvert" in answer.text) == (410, True)


def test_a_link_ends_after_three_days(database: Database, boss: Browser, browser: Browser) -> None:
    link = invite(boss)
    with database.write(Operator()) as session:
        row = session.scalars(select(p.Invitation)).one()
        assert row.expires_at - row.invited_at == timedelta(hours=72)
        row.expires_at = datetime.now(UTC)
    for answer in (browser.get(link), browser.submit(link, **CHOSEN)):
        assert (answer.status_code, "a expiré" in answer.text) == (410, True)
    assert "Ana Roy" not in boss.get("/people").text


def test_a_link_can_be_withdrawn_and_is_replaced_by_the_next(
    database: Database, boss: Browser, browser: Browser
) -> None:
    first, second = invite(boss), invite(boss)
    assert "retirée ou remplacée" in browser.get(first).text
    assert browser.get(second).status_code == 200
    with database.read(Operator()) as session:
        numbers = session.scalars(
            select(p.Invitation.invitation_id).order_by(p.Invitation.invitation_id)
        ).all()
    assert boss.submit(f"/people/invitations/{numbers[1]}/withdraw").location == "/people"
    assert browser.get(second).status_code == 410
    assert boss.submit(f"/people/invitations/{numbers[1]}/withdraw").status_code == 409
    assert boss.submit("/people/invitations/999/withdraw").status_code == 404


def test_a_link_that_never_was_is_not_there(browser: Browser) -> None:
    answer = browser.get("/invitation/" + "x" * 43)
    assert (answer.status_code, "vérifiez qu&#39;il est entier" in answer.text) == (404, True)
    assert browser.submit("/invitation/" + "x" * 43, **CHOSEN).status_code == 404


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"email": "not an address"}, 422, "email"),
        ({"email": "taken@inr.example"}, 422, "email"),
        ({"name": " "}, 422, "name"),
        ({"role": "king"}, 422, "role"),
        ({"adherents": ""}, 422, "adherents"),
        ({"adherents": "x"}, 422, "adherents"),
        ({"adherents": "999"}, 404, ""),
    ],
)
def test_an_invitation_that_cannot_be_is_refused_on_its_field(
    database: Database, boss: Browser, changes: dict[str, str], status: int, field: str
) -> None:
    with database.write(Operator()) as session:
        given.an_account(session, "taken@inr.example", Role.OPS)
    form = {"email": "ana@inr.example", "name": "Ana", "role": "cio", "adherents": str(FOIX)}
    answer = boss.submit("/people/invite", **form | changes)
    assert answer.status_code == status
    assert not field or f'id="{field}-error"' in answer.text
    with database.read(Operator()) as session:
        assert session.scalars(select(p.Invitation)).all() == []


def test_an_account_made_meanwhile_is_not_made_again(
    database: Database, boss: Browser, browser: Browser
) -> None:
    link = invite(boss, email="ana@inr.example")
    with database.write(Operator()) as session:
        given.an_account(session, "ana@inr.example", Role.OPS)
    answer = browser.submit(link, **CHOSEN)
    assert (answer.status_code, "autre compte" in answer.text) == (422, True)


def test_adherents_are_found_by_a_search_that_sends_no_invitation(boss: Browser) -> None:
    page = boss.submit("/people/invite", deed="search", words="foix", email="ana@inr.example").text
    assert f'name="adherents" value="{FOIX}"' in page
    assert 'value="ana@inr.example"' in page
    again = boss.submit("/people/invite", deed="search", words="foix", adherents=str(FOIX)).text
    assert f'value="{FOIX}" checked' in again


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def with_mail(config: Config, server: MailServer) -> Config:
    smtp = Smtp("127.0.0.1", server.port, "plain", None, None, "console@inr.example")
    return replace(config, smtp=smtp)


@pytest.fixture
def mailing(with_mail: Config) -> Iterator[Flask]:
    app = create_app(with_mail)
    app.test_client_class = Browser
    yield app
    app.extensions["console"].database.close()


@pytest.fixture
def posting_boss(database: Database, mailing: Flask) -> Browser:
    with database.write(Operator()) as session:
        given.an_adherent(session, FOIX, "CH de Foix")
        token = given.signed_in(session, Role.ADMINISTRATOR)
    browser = mailing.test_client()
    assert isinstance(browser, Browser)
    browser.set_cookie(COOKIE, token)
    return browser


FORM = {"email": "ana@inr.example", "name": "Ana\nRoy", "role": "cio", "adherents": str(FOIX)}


def test_the_link_goes_by_mail_and_is_kept_nowhere(
    database: Database, with_mail: Config, mailing: Flask, posting_boss: Browser, server: MailServer
) -> None:
    answer = posting_boss.submit("/people/invite", **FORM)
    assert answer.location == "/people"
    assert "en route" in posting_boss.get("/people").text
    jobs.deliver(jobs.means_of(with_mail, database))
    (mail,) = server.taken
    assert mail.recipients == ["ana@inr.example"]
    assert mail.subject == "[Console INR] Votre invitation"
    assert mail.body.startswith("Bonjour Ana Roy,")
    found = LINK.search(mail.body)
    assert found
    assert "parti" in posting_boss.get("/people").text
    with database.read(Operator()) as session:
        assert session.scalars(select(k.Delivery.body)).all() == [""]
    assert mailing.test_client().submit(found[1], **CHOSEN).status_code == 303


def test_a_mail_that_has_not_left_does_not_leave_once_withdrawn(
    database: Database, with_mail: Config, posting_boss: Browser, server: MailServer
) -> None:
    posting_boss.submit("/people/invite", **FORM)
    with database.read(Operator()) as session:
        number = session.scalars(select(p.Invitation.invitation_id)).one()
    posting_boss.submit(f"/people/invitations/{number}/withdraw")
    jobs.deliver(jobs.means_of(with_mail, database))
    assert server.received == []
    with database.read(Operator()) as session:
        assert session.scalars(select(k.Delivery.body)).all() == [""]


def test_a_mail_that_could_not_leave_in_time_is_emptied(
    database: Database, with_mail: Config, posting_boss: Browser, server: MailServer
) -> None:
    server.data_replies = ["451 later"]
    posting_boss.submit("/people/invite", **FORM)
    means = jobs.means_of(with_mail, database)
    jobs.deliver(means)
    jobs.clear_out(means)
    with database.write(Operator()) as session:
        assert LINK.search(session.scalars(select(k.Delivery.body)).one())
        session.scalars(select(p.Invitation)).one().expires_at = datetime.now(UTC)
    jobs.clear_out(means)
    with database.write(Operator()) as session:
        row = session.scalars(select(k.Delivery)).one()
        assert (row.body, row.state) == ("", k.DeliveryState.FAILED)
    assert server.taken == []


def test_no_host_that_a_request_names_gets_into_the_link(
    database: Database, with_mail: Config, posting_boss: Browser, server: MailServer
) -> None:
    posting_boss.environ_base["HTTP_X_FORWARDED_HOST"] = "evil.example"
    posting_boss.submit("/people/invite", **FORM)
    jobs.deliver(jobs.means_of(with_mail, database))
    assert "evil" not in server.taken[0].body
