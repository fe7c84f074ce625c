"""Why not this agent? Every choice of the ACD, explained in Chinese.

One job: say why a waiting call and a seat are not together. It reads the state and changes nothing.
"""

from __future__ import annotations

from queues.acd import Acd, Seat, Ticket
from queues.model import TicketPhase
from queues.states import AgentState
from queues.words import STATE, WHY
from telephony.model import CallId, SeatId


def why_not(acd: Acd, call: CallId, seat_id: SeatId, now: int) -> str:
    """The first reason, in the order in which the ACD decides, for which this seat does not have this call."""
    ticket = acd.tickets.get(call)
    if ticket is None:
        return f"来电{call}不在排队中：尚未进入、已结束或已由其他方式处理"
    if ticket.phase is not TicketPhase.WAITING:
        return _has_a_seat(acd, ticket, seat_id)
    seat = acd.seats.get(seat_id)
    if seat is None or seat.agent is None:
        return f"座席{seat_id}没有人签入"
    if seat.state is not AgentState.READY:
        return _not_ready(seat, now)
    if not set(ticket.asks) & set(seat.groups):
        return _other_groups(ticket, seat, now)
    if ticket.held_until_ms is not None:
        return f"来电上次转接失败，{_seconds(ticket.held_until_ms - now)}秒后重新分配"
    return "可以分配，正在等待下一次匹配"


def _has_a_seat(acd: Acd, ticket: Ticket, seat_id: SeatId) -> str:
    assert ticket.seat is not None, "a call that does not wait has a seat"
    state = STATE[acd.seats[ticket.seat].state]
    if ticket.seat == seat_id:
        return f"来电就在座席{seat_id}（{state}）"
    return f"来电已在座席{ticket.seat}（{state}）；分配时该座席空闲最久，或座席{seat_id}当时不能接"


def _not_ready(seat: Seat, now: int) -> str:
    text = f"座席{seat.id}（工号{seat.agent}）当前{STATE[seat.state]}"
    if seat.state is AgentState.PAUSED and seat.pause:
        text += f"，原因：{seat.pause}"
    elif seat.state is AgentState.NOT_RESPONDING and seat.why is not None:
        text += f"，原因：{WHY[seat.why]}"
    if seat.call is not None:
        return f"{text}，来电{seat.call}"
    if seat.until_ms is not None:
        return f"{text}，{_seconds(seat.until_ms - now)}秒后自动恢复"
    if seat.state is AgentState.NOT_RESPONDING:
        return f"{text}，需座席自己示闲"
    return text


def _other_groups(ticket: Ticket, seat: Seat, now: int) -> str:
    asks, serves = "、".join(ticket.asks), "、".join(seat.groups) or "无"
    text = f"技能组不符：来电现在要{asks}，座席{seat.id}（工号{seat.agent}）服务{serves}"
    steps = [
        (ticket.joined_ms + seconds * 1000 - now, group)
        for seconds, group in ticket.overflow
        if group in seat.groups and group not in ticket.asks
    ]
    if not steps:
        return text
    remaining, group = min(steps)
    return f"{text}；再等{_seconds(remaining)}秒扩展到{group}后可以接"


def _seconds(ms: int) -> int:
    return max(0, -(-ms // 1000))
