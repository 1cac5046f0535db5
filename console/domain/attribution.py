"""From the energy of a host to its workloads, to the last millijoule.

For each host and interval, `sum(workloads) + idle kept + unattributed = host energy`, whatever the input.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from console.domain.proportion import apportion

POLICY_VERSION = 1
REST = ""  # the key of what no workload used; sorts before every name, which is never empty


class IdlePolicy(StrEnum):
    """Who carries the energy a host would use with nothing to do.

    `reserved`: by reserved vCPU over the larger of all reservations and the capacity; the operator keeps the
    rest. `used`: by CPU time, as the dynamic part. `operator`: the operator keeps it all.
    """

    RESERVED = "reserved"
    USED = "used"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Consumer:
    """What one workload used over the interval, and what it reserves in thousandths of a vCPU.

    `gpu_ms` is the time of graphics cards, all of them together.
    """

    cpu_ms: int
    reserved_mcpu: int | None = None
    gpu_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Cards:
    """The graphics cards of a host: their energy, within that of the host, and how many they are."""

    energy_mj: int = 0
    number: int = 1


NO_CARDS = Cards()


@dataclass(frozen=True, slots=True)
class Share:
    """Energy of one line: its dynamic part, its idle part, and that of graphics cards."""

    dynamic_mj: int
    idle_mj: int
    gpu_mj: int = 0

    @property
    def energy_mj(self) -> int:
        return self.dynamic_mj + self.idle_mj + self.gpu_mj


@dataclass(frozen=True, slots=True)
class Attribution:
    """The lines of one host and interval; they add up to its energy."""

    policy: IdlePolicy
    workloads: Mapping[str, Share]
    unattributed: Share
    idle_kept_mj: int

    @property
    def energy_mj(self) -> int:
        named = sum(share.energy_mj for share in self.workloads.values())
        return named + self.unattributed.energy_mj + self.idle_kept_mj


def default_policy(consumers: Mapping[str, Consumer]) -> IdlePolicy:
    """`reserved` where anything is reserved, else `used`."""
    reserves = any(consumer.reserved_mcpu for consumer in consumers.values())
    return IdlePolicy.RESERVED if reserves else IdlePolicy.USED


def attribute(
    energy_mj: int,
    duration_ms: int,
    idle_power_mw: int | None,
    vcpu: int,
    busy_cpu_ms: int,
    consumers: Mapping[str, Consumer],
    policy: IdlePolicy | None = None,
    cards: Cards = NO_CARDS,
) -> Attribution:
    """Share the energy of one host and interval among its workloads.

    Idle energy is the idle power over the interval, never more than the host's energy without its cards; with
    an unknown idle power all of that counts as dynamic. Dynamic energy goes by share of busy CPU time; what
    no workload used is unattributed. Workloads measured a little past the host's busy time share it among
    themselves. The cards' energy goes by share of their time; what no workload used of it is unattributed.
    """
    policy = policy or default_policy(consumers)
    gpu = _share(cards.energy_mj, _by_card_time(duration_ms, cards, consumers), without_use=REST)
    idle_mj = min(energy_mj - cards.energy_mj, (idle_power_mw or 0) * duration_ms // 1000)
    used = _by_use(busy_cpu_ms, consumers)
    dynamic = _share(energy_mj - cards.energy_mj - idle_mj, used, without_use=REST)
    if policy is IdlePolicy.RESERVED:
        kept = _by_reservation(vcpu, consumers)
        idle = _share(idle_mj, kept, without_use=REST)
        idle_kept_mj, idle[REST] = idle[REST], 0
    elif policy is IdlePolicy.USED and any(used.values()):
        idle, idle_kept_mj = _share(idle_mj, used, without_use=REST), 0
    else:
        idle, idle_kept_mj = dict.fromkeys(used, 0), idle_mj
    return Attribution(
        policy=policy,
        workloads={name: Share(dynamic[name], idle[name], gpu[name]) for name in consumers},
        unattributed=Share(dynamic[REST], idle[REST], gpu[REST]),
        idle_kept_mj=idle_kept_mj,
    )


def _by_use(busy_cpu_ms: int, consumers: Mapping[str, Consumer]) -> dict[str, int]:
    used = {name: consumer.cpu_ms for name, consumer in consumers.items()}
    return {REST: max(0, busy_cpu_ms - sum(used.values())), **used}


def _by_card_time(duration_ms: int, cards: Cards, consumers: Mapping[str, Consumer]) -> dict[str, int]:
    used = {name: consumer.gpu_ms or 0 for name, consumer in consumers.items()}
    return {REST: max(0, cards.number * duration_ms - sum(used.values())), **used}


def _by_reservation(vcpu: int, consumers: Mapping[str, Consumer]) -> dict[str, int]:
    reserved = {name: consumer.reserved_mcpu or 0 for name, consumer in consumers.items()}
    return {REST: max(0, vcpu * 1000 - sum(reserved.values())), **reserved}


def _share(total: int, weights: Mapping[str, int], without_use: str) -> dict[str, int]:
    if any(weights.values()):
        return apportion(total, weights)
    return {key: total if key == without_use else 0 for key in weights}
