"""What the operator declares of hosts, and those that it takes out of service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.actions.host_locks import hold_hosts
from console.actions.host_sources import LONGEST_NAME
from console.actions.ingest import mark_due
from console.domain.attribution import IdlePolicy
from console.domain.claims import OPERATOR_TENANT
from console.domain.errors import Conflict, Invalid, NotFound
from console.domain.hours import hour_of
from console.domain.intervals import HIGHEST_POWER_W, RETENTION
from console.store.audit import record
from console.store.models import fleet as f
from console.store.models import measurement as m

TERMS = ("idle_power_mw", "idle_policy", "source")


@dataclass(frozen=True, slots=True)
class Terms:
    """None leaves it to the instruments: the idle power, the policy, which instrument counts."""

    idle_power_mw: int | None = None
    idle_policy: IdlePolicy | None = None
    source: str | None = None


def set_terms(
    session: Session, host_id: int, terms: Terms, *, valid_from: datetime, now: datetime, by: str
) -> None:
    """Declare what holds for a host from a whole hour on; terms of the same hour are replaced.

    The audit log tells what they were. The hours since then are metered again: none may be older than raw
    readings are kept.
    """
    host = _hold(session, host_id)
    _check(session, host_id, terms, valid_from, now)
    before = session.get(f.HostTerms, (host_id, valid_from))
    old = {} if before is None else {name: getattr(before, name) for name in TERMS}
    new = {name: getattr(terms, name) for name in TERMS}
    session.merge(f.HostTerms(host_id=host_id, valid_from=valid_from, **new, set_by=by, set_at=now))
    _note(session, host, "declared", {"old": old, "new": new, "valid_from": valid_from})
    metered = session.scalars(
        select(m.HostHour.hour).where(m.HostHour.host_id == host_id, m.HostHour.hour >= valid_from)
    ).all()
    mark_due(session, host_id, metered, now)


def retire(session: Session, host_id: int, *, now: datetime) -> None:
    """The host is out of service: it is not missed any more. Readings of later bring it back."""
    host = _hold(session, host_id)
    if host.retired_at is not None:
        raise Conflict("Cet hôte est déjà retiré du service.")
    host.retired_at = now
    _note(session, host, "retired", {})


def bring_back(session: Session, host_id: int) -> None:
    """The host is in service again."""
    host = _hold(session, host_id)
    if host.retired_at is None:
        raise Conflict("Cet hôte est en service.")
    host.retired_at = None
    _note(session, host, "brought_back", {})


def _note(session: Session, host: m.Host, verb: str, facts: Mapping[str, object]) -> None:
    """Write down what somebody did of a host."""
    record(session, OPERATOR_TENANT, f"host.{verb}", f"host/{host.name}", facts)


def _check(session: Session, host_id: int, terms: Terms, valid_from: datetime, now: datetime) -> None:
    if hour_of(valid_from) != valid_from:
        raise Invalid("valid_from", "Une heure ronde est attendue.")
    oldest = hour_of(now - RETENTION)
    if valid_from < oldest:
        raise Invalid(
            "valid_from",
            "Les mesures brutes d'avant le %(oldest)s ne sont plus là pour refaire ces heures.",
            oldest=f"{oldest:%Y-%m-%d %H:%M} UTC",
        )
    idle_mw = terms.idle_power_mw
    if idle_mw is not None and not 0 <= idle_mw <= HIGHEST_POWER_W * 1000:
        raise Invalid(
            "idle_power", "Une puissance de 0 à %(highest)s W est attendue.", highest=HIGHEST_POWER_W
        )
    known = _instruments(session, host_id)
    if terms.source is not None and terms.source not in known:
        raise Invalid(
            "source",
            "Cet hôte n'a pas d'instrument de ce nom ; il a : %(known)s.",
            known=", ".join(sorted(known)) or "—",
        )


def _instruments(session: Session, host_id: int) -> set[str]:
    """Those that told of the host, and what a calibration makes of them; cards alone are not the host."""
    own = session.scalars(
        select(f.HostSource.name).where(f.HostSource.host_id == host_id, f.HostSource.authority != "gpu")
    )
    scaled = session.execute(
        select(f.Calibration.source, f.Calibration.reference).where(f.Calibration.host_id == host_id)
    )
    named = {*own, *(f"{source}~{reference}" for source, reference in scaled)}
    return {name for name in named if len(name) <= LONGEST_NAME}


def _hold(session: Session, host_id: int) -> m.Host:
    host = hold_hosts(session, [host_id]).get(host_id)
    if host is None:
        raise NotFound("Hôte introuvable.")
    return host
