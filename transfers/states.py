"""The states of a transfer to a centre, as a table: of one key (一键转接) and of three parties (三方通话).

Theory of operation. The agent, or somebody for the agent, asks for a centre: *asked*. Caller and agent move
into a conference of their own and the trunks of the centre are dialled: *dialling*, once per trunk. A trunk that
sends sound of its own before its answer is *early-media*; the next one that is dialled is *dialling* again. A centre
that answers joins them: *answered*, and the three talk. The agent may leave, before the answer (*waiting*: the
caller alone hears the centre ring) or after it (*agent-left*: caller and centre talk on). The centre may leave
(*centre-left*: caller and agent talk on). When no trunk answers: *failed*, and the two talk on as before. A
caller with whom nobody is left goes back to the head of the line (*returned*) when no centre was reached, or
when the matter is one of three parties, which 12345 keeps. The call over, or the caller on the way to the
rating: *ended*.

A private consultation (咨询) of a partner is in the same table: the caller hears music, the agent alone hears it ring
(*aside*) and talks with the partner (*consulting*). Then the caller joins (*dialling*, *answered*), the agent leaves
the two to each other, or the partner leaves, and they go on as above.

A caller who asks by a key is in the same table: there is no agent, so it begins in *waiting*.

The dialplan does all of it and tells of it; news may be lost with the manager link, so that what is heard is
taken for true wherever the table has a move for it. Who is left when somebody hangs up is :data:`TALKING` after
the move.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from telephony.model import Party


class Form(StrEnum):
    """Why the centre is called."""

    ONE_KEY = "one-key"
    """A clear case: whoever of agent and centre leaves, the others settle it."""
    THREE_PARTY = "three-party"
    """An unclear one: when the centre leaves and the agent has left, the caller is the hotline's again."""
    ATTENDED = "attended"
    """咨询, of a partner only: the agent talks with it first, the caller hears music."""
    BLIND = "blind"
    """直接转出, to a partner only: the agent is free at once and the caller alone hears it ring."""
    CALLER_KEY = "caller-key"
    """The caller asked, with no agent there."""


class Settlement(StrEnum):
    """How a private consultation ends for the agent: the extensions of ``consult-for``."""

    JOIN = "join"
    """The caller joins the two."""
    BACK = "back"
    """The partner is let go, the caller is back."""
    LEAVE = "leave"
    """The agent leaves, caller and partner are together."""


class TransferState(StrEnum):
    ASKED = "asked"
    DIALLING = "dialling"
    EARLY_MEDIA = "early-media"
    CONSULT_DIALLING = "aside"
    CONSULTING = "consulting"
    WAITING = "waiting"
    ANSWERED = "answered"
    AGENT_LEFT = "agent-left"
    CENTRE_LEFT = "centre-left"
    FAILED = "failed"
    RETURNED = "returned"
    ENDED = "ended"


class Progress(StrEnum):
    """What a trunk that is being dialled has said before its answer: *dialling*, *early-media*, *waiting* only."""

    SILENT = ""
    """Nothing yet."""
    RINGING = "ringing"
    """180: it rings there."""
    EARLY_MEDIA = "early-media"
    """183: it sends sound of its own. Caller and agent hear our ringing tone all the same, so that no announcement of a
    network comes between them."""


class TransferEvent(StrEnum):
    """What can happen to a transfer."""

    DIALS = "dialling"
    """The next trunk is dialled."""
    SOUNDS = "early-media"
    """The trunk sends sound of its own before its answer."""
    ANSWERS = "answered"
    FAILS = "failed"
    """The last trunk was tried."""
    GOES_BACK = "returned"
    """The caller is on the way back to the head of the line."""
    CALLER_JOINS = "caller joins"
    """The caller is back from the music."""
    CALLER_LEAVES = "caller leaves"
    AGENT_LEAVES = "agent leaves"
    CENTRE_LEAVES = "centre leaves"


_S, _N = TransferState, TransferEvent
_CALLED: Final = {_N.ANSWERS: _S.ANSWERED, _N.FAILS: _S.FAILED, _N.CALLER_LEAVES: _S.ENDED}
_DIALLED: Final = {
    **_CALLED, _N.DIALS: _S.DIALLING, _N.SOUNDS: _S.EARLY_MEDIA, _N.AGENT_LEAVES: _S.WAITING,
    _N.CENTRE_LEAVES: _S.FAILED, _N.GOES_BACK: _S.RETURNED,
}  # fmt: skip
_OVER: Final = {_N.CALLER_LEAVES: _S.ENDED, _N.GOES_BACK: _S.RETURNED}

TRANSITIONS: Final[Mapping[TransferState, Mapping[TransferEvent, TransferState]]] = {
    _S.ASKED: _DIALLED,
    _S.DIALLING: _DIALLED,
    _S.EARLY_MEDIA: _DIALLED,
    _S.CONSULT_DIALLING: {
        **_CALLED, _N.ANSWERS: _S.CONSULTING, _N.DIALS: _S.CONSULT_DIALLING, _N.SOUNDS: _S.CONSULT_DIALLING,
        _N.CALLER_JOINS: _S.DIALLING, _N.AGENT_LEAVES: _S.WAITING, _N.CENTRE_LEAVES: _S.FAILED,
        _N.GOES_BACK: _S.RETURNED,
    },
    _S.CONSULTING: {
        **_OVER, _N.CALLER_JOINS: _S.ANSWERED, _N.AGENT_LEAVES: _S.AGENT_LEFT, _N.CENTRE_LEAVES: _S.CENTRE_LEFT,
        _N.DIALS: _S.CONSULT_DIALLING, _N.FAILS: _S.FAILED,
    },
    _S.WAITING: {
        **_CALLED, _N.ANSWERS: _S.AGENT_LEFT, _N.DIALS: _S.WAITING, _N.SOUNDS: _S.WAITING, _N.GOES_BACK: _S.RETURNED,
    },
    # A centre that drops the call at once has not been reached: the next trunk is dialled.
    _S.ANSWERED: {
        **_OVER, _N.AGENT_LEAVES: _S.AGENT_LEFT, _N.CENTRE_LEAVES: _S.CENTRE_LEFT, _N.DIALS: _S.DIALLING,
        _N.FAILS: _S.FAILED,
    },
    _S.AGENT_LEFT: {**_OVER, _N.CENTRE_LEAVES: _S.ENDED, _N.DIALS: _S.WAITING, _N.FAILS: _S.FAILED},
    _S.CENTRE_LEFT: {**_OVER, _N.AGENT_LEAVES: _S.ENDED},
    _S.FAILED: {**_OVER, _N.AGENT_LEAVES: _S.ENDED},
    _S.RETURNED: {_N.CALLER_LEAVES: _S.ENDED},
    # The agent had left while the two were still being told that no centre was reached.
    _S.ENDED: {_N.GOES_BACK: _S.RETURNED},
}  # fmt: skip

_ALL: Final = frozenset(Party)

TALKING: Final[Mapping[TransferState, frozenset[Party]]] = {
    _S.ASKED: _ALL - {Party.CENTRE},
    _S.DIALLING: _ALL - {Party.CENTRE},
    _S.CONSULT_DIALLING: _ALL - {Party.CENTRE},
    _S.CONSULTING: _ALL,
    _S.EARLY_MEDIA: _ALL - {Party.CENTRE},
    _S.WAITING: frozenset({Party.CALLER}),
    _S.ANSWERED: _ALL,
    _S.AGENT_LEFT: _ALL - {Party.AGENT},
    _S.CENTRE_LEFT: _ALL - {Party.CENTRE},
    _S.FAILED: _ALL - {Party.CENTRE},
    _S.RETURNED: frozenset({Party.CALLER}),
    _S.ENDED: frozenset(),
}
"""Who is in the call; once it has ended nobody is, but for a caller who is being asked for a rating."""

LEAVE_EVENTS: Final[Mapping[Party, TransferEvent]] = {
    Party.CALLER: _N.CALLER_LEAVES,
    Party.AGENT: _N.AGENT_LEAVES,
    Party.CENTRE: _N.CENTRE_LEAVES,
}


def next_state(state: TransferState, news: TransferEvent, form: Form = Form.ONE_KEY) -> TransferState | None:
    """The state that follows; None for news that says nothing new."""
    if state is _S.AGENT_LEFT and news is _N.CENTRE_LEAVES and form is Form.THREE_PARTY:
        return _S.RETURNED
    return TRANSITIONS[state].get(news)


def diagram() -> str:
    """The table as a mermaid state diagram, for docs/."""
    lines = ["stateDiagram-v2", "    [*] --> asked"]
    lines += [
        f"    {_word(old)} --> {_word(new)}: {news}"
        for old, moves in TRANSITIONS.items()
        for news, new in moves.items()
    ]
    lines.append("    agent_left --> returned: centre leaves, three parties")
    return "\n".join([*lines, "    ended --> [*]", ""])


def _word(state: TransferState) -> str:
    return state.replace("-", "_")
