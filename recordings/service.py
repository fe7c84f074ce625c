"""Looking after recordings: a row for each before its sound, judged after the call, and a sweep of the folder.

One job: bring table and folder together. The plan of a recording is durable before its sound because the
ledger's journal is; this room follows the ledger in the database and never stands on the call path.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from database.connection import Database
from database.errors import DatabaseError
from recordings import store
from recordings.layout import call_of, half_file, recording_file
from recordings.model import Found, Recording, Sound, Status, Talk
from recordings.rules import HEADER_BYTES, judge, sound
from telephony.model import CallId

SETTLE: Final = timedelta(seconds=5)
"""After the end of a call MixMonitor still closes its files."""

LOOK_BACK: Final = timedelta(days=2)
INTERVAL_SECONDS: Final = 5.0
READ_BYTES: Final = 1 << 20
PAGE: Final = 200
TOLD_CALLS: Final = 20
"""Call ids in one line of the log; `hotline recordings check` names all."""

NOT_LEFT_ALONE: Final = timedelta(hours=1)
"""A file without a call may belong to one whose facts are still on their way; after this it is an orphan."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a look through folder and table found."""

    checked: int
    faults: tuple[Recording, ...]
    """Recordings with something wrong, orphans among them."""
    strays: tuple[str, ...]
    """Files that are no call's recording, relative to the folder."""


class Recordings:
    """One node's recordings folder and its rows."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        *,
        node: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``node``: judge what this node has recorded; what others have lies elsewhere. Empty: judge all."""
        self._node = node
        self._database = database
        self._folder = folder
        self._now = now
        self._trouble = ""

    @property
    def trouble(self) -> str:
        """Why recordings are not being looked after, in Chinese; empty when they are."""
        return self._trouble

    async def run(self, interval_seconds: float = INTERVAL_SECONDS) -> None:
        """Look after recordings for ever; ends only by cancellation."""
        while True:
            try:
                await self.step()
                self._trouble = ""
            except (DatabaseError, SQLAlchemyError, OSError) as error:
                if not self._trouble:
                    log.warning("recordings.wait", error=type(error).__name__, reason=str(error))
                self._trouble = f"录音核对暂停：{error}"
            await asyncio.sleep(interval_seconds)

    async def step(self) -> list[Recording]:
        """Plan what the ledger has arranged, judge what is over; give back what was judged. Raises DatabaseError."""
        now = self._now()
        async with self._database.transaction() as session:
            await store.add(session, await store.unplanned(session, now - LOOK_BACK, self._node))
        async with self._database.reading() as session:
            due = await store.unsettled(session, now - SETTLE, node=self._node)
            talks = await store.talks(session, [recording.call for recording in due])
        judged = await asyncio.to_thread(self._judged_each, due, talks)
        await self._save(judged)
        _tell_faults(judged)
        return judged

    async def sweep(self) -> Sweep:
        """Go through the whole folder and the whole table. Reads every file's size, hashes only new ones."""
        await self.step()
        on_disk, strays = await asyncio.to_thread(_calls_on_disk, self._folder)
        calls = sorted(on_disk)
        faults: dict[CallId, Recording] = {}
        checked = 0
        for start in range(0, len(calls), PAGE):
            for recording in await self._rows_for(calls[start : start + PAGE], on_disk):
                checked += 1
                if recording.fault:
                    faults[recording.call] = recording
        for recording in await self._without_file(on_disk.keys()):
            checked += 1
            if recording.fault:
                faults[recording.call] = recording
        return Sweep(checked, tuple(faults[call] for call in sorted(faults)), tuple(strays))

    async def _rows_for(self, calls: list[CallId], on_disk: dict[CallId, datetime]) -> list[Recording]:
        """Judge the calls of these files again; files of calls that nobody knows become orphans."""
        async with self._database.reading() as session:
            known = await store.of_calls(session, calls)
            talks = await store.talks(session, calls)
        judged = []
        for call in calls:
            row = known.get(call)
            if call in talks:
                talk, entered_at, ended_at = talks[call]
                row = row or Recording(call, recording_file(call), Status.PLANNED, entered_at)
                judged.append(await asyncio.to_thread(self._judged, row, talk, ended_at))
            elif self._now() - on_disk[call] > NOT_LEFT_ALONE:
                row = row or Recording(call, recording_file(call), Status.ORPHAN, on_disk[call])
                files = await asyncio.to_thread(_look, self._folder, row.file)
                measured = await asyncio.to_thread(self._measured, row, files)
                judged.append(replace(measured, status=Status.ORPHAN, fault="有录音文件，但流水里没有这个呼叫"))
        async with self._database.transaction() as session:
            await store.add(session, [recording for recording in judged if recording.call not in known])
        await self._save([recording for recording in judged if known.get(recording.call, recording) != recording])
        return judged

    async def _without_file(self, on_disk: Collection[CallId]) -> list[Recording]:
        """Judge again the rows whose files are not on the disk (any more)."""
        judged: list[Recording] = []
        after = ""
        while True:
            async with self._database.reading() as session:
                page = await store.page_after(session, after, PAGE, self._node)
                gone = [row for row in page if row.call not in on_disk]
                talks = await store.talks(session, [row.call for row in gone])
            for row in gone:
                talk, _, ended_at = talks.get(row.call, (Talk(ended=True, answered=False, talk_ms=None), None, None))
                judged.append(await asyncio.to_thread(self._judged, row, talk, ended_at))
            if len(page) < PAGE:
                break
            after = page[-1].call
        await self._save(judged)
        return judged

    # In a worker's thread: files are read

    def _judged_each(
        self, due: Iterable[Recording], talks: Mapping[CallId, tuple[Talk, datetime, datetime | None]]
    ) -> list[Recording]:
        judged = []
        for recording in due:
            talk, _, ended_at = talks[recording.call]
            try:
                judged.append(self._judged(recording, talk, ended_at))
            except OSError as error:  # one unreadable file must not keep the others from being judged
                log.warning("recordings.file_unreadable", call=recording.call, error=str(error))
        return judged

    def _judged(self, recording: Recording, talk: Talk, ended_at: datetime | None) -> Recording:
        files = _look(self._folder, recording.file)
        verdict = judge(files, talk)
        measured = self._measured(recording, files, hash_it=verdict.status is Status.KEPT)
        return replace(measured, status=verdict.status, fault=verdict.fault, ended_at=ended_at)

    def _measured(self, recording: Recording, files: Found, *, hash_it: bool = True) -> Recording:
        mixed = files.mixed
        digest = recording.sha256
        if mixed and hash_it and (not digest or mixed.bytes != recording.bytes):
            digest = _sha256(self._folder / recording.file)
        return replace(
            recording,
            seconds=mixed.seconds if mixed else 0.0,
            bytes=mixed.bytes if mixed else 0,
            sha256=digest if mixed else "",
            caller_seconds=files.caller.seconds if files.caller else 0.0,
            agent_seconds=files.agent.seconds if files.agent else 0.0,
            checked_at=self._now(),
        )

    async def _save(self, recordings: list[Recording]) -> None:
        if recordings:
            async with self._database.transaction() as session:
                await store.save(session, recordings)


def _tell_faults(judged: Iterable[Recording]) -> None:
    """One line for each kind of fault: a switch that records nothing must not flood the log."""
    faults: dict[tuple[Status, str], list[CallId]] = {}
    for recording in judged:
        if recording.fault:
            faults.setdefault((recording.status, recording.fault), []).append(recording.call)
    for (status, fault), calls in faults.items():
        log.error("recordings.fault", status=status, fault=fault, count=len(calls), calls=calls[:TOLD_CALLS])


def _look(folder: Path, file: str) -> Found:
    mixed, caller, agent = (
        _sound(folder / name) for name in (file, half_file(file, "caller"), half_file(file, "agent"))
    )
    return Found(mixed, caller, agent)


def _sound(path: Path) -> Sound | None:
    try:
        with path.open("rb") as file:
            return sound(path.stat().st_size, file.read(HEADER_BYTES))
    except FileNotFoundError:
        return None


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _calls_on_disk(folder: Path) -> tuple[dict[CallId, datetime], list[str]]:
    """Each call that has a file, with the time it was last written; and the files of no call."""
    calls: dict[CallId, datetime] = {}
    strays = []
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        call = call_of(name)
        if call is None:
            strays.append(name)
            continue
        try:
            written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except FileNotFoundError:
            continue
        calls[call] = max(written, calls.get(call, written))
    return calls, sorted(strays)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())
