"""An order as the data of its facts, and back; and what a department's data interface is sent.

One job: the translation. Each fact of kind ``order`` says all that is known from then on, so the latest one is the
truth, and reading any of them twice is harmless. What is to be pushed because of a fact stands in it, so a fact that is
brought into the database twice is one message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from orders.model import (
    Acknowledged,
    DutyCallAttempt,
    Ended,
    EscalationStep,
    Event,
    Extended,
    Looked,
    NotCalled,
    Notify,
    NotTaken,
    Order,
    OrderEvent,
    OrderState,
    Updated,
)
from orders.rules import name_of
from telephony.model import CallId

TARGET: Final = "department-"
"""What stands before a department's id in the outbox and in its key."""

_TEXTS = (
    *("number", "key", "type", "type_name", "place", "summary", "caller", "by", "reason", "over_by"),
    *("acknowledged_by", "acknowledged_how", "acknowledged_who"),
)
_WHOLE = ("acknowledge_seconds", "step", "dialled", "attempts")
_TIMES = ("raised_at", "since", "not_before", "acknowledged_at", "over_at")
_LATER_WHOLE, _LATER_TIMES = ("finish_minutes",), ("finish_by", "late_at")
"""What facts of before these were kept do not say."""


def to_data(order: Order, what: str, tell: Iterable[Notify] = ()) -> dict[str, Any]:
    """What a fact is to say: ``what`` happened, everything known, and who is to be told of it."""
    told: dict[str, Any] = {"what": what, "state": str(order.state)}
    told |= {name: getattr(order, name) for name in (*_TEXTS, *_WHOLE, *_LATER_WHOLE)}
    for name in (*_TIMES, *_LATER_TIMES):
        moment: datetime | None = getattr(order, name)
        told[name] = None if moment is None else moment.isoformat()
    told["steps"] = [
        {"department": s.department, "name": s.name, "phones": list(s.phones), "pushed": s.pushed, "rounds": s.rounds}
        for s in order.steps
    ]
    ringing = order.ringing
    told["ringing"] = ringing and {
        "number": ringing.number,
        "department": ringing.department,
        "at": ringing.at.isoformat(),
        "call": ringing.call,
        "slot": ringing.slot,
    }
    told["tell"] = [{"what": str(one.what), "departments": list(one.departments)} for one in tell]
    return told


STEPS: Final = (
    *("raised", "dialling", "not-called", "not-taken", "escalated", "unanswered", "acknowledged"),
    *("updated", "late", "extended", "closed", "cancelled"),
)
"""The words for what may become of an order."""


def happened(before: Order, after: Order, event: Event) -> str:
    """The word for what became of an order."""
    match event:
        case Looked() if after.state is not before.state:
            return str(after.state)
        case Looked() if after.late_at is not None:
            return "late"
        case Looked():
            return "escalated" if after.step != before.step else "dialling"
        case NotCalled():
            return "not-called"
        case NotTaken():
            return "not-taken"
        case Updated():
            return str(OrderEvent.UPDATED)
        case Extended():
            return "extended"
        case Acknowledged() | Ended():
            return str(after.state)


def order_of(call: CallId, data: Mapping[str, Any]) -> Order:
    """The order that a fact tells of. Raises ValueError, KeyError or TypeError for what is none."""
    times: dict[str, Any] = {name: _moment(data[name]) for name in _TIMES}
    times |= {name: _moment(data.get(name)) for name in _LATER_TIMES}
    if times["raised_at"] is None:
        raise ValueError("an order has a moment")
    texts: dict[str, Any] = {name: str(data[name]) for name in _TEXTS}
    whole: dict[str, Any] = {name: int(data[name]) for name in _WHOLE}
    whole |= {name: int(data.get(name, 0)) for name in _LATER_WHOLE}
    steps = tuple(
        EscalationStep(
            str(s["department"]), str(s["name"]), tuple(map(str, s["phones"])), s["pushed"] is True, int(s["rounds"])
        )
        for s in data["steps"]
    )
    if not steps or not 0 <= whole["step"] < len(steps):
        raise ValueError("an order has a level")
    return Order(
        call=call,
        state=OrderState(data["state"]),
        steps=steps,
        ringing=_attempt(data["ringing"]),
        **texts,
        **whole,
        **times,
    )


def _attempt(data: Mapping[str, Any] | None) -> DutyCallAttempt | None:
    if data is None:
        return None
    at = _moment(data["at"])
    if at is None:
        raise ValueError("a call has a moment")
    return DutyCallAttempt(
        str(data["number"]), str(data["department"]), at, CallId(str(data["call"])), int(data["slot"])
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def fold(call: CallId, told: Iterable[tuple[str, Mapping[str, Any]]]) -> list[Order]:
    """What the facts of one call, (id of the fact, its data) in any order, say of each order raised in it."""
    newest: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for fact, data in told:
        number = str(data["number"])
        if number not in newest or newest[number][0] < fact:
            newest[number] = (fact, data)
    return [order_of(call, data) for _, data in newest.values()]


def target_of(department: str) -> str:
    """The department's name in the outbox."""
    return f"{TARGET}{department}"


def messages(fact: str, call: CallId, at: datetime, data: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """What a fact calls for: the outbox's target and the message, one for each department."""
    if not data["tell"]:
        return []
    order = order_of(call, data)
    return [
        (target_of(department), _message(fact, order, at, OrderEvent(tell["what"]), str(department)))
        for tell in data["tell"]
        for department in tell["departments"]
    ]


def _message(fact: str, order: Order, at: datetime, what: OrderEvent, department: str) -> dict[str, Any]:
    return {
        "id": fact,
        "order": order.number,
        "call": order.call,
        "at": at.isoformat(),
        "what": str(what),
        "state": str(order.state),
        "department": department,
        "type": order.type,
        "type_name": order.type_name,
        "place": order.place,
        "summary": order.summary,
        "caller": order.caller,
        "raised_at": order.raised_at.isoformat(),
        "acknowledge_by": order.due.isoformat() if order.state is OrderState.DISPATCHED else "",
        "acknowledged_by": name_of(order, order.acknowledged_by) if order.acknowledged_by else "",
        "acknowledged_at": order.acknowledged_at.isoformat() if order.acknowledged_at else "",
        "finish_by": order.finish_by.isoformat() if order.finish_by and order.open else "",
        "reason": order.reason if not order.open else "",
    }
