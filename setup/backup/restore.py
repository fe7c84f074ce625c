"""Putting a backup back: whole into an empty place, or not at all.

One job: everything is gathered and checked in a folder of its own inside the data folder; only when nothing is missing
is it moved to where it belongs. Until then nothing has been changed, and a start is refused
(:func:`require_restored`).
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from database.schema import check
from setup.backup import postgres
from setup.backup.errors import BackupDamaged, BackupError, TargetInUse
from setup.backup.gather import LEASES, look_at_sqlite, sqlite_file
from setup.backup.model import DATABASE, OUTSIDE, Entry, EntryKind, Manifest
from setup.backup.repository import Repository, private_folder
from setup.backup.rules import RESTORING, unsafe
from setup.backup.service import Instance

CONFIG: Final = "restored-config"
"""Where settings file and certificates of the old machine are put, to be looked at: this machine has its own."""

MAY_BE_THERE: Final = frozenset({"lost+found", "log", "backup", RESTORING})
ROOM: Final = 1.05
"""More than the files' own size must be free."""

Say = Callable[[str], None]


def require_restored(data_dir: Path) -> None:
    """Raises TargetInUse while a restore is under way, or was broken off."""
    if (data_dir / RESTORING).exists():
        raise TargetInUse(
            f"{data_dir} 正在恢复备份，或上次恢复中断了；请等它做完，或清空 {data_dir} 后重新运行 hotline restore"
        )


async def restore(
    instance: Instance, repository: Repository, backup: str, *, say: Say = lambda _line: None
) -> Manifest:
    """Restore ``backup`` into ``instance``, whose data folder must be empty. Raises BackupError, DatabaseError."""
    manifest = await asyncio.to_thread(repository.manifest, backup)
    if (bad := unsafe(manifest.entries)) is not None:
        raise BackupDamaged(f"备份 {backup} 里有不该有的路径 {bad!r}，不是本系统做的；没有恢复任何东西")
    place = sqlite_file(instance.database_url)
    _require_empty(instance, manifest, place)
    stage = instance.data_dir / RESTORING
    try:
        private_folder(instance.data_dir)
        shutil.rmtree(stage, ignore_errors=True)
        stage.mkdir(mode=0o700)
        if shutil.disk_usage(stage).free < manifest.size * ROOM:
            raise BackupError(f"{instance.data_dir} 空间不足：备份要 {manifest.size / 1e9:.1f} GB；请腾出空间后重试")
        say(f"取出 {len(manifest.entries)} 个文件（{manifest.size / 1e6:.1f} MB），逐个核对……")
        await asyncio.to_thread(_take_all, repository, manifest, stage)
        await _check_database(instance, manifest, stage)
        if manifest.database is EntryKind.POSTGRES:
            say("装入数据库……")
            await postgres.restore(instance.database_url, stage / DATABASE)
            (stage / DATABASE).unlink()
    except OSError as error:
        shutil.rmtree(stage, ignore_errors=True)
        where = f" {error.filename}" if error.filename else ""
        raise BackupError(f"没有恢复任何东西：写不进{where}（{error.strerror or error}）") from error
    except BaseException:
        shutil.rmtree(stage, ignore_errors=True)
        raise
    await asyncio.to_thread(_move_in, stage, instance.data_dir, place)
    return manifest


def _require_empty(instance: Instance, manifest: Manifest, place: Path | None) -> None:
    if instance.data_dir.is_dir():
        there = sorted(path.name for path in instance.data_dir.iterdir() if path.name not in MAY_BE_THERE)
        if there:
            raise TargetInUse(
                f"{instance.data_dir} 不是空的（有 {'、'.join(there[:4])} 等）；只能恢复到空目录："
                "请先停掉热线、把它移走，或用 HOTLINE_DATA_DIR 换一个目录"
            )
    if place is not None and place.exists():
        raise TargetInUse(f"数据库文件 {place} 已经有了；请移走它，或改 database_url")
    if (place is None) != (manifest.database is EntryKind.POSTGRES):
        kinds = {EntryKind.SQLITE: "SQLite", EntryKind.POSTGRES: "PostgreSQL"}
        raise BackupError(f"备份里是 {kinds[manifest.database]} 数据库，而 database_url 是另一种；请改 database_url")


def _take_all(repository: Repository, manifest: Manifest, stage: Path) -> None:
    for entry in manifest.entries:
        repository.take(entry, _below(stage, entry))
        if entry.kind is EntryKind.SQLITE:
            _require_whole(_below(stage, entry), entry)


def _below(stage: Path, entry: Entry) -> Path:
    if entry.path.startswith(OUTSIDE):
        return stage / CONFIG / entry.path.removeprefix(OUTSIDE)
    return stage / entry.path


def _require_whole(file: Path, entry: Entry) -> None:
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro&immutable=1", uri=True)) as opened:
            verdict = opened.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        verdict = str(error)
    if verdict != "ok":
        raise BackupDamaged(f"备份里的数据库 {entry.path} 不完好（{verdict}）；没有恢复任何东西，请换一个备份")


async def _check_database(instance: Instance, manifest: Manifest, stage: Path) -> None:
    """The schema must be one that this program knows: an older one is upgraded by the next start."""
    file = stage / DATABASE
    if not file.exists():
        raise BackupDamaged(f"备份 {manifest.backup} 里没有数据库；请换一个备份")
    if manifest.database is not EntryKind.SQLITE:
        return
    rows, _ = await asyncio.to_thread(look_at_sqlite, file)
    if rows != manifest.rows:
        raise BackupDamaged(f"备份 {manifest.backup} 的数据库行数与清单不符；请换一个备份")
    await asyncio.to_thread(_forget_lease, file)
    state = await check(f"sqlite:///{file}")
    for companion in ("-wal", "-shm"):
        file.with_name(file.name + companion).unlink(missing_ok=True)
    if not state.known:
        raise BackupError(f"{state.sentence}；没有恢复任何东西")


def _forget_lease(file: Path) -> None:
    """The machine that was backed up does not use this copy of its database."""
    with closing(sqlite3.connect(file)) as opened:
        if opened.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (LEASES,)).fetchone():
            opened.execute(f"DELETE FROM {LEASES}")  # noqa: S608  our own name
            opened.commit()


def _move_in(stage: Path, data_dir: Path, place: Path | None) -> None:
    if place is not None:
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(stage / DATABASE, place)
    for path in sorted(stage.iterdir()):
        path.rename(data_dir / path.name)
    stage.rmdir()
