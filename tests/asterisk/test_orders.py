"""应急工单 on a real switch: dispatched to a data interface and to duty phones, taken or escalated on a clock."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession, web

from docs.receiver import Receiver as Reference
from ledger.model import Kind
from ledger.push_rules import secret_of, signature
from orders.serialisation import target_of
from phones.centre import Centre
from phones.phone import Answer, Behaviour, PhoneCall, Refuse, RingForEver
from routing.model import Department, OrderType, Table
from tests.asterisk.support.product import reserved_ports
from tests.asterisk.support.scene import Scene, scene, soon, until, with_groups

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

LINE = "12320"
FIRST, SECOND, OFFICE = "06638760001", "06638760002", "06638760009"
LONG_SECONDS, SHORT_SECONDS = 600, 10

(PORT,) = reserved_ports(1, socket.SOCK_STREAM)


def edited(table: Table) -> Table:
    return replace(
        with_groups(table),
        departments=(
            Department("water", "供水", (FIRST, SECOND), rounds=1),
            Department("office", "值班室", (OFFICE,), rounds=1),
            Department("net", "网上部门", url=f"http://127.0.0.1:{PORT}/orders"),
            Department("both", "网和电话", (FIRST,), f"http://127.0.0.1:{PORT}/orders", 9),
        ),
        order_types=(
            OrderType("outage", "供水中断", ("water", "office"), LONG_SECONDS),
            OrderType("online", "火灾隐患", ("net", "both"), SHORT_SECONDS),
        ),
    )


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def city() -> AsyncIterator[Scene]:
    async with scene(edited, duty_ring_seconds=5) as here:
        await read(here)
        yield here


@pytest_asyncio.fixture(loop_scope="module")
async def duty(here: Scene) -> Centre:
    """All duty phones: the public network's side of our trunk."""
    return await here.hotline.centre("pstn")


def behave(duty: Centre, **phones: Behaviour) -> None:
    """What each telephone does: FIRST, SECOND or OFFICE; the others ring for ever."""
    by_number = {globals()[name]: behaviour for name, behaviour in phones.items()}
    duty.behaves = lambda call: by_number.get(call.dialled, RingForEver())


async def call_from(here: Scene, caller: str) -> str:
    """A citizen who waits; the id of the call."""
    await here.hotline.citizen().call(LINE, caller=caller)
    await here.fact(caller, Kind.WAITING)
    record = await here.record(caller)
    assert record is not None
    return record.call


async def raised(here: Scene, caller: str, kind: str = "outage", **more: Any) -> dict[str, Any]:
    call = await call_from(here, caller)
    body = {"type": kind, "place": "东山路", "summary": "停水", "by": "1001", **more}
    told: dict[str, Any] = await here.hotline.ask(f"/api/calls/{call}/orders", body)
    return told


async def order(here: Scene, number: str) -> dict[str, Any]:
    told: dict[str, Any] = await here.hotline.ask(f"/api/orders/{number}")
    return told


async def becomes(here: Scene, number: str, state: str, seconds: float = 40) -> dict[str, Any]:
    async def so() -> bool:
        return bool((await order(here, number))["state"] == state)

    await until(so, f"order {number} to be {state}", seconds)
    return await order(here, number)


async def steps(here: Scene, number: str) -> list[str]:
    told = await order(here, number)
    facts = await here.hotline.facts(told["call"])
    return [str(fact.data["what"]) for fact in facts if fact.kind is Kind.ORDER]


async def hears(here: Scene, call: PhoneCall, prompt: str, seconds: float = 30) -> None:
    await soon(lambda: here.heard(call, prompt) > 0.75, f"{prompt} to be heard", seconds)


async def read(here: Scene) -> None:
    """Wait until the engine has read what the one before it knew."""

    async def loaded() -> bool:
        return bool((await here.hotline.ask("/api/orders"))["loaded"])

    await until(loaded, "the orders of before to be read")


async def over(here: Scene, number: str) -> None:
    await here.hotline.ask(f"/api/orders/{number}/close", {"reason": "试验结束"})


@pytest.mark.smoke
async def test_a_duty_phone_hears_the_order_and_takes_it_by_a_key(here: Scene, duty: Centre) -> None:
    behave(duty, FIRST=Answer())
    told = await raised(here, "13600007001")
    assert told["number"].startswith(f"hl1-{time.strftime('%Y')}")
    rung = await duty.called(20)
    assert (rung.dialled, rung.caller) == (FIRST, "12345")
    await hears(here, rung, "order-type-outage")
    spoken = here.hotline.settings.data_dir / "orders" / f"{told['number']}.alaw"
    assert spoken.stat().st_size > 8000 * 3, "number, place and summary are spoken"
    await hears(here, rung, "order-ask")
    await rung.send_digits("1")
    taken = await becomes(here, told["number"], "acknowledged")
    assert (taken["acknowledged_by"], taken["acknowledged_how"]) == ("water", "phone-key")
    await hears(here, rung, "order-taken")
    await rung.ended(20)
    assert await steps(here, told["number"]) == ["raised", "dialling", "acknowledged"]
    assert len(duty.calls) == 1
    day = "/".join((told["number"][4:8], told["number"][8:10], told["number"][10:12]))
    page = here.hotline.settings.data_dir / "orders" / day / f"{told['number']}.html"
    await soon(lambda: "供水（值班电话按键" in page.read_text(encoding="utf-8"), "the sheet to say who has taken it")
    await over(here, told["number"])
    await soon(lambda: not spoken.exists(), "the sound to be gone")


async def test_no_answer_then_answered_and_silent_then_the_next_department(here: Scene, duty: Centre) -> None:
    behave(duty, SECOND=Answer(hang_up_after=1), OFFICE=Answer())
    told = await raised(here, "13600007002")
    assert [(await duty.called(25)).dialled for _ in range(2)] == [FIRST, SECOND]
    office = await duty.called(25)
    assert office.dialled == OFFICE
    await hears(here, office, "order-type-outage")
    await office.send_digits("1")
    taken = await becomes(here, told["number"], "acknowledged")
    assert taken["acknowledged_by"] == "office"
    happened = await steps(here, told["number"])
    assert happened == [
        "raised", "dialling", "not-taken", "dialling", "not-taken", "escalated", "dialling", "acknowledged",
    ]  # fmt: skip
    facts = await here.hotline.facts(told["call"])
    assert [fact.data["reason"] for fact in facts if fact.data.get("what") == "not-taken"] == ["no-answer", "silent"]
    status, story = await here.hotline.hotline("calls", "show", told["call"])
    assert status == 0
    assert "逾时未签收，再派给值班室" in story
    assert "东山路" not in story
    await over(here, told["number"])


async def test_a_phone_that_is_answered_and_left_silent_is_given_up_for_the_next(here: Scene, duty: Centre) -> None:
    behave(duty, FIRST=Answer(), SECOND=Answer())
    told = await raised(here, "13600007003")
    machine = await duty.called(20)
    await machine.ended(90)
    assert here.heard(machine, "order-not-taken") > 0.7
    second = await duty.called(20)
    assert second.dialled == SECOND
    await hears(here, second, "order-type-outage")
    await second.send_digits("1")
    await becomes(here, told["number"], "acknowledged")
    await over(here, told["number"])


async def test_nobody_at_all_is_a_supervisors_alarm_until_somebody_says_who_has_it(here: Scene, duty: Centre) -> None:
    behave(duty, FIRST=Refuse(486), SECOND=Refuse(486), OFFICE=Refuse(486))
    told = await raised(here, "13600007004")
    await becomes(here, told["number"], "unanswered")
    assert [call.dialled for call in duty.calls] == [FIRST, SECOND, OFFICE]
    now = await here.hotline.ask("/api/status")
    assert any(told["number"] in fault and "无人签收" in fault for fault in now["faults"])
    status, said = await here.hotline.hotline("orders", "list")
    assert (status, told["number"] in said, "136" in said) == (1, True, False)
    status, said = await here.hotline.hotline(
        "orders", "acknowledge", told["number"], "--department", "office", "--who", "王科长", "--as", "1010"
    )
    assert (status, "人工登记" in said) == (0, True)
    assert not (await here.hotline.ask("/api/status"))["faults"]
    number, page = told["number"], here.hotline.settings.data_dir / "page.html"
    for asked, says in (
        (("update", number, "--summary", "已停水两小时"), "已停水两小时"),
        (("show", number), "136****7004"),
        (("print", number, "--out", str(page)), "已写到"),
        (("close", number, "--reason", "已修复", "--as", "1010"), "1010：已修复"),
        (("list",), "没有未办结的工单"),
        (("key", "net"), secret(here, "net")),
    ):
        status, said = await here.hotline.hotline("orders", *asked)
        assert (status, says in said) == (0, True), said
    assert "13600007004" in page.read_text(encoding="utf-8")

    async def sealed() -> bool:  # once the journal has been drained
        status, said = await here.hotline.hotline("audit", "list")
        return (status, f"办结应急工单 {number}" in said) == (0, True)

    await until(sealed, "the audit to tell of all that people did")


async def test_raised_twice_is_raised_once_and_numbers_have_no_gaps(here: Scene, duty: Centre) -> None:
    behave(duty, FIRST=Answer())
    call = await call_from(here, "13600007005")
    asked = ["orders", "raise", call, "--type", "outage", "--place", "东山路", "--summary", "停水", "--json"]
    told = [json.loads(said) for _, said in [await here.hotline.hotline(*asked) for _ in range(2)]]
    assert [one["new"] for one in told] == [True, False]
    assert told[0]["number"] == told[1]["number"]
    further = await raised(here, "13600007006", key="another-1")
    serials = [int(number.rpartition("-")[2]) for number in (told[0]["number"], further["number"])]
    assert serials[1] == serials[0] + 1
    rung = [await duty.called(20) for _ in range(2)]
    for phone in rung:
        await hears(here, phone, "order-type-outage")
    for number in (told[0]["number"], further["number"]):
        await here.hotline.ask(f"/api/orders/{number}/cancel", {"reason": "误报"})
        assert (await order(here, number))["state"] == "cancelled"
    for phone in rung:  # who is on duty is not kept listening to what nobody wants any more
        await phone.ended(20)
        assert here.heard(phone, "order-ask") < 0.5


async def test_killed_while_the_phone_is_spoken_to_the_key_counts_and_nobody_is_called_twice(
    here: Scene, duty: Centre
) -> None:
    behave(duty, FIRST=Answer())
    told = await raised(here, "13600007007")
    rung = await duty.called(20)
    await hears(here, rung, "order-type-outage")
    await here.hotline.signal_engine(signal.SIGKILL)
    await hears(here, rung, "order-ask")
    await rung.send_digits("1")
    await hears(here, rung, "order-taken")
    await rung.ended(20)
    await here.hotline.start_engine()
    await read(here)
    taken = await becomes(here, told["number"], "acknowledged")
    assert (taken["acknowledged_by"], taken["attempts"]) == ("water", 1)
    assert len(duty.calls) == 1
    await over(here, told["number"])


async def test_killed_while_the_phone_rings_it_is_called_once_and_the_clock_goes_on(here: Scene, duty: Centre) -> None:
    behave(duty, SECOND=Answer())
    told = await raised(here, "13600007008")
    assert (await duty.called(20)).dialled == FIRST
    await here.hotline.signal_engine(signal.SIGKILL)
    await here.hotline.start_engine()
    await read(here)
    second = await duty.called(30)
    assert second.dialled == SECOND
    await hears(here, second, "order-type-outage")
    await second.send_digits("1")
    await becomes(here, told["number"], "acknowledged")
    assert [call.dialled for call in duty.calls] == [FIRST, SECOND], "each was called once"
    await over(here, told["number"])


class Web:
    """A department's data interface: the reference receiver, with whims."""

    def __init__(self, secret: Callable[[str], str]) -> None:
        self.receivers = {name: Reference(secret(name)) for name in ("net", "both")}
        self.status = 0
        self.asked = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        if self.status == -1:
            await asyncio.sleep(30)
        if self.status > 0:
            return web.Response(status=self.status)
        return await self.receivers[json.loads(await request.read())["department"]].handle(request)

    def taken(self, name: str) -> list[str]:
        return [str(told["what"]) for told in self.receivers[name].taken.values()]


@asynccontextmanager
async def serving(department: Web) -> AsyncIterator[None]:
    app = web.Application()
    app.router.add_post("/orders", department.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", PORT).start()
        yield
    finally:
        await runner.cleanup()


def secret(here: Scene, department: str) -> str:
    return secret_of(here.hotline.credentials.push_secret, target_of(department))


async def sign_for(here: Scene, number: str, department: str, key: str) -> int:
    """What the hotline answers to a department that says: taken."""
    body = json.dumps({"who": "值班员"}, ensure_ascii=False).encode()
    stamp = int(time.time())
    headers = {
        "X-Hotline-Department": department,
        "X-Hotline-Timestamp": str(stamp),
        "X-Hotline-Signature": signature(key, stamp, number, body),
    }
    url = f"http://127.0.0.1:{here.hotline.settings.control_port}/orders/{number}/acknowledge"
    async with ClientSession() as session, session.post(url, data=body, headers=headers) as answer:
        return answer.status


async def test_an_interface_that_refuses_is_slow_is_gone_and_comes_back_and_signs_for_the_order(
    here: Scene, duty: Centre
) -> None:
    behave(duty)
    department = Web(lambda name: secret(here, name))
    department.status = 503
    async with serving(department):
        told = await raised(here, "13600007009", "online")
        await soon(lambda: department.asked >= 1, "the refused push")
        department.status = -1
        await soon(lambda: department.asked >= 2, "the push that is not answered")
    department.status = 0
    escalated = await duty.called(30)  # nobody signed in time: the next level has a telephone, too
    assert escalated.dialled == FIRST
    async with serving(department):
        await here.hotline.ask(f"/api/orders/{told['number']}/update", {"summary": "火势变大", "by": "1001"})
        await soon(lambda: department.taken("net") == ["raised", "updated"], "all to come, in order", 60)
        await soon(lambda: department.taken("both") == ["raised", "updated"], "the next level to be told", 60)
        (first, last) = department.receivers["net"].taken.values()
        assert (first["order"], first["place"], last["summary"]) == (told["number"], "东山路", "火势变大")
        forged = [
            await sign_for(here, told["number"], "net", secret(here, "both")),
            await sign_for(here, told["number"], "nobody", secret(here, "net")),
            await sign_for(here, "hl1-20200101-0001", "net", secret(here, "net")),
        ]
        assert forged == [401, 401, 404]
        for _ in range(2):  # a second time is no second effect
            assert await sign_for(here, told["number"], "net", secret(here, "net")) == 200
        taken = await becomes(here, told["number"], "acknowledged")
        assert (taken["acknowledged_by"], taken["acknowledged_how"]) == ("net", "signature")
        assert await sign_for(here, told["number"], "both", secret(here, "both")) == 409
        await soon(lambda: department.taken("both")[-1] == "acknowledged", "the others to hear that it is taken", 60)
    assert (await steps(here, told["number"])).count("acknowledged") == 1
    await over(here, told["number"])
