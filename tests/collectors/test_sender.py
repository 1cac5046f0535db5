"""Every answer of the console, from a real HTTP server, has its consequence in the outbox."""

from __future__ import annotations

import json
import logging
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from collectors.instrument import SecretFile
from collectors.outbox import Outbox
from collectors.reading import Facts, decode_batch
from collectors.sender import Backoff, Sender
from collectors.sender import Console as Address
from tests.collectors.consoles import Batch, Console, Reply, accept, refuse
from tests.readings import reading


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    (tmp_path / "token").write_text("s3cret\n")
    with Outbox(tmp_path / "outbox", "agent", "host") as opened:
        yield opened


def sender(outbox: Outbox, url: str) -> Sender:
    return Sender(outbox, Address(url, SecretFile(outbox.folder.parent / "token")))


def fill(outbox: Outbox, count: int) -> None:
    for _ in range(count):
        outbox.put(reading())


def refused(outbox: Outbox) -> dict[int, str]:
    return {int(path.stem): path.read_text().strip() for path in outbox.folder.glob("refused/*.txt")}


def test_what_is_accepted_leaves_the_outbox(outbox: Outbox) -> None:
    fill(outbox, 3)
    with Console() as console:
        assert sender(outbox, console.url).drain()
    assert outbox.kept() == []
    assert console.sequences == [1, 2, 3]
    assert (console.tokens, console.paths) == (["Bearer s3cret"], ["/api/v1/readings"])
    assert console.batches[0]["stream"] == outbox.stream


def test_an_address_may_end_with_a_slash_or_hold_a_path(outbox: Outbox) -> None:
    fill(outbox, 1)
    with Console() as console:
        sender(outbox, f"{console.url}/inr/").drain()
    assert console.paths == ["/inr/api/v1/readings"]


def test_a_hundred_readings_at_most_go_in_a_batch(outbox: Outbox) -> None:
    fill(outbox, 130)
    with Console() as console:
        assert sender(outbox, console.url).drain()
    assert [len(batch["readings"]) for batch in console.batches] == [100, 30]


@pytest.mark.parametrize("status", ["accepted", "duplicate", "quarantined"])
def test_whatever_the_console_says_of_a_reading_acknowledges_it(
    outbox: Outbox, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    fill(outbox, 2)
    items = [{"sequence": n, "status": status, "reason": "vcpu: 0"} for n in (1, 2)]
    with Console(lambda _: (202, {"readings": items})) as console, caplog.at_level(logging.WARNING):
        assert sender(outbox, console.url).drain()
    assert outbox.kept() == []
    said = [record.getMessage() for record in caplog.records]
    assert said == [f"reading {n} is in quarantine: vcpu: 0" for n in (1, 2) if status == "quarantined"]


def test_a_reading_not_answered_for_is_sent_again(outbox: Outbox) -> None:
    def first_only(batch: Batch) -> Reply:
        return 202, {"readings": [{"sequence": batch["readings"][0]["sequence"], "status": "accepted"}]}

    fill(outbox, 3)
    with Console(first_only) as console:
        assert sender(outbox, console.url).drain()
    assert outbox.kept() == []
    assert [len(batch["readings"]) for batch in console.batches] == [3, 2, 1]


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(refuse(500, "no"), id="500"),
        pytest.param(refuse(503, "closed"), id="503"),
        pytest.param(refuse(404, "not here"), id="404"),
        pytest.param(refuse(429, "slowly"), id="429"),
        pytest.param(refuse(401, "who?"), id="401"),
        pytest.param(refuse(403, "not you"), id="403"),
        pytest.param(refuse(302, "elsewhere"), id="302"),
        pytest.param(lambda _: (202, "<html>"), id="202 of something else"),
        pytest.param(lambda _: (202, {"readings": []}), id="202 for none of them"),
        pytest.param(lambda _: (202, {"readings": [{"sequence": "x"}]}), id="202 in disorder"),
        pytest.param(lambda _: (200, "welcome"), id="200 of a captive portal"),
    ],
)
def test_any_other_answer_keeps_everything(outbox: Outbox, reply: Callable[[Batch], Reply]) -> None:
    fill(outbox, 2)
    with Console(reply) as console:
        assert not sender(outbox, console.url).drain()
    assert len(outbox.kept()) == 2
    assert refused(outbox) == {}
    assert console.paths == ["/api/v1/readings"]


def test_no_answer_at_all_keeps_everything(outbox: Outbox) -> None:
    fill(outbox, 1)
    with Console() as console:
        url = console.url
    assert not sender(outbox, url).drain()
    assert len(outbox.kept()) == 1


def test_a_token_that_is_refused_is_said_once_and_the_next_one_is_used(
    outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    def only_new(batch: Batch) -> Reply:
        if console.tokens[-1] == "Bearer new":
            return accept(batch)
        return 401, {"error": {"code": "unauthorized", "message": "unknown token"}}

    fill(outbox, 1)
    with Console(only_new) as console:
        sending = sender(outbox, console.url)
        assert [sending.drain() for _ in range(3)] == [False] * 3
        assert [r.getMessage() for r in caplog.records if "token" in r.getMessage()] == [
            "readings are kept: the console does not accept the token (401): unknown token"
        ]
        (outbox.folder.parent / "token").write_text("new\n")
        assert sending.drain()
    assert outbox.kept() == []


def test_a_batch_the_console_cannot_read_is_set_aside_with_its_words(outbox: Outbox) -> None:
    fill(outbox, 2)
    with Console(refuse(422, "version: 1 is too old")) as console:
        assert sender(outbox, console.url).drain()
    assert outbox.kept() == []
    assert refused(outbox) == dict.fromkeys((1, 2), "422 version: 1 is too old")


def test_a_batch_too_large_is_halved_until_it_passes(outbox: Outbox) -> None:
    def three_at_most(batch: Batch) -> Reply:
        return accept(batch) if len(batch["readings"]) <= 3 else refuse(413, "too large")(batch)

    fill(outbox, 20)
    with Console(three_at_most) as console:
        assert sender(outbox, console.url).drain()
    assert outbox.kept() == []
    assert refused(outbox) == {}
    assert set(console.sequences) == set(range(1, 21))


def test_a_single_reading_too_large_is_set_aside_and_the_others_pass(outbox: Outbox) -> None:
    def all_but_the_second(batch: Batch) -> Reply:
        too_large = any(reading["sequence"] == 2 for reading in batch["readings"])
        return refuse(413, "too large")(batch) if too_large else accept(batch)

    fill(outbox, 4)
    with Console(all_but_the_second) as console:
        assert sender(outbox, console.url).drain()
    assert outbox.kept() == []
    assert refused(outbox) == {2: "413 too large"}


def test_a_console_that_starts_a_little_later_is_reached_at_once(outbox: Outbox) -> None:
    with Console() as console:
        port = console.port
    sending = sender(outbox, f"http://127.0.0.1:{port}")
    sending.start()
    fill(outbox, 2)
    sending.wake()
    time.sleep(1.0)
    assert len(outbox.kept()) == 2
    with Console(port=port):
        end_s = time.monotonic() + 5
        while outbox.kept() and time.monotonic() < end_s:
            time.sleep(0.05)
        sending.stop(2.0)
    assert outbox.kept() == []


def test_the_last_attempt_does_not_wait_for_a_console_that_hangs(outbox: Outbox) -> None:
    def hang(batch: Batch) -> Reply:
        time.sleep(3)
        return accept(batch)

    with Console(hang) as console:
        sending = sender(outbox, console.url)
        sending.start()
        fill(outbox, 1)
        began_s = time.monotonic()
        sending.stop(1.0)
        assert time.monotonic() - began_s < 1.2
    assert len(outbox.kept()) == 1


def test_bodies_are_compressed_and_tell_the_facts_of_the_host_and_the_clock_of_its_agent(
    outbox: Outbox,
) -> None:
    outbox.facts = Facts("tls", "blue", "Xeon", 2, 65536)
    fill(outbox, 1)
    began = datetime.now(UTC)
    with Console() as console:
        assert sender(outbox, console.url).drain()
    assert console.encodings == ["gzip"]
    envelope = decode_batch(json.dumps(console.batches[0]).encode())
    assert envelope.facts == outbox.facts
    assert envelope.sent_at is not None
    assert abs((envelope.sent_at - began).total_seconds()) < 5


def test_what_was_kept_under_a_former_name_of_the_host_has_no_facts_of_this_one(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    with Outbox(tmp_path / "outbox", "agent", "old-name") as outbox:
        outbox.put(reading())
    with Outbox(tmp_path / "outbox", "agent", "new-name") as outbox, Console() as console:
        outbox.facts = Facts(cpu_model="Xeon")
        outbox.put(reading())
        assert sender(outbox, console.url).drain()
    assert [(one["host"], "facts" in one) for one in console.batches] == [
        ("old-name", False),
        ("new-name", True),
    ]


def test_readings_kept_before_the_host_moved_tell_where_it_was(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    with Outbox(tmp_path / "outbox", "agent", "srv-01") as outbox:
        outbox.facts = Facts(site="tls")
        outbox.put(reading())
        outbox.put(reading())
    with Outbox(tmp_path / "outbox", "agent", "srv-01") as outbox, Console() as console:
        outbox.facts = Facts(site="ami")
        outbox.put(reading())
        assert sender(outbox, console.url).drain()
    assert [(one["facts"]["site"], len(one["readings"])) for one in console.batches] == [
        ("tls", 2),
        ("ami", 1),
    ]


@pytest.mark.parametrize("status", [400, 415, 422])
def test_a_console_that_does_not_read_compressed_bodies_gets_plain_ones(outbox: Outbox, status: int) -> None:
    def plain_only(batch: Batch) -> Reply:
        if console.encodings[-1]:
            return status, {"error": {"code": "unreadable_batch", "message": "the body is not JSON"}}
        return accept(batch)

    fill(outbox, 130)
    with Console(plain_only) as console:
        assert sender(outbox, console.url).drain()
    assert console.encodings == ["gzip", None, None]
    assert refused(outbox) == {}
    assert outbox.kept() == []


@pytest.mark.parametrize(
    ("status", "asked", "least_s", "most_s"),
    [
        (429, "30", 30, 37.5),
        (503, "120", 120, 150),
        (429, "999999", 3600, 3660),
        (503, "Wed, 25 Nov 2026 12:00:40 GMT", 40, 50),
        (503, "soon", 0, 0.5),
        (503, "Wed, 25 Nov 2026 11:00:00 GMT", 0, 0.5),
    ],
)
def test_a_console_is_left_alone_for_as_long_as_it_asks(
    outbox: Outbox, status: int, asked: str, least_s: float, most_s: float
) -> None:
    fill(outbox, 1)
    headers = {"Retry-After": asked, "Date": "Wed, 25 Nov 2026 12:00:00 GMT"}
    with Console(refuse(status, "later"), headers=headers) as console:
        sending = sender(outbox, console.url)
        assert not sending.drain()
    assert least_s <= sending.backoff.next_pause_s() <= most_s
    assert sending.backoff.next_pause_s() <= 1.0


def test_pauses_are_drawn_from_a_range_that_doubles_up_to_a_minute() -> None:
    drawn = []
    for _ in range(200):
        backoff = Backoff()
        drawn.append([backoff.next_pause_s() for _ in range(12)])
    longest = [max(pauses) for pauses in zip(*drawn, strict=True)]
    bounds = [min(0.5 * 2**number, 60.0) for number in range(12)]
    assert all(0.8 * bound < most <= bound for most, bound in zip(longest, bounds, strict=True))
    assert min(pauses[-1] for pauses in drawn) < 6
    backoff.took()
    assert backoff.next_pause_s() <= 0.5


def test_a_file_that_cannot_be_read_holds_nothing_back_and_the_outbox_is_not_empty(
    outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    fill(outbox, 5)
    first = outbox.kept()[0]
    first.unlink()
    first.mkdir()
    with Console() as console:
        assert not sender(outbox, console.url).drain()
    assert [reading["sequence"] for reading in console.batches[0]["readings"]] == [2, 3, 4, 5]
    assert outbox.kept() == [first]
    assert f"what cannot be read on this disk stays: 1 readings, the first {first}" in caplog.text


def test_a_token_of_two_lines_is_never_sent_and_never_said(
    outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    (outbox.folder.parent / "token").write_text("s3cret\nmore\n")
    fill(outbox, 1)
    with Console() as console:
        assert not sender(outbox, console.url).drain()
    assert console.batches == []
    assert "s3cret" not in caplog.text
    assert "token: one line with the secret is expected" in caplog.text


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def encrypted(console: Console, authority: trustme.CA, name: str) -> None:
    """Let the server speak TLS, with a certificate of this name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    console.encrypt(context)


@pytest.mark.parametrize(
    ("name", "known", "reached"),
    [("localhost", True, True), ("localhost", False, False), ("other.example", True, False)],
    ids=["a name signed by a known authority", "an unknown authority", "another name"],
)
def test_the_certificate_of_the_console_is_verified(
    outbox: Outbox, tmp_path: Path, authority: trustme.CA, name: str, known: bool, reached: bool
) -> None:
    (authority if known else trustme.CA()).cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    fill(outbox, 1)
    with Console() as console:
        encrypted(console, authority, name)
        address = Address(
            f"https://localhost:{console.port}", SecretFile(tmp_path / "token"), tmp_path / "ca.pem"
        )
        assert Sender(outbox, address).drain() is reached
    assert bool(console.batches) is reached


def test_a_file_that_holds_no_certificates_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing\n")
    with pytest.raises(OSError, match="no certificate|NO_CERTIFICATE"):
        Address("https://localhost", SecretFile(tmp_path / "token"), tmp_path / "ca.pem")
