"""The prompt catalogue: everything the system ever says, as text with an id.

One job: from the published table and the city's name to the prompts. It knows no voice, no file and no clock.
Short on purpose: a caller shall reach a human within 15 s (GB/T 33358-2016), and no prompt advertises anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ivr.prompts import speech
from ivr.queue_announcements import ANNOUNCED_PLACES, KEYS_PROMPT, STEPS_MINUTES
from outbound.labels_zh import SPOKEN
from outbound.labels_zh import prompt_of as prompt_of_refusal
from routing.announcements import prompt_of
from routing.model import (
    Announcement,
    LegacyNumber,
    MergeMode,
    OrderType,
    Partner,
    SelfService,
    Snapshot,
    WaitingAction,
)

MANDARIN: Final = "zh-CN"
CANTONESE: Final = "yue"

PROMPT_ID: Final = re.compile("[a-z0-9][a-z0-9-]{0,63}")
"""What a prompt id may look like: it becomes a file name and an argument of Playback."""

SPEAKABLE: Final = re.compile(r"[\u4e00-\u9fff0-9，。、；：？！]+")
"""Characters the placeholder voices read correctly: Chinese, digits and Chinese punctuation."""

DEFAULT_RATING_KEYS: Final[Mapping[str, int]] = {str(level): level for level in range(1, 6)}
"""Key = level, when the table names no keys of its own."""

RATING_NAMES: Final[Mapping[int, str]] = {
    5: "非常满意",
    4: "满意",
    3: "基本满意",
    2: "不满意",
    1: "非常不满意",
}
"""The five levels of 好差评, best first."""


class Kind(StrEnum):
    """Who hears a prompt, and where."""

    GREETING = "greeting"
    TRANSITION = "transition"
    """过渡期提示音, one pair per legacy number."""
    ANNOUNCEMENT = "announcement"
    WAITING = "waiting"
    TROUBLE = "trouble"
    TRANSFER = "transfer"
    RATING = "rating"
    ENDING = "ending"
    SEAT = "seat"
    """Heard by agents on their phones, never by a caller."""
    ORDER = "order"
    """Heard at a department's duty phone, with an urgent order (应急工单)."""


class Source(StrEnum):
    """Whose voice a prompt has."""

    TTS = "tts"
    """The placeholder voice."""
    HUMAN = "human"
    """A recording, which always wins."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt: written text by language, Mandarin always present."""

    id: str
    kind: Kind
    texts: Mapping[str, str]
    source: Source = Source.TTS

    @property
    def text(self) -> str:
        """The Mandarin text."""
        return self.texts[MANDARIN]


class CatalogueFault(ValueError):
    """The table or the city's name cannot be made into prompts; carries every fault, in Chinese."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("；".join(faults))
        self.faults = faults


def catalogue(snapshot: Snapshot, city: str) -> Mapping[str, Prompt]:
    """Every prompt a call can hear under this table, by id.

    ``city`` is the short name that the greeting says, e.g. 揭阳. Raises CatalogueFault with all faults at once.
    """
    prompts: dict[str, Prompt] = {}
    faults: list[str] = []
    for prompt in (
        *fixed(city),
        rating_ask(snapshot.rating_keys),
        *waiting_keys(snapshot),
        *self_service(snapshot.self_service),
        *transitions(snapshot.numbers),
        *pauses(snapshot.pause_reasons),
        *whispers(snapshot),
        *partners(snapshot.partners),
        *announcements(snapshot.announcements),
        *order_types(snapshot.order_types),
        *calling_out(),
    ):
        faults += _faults(prompt)
        if prompts.setdefault(prompt.id, prompt) != prompt:
            faults.append(f"提示音 {prompt.id} 有两种内容，请给归并号码各用一个提示音编号，例如 legacy-12333-during")
    if snapshot.greeting not in prompts:
        faults.append(f"greeting = {snapshot.greeting!r} 不在提示音目录中，例如 greeting-12345")
    if faults:
        raise CatalogueFault(tuple(faults))
    return prompts


def fixed(city: str) -> Iterator[Prompt]:
    """The prompts that no table row changes."""
    greeting = f"您好，{city}12345政务服务便民热线。"
    yield Prompt("greeting-12345", Kind.GREETING, {MANDARIN: greeting, CANTONESE: greeting})
    for prompt_id, (kind, text) in _FIXED.items():
        yield Prompt(prompt_id, kind, {MANDARIN: text})
    for place in range(1, ANNOUNCED_PLACES + 1):
        yield Prompt(f"position-{place}", Kind.WAITING, {MANDARIN: f"您排在{speech.position(place)}，请继续等候。"})
    yield from expected_waits()
    for digit in "0123456789":
        yield Prompt(f"digit-{digit}", Kind.WAITING, {MANDARIN: f"{speech.phone(digit)}。"})
    yield Prompt("callback-greeting", Kind.GREETING, {MANDARIN: f"您好，{city}12345热线给您回电，正在接通座席。"})


def expected_waits() -> Iterator[Prompt]:
    """The ranges in which an expected wait is told, and those without an upper end."""
    for low in STEPS_MINUTES:
        if low:
            text = f"预计还需{speech.count(low, '分钟')}以上。"
            yield Prompt(f"wait-over-{low}", Kind.WAITING, {MANDARIN: text})
        for high in STEPS_MINUTES:
            if high > low:
                end = speech.count(high, "分钟")
                text = f"{speech.cardinal(low)}到{end}" if low else f"{end}以内"
                yield Prompt(f"wait-{low}-{high}", Kind.WAITING, {MANDARIN: f"预计还需{text}。"})


def waiting_keys(snapshot: Snapshot) -> Iterator[Prompt]:
    """What a waiting caller may press; nothing when the table names no key."""
    offers = [
        text.format(speech.key(pressed))
        for action, text in _WAITING_KEYS.items()
        for pressed in sorted(key for key, does in snapshot.waiting_keys.items() if does is action)[:1]
    ]
    offers += [f"{node.name}请按{speech.key(node.key)}" for node in snapshot.self_service.values()]
    if offers:
        yield Prompt(KEYS_PROMPT, Kind.WAITING, {MANDARIN: f"{'，'.join(offers)}。"})


def self_service(nodes: Mapping[str, SelfService]) -> Iterator[Prompt]:
    """What the keys of self-service speak."""
    for node in nodes.values():
        yield Prompt(information(node.key), Kind.WAITING, {MANDARIN: node.text})


def information(key: str) -> str:
    """Id of the prompt behind this key."""
    return f"self-service-{key}"


def rating_ask(rating_keys: Mapping[str, int]) -> Prompt:
    """The question of the 好差评, best level first, with the keys of the table."""
    keys = rating_keys or DEFAULT_RATING_KEYS
    choices = [
        f"{name}请按{speech.key(pressed)}"
        for level, name in RATING_NAMES.items()
        for pressed in sorted(key for key, value in keys.items() if value == level)[:1]
    ]
    return Prompt("rating-ask", Kind.RATING, {MANDARIN: f"请对本次服务评价，{'，'.join(choices)}。"})


def pauses(reasons: Mapping[str, str]) -> Iterator[Prompt]:
    """What an agent hears who pauses, by the digit of the reason."""
    for key, reason in reasons.items():
        yield Prompt(f"seat-paused-{key}", Kind.SEAT, {MANDARIN: f"已示忙，{reason}。"})


def announcements(rows: Mapping[str, Announcement]) -> Iterator[Prompt]:
    """公告, also those that are only kept ready: nothing has to be spoken first when one is raised at night."""
    for row in rows.values():
        yield Prompt(prompt_of(row.id), Kind.ANNOUNCEMENT, {MANDARIN: row.text})


def calling_out() -> Iterator[Prompt]:
    """What an agent hears whose call (外呼) may not be made."""
    for refusal, text in SPOKEN.items():
        yield Prompt(prompt_of_refusal(refusal), Kind.SEAT, {MANDARIN: text})


def order_types(rows: Mapping[str, OrderType]) -> Iterator[Prompt]:
    """What an urgent order (应急工单) is about, as a duty phone hears it before place and summary."""
    for row in rows.values():
        yield Prompt(order_prompt(row.id), Kind.ORDER, {MANDARIN: f"应急工单，{row.name}。"})


def order_prompt(order_type: str) -> str:
    """Id of the prompt that names this type of order."""
    return f"order-type-{order_type}"


def whispers(snapshot: Snapshot) -> Iterator[Prompt]:
    """What only the agent hears before talking: the old number that was dialled. 12345 itself needs no naming.

    Numbers that no call brings to a group that wants it are left out: a thousand voices take a minute to make.
    """
    asked = {group.id for group in snapshot.groups.values() if group.whisper}
    for row in snapshot.numbers.values():
        answering = {row.group, snapshot.default_group} if row.mode is MergeMode.DUAL else {row.group}
        if asked.isdisjoint(answering):
            continue
        yield Prompt(whisper(row.number), Kind.SEAT, {MANDARIN: f"{row.number}，{row.name}。"})


def whisper(number: str) -> str:
    """Id of the prompt that names this line to the agent."""
    return f"{_LINE}{number}"


def is_whisper(prompt_id: str) -> bool:
    """Whether it names a line to the agent."""
    return prompt_id.startswith(_LINE)


_LINE: Final = "line-"


def partners(rows: Mapping[str, Partner]) -> Iterator[Prompt]:
    """What agent and caller hear when a partner (协作单位) does not come into the talk."""
    for row in rows.values():
        for why, text in _PARTNERS.items():
            yield Prompt(f"partner-{row.id}-{why}", Kind.TRANSFER, {MANDARIN: text.format(name=row.name)})


def transitions(numbers: Mapping[str, LegacyNumber]) -> Iterator[Prompt]:
    """The transition prompts, during and after, under the ids that the rows name."""
    for row in numbers.values():
        during, after = transition_texts(row.mode, row.number, row.name)
        named = ((row.prompt, during), (row.prompt_after, after))
        for prompt_id, text in named:
            if not prompt_id:  # a row may choose to say nothing
                continue
            yield Prompt(prompt_id, Kind.TRANSITION, {MANDARIN: text})


def transition_texts(mode: MergeMode, number: str, name: str) -> tuple[str, str]:
    """What a merged number says by itself during its transition, and after."""
    during, after = _TRANSITIONS[mode]
    return during.format(number=number, name=name), after.format(number=number, name=name)


_WAITING_KEYS: Final[Mapping[WaitingAction, str]] = {
    WaitingAction.CALLBACK: "需要回拨请按{}",
    WaitingAction.MESSAGE: "留言请按{}",
    WaitingAction.URGENT: "情况紧急请按{}",
}

_PARTNERS: Final[Mapping[str, str]] = {
    "failed": "{name}暂未接通，请继续通话。",
    "closed": "现在不是{name}的服务时间，请继续通话。",
    "loop": "这个来电由{name}转来，不再转回，请继续通话。",
}

_TRANSITIONS: Final[Mapping[MergeMode, tuple[str, str]]] = {
    MergeMode.FULL: (
        "您好，{number}已并入12345热线，正在为您接通{name}专席。",
        "{number}已并入12345热线，请今后直接拨打12345，正在为您接通。",
    ),
    MergeMode.DUAL: (
        "您好，{number}与12345双号并行，正在为您接通{name}专席。",
        "您好，拨打{number}或12345均可受理，正在为您接通。",
    ),
    MergeMode.SUBCENTRE: (
        "您好，{number}已设为12345分中心，正在为您接通{name}分中心。",
        "您好，正在为您接通{name}分中心。",
    ),
}
"""During and after the transition. A dual number and a sub-centre stay, so nobody is told to stop dialling them."""

_FIXED: Final[Mapping[str, tuple[Kind, str]]] = {
    "queue-wait": (Kind.WAITING, "请稍候，正在为您转接。"),
    "still-waiting": (Kind.WAITING, "座席仍在忙，请继续等候。"),
    "message-ask": (Kind.WAITING, "请开始留言，说完按井号键。"),
    "message-kept": (Kind.WAITING, "留言已收到，我们会尽快处理。"),
    "message-empty": (Kind.WAITING, "没有听到留言，请继续等候。"),
    "callback-number-is": (Kind.WAITING, "我们将拨打"),
    "callback-confirm": (Kind.WAITING, "确认请按1，换号码请按2。"),
    "callback-number-ask": (Kind.WAITING, "请输入要我们拨打的号码，按井号键结束。"),
    "callback-number-bad": (Kind.WAITING, "这个号码不能回拨，请继续等候。"),
    "callback-promised": (Kind.WAITING, "已登记回拨，排队顺序为您保留，请留意来电。"),
    "callback-already": (Kind.WAITING, "这个号码已经登记回拨，请留意来电。"),
    "callback-too-many": (Kind.WAITING, "这个号码登记回拨的次数已满，请继续等候。"),
    "callback-agent": (Kind.SEAT, "回拨，正在呼叫市民。"),
    "callback-agent-failed": (Kind.SEAT, "市民没有接通，本次回拨结束。"),
    "call-out-agent": (Kind.SEAT, "正在呼叫。"),
    "call-out-busy": (Kind.SEAT, "对方正忙，没有接通。"),
    "call-out-no-answer": (Kind.SEAT, "对方无人接听。"),
    "call-out-rejected": (Kind.SEAT, "对方拒接，没有接通。"),
    "call-out-unreachable": (Kind.SEAT, "对方无法接通。"),
    "call-out-failed": (Kind.SEAT, "没有接通，本次外呼结束。"),
    "callback-failed": (Kind.TROUBLE, "抱歉，没有登记成功，请继续等候。"),
    "urgent-noted": (Kind.WAITING, "已为您优先安排，请不要挂机。"),
    "no-agent": (Kind.WAITING, "抱歉，座席暂时无法接通，请稍后再拨。"),
    "apology": (Kind.TROUBLE, "抱歉，暂未接通，正在为您转接人工。"),
    "subcentre-transfer": (Kind.TRANSFER, "正在为您转接分中心，请稍候。"),
    "subcentre-returned": (Kind.TRANSFER, "分中心暂时无人接听，正在为您转接12345人工座席。"),
    "duty-phone-transfer": (Kind.TRANSFER, "座席暂时无人，正在为您接通值班人员，请不要挂机。"),
    "duty-phone-returned": (Kind.TRANSFER, "值班电话暂时无人接听，请继续等候。"),
    "offer-callback": (Kind.WAITING, "座席暂时无人，我们可以给您回电。"),
    "offer-message": (Kind.WAITING, "座席暂时无人，请留言，我们会尽快处理。"),
    "emergency-connecting": (Kind.TRANSFER, "正在接通应急中心，请不要挂机。"),
    "centre-choice": (Kind.TRANSFER, "报警请按一，火警请按二，急救请按三，交通事故请按四。"),
    "emergency-failed": (Kind.TRANSFER, "应急中心暂未接通，请继续通话。"),
    "consult-hold": (Kind.TRANSFER, "正在为您联系有关单位，请稍候。"),
    "briefing-caller": (Kind.TRANSFER, "12345转来"),
    "briefing-unknown": (Kind.TRANSFER, "12345转来，号码未知。"),
    "drill-notice": (Kind.TRANSFER, "这是12345热线的演练，不是真实来电。"),
    "drill-failed": (Kind.TRANSFER, "演练线路没有接通，请挂机。"),
    "drill-no-trunk": (Kind.SEAT, "这个中心没有演练线路，请联系管理员。"),
    "drill-refused": (Kind.SEAT, "通话中不能演练，请结束通话后再试。"),
    "rating-thanks": (Kind.RATING, "感谢您的评价。"),
    "rating-invalid": (Kind.RATING, "按键无效，请重新选择。"),
    "order-greeting": (Kind.ORDER, "您好，这里是12345热线。"),
    "order-ask": (Kind.ORDER, "签收请按1，重听请按2。"),
    "order-taken": (Kind.ORDER, "已签收，请尽快处置，再见。"),
    "order-not-taken": (Kind.ORDER, "没有签收，将通知其他值班人员，再见。"),
    "goodbye": (Kind.ENDING, "感谢来电，再见。"),
    "agent-id-ask": (Kind.SEAT, "请输入工号，按井号键结束。"),
    "agent-pin-ask": (Kind.SEAT, "请输入密码，按井号键结束。"),
    "seat-pin-wrong": (Kind.SEAT, "工号或密码不正确。"),
    "seat-pin-locked": (Kind.SEAT, "密码错误次数过多，暂时不能签入，请联系班长。"),
    "seat-signed-in": (Kind.SEAT, "签入成功。"),
    "seat-signed-out": (Kind.SEAT, "签出成功。"),
    "seat-not-signed-in": (Kind.SEAT, "尚未签入，请先签入。"),
    "seat-taken": (Kind.SEAT, "该工号已在其他座席签入。"),
    "seat-after-call": (Kind.SEAT, "已记下，手上的来电结束后生效。"),
    "seat-in-call": (Kind.SEAT, "手上的来电还没有结束，没有改变。"),
    "seat-still-paused": (Kind.SEAT, "已经签入，仍在示忙，没有改变。"),
    "seat-ready": (Kind.SEAT, "已就绪。"),
    "seat-paused": (Kind.SEAT, "已示忙。"),
    "seat-pause-unknown": (Kind.SEAT, "没有这个示忙原因，请重新拨号。"),
    "seat-extended": (Kind.SEAT, "话后整理已延长。"),
    "seat-not-wrapping-up": (Kind.SEAT, "不在话后整理中，不能延长。"),
    "supervise-refused": (Kind.SEAT, "您不是班长，不能使用这项功能。"),
    "supervise-no-talk": (Kind.SEAT, "该工号现在没有通话。"),
    "supervise-taking-over": (Kind.SEAT, "正在接管，请挂机后接听。"),
    "seat-key-failed": (Kind.SEAT, "操作失败，请稍后重试。"),
}


def _faults(prompt: Prompt) -> Iterator[str]:
    if not PROMPT_ID.fullmatch(prompt.id):
        yield f"提示音编号 {prompt.id!r} 只能用小写字母、数字和连字符，例如 legacy-12333-during"
    for text in prompt.texts.values():
        if not SPEAKABLE.fullmatch(text):
            unreadable = "".join(dict.fromkeys(SPEAKABLE.sub("", text)))
            yield f"提示音 {prompt.id} 含有无法朗读的字符 {unreadable!r}，请改用汉字和数字，例如 人社"
