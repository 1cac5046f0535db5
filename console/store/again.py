"""Writes that are begun again where two transactions waited for each other and the database ended one."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import OperationalError

from console.domain.errors import Conflict
from console.store.session import MACHINE, Database, Scope, ScopedSession

DEADLOCK, NOT_SERIAL = "40P01", "40001"  # what PostgreSQL calls it
TIMES = 4
Result = TypeVar("Result")


def write_again(
    database: Database, scope: Scope, work: Callable[[ScopedSession], Result], by: str = MACHINE
) -> Result:
    """What `work` gives in a transaction of its own, which is committed.

    Raises `Conflict` where it met others each time: then nothing of it is stored.
    """
    for _ in range(TIMES):
        try:
            with database.write(scope, by) as session:
                return work(session)
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in (DEADLOCK, NOT_SERIAL):
                raise
        time.sleep(random.uniform(0.01, 0.1))  # noqa: S311
    raise Conflict("D'autres opérations touchent aux mêmes données : réessayez dans un instant.")
