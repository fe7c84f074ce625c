"""Agents' PINs: who dials *11 proves who he is.

One job: check and set. The hashes live in the database; the engine works with a copy in memory and one on the local
disk, because a database that is away must keep nobody from coming on duty. argon2id costs tens of milliseconds and runs
in threads, so that no call waits for it; an agent whom nobody knows costs the same, so that the time tells nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from pathlib import Path
from secrets import randbelow, token_hex
from typing import Final

import structlog
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy.exc import SQLAlchemyError

from database.connection import Database
from database.errors import DatabaseError
from queues.pins import store
from queues.pins.lockout import Lockout
from telephony.model import AgentId, SeatId

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

FILE: Final = "pins.json"
LENGTHS: Final = range(4, 9)
GENERATED_DIGITS: Final = 6
THREADS: Final = 2
CHECK_SECONDS: Final = 1.5
"""A whole shift signs in within a minute: who comes later than this is asked to try again, before the dialplan gives
the engine up and lets the seat in by itself."""

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""argon2id, 19 MiB, 2 passes: the least that OWASP's Password Storage Cheat Sheet recommends."""


class PinVerdict(Enum):
    """What became of a PIN."""

    VALID = "right"
    INVALID = "wrong"
    """Or no such agent, or an agent without a PIN: the one who asks is not told which."""
    LOCKED = "locked"
    BUSY = "busy"
    """Nobody could say in time."""


class PinRefused(ValueError):
    """No PIN, or not kept; the text says why, in Chinese."""


class Pins:
    """Of one node."""

    def __init__(self, database: Database | None, folder: Path, clock: Callable[[], int], *, seconds: float) -> None:
        """``clock`` gives unix ms; ``seconds`` is how long the dialplan waits for an answer of ours."""
        self._database = database
        self._file = folder / FILE
        self._clock = clock
        self._seconds = min(CHECK_SECONDS, seconds / 2)
        self._hashes: dict[AgentId, str] = {}
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="pins")
        self._agents = Lockout()
        self._seats = Lockout()

    async def load(self) -> None:
        """The hashes of the database, or, when that is out of reach, of the disk."""
        await asyncio.to_thread(_nobodys)
        try:
            if self._database is None:
                raise DatabaseError("数据库未打开")
            async with self._database.reading() as session:
                self._hashes = await store.all_hashes(session)
        except (DatabaseError, SQLAlchemyError, OSError) as error:
            self._hashes = await asyncio.to_thread(_read, self._file)
            log.warning("PINs of the local copy", agents=len(self._hashes), reason=type(error).__name__)
        else:
            await asyncio.to_thread(_write, self._file, self._hashes)

    def has(self, agent: AgentId) -> bool:
        """This agent can sign in by phone."""
        return agent in self._hashes

    async def check(self, agent: AgentId, pin: str, seat: SeatId) -> PinVerdict:
        """Whether this agent's PIN was dialled at this seat. Bounded in time; wrong ones count for both."""
        now = self._clock()
        if locked := max(self._agents.locked(agent, now), self._seats.locked(seat, now)):
            log.warning("sign-in locked", seat=seat, agent=agent, seconds=locked)
            return PinVerdict.LOCKED
        kept = self._hashes.get(agent)
        self._seats.begin_attempt(seat, now)
        if kept is not None:
            self._agents.begin_attempt(agent, now)
        try:
            async with asyncio.timeout(self._seconds):
                right = await asyncio.get_running_loop().run_in_executor(
                    self._threads, _matches, _nobodys() if kept is None else kept, pin
                )
        except TimeoutError:
            self._undo(agent, seat)
            return PinVerdict.BUSY
        if right and kept is not None:
            self._agents.clear(agent)
            self._seats.cancel_attempt(seat)
            return PinVerdict.VALID
        log.warning("sign-in refused", seat=seat, agent=agent)
        return PinVerdict.INVALID

    async def set(self, agent: AgentId, pin: str, by: str) -> None:
        """Give an agent a new PIN, which also ends its lock. Raises PinRefused; the old one holds then."""
        require_usable(agent, pin)
        text = await asyncio.get_running_loop().run_in_executor(self._threads, _HASHER.hash, pin)
        try:
            if self._database is None:
                raise DatabaseError("数据库未打开")
            async with self._database.transaction() as session:
                await store.keep(session, agent, text, datetime.now(UTC), by)
        except (DatabaseError, SQLAlchemyError) as error:
            raise PinRefused(f"密码没有保存，原密码仍有效：{error}") from None
        self._hashes[agent] = text
        self._agents.clear(agent)
        await asyncio.to_thread(_write, self._file, self._hashes)

    async def forget(self, agents: Sequence[AgentId]) -> None:
        """These agents are no more: whoever gets such a number later begins without a PIN. Raises DatabaseError."""
        if self._database is None:
            raise DatabaseError("数据库未打开")
        async with self._database.transaction() as session:
            await store.drop(session, agents)
        for agent in agents:
            self._hashes.pop(agent, None)
        await asyncio.to_thread(_write, self._file, self._hashes)

    def unlock(self, agent: AgentId, seat: SeatId | None = None) -> None:
        """Forget the wrong tries of an agent and, perhaps, of a seat."""
        self._agents.clear(agent)
        if seat is not None:
            self._seats.clear(seat)

    def stop(self) -> None:
        """No more checks."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _undo(self, agent: AgentId, seat: SeatId) -> None:
        self._agents.cancel_attempt(agent)
        self._seats.cancel_attempt(seat)


def generated(agent: str) -> str:
    """A PIN that nobody chose."""
    while True:
        pin = "".join(str(randbelow(10)) for _ in range(GENERATED_DIGITS))
        try:
            require_usable(agent, pin)
        except PinRefused:
            continue
        return pin


def require_usable(agent: str, pin: str) -> None:
    """Raise PinRefused for what is no PIN, or the first that anybody would try."""
    if not (pin.isascii() and pin.isdigit() and len(pin) in LENGTHS):
        raise PinRefused(f"密码应为 {LENGTHS[0]} 到 {LENGTHS[-1]} 位数字")
    if len(set(pin)) == 1 or pin in _ROW or pin in _ROW[::-1] or pin == agent:
        raise PinRefused("密码太容易猜到，请不要用相同、连续的数字或工号")


_ROW: Final = "01234567890"


@cache
def _nobodys() -> str:
    """What the PIN of an agent whom nobody knows is compared with."""
    return _HASHER.hash(token_hex())


def _matches(text: str, pin: str) -> bool:
    try:
        return _HASHER.verify(text, pin)
    except (VerificationError, InvalidHashError):
        return False


def _read(path: Path) -> dict[AgentId, str]:
    try:
        return {AgentId(str(agent)): str(text) for agent, text in json.loads(path.read_text("ascii")).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _write(path: Path, hashes: Mapping[AgentId, str]) -> None:
    draft = path.with_suffix(".new")
    try:
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            json.dump(hashes, file, indent=1, sort_keys=True)
        draft.replace(path)
    except OSError as error:
        log.warning("PINs not copied to the disk", reason=str(error))
