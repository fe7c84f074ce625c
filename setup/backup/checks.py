"""Is what was restored all right? Every check that an operator would make, with its time.

One job: ask the restored instance, and nothing else: no engine runs, nothing is sent anywhere.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from audit.anchors import FILE as ANCHORS
from audit.anchors import anchors
from audit.rules import verify
from audit.store import entries
from database.connection import Database, open_database
from database.errors import DatabaseError
from database.schema import state_of, upgrade
from ledger.journal_replicator import JournalReplicator
from queues.pins.store import all_hashes
from recordings.model import Status
from recordings.service import Recordings
from recordings.store import list_recordings
from routing.snapshot import from_json
from routing.store import newest_version, read_version
from setup.backup.gather import look_at_server, look_at_sqlite, sqlite_file
from setup.backup.model import Manifest
from setup.backup.service import Instance
from users.seal import FILE as SEAL_FILE
from users.seal import KeyUnusable, Seal
from users.store import all_users, with_seed

SECRETS: Final = ("ami_secret", "agi_token", "api_token", "seat_passwords")
SIGNED_IN: Final = "/Queue/PersistentMembers/%"
MOST: Final = 1_000_000


class CheckFailed(Exception):
    """Something is not as it should be; the text says what, in Chinese."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one check found."""

    name: str
    right: bool
    told: str
    seconds: float


@dataclass(frozen=True, slots=True)
class _Restored:
    instance: Instance
    manifest: Manifest
    database: Database

    @property
    def folder(self) -> Path:
        return self.instance.data_dir


async def checks(instance: Instance, manifest: Manifest) -> AsyncIterator[Result]:
    """Run every check on a restored instance, in order. Changes what was restored: the journal is drained."""
    database = open_database(instance.database_url, must_exist=True)
    restored = _Restored(instance, manifest, database)
    try:
        for name, check in CHECKS.items():
            began = monotonic()
            try:
                told, right = await check(restored), True
            except (CheckFailed, DatabaseError, KeyUnusable) as error:
                told, right = str(error), False
            except (SQLAlchemyError, sqlite3.Error, OSError, ValueError, KeyError, TypeError) as error:
                told, right = f"读不出来（{type(error).__name__}：{error}）", False
            yield Result(name, right, told, monotonic() - began)
    finally:
        await database.close()


async def _rows(restored: _Restored) -> str:
    if (file := sqlite_file(restored.instance.database_url)) is not None:
        rows, _ = await asyncio.to_thread(look_at_sqlite, file)
    else:
        async with restored.database.reading() as session:
            rows, _ = await look_at_server(session)
    wrong = [name for name, count in restored.manifest.rows.items() if rows.get(name) != count]
    if wrong:
        raise CheckFailed(f"行数与备份时不符：{'、'.join(wrong)}")
    return f"{len(rows)} 张表，{sum(rows.values())} 行，与备份时一致"


async def _schema(restored: _Restored) -> str:
    state = await state_of(restored.database)
    if state.known and state.current != state.head:
        state = await upgrade(restored.instance.database_url, may_create=False)
    if not state.healthy:
        raise CheckFailed(state.sentence)
    return state.sentence


async def _ledger(restored: _Restored) -> str:
    """What was only in the journal comes into the database, as at the next start."""
    drainer = JournalReplicator(restored.database, restored.folder / "journal", restored.manifest.node)
    before = drainer.state.rejected
    moved = await drainer.drain()
    if lost := drainer.state.rejected - before:
        raise CheckFailed(f"{lost} 条流水不能入库")
    return f"日志里 {moved} 条流水全部入库"


async def _audit(restored: _Restored) -> str:
    async with restored.database.reading() as session:
        found = await entries(session, None)
    noted = await asyncio.to_thread(anchors, restored.folder / ANCHORS)
    wrong = verify(found, noted, filed=bool(noted))
    if wrong:
        raise CheckFailed(f"{len(wrong)} 处不对，第一处：{wrong[0]}")
    return f"{len(found)} 条完整，{len(noted)} 条另有校验值"


async def _recordings(restored: _Restored) -> str:
    if not restored.manifest.recordings:
        return "备份里没有录音，未核对"
    async with restored.database.reading() as session:
        known = {one.call for one in await list_recordings(session, faulty=True, limit=MOST)}
        open_ = {
            one.call
            for status in (Status.PLANNED, Status.RECORDING)
            for one in await list_recordings(session, status=status, limit=MOST)
        }
    service = Recordings(restored.database, restored.folder / "recordings", node=restored.manifest.node)
    sweep = await service.sweep()
    fresh = [one for one in sweep.faults if one.call not in known | open_]
    if fresh:
        raise CheckFailed(f"{len(fresh)} 个录音备份前没有问题，恢复后有：{fresh[0].call} {fresh[0].fault}")
    more = f"，其中 {len(sweep.faults)} 个备份时就有问题或正在录" if sweep.faults else ""
    return f"核对 {sweep.checked} 个{more}"


async def _table(restored: _Restored) -> str:
    async with restored.database.reading() as session:
        newest = await newest_version(session)
        held = await read_version(session, newest)
    if held is None:
        raise CheckFailed("没有发布过的路由表")
    snapshot = await asyncio.to_thread(from_json, held[1])
    held_rows = f"{len(snapshot.numbers)} 个归并号码，{len(snapshot.agents)} 个工号，{len(snapshot.seats)} 个座席"
    return f"第 {newest} 版：{held_rows}"


async def _prompts(restored: _Restored) -> str:
    return await asyncio.to_thread(_prompt_files, restored.folder)


def _prompt_files(folder: Path) -> str:
    histories, sounds = 0, 0
    for path in sorted((folder / "prompts").glob("*/*/versions.json")):
        told = json.loads(path.read_text("utf-8"))
        if told["in_force"] not in [row["number"] for row in told["versions"]]:
            raise CheckFailed(f"{path.parent.name} 缺少启用的那一版")
        histories += 1
    for path in sorted((*(folder / "recorded").rglob("*.wav"), *(folder / "prompts").rglob("*.wav"))):
        try:
            with wave.open(str(path)) as file:
                sounds += file.getnframes() > 0
        except (wave.Error, EOFError) as error:
            raise CheckFailed(f"录音 {path.relative_to(folder)} 读不出来（{error}）") from None
    return f"{histories} 段改过，{sounds} 个录音可以读"


async def _people(restored: _Restored) -> str:
    async with restored.database.reading() as session:
        users = await all_users(session)
        seeds = [(row.name, row.totp_secret) for row in await with_seed(session)]
        pins = await all_hashes(session)
    sealed = [one for one in seeds if one[1].startswith("s1:")]
    if sealed and not (restored.folder / SEAL_FILE).exists():
        raise CheckFailed(f"缺少 {SEAL_FILE}：动态口令解不开")
    seal = Seal(restored.folder)
    for name, kept in sealed:
        await asyncio.to_thread(seal.opened, kept, name)
    return f"{len(users)} 个用户，{len(sealed)} 个动态口令可以解开，{len(pins)} 个工号密码"


async def _seats(restored: _Restored) -> str:
    return await asyncio.to_thread(_switch_files, restored.folder)


def _switch_files(folder: Path) -> str:
    secrets = json.loads((folder / "secrets.json").read_text("utf-8"))
    missing = [name for name in SECRETS if not secrets.get(name)]
    if missing:
        raise CheckFailed(f"secrets.json 缺少 {'、'.join(missing)}")
    place = folder / "asterisk" / "db" / "astdb.sqlite3"
    if not place.exists():
        return f"{len(secrets['seat_passwords'])} 部话机的密码；备份时还没有 Asterisk 的数据"
    with closing(sqlite3.connect(f"{place.as_uri()}?mode=ro&immutable=1", uri=True)) as opened:
        rows = opened.execute("SELECT value FROM astdb WHERE key LIKE ?", (SIGNED_IN,)).fetchall()
    members = {member.split(";")[0] for (value,) in rows for member in str(value).split("|") if member}
    return f"{len(secrets['seat_passwords'])} 部话机的密码，{len(members)} 个签入在值班"


async def _small_files(restored: _Restored) -> str:
    """What a restart must not forget: raised announcements, closed groups, numbers of urgent orders…"""
    return await asyncio.to_thread(_json_files, restored.folder)


def _json_files(folder: Path) -> str:
    found = sorted((*folder.glob("*.json"), *(folder / "orders").glob("*.json")))
    for path in found:
        json.loads(path.read_text("utf-8"))
    return f"{len(found)} 个可以读：{'、'.join(path.stem for path in found)}"


Check = Callable[[_Restored], Awaitable[str]]

CHECKS: Final[dict[str, Check]] = {
    "数据库": _rows,
    "数据库结构": _schema,
    "流水": _ledger,
    "审计": _audit,
    "录音": _recordings,
    "路由表": _table,
    "提示音": _prompts,
    "用户和密码": _people,
    "话机和签入": _seats,
    "公告、关闭的技能组等": _small_files,
}
"""Name to check, in the order in which they run."""
