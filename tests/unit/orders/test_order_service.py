"""Orders against a switch that the test plays: written down first, called once, never lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from ledger.alarms import Alarms
from ledger.journal import Journal
from ledger.model import Kind
from orders import service
from orders.model import (
    Acknowledged,
    AcknowledgementWay,
    DutyCallFailure,
    Ended,
    EscalationStep,
    Order,
    OrderState,
    Updated,
)
from orders.order_numbers import RegisterUnusable
from orders.serialisation import fold
from orders.service import AlreadyRaised, OrderRequest, Orders
from telephony.errors import AmiDeadline, AmiDown, AmiError, AmiRefused
from telephony.events import OriginateOutcome
from telephony.model import CallId, NodeId, Var
from tests.support.engine_harness import House, call_id, event
from tests.support.leaks import close_with_the_loop

pytestmark = pytest.mark.unit

WATER = EscalationStep("water", "供水", ("06630000001", "06630000002"), rounds=1)
OFFICE = EscalationStep("office", "值班室", pushed=True)
WISH = OrderRequest(
    call_id(1), "k1", "outage", "供水中断", "东山路", "停水", "13800001234", "1001", (WATER, OFFICE), 300
)


class Home(House):
    """Each call to a phone waits until the test says how it ended."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder=folder)
        self.dialled: list[dict[str, Any]] = []
        self.outcomes: list[asyncio.Future[OriginateOutcome]] = []
        self.refuses: Exception | None = None
        self.link.originate = self.originate
        self.orders.learn([])

    async def originate(self, channel: str, **how: Any) -> OriginateOutcome:
        self.dialled.append({"channel": channel, **how})
        if self.refuses is not None:
            raise self.refuses
        outcome: asyncio.Future[OriginateOutcome] = asyncio.get_running_loop().create_future()
        self.outcomes.append(outcome)
        return await outcome

    async def ring(self, reason: int) -> None:
        """The telephone of the latest call: 4 it was answered, 5 busy, 3 it rang in vain."""
        self.outcomes[-1].set_result(OriginateOutcome(reason == 4, reason, "PJSIP/pstn-1", None))
        await self.calm()

    async def calm(self) -> None:
        """What works in threads has worked, too."""
        while any(not task.done() and not self.waits(task) for task in self.orders._work):
            await asyncio.sleep(0.001)
        await self.settle()

    def waits(self, task: asyncio.Task[None]) -> bool:
        """Only for the telephone."""
        calls = sum(not outcome.done() for outcome in self.outcomes)
        return calls == sum(not one.done() for one in self.orders._work)

    async def raised(self, wish: OrderRequest = WISH) -> Order:
        order, _ = await self.orders.raise_(wish)
        await self.calm()
        return self.now_is(order)

    def now_is(self, order: Order) -> Order:
        found = self.orders.book.get(order.number)
        assert found is not None
        return found

    async def passes(self, seconds: float) -> None:
        self.now += round(seconds * 1000)
        self.orders.tick()
        await self.calm()

    def hangs_up(self, call: str, cause: str = "16") -> None:
        self.news.hear(event("Hangup", Channel="PJSIP/pstn-2", Uniqueid=call, Linkedid=call, Cause=cause))

    def presses(self, order: Order, department: str = "water", call: str = "") -> None:
        told = {"Call": call or str(self.dialled[-1]["channel_id"]), "Order": order.number, "Department": department}
        self.news.hear(event("UserEvent", UserEvent="Order", **told))

    def told(self) -> list[str]:
        return [str(data["what"]) for data in self.ledger.of(Kind.ORDER)]

    def restarted(self, alarms: Alarms | None = None) -> Orders:
        """Another engine, which has read what this one wrote down."""
        facts = [(f"{n:04}", data) for n, (kind, _, data) in enumerate(self.ledger.facts) if kind is Kind.ORDER]
        other = Orders(
            self.orders._switch, self.calls.record_fact, self.ledger.flush, self.orders._register, self.orders._lines,
            self.paper, alarms or self.alarms, lambda: self.now,
        )  # fmt: skip
        close_with_the_loop(other.stop)
        other.learn(fold(WISH.call, facts))
        return other


@pytest.fixture
async def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(service, "HANG_UP_SECONDS", 0)
    return Home(tmp_path)


async def test_a_raised_order_is_numbered_written_printed_and_called_out(home: Home) -> None:
    order = await home.raised()
    assert order.number == "hl1-20261122-0001"
    (dialled,) = home.dialled
    assert dialled["channel"] == "Local/order@ring-out/n"
    assert dialled["channel_id"] == order.ringing.call if order.ringing else ""
    assert dialled["variables"] == {
        Var.RING: "06630000001", Var.TRUNK: "pstn",
        Var.ORDER: order.number, Var.ORDER_TYPE: "outage", Var.DEPARTMENT: "water", Var.SLOT: "1",
    }  # fmt: skip
    assert home.told() == ["raised", "dialling"]
    assert [sheet.number for sheet in home.paper.sheets] == [order.number]
    (said,) = home.paper.said
    assert "东山路" in said


async def test_the_same_key_at_the_same_moment_is_one_order(home: Home) -> None:
    raised = await asyncio.gather(*(home.orders.raise_(WISH) for _ in range(5)))
    assert sorted(new for _, new in raised) == [False] * 4 + [True]
    assert len({order.number for order, _ in raised}) == 1
    other = await home.raised(replace(WISH, key="k2"))
    assert other.number == "hl1-20261122-0002"


async def test_a_key_of_before_a_restart_whose_order_is_not_read_yet_raises_nothing(home: Home, tmp_path: Path) -> None:
    order = await home.raised()
    later = Home(tmp_path)
    later.orders.loaded = False
    with pytest.raises(AlreadyRaised, match=order.number):
        await later.orders.raise_(WISH)
    assert later.told() == []


async def test_without_register_and_database_no_number_is_given_lest_twice(home: Home) -> None:
    home.orders.loaded = False
    with pytest.raises(RegisterUnusable, match="不知道编到几号"):
        await home.orders.raise_(WISH)
    home.orders.loaded = True
    await home.raised()
    home.orders.loaded = False
    assert (await home.raised(replace(WISH, key="k2"))).number == "hl1-20261122-0002", "a register is enough"


async def test_the_call_is_on_the_disk_before_the_switch_is_asked(home: Home) -> None:
    home.ledger.stalled = True
    order = await home.raised()
    assert (home.dialled, home.told()) == ([], ["raised", "dialling", "not-called"])
    assert not await home.orders.durable()
    home.ledger.stalled = False
    await home.passes(service.AGAIN_SECONDS)
    assert len(home.dialled) == 1
    assert home.now_is(order).dialled == 1


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        (5, DutyCallFailure.BUSY),
        (3, DutyCallFailure.NO_ANSWER),
        (0, DutyCallFailure.UNREACHABLE),
        (8, DutyCallFailure.UNREACHABLE),
    ],
)
async def test_a_phone_that_does_not_answer_is_followed_by_the_next(
    home: Home, reason: int, why: DutyCallFailure
) -> None:
    order = await home.raised()
    await home.ring(reason)
    assert home.now_is(order).reason == why
    await home.passes(10)
    assert [one["variables"][Var.RING] for one in home.dialled] == ["06630000001", "06630000002"]


@pytest.mark.parametrize("cause", ["16", "127"])
async def test_who_answers_and_hangs_up_without_a_key_has_not_taken_it(home: Home, cause: str) -> None:
    order = await home.raised()
    await home.ring(4)
    home.hangs_up(home.dialled[-1]["channel_id"], cause)
    assert home.now_is(order).reason == DutyCallFailure.SILENT
    assert home.now_is(order).ringing is None


async def test_the_hang_up_knows_the_cause_and_one_failure_is_told_once(home: Home) -> None:
    order = await home.raised()
    home.hangs_up(home.dialled[-1]["channel_id"], "21")
    await home.ring(0)
    assert home.now_is(order).reason == DutyCallFailure.REJECTED
    assert home.told().count("not-taken") == 1


async def test_a_phone_that_rings_in_vain_is_not_taken_for_a_silent_one(home: Home) -> None:
    order = await home.raised()
    home.hangs_up(home.dialled[-1]["channel_id"], "16")
    assert home.now_is(order).reason == DutyCallFailure.NO_ANSWER


async def test_a_key_takes_it_and_the_hang_up_after_it_changes_nothing(home: Home) -> None:
    order = await home.raised()
    await home.ring(4)
    home.presses(order)
    home.hangs_up(home.dialled[-1]["channel_id"])
    home.presses(order)
    taken = home.now_is(order)
    assert (taken.state, taken.acknowledged_by, taken.acknowledged_who) == (
        OrderState.ACKNOWLEDGED,
        "water",
        "06630000001",
    )
    assert home.told() == ["raised", "dialling", "acknowledged"]
    await home.passes(1000)
    assert len(home.dialled) == 1


async def test_an_order_that_is_over_lets_its_phone_go(home: Home) -> None:
    order = await home.raised()
    call = home.dialled[-1]["channel_id"]
    home.orders.apply(order, Ended(OrderState.CANCELLED, "1001", "误报"))
    await home.settle()
    assert home.link.sent == [("Hangup", {"Channel": call})]
    home.hangs_up(call)
    await home.ring(3)
    assert home.told() == ["raised", "dialling", "cancelled"]


async def test_a_key_for_what_is_not_known_is_no_key(home: Home) -> None:
    order = await home.raised()
    await home.ring(4)
    home.presses(replace(order, number="hl1-20261122-0099"))
    home.presses(order, "fire")
    assert home.now_is(order).state is OrderState.DISPATCHED


@pytest.mark.parametrize("error", [AmiDown("gone"), AmiRefused("no")])
async def test_a_switch_that_did_not_call_costs_no_round(home: Home, error: AmiError) -> None:
    home.refuses = error
    order = await home.raised()
    assert home.now_is(order).dialled == 0
    home.refuses = None
    await home.passes(service.AGAIN_SECONDS)
    assert home.now_is(order).dialled == 1


async def test_a_call_whose_outcome_is_not_known_is_judged_by_the_switch(home: Home) -> None:
    home.refuses = AmiDeadline("late")
    order = await home.raised()
    call = home.dialled[-1]["channel_id"]
    home.link.lists["Status"] = [event("Status", Uniqueid=call)]
    await home.orders.resolve_in_doubt()
    assert home.now_is(order).ringing is not None, "it is up"
    home.link.lists["Status"] = []
    await home.orders.resolve_in_doubt()
    assert home.now_is(order).reason == DutyCallFailure.UNKNOWN


async def test_after_a_kill_a_key_that_the_switch_noted_counts_and_nobody_is_called_again(home: Home) -> None:
    order = await home.raised()
    call = home.dialled[-1]["channel_id"]
    home.link.lists["DBGet"] = [event("DBGetResponse", Family="orders", Key="1", Val=call)]
    other = home.restarted()
    await other.resolve_in_doubt()
    other.tick()
    taken = other.book.get(order.number)
    assert taken is not None
    assert (taken.state, taken.acknowledged_by) == (OrderState.ACKNOWLEDGED, "water")
    assert len(home.dialled) == 1
    await other.stop()


async def test_after_a_kill_the_key_of_an_earlier_order_in_the_same_slot_does_not_count(home: Home) -> None:
    order = await home.raised()
    home.link.lists["DBGet"] = [event("DBGetResponse", Family="orders", Key="1", Val="hl1-1795351322.8000001000")]
    other = home.restarted()
    await other.resolve_in_doubt()
    now = other.book.get(order.number)
    assert now is not None
    assert (now.state, now.reason, now.ringing) == (OrderState.DISPATCHED, DutyCallFailure.UNKNOWN, None)
    await other.stop()


async def test_without_a_trunk_a_supervisor_hears_of_it_as_soon_as_nobody_can_be_reached(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home.orders, "_lines", lambda: service.DutyTrunks((), 25))
    order = await home.raised(replace(WISH, steps=(WATER,)))
    for _ in range(4):
        await home.passes(10)
    assert home.now_is(order).state is OrderState.UNANSWERED
    assert [alarm.grave for alarm in home.alarms.standing.values()] == [True]
    alarms = Alarms(cast("Journal", home.ledger), NodeId("hl1"))
    other = home.restarted(alarms)
    assert list(alarms.standing) == [f"order-{order.number}"], "it stands after a restart, too"
    home.orders.apply(home.now_is(order), Acknowledged("water", AcknowledgementWay.COMMAND, "王科长"))
    assert home.alarms.standing == {}
    await other.stop()


async def test_a_voice_that_fails_and_a_full_disk_keep_nobody_from_being_called(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(order: Order) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(home.paper, "synthesise", broken)
    monkeypatch.setattr(home.paper, "write_sheet", broken)
    await home.raised()
    assert len(home.dialled) == 1


async def test_what_is_typed_later_is_on_the_sheet_and_when_it_is_over_the_sound_goes(home: Home) -> None:
    order = await home.raised()
    updated = home.orders.apply(order, Updated("", "水漫上路面", "1001"))
    home.orders.apply(updated, Acknowledged("water", AcknowledgementWay.COMMAND))
    await home.calm()
    assert home.paper.sheets[-1].summary == "水漫上路面"
    assert home.paper.hushed == []


async def test_orders_that_are_long_over_are_forgotten(home: Home) -> None:
    order = await home.raised(replace(WISH, steps=(OFFICE,)))
    done = home.orders.apply(order, Ended(OrderState.CLOSED, "1001", "已修复"))
    await home.passes(6 * 86400)
    assert home.orders.book.get(done.number) is not None
    await home.passes(2 * 86400)
    assert home.orders.book.get(done.number) is None
    assert home.orders.book.of_key("k1") is None


async def test_of_a_call_id_that_is_no_attempt_nothing_is_made(home: Home) -> None:
    order = await home.raised()
    home.orders.hung_up(CallId("hl1-1795351322.1"), "16")
    assert home.now_is(order) == order
