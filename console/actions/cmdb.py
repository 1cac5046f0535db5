"""What a CMDB says of whose the machines are, made into dated claims: looked at first, then taken row by row.

    rows -> (machine, holder) found -> beside its claims -> what would be claimed, changed, ended -> taken

A machine is claimed on one host, the one that the row names or where it ran last: the claim follows it to the
others. Repeated, it changes nothing. Who held a machine before the first day of a row keeps it until then; a
claim that begins on that day or after it is never overwritten, but named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from console.actions.bulk_claims import Fate as ClaimFate
from console.actions.bulk_claims import Holder, claim_one
from console.actions.called import subscription_called
from console.actions.claims import check_days, end_at
from console.actions.cmdb_known import Known, Place, Unseen, adherent_of, machine_of
from console.actions.tenancy import subscription_of
from console.domain.claims import OPERATOR_TENANT, Claim, check_claim
from console.domain.cmdb_files import CmdbFile, MachineRow
from console.domain.errors import Conflict, DomainError, Invalid
from console.domain.folding import fold
from console.domain.hours import day_bounds
from console.store.audit import record
from console.store.models import catalogue as c
from console.store.models import contract as k

ONE_DAY: Final = timedelta(days=1)
_Row = c.WorkloadClaim | k.ServiceClaim


class Fate(StrEnum):
    """What becomes of a machine of the file."""

    CLAIMED = "claimed"  # nobody held it
    CHANGED = "changed"  # another held it until then
    ENDED = "ended"  # its holder has it until the last day of the row
    UNCHANGED = "unchanged"
    UNSEEN = "unseen"  # no host has told of it yet: another import will find it
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Planned:
    """A row with what becomes of its machine; `holder_name` is whose it is to be, `before` who holds it."""

    row: MachineRow
    fate: Fate
    host: str = ""
    holder_name: str = ""
    before: str = ""
    refusal: DomainError | None = None


@dataclass(slots=True)
class Tally:
    """How many rows met each fate."""

    fates: Counter[Fate] = field(default_factory=Counter)

    def count(self, planned: Iterable[Planned]) -> Tally:
        self.fates.update(one.fate for one in planned)
        return self

    @property
    def to_store(self) -> int:
        return sum(self.fates[fate] for fate in (Fate.CLAIMED, Fate.CHANGED, Fate.ENDED))


def look_at(session: Session, known: Known, file: CmdbFile) -> list[Planned]:
    """What taking the rows of a file would do, in their order; many rows cost hardly more statements."""
    asked = _Asked(session, known, _all_claims(session))
    told: dict[tuple[int, int], list[tuple[_Step, Planned]]] = {}
    planned = []
    for row in file.machines:
        try:
            step = _step(asked, row)
            one = _planned(row, step)
            for other, before in told.setdefault(step.key, []):
                if not step.agrees_with(other):
                    raise _told_twice(before.row)
            told[step.key].append((step, one))
        except Unseen:
            one = Planned(row, Fate.UNSEEN)
        except DomainError as refusal:
            one = Planned(row, Fate.REFUSED, refusal=refusal)
        planned.append(one)
    return planned


def take(session: Session, known: Known, row: MachineRow, *, now: datetime, by: str) -> Planned:
    """Take one row, whole or not at all; what it would do is judged anew against the claims of now."""
    try:
        with session.begin_nested():
            step = _step(_Asked(session, known), row)
            _do(session, step, now, by)
            return _planned(row, step)
    except Unseen:
        return Planned(row, Fate.UNSEEN)
    except DomainError as refusal:
        return Planned(row, Fate.REFUSED, refusal=refusal)


def note_import(session: Session, file_name: str, tally: Tally) -> None:
    """Write down, with the transaction, that a file of a CMDB came in."""
    facts = {f"machines_{fate.value}": count for fate, count in sorted(tally.fates.items())}
    record(session, OPERATOR_TENANT, "cmdb.imported", f"claims/{file_name}"[:200], facts)


@dataclass(frozen=True, slots=True)
class _Held:
    """A claim that a person made on a machine, with its host and who it is for."""

    claim: Claim
    host_id: int
    name: str


@dataclass(slots=True)
class _Asked:
    """What answers the questions of rows; `claims` by workload were read before where many rows ask."""

    session: Session
    known: Known
    claims: dict[int, list[_Row]] | None = None
    numbers: dict[tuple[int, str, date], int] = field(default_factory=dict)
    checked: set[tuple[int, int, date, date | None]] = field(default_factory=set)

    def claims_on(self, place: Place) -> list[_Held]:
        """The claims that people made on a machine and that hold some hour, on whatever host it was then."""
        if self.claims is None:
            rows = _made(self.session, place.workload_id)
        else:
            rows = self.claims.get(place.workload_id, [])
        of_it = [row for row in rows if place.uid is not None or row.host_id == place.host_id]
        return sorted((_held(row, self.known) for row in of_it), key=lambda one: one.claim.valid_from)

    def subscription(self, tenant_id: int, text: str, day: date) -> int:
        """The number of a subscription that a row calls in some way."""
        key = (tenant_id, text, day)
        if key not in self.numbers:
            self.numbers[key] = subscription_called(self.session, tenant_id, text, day)
        return self.numbers[key]

    def check_days(self, tenant_id: int, number: int, first: date, last: date | None) -> None:
        """Raise where a subscription did not run on these days."""
        key = (tenant_id, number, first, last)
        if key not in self.checked:
            check_days(self.session, subscription_of(self.session, tenant_id, number), first, last)
            self.checked.add(key)


@dataclass(frozen=True, slots=True)
class _Step:
    """What a row asks of a machine: claims to end at an hour, then days to claim, if any."""

    fate: Fate
    place: Place
    holder: Holder
    holder_name: str
    first_day: date
    last_day: date | None
    row_days: tuple[date, date | None]
    ends: Sequence[tuple[_Held, datetime]] = ()
    claims: bool = True  # False: there is nothing to claim
    before: str = ""

    @property
    def key(self) -> tuple[int, int]:
        """The machine; one with a uid is the same on every host."""
        return (0 if self.place.uid else self.place.host_id, self.place.workload_id)

    def agrees_with(self, other: _Step) -> bool:
        """Whether two rows of one machine say the same of the days they share."""
        (first, last), (first2, last2) = self.row_days, other.row_days
        apart = (last is not None and last < first2) or (last2 is not None and last2 < first)
        return apart or self.holder == other.holder


def _step(asked: _Asked, row: MachineRow) -> _Step:
    """What a row asks of its machine, checked as the claim that is to be made will be."""
    place = machine_of(asked.known, row)
    holder, name, zone = _holder(asked, row)
    days = (row.first_day, row.last_day)
    if holder.subscription is not None:
        asked.check_days(holder.tenant_id, holder.subscription, *days)
    every = asked.claims_on(place)
    step = _beside(_Step(Fate.CLAIMED, place, holder, name, *days, row_days=days), every, zone)
    if step.claims:
        ends = {one.claim.claim_id: end for one, end in step.ends}
        left = [
            replace(one.claim, valid_to=ends.get(one.claim.claim_id, one.claim.valid_to)) for one in every
        ]
        check_claim(*_bounds(step.first_day, step.last_day, zone), left, zone)
    return step


def _bounds(first: date, last: date | None, zone: ZoneInfo) -> tuple[datetime, datetime | None]:
    return day_bounds(first, zone)[0], None if last is None else day_bounds(last, zone)[1]


def _beside(step: _Step, every: Sequence[_Held], zone: ZoneInfo) -> _Step:
    """A step with what the claims on its machine make of it.

    A claim of another holder ends at the very hour at which the row begins, midnight of its holder's zone.
    """
    holder, (start, end) = step.holder, _bounds(*step.row_days, zone)
    others = [one for one in every if not holder.holds(one.claim)]
    end = _taken_over(others, end, zone)
    own = [one for one in every if holder.holds(one.claim) and _meets(one.claim, start, end)]
    others = [one for one in others if _meets(one.claim, start, end)]
    if not own and not others:
        return step
    if len(own) == 1 and not others:
        return _beside_own(step, own[0], start, end, zone)
    for one in (*own, *others):
        if one in own or one.claim.valid_from >= start:
            raise Conflict(
                "Cette machine est affectée à %(holder)s depuis le %(since)s : terminez ou retirez cette "
                "affectation d'abord.",
                holder=one.name,
                since=one.claim.valid_from.astimezone(zone).date().isoformat(),
            )
    ends = [(one, start) for one in others]
    return replace(step, fate=Fate.CHANGED, ends=ends, before=", ".join(one.name for one in others))


def _taken_over(others: Iterable[_Held], end: datetime | None, zone: ZoneInfo) -> datetime | None:
    """The end of a row, or the hour of its last day at which it is midnight for who takes over elsewhere."""
    if end is None:
        return None
    begun = [one.claim.valid_from for one in others if end - ONE_DAY < one.claim.valid_from < end]
    return min((one for one in begun if one.astimezone(zone).time() != time()), default=end)


def _beside_own(step: _Step, own: _Held, start: datetime, end: datetime | None, zone: ZoneInfo) -> _Step:
    """The days of a row that its holder has not yet, or those that it is to lose."""
    claim = own.claim
    begins_after = claim.valid_from > start
    ends_before = claim.valid_to is not None and (end is None or claim.valid_to < end)
    if begins_after and ends_before:
        raise Conflict(
            "Cette machine est déjà affectée à %(holder)s pour une partie de ces jours : donnez-les en deux "
            "lignes.",
            holder=own.name,
        )
    if begins_after:
        before = (claim.valid_from.astimezone(zone) - timedelta(microseconds=1)).date()
        return replace(step, last_day=before)
    if ends_before and claim.valid_to is not None:
        return replace(step, first_day=claim.valid_to.astimezone(zone).date())
    if end is not None and (claim.valid_to is None or claim.valid_to > end):
        return replace(step, fate=Fate.ENDED, ends=[(own, end)], claims=False, before=own.name)
    return replace(step, fate=Fate.UNCHANGED, claims=False)


def _do(session: Session, step: _Step, now: datetime, by: str) -> None:
    for held, end in step.ends:
        end_at(session, held.claim, end, now=now)
    if not step.claims:
        return
    outcome = claim_one(
        session,
        step.place.host_id,
        step.place.workload_id,
        step.holder,
        first_day=step.first_day,
        last_day=step.last_day,
        now=now,
        by=by,
    )
    if outcome.fate is ClaimFate.REFUSED and outcome.refusal is not None:
        raise outcome.refusal


def _planned(row: MachineRow, step: _Step) -> Planned:
    return Planned(row, step.fate, step.place.host, step.holder_name, step.before)


def _told_twice(before: MachineRow) -> Invalid:
    return Invalid(
        "machine", "La ligne %(line)s dit cette machine d'un autre pour ces jours.", line=before.line
    )


def _meets(claim: Claim, start: datetime, end: datetime | None) -> bool:
    return (end is None or claim.valid_from < end) and (claim.valid_to is None or claim.valid_to > start)


def _holder(asked: _Asked, row: MachineRow) -> tuple[Holder, str, ZoneInfo]:
    known = asked.known
    service = row.service or row.application
    code = known.services.get(fold(service))
    if row.is_shared:
        if code is None:
            raise Invalid("service", "Ce service n'est pas au catalogue.")
        zone = next(iter(known.adherents[str(OPERATOR_TENANT)].values())).zone
        return Holder(service_code=code), code, ZoneInfo(zone)
    if not service:
        raise Invalid("service", "Une souscription est attendue : son numéro, ou le code du service.")
    adherent = adherent_of(known, row.adherent)
    number = asked.subscription(adherent.tenant_id, code or service, row.first_day)
    name = f"{adherent.name}, {code or number}"
    return Holder(adherent.tenant_id, number), name, ZoneInfo(adherent.zone)


def _all_claims(session: Session) -> dict[int, list[_Row]]:
    """The claims that people made and that hold some hour, by workload."""
    found: dict[int, list[_Row]] = {}
    for row in _made(session, None):
        found.setdefault(row.workload_id, []).append(row)
    return found


def _made(session: Session, workload_id: int | None) -> list[_Row]:
    """Those on one workload, or all."""
    found: list[_Row] = []
    for kind in (c.WorkloadClaim, k.ServiceClaim):
        claim: Any = kind
        holds = or_(claim.valid_to.is_(None), claim.valid_to > claim.valid_from)
        rows = select(claim).where(claim.follows.is_(None), holds)
        if workload_id is not None:
            rows = rows.where(claim.workload_id == workload_id)
        found += session.scalars(rows)
    return found


def _held(row: _Row, known: Known) -> _Held:
    if isinstance(row, c.WorkloadClaim):
        claim = Claim(
            row.claim_id, row.tenant_id, row.valid_from, row.valid_to, subscription=row.subscription
        )
        name = f"{known.names.get(row.tenant_id, row.tenant_id)}, n° {row.subscription}"
        return _Held(claim, row.host_id, name)
    shared = Claim(row.claim_id, OPERATOR_TENANT, row.valid_from, row.valid_to, service_code=row.service_code)
    return _Held(shared, row.host_id, row.service_code)
