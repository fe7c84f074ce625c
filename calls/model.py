"""What the engine knows of a call, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field

from ivr.queue_announcements import LastAnnouncement
from queues.effects import LastResort
from routing.model import CallerList, Snapshot, WaitingAction
from telephony.model import AgentId, CallId, OverflowTo, SeatId, Stage


@dataclass(frozen=True, slots=True)
class DispositionEntry:
    """A wrap-up code, and a remark of the agent's own."""

    code: str = ""
    remark: str = ""


@dataclass(slots=True)
class LiveCall:
    """One call that is up."""

    call: CallId
    channel: str
    stage: Stage
    entered: bool = False
    """Its entering is in the ledger."""
    told_to_wait: bool = False
    last_announcement: LastAnnouncement | None = None
    """What it was told last of its place and the expected wait."""
    assigned_seat: SeatId | None = None
    """The seat that the last answer named: the caller gets there by that answer alone, no redirect is on its way."""
    recorded: bool = False
    answered_by_human: bool = False
    """Somebody answered: there is somebody to be rated."""
    talked_ms: int | None = None
    """How long agents have talked with the caller so far; None before the first such talk is over."""
    rated: bool = False
    caller: str = ""
    """Who calls, as far as we were told."""
    number: str = ""
    """What the citizen dialled."""
    since_ms: int = 0
    """When it rang."""
    group: str = ""
    """Who was asked for it last."""
    priority: int = 0
    keys_pressed: tuple[WaitingAction, ...] = ()
    """What the caller pressed keys for while waiting."""
    origin: str = ""
    """The number of the centre whose trunk it came in by."""
    reference: str = ""
    """That centre's own reference."""
    address: str = ""
    summary: str = ""
    """What the agent has taken down so far."""
    dispositions: dict[AgentId, DispositionEntry] = field(default_factory=dict)
    """What it came to (处理结果), as each agent who had it says."""
    agent: AgentId | None = None
    """Who talked with the caller last."""
    preferred: AgentId | None = None
    """Who is to be waited for at first."""
    language: str = ""
    """The language asked for."""
    caller_list: CallerList | None = None
    """The list that the caller was on when it rang."""
    prompts_played: tuple[str, ...] = ()
    """Prompts of its entry and announcements since."""
    trial: bool = False
    """An admin's test call (试打)."""
    table: Snapshot | None = None
    """The version of the routing table that it began under, and keeps; None when we were not there."""
    takeover_seat: SeatId | None = None
    """A supervisor's seat to which the caller is on its way, out of a talk."""
    returns: int = 0
    """Times it was brought back from app_queue."""
    due_resorts: list[LastResort] = field(default_factory=list)
    """Ways out of the line that have come due and were not taken yet."""
    tried_resorts: set[tuple[OverflowTo, str]] = field(default_factory=set)
    """Ways out that it has taken, or came from."""


@dataclass(frozen=True, slots=True)
class DispositionRequest:
    """What somebody says of a call."""

    code: str
    remark: str
    by: str
    agent: AgentId | None = None
    """Whose call it is and who says so himself; None: somebody else, who has to say why."""
    reason: str = ""
