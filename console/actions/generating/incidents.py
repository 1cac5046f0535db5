"""Incidents and their logs; the clocks are reckoned from the log by the rules, as when it was recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from sqlalchemy.orm import Session

from console.actions.generating import traces
from console.actions.generating.chance import dice, drawn, weighted
from console.actions.generating.rows import Deed, Row
from console.actions.generating.scale import Scale
from console.actions.generating.world import Adherent, Contract, World
from console.actions.incident_clocks import ANSWERS, OVER
from console.domain.clock import Event, EventKind, read_clock
from console.domain.outages import Effect, Source, suffered_in
from console.domain.priority import DEFAULT_MATRIX
from console.domain.proportion import apportion
from console.domain.spans import whole_second
from console.store.bulk import add_rows
from console.store.models import tenant as t
from console.store.queries.plans import Targets

KEPT = 17  # of the 20 steps of a distribution end within the plan: so many incidents keep it, about
BY = "centre de services"
FAULTS: Mapping[str, Sequence[str]] = {
    "software": (
        "Lenteur à l'ouverture des dossiers",
        "Édition des documents en échec",
        "Connexion refusée aux utilisateurs",
        "Flux d'identités interrompu",
        "Écran figé à l'enregistrement",
        "Interface avec le laboratoire arrêtée",
    ),
    "payroll": (
        "Bulletins de paie non produits",
        "Écart sur les cotisations",
        "Dépôt de la DSN refusé",
        "Éléments variables non repris",
    ),
    "consulting": ("Salle de formation indisponible", "Support de formation manquant", "Livrable en retard"),
    "hosting": (
        "Serveur injoignable",
        "Espace disque saturé",
        "Sauvegarde en échec",
        "Latence du réseau",
        "Certificat périmé sur la plateforme",
    ),
}
EFFECTS: Mapping[str, Effect] = {
    "P1": Effect.OUTAGE,
    "P2": Effect.DEGRADED,
    **dict.fromkeys(("P3", "P4", "P5"), Effect.NONE),
}
CATEGORIES: Mapping[str, Sequence[t.Category]] = {
    "software": (t.Category.APPLICATION, t.Category.INTERFACE, t.Category.ACCESS),
    "payroll": (t.Category.PAYROLL, t.Category.DATA),
    "consulting": (t.Category.OTHER,),
    "hosting": (t.Category.INFRASTRUCTURE, t.Category.NETWORK),
}
CELLS: Mapping[str, Sequence[tuple[int, int]]] = {
    level.value: [
        (impact, urgency)
        for impact, row in DEFAULT_MATRIX.items()
        for urgency, found in row.items()
        if f"P{found}" == level
    ]
    for level in t.Priority
}
PLACES = (
    *("aux urgences", "en pharmacie", "au bureau des entrées"),
    *("à la direction", "au bloc", "aux archives"),
)


@dataclass(frozen=True, slots=True)
class Opening:
    """An incident as it begins."""

    at: datetime
    contract: Contract
    rng: Random


@dataclass(frozen=True, slots=True)
class Told:
    """Rows of the incidents of an adherent, of their logs, and of the outages that they tell of."""

    incidents: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    outages: list[Row] = field(default_factory=list)


def store_incidents(world: World) -> Iterator[Deed]:
    """The incidents of an adherent in one transaction."""
    counts = _counts(world)
    for adherent in world.adherents:
        told = _told(world, adherent, counts)

        def add(session: Session, told: Told = told) -> int:
            add_rows(session, t.Incident, told.incidents)
            add_rows(session, t.IncidentEvent, told.events)
            add_rows(session, t.Outage, told.outages)
            return len(told.incidents)

        yield add


def _counts(world: World) -> dict[tuple[int, int], int]:
    """How many incidents by adherent and year: as many as asked for, by the days of contracts in it."""
    counts: dict[tuple[int, int], int] = {}
    for year in range(world.scale.years):
        days = {
            adherent.tenant_id: sum(
                _days_in(contract, *_year(world.scale, year))
                for contract in world.contracts[adherent.tenant_id]
            )
            for adherent in world.adherents
        }
        shares = apportion(world.scale.incidents_a_year, days) if any(days.values()) else {}
        counts |= {(tenant_id, year): count for tenant_id, count in shares.items()}
    return counts


def _year(scale: Scale, number: int) -> tuple[date, date]:
    """The first and last day of a year of the past, counted from its beginning."""
    years = scale.years - number
    first = scale.until.replace(year=scale.until.year - years, day=min(scale.until.day, 28))
    after = scale.until.replace(year=scale.until.year - years + 1, day=min(scale.until.day, 28))
    return first, after - timedelta(days=1)


def _days_in(contract: Contract, first: date, last: date) -> int:
    """Days of a contract with a plan, without which no clock runs."""
    end = last if contract.ends_on is None else min(last, contract.ends_on)
    return max(0, (end - max(first, contract.starts_on)).days + 1) if contract.with_plan else 0


def _told(world: World, adherent: Adherent, counts: Mapping[tuple[int, int], int]) -> Told:
    openings = [
        opening
        for year in range(world.scale.years)
        for opening in _openings(world, adherent, year, counts.get((adherent.tenant_id, year), 0))
    ]
    openings.sort(key=lambda opening: (opening.at, opening.contract.number))
    told = Told()
    unresolved: dict[tuple[int, str], datetime] = {}
    for number, opening in enumerate(openings, start=1):
        priority = weighted(opening.rng, traces.incidents().priorities)
        plan = opening.contract.service.plan
        log = _log(opening, priority, plan.targets[priority], world.scale.now)
        title = _title(opening, unresolved)
        row = _row(adherent.tenant_id, number, opening, priority, log)
        unresolved[opening.contract.number, title] = row["resolved_at"] or world.scale.now
        told.incidents.append(row | {"title": title})
        told.events.extend(_event_rows(adherent.tenant_id, number, log))
        told.outages.extend(_outage_rows(row, log, world.scale.now))
    return told


def _openings(world: World, adherent: Adherent, year: int, count: int) -> Iterator[Opening]:
    first, last = _year(world.scale, year)
    days = {
        contract.number: _days_in(contract, first, last) for contract in world.contracts[adherent.tenant_id]
    }
    contracts = {contract.number: contract for contract in world.contracts[adherent.tenant_id]}
    for place in range(count):
        rng = dice(world.scale.seed, "incident", adherent.tenant_id, year, place)
        contract = contracts[weighted(rng, days)]
        begins = max(first, contract.starts_on)
        at = _arrival(rng, adherent, begins, days[contract.number])
        while at >= world.scale.now:  # the last evening is not over everywhere
            at -= timedelta(days=1)
        yield Opening(at, contract, rng)


def _arrival(rng: Random, adherent: Adherent, first: date, days: int) -> datetime:
    """An instant of these days, as often on each weekday and at each hour as where the shape is from."""
    shape = traces.incidents()
    day = first + timedelta(rng.randrange(days))
    for _ in range(20):
        if rng.random() * max(shape.by_weekday) < shape.by_weekday[day.weekday()]:
            break
        day = first + timedelta(rng.randrange(days))
    hour = rng.choices(range(24), weights=shape.by_hour)[0]
    wall = datetime.combine(day, time(hour, rng.randrange(60), rng.randrange(60)), adherent.zone)
    return wall.astimezone(UTC)


def _log(opening: Opening, priority: str, targets: Targets, now: datetime) -> list[Event]:
    """What happened up to now: the desk's own times, at the pace at which most keep the plan's promise."""
    shape, rng, at = traces.incidents(), opening.rng, opening.at
    calendar = opening.contract.service.plan.calendar
    to_resolve = shape.to_resolve[priority]
    pace = (targets.ttr.due_at(at, calendar) - at) / max(1, to_resolve[KEPT])
    owned = (targets.tto.due_at(at, calendar) - at) / max(1, shape.to_acknowledge[KEPT])
    acknowledged = at + drawn(rng, shape.to_acknowledge) * owned
    resolved = at + drawn(rng, to_resolve) * pace
    log = [Event(EventKind.OPENED, at)]
    if acknowledged < resolved:
        log.append(Event(EventKind.ACKNOWLEDGED, acknowledged))
        if rng.random() * shape.tickets < shape.waiting:
            resolved += _wait(rng, log, resolved, drawn(rng, shape.wait) * pace)
    log.append(Event(EventKind.RESOLVED, resolved))
    closed = resolved + timedelta(minutes=drawn(rng, shape.to_close))
    if rng.random() * shape.tickets < shape.reopened:
        reopened = resolved + (closed - resolved) * rng.uniform(0.05, 0.5)
        log += [Event(EventKind.REOPENED, reopened)]
        resolved = reopened + drawn(rng, to_resolve) * pace
        log += [Event(EventKind.RESOLVED, resolved)]
        closed = resolved + timedelta(minutes=drawn(rng, shape.to_close))
    log.append(Event(EventKind.CLOSED, closed))
    whole = (Event(event.kind, whole_second(event.at)) for event in log)
    return [event for event in whole if event.at < now]


def _wait(rng: Random, log: list[Event], resolved: datetime, lasts: timedelta) -> timedelta:
    """A wait on the adherent between the last step and the resolution, which it puts off."""
    begins = log[-1].at + (resolved - log[-1].at) * rng.random()
    log += [Event(EventKind.WAITING, begins), Event(EventKind.RESUMED, begins + lasts)]
    return lasts


def _title(opening: Opening, unresolved: Mapping[tuple[int, str], datetime]) -> str:
    """What is wrong and where; no two of the same title are unresolved at once for one subscription."""
    faults = FAULTS[opening.contract.service.trade]
    while True:
        fault, place = opening.rng.choice(faults), opening.rng.choice(PLACES)
        title = f"{fault} {place}, poste {opening.rng.randrange(1, 60)}"
        last = unresolved.get((opening.contract.number, title))
        if last is None or last < opening.at:
            return title


def _row(tenant_id: int, number: int, opening: Opening, priority: str, log: Sequence[Event]) -> Row:
    plan = opening.contract.service.plan
    targets = plan.targets[priority]
    clock = read_clock(log, plan.calendar, targets.tto, targets.ttr, log[-1].at)
    over = clock.phase in OVER
    resolved = [event.at for event in log if event.kind is EventKind.RESOLVED]
    return {
        "tenant_id": tenant_id,
        "number": number,
        "subscription": opening.contract.number,
        **_particulars(opening, priority),
        "opened_at": opening.at,
        "resolved_at": resolved[-1] if over else None,
        "phase": clock.phase.value,
        "tto_due_at": clock.tto.due_at,
        "tto_met_at": next((event.at for event in log if event.kind in ANSWERS), None),
        "due_at": clock.ttr.due_at,
        "at_risk_at": None if over else clock.ttr.at_risk_at,
        "remaining_s": clock.ttr.remaining_s,
        "outcome": clock.ttr.state.value,
        "changed_at": log[-1].at,
    }


def _particulars(opening: Opening, priority: str) -> Row:
    """What is told of an incident: what the matrix makes of its impact and urgency is its priority."""
    impact, urgency = opening.rng.choice(CELLS[priority])
    return {
        "priority": t.Priority(priority),
        "impact": impact,
        "urgency": urgency,
        "category": opening.rng.choice(CATEGORIES[opening.contract.service.trade]),
        "is_security": False,
        "effect": EFFECTS[priority],
        "origin": t.Origin.SERVICE_DESK,
    }


def _outage_rows(incident: Row, log: Sequence[Event], now: datetime) -> Iterator[Row]:
    for suffered in suffered_in(log, (), incident["effect"], now):
        yield {
            "tenant_id": incident["tenant_id"],
            "subscription": incident["subscription"],
            "source": Source.INCIDENT,
            "reference": incident["number"],
            "began_at": suffered.began_at,
            "ended_at": suffered.ended_at,
            "effect": suffered.effect,
        }


def _event_rows(tenant_id: int, number: int, log: Sequence[Event]) -> Iterator[Row]:
    for position, event in enumerate(log, start=1):
        yield {
            "tenant_id": tenant_id,
            "incident": number,
            "position": position,
            "kind": event.kind.value,
            "at": event.at,
            "recorded_at": event.at,
            "recorded_by": BY,
        }
