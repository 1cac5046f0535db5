"""The ground of all tables: column types, names of constraints, and the plane each table lives on."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from sqlalchemy import JSON, BigInteger, DateTime, Enum, Integer, MetaData, SmallInteger, String
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedColumn, mapped_column
from sqlalchemy.types import TypeDecorator

from console.domain.folding import fold


class Plane(StrEnum):
    """Where a table lives when the database is distributed, and so what its keys may be."""

    CATALOGUE = "catalogue"
    MEASUREMENT = "measurement"
    TENANT = "tenant"
    COORDINATION = "coordination"


class Instant(TypeDecorator[datetime]):
    """An aware instant, kept in UTC; a naive one is refused rather than guessed."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Big = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers only INTEGER keys by itself
BigId = Annotated[int, mapped_column(Big, primary_key=True)]
KeyId = Annotated[int, mapped_column(BigInteger, primary_key=True, autoincrement=False)]
TenantId = Annotated[int, mapped_column(Big, primary_key=True, autoincrement=False, sort_order=-1)]
Number = Annotated[int, mapped_column(Integer, primary_key=True, autoincrement=False)]
Count = Annotated[int, mapped_column(BigInteger)]
Small = Annotated[int, mapped_column(SmallInteger)]
Label = Annotated[str, mapped_column(String(200))]
Code = Annotated[str, mapped_column(String(64))]


FOLDED = "folded"  # in `info` of a column: it follows from another one


def folded(column: str) -> MappedColumn[str]:
    """A column that holds another one folded, by which that is sought and sorted; filled as a row is born."""
    return mapped_column(
        String,
        insert_default=lambda context: fold(context.get_current_parameters()[column]),
        info={FOLDED: column},
    )


def _values(choices: type[StrEnum]) -> list[str]:
    return [choice.value for choice in choices]


class Base(DeclarativeBase):
    """Every table names its plane by the abstract class it comes from."""

    plane: ClassVar[Plane]
    audited: ClassVar[bool] = False  # what becomes of its rows is written down in the audit log
    hidden: ClassVar[frozenset[str]] = frozenset()  # columns whose content the audit log does not repeat
    fleeting: ClassVar[frozenset[str]] = frozenset()  # columns that follow from others: not in the audit log
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: Instant,
        StrEnum: Enum(
            StrEnum, native_enum=False, create_constraint=False, length=40, values_callable=_values
        ),
        dict[str, Any]: JSON,
        list[Any]: JSON,
    }


class CatalogueRow(Base):
    """Known to all: foreign keys to the catalogue only."""

    __abstract__ = True
    plane = Plane.CATALOGUE


class MeasurementRow(Base):
    """Facts about hosts, keyed by `host_id`; no tenant."""

    __abstract__ = True
    plane = Plane.MEASUREMENT


class CoordinationRow(Base):
    """Who does what next; local to the coordinator."""

    __abstract__ = True
    plane = Plane.COORDINATION


class OwnedRow:
    """A row that belongs to one adherent: a session sees it only where its scope holds that adherent."""

    if TYPE_CHECKING:
        tenant_id: Mapped[int]


class TenantRow(OwnedRow, Base):
    """Belongs to one adherent: every key is led by `tenant_id`."""

    __abstract__ = True
    plane = Plane.TENANT
    tenant_id: Mapped[TenantId]
