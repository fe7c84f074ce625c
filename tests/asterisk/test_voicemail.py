"""留言 on a real switch: recorded, listed, heard on a seat's phone, closed; and never lost."""

from __future__ import annotations

import signal
import wave
from array import array
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from ledger.model import Kind
from phones.phone import PhoneCall
from phones.tones import similarity, tone_share
from routing.model import MessagePolicy, Table, WaitingAction, WaitingNews
from tests.asterisk.support.scene import Scene, scene, soon, until

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

NO_PROMPT = "12320"
CITIZEN_HZ = 440
RATE = 8000
SPOKEN_SECONDS = 3.0


def edited(table: Table) -> Table:
    return replace(
        table,
        waiting_keys={"2": WaitingAction.MESSAGE},
        waiting_news=WaitingNews(first_seconds=0),
        message=MessagePolicy(hours=24, longest_seconds=20, silence_seconds=2),
    )


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited, wait_slice_seconds=2) as here:
        yield here


async def speaking(here: Scene, caller: str, tone_hz: float | None = CITIZEN_HZ) -> PhoneCall:
    """A citizen who waits, presses 2, and has been asked to speak."""
    call = await here.hotline.citizen().call(NO_PROMPT, caller=caller, tone_hz=tone_hz)
    await here.fact(caller, Kind.WAITING)
    await call.send_digits("2")
    await soon(lambda: here.heard(call, "message-ask") > 0.8, "the caller to be asked to speak", 15)
    return call


async def spoken(here: Scene, call: PhoneCall) -> None:
    """Until more than long enough a message must have been recorded."""
    began = call._phone.now
    await soon(lambda: call._phone.now - began > SPOKEN_SECONDS, "the speech")


async def listed(here: Scene, caller: str) -> list[dict[str, Any]]:
    rows = (await here.hotline.ask("/api/messages"))["messages"]
    return [row for row in rows if row["caller"] == f"{caller[:3]}****{caller[-4:]}"]


async def told(here: Scene, caller: str) -> dict[str, Any]:
    async def there() -> bool:
        return bool(await listed(here, caller))

    await until(there, f"the message of {caller} to be listed")
    (row,) = await listed(here, caller)
    return row


def sound_of(here: Scene, row: dict[str, Any]) -> array[int]:
    (path,) = here.hotline.plan.messages.rglob(f"{row['id']}.wav")
    with wave.open(str(path)) as file:
        return array("h", file.readframes(file.getnframes()))


async def test_a_message_is_recorded_heard_on_a_seats_phone_and_closed(here: Scene) -> None:
    call = await speaking(here, "13600004001")
    await spoken(here, call)
    await call.send_digits("#")
    await call.ended(20)
    assert here.heard(call, "message-kept") > 0.8
    row = await told(here, "13600004001")
    assert (row["line"], row["group"], row["overdue"], row["closed_at"]) == (NO_PROMPT, "general", False, None)
    assert tone_share(sound_of(here, row), CITIZEN_HZ) > 0.8
    seat = await here.hotline.seat("8001")
    status, said = await here.hotline.hotline("messages", "play", row["id"], "--seat", "8001")
    assert status == 0, said
    played = await seat.wait_talking(10)
    await played.ended(20)
    assert tone_share(played.heard.pcm(), CITIZEN_HZ) > 0.5
    status, said = await here.hotline.hotline("messages", "list")
    assert "136****4001" in said
    assert "超时" not in said
    status, said = await here.hotline.hotline("messages", "close", row["id"], "--agent", "1001", "--note", "已答复")
    assert status == 0, said
    (row,) = await listed(here, "13600004001")
    assert (row["closed_by"], row["note"]) == ("1001", "已答复")
    status, said = await here.hotline.hotline("messages", "close", row["id"], "--agent", "1002", "--note", "再来")
    assert (status, "1001 办结" in said) == (1, True)


async def test_who_hangs_up_while_speaking_has_left_a_message(here: Scene) -> None:
    call = await speaking(here, "13600004101")
    await spoken(here, call)
    await call.hang_up()
    row = await told(here, "13600004101")
    assert tone_share(sound_of(here, row), CITIZEN_HZ) > 0.8
    assert row["seconds"] >= SPOKEN_SECONDS - 1


async def test_who_says_nothing_waits_on_at_its_place(here: Scene) -> None:
    call = await speaking(here, "13600004201", tone_hz=None)
    head = here.prompt("message-empty")[: RATE // 2]
    await soon(lambda: similarity(call.heard.pcm(), head) > 0.8, "the caller to be told that nothing was heard", 15)
    (waiting,) = (await here.hotline.ask("/api/queues"))["calls"]
    record = await here.record("13600004201")
    assert record is not None
    assert (waiting["call"], waiting["phase"]) == (record.call, "waiting")
    assert await listed(here, "13600004201") == []
    await call.hang_up()


async def test_a_message_that_no_engine_heard_of_is_found_at_the_next_start(here: Scene) -> None:
    call = await speaking(here, "13600004301")
    await here.hotline.signal_engine(signal.SIGKILL)
    await spoken(here, call)
    await call.hang_up()
    hung_up = call._phone.now
    await soon(lambda: call._phone.now - hung_up > 2.5, "the file to be finished")
    await here.hotline.start_engine()
    row = await told(here, "13600004301")
    assert tone_share(sound_of(here, row), CITIZEN_HZ) > 0.8
