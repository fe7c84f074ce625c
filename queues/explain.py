"""Why this agent, and why not the others? Every choice of the ACD, explained in Chinese.

One job: say why a call and a seat are together or not. It reads the state and changes nothing.
"""

from __future__ import annotations

from typing import Final

from queues.acd import Acd, Seat, Ticket
from queues.labels_zh import PRIORITY, STATE, WHY
from queues.model import TicketPhase
from queues.skill_lanes import EVERYONE, LEVEL_OF_EVERYONE, LEVEL_OF_PREFERRED
from queues.states import AgentState
from telephony.model import AgentId, CallId, GroupId, Priority, SeatId

MOST_CALLS: Final = 10
"""Of the waiting calls that an agent does not get, so many are explained: the first ones."""


def explain_call(acd: Acd, call: CallId, now: int) -> tuple[str, ...]:
    """Where the call is and why; then, for everybody who is signed in, why not there. ``now`` is unix ms."""
    ticket = acd.tickets.get(call)
    if ticket is None:
        return (_unknown(call),)
    others = sorted(
        (seat for seat in acd.seats.values() if seat.agent is not None and seat.id != ticket.seat),
        key=lambda seat: (seat.state is not AgentState.READY, seat.id),
    )
    return (
        _standing(acd, ticket, now),
        _where(acd, ticket, now),
        *(_named(seat, _why_not(acd, ticket, seat, now)) for seat in others),
    )


def _named(seat: Seat, reason: str) -> str:
    return reason if reason.startswith(_who(seat)) else f"{_who(seat)}：{reason}"


def _who(seat: Seat) -> str:
    return f"分中心{seat.site}的席位{seat.id}" if seat.site else f"座席{seat.id}（工号{seat.agent}）"


def explain_agent(acd: Acd, agent: AgentId, now: int) -> tuple[str, ...]:
    """What the agent does and why; then, for the first calls that wait, why they are not the agent's."""
    seat_id = acd.seat_of.get(agent)
    if seat_id is None:
        return (f"工号{agent}没有签入，不会分到来电",)
    seat = acd.seats[seat_id]
    since = _seconds(now - seat.since_ms)
    why = f"，因为{WHY[seat.why]}" if seat.why is not None else ""
    serves = "、".join(f"{group}（{seat.levels.get(group, 1)}级）" for group in seat.groups) or "无"
    lines = [
        f"工号{agent}在座席{seat.id}，{STATE[seat.state]}{since}秒{why}",
        f"服务的技能组：{serves}" + (f"；语言：{'、'.join(sorted(seat.languages))}" if seat.languages else ""),
    ]
    if seat.call is not None:
        lines += explain_call(acd, seat.call, now)[:2]
    elif seat.state is not AgentState.READY:
        lines.append(_not_ready(seat, now))
    waiting = sorted(
        (ticket for ticket in acd.tickets.values() if ticket.phase is TicketPhase.WAITING), key=lambda one: one.rank
    )
    lines += [f"来电{ticket.call}：{_why_not(acd, ticket, seat, now)}" for ticket in waiting[:MOST_CALLS]]
    return tuple(lines)


def why_not(acd: Acd, call: CallId, seat_id: SeatId, now: int) -> str:
    """The first reason, in the order in which the ACD decides, for which this seat does not have this call."""
    ticket = acd.tickets.get(call)
    if ticket is None:
        return _unknown(call)
    if ticket.phase is not TicketPhase.WAITING:
        return _has_a_seat(acd, ticket, seat_id)
    seat = acd.seats.get(seat_id)
    if seat is None or seat.agent is None:
        return f"座席{seat_id}没有人签入"
    return _why_not(acd, ticket, seat, now)


def _unknown(call: CallId) -> str:
    return f"来电{call}不在排队中：尚未进入、已结束或已由其他方式处理"


def _standing(acd: Acd, ticket: Ticket, now: int) -> str:
    head_start = acd.policy.head_start_ms(ticket.priority) // 1000
    named = max((one for one in Priority if one <= ticket.priority), default=Priority.NORMAL)
    side = "早" if head_start > 0 else "晚"
    priority = f"，{PRIORITY[named]}，按{side}到{abs(head_start)}秒排队" if head_start else ""
    return f"来电{ticket.call}要技能组{ticket.group}{priority}，来电至今{_seconds(now - ticket.since_ms)}秒"


def _where(acd: Acd, ticket: Ticket, now: int) -> str:
    if ticket.phase is TicketPhase.WAITING:
        return _waits(acd, ticket, now)
    assert ticket.seat is not None, "a call that does not wait has a seat"
    seat = acd.seats[ticket.seat]
    text = f"在{_who(seat)}，{STATE[seat.state]}"
    choice = ticket.choice
    if choice is None or choice.seat != seat.id:
        return f"{text}；分配的经过没有记录：系统重启过，或座席自行接起"
    rival = f"，其次是座席{choice.runner_up}" if choice.runner_up is not None else "，没有别的座席可接"
    best = f"当时在可接的示闲座席中等级最好、空闲最久（{_seconds(choice.idle_ms)}秒）{rival}"
    return f"{text}；分配理由：{_fit(choice.level, choice.group)}，{best}"


def _fit(level: int, group: GroupId) -> str:
    if level == LEVEL_OF_PREFERRED:
        return "上次与来电人通话的座席"
    if level == LEVEL_OF_EVERYONE:
        return "已扩展到全部座席"
    return f"服务技能组{group}，{level}级"


def _waits(acd: Acd, ticket: Ticket, now: int) -> str:
    if ticket.preferred is not None and now < ticket.preferred_until_ms:
        who = f"工号{ticket.preferred}（上次的座席），最多再等{_seconds(ticket.preferred_until_ms - now)}秒"
    else:
        who = "、".join("全部座席" if group == EVERYONE else _manned(acd, group) for group in ticket.asks)
        if now < ticket.language_until_ms:
            left = _seconds(ticket.language_until_ms - now)
            who += f"中会{ticket.language}的座席，{left}秒后不再限语言"
    return f"排在第{acd.place(ticket)}位，现在可接的是：{who}"


def _manned(acd: Acd, group: GroupId) -> str:
    return group if acd.staff[group] else f"{group}（现在没有座席签入，分中心的席位没有开放）"


def _why_not(acd: Acd, ticket: Ticket, seat: Seat, now: int) -> str:
    if ticket.phase is not TicketPhase.WAITING:
        return _lost(ticket, seat, now)
    if seat.state is not AgentState.READY:
        return _not_ready(seat, now)
    lanes = {name for name, _ in seat.lanes}
    if not lanes.intersection(ticket.lanes):
        return _other_lanes(acd, ticket, seat, now)
    if ticket.held_until_ms is not None:
        return f"来电上次转接失败，{_seconds(ticket.held_until_ms - now)}秒后重新分配"
    return "可以分配，正在等待下一次匹配"


def _lost(ticket: Ticket, seat: Seat, now: int) -> str:
    """Why a seat does not have a call that another one has."""
    if ticket.choice is not None and ticket.choice.runner_up == seat.id:
        return f"分配时排在其次：等级不如，或空闲没有座席{ticket.seat}久"
    if seat.state is not AgentState.READY:
        return _not_ready(seat, now)
    return f"来电已分给座席{ticket.seat}；当时它不能接，或排在其后"


def _has_a_seat(acd: Acd, ticket: Ticket, seat_id: SeatId) -> str:
    assert ticket.seat is not None, "a call that does not wait has a seat"
    state = STATE[acd.seats[ticket.seat].state]
    if ticket.seat == seat_id:
        return f"来电就在座席{seat_id}（{state}）"
    return f"来电已在座席{ticket.seat}（{state}）；分配时该座席空闲最久，或座席{seat_id}当时不能接"


def _not_ready(seat: Seat, now: int) -> str:
    text = f"{_who(seat)}当前{STATE[seat.state]}"
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


def _other_lanes(acd: Acd, ticket: Ticket, seat: Seat, now: int) -> str:
    """A ready seat that the call does not ask for, or not yet."""
    if ticket.preferred is not None and now < ticket.preferred_until_ms:
        left = _seconds(ticket.preferred_until_ms - now)
        return f"来电先等上次的座席工号{ticket.preferred}，最多再等{left}秒"
    shared = [group for group in ticket.asks if group in seat.groups]
    if not shared:
        return _other_groups(ticket, seat, now)
    if now < ticket.language_until_ms and ticket.language not in seat.languages:
        left = _seconds(ticket.language_until_ms - now)
        return f"来电要会{ticket.language}的座席；再等{left}秒后不再限语言"
    level = min(seat.levels.get(group, 1) for group in shared)
    seconds = max(acd.policy.of(group).level_seconds for group in shared)
    left = _seconds(ticket.joined_ms + (level - 1) * seconds * 1000 - now)
    return f"技能等级{level}级，来电先等等级更好的座席；再等{left}秒扩展到{level}级后可以接"


def _other_groups(ticket: Ticket, seat: Seat, now: int) -> str:
    asks, serves = "、".join(ticket.asks), "、".join(seat.groups) or "无"
    text = f"技能组不符：来电现在要{asks}，{_who(seat)}服务{serves}"
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
