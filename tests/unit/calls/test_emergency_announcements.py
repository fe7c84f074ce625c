"""What a supervisor raises to all callers: at once, once to each, and for longer than the process lives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from calls.emergency_announcements import FILE, Announcements
from ivr.model import Script
from ivr.ports import Queued
from ledger.model import Kind
from queues.model import NotAllowed
from tests.support.engine_harness import House

pytestmark = pytest.mark.unit

PROMPT = "announcement-disaster"


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    yield made
    await made.queues.stop()


def board(house: House, folder: Path) -> Announcements:
    made = Announcements(folder, lambda: house.table, house.calls)
    made.load()
    house.desk._raised = made.prompts
    return made


def news(house: House, serial: int = 1, **more: str) -> tuple[str, ...]:
    place = house.desk.place(house.question(Script.WAITING, serial, **more))
    assert isinstance(place, Queued)
    return place.news


async def test_a_new_caller_hears_it_at_entry_and_one_who_waits_hears_it_once(house: House, tmp_path: Path) -> None:
    raised = board(house, tmp_path)
    house.desk.place(house.question(Script.OFFER))
    assert news(house) == ()
    await raised.start("disaster", "班长", "台风")
    assert news(house, key="4") == (), "an answer to a key is not mixed with it"
    assert news(house) == (PROMPT,)
    assert news(house) == ()
    decision = house.desk.route(house.question(Script.ENTER, 2, number="12345"))
    assert decision.prompts == ("greeting-12345", PROMPT)
    house.desk.place(house.question(Script.OFFER, 2))
    assert news(house, 2) == (), "it was heard at entry"
    assert house.desk.route(house.question(Script.ENTER, 3, number="0663110")).prompts == ()
    await raised.stop("disaster", "班长", "解除")
    assert house.desk.route(house.question(Script.ENTER, 4, number="12345")).prompts == ("greeting-12345",)
    deeds = [(deed["what"], deed["by"], deed["to"], deed["reason"]) for deed in house.ledger.of(Kind.OPERATOR_ACTION)]
    assert deeds == [("announce", "班长", "disaster", "台风"), ("announce-end", "班长", "disaster", "解除")]


async def test_it_survives_a_restart_and_is_not_said_without_its_row(house: House, tmp_path: Path) -> None:
    await board(house, tmp_path).start("disaster", "班长", "台风")
    again = board(house, tmp_path)
    assert again.prompts() == (PROMPT,)
    (row, _) = again.told()
    assert (row["id"], row["raised"]["by"], row["raised"]["reason"]) == ("disaster", "班长", "台风")
    house.table = type(house.table)(
        **{
            **{name: getattr(house.table, name) for name in house.table.__dataclass_fields__},
            "announcements": {},
        }
    )
    assert again.prompts() == ()
    assert again.told()[0]["in_table"] is False


async def test_what_cannot_be_is_refused_with_what_to_do(house: House, tmp_path: Path) -> None:
    raised = board(house, tmp_path)
    with pytest.raises(NotAllowed, match="disaster、power"):
        await raised.start("nothing", "班长", "x")
    with pytest.raises(NotAllowed, match="没有在播"):
        await raised.stop("disaster", "班长", "x")
    both = await asyncio.gather(*(raised.start("disaster", "班长", "x") for _ in range(2)), return_exceptions=True)
    assert [type(one) for one in both] == [type(None), NotAllowed], "one command of two at once wins"


async def test_a_full_disk_changes_nothing_and_a_broken_file_stops_no_start(house: House, tmp_path: Path) -> None:
    raised = board(house, tmp_path / "gone")
    with pytest.raises(NotAllowed, match="检查磁盘"):
        await raised.start("disaster", "班长", "x")
    assert raised.prompts() == ()
    (tmp_path / FILE).write_text("[{")
    assert board(house, tmp_path).prompts() == ()
