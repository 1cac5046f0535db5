"""From a host's energy to its workloads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.attribution import Cards, Consumer, IdlePolicy, attribute, default_policy

consumers = st.dictionaries(
    st.text(min_size=1, max_size=5),
    st.builds(
        Consumer,
        st.integers(0, 10**7),
        st.none() | st.integers(0, 64_000),
        st.none() | st.integers(0, 10**7),
    ),
    max_size=10,
)
hosts = {
    "energy_mj": st.integers(10**11, 10**12),
    "cards": st.builds(Cards, st.integers(0, 10**11), st.integers(1, 16)),
    "duration_ms": st.integers(1, 3_600_000),
    "idle_power_mw": st.none() | st.integers(0, 2_000_000),
    "vcpu": st.integers(1, 512),
    "busy_cpu_ms": st.integers(0, 10**8),
    "consumers": consumers,
    "policy": st.none() | st.sampled_from(IdlePolicy),
}


@given(**hosts)
def test_the_lines_add_up_to_the_host_to_the_last_millijoule(**host) -> None:
    assert attribute(**host).energy_mj == host["energy_mj"]


@given(**hosts)
def test_no_line_is_negative(**host) -> None:
    shared = attribute(**host)
    for share in (shared.unattributed, *shared.workloads.values()):
        assert share.dynamic_mj >= 0
        assert share.idle_mj >= 0
        assert share.gpu_mj >= 0
    assert shared.idle_kept_mj >= 0


@given(**hosts)
def test_idle_energy_is_counted_once_whatever_the_number_of_workloads(**host) -> None:
    shared = attribute(**host)
    idle_mj = shared.idle_kept_mj + shared.unattributed.idle_mj
    idle_mj += sum(share.idle_mj for share in shared.workloads.values())
    without_cards = host["energy_mj"] - host["cards"].energy_mj
    assert idle_mj == min(without_cards, (host["idle_power_mw"] or 0) * host["duration_ms"] // 1000)


@given(**hosts)
def test_the_cards_energy_is_shared_whole_and_nowhere_else(**host) -> None:
    shared = attribute(**host)
    lines = (shared.unattributed, *shared.workloads.values())
    assert sum(share.gpu_mj for share in lines) == host["cards"].energy_mj


@given(**hosts)
def test_no_workload_gets_more_than_its_host(**host) -> None:
    """A tenant was given 300 % of a host elsewhere."""
    shared = attribute(**host)
    assert all(share.energy_mj <= host["energy_mj"] for share in shared.workloads.values())


def shared(policy: IdlePolicy | None = None, **consumers: Consumer):
    """100 J over 10 s on 4 vCPU, idle at 6 W, 10 s of CPU time in all."""
    return attribute(100_000, 10_000, 6_000, 4, 10_000, consumers, policy)


def test_dynamic_energy_goes_by_cpu_time_and_the_rest_is_unattributed() -> None:
    result = shared(a=Consumer(5_000), b=Consumer(2_500))
    assert [result.workloads[name].dynamic_mj for name in "ab"] == [20_000, 10_000]
    assert result.unattributed.dynamic_mj == 10_000


def test_without_reservations_idle_energy_goes_by_cpu_time() -> None:
    result = shared(a=Consumer(5_000), b=Consumer(2_500))
    assert result.policy is IdlePolicy.USED
    assert [result.workloads[name].idle_mj for name in "ab"] == [30_000, 15_000]
    assert (result.unattributed.idle_mj, result.idle_kept_mj) == (15_000, 0)


def test_with_reservations_idle_energy_goes_by_reserved_vcpu_and_the_operator_keeps_the_rest() -> None:
    result = shared(a=Consumer(5_000, 1_000), b=Consumer(2_500, 2_000))
    assert result.policy is IdlePolicy.RESERVED
    assert [result.workloads[name].idle_mj for name in "ab"] == [15_000, 30_000]
    assert result.idle_kept_mj == 15_000


def test_reservations_past_the_capacity_share_all_of_it_and_not_more() -> None:
    result = shared(a=Consumer(0, 4_000), b=Consumer(0, 8_000))
    assert [result.workloads[name].idle_mj for name in "ab"] == [20_000, 40_000]
    assert result.idle_kept_mj == 0


def test_the_operator_may_keep_all_idle_energy() -> None:
    result = shared(IdlePolicy.OPERATOR, a=Consumer(5_000))
    assert (result.workloads["a"].idle_mj, result.idle_kept_mj) == (0, 60_000)


def test_a_host_below_its_declared_idle_power_is_all_idle() -> None:
    result = attribute(30_000, 10_000, 6_000, 4, 10_000, {"a": Consumer(10_000)})
    assert (result.workloads["a"].dynamic_mj, result.workloads["a"].idle_mj) == (0, 30_000)


def test_a_host_on_which_nothing_ran_keeps_its_idle_energy() -> None:
    result = attribute(70_000, 10_000, 6_000, 4, 0, {"a": Consumer(0)})
    assert result.idle_kept_mj == 60_000
    assert result.unattributed.dynamic_mj == 10_000


def test_workloads_measured_a_little_past_the_host_share_what_there_is() -> None:
    result = attribute(90_000, 10_000, None, 4, 5_000, {"a": Consumer(4_000), "b": Consumer(2_000)})
    assert [result.workloads[name].energy_mj for name in "ab"] == [60_000, 30_000]
    assert result.unattributed.energy_mj == 0


@pytest.mark.parametrize("machines", [1, 2, 40])
def test_n_machines_on_an_idle_host_share_its_idle_energy_once(machines: int) -> None:
    consumers = {f"vm{number}": Consumer(0, 2_000) for number in range(machines)}
    result = attribute(60_000, 10_000, 6_000, 96, 0, consumers)
    shared = sum(share.energy_mj for share in result.workloads.values())
    assert (shared, result.idle_kept_mj) == (
        60_000 * machines * 2 // 96,
        60_000 - 60_000 * machines * 2 // 96,
    )
    assert result.energy_mj == 60_000


def test_an_idle_process_on_a_two_socket_host_gets_almost_nothing() -> None:
    """20 ms on 2 x 32 threads that were busy for half of a minute: a part in 96 000, not a share by name."""
    busy_ms = 64 * 30_000
    consumers = {"idle": Consumer(20), "busy": Consumer(busy_ms - 20)}
    result = attribute(30_000_000, 60_000, 200_000, 64, busy_ms, consumers, IdlePolicy.OPERATOR)
    assert result.workloads["idle"].energy_mj == 18_000_000 * 20 // busy_ms
    assert result.workloads["idle"].energy_mj < 200  # of 30 kJ


def test_the_cards_energy_goes_by_their_time_and_what_nobody_used_is_unattributed() -> None:
    consumers = {
        "train": Consumer(0, gpu_ms=5_000),
        "infer": Consumer(0, gpu_ms=2_500),
        "web": Consumer(9_000),
    }
    result = attribute(100_000, 10_000, None, 4, 10_000, consumers, cards=Cards(80_000))
    assert [result.workloads[name].gpu_mj for name in consumers] == [40_000, 20_000, 0]
    assert result.unattributed.gpu_mj == 20_000
    assert (result.workloads["web"].energy_mj, result.energy_mj) == (18_000, 100_000)


def test_one_card_of_eight_that_is_busy_gets_the_energy_of_one() -> None:
    result = attribute(80_000, 10_000, None, 4, 0, {"a": Consumer(0, gpu_ms=10_000)}, cards=Cards(80_000, 8))
    assert (result.workloads["a"].gpu_mj, result.unattributed.gpu_mj) == (10_000, 70_000)


@pytest.mark.parametrize(
    ("reserved", "policy"),
    [((None, None), IdlePolicy.USED), ((0, None), IdlePolicy.USED), ((None, 500), IdlePolicy.RESERVED)],
)
def test_the_default_policy_is_reserved_where_anything_is(reserved, policy) -> None:
    consumers = {str(number): Consumer(1, mcpu) for number, mcpu in enumerate(reserved)}
    assert default_policy(consumers) is policy
