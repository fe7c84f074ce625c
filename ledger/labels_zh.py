"""The Chinese words in which a call's story is told. One job: the texts; no logic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MODES: Final[Mapping[str, str]] = {
    "full": "整体并入",
    "dual": "双号并行",
    "subcentre": "设分中心",
    "trial": "管理员试打，不计入指标",
    "outbound": "外呼，不计入来电指标",
}
PHASES: Final[Mapping[str, str]] = {"before": "过渡期前", "during": "过渡期内", "after": "过渡期已过"}
PHASES_OF_CALL: Final[Mapping[str, str]] = {
    "greeted": "听提示音",
    "waiting": "排队等候",
    "ringing": "振铃",
    "talking": "通话",
    "held": "保持",
    "after": "评价或转后",
}
"""What somebody does for a while: the bars of a call's timeline."""

PARTIES: Final[Mapping[str, str]] = {"caller": "来电人", "agent": "座席", "centre": "转接方"}
ACTIONS: Final[Mapping[str, str]] = {"joined": "加入通话", "left": "离开通话", "join": "加入通话", "leave": "离开通话"}
LEVELS: Final[Mapping[int, str]] = {5: "非常满意", 4: "满意", 3: "基本满意", 2: "不满意", 1: "非常不满意"}
ENDED_BY: Final[Mapping[str, str]] = {
    "caller": "来电人挂机",
    "agent": "座席挂机",
    "switch": "系统挂机",
    "system": "系统挂机",
    "": "通话结束",
}
WHY: Final[Mapping[str, str]] = {
    "no-answer": "无人接听",
    "noanswer": "无人接听",
    "busy": "话机忙",
    "congestion": "线路拥塞",
    "chanunavail": "话机不在线",
    "gone": "话机不在线",
    "rejected": "拒接",
    "unreachable": "话机无法接通",
    "error": "未能接通",
    "cancel": "来电人先挂机",
    "timeout": "振铃超时",
    "cut-short": "接听后立即断开",
    "engine-away": "引擎不在",
    "engine-late": "引擎未及时答复",
}
UNPLAYED: Final[Mapping[str, str]] = {"missing": "没有声音文件", "switch": "交换机放不出"}
TRANSFER_STATES: Final[Mapping[str, str]] = {
    "asked": "按键",
    "requested": "按键",
    "dialling": "呼叫中",
    "early-media": "对方线路放音，尚未接听",
    "ringing": "振铃",
    "aside": "市民听音乐，座席在等对方接听",
    "consulting": "座席与对方商谈，市民听音乐",
    "waiting": "座席已离开，仍在呼叫",
    "answered": "已接听，三方通话",
    "joined": "已加入三方通话",
    "agent-left": "座席已离开，对方与市民通话",
    "centre-left": "对方已离开，回到原通话",
    "failed": "未接通，回到原通话",
    "returned": "市民回到队首",
    "ended": "结束",
}
FORMS: Final[Mapping[str, str]] = {
    "one-key": "一键转接",
    "three-party": "三方通话",
    "blind": "直接转出",
    "attended": "先咨询",
    "caller-key": "市民按键",
}
DRILL_STATES: Final[Mapping[str, str]] = {
    "asked": "开始",
    "dialling": "呼叫线路",
    "invited": "已发出呼叫",
    "answered": "对方接听",
    "missed": "线路未接通",
    "failed": "各条线路都未接通",
    "left": "对方离开",
    "ended": "结束",
}
DIAL_STATUS: Final[Mapping[str, str]] = {
    "BUSY": "占线",
    "NOANSWER": "无应答",
    "CONGESTION": "拒绝或故障",
    "CHANUNAVAIL": "线路不通",
    "ANSWER": "接听后即断开",
    "CANCEL": "座席先挂机",
}
TRANSFER_WHY: Final[Mapping[str, str]] = {"closed": "不在对方服务时间", "loop": "由对方转来，不再转回"}
OUTBOUND_STATES: Final[Mapping[str, str]] = {
    "refused": "未获准",
    "ringing": "正在呼叫座席话机",
    "dialling": "正在呼叫对方",
    "talking": "通话中",
    "over": "已通话",
    "unreached": "未接通",
    "cancelled": "座席取消",
}
"""States of an agent's call (外呼)."""

OUTBOUND_WHY: Final[Mapping[str, str]] = {
    "busy": "对方正忙",
    "no-answer": "无人接听",
    "rejected": "对方拒接",
    "unreachable": "无法接通",
    "unknown": "引擎不在，结果不明",
    "agent-no-answer": "座席话机没有接听",
    "agent-gone": "座席先挂机",
    "undelivered": "交换机没有收到答复",
    "not-signed-in": "没有签入",
    "agent-busy": "座席手上还有通话",
    "emergency": "应急号码不外呼",
    "not-callable": "不是可以外呼的号码",
    "class": "超出外呼等级",
    "never-called": "在不外呼名单上",
    "hours": "不在外呼时间",
    "agent-cap": "座席每小时次数已满",
    "number-cap": "号码每天次数已满",
    "hotline-cap": "全热线每小时次数已满",
    "no-trunk": "没有外呼线路",
    "away": "交换机或磁盘没有答复",
}
"""Why an agent's call was refused, or reached nobody."""

CALLBACK_STATES: Final[Mapping[str, str]] = {
    "waiting": "已约定回拨，保留排队时间",
    "ringing": "回拨先呼座席",
    "dialling": "座席已预留，正在回拨",
    "reached": "市民已接听回拨",
    "kept": "回拨完成",
    "left": "市民接听回拨后先挂机",
    "unreached": "回拨多次未接通，不再拨打",
    "withdrawn": "回拨取消",
}
CALLBACK_WHY: Final[Mapping[str, str]] = {
    "busy": "用户忙",
    "no-answer": "无人接听",
    "rejected": "对方拒接",
    "unreachable": "号码无法接通",
    "unknown": "失去联系期间未接通",
    "unseen": "失去联系期间已接通",
    "served": "市民已由座席接听",
    "disk": "未能记入磁盘",
    "agent-no-answer": "座席未接听",
    "agent-busy": "座席话机忙",
    "agent-rejected": "座席拒接",
    "agent-unreachable": "座席话机无法接通",
    "agent-error": "座席话机未能振铃",
    "agent-cut-short": "座席接听后即挂断",
    "agent-gone": "座席不再可派",
    "agent-unknown": "失去联系期间座席未接通",
}
ORDER_STEPS: Final[Mapping[str, str]] = {
    "not-called": "值班电话暂时不能呼叫",
    "not-taken": "值班电话没有签收",
    "unanswered": "各部门均未签收，请班长处理",
    "updated": "内容有补充",
    "late": "逾时未办结，请班长处理",
    "extended": "办结延期",
    "closed": "已办结",
    "cancelled": "已撤销",
}
ORDER_WHY: Final[Mapping[str, str]] = {
    "busy": "用户忙",
    "no-answer": "无人接听",
    "rejected": "拒接",
    "unreachable": "无法接通",
    "silent": "接听后没有按键",
    "unknown": "失去联系期间没有签收",
}
WAYS_OUT: Final[Mapping[str, str]] = {
    "subcentre": "分中心",
    "duty-phone": "值班电话",
    "callback": "回拨",
    "message": "留言",
}
ANSWERED_BY: Final[Mapping[str, str]] = {
    "agent": "接听",
    "subcentre": "分中心接听",
    "duty-phone": "值班电话接听",
    "emergency": "应急中心接听",
    "fallback": "应急排队接听",
}
CAUSES: Final[Mapping[str, str]] = {
    "16": "正常",
    "17": "用户忙",
    "19": "无应答",
    "21": "拒接",
    "34": "线路忙",
    "42": "系统拥塞，交由运营商改道",
    "switch-gone": "交换机中断",
    "unseen": "失去联系期间结束",
}

DEEDS: Final[Mapping[str, str]] = {
    "sign-in": "签入",
    "sign-out": "签出",
    "ready": "示闲",
    "pause": "示忙",
    "extend": "延长话后整理",
    "end-wrap-up": "结束话后整理",
    "wrap-up-code": "更改处理结果",
    "pin": "设置密码",
    "unlock": "解除密码锁定",
    "force-ready": "强制示闲",
    "force-pause": "强制示忙",
    "force-sign-out": "强制签出",
    "listen": "监听",
    "whisper": "密语",
    "barge": "强插",
    "take-over": "接管通话",
    "move": "移动排队来电",
    "close-group": "关闭技能组",
    "open-group": "开放技能组",
    "announce": "发布全体通知",
    "announce-end": "结束全体通知",
    "drain": "排空",
    "undrain": "恢复接听",
    "order-raise": "登记应急工单",
    "order-update": "补充应急工单",
    "order-acknowledge": "登记应急工单签收",
    "order-print": "打印应急工单",
    "order-extend": "应急工单延期",
    "order-close": "办结应急工单",
    "order-cancel": "撤销应急工单",
    "callback-cancel": "取消回拨",
    "callback-hand": "转派回拨",
    "message-close": "办结留言",
    "message-hand": "转派留言",
    "message-play": "在话机上听留言",
}
"""What people do to agents, groups and calls."""

WITHHELD: Final = "号码未显示"
FILLED_IN: Final = "（据交换机记录补记）"
