"""The walk finds what it is for: each defence is taken away in turn, and pages that leak are added."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, text

from console.store import session as guard
from console.store.session import ScopedSession
from tests.isolation.conftest import Copy
from tests.isolation.routes import ROUTES, Route, across, of_adherent
from tests.isolation.trial import TRIALS, trial
from tests.isolation.walk import misread, unclassified, walk
from tests.isolation.world import Console, World, console

LISTS = {
    name: ROUTES[name]
    for name in ("adherents.index", "incident_list.index", "overview.show", "statements.index")
}


@contextmanager
def guard_off(*consoles: Console) -> Iterator[None]:
    """Sessions neither narrow their statements nor refuse those that are not."""
    engines = [console.app.extensions["console"].database.engine for console in consoles]
    with ExitStack() as on_again:
        _take_away(on_again, ScopedSession, "do_orm_execute", guard._narrow)
        for engine in engines:
            _take_away(on_again, engine, "before_cursor_execute", guard._refuse_unnarrowed)
        yield


def _take_away(on_again: ExitStack, target: object, name: str, listener: Callable[..., Any]) -> None:
    event.remove(target, name, listener)
    on_again.callback(event.listen, target, name, listener)


@contextmanager
def policy_off(console: Console, table: str) -> Iterator[None]:
    """A table shows all of its rows to all."""
    with console.database.schema() as owner:
        owner.execute(text(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"))
    yield
    with console.database.schema() as owner:
        owner.execute(text(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"))


def leaks(findings: list[str]) -> set[str]:
    """The pages on which the word of B was found."""
    found = (re.search(r"GET (/[^?: ]*).*: Vexillaire$", finding) for finding in findings)
    return {match[1] for match in found if match}


def test_the_guard_and_the_policies_each_hold_and_without_them_nothing_does(world: World) -> None:
    is_postgres = world.both.database.engine.dialect.name == "postgresql"
    with guard_off(world.both, world.alone):
        if is_postgres:
            assert walk(world, LISTS) == []
            with policy_off(world.both, "adherent"):
                found = leaks(walk(world, LISTS))
            assert "/adherents" in found
        else:
            assert {"/", "/adherents", "/incidents", "/statements"} <= leaks(walk(world, LISTS))
    assert walk(world, LISTS) == []


def test_the_guard_holds_where_a_policy_is_off(world: World) -> None:
    if world.both.database.engine.dialect.name == "postgresql":
        with policy_off(world.both, "adherent"), policy_off(world.both, "incident"):
            assert walk(world, LISTS) == []


def test_a_route_that_nobody_classified_fails(world: World) -> None:
    without = {name: route for name, route in ROUTES.items() if name != "incident_list.index"}
    assert unclassified(world, without) == ["nobody said how to try incident_list.index"]


def test_a_classified_route_that_no_longer_exists_fails(world: World) -> None:
    routes = {**ROUTES, "incidents.former": across()}
    assert unclassified(world, routes) == ["incidents.former is no longer a route"]


@pytest.mark.parametrize(
    ("name", "wrong"), [("incident_list.of_adherent", across()), ("incident_list.index", of_adherent())]
)
def test_a_route_classified_as_another_kind_fails(world: World, name: str, wrong: Route) -> None:
    assert unclassified(world, {**ROUTES, name: wrong}) == [f"{name} is tried as {wrong.kind.value}"]


def test_a_page_that_never_shows_anything_of_an_adherent_says_nothing_of_isolation(world: World) -> None:
    assert misread(world, {"adherents.directory": across()}) == ["adherents.directory"]


@pytest.fixture
def leaking(copy: Copy, world: World) -> Iterator[World]:
    """The world with the pages above, on a database of its own."""
    world.both.rest()
    both = console(copy("leaking", "a_and_b"), world.tokens, world.var, trial)
    alone = console(world.alone.database, world.tokens, world.var, trial)
    yield replace(world, both=both, alone=alone)
    both.rest()
    alone.rest()


def test_pages_that_leak_are_found(leaking: World) -> None:
    findings = "\n".join(walk(leaking, TRIALS))
    for page in ("list", "count", "mine", "fleet", "open"):
        assert f" GET /trial/{page}" in findings, page
    for page in ("list", "count"):
        assert f"GET /trial/{page}: another answer than without B" in findings
    number, trials = leaking.b.ids["incident"], f"/trial/adherents/{leaking.a.tenant_id}/incidents"
    assert f"CIO GET {trials}/{number} {{}}: 200" in findings
    assert f"account manager POST {trials} {{'incident': '{number}'}}: 200" in findings
    assert "trial.rename changed incident of B" in findings
