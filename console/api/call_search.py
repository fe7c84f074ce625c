"""Which past calls are wanted: a query or a body as a filter, and the names that a search is put together from.

One job: translate, and refuse in words what is no search. Who may see which calls is not decided here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from console.http_json import error_response, whole_of
from ledger.records import CallRecord
from ledger.store import CALLER_END, CallFilter
from routing.model import Snapshot
from routing.numbers import citizen
from routing.tables import require_year
from telephony.model import CALL_ID, HOTLINE_NUMBER, CallId

CALLER: Final = re.compile(rf"\+?[0-9]{{{CALLER_END},32}}", re.ASCII)
RATINGS: Final = re.compile(r"[0-5](,[0-5]){0,5}", re.ASCII)
WHOLE_DIGITS: Final = 11
"""Of a mobile number, which is masked but for its first three and last four."""

OUTCOMES: Final[Mapping[str, bool | None]] = {"": None, "answered": True, "unanswered": False}


def wanted_calls(told: Mapping[str, Any], most: int, *, by_caller: bool = False, area_code: str = "") -> CallFilter:
    """The filter that a query or a body means; a caller's number in any form is looked for in its one form.

    Raises HTTPBadRequest naming what is wrong.
    """
    return CallFilter(
        since=moment(_text(told, "since")),
        until=moment(_text(told, "until")),
        number=_text(told, "number")[:40],
        agent=_text(told, "agent")[:8],
        group=_text(told, "group")[:40],
        limit=whole_of(told.get("limit"), "limit", 50, 1, most),
        caller_end=_caller(_text(told, "caller"), area_code) if by_caller else "",
        ratings=_ratings(_text(told, "rating")),
        transfer=_text(told, "transfer")[:40],
        answered=_outcome(_text(told, "outcome")),
        wrap_up_code=_text(told, "wrap_up_code")[:40],
        before=_place(_text(told, "before")),
    )


def require_no_guess(wanted: CallFilter, typed: str) -> CallFilter:
    """What may be looked for: four digits, or a whole number, which is then compared as a whole.

    Raises HTTPBadRequest for an end that is longer than what a masked number shows, and no whole number.

    Longer and longer ends would tell the hidden digits one after the other, ten tries each.
    """
    digits = sum(one.isdigit() for one in typed)
    if digits >= WHOLE_DIGITS:
        return replace(wanted, caller=wanted.caller_end)
    if len(wanted.caller_end) > CALLER_END or digits > CALLER_END:
        raise error_response(
            400, f"您没有看来电号码的权限，只能按末尾 {CALLER_END} 位或 {WHOLE_DIGITS} 位以上的完整号码查；请改正后再查"
        )
    return wanted


def place_after(record: CallRecord) -> str:
    """Where the page after this call begins."""
    return f"{record.entered_at.isoformat()}~{record.call}"


def names(snapshot: Snapshot) -> dict[str, dict[str, str]]:
    """What groups, agents, lines and those whom calls are transferred to are called."""
    return {
        "groups": {row.id: row.name for row in snapshot.groups.values()},
        "agents": {row.id: row.name for row in snapshot.agents.values()},
        "lines": {HOTLINE_NUMBER: "政务服务便民热线"} | {row.number: row.name for row in snapshot.numbers.values()},
        "targets": {row.number: row.name for row in snapshot.trunks.values() if row.role == "emergency"}
        | {row.id: row.name for row in snapshot.partners.values()},
        "wrap_up_codes": {row.id: row.name for row in snapshot.wrap_up_codes.values()},
    }


def moment(text: str | None) -> datetime | None:
    """A point in time with its zone. Raises HTTPBadRequest."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        require_year(found.year)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise error_response(400, f"{text[:40]!r} 不是带时区的时间；例如 2026-10-10T09:00:00+08:00")
    return found


def _text(told: Mapping[str, Any], key: str) -> str:
    value = told.get(key, "")
    if not isinstance(value, str) or "\x00" in value:
        raise error_response(400, f"{key} 应为文字")
    return value.strip()


def _caller(told: str, area_code: str) -> str:
    text = citizen(told, area_code)
    if not CALLER.fullmatch(text):
        raise error_response(
            400, f"来电号码（caller）应为完整的号码，或至少末尾 {CALLER_END} 位数字；例如 13800138000 或 8000"
        )
    return text


def _ratings(text: str) -> tuple[int, ...]:
    if text and not RATINGS.fullmatch(text):
        raise error_response(400, "评价（rating）应为 0 到 5 的级别，多个用逗号隔开；例如 1,2")
    return tuple(int(level) for level in text.split(",")) if text else ()


def _outcome(text: str) -> bool | None:
    if text not in OUTCOMES:
        raise error_response(400, "结果（outcome）应为 answered（已接听）或 unanswered（未接听）")
    return OUTCOMES[text]


def _place(text: str) -> tuple[datetime, CallId] | None:
    if not text:
        return None
    at, _, call = text.partition("~")
    if not CALL_ID.fullmatch(call):
        raise error_response(400, "before 应为上一页答复里的 next，不要自己拼")
    since = moment(at)
    return None if since is None else (since, CallId(call))
