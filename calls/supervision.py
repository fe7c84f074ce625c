"""What supervisors (班长) do to the talks and the states of others: listen, whisper, barge in, take over, force, move.

One job: who may, which channel, and the commands. Each deed is kept with who did it and why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog

from calls.closed_groups import ClosedGroups
from calls.registry import Calls
from calls.switch.redirect import redirect_to_seat
from ivr.ports import SupervisorAction
from ledger.model import NO_CALL, Kind
from queues.acd import Seat
from queues.events import Event, Forced, MoveCall, Paused, Ready, SignedOut
from queues.model import NotAllowed, TicketPhase
from queues.service import QueueService
from queues.states import AgentState
from routing.model import Snapshot
from telephony.ami_link import AmiLink
from telephony.errors import AmiError, AmiRefused
from telephony.model import AgentId, CallId, GroupId, SeatId, Var
from telephony.ring import PhoneCall, ring_phone

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

SPY: Final = "spy"
"""The dialplan's context in which a supervisor's phone joins a talk."""

GOES_OVER_SECONDS: Final = 0.3
"""From the redirect of a phone that listens to the look at whether it has come there."""

RING_SECONDS: Final = 20
"""A supervisor's phone rings this long: to listen, or for a caller who is taken over."""


class Supervision:
    """Of one node."""

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        queues: QueueService,
        calls: Calls,
        switch: AmiLink,
        closures: ClosedGroups | None = None,
    ) -> None:
        self.closures = closures or ClosedGroups()
        self._snapshot = snapshot
        self._queues = queues
        self._calls = calls
        self._switch = switch
        self._work: set[asyncio.Task[None]] = set()

    def supervisor_at(self, seat: SeatId) -> AgentId | None:
        """The supervisor who is signed in there; None when nobody is, or somebody who is none."""
        known = self._queues.acd.seats.get(seat)
        row = self._snapshot().agents.get(known.agent) if known is not None and known.agent is not None else None
        return AgentId(row.id) if row is not None and row.supervisor else None

    def talk_of(self, agent: AgentId) -> Seat:
        """The seat at which this agent talks. Raises NotAllowed."""
        seat_id = self._queues.acd.seat_of.get(agent)
        seat = self._queues.acd.seats.get(seat_id) if seat_id is not None else None
        if seat is None or seat.call is None or not self._queues.is_talking(seat.call):
            raise NotAllowed(f"工号 {agent} 现在没有通话")
        return seat

    def join(self, by: AgentId, action: SupervisorAction, agent: AgentId, reason: str) -> SeatId:
        """Somebody at a supervisor's phone is about to join this agent's talk: note it. Raises NotAllowed."""
        seat = self._joinable(by, agent)
        self._note(action, by, seat, reason)
        return seat.id

    def _joinable(self, by: AgentId, agent: AgentId) -> Seat:
        seat = self.talk_of(agent)
        if self._queues.acd.seat_of.get(by) == seat.id:
            raise NotAllowed("不能监听自己的通话")
        if seat.site:
            raise NotAllowed(f"席位 {seat.id} 在分中心，不能监听、密语、强插；可以接管（take-over）")
        return seat

    def call_to_join(self, by: AgentId, action: SupervisorAction, agent: AgentId, reason: str) -> SeatId:
        """Call the supervisor's own phone, which joins the talk when it answers. Raises NotAllowed."""
        there = self._seat_of_supervisor(by)
        seat = self._joinable(by, agent)
        if self._queues.acd.seats[there].call is not None:
            raise NotAllowed("您自己正在处理来电，结束后才能监听、密语、强插")
        self._start(self._join(there, action, by, seat, seat.call, reason))
        return there

    def take_over(self, by: AgentId, agent: AgentId, reason: str) -> SeatId:
        """Bring the agent's caller to the supervisor's phone. Who is not answered waits on, at its age."""
        there = self._seat_of_supervisor(by)
        seat = self.talk_of(agent)
        assert seat.call is not None, "talk_of says so"
        busy = self._queues.acd.seats[there]
        if there == seat.id or busy.call is not None:
            raise NotAllowed("您自己正在处理来电，结束后才能接管")
        held = self._calls.live.get(seat.call)
        if held is None:
            raise NotAllowed("这个通话刚刚结束")
        held.takeover_seat = there
        self._note(SupervisorAction.TAKE_OVER, by, seat, reason)
        self._start(self._bring(seat.call, held.channel, there))
        return there

    def force(self, agent: AgentId, to: AgentState, pause: str, by: str, reason: str) -> None:
        """At once; but a talk that is really going on is left to end first. Raises NotAllowed."""
        seat_id = self._queues.acd.seat_of.get(agent)
        if seat_id is None:
            raise NotAllowed(f"工号 {agent} 没有签入")
        seat = self._queues.acd.seats[seat_id]
        event: Event = Forced(seat_id, to, pause)
        if seat.call is not None and seat.in_use:
            gentle: dict[AgentState, Event] = {
                AgentState.READY: Ready(seat_id),
                AgentState.PAUSED: Paused(seat_id, pause),
                AgentState.SIGNED_OUT: SignedOut(seat_id),
            }
            event = gentle[to]
        self._queues.apply(event)
        what = {AgentState.READY: "force-ready", AgentState.PAUSED: "force-pause"}.get(to, "force-sign-out")
        self._deed(what, by, NO_CALL, agent=agent, seat=seat_id, reason=reason, to=pause)

    def move(self, group: GroupId, to: GroupId, by: str, reason: str, call: CallId | None = None) -> int:
        """Move who waits for one group, or one of them, to another. How many. Raises NotAllowed for an unknown one."""
        for name in (group, to):
            self._known(name)
        waiting = [
            ticket.call
            for ticket in sorted(self._queues.acd.tickets.values(), key=lambda ticket: ticket.rank)
            if ticket.group == group and ticket.phase is TicketPhase.WAITING and call in (None, ticket.call)
        ]
        for one in waiting:
            self._queues.apply(MoveCall(one, to))
            self._deed("move", by, one, group=group, to=to, reason=reason)
        return len(waiting)

    async def close_group(self, group: GroupId, by: str, reason: str, *, move: bool) -> int:
        """No new callers for this group; ``move``: who waits goes to the default group, too. How many were moved.

        Raises NotAllowed.
        """
        self._known(group)
        default = self._snapshot().default_group
        if group == default:
            raise NotAllowed(f"{default} 是 12345 受理组，关闭后来电无处可去，不能关闭；可以关闭别的技能组")
        if group in self.closures.closed:
            raise NotAllowed(f"技能组 {group} 已经关闭")
        try:
            await self.closures.close(group, f"{by}：{reason}")
        except OSError as error:
            raise NotAllowed(f"未能记到磁盘，技能组没有关闭：{error.strerror}；请检查磁盘后重试") from None
        self._deed("close-group", by, NO_CALL, group=group, reason=reason)
        return self.move(group, default, by, reason) if move else 0

    async def open_group(self, group: GroupId, by: str, reason: str) -> None:
        """New callers again. Raises NotAllowed."""
        if group not in self.closures.closed:
            raise NotAllowed(f"技能组 {group} 没有关闭")
        try:
            await self.closures.open(group)
        except OSError as error:
            raise NotAllowed(f"未能记到磁盘，技能组仍然关闭：{error.strerror}；请检查磁盘后重试") from None
        self._deed("open-group", by, NO_CALL, group=group, reason=reason)

    def _known(self, group: GroupId) -> None:
        if group not in self._snapshot().groups:
            raise NotAllowed(f"没有技能组 {group}；现有 {'、'.join(self._snapshot().groups)}")

    async def stop(self) -> None:
        """Let go of what is under way."""
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    def _seat_of_supervisor(self, by: AgentId) -> SeatId:
        row = self._snapshot().agents.get(by)
        if row is None or not row.supervisor:
            raise NotAllowed(f"工号 {by} 不是班长；班长在路由表的座席人员里设定（supervisor）")
        seat = self._queues.acd.seat_of.get(by)
        if seat is None:
            raise NotAllowed(f"班长 {by} 没有签入，请先在话机上签入")
        return seat

    async def _join(
        self, there: SeatId, action: SupervisorAction, by: AgentId, seat: Seat, call: CallId | None, reason: str
    ) -> None:
        """Told in the call's story once it is so: a phone that nobody took has joined nothing."""
        told = {"agent": seat.agent or "", "seat": seat.id, "reason": reason}
        try:
            joined = self._queues.acd.seats[there].in_use and await self._goes_over(there, action, seat.id)
            if not joined:
                spy: dict[str, str] = {Var.SPY: seat.id}
                outcome = await ring_phone(
                    self._switch, there, PhoneCall(action), ring_seconds=RING_SECONDS, variables=spy
                )
                joined = outcome.answered
        except AmiError as error:
            log.warning("supervisor's phone not called", seat=there, error=str(error))
            return
        if joined and call is not None:
            self._deed(action, f"班长{by}", call, **told)
        else:
            log.info("supervisor's phone not taken", seat=there, what=action)

    async def _goes_over(self, there: SeatId, action: SupervisorAction, seat: SeatId) -> bool:
        """Who listens in already changes the way of listening on the same call. False when nobody does, or when that
        call was just ending. Raises AmiError."""
        listening = await self._listening(there)
        if listening is None:
            return False
        try:
            await self._switch.send("Setvar", {"Channel": listening, "Variable": Var.SPY, "Value": seat})
            where = {"Context": SPY, "Exten": str(action), "Priority": "1"}
            await self._switch.send("Redirect", {"Channel": listening, **where})
        except AmiRefused:
            return False
        await asyncio.sleep(GOES_OVER_SECONDS)
        return await self._listening(there, action) == listening

    async def _listening(self, there: SeatId, exten: str = "") -> str | None:
        """The channel of this phone that listens in, in this way or in any."""
        shown = await self._switch.collect("Status", until="StatusComplete")
        here = [event for event in shown if (event.get("Channel") or "").startswith(f"PJSIP/{there}-")]
        spies = (event for event in here if event.get("Context") == SPY and exten in ("", event.get("Exten")))
        return next((event.get("Channel") for event in spies), None)

    async def _bring(self, call: CallId, channel: str, there: SeatId) -> None:
        try:
            await redirect_to_seat(self._switch, channel, there, RING_SECONDS)
        except AmiError as error:
            log.warning("call not taken over", call=call, seat=there, error=str(error))
            if (held := self._calls.live.get(call)) is not None:
                held.takeover_seat = None

    def _note(self, action: SupervisorAction, by: AgentId, seat: Seat, reason: str) -> None:
        assert seat.call is not None, "only a talk is joined"
        terminal = self._queues.acd.seat_of.get(by, "")
        self._deed(
            action, f"班长{by}", seat.call, agent=seat.agent or "", seat=seat.id, reason=reason, terminal=terminal
        )

    def _deed(self, what: str, by: str, call: CallId, **data: str) -> None:
        told = {key: value for key, value in data.items() if value}
        self._calls.record_fact(Kind.OPERATOR_ACTION, call, what=what, by=by, **told)
        log.info("supervised", what=what, by=by, **told)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
