"""The schema's version: bringing a database up to date, and telling whether it is.

One job: run Alembic from inside the program. It knows no table; database/stores.py names who does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from database.base import Base
from database.connection import Database, explained, open_database
from database.errors import SchemaTooNew
from database.stores import load_stores

MIGRATIONS: Final = Path(__file__).parent / "migrations"

_UPGRADE_LOCK: Final = 12345
"""Key of the PostgreSQL advisory lock that lets one upgrade run at a time."""

_DIFFERENCES: Final[Mapping[str, str]] = {
    "add_table": "缺少表",
    "remove_table": "多出表",
    "add_column": "缺少列",
    "remove_column": "多出列",
    "add_index": "缺少索引",
    "remove_index": "多出索引",
    "add_constraint": "缺少约束",
    "remove_constraint": "多出约束",
    "add_fk": "缺少外键",
    "remove_fk": "多出外键",
    "modify_type": "列类型不同",
    "modify_nullable": "列可否为空不同",
    "modify_default": "列缺省值不同",
}
"""Alembic says what it would do to the database; people want to know what the database lacks."""


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Where a database's schema is, against what this program expects."""

    current: str | None
    """Revision of the database; None for an empty one."""
    head: str
    known: bool
    """Whether this program has ever heard of ``current``."""
    drift: tuple[str, ...]
    """Differences between the tables as they are and as the models say, when the revision is right and they were
    compared."""

    @property
    def healthy(self) -> bool:
        return self.current == self.head and not self.drift

    @property
    def sentence(self) -> str:
        """The state in Chinese, with what to do."""
        if self.current is None:
            return "数据库是空的，还没有建表；请运行 ./hotline db upgrade"
        if not self.known:
            return f"数据库结构版本 {self.current} 比本程序（{self.head}）新；请用新版程序，或换回升级前的备份"
        if self.current != self.head:
            return f"数据库结构版本 {self.current} 落后于本程序（{self.head}）；请运行 ./hotline db upgrade"
        if self.drift:
            return f"数据库结构版本 {self.head} 正确，但表结构与程序不一致：{'；'.join(self.drift)}"
        return f"数据库结构版本 {self.head}，与程序一致"


async def upgrade(url: str | URL, *, may_create: bool = True) -> SchemaState:
    """Bring the schema to head, in one transaction. Does nothing when it is there. Raises DatabaseError.

    A schema that is at head already is not compared with the models: every start would spend half a second of CPU on
    what :func:`check` is for.

    ``may_create``: a SQLite file that is not there is made; otherwise that is DatabaseUnavailable.
    """
    database = open_database(url, must_exist=not may_create, patient=True)
    try:
        with explained(database.engine.url):
            async with database.engine.begin() as connection:
                return await connection.run_sync(_upgrade)
    finally:
        await database.close()


async def check(url: str | URL) -> SchemaState:
    """Compare the schema with this program's, changing nothing. Raises DatabaseError when it cannot be read."""
    database = open_database(url)
    try:
        return await state_of(database)
    finally:
        await database.close()


async def state_of(database: Database) -> SchemaState:
    """Like :func:`check`, for a database that is open already."""
    async with database.reading() as session:
        return await (await session.connection()).run_sync(_state)


def _upgrade(connection: Connection) -> SchemaState:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
    before = _state(connection, compared=False)
    if not before.known:
        raise SchemaTooNew(before.sentence)
    if before.current == before.head:
        return before
    command.upgrade(_config(connection), "head")
    return _state(connection)


def _state(connection: Connection, *, compared: bool = True) -> SchemaState:
    load_stores()
    scripts = ScriptDirectory.from_config(_config(connection))
    head = scripts.get_current_head()
    if head is None:
        raise LookupError(f"no migration in {MIGRATIONS}")
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    current = context.get_current_revision()
    known = current is None or current in {script.revision for script in scripts.walk_revisions()}
    if current != head or not compared:
        return SchemaState(current, head, known, ())
    drift = tuple(_described(compare_metadata(context, Base.metadata)))
    return SchemaState(current, head, known, drift)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _described(differences: Sequence[Any]) -> Iterator[str]:
    """What the program expects against what is there, one phrase for each difference."""
    for difference in differences:
        if isinstance(difference, list):
            yield from _described(difference)
            continue
        kind, *rest = difference
        names = [part if isinstance(part, str) else getattr(part, "name", None) for part in rest]
        yield f"{_DIFFERENCES.get(kind, kind)} {'.'.join(name for name in names if name)}"
