"""Opening a database: engine, sessions, and the settings SQLite needs.

One job: connections. It knows no table.
"""

from __future__ import annotations

import asyncio
import socket
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Final, TypeVar

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from database.errors import DatabaseError, DatabaseRefused, DatabaseUnavailable, DatabaseUrlInvalid

BUSY_TIMEOUT_SECONDS: Final = 5.0
"""How long a writer waits for another one before the database counts as locked."""

_WAL_PAUSE_SECONDS: Final = 0.01

POOL_SIZE: Final = 5
POOL_WAIT_SECONDS: Final = 5.0
CONNECT_SECONDS: Final = 5.0

STATEMENT_SECONDS: Final = 30.0
"""The longest one statement may take on a server: the dearest report takes a fifth of it."""

LOCK_SECONDS: Final = 5.0
"""How long a statement waits for a table or row that another program has locked."""

PROMPT_SECONDS: Final = 1.0
"""How long a question may take on which a page waits before it can do anything; see :meth:`Database.promptly`."""

SILENCES: Final = 2
BREAK_SECONDS: Final = 3.0
"""After so many questions in a row that were not answered promptly nobody waits for this database for so long."""

_EXAMPLES: Final = "例如 sqlite:///var/hotline.db 或 postgresql://hotline:密码@127.0.0.1:5432/hotline"
_LIMITS: Final[dict[str, Any]] = {
    # The server's own, and ours for a server that is stopped and keeps no limit any more.
    "command_timeout": STATEMENT_SECONDS + LOCK_SECONDS,
    "server_settings": {
        "statement_timeout": str(round(STATEMENT_SECONDS * 1000)),
        "lock_timeout": str(round(LOCK_SECONDS * 1000)),
    },
}
_READS: Final = "hotline_reads"
_FILE: Final = "hotline_file"
_DRIVERS: Final = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}


T = TypeVar("T")


@dataclass(slots=True)
class Breaker:
    """Whether it makes sense to wait for a database: one that takes connections and says nothing holds up nobody."""

    clock: Callable[[], float] = monotonic
    _until: float = 0.0
    _silences: int = 0
    """In a row; a single one may be a moment in which the whole machine was busy."""

    @property
    def open(self) -> bool:
        """It did not answer promptly a moment ago: do not wait for it now."""
        return self.clock() < self._until

    def silent(self) -> None:
        """A question was not answered in time."""
        self._silences += 1
        if self._silences >= SILENCES:
            self._until = self.clock() + BREAK_SECONDS

    def answered(self) -> None:
        self._silences = 0


_abandoned: Final[set[asyncio.Task[Any]]] = set()
"""Questions nobody waits for any more, until their connections have let go of them."""


@dataclass(frozen=True, slots=True)
class Database:
    """An open database: its engine and its sessions. On SQLite a session takes the write lock as it begins."""

    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]
    readers: async_sessionmaker[AsyncSession]
    """Sessions that only read; on SQLite they neither wait for a writer nor stop one."""
    breaker: Breaker = field(default_factory=Breaker)

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.engine.dialect.name

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A session that commits at the end and rolls back on any error. Raises DatabaseError in Chinese."""
        self._require_answering()
        with explained(self.engine.url):
            async with self.sessions() as session, session.begin():
                yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A session that sees one state of the database and writes nothing. Raises DatabaseError in Chinese."""
        self._require_answering()
        with explained(self.engine.url):
            async with self.readers() as session, session.begin():
                yield session

    async def promptly(
        self, question: Callable[[AsyncSession], Awaitable[T]], *, writes: bool = False, seconds: float = PROMPT_SECONDS
    ) -> T:
        """Ask in a session of its own, and be back within ``seconds`` whatever the database does.

        What does not answer is left to end by itself: giving up a statement may wait for the server, too. Then raises
        DatabaseUnavailable; after :data:`SILENCES` in a row every use of this database does, for a while.
        """
        self._require_answering()
        asked = asyncio.get_running_loop().create_task(self._ask(question, writes))
        try:
            done, _ = await asyncio.wait({asked}, timeout=seconds)
        except BaseException:
            _abandon(asked)
            raise
        if done:
            answer = asked.result()
            self.breaker.answered()
            return answer
        _abandon(asked)
        if not writes:  # a writer may wait for another one while readers are served
            self.breaker.silent()
        raise DatabaseUnavailable(self._silent(seconds))

    async def _ask(self, question: Callable[[AsyncSession], Awaitable[T]], writes: bool) -> T:
        async with self.transaction() if writes else self.reading() as session:
            return await question(session)

    def _require_answering(self) -> None:
        if self.breaker.open:
            raise DatabaseUnavailable(self._silent(PROMPT_SECONDS))

    def _silent(self, seconds: float) -> str:
        return (
            f"数据库 {_name(self.engine.url)} {seconds:g} 秒内没有应答；电话、转接和应急按键不受影响，"
            "要查要存的请稍候再试，并请管理员检查数据库"
        )

    async def close(self) -> None:
        await self.engine.dispose()


def _abandon(asked: asyncio.Task[Any]) -> None:
    asked.cancel()
    _abandoned.add(asked)
    asked.add_done_callback(_left)


def _left(asked: asyncio.Task[Any]) -> None:
    _abandoned.discard(asked)
    if not asked.cancelled():
        asked.exception()  # told to nobody: whoever asked has gone on


def open_database(url: str | URL, *, must_exist: bool = False, patient: bool = False) -> Database:
    """Prepare the database at ``url`` (no connection is made yet). Raises DatabaseUrlInvalid.

    ``patient``: statements may take and wait as long as they like, as a migration's must.

    ``must_exist``: a SQLite file that is not there is out of reach, like a server that is down, and not made anew.
    """
    target = async_url(url)
    if target.get_backend_name() == "sqlite":
        engine = create_async_engine(target, connect_args={"timeout": BUSY_TIMEOUT_SECONDS})
        if target.database not in (None, "", ":memory:"):
            _hold_on_to_the_file(engine, Path(str(target.database)), must_exist=must_exist)
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    else:
        engine = create_async_engine(
            target,
            pool_size=POOL_SIZE,
            max_overflow=POOL_SIZE,
            pool_timeout=POOL_WAIT_SECONDS,
            pool_pre_ping=True,
            connect_args={"timeout": CONNECT_SECONDS} | ({} if patient else _LIMITS),
        )
    readers = engine.execution_options(**{_READS: True})
    return Database(
        engine,
        async_sessionmaker(engine, expire_on_commit=False),
        async_sessionmaker(readers, expire_on_commit=False),
    )


def async_url(url: str | URL) -> URL:
    """The address with the driver we use; a SQLite file's folder is made. Raises DatabaseUrlInvalid."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise DatabaseUrlInvalid(f"DATABASE_URL 无法识别；{_EXAMPLES}") from None
    driver = _DRIVERS.get(parsed.drivername.partition("+")[0])
    if driver is None:
        raise DatabaseUrlInvalid(f"DATABASE_URL 不支持 {parsed.drivername}，只支持 SQLite 与 PostgreSQL；{_EXAMPLES}")
    if driver.startswith("sqlite") and parsed.database not in (None, "", ":memory:"):
        folder = Path(str(parsed.database)).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseUrlInvalid(f"数据库目录 {folder} 建不了（{error.strerror}）；{_EXAMPLES}") from error
    return parsed.set(drivername=driver)


def _hold_on_to_the_file(engine: AsyncEngine, path: Path, *, must_exist: bool) -> None:
    """A connection whose file was moved away or deleted would go on writing where nobody looks again."""

    def before_connect(_dialect: Any, _record: Any, _args: Any, _kwargs: Any) -> None:
        if must_exist and not path.exists():
            raise DatabaseUnavailable(
                f"数据库文件 {path} 不见了；请把它放回原处；确实要从空库重新开始，请运行 ./hotline db upgrade"
            )

    def connected(_connection: Any, record: Any) -> None:
        record.info[_FILE] = _identity(path)

    def taken(_connection: Any, record: Any, _proxy: Any) -> None:
        if _identity(path) != record.info.get(_FILE):
            raise DisconnectionError("the file is another one")

    event.listen(engine.sync_engine, "do_connect", before_connect)
    event.listen(engine.sync_engine, "connect", connected)
    event.listen(engine.sync_engine, "checkout", taken)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    try:
        # Take BEGIN into our own hands: the driver's late BEGIN turns a read followed by a write into "locked".
        connection.isolation_level = None
        cursor.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT_SECONDS * 1000)}")
        _switch_to_wal(connection, cursor)
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
    finally:
        cursor.close()


def _switch_to_wal(connection: Any, cursor: Any) -> None:
    """Two that open a new file at once: SQLite refuses the second at once, whatever its busy timeout. So ask again."""
    deadline = monotonic() + BUSY_TIMEOUT_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > deadline:
                raise
        connection.run_async(lambda _raw: asyncio.sleep(_WAL_PAUSE_SECONDS))


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get(_READS, False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


@contextmanager
def explained(url: URL) -> Iterator[None]:
    """Turn a driver's error into a Chinese sentence that says what to do. Other errors pass unchanged."""
    try:
        yield
    except (DBAPIError, PoolExhausted, OSError, TimeoutError, sqlite3.Error) as error:
        sentence = _explain(error, url)
        if sentence is None:
            raise
        raise sentence from error


def _explain(error: BaseException, url: URL) -> DatabaseError | None:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    text = str(cause)
    name = _name(url)
    if isinstance(error, PoolExhausted):
        return DatabaseUnavailable(f"数据库 {name} 的连接都在用，没有等到空出来的；请稍后重试")
    if "database is locked" in text or "database table is locked" in text:
        return DatabaseUnavailable(
            f"数据库 {name} 被其他程序锁住，{BUSY_TIMEOUT_SECONDS:g} 秒内没有等到；请找出占用它的程序后重试"
        )
    if "unable to open database file" in text:
        return DatabaseUnavailable(f"打不开数据库文件 {name}；请检查目录是否存在、是否可写、磁盘是否已满")
    if "disk I/O error" in text or "database or disk is full" in text:
        return DatabaseUnavailable(f"数据库 {name} 写不进去（{text}）；请检查磁盘空间")
    if "file is not a database" in text or "malformed" in text:
        return DatabaseRefused(f"{name} 不是完好的 SQLite 数据库；请换用备份，或改 DATABASE_URL")
    state = str(getattr(cause, "sqlstate", "") or "")
    if (refusal := _of_state(state, name, text)) is not None:
        return refusal
    if isinstance(cause, TimeoutError) and url.get_backend_name() == "postgresql":
        return DatabaseUnavailable(f"数据库 {name} 没有应答；请检查数据库服务是否卡住、地址和端口是否正确")
    if state.startswith(("08", "57P", "53")) or _out_of_reach(cause, url):
        return DatabaseUnavailable(f"连不上数据库 {name}；请检查数据库服务是否已启动、地址和端口是否正确")
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return DatabaseUnavailable(f"与数据库 {name} 的连接中断；稍后会自动重连")
    return None


def _of_state(state: str, name: str, text: str) -> DatabaseError | None:
    """By the server's own code (SQLSTATE)."""
    if state.startswith("28"):
        return DatabaseRefused(f"数据库 {name} 拒绝登录；请核对 DATABASE_URL 中的用户名和密码")
    return {
        "3D000": DatabaseRefused(f"数据库 {name} 不存在；请先用 createdb 建库，或改 DATABASE_URL"),
        "42501": DatabaseRefused(f"数据库 {name} 权限不足（{text}）；请让管理员授权"),
        "55P03": DatabaseUnavailable(
            f"数据库 {name} 的表被其他程序锁住，{LOCK_SECONDS:g} 秒内没有等到；请找出占用它的程序后重试"
        ),
        "57014": DatabaseUnavailable(f"数据库 {name} 查询超过 {STATEMENT_SECONDS:g} 秒，已中止；请缩小时间范围后重试"),
    }.get(state)


def _out_of_reach(cause: BaseException, url: URL) -> bool:
    # asyncio joins the refusals of several addresses into one bare OSError; its subclasses may be about files.
    network = isinstance(cause, (ConnectionError, TimeoutError, socket.gaierror)) or type(cause) is OSError
    return network and url.get_backend_name() == "postgresql"


def _name(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return url.database or ":memory:"
    return f"{url.host or 'localhost'}:{url.port or 5432}/{url.database or ''}"
