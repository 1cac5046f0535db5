"""Which of two intensities of one instant holds: the more final one, and never two."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from console.domain.facility import Basis
from console.domain.grid import Intensity, State, settle

START = datetime(2026, 2, 1, tzinfo=UTC)
QUARTER, HALF = timedelta(minutes=15), timedelta(minutes=30)


def figure(
    quarter: int,
    grams: int = 30,
    state: State = State.REALTIME,
    duration: timedelta = QUARTER,
    publisher: str = "RTE",
) -> Intensity:
    started_at = START + quarter * QUARTER
    return Intensity(Basis.DIRECT_PRODUCTION, started_at, duration, grams * 1000, publisher, state)


def test_a_more_final_figure_replaces_a_less_final_one_never_the_reverse() -> None:
    realtime, definitive = figure(0, 30), figure(0, 31, State.DEFINITIVE)
    told = settle([definitive], [realtime])
    assert (told.replacing, told.replaced, told.kept_out) == ([definitive], [realtime], 0)
    again = settle([realtime], [definitive])
    assert (again.added, again.replacing, again.replaced, again.kept_out) == ([], [], [], 1)


def test_the_same_figure_twice_changes_nothing() -> None:
    told = settle([figure(0), figure(1)], [figure(0), figure(1)])
    assert (told.added, told.replacing, told.unchanged) == ([], [], 2)


def test_a_figure_as_final_as_the_one_before_corrects_it() -> None:
    assert settle([figure(0, 32)], [figure(0, 30)]).replaced == [figure(0, 30)]


def test_a_half_hour_replaces_the_two_quarters_it_covers() -> None:
    half = figure(0, 31, State.DEFINITIVE, HALF)
    told = settle([half], [figure(0), figure(1), figure(2)])
    assert (told.replacing, told.replaced) == ([half], [figure(0), figure(1)])


def test_a_quarter_does_not_take_half_of_a_half_hour_away() -> None:
    half = figure(0, 31, duration=HALF)
    told = settle([figure(0, 30)], [half])
    assert (told.replacing, told.replaced, told.kept_out) == ([], [], 1)
    both = settle([figure(0, 30), figure(1, 32)], [half])
    assert (len(both.replacing), both.replaced) == (2, [half])


def test_another_publisher_is_no_correction() -> None:
    assert settle([figure(0, 40, State.DEFINITIVE, publisher="P")], [figure(0)]).kept_out == 1


figures = st.lists(
    st.builds(
        figure,
        st.integers(0, 7),
        st.integers(0, 3),
        st.sampled_from(State),
        st.sampled_from([QUARTER, HALF, 4 * QUARTER]),
        st.sampled_from(["RTE", "P"]),
    ),
    max_size=12,
)


def apart(told: list[Intensity]) -> list[Intensity]:
    """Those of a list that do not overlap one before them, as one file has them."""
    kept: list[Intensity] = []
    for one in sorted(told, key=lambda one: (one.started_at, one.duration)):
        if not kept or kept[-1].ended_at <= one.started_at:
            kept.append(one)
    return kept


@given(st.lists(figures, max_size=4))
def test_no_instant_ever_has_two_figures_or_loses_the_one_it_has(files: list[list[Intensity]]) -> None:
    known: list[Intensity] = []
    for file in files:
        told = apart(file)
        settled = settle(told, known)
        before = {one.started_at + step * QUARTER for one in known for step in range(one.duration // QUARTER)}
        known = [one for one in known if one not in settled.replaced]
        known += [*settled.added, *settled.replacing]
        after = [one.started_at + step * QUARTER for one in known for step in range(one.duration // QUARTER)]
        assert len(after) == len(set(after))
        assert before <= set(after)
        counted = len(settled.added) + len(settled.replacing) + settled.unchanged + settled.kept_out
        assert counted == len(told)
        assert settle(told, known).added == []
