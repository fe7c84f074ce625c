"""The clockwork of urgent orders. Pure: time is an argument.

::

    dispatched    a level's time is over, there is a next one    dispatched, and the next level is told too
    dispatched    the last level's time is over                  unanswered, and an alarm
    dispatched    a level has no data interface, and every       as if its time were over
                  round of its phones was in vain
    either        a department takes it                          acknowledged, and the clock of dealing with it runs
    acknowledged  that clock is over                             late, and an alarm; told once
    acknowledged  more time is given                             in time again, and the alarm is over
    any open      closed or cancelled, with a reason             closed, cancelled

Of one order one phone is called at a time, and none but in ``dispatched``. A level that was told stays told: it may
take the order later, and hears of everything that becomes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from orders.model import (
    OVER,
    Acknowledged,
    AcknowledgementWay,
    ClearAlarm,
    Dial,
    DutyCallAttempt,
    DutyCallFailure,
    Effect,
    Ended,
    EscalationStep,
    Event,
    Extended,
    HangUp,
    IllegalOrderEvent,
    Looked,
    NotCalled,
    Notify,
    NotTaken,
    Order,
    OrderEvent,
    OrderState,
    RaiseAlarm,
    Updated,
)
from telephony.model import ENGINE_SERIALS, CallId

MOVES: Final[Mapping[OrderState, frozenset[OrderState]]] = {
    OrderState.DISPATCHED: frozenset({OrderState.UNANSWERED, OrderState.ACKNOWLEDGED, *OVER}),
    OrderState.UNANSWERED: frozenset({OrderState.ACKNOWLEDGED, *OVER}),
    OrderState.ACKNOWLEDGED: OVER,
    OrderState.CLOSED: frozenset(),
    OrderState.CANCELLED: frozenset(),
}

ORDER_SERIALS: Final = ENGINE_SERIALS
"""Calls to duty phones have ids of their own: the switch's serials stay below, those of callbacks are above."""

SLOTS: Final = 10_000
MOST_ATTEMPTS: Final = 1_000
"""The last three digits of an attempt's call id."""

SERIALS: Final = 1_000_000
"""Orders whose calls differ by their serial number alone; the rest of the id is the second in which it was raised."""

UNREACHABLE_SECONDS: Final = 10
"""A line that cannot be had is not worn out at once: the next call waits so long."""

NAMES: Final[Mapping[OrderState, str]] = {
    OrderState.DISPATCHED: "已派发",
    OrderState.UNANSWERED: "无人签收",
    OrderState.ACKNOWLEDGED: "已签收",
    OrderState.CLOSED: "已办结",
    OrderState.CANCELLED: "已撤销",
}


def raised(order: Order) -> tuple[Order, tuple[Effect, ...]]:
    """A new order: its first level is told."""
    return order, _tell(OrderEvent.RAISED, order.steps[:1])


def apply(order: Order, event: Event, now: datetime) -> tuple[Order, tuple[Effect, ...]]:
    """What becomes of the order, and what must be done. The very same order comes back when nothing changes.

    Raises Illegal for what a person or a department asked for and cannot be.
    """
    match event:
        case Looked():
            return _looked(order, now, phones=event.phones)
        case NotCalled():
            return _not_called(order, event)
        case NotTaken():
            return _not_taken(order, event, now)
        case Acknowledged():
            return _taken(order, event, now)
        case Updated():
            return _updated(order, event)
        case Extended():
            return _extended(order, event, now)
        case Ended():
            return _ended(order, event, now)


def attempt_of(order: Order, call: CallId) -> DutyCallAttempt | None:
    """The call to a duty phone that runs for this order, if it is this one."""
    return order.ringing if order.ringing is not None and order.ringing.call == call else None


def _looked(order: Order, now: datetime, *, phones: bool) -> tuple[Order, tuple[Effect, ...]]:
    if order.state is OrderState.ACKNOWLEDGED and order.finish_by is not None and order.late_at is None:
        return (replace(order, late_at=now), (RaiseAlarm(),)) if now >= order.finish_by else (order, ())
    if order.state is not OrderState.DISPATCHED:
        return order, ()
    step = order.steps[order.step]
    if now >= order.due or (_in_vain(order, step) and not step.pushed):
        return _escalated(order, now)
    if not phones or order.ringing is not None or _in_vain(order, step) or now < (order.not_before or now):
        return order, ()
    attempt = DutyCallAttempt(
        number=step.phones[order.dialled % len(step.phones)],
        department=step.department,
        at=now,
        call=_attempt_call(order),
        slot=_serial(order) % SLOTS,
    )
    dialled = replace(
        order, ringing=attempt, dialled=order.dialled + 1, attempts=order.attempts + 1, not_before=None, reason=""
    )
    return dialled, (Dial(attempt, order.dialled // len(step.phones)),)


def _in_vain(order: Order, step: EscalationStep) -> bool:
    """Every round of this level's phones has been called, and none of them rings any more."""
    return order.dialled >= step.rounds * len(step.phones) and order.ringing is None


def _escalated(order: Order, now: datetime) -> tuple[Order, tuple[Effect, ...]]:
    if order.step + 1 == len(order.steps):
        return _move(order, OrderState.UNANSWERED), (RaiseAlarm(),)
    further = replace(order, step=order.step + 1, since=now, dialled=0, not_before=None)
    return further, _tell(OrderEvent.RAISED, (further.steps[further.step],))


def _not_called(order: Order, event: NotCalled) -> tuple[Order, tuple[Effect, ...]]:
    if attempt_of(order, event.call) is None:
        return order, ()
    # The id stays used: the switch may have begun after all. An attempt of an earlier level counts for none.
    mine = order.ringing is not None and order.ringing.department == order.steps[order.step].department
    return replace(order, ringing=None, dialled=order.dialled - mine, not_before=event.again_at), ()


def _not_taken(order: Order, event: NotTaken, now: datetime) -> tuple[Order, tuple[Effect, ...]]:
    if attempt_of(order, event.call) is None:
        return order, ()
    pause = timedelta(seconds=UNREACHABLE_SECONDS) if event.why is DutyCallFailure.UNREACHABLE else timedelta()
    return replace(order, ringing=None, reason=str(event.why), not_before=now + pause), ()


def _taken(order: Order, event: Acknowledged, now: datetime) -> tuple[Order, tuple[Effect, ...]]:
    if event.department not in (step.department for step in order.steps):
        raise IllegalOrderEvent(f"工单 {order.number} 没有派给 {event.department}")
    if order.state is OrderState.ACKNOWLEDGED:
        if order.acknowledged_by == event.department or event.how is AcknowledgementWay.PHONE_KEY:
            return order, ()
        raise IllegalOrderEvent(f"工单 {order.number} 已由 {name_of(order, order.acknowledged_by)} 签收")
    if not order.open:
        if event.how is AcknowledgementWay.PHONE_KEY:
            return order, ()
        raise IllegalOrderEvent(f"工单 {order.number} {NAMES[order.state]}，不能再签收")
    taken = replace(
        _move(order, OrderState.ACKNOWLEDGED),
        acknowledged_at=now,
        acknowledged_by=event.department,
        acknowledged_how=str(event.how),
        acknowledged_who=event.who,
        finish_by=now + timedelta(minutes=order.finish_minutes) if order.finish_minutes else None,
        ringing=None,
        reason="",
    )
    spoken_to = event.how is AcknowledgementWay.PHONE_KEY  # it hears that the order is taken, and hangs up itself
    return taken, (
        *_tell(OrderEvent.ACKNOWLEDGED, order.told),
        *_calmed(replace(order, ringing=None) if spoken_to else order),
    )


def _updated(order: Order, event: Updated) -> tuple[Order, tuple[Effect, ...]]:
    if not order.open:
        raise IllegalOrderEvent(f"工单 {order.number} {NAMES[order.state]}，不能再补充")
    place, summary = event.place or order.place, event.summary or order.summary
    if (place, summary) == (order.place, order.summary):
        return order, ()
    return replace(order, place=place, summary=summary), _tell(OrderEvent.UPDATED, order.told)


def _extended(order: Order, event: Extended, now: datetime) -> tuple[Order, tuple[Effect, ...]]:
    if order.state is not OrderState.ACKNOWLEDGED:
        raise IllegalOrderEvent(f"工单 {order.number} {NAMES[order.state]}，只有已签收、未办结的工单可以延期")
    further = replace(order, finish_by=now + timedelta(minutes=event.minutes), late_at=None)
    return further, (*_tell(OrderEvent.UPDATED, order.told), *_calmed(order))


def _ended(order: Order, event: Ended, now: datetime) -> tuple[Order, tuple[Effect, ...]]:
    if not order.open:
        raise IllegalOrderEvent(f"工单 {order.number} {NAMES[order.state]}，不能再办结或撤销")
    over = replace(_move(order, event.state), over_at=now, over_by=event.by, reason=event.reason, ringing=None)
    what = OrderEvent.CLOSED if event.state is OrderState.CLOSED else OrderEvent.CANCELLED
    return over, (*_tell(what, order.told), *_calmed(order))


def _calmed(order: Order) -> tuple[Effect, ...]:
    """What nobody needs any more: the telephone that rings, the alarm that stands."""
    phone: tuple[Effect, ...] = (HangUp(order.ringing.call),) if order.ringing is not None else ()
    return (*phone, ClearAlarm()) if order.overdue else phone


def diagram() -> str:
    """The table as a mermaid state diagram, for docs/."""
    lines = [
        "stateDiagram-v2",
        "    [*] --> dispatched",
        "    dispatched --> dispatched: time over, next department told",
        "    acknowledged --> acknowledged: not dealt with in time, alarm; or more time given",
    ]
    lines += [f"    {old} --> {new}: {_NEWS[new]}" for old in OrderState for new in OrderState if new in MOVES[old]]
    return "\n".join([*lines, *(f"    {state} --> [*]" for state in OrderState if not MOVES[state]), ""])


_NEWS: Final[Mapping[OrderState, str]] = {
    OrderState.UNANSWERED: "the last department's time over",
    OrderState.ACKNOWLEDGED: "taken",
    OrderState.CLOSED: "closed",
    OrderState.CANCELLED: "cancelled",
}


def name_of(order: Order, department: str) -> str:
    """The department's name as this order knows it."""
    return next((step.name for step in order.steps if step.department == department), department)


def _tell(what: OrderEvent, steps: tuple[EscalationStep, ...]) -> tuple[Effect, ...]:
    pushed = tuple(step.department for step in steps if step.pushed)
    return (Notify(what, pushed),) if pushed else ()


def _move(order: Order, to: OrderState) -> Order:
    if to not in MOVES[order.state]:
        raise IllegalOrderEvent(f"工单 {order.number} {NAMES[order.state]}，不能变为{NAMES[to]}")
    return replace(order, state=to)


def _serial(order: Order) -> int:
    return int(order.number.rpartition("-")[2])


def _attempt_call(order: Order) -> CallId:
    """The second in which the order was raised, its serial number and the attempt's: never given twice on this node."""
    node = order.number.partition("-")[0]
    serial = ORDER_SERIALS + _serial(order) % SERIALS * MOST_ATTEMPTS + order.attempts % MOST_ATTEMPTS
    return CallId(f"{node}-{int(order.raised_at.timestamp()):010d}.{serial}")
