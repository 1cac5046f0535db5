"""The walk: each rule and method is tried, and what should not have been is told in a line."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product

from openpyxl import load_workbook
from pypdf import PdfReader
from pypdf.errors import PdfReadError
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from console.domain.access import SEES_EVERY_ADHERENT, Permission, Role, may
from console.web.access import audience_of
from tests.isolation.filling import Filled, Id, rows_of
from tests.isolation.routes import ROUTES, Kind, Route
from tests.isolation.world import NOBODY, Caller, Console, World

WRITING = {"POST", "PUT", "PATCH", "DELETE"}
ASKING = {"GET", *WRITING}
SCOPED = set(Role) - SEES_EVERY_ADHERENT
REFUSED = {403, 404, 405, 409, 422}
NOT_THERE = {404}
OPENS = {200, 204}
DONE = {200, 204, 303, 403, 409}  # 403: done by another, as a note of its author
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LIVE = re.compile(
    r'name="csrf_token" value="[^"]+"|"X-CSRFToken": ?"[^"]+"'
    r"|<span data-left=[^>]+>[^<]+|\b\d\d:\d\d(:\d\d)?\b"
)
HEADERS = ("Location", "HX-Redirect", "Content-Disposition")
SAME = {
    "tenant_id",
    "month",
    "day",
    "version",
    "ght",
    "closed_month",
    "carbon_month",
}  # what names no row of an adherent
Ids = Mapping[str, Id]
Findings = Iterator[str]


def walk(world: World, routes: Mapping[str, Route] = ROUTES) -> list[str]:
    """What is wrong, a line each; nothing where the adherents are kept apart."""
    findings: list[str] = []
    before = rows_of(world.both.database, world.b)
    for rule, route in _in_order(world, routes):
        findings += TRIES[route.kind](world, rule, route)
        if _writes(rule):
            after = rows_of(world.both.database, world.b)
            findings += [
                f"{rule.endpoint} changed {name} of B" for name in after if after[name] != before[name]
            ]
            before = after
    return findings


def unclassified(world: World, routes: Mapping[str, Route] = ROUTES) -> list[str]:
    """Each route says how it is tried, and what is tried is a route."""
    rules = _rules(world)
    endpoints = {rule.endpoint for rule in rules}
    found = [f"nobody said how to try {name}" for name in sorted(endpoints - routes.keys())]
    found += [f"{name} is no longer a route" for name in sorted(routes.keys() - endpoints)]
    for rule in rules:
        is_named = "tenant_id" in rule.arguments
        if rule.endpoint in routes and is_named is not (routes[rule.endpoint].kind is Kind.OF_ADHERENT):
            found.append(f"{rule.endpoint} is tried as {routes[rule.endpoint].kind.value}")
    return found


def _in_order(world: World, routes: Mapping[str, Route]) -> list[tuple[Rule, Route]]:
    """By kind, and what only reads first: A is then the same with B and without."""
    known = [(rule, routes[rule.endpoint]) for rule in _rules(world) if rule.endpoint in routes]
    kinds = list(TRIES)
    return sorted(known, key=lambda one: (kinds.index(one[1].kind), _writes(one[0])))


def _rules(world: World) -> list[Rule]:
    return sorted(world.both.app.url_map.iter_rules(), key=lambda rule: rule.rule)


def _writes(rule: Rule) -> bool:
    return bool((rule.methods or set()) & WRITING)


def _try_of_adherent(world: World, rule: Rule, route: Route) -> Findings:
    """B is not there; neither are the rows of B under A; and A's pages hold nothing of B."""
    yield from _absent(world, rule, route)
    yield from _strange(world, rule, route)
    if "GET" in (rule.methods or ()):
        yield from _read(world, rule, route)


def _absent(world: World, rule: Rule, route: Route) -> Findings:
    """B, with B's rows or A's, is not there, as one that never was."""
    own, foreign = ids_of(world.a), ids_of(world.b)
    asked = (foreign, own | {"tenant_id": world.b.tenant_id}, own | {"tenant_id": NOBODY})
    for caller, method in product(_callers(world, rule), sorted(rule.methods or ())):
        for ids in asked if method in ASKING else asked[:1]:
            address = address_of(rule, route, ids)
            yield from _ask(world, caller, method, address, expand(route.form, ids), NOT_THERE)


def _strange(world: World, rule: Rule, route: Route) -> Findings:
    """A row of B in the address or in the form is not A's; not even for the operator, who may see both."""
    own, foreign = ids_of(world.a), ids_of(world.b)
    for caller in (*_callers(world, rule), world.both.operator):
        for ids, method in product(_swapped(route.names.values(), own, foreign), sorted(rule.methods or ())):
            address, form = address_of(rule, route, ids), expand(route.form, own)
            yield from _ask(world, caller, method, address, form, _refused(method))
        for ids in _swapped(route.form.values(), own, foreign):
            address = address_of(rule, route, own)
            yield from _ask(world, caller, "POST", address, expand(route.form, ids), REFUSED)


def _read(world: World, rule: Rule, route: Route) -> Findings:
    """A's page, whole, as a fragment and as a search may narrow it, holds nothing of B; B's is there."""
    own, foreign = ids_of(world.a), ids_of(world.b)
    asked = [{}, *(expand(query, ids) for query in route.queries for ids in (own, foreign))]
    answers = set()
    for query, caller, headers in product(asked, _callers(world, rule), ({}, {"HX-Request": "true"})):
        address = address_of(rule, route, own, query)
        answer = caller.ask("GET", address, headers=headers)
        answers.add(answer.status_code)
        yield from _marks(world, caller, f"GET {address}", answer)
    if bool(answers & OPENS) is not _opens(world, rule):
        yield f"{rule.endpoint} answers those of A with {answers}"


def _refused(method: str) -> set[int]:
    """Nothing of a view runs for OPTIONS: the answer is the same for any number."""
    return REFUSED | OPENS if method == "OPTIONS" else REFUSED


def _try_across(world: World, rule: Rule, route: Route) -> Findings:
    """Lists, searches, counts and exports are what they would be if B did not exist."""
    foreign = ids_of(world.b)
    if "POST" in (rule.methods or ()):
        address = address_of(rule, route, foreign)
        for caller in _callers(world, rule):
            answer = caller.ask("POST", address, expand(route.form, foreign))
            yield from _marks(world, caller, f"POST {address}", answer)
    if "GET" in (rule.methods or ()):
        statuses: set[int] = set()
        for query in ({}, *route.queries):
            address = address_of(rule, route, foreign, expand(query, foreign))
            twins = [world.alone.program] if _is_for_programs(rule) else world.alone.callers
            for caller, twin in zip(_callers(world, rule), twins, strict=True):
                yield from _compare(world, caller, twin, rule, address, statuses)
        if bool(statuses & OPENS) is not _opens(world, rule):
            yield f"{rule.endpoint} answers those of A with {statuses}"


def _compare(
    world: World, caller: Caller, twin: Caller, rule: Rule, address: str, statuses: set[int]
) -> Findings:
    """What a caller reads, as a page and as a fragment, where B is and where B is not."""
    asked: list[tuple[str, dict[str, str]]] = [("GET", {"HX-Request": "true"})]
    asked += [(method, {}) for method in sorted((rule.methods or set()) - WRITING)]
    for method, headers in asked:
        answer = caller.ask(method, address, headers=headers)
        statuses |= {answer.status_code} if method == "GET" else set()
        yield from _marks(world, caller, f"{method} {address}", answer)
        if still(answer) != still(twin.ask(method, address, headers=headers)):
            yield f"{caller.name} {method} {address}: another answer than without B"


def _try_own(world: World, rule: Rule, route: Route) -> Findings:
    """What one asks for oneself, with the rows of B, by people whom no other request concerns."""
    foreign = ids_of(world.b)
    address = address_of(rule, route, foreign)
    for caller in (world.newcomer(role) for role in sorted(SCOPED)):
        for method in sorted(rule.methods or ()):
            answer = caller.ask(method, address, expand(route.form, foreign))
            yield from _marks(world, caller, f"{method} {address}", answer)


def _try_operator(world: World, rule: Rule, route: Route) -> Findings:
    address = address_of(rule, route, dict.fromkeys(rule.arguments, 1))
    for caller, method in product(_callers(world, rule), sorted(rule.methods or ())):
        yield from _ask(world, caller, method, address, {}, _refused(method))


def _try_public(world: World, rule: Rule, route: Route) -> Findings:
    for method in sorted((rule.methods or set()) - {"POST"}):
        address = address_of(rule, route, dict.fromkeys(rule.arguments, "nothing"))
        for caller in (world.both.anyone, *world.both.callers):
            yield from _marks(world, caller, f"{method} {address}", caller.ask(method, address))


def _try_machine(world: World, rule: Rule, route: Route) -> Findings:
    """A token for A, with the rows of B in what it sends; and no token."""
    foreign = ids_of(world.b)
    address = address_of(rule, route, foreign)
    for caller, method in product((world.both.program, world.both.anyone), sorted(rule.methods or ())):
        answer = caller.ask(method, address, expand(route.form, foreign))
        yield from _marks(world, caller, f"{method} {address}", answer)


TRIES: Mapping[Kind, Callable[[World, Rule, Route], Findings]] = {
    Kind.ACROSS: _try_across,
    Kind.OF_ADHERENT: _try_of_adherent,
    Kind.OPERATOR: _try_operator,
    Kind.PUBLIC: _try_public,
    Kind.MACHINE: _try_machine,
    Kind.OWN: _try_own,
}


def misread(world: World, routes: Mapping[str, Route] = ROUTES) -> list[str]:
    """The pages that do not show B to the operator though they should, or do though they should not.

    What a page does not show anybody tells nothing of isolation.
    """
    return [
        rule.endpoint
        for rule in _rules(world)
        if (route := routes.get(rule.endpoint)) is not None
        and route.kind in (Kind.OF_ADHERENT, Kind.ACROSS)
        and "GET" in (rule.methods or ())
        and route.shows is not None
        and _shows(world, rule, route) is not route.shows
    ]


def _shows(world: World, rule: Rule, route: Route) -> bool:
    ids = ids_of(world.b)
    addresses = (address_of(rule, route, ids, expand(query, ids)) for query in ({}, *route.queries))
    answers = (world.both.operator.ask("GET", address) for address in addresses)
    return any(world.b.word.lower() in text_of(answer).lower() for answer in answers)


def accepted(console: Console, a: Filled, b: Filled, routes: Mapping[str, Route] = ROUTES) -> list[str]:
    """What is wrong with the forms of A as the operator sends them, with fields that nobody asked for.

    They are done, or refused for the state that things are in.
    """
    findings = []
    extra = {"tenant_id": b.tenant_id, "adherent": b.tenant_id, "adherent_id": b.tenant_id}
    for rule in sorted(console.app.url_map.iter_rules(), key=lambda rule: rule.rule):
        route = routes.get(rule.endpoint)
        if route is None or route.kind is not Kind.OF_ADHERENT or "POST" not in (rule.methods or ()):
            continue
        address, form = address_of(rule, route, ids_of(a)), expand(route.form, ids_of(a))
        answer = console.operator.ask("POST", address, {**extra, **form})
        if answer.status_code not in DONE:
            findings.append(f"POST {address} {form}: {answer.status_code}")
    return findings


def _opens(world: World, rule: Rule) -> bool:
    """Whether a role that has a scope of adherents may ask."""
    audience = audience_of(world.both.app.view_functions[rule.endpoint])
    return not isinstance(audience, Permission) or any(may(role, audience) for role in SCOPED)


def _callers(world: World, rule: Rule) -> list[Caller]:
    """Those who may see A and not B: people, or a program at the addresses for them."""
    return [world.both.program] if _is_for_programs(rule) else world.both.callers


def _is_for_programs(rule: Rule) -> bool:
    return rule.rule.startswith("/api/")


def _ask(
    world: World, caller: Caller, method: str, address: str, form: Mapping[str, Id], expected: set[int]
) -> Findings:
    answer = caller.ask(method, address, form)
    if answer.status_code not in expected:
        yield f"{caller.name} {method} {address} {dict(form)}: {answer.status_code}"
    yield from _marks(world, caller, f"{method} {address}", answer)


def _marks(world: World, caller: Caller, what: str, answer: TestResponse) -> Findings:
    if answer.status_code >= 500:
        yield f"{caller.name} {what}: {answer.status_code}"
    if world.b.word.lower() in text_of(answer).lower():
        yield f"{caller.name} {what}: {world.b.word}"


def ids_of(filled: Filled) -> dict[str, Id]:
    """What stands for an adherent in addresses, forms and searches; no part of it is its word."""
    extra: dict[str, Id] = {"part_of_name": filled.word[:-1].lower(), "month": f"{filled.now:%Y-%m}"}
    return filled.ids | extra


def expand(template: Mapping[str, str], ids: Ids) -> dict[str, Id]:
    return {name: value.format_map(ids) for name, value in template.items()}


def address_of(rule: Rule, route: Route, ids: Ids, query: Mapping[str, Id] | None = None) -> str:
    """The address of a rule for the rows that the ids name."""
    values = {name: route.names.get(name, f"{{{name}}}").format_map(ids) for name in rule.arguments}
    built = rule.build({name: _number(value) for name, value in values.items()} | dict(query or {}))
    assert built is not None, (rule, values)
    return built[1]


def _number(value: str) -> Id:
    return int(value) if value.isdigit() else value


def _swapped(templates: Iterable[str], own: Ids, foreign: Ids) -> Iterator[Ids]:
    """A's ids with one of B's among them, one after the other."""
    named = {name for template in templates for name in re.findall(r"\{(\w+)\}", template)}
    for name in sorted(named - SAME):
        yield {**own, name: foreign[name]}


def text_of(answer: TestResponse) -> str:
    """All that an answer says, whatever its format, with the headers that name things."""
    content = answer.get_data()
    read = READERS.get(answer.mimetype or "", _plain) if content else _plain
    text = read(content)
    return "\n".join([text, *(answer.headers.get(name, "") for name in HEADERS)])


def _plain(content: bytes) -> str:
    return content.decode("utf-8-sig", errors="replace")


def _pdf(content: bytes) -> str:
    try:
        return "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    except PdfReadError:  # a file that somebody sent
        return _plain(content)


def _spreadsheet(content: bytes) -> str:
    book = load_workbook(io.BytesIO(content))
    return "\n".join(str(cell) for sheet in book for row in sheet.values for cell in row)


READERS = {"application/pdf": _pdf, SPREADSHEET: _spreadsheet}


def still(answer: TestResponse) -> tuple[int, str]:
    """An answer without what changes each time."""
    return answer.status_code, LIVE.sub("", text_of(answer))
