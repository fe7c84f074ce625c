"""An agent's call (外呼) as an immutable value, and the words for what may become of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from telephony.model import CallId, CallOutClass


class State(StrEnum):
    """Where an agent's call is; see rules.MOVES."""

    REFUSED = "refused"
    """It was not allowed; nobody was rung."""
    RINGING = "ringing"
    """The agent's own phone rings first: the call was asked for otherwise than on it."""
    DIALLING = "dialling"
    """The agent waits, the citizen's telephone rings."""
    TALKING = "talking"
    OVER = "over"
    """They have talked."""
    UNREACHED = "unreached"
    """The citizen did not answer, or no trunk took the call."""
    CANCELLED = "cancelled"
    """The agent did not answer, or has hung up before the citizen answered."""


CLOSED = frozenset({State.REFUSED, State.OVER, State.UNREACHED, State.CANCELLED})


class Way(StrEnum):
    """Where the agent's call was asked for."""

    PHONE = "phone"
    """By the prefix, on a phone of ours."""
    API = "api"
    """By a page or a program: the agent's phone rings first."""


class Refusal(StrEnum):
    """Why an agent's call is not made."""

    NOT_SIGNED_IN = "not-signed-in"
    BUSY = "agent-busy"
    """The agent has a call, or calls somebody already."""
    EMERGENCY = "emergency"
    """An emergency number: only ever by one key, in a talk or on the phone itself."""
    NOT_CALLABLE = "not-callable"
    """No subscriber's number: foreign, premium, service or short, or no number at all."""
    CLASS = "class"
    """Further than the agent's class of service."""
    NEVER_CALLED = "never-called"
    HOURS = "hours"
    AGENT_CAP = "agent-cap"
    NUMBER_CAP = "number-cap"
    HOTLINE_CAP = "hotline-cap"
    NO_TRUNK = "no-trunk"
    AWAY = "away"
    """The switch or the disk is out of reach: what cannot be written down is not dialled."""


class NumberKind(StrEnum):
    """What a number that may be called is."""

    LOCAL = "local"
    MOBILE = "mobile"
    ELSEWHERE = "elsewhere"
    """A fixed line of another city."""


@dataclass(frozen=True, slots=True)
class Trunk:
    """A trunk to the public network."""

    id: str
    address: str
    """``host:port`` of its far end."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the published table says of calling out at this moment, and of one agent."""

    trunks: tuple[Trunk, ...]
    """In the order in which they are tried."""
    ring_seconds: int
    hours_open: bool
    agent_per_hour: int
    number_per_day: int
    hotline_per_hour: int
    never_called: frozenset[str] = frozenset()
    """Numbers in their one form; those whose row is over are not among them."""
    reach: CallOutClass = CallOutClass.NONE
    """The agent's class of service."""
    group: str = ""
    """The group whose talk such a call of this agent's is."""


@dataclass(frozen=True, slots=True)
class OutboundCall:
    """One wish of an agent to call somebody, from its asking to its end."""

    id: CallId
    """Also the citizen's channel; given before anything is dialled, so that engine and switch agree on it."""
    agent: str
    seat: str
    number: str
    """Who is called, in the one form of a citizen's number."""
    told: str
    """The same as it was asked for."""
    group: str
    reason: str
    """In the agent's words; may be empty."""
    about: str
    """The call or the case that it belongs to; may be empty."""
    way: Way
    by: str
    """Who asked: the agent's phone, or a user."""
    state: State
    asked_at: datetime
    trunk: str = ""
    """The last that was tried."""
    why: str = ""
    """A :class:`Refusal`, or why nobody was reached."""
    answered_at: datetime | None = None
    closed_at: datetime | None = None

    @property
    def open(self) -> bool:
        return self.state not in CLOSED
