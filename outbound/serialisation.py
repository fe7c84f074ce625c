"""An agent's call as the data of its facts, and back.

One job: the translation. Each fact of kind ``outbound`` says all that is known from then on, so the latest one is the
truth, and reading any of them twice is harmless.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from outbound.model import OutboundCall, State, Way
from telephony.model import CallId

_TEXTS = ("agent", "seat", "group", "reason", "about", "by", "trunk", "why")
_TIMES = ("asked_at", "answered_at", "closed_at")


def data_of(call: OutboundCall) -> dict[str, Any]:
    """What a fact is to say."""
    told: dict[str, Any] = {"state": str(call.state), "way": str(call.way), "caller": call.number}
    told |= {"caller_told": call.told} if call.told != call.number else {}
    told |= {name: getattr(call, name) for name in _TEXTS}
    for name in _TIMES:
        moment: datetime | None = getattr(call, name)
        told[name] = None if moment is None else moment.isoformat()
    return told


def call_of(call: CallId, data: Mapping[str, Any]) -> OutboundCall:
    """The call that a fact tells of. Raises ValueError, KeyError or TypeError for what is none."""
    times: dict[str, Any] = {
        name: None if data[name] is None else datetime.fromisoformat(data[name]).astimezone(UTC) for name in _TIMES
    }
    if times["asked_at"] is None:
        raise ValueError("a call was asked for at some moment")
    texts: dict[str, Any] = {name: str(data[name]) for name in _TEXTS}
    number = str(data["caller"])
    told = str(data.get("caller_told", number))
    return OutboundCall(
        id=call, number=number, told=told, state=State(data["state"]), way=Way(data["way"]), **texts, **times
    )


def latest(call: CallId, told: Iterable[tuple[str, Mapping[str, Any]]]) -> OutboundCall | None:
    """What the facts of one call, (id of the fact, its data) in any order, come to; None without any."""
    newest = max(told, key=lambda pair: pair[0], default=None)
    return None if newest is None else call_of(call, newest[1])
