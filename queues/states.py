"""The states of a seat, and which may follow which, as one table.

One job: say what may follow what. It knows no calls, no groups and no clock.

Theory of operation. A seat that is signed in rests in the first of these that holds: *unreachable* (its phone has no
contact), *paused* (the agent asked for it), *busy* (its phone is in use outside the ACD), *ready*. Work takes it out of
its rest: reserved, ringing, talking, wrap-up; and after work, or after not-responding, it rests again. Only a ready
seat is ever reserved, which is why no seat gets two calls. What an agent asks for during a call (pause, sign-out) is
kept aside and becomes the next rest. Hold is a part of the talk: whatever ends the one ends the other.

The switch is the truth: whatever we believed, a seat that Asterisk says is talking is talking. That is the one way into
work that does not begin with a reservation.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class AgentState(StrEnum):
    """What the agent at a seat is doing (座席状态)."""

    SIGNED_OUT = "signed-out"
    READY = "ready"
    RESERVED = "reserved"
    """A call is on its way to this seat."""
    RINGING = "ringing"
    TALKING = "talking"
    HOLD = "hold"
    """In a talk, the caller hears music (保持)."""
    WRAP_UP = "wrap-up"
    PAUSED = "paused"
    NOT_RESPONDING = "not-responding"
    """Was offered a call and did not take it: not offered another until ready again."""
    UNREACHABLE = "unreachable"
    """The phone has no contact."""
    BUSY = "busy"
    """The phone is in use outside the ACD."""


OFFERED: Final = frozenset({AgentState.RESERVED, AgentState.RINGING})
IN_TALK: Final = frozenset({AgentState.TALKING, AgentState.HOLD})
WORKING: Final = OFFERED | IN_TALK | {AgentState.READY, AgentState.WRAP_UP}
"""Takes calls, or has one: from the agents of a group in these states its expected wait is reckoned."""


class IllegalMove(Exception):
    """A fault in our own rules: a seat was to go where the table has no way to."""

    def __init__(self, old: AgentState, new: AgentState) -> None:
        super().__init__(f"{old} -> {new}")
        self.old = old
        self.new = new


_S = AgentState
_RESTS: Final = {
    _S.READY: "rest",
    _S.PAUSED: "rest: paused",
    _S.BUSY: "rest: phone in use",
    _S.UNREACHABLE: "rest: no contact",
    _S.SIGNED_OUT: "signs out",
}
_TALKS: Final = {_S.TALKING: "the switch says so"}
_OFFER_ENDS: Final = {
    _S.TALKING: "answers",
    _S.NOT_RESPONDING: "does not take the call",
    _S.READY: "offer withdrawn",
    _S.PAUSED: "offer over, pause was asked for",
    _S.BUSY: "offer over, phone in use",
    _S.UNREACHABLE: "offer over, no contact",
    _S.SIGNED_OUT: "offer over, sign-out was asked for",
}

MOVES: Final[Mapping[AgentState, Mapping[AgentState, str]]] = {
    _S.SIGNED_OUT: {
        _S.READY: "signs in",
        _S.PAUSED: "signs in paused",
        _S.BUSY: "signs in, phone in use",
        _S.UNREACHABLE: "signs in, no contact",
        **_TALKS,
    },
    _S.READY: {
        _S.RESERVED: "is offered a call",
        _S.NOT_RESPONDING: "another place of its site does not answer",
        **_TALKS,
        **{s: w for s, w in _RESTS.items() if s is not _S.READY},
    },
    _S.RESERVED: {_S.RINGING: "phone rings", **_OFFER_ENDS},
    _S.RINGING: _OFFER_ENDS,
    _S.TALKING: {
        _S.HOLD: "puts the caller on hold",
        _S.WRAP_UP: "call over",
        _S.NOT_RESPONDING: "hangs up at once",
        **_RESTS,
    },
    _S.HOLD: {
        _S.TALKING: "back with the caller",
        _S.WRAP_UP: "call over",
        _S.NOT_RESPONDING: "hangs up at once",
        **_RESTS,
    },
    _S.WRAP_UP: {**_TALKS, **_RESTS},
    _S.NOT_RESPONDING: {**_TALKS, **_RESTS},
    _S.PAUSED: {**_TALKS, **{s: w for s, w in _RESTS.items() if s is not _S.PAUSED}},
    _S.UNREACHABLE: {**_TALKS, **{s: w for s, w in _RESTS.items() if s is not _S.UNREACHABLE}},
    _S.BUSY: {**_TALKS, **{s: w for s, w in _RESTS.items() if s is not _S.BUSY}},
}
"""state -> state that may follow -> why."""


def check(old: AgentState, new: AgentState) -> None:
    """Raise :class:`IllegalMove` unless the table has this pair."""
    if new not in MOVES[old]:
        raise IllegalMove(old, new)


def diagram() -> str:
    """The table as a Mermaid state diagram, for docs/."""
    lines = ["stateDiagram-v2", f"    [*] --> {_node(AgentState.SIGNED_OUT)}"]
    for old, ways in MOVES.items():
        lines += [f"    {_node(old)} --> {_node(new)}: {why.replace(':', ',')}" for new, why in ways.items()]
    return "\n".join(lines) + "\n"


def _node(state: AgentState) -> str:
    return state.value.replace("-", "_")
