"""Probes of services and their answers: the coordination plane."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from console.domain.outages import Effect
from console.domain.probes import Fault, ProbeKind
from console.store.base import BigId, Code, CoordinationRow, Count, Instant, KeyId, Label, Small


class Probe(CoordinationRow):
    """A question asked again and again of a service, or of what one subscription has of it.

    `due_at` is the slot to run next, null once it is stopped; `down_since`, `against` and `against_since` are
    where it stands after the answer of `last_slot`.
    """

    __tablename__ = "probe"
    audited: ClassVar[bool] = True
    fleeting: ClassVar[frozenset[str]] = frozenset(
        {"due_at", "last_slot", "down_since", "against", "against_since", "certificate_ends_at"}
    )
    probe_id: Mapped[BigId]
    name: Mapped[Label] = mapped_column(unique=True)
    kind: Mapped[ProbeKind]
    target: Mapped[str]
    expected_status: Mapped[Small]
    expected_text: Mapped[Label | None]
    timeout_s: Mapped[Small]
    every_s: Mapped[Small]
    effect: Mapped[Effect]
    service_code: Mapped[Code]
    tenant_id: Mapped[Count | None]
    subscription: Mapped[int | None]
    stopped_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    last_slot: Mapped[datetime | None]
    down_since: Mapped[datetime | None]
    against: Mapped[Small] = mapped_column(default=0)
    against_since: Mapped[datetime | None]
    certificate_ends_at: Mapped[datetime | None]


class ProbeAnswer(CoordinationRow):
    """What came back at a slot; `fault` null is a good answer."""

    __tablename__ = "probe_answer"
    probe_id: Mapped[KeyId] = mapped_column(ForeignKey("probe.probe_id"))
    slot: Mapped[datetime] = mapped_column(Instant, primary_key=True, index=True)
    fault: Mapped[Fault | None]
    took_ms: Mapped[Count]
    detail: Mapped[Label]
