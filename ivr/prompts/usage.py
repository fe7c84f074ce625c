"""Where a prompt is heard: rows of the routing table that name or make it, and places of the product.

One job: say where, in Chinese, with the row. Every prompt of the catalogue has at least one place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ivr.prompts.catalogue import Kind, Prompt, information, order_prompt, whisper
from ivr.queue_announcements import KEYS_PROMPT
from routing.announcements import prompt_of
from routing.model import Snapshot


@dataclass(frozen=True, slots=True)
class Use:
    """One place."""

    what: str
    sheet: str = ""
    """Kind of a row of the routing table; empty for a place of the product itself."""
    key: str = ""


def usage(table: Snapshot, prompts: Mapping[str, Prompt]) -> Mapping[str, tuple[Use, ...]]:
    """For every prompt, where it is heard under this table."""
    found: dict[str, list[Use]] = {name: [] for name in prompts}
    for name, use in (*_of_numbers(table), *_of_keys(table), *_of_others(table)):
        if name in found:
            found[name].append(use)
    for name, prompt in prompts.items():
        if not found[name]:
            found[name].append(Use(_place(prompt)))
    return {name: tuple(uses) for name, uses in found.items()}


def _of_numbers(table: Snapshot) -> Iterator[tuple[str, Use]]:
    yield table.greeting, Use("拨 12345 的来电最先听到", "settings", "greeting")
    for row in table.numbers.values():
        yield row.prompt, Use(f"拨 {row.number} {row.name}，过渡期内", "numbers", row.number)
        yield row.prompt_after, Use(f"拨 {row.number} {row.name}，过渡期后", "numbers", row.number)
        yield whisper(row.number), Use(f"座席接 {row.number} {row.name} 的来电前听到", "numbers", row.number)


def _of_keys(table: Snapshot) -> Iterator[tuple[str, Use]]:
    for row_key, node in table.self_service.items():
        yield information(node.key), Use(f"等候中按 {node.key}：{node.name}", "self_service", row_key)
        yield KEYS_PROMPT, Use(f"等候中告知可以按 {node.key}", "self_service", row_key)
    for pressed in table.waiting_keys:
        yield KEYS_PROMPT, Use(f"等候中告知可以按 {pressed}", "waiting_keys", pressed)
    for pressed, reason in table.pause_reasons.items():
        yield f"seat-paused-{pressed}", Use(f"座席话机示忙：{reason}", "pause_reasons", pressed)
    for pressed in table.rating_keys:
        yield "rating-ask", Use(f"通话后的好差评，按 {pressed}", "rating_keys", pressed)


def _of_others(table: Snapshot) -> Iterator[tuple[str, Use]]:
    for row in table.announcements.values():
        yield prompt_of(row.id), Use(f"公告 {row.id}", "announcements", row.id)
    for partner in table.partners.values():
        for why in ("failed", "closed", "loop"):
            yield f"partner-{partner.id}-{why}", Use(f"转接协作单位 {partner.name} 不成时", "partners", partner.id)
    for order in table.order_types.values():
        yield order_prompt(order.id), Use(f"应急工单 {order.name}，值班电话听到", "order_types", order.id)


def _place(prompt: Prompt) -> str:
    for start, what in _PLACES.items():
        if prompt.id.startswith(start):
            return what
    return _KINDS[prompt.kind]


_PLACES: Final[Mapping[str, str]] = {
    "greeting-12345": "备用的欢迎语：路由表现在用的是另一段",
    "position-": "排队时报位置",
    "wait-": "排队时报预计等候",
    "digit-": "念出电话号码",
    "message-": "留言",
    "callback-agent": "回拨时座席听到",
    "callback-": "登记回拨",
    "offer-": "座席无人时的最后去处",
    "urgent-": "等候中按紧急键",
    KEYS_PROMPT: "等候中告知可以按哪些键",
    "subcentre-": "转接分中心",
    "duty-phone-": "转接值班电话",
    "emergency-": "一键转接应急中心",
    "centre-choice": "座席拨一键转接，选中心",
    "consult-hold": "座席咨询时市民听到",
    "briefing-": "转接应急中心，中心先听到",
    "drill-": "演练",
    "seat-pause": "座席话机示忙",
    "seat-": "座席话机按键 *11 至 *15",
    "agent-": "座席话机签入",
    "supervise-": "班长监听、接管",
}
"""By how the id begins, the longer beginning first."""

_KINDS: Final[Mapping[Kind, str]] = {
    Kind.GREETING: "来电最先听到",
    Kind.TRANSITION: "拨旧号码的来电最先听到",
    Kind.ANNOUNCEMENT: "公告",
    Kind.WAITING: "排队等候",
    Kind.TROUBLE: "系统出错时",
    Kind.TRANSFER: "转接",
    Kind.RATING: "通话后的好差评",
    Kind.ENDING: "通话结束",
    Kind.SEAT: "座席话机",
    Kind.ORDER: "应急工单，值班电话听到",
}
