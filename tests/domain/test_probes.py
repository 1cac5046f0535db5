"""When answers make an outage, and what may be asked."""

from datetime import UTC, datetime, timedelta
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.errors import Invalid
from console.domain.probes import (
    ProbeKind,
    Question,
    Standing,
    Verdict,
    check_question,
    check_rhythm,
    judge,
    slot_to_run,
    split_target,
)

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def outages(answers: str) -> list[tuple[int, int | None]]:
    """The outages in minutes from noon; one answer a minute: "+" good, "-" bad, " " not asked."""
    found: list[tuple[int, int | None]] = []
    standing = Standing()
    for minute, answer in enumerate(answers):
        if answer == " ":
            continue
        verdict = judge(standing, good=answer == "+", slot=NOON + minute * MINUTE)
        if standing.down_since is None and verdict.standing.down_since is not None:
            found.append(((verdict.standing.down_since - NOON) // MINUTE, None))
        if verdict.closed_at is not None:
            found[-1] = (found[-1][0], (verdict.closed_at - NOON) // MINUTE)
        standing = verdict.standing
    return found


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ("++++", []),
        ("+-++", []),
        ("-", []),
        ("--", [(0, None)]),
        ("+--++", [(1, 3)]),
        ("+--+-++", [(1, 5)]),
        ("+-+-+-", []),
        ("+--+-+-", [(1, None)]),
        ("--++--++", [(0, 2), (4, 6)]),
        ("+- -++", [(1, 4)]),
        ("+--   + +", [(1, 6)]),
        ("", []),
    ],
)
def test_two_failures_open_an_outage_and_two_successes_close_it(
    answers: str, expected: list[tuple[int, int | None]]
) -> None:
    assert outages(answers) == expected


@given(st.text("+-", max_size=40))
def test_an_outage_begins_at_a_failure_and_ends_at_a_success(answers: str) -> None:
    for began, ended in outages(answers):
        assert answers[began : began + 2] == "--"
        if ended is not None:
            assert answers[ended : ended + 2] == "++"
            assert "++" not in answers[began:ended]


@given(st.lists(st.booleans(), max_size=40))
def test_outages_and_their_ends_take_turns(answers: list[bool]) -> None:
    verdicts = accumulate(
        enumerate(answers),
        lambda before, one: judge(before.standing, good=one[1], slot=NOON + one[0] * MINUTE),
        initial=Verdict(Standing()),
    )
    down = False
    for verdict in verdicts:
        assert verdict.closed_at is None or down
        down = verdict.standing.down_since is not None


@pytest.mark.parametrize(
    ("late", "slot"),
    [
        (timedelta(0), NOON),
        (timedelta(seconds=59), NOON),
        (MINUTE, NOON + MINUTE),
        (timedelta(hours=2, seconds=5), NOON + timedelta(hours=2)),
    ],
)
def test_slots_that_nobody_ran_are_missed(late: timedelta, slot: datetime) -> None:
    assert slot_to_run(NOON, MINUTE, NOON + late) == slot


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("sgbd.exemple.fr:5432", ("sgbd.exemple.fr", 5432)),
        ("[2001:db8::1]:443", ("2001:db8::1", 443)),
        ("10.0.0.1:1", ("10.0.0.1", 1)),
    ],
)
def test_a_port_is_read(target: str, expected: tuple[str, int]) -> None:
    assert split_target(target) == expected


@pytest.mark.parametrize(
    "target", ["sgbd", "sgbd:", ":5432", "sgbd:0", "sgbd:65536", "2001:db8::1:443", "a/b:80", "u@h:80", "h:٤"]
)
def test_what_is_no_port_is_refused(target: str) -> None:
    with pytest.raises(Invalid) as refused:
        split_target(target)
    assert refused.value.field == "target"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"target": "ftp://exemple.fr/"}, "target"),
        ({"target": "https://"}, "target"),
        ({"target": "https://nom:secret@exemple.fr/"}, "target"),
        ({"target": "https://exemple.fr:port/"}, "target"),
        ({"target": "https://exemple.fr:0/"}, "target"),
        ({"target": "https://exemple.fr/a b"}, "target"),
        ({"target": "https://exemple.fr/" + "a" * 500}, "target"),
        ({"target": "https://[exemple.fr/"}, "target"),
        ({"timeout_s": 0}, "timeout_s"),
        ({"timeout_s": 31}, "timeout_s"),
        ({"status": 99}, "status"),
        ({"text": "a" * 201}, "text"),
    ],
)
def test_what_cannot_be_asked_is_refused(changes: dict[str, object], field: str) -> None:
    asked = {"kind": ProbeKind.HTTP, "target": "https://exemple.fr/", "timeout_s": 5} | changes
    with pytest.raises(Invalid) as refused:
        check_question(Question(**asked))  # type: ignore[arg-type]
    assert refused.value.field == field


@pytest.mark.parametrize(("every_s", "timeout_s"), [(29, 5), (3601, 5), (30, 16)])
def test_a_rhythm_leaves_time_for_the_answer(every_s: int, timeout_s: int) -> None:
    with pytest.raises(Invalid):
        check_rhythm(every_s, timeout_s)
