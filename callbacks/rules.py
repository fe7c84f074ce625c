"""What may be promised, and how a callback goes on. Pure: time is an argument.

::

    waiting   an agent is reserved            dialling; or ringing, where the agent's phone rings first (先呼座席)
    ringing   the agent answers               dialling
    ringing   the agent does not, or goes     waiting, at its place, and nothing counts
    dialling  the citizen does not answer     waiting, later; or unreached after the last attempt
    dialling  the agent went before we dialled  waiting, and the attempt does not count
    dialling  the citizen answers             reached
    reached   an agent answers                kept
    reached   the citizen hangs up            left
    any open  served otherwise, or cancelled  withdrawn

Exactly one conversation comes of a promise: an attempt is written down before the switch is asked to dial, nobody is
dialled in any state but ``waiting`` and ``ringing``, and no state leads back to them once the citizen has answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from callbacks.model import Callback, CallbackState, CallFailure

MAX_ATTEMPTS: Final = 9
"""The last digit of an attempt's call id."""

AGENT: Final = "agent-"
"""What stands before the reason when it was the agent who could not, and not the citizen."""

MOVES: Final[Mapping[CallbackState, frozenset[CallbackState]]] = {
    CallbackState.WAITING: frozenset({CallbackState.RINGING, CallbackState.DIALLING, CallbackState.CANCELLED}),
    CallbackState.RINGING: frozenset({CallbackState.WAITING, CallbackState.DIALLING, CallbackState.CANCELLED}),
    CallbackState.DIALLING: frozenset(
        {
            CallbackState.WAITING,
            CallbackState.REACHED,
            CallbackState.COMPLETED,
            CallbackState.FAILED,
            CallbackState.CANCELLED,
        }
    ),
    CallbackState.REACHED: frozenset({CallbackState.COMPLETED, CallbackState.ABANDONED, CallbackState.CANCELLED}),
    CallbackState.COMPLETED: frozenset(),
    CallbackState.ABANDONED: frozenset(),
    CallbackState.FAILED: frozenset(),
    CallbackState.CANCELLED: frozenset(),
}


class IllegalMove(ValueError):
    """A callback cannot go from this state to that."""


def agent_rung(callback: Callback, agent: str) -> Callback:
    """The phone of the agent who is reserved rings first. No attempt yet: nobody but us has noticed anything."""
    return _move(callback, CallbackState.RINGING, agent=agent, not_before=None, why="")


def agent_missed(callback: Callback, why: str, not_before: datetime | None = None) -> Callback:
    """That agent did not take it: the promise stands in the line as before. ``why``: a word of
    queues.model.OfferFailure."""
    return _move(callback, CallbackState.WAITING, agent="", why=f"{AGENT}{why}", not_before=not_before)


def dialled(callback: Callback) -> Callback:
    """An attempt begins."""
    return _move(callback, CallbackState.DIALLING, attempts=callback.attempts + 1, not_before=None, agent="", why="")


def not_dialled(callback: Callback, not_before: datetime | None = None) -> Callback:
    """The attempt that was written down was not made: it does not count."""
    return _move(callback, CallbackState.WAITING, attempts=callback.attempts - 1, not_before=not_before)


def failed(callback: Callback, why: CallFailure, now: datetime, *, attempts: int, retry_minutes: int) -> Callback:
    """The citizen was not reached: again after ``retry_minutes``, doubled each time; given up after ``attempts``."""
    if callback.attempts >= min(attempts, MAX_ATTEMPTS):
        return _move(callback, CallbackState.FAILED, why=str(why), closed_at=now)
    pause = timedelta(minutes=retry_minutes * 2 ** (callback.attempts - 1))
    return _move(callback, CallbackState.WAITING, why=str(why), not_before=now + pause)


def reached(callback: Callback) -> Callback:
    """The citizen has answered."""
    return _move(callback, CallbackState.REACHED)


def completed(callback: Callback, now: datetime, agent: str = "", why: str = "") -> Callback:
    """The citizen talks, or has talked, with a human."""
    return _move(callback, CallbackState.COMPLETED, closed_at=now, agent=agent, why=why)


def abandoned(callback: Callback, now: datetime) -> Callback:
    """The citizen answered and hung up before an agent came."""
    return _move(callback, CallbackState.ABANDONED, closed_at=now)


def cancelled(callback: Callback, why: str, now: datetime) -> Callback:
    """Not to be kept any more."""
    return _move(callback, CallbackState.CANCELLED, why=why, closed_at=now)


def reassigned(callback: Callback, group: str) -> Callback:
    """Another group is to call; widening begins anew there, the age stays. Raises IllegalMove while it is called."""
    if callback.state is not CallbackState.WAITING:
        raise IllegalMove(f"{callback.id}: {callback.state} is not handed over")
    return replace(callback, group=group, overflow="")


def due(callback: Callback, now: datetime, *, hours_open: bool) -> bool:
    """Whether it shall stand in the line now."""
    return (
        callback.state is CallbackState.WAITING
        and hours_open
        and (callback.not_before is None or callback.not_before <= now)
    )


def _move(callback: Callback, to: CallbackState, **changes: object) -> Callback:
    if to not in MOVES[callback.state]:
        raise IllegalMove(f"{callback.id}: {callback.state} -> {to}")
    return replace(callback, state=to, **changes)  # type: ignore[arg-type]
