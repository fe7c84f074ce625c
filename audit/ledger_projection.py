"""Deeds in the sealed audit: who did what to whose talk, state, group or urgent order, and why.

One job: the projection of such facts into the audit, in the transaction that brings them into the database. A deed
is done and written to the journal at once, whatever becomes of the database; its entry follows with the fact, neither
lost nor twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from audit.model import Act, Actor
from audit.store import append, has
from ledger import labels_zh
from ledger.codec import clean
from ledger.model import NO_CALL, Fact, Kind

SEALED: Final = frozenset(
    (
        "listen",
        "whisper",
        "barge",
        "take-over",
        "force-ready",
        "force-pause",
        "force-sign-out",
        "move",
        "close-group",
        "open-group",
        "announce",
        "announce-end",
        "wrap-up-code",
        "drain",
        "undrain",
    )
)
"""What is done to others. What agents do to their own state is in the ledger alone, a dozen times a day each."""

ORDERS: Final = frozenset(
    (
        "order-raise",
        "order-update",
        "order-acknowledge",
        "order-extend",
        "order-close",
        "order-cancel",
        "order-print",
    )
)
"""What people do to urgent orders; what departments and telephones do is in the ledger."""

PROMISES: Final = frozenset(("callback-cancel", "callback-hand", "message-close", "message-hand", "message-play"))
"""What people do to callbacks and messages; what becomes of them by themselves is in the ledger."""

ORIGIN, ORDER_ORIGIN, PROMISE_ORIGIN = "班长操作", "应急工单", "回拨和留言"
"""By phone, by command or by another program: the fact does not say which."""

MAX_WHO, MAX_SUBJECT, MAX_REASON = 60, 200, 500
"""Widths of the audit's columns."""


async def project_operator_actions(session: AsyncSession, facts: Sequence[Fact]) -> None:
    """An entry for every deed among the facts that has none yet, at the deed's own time."""
    for fact in facts:
        if fact.kind is not Kind.OPERATOR_ACTION or fact.data.get("what") not in SEALED | ORDERS | PROMISES:
            continue
        actor, act = _who(fact), _act(fact)
        if not await has(session, actor, act, fact.at):
            await append(session, actor, act, fact.at)


def _who(fact: Fact) -> Actor:
    what = fact.data["what"]
    origin = ORDER_ORIGIN if what in ORDERS else PROMISE_ORIGIN if what in PROMISES else ORIGIN
    terminal = str(fact.data.get("terminal") or "")
    origin += f"，话机 {terminal}" if terminal else ""
    return Actor(str(fact.data.get("by") or "（不明）")[:MAX_WHO], origin[:MAX_SUBJECT])


def _action(what: str) -> str:
    if what in ORDERS:
        return f"orders.{what.removeprefix('order-')}"
    return f"promises.{what}" if what in PROMISES else f"supervise.{what}"


def _act(fact: Fact) -> Act:
    told = {key: str(value) for key, value in clean(fact.data).items()}
    what = told["what"]
    subject = labels_zh.DEEDS[what] + (f" 工号 {told['agent']}" if told.get("agent") else "")
    subject += "".join(f" {told[key]}" for key in ("group", "to", "seat") if told.get(key))
    call = {"call": str(fact.call)} if fact.call != NO_CALL else {}
    named = {key: told[key] for key in ("agent", "seat", "group", "to") if told.get(key)}
    return Act(
        _action(what),
        subject[:MAX_SUBJECT],
        told.get("reason", "")[:MAX_REASON],
        {**named, **call, "fact": fact.id},
    )
