"""Ways out of the line: the last resorts of a group, taken one by one by the callers for whom they came due.

One job: from the ACD's word that a row is due to the way that this caller can take now. The caller takes it with its
next question and keeps its place meanwhile; no way twice, and none back to where the call came from.
"""

from __future__ import annotations

from calls.model import LiveCall
from calls.registry import Calls
from calls.switch.channel_names import CHANNEL
from ivr.model import Question
from ivr.ports import ResortTarget
from ledger.model import Kind
from queues.effects import Effect, LastResort
from queues.model import TicketPhase
from queues.service import QueueService
from routing.numbers import citizen
from telephony.model import CallId, OverflowTo, duty_phones, duty_phones_text


class LastResorts:
    """Of one node."""

    def __init__(self, queues: QueueService, calls: Calls) -> None:
        self._queues = queues
        self._calls = calls
        queues.listeners.append(self._hear)

    def came_from(self, held: LiveCall, kind: OverflowTo, target: str) -> None:
        """The call has been there already."""
        held.tried_resorts.add((kind, target))

    def is_due(self, call: CallId) -> bool:
        """A way is open to this caller."""
        held = self._calls.live.get(call)
        return held is not None and bool(held.due_resorts)

    def take(self, question: Question) -> ResortTarget | None:
        """The next way for this caller, who waits; told once and written down."""
        held = self._calls.live.get(question.call)
        ticket = self._queues.acd.tickets.get(question.call)
        if held is None or ticket is None or ticket.phase is not TicketPhase.WAITING:
            return None
        while held.due_resorts:
            due = held.due_resorts.pop(0)
            target = _without_caller(due, question, held.table.area_code if held.table is not None else "")
            if (due.kind, due.target) in held.tried_resorts or target is None:
                continue
            held.tried_resorts.add((due.kind, due.target))
            told = {"to": due.kind, "target": target, "group": due.group, "when": due.when, "waited_ms": due.waited_ms}
            self._calls.record_fact(Kind.LAST_RESORT, question.call, **told)
            return ResortTarget(due.kind, target)
        return None

    def _hear(self, effect: Effect) -> None:
        if isinstance(effect, LastResort) and effect.channel and effect.call in self._calls.live:
            self._calls.live[effect.call].due_resorts.append(effect)


def _without_caller(due: LastResort, question: Question, area_code: str) -> str | None:
    """The target without the one who calls; None when nobody else is there."""
    if due.kind is OverflowTo.SUBCENTRE:
        trunk = CHANNEL.match(question.channel)
        return None if trunk is not None and trunk[1] == due.target else due.target
    if due.kind is OverflowTo.DUTY_PHONE:
        caller = citizen(question.caller, area_code)
        steps = [
            [number for number in step if citizen(number, area_code) != caller] for step in duty_phones(due.target)
        ]
        return duty_phones_text(step for step in steps if step) or None
    return due.target
