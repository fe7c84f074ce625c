"""Facts as the bodies of records: what each kind of record says. The fields: docs/feed-data.md. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Final

from feeds.model import SCHEMA, Draft, What
from feeds.rules import encoded
from ledger.measures import outcome
from ledger.model import Fact, Kind
from ledger.records import CallRecord, fold, whole, word
from ledger.reports.model import Figures, Tally
from ledger.story import mask

KINDS: Final[Mapping[Kind, What]] = {
    Kind.ENDED: What.CALLS,
    Kind.WRAP_UP: What.DISPOSITIONS,
    Kind.RATED: What.RATINGS,
    Kind.ORDER: What.ORDERS,
}
"""Which fact makes which record."""

ORDER_STEPS: Final = frozenset(
    ("raised", "updated", "escalated", "unanswered", "acknowledged", "late", "extended", "closed", "cancelled")
)
"""Without the calls to duty phones on the way."""


def drafts(facts: Sequence[Fact], story: Iterable[Fact], *, full: bool) -> tuple[CallRecord | None, list[Draft]]:
    """The call that these facts are about, and a draft for each fact that makes a record.

    ``story``: all facts of the call. ``full``: callers' numbers unmasked. None for what is no citizen's call: test
    calls, drills, calls that we make ourselves.
    """
    story = list(story)
    record = fold(story)
    if record is None or outcome(story) is None:
        return None, []
    drafts_by_key: dict[str, Draft] = {}
    for fact in facts:
        if (draft := _draft(fact, record, full=full)) is not None:
            drafts_by_key.setdefault(draft.key, draft)
    return record, list(drafts_by_key.values())


def _draft(fact: Fact, record: CallRecord, *, full: bool) -> Draft | None:
    what = KINDS.get(fact.kind)
    if what is None or (what is What.ORDERS and word(fact.data, "what") not in ORDER_STEPS):
        return None
    if what is What.CALLS:
        return _made(what, str(record.call), _call(record, full=full), full)
    about = {"call": record.call, "at": fact.at.isoformat(), "number": record.number, "group": record.group}
    match what:
        case What.DISPOSITIONS:
            more = {"code": word(fact.data, "code"), "name": word(fact.data, "name"), "agent": word(fact.data, "agent")}
            return _made(what, fact.id, about | more, full=False)
        case What.RATINGS:
            level = whole(fact.data, "level") or 0
            return _made(
                what, fact.id, about | {"level": level if level <= 5 else 0, "agent": record.agent}, full=False
            )
        case _:
            return _made(what, fact.id, about | _order(fact, full=full), full)


def _call(record: CallRecord, *, full: bool) -> dict[str, Any]:
    return {
        "call": record.call,
        "at": _moment(record.ended_at or record.entered_at),
        "number": record.number,
        "group": record.group,
        "caller": _caller(record.caller, full=full),
        "entered_at": _moment(record.entered_at),
        "answered_at": _moment(record.answered_at),
        "ended_at": _moment(record.ended_at),
        "answered_by": record.answered_by,
        "agent": record.agent,
        "waited_ms": record.waited_ms,
        "talk_ms": record.talk_ms,
        "ended_by": record.ended_by,
        "transfers": [{"target": transfer.target, "state": transfer.state} for transfer in record.transfers],
    }


def _order(fact: Fact, *, full: bool) -> dict[str, Any]:
    data, caller = fact.data, word(fact.data, "caller")
    texts = ("what", "state", "type", "type_name", "acknowledged_by")
    return {
        **{name: word(data, name) for name in texts},
        **{name: str(data.get(name) or "") for name in ("place", "summary", "reason")},
        "order": word(data, "number"),
        "caller": _caller(caller, full=full),
        **{name: word(data, name) for name in ("raised_at", "acknowledged_at", "finish_by", "over_at")},
    }


def day_draft(day: date, tally: Tally, revision: int) -> Draft:
    """The figures of a day; ``revision`` counts how often they were told, from 1."""
    fields = {
        "day": day.isoformat(),
        "revision": revision,
        **asdict(tally),
        "figures": asdict(Figures.of(tally)),
    }
    return _made(What.DAYS, f"{day.isoformat()}.{revision}", fields, full=False)


def _made(what: What, key: str, fields: Mapping[str, Any], full: bool) -> Draft:
    return Draft(f"{what}:{key}", what, encoded({"schema": f"{what}/{SCHEMA}", **fields}), full)


def _caller(number: str, *, full: bool) -> str:
    """Empty for a withheld number."""
    return number if full or not number else mask(number)


def _moment(at: datetime | None) -> str:
    return "" if at is None else at.isoformat()
