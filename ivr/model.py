"""A question of the dialplan and the engine's answer.

The switch acts, the engine decides: at each turning point the dialplan asks one question
and gets one answer, in one short AGI session. Nothing is played, dialled or awaited in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from telephony.model import CallId


class Step(StrEnum):
    """A step of the ``call`` context that an answer may name. The names are extensions of the generated dialplan."""

    GREET = "greet"
    """Answer, play the prompts, then ask ``offer``."""
    CONNECT = "connect"
    """Dial the seat in ``HL_SEAT``."""
    WAIT = "wait"
    """Music for a slice, then ask ``waiting``."""
    CALLBACK = "callback"
    """Read the number back that is to be called, one key, then ask ``callback``."""
    CALLBACK_NUMBER = "callback-number"
    """Ask for that number, then ask ``callback``."""
    MESSAGE = "message"
    """Record what the caller says, then ask ``message``."""
    UNKEPT = "unkept"
    """Say that a promise could not be written down, then ask ``offer``."""
    SUBCENTRE = "subcentre"
    """Dial the sub-centre named in ``HL_TRANSFER``; take the call back if it does not answer."""
    DUTY_PHONE = "duty-phone"
    """Dial the duty phones (值班电话) in ``HL_TRANSFER``; take the call back if none answers."""
    EMERGENCY = "emergency"
    """Dial the centre named in ``HL_TRANSFER``; no prompt, no queue."""
    RATE = "rate"
    """Ask for the rating (好差评), one key, then ask ``rated``."""
    GOODBYE = "goodbye"
    """Say goodbye and hang up."""
    FALLBACK = "fallback"
    """The safety net that needs no engine: last published prompt, then app_queue."""


class Script(StrEnum):
    """What the dialplan can ask. The names are the paths of the AGI URLs and of the files in ivr/flows."""

    ENTER = "enter"
    OFFER = "offer"
    WAITING = "waiting"
    CALLBACK = "callback"
    MESSAGE = "message"
    AFTER = "after"
    RATED = "rated"
    SEAT_KEY = "seat-key"
    SUPERVISE = "supervise"
    PARTNER = "partner"
    HANDED = "handed"
    CALL_OUT = "call-out"
    LOOP = "loop"


@dataclass(frozen=True, slots=True)
class Question:
    """One turning point of one call, as facts. Every text has passed the dialplan's FILTER.

    From ``call`` on, the fields are the arguments of ``ask`` in asterisk_conf/templates/dialplan/incoming.j2, in that
    order; the token that follows them there is checked and taken off before (agi_scripts.questions.guarded).
    """

    script: Script
    channel: str
    """The asking channel, e.g. ``PJSIP/pstn-0000001a``."""
    call: CallId
    number: str = ""
    caller: str = ""
    since_ms: int = 0
    group: str = ""
    overflow: str = ""
    """``group:seconds`` joined by ``/``."""
    priority: int = 0
    seat: str = ""
    """The seat that was dialled, or that asks."""
    dial_status: str = ""
    """Asterisk's DIALSTATUS when a seat did not take the call."""
    key: str = ""
    """Digits pressed."""
    action: str = ""
    told: str = ""
    """The caller's number as it came in, when ``caller`` is another form of it."""
    withheld: bool = False
    """The caller does not want its number shown. The switch tells it of every channel, unasked."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Where the call goes next. Becomes one ``MSet`` whose last variable is the sentinel."""

    next: Step
    prompts: tuple[str, ...] = ()
    """Prompt ids of the catalogue, in the order they are heard."""
    set: Mapping[str, str] = field(default_factory=dict)
    """Further channel variables (names from :class:`telephony.model.Var`)."""
    otherwise: Answer | None = None
    """A promise: the answer holds only when its facts are on the disk; this one is given when they are not."""
