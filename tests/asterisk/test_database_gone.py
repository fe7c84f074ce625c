"""The database is locked, moved away, read-only or stopped while calls go on: every call is in it once, afterwards."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from console.client import EngineUnreachable, Refused
from database.connection import open_database
from ledger.store import CallFilter, list_calls
from phones.phone import Answer
from phones.seat_phone import SeatPhone
from phones.tones import tone_share
from tests.asterisk.support.crowd import staffed
from tests.asterisk.support.product import Product, product, until
from tests.postgres import temporary_cluster

pytestmark = [pytest.mark.asterisk, pytest.mark.timeout(300)]

CITIZEN_HZ = 440
Trouble = Callable[[Path], AbstractContextManager[None]]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Somebody else's transaction that lets nobody write."""
    rival = sqlite3.connect(path, isolation_level=None)
    try:
        rival.execute("BEGIN EXCLUSIVE")
        yield
        rival.execute("ROLLBACK")
    finally:
        rival.close()


@contextmanager
def moved_away(path: Path) -> Iterator[None]:
    """The file and its companions are elsewhere for a while."""
    elsewhere = path.parent / "elsewhere"
    elsewhere.mkdir()
    for file in path.parent.glob(f"{path.name}*"):
        file.rename(elsewhere / file.name)
    yield
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()
    for file in elsewhere.iterdir():
        file.rename(path.parent / file.name)


@pytest.mark.parametrize("trouble", [locked, moved_away])
async def test_calls_go_on_and_nothing_is_lost(home: Path, trouble: Trouble) -> None:
    async with product(home, edit=staffed(1)) as hotline:
        seat = await _seat(hotline)
        await _calls(hotline, seat, 1)
        await _in_database(hotline, 1)
        with trouble(hotline.settings.data_dir / "hotline.db"):
            await _calls(hotline, seat, 2)
            await until(lambda: _troubled(hotline), "the trouble to be told")
            await _calls(hotline, seat, 1)
            await hotline.signal_engine(signal.SIGKILL)
            await hotline.start_engine(wait=False)
            await until(lambda: _ready(hotline), "an engine without its database")
            assert list((await hotline.ask("/api/status"))["seats"].values()) == [1]
            await _calls(hotline, seat, 1)
        await _in_database(hotline, 5)
        await until(hotline.healthy, "all to be well again", 60)


async def test_postgresql_is_stopped_and_started_again(home: Path) -> None:
    with temporary_cluster() as cluster:
        url = cluster.url.replace("postgresql://", "postgresql+asyncpg://")
        async with product(home, edit=staffed(1), database_url=url) as hotline:
            seat = await _seat(hotline)
            await _calls(hotline, seat, 1)
            await _in_database(hotline, 1)
            cluster.stop(signal.SIGINT)
            await _calls(hotline, seat, 2)
            await until(lambda: _troubled(hotline), "the trouble to be told")
            cluster.start()
            await _calls(hotline, seat, 1)
            await _in_database(hotline, 4)
            await until(hotline.healthy, "all to be well again", 60)


async def _seat(hotline: Product) -> SeatPhone:
    return await hotline.seat("8001", "1001", behaviour=Answer(0.1, hang_up_after=1.5))


async def _calls(hotline: Product, seat: SeatPhone, count: int) -> None:
    """One after the other, each answered by the seat, with sound."""
    for _ in range(count):
        call = await hotline.citizen().call("12345", tone_hz=CITIZEN_HZ)
        talk = await seat.wait_talking(30)
        await talk.ended()
        await call.hang_up()
        assert tone_share(talk.heard.pcm(), CITIZEN_HZ) > 0.5


async def _in_database(hotline: Product, count: int) -> None:
    """Until the database itself, and not only the journal, has so many calls, each whole."""

    async def there() -> bool:
        database = open_database(hotline.settings.database_url, must_exist=True)
        try:
            async with database.reading() as session:
                records = await list_calls(session, CallFilter(limit=100))
        finally:
            await database.close()
        assert len(records) <= count
        return sum(record.seat == "8001" and record.ended_at is not None for record in records) == count

    await until(there, f"{count} calls to be in the database", 60)


async def _troubled(hotline: Product) -> bool:
    return bool((await hotline.ask("/api/status"))["database"]["trouble"])


async def _ready(hotline: Product) -> bool:
    try:
        return await hotline.seat_is("8001", "ready")
    except (EngineUnreachable, Refused):
        return False
