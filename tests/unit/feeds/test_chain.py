"""A department's chain: each record once and in order whatever comes late or twice, and nothing outside its scope."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from sqlalchemy import delete, update

from database.connection import Database
from feeds import store
from feeds.model import EVERYTHING, Subscription, What
from feeds.rules import NotUsable, OtherChain, cursor_of, require_usable
from feeds.service import Feeds
from feeds.store import RecordRow
from ledger.journal import Journal
from ledger.journal_replicator import JournalReplicator
from ledger.measures import Aims
from ledger.model import TRIAL, Fact, Kind
from ledger.reports.periods import month
from ledger.store import add_facts
from telephony.model import CallId
from tests.unit.ledger.calls import AT, told
from users.model import Identity, Right, Scope
from users.store import ClientRow

pytestmark = pytest.mark.unit

CITY = ZoneInfo("Asia/Shanghai")
ALL = frozenset(What)
MARKET = Subscription("market", "市场监管局", ALL, frozenset({"12315"}), frozenset(), client="m1")
GROUP = Subscription("social", "人社局", ALL, frozenset(), frozenset({"social-security"}), client="s1")
CITY_HALL = Subscription("hall", "政务服务局", ALL, frozenset({EVERYTHING}), frozenset(), client="h1")


def program(client: str, *more: Right) -> Identity:
    return Identity(f"程序 {client}", dict.fromkeys((Right.FEED_READ, *more), Scope.ALL), client=client)


def rated(serial: int, level: int) -> Fact:
    facts = told(serial)
    return Fact(f"{serial:04d}-r", Kind.RATED, facts[0].call, facts[-1].at, {"key": "1", "level": level})


def disposed(serial: int, code: str) -> Fact:
    facts = told(serial)
    data = {"code": code, "name": "已答复", "agent": "1001", "remark": "市民的话"}
    return Fact(f"{serial:04d}-w-{code}", Kind.WRAP_UP, facts[0].call, facts[-1].at + timedelta(seconds=9), data)


class Town:
    """Subscriptions, and facts that come into the database as the drainer brings them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = AT + timedelta(days=3)
        self.feeds = Feeds(database, Aims(), CITY, now=lambda: self.now)

    async def subscribe(self, *wanted: Subscription) -> None:
        async with self.database.transaction() as session:
            for one in wanted:
                require_usable(one)
                await store.add(session, one, self.now)

    async def happens(self, *facts: Fact) -> None:
        async with self.database.transaction() as session:
            await add_facts(session, facts)
            await self.feeds.follow(session, facts)

    async def read(self, who: Identity, after: str = "0", limit: int = 1000, of: str = "") -> list[dict[str, Any]]:
        """All that the program may read, page by page."""
        found: list[dict[str, Any]] = []
        while True:
            answer = await self.feeds.read_after(who, of, after, limit)
            found += answer["records"]
            after = answer["next"]
            if not answer["more"]:
                return found


@pytest_asyncio.fixture
async def town(database: Database) -> AsyncIterator[Town]:
    yield Town(database)


def keys(records: list[dict[str, Any]]) -> list[str]:
    return [record["key"] for record in records]


def bodies(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [json.loads(record["body"]) for record in records]


async def test_a_call_is_told_when_it_is_over_and_what_follows_when_it_is_said(town: Town) -> None:
    await town.subscribe(MARKET)
    facts = told(1, number="12315")
    await town.happens(*facts[:-1])
    assert await town.read(program("m1")) == []
    await town.happens(facts[-1])
    await town.happens(rated(1, 4), disposed(1, "answered"))
    records = await town.read(program("m1"))
    assert keys(records) == ["calls:hl1-1791594000.1", "ratings:0001-r", "dispositions:0001-w-answered"]
    call, rating, disposition = bodies(records)
    assert (call["schema"], call["caller"], call["waited_ms"], call["talk_ms"]) == (
        "calls/1", "138****8000", 8000, 60000,
    )  # fmt: skip
    assert (rating["level"], disposition["name"]) == (4, "已答复")
    assert "remark" not in disposition


async def test_facts_that_come_twice_or_late_are_one_record_each_after_every_cursor(town: Town) -> None:
    await town.subscribe(CITY_HALL)
    await town.happens(*told(5))
    first = await town.feeds.read_after(program("h1"), "", "0", 10)
    await town.happens(*told(5), *told(5))
    await town.happens(*told(1, after=-86400))
    later = await town.feeds.read_after(program("h1"), "", first["next"], 10)
    assert keys(first["records"]) == ["calls:hl1-1791594000.5"]
    assert keys(later["records"]) == ["calls:hl1-1791594000.1"]
    nothing = await town.feeds.read_after(program("h1"), "", later["next"], 10)
    assert (nothing["records"], nothing["next"], nothing["more"]) == ([], later["next"], False)


async def test_a_department_sees_nothing_outside_its_scope(town: Town) -> None:
    await town.subscribe(MARKET, GROUP, CITY_HALL)
    calls = {
        1: told(1, number="12315", group="market"),
        2: told(2, number="12333", group="social-security"),
        3: told(3, number="12315", group="social-security"),
        4: told(4),
    }
    for serial, facts in calls.items():
        await town.happens(*facts, rated(serial, 5), disposed(serial, "answered"))
    seen = {
        client: {int(body["call"].rpartition(".")[2]) for body in bodies(await town.read(program(client)))}
        for client in ("m1", "s1", "h1")
    }
    assert seen == {"m1": {1, 3}, "s1": {2, 3}, "h1": {1, 2, 3, 4}}
    for client in ("m1", "s1", "h1"):
        for other in {"market", "social", "hall"} - {{"m1": "market", "s1": "social", "h1": "hall"}[client]}:
            with pytest.raises(LookupError):
                await town.feeds.read_after(program(client), other, "0", 10)
    with pytest.raises(LookupError):
        await town.feeds.read_after(program(""), "market", "0", 10)


async def test_only_what_is_subscribed_is_told(town: Town) -> None:
    await town.subscribe(replace(CITY_HALL, what=frozenset({What.RATINGS})))
    await town.happens(*told(1), rated(1, 2), disposed(1, "answered"))
    assert keys(await town.read(program("h1"))) == ["ratings:0001-r"]


async def test_what_is_no_citizen_s_call_is_told_to_nobody(town: Town) -> None:
    await town.subscribe(CITY_HALL)
    trial = [replace(fact, data={**fact.data, "mode": TRIAL}) if not n else fact for n, fact in enumerate(told(1))]
    ours = [replace(fact, call=CallId(f"hl1-1791594000.{900_000_001}"), id=f"o{fact.id}") for fact in told(2)]
    await town.happens(*trial)
    await town.happens(*ours)
    found = bodies(await town.read(program("h1")))
    assert [body["call"] for body in found if body["call"].endswith(".1")] == []


async def test_numbers_are_in_full_only_for_a_program_that_two_people_gave_the_right(town: Town) -> None:
    await town.subscribe(MARKET, CITY_HALL)
    async with town.database.transaction() as session:
        session.add(
            ClientRow(
                id="m1", name="市监", rights=f"{Right.FEED_READ} {Right.FEED_NUMBERS}", token="t", created_by="a",
                created_at=AT, expires_at=datetime.now(UTC) + timedelta(days=1), revoked_at=None,
            )
        )  # fmt: skip
    await town.happens(*told(1, number="12315"))
    (full,) = bodies(await town.read(program("m1", Right.FEED_NUMBERS)))
    (masked,) = bodies(await town.read(program("h1")))
    assert (full["caller"], masked["caller"]) == ("13800138000", "138****8000")
    with pytest.raises(PermissionError):
        await town.read(program("m1"))


@pytest.mark.parametrize("seq", [1, 3, 5])
async def test_a_record_that_was_taken_away_breaks_the_chain_visibly(town: Town, seq: int) -> None:
    await town.subscribe(CITY_HALL)
    for serial in range(1, 6):
        await town.happens(*told(serial))
    assert await town.feeds.verify("hall") == []
    before = await town.read(program("h1"))
    async with town.database.transaction() as session:
        await session.execute(delete(RecordRow).where(RecordRow.seq == seq))
    assert any(str(seq) in line for line in await town.feeds.verify("hall"))
    with pytest.raises(OtherChain):
        await town.feeds.read_after(program("h1"), "", f"{seq}.{before[seq - 1]['hash'][:16]}", 10)
    answer = await town.feeds.read_after(program("h1"), "", "0", 10)
    last = answer["records"][-1]
    whole = [record["seq"] for record in answer["records"]] == list(range(1, answer["head"]["seq"] + 1))
    assert not whole or last["hash"] != answer["head"]["hash"]


async def test_a_record_that_was_changed_is_found(town: Town) -> None:
    await town.subscribe(CITY_HALL)
    await town.happens(*told(1))
    await town.happens(*told(2))
    async with town.database.transaction() as session:
        await session.execute(update(RecordRow).where(RecordRow.seq == 1).values(body="{}"))
    assert await town.feeds.verify("hall") == ["第 1 条被改过"]


async def test_a_cursor_of_another_chain_is_refused(town: Town) -> None:
    await town.subscribe(CITY_HALL)
    await town.happens(*told(1))
    for after in ("2", f"1.{'0' * 16}"):
        with pytest.raises(OtherChain):
            await town.feeds.read_after(program("h1"), "", after, 10)
    for wrong in ("x", "-1", "1.zz", "1" * 40):
        with pytest.raises(NotUsable):
            cursor_of(wrong)


async def test_two_nodes_that_drain_at_once_give_each_record_a_number_of_its_own(town: Town) -> None:
    await town.subscribe(CITY_HALL, MARKET)
    await asyncio.gather(*(town.happens(*told(serial, number="12315")) for serial in range(1, 9)))
    for client, of in (("h1", "hall"), ("m1", "market")):
        records = await town.read(program(client), limit=3)
        assert [record["seq"] for record in records] == list(range(1, 9))
        assert len({record["key"] for record in records}) == 8
        assert await town.feeds.verify(of) == []


async def test_a_drainer_that_is_killed_between_pages_loses_and_doubles_nothing(town: Town, tmp_path: Path) -> None:
    await town.subscribe(CITY_HALL)
    journal = Journal(tmp_path / "journal")
    journal.start()
    for serial in range(1, 21):
        for fact in told(serial):
            journal.append(fact)
    await journal.flush()
    await journal.stop()
    for _ in range(60):  # each page by a drainer that knows nothing of the ones before it
        replicator = JournalReplicator(
            town.database, tmp_path / "journal", "hl1", followers=(town.feeds.follow,), page_facts=7
        )
        if not await replicator.step():
            break
    records = await town.read(program("h1"))
    assert sorted(keys(records)) == sorted(f"calls:hl1-1791594000.{serial}" for serial in range(1, 21))
    assert await town.feeds.verify("hall") == []


async def test_a_past_month_is_filled_in_once_with_progress(town: Town) -> None:
    for serial in range(1, 6):
        await town.happens(*told(serial, after=serial * 86400), rated(serial, 5))
    await town.subscribe(replace(CITY_HALL, what=frozenset({What.CALLS, What.RATINGS})))
    seen: list[int] = []
    assert await town.feeds.backfill("hall", month("2026-10", CITY), lambda _at, made: seen.append(made)) == 10
    assert seen == sorted(seen)
    assert await town.feeds.backfill("hall", month("2026-10", CITY), lambda _at, _made: None) == 0
    assert await town.feeds.verify("hall") == []


async def test_a_day_is_told_when_it_is_over_and_again_when_late_facts_change_it(town: Town) -> None:
    town.now = AT
    await town.subscribe(MARKET)
    await town.happens(*told(1, number="12315"), *told(2))
    await town.feeds.write_days()
    assert [key for key in keys(await town.read(program("m1"))) if key.startswith("days")] == []
    town.now = AT + timedelta(days=1)
    for _ in range(2):
        await town.feeds.write_days()
    await town.happens(*told(3, number="12315", wait=None, hold=30))
    await town.feeds.write_days()
    days = [body for body in bodies(await town.read(program("m1"))) if body["schema"] == "days/1"]
    assert [(day["day"], day["revision"], day["calls"], day["answered"]) for day in days] == [
        ("2026-10-10", 1, 1, 1),
        ("2026-10-10", 2, 2, 1),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        replace(MARKET, id="Market"),
        replace(MARKET, name=" "),
        replace(MARKET, what=frozenset()),
        replace(MARKET, numbers=frozenset()),
        replace(MARKET, numbers=frozenset({"*", "12315"})),
        replace(MARKET, numbers=frozenset({"12 315"})),
        replace(MARKET, groups=frozenset({"市场"})),
    ],
)
def test_a_subscription_that_cannot_be_is_refused_in_words(wrong: Subscription) -> None:
    with pytest.raises(NotUsable):
        require_usable(wrong)
