"""What a version of a plan promises: what it must hold, and how two versions differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

from console.domain.clock import Target
from console.domain.credits import CreditStep
from console.domain.errors import Invalid
from console.domain.escalation import Escalation, Promise

PRIORITIES = ("P1", "P2", "P3", "P4", "P5")
WHOLE_PPM = 1_000_000
PERCENT = 100
LONGEST_HOURS = 2_160  # ninety days, of a notice
LARGEST_AMOUNT = 100_000  # of a target or an escalation
MOST_STEPS, MOST_ESCALATIONS = 10, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTerms:
    """What is promised; `targets` by priority, then by clock. Units are those of `store.models.SlaPlan`."""

    name: str
    calendar_code: str
    targets: Mapping[str, Mapping[Promise, Target]]
    availability_ppm: int | None
    notice_hours: int
    degraded_percent: int
    credit_steps: Sequence[CreditStep]
    escalations: Sequence[Escalation]
    breach_notice_hours: int | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A term that two versions tell differently; `term` is its name, that of a target "P1.tto"."""

    term: str
    was: object
    becomes: object


def check_terms(terms: PlanTerms) -> None:
    """Refuse terms that cannot be kept, with the field that is wrong."""
    for priority in PRIORITIES:
        _check_targets(priority, terms.targets.get(priority, {}))
    if terms.availability_ppm is not None and not 0 < terms.availability_ppm <= WHOLE_PPM:
        raise Invalid("availability", "Une disponibilité est un pourcentage au-dessus de 0, 100 au plus.")
    if not 0 <= terms.degraded_percent <= PERCENT:
        raise Invalid("degraded_percent", "Un pourcentage de 0 à 100 est attendu.")
    for field in ("notice_hours", "breach_notice_hours"):
        hours = getattr(terms, field)
        if hours is not None and not 0 <= hours <= LONGEST_HOURS:
            raise Invalid(field, "De 0 à %(longest)s heures sont attendues.", longest=LONGEST_HOURS)
    _check_steps(terms)
    _check_escalations(terms.escalations)


def differences(before: PlanTerms, after: PlanTerms) -> list[Difference]:
    """What the version after tells differently, targets one by one."""
    was, becomes = _told(before), _told(after)
    return [
        Difference(term, was.get(term), becomes.get(term))
        for term in dict.fromkeys([*was, *becomes])
        if was.get(term) != becomes.get(term)
    ]


def _told(terms: PlanTerms) -> dict[str, object]:
    told: dict[str, object] = {}
    for field in fields(terms):
        value = getattr(terms, field.name)
        if field.name == "targets":
            told |= {
                f"{priority}.{promise}": target
                for priority, promised in value.items()
                for promise, target in promised.items()
            }
        else:
            told[field.name] = tuple(value) if isinstance(value, list) else value
    return told


def _check_targets(priority: str, promised: Mapping[Promise, Target]) -> None:
    for promise in Promise:
        if promise not in promised:
            raise Invalid(f"{priority}-{promise}", "Un délai est attendu.")
        if promised[promise].amount > LARGEST_AMOUNT:
            raise Invalid(f"{priority}-{promise}", "%(most)s au plus.", most=LARGEST_AMOUNT)
    tto, ttr = promised[Promise.TTO], promised[Promise.TTR]
    if tto.unit is ttr.unit and tto.amount > ttr.amount:
        raise Invalid(f"{priority}-ttr", "Le rétablissement ne précède pas la prise en charge.")


def _check_steps(terms: PlanTerms) -> None:
    steps = sorted(terms.credit_steps, key=lambda step: -step.below_ppm)
    if steps and terms.availability_ppm is None:
        raise Invalid("credit_steps", "Un avoir suppose une disponibilité promise.")
    if len(steps) > MOST_STEPS:
        raise Invalid("credit_steps", "%(most)s paliers au plus sont attendus.", most=MOST_STEPS)
    for step in steps:
        if not 0 < step.below_ppm <= (terms.availability_ppm or 0) or not 0 < step.percent <= PERCENT:
            raise Invalid(
                "credit_steps",
                "Un palier d'avoir est au plus à la disponibilité promise et rend de 1 à 100 % du prix.",
            )
    for higher, lower in pairwise(steps):
        if higher.below_ppm == lower.below_ppm or higher.percent >= lower.percent:
            raise Invalid("credit_steps", "Un palier plus bas rend davantage que celui du dessus.")


def _check_escalations(escalations: Sequence[Escalation]) -> None:
    if len(escalations) > MOST_ESCALATIONS:
        raise Invalid("escalations", "%(most)s escalades au plus sont attendues.", most=MOST_ESCALATIONS)
    if any(not 0 < abs(one.amount) <= LARGEST_AMOUNT for one in escalations):
        raise Invalid("escalations", "Le délai d'une escalade va de 1 à %(most)s.", most=LARGEST_AMOUNT)
    told = [(one.promise, one.amount, one.unit) for one in escalations]
    if len({*told}) < len(told):
        raise Invalid("escalations", "Deux escalades ont lieu au même instant.")
