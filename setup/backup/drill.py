"""The restore drill: the newest backup into a scratch place, every check, and how long each took.

One job: prove that a backup can be restored, without touching the running instance.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from setup.backup import postgres
from setup.backup.checks import Result, checks
from setup.backup.errors import BackupError
from setup.backup.gather import sqlite_file
from setup.backup.repository import Repository
from setup.backup.restore import restore
from setup.backup.service import Instance
from setup.backup.state import load, save

Tell = Callable[[Result], None]


async def drill(instance: Instance, repository: Repository, backup: str, scratch: Path, tell: Tell) -> bool:
    """Whether the backup was restored and found right. ``scratch``: a folder with room for all of it.

    Raises BackupError when the drill itself cannot be made.
    """
    began = monotonic()
    right = True
    async with _place(instance, scratch) as copy:
        try:
            manifest = await restore(copy, repository, backup)
        except BackupError as error:
            tell(Result("恢复", False, str(error), monotonic() - began))
            return False
        told = f"{len(manifest.entries)} 个文件，{manifest.size / 1e6:.1f} MB，逐个核对过"
        tell(Result("恢复", True, told, monotonic() - began))
        async for result in checks(copy, manifest):
            tell(result)
            right = right and result.right
    last = load(instance.data_dir)
    if right and last is not None:
        await asyncio.to_thread(
            save, instance.data_dir, replace(last, drilled_at=datetime.now(UTC).isoformat(timespec="seconds"))
        )
    return right


@asynccontextmanager
async def _place(instance: Instance, scratch: Path) -> AsyncIterator[Instance]:
    """An empty instance in the scratch folder; gone afterwards."""
    folder = await asyncio.to_thread(_folder, scratch)
    try:
        if sqlite_file(instance.database_url) is not None:
            yield replace(instance, data_dir=folder / "data", database_url=f"sqlite:///{folder}/data/hotline.db")
        else:
            async with postgres.scratch(instance.database_url) as url:
                yield replace(instance, data_dir=folder / "data", database_url=url)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _folder(scratch: Path) -> Path:
    try:
        scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Path(tempfile.mkdtemp(prefix="drill-", dir=scratch))
    except OSError as error:
        raise BackupError(f"演练目录 {scratch} 用不了（{error.strerror}）；请用 --scratch 换一个") from error
