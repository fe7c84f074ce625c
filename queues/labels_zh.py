"""What people read about seats and reasons, in Chinese.

One job: the catalogue of this room.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from queues.effects import SeatStateChanged
from queues.model import SeatReason
from queues.states import AgentState
from telephony.model import Priority

STATE: Final[Mapping[AgentState, str]] = {
    AgentState.SIGNED_OUT: "未签入",
    AgentState.READY: "示闲",
    AgentState.RESERVED: "已分配来电",
    AgentState.RINGING: "振铃中",
    AgentState.TALKING: "通话中",
    AgentState.HOLD: "保持中",
    AgentState.WRAP_UP: "话后整理",
    AgentState.PAUSED: "示忙",
    AgentState.NOT_RESPONDING: "未应答",
    AgentState.UNREACHABLE: "话机失联",
    AgentState.BUSY: "话机占用",
}

PRIORITY: Final[Mapping[Priority, str]] = {
    Priority.NUISANCE: "骚扰名单来电",
    Priority.NORMAL: "普通来电",
    Priority.REPEAT: "重复来电",
    Priority.LISTED: "优先名单来电",
    Priority.DROPPED: "通话中断后再来电或情况紧急",
    Priority.CENTRE: "紧急中心来电",
    Priority.FIRST: "转接未成、中心转回或话机中断退回的来电",
}

WHY: Final[Mapping[SeatReason, str]] = {
    SeatReason.SIGNED_IN: "签入",
    SeatReason.SIGNED_OUT: "签出",
    SeatReason.MOVED: "在另一座席签入",
    SeatReason.REPLACED: "另一工号在本座席签入",
    SeatReason.READY: "示闲",
    SeatReason.PAUSED: "示忙",
    SeatReason.FORCED: "班长强制",
    SeatReason.CONTACT_LOST: "话机失去联系",
    SeatReason.CONTACT_BACK: "话机恢复联系",
    SeatReason.PHONE_IN_USE: "话机在排队之外被占用",
    SeatReason.PHONE_FREE: "话机空闲",
    SeatReason.OFFERED: "分配来电",
    SeatReason.RINGING: "话机振铃",
    SeatReason.ANSWERED: "接听",
    SeatReason.ANSWERED_ELSEWHERE: "来电已在别处接通",
    SeatReason.HELD: "保持市民来电",
    SeatReason.RESUMED: "恢复与市民通话",
    SeatReason.MOVED_CALL: "来电已移到另一技能组",
    SeatReason.CUT_SHORT: "接听后立即断开",
    SeatReason.CALLER_LEFT: "市民已挂机或离开排队",
    SeatReason.TALK_ENDED: "通话结束",
    SeatReason.WRAP_UP_OVER: "话后整理结束",
    SeatReason.WRAP_UP_EXTENDED: "话后整理延长",
    SeatReason.BACK_BY_POLICY: "到时自动恢复",
    SeatReason.NO_ANSWER: "振铃无人应答",
    SeatReason.BUSY: "话机忙",
    SeatReason.REJECTED: "话机拒接",
    SeatReason.UNREACHABLE: "话机无法接通",
    SeatReason.ERROR: "转接指令失败",
    SeatReason.TIMEOUT: "转接无回音",
    SeatReason.RESTORED: "系统重启后恢复",
}


def state_changed(change: SeatStateChanged) -> str:
    """Who went from which state to which, and why."""
    pause = f"（{change.pause}）" if change.new is AgentState.PAUSED and change.pause else ""
    return f"座席{change.seat}工号{change.agent}：{STATE[change.old]}→{STATE[change.new]}{pause}，{WHY[change.why]}"
