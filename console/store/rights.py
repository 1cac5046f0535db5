"""What `console_web` may do at most, table by table: what the migrations give it, told in one place."""

from __future__ import annotations

from console.store import models  # noqa: F401 - every table has its rights
from console.store.base import Base, Plane

READ = frozenset({"SELECT"})
ADD = READ | {"INSERT"}
KEEP = ADD | {"UPDATE"}
BY_PLANE = {
    Plane.CATALOGUE: READ,
    Plane.MEASUREMENT: frozenset[str](),
    Plane.TENANT: KEEP | {"DELETE"},
    Plane.COORDINATION: frozenset[str](),
}
APART = {  # from what their plane says
    "alembic_version": frozenset[str](),
    **dict.fromkeys(("account", "delegation", "column_mapping"), frozenset[str]()),
    **dict.fromkeys(("incident_notice", "work_notice"), READ),
    "status_reader": KEEP,
    "adherent": READ | {"UPDATE"},
    "audit_checkpoint": READ,
    **dict.fromkeys(("audit_entry", "audit_payload", "subscription_amendment", "volume_month"), ADD),
    **dict.fromkeys(("service_month", "carbon_month", "sharing_change"), ADD),
    **dict.fromkeys(("equipment", "embodied_impact", "site_month"), frozenset[str]()),
    **dict.fromkeys(("audit_head", "contact", "own_site", "note"), KEEP),
    **dict.fromkeys(("committee", "addendum", "follow_up_task"), KEEP),
    **dict.fromkeys(("incident_comment", "incident_attachment", "incident_review", "review_action"), KEEP),
    "committee_member": ADD | {"DELETE"},
}


def of_web() -> dict[str, frozenset[str]]:
    """The rights of `console_web` by table."""
    planes = {str(mapper.local_table): mapper.class_.plane for mapper in Base.registry.mappers}
    return {name: BY_PLANE[plane] for name, plane in planes.items()} | APART
