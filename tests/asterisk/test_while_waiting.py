"""While a citizen waits: announcements that an agent cuts off, keys that act at any moment."""

from __future__ import annotations

from array import array
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from ledger.model import Kind
from phones.phone import PhoneCall
from phones.tones import similarity
from routing.model import SelfService, Table, WaitingNews
from tests.asterisk.support.scene import Scene, begins, hears, scene, soon, with_groups

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

RATE = 8000
NO_PROMPT = "12320"
"""A number whose transition has not begun: no prompt, so that callers stand in line at once."""
BREATH_SECONDS = 0.5
"""Enough of a prompt to know which one it is."""


def edited(table: Table) -> Table:
    node = SelfService("5", "社保卡办理", "办理社保卡，请带本人身份证到就近的社保窗口，当场就可以领取。")
    news = WaitingNews(first_seconds=2, every_seconds=20)
    return replace(with_groups(table), waiting_news=news, self_service=(node,))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited, wait_slice_seconds=2) as here:
        yield here


def head(prompt: array[int], seconds: float = BREATH_SECONDS) -> array[int]:
    return prompt[: round(seconds * RATE)]


def tail(prompt: array[int], seconds: float = 1.0) -> array[int]:
    return prompt[-round(seconds * RATE) :]


async def announced(here: Scene, call: PhoneCall, prompt: str) -> float:
    """Wait until the caller has heard the beginning of this prompt; the moment of hearing."""
    await begins(here, call, prompt)
    return call._phone.now


async def test_an_offer_cuts_an_announcement_off_in_the_middle_of_a_word(here: Scene) -> None:
    seat = await here.agent("1001", "8001")
    await here.hotline.ask("/api/agents/1001/pause", {"reason": "小休"})
    call = await here.hotline.citizen().call(NO_PROMPT, caller="13600002001")
    await announced(here, call, "position-1")
    freed_at = call._phone.now
    await here.hotline.ask("/api/agents/1001/ready", {})
    talk = await seat.wait_talking(5)
    await soon(lambda: hears(call, 880, talk.answered_at or 0, call._phone.now) > 0.5, "the agent to be heard")
    prompt = here.prompt("position-1")
    rang_after = talk.started_at - freed_at
    assert rang_after < len(prompt) / RATE - BREATH_SECONDS, "the phone rang while words were left to be said"
    assert similarity(call.heard.pcm(), head(prompt)) > 0.8
    assert similarity(call.heard.pcm(), tail(prompt)) < 0.5, "the rest was not said"
    await call.hang_up()


async def test_a_key_acts_in_the_middle_of_an_announcement_and_an_unknown_one_does_nothing(here: Scene) -> None:
    call = await here.hotline.citizen().call(NO_PROMPT, caller="13600002101")
    await announced(here, call, "position-1")
    await call.send_digits("4")
    await announced(here, call, "waiting-keys")
    assert here.heard(call, "position-1") > 0.8, "key 4 means nothing and cuts nothing off"
    await call.send_digits("9")
    await announced(here, call, "urgent-noted")
    assert similarity(call.heard.pcm(), tail(here.prompt("waiting-keys"))) < 0.5, "key 9 cut the announcement off"
    await here.fact("13600002101", Kind.WAITING, priority=5)
    await call.hang_up()


@pytest.mark.parametrize(
    ("key", "answer"),
    [("1", "callback-number-is"), ("2", "message-ask")],
    ids=["callback", "message"],
)
async def test_every_other_waiting_key_acts_in_the_middle_of_an_announcement_too(
    here: Scene, key: str, answer: str
) -> None:
    call = await here.hotline.citizen().call(NO_PROMPT, caller=f"1360000215{key}")
    await announced(here, call, "waiting-keys")
    await call.send_digits(key)
    await announced(here, call, answer)
    assert similarity(call.heard.pcm(), tail(here.prompt("waiting-keys"))) < 0.5, "the key cut the announcement off"
    await call.hang_up()


async def test_a_key_of_self_service_speaks_and_an_agent_who_becomes_free_cuts_it_off(here: Scene) -> None:
    call = await here.hotline.citizen().call(NO_PROMPT, caller="13600002171")
    before = await here.fact("13600002171", Kind.WAITING)
    await announced(here, call, "waiting-keys")
    await call.send_digits("5")
    await announced(here, call, "self-service-5")
    seat = await here.agent("1001", "8001")
    talk = await seat.wait_talking(10)
    assert talk.caller == "13600002171", "still in line"
    assert similarity(call.heard.pcm(), tail(here.prompt("self-service-5"))) < 0.5, "the agent cut it off"
    offered = await here.fact("13600002171", Kind.OFFERED)
    assert offered.at > before.at
    await call.hang_up()
    await talk.ended()


async def test_a_key_acts_during_the_music_and_the_urgent_caller_is_served_first(here: Scene) -> None:
    patient = await here.hotline.citizen().call(NO_PROMPT, caller="13600002201")
    await here.fact("13600002201", Kind.WAITING)
    urgent = await here.hotline.citizen().call(NO_PROMPT, caller="13600002202")
    await here.fact("13600002202", Kind.WAITING)
    await urgent.send_digits("4")
    await urgent.send_digits("9")
    await here.fact("13600002202", Kind.WAITING, priority=5)
    seat = await here.agent("1001", "8001")
    talk = await seat.wait_talking(5)
    assert talk.caller == "13600002202"
    await urgent.hang_up()
    await talk.ended()
    assert (await seat.wait_talking(10)).caller == "13600002201"
    await patient.hang_up()
