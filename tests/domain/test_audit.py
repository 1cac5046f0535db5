"""A chain holds as it was written, whatever was erased by the rules, and no tampering goes unseen."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.access import Role
from console.domain.audit import (
    GENESIS,
    Entry,
    Erasures,
    Head,
    Payload,
    Seal,
    canonical,
    check_chain,
    months_before,
    plain,
    seal_entry,
    seal_month,
)

MONDAY = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
Told = list[tuple[Entry, Payload | None]]


def a_chain(*texts: str, kinds: dict[int, str] | None = None) -> Told:
    """A chain with one entry for each payload."""
    told: Told = []
    previous = GENESIS
    for number, text in enumerate(texts, start=1):
        payload = Payload(f"salt {number}", text)
        kind = (kinds or {}).get(number, "subscription.changed")
        entry = seal_entry(
            Entry(
                tenant_id=11,
                number=number,
                at=MONDAY + number * timedelta(minutes=1),
                by="claire",
                kind=kind,
                subject="subscription/1",
                payload_sha256=payload.sha256(),
                previous_sha256=previous,
                sha256="",
            )
        )
        told.append((entry, payload))
        previous = entry.sha256
    return told


def head_of(told: Told) -> Head:
    return Head(told[-1][0].number, told[-1][0].sha256) if told else Head(0, GENESIS)


def seals_of(told: Told, *ends: int) -> list[Seal]:
    """Seals of consecutive months that end at these entries."""
    seals: list[Seal] = []
    start, previous, month = 0, GENESIS, date(2026, 1, 1)
    for end in ends:
        sha256 = seal_month(month, (entry.sha256 for entry, _ in told[start:end]), previous)
        seals.append(Seal(month, end, sha256))
        start, previous, month = end, sha256, months_before(month, -1)
    return seals


FIVE = a_chain("{}", '{"a":1}', '{"a":2}', '{"b":null}', '{"é":"è"}')


def test_a_chain_as_it_was_written_holds() -> None:
    found = check_chain(FIVE, head_of(FIVE), seals_of(FIVE, 2, 3))
    assert (found.entries, found.purged, found.redacted, found.fault) == (5, 0, 0, None)
    assert check_chain([], Head(0, GENESIS)).fault is None


def altered(told: Told, number: int, **fields: Any) -> Told:
    """The chain with fields of one entry changed."""
    return [(replace(e, **fields), p) if e.number == number else (e, p) for e, p in told]


def sealed_again(told: Told, number: int, **fields: Any) -> Told:
    """The chain with one entry changed, and its hash made to fit."""
    return [(seal_entry(replace(e, **fields)), p) if e.number == number else (e, p) for e, p in told]


TAMPERED: dict[str, tuple[Told, int, str]] = {
    "who": (altered(FIVE, 3, by="nobody"), 3, "altered"),
    "when": (altered(FIVE, 3, at=MONDAY), 3, "altered"),
    "what": (altered(FIVE, 3, kind="subscription.added"), 3, "altered"),
    "of what": (altered(FIVE, 3, subject="subscription/2"), 3, "altered"),
    "whose": (altered(FIVE, 3, tenant_id=12), 3, "altered"),
    "its hash": (altered(FIVE, 3, sha256="0" * 64), 3, "altered"),
    "the hash of its payload": (altered(FIVE, 3, payload_sha256="0" * 64), 3, "altered"),
    "a field and its hash": (sealed_again(FIVE, 3, by="nobody"), 4, "does not follow"),
    "the last one and its hash": (sealed_again(FIVE, 5, by="nobody"), 5, "head"),
    "its payload": ([(e, Payload("salt 3", "{}") if e.number == 3 else p) for e, p in FIVE], 3, "payload"),
    "its salt": ([(e, Payload("salt", '{"a":2}') if e.number == 3 else p) for e, p in FIVE], 3, "payload"),
    "its payload is gone": ([(e, None if e.number == 3 else p) for e, p in FIVE], 3, "lost"),
    "it is gone": (FIVE[:2] + FIVE[3:], 3, "missing"),
    "the first is gone": (FIVE[1:], 1, "missing"),
    "the last is gone": (FIVE[:-1], 5, "missing"),
    "all are gone": ([], 1, "missing"),
    "it is there twice": (FIVE[:3] + FIVE[2:], 3, "twice"),
    "two changed places": ([FIVE[0], FIVE[2], FIVE[1], *FIVE[3:]], 2, "missing"),
}


@pytest.mark.parametrize(("told", "number", "reason"), TAMPERED.values(), ids=TAMPERED.keys())
def test_the_first_entry_that_does_not_fit_is_named(told: Told, number: int, reason: str) -> None:
    fault = check_chain(told, head_of(FIVE)).fault
    assert fault is not None
    assert fault.number == number
    assert reason in fault.reason


def test_an_entry_beyond_the_head_does_not_fit() -> None:
    fault = check_chain(FIVE, head_of(FIVE[:4])).fault
    assert fault is not None
    assert (fault.number, "head" in fault.reason) == (5, True)


def test_a_sealed_month_shows_entries_cut_off_with_their_head() -> None:
    cut = FIVE[:3]
    assert check_chain(cut, head_of(cut)).fault is None
    fault = check_chain(cut, head_of(cut), seals_of(FIVE, 2, 4)).fault
    assert fault is not None
    assert (fault.number, "sealed" in fault.reason) == (4, True)


def test_a_seal_shows_a_chain_that_was_written_anew() -> None:
    anew = a_chain("{}", "{}", "{}", "{}", "{}")
    assert check_chain(anew, head_of(anew)).fault is None
    fault = check_chain(anew, head_of(anew), seals_of(FIVE, 2, 4)).fault
    assert fault is not None
    assert (fault.number, "sealed" in fault.reason) == (2, True)


def test_a_missing_seal_breaks_the_next_one() -> None:
    fault = check_chain(FIVE, head_of(FIVE), seals_of(FIVE, 2, 4)[1:]).fault
    assert fault is not None
    assert fault.number == 4


texts = st.lists(st.dictionaries(st.text(max_size=5), st.integers()).map(canonical), min_size=1, max_size=12)


@given(texts, st.data())
def test_purging_and_redacting_keep_a_chain_valid(texts: list[str], data: st.DataObject) -> None:
    told = a_chain(*texts)
    through = data.draw(st.integers(0, len(told)))
    redacted = data.draw(st.sets(st.integers(1, len(told))))
    ends = sorted(data.draw(st.sets(st.integers(1, len(told)))))
    erased = [(e, None if e.number <= through or e.number in redacted else p) for e, p in told]
    found = check_chain(erased, head_of(told), seals_of(told, *ends), Erasures(through, redacted))
    assert found.fault is None
    assert found.redacted == len(redacted)
    assert found.purged == through - sum(number <= through for number in redacted)


@given(texts, st.data())
def test_what_nobody_erased_by_the_rules_is_missed(texts: list[str], data: st.DataObject) -> None:
    told = a_chain(*texts)
    through = data.draw(st.integers(0, len(told) - 1))
    number = data.draw(st.integers(through + 1, len(told)))
    erased = [(e, None if e.number <= through or e.number == number else p) for e, p in told]
    fault = check_chain(erased, head_of(told), erasures=Erasures(through, ())).fault
    assert fault is not None
    assert fault.number == number


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "null"),
        (True, "true"),
        (Role.CIO, '"cio"'),
        (date(2026, 11, 25), '"2026-11-25"'),
        (datetime(2026, 11, 25, 9, 30, tzinfo=timezone(timedelta(hours=1))), '"2026-11-25T08:30:00Z"'),
        ({"b": [1, (2,)], "a": "é"}, '{"a":"é","b":[1,[2]]}'),
        (b"x", '"sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"'),
    ],
)
def test_every_value_has_one_canonical_text(value: object, written: str) -> None:
    assert canonical({"value": value}) == f'{{"value":{written}}}'
    assert canonical({"value": plain(value)}) == f'{{"value":{written}}}'


@pytest.mark.parametrize(
    ("count", "month"),
    [(0, date(2026, 3, 1)), (2, date(2026, 1, 1)), (3, date(2025, 12, 1)), (12, date(2025, 3, 1))],
)
def test_months_are_counted_back(count: int, month: date) -> None:
    assert months_before(date(2026, 3, 1), count) == month
