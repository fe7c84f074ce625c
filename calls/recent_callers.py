"""Who called lately: repeat callers, callers whose talk broke off, and centres that call us.

One job: from a caller's number and trunk to a class of priority and the agent of the last talk. Memory is bounded, by
number and by time, and is no record: after a restart it is read from the ledger.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from ivr.ports import CallerPriority
from ledger.records import CallRecord
from routing.model import CallerList, Snapshot
from telephony.model import AgentId, Priority

MOST_CALLERS: Final = 20_000
"""Of these the least recent are forgotten: more calls than a city takes in an hour."""

ENDED_WELL: Final = frozenset({"16", "17", "21", ""})
"""Hang-up causes (Q.850) of a caller who ended the call: normal clearing, user busy, call rejected, none told."""


@dataclass(frozen=True, slots=True)
class _Last:
    ended_ms: int
    agent: AgentId | None
    dropped: bool


class RecentCallers:
    """The last call of each number."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, _Last] = OrderedDict()

    def ended(self, caller: str, ended_ms: int, agent: AgentId | None, *, dropped: bool) -> None:
        """A call of this number is over; an agent who was there before is kept when nobody answered this one."""
        if not caller:
            return
        known = self._last.pop(caller, None)
        if known is not None and known.ended_ms > ended_ms:
            self._last[caller] = known
            return
        self._last[caller] = _Last(ended_ms, agent or (known.agent if known is not None else None), dropped)
        while len(self._last) > MOST_CALLERS:
            self._last.popitem(last=False)

    def recall(self, records: Iterable[CallRecord]) -> None:
        """Learn from the ledger what a process before us knew."""
        for record in sorted(records, key=lambda record: record.ended_at or record.entered_at):
            if record.ended_at is not None:
                dropped = record.answered_at is not None and _broke_off(record.end_cause, record.ended_by)
                ended_ms = int(record.ended_at.timestamp() * 1000)
                self.ended(record.caller, ended_ms, AgentId(record.agent) if record.agent else None, dropped=dropped)

    def standing(
        self, caller: str, trunk: str, snapshot: Snapshot, now_ms: int, listed: CallerList | None = None
    ) -> CallerPriority:
        """The class of a caller who rings now, through this trunk and on this list, and the agent to wait for."""
        row = snapshot.trunks.get(trunk)
        if row is not None and row.role.startswith("emergency"):
            return CallerPriority(Priority.CENTRE)
        if listed is CallerList.NUISANCE:
            return CallerPriority(Priority.NUISANCE)
        known = self._known(caller, snapshot, now_ms)
        return replace(known, priority=max(known.priority, Priority.LISTED)) if listed is CallerList.PRIORITY else known

    def _known(self, caller: str, snapshot: Snapshot, now_ms: int) -> CallerPriority:
        last = self._last.get(caller) if caller else None
        if last is None or now_ms - last.ended_ms >= snapshot.repeat_minutes * 60_000:
            return CallerPriority()
        return CallerPriority(Priority.DROPPED if last.dropped else Priority.REPEAT, last.agent)


def is_dropped_call(talking: bool, cause: str) -> bool:
    """Whether a caller's channel that is gone with this cause was cut off in a talk."""
    return talking and cause not in ENDED_WELL


def _broke_off(cause: str, by: str) -> bool:
    return is_dropped_call(by == "caller", cause)
