"""留言: a message that a caller left for people to deal with. Pure.

It must be dealt with within so many hours (24 by GB/T 33358-2016; the table says how many here). Nothing is deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from telephony.model import CallId

LEAST_SECONDS: Final = 1.5
"""Shorter than this nobody has said anything: of the silence that ends a message the switch leaves one second."""
HEADER_BYTES: Final = 44
BYTES_PER_SECOND: Final = 16000
"""8000 samples a second of 16 bits, one channel: what Record writes into .wav."""

_TEXTS = ("caller", "line", "group", "closed_by", "note")
_TIMES = ("taken_at", "due_at", "closed_at")


@dataclass(frozen=True, slots=True)
class Voicemail:
    """One message, known by the call in which it was left."""

    id: CallId
    caller: str
    """Empty when the number was not told to us."""
    line: str
    group: str
    seconds: float
    taken_at: datetime
    due_at: datetime
    holder: str = ""
    """The agent who is to deal with it; empty: anybody of the group."""
    closed_at: datetime | None = None
    closed_by: str = ""
    note: str = ""
    """What was done about it."""

    @property
    def open(self) -> bool:
        return self.closed_at is None

    def overdue(self, now: datetime) -> bool:
        """Not dealt with in time."""
        return (self.closed_at or now) > self.due_at


def length(size: int) -> float:
    """How long a recording of so many bytes is, s."""
    return max(0, size - HEADER_BYTES) / BYTES_PER_SECOND


def reassigned(message: Voicemail, group: str, holder: str) -> Voicemail:
    """For this group, or this agent of it, to deal with. Raises ValueError when it is closed."""
    if not message.open:
        raise ValueError(f"{message.id} was closed at {message.closed_at}")
    return replace(message, group=group, holder=holder)


def closed(message: Voicemail, by: str, note: str, now: datetime) -> Voicemail:
    """Dealt with. Raises ValueError when it was before."""
    if not message.open:
        raise ValueError(f"{message.id} was closed at {message.closed_at}")
    return replace(message, closed_at=now, closed_by=by, note=note)


def to_data(message: Voicemail) -> dict[str, Any]:
    """What a fact of kind ``message`` is to say: all that is known from then on."""
    told: dict[str, Any] = {"state": "open" if message.open else "closed", "seconds": message.seconds}
    told |= {name: getattr(message, name) for name in (*_TEXTS, "holder")}
    for name in _TIMES:
        moment: datetime | None = getattr(message, name)
        told[name] = None if moment is None else moment.isoformat()
    return told


def message_of(call: CallId, data: Mapping[str, Any]) -> Voicemail:
    """The message that a fact tells of. Raises ValueError, KeyError or TypeError for what is none."""
    texts: dict[str, Any] = {name: str(data[name]) for name in _TEXTS}
    times: dict[str, Any] = {
        name: None if data[name] is None else datetime.fromisoformat(data[name]).astimezone(UTC) for name in _TIMES
    }
    if times["taken_at"] is None or times["due_at"] is None:
        raise ValueError("a message has a clock")
    return Voicemail(id=call, seconds=float(data["seconds"]), holder=str(data.get("holder", "")), **texts, **times)


def fold(call: CallId, told: Iterable[tuple[str, Mapping[str, Any]]]) -> Voicemail | None:
    """What the facts of one message, (id of the fact, its data) in any order, come to; None without any."""
    newest = max(told, key=lambda pair: pair[0], default=None)
    return None if newest is None else message_of(call, newest[1])
