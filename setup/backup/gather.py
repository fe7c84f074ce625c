"""Copies of what an instance holds, taken while it works.

One job: get each thing in a state that fits the others. The order matters: the audit's anchors before the database,
because they may lag behind it but never be ahead; journal segments are linked before, during and after the copy of the
database, so that a fact is in one of the two whatever is drained meanwhile; recordings last, without those of calls
that began after the copy.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Awaitable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import func, inspect, select, table, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncSession

from database.base import Base
from database.stores import load_stores
from ledger.segments import segments
from setup.backup.errors import BackupError
from setup.backup.rules import wanted

SQLITE_HEADER: Final = b"SQLite format 3\0"
LINK_SECONDS: Final = 0.2
"""How often new journal segments are held on to while the database is copied."""

JOURNAL: Final = "journal"
VERSION: Final = "alembic_version"
LEASES: Final = "leases"
"""Who uses this very database now: not counted, and emptied in a restored one, which is another database."""

T = TypeVar("T")


def sqlite_file(url: str) -> Path | None:
    """The file behind a database URL; None for a server."""
    target = make_url(url)
    return Path(str(target.database)) if target.get_backend_name() == "sqlite" else None


def files(data_dir: Path, *, recordings: bool, database: Path | None) -> Iterator[str]:
    """Every file that belongs into the backup, relative to the data folder; the journal and the database are not."""
    for folder, folders, names in os.walk(data_dir):
        here = os.path.relpath(folder, data_dir)
        prefix = "" if here == "." else f"{here}/"
        folders[:] = sorted(
            name
            for name in folders
            if wanted(f"{prefix}{name}", recordings=recordings) and f"{prefix}{name}" != JOURNAL
        )
        for name in sorted(names):
            path = Path(folder) / name
            if wanted(f"{prefix}{name}", recordings=recordings) and path != database and not path.is_symlink():
                yield f"{prefix}{name}"


def is_sqlite(path: Path) -> bool:
    """Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(SQLITE_HEADER)) == SQLITE_HEADER


def copy_sqlite(source: Path, place: Path) -> None:
    """One consistent state of a SQLite file that others write to. Raises BackupError.

    The whole file in one step: with fewer pages at a time a busy writer would make it begin again and again. Readers
    and, in WAL mode, writers go on meanwhile.
    """
    place.touch(mode=0o600)
    try:
        with (
            closing(sqlite3.connect(f"{source.as_uri()}?mode=rw", uri=True, timeout=10)) as old,
            closing(sqlite3.connect(place)) as new,
        ):
            old.backup(new)
            new.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise BackupError(f"{source} 复制不了（{error}）；请检查磁盘空间，或数据库是否完好") from error


class JournalCopy:
    """Holds on to journal segments by links of our own, so that one which is drained and deleted is still there."""

    def __init__(self, journal: Path, stage: Path) -> None:
        self._journal = journal
        self._stage = stage
        stage.mkdir(mode=0o700)

    def hold(self) -> None:
        """Link what is new."""
        for name in segments(self._journal):
            place = self._stage / name
            if place.exists():
                continue
            try:
                place.hardlink_to(self._journal / name)
            except FileNotFoundError:
                continue  # drained in this moment: the database has it
            except OSError:  # a file system without links
                with suppress(FileNotFoundError):
                    shutil.copyfile(self._journal / name, place)

    async def holding(self, work: Awaitable[T]) -> T:
        """Do ``work`` and hold on to new segments meanwhile."""
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                self.hold()
                await asyncio.wait({task}, timeout=LINK_SECONDS)
        finally:
            task.cancel()
        self.hold()
        return await task

    def files(self) -> Iterator[tuple[str, Path]]:
        """Each file of the journal as the backup names it, and where to read it."""
        for name in segments(self._stage):
            yield f"{JOURNAL}/{name}", self._stage / name
        for path in sorted(self._journal.glob("*.lines")):
            yield f"{JOURNAL}/{path.name}", path


def look_at_sqlite(copy: Path) -> tuple[dict[str, int], str]:
    """Rows of each of our tables, and the schema's revision. Raises BackupError for a copy that is not whole."""
    load_stores()
    try:
        with closing(sqlite3.connect(f"{copy.as_uri()}?mode=ro&immutable=1", uri=True)) as opened:
            verdict = opened.execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise BackupError(f"数据库已损坏（{verdict}），没有做成备份；请用最近一次好的备份恢复")
            there = {row[0] for row in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            names = sorted(Base.metadata.tables.keys() & there - {LEASES})
            counts = {name: opened.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}  # noqa: S608  our own names
            version = opened.execute("SELECT version_num FROM alembic_version").fetchone() if VERSION in there else None
    except sqlite3.Error as error:
        raise BackupError(f"数据库读不出来（{error}），没有做成备份") from error
    return counts, version[0] if version else ""


async def look_at_server(session: AsyncSession) -> tuple[dict[str, int], str]:
    """The same of a server's database, in the state that the session sees."""
    load_stores()
    connection = await session.connection()
    there = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
    counts = {}
    for name in sorted(Base.metadata.tables.keys() & there - {LEASES}):
        counts[name] = int(await session.scalar(select(func.count()).select_from(table(name))) or 0)
    version = await session.scalar(text(f"SELECT version_num FROM {VERSION}")) if VERSION in there else None  # noqa: S608
    return counts, str(version or "")
