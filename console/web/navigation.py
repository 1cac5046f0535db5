"""The main entries of the console, in the order people look for them."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from console.domain.access import Permission
from console.web.access import allowed, own_adherent


@dataclass(frozen=True, slots=True)
class Entry:
    """A link of the navigation; `sections` are the blueprints under which it is the current one."""

    endpoint: str
    label: LazyString
    icon: str
    sections: tuple[str, ...]
    permission: Permission | None = None
    own_label: LazyString | None = None  # for an account of one adherent

    @property
    def current(self) -> bool:
        return request.blueprint in self.sections

    @property
    def shown_label(self) -> LazyString:
        return self.own_label if self.own_label and own_adherent() is not None else self.label


ENTRIES = (
    Entry("overview.show", lazy_gettext("Vue d'ensemble"), "overview", ("overview",)),
    Entry(
        "adherents.index",
        lazy_gettext("Adhérents"),
        "adherents",
        (
            *("adherents", "adherent", "directory", "ght", "facts", "contacts", "notes", "subscription"),
            *("claims", "status", "service_levels"),
        ),
        Permission.SEE_ADHERENTS,
        lazy_gettext("Mon établissement"),
    ),
    Entry(
        "portfolio.show",
        lazy_gettext("Portefeuille"),
        "portfolio",
        ("portfolio", "committees", "tasks"),
        Permission.SEE_PORTFOLIO,
    ),
    Entry(
        "contracts.renewals",
        lazy_gettext("Contrats"),
        "contracts",
        ("contracts", "volumes"),
        Permission.SEE_PORTFOLIO,
    ),
    Entry(
        "energy.fleet", lazy_gettext("Énergie"), "energy", ("energy", "shared_claims"), Permission.SEE_FLEET
    ),
    Entry(
        "hosts.index",
        lazy_gettext("Parc"),
        "fleet",
        (
            *("hosts", "host", "live_power", "workloads", "reconciliation", "quarantine"),
            *("sites", "site_contracts", "site_pools", "cmdb"),
        ),
        Permission.SEE_FLEET,
    ),
    Entry(
        "factors.index",
        lazy_gettext("Carbone"),
        "carbon",
        (
            "factors",
            "carbon",
            "carbon_months",
            "carbon_trace",
            "sci",
            "methodology",
            "factor_files",
            "grids",
            "equipment",
            *("equipment_age", "equipment_files", "equipment_form", "equipment_proposals"),
        ),
        Permission.SEE_CATALOGUE,
    ),
    Entry(
        "incident_list.index",
        lazy_gettext("Incidents"),
        "incidents",
        (
            "incident_list",
            "incidents",
            "comments",
            "reviews",
            "message_templates",
            "probes",
            "alert_routes",
            "major_incidents",
            "duties",
            "maintenance",
        ),
        Permission.SEE_ADHERENTS,
    ),
    Entry(
        "statements.index", lazy_gettext("Relevés"), "statements", ("statements",), Permission.SEE_ADHERENTS
    ),
    Entry(
        "catalogue.index",
        lazy_gettext("Catalogue"),
        "catalogue",
        (
            "catalogue",
            "sharing",
            "offering",
            "hosting",
            "criticalities",
            "certificates",
            "regulatory_rules",
            "calendars",
            "plans",
            "matrix",
        ),
        Permission.SEE_CATALOGUE,
    ),
    Entry(
        "people.index", lazy_gettext("Comptes"), "person", ("people", "invitations"), Permission.MANAGE_PEOPLE
    ),
    Entry("audit.index", lazy_gettext("Journal"), "audit", ("audit",), Permission.SEE_AUDIT),
)


def entries() -> list[Entry]:
    """The entries that the signed-in account may open."""
    return [entry for entry in ENTRIES if entry.permission is None or allowed(entry.permission)]
