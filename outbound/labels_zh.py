"""The Chinese words for agents' calls (外呼). One job: the texts; no logic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from outbound.model import Refusal

REFUSALS: Final[Mapping[Refusal, str]] = {
    Refusal.NOT_SIGNED_IN: "工号没有签入，不能外呼；请先签入",
    Refusal.BUSY: "手上还有通话，不能外呼；请结束后再试",
    Refusal.EMERGENCY: "应急号码不外呼；请直接拨 110、119、120、122，通话中请用一键转接",
    Refusal.NOT_CALLABLE: "这个号码不能外呼：只能打国内手机和固定电话，境外、声讯、短号码、400 和 800 都不打",
    Refusal.CLASS: "您的外呼等级打不到这个号码；需要时请管理员在路由表里调整外呼等级",
    Refusal.NEVER_CALLED: "这个号码在不外呼名单上，不能打",
    Refusal.HOURS: "现在不是外呼时间；外呼班表见路由表的“外呼”",
    Refusal.AGENT_CAP: "您一小时内的外呼次数已满，请稍后再试",
    Refusal.NUMBER_CAP: "这个号码今天已经打满次数，不能再打",
    Refusal.HOTLINE_CAP: "热线一小时内的外呼次数已满，请稍后再试",
    Refusal.NO_TRUNK: "没有可以外呼的线路，请联系管理员",
    Refusal.AWAY: "暂时不能外呼：交换机或磁盘没有答复，请稍后再试",
}

SPOKEN: Final[Mapping[Refusal, str]] = {
    Refusal.NOT_SIGNED_IN: "尚未签入，不能外呼。",
    Refusal.BUSY: "手上还有通话，不能外呼。",
    Refusal.EMERGENCY: "应急号码请直接拨打，不能外呼。",
    Refusal.NOT_CALLABLE: "这个号码不能外呼。",
    Refusal.CLASS: "您的外呼等级不能拨打这个号码。",
    Refusal.NEVER_CALLED: "这个号码在不外呼名单上。",
    Refusal.HOURS: "现在不是外呼时间。",
    Refusal.AGENT_CAP: "您的外呼次数已满，请稍后再试。",
    Refusal.NUMBER_CAP: "这个号码今天的外呼次数已满。",
    Refusal.HOTLINE_CAP: "热线的外呼次数已满，请稍后再试。",
    Refusal.NO_TRUNK: "没有外呼线路，请联系管理员。",
    Refusal.AWAY: "暂时不能外呼，请稍后再试。",
}
"""What the agent hears; the prompt's id is :func:`prompt_of`."""


def prompt_of(refusal: Refusal) -> str:
    """Id of the prompt that says so."""
    return f"call-out-{refusal}"
