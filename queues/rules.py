"""Who gets whom: the decisions of the ACD.

One job: ``apply(acd, event, now) -> effects``. No I/O, no clock, no randomness: equal histories give equal effects.

Order of a turn: first the event, because what the switch says counts before what we conclude from its silence; then
every deadline that is due; then calls and seats are brought together, so that no call waits while a ready seat could
serve it. ``now`` is unix milliseconds; the shell derives it from one wall-clock reading plus a monotonic clock, so that
a clock set back or forth moves no deadline.

The oldest call is first over all groups of the freed seat, so no group starves another; a priority is a head start in
age (queues.acd.ticket_rank), so no class starves another either.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from queues import agent_rules, call_rules
from queues.acd import Acd
from queues.effects import Effect, HeldTooLong
from queues.events import (
    AgentSignedIn,
    Answered,
    CalledOut,
    CallHeld,
    CallResumed,
    Event,
    Forced,
    Healed,
    MoveCall,
    NotAnswered,
    Paused,
    PolicyChanged,
    Ready,
    Ringing,
    SeatBusyElsewhere,
    SeatFree,
    SeatReachable,
    SeatUnreachable,
    SignedOut,
    TalkEnded,
    Tick,
    TicketJoined,
    TicketLeft,
    WrapUpEnded,
    WrapUpExtended,
)
from queues.model import OfferFailure, SeatReason, UnexpectedEvent
from queues.states import OFFERED, AgentState
from queues.transaction import AcdTransaction
from telephony.model import CallId, SeatId


def apply(acd: Acd, event: Event, now: int) -> tuple[Effect, ...]:
    """Tell the ACD what happened at ``now`` (unix ms); do the effects in their order.

    Raises NotAllowed, with nothing changed, when a person asked for what cannot be; nothing for what the switch says.
    """
    turn = AcdTransaction(acd, now)
    _HANDLERS[type(event)](turn, event)
    expire(turn)
    return turn.finish()


def expire(turn: AcdTransaction) -> None:
    """End what is due."""
    deadlines = turn.acd.deadlines
    while (first := deadlines.first()) is not None and first[0] <= turn.now:
        _, kind, name = first
        if kind == "ticket":
            turn.reindex(turn.acd.tickets[CallId(name)])
            continue
        seat = turn.acd.seats[SeatId(name)]
        if seat.state in OFFERED:
            assert seat.call is not None, "an offered seat has a call"
            ticket = turn.acd.tickets[seat.call]
            turn.withdraw(ticket, SeatReason.TIMEOUT, back_to_wait=True)
            turn.offer_failed(ticket, OfferFailure.TIMEOUT)
        elif seat.state is AgentState.WRAP_UP:
            turn.settle_state(seat, SeatReason.WRAP_UP_OVER)
        elif seat.state is AgentState.HOLD:
            assert seat.call is not None, "a seat on hold has a call"
            turn.effects.append(HeldTooLong(seat.call, seat.id, seat.agent, turn.now - seat.since_ms))
            turn.seat_deadline(seat, turn.now + turn.acd.policy.hold_alarm_seconds * 1000)
        else:
            turn.settle_state(seat, SeatReason.BACK_BY_POLICY)


def _policy_changed(turn: AcdTransaction, event: PolicyChanged) -> None:
    turn.policy(event.policy)


def _healed(turn: AcdTransaction, event: Healed) -> None:
    turn.count_unexpected(UnexpectedEvent.HEALED)


def _tick(turn: AcdTransaction, event: Tick) -> None:
    pass


_HANDLERS: Final[dict[type[Event], Callable[[AcdTransaction, Any], None]]] = {
    AgentSignedIn: agent_rules.signed_in,
    SignedOut: agent_rules.signed_out,
    Paused: agent_rules.paused,
    Ready: agent_rules.ready,
    WrapUpExtended: agent_rules.wrap_up_extended,
    WrapUpEnded: agent_rules.wrap_up_ended,
    Forced: agent_rules.forced,
    SeatUnreachable: agent_rules.unreachable,
    SeatReachable: agent_rules.reachable,
    SeatBusyElsewhere: agent_rules.busy_elsewhere,
    SeatFree: agent_rules.free,
    TicketJoined: call_rules.joined,
    TicketLeft: call_rules.left,
    Ringing: call_rules.ringing,
    Answered: call_rules.answered,
    CalledOut: call_rules.called_out,
    NotAnswered: call_rules.not_answered,
    TalkEnded: call_rules.talk_ended,
    CallHeld: call_rules.held,
    CallResumed: call_rules.resumed,
    MoveCall: call_rules.moved,
    PolicyChanged: _policy_changed,
    Healed: _healed,
    Tick: _tick,
}
