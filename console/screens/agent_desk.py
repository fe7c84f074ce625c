"""What an agent's own page shows, made anew from what the engine knows: a page that reloads has all of it at once.

One job: shape. Numbers are masked; the page asks for one in full with a reason, by another route.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from calls.model import DispositionEntry, LiveCall
from console.screens.live_board import agent_row
from ledger.labels_zh import FORMS, TRANSFER_STATES
from ledger.story import mask
from orders.labels_zh import standing
from queues.acd import Seat
from queues.labels_zh import PRIORITY, STATE, WHY
from queues.states import IN_TALK, OFFERED, AgentState
from routing.model import CallerList, WaitingAction
from routing.numbers import area
from telephony.model import HOTLINE_NUMBER, AgentId, GroupId, Priority, Stage
from transfers.service import Transfer
from transfers.states import TALKING, Progress

if TYPE_CHECKING:
    from console.screens.sources import ScreenSources
    from console.screens.topics import Rows

PRESSED = {
    WaitingAction.CALLBACK: "要求回拨",
    WaitingAction.MESSAGE: "要求留言",
    WaitingAction.URGENT: "情况紧急",
}
LISTS = {CallerList.NUISANCE: "骚扰名单", CallerList.PRIORITY: "优先名单", CallerList.STAFF: "内部人员"}
PROGRESS = {Progress.SILENT: "", Progress.RINGING: "对方振铃", Progress.EARLY_MEDIA: "对方放音"}
OVER = "over"
"""Phase of a call that is over, or gone elsewhere, and still the agent's to finish."""


def desk(rooms: ScreenSources, agent: AgentId) -> Rows:
    """``seat`` always; ``call``, ``transfer`` and ``orders`` while there is a call, or the wrap-up of one."""
    acd = rooms.queues.acd
    seat_id = acd.seat_of.get(agent)
    row = rooms.snapshot.agents.get(agent)
    name = row.name if row is not None else ""
    if seat_id is None:
        state = AgentState.SIGNED_OUT
        return {"seat": {"agent": agent, "name": name, "seat": None, "state": state, "words": STATE[state]}}
    seat = acd.seats[seat_id]
    rows: dict[str, Any] = {
        "seat": agent_row(seat)
        | {
            "agent": agent,
            "name": name,
            "words": STATE[seat.state],
            "why_words": WHY[seat.why] if seat.why is not None else "",
            "groups": list(seat.groups),
        }
    }
    held = _call_of(rooms, seat)
    if held is None:
        return rows
    said = held.dispositions.get(agent, DispositionEntry())
    rows["call"] = call_row(rooms, held) | {
        "phase": _phase(seat, held),
        "talk_since_ms": seat.talk_since_ms if seat.state in IN_TALK else None,
        "held_since_ms": seat.since_ms if seat.state is AgentState.HOLD else None,
        "address": held.address,
        "summary": held.summary,
        "wrap_up_code": said.code,
        "remark": said.remark,
    }
    transfer = rooms.transfers.transfers.get(held.call)
    if transfer is not None:
        rows["transfer"] = _transfer(rooms, transfer)
    rows["orders"] = {
        order.number: {
            "type": order.type_name,
            "place": order.place,
            "summary": order.summary,
            "state": order.state,
            "words": standing(order),
            "raised_ms": round(order.raised_at.timestamp() * 1000),
        }
        for order in rooms.orders.book.all()
        if order.call == held.call
    }
    return rows


def call_row(rooms: ScreenSources, held: LiveCall) -> dict[str, Any]:
    """What is known of a call whoever looks."""
    table = held.table or rooms.snapshot
    line, group = table.numbers.get(held.number), table.groups.get(GroupId(held.group))
    skill = table.skills.get(held.language)
    return {
        "call": held.call,
        "stage": held.stage,
        "number": held.number,
        "line": f"{held.number} {line.name}" if line is not None else held.number or HOTLINE_NUMBER,
        "caller": mask(held.caller),
        "area": area(held.caller, table.area_code),
        "group": held.group,
        "group_name": group.name if group is not None else held.group,
        "since_ms": held.since_ms,
        "priority": held.priority,
        "reasons": _reasons(rooms, held),
        "pressed": [PRESSED[action] for action in held.keys_pressed],
        "language": skill.name if skill is not None else "",
        "origin": held.origin,
        "reference": held.reference,
    }


def _call_of(rooms: ScreenSources, seat: Seat) -> LiveCall | None:
    """The call at this seat, or the one that its wrap-up is about."""
    if seat.call is not None:
        return rooms.calls.live.get(seat.call)
    if seat.state is AgentState.WRAP_UP and seat.agent is not None:
        return rooms.calls.last_call_of.get(seat.agent)
    return None


def _phase(seat: Seat, held: LiveCall) -> str:
    if seat.state in OFFERED:
        return str(AgentState.RINGING)
    if held.stage is Stage.CONFERENCE:
        return str(Stage.CONFERENCE)
    return str(seat.state) if seat.state in IN_TALK else OVER


def _reasons(rooms: ScreenSources, held: LiveCall) -> list[str]:
    """Why this is no caller like any other, in words."""
    reasons = []
    if held.trial:
        reasons.append("管理员试打，不是市民")
    if held.origin:
        reasons.append(f"{held.origin} 转来")
    if rooms.callbacks.book.of_attempt(held.call) is not None:
        reasons.append("回拨")
    if held.caller_list is not None:
        reasons.append(LISTS[held.caller_list])
    known = {Priority.REPEAT, Priority.DROPPED, Priority.FIRST}
    if held.priority in known and not held.origin:
        reasons.append(PRIORITY[Priority(held.priority)])
    return reasons


def _transfer(rooms: ScreenSources, transfer: Transfer) -> dict[str, Any]:
    table = rooms.snapshot
    partner, trunk = table.partners.get(transfer.target), table.trunks.get(transfer.trunk)
    words = TRANSFER_STATES[transfer.state]
    return {
        "id": transfer.id,
        "target": transfer.target,
        "name": partner.name if partner is not None else transfer.target,
        "form": transfer.form,
        "form_words": FORMS[transfer.form],
        "state": transfer.state,
        "progress": transfer.progress,
        "words": f"{words}，{said}" if (said := PROGRESS[transfer.progress]) else words,
        "trunk": transfer.trunk,
        "trunk_name": trunk.name if trunk is not None else "",
        "talking": sorted(TALKING[transfer.state]),
    }
