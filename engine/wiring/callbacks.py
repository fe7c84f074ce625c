"""Callbacks as this engine makes them: terms from the published table, facts of the calls that come of them.

One job: join callbacks/service.py to the other rooms. What a promise may become is decided there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from callbacks.model import Callback
from callbacks.seat_legs import SeatLegs
from callbacks.service import Callbacks, CallbackSettings
from calls.registry import Calls
from ivr.prompts.catalogue import whisper
from ledger.journal import Journal
from ledger.model import Kind
from queues.effects import Offer
from queues.service import Clock, QueueService
from routing.calendar import is_open
from routing.model import CallbackFirst, Snapshot
from telephony.ami_link import AmiLink
from telephony.model import GroupId, Stage

AGENT_PROMPT: Final = "callback-agent"


def terms(table: Snapshot, now: datetime) -> CallbackSettings | None:
    """What the published table says of callbacks at this moment; None when it has no trunk for them."""
    policy, trunk = table.callback, table.trunks.get(table.callback.trunk)
    if trunk is None:
        return None
    schedule = table.schedules.get(policy.schedule)
    return CallbackSettings(
        endpoint=trunk.id,
        address=f"{trunk.host}:{trunk.port}",
        ring_seconds=policy.ring_seconds,
        attempts=policy.attempts,
        retry_minutes=policy.retry_minutes,
        per_day=policy.per_day,
        hours_open=schedule is None or is_open(schedule, now, table.holidays),
        agent_first=frozenset(
            group.id for group in table.groups.values() if group.callback_first is CallbackFirst.AGENT
        ),
    )


def told(table: Snapshot, callback: Callback) -> str:
    """What an agent whose phone rings first hears: that it is a callback, and which old number was dialled then."""
    group, line = table.groups.get(GroupId(callback.group)), table.numbers.get(callback.line)
    named = (whisper(line.number),) if group is not None and group.whisper and line is not None else ()
    return "&".join((AGENT_PROMPT, *named))


def callbacks(
    snapshot: Callable[[], Snapshot],
    switch: AmiLink,
    queues: QueueService,
    calls: Calls,
    journal: Journal,
    clock: Clock,
    may_dial: Callable[[], bool] = lambda: True,
) -> Callbacks:
    """The callbacks of this node, wired; while ``may_dial`` says no, they wait as outside the hours of callbacks."""

    def settings_now(now: datetime) -> CallbackSettings | None:
        published = terms(snapshot(), now)
        if published is None or may_dial():
            return published
        return replace(published, hours_open=False)

    def dialling(callback: Callback, offer: Offer) -> None:
        calls.get_or_create(callback.call, "", Stage.RING)
        calls.record_fact(
            Kind.ENTERED,
            callback.call,
            number=callback.line,
            caller=callback.number,
            mode="",
            rule="callback",
            reason=f"回拨（来电 {callback.id}）",
            version=snapshot().version,
            group=callback.group,
        )
        calls.record_fact(
            Kind.OFFERED,
            callback.call,
            seat=offer.seat,
            agent=offer.agent,
            group=offer.group,
            waited_ms=offer.waited_ms,
        )

    return Callbacks(
        switch,
        queues,
        calls.record_fact,
        journal.flush,
        settings_now,
        clock,
        calls.live.keys,
        dialling,
        SeatLegs(switch, clock, lambda callback: told(snapshot(), callback)),
    )
