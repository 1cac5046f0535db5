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

    `shows` is false where a page holds no word of an adherent, even for those who may see it; None where it
    depends on what was done before.
    """

    kind: Kind
    names: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    queries: tuple[Mapping[str, str], ...] = ()
    shows: bool | None = True


def of_adherent(
    form: Mapping[str, str] | None = None,
    queries: tuple[Mapping[str, str], ...] = (),
    shows: bool | None = True,
    **names: str,
) -> Route:
    return Route(Kind.OF_ADHERENT, names, form or {}, queries, shows)


def across(
    *queries: Mapping[str, str],
    form: Mapping[str, str] | None = None,
    shows: bool | None = True,
    **names: str,
) -> Route:
    return Route(Kind.ACROSS, names, form or {}, queries, shows)


def own(form: Mapping[str, str] | None = None, **names: str) -> Route:
    return Route(Kind.OWN, names, form or {})


def machine(form: Mapping[str, str] | None = None, **names: str) -> Route:
    return Route(Kind.MACHINE, names, form or {})


PUBLIC = Route(Kind.PUBLIC)
OPERATOR = Route(Kind.OPERATOR)
BY_NAME = {"words": "{part_of_name}"}
BY_KEY = {"words": "{finess_ej}"}

OF_OPERATOR = (
    *("alert_routes.add", "alert_routes.edit", "alert_routes.index", "alert_routes.new"),
    *("alert_routes.remove", "alert_routes.retry", "alert_routes.save"),
    *("api_tokens.add", "api_tokens.index", "api_tokens.new", "api_tokens.revoke", "api_tokens.rotate"),
    *("calendars.add", "calendars.check", "calendars.edit", "calendars.new", "calendars.save"),
    *("certificates.add", "certificates.new", "certificates.withdraw"),
    *("matrix.save", "plans.add", "plans.edit", "plans.new", "plans.save"),
    *("criticalities.add", "criticalities.index", "criticalities.save", "criticalities.show"),
    *("directory.abandon", "directory.choose_columns", "directory.columns", "directory.index"),
    *("directory.lines", "directory.receive", "directory.show", "directory.store"),
    *("energy.fleet", "energy.fleet_csv", "sci.shared"),
    *(
        "equipment.index",
        *("equipment_files.preview", "equipment_files.receive", "equipment_files.store"),
        "equipment_files.upload",
        *("equipment_age.show", "equipment_form.add", "equipment_form.new"),
        *("equipment_proposals.decide", "equipment_proposals.index"),
    ),
    *("factors.add", "factors.new", "factor_files.preview", "factor_files.receive", "factor_files.store"),
    *("factor_files.upload", "grids.index", "grids.preview", "grids.store", "grids.upload"),
    *("host.come_back", "host.declare", "host.fit", "host.impact", "host.leave", "host.place", "host.show"),
    "hosts.index",
    *("live_power.figures", "live_power.show", "quarantine.decide", "quarantine.decide_group"),
    *("quarantine.index", "quarantine.show", "reconciliation.index", "reconciliation.of_host"),
    *("reconciliation.of_site", "workloads.choose", "workloads.claim", "workloads.index"),
    *("ght.add", "ght.end"),
    *("hosting.save", "hosting.show"),
    *("invitations.add", "invitations.new", "invitations.withdraw"),
    *("duties.of_major", "duties.qualify_major", "duties.settle_major", "duties.take_back_major"),
    *("major_incidents.add", "major_incidents.again", "major_incidents.change", "major_incidents.index"),
    *("major_incidents.join", "major_incidents.leave", "major_incidents.live", "major_incidents.new"),
    *("major_incidents.others", "major_incidents.record", "major_incidents.show", "major_incidents.tell"),
    *("major_incidents.touched", "regulatory_rules.add", "regulatory_rules.new", "regulatory_rules.save"),
    *("message_templates.add", "message_templates.change", "message_templates.edit"),
    *("message_templates.new", "message_templates.retire"),
    *("offering.add", "offering.add_need", "offering.dependencies", "offering.edit", "offering.end"),
    *("offering.end_need", "offering.new", "offering.release", "offering.save", "offering.save_end"),
    *("offering.save_release", "offering.save_version", "offering.version"),
    *("maintenance.add", "maintenance.cancel", "maintenance.cancel_one"),
    *("maintenance.change", "maintenance.edit", "maintenance.index", "maintenance.move"),
    *("maintenance.new", "maintenance.show", "maintenance.tell"),
    *("probes.add", "probes.edit", "probes.index", "probes.new", "probes.run", "probes.save", "probes.show"),
    *("probes.start", "probes.stop"),
    *("shared_claims.change", "shared_claims.claim", "shared_claims.index", "shared_claims.workloads"),
    *("sites.add", "sites.declare", "sites.index", "sites.measure", "sites.new"),
    *(
        "sites.preview",
        "sites.pue",
        "sites.record",
        "sites.show",
        "sites.store",
        "sites.upload",
    ),
    *("site_contracts.new", "site_contracts.sign", "site_contracts.edit", "site_contracts.correct"),
    "site_contracts.end",
    *("cmdb.index", "cmdb.preview", "cmdb.store"),
    *("people.allow_password", "people.change_role", "people.change_state", "people.end_one_delegation"),
    *("people.entrust", "people.forget_identity", "people.index", "people.rename", "people.reset_password"),
    *("people.reset_second_factor", "people.show", "people.sign_out", "people.take_back"),
)
OPEN_TO_ALL = (
    *(
        "account.speak",
        "calendar_feed.send",
        "assets.send",
        "health.show",
        "invitations.accept",
        "invitations.show",
    ),
    *("sign_in.ask_code", "sign_in.check_code", "sign_in.enter", "sign_in.show"),
    *("single_sign_on.back", "single_sign_on.begin", "status.follow", "status.link"),
)
COMMITTEE = {
    "kind": "steering",
    "starts_at": "2027-03-01T09:30",
    "duration_min": "60",
    "contacts": "{contact}",
    "version": "1",
}
CONTACT = {
    "role": "dpo",
    "name": "Essai",
    "phone": "05 61 00 00 00",
    "starts_on": "2026-01-01",
    "version": "1",
}
DELEGATION = {
    "taker": "{manager_id}",
    "adherents": "{tenant_id}",
    "first_day": "2026-01-01",
    "last_day": "2099-01-01",
}
FACTS = {
    "name": "Essai",
    "kind": "hospital",
    "finess_ej": "{finess_ej}",
    "zone": "Europe/Paris",
    "since": "2026-01-01",
    "version": "{version}",
}
VOLUMES = (
    "adhérent;souscription;mois;volume\n{finess_ej};{subscription};2026-05;7\n{tenant_id};payroll;2026-06;7\n"
)
VOLUME = {"adherent": "{finess_ej}", "subscription": "{subscription}", "month": "2026-05", "volume": "7"}
TASK = {"title": "Essai", "in_charge": "contact:{contact}", "committee": "{committee}", "version": "1"}

ROUTES: Mapping[str, Route] = {
    **dict.fromkeys(OF_OPERATOR, OPERATOR),
    **dict.fromkeys(OPEN_TO_ALL, PUBLIC),
    "account.change_password": own(),
    "account.end_one": own({"key": "{account_id}"}),
    "account.end_others": own(),
    "account.show": own(),
    "adherent.show": of_adherent(),
    "adherents.add": across(form={"finess_et": "{finess_et}"}),
    "adherents.as_csv": across(BY_NAME, BY_KEY),
    "adherents.as_xlsx": across(BY_NAME, BY_KEY),
    "adherents.directory": across(BY_NAME, BY_KEY, shows=False),
    "adherents.index": across(BY_NAME, BY_KEY, {"ght": "{ght}"}, {"manager": "{manager_id}"}),
    "adherents_api.list_adherents": machine(),
    "alertmanager_api.receive_alerts": machine(),
    "api.receive_readings": machine(),
    "audit.erase": of_adherent({"reason": "Essai"}, number="{deed}"),
    "audit.export": of_adherent(),
    "audit.index": across(shows=None),
    "audit.of_adherent": of_adherent(),
    "audit.show": of_adherent(number="{deed}"),
    "carbon.of_adherent": of_adherent(),
    "carbon_months.close": of_adherent(month="{carbon_month}"),
    "carbon_months.close_next": across(form={"month": "2026-09", "provisional": "1"}, shows=None),
    "carbon_months.closing": across({"month": "{carbon_month}"}, shows=None),
    "carbon_months.of_adherent": of_adherent(),
    "carbon_months.revise": of_adherent({"reason": "Essai"}, month="{carbon_month}"),
    "carbon_months.show": of_adherent(month="{carbon_month}"),
    "carbon_trace.line": of_adherent(month="{carbon_month}", key="{carbon_line}"),
    "carbon_trace.line_csv": of_adherent(month="{carbon_month}", key="{carbon_line}", shows=None),
    "carbon_trace.line_json": of_adherent(month="{carbon_month}", key="{carbon_line}"),
    "carbon_trace.total": of_adherent(month="{carbon_month}"),
    "carbon_trace.total_csv": of_adherent(month="{carbon_month}"),
    "carbon_trace.total_json": of_adherent(month="{carbon_month}"),
    "catalogue.campaign_list": across(shows=False),
    "catalogue.index": across(shows=False),
    "catalogue.show": across(code="payroll", shows=False),
    "sharing.of_month": across(code="payroll", month="2026-03", shows=None),
    "sharing.set_key": Route(Kind.OPERATOR, {"code": "payroll"}),
    "sharing.show": across(code="payroll", shows=False),
    "site_pools.assign": Route(Kind.OPERATOR, {"code": "tls"}),
    "site_pools.show": Route(Kind.OPERATOR, {"code": "tls"}),
    "catalogue.subscribers": across(code="payroll"),
    "catalogue.subscribers_csv": across(code="payroll"),
    "catalogue.subscribers_xlsx": across(code="payroll"),
    "certificates.download": across(certificate_id="1", shows=False),
    "certificates.index": across(shows=False),
    "claims.change": of_adherent({"last_day": "{day}"}, claim_id="{claim_id}"),
    "claims.claim": of_adherent(
        {"workload": "{workload}", "subscription": "{subscription}", "first_day": "2026-01-01"}
    ),
    "claims.of_adherent": of_adherent(),
    "claims.workloads": of_adherent(queries=({"words": "{part_of_name}"},), shows=False),
    "committees.add": of_adherent(COMMITTEE),
    "committees.as_calendar": of_adherent(number="{committee}"),
    "committees.cancel": of_adherent(number="{committee}"),
    "committees.change": of_adherent(COMMITTEE, number="{committee}"),
    "committees.complete": of_adherent({"text": "Essai"}, number="{committee}"),
    "committees.edit": of_adherent(number="{committee}"),
    "committees.index": across({"which": "past"}),
    "committees.new": of_adherent(),
    "committees.of_adherent": of_adherent(queries=({"which": "past"},)),
    "committees.show": of_adherent(number="{committee}"),
    "committees.write": of_adherent(
        {"minutes": "Essai", "decisions": "Essai", "version": "1"}, number="{committee}"
    ),
    "contacts.add": of_adherent(CONTACT),
    "contacts.add_place": of_adherent({"site_name": "Essai", "town": "Foix"}),
    "contacts.change": of_adherent(CONTACT, number="{contact}"),
    "contacts.edit": of_adherent(number="{contact}"),
    "contacts.end_place": of_adherent(number="{site}"),
    "contacts.index": of_adherent(),
    "contracts.ending_services": across(),
    "contracts.ending_services_file": across(kind="csv"),
    "contracts.renewals": across({"months": "12"}),
    "contracts.renewals_file": across({"months": "12"}, kind="xlsx"),
    "contracts.revisions": across({"months": "12"}),
    "contracts.revisions_file": across({"months": "12"}, kind="xlsx"),
    "contracts.unclaimed": OPERATOR,
    "contracts.unclaimed_file": Route(Kind.OPERATOR, {"kind": "csv"}),
    "contracts.without_plan": across(),
    "contracts.without_plan_file": across(kind="csv"),
    "calendar_feed.add": own({"adherent": "{tenant_id}"}),
    "calendar_feed.end": own(feed_id="1"),
    "calendar_feed.index": own(),
    "delegations.add": own(DELEGATION),
    "delegations.end": own(delegation_id="{delegation_id}"),
    "delegations.new": own(),
    "directory.entity": across(finess_ej="{finess_ej}", shows=False),
    "duties.of_incident": of_adherent(number="{incident}"),
    "duties.qualify": of_adherent(
        {"aware_at": "2026-01-02T09:30", "applying": "{duty}", "reason": "Essai"}, number="{incident}"
    ),
    "duties.settle": of_adherent({"reference": "Essai"}, number="{incident}", duty="{duty}"),
    "duties.take_back": of_adherent(number="{incident}", duty="{duty}"),
    "energy.of_adherent": of_adherent(queries=({"day": "{day}"},)),
    "energy.of_adherent_csv": of_adherent(queries=({"day": "{day}"},)),
    **dict.fromkeys(
        (
            *("equipment.declare", "equipment.estimate", "equipment.extend", "equipment.show"),
            *("equipment.withdraw", "equipment_form.edit", "equipment_form.save"),
        ),
        Route(Kind.OPERATOR, {"equipment_id": "1"}),
    ),
    "equipment.confirm": Route(Kind.OPERATOR, {"equipment_id": "1", "version": "1"}),
    **dict.fromkeys(
        ("factors.confirm", "factors.correct", "factors.replace"),
        Route(Kind.OPERATOR, {"factor_id": "ademe-fra-2022-consumption"}),
    ),
    "grids.show": Route(Kind.OPERATOR, {"zone": "FR"}),
    "host.impact_file": Route(Kind.OPERATOR, {"kind": "csv"}),
    "hosts.as_file": Route(Kind.OPERATOR, {"kind": "csv"}),
    "reconciliation.as_file": Route(Kind.OPERATOR, {"kind": "xlsx"}),
    "workloads.as_file": Route(Kind.OPERATOR, {"kind": "csv"}),
    "facts.add": across(form=FACTS),
    "facts.change": of_adherent(FACTS),
    "facts.edit": of_adherent(),
    "facts.new": across(shows=False),
    "ght.index": across({"words": "{part_of_name}"}, shows=False),
    "ght.show": across(code="{ght}", shows=False),
    "incident_list.act": across(form={"deed": "waiting", "incidents": "{tenant_id}:{incident}"}),
    "incident_list.as_file": across({"which": "all"}, {"words": "{part_of_name}"}, kind="csv"),
    "incident_list.forget": own(view_id="1"),
    "incident_list.index": across({"state": "on_time"}, {"priority": "P2"}, {"words": "{part_of_name}"}),
    "incident_list.keep": own({"name": "Essai", "query": "which=all"}),
    "incident_list.of_adherent": of_adherent(),
    "incident_list.of_adherent_as_file": of_adherent(kind="xlsx"),
    "incidents_api.list_changes": machine(),
    "incidents_api.put_ticket": machine(desk="essai", external_id="{ticket}"),
    "incidents_api.show_ticket": machine(desk="essai", external_id="{ticket}"),
    "factors.index": across(shows=False),
    "factors.show": across(factor_id="ademe-fra-2022-consumption", shows=False),
    "explanations.show": of_adherent(number="{incident}", clock="ttr"),
    "incident_report.as_pdf": of_adherent(number="{incident}"),
    "incident_report.show": of_adherent(number="{incident}"),
    "incidents.add": of_adherent({"subscription": "{subscription}", "title": "Essai", "priority": "P2"}),
    "incidents.change": of_adherent({"category": "network"}, number="{incident}"),
    "incidents.new": of_adherent(),
    "incidents.record": of_adherent({"kind": "waiting"}, number="{incident}"),
    "incidents.redact": of_adherent(number="{incident}"),
    "incidents.show": of_adherent(number="{incident}"),
    "comments.add": of_adherent({"text": "Essai"}, number="{incident}"),
    "comments.download": of_adherent(number="{incident}", file="{incident_file}"),
    "comments.join": of_adherent({"file": "@un texte"}, number="{incident}"),
    "comments.redact": of_adherent(number="{incident}", comment="{incident_comment}"),
    "comments.redact_file": of_adherent(number="{incident}", file="{incident_file}"),
    "maintenance.of_adherent": of_adherent(),
    "message_templates.index": across(shows=False),
    "reviews.index": across(),
    "reviews.plan": of_adherent(
        {"action": "Essai", "in_charge": "Moi", "due_on": "2027-01-31"}, number="{resolved_incident}"
    ),
    "reviews.settle": of_adherent({"deed": "done"}, number="{resolved_incident}", action="{incident_action}"),
    "reviews.write": of_adherent({"cause": "Essai"}, number="{resolved_incident}"),
    "notes.add": of_adherent({"text": "Essai"}),
    "notes.change": of_adherent({"text": "Essai"}, number="{note}"),
    "notes.end": of_adherent(number="{note}"),
    "notes.index": of_adherent(),
    "notes.redact": of_adherent(number="{note}"),
    "overview.live": across(),
    "overview.show": across(),
    "portfolio.show": across({"manager": "{manager_id}"}),
    "second_factor.confirm": own(),
    "second_factor.enrol": own(),
    "second_factor.remove": own(),
    "second_factor.renew_codes": own(),
    "sign_in.leave": own(),
    "calendars.index": across(shows=False),
    "calendars.show": across(code="working-hours", shows=False),
    "matrix.show": across(shows=False),
    "plans.index": across(shows=False),
    "plans.show": across(code="critical", shows=False),
    "regulatory_rules.index": across(shows=False),
    "regulatory_rules.show": across(code="cert-sante", shows=False),
    "methodology.show": across(shows=False),
    "sci.as_csv": of_adherent(number="{subscription}", shows=False),
    "sci.of_adherent": of_adherent(),
    "sci.show": of_adherent(number="{subscription}"),
    "service_levels.as_csv": of_adherent(shows=False),
    "service_levels.close": of_adherent({"month": "2026-10"}),
    "service_levels.close_next": across(form={"month": "2026-09"}),
    "service_levels.closing": across({"month": "2026-09"}),
    "service_levels.correct": of_adherent(
        {"reason": "Essai"}, number="{subscription}", month="{closed_month}"
    ),
    "service_levels.of_adherent": of_adherent(),
    "service_levels.of_group": across(code="{ght}", shows=False),
    "service_levels.show": of_adherent(number="{subscription}", month="{closed_month}"),
    "statements.as_csv": of_adherent(number="{statement}"),
    "statements.as_pdf": of_adherent(number="{statement}"),
    "statements.index": across(),
    "statements.issue": of_adherent({"month": "{month}"}),
    "statements.of_adherent": of_adherent(),
    "statements.show": of_adherent(number="{statement}"),
    "status.ask": of_adherent({"email": "essai@ailleurs.example"}),
    "status.end": of_adherent(number="{status_reader}"),
    "status.show": of_adherent(),
    "subscription.add": of_adherent({"service": "payroll", "starts_on": "2026-02-01", "contract": "Essai"}),
    "subscription.add_amendment": of_adherent(
        {"subject": "terms", "volume": "7", "effective_on": "2026-03-01"}, number="{subscription}"
    ),
    "subscription.amend_form": of_adherent(number="{subscription}"),
    "subscription.new": of_adherent(),
    "subscription.show": of_adherent(number="{subscription}"),
    "tasks.add": of_adherent(TASK),
    "tasks.change": of_adherent(TASK, number="{task}"),
    "tasks.edit": of_adherent(number="{task}"),
    "tasks.index": across({"mine": "yes"}),
    "tasks.new": of_adherent(),
    "tasks.of_adherent": of_adherent(),
    "tasks.settle": of_adherent({"state": "done"}, number="{task}"),
    "volumes.add": of_adherent({"month": "2026-05", "volume": "7"}, number="{subscription}"),
    "volumes.index": across(shows=False),
    "volumes.preview": across(form={"file": f"@{VOLUMES}"}),
    "volumes.store": across(form={"file": "1"}),
    "volumes_api.receive_volumes": machine(VOLUME),
}
