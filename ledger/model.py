"""Facts: what happened to a call, and when. Append-only; a fact is never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from telephony.model import CallId


class Kind(StrEnum):
    """What a fact says. In brackets: the keys of its ``data``."""

    ENTERED = "entered"
    """The call came in [number, caller, caller_told, mode, rule, reason, version, group]; mode = a merge mode, or
    :data:`TRIAL`; caller_told = the caller's number as it came, when ``caller`` is another form of it."""
    PROMPTED = "prompted"
    """Prompts that can be played were put before the caller [prompts]."""
    OURS = "ours"
    """This channel was called by us and is no call, although the switch's events were taken for one [by, reason]."""
    UNPLAYED = "unplayed"
    """Prompts that the caller was to hear and did not [prompts, why], why = missing | switch: no sound, or the switch
    could not play one of them."""
    WAITING = "waiting"
    """The caller joined the queue, or joined it again [group, position, priority]."""
    LAST_RESORT = "way-out"
    """The caller, who keeps its place, is led to a last resort of its group [to, target, group, when, waited_ms]."""
    OFFERED = "offered"
    """A seat was reserved and its phone rings [seat, agent, group, waited_ms]."""
    NOT_ANSWERED = "not-answered"
    """The seat did not take the call [seat, agent, why]."""
    ANSWERED = "answered"
    """A human answered [seat, agent, group, waited_ms, by], by = agent | subcentre | duty-phone |
    fallback | emergency."""
    RECORDING = "recording"
    """Recording was arranged, before any media [file]."""
    TRANSFER = "transfer"
    """Transfer to a centre, each state it enters [id, target, state, trunk, form, cause]."""
    DRILL = "drill"
    """A drill (演练), each step; about the node's :func:`drill_line`, so that it is no call and counts in no measure
    [drill, target, state, seat, agent, by, trunk, ms, status, cause, received], ms = since the key;
    ledger/drill_report.py reads it."""
    FROM_CENTRE = "from-centre"
    """The call came in by a centre's own trunk [centre, reference], reference = theirs."""
    NOTED = "noted"
    """What the agent has taken down so far [address, summary]."""
    HELD = "held"
    """The agent has put the caller on hold [seat, agent, music], music = the class that the caller hears."""
    RESUMED = "resumed"
    """The agent is back from it [seat, agent]. A hold may also end with its talk, or with the call."""
    WRAP_UP = "wrap-up"
    """What the call came to (处理结果) was said, or said anew [code, name, remark, agent, by], agent = whose call it
    was, name = what the code was called then; the last one holds."""
    ALARM = "alarm"
    """Something to see to, of no call: raised or cleared [alarm, raised, text]."""
    PARTY = "party"
    """Somebody joined or left the conversation [party, action, channel]."""
    TALK_ENDED = "talk-ended"
    """The conversation with the human ended, the caller still there [seat, agent, talk_ms]."""
    RATING_ASKED = "rating-asked"
    RATED = "rated"
    """[key, level] level 1 to 5, or 0 for none or an invalid key."""
    CALLBACK = "callback"
    """A callback was promised, or went on to another state: all that is known of it
    [state, attempt, caller, line, group, overflow, priority, since_ms, promised_at, attempts, not_before, why, agent];
    callbacks/serialisation.py writes and reads it."""
    MESSAGE = "message"
    """A message was left, or closed: all that is known of it (callbacks/voicemail_rules.py)
    [state, caller, line, group, seconds, taken_at, due_at, closed_at, closed_by, note]."""
    ORDER = "order"
    """An urgent order was raised in the call, or went on: all that is known of it (orders/serialisation.py)
    [what, state, number, type, type_name, place, summary, caller, by, steps, ringing, acknowledged_by, tell, …]."""
    OUTBOUND = "outbound"
    """An agent's call (外呼) was asked for, refused or went on to another state: all that is known of it
    [state, agent, seat, caller, caller_told, group, reason, about, way, by, trunk, why, asked_at, answered_at,
    closed_at]; outbound/serialisation.py writes and reads it."""
    FALLBACK = "fallback"
    """The dialplan went on alone [why]."""
    OPERATOR_ACTION = "deed"
    """A person acted on an agent, a group or a call [what, by, agent, seat, reason, …]; about :data:`NO_CALL` unless
    it concerns one call. Who changed what, and why."""
    AGENT_STATE = "agent-state"
    """An agent's state changed otherwise than in the course of a call [seat, agent, old, new, why, text], text = the
    same in Chinese; about :data:`NO_CALL`. What a person asked for is in the deed beside it."""
    ENDED = "ended"
    """The caller's channel is gone [cause, by, talk_ms, answered]."""
    AGENT_TIME = "agent-time"
    """What an agent did in one half-hour [agent, start, groups, state_ms, wrap_ups, wrap_up_ms]; about
    :data:`NO_CALL`."""


NO_CALL: Final = CallId("-")
"""What a fact is about that concerns no call in particular."""


TRIAL: Final = "trial"
"""The mode of a test call (试打) that an admin places from the set-up page: a call in everything but the measures."""


OUTBOUND_MODE: Final = "outbound"
"""The mode of a call that an agent has made (外呼)."""


def drill_line(node: str) -> CallId:
    """The line in the ledger on which all drills of a node stand."""
    return CallId(f"{node}-0000000000.1")


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened. ``id`` is its key everywhere, so replaying is harmless.

    Live facts carry a ULID; facts rebuilt from the switch's CEL carry an id derived from the
    event itself, so that filling in twice adds nothing.
    """

    id: str
    kind: Kind
    call: CallId
    at: datetime
    """Aware, UTC."""
    data: Mapping[str, Any] = field(default_factory=dict)
    source: str = "engine"
    """engine or cel."""
