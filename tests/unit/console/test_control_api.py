"""The control API: who may ask, what may be asked, and a sentence for everything that may not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from aiohttp.test_utils import TestClient, TestServer

from callbacks.model import RequestOutcome
from callbacks.service import Callbacks
from callbacks.voicemail import Mailbox
from calls.model import DispositionRequest
from calls.switch.resources import Use
from console.control_api import MAX_BODY_BYTES, application
from console.http_json import MAX_WHO
from engine.wiring.orders import steps_of
from ivr.model import Script
from ivr.ports import SupervisorAction
from ledger.drill_report import Drill, DrillAttempt, DrillReport, report
from ledger.drill_workbook import workbook
from ledger.live import Live
from ledger.records import CallRecord
from orders.model import Order
from orders.service import OrderRequest, Orders
from outbound.lost import LostCalls
from outbound.service import OutboundCalls
from queues.acd import Acd
from queues.events import Event, SeatReachable, SeatUnreachable
from queues.model import NotAllowed
from queues.states import AgentState
from routing.calendar import CITY
from routing.drill_trunks import trunks_of
from routing.model import CallbackPolicy, Snapshot, WrapUpCode
from routing.naming import Names, names_of
from routing.tables import Tables
from telephony.model import AgentId, CallId, GroupId, SeatId
from tests.support.engine_harness import House, call_id
from transfers.states import Form, Settlement

pytestmark = pytest.mark.unit

TOKEN = "made-up-token"
ALLOWED = {"Authorization": f"Bearer {TOKEN}"}
ROUTES = [
    ("GET", "/api/status"),
    ("GET", "/api/agents"),
    ("GET", "/api/seats"),
    ("GET", "/api/queues"),
    ("GET", "/api/queues/explain/1001"),
    ("GET", "/api/live"),
    ("GET", "/api/callbacks"),
    ("GET", "/api/messages"),
    ("GET", "/api/orders"),
    ("POST", "/api/orders/hl1-20261122-0001/update"),
    ("POST", "/api/orders/hl1-20261122-0001/acknowledge"),
    ("POST", "/api/orders/hl1-20261122-0001/close"),
    ("POST", "/api/orders/hl1-20261122-0001/cancel"),
    ("POST", "/api/calls/hl1-1795351322.1/orders"),
    ("POST", "/api/agents/1001/sign-in"),
    ("POST", "/api/agents/1001/sign-out"),
    ("POST", "/api/agents/1001/ready"),
    ("POST", "/api/agents/1001/pause"),
    ("POST", "/api/calls/hl1-1795351322.1/transfer"),
    ("POST", "/api/calls/hl1-1795351322.1/note"),
    ("POST", "/api/calls/hl1-1795351322.1/wrap-up"),
    ("POST", "/api/agents/1001/wrap-up"),
    ("POST", "/api/agents/1001/pin"),
    ("POST", "/api/agents/1001/unlock"),
    ("POST", "/api/supervise/listen"),
    ("POST", "/api/supervise/take-over"),
    ("POST", "/api/supervise/force"),
    ("POST", "/api/supervise/move"),
    ("POST", "/api/supervise/close"),
    ("POST", "/api/supervise/open"),
    ("GET", "/api/announcements"),
    ("POST", "/api/announcements/raise"),
    ("POST", "/api/announcements/stop"),
]

Client = TestClient[Any, Any]


class Control:
    """The engine, as the API needs it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.refuses = ""
        self.drilled: list[Drill] = []
        self.transferred: list[tuple[str, str, str]] = []
        self.settled: list[tuple[str, str]] = []
        self.noted: list[tuple[str, str | None, str | None]] = []
        self.said: list[tuple[str, DispositionRequest]] = []
        self.owing: set[AgentId] = set()
        self.finishing: dict[AgentId, CallId] = {}
        self.callers: dict[CallId, str] = {}
        self.tables = cast("Tables", None)  # has tests of its own: test_routing_routes.py
        self.deeds: list[tuple[str, str, dict[str, str]]] = []
        self.pins: dict[AgentId, str] = {}
        self.unlocked: list[AgentId] = []
        self.records: dict[CallId, CallRecord] = {}

    @property
    def names(self) -> Names:
        return names_of(self.snapshot)

    @property
    def snapshot(self) -> Snapshot:
        return self.house.table

    @property
    def acd(self) -> Acd:
        return self.house.queues.acd

    @property
    def now_ms(self) -> int:
        return self.house.now

    @property
    def callbacks(self) -> Callbacks:
        return self.house.callbacks

    @property
    def lost_calls(self) -> LostCalls:
        return self.house.lost_calls

    @property
    def outbound(self) -> OutboundCalls:
        return self.house.outbound

    async def call_of(self, call: CallId) -> CallRecord | None:
        return self.records.get(call)

    @property
    def mailbox(self) -> Mailbox:
        return self.house.mailbox

    @property
    def orders(self) -> Orders:
        return self.house.orders

    async def raise_order(
        self, call: CallId, type_: str, place: str, summary: str, key: str, by: str
    ) -> tuple[Order, bool]:
        if self.refuses:
            raise NotAllowed(self.refuses)
        kind = self.snapshot.order_types[type_]
        steps = steps_of(self.snapshot, kind)
        wish = OrderRequest(
            call, key, type_, kind.name, place, summary, "13800001234", by, steps, kind.acknowledge_seconds,
            kind.finish_minutes,
        )  # fmt: skip
        return await self.orders.raise_(wish)

    def department_key(self, department: str) -> str:
        return f"made-up {department}"

    async def play(self, message: CallId, seat: SeatId) -> None:
        self.played = (message, seat)

    def tell(self, event: Event) -> None:
        if self.refuses:
            raise NotAllowed(self.refuses)
        self.house.queues.apply(event)

    @property
    def uses(self) -> tuple[Use, ...]:
        return (Use("calls", 3, 20),)

    @property
    def counters(self) -> Live:
        return self.house.live.counters

    def picture(self) -> dict[str, Any]:
        return self.house.live.picture({group.id: group.name for group in self.house.table.groups.values()})

    async def transfer(self, call: CallId, target: str, form: Form) -> None:
        if self.refuses:
            raise NotAllowed(self.refuses)
        self.transferred.append((call, target, form))

    async def settle(self, call: CallId, how: Settlement) -> None:
        if self.refuses:
            raise NotAllowed(self.refuses)
        self.settled.append((call, how))

    async def start_drill(self, target: str, seat: SeatId, by: str) -> None:
        await self.house.drills.start(target, seat, by)

    async def drill_report(self, month: str) -> DrillReport | None:
        if self.refuses:
            return None
        return report(month, self.drilled, trunks_of(self.house.table), CITY)

    def drill_workbook(self, told: DrillReport) -> bytes:
        return workbook(told, CITY)

    def take_down(self, call: CallId, address: str | None, summary: str | None) -> None:
        if self.refuses:
            raise NotAllowed(self.refuses)
        self.noted.append((call, address, summary))

    async def say(self, call: CallId, wish: DispositionRequest) -> WrapUpCode:
        code = self.snapshot.wrap_up_codes.get(wish.code)
        if self.refuses or code is None:
            raise NotAllowed(self.refuses or "没有处理结果")
        self.said.append((call, wish))
        return code

    def owes_code(self, agent: AgentId) -> bool:
        return agent in self.owing

    def wrapped_up(self, agent: AgentId) -> CallId | None:
        return self.finishing.get(agent)

    def caller_now(self, call: CallId) -> str | None:
        return self.callers.get(call)

    def deed(self, what: str, by: str, **data: str) -> None:
        self.deeds.append((what, by, data))

    def has_pin(self, agent: AgentId) -> bool:
        return agent in self.pins

    async def set_pin(self, agent: AgentId, pin: str, by: str) -> None:
        if self.refuses:
            raise NotAllowed(self.refuses)
        self.pins[agent] = pin

    async def drain(self, on: bool, by: str, reason: str) -> dict[str, Any]:
        return {"draining": on, "calls": 0}

    def unlock(self, agent: AgentId) -> None:
        self.unlocked.append(agent)

    async def announce(self, name: str, by: str, reason: str) -> None:
        if self.refuses:
            raise NotAllowed(self.refuses)
        self.deeds.append(("announce", by, {"to": name, "reason": reason}))

    async def end_announcement(self, name: str, by: str, reason: str) -> None:
        self.deeds.append(("announce-end", by, {"to": name, "reason": reason}))

    def announcements(self) -> list[dict[str, Any]]:
        return [{"id": "disaster"}]

    def join_talk(self, action: str, supervisor: AgentId, agent: AgentId, reason: str) -> str:
        return self.house.supervision.call_to_join(supervisor, SupervisorAction(action), agent, reason)

    def take_over(self, supervisor: AgentId, agent: AgentId, reason: str) -> str:
        return self.house.supervision.take_over(supervisor, agent, reason)

    def force(self, agent: AgentId, to: AgentState, pause: str, by: str, reason: str) -> None:
        self.house.supervision.force(agent, to, pause, by, reason)

    def move(self, group: GroupId, to: GroupId, by: str, reason: str, call: CallId | None) -> int:
        return self.house.supervision.move(group, to, by, reason, call)

    async def close_group(self, group: GroupId, by: str, reason: str, *, move: bool) -> int:
        return await self.house.supervision.close_group(group, by, reason, move=move)

    async def open_group(self, group: GroupId, by: str, reason: str) -> None:
        await self.house.supervision.open_group(group, by, reason)

    async def status(self) -> dict[str, Any]:
        return {"healthy": True}


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    for seat in made.table.seats:
        made.queues.apply(SeatReachable(SeatId(seat)))
    yield made
    await made.queues.stop()


@pytest.fixture
def control(house: House) -> Control:
    return Control(house)


@pytest.fixture
async def client(control: Control) -> AsyncIterator[Client]:
    async with TestClient(TestServer(application(control, TOKEN))) as made:
        yield made


async def ask(client: Client, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
    given = {"headers": ALLOWED} | ({"json": body} if body is not None else {}) | more
    async with client.request(method, path, **given) as answer:
        assert answer.content_type == "application/json", await answer.text()
        return answer.status, await answer.json()


async def sign_in(client: Client, agent: str = "1001", seat: str = "8001") -> None:
    status, _ = await ask(client, "POST", f"/api/agents/{agent}/sign-in", {"seat": seat})
    assert status == 200


@pytest.mark.parametrize(("method", "path"), [*ROUTES, ("GET", "/"), ("GET", "/api/nosuch"), ("DELETE", "/api/seats")])
@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"bearer {TOKEN}", TOKEN, f"Basic {TOKEN}", "Bearer 令牌"],
)
async def test_without_the_token_nothing_is_told(
    client: Client, house: House, method: str, path: str, authorization: str | None
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    status, body = await ask(client, method, path, {"seat": "8001"} if method == "POST" else None, headers=headers)
    assert status == 401
    assert set(body) == {"error"}
    assert house.queues.acd.seat_of == {}


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if route[0] == "GET"])
async def test_with_the_token_everything_is_told(client: Client, method: str, path: str) -> None:
    status, _ = await ask(client, method, path)
    assert status == 200


async def test_an_agent_s_day(client: Client) -> None:
    assert await ask(client, "POST", "/api/agents/1001/sign-in", {"seat": "8001"}) == (
        200, {"agent": "1001", "seat": "8001", "state": "ready"},
    )  # fmt: skip
    for action, body, state in (("pause", {"reason": "小休"}, "paused"), ("ready", {}, "ready")):
        status, row = await ask(client, "POST", f"/api/agents/1001/{action}", body)
        assert (status, row["state"]) == (200, state)
    _, told = await ask(client, "GET", "/api/agents")
    row = next(row for row in told["agents"] if row["agent"] == "1001")
    assert row | {"since_ms": 0} == {
        "agent": "1001", "name": "座席1001", "groups": ["social-security", "general"], "supervisor": False,
        "pin": False, "seat": "8001", "state": "ready", "since_ms": 0, "until_ms": None, "why": "ready",
        "pause": None, "call": None,
    }  # fmt: skip
    _, told = await ask(client, "GET", "/api/seats")
    assert told["seats"][0] == {"seat": "8001", "agent": "1001", "state": "ready", "reachable": True, "call": None}
    assert await ask(client, "POST", "/api/agents/1001/sign-out", {}) == (
        200, {"agent": "1001", "seat": None, "state": "signed-out"},
    )  # fmt: skip


async def test_every_caller_is_listed_with_its_own_age_and_place(client: Client, house: House) -> None:
    for serial, age in ((1, 20), (2, 90), (3, 50)):
        house.desk.place(house.question(Script.OFFER, serial, since_ms=house.now - age * 1000))
    _, told = await ask(client, "GET", "/api/queues")
    assert told["now_ms"] == house.now
    assert [(row["call"], row["since_ms"], row["position"]) for row in told["calls"]] == [
        (call_id(serial), house.now - age * 1000, place)
        for place, (serial, age) in enumerate([(2, 90), (3, 50), (1, 20)], 1)
    ]


async def test_a_call_and_an_agent_are_explained_and_nonsense_is_a_sentence(client: Client, house: House) -> None:
    await sign_in(client)
    house.desk.place(house.question(Script.OFFER, 1))
    _, told = await ask(client, "GET", f"/api/queues/explain/{call_id(1)}")
    assert "分配理由" in told["lines"][1]
    _, told = await ask(client, "GET", "/api/queues/explain/1001")
    assert told["lines"][0].startswith("工号1001在座席8001")
    status, told = await ask(client, "GET", "/api/queues/explain/nonsense")
    assert status == 400
    assert "例如" in told["error"]


async def test_a_callback_is_explained_by_the_call_in_which_it_was_promised(client: Client, house: House) -> None:
    house.table = replace(house.table, callback=CallbackPolicy())
    house.desk.place(house.question(Script.OFFER, 1))
    assert house.desk.promise(house.question(Script.CALLBACK, 1), "13600000001") is RequestOutcome.PROMISED
    await house.callbacks.resolve_in_doubt()
    house.callbacks.schedule_due()
    _, told = await ask(client, "GET", f"/api/queues/explain/{call_id(1)}")
    assert told["lines"][0] == f"这是来电{call_id(1)}约定的回拨：已约定回拨，保留排队时间"
    assert "排在第1位" in told["lines"][2]


async def test_a_phone_that_never_registered_is_listed_as_what_it_is(client: Client, house: House) -> None:
    house.table = replace(house.table, seats=(*house.table.seats, SeatId("8998")))
    _, told = await ask(client, "GET", "/api/seats")
    assert told["seats"][-1] == {
        "seat": "8998", "agent": None, "state": "signed-out", "reachable": False, "call": None,
    }  # fmt: skip


async def test_every_agent_and_seat_of_the_table_is_listed(client: Client, house: House) -> None:
    _, agents = await ask(client, "GET", "/api/agents")
    _, seats = await ask(client, "GET", "/api/seats")
    assert [row["agent"] for row in agents["agents"]] == list(house.table.agents)
    assert {row["state"] for row in agents["agents"]} == {"signed-out"}
    assert [row["seat"] for row in seats["seats"]] == list(house.table.seats)


@pytest.mark.parametrize("agent", ["7777", "x", "1", "１００１", "1001%0A", "..%2F..%2Fetc"])
@pytest.mark.parametrize("action", ["sign-in", "sign-out", "ready", "pause"])
async def test_an_unknown_agent_is_a_sentence(client: Client, agent: str, action: str) -> None:
    status, body = await ask(client, "POST", f"/api/agents/{agent}/{action}", {"seat": "8001"})
    assert status == 404
    assert "没有工号" in body["error"]


@pytest.mark.parametrize("seat", ["", "9999", "80011", "x", None, 8001.5, ["8001"], "8001\n", "${X}"])
async def test_an_unknown_seat_is_a_sentence(client: Client, house: House, seat: object) -> None:
    status, body = await ask(client, "POST", "/api/agents/1001/sign-in", {"seat": seat})
    assert status == 400
    assert "没有座席" in body["error"]
    assert house.queues.acd.seat_of == {}


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'"8001"', b"8001", b"null", b"\xff\xfe", b"[" * 20_000])
@pytest.mark.parametrize("action", ["sign-in", "pause"])
async def test_a_body_that_is_no_object_is_a_sentence(client: Client, action: str, data: bytes) -> None:
    await sign_in(client)
    status, body = await ask(client, "POST", f"/api/agents/1001/{action}", data=data)
    assert status == 400
    assert "JSON" in body["error"]


async def test_a_body_in_an_unknown_encoding_is_a_sentence(client: Client) -> None:
    headers = ALLOWED | {"Content-Type": "application/json; charset=nosuch"}
    status, _ = await ask(client, "POST", "/api/agents/1001/sign-in", data=b'{"seat": "8001"}', headers=headers)
    assert status == 400


@pytest.mark.parametrize("path", ["/api/supervise/close", "/api/supervise/move", "/api/announcements/raise"])
async def test_half_a_character_is_a_sentence(client: Client, path: str) -> None:
    told = b'{"group": "\\ud800", "to": "\\ud800", "announcement": "\\ud800", "by": "x", "reason": "x"}'
    status, said = await ask(client, "POST", path, data=told)
    assert (status, "不成字" in said["error"]) == (400, True)


async def test_a_body_that_is_too_long_is_a_sentence(client: Client) -> None:
    status, body = await ask(client, "POST", "/api/agents/1001/sign-in", {"seat": "8" * (MAX_BODY_BYTES + 1)})
    assert status == 413
    assert set(body) == {"error"}


async def test_who_did_what_and_why_is_kept(client: Client, control: Control) -> None:
    await ask(client, "POST", "/api/agents/1001/sign-in", {"seat": "8001", "by": " 命令行 root "})
    await ask(client, "POST", "/api/agents/1001/pause", {"reason": "用餐", "by": "x" * 99})
    await ask(client, "POST", "/api/agents/1001/pause", {"reason": "没有的"})
    await ask(client, "POST", "/api/agents/1001/ready", {"by": 7})
    assert control.deeds == [
        ("sign-in", "命令行 root", {"agent": "1001", "seat": "8001", "reason": ""}),
        ("pause", "x" * MAX_WHO, {"agent": "1001", "seat": "8001", "reason": "用餐"}),
        ("ready", "控制接口", {"agent": "1001", "seat": "8001", "reason": ""}),
    ]


async def test_a_pin_is_set_and_never_told(client: Client, control: Control) -> None:
    assert await ask(client, "POST", "/api/agents/1001/pin", {"pin": "4711"}) == (200, {"agent": "1001", "pin": True})
    _, told = await ask(client, "GET", "/api/agents")
    assert [row["pin"] for row in told["agents"]][:2] == [True, False]
    assert "4711" not in str(told) + str(control.deeds)
    control.refuses = "密码太容易猜到"
    assert await ask(client, "POST", "/api/agents/1001/pin", {"pin": "1"}) == (409, {"error": "密码太容易猜到"})
    assert [deed[0] for deed in control.deeds] == ["pin"]
    assert (await ask(client, "POST", "/api/agents/1001/unlock", {}))[0] == 200
    assert control.unlocked == ["1001"]


async def test_a_wrap_up_is_extended_and_ended(client: Client, house: House) -> None:
    await sign_in(client)
    status, body = await ask(client, "POST", "/api/agents/1001/wrap-up", {"extend_seconds": 30})
    assert (status, "不在话后整理中" in body["error"]) == (409, True)
    house.desk.place(house.question(Script.OFFER))
    house.dial("DialEnd", 1, "8001", DialStatus="ANSWER")
    house.now += 60_000
    house.seat_hangup("8001", 1)
    assert (await ask(client, "POST", "/api/agents/1001/wrap-up", {"extend_seconds": 30}))[0] == 200
    assert house.queues.acd.seats[SeatId("8001")].until_ms == house.now + 40_000
    for nonsense in ({}, {"extend_seconds": "30"}, {"extend_seconds": True}, {"end": 1}):
        assert (await ask(client, "POST", "/api/agents/1001/wrap-up", nonsense))[0] == 400
    assert (await ask(client, "POST", "/api/agents/1001/wrap-up", {"end": True}))[1]["state"] == "ready"


@pytest.mark.parametrize("reason", ["", "  ", "长" * 41, "a\nb", "a\x00", "抽烟", None])
async def test_a_pause_needs_a_reason_of_the_table(client: Client, reason: object) -> None:
    await sign_in(client)
    status, body = await ask(client, "POST", "/api/agents/1001/pause", {"reason": reason})
    assert status == 400
    assert "原因" in body["error"]


@pytest.mark.parametrize("action", ["sign-out", "ready", "pause"])
async def test_who_is_not_signed_in_is_told_how(client: Client, action: str) -> None:
    status, body = await ask(client, "POST", f"/api/agents/1001/{action}", {"reason": "小休"})
    assert status == 409
    assert "sign-in" in body["error"]


async def test_a_refusal_of_the_engine_is_its_sentence(client: Client, control: Control) -> None:
    await sign_in(client)
    control.refuses = "Asterisk 暂时没有连上"
    assert await ask(client, "POST", "/api/agents/1001/ready", {}) == (409, {"error": "Asterisk 暂时没有连上"})


async def test_an_agent_with_a_call_cannot_move(client: Client, house: House) -> None:
    await sign_in(client)
    house.desk.place(house.question(Script.OFFER))
    status, body = await ask(client, "POST", "/api/agents/1001/sign-in", {"seat": "8002"})
    assert status == 409
    assert "8001" in body["error"]


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/api/nosuch"), ("POST", "/api/agents/1001/fly")])
async def test_what_is_not_there_is_a_sentence(client: Client, method: str, path: str) -> None:
    status, body = await ask(client, method, path)
    assert status == 404
    assert set(body) == {"error"}


async def test_a_wrong_method_is_a_sentence(client: Client) -> None:
    status, body = await ask(client, "POST", "/api/seats", {})
    assert status == 405
    assert set(body) == {"error"}


CALL = "/api/calls/hl1-1795351322.1/transfer"


async def test_a_transfer_is_handed_to_the_engine(client: Client, control: Control) -> None:
    for body, form in (({"target": "110"}, "one-key"), ({"target": "119", "form": "three-party"}, "three-party")):
        answer = await client.post(CALL, json=body, headers=ALLOWED)
        assert answer.status == 200
        assert control.transferred[-1] == ("hl1-1795351322.1", body["target"], form)


async def test_how_a_consultation_ends_is_handed_to_the_engine(client: Client, control: Control) -> None:
    there = CALL.replace("transfer", "consultation")
    for then in ("join", "back", "leave"):
        answer = await client.post(there, json={"then": then}, headers=ALLOWED)
        assert answer.status == 200
        assert control.settled[-1] == ("hl1-1795351322.1", then)
    for wrong in ({}, {"then": "stay"}, {"then": 1}):
        answer = await client.post(there, json=wrong, headers=ALLOWED)
        assert answer.status == 400
        assert "join" in (await answer.json())["error"]


@pytest.mark.parametrize(
    "body", [{}, [], "110", {"target": ""}, {"target": 110}, {"target": "110", "form": "caller-key"}, None]
)
async def test_a_transfer_to_what_is_no_centre_is_refused_with_an_example(
    client: Client, control: Control, body: Any
) -> None:
    answer = await client.post(CALL, json=body, headers=ALLOWED)
    assert answer.status == 400
    assert "110" in (await answer.json())["error"]
    assert control.transferred == []


async def test_a_transfer_that_cannot_be_is_refused_with_the_engines_sentence(client: Client, control: Control) -> None:
    control.refuses = "已经转接过"
    answer = await client.post(CALL, json={"target": "110"}, headers=ALLOWED)
    assert (answer.status, await answer.json()) == (409, {"error": "已经转接过"})
    assert (await client.post("/api/calls/nonsense/transfer", json={}, headers=ALLOWED)).status == 404


NOTE = "/api/calls/hl1-1795351322.1/note"


async def test_what_an_agent_takes_down_is_handed_to_the_engine(client: Client, control: Control) -> None:
    assert (await client.post(NOTE, json={"address": "东山路 1 号"}, headers=ALLOWED)).status == 200
    assert control.noted == [("hl1-1795351322.1", "东山路 1 号", None)]
    control.refuses = "不在进行中"
    assert (await client.post(NOTE, json={"summary": "着火"}, headers=ALLOWED)).status == 409


@pytest.mark.parametrize(
    "body", [{}, [], {"address": 1}, {"address": None}, {"summary": "x" * 1001}, {"address": "x" * 201}]
)
async def test_a_note_that_is_none_is_refused(client: Client, control: Control, body: Any) -> None:
    assert (await client.post(NOTE, json=body, headers=ALLOWED)).status == 400
    assert control.noted == []


async def test_a_drill_is_handed_to_the_engine_and_its_refusal_told(client: Client, control: Control) -> None:
    control.house.queues.apply(SeatReachable(SeatId("8001")))
    control.house.queues.apply(SeatUnreachable(SeatId("8002")))
    status, body = await ask(client, "POST", "/api/drills", {"target": "110", "seat": "8001", "by": "班长"})
    assert (status, body) == (200, {"target": "110", "seat": "8001"})
    assert control.house.link.sent[-1][1]["Channel"] == "Local/exercise-110@ring-phone/n"
    status, body = await ask(client, "POST", "/api/drills", {"target": "110", "seat": "8002"})
    assert (status, "不在线" in body["error"]) == (409, True)


@pytest.mark.parametrize(
    "body", [{}, {"target": "110"}, {"target": "12345", "seat": "8001"}, {"target": [], "seat": {}}]
)
async def test_a_drill_of_what_is_no_centre_or_at_no_seat_is_refused_with_an_example(client: Client, body: Any) -> None:
    status, told = await ask(client, "POST", "/api/drills", body)
    assert (status, '"seat": "8001"' in told["error"]) == (400, True)


async def test_a_months_drills_are_told_and_a_ledger_out_of_reach_says_so(client: Client, control: Control) -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    control.drilled = [Drill("hl1-1795351322.7", "110", at, tries=(DrillAttempt("drill-110", 9, 700),), ended=True)]
    status, told = await ask(client, "GET", "/api/drills?month=2026-11")
    assert (status, told["missing"]) == (200, ["119", "120", "122"])
    for month in ("", "2026-13", "2026-1", "next"):
        status, told = await ask(client, "GET", f"/api/drills?month={month}")
        assert (status, "2026-11" in told["error"]) == (400, True)
    control.refuses = "gone"
    status, told = await ask(client, "GET", "/api/drills?month=2026-11")
    assert (status, "数据库" in told["error"]) == (503, True)
