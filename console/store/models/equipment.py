"""Equipment of the operator: its life, and the impacts of making it, month by month of its planned life."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from console.domain.equipment import EndOfLife, EquipmentKind, ImpactSource
from console.store.base import BigId, CatalogueRow, Code, Count, KeyId, Label, MeasurementRow, Small


class Equipment(CatalogueRow):
    """A thing of the inventory, or several alike; `name` is how the inventory calls it.

    `host_name` is the host that it is, for a server that is measured. `disks` is a list of {"kind": "ssd" or
    "hdd", "gb": each, "count"}. `planned_months` is its planned life from the month of commissioning on, as
    it was planned first; `extensions` is a list of {"month", "planned_months", "by"}, decided later.
    """

    __tablename__ = "equipment"
    audited: ClassVar[bool] = True
    __table_args__ = (Index("ix_equipment_host_name", "host_name"), Index("ix_equipment_site", "site"))
    equipment_id: Mapped[BigId]
    name: Mapped[Label] = mapped_column(unique=True)
    kind: Mapped[EquipmentKind]
    site: Mapped[str | None] = mapped_column(ForeignKey("site.code"))
    host_name: Mapped[Code | None]
    manufacturer: Mapped[Label | None]
    model: Mapped[Label | None]
    quantity: Mapped[int] = mapped_column(default=1, server_default="1")
    cpu_model: Mapped[Label | None]
    cpus: Mapped[Small | None]
    cores: Mapped[int | None]  # of all its CPUs
    ram_gb: Mapped[int | None]
    disks: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    purchased_on: Mapped[date | None]
    commissioned_on: Mapped[date | None]
    planned_months: Mapped[int | None]
    extensions: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    retired_on: Mapped[date | None]
    end_of_life: Mapped[EndOfLife | None]
    is_second_hand: Mapped[bool]
    note: Mapped[str | None]
    recorded_by: Mapped[Label]
    recorded_at: Mapped[datetime]


class EmbodiedImpact(CatalogueRow):
    """What making a thing of the inventory emitted and used, for one of its quantity, as somebody says it.

    `parts` tells how the GWP is made up, by "cpu", "ram", "ssd", "hdd" and "frame", in micrograms, where that
    is known. A version is never edited; the last one that is confirmed holds. One that was matched by a name
    waits until a person confirms or refuses it.
    """

    __tablename__ = "embodied_impact"
    audited: ClassVar[bool] = True
    equipment_id: Mapped[int] = mapped_column(
        ForeignKey("equipment.equipment_id"), primary_key=True, autoincrement=False
    )
    version: Mapped[Small] = mapped_column(primary_key=True)
    source: Mapped[ImpactSource]
    reference: Mapped[str]  # the sheet, the row of a file, the method with its version
    gwp_ug: Mapped[Count]  # of CO2 equivalent, without use
    gwp_low_ug: Mapped[Count | None]
    gwp_high_ug: Mapped[Count | None]
    adpe_ug: Mapped[Count | None]  # of antimony equivalent
    primary_mj: Mapped[Count | None]
    parts: Mapped[dict[str, Any]]
    confidence_ppm: Mapped[Count | None]  # of the match with the reference; None: not matched by name
    confirmed: Mapped[bool]
    refused_by: Mapped[Label | None]
    refused_at: Mapped[datetime | None]
    recorded_by: Mapped[Label]
    recorded_at: Mapped[datetime]


class WorkloadMonth(MeasurementRow):
    """What a workload held of its host over a month of the host's site, by which the host's making is shared.

    Sums over its hours: of thousandths of a vCPU, of MB of memory, and of the idle energy that it carried.
    """

    __tablename__ = "workload_month"
    __table_args__ = (Index("ix_workload_month_host", "host_id", "month"),)
    month: Mapped[date] = mapped_column(primary_key=True)
    host_id: Mapped[KeyId]
    workload_id: Mapped[KeyId]
    hours: Mapped[int]
    energy_mj: Mapped[Count]
    idle_mj: Mapped[Count]
    mcpu_hours: Mapped[Count]
    mb_hours: Mapped[Count]
    embodied_ug: Mapped[Count | None]  # None: nothing is known of how its host was made
    embodied_low_ug: Mapped[Count | None]
    embodied_high_ug: Mapped[Count | None]
    adpe_ug: Mapped[Count | None]
    primary_mj: Mapped[Count | None]
    terms: Mapped[dict[str, Any]]
