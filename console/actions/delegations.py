"""Handing a part of a portfolio to a colleague, from a day to a day, and ending it early."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy.orm import Session

from console.actions.accounts import account_of
from console.domain.delegations import GIVES_AND_TAKES, Standing, check_days, standing
from console.domain.errors import Conflict, Invalid, NotFound
from console.store.models import people as p
from console.store.queries.sign_in import ZONE, portfolio


def delegate(
    session: Session,
    giver_id: int,
    taker_id: int,
    tenants: Iterable[int],
    *,
    first_day: date,
    last_day: date,
    now: datetime,
    by: str,
) -> int:
    """A new delegation of adherents that are the giver's own; its number."""
    giver, taker, chosen = account_of(session, giver_id), session.get(p.Account, taker_id), set(tenants)
    if giver.role is not GIVES_AND_TAKES:
        raise Conflict("Seul un responsable de comptes délègue son portefeuille.")
    if taker is None or taker_id == giver_id or taker.role is not GIVES_AND_TAKES or taker.disabled_at:
        raise Invalid("taker", "Choisissez un autre responsable de comptes.")
    if not chosen:
        raise Invalid("adherents", "Choisissez un adhérent au moins.")
    if chosen - set(portfolio(session, giver_id)):
        raise NotFound("Cet adhérent n'est pas confié à ce compte.")
    check_days(first_day, last_day, now.astimezone(ZONE).date())
    row = p.Delegation(
        giver_id=giver_id,
        taker_id=taker_id,
        first_day=first_day,
        last_day=last_day,
        made_by=by,
        made_at=now,
    )
    session.add(row)
    session.flush()
    session.add_all(
        p.DelegatedAdherent(delegation_id=row.delegation_id, tenant_id=tenant_id)
        for tenant_id in sorted(chosen)
    )
    return row.delegation_id


def end_delegation(session: Session, account_id: int, delegation_id: int, *, now: datetime) -> None:
    """End a delegation that an account gave or took; raises `NotFound` for any other."""
    row = session.get(p.Delegation, delegation_id)
    if row is None or account_id not in (row.giver_id, row.taker_id):
        raise NotFound("Il n'y a pas de délégation à cette adresse.")
    today = now.astimezone(ZONE).date()
    if standing(row.first_day, row.last_day, row.ended_at is not None, today) is Standing.OVER:
        raise Conflict("Cette délégation est déjà terminée.")
    row.ended_at = now
