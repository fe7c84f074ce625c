"""A department's feed of a running hotline: real calls, fetched and pushed, with the engine killed between."""

from __future__ import annotations

import json
import signal
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer

from docs.feed_client import Chain
from docs.receiver import Receiver as Reference
from docs.receiver import application
from tests.asterisk.support.scene import Scene, scene, until

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(lambda table: table) as made:
        yield made


async def command(city: Scene, *words: str) -> str:
    status, said = await city.hotline.hotline(*words)
    assert status == 0, said
    return said


async def fetched(city: Scene, token: str, chain: Chain) -> list[dict[str, Any]]:
    """What is new, checked as a department checks it."""
    home = f"http://127.0.0.1:{city.hotline.settings.http_port}"
    new: list[dict[str, Any]] = []
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        while True:
            async with session.get(f"{home}/api/feed", params={"after": chain.cursor, "limit": "2"}) as answer:
                assert answer.status == 200, await answer.text()
                page = await answer.json()
            new += [record for record in page["records"] if chain.take(record)]
            if not page["more"]:
                assert page["head"] == {"seq": chain.seq, "hash": chain.head}
                return new


async def gives_up(city: Scene, number: str) -> str:
    """A citizen calls, waits a moment and hangs up; the caller's number."""
    call = await city.hotline.citizen().call(number)
    await until(lambda: _known(city, call.caller), f"the ledger to know {call.caller}")
    await call.hang_up()
    await city.told(call.caller)
    return call.caller


async def _known(city: Scene, caller: str) -> bool:
    return await city.record(caller) is not None


async def test_what_a_department_fetches_is_what_it_is_pushed_though_the_engine_is_killed(city: Scene) -> None:
    taker = Reference("")
    async with TestServer(application(taker)) as server:
        url = str(server.make_url("/"))
        scope = ("--name", "市场监管局", "--what", "calls", "--what", "days", "--number", "12315", "--reason", "测试")
        await command(city, "feeds", "add", "market", *scope)
        await command(city, "feeds", "add", "market-push", *scope, "--url", url)
        taker._secret = (await command(city, "feeds", "key", "market-push")).strip().encode()
        made = await command(
            city, "users", "client-add", "市监取数", "--right", "feed.read", "--json", "--reason", "测试"
        )
        token = json.loads(made)["token"]
        await command(city, "feeds", "link", "market", token.removeprefix("hl_").partition(".")[0], "--reason", "测试")

        callers = [await gives_up(city, "12315"), await gives_up(city, "12315")]
        await gives_up(city, "12333")
        await city.hotline.signal_engine(signal.SIGKILL)
        await city.hotline.start_engine()
        callers.append(await gives_up(city, "12315"))

        chain = Chain()

        async def all_fetched() -> bool:
            await fetched(city, token, chain)
            return chain.seq >= 3

        async def all_pushed() -> bool:
            return len(taker.taken) >= 3

        await until(all_fetched, "three records to be fetched", 40)
        await until(all_pushed, "three records to be pushed", 40)
    pushed = Chain()
    assert all(pushed.take(record) for record in taker.taken.values()), "in order, each once"
    assert pushed.bodies == chain.bodies
    assert [body["number"] for body in chain.bodies] == ["12315"] * 3
    assert len({body["call"] for body in chain.bodies}) == 3
    assert all(body["caller"].startswith(caller[:2]) and "****" in body["caller"]
               for body, caller in zip(chain.bodies, callers, strict=True))  # fmt: skip
    assert "完整：3 条" in await command(city, "feeds", "verify", "market")


async def test_a_token_of_nobody_s_subscription_sees_nothing(city: Scene) -> None:
    made = await command(city, "users", "client-add", "别的程序", "--right", "feed.read", "--json", "--reason", "测试")
    home = f"http://127.0.0.1:{city.hotline.settings.http_port}"
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {json.loads(made)['token']}"}) as session:
        for query in ("", "?subscription=market"):
            async with session.get(f"{home}/api/feed{query}") as answer:
                assert answer.status == 404
