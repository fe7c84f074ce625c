"""Publishing while calls run: the real engine and the real Asterisk take a version whole, or keep the one they have."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from cli.routing_backend import PUBLISH_SECONDS
from ledger.model import Kind
from phones.centre import Centre
from phones.g711 import decode
from phones.tones import similarity
from tests.asterisk.support.product import Product, product, until
from tests.asterisk.support.scene import asked_to_rate

pytestmark = [pytest.mark.asterisk, pytest.mark.timeout(300)]


async def edit(hotline: Product, key: str, fields: dict[str, Any] | None, kind: str = "numbers") -> None:
    edits = [{"kind": kind, "key": key, "fields": fields}]
    await hotline.ask("/api/routing/draft", {"edits": edits, "by": "测试"})


async def publish(hotline: Product, reason: str = "试") -> Any:
    """With prompts to speak it takes as long as the command waits."""
    told = {"reason": reason, "by": "测试"}
    return await hotline.ask("/api/routing/publish", told, seconds=PUBLISH_SECONDS)


async def version(hotline: Product) -> int:
    return int((await hotline.ask("/api/status"))["table_version"])


@pytest.mark.smoke
async def test_a_published_trunk_seat_and_group_are_on_the_switch_at_once_and_gone_when_rolled_back(
    hotline: Product,
) -> None:
    seat = await hotline.seat("8001", "1001")
    trunk = {"role": "subcentre", "number": "12300", "host": "127.0.0.1", "port": 15300, "name": "新分中心"}
    await edit(hotline, "subcentre-new", trunk, "trunks")
    await edit(hotline, "night", {"name": "夜班"}, "groups")
    await edit(hotline, "8050", {}, "seats")
    told = await publish(hotline)
    assert told["version"] == 2
    assert "sip:127.0.0.1:15300" in await hotline.cli("pjsip show aor subcentre-new")
    assert "group-night has" in await hotline.cli("queue show group-night")
    assert "8050" in await hotline.cli("pjsip show endpoint 8050")
    assert await hotline.seat_is("8001", "ready")  # a publish logs nobody out
    assert "PJSIP/8001" in await hotline.cli("queue show duty")
    status, said = await hotline.hotline("routing", "rollback", "1", "--reason", "退回", "--as", "张三")
    assert status == 0, said
    assert "已发布版本 3" in said

    async def gone() -> bool:
        return "Unable to find" in await hotline.cli("pjsip show endpoint 8050")

    await until(gone, "what only the undone version had to be gone from the switch")
    assert await hotline.seat_is("8001", "ready")
    await seat.close()


async def test_calls_that_are_up_keep_the_version_they_started_with(hotline: Product) -> None:
    seats = [await hotline.seat("8001", "1001"), await hotline.seat("8002", "1002")]
    early = await hotline.citizen().call("12333")
    await seats[0].wait_talking(20)
    await edit(hotline, "5", {"value": 1}, "rating_keys")
    await edit(hotline, "12333", {"group": "general", "mode": "dual"})
    assert (await publish(hotline))["version"] == 2
    assert await version(hotline) == 2
    late = await hotline.citizen().call("12333")
    await seats[1].wait_talking(20)
    for seat, call in zip(seats, (early, late), strict=True):
        await seat.hang_up()
        await asked_to_rate(hotline, call)
        await call.send_digits("5")
        await call.ended(20)

    async def told() -> bool:
        return sum(record.ended_at is not None for record in await hotline.calls()) == 2

    await until(told, "both calls to be told")
    second, first = await hotline.calls()
    assert [record.rating_level for record in (first, second)] == [5, 1]
    entered = [(await hotline.facts(record.call))[0].data for record in (first, second)]
    assert [(data["version"], data["mode"], data["group"]) for data in entered] == [
        (1, "full", "social-security"), (2, "dual", "general"),
    ]  # fmt: skip


async def test_what_the_switch_cannot_take_is_not_published(hotline: Product) -> None:
    await edit(hotline, "night", {"name": "夜班"}, "groups")
    await hotline.kill_switch()

    async def unlinked() -> bool:
        return not (await hotline.ask("/api/status"))["healthy"]

    await until(unlinked, "the engine to miss Asterisk")
    status, said = await hotline.hotline("routing", "publish", "--reason", "试")
    assert status == 1
    assert "Asterisk 没有连上" in said
    assert await version(hotline) == 1
    await edit(hotline, "12315", {"note": "不涉及 Asterisk"})
    await edit(hotline, "night", None, "groups")
    assert (await publish(hotline))["version"] == 2  # numbers alone need no switch


async def test_published_without_an_engine_is_taken_up_at_its_start(home: Path) -> None:
    async with product(home) as hotline:
        await hotline.signal_engine(signal.SIGKILL)
        status, said = await hotline.hotline("routing", "set", "groups.night", "name=夜班")
        assert status == 0, said
        status, said = await hotline.hotline("routing", "publish", "--reason", "引擎不在", "--as", "张三")
        assert status == 0, said
        assert "热线没有在运行" in said
        await hotline.start_engine()
        assert await version(hotline) == 2

        async def there() -> bool:
            return "group-night has" in await hotline.cli("queue show group-night")

        await until(there, "the new group on the switch")
        status, said = await hotline.hotline("audit", "verify")
        assert status == 0, said
        _, said = await hotline.hotline("audit", "list")
        assert "张三（命令行" in said
        assert "引擎不在" in said


async def test_a_partner_that_is_new_in_a_publish_is_reached_without_a_restart_and_its_health_is_shown(
    hotline: Product,
) -> None:
    seat = await hotline.seat("8001", "1001")
    port = hotline.table.trunks["utility-water"].port
    trunk = {"role": "utility", "number": "15209", "host": "127.0.0.1", "port": port + 1, "name": "供热"}
    await edit(hotline, "utility-heat", trunk, "trunks")
    row = {"name": "供热", "key": "709", "trunks": ["utility-heat"], "ring_seconds": 20, "schedule": ""}
    await edit(hotline, "heat", row, "partners")
    call = await hotline.citizen().call("12345")
    await seat.wait_talking(20)
    await seat.hang_up()
    await call.hang_up()
    heat = Centre(port + 1)
    hotline._phones.append(heat)
    await heat.open()
    await publish(hotline)
    call = await hotline.citizen().call("12345")
    talk = await seat.wait_talking(20)
    await talk.send_digits("*709")
    await heat.wait_talking(20)
    await call.hang_up()

    async def up(expected: bool) -> bool:
        now = await hotline.ask("/api/status")
        alarm = next((one for one in now["alarms"] if one["alarm"] == "trunk-utility-heat"), None)
        told = any(row["trunk"] == "utility-heat" and row["up"] is expected for row in now["partners"])
        return told and (alarm is not None and not alarm["grave"]) is not expected

    await until(lambda: up(True), "the new trunk to be known as up", 30)
    await heat.close()
    await until(lambda: up(False), "the alarm, within 30 s", 30)
    _, said = await hotline.hotline("status")
    assert "供热（709）  供热 不通" in said
    assert (await hotline.ask("/api/status"))["healthy"]


async def test_a_prompt_that_a_publish_adds_is_heard_at_once_and_one_without_sound_is_told_of(
    hotline: Product,
) -> None:
    row = {
        "name": "试验", "mode": "full", "group": "general", "prompt": "legacy-12351-during",
        "prompt_after": "legacy-12351-after", "first_day": "2020-01-01", "last_day": "2090-12-31",
    }  # fmt: skip
    await edit(hotline, "12351", row)
    status, said = await hotline.hotline("routing", "publish", "--reason", "试", "--as", "测试")  # waits for the voices
    assert status == 0, said
    line = hotline.plan.sounds / "zh-CN" / "legacy-12351-during.alaw"
    new = decode(line.read_bytes())[:4000]
    call = await hotline.citizen().call("12351")
    await until(lambda: _true(similarity(call.heard.pcm(), new) > 0.8), "the new prompt to be heard")
    await call.hang_up()
    line.unlink()  # lost behind the engine's back: Asterisk says so, the story too, and the call goes on
    again = await hotline.citizen().call("12351")

    async def told() -> bool:
        records = await hotline.calls()
        kinds = [[one.kind for one in await hotline.facts(record.call)] for record in records]
        return sum(Kind.UNPLAYED in each for each in kinds) == 1

    await until(told, "the second call's story to say what was not heard")
    alarms = (await hotline.ask("/api/status"))["alarms"]
    assert any(one["alarm"] == "prompts-missing" and "legacy-12351-during" in one["text"] for one in alarms)
    await again.hang_up()


async def _true(value: bool) -> bool:
    return value
