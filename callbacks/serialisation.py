"""A callback as the data of its facts, and back.

One job: the translation. Each fact of kind ``callback`` says all that is known from then on, so the latest one is the
truth, and reading any of them twice is harmless.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from callbacks.model import Callback, CallbackState
from telephony.model import CallId

_TEXTS = ("line", "group", "overflow", "why", "agent")
_WHOLE = ("priority", "since_ms", "attempts")
_TIMES = ("promised_at", "not_before", "closed_at")


def to_data(callback: Callback) -> dict[str, Any]:
    """What a fact is to say."""
    told: dict[str, Any] = {"state": str(callback.state), "attempt": callback.call, "caller": callback.number}
    told |= {name: getattr(callback, name) for name in (*_TEXTS, *_WHOLE)}
    for name in _TIMES:
        moment: datetime | None = getattr(callback, name)
        told[name] = None if moment is None else moment.isoformat()
    return told


def callback_of(call: CallId, data: Mapping[str, Any]) -> Callback:
    """The callback that a fact tells of. Raises ValueError, KeyError or TypeError for what is none."""
    times: dict[str, Any] = {
        name: None if data[name] is None else datetime.fromisoformat(data[name]).astimezone(UTC) for name in _TIMES
    }
    if times["promised_at"] is None:
        raise ValueError("a promise has a moment")
    texts: dict[str, Any] = {name: str(data[name]) for name in _TEXTS}
    whole: dict[str, Any] = {name: int(data[name]) for name in _WHOLE}
    return Callback(id=call, number=str(data["caller"]), state=CallbackState(data["state"]), **texts, **whole, **times)


def fold(call: CallId, told: Iterable[tuple[str, Mapping[str, Any]]]) -> Callback | None:
    """What the facts of one promise, (id of the fact, its data) in any order, come to; None without any."""
    newest = max(told, key=lambda pair: pair[0], default=None)
    return None if newest is None else callback_of(call, newest[1])
