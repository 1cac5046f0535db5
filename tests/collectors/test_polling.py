"""Answers that come now and then are told as energy up to any moment, and add up."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.instrument import Energy, Missing
from collectors.pollers import MOST_AT_ONCE
from collectors.polling import POLLERS, Broken, Meter, NoAnswer, Polled, Sample
from collectors.reading import Authority, Boundary, Quality

HOLD_S = 60.0


def energy_of(meter: Meter, now_s: float) -> Energy:
    energy = meter.until(now_s)
    assert isinstance(energy, Energy), energy
    return energy


def reason_of(meter: Meter, now_s: float) -> str:
    missing = meter.until(now_s)
    assert isinstance(missing, Missing)
    return missing.reason


def test_the_power_of_the_last_answer_goes_on_and_the_next_answer_settles_it() -> None:
    meter = Meter(HOLD_S)
    meter.take(0.0, Sample(100_000))
    assert "first read" in reason_of(meter, 0.0)
    assert energy_of(meter, 10.0) == Energy(1_000_000, 10_000)
    meter.take(10.0, Sample(300_000))
    assert energy_of(meter, 10.0).energy_mj == 1_000_000
    assert energy_of(meter, 20.0).energy_mj == 3_000_000


def test_what_a_counter_counted_goes_before_the_power() -> None:
    meter = Meter(HOLD_S)
    meter.take(0.0, Sample(100_000))
    meter.until(0.0)
    meter.take(10.0, Sample(100_000, counted_mj=1_250_000))
    assert energy_of(meter, 10.0).energy_mj == 1_250_000


def test_an_answer_that_seems_older_than_the_one_before_counts_no_time_twice() -> None:
    """As a page in a file does, whose age is told by a wall clock that was set forward meanwhile."""
    meter = Meter(HOLD_S)
    meter.take(100.0, Sample(100_000))
    meter.until(100.0)
    meter.take(80.0, Sample(100_000))
    told_mj = energy_of(meter, 110.0).energy_mj
    meter.take(120.0, Sample(100_000))
    assert told_mj + energy_of(meter, 120.0).energy_mj == 2_000_000


def test_a_counter_alone_tells_nothing_before_its_second_answer() -> None:
    meter = Meter(HOLD_S)
    meter.take(0.0, Sample(None))
    assert "second answer" in reason_of(meter, 1.0)
    meter.take(10.0, Sample(None, counted_mj=2_000_000))
    assert "first read" in reason_of(meter, 10.0)
    assert energy_of(meter, 15.0).energy_mj == 1_000_000


def test_one_answer_that_fails_costs_nothing_and_silence_is_missing_with_its_reason() -> None:
    meter = Meter(HOLD_S)
    meter.take(0.0, Sample(100_000))
    meter.until(0.0)
    meter.fail("the network is down")
    assert energy_of(meter, 30.0).energy_mj == 3_000_000
    assert reason_of(meter, 61.0) == "the network is down"
    meter.take(100.0, Sample(200_000))
    assert "first read" in reason_of(meter, 100.0)
    assert energy_of(meter, 101.0) == Energy(200_000, 1000)


def test_a_counter_that_was_reset_ends_the_span_at_once() -> None:
    meter = Meter(HOLD_S)
    meter.take(0.0, Sample(100_000))
    meter.until(0.0)
    meter.fail("it was reset", broken=True)
    assert reason_of(meter, 1.0) == "it was reset"


def test_the_error_that_an_instrument_states_is_told_with_the_energy() -> None:
    meter = Meter(HOLD_S)
    meter.take(0.0, Sample(100_000, low_mw=90_000, high_mw=120_000))
    meter.until(0.0)
    assert energy_of(meter, 10.0) == Energy(1_000_000, 10_000, min_mj=900_000, max_mj=1_200_000)


@given(
    answers=st.lists(st.tuples(st.floats(0.1, 30), st.integers(0, 2_000_000)), min_size=2, max_size=20),
    reads=st.lists(st.floats(0.0, 1.0), max_size=20),
)
def test_the_spans_add_up_to_what_the_instrument_told(
    answers: list[tuple[float, int]], reads: list[float]
) -> None:
    meter = Meter(HOLD_S)
    at_s, total_mj, before_mw, told_mj, told_s = 0.0, 0.0, answers[0][1], 0, 0.0
    meter.take(0.0, Sample(before_mw))
    meter.until(0.0)
    for (pause_s, power_mw), part in zip(answers, [*reads, *[0.5] * len(answers)], strict=False):
        between = energy_of(meter, at_s + pause_s * part)
        at_s += pause_s
        meter.take(at_s, Sample(power_mw))
        after = energy_of(meter, at_s)
        total_mj += (before_mw + power_mw) / 2 * pause_s
        told_mj += between.energy_mj + after.energy_mj
        told_s += between.duration_ms + after.duration_ms
        before_mw = power_mw
        assert between.energy_mj >= 0
        assert after.energy_mj >= 0
    most_ahead_mj = max(power for _, power in answers) * 30
    assert total_mj - 1 <= told_mj <= total_mj + most_ahead_mj + 1
    assert told_s == pytest.approx(at_s * 1000, abs=2 * len(answers))


class Scripted(Polled):
    """An instrument that says what it is told to."""

    name = "scripted"
    authority = Authority.BMC
    boundary = Boundary.SERVER_INPUT
    quality = Quality.MEASURED

    def __init__(self, *script: Sample | Exception, hang: threading.Event | None = None) -> None:
        super().__init__(every_s=0.02)
        self.script = list(script)
        self.hang = hang
        self.left = False
        self.asked = 0

    def available(self) -> str | None:
        return None

    def ask(self) -> Sample:
        self.asked += 1
        if self.hang:
            self.hang.wait(5)
        said = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(said, Exception):
            raise said
        return said

    def leave(self) -> None:
        self.left = True


def wait_for(source: Polled) -> None:
    deadline_s = time.monotonic() + 5
    while not source.ready():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def test_an_instrument_that_hangs_holds_up_no_read() -> None:
    hang = threading.Event()
    source = Scripted(Sample(100_000), hang=hang)
    source.start()
    began_s = time.monotonic()
    assert source.read() == Missing("no answer yet")
    assert not source.ready()
    assert time.monotonic() - began_s < 0.5
    hang.set()
    wait_for(source)
    source.close()


def test_a_source_is_asked_in_its_thread_and_lets_go_at_the_end() -> None:
    source = Scripted(Sample(100_000))
    source.start()
    wait_for(source)
    source.read()
    time.sleep(0.1)
    energy = source.read()
    source.close()
    assert isinstance(energy, Energy)
    assert energy.energy_mj == pytest.approx(energy.duration_ms * 100, abs=200)
    assert source.left


def test_three_hundred_instruments_are_asked_by_sixteen_threads_and_those_away_hold_up_no_other() -> None:
    """Two hundred of them wait for somebody who is not there."""
    hang, before = threading.Event(), POLLERS.threads
    away = [Scripted(NoAnswer("nobody is there")) for _ in range(200)]
    there = [Scripted(Sample(100_000)) for _ in range(100)]
    for source in [*away, *there]:
        source.start()
    for source in [*away, *there]:
        wait_for(source)
    for source in away:
        source.hang = hang
    time.sleep(0.1)
    pollers = [thread for thread in threading.enumerate() if thread.name == "poller"]
    assert len(pollers) == POLLERS.threads == MOST_AT_ONCE
    for source in there:
        source.asked = 0
    deadline_s = time.monotonic() + 3
    while min(source.asked for source in there) < 3:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    hang.set()
    for source in [*away, *there]:
        source.close()
    assert all(source.left for source in [*away, *there])
    deadline_s = time.monotonic() + 5
    while POLLERS.threads > before:
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def test_an_instrument_is_asked_once_at_a_time_and_no_more_after_its_end() -> None:
    source = Scripted(Sample(100_000))
    source.start()
    wait_for(source)
    source.close()
    asked = source.asked
    time.sleep(0.1)
    assert source.asked == asked
    source.close()


def test_a_source_that_was_never_started_ends_at_once() -> None:
    began_s = time.monotonic()
    Scripted(Sample(100_000)).close()
    assert time.monotonic() - began_s < 0.5


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (NoAnswer("the network is down"), "the network is down"),
        (Broken("it was reset"), "it was reset"),
        (ZeroDivisionError("s3cret"), "ZeroDivisionError in test_polling.py, line "),
    ],
)
def test_whatever_goes_wrong_in_the_thread_is_a_reason_and_the_thread_goes_on(
    failure: Exception, reason: str
) -> None:
    source = Scripted(failure)
    source.start()
    wait_for(source)
    missing = source.read()
    assert isinstance(missing, Missing)
    assert missing.reason.startswith(reason)
    assert "s3cret" not in missing.reason
    source.script = [Sample(5_000)]
    deadline_s = time.monotonic() + 5
    while isinstance(source.read(), Missing):
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    source.close()
