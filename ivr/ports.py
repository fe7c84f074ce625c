"""What a conversation may ask of the rest of the house. The engine implements it, tests fake it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from callbacks.model import RequestOutcome
from ivr.model import Question
from ledger.model import Kind
from routing.model import Decision, WaitingAction
from telephony.model import AgentId, CallId, OverflowTo, Priority, SeatId


@dataclass(frozen=True, slots=True)
class CallerPriority:
    """How a caller comes into the line."""

    priority: int = Priority.NORMAL
    preferred: AgentId | None = None
    """The agent of the last talk, to be waited for at first."""


@dataclass(frozen=True, slots=True)
class SeatAssignment:
    """A seat is reserved for the caller and shall ring now."""

    seat: SeatId
    agent: AgentId
    ring_seconds: int


@dataclass(frozen=True, slots=True)
class Queued:
    """The caller waits; an offer will come by redirect."""

    position: int
    """1 is next."""
    first_time: bool
    """The caller has not been told yet that it has to wait."""
    news: tuple[str, ...] = ()
    """Prompts that are due: place, expected wait, keys."""
    seconds: int | None = None
    """Until it is to ask again, when something is due sooner than a whole slice of music lasts."""


@dataclass(frozen=True, slots=True)
class ResortTarget:
    """A last resort of the caller's group, which the caller takes now."""

    kind: OverflowTo
    """subcentre, duty-phone, callback or message."""
    target: str = ""
    """A sub-centre's trunk, or duty phones."""


Place = SeatAssignment | Queued


class SeatAction(StrEnum):
    """What an agent can do with the keys of an idle phone."""

    SIGN_IN = "sign-in"
    SIGN_OUT = "sign-out"
    READY = "ready"
    PAUSE = "pause"
    EXTEND = "extend"
    """A longer wrap-up."""


class SupervisorAction(StrEnum):
    """What a supervisor (班长) can do to another agent's talk."""

    LISTEN = "listen"
    """Neither of the two hears the supervisor."""
    WHISPER = "whisper"
    """The agent alone does."""
    BARGE = "barge"
    """Both do."""
    TAKE_OVER = "take-over"
    """The caller comes to the supervisor's phone, the agent is out."""


@dataclass(frozen=True, slots=True)
class SupervisorJoin:
    """What a supervisor's key leads to."""

    seat: SeatId | None = None
    """Whose channel to join; None: nothing to join."""
    prompt: str = ""


class CallBackend(Protocol):
    """The engine, as a conversation sees it. Every call answers at once; only a promise waits, for the disk."""

    wait_seconds: int
    """Length of one slice of music, s."""

    def route(self, question: Question) -> Decision:
        """Where the published table sends this call now."""

    def standing(self, question: Question) -> CallerPriority:
        """Whether this caller has called before, or is a centre."""

    def whisper(self, decision: Decision) -> str:
        """The prompt that names the old number to the agent; empty for 12345, or when the group wants none."""

    def place(self, question: Question) -> Place:
        """Find an agent, or the caller's place in the queue with the age it has."""

    def way_out(self, question: Question) -> ResortTarget | None:
        """The last resort that is due for this waiting caller; each is told once. It keeps its place meanwhile."""

    def waiting_key(self, question: Question) -> WaitingAction | None:
        """What the key does that was pressed while waiting; None for a key that does nothing."""

    def information(self, question: Question) -> str:
        """Id of the prompt that the key pressed while waiting speaks (自助查询); empty when it speaks none."""

    def promise(self, question: Question, number: str) -> RequestOutcome:
        """Promise to call this number back at the caller's age. Promised: the caller waits no longer."""

    def leave_line(self, question: Question) -> bool:
        """The caller waits no longer, to leave a message; False when an agent is being brought to it already."""

    def message(self, question: Question) -> bool:
        """Take the message that was recorded, ``action`` bytes of it; False when it holds nothing."""

    async def durable(self, question: Question) -> bool:
        """Wait until what was promised is on the disk; False, and nothing is promised, when the disk refuses."""

    def on_no_answer(self, question: Question, seat: SeatId, dial_status: str) -> None:
        """The seat did not take the call."""

    def on_short_talk(self, question: Question) -> bool:
        """The agent's side ended the talk at once: it was none, and the caller waits on at its place."""

    def on_talk_ended(self, question: Question) -> bool:
        """The conversation is over, the caller still there; True once, when there was a human to be rated."""

    def rating_level(self, question: Question) -> int:
        """The rating (1 to 5) that the key stands for, 0 for none."""

    async def sign_in_refusal(self, seat: SeatId, agent: AgentId, pin: str) -> str:
        """The prompt that says why this agent may not sign in here; empty when he may. Bounded in time."""

    def seat_key(self, seat: SeatId, action: SeatAction, key: str) -> str:
        """Do what the agent pressed; ``key`` is the agent's id or the digit of a reason. The prompt of the outcome."""

    def supervise(self, seat: SeatId, action: SupervisorAction, agent: AgentId) -> SupervisorJoin:
        """The talk that the supervisor at this seat may join; else the prompt that says why not."""

    async def call_out(self, seat: SeatId, channel: CallId, number: str) -> Mapping[str, str] | str:
        """The variables of the call that this seat's agent makes (外呼), which begins now; else the prompt that says
        why it may not be made."""

    def partner_open(self, key: str) -> bool:
        """Whether the partner (协作单位) with this key is in its hours; one that the table does not know is."""

    def citizen(self, number: str) -> str:
        """The one form of a caller's number in which its calls, promises and lists are put together."""

    def can_play(self, prompt: str) -> bool:
        """Whether it is named by a table in use and has its sound."""

    def unheard(self, question: Question, prompts: Sequence[str]) -> None:
        """The answer named prompts that cannot be played, and goes out without them."""

    def on_answer_lost(self, question: Question) -> None:
        """The answer did not reach the dialplan, which goes on alone."""

    def note(self, kind: Kind, question: Question, **data: Any) -> None:
        """Write a fact of this call into the ledger."""
