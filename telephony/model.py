"""Words of a call that every room shares: ids, stages, channel variables.

One job: names. It knows no protocol, no database and no clock, and imports the
standard library only, so that any room may import it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import IntEnum, StrEnum
from typing import Final, NewType

CallId = NewType("CallId", str)
"""One caller's contact for life: the switch's unique id of the caller's channel, ``node-epoch.serial``.

The dialplan knows it without asking anyone, so recordings, CEL and the ledger agree
on it even for calls that the engine never saw (see docs/decisions/0005).
"""

AgentId = NewType("AgentId", str)
"""工号, digits, 3 to 8 of them."""

SeatId = NewType("SeatId", str)
"""The phone an agent signs in at: the SIP user of its endpoint, digits, 3 to 8."""

GroupId = NewType("GroupId", str)
"""技能组: lower-case letters, digits and hyphens, at most 40; its fallback app_queue is ``group-`` and this."""

NodeId = NewType("NodeId", str)
"""One Asterisk with the engine beside it: lower-case letters and digits, at most 12."""

CALL_ID: Final = re.compile(r"[a-z0-9]{1,12}-\d{10}\.\d{1,10}", re.ASCII)
OUR_SERIALS: Final = 7_000_000_000
"""From this serial up a call id is one that we gave ourselves, to a channel that we originated (an agent's call, a
callback, an agent who is rung first for one, a duty phone): never the switch's own."""

AGENT_CALL_SERIALS: Final = range(OUR_SERIALS, OUR_SERIALS + 1_000_000_000)
"""Calls that agents make (外呼); see outbound/."""

ENGINE_SERIALS: Final = 8_000_000_000
"""From here up: urgent orders' calls and agents' phones that are rung first; callbacks follow (callbacks/model.py)."""

HEARD_MS: Final = 1000
"""A talk that is over sooner was none: nobody has said anything that could be recorded, or rated."""

AGENT_ID: Final = re.compile(r"\d{3,8}", re.ASCII)
SEAT_ID: Final = re.compile(r"\d{3,8}", re.ASCII)
GROUP_ID: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
EVERY_GROUP: Final = "all"
"""All groups together where figures are told by group; no group's id."""

NODE_ID: Final = re.compile(r"[a-z0-9]{1,12}")
DIALLED: Final = re.compile(r"\+?\d{1,32}", re.ASCII)
"""What a dialled or calling number may look like once the dialplan has filtered it."""

VARIABLE_NAME: Final = re.compile(r"_{0,2}[A-Za-z][A-Za-z0-9_]{0,78}")
VARIABLE_VALUE: Final = re.compile(r"[A-Za-z0-9_.:/&+=@ -]*")
"""What we ever write into a channel variable: nothing that a dialplan, AGI or AMI could read as syntax."""

EMERGENCY_NUMBERS: Final = ("110", "119", "120", "122")
"""Never merged, never blocked, matched before and outside every editable table."""

HOTLINE_NUMBER: Final = "12345"

TRIAL_PHONE: Final = "trial"
"""The endpoint of the set-up page's phone: it can call 12345, and nothing can call it."""

PAGE_AUTHS: Final = "page"
"""Where AstDB keeps the passwords of phones in browsers: the family ``page/auth``, by phone."""


class Priority(IntEnum):
    """Classes of callers, as ``HL_PRIORITY`` carries them; a number in between counts as the class below it."""

    NUISANCE = -1
    """On the table's nuisance list: behind the others, but never for ever."""
    NORMAL = 0
    REPEAT = 3
    """Called not long ago."""
    LISTED = 4
    """On the table's priority list."""
    DROPPED = 5
    """The last talk broke off; or the caller says that it is urgent."""
    CENTRE = 7
    """An emergency centre that calls us."""
    FIRST = 9
    """Ours to make good: an emergency number or a transfer that reached nobody."""


class OverflowWhen(StrEnum):
    """What makes a group's caller overflow; the row's value says how much of it."""

    WAITED = "waited"
    """After so many seconds of waiting."""
    EXPECTED = "expected"
    """When the wait that is to be expected is longer than so many seconds, or cannot end."""
    LENGTH = "length"
    """When it comes into a line that has more callers than this, itself counted."""
    NOBODY = "nobody"
    """When nobody is signed in for any group that may answer it, after so many seconds of waiting."""


class OverflowTo(StrEnum):
    """Where an overflowing caller may go."""

    GROUP = "group"
    """Another group may answer, too."""
    EVERYONE = "everyone"
    """Whoever is signed in may answer."""
    SUBCENTRE = "subcentre"
    DUTY_PHONE = "duty-phone"
    """值班电话"""
    CALLBACK = "callback"
    MESSAGE = "message"


class CallOutClass(StrEnum):
    """How far an agent may call out (外呼等级); each includes those before it. Never further than these: no foreign,
    premium, service or short number, and an emergency number only by one key."""

    NONE = "none"
    LOCAL = "local"
    """Fixed lines of our own city."""
    MOBILE = "mobile"
    """And mobile numbers."""
    NATIONAL = "national"
    """And fixed lines elsewhere in the country."""


LAST_RESORTS: Final = frozenset((OverflowTo.SUBCENTRE, OverflowTo.DUTY_PHONE, OverflowTo.CALLBACK, OverflowTo.MESSAGE))
"""Ways out of the line; the others only let more agents answer."""


def duty_phones(target: str) -> list[list[str]]:
    """The numbers of a duty-phone row: one step after the other (``/``), those of one step at once (``&``)."""
    return [step.split("&") for step in target.split("/")]


def duty_phones_text(steps: Iterable[Iterable[str]]) -> str:
    """What :func:`duty_phones` reads."""
    return "/".join("&".join(step) for step in steps)


class Stage(StrEnum):
    """Where a caller's channel is; kept on the channel in ``HL_STAGE`` so that a restarted engine can read it."""

    RING = "ring"
    GREET = "greet"
    WAIT = "wait"
    CONNECT = "connect"
    TALK = "talk"
    CONFERENCE = "conference"
    AFTER = "after"
    FALLBACK = "fallback"
    EMERGENCY = "emergency"


class GlobalVar(StrEnum):
    """Variables of the whole switch: what the engine tells the dialplan besides its answers."""

    ADMIT = "HL_ADMIT"
    """How many of a thousand ordinary calls are let in; see calls/admission.py."""
    ADMIT_UNTIL = "HL_ADMIT_UNTIL"
    """Unix time in seconds up to which that holds."""


class Var(StrEnum):
    """Channel variables: the state of a call lives here, the engine's memory is a cache of it."""

    CALL = "HL_CALL"
    NUMBER = "HL_NUMBER"
    """What the citizen dialled, filtered to digits and a leading plus."""
    CALLER = "HL_CALLER"
    """Who calls, filtered likewise; empty when malformed or not told to us. A number withheld from display is still
    here: a centre is entitled to it, and every screen masks it."""
    SINCE = "HL_SINCE"
    """Unix time in milliseconds at which the call rang; the caller's age counts from here for life."""
    STAGE = "HL_STAGE"
    GROUP = "HL_GROUP"
    """The group the caller waits for."""
    OVERFLOW = "HL_OVERFLOW"
    """Widening steps, ``group:seconds`` joined by ``/``: who else may answer after that many seconds."""
    PRIORITY = "HL_PRIORITY"
    """A class of :class:`Priority`: 0 is normal, a higher one has a longer head start."""
    PREFERRED = "HL_PREFERRED"
    """The agent (工号) that this caller is kept for during the first seconds; only set when there is one."""
    LANGUAGE = "HL_LANGUAGE"
    """The language that was asked for, a skill of the table; only set when one was."""
    LISTED = "HL_LISTED"
    """The list of the table that the caller is on, as the agent's phone shows it; only set when it is on one."""
    VERSION = "HL_VERSION"
    """Version of the routing table this call started with."""
    SEAT = "HL_SEAT"
    NEXT = "HL_NEXT"
    """The step of the ``call`` context to go to, set by the engine's answer."""
    LOST = "HL_LOST"
    """The step to go to when no answer comes in time."""
    PROMPTS = "HL_PROMPTS"
    """Prompt files to play, joined by ``&``."""
    DONE = "HL_DONE"
    """The sentinel: set last, to the script's name, so the dialplan knows that the answer is whole."""
    RING_SECONDS = "HL_RING_SECONDS"
    WAIT_SECONDS = "HL_WAIT_SECONDS"
    KEY = "HL_KEY"
    """Digits the caller pressed at the last question."""
    PIN = "HL_PIN"
    """What an agent pressed to prove who it is; gone as soon as it is part of the question."""
    WHISPER = "HL_WHISPER"
    """Prompt that only the agent hears before talking: the old number that was dialled. Not set for 12345."""
    AUTO_ANSWER = "HL_AUTO_ANSWER"
    """``yes`` on the channels of a seat whose phone answers by itself when told to."""
    SPY = "HL_SPY"
    """On a supervisor's channel: the seat whose talk it joins."""
    RECORDING = "HL_RECORDING"
    TRANSFER = "HL_TRANSFER"
    """Name of the transfer target in progress, e.g. ``110``; on a centre's leg ``3110`` for a call of three parties."""
    REFUSED = "HL_REFUSED"
    """Why a partner (协作单位) is not dialled: ``closed`` outside its hours; empty when it is."""
    MOVES = "HL_MOVES"
    """On a centre's leg: where in ``conference`` the caller goes once the leg is up; empty: the caller is there."""
    PRESSED = "HL_PRESSED"
    """On a centre's leg that the engine has begun: the form that was pressed for the agent."""
    ASIDE = "HL_ASIDE"
    """``yes`` on the caller's channel while an agent consults a partner and the caller hears music."""
    AGAIN = "HL_AGAIN"
    """On the agent's channel: whom to consult next, out of a conference."""
    CENTRE = "HL_CENTRE"
    """On the caller's channel: the leg of the centre or partner in the conference."""
    AGENT = "HL_AGENT"
    """On the caller's channel: the agent's, once in the conference."""
    REACHED = "HL_REACHED"
    """The centre that has answered; kept on the caller's channel, which outlives it."""
    CHANNEL = "HL_CHANNEL"
    """On the other channels of a call: the caller's."""
    REFERENCE = "HL_REFERENCE"
    """Whose call it is, for a centre: our call id in hexadecimal, or the reference that a centre gave us."""
    DIVERTED = "HL_DIVERTED"
    """The number that the citizen dialled, when it was not the centre's own."""
    FROM = "HL_FROM"
    """``partner`` or ``centre`` where the call came in by such a trunk: it reaches no emergency number by itself."""
    ORIGIN = "HL_ORIGIN"
    """The centre whose trunk a call came in by."""
    DUTY = "HL_DUTY"
    """The duty phone, or phones joined by ``&``, that ring for the caller."""
    CALLBACK = "HL_CALLBACK"
    """While a callback is talked about: the number that is to be called."""
    MESSAGE = "HL_MESSAGE"
    """The file of a message."""
    SLOT = "HL_SLOT"
    """On a callback's channel: where the switch notes that the citizen has answered."""
    FETCH = "HL_FETCH"
    """On a callback's channel: the channel, by its unique id, of an agent whose phone was rung first and who waits."""
    MISSED = "HL_MISSED"
    """Seconds in a row for which the switch has had no channel of the citizen whom the agent has called."""
    HELD = "HL_HELD"
    """Seconds for which that agent has waited."""
    CALL_OUT = "HL_CALL_OUT"
    """On an agent's channel that asks to call out: the call's id, when the engine has said yes."""
    RING = "HL_RING"
    """Who is rung by the engine itself: a phone of ours, or a number outside."""
    RING_ID = "HL_RING_ID"
    """The engine's own name for that ringing of a phone."""
    TRUNK = "HL_TRUNK"
    """The trunk through which a number outside is rung."""
    ORDER = "HL_ORDER"
    """On a call to a duty phone: the urgent order that it is about."""
    ORDER_TYPE = "HL_ORDER_TYPE"
    DEPARTMENT = "HL_DEPARTMENT"
    """On a call to a duty phone: whose phone it is."""
    PAGE = "HL_PAGE"
    """``yes`` on the channels of a phone in a browser."""
    PAGE_PASSWORD = "HL_PAGE_PASSWORD"  # noqa: S105  the name of a variable
    """On the channel that tells the switch the password of a phone in a browser; empty: it has none any more."""
    DRILL = "HL_DRILL"
    """On the channels of a drill (演练): the unique id of the agent's. They have no ``HL_CALL``: a drill is no call."""
    ASKED = "HL_ASKED"
    """Shared, of the caller's channel: which centre or partner was asked for last."""
    PATH = "HL_PATH"
    """Beginning of the names of global variables: the last INVITE of each of 256 kinds of hash, and its channel."""
    PARTY = "HL_PARTY"
    """Who a channel is in this call: caller, agent or centre."""


class Party(StrEnum):
    CALLER = "caller"
    AGENT = "agent"
    CENTRE = "centre"


def made_by_agent(call: CallId) -> bool:
    """Whether it is a call that an agent has made (外呼)."""
    return CALL_ID.fullmatch(call) is not None and int(call.rpartition(".")[2]) in AGENT_CALL_SERIALS


def made_by_us(call: CallId) -> bool:
    """Whether it is a call that we make: no citizen's call, whoever tells of it and however it ends."""
    return CALL_ID.fullmatch(call) is not None and int(call.rpartition(".")[2]) >= OUR_SERIALS
