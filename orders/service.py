"""Urgent orders against the world: numbered, told, called out to duty phones, escalated, written down at every step.

One job: run orders/rules.py. An order depends on the disk of this machine alone: the database may be gone, and pushes
wait then; phones are called all the same. Every step is a fact on the disk before the switch is asked for what cannot
be taken back. After a crash a call that was begun is judged by the switch: its channel is there, or the switch noted
the key, or it was in vain; so no phone is called twice for one step, and no key is lost.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

import structlog

from ledger.journal import JournalStalled
from ledger.model import Kind
from orders import rules
from orders.model import (
    Acknowledged,
    AcknowledgementWay,
    ClearAlarm,
    Dial,
    DutyCallAttempt,
    DutyCallFailure,
    Effect,
    EscalationStep,
    Event,
    HangUp,
    Looked,
    NotCalled,
    Notify,
    NotTaken,
    Order,
    OrderState,
    RaiseAlarm,
)
from orders.order_numbers import OrderNumberRegister, RegisterUnusable
from orders.registry import OrderRegistry
from orders.serialisation import happened, to_data
from queues.service import Clock, Note
from routing.calendar import city_time
from telephony.ami_link import AmiLink
from telephony.errors import AmiDeadline, AmiDown, AmiError, AmiRefused
from telephony.hangup_causes import by_cause, by_reason
from telephony.model import HOTLINE_NUMBER, CallId, Var
from telephony.ring import NumberCall, ring_out

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 1.0
DURABLE_SECONDS: Final = 1.5
"""How long a step may take to reach the disk before it is put off."""
AGAIN_SECONDS: Final = 10.0
"""A step that the disk or the switch refused is tried again after this."""
HANG_UP_SECONDS: Final = 0.3
"""How long a call's hang-up may come after its outcome: it knows the cause better."""

DATABASE: Final = "orders"
"""Family in the switch's own small database; see context ``order`` of the dialplan."""


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What somebody asks to be raised."""

    call: CallId
    key: str
    type: str
    type_name: str
    place: str
    summary: str
    caller: str
    by: str
    steps: tuple[EscalationStep, ...]
    acknowledge_seconds: int
    finish_minutes: int = 0


@dataclass(frozen=True, slots=True)
class DutyTrunks:
    """How duty phones are called now."""

    trunks: tuple[str, ...]
    """To the public network; each round of a level takes the next one."""
    ring_seconds: int


class OrderDocuments(Protocol):
    """What an order leaves in the data folder, for people and for the switch."""

    def write_sheet(self, order: Order) -> Path:
        """Write the page to print. Raises OSError."""

    def synthesise(self, order: Order) -> None:
        """Make the sound that duty phones hear, unless it is there. Raises OSError or what the voice raises."""

    def remove_audio(self, order: Order) -> None:
        """The sound is not needed any more."""


class AlarmSink(Protocol):
    """Alarms, as the status shows them."""

    def put(self, key: str, text: str, *, grave: bool = True) -> None: ...

    def clear(self, key: str) -> None: ...


class AlreadyRaised(Exception):
    """This key has got a number before the last start, and the order itself is not read yet."""

    def __init__(self, number: str) -> None:
        super().__init__(f"已登记为工单 {number}；数据库恢复后可以查看，请勿重复登记")
        self.number = number


class Orders:
    """Of one node."""

    def __init__(
        self,
        switch: AmiLink,
        note: Note,
        flush: Callable[[float], Awaitable[None]],
        register: OrderNumberRegister,
        lines: Callable[[], DutyTrunks],
        paper: OrderDocuments,
        alarms: AlarmSink,
        clock: Clock,
    ) -> None:
        self.book = OrderRegistry()
        self.counts: Counter[str] = Counter()
        """What became of orders since the start, by the word of the fact."""
        self.loaded = False
        """Those of before the start are known. Before that new ones are raised all the same, if there is a register."""
        self._switch = switch
        self._note = note
        self._flush = flush
        self._register = register
        self._lines = lines
        self._paper = paper
        self._alarms = alarms
        self._clock = clock
        self._raising = asyncio.Lock()
        self._on_paper = asyncio.Lock()
        self._settled = False
        self._mine: set[CallId] = set()
        """Calls that this process makes and waits for."""
        self._answered: set[CallId] = set()
        self._work: set[asyncio.Task[None]] = set()

    # People and departments

    async def raise_(self, wish: OrderRequest) -> tuple[Order, bool]:
        """A new order, or the one that this key has raised before; and whether it is new.

        Raises RegisterUnusable when no number can be given, AlreadyRaised.
        """
        async with self._raising:  # two at once with the same key are one, and no number is given twice
            held = self.book.of_key(wish.key)
            if held is not None:
                return held, False
            if not self.loaded and self._register.lost:
                raise RegisterUnusable(
                    "工单号登记簿还没有，数据库也还没有读到，不知道编到几号；请稍候再试，或先恢复数据库"
                )
            now = self._now()
            given = await asyncio.to_thread(self._register.number_of, wish.key)
            if given:
                raise AlreadyRaised(given)
            known = [one.number for one in self.book.all()]
            number = await asyncio.to_thread(self._register.next, wish.key, city_time(now).date(), known)
            order, effects = rules.raised(
                Order(
                    number=number,
                    call=wish.call,
                    key=wish.key,
                    type=wish.type,
                    type_name=wish.type_name,
                    place=wish.place,
                    summary=wish.summary,
                    caller=wish.caller,
                    by=wish.by,
                    raised_at=now,
                    steps=wish.steps,
                    acknowledge_seconds=wish.acknowledge_seconds,
                    finish_minutes=wish.finish_minutes,
                )
            )
            self._set(order, "raised", effects)
        log.warning("urgent order raised", order=number, call=wish.call, type=wish.type)
        self.tick()
        return order, True

    def apply(self, order: Order, event: Event) -> Order:
        """Something happens to an order. Raises Illegal for what a person asked for and cannot be."""
        after, effects = rules.apply(order, event, self._now())
        if after is order:
            return order
        self._set(after, happened(order, after, event), effects)
        if after.state is not order.state:
            log.warning("urgent order", order=after.number, state=str(after.state), department=after.acknowledged_by)
        return after

    async def durable(self) -> bool:
        """Whether everything so far is on the disk."""
        try:
            await self._flush(DURABLE_SECONDS)
        except JournalStalled:
            return False
        return True

    def learn(self, orders: Iterable[Order]) -> None:
        """Take what was read from storage, and go on with it."""
        self.book.learn(orders)
        self.loaded, self._settled = True, False
        for order in self.book.open():
            if order.overdue:
                self._ring_bell(order)

    # The clock and the switch

    async def run(self) -> None:
        """Keep the clock, for ever; ends only by cancellation."""
        while True:
            try:
                if self._switch.up and not self._settled:
                    await self.resolve_in_doubt()
            except AmiError as error:
                log.warning("calls to duty phones wait for the switch", error=str(error))
            self.tick()
            await asyncio.sleep(LOOK_SECONDS)

    def tick(self) -> None:
        """What is due now?"""
        self.book.forget(self._now())
        for order in self.book.open():
            self.apply(order, Looked(phones=self._switch.up))

    def on_reconnected(self) -> None:
        """The switch is there again: calls of which we heard nothing are to be judged."""
        self._settled = False

    async def resolve_in_doubt(self) -> None:
        """Judge calls whose end we did not hear by what the switch has. Raises AmiError when it does not tell."""
        unheard = [one for one in self.book.all() if one.ringing is not None and one.ringing.call not in self._mine]
        if unheard:
            up = {event.get("Uniqueid") for event in await self._switch.collect("Status", until="StatusComplete")}
            for order in unheard:
                attempt = order.ringing
                if attempt is None or attempt.call in up:
                    continue
                taken = await self._noted(attempt)
                now = self.book.get(order.number)
                if now is None or rules.attempt_of(now, attempt.call) is None:
                    continue  # told meanwhile
                self.apply(
                    now,
                    Acknowledged(attempt.department, AcknowledgementWay.PHONE_KEY, attempt.number)
                    if taken
                    else NotTaken(attempt.call, DutyCallFailure.UNKNOWN),
                )
        self._settled = True

    def on_acknowledge_key(self, number: str, department: str, call: CallId) -> None:
        """A duty phone has pressed the key."""
        order = self.book.get(number)
        if order is None or department not in (step.department for step in order.steps):
            log.warning("key for an order that is not known", order=number, department=department)
            return
        attempt = rules.attempt_of(order, call)
        self.apply(
            order, Acknowledged(department, AcknowledgementWay.PHONE_KEY, attempt.number if attempt is not None else "")
        )

    def hung_up(self, call: CallId, cause: str) -> None:
        """A channel is gone."""
        order = self.book.of_attempt(call)
        if order is None:
            return
        answered = call in self._answered or (cause == "16" and call not in self._mine)
        self._answered.discard(call)
        self.apply(order, NotTaken(call, DutyCallFailure.SILENT if answered else DutyCallFailure(by_cause(cause))))

    async def stop(self) -> None:
        """Let go; a ringing telephone rings on, and its answer is the next engine's."""
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    async def _dial(self, order: Order, attempt: DutyCallAttempt, round_: int) -> None:
        self._mine.add(attempt.call)
        try:
            if not await self.durable():
                self._put_off(order.number, attempt)
                return
            await self._spoken(order)
            now = self.book.get(order.number)
            lines = self._lines()
            if now is None or rules.attempt_of(now, attempt.call) is None:
                return  # taken or over meanwhile
            if not lines.trunks:
                self.apply(now, NotTaken(attempt.call, DutyCallFailure.UNREACHABLE))
                return
            outcome = await ring_out(
                self._switch,
                attempt.number,
                lines.trunks[round_ % len(lines.trunks)],
                NumberCall.ORDER,
                context="order",
                exten="s",
                ring_seconds=lines.ring_seconds,
                caller_id=HOTLINE_NUMBER,
                variables={
                    Var.ORDER: order.number,
                    Var.ORDER_TYPE: order.type,
                    Var.DEPARTMENT: attempt.department,
                    Var.SLOT: str(attempt.slot),
                },
                channel_id=attempt.call,
            )
            now = self.book.get(order.number)
            if outcome.answered and now is not None and rules.attempt_of(now, attempt.call) is not None:
                self._answered.add(attempt.call)
            elif not outcome.answered:
                await asyncio.sleep(HANG_UP_SECONDS)
                self._not_taken(order.number, attempt, DutyCallFailure(by_reason(outcome.reason)))
        except (AmiDown, AmiRefused) as error:
            log.warning("duty phone not called", order=order.number, error=str(error))
            self._put_off(order.number, attempt)
        except AmiDeadline as error:
            log.warning(
                "call to a duty phone left to the next look at the switch", order=order.number, error=str(error)
            )
            self._settled = False
        except AmiError as error:
            log.error("duty phone cannot be called", order=order.number, error=str(error))
            self._not_taken(order.number, attempt, DutyCallFailure.UNREACHABLE)
        finally:
            self._mine.discard(attempt.call)

    async def _hang_up(self, call: CallId) -> None:
        """A phone that rings on does no harm: its key changes nothing any more."""
        try:
            await self._switch.send("Hangup", {"Channel": call})
        except AmiError as error:
            log.info("call to a duty phone not ended", call=call, error=str(error))

    def _not_taken(self, number: str, attempt: DutyCallAttempt, why: DutyCallFailure) -> None:
        now = self.book.get(number)
        if now is not None:
            self.apply(now, NotTaken(attempt.call, why))

    def _put_off(self, number: str, attempt: DutyCallAttempt) -> None:
        now = self.book.get(number)
        if now is not None:
            again = datetime.fromtimestamp(self._clock() / 1000 + AGAIN_SECONDS, UTC)
            self.apply(now, NotCalled(attempt.call, again))

    async def _noted(self, attempt: DutyCallAttempt) -> bool:
        """Whether the switch noted a key for this call. Raises AmiError when it cannot be asked."""
        try:
            asked = {"Family": DATABASE, "Key": str(attempt.slot)}
            told = await self._switch.collect("DBGet", asked, until="DBGetComplete")
        except AmiRefused:  # nothing is noted there
            return False
        return any(event.get("Val") == attempt.call for event in told)

    def _set(self, order: Order, what: str, effects: Iterable[Effect]) -> None:
        """Keep it, write it down, then do what must be done."""
        effects = tuple(effects)
        self.counts[what] += 1
        self.book.put(order)
        told = [effect for effect in effects if isinstance(effect, Notify)]
        self._note(Kind.ORDER, order.call, **to_data(order, what, told))
        for effect in effects:
            match effect:
                case Dial():
                    self._start(self._dial(order, effect.attempt, effect.round))
                case HangUp():
                    self._start(self._hang_up(effect.call))
                case RaiseAlarm():
                    self._ring_bell(order)
                case ClearAlarm():
                    self._alarms.clear(_alarm_of(order))
                case Notify():
                    pass  # it stands in the fact; the outbox has it from there
        if what not in ("dialling", "not-taken", "not-called"):
            self._start(self._print(order.number))

    def _ring_bell(self, order: Order) -> None:
        if order.state is OrderState.ACKNOWLEDGED:
            who = rules.name_of(order, order.acknowledged_by)
            text = f"应急工单 {order.number}（{order.type_name}）逾时未办结：{who} 已签收；请联系核实，办结或延期"
            self._alarms.put(_alarm_of(order), text, grave=False)
            return
        names = "、".join(step.name for step in order.steps)
        text = f"应急工单 {order.number}（{order.type_name}）无人签收：{names} 都已逾时；请立即电话联系并登记签收"
        self._alarms.put(_alarm_of(order), text)

    async def _print(self, number: str) -> None:
        async with self._on_paper:  # what was written last is what is known now
            order = self.book.get(number)
            if order is None:
                return
            try:
                await asyncio.to_thread(self._paper.write_sheet, order)
                if not order.open:
                    await asyncio.to_thread(self._paper.remove_audio, order)
            except OSError as error:
                log.error("sheet of an order not written", order=number, reason=str(error))

    async def _spoken(self, order: Order) -> None:
        """A voice that fails keeps nobody from being called: number and type are prompts of their own."""
        try:
            await asyncio.to_thread(self._paper.synthesise, order)
        except Exception as error:
            log.error("order cannot be spoken in full", order=order.number, reason=str(error))

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock() / 1000, UTC)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)


def _alarm_of(order: Order) -> str:
    return f"order-{order.number}"
