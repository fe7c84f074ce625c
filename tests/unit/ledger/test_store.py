"""The ledger's tables, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from database.connection import Database
from ledger.model import Fact, Kind
from ledger.reader import matches
from ledger.records import TransferRecord, fold
from ledger.segments import Cursor
from ledger.store import (
    ANYWHERE,
    MISSING,
    CallFilter,
    add_facts,
    facts_of,
    kinds_of,
    last_call,
    list_calls,
    load_cursor,
    one_call,
    project,
    save_cursor,
)
from telephony.model import CallId

pytestmark = pytest.mark.unit

AT = datetime(2026, 1, 1, 8, tzinfo=UTC)


def call(number: int) -> CallId:
    return CallId(f"hl1-1700000000.{number}")


def story(number: int, *, dialled: str = "12345", agent: str = "1001", group: str = "general") -> list[Fact]:
    at = AT + timedelta(minutes=number)

    def fact(seconds: int, kind: Kind, **data: Any) -> Fact:
        return Fact(f"{number:04d}-{kind}-{seconds}", kind, call(number), at + timedelta(seconds=seconds), data)

    return [
        fact(0, Kind.ENTERED, number=dialled, caller="13800138000", mode="full", rule="hotline", version=3),
        fact(1, Kind.WAITING, group=group, position=1),
        fact(5, Kind.ANSWERED, seat="8001", agent=agent, group=group, waited_ms=5000, by="agent"),
        fact(6, Kind.TRANSFER, id="t", target="110", state="joined"),
        fact(65, Kind.ENDED, cause=16, by="caller", talk_ms=60000),
    ]


async def test_a_row_is_what_the_fold_says(database: Database) -> None:
    facts = story(1)
    async with database.transaction() as session:
        await add_facts(session, facts)
    async with database.reading() as session:
        stored = await one_call(session, call(1))
        assert stored == fold(facts)
        assert await facts_of(session, call(1)) == facts
        assert await one_call(session, call(9)) is None
    assert stored is not None
    assert stored.transfers == (TransferRecord("110", "joined"),)


async def test_adding_in_any_order_and_twice_changes_nothing(database: Database) -> None:
    facts = story(1)
    for part in (facts[3:], facts[:2], facts, facts[1:4]):
        async with database.transaction() as session:
            await add_facts(session, part)
    async with database.reading() as session:
        assert await one_call(session, call(1)) == fold(facts)
        assert len(await facts_of(session, call(1))) == len(facts)


async def test_many_calls_in_one_page(database: Database) -> None:
    facts = [fact for number in range(450) for fact in story(number)]
    async with database.transaction() as session:
        await add_facts(session, facts)
    async with database.reading() as session:
        assert len(await list_calls(session, CallFilter(limit=1000))) == 450
        last = await last_call(session)
    assert last is not None
    assert last.call == call(449)


async def test_listing_by_time_number_agent_and_group(database: Database) -> None:
    async with database.transaction() as session:
        await add_facts(session, story(1))
        await add_facts(session, story(2, dialled="12333", agent="1002", group="social-security"))
        await add_facts(session, story(3, agent="1002"))
    async with database.reading() as session:

        async def found(**wanted: Any) -> list[CallId]:
            return [record.call for record in await list_calls(session, CallFilter(**wanted))]

        assert await found() == [call(3), call(2), call(1)]
        assert await found(limit=1) == [call(3)]
        assert await found(number="12333") == [call(2)]
        assert await found(agent="1002") == [call(3), call(2)]
        assert await found(group="general") == [call(3), call(1)]
        assert await found(caller="13800138000", agent="1001") == [call(1)]
        assert await found(since=AT + timedelta(minutes=2)) == [call(3), call(2)]
        assert await found(until=AT + timedelta(minutes=2)) == [call(1)]


async def test_hostile_text_is_stored_as_text(database: Database) -> None:
    hostile = "'; DROP TABLE facts; --\x00\ud800${EPOCH}\n" + "9" * 500
    fact = Fact("F1", Kind.ENTERED, call(1), AT, {"number": hostile, "caller": hostile, "version": 2**70})
    async with database.transaction() as session:
        await add_facts(session, [fact])
    async with database.reading() as session:
        stored = await one_call(session, call(1))
    assert stored is not None
    assert stored.number.startswith("'; DROP TABLE")
    assert stored.version is None


async def test_which_kinds_are_known(database: Database) -> None:
    async with database.transaction() as session:
        await add_facts(session, story(1)[:2])
    async with database.reading() as session:
        assert await kinds_of(session, [call(1), call(2)]) == {call(1): {Kind.ENTERED, Kind.WAITING}, call(2): set()}


async def test_projecting_again_is_harmless(database: Database) -> None:
    async with database.transaction() as session:
        await add_facts(session, story(1))
        await project(session, [call(1), call(7)])
    async with database.reading() as session:
        assert [record.call for record in await list_calls(session, CallFilter())] == [call(1)]


async def test_the_cursor_is_kept_per_node(database: Database) -> None:
    async with database.transaction() as session:
        assert await load_cursor(session, "hl1") == Cursor()
        await save_cursor(session, "hl1", Cursor("A", 5))
    async with database.transaction() as session:
        await save_cursor(session, "hl1", Cursor("B", 7))
        await save_cursor(session, "hl2", Cursor("C", 9))
    async with database.reading() as session:
        assert await load_cursor(session, "hl1") == Cursor("B", 7)
        assert await load_cursor(session, "hl2") == Cursor("C", 9)


async def test_searching_by_the_end_of_the_number_rating_transfer_and_outcome(database: Database) -> None:
    def unanswered(number: int) -> list[Fact]:
        first, *_, last = story(number)
        return [first, last]

    rated = Fact("rated", Kind.RATED, call(2), AT + timedelta(minutes=3), {"key": "1", "level": 1})
    to_120 = Fact("to-120", Kind.TRANSFER, call(2), AT + timedelta(minutes=2, seconds=9), {"target": "120"})
    async with database.transaction() as session:
        await add_facts(session, [*story(1), *story(2), rated, to_120, *unanswered(3)])
        await add_facts(session, story(4)[:1])
    async with database.reading() as session:

        async def found(**wanted: Any) -> list[CallId]:
            filter_ = CallFilter(**wanted)
            records = await list_calls(session, filter_)
            everything = await list_calls(session, CallFilter())
            assert [record for record in everything if matches(record, filter_)] == records, wanted
            return [record.call for record in records]

        assert await found(caller_end="13800138000") == [call(4), call(3), call(2), call(1)]
        assert len(await found(caller_end="8000", limit=9)) == 4
        assert await found(caller_end="18000") == []
        assert await found(caller_end="%000") == []
        assert await found(ratings=(1, 2)) == [call(2)]
        assert await found(ratings=(0,)) == []
        assert await found(transfer=ANYWHERE) == [call(2), call(1)]
        assert await found(transfer="120") == [call(2)]
        assert await found(transfer="120", since=AT + timedelta(minutes=3)) == []
        assert await found(transfer="120", until=AT + timedelta(minutes=3)) == [call(2)]
        assert await found(answered=True) == [call(2), call(1)]
        assert await found(answered=False) == [call(3)]
        assert await found(before=(AT + timedelta(minutes=3), call(3))) == [call(2), call(1)]


async def test_searching_by_what_calls_came_to_and_for_those_of_which_nobody_said(database: Database) -> None:
    def said(number: int, code: str, after: int) -> Fact:
        at = AT + timedelta(minutes=number, seconds=after)
        return Fact(f"{number}-{after}", Kind.WRAP_UP, call(number), at, {"code": code, "name": code})

    site = story(4)
    site[2] = replace(site[2], data={**site[2].data, "by": "subcentre"})
    facts = [*story(1), said(1, "order", 70), *story(2), said(2, "order", 66), said(2, "silent", 3600)]
    facts += [*story(3), *site]
    async with database.transaction() as session:
        await add_facts(session, [*facts, *story(5)[:-1]])
    async with database.reading() as session:
        for wanted, expected in (("order", [call(1)]), ("silent", [call(2)]), (MISSING, [call(3)]), ("gone", [])):
            filter_ = CallFilter(wrap_up_code=wanted)
            records = await list_calls(session, filter_)
            assert [record.call for record in records] == expected
            assert [one.call for one in await list_calls(session, CallFilter()) if matches(one, filter_)] == expected


@pytest.mark.parametrize("column", ["caller_end", "agent", "group_id", "rating_level", "number", "wrap_up_code"])
async def test_a_search_does_not_look_through_all_calls(database: Database, column: str) -> None:
    query = f"SELECT * FROM calls WHERE {column} = '1' ORDER BY entered_at DESC LIMIT 50"  # noqa: S608
    async with database.reading() as session:
        if database.dialect == "sqlite":
            plan = await session.execute(text(f"EXPLAIN QUERY PLAN {query}"))
        else:
            await session.execute(text("SET LOCAL enable_seqscan = off"))  # which is right for an empty table
            plan = await session.execute(text(f"EXPLAIN {query}"))
    assert f"ix_calls_{column}_entered_at" in str(plan.all())
