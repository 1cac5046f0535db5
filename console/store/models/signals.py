"""Where incidents come from: tickets of service desks, and alerts of monitors with the routes they take."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from console.domain.alert_routes import Fate
from console.domain.outages import Effect
from console.domain.service_desk import DeskState
from console.store.base import BigId, Code, CoordinationRow, Count, Instant, Label, Small, TenantRow
from console.store.models.tenant import INCIDENT, Priority


class DeskTicket(TenantRow):
    """A ticket of a service desk and the incident it is here.

    `state` and `since` are the last state that was taken from the desk; `told` holds what it said last of the
    particulars, so that what it says again changes nothing, but of texts, which may be redacted, only a hash.
    `comments` holds, of each that was taken, the desk's name, its number here and the hash of what it said.
    """

    __tablename__ = "desk_ticket"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "incident"], INCIDENT),
        Index("ix_desk_ticket_incident", "tenant_id", "incident"),
        Index("ix_desk_ticket_external", "desk", "external_id"),
    )
    desk: Mapped[Code] = mapped_column(primary_key=True)
    external_id: Mapped[Label] = mapped_column(primary_key=True)
    incident: Mapped[int]
    state: Mapped[DeskState | None]
    since: Mapped[datetime | None]
    told: Mapped[dict[str, Any]]
    comments: Mapped[list[Any]]
    told_at: Mapped[datetime]


class AlertRoute(CoordinationRow):
    """Where alerts go whose labels match; they are tried by `position`.

    `matchers` is a list of texts such as `alertname = Disk*`. `tenant_id` is the adherent, null where the
    label says it; so are the subscription, by its number or its service, the priority and the effect.
    """

    __tablename__ = "alert_route"
    audited: ClassVar[bool] = True
    route_id: Mapped[BigId]
    position: Mapped[Small]
    name: Mapped[Label] = mapped_column(unique=True)
    matchers: Mapped[list[Any]]
    ignored: Mapped[bool]
    tenant_id: Mapped[Count | None]
    subscription: Mapped[int | None]
    service_code: Mapped[Code | None]
    priority: Mapped[Priority | None]
    effect: Mapped[Effect | None]


class AlertSignal(CoordinationRow):
    """An alert from its start to its end, told `times` times, and what became of it.

    `refusal` says why it is no incident: {"message", "values"}.
    """

    __tablename__ = "alert_signal"
    __table_args__ = (Index("ix_alert_signal_fate", "fate", "last_at"),)
    fingerprint: Mapped[Code] = mapped_column(primary_key=True)
    started_at: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    ended_at: Mapped[datetime | None]
    labels: Mapped[dict[str, Any]]
    annotations: Mapped[dict[str, Any]]
    fate: Mapped[Fate]
    route: Mapped[Label]
    refusal: Mapped[dict[str, Any] | None]
    tenant_id: Mapped[Count | None]
    incident: Mapped[int | None]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime] = mapped_column(index=True)
    times: Mapped[Count]
