"""PostgreSQL by its own tools: ``pg_dump`` while everything goes on, ``pg_restore`` into an empty database.

One job: run the two, with the password out of sight, and tell what they complain about as a sentence.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from database.connection import async_url, open_database
from setup.backup.errors import BackupError, TargetInUse


def _environment(url: URL) -> dict[str, str]:
    told = {
        "PGHOST": url.host or "localhost",
        "PGPORT": str(url.port or 5432),
        "PGUSER": url.username or "",
        "PGPASSWORD": str(url.password or ""),
        "PGDATABASE": url.database or "",
        "PGCONNECT_TIMEOUT": "10",
    }
    return os.environ | {name: value for name, value in told.items() if value}


def require_tool(name: str) -> str:
    """The path of ``pg_dump`` or ``pg_restore``. Raises BackupError."""
    found = shutil.which(name)
    if found is None:
        raise BackupError(f"缺少 {name}：请安装 postgresql-client（版本不低于数据库服务器的）")
    return found


async def dump(url: str, place: Path, look: Callable[[AsyncSession], Awaitable[None]]) -> None:
    """Write ``pg_dump -Fc`` of one state of the database to ``place``. Raises BackupError, DatabaseError.

    ``look`` may read from a session that sees the very state that is dumped.
    """
    tool = require_tool("pg_dump")
    database = open_database(url, patient=True)
    try:
        async with database.reading() as session:
            await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            snapshot = str(await session.scalar(text("SELECT pg_export_snapshot()")))
            await look(session)
            await asyncio.to_thread(place.touch, 0o600)
            argv = (tool, "-Fc", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={place}")
            await _run(argv, make_url(async_url(url)), "pg_dump 没有导出数据库")
    finally:
        await database.close()


async def restore(url: str, file: Path) -> None:
    """Load a dump into an empty database, whole or not at all. Raises BackupError, TargetInUse, DatabaseError."""
    tool = require_tool("pg_restore")
    database = open_database(url)
    try:
        async with database.reading() as session:
            tables = await session.scalar(text("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"))
    finally:
        await database.close()
    if tables:
        raise TargetInUse(f"目标数据库里已有 {tables} 张表；请用 createdb 建一个空库，再把 database_url 改成它")
    target = make_url(async_url(url))
    argv = (
        tool, "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error", f"--dbname={target.database}",
        str(file),
    )  # fmt: skip
    await _run(argv, target, "pg_restore 没有装入数据库")
    database = open_database(url)
    try:
        async with database.transaction() as session:
            there = await session.scalar(text("SELECT to_regclass('leases') IS NOT NULL"))
            if there:  # the machine that was backed up does not use this copy of its database
                await session.execute(text("DELETE FROM leases"))
    finally:
        await database.close()


async def _run(argv: tuple[str, ...], url: URL, what: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *argv, env=_environment(url), stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        _, complaint = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        lines = complaint.decode("utf-8", "replace").strip().splitlines()
        raise BackupError(f"{what}：{lines[0] if lines else f'退出码 {process.returncode}'}")


@asynccontextmanager
async def scratch(url: str) -> AsyncIterator[str]:
    """An empty database on the same server; dropped at the end. Raises BackupError, DatabaseError."""
    name = f"hotline_drill_{secrets.token_hex(6)}"
    database = open_database(url, patient=True)
    engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    try:
        try:
            async with engine.connect() as connection:
                await connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0"))
        except DBAPIError as error:
            raise BackupError(f"建不了演练用的空库（{error.orig}）；请给这个数据库用户 CREATEDB 权限") from None
        try:
            yield make_url(async_url(url)).set(database=name).render_as_string(hide_password=False)
        finally:
            async with engine.connect() as connection:
                await connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    finally:
        await database.close()
