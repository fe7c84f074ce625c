"""The journal: durable facts that never hold up a call."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import journal as journal_module
from ledger.codec import BadFact, decode, encode
from ledger.journal import Journal, JournalInUse, JournalStalled
from ledger.model import Fact, Kind
from ledger.segments import Cursor, count_after, read, segments
from telephony.model import CallId

pytestmark = pytest.mark.unit

CALL = CallId("hl1-1700000000.1")
AT = datetime(2026, 1, 1, tzinfo=UTC)


def fact(number: int, **data: Any) -> Fact:
    return Fact(f"F{number:05d}", Kind.WAITING, CALL, AT + timedelta(seconds=number), data)


@asynccontextmanager
async def running(folder: Path, **options: Any) -> AsyncIterator[Journal]:
    journal = Journal(folder, batch_seconds=0.005, retry_seconds=0.01, **options)
    journal.start()
    try:
        yield journal
    finally:
        await journal.stop()


def ids(folder: Path, cursor: Cursor | None = None) -> list[str]:
    return [one.id for one in read(folder, cursor or Cursor(), 1_000_000).facts]


@given(
    st.text(),
    st.dictionaries(
        st.text(),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=8,
        ),
    ),
)
def test_any_data_survives_as_one_clean_line(name: str, data: dict[str, Any]) -> None:
    line = encode(Fact("F1", Kind.ENTERED, CALL, AT, {"name": name, **data}))
    assert line.count(b"\n") == 1
    again = decode(line)
    assert decode(encode(again)) == again
    assert "\x00" not in str(again.data)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"id":"F1"}',
        b'{"id":"F1","kind":"entered","call":"c","at":"2026-01-01T00:00:00","data":{},"source":"engine"}',
        b'{"id":"F1","kind":"unheard-of","call":"c","at":"2026-01-01T00:00:00+00:00","data":{},"source":"engine"}',
        b'{"id":"F 1","kind":"entered","call":"c","at":"2026-01-01T00:00:00+00:00","data":{},"source":"engine"}',
        b'{"id":"F1","kind":"entered","call":"","at":"2026-01-01T00:00:00+00:00","data":{},"source":"engine"}',
        b'{"id":7,"kind":"entered","call":"c","at":"2026-01-01T00:00:00+00:00","data":{},"source":"engine"}',
        b'{"id":"F1","kind":"entered","call":"c","at":"2026-01-01T00:00:00+00:00","data":[],"source":"engine"}',
        b"\xff\xfe",
    ],
)
def test_a_line_that_is_no_fact_is_told_apart(line: bytes) -> None:
    with pytest.raises(BadFact):
        decode(line)


async def test_what_was_flushed_can_be_read(tmp_path: Path) -> None:
    async with running(tmp_path) as journal:
        for number in range(500):
            journal.append(fact(number))
        await journal.flush()
        assert ids(tmp_path) == [f"F{number:05d}" for number in range(500)]
        assert journal.state.pending == 0
        assert journal.state.written == 500


async def test_pages_join_without_gap_or_overlap(tmp_path: Path) -> None:
    async with running(tmp_path, segment_bytes=2000, batch_facts=5) as journal:
        for number in range(100):
            journal.append(fact(number))
            if number % 7 == 0:
                await journal.flush()
    assert len(segments(tmp_path)) > 3
    cursor, seen = Cursor(), list[str]()
    while (page := read(tmp_path, cursor, 9)).facts:
        assert count_after(tmp_path, cursor) == 100 - len(seen)
        seen += [one.id for one in page.facts]
        cursor = page.next
    assert seen == [f"F{number:05d}" for number in range(100)]
    assert count_after(tmp_path, cursor) == 0


async def test_a_torn_last_line_is_passed_over_and_not_glued_to_the_next(tmp_path: Path) -> None:
    async with running(tmp_path) as journal:
        journal.append(fact(1))
    torn = tmp_path / segments(tmp_path)[0]
    torn.write_bytes(torn.read_bytes() + encode(fact(2))[:-9])
    cursor = read(tmp_path, Cursor(), 10).next
    async with running(tmp_path) as journal:
        journal.append(fact(3))
    assert ids(tmp_path) == ["F00001", "F00003"]
    assert ids(tmp_path, cursor) == ["F00003"]
    assert read(tmp_path, Cursor(), 10).torn == 1


async def test_an_unfinished_line_of_the_newest_segment_is_left_for_later(tmp_path: Path) -> None:
    async with running(tmp_path) as journal:
        journal.append(fact(1))
    path = tmp_path / segments(tmp_path)[0]
    whole = path.read_bytes() + encode(fact(2))
    path.write_bytes(whole[:-5])
    page = read(tmp_path, Cursor(), 10)
    assert ([one.id for one in page.facts], page.torn) == (["F00001"], 0)
    path.write_bytes(whole)
    assert ids(tmp_path, page.next) == ["F00002"]


async def test_damage_in_the_middle_costs_only_its_line(tmp_path: Path) -> None:
    async with running(tmp_path) as journal:
        journal.append(fact(1))
    path = tmp_path / segments(tmp_path)[0]
    path.write_bytes(path.read_bytes() + b"\x00\xff garbage\n" + encode(fact(2)))
    page = read(tmp_path, Cursor(), 10)
    assert [one.id for one in page.facts] == ["F00001", "F00002"]
    assert page.damaged == (b"\x00\xff garbage\n",)


async def test_a_cursor_whose_segment_is_gone_starts_at_the_oldest(tmp_path: Path) -> None:
    async with running(tmp_path) as journal:
        journal.append(fact(1))
    assert ids(tmp_path, Cursor("7ZZZZZZZZZZZZZZZZZZZZZZZZZ.jsonl", 99)) == ["F00001"]
    assert ids(tmp_path / "nowhere") == []


async def test_segments_rise_even_when_the_clock_goes_back(tmp_path: Path) -> None:
    late, early = datetime(2030, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    async with running(tmp_path, now=lambda: late) as journal:
        journal.append(fact(1))
    async with running(tmp_path, now=lambda: early) as journal:
        journal.append(fact(2))
    assert ids(tmp_path) == ["F00001", "F00002"]


async def test_ids_rise_as_facts_are_noted(tmp_path: Path) -> None:
    async with running(tmp_path, now=lambda: AT) as journal:
        noted = [journal.note(Kind.WAITING, CALL, {"position": number}) for number in range(50)]
        noted.append(journal.note(Kind.WAITING, CALL, at=AT - timedelta(seconds=5)))
    assert [one.id for one in noted] == sorted({one.id for one in noted})


class SickDisk:
    """Refuses writes while ``error`` is set, half of each batch already on the disk."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.error = 0
        self.call = "write"
        self._write, self._sync = os.write, os.fdatasync
        monkeypatch.setattr("ledger.journal.os.write", self.write)
        monkeypatch.setattr("ledger.journal.os.fdatasync", self.sync)

    def write(self, file: int, data: Any) -> int:
        if self.error and self.call == "write":
            if len(data) > 3:
                return self._write(file, data[: len(data) // 2])
            raise OSError(self.error, os.strerror(self.error))
        return self._write(file, data)

    def sync(self, file: int) -> None:
        if self.error and self.call == "sync":
            raise OSError(self.error, os.strerror(self.error))
        self._sync(file)


@pytest.mark.parametrize("call", ["write", "sync"])
async def test_a_full_disk_is_an_alarm_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    disk = SickDisk(monkeypatch)
    async with running(tmp_path) as journal:
        journal.append(fact(1))
        await journal.flush()
        disk.call, disk.error = call, errno.ENOSPC
        journal.append(fact(2))
        journal.append(fact(3))
        with pytest.raises(JournalStalled):
            await journal.flush(0.1)
        assert "请检查磁盘空间" in journal.state.alarm
        assert journal.state.pending == 2
        disk.error = 0
        await journal.flush()
        assert journal.state.alarm == ""
        assert ids(tmp_path) == ["F00001", "F00002", "F00003"]
        assert read(tmp_path, Cursor(), 10).damaged == ()


async def test_a_full_buffer_refuses_the_newest_and_counts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = SickDisk(monkeypatch)
    disk.error = errno.EIO
    async with running(tmp_path, capacity=10) as journal:
        for number in range(25):
            journal.append(fact(number))
        assert journal.state.refused == 15
        assert journal.state.pending == 10
        disk.error = 0
        await journal.flush()
        assert ids(tmp_path) == [f"F{number:05d}" for number in range(10)]


async def test_stopping_on_a_sick_disk_ends_and_tells_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = SickDisk(monkeypatch)
    disk.error = errno.ENOSPC
    journal = Journal(tmp_path, batch_seconds=0.005, retry_seconds=30)
    journal.start()
    journal.append(fact(1))
    assert await journal.stop() == 1


async def test_a_segment_removed_under_our_feet_is_replaced(tmp_path: Path) -> None:
    async with running(tmp_path) as journal:
        journal.append(fact(1))
        await journal.flush()
        (tmp_path / segments(tmp_path)[0]).unlink()
        journal.append(fact(2))
        await journal.flush()
        assert ids(tmp_path) == ["F00002"]


async def test_one_folder_has_one_writer(tmp_path: Path) -> None:
    async with running(tmp_path):
        with pytest.raises(JournalInUse):
            Journal(tmp_path).start()


async def test_a_folder_that_cannot_be_made_does_not_stop_the_engine(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with running(tmp_path / "file" / "journal") as journal:
        journal.append(fact(1))
        with pytest.raises(JournalStalled):
            await journal.flush(0.05)
        assert journal.state.alarm
        assert journal.state.pending == 1


async def test_appending_does_not_wait_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = asyncio.Event()
    loop = asyncio.get_running_loop()
    released = loop.create_future()

    def slow_sync(file: int) -> None:
        loop.call_soon_threadsafe(held.set)
        asyncio.run_coroutine_threadsafe(_outcome(released), loop).result(10)

    async with running(tmp_path) as journal:
        monkeypatch.setattr("ledger.journal.os.fdatasync", slow_sync)
        journal.append(fact(1))
        await held.wait()
        for number in range(2, 100):
            journal.append(fact(number))
        assert journal.state.pending == 99
        monkeypatch.undo()
        released.set_result(None)
        await journal.flush()
    assert len(ids(tmp_path)) == 99


async def _outcome(future: asyncio.Future[None]) -> None:
    await future


WRITER = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from ledger.journal import Journal
from ledger.model import Fact, Kind

async def main():
    journal = Journal(Path(sys.argv[1]), segment_bytes=20000)
    journal.start()
    number = 0
    while True:
        for _ in range(20):
            journal.append(Fact(f"F{number:05d}", Kind.WAITING, "hl1-1700000000.1", datetime.now(UTC), {}))
            number += 1
        await journal.flush()
        print(number, flush=True)

asyncio.run(main())
"""


def test_after_kill_9_everything_flushed_is_there(tmp_path: Path) -> None:
    root = Path(journal_module.__file__).parents[1]
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, cwd=root) as writer:
        assert writer.stdout is not None
        deadline = time.monotonic() + 30
        promised = 0
        while promised < 600 and time.monotonic() < deadline:
            promised = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
    found = ids(tmp_path)
    assert promised >= 600
    assert found == [f"F{number:05d}" for number in range(len(found))]
    assert len(found) >= promised
