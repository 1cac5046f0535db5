"""Contracts: what each adherent takes, for how long, renewed, suspended, not begun yet or ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from sqlalchemy.orm import Session

from console.actions.amendments import revise_price, turn_subscriptions
from console.actions.generating.chance import dice, uneven, weighted
from console.actions.generating.offer import version_on
from console.actions.generating.rows import Deed
from console.actions.generating.scale import Scale
from console.actions.generating.world import Adherent, Contract, Service, World
from console.actions.subscriptions import change_status, subscribe
from console.domain.contract import Status
from console.domain.price import Indexation, PricePer, Revision
from console.domain.proportion import apportion
from console.domain.renewal import NoticeUnit, add_months

ONE_DAY = timedelta(days=1)
MORNING = time(9)
RENEWED = 4  # on average a service is taken by up to so many contracts, one after the other
WITHOUT_PLAN = 0.03
STOPPED = 0.10  # of the last contracts of a service
TO_COME = 0.02
SUSPENDED = 0.02
UNITS = {"software": 1_500, "payroll": 2_000, "consulting": 20, "hosting": 30_000}  # of a volume, about
CENTS = {"software": 900, "payroll": 450, "consulting": 95_000, "hosting": 3}  # for a unit, about


def draw_contracts(
    scale: Scale, adherents: Sequence[Adherent], services: Sequence[Service]
) -> dict[int, list[Contract]]:
    """As many contracts as asked for, at least one for each adherent, numbered as they begin."""
    keys = [adherent.tenant_id for adherent in adherents]
    more = apportion(scale.subscriptions - len(keys), uneven(scale.seed, "contracts", keys, spread=0.8))
    return {
        adherent.tenant_id: _of_adherent(scale, adherent, 1 + more[adherent.tenant_id], services)
        for adherent in adherents
    }


def store_contracts(world: World) -> Iterator[Deed]:
    """Every contract is taken, amended and brought to the present by the actions of the console."""
    for adherent in world.adherents:

        def take(session: Session, adherent: Adherent = adherent) -> int:
            contracts = world.contracts[adherent.tenant_id]
            for contract in contracts:
                _take(session, world.scale, adherent, contract)
            session.flush()
            return len(contracts)

        yield take

    def turn(session: Session) -> int:
        turn_subscriptions(session, now=world.scale.now)
        return 0

    yield turn


def _of_adherent(scale: Scale, adherent: Adherent, count: int, services: Sequence[Service]) -> list[Contract]:
    rng = dice(scale.seed, "contracts of", adherent.tenant_id)
    taken = rng.sample(services, min(len(services), max(1, -(-count * 2 // (RENEWED + 1)))))
    shares = apportion(count, {service.code: 1 + rng.randrange(100) for service in taken})
    drawn = [
        terms
        for service in taken
        if shares[service.code]
        for terms in _one_after_the_other(rng, scale, adherent, service, shares[service.code])
    ]
    drawn.sort(key=lambda terms: (terms[1], terms[0].code))
    return [
        Contract(adherent.tenant_id, number, service, starts_on, ends_on, rng.random() >= WITHOUT_PLAN)
        for number, (service, starts_on, ends_on) in enumerate(drawn, start=1)
    ]


def _one_after_the_other(
    rng: Random, scale: Scale, adherent: Adherent, service: Service, count: int
) -> Iterator[tuple[Service, date, date | None]]:
    """Contracts of one service that follow each other, from a day of the adherent's life on."""
    first = max(adherent.since, add_months(scale.since, -rng.randrange(0, 24)))
    months = (scale.until.year - first.year) * 12 + scale.until.month - first.month
    starts = sorted({0, *(rng.randrange(1, max(2, months)) for _ in range(count - 1))})
    while len(starts) < count:  # a short life: the next ones are still to begin
        starts.append(max(starts[-1], months) + rng.randrange(1, 13))
    days = [add_months(first, start) for start in starts]
    if count == 1 and rng.random() < TO_COME:
        days = [add_months(scale.until, rng.randrange(1, 6)).replace(day=1)]
    for starts_on, following in zip(days, [*days[1:], None], strict=True):
        yield service, starts_on, _last_day(rng, scale, starts_on, following)


def _last_day(rng: Random, scale: Scale, starts_on: date, following: date | None) -> date | None:
    if following is not None:
        return following - ONE_DAY
    left = (scale.until - starts_on).days
    if left > 60 and rng.random() < STOPPED:
        return starts_on + timedelta(rng.randrange(30, left))
    return None


def _take(session: Session, scale: Scale, adherent: Adherent, contract: Contract) -> None:
    rng = dice(scale.seed, "terms", adherent.tenant_id, contract.number)
    signed_at = _at(adherent, contract.starts_on - timedelta(rng.randrange(5, 60)))
    terms = _terms(rng, scale, contract)
    subscribe(
        session,
        adherent.tenant_id,
        contract.service.code,
        starts_on=contract.starts_on,
        now=min(signed_at, scale.now),
        by="contrats",
        with_plan=contract.with_plan,
        **terms,
    )
    for deed in _later(rng, scale, adherent, contract, terms["revise_on"]):
        deed(session)


def _terms(rng: Random, scale: Scale, contract: Contract) -> dict[str, Any]:
    months = rng.choice((12, 24, 36, 48))
    tacit = rng.random() < 0.7
    indexation = weighted(
        rng, {Indexation.SYNTEC: 6, Indexation.FIXED: 2, Indexation.ICHT_REV_TS: 1, Indexation.NONE: 3}
    )
    trade = contract.service.trade
    return {
        "status": Status.DRAFT if contract.starts_on > scale.until else Status.ACTIVE,
        "volume": max(1, int(UNITS[trade] * rng.lognormvariate(0, 0.8))),
        "price_cents": max(1, int(CENTS[trade] * rng.uniform(0.7, 1.4))),
        "price_per": PricePer.UNIT,
        "indexation": indexation,
        "indexation_rate": 150 if indexation is Indexation.FIXED else None,
        "revise_on": None if indexation is Indexation.NONE else add_months(contract.starts_on, 12),
        "service_version": version_on(scale, contract.service.code, trade, contract.starts_on),
        "contract": f"M-{contract.starts_on:%Y}-{contract.tenant_id:04}-{contract.number:02}",
        "ends_on": contract.ends_on,
        "term_ends_on": contract.ends_on or add_months(contract.starts_on, months) - ONE_DAY,
        "tacit": tacit and contract.ends_on is None,
        "renewal_months": 12,
        "notice": rng.choice((3, 6)),
        "notice_unit": NoticeUnit.MONTHS,
    }


def _later(
    rng: Random, scale: Scale, adherent: Adherent, contract: Contract, revised_on: date | None
) -> Iterator[Deed]:
    """What happens to a contract that runs: the price is revised once, some are suspended."""
    if revised_on is not None and revised_on < min(contract.ends_on or scale.until, scale.until):
        rate = Revision(rate=rng.randrange(80, 420))

        def revise(session: Session) -> int:
            return revise_price(
                session,
                contract.tenant_id,
                contract.number,
                effective_on=revised_on,
                revision=rate,
                now=_at(adherent, revised_on),
                by="contrats",
            )

        yield revise
    if contract.ends_on is None and contract.starts_on < scale.until and rng.random() < SUSPENDED:
        on = max(
            contract.starts_on,
            revised_on or contract.starts_on,
            scale.until - timedelta(rng.randrange(10, 90)),
        )
        if on < scale.until:

            def suspend(session: Session) -> int:
                return change_status(
                    session,
                    contract.tenant_id,
                    contract.number,
                    Status.SUSPENDED,
                    on=on,
                    note="À la demande de l'adhérent",
                    now=_at(adherent, on),
                    by="contrats",
                )

            yield suspend


def _at(adherent: Adherent, day: date) -> datetime:
    return datetime.combine(day, MORNING, adherent.zone)
