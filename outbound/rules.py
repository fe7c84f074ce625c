"""Who may call out to whom, and what may become of such a call.

One job: decide. No clock, no table: times and terms are arguments. Every decision names its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from outbound.history import History
from outbound.model import NumberKind, OutboundCall, Refusal, State, Terms
from telephony.model import EMERGENCY_NUMBERS, CallOutClass
from telephony.subscribers import callable_number

REACH: Final[Mapping[CallOutClass, frozenset[NumberKind]]] = {
    CallOutClass.NONE: frozenset(),
    CallOutClass.LOCAL: frozenset({NumberKind.LOCAL}),
    CallOutClass.MOBILE: frozenset({NumberKind.LOCAL, NumberKind.MOBILE}),
    CallOutClass.NATIONAL: frozenset(NumberKind),
}

MOVES: Final[Mapping[State, frozenset[State]]] = {
    State.REFUSED: frozenset(),
    State.RINGING: frozenset({State.DIALLING, State.CANCELLED, State.UNREACHED}),
    State.DIALLING: frozenset({State.TALKING, State.UNREACHED, State.CANCELLED, State.OVER}),
    State.TALKING: frozenset({State.OVER}),
    State.OVER: frozenset(),
    State.UNREACHED: frozenset(),
    State.CANCELLED: frozenset(),
}
"""state -> states that may follow. DIALLING to OVER: the talk came and went while no engine was there."""

SHORT_SECONDS: Final = 10
"""A talk that is over sooner is short, where patterns are looked for. Ours to choose, as all of them."""
MANY_SHORT: Final = 8
"""Short talks of one agent within an hour that look like fraud, or like a faulty phone."""
MANY_REFUSED: Final = 10
"""Refusals of one agent within ten minutes: somebody tries what goes."""
REFUSED_WITHIN: Final = timedelta(minutes=10)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


class IllegalMove(Exception):
    """A fault in our own code: a call was to go where the table has no way to."""


def kind_of(number: str) -> NumberKind | None:
    """What a number in its one form (our own area code taken off) is; None when it is never called.

    What may be called at all is telephony.subscribers' to say: subscribers of the national numbering plan, so no
    foreign, premium, service or short number is among them.
    """
    if callable_number(number) != number or not number:
        return None
    if number.startswith("1"):
        return NumberKind.MOBILE
    return NumberKind.ELSEWHERE if number.startswith("0") else NumberKind.LOCAL


def refusal(number: str, agent: str, *, busy: bool, terms: Terms, history: History, now: datetime) -> Refusal | None:
    """Why this agent may not call this number (in its one form) now; None when it may be called.

    What concerns the number comes first: an agent who may not call it at all is told so at any hour.
    """
    if not agent:
        return Refusal.NOT_SIGNED_IN
    if busy:
        return Refusal.BUSY
    if number in EMERGENCY_NUMBERS:
        return Refusal.EMERGENCY
    kind = kind_of(number)
    if kind is None:
        return Refusal.NOT_CALLABLE
    if kind not in REACH[terms.reach]:
        return Refusal.CLASS
    if number in terms.never_called:
        return Refusal.NEVER_CALLED
    if not terms.hours_open:
        return Refusal.HOURS
    if not terms.trunks:
        return Refusal.NO_TRUNK
    if history.of_number(number, now - DAY) >= terms.number_per_day:
        return Refusal.NUMBER_CAP
    if history.of_agent(agent, now - HOUR) >= terms.agent_per_hour:
        return Refusal.AGENT_CAP
    if history.of_all(now - HOUR) >= terms.hotline_per_hour:
        return Refusal.HOTLINE_CAP
    return None


CAPS: Final = frozenset({Refusal.NUMBER_CAP, Refusal.AGENT_CAP, Refusal.HOTLINE_CAP})
"""Refusals that are an alarm as well."""


def suspicion(agent: str, calls: Iterable[OutboundCall], now: datetime) -> str:
    """Why the calls that this agent has made lately look like fraud, in Chinese; empty when they do not."""
    mine = [call for call in calls if agent and call.agent == agent]
    short = sum(1 for call in mine if call.asked_at > now - HOUR and _is_short(call))
    if short >= MANY_SHORT:
        return f"工号 {agent} 一小时内有 {short} 次不到 {SHORT_SECONDS} 秒的外呼"
    refused = sum(1 for call in mine if call.state is State.REFUSED and call.asked_at > now - REFUSED_WITHIN)
    if refused >= MANY_REFUSED:
        return f"工号 {agent} 十分钟内有 {refused} 次外呼被拒"
    return ""


def _is_short(call: OutboundCall) -> bool:
    if call.answered_at is None or call.closed_at is None:
        return False
    return (call.closed_at - call.answered_at).total_seconds() < SHORT_SECONDS


def moved(call: OutboundCall, to: State, now: datetime, *, why: str = "") -> OutboundCall:
    """The call in its next state. Raises IllegalMove for one that the table does not have."""
    if to not in MOVES[call.state]:
        raise IllegalMove(f"{call.state} -> {to}")
    changed = replace(call, state=to, why=why)
    if to is State.TALKING:
        return replace(changed, answered_at=now)
    return changed if changed.open else replace(changed, closed_at=now)
