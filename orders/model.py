"""An urgent order (应急工单) as an immutable value, what happens to it, and what must be done about that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from telephony.model import CallId


class OrderState(StrEnum):
    """Where an order is; see rules.MOVES."""

    DISPATCHED = "dispatched"
    """The departments told so far have time to take it."""
    UNANSWERED = "unanswered"
    """Every department's time is over and nobody took it: the supervisor's now. It may still be taken."""
    ACKNOWLEDGED = "acknowledged"
    """签收: a department has taken it."""
    CLOSED = "closed"
    CANCELLED = "cancelled"


OVER = frozenset({OrderState.CLOSED, OrderState.CANCELLED})


class AcknowledgementWay(StrEnum):
    """How somebody said that it is taken."""

    SIGNATURE = "signature"
    """The department's own program, by its key."""
    PHONE_KEY = "phone-key"
    """By a key on a duty phone."""
    COMMAND = "command"
    """One of us, who was told so otherwise."""


class DutyCallFailure(StrEnum):
    """Why a duty phone did not take the order."""

    BUSY = "busy"
    NO_ANSWER = "no-answer"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    SILENT = "silent"
    """Answered, and no key: an answering machine, or somebody who does not want it."""
    UNKNOWN = "unknown"
    """We were not there to see; the switch says that no key was pressed."""


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """One level: a department as it was in the table when the order was raised."""

    department: str
    name: str
    phones: tuple[str, ...] = ()
    pushed: bool = False
    """It has a data interface."""
    rounds: int = 1


@dataclass(frozen=True, slots=True)
class DutyCallAttempt:
    """A duty phone that is called, or about to be."""

    number: str
    department: str
    at: datetime
    call: CallId
    """Id of its channel, made without asking anyone, so that a restarted engine and the switch agree on it."""
    slot: int
    """Where the switch itself notes a pressed key."""


@dataclass(frozen=True, slots=True)
class Order:
    """One urgent order."""

    number: str
    """工单号: node, day and serial number, such as ``hl1-20261122-0007``."""
    call: CallId
    """The call in which it was raised."""
    key: str
    """Who raises it twice with the same key has raised it once."""
    type: str
    type_name: str
    place: str
    summary: str
    caller: str
    """The citizen's number; empty when it is not known."""
    by: str
    """Who raised it."""
    raised_at: datetime
    steps: tuple[EscalationStep, ...]
    acknowledge_seconds: int
    finish_minutes: int = 0
    """From being taken to being closed; 0: no deadline."""
    state: OrderState = OrderState.DISPATCHED
    step: int = 0
    """The level that it has come to."""
    since: datetime | None = None
    """When this level was told; None: with the order itself."""
    dialled: int = 0
    """Calls to phones of this level."""
    attempts: int = 0
    """Calls to phones in all."""
    ringing: DutyCallAttempt | None = None
    not_before: datetime | None = None
    """No phone is called before this moment."""
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    """The department, by its id."""
    acknowledged_how: str = ""
    acknowledged_who: str = ""
    """The person or the telephone, as far as it was told."""
    finish_by: datetime | None = None
    """Who has taken it is to have dealt with it by then; None: not taken, or no deadline."""
    late_at: datetime | None = None
    """When it was seen that this is over and the order is not."""
    over_at: datetime | None = None
    over_by: str = ""
    reason: str = ""
    """What was done about it, or why it was cancelled; of a failed call why it failed."""

    @property
    def open(self) -> bool:
        return self.state not in OVER

    @property
    def overdue(self) -> bool:
        """Somebody must see to it now: nobody has taken it, or who has is late."""
        return self.state is OrderState.UNANSWERED or (
            self.state is OrderState.ACKNOWLEDGED and self.late_at is not None
        )

    @property
    def due(self) -> datetime:
        """When the level's time is over."""
        return (self.since or self.raised_at) + timedelta(seconds=self.acknowledge_seconds)

    @property
    def told(self) -> tuple[EscalationStep, ...]:
        """The levels that know of it."""
        return self.steps[: self.step + 1]


# What happens


@dataclass(frozen=True, slots=True)
class Looked:
    """The clock: is a phone to be called, is a level's time over?"""

    phones: bool = True
    """Whether the switch can call now."""


@dataclass(frozen=True, slots=True)
class NotCalled:
    """The attempt that was written down was not made: the disk or the switch refused."""

    call: CallId
    again_at: datetime


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A duty phone did not take it."""

    call: CallId
    why: DutyCallFailure


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """签收."""

    department: str
    how: AcknowledgementWay
    who: str = ""


@dataclass(frozen=True, slots=True)
class Updated:
    """The agent has typed more."""

    place: str
    summary: str
    by: str


@dataclass(frozen=True, slots=True)
class Extended:
    """Who has taken it gets more time: so many minutes from now."""

    minutes: int


@dataclass(frozen=True, slots=True)
class Ended:
    """Closed, or cancelled."""

    state: OrderState
    by: str
    reason: str


Event = Looked | NotCalled | NotTaken | Acknowledged | Updated | Extended | Ended


# What must be done


class OrderEvent(StrEnum):
    """What a department is told."""

    RAISED = "raised"
    UPDATED = "updated"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Notify:
    """Push to the data interfaces of these departments."""

    what: OrderEvent
    departments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dial:
    """Call a duty phone."""

    attempt: DutyCallAttempt
    round: int
    """From 0: another round may take another trunk."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """End this call to a duty phone: what it asks for is not wanted any more."""

    call: CallId


@dataclass(frozen=True, slots=True)
class RaiseAlarm:
    """Nobody has taken it, or it is not dealt with in time: a supervisor must see to it."""


@dataclass(frozen=True, slots=True)
class ClearAlarm:
    """It is in somebody's hands and in time, or over."""


Effect = Notify | Dial | HangUp | RaiseAlarm | ClearAlarm


class IllegalOrderEvent(ValueError):
    """What was asked for cannot be done to this order any more; says why, in Chinese."""
