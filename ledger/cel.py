"""What Asterisk itself remembers of a call (CEL), and the facts that can be rebuilt from it.

One job: the agreement with Asterisk on what it writes, reading those lines, and telling the outline of
calls that the engine did not see to the end. Pure: it opens no file; see fill_in.py.

Texts from outside stand in these lines as they came, quotes doubled, newlines and all. A record's head
(event, time, unique id) consists of three fields next to each other that no caller can write, so
a head is never forged, and after a torn line reading goes on at the next head.
"""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ledger.model import Fact, Kind
from ledger.records import CEL
from telephony.model import CALL_ID, CallId, made_by_us

FILE: Final = "Master.csv"
"""Name of the file in the folder for CEL; Asterisk opens it anew for every record, so it may be renamed."""

EVENTS: Final = ("CHAN_START", "CHAN_END", "ANSWER", "HANGUP", "BRIDGE_ENTER", "BRIDGE_EXIT", "APP_START")
APPS: Final = ("dial", "queue", "confbridge")
FIELDS: Final = (
    *("EventEnum", "EventTime", "UniqueID", "LinkedID", "Context", "AccountCode", "ChanName"),
    *("AppName", "AppData", "Peer", "Num", "UserDefType", "EventExtra"),
)
"""The order matters: see the module's docstring. No extension: what an agent dials in one go may hold a PIN
(*11 id*PIN), which is never on a disk. What a citizen dialled is the account code, which the dialplan sets.
"""

CEL_CONF: Final = f"""\
[general]
enable = yes
apps = {",".join(APPS)}
events = {",".join(EVENTS)}
"""
"""cel.conf. Without ``dateformat`` a time is seconds since the epoch with six digits after the point."""

ENTRANCES: Final = frozenset({"from-pstn", "from-centre", "from-partner"})
EMERGENCY: Final = "emergency"
MERGED: Final = "merged"
"""Where one INVITE that came by two paths ends the second time: no call of its own."""
CONNECT: Final = "connect"
SUBCENTRE: Final = "subcentre"
DUTY_PHONE: Final = "duty-phone"

OUTGOING: Final = frozenset({"AppDial", "AppDial2"})
"""What Asterisk writes as the application of a channel that it calls: by Dial or Queue, by Originate."""

_HEAD: Final = re.compile(rb'"[A-Z_]{3,32}","\d{9,11}\.\d{6}","[a-z0-9]{1,12}-\d{10}\.\d{1,10}","')
_SEAT: Final = re.compile(r"PJSIP/(\d{3,8})-[0-9a-f]+")


def cel_custom_conf(folder: str) -> str:
    """cel_custom.conf, for records in ``folder`` (absolute, as Asterisk sees it)."""
    return f"""\
[{folder}/{FILE}]
format = dsv
separator_character = ,
quote_character = "
quote_escape_character = "
quoting_method = all
fields = {",".join(FIELDS)}
"""


@dataclass(frozen=True, slots=True)
class Event:
    """One record of Asterisk's. Texts are as they came from outside."""

    name: str
    at: datetime
    unique: str
    """The channel it is about."""
    linked: str
    """The oldest channel of the same call."""
    context: str
    number_dialled: str
    """What the caller dialled, from the dialplan's first step on; empty before, and for all others."""
    channel: str
    app: str
    app_data: str
    peer: str
    number: str
    user: str
    extra: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a block of bytes held."""

    events: tuple[tuple[int, Event], ...]
    """Each with the offset of its record in the block."""
    consumed: int
    """Bytes that need not be read again; the rest may be a record still being written."""
    torn: int
    """Records that cannot be read."""


def parse(block: bytes, *, last: bool = False) -> Parsed:
    """Read the records of a block. ``last`` says that nothing will be added to what is there."""
    heads = [match.start() for match in _HEAD.finditer(block)]
    events: list[tuple[int, Event]] = []
    torn = 0
    consumed = heads[0] if heads else (block.rfind(b"\n") + 1)
    for start, end in zip(heads, [*heads[1:], len(block)], strict=False):
        record = block[start:end]
        event = _event(record) if record.endswith(b"\n") or end < len(block) else None
        if event is not None:
            events.append((start, event))
        elif end == len(block) and not last:
            break
        else:
            torn += 1
        consumed = end
    return Parsed(tuple(events), len(block) if last else consumed, torn)


def _event(record: bytes) -> Event | None:
    text = record.decode("utf-8", "replace")
    try:
        rows = list(csv.reader([text.removesuffix("\n")], strict=True))
        if len(rows) != 1 or len(rows[0]) != len(FIELDS):
            return None
        name, time, unique, linked, context, exten, channel, app, app_data, peer, number, user, extra = rows[0]
        at = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(time.replace(".", "")))
    except (csv.Error, ValueError, OverflowError):
        return None
    return Event(name, at, unique, linked, context, exten, channel, app, app_data, peer, number, user, _mapping(extra))


def _mapping(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def callers(events: Iterable[Event]) -> dict[CallId, list[Event]]:
    """The citizens' channels among these events, each with its own events in the order they happened."""
    by_channel: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        by_channel[event.unique].append(event)
    return {
        CallId(unique): sorted(own, key=lambda event: event.at)
        for unique, own in by_channel.items()
        if CALL_ID.fullmatch(unique) and _is_caller(own) and not _we_called(CallId(unique), own)
    }


def _we_called(channel: CallId, own: Collection[Event]) -> bool:
    """A leg that we dialled begins in its trunk's context, too. Whoever calls us is the oldest channel of its call; a
    leg of ours is linked to whoever dials it from its beginning: no phone or trunk is originated (telephony/ring.py).
    """
    return (
        made_by_us(channel)
        or any(event.app in OUTGOING for event in own)
        or any(event.name == "CHAN_START" and event.linked != event.unique for event in own)
    )


def _is_caller(own: Collection[Event]) -> bool:
    if any(event.context == MERGED for event in own):
        return False
    starts = [event for event in own if event.name == "CHAN_START" and not event.channel.endswith(";1")]
    return any(event.context in ENTRANCES for event in starts) or (
        bool(starts) and any(event.context == EMERGENCY for event in own)
    )


def has_ended(own: Iterable[Event]) -> bool:
    """Whether a channel is gone, by its own events."""
    return any(event.name == "CHAN_END" for event in own)


def rebuild(
    events: Collection[Event], known: Mapping[CallId, Collection[Kind]], lost: Collection[CallId] = ()
) -> list[Fact]:
    """The facts that the ledger lacks about the calls in ``events``.

    ``known``: what kinds the ledger has about each call; those it gets not again. An engine that came back in the
    middle of a call knows its end, but neither its beginning nor who answered. ``lost``: calls that the switch no
    longer has although it never said so, because it was killed. Ids derive from the call, so rebuilding twice gives
    the same facts.
    """
    seats = _seats(events)
    facts = []
    for call, own in callers(events).items():
        kinds = known.get(call, ())
        if has_ended(own) or call in lost:
            facts += [fact for fact in _facts(call, own, seats) if fact.kind not in kinds]
    return facts


def _facts(call: CallId, own: list[Event], seats: Mapping[str, str]) -> list[Fact]:
    def fact(kind: Kind, at: datetime, **data: Any) -> Fact:
        return Fact(f"{CEL}-{call}-{kind}", kind, call, at, data, CEL)

    start = own[0]
    facts = [
        fact(Kind.ENTERED, start.at, number=_dialled(own), caller=_digits(start.number), reason="据交换机记录补记")
    ]
    queue = next((event for event in own if event.name == "APP_START" and event.app.lower() == "queue"), None)
    if queue:
        facts.append(fact(Kind.FALLBACK, queue.at, why="engine-away"))
    talk = next((event for event in own if event.name == "BRIDGE_ENTER"), None)
    if talk:
        waited = round((talk.at - start.at).total_seconds() * 1000)
        facts.append(fact(Kind.ANSWERED, talk.at, waited_ms=waited, **_answerer(talk, seats)))
    end = next((event for event in own if event.name == "HANGUP"), own[-1])
    facts.append(
        fact(
            Kind.ENDED,
            end.at,
            cause=str(end.extra.get("hangupcause", "")) if end.name == "HANGUP" else "switch-gone",
            by=_who_hung_up(end),
            talk_ms=_talk_ms(own),
            answered=talk is not None,
        )
    )
    return facts


def _dialled(own: Iterable[Event]) -> str:
    return next((number for event in own if (number := _digits(event.number_dialled))), "")


def _answerer(talk: Event, seats: Mapping[str, str]) -> dict[str, str]:
    seat = seats.get(_bridge(talk), "")
    if talk.context == CONNECT and "@" in talk.app_data.partition(",")[0]:  # a place behind a sub-centre's trunk
        return {"by": "subcentre"}
    if talk.context == EMERGENCY:
        return {"by": "emergency"}
    if talk.context in (SUBCENTRE, DUTY_PHONE):
        return {"by": talk.context}
    if talk.app.lower() == "queue":
        return {"by": "fallback", "seat": seat, "group": talk.app_data.partition(",")[0]}
    return {"by": "agent", "seat": seat}


def _seats(events: Iterable[Event]) -> dict[str, str]:
    """Which seat's phone was in which bridge."""
    found = {}
    for event in events:
        if event.name == "BRIDGE_ENTER" and (match := _SEAT.fullmatch(event.channel)):
            found[_bridge(event)] = match[1]
    return found


def _bridge(event: Event) -> str:
    return str(event.extra.get("bridge_id", ""))


def _who_hung_up(end: Event) -> str:
    source = str(end.extra.get("hangupsource", ""))
    if source == end.channel:
        return "caller"
    return "agent" if _SEAT.fullmatch(source) else "switch"


def _talk_ms(own: list[Event]) -> int:
    """Time in bridges. One that was never left lasted until the last that is known."""
    total = timedelta()
    since: datetime | None = None
    for event in own:
        if event.name == "BRIDGE_ENTER":
            since = since or event.at
        elif since and event.name in ("BRIDGE_EXIT", "HANGUP", "CHAN_END"):
            total += event.at - since
            since = None
    if since:
        total += own[-1].at - since
    return round(total.total_seconds() * 1000)


def _digits(text: str) -> str:
    """As the dialplan's own FILTER: digits and plus, at most 32."""
    return re.sub(r"[^0-9+]", "", text)[:32]
