"""One page of a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

PAGE = 50  # rows
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class PageOf(Generic[Row]):
    """Rows of a list of `total`; `page` counts from 1."""

    rows: Sequence[Row]
    total: int
    page: int
    size: ClassVar[int] = PAGE

    @property
    def pages(self) -> int:
        """How many pages the list has; an empty list has one."""
        return max(1, -(-self.total // self.size))
