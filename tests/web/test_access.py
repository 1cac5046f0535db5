"""Every view says whom it is for, and the gate holds them to it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from flask import Blueprint, Flask
from werkzeug.routing import AnyConverter, Rule

from console.app import create_app
from console.config import Config
from console.domain.access import PERMISSIONS, Permission, Role, may
from console.store.session import Database, Operator
from console.web.access import Audience, UnclassifiedView, audience_of, check_every_view
from tests import given
from tests.browser import Browser

SignIn = Callable[..., Browser]
PUBLIC = {
    "account.speak",
    "adherents_api.list_adherents",
    "alertmanager_api.receive_alerts",
    "api.receive_readings",
    "assets.send",
    "calendar_feed.send",
    "health.show",
    "incidents_api.list_changes",
    "incidents_api.put_ticket",
    "incidents_api.show_ticket",
    "invitations.accept",
    "invitations.show",
    "sign_in.ask_code",
    "sign_in.check_code",
    "sign_in.enter",
    "sign_in.show",
    "single_sign_on.back",
    "single_sign_on.begin",
    "status.follow",
    "status.link",
    "volumes_api.receive_volumes",
}


def address_of(rule: Rule, value: int, **chosen: int) -> str:
    """An address of a rule with the same number everywhere; where words are to choose from, the first."""
    words = {
        name: min(converter.items)
        for name, converter in rule._converters.items()
        if isinstance(converter, AnyConverter)
    }
    built = rule.build(dict.fromkeys(rule.arguments, value) | words | chosen, append_unknown=False)
    assert built is not None
    return built[1]


def test_only_these_views_are_open_to_everyone(app: Flask) -> None:
    open_to_all = {
        name for name, view in app.view_functions.items() if audience_of(view) is Audience.EVERYONE
    }
    assert open_to_all == PUBLIC


def test_a_view_that_says_nothing_stops_the_start_with_its_name(app: Flask) -> None:
    page = Blueprint("trial", __name__)
    page.add_url_rule("/trial", "forgotten", lambda: "")
    bare = Flask(__name__, static_folder=None)
    bare.register_blueprint(page)
    with pytest.raises(UnclassifiedView, match=r"trial\.forgotten"):
        check_every_view(bare)


def test_every_view_that_is_not_public_asks_who_is_there(app: Flask, browser: Browser) -> None:
    for rule in app.url_map.iter_rules():
        if rule.endpoint in PUBLIC:
            continue
        method = "GET" if "GET" in (rule.methods or ()) else "POST"
        answer = browser.open(address_of(rule, 2), method=method)
        assert (answer.status_code, answer.location.split("?")[0]) == (303, "/sign-in"), rule


@pytest.mark.parametrize("role", Role)
def test_a_role_opens_the_views_of_its_permissions_and_no_other(
    app: Flask, sign_in_as: SignIn, database: Database, role: Role
) -> None:
    with database.write(Operator()) as session:
        given.an_adherent(session, 2, "CH de Foix")
    browser = sign_in_as(role, 2)
    for rule in app.url_map.iter_rules():
        audience = audience_of(app.view_functions[rule.endpoint])
        if not isinstance(audience, Permission) or "GET" not in (rule.methods or ()):
            continue
        answer = browser.get(address_of(rule, 2))
        assert (answer.status_code == 403) is not may(role, audience), rule


def test_every_role_reads_the_first_page(sign_in_as: SignIn, database: Database) -> None:
    with database.write(Operator()) as session:
        given.an_adherent(session, 2, "CH de Foix")
    for role in PERMISSIONS:
        assert sign_in_as(role, 2).get("/").status_code == 200


@pytest.mark.parametrize("role", [Role.CIO, Role.ACCOUNT_MANAGER])
@pytest.mark.parametrize(
    "address",
    [
        "/adherents/3/energy",
        "/adherents/3/energy.csv",
        "/adherents/3/statements",
        "/adherents/3/statements/1",
        "/adherents/3/statements/1.pdf",
        "/adherents/3/statements/1.csv",
    ],
)
def test_another_adherent_is_not_there(
    sign_in_as: SignIn, database: Database, role: Role, address: str
) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    with database.write(Operator()) as session:
        given.an_adherent(session, 2, "CH de Foix")
        given.an_adherent(session, 3, "CHU de Nulle-Part")
        given.a_metered_morning(session, yesterday, payroll=3, nginx=2)
        given.a_statement(session, 3)
    assert sign_in_as(Role.ADMINISTRATOR).get(address).status_code == 200
    answer = sign_in_as(role, 2).get(address)
    assert answer.status_code == 404
    assert "Nulle-Part" not in answer.text
    unknown = sign_in_as(role, 2).get(address.replace("3", "999", 1))
    assert unknown.status_code == 404


def test_the_lists_of_an_adherent_hold_nothing_of_another(sign_in_as: SignIn, database: Database) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    with database.write(Operator()) as session:
        given.an_adherent(session, 2, "CH de Foix")
        given.an_adherent(session, 3, "CHU de Nulle-Part")
        given.a_metered_morning(session, yesterday, payroll=3, nginx=2)
        given.a_statement(session, 3)
    browser = sign_in_as(Role.CIO, 2)
    day = yesterday.date().isoformat()
    for address in ("/", "/overview/live", "/statements", f"/adherents/2/energy?day={day}"):
        page = browser.get(address)
        assert page.status_code == 200
        assert "Nulle-Part" not in page.text
        assert "payroll" not in page.text


@pytest.mark.parametrize("role", [Role.CIO, Role.ACCOUNT_MANAGER])
def test_no_address_tells_an_adherent_out_of_scope_from_one_that_is_not(
    app: Flask, sign_in_as: SignIn, database: Database, role: Role
) -> None:
    with database.write(Operator()) as session:
        given.an_adherent(session, 2, "CH de Foix")
        given.an_adherent(session, 3, "CHU de Nulle-Part")
        given.an_open_incident(session, 3, "Secret")
    browsers = (sign_in_as(role, 2), sign_in_as(role))
    rules = [rule for rule in app.url_map.iter_rules() if "tenant_id" in rule.arguments]
    assert rules
    for rule, tenant_id, browser in product(rules, (1, 3, 999), browsers):
        address = address_of(rule, 1, tenant_id=tenant_id)
        for method in rule.methods or ():
            assert browser.open(address, method=method).status_code == 404, (rule, method, tenant_id)


def test_an_adherent_cannot_issue_a_statement_for_another(sign_in_as: SignIn, database: Database) -> None:
    with database.write(Operator()) as session:
        given.an_adherent(session, 2, "CH de Foix")
        given.an_adherent(session, 3, "CHU de Nulle-Part")
    month = f"{datetime.now(UTC):%Y-%m}"
    assert sign_in_as(Role.CIO, 2).submit("/adherents/2/statements", month=month).status_code == 403
    manager = sign_in_as(Role.ACCOUNT_MANAGER, 2)
    assert manager.submit("/adherents/3/statements", month=month).status_code == 404
    assert manager.submit("/adherents/2/statements", month=month).location == "/adherents/2/statements/1"


def test_an_account_without_adherents_is_told_what_to_do(sign_in_as: SignIn) -> None:
    answer = sign_in_as(Role.CIO).get("/")
    assert answer.status_code == 403
    assert "Aucun adhérent n&#39;est confié à ce compte" in answer.text


def test_two_applications_can_serve_the_same_database(config: Config) -> None:
    first, second = create_app(config), create_app(config)
    assert first.test_client().get("/healthz").status_code == second.test_client().get("/healthz").status_code
    for app in (first, second):
        app.extensions["console"].database.close()
