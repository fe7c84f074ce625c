"""Making a backup of a running instance.

One job: the order of the copies, and a manifest that exists only when all of them do. Why in this order: see
setup/backup/gather.py. It runs in a process of its own, beside the engine and without asking it.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from setup.backup import postgres
from setup.backup.errors import BackupError
from setup.backup.gather import JournalCopy, copy_sqlite, files, is_sqlite, look_at_server, look_at_sqlite, sqlite_file
from setup.backup.model import DATABASE, OUTSIDE, Entry, EntryKind, Manifest
from setup.backup.repository import Repository
from setup.backup.rules import RECORDINGS, began_later, outdated
from setup.backup.state import FOLDER, LastBackup, load, save

ANCHORS: Final = "audit.anchors"
SEEN: Final = "seen.db"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Instance:
    """What is to be backed up, or restored into."""

    data_dir: Path
    database_url: str
    node: str
    version: str
    """Of this program."""
    outside: Mapping[str, Path]
    """Files that lie elsewhere: name in the backup to path. One that is not there is left out."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a backup took."""

    manifest: Manifest
    new_files: int
    new_bytes: int
    dropped: tuple[str, ...]
    """Ids of older backups that went, because only so many are kept."""


class _Work:
    """One backup in the making."""

    def __init__(self, instance: Instance, repository: Repository, stage: Path, seen: _Seen) -> None:
        self.instance = instance
        self.repository = repository
        self.stage = stage
        self.seen = seen
        self.entries: list[Entry] = []
        self.new_files = 0
        self.new_bytes = 0

    def add(self, path: str, source: Path, kind: EntryKind = EntryKind.FILE, *, known: str = "") -> None:
        """Store one file. One that is gone meanwhile is left out; raises OSError for anything else."""
        try:
            with source.open("rb") as file:
                modified = os.fstat(file.fileno()).st_mtime_ns
                if known and self.repository.has(known):
                    self.entries.append(Entry(path, kind, known, os.fstat(file.fileno()).st_size, modified))
                    return
                digest, size, new = self.repository.put(file)
        except FileNotFoundError:
            return
        self.entries.append(Entry(path, kind, digest, size, modified))
        self.new_files += new
        self.new_bytes += size if new else 0

    def add_recording(self, path: str, source: Path) -> None:
        """Like :meth:`add`, without reading a file again that has not changed since the last backup."""
        try:
            before = source.stat()
        except FileNotFoundError:
            return
        known = self.seen.digest(path, before)
        self.add(path, source, known=known)
        if not known and self.entries and self.entries[-1].path == path and source.exists():
            after = source.stat()
            if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns) and after.st_size:
                self.seen.note(path, after, self.entries[-1].sha256)

    def sorted(self) -> tuple[Entry, ...]:
        return tuple(sorted(self.entries, key=lambda entry: entry.path))

    def add_sqlite(self, path: str, source: Path) -> Path:
        copy = self.stage / f"{len(self.entries)}.db"
        copy_sqlite(source, copy)
        os.utime(copy, ns=(source.stat().st_atime_ns, source.stat().st_mtime_ns))
        self.add(path, copy, EntryKind.SQLITE)
        return copy


async def back_up(
    instance: Instance, repository: Repository, *, recordings: bool, keep: int = 0, say: Say = lambda _line: None
) -> Made:
    """Back everything up while calls go on. Raises BackupError, DatabaseError.

    ``keep``: how many backups stay; 0: all.
    What a killed run leaves behind is no backup, and is tidied up by the next one.
    """
    if not instance.data_dir.is_dir():
        raise BackupError(f"没有数据目录 {instance.data_dir}；请核对 data_dir 设置")
    began, clock = datetime.now(UTC), monotonic()
    try:
        repository.prepare()
        with repository.alone(), _stage(instance.data_dir) as stage, _Seen.of(instance.data_dir) as seen:
            while f"{began:%Y%m%dT%H%M%SZ}" in repository.backups():
                began += timedelta(seconds=1)  # two in one second: ids rise and are never used twice
            work = _Work(instance, repository, stage, seen)
            manifest = await _made(work, recordings, began, say)
            manifest = replace(manifest, seconds=round(monotonic() - clock, 1), entries=work.sorted())
            await asyncio.to_thread(repository.seal, manifest)
            last = load(instance.data_dir)
            where, drilled = str(repository.folder), last.drilled_at if last else ""
            seconds = round(monotonic() - clock, 1)
            told = LastBackup(manifest.backup, manifest.began_at, where, seconds, work.new_bytes, drilled)
            save(instance.data_dir, told)
            gone = outdated(repository.backups(), keep)
            for backup in gone:
                repository.drop(backup)
            if gone:
                await asyncio.to_thread(repository.sweep)
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        raise BackupError(f"备份没有做成{where}（{error.strerror or error}）；请检查权限和磁盘空间") from error
    return Made(manifest, work.new_files, work.new_bytes, gone)


async def _made(work: _Work, recordings: bool, began: datetime, say: Say) -> Manifest:
    instance = work.instance
    place = sqlite_file(instance.database_url)
    journal = JournalCopy(instance.data_dir / "journal", work.stage / "journal")
    await asyncio.to_thread(work.add, ANCHORS, instance.data_dir / ANCHORS)
    say("复制数据库……")
    if place is not None:
        copy = await journal.holding(asyncio.to_thread(work.add_sqlite, DATABASE, place))
        rows, schema = await asyncio.to_thread(look_at_sqlite, copy)
        copy.unlink()
    else:
        rows, schema = await journal.holding(_server(work))
    copied_at = datetime.now(UTC).timestamp()
    for path, source in journal.files():
        await asyncio.to_thread(work.add, path, source)
    say("复制其他文件……")
    await asyncio.to_thread(_others, work, recordings, place, copied_at)
    for name, source in instance.outside.items():
        await asyncio.to_thread(work.add, f"{OUTSIDE}{name}", source)
    return Manifest(
        backup=f"{began:%Y%m%dT%H%M%SZ}",
        version=instance.version,
        node=instance.node,
        began_at=began.isoformat(timespec="seconds"),
        seconds=0.0,
        database=EntryKind.SQLITE if place is not None else EntryKind.POSTGRES,
        schema=schema,
        recordings=recordings,
        rows=rows,
    )


async def _server(work: _Work) -> tuple[dict[str, int], str]:
    found: list[tuple[dict[str, int], str]] = []

    async def look(session: AsyncSession) -> None:
        found.append(await look_at_server(session))

    file = work.stage / "database.dump"
    await postgres.dump(work.instance.database_url, file, look)
    await asyncio.to_thread(work.add, DATABASE, file, EntryKind.POSTGRES)
    file.unlink()
    return found[0]


def _others(work: _Work, recordings: bool, database: Path | None, copied_at: float) -> None:
    data_dir = work.instance.data_dir
    for path in files(data_dir, recordings=recordings, database=database):
        source = data_dir / path
        if path == ANCHORS or began_later(path, copied_at):
            continue
        if path.split("/")[0] in RECORDINGS:
            work.add_recording(path, source)
            continue
        try:
            is_database = is_sqlite(source)
        except FileNotFoundError:
            continue
        if is_database:
            work.add_sqlite(path, source).unlink()
        else:
            work.add(path, source)


@contextmanager
def _stage(data_dir: Path) -> Iterator[Path]:
    """A folder on the data folder's own disk, because links cross no disks; what a killed run left there goes."""
    home = data_dir / FOLDER
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BackupError(f"{data_dir} 正在备份；请等它做完") from None
        for left in home.glob("stage-*"):
            shutil.rmtree(left, ignore_errors=True)
        stage = Path(tempfile.mkdtemp(prefix="stage-", dir=home))
        try:
            yield stage
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    finally:
        os.close(handle)


class _Seen:
    """Which recordings were read before, by path, size and time: they do not change once their call is over."""

    def __init__(self, opened: sqlite3.Connection) -> None:
        self._opened = opened

    @classmethod
    @contextmanager
    def of(cls, data_dir: Path) -> Iterator[_Seen]:
        place = data_dir / FOLDER / SEEN
        try:
            opened = cls._open(place)
        except sqlite3.DatabaseError:  # damaged: everything is read again
            place.unlink(missing_ok=True)
            opened = cls._open(place)
        with closing(opened):
            yield cls(opened)
            opened.commit()

    @staticmethod
    def _open(place: Path) -> sqlite3.Connection:
        place.touch(mode=0o600)
        opened = sqlite3.connect(place, check_same_thread=False)
        opened.execute("CREATE TABLE IF NOT EXISTS seen (path TEXT PRIMARY KEY, size INTEGER, at INTEGER, sha256 TEXT)")
        return opened

    def digest(self, path: str, status: os.stat_result) -> str:
        """The content's SHA-256 as it was read; empty when it was not, or has changed."""
        found = self._opened.execute(
            "SELECT sha256 FROM seen WHERE path = ? AND size = ? AND at = ?",
            (path, status.st_size, status.st_mtime_ns),
        ).fetchone()
        return found[0] if found else ""

    def note(self, path: str, status: os.stat_result, digest: str) -> None:
        self._opened.execute(
            "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?)", (path, status.st_size, status.st_mtime_ns, digest)
        )
