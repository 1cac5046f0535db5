"""Data centres: what their meters tell, the electricity they buy, and the grid they draw from."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from console.domain.facility import Basis, ContractKind, Quantity
from console.store.base import CatalogueRow, Code, Count, Instant, Label, Number, Small


class Site(CatalogueRow):
    """A data centre; `grid_zone` names the grid whose intensity holds there."""

    __tablename__ = "site"
    audited: ClassVar[bool] = True
    code: Mapped[Code] = mapped_column(primary_key=True)
    name: Mapped[Label]
    zone: Mapped[Code]
    country: Mapped[Code]
    grid_zone: Mapped[Code]


class SiteMeasure(CatalogueRow):
    """An amount of a site over a stretch of time: energy in millijoules, water in millilitres.

    `category` is the point of measurement of ISO/IEC 30134-2 for the IT energy, 1 to 3; 0 where it has none.
    """

    __tablename__ = "site_measure"
    __table_args__ = (
        CheckConstraint("ended_at > started_at AND amount >= 0", name="sound"),
        Index("ix_site_measure_site", "site", "quantity", "ended_at"),
    )
    site: Mapped[Code] = mapped_column(ForeignKey("site.code"), primary_key=True)
    quantity: Mapped[Quantity] = mapped_column(primary_key=True)
    category: Mapped[Small] = mapped_column(primary_key=True)
    meter: Mapped[Code] = mapped_column(primary_key=True)
    started_at: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    ended_at: Mapped[datetime]
    amount: Mapped[Count]
    quality: Mapped[Code]
    recorded_by: Mapped[Label]
    recorded_at: Mapped[datetime]


class SitePue(CatalogueRow):
    """A named PUE, declared where a site is not metered: its category, the window it was found over."""

    __tablename__ = "site_pue"
    audited: ClassVar[bool] = True
    site: Mapped[Code] = mapped_column(ForeignKey("site.code"), primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    pue_ppm: Mapped[Count]
    category: Mapped[Small]
    window_from: Mapped[date]
    window_to: Mapped[date]
    is_provisional: Mapped[bool]
    note: Mapped[str]
    recorded_by: Mapped[Label]
    recorded_at: Mapped[datetime]


class SitePool(CatalogueRow):
    """Which shared service a meter of storage, backup or network of a site is of, from a month on.

    None: of no service from then on; what it tells stays IT energy that nobody carries.
    """

    __tablename__ = "site_pool"
    audited: ClassVar[bool] = True
    site: Mapped[Code] = mapped_column(ForeignKey("site.code"), primary_key=True)
    quantity: Mapped[Quantity] = mapped_column(primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    service_code: Mapped[str | None] = mapped_column(ForeignKey("service.code"))
    recorded_by: Mapped[Label]
    recorded_at: Mapped[datetime]


class PowerContract(CatalogueRow):
    """Electricity that a site buys from one day to another, with what proves where it comes from."""

    __tablename__ = "power_contract"
    audited: ClassVar[bool] = True
    site: Mapped[Code] = mapped_column(ForeignKey("site.code"), primary_key=True)
    number: Mapped[Number]
    kind: Mapped[ContractKind]
    supplier: Mapped[Label]
    valid_from: Mapped[date]
    valid_to: Mapped[date]  # excluded
    share_ppm: Mapped[Count]  # of what the site draws
    intensity_mg_per_kwh: Mapped[Count | None]  # None: unknown
    renewable_ppm: Mapped[Count | None]  # None: unknown
    evidence: Mapped[str]
    recorded_by: Mapped[Label]
    recorded_at: Mapped[datetime]


class GridIntensity(CatalogueRow):
    """What a kWh of a grid emits over a stretch of time, as a publisher gives it on one basis."""

    __tablename__ = "grid_intensity"
    grid_zone: Mapped[Code] = mapped_column(primary_key=True)
    basis: Mapped[Basis] = mapped_column(primary_key=True)
    started_at: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    duration_s: Mapped[int]
    intensity_mg_per_kwh: Mapped[Count]
    publisher: Mapped[Label]
    state: Mapped[Code]  # how final it is: realtime, consolidated, definitive
    retrieved_at: Mapped[datetime]


class GridHour(CatalogueRow):
    """What a kWh of a grid emits over an hour of which every moment is known: the mean of its figures.

    Whole milligrams, rounded half to even. Written again whenever figures of the hour change.
    """

    __tablename__ = "grid_hour"
    grid_zone: Mapped[Code] = mapped_column(primary_key=True)
    basis: Mapped[Basis] = mapped_column(primary_key=True)
    hour: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    intensity_mg_per_kwh: Mapped[Count]
    state: Mapped[Code]  # that of its least final figure
