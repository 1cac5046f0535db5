"""How services are called where others point to them."""

from __future__ import annotations

from dataclasses import dataclass

from console.store.models import catalogue as c


@dataclass(frozen=True, slots=True)
class ServiceName:
    """A service by its code, with its names in both languages."""

    code: str
    name_fr: str
    name_en: str


def name_of(row: c.Service) -> ServiceName:
    return ServiceName(row.code, row.name_fr, row.name_en)


def name_or_none(row: c.Service | None) -> ServiceName | None:
    return None if row is None else name_of(row)
