"""Which instrument counts for an interval of a host, and what of it falls into an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.attribution import Consumer, IdlePolicy
from console.domain.calibration import Line
from console.domain.intervals import Calibrated, Interval, Measured, Rules, counted, part_in

START = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LINE = Line(slope_ppm=1_500_000, offset_mw=10_000, error_ppm=50_000, intervals=100)


def of(source: str, energy_mj: int = 60_000, **changes: Any) -> Measured:
    """What an instrument gave, of the authority that its name says."""
    authority, boundary = {
        "pdu": ("pdu_outlet", "pdu"),
        "redfish": ("bmc", "server_input"),
        "rapl": ("rapl", "package+dram"),
        "codecarbon": ("rapl", "package+dram"),
        "model": ("model", "server_input"),
        "nvml": ("gpu", "gpu"),
    }[source]
    fields: dict[str, Any] = {"quality": "measured", "min_mj": None, "max_mj": None, "idle_power_mw": None}
    return Measured(source, authority, boundary, energy_mj=energy_mj, **fields | changes)


def minute(*measurements: Measured, **consumers: Consumer) -> Interval:
    return Interval(
        START,
        START + timedelta(minutes=1),
        60_000,
        4,
        60_000,
        measurements,
        consumers or {"a": Consumer(30_000)},
    )


def calibrated(source: str = "rapl", beside_gpu: bool = False) -> Rules:
    return Rules(calibrations={source: Calibrated("redfish", "server_input", LINE, beside_gpu)})


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        (["model", "rapl", "redfish", "pdu"], "pdu"),
        (["model", "rapl", "redfish"], "redfish"),
        (["model", "rapl"], "rapl"),
        (["model"], "model"),
        (["rapl", "codecarbon"], "rapl"),
        (["codecarbon", "rapl"], "codecarbon"),
    ],
)
def test_the_strongest_instrument_counts_and_the_first_named_among_equals(
    told: list[str], counts: str
) -> None:
    found = counted(minute(*(of(source, 1_000 * place) for place, source in enumerate(told, start=1))))
    assert found is not None
    assert found.measured.source == counts
    assert found.measured.energy_mj == 1_000 * (
        told.index(counts) + 1
    )  # never two that read the same counters


def test_what_the_operator_named_counts_where_it_measured() -> None:
    rules = Rules(source="rapl")
    both = counted(minute(of("redfish"), of("rapl")), rules)
    alone = counted(minute(of("redfish")), rules)
    assert both is not None
    assert alone is not None
    assert (both.measured.source, alone.measured.source) == ("rapl", "redfish")


def test_rapl_scaled_to_what_the_server_draws_is_modelled_with_the_error_of_its_line() -> None:
    found = counted(minute(of("model"), of("rapl", 6_000_000, idle_power_mw=20_000)), calibrated())
    assert found is not None
    told = found.measured
    assert (told.source, told.authority, told.boundary, told.quality) == (
        "rapl~redfish",
        "rapl",
        "server_input",
        "modelled",
    )
    assert (told.energy_mj, told.min_mj, told.max_mj) == (9_600_000, 8_640_000, 10_560_000)
    assert told.idle_power_mw == 40_000


def test_a_calibration_does_nothing_where_the_server_was_measured() -> None:
    for strong in ("redfish", "pdu"):
        found = counted(minute(of("rapl"), of(strong)), calibrated())
        assert found is not None
        assert found.measured == of(strong)


def test_the_operator_may_name_rapl_as_it_is_or_as_it_is_scaled() -> None:
    rules = calibrated()
    for named in ("rapl", "rapl~redfish"):
        found = counted(
            minute(of("rapl"), of("redfish")), Rules(source=named, calibrations=rules.calibrations)
        )
        assert found is not None
        assert found.measured.source == named


def test_cards_are_within_what_a_server_draws_and_beside_what_its_packages_draw() -> None:
    inside = counted(minute(of("redfish", 100_000), of("nvml", 30_000)))
    beside = counted(minute(of("rapl", 100_000), of("nvml", 30_000)))
    assert inside is not None
    assert beside is not None
    assert (inside.measured.source, inside.measured.energy_mj, inside.gpu_mj) == ("redfish", 100_000, 30_000)
    assert (beside.measured.source, beside.measured.energy_mj, beside.gpu_mj) == (
        "rapl+nvml",
        130_000,
        30_000,
    )


def test_cards_that_tell_more_than_their_server_are_all_of_it() -> None:
    found = counted(minute(of("redfish", 20_000), of("nvml", 30_000)))
    assert found is not None
    assert (found.measured.energy_mj, found.gpu_mj) == (20_000, 20_000)


def test_cards_alone_do_not_tell_the_energy_of_a_host() -> None:
    assert counted(minute(of("nvml"))) is None


@pytest.mark.parametrize(
    ("cards", "beside_gpu", "source"),
    [
        (True, True, "rapl~redfish"),
        (False, False, "rapl~redfish"),
        (True, False, "rapl+nvml"),
        (False, True, "rapl"),
    ],
)
def test_a_calibration_without_cards_is_for_intervals_that_tell_of_them(
    cards: bool, beside_gpu: bool, source: str
) -> None:
    told = [of("rapl", 6_000_000), *([of("nvml", 30_000)] if cards else [])]
    found = counted(minute(*told), calibrated(beside_gpu=beside_gpu))
    assert found is not None
    assert found.measured.source == source
    if cards and beside_gpu:
        assert (found.measured.energy_mj, found.gpu_mj) == (9_630_000, 30_000)


def test_a_host_below_its_declared_idle_power_is_all_idle_and_adds_up() -> None:
    interval = minute(of("redfish", 3_000_000), a=Consumer(30_000, 1_000))
    part = part_in(interval, START, Rules(idle_power_mw=200_000))
    assert part is not None
    assert part.attribution.energy_mj == 3_000_000
    assert part.attribution.workloads["a"].dynamic_mj == part.attribution.unattributed.dynamic_mj == 0
    assert part.attribution.workloads["a"].idle_mj == 750_000  # one of four vCPU


def test_the_idle_power_of_a_server_holds_that_of_its_cards() -> None:
    interval = minute(of("redfish", 18_000_000), of("nvml", 6_000_000, idle_power_mw=50_000))
    part = part_in(interval, START, Rules(idle_power_mw=150_000, idle_policy=IdlePolicy.OPERATOR))
    assert part is not None
    assert part.gpu_mj == 6_000_000
    assert part.attribution.idle_kept_mj == 6_000_000  # 100 W: what is not the cards'


names = st.sampled_from(["pdu", "redfish", "rapl", "codecarbon", "model", "nvml"])


@given(
    st.dictionaries(names, st.integers(0, 10**9), max_size=6),
    st.integers(-3_000, 3_000),
    st.integers(1, 3_600),
    st.sampled_from([Rules(), calibrated(), calibrated(beside_gpu=True), Rules(5_000, IdlePolicy.OPERATOR)]),
)
def test_the_parts_of_an_interval_add_up_to_what_counts_for_it(
    told: dict[str, int], shift_s: int, length_s: int, rules: Rules
) -> None:
    start = START + timedelta(seconds=shift_s)
    interval = Interval(
        start,
        start + timedelta(seconds=length_s),
        length_s * 1000,
        4,
        1000,
        [of(source, energy_mj) for source, energy_mj in told.items()],
        {"a": Consumer(700, gpu_ms=300)},
    )
    parts = [part_in(interval, START + place * HOUR, rules) for place in range(-2, 3)]
    found = counted(interval, rules)
    assert (found is None) == all(part is None for part in parts)
    if found is not None:
        assert sum(part.measured.energy_mj for part in parts if part) == found.measured.energy_mj
        assert sum(part.attribution.energy_mj for part in parts if part) == found.measured.energy_mj
        assert sum(part.duration_ms for part in parts if part) == length_s * 1000
