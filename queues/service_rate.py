"""The pace of each group, from the talks that ended lately.

One job: listen to the ACD's effects and remember how long services took. It decides nothing and looks at no clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from queues.acd import Acd
from queues.effects import Effect, TalkOver
from queues.expected_wait import ExpectedWait, Pace, expected_wait
from telephony.model import CallId, GroupId

REMEMBERED: Final = 50
"""Services of a group that its mean stands on: the last hour or so of a group of ten."""


class ServiceRateTracker:
    """Remembers services; ``acd`` gives the ACD's memory of this moment."""

    def __init__(self, acd: Callable[[], Acd]) -> None:
        self._acd = acd
        self._services: dict[GroupId, deque[int]] = {}

    def on_effect(self, effect: Effect) -> None:
        """One effect of the ACD; only the end of a talk matters."""
        if isinstance(effect, TalkOver):
            wrap_up_ms = self._acd().policy.of(effect.group).wrap_up_seconds * 1000
            kept = self._services.setdefault(effect.group, deque(maxlen=REMEMBERED))
            kept.append(effect.talk_ms + wrap_up_ms)

    def pace(self, group: GroupId) -> Pace:
        """How fast this group serves now."""
        kept = self._services.get(group, ())
        mean = sum(kept) / len(kept) / 1000 if kept else 0.0
        return Pace(len(kept), mean, self._acd().working[group])

    def expected(self, call: CallId) -> ExpectedWait | None:
        """How long this call will probably wait from now on; None when it does not wait or nobody can say."""
        acd = self._acd()
        position = acd.position(call)
        return None if position is None else expected_wait(position, self.pace(acd.tickets[call].group))
