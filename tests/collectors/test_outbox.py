"""What was kept stays until it is acknowledged, whenever the process is killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from collectors.outbox import Outbox, OutboxFull, OutboxUnusable, Room
from collectors.reading import STREAM
from tests.readings import reading

KEEPS_FOR_EVER = """
import sys
from contextlib import suppress
from pathlib import Path
from collectors.outbox import Outbox
from tests.readings import reading
with Outbox(Path(sys.argv[1]), "agent", "host") as outbox:
    while True:
        print(outbox.put(reading()), flush=True)
"""


def opened(folder: Path, host: str = "host") -> Outbox:
    return Outbox(folder, "agent", host)


def test_readings_are_numbered_from_one_and_kept_oldest_first(tmp_path: Path) -> None:
    with opened(tmp_path / "outbox") as outbox:
        assert [outbox.put(reading()) for _ in range(12)] == list(range(1, 13))
        batch = outbox.oldest(100, 10**6)
        assert batch is not None
        assert [one.sequence for one in batch.readings] == list(range(1, 13))
        assert STREAM.fullmatch(batch.stream)
        assert (batch.agent, batch.host) == ("agent", "host")


def test_stream_and_sequence_go_on_after_everything_was_sent(tmp_path: Path) -> None:
    with opened(tmp_path) as outbox:
        outbox.put(reading())
        stream, batch = outbox.stream, outbox.oldest(10, 10**6)
        assert batch is not None
        outbox.acknowledge(batch, [1])
        assert outbox.kept() == []
    with opened(tmp_path) as outbox:
        assert (outbox.stream, outbox.put(reading())) == (stream, 2)


def test_only_what_was_answered_for_is_deleted(tmp_path: Path) -> None:
    with opened(tmp_path) as outbox:
        for _ in range(3):
            outbox.put(reading())
        batch = outbox.oldest(10, 10**6)
        assert batch is not None
        outbox.acknowledge(batch, [2, 99])
        assert [int(path.stem) for path in outbox.kept()] == [1, 3]


def test_a_batch_is_bounded_by_number_and_size_but_holds_at_least_one(tmp_path: Path) -> None:
    with opened(tmp_path) as outbox:
        for _ in range(5):
            outbox.put(reading())
        size = outbox.kept()[0].stat().st_size
        for most, most_bytes, expected in [(3, 10**6, 3), (5, 2 * size + 1, 2), (5, 1, 1)]:
            batch = outbox.oldest(most, most_bytes)
            assert batch is not None
            assert len(batch.readings) == expected


def test_readings_kept_under_another_name_of_the_host_go_in_a_batch_of_their_own(tmp_path: Path) -> None:
    with opened(tmp_path, "old-name") as outbox:
        outbox.put(reading())
    with opened(tmp_path, "new-name") as outbox:
        outbox.put(reading())
        first = outbox.oldest(10, 10**6)
        assert first is not None
        assert (first.host, len(first.readings)) == ("old-name", 1)
        outbox.acknowledge(first, [1])
        second = outbox.oldest(10, 10**6)
        assert second is not None
        assert (second.host, second.readings[0].sequence) == ("new-name", 2)


def test_what_is_set_aside_keeps_the_message_beside_it(tmp_path: Path) -> None:
    with opened(tmp_path) as outbox:
        outbox.put(reading())
        outbox.set_aside(outbox.kept(), "422 version: 9 is not 1")
        assert outbox.kept() == []
    refused = tmp_path / "refused"
    assert (refused / f"{1:020}.txt").read_text() == "422 version: 9 is not 1\n"
    assert json.loads((refused / f"{1:020}.json").read_text())["readings"][0]["sequence"] == 1


def test_a_file_damaged_on_the_disk_does_not_hold_back_the_others(tmp_path: Path) -> None:
    with opened(tmp_path) as outbox:
        outbox.put(reading())
        outbox.put(reading())
        outbox.kept()[0].write_text('{"version":1,')
        batch = outbox.oldest(10, 10**6)
        assert batch is not None
        assert [one.sequence for one in batch.readings] == [2]
    assert "damaged on this disk" in (tmp_path / "refused" / f"{1:020}.txt").read_text()


def test_a_file_that_cannot_be_read_is_passed_over_and_stays(tmp_path: Path) -> None:
    with opened(tmp_path) as outbox:
        for _ in range(3):
            outbox.put(reading())
        first = outbox.kept()[0]
        first.unlink()
        first.mkdir()
        batch = outbox.oldest(10, 10**6)
        assert batch is not None
        assert [one.sequence for one in batch.readings] == [2, 3]
        assert outbox.unreadable == [first]
        assert first in outbox.kept()


def test_a_hundred_damaged_files_do_not_hide_what_is_behind_them(tmp_path: Path) -> None:
    with opened(tmp_path) as outbox:
        for _ in range(6):
            outbox.put(reading())
        for path in outbox.kept()[:4]:
            path.write_text("")
        batch = outbox.oldest(4, 10**6)
        assert batch is not None
        assert [one.sequence for one in batch.readings] == [5, 6]


def test_two_agents_cannot_use_one_outbox(tmp_path: Path) -> None:
    with opened(tmp_path), pytest.raises(OutboxUnusable, match="another collector uses this outbox"):
        opened(tmp_path)
    with opened(tmp_path):
        pass


@pytest.mark.parametrize("text", ["", "{}", '{"stream":"short","next_sequence":2}', '{"stream":1}'])
def test_a_damaged_identity_is_refused_and_never_guessed(tmp_path: Path, text: str) -> None:
    (tmp_path / "stream.json").write_text(text)
    with pytest.raises(OutboxUnusable, match=r"stream\.json: .*remove it"):
        opened(tmp_path)


def test_a_folder_that_cannot_be_made_is_named() -> None:
    with pytest.raises(OutboxUnusable, match="/proc/outbox: "):
        opened(Path("/proc/outbox"))


@pytest.mark.parametrize("delay_s", [0.0, 0.003, 0.011, 0.037, 0.1])
def test_killed_at_any_moment_nothing_kept_is_lost_and_no_sequence_comes_twice(
    tmp_path: Path, delay_s: float
) -> None:
    seen: list[int] = []
    for _ in range(2):
        writer = subprocess.Popen(
            [sys.executable, "-c", KEEPS_FOR_EVER, tmp_path],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        with writer:
            assert writer.stdout is not None
            seen.append(int(writer.stdout.readline()))
            time.sleep(delay_s)
            os.kill(writer.pid, signal.SIGKILL)
            seen += [int(line) for line in writer.stdout if line.endswith("\n")]
    assert len(seen) == len(set(seen))
    with opened(tmp_path) as outbox:
        kept = [int(path.stem) for path in outbox.kept()]
        assert set(seen) <= set(kept)
        assert outbox.put(reading()) > max(kept)
        batch = outbox.oldest(len(kept) + 1, 10**9)
        assert batch is not None
        assert [one.sequence for one in batch.readings] == [int(path.stem) for path in outbox.kept()]
    assert not list(tmp_path.glob(".writing-*"))
    assert not (tmp_path / "refused").exists()


def fill(outbox: Outbox) -> list[int]:
    """Keep readings until no more are taken; their sequences."""
    kept = []
    with suppress(OutboxFull):
        while True:
            kept.append(outbox.put(reading()))
    return kept


def fill_the_disk(outbox: Outbox) -> list[int]:
    """Keep readings until the disk takes no more; their sequences."""
    kept = []
    with suppress(OSError):
        while True:
            kept.append(outbox.put(reading()))
    assert shutil.disk_usage(outbox.folder).free <= 2 * 4096
    return kept


def test_a_full_outbox_keeps_the_oldest_and_takes_the_newest_again_once_some_were_sent(
    tmp_path: Path,
) -> None:
    with Outbox(tmp_path, "agent", "host", most_bytes=10 * 4096) as outbox:
        assert fill(outbox) == list(range(1, 11))
        batch = outbox.oldest(3, 10**6)
        assert batch is not None
        outbox.acknowledge(batch, [1, 2, 3])
        assert fill(outbox) == [11, 12, 13]
        assert [int(path.stem) for path in outbox.kept()] == list(range(4, 14))
    with Outbox(tmp_path, "agent", "host", most_bytes=10 * 4096) as outbox:
        assert fill(outbox) == []


def test_what_the_console_refused_takes_no_room_of_what_is_to_be_sent_and_its_oldest_go_first(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Outbox(tmp_path, "agent", "host", most_bytes=64 * 4096) as outbox:
        assert len(fill(outbox)) == 64
        outbox.set_aside(outbox.kept()[:3], "422 no")
        assert caplog.text == ""
        outbox.set_aside(outbox.kept()[:3], "422 no")
        assert fill(outbox) == list(range(65, 71))
        assert "refused holds what it may: the oldest 2 were deleted" in caplog.text
    expected = [f"{sequence:020}{suffix}" for sequence in (3, 4, 5, 6) for suffix in (".json", ".txt")]
    assert sorted(path.name for path in (tmp_path / "refused").iterdir()) == expected
    with Outbox(tmp_path, "agent", "host", most_bytes=32 * 4096) as outbox:
        outbox.set_aside([], "")
    assert sorted(path.name for path in (tmp_path / "refused").iterdir()) == expected[4:]


def test_outboxes_that_share_their_room_share_that_of_what_was_refused(tmp_path: Path) -> None:
    room = Room(64 * 4096)
    with (
        Outbox(tmp_path / "a", "agent", "a", room=room) as first,
        Outbox(tmp_path / "b", "agent", "b", room=room) as second,
    ):
        for outbox in (first, second):
            for _ in range(4):
                outbox.put(reading())
            outbox.set_aside(outbox.kept(), "422 no")
        assert room.held_bytes == 0
        assert room.refused_bytes == 8 * 4096


def test_on_a_full_disk_nothing_is_half_written_and_what_was_kept_stays(small_disk: Path) -> None:
    folder = small_disk / "outbox"
    with Outbox(folder, "agent", "host") as outbox:
        kept = fill_the_disk(outbox)
        assert kept
        assert [int(path.stem) for path in outbox.kept()] == kept
        assert not list(folder.glob(".writing-*"))
        batch = outbox.oldest(len(kept), 10**9)
        assert batch is not None
        assert [one.sequence for one in batch.readings] == kept
        outbox.acknowledge(batch, kept[:3])
        again = outbox.put(reading())
        assert again > kept[-1]
    with Outbox(folder, "agent", "host") as outbox:
        assert [int(path.stem) for path in outbox.kept()] == [*kept[3:], again]


def test_a_batch_that_was_refused_is_set_aside_even_on_a_full_disk(small_disk: Path) -> None:
    with Outbox(small_disk / "outbox", "agent", "host") as outbox:
        (outbox.folder / "refused").mkdir()
        fill_the_disk(outbox)
        first = outbox.kept()[0]
        outbox.set_aside([first], "422 no")
        assert (outbox.folder / "refused" / first.name).exists()
        assert first not in outbox.kept()
