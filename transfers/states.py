"""The states of a one-key transfer, as a table.

Theory of operation. The agent presses the key: *asked*. Caller and agent move into a conference of their own and each
trunk of the centre is dialled in turn: *dialling*, once per trunk. The first that answers joins them: *answered*. When
none does: *failed*, and the two go on talking as before. When the centre leaves again, or the call is over: *ended*.
News may be lost with the manager link, so a later state may be entered from any earlier one; never an earlier one.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class TransferState(StrEnum):
    ASKED = "asked"
    DIALLING = "dialling"
    ANSWERED = "answered"
    FAILED = "failed"
    ENDED = "ended"


_S = TransferState

MOVES: Final[Mapping[TransferState, frozenset[TransferState]]] = {
    _S.ASKED: frozenset({_S.DIALLING, _S.ANSWERED, _S.FAILED, _S.ENDED}),
    _S.DIALLING: frozenset({_S.DIALLING, _S.ANSWERED, _S.FAILED, _S.ENDED}),
    _S.ANSWERED: frozenset({_S.ENDED}),
    _S.FAILED: frozenset({_S.ENDED}),
    _S.ENDED: frozenset(),
}


def may_follow(old: TransferState, new: TransferState) -> bool:
    """Whether ``new`` is news after ``old``."""
    return new in MOVES[old]


def diagram() -> str:
    """The table as a mermaid state diagram, for docs/."""
    lines = ["stateDiagram-v2", "    [*] --> asked"]
    lines += [f"    {old} --> {new}" for old, news in MOVES.items() for new in sorted(news)]
    return "\n".join([*lines, "    ended --> [*]", ""])
