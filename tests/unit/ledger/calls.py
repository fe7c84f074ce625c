"""Calls told in short words: the facts of one call, by what became of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from ledger.model import Fact, Kind
from telephony.model import CallId

AT = datetime(2026, 10, 10, 1, tzinfo=UTC)
"""09:00 in Jieyang."""


def told(
    serial: int, after: float = 0, *, prompt: float = 5, wait: float | None = 3, talk: float = 60, hold: float = 30,
    number: str = "12345", group: str = "general", agent: str = "1001", by: str = "agent", rule: str = "hotline",
) -> list[Fact]:  # fmt: skip
    """A call ``after`` s past nine: prompt, wait after it, talk; ``wait`` None: hangs up ``hold`` s after ringing."""
    call = CallId(f"hl1-1791594000.{serial}")
    rang = AT + timedelta(seconds=after)
    facts: list[Fact] = []

    def fact(seconds: float, kind: Kind, **data: Any) -> None:
        facts.append(Fact(f"{serial:04d}-{len(facts):02d}", kind, call, rang + timedelta(seconds=seconds), data))

    fact(0, Kind.ENTERED, number=number, caller="13800138000", mode="", rule=rule, version=1, group=group)
    if wait is None and hold < prompt:
        fact(hold, Kind.ENDED, cause=16, by="caller")
        return facts
    fact(prompt, Kind.WAITING, group=group, position=1, priority=0)
    if wait is None:
        fact(hold, Kind.ENDED, cause=16, by="caller")
        return facts
    waited = round((prompt + wait) * 1000)
    fact(prompt + wait, Kind.ANSWERED, seat="8001", agent=agent, group=group, waited_ms=waited, by=by)
    fact(prompt + wait + talk, Kind.TALK_ENDED, seat="8001", agent=agent, talk_ms=round(talk * 1000))
    fact(prompt + wait + talk + 5, Kind.ENDED, cause=16, by="caller")
    return facts
