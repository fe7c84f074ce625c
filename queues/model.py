"""The few words that the ACD's settings, events and effects share: why, where, and who is signed in.

By what the core decides is in queues/policy.py, what it is told in queues/events.py, what it answers in
queues/effects.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from telephony.model import AgentId, GroupId, SeatId


class NotAllowed(Exception):
    """What a person asked for cannot be; nothing was changed. The text is Chinese, for that person."""

    @property
    def reason(self) -> str:
        return str(self.args[0])


class OfferFailure(StrEnum):
    """Why an offered seat did not take the call."""

    NO_ANSWER = "no-answer"
    BUSY = "busy"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    ERROR = "error"
    """The offer could not be carried out: perhaps the seat's fault, perhaps the call's."""
    CUT_SHORT = "cut-short"
    """Answered, and the seat's side ended the talk at once."""
    TIMEOUT = "timeout"
    """Neither ringing came to an end nor did anybody say so before the reservation's deadline."""


class SeatReason(StrEnum):
    """Why a seat changed its state, or an offer was withdrawn."""

    SIGNED_IN = "signed-in"
    SIGNED_OUT = "signed-out"
    MOVED = "moved"
    """The agent signed in at another seat."""
    REPLACED = "replaced"
    """Another agent signed in at this seat."""
    READY = "ready"
    PAUSED = "paused"
    FORCED = "forced"
    """A supervisor said so."""
    CONTACT_LOST = "contact-lost"
    CONTACT_BACK = "contact-back"
    PHONE_IN_USE = "phone-in-use"
    PHONE_FREE = "phone-free"
    OFFERED = "offered"
    RINGING = "ringing"
    ANSWERED = "answered"
    ANSWERED_ELSEWHERE = "answered-elsewhere"
    """The switch says that this call, or this seat, talks with somebody else."""
    HELD = "held"
    RESUMED = "resumed"
    MOVED_CALL = "moved-call"
    """Its call was moved to another group."""
    CUT_SHORT = "cut-short"
    CALLER_LEFT = "caller-left"
    TALK_ENDED = "talk-ended"
    WRAP_UP_OVER = "wrap-up-over"
    WRAP_UP_EXTENDED = "wrap-up-extended"
    """Not a new state: only its end moved."""
    BACK_BY_POLICY = "back-by-policy"
    """Not responding, and the policy's seconds are over."""
    NO_ANSWER = "no-answer"
    BUSY = "busy"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    ERROR = "error"
    TIMEOUT = "timeout"
    RESTORED = "restored"


class UnexpectedEvent(StrEnum):
    """A message of the switch that came late, twice or out of order: tolerated and counted."""

    RINGING = "ringing"
    ANSWERED_UNKNOWN_CALL = "answered-unknown-call"
    ANSWERED_TWICE = "answered-twice"
    ANSWERED_WITHOUT_OFFER = "answered-without-offer"
    """Believed: the call talks at that seat now."""
    NOT_ANSWERED = "not-answered"
    TALK_ENDED = "talk-ended"
    HELD = "held"
    JOINED_WHILE_OFFERED = "joined-while-offered"
    JOINED_WHILE_TALKING = "joined-while-talking"
    """Believed: the talk is over and the call waits again."""
    TALK_REPLACED = "talk-replaced"
    """A seat talks with a new call and nobody had said that the old one was over."""
    HEALED = "healed"
    """None came at all: what we believed was mended by what the switch shows."""
    RESTORE_CONFLICT = "restore-conflict"
    """Two calls, or two seats, claimed each other when the state was rebuilt."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """Who is signed in where: the part of the state that outlives every process, in app_queue's membership."""

    agent: AgentId
    seat: SeatId
    groups: tuple[GroupId, ...]
    """Sorted."""
    pause: str | None = None


class TicketPhase(StrEnum):
    """Where a call is, as far as the ACD cares."""

    WAITING = "waiting"
    OFFERED = "offered"
    """A seat is reserved for it, perhaps ringing already."""
    TALKING = "talking"
