"""Agents' calls (外呼) as this engine makes them: terms from the published table, facts of the calls that come of them.

One job: join outbound/service.py to the other rooms. Who may call whom is decided there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from calls.registry import Calls
from ledger.alarms import Alarms
from ledger.journal import Journal
from ledger.model import OUTBOUND_MODE, Kind
from outbound.model import OutboundCall, Terms, Trunk
from outbound.service import OutboundCalls
from queues.service import Clock, QueueService
from routing.calendar import is_open
from routing.model import AgentCallOut, Snapshot
from routing.numbers import citizen
from routing.pstn_trunks import outward
from routing.skills import served
from telephony.ami_link import AmiLink
from telephony.model import HOTLINE_NUMBER, AgentId, CallId, CallOutClass, GroupId, NodeId, SeatId, Stage, made_by_agent

_FURTHEST: Final = tuple(CallOutClass)
"""Each class reaches further than the one before."""


def terms(table: Snapshot, now: datetime, agent: str) -> Terms:
    """What the published table says of calling out at this moment, and of this agent."""
    policy, row = table.call_out, table.agents.get(agent)
    schedule = table.schedules.get(policy.schedule)
    groups = served(row, table.groups.values(), table.skills).groups if row is not None else ()
    return Terms(
        trunks=tuple(Trunk(trunk.id, f"{trunk.host}:{trunk.port}") for trunk in outward(table)),
        ring_seconds=policy.ring_seconds,
        hours_open=schedule is None or is_open(schedule, now, table.holidays),
        agent_per_hour=policy.agent_per_hour,
        number_per_day=policy.number_per_day,
        hotline_per_hour=policy.hotline_per_hour,
        never_called=frozenset(
            number for number, never in table.never_called.items() if never.until is None or now < never.until
        ),
        reach=_reach(table, agent, groups),
        group=groups[0] if groups else table.default_group,
    )


def _reach(table: Snapshot, agent: str, groups: tuple[GroupId, ...]) -> CallOutClass:
    row = table.agents.get(agent)
    if row is None:
        return CallOutClass.NONE
    if row.call_out is not AgentCallOut.GROUPS:
        return CallOutClass(row.call_out)
    given = (table.groups[group].call_out for group in groups if group in table.groups)
    return max(given, key=_FURTHEST.index, default=CallOutClass.NONE)


def outbound(
    snapshot: Callable[[], Snapshot],
    switch: AmiLink,
    queues: QueueService,
    calls: Calls,
    journal: Journal,
    alarms: Alarms,
    node: NodeId,
    clock: Clock,
) -> OutboundCalls:
    """The agents' calls of this node, wired."""

    def dialling(call: OutboundCall) -> None:
        held = calls.get_or_create(call.id, "", Stage.RING)
        held.caller, held.number, held.group = call.number, HOTLINE_NUMBER, call.group
        held.agent = AgentId(call.agent)
        told = {"caller_told": call.told} if call.told != call.number else {}
        about = f"，关于 {call.about}" if call.about else ""
        calls.record_fact(
            Kind.ENTERED,
            call.id,
            number=HOTLINE_NUMBER,
            caller=call.number,
            **told,
            mode=OUTBOUND_MODE,
            rule="outbound",
            reason=f"外呼（工号 {call.agent}{about}）",
            version=snapshot().version,
            group=call.group,
        )
        calls.record_fact(Kind.OFFERED, call.id, seat=call.seat, agent=call.agent, group=call.group, waited_ms=0)

    def unreached(call: CallId, cause: str) -> None:
        calls.remove(call, cause, "system")

    return OutboundCalls(
        switch,
        queues,
        calls.record_fact,
        journal.flush,
        lambda now, agent: terms(snapshot(), now, agent),
        lambda number: citizen(number, snapshot().area_code),
        clock,
        calls.live.keys,
        dialling,
        unreached,
        alarms,
        node,
    )


class RungByUs(Protocol):
    """Who makes calls of the hotline's own, and wants to know what the switch tells of channels."""

    def hung_up(self, call: CallId, cause: str, *, human: bool) -> bool | None: ...

    def on_connected(self, call: CallId, seat: SeatId, channel: str) -> None: ...

    def rings(self, leg: CallId, channel: CallId) -> None: ...

    def agent_gone(self, call: CallId, seat: SeatId) -> None: ...


class OurCalls:
    """Agents' calls and all other calls that we make, as one: each hears of its own."""

    def __init__(self, agents: RungByUs, others: RungByUs) -> None:
        self._agents = agents
        self._others = others

    def hung_up(self, call: CallId, cause: str, *, human: bool) -> bool:
        """A channel is gone; True when its call goes on through another trunk."""
        self._others.hung_up(call, cause, human=human)
        return bool(self._agents.hung_up(call, cause, human=human))

    def on_connected(self, call: CallId, seat: SeatId, channel: str) -> None:
        """A citizen who was called has answered, and talks with the agent who waited."""
        self._of(call).on_connected(call, seat, channel)

    def rings(self, leg: CallId, channel: CallId) -> None:
        """An agent's phone that is rung first has a channel."""
        self._of(leg).rings(leg, channel)

    def agent_gone(self, call: CallId, seat: SeatId) -> None:
        """The agent who waited is gone."""
        self._of(call).agent_gone(call, seat)

    def _of(self, call: CallId) -> RungByUs:
        return self._agents if made_by_agent(call) else self._others
