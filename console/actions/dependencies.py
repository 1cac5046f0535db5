"""What a service stands on: dependencies that begin and end, and are never deleted."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.services import hold_catalogue, service_of
from console.domain.dependencies import Dependency, check_dependency
from console.domain.errors import Invalid, NotFound
from console.store.models import catalogue as c
from console.store.models import offer as o


def add_dependency(session: Session, code: str, needs: str, *, since: date, until: date | None = None) -> int:
    """Say that a service needs another from a day on; the dependency's number.

    Raises `Invalid` with the path where the services would come to stand on themselves.
    """
    hold_catalogue(session)
    service_of(session, code)
    if session.get(c.Service, needs) is None:
        raise Invalid("needs", "Ce service n'est pas au catalogue.")
    check_dependency(Dependency(code, needs, since, until), known_dependencies(session))
    dependency = o.ServiceDependency(service_code=code, needs_code=needs, since=since, until=until)
    session.add(dependency)
    session.flush()
    return dependency.dependency_id


def end_dependency(session: Session, code: str, dependency_id: int, *, until: date) -> None:
    """Make a day the last of a dependency that runs, or an earlier one than it had."""
    hold_catalogue(session)
    dependency = session.get(o.ServiceDependency, dependency_id)
    if dependency is None or dependency.service_code != code:
        raise NotFound("Dépendance introuvable.")
    if until < dependency.since:
        raise Invalid("until", "Une dépendance finit après son début.")
    if dependency.until is not None and until > dependency.until:
        raise Invalid("until", "Cette dépendance finit déjà le %(until)s.", until=dependency.until)
    dependency.until = until


def known_dependencies(session: Session) -> list[Dependency]:
    """Every dependency that is or was."""
    rows = session.scalars(select(o.ServiceDependency))
    return [Dependency(row.service_code, row.needs_code, row.since, row.until) for row in rows]
