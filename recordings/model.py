"""Recordings: what there should be, what there is, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from telephony.model import CallId


class Status(StrEnum):
    PLANNED = "planned"
    """Arranged; the call goes on and there is no sound yet."""
    RECORDING = "recording"
    KEPT = "kept"
    """The call is over and there is sound."""
    EMPTY = "empty"
    """The call is over and there is a file without sound."""
    MISSING = "missing"
    """The call is over and there is no file."""
    ORPHAN = "orphan"
    """A file of a call that the ledger does not know."""


@dataclass(frozen=True, slots=True)
class Sound:
    """One file as it lies on the disk."""

    bytes: int
    seconds: float
    finished: bool = True
    """Whether its header tells its length; Asterisk writes that last."""


@dataclass(frozen=True, slots=True)
class Found:
    """The files of one recording; None for one that is not there."""

    mixed: Sound | None
    caller: Sound | None
    agent: Sound | None


@dataclass(frozen=True, slots=True)
class Talk:
    """What the ledger says about the conversation that was recorded."""

    ended: bool
    answered: bool
    talk_ms: int | None


@dataclass(frozen=True, slots=True)
class Verdict:
    status: Status
    fault: str
    """What is wrong, in Chinese; empty when all is as it should be."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One call's recording."""

    call: CallId
    file: str
    """Path of the mixed file, relative to the recordings folder."""
    status: Status
    started_at: datetime
    """When it was arranged."""
    ended_at: datetime | None = None
    seconds: float = 0.0
    bytes: int = 0
    sha256: str = ""
    caller_seconds: float = 0.0
    agent_seconds: float = 0.0
    fault: str = ""
    checked_at: datetime | None = None
