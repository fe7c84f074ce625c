"""A promise as an immutable value. It is known by the call in which it was made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from telephony.model import ENGINE_SERIALS, CallId


class CallbackState(StrEnum):
    """Where a callback is; see rules.MOVES."""

    WAITING = "waiting"
    """Stands in the line at the caller's age, or waits for its hours or the next attempt."""
    RINGING = "ringing"
    """先呼座席: the phone of the agent who is reserved rings first; the citizen is not dialled yet."""
    DIALLING = "dialling"
    """An agent is reserved and the citizen's telephone rings."""
    REACHED = "reached"
    """The citizen has answered; the call is one like any other now."""
    COMPLETED = "kept"
    """The citizen has talked with a human."""
    ABANDONED = "left"
    """The citizen answered and hung up before an agent came. Nobody is called again who hung up."""
    FAILED = "unreached"
    """Every attempt was in vain."""
    CANCELLED = "withdrawn"
    """Not to be kept any more: the citizen was served meanwhile, or somebody said so."""


UNDIALLED = frozenset({CallbackState.WAITING, CallbackState.RINGING})
"""The citizen's telephone has not been asked to ring for the current attempt."""

CLOSED = frozenset({CallbackState.COMPLETED, CallbackState.ABANDONED, CallbackState.FAILED, CallbackState.CANCELLED})


class CallFailure(StrEnum):
    """Why an attempt did not reach the citizen."""

    BUSY = "busy"
    NO_ANSWER = "no-answer"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"
    """We were not there to see; the switch says that nobody answered."""


class RequestOutcome(StrEnum):
    """What became of the wish to be called back."""

    PROMISED = "promised"
    ALREADY = "already"
    """This number is promised a call already."""
    TOO_MANY = "too-many"
    """As many promises to this number today as the table allows."""
    NOT_CALLABLE = "not-callable"
    """Emergency, short and premium numbers, and what is no number, are never called."""
    ON_THE_WAY = "on-the-way"
    """An agent is being brought to this very caller."""


@dataclass(frozen=True, slots=True)
class Callback:
    """One promise to call back."""

    id: CallId
    """The call in which it was promised."""
    number: str
    """Who is to be called, digits as dialled from this city."""
    line: str
    """What the citizen had dialled, e.g. 12333."""
    group: str
    overflow: str
    """``group:seconds`` joined by ``/``, as on the channel."""
    priority: int
    since_ms: int
    """When the citizen's call rang: the age for life."""
    promised_at: datetime
    state: CallbackState = CallbackState.WAITING
    attempts: int = 0
    """Attempts begun."""
    not_before: datetime | None = None
    """The next attempt waits until then."""
    why: str = ""
    """Why the last attempt failed, or why it was closed."""
    closed_at: datetime | None = None
    agent: str = ""

    @property
    def open(self) -> bool:
        return self.state not in CLOSED

    @property
    def call(self) -> CallId:
        """Id of the call that is, or will be, this promise's current attempt: made without asking anyone, so that a
        restarted engine and the switch agree on it. Serials from nine thousand million up are never the switch's own.
        """
        attempt = self.attempts + (self.state in UNDIALLED)
        head, _, serial = self.id.rpartition(".")
        return CallId(f"{head}.{CALLBACK_SERIALS + (int(serial) * 10 + attempt) % 1_000_000_000}")

    @property
    def slot(self) -> int:
        """Where the switch itself notes that the citizen has answered; bounded, and no personal data."""
        return int(self.call.rpartition(".")[2]) % SLOTS


CALLBACK_SERIALS = ENGINE_SERIALS + 1_000_000_000
SLOTS = 10_000
