"""How each route is tried. A route that is not here fails the walk with its name.

`{subscription}` and the like stand for what names a row of an adherent: `filling.Filled.ids`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Kind(Enum):
    """Whose rows a route reaches."""

    OF_ADHERENT = "an adherent named in the address"
    ACROSS = "every adherent in scope"
    OWN = "the account that is signed in"
    OPERATOR = "the operator alone: nobody with a scope of adherents"
    PUBLIC = "nobody: it is open to everyone"
    MACHINE = "a token"


@dataclass(frozen=True)
class Route:
    """A route: what its arguments name, what makes a form valid, and what a search may ask.

    `shows` is false where a page holds no word of the adherent even for those who may see it.
    """

    kind: Kind
    names: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    queries: tuple[Mapping[str, str], ...] = ()
    shows: bool = True
    repeatable: bool = True


def of_adherent(
    form: Mapping[str, str] | None = None,
    queries: tuple[Mapping[str, str], ...] = (),
    shows: bool = True,
    **names: str,
) -> Route:
    return Route(Kind.OF_ADHERENT, names, form or {}, queries, shows)


def across(*queries: Mapping[str, str], form: Mapping[str, str] | None = None, shows: bool = True) -> Route:
    return Route(Kind.ACROSS, {}, form or {}, queries, shows)


def own(form: Mapping[str, str] | None = None, **names: str) -> Route:
    return Route(Kind.OWN, names, form or {})


def operator(form: Mapping[str, str] | None = None, **names: str) -> Route:
    return Route(Kind.OPERATOR, names, form or {})


PUBLIC = Route(Kind.PUBLIC)
MACHINE = Route(Kind.MACHINE)
BY_NAME = {"words": "{part_of_name}"}
BY_KEY = {"words": "{finess_ej}"}

ROUTES: Mapping[str, Route] = {
    "account.change_password": own(),
    "account.end_others": own(),
    "account.show": own(),
    "account.speak": PUBLIC,
    "adherent.show": of_adherent(),
    "adherents.add": across(form={"finess_et": "{finess_ej}"}),
    "adherents.directory": across(BY_NAME, BY_KEY, shows=False),
    "adherents.index": across(BY_NAME, BY_KEY),
    "api.receive_readings": MACHINE,
    "assets.send": PUBLIC,
    "audit.erase": of_adherent({"reason": "Essai"}, number="{deed}"),
    "audit.export": of_adherent(),
    "audit.index": across(shows=False),
    "audit.of_adherent": of_adherent(),
    "audit.show": of_adherent(number="{deed}"),
    "claims.change": of_adherent({"last_day": "{day}"}, claim_id="{claim_id}"),
    "claims.claim": of_adherent(
        {"workload": "{workload}", "subscription": "{subscription}", "first_day": "2026-01-01"}
    ),
    "claims.of_adherent": of_adherent(),
    "claims.workloads": of_adherent(queries=({"words": "{part_of_name}"},), shows=False),
    "energy.fleet": operator(),
    "energy.fleet_csv": operator(),
    "energy.of_adherent": of_adherent(queries=({"day": "{day}"},)),
    "energy.of_adherent_csv": of_adherent(queries=({"day": "{day}"},)),
    "health.show": PUBLIC,
    "incidents.add": of_adherent({"subscription": "{subscription}", "title": "Essai", "priority": "P2"}),
    "incidents.index": across({"state": "running"}, {"priority": "P2"}),
    "incidents.new": of_adherent(),
    "incidents.of_adherent": of_adherent(),
    "incidents.record": of_adherent({"kind": "waiting"}, number="{incident}"),
    "incidents.show": of_adherent(number="{incident}"),
    "overview.live": across(),
    "overview.show": across(),
    "sign_in.enter": PUBLIC,
    "sign_in.leave": own(),
    "sign_in.show": PUBLIC,
    "statements.as_csv": of_adherent(number="{statement}"),
    "statements.as_pdf": of_adherent(number="{statement}"),
    "statements.index": across(),
    "statements.issue": of_adherent({"month": "{month}"}),
    "statements.of_adherent": of_adherent(),
    "statements.show": of_adherent(number="{statement}"),
    "subscription.add": of_adherent({"service": "payroll", "starts_on": "2026-02-01", "contract": "Essai"}),
    "subscription.change": of_adherent({"deed": "suspend"}, number="{subscription}"),
    "subscription.new": of_adherent(),
    "subscription.show": of_adherent(number="{subscription}"),
}
