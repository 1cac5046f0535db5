"""Carbon: the registry of factors, month lines of energy and of carbon, closed months, sharing keys."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from console.domain.factors import Basis, Perimeter
from console.domain.month_lines import LineKey, LineKind, SharingKeyKind
from console.store.base import (
    CatalogueRow,
    Code,
    CoordinationRow,
    Count,
    Instant,
    KeyId,
    Label,
    Number,
    Small,
    TenantRow,
)


class EmissionFactor(CatalogueRow):
    """A published emission factor of electricity, with who says so, of when, and how sure we are of it.

    Two axes of time: it holds for energy from `valid_from` on (to `valid_to`, excluded, where it ends), and
    we have known it since `known_since`. A value is never edited: what corrects it is another factor that
    `replaces` it; that it was read at its source may be said later. The components add up to the value
    where the publisher states all of them.
    """

    __tablename__ = "emission_factor"
    audited: ClassVar[bool] = True
    factor_id: Mapped[Code] = mapped_column(primary_key=True)
    publisher: Mapped[Label]
    title: Mapped[Label]
    vintage: Mapped[Small]
    perimeter: Mapped[Perimeter]
    geography: Mapped[Code]
    intensity_mg_per_kwh: Mapped[Count]
    low_mg_per_kwh: Mapped[Count | None]
    high_mg_per_kwh: Mapped[Count | None]
    combustion_mg_per_kwh: Mapped[Count | None]
    upstream_mg_per_kwh: Mapped[Count | None]
    losses_mg_per_kwh: Mapped[Count | None]
    licence: Mapped[Label]
    source: Mapped[str]
    retrieved_on: Mapped[date | None]
    confirmed: Mapped[bool]
    valid_from: Mapped[date | None]  # None: from the first day of its vintage
    valid_to: Mapped[date | None]  # excluded; None: until the next vintage is known
    known_since: Mapped[date]
    replaces: Mapped[str | None] = mapped_column(ForeignKey("emission_factor.factor_id"))
    recorded_by: Mapped[Label | None]  # None: came with the catalogue
    confirmed_by: Mapped[Label | None]  # who read it at its source later on; `source` then says where
    confirmed_at: Mapped[datetime | None]


class MonthLine(TenantRow):
    """What one thing used in a local month, from `since` on: the atom of sums of energy and embodied carbon.

    A line is of one stretch of its month, in which the terms of its site are the same; nearly always there is
    one, that begins with the month. A workload is told by `host_id` and `workload_id`; a share of a service
    has host 0 and the number of its service; a line of a site has host 0 and that of the site. Revision 0 is
    what is known now; the others were closed and are never changed. `counts` says that the line is of the
    revision that is shown, and in no other line: a pool counts by its shares. `terms` is the JSON of
    `domain.month_lines.Terms`. `hours` are those in which it used anything.
    """

    __tablename__ = "month_line"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["adherent.tenant_id"]),
        Index("ix_month_line_site", "site", "month"),
        Index("ix_month_line_service_code", "service_code", "month"),
    )
    month: Mapped[date] = mapped_column(primary_key=True)
    since: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    host_id: Mapped[KeyId]
    workload_id: Mapped[KeyId]
    claim_id: Mapped[KeyId]
    revision: Mapped[Number]
    kind: Mapped[LineKind]
    counts: Mapped[bool]
    subscription: Mapped[int | None]
    service_code: Mapped[Code | None]
    site: Mapped[Code | None]  # None: nobody says where its host stands
    hours: Mapped[int]
    energy_mj: Mapped[Count]
    measured_mj: Mapped[Count]
    modelled_mj: Mapped[Count]
    declared_mj: Mapped[Count]
    low_mj: Mapped[Count | None]
    high_mj: Mapped[Count | None]
    overhead_mj: Mapped[Count | None]  # of the facility, beside the energy; None: unknown
    water_ml: Mapped[Count | None]
    embodied_ug: Mapped[Count | None]
    embodied_low_ug: Mapped[Count | None]
    embodied_high_ug: Mapped[Count | None]
    adpe_ug: Mapped[Count | None]  # of antimony equivalent
    primary_mj: Mapped[Count | None]
    terms: Mapped[dict[str, Any]]
    reckoned_at: Mapped[datetime]

    @property
    def key(self) -> LineKey:
        """Which line of its adherent's month this is."""
        return self.since, self.host_id, self.workload_id, self.claim_id


class CarbonLine(TenantRow):
    """The carbon of the energy of a month line on one basis, with its factor: rounded once, here.

    `covered_mj` is the part of the energy and its overhead whose intensity is known, of which the carbon is;
    carbon is None where that is nothing. The factor is that of the basis where it has one for all of the
    line; `terms` tells of what else it is made (`domain.month_lines.Parts`). `counts` is as in `MonthLine`.
    """

    __tablename__ = "carbon_line"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id"], ["adherent.tenant_id"]),
        ForeignKeyConstraint(["factor_id"], ["emission_factor.factor_id"]),
        Index("ix_carbon_line_factor_id", "factor_id", "month"),
    )
    month: Mapped[date] = mapped_column(primary_key=True)
    since: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    host_id: Mapped[KeyId]
    workload_id: Mapped[KeyId]
    claim_id: Mapped[KeyId]
    basis: Mapped[Basis] = mapped_column(primary_key=True)
    revision: Mapped[Number]
    kind: Mapped[LineKind]
    counts: Mapped[bool]
    subscription: Mapped[int | None]
    service_code: Mapped[Code | None]
    energy_mj: Mapped[Count]
    overhead_mj: Mapped[Count | None]
    covered_mj: Mapped[Count]
    carbon_ug: Mapped[Count | None]
    low_ug: Mapped[Count | None]
    high_ug: Mapped[Count | None]
    factor_id: Mapped[Code | None]
    intensity_mg_per_kwh: Mapped[Count | None]
    provisional: Mapped[bool]
    terms: Mapped[dict[str, Any]]
    reckoned_at: Mapped[datetime]

    @property
    def key(self) -> LineKey:
        """Which line of its adherent's month this is the carbon of."""
        return self.since, self.host_id, self.workload_id, self.claim_id


class CarbonMonth(TenantRow):
    """A local month of an adherent as it was closed; the last revision holds, none is ever changed.

    `inputs` is the canonical JSON of `domain.carbon_months.Inputs`, `sha256` its hash after that of the
    revision before. `causes` says what the difference with that revision is made of, by figure and cause
    (`domain.carbon_causes`): energy in mJ, carbon in ug; each adds up to its difference. `reason` says why
    the month was closed anew, and is null in revision 1.
    """

    __tablename__ = "carbon_month"
    audited: ClassVar[bool] = True
    hidden: ClassVar[frozenset[str]] = frozenset({"inputs"})  # their sha256 says all
    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["adherent.tenant_id"]),)
    month: Mapped[date] = mapped_column(primary_key=True)
    revision: Mapped[Number]
    inputs: Mapped[str]
    sha256: Mapped[Code]
    provisional: Mapped[bool]
    energy_mj: Mapped[Count]
    overhead_mj: Mapped[Count | None]
    carbon_ug: Mapped[Count | None]  # of its use, yearly average
    embodied_ug: Mapped[Count | None]
    causes: Mapped[dict[str, Any]]
    closed_at: Mapped[datetime]
    closed_by: Mapped[Label]
    reason: Mapped[Label | None]


class SharingKey(CatalogueRow):
    """By what the months of a shared service are split among its subscribers, from a month on.

    A key is never edited: another one of the same service begins with a later month, or takes the place of
    that of its month under the next version.
    """

    __tablename__ = "sharing_key"
    audited: ClassVar[bool] = True
    service_code: Mapped[Code] = mapped_column(ForeignKey("service.code"), primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    version: Mapped[Number]
    kind: Mapped[SharingKeyKind]
    note: Mapped[str]
    set_by: Mapped[Label]
    set_at: Mapped[datetime]


class SharingChange(TenantRow):
    """Something that weighs in the shares of a service changed, from a month on; the job takes it.

    `months` is how many months after it are touched as well; None: all of them. Those who act for an adherent
    write it, who may not write what the job does next.
    """

    __tablename__ = "sharing_change"
    __table_args__ = (ForeignKeyConstraint(["tenant_id"], ["adherent.tenant_id"]),)
    service_code: Mapped[Code] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    changed_at: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    months: Mapped[int | None]


class SiteMonth(CatalogueRow):
    """A local month of a data centre, as its lines are reckoned with it.

    `it_mj` is the IT energy metered at the point of `category`; `overhead_mj` over `pue_it_mj` is what each
    millijoule of IT energy takes besides: metered, or of the PUE that is declared (`origin`). None: unknown.
    """

    __tablename__ = "site_month"
    site: Mapped[Code] = mapped_column(ForeignKey("site.code"), primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    hosts_mj: Mapped[Count]
    it_mj: Mapped[Count | None]
    category: Mapped[Small]
    total_mj: Mapped[Count | None]
    losses_mj: Mapped[Count | None]
    overhead_mj: Mapped[Count | None]
    pue_it_mj: Mapped[Count | None]
    origin: Mapped[Code | None]  # metered, declared
    provisional: Mapped[bool]
    water_ml: Mapped[Count | None]
    terms: Mapped[dict[str, Any]]
    reckoned_at: Mapped[datetime]


class ReckoningDue(CoordinationRow):
    """A month of something that must be reckoned again; who deletes the row does the work."""

    __tablename__ = "reckoning_due"
    __table_args__ = (Index("ix_reckoning_due_due_at", "step", "due_at"),)
    step: Mapped[Code] = mapped_column(primary_key=True)
    subject: Mapped[Code] = mapped_column(primary_key=True)
    month: Mapped[date] = mapped_column(primary_key=True)
    due_at: Mapped[datetime]
