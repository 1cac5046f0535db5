"""What a token is for, and for which hosts it speaks."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import pytest

from console.domain.access import Role
from console.domain.errors import Forbidden, Invalid
from console.domain.tokens import COLLECTOR, LONGEST_LIFE, Maker, Terms, TokenScope, check_terms, speaks_for

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
READINGS, VOLUMES = frozenset({TokenScope.READINGS_WRITE}), frozenset({TokenScope.VOLUMES_WRITE})
READ = frozenset({TokenScope.ADHERENTS_READ})


@pytest.mark.parametrize(
    "terms",
    [
        COLLECTOR,
        Terms(READINGS, hosts=("srv-", "db_01")),
        Terms(VOLUMES, tenants=frozenset({7})),
        Terms(VOLUMES, expires_at=NOW + LONGEST_LIFE),
    ],
)
def test_terms_that_open_something_are_accepted(terms: Terms) -> None:
    check_terms(terms, now=NOW)


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (Terms(frozenset()), "scopes"),
        (Terms(VOLUMES, tenants=frozenset()), "adherents"),
        (Terms(READINGS, hosts=("no blank",)), "hosts"),
        (Terms(READINGS, hosts=("",)), "hosts"),
        (Terms(READINGS, expires_at=NOW), "expires_on"),
        (Terms(READINGS, expires_at=NOW + LONGEST_LIFE + timedelta(days=1)), "expires_on"),
    ],
)
def test_other_terms_are_refused_on_their_field(terms: Terms, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_terms(terms, now=NOW)
    assert refusal.value.field == field


@pytest.mark.parametrize(
    ("hosts", "host", "speaks"),
    [
        ((), "any", True),
        (("srv-pay-",), "srv-pay-01", True),
        (("srv-pay-",), "srv-hr-01", False),
        (("a", "b"), "b1", True),
        (("srv",), "SRV-1", False),
    ],
)
def test_a_token_speaks_for_the_hosts_that_begin_as_agreed(
    hosts: tuple[str, ...], host: str, speaks: bool
) -> None:
    assert speaks_for(hosts, host) is speaks


@pytest.mark.parametrize(
    ("role", "own", "scopes", "tenants", "fits"),
    [
        (Role.OPS, None, READ | READINGS, None, True),
        (Role.OPS, None, READINGS | VOLUMES, {7}, False),
        (Role.ADMINISTRATOR, None, frozenset(TokenScope), None, True),
        (Role.ADMINISTRATOR, {7, 8}, VOLUMES, {7}, True),
        (Role.ADMINISTRATOR, {7, 8}, VOLUMES, {7, 9}, False),
        (Role.ADMINISTRATOR, {7, 8}, READ, None, False),
        (Role.ADMINISTRATOR, {7, 8}, READINGS, None, True),
    ],
)
def test_a_token_opens_nothing_that_is_not_its_makers(role, own, scopes, tenants, fits) -> None:
    maker = Maker("ana", role, None if own is None else frozenset(own))
    terms = Terms(scopes, None if tenants is None else frozenset(tenants))
    with nullcontext() if fits else pytest.raises(Forbidden):
        maker.check(terms)
