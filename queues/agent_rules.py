"""What agents, supervisors and phones do to a seat.

One job: the meaning of the seat events. What a person asks for is checked before anything is changed.
"""

from __future__ import annotations

from queues.acd import Seat
from queues.events import (
    AgentSignedIn,
    Forced,
    Paused,
    Ready,
    SeatBusyElsewhere,
    SeatFree,
    SeatReachable,
    SeatUnreachable,
    SignedOut,
    WrapUpEnded,
    WrapUpExtended,
)
from queues.model import NotAllowed, SeatReason
from queues.states import IN_TALK, OFFERED, AgentState
from queues.transaction import AcdTransaction
from telephony.model import SeatId

IN_CALL = OFFERED | IN_TALK
_FORCEABLE = frozenset({AgentState.READY, AgentState.PAUSED, AgentState.SIGNED_OUT})


def signed_in(turn: AcdTransaction, event: AgentSignedIn) -> None:
    """Bring an agent to a seat; the person who is there now wins over who forgot to sign out, but never over a call."""
    seat = turn.acd.seats.get(event.seat)
    if seat is not None and seat.agent == event.agent:
        turn.update_skills(seat, event.groups, event.levels, event.languages)
        if seat.leaving:
            turn.set_intent(seat, pause=seat.pause)
        return
    former_seat_id = turn.acd.seat_of.get(event.agent)
    former = None if former_seat_id is None else turn.acd.seats[former_seat_id]
    if former is not None and former.state in IN_CALL:
        raise NotAllowed(f"工号{event.agent}正在座席{former.id}处理来电，结束后才能在座席{event.seat}签入")
    if seat is not None and seat.state in IN_CALL:
        whose = f"工号{seat.agent}的" if seat.agent is not None else ""
        raise NotAllowed(f"座席{seat.id}上{whose}来电尚未结束，结束后才能签入")
    if former is not None:
        turn.sign_out(former, SeatReason.MOVED)
    seat = turn.seat(event.seat)
    seat.site = event.site
    if seat.agent is not None:
        turn.sign_out(seat, SeatReason.REPLACED)
    turn.sign_in(seat, event.agent, event.groups, event.pause, event.levels, event.languages)
    turn.settle_state(seat, SeatReason.SIGNED_IN)


def signed_out(turn: AcdTransaction, event: SignedOut) -> None:
    """Sign out now, or after the call."""
    seat = _manned(turn, event.seat)
    if seat.state in IN_CALL:
        turn.set_intent(seat, pause=seat.pause, leaving=True)
    else:
        turn.sign_out(seat, SeatReason.SIGNED_OUT)


def paused(turn: AcdTransaction, event: Paused) -> None:
    """Pause now, or after the call and its wrap-up."""
    seat = _manned(turn, event.seat)
    turn.set_intent(seat, pause=event.reason, leaving=seat.leaving)
    if seat.state not in IN_CALL:
        turn.settle_state(seat, SeatReason.PAUSED)


def ready(turn: AcdTransaction, event: Ready) -> None:
    """Take calls again; during a call: stay on after it."""
    seat = _manned(turn, event.seat)
    turn.set_intent(seat, pause=None)
    if seat.state not in IN_CALL:
        turn.settle_state(seat, SeatReason.READY)


def wrap_up_extended(turn: AcdTransaction, event: WrapUpExtended) -> None:
    """Give more time for the paperwork of the last call, up to the policy's total."""
    seat = _in_wrap_up(turn, event.seat)
    if event.seconds <= 0:
        raise NotAllowed(f"延长的秒数应大于0，例如30；收到的是{event.seconds}")
    latest = seat.since_ms + turn.acd.policy.wrap_up_seconds_max * 1000
    assert seat.until_ms is not None, "wrap-up always has an end"
    if seat.until_ms >= latest:
        raise NotAllowed(f"话后整理最长{turn.acd.policy.wrap_up_seconds_max}秒，不能再延长")
    turn.extend(seat, min(seat.until_ms + event.seconds * 1000, latest))


def wrap_up_ended(turn: AcdTransaction, event: WrapUpEnded) -> None:
    """The paperwork is done early."""
    turn.settle_state(_in_wrap_up(turn, event.seat), SeatReason.WRAP_UP_OVER)


def forced(turn: AcdTransaction, event: Forced) -> None:
    """Do what a supervisor says at once; an offered call waits again, one believed to talk is let go."""
    seat = _manned(turn, event.seat)
    if event.to not in _FORCEABLE:
        raise NotAllowed(f"只能强制为示闲、示忙或签出，不能强制为{event.to}")
    if seat.call is not None:
        ticket = turn.acd.tickets[seat.call]
        if seat.state in OFFERED:
            turn.withdraw(ticket, SeatReason.FORCED, back_to_wait=True)
            turn.queue(ticket, again=True)
        else:
            turn.end_talk(ticket)
            turn.forget(ticket)
    if event.to is AgentState.SIGNED_OUT:
        turn.sign_out(seat, SeatReason.FORCED)
        return
    turn.set_intent(seat, pause=event.reason if event.to is AgentState.PAUSED else None)
    turn.settle_state(seat, SeatReason.FORCED)


def unreachable(turn: AcdTransaction, event: SeatUnreachable) -> None:
    """The phone lost its contact. A call that rings or talks there is left alone; one on its way goes elsewhere."""
    seat = turn.seat(event.seat)
    seat.reachable = False
    if seat.state is AgentState.RESERVED:
        assert seat.call is not None, "a reserved seat has a call"
        ticket = turn.acd.tickets[seat.call]
        turn.withdraw(ticket, SeatReason.CONTACT_LOST, back_to_wait=True)
        turn.settle_state(seat, SeatReason.CONTACT_LOST)
        turn.queue(ticket, again=True)
    else:
        _rest_again(turn, seat, SeatReason.CONTACT_LOST)


def reachable(turn: AcdTransaction, event: SeatReachable) -> None:
    """The phone has contact again."""
    seat = turn.seat(event.seat)
    seat.reachable = True
    _rest_again(turn, seat, SeatReason.CONTACT_BACK)


def busy_elsewhere(turn: AcdTransaction, event: SeatBusyElsewhere) -> None:
    """The phone is in use."""
    seat = turn.seat(event.seat)
    seat.in_use = True
    _rest_again(turn, seat, SeatReason.PHONE_IN_USE)


def free(turn: AcdTransaction, event: SeatFree) -> None:
    """The phone is not in use."""
    seat = turn.seat(event.seat)
    seat.in_use = False
    _rest_again(turn, seat, SeatReason.PHONE_FREE)


_RESTING = frozenset({AgentState.READY, AgentState.PAUSED, AgentState.UNREACHABLE, AgentState.BUSY})


def _rest_again(turn: AcdTransaction, seat: Seat, why: SeatReason) -> None:
    """The phone changed: it matters at once only while the seat rests; wrap-up and not-responding run on."""
    if seat.state in _RESTING:
        turn.settle_state(seat, why)


def _manned(turn: AcdTransaction, seat_id: SeatId) -> Seat:
    seat = turn.acd.seats.get(seat_id)
    if seat is None or seat.agent is None:
        raise NotAllowed(f"座席{seat_id}没有人签入，请先签入")
    return seat


def _in_wrap_up(turn: AcdTransaction, seat_id: SeatId) -> Seat:
    seat = _manned(turn, seat_id)
    if seat.state is not AgentState.WRAP_UP:
        raise NotAllowed(f"座席{seat_id}不在话后整理中")
    return seat
