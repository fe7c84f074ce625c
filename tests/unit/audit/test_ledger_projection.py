"""A supervisor's deed is in the sealed audit: once, with who and why, also when the database was away meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import SQLAlchemyError

from audit.ledger_projection import ORDERS, PROMISES, SEALED, project_operator_actions
from audit.model import Entry
from audit.rules import verify
from audit.store import entries
from database.connection import Database, open_database
from database.errors import DatabaseError
from database.schema import upgrade
from ledger import labels_zh
from ledger.journal import Journal
from ledger.journal_replicator import JournalReplicator
from ledger.model import NO_CALL, Fact, Kind
from telephony.model import CallId

pytestmark = pytest.mark.unit

AT = datetime(2026, 11, 22, 3, 4, 5, 678901, tzinfo=UTC)
CALL = CallId("hl1-1700000000.1")


def deed(number: int, what: str, *, call: CallId = NO_CALL, **data: Any) -> Fact:
    told = {"what": what, "by": "班长1010", "reason": "质检", **data}
    return Fact(f"D{number:05d}", Kind.OPERATOR_ACTION, call, AT + timedelta(seconds=number), told)


async def write(folder: Path, *facts: Fact) -> None:
    journal = Journal(folder, batch_seconds=0.001)
    journal.start()
    for fact in facts:
        journal.append(fact)
    await journal.flush()
    assert await journal.stop() == 0


def drainer(database: Database, folder: Path, node: str = "hl1") -> JournalReplicator:
    return JournalReplicator(database, folder, node, followers=(project_operator_actions,))


async def sealed(database: Database) -> list[Entry]:
    async with database.reading() as session:
        found = list(await entries(session))
    assert verify(found, ()) == ()
    return found


async def test_every_deed_of_supervision_is_sealed_with_who_and_why(database: Database, tmp_path: Path) -> None:
    assert set(labels_zh.DEEDS) >= SEALED
    await write(tmp_path, *(deed(n, what, agent="1001", seat="8001") for n, what in enumerate(sorted(SEALED))))
    await drainer(database, tmp_path).drain()
    found = await sealed(database)
    assert [entry.act.action for entry in found] == [f"supervise.{what}" for what in sorted(SEALED)]
    assert {(entry.actor.name, entry.act.reason) for entry in found} == {("班长1010", "质检")}
    assert [entry.at for entry in found] == [AT + timedelta(seconds=n) for n in range(len(SEALED))]


async def test_what_people_do_to_urgent_orders_is_sealed(database: Database, tmp_path: Path) -> None:
    assert set(labels_zh.DEEDS) >= ORDERS
    number = "hl1-20261122-0001"
    await write(tmp_path, *(deed(n, what, to=number, reason="误报") for n, what in enumerate(sorted(ORDERS))))
    await drainer(database, tmp_path).drain()
    found = await sealed(database)
    assert [entry.act.action for entry in found] == [
        f"orders.{what}" for what in ("acknowledge", "cancel", "close", "extend", "print", "raise", "update")
    ]
    assert {(entry.actor.origin, entry.act.reason) for entry in found} == {("应急工单", "误报")}
    assert found[1].act.subject == f"撤销应急工单 {number}"


async def test_what_supervisors_do_to_callbacks_and_messages_is_sealed(database: Database, tmp_path: Path) -> None:
    assert set(labels_zh.DEEDS) >= PROMISES
    await write(tmp_path, *(deed(n, what, to=CALL, group="market") for n, what in enumerate(sorted(PROMISES))))
    await drainer(database, tmp_path).drain()
    found = await sealed(database)
    assert [entry.act.action for entry in found] == [f"promises.{what}" for what in sorted(PROMISES)]
    assert {(entry.actor.origin, entry.act.reason) for entry in found} == {("回拨和留言", "质检")}
    assert found[1].act.subject == f"转派回拨 market {CALL}"


async def test_the_entry_names_agent_group_and_call(database: Database, tmp_path: Path) -> None:
    await write(tmp_path, deed(1, "move", call=CALL, group="general", to="market"))
    await drainer(database, tmp_path).drain()
    (entry,) = await sealed(database)
    assert entry.act.subject == "移动排队来电 general market"
    assert entry.act.detail == {"group": "general", "to": "market", "call": CALL, "fact": "D00001"}


async def test_a_journal_read_twice_seals_nothing_twice(database: Database, tmp_path: Path) -> None:
    await write(tmp_path, deed(1, "listen", agent="1001"), deed(2, "barge", agent="1001"))
    await drainer(database, tmp_path).drain()
    await drainer(database, tmp_path, "hl2").drain()
    assert [entry.act.action for entry in await sealed(database)] == ["supervise.listen", "supervise.barge"]


async def test_what_agents_do_themselves_is_not_sealed(database: Database, tmp_path: Path) -> None:
    await write(tmp_path, deed(1, "pause", agent="1001"), Fact("F2", Kind.WAITING, CALL, AT, {"what": "listen"}))
    await drainer(database, tmp_path).drain()
    assert await sealed(database) == []


async def test_a_deed_while_the_database_is_gone_is_sealed_when_it_is_back(database_url: str, tmp_path: Path) -> None:
    opened = open_database(database_url)
    await write(tmp_path / "journal", deed(1, "close-group", group="market"))
    with pytest.raises((DatabaseError, SQLAlchemyError)):
        await drainer(opened, tmp_path / "journal").step()
    await upgrade(database_url)
    await drainer(opened, tmp_path / "journal").drain()
    assert [entry.act.subject for entry in await sealed(opened)] == ["关闭技能组 market"]
    await opened.close()


async def test_texts_longer_than_the_audit_holds_cost_neither_fact_nor_entry(
    database: Database, tmp_path: Path
) -> None:
    await write(tmp_path, deed(1, "force-pause", agent="1" * 300, by="长" * 80, reason="因" * 900))
    state = drainer(database, tmp_path)
    await state.drain()
    (entry,) = await sealed(database)
    assert (len(entry.actor.name), len(entry.act.subject), len(entry.act.reason)) == (60, 200, 500)
    assert state.state.rejected == 0
