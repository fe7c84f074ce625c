"""Agents' calls (外呼) against the world: asked for, allowed or refused, written down, dialled.

One job: run outbound/rules.py. Whoever asks, the agent's phone is up before anybody outside is dialled: it has dialled
the prefix itself, or it was rung first. It then waits in the switch (context ``call-out-agent`` of the dialplan), and
the citizen's channel, once answered, takes it out of there by itself: from then on the call is one like any other, and
needs no engine.

Every step is a fact on the disk before the switch is asked for what cannot be taken back. A call that was dialled when
the engine died is never dialled again: its channel is there, or it is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final, Protocol

import structlog

from ledger.journal import JournalStalled
from ledger.model import Kind
from outbound import rules
from outbound.history import KEPT, MOST, History
from outbound.labels_zh import REFUSALS
from outbound.model import OutboundCall, Refusal, State, Terms, Trunk, Way
from outbound.serialisation import data_of
from queues.events import CalledOut, SeatBusyElsewhere, SeatFree
from queues.service import Clock, Note, QueueService
from queues.states import AgentState
from telephony.ami_link import AmiLink
from telephony.errors import AmiError
from telephony.hangup_causes import Unanswered, by_cause, by_reason
from telephony.model import (
    AGENT_CALL_SERIALS,
    HOTLINE_NUMBER,
    AgentId,
    CallId,
    GroupId,
    NodeId,
    Party,
    SeatId,
    Stage,
    Var,
)
from telephony.ring import NumberCall, PhoneCall, ring_out, ring_phone

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

DURABLE_SECONDS: Final = 1.5
"""How long a step may take to reach the disk; the dialplan waits for 3 s at most."""

ANSWER_SECONDS: Final = 0.05
"""How long the answer to the agent's phone is given before the citizen is dialled: one that does not arrive dials
nobody."""

HANG_UP_SECONDS: Final = 0.3
"""How long the hang-up of a call may come after its outcome."""

CONNECT_SECONDS: Final = 15
"""How much longer than the citizen's telephone rings an agent's phone waits, for every trunk."""

AGENT_RING_SECONDS: Final = 20
"""How long an agent's own phone rings for a call that was asked for on a page."""

LOOK_SECONDS: Final = 1.0

LEGS_FROM: Final = 500_000_000
"""Of the serials of agents' calls: from here up those of their own phones that are rung first."""

TRUNK_CAUSES: Final = frozenset({"3", "27", "34", "38", "41", "42", "47", "58", "66", "102"})
"""Causes (Q.850) that are a trunk's and not the called party's: the next trunk is tried."""

IDLE: Final = frozenset({AgentState.READY, AgentState.PAUSED, AgentState.WRAP_UP, AgentState.NOT_RESPONDING})
"""States of a seat whose agent may have its phone rung for a call of its own."""

CAP_ALARM: Final = "call-out-cap"
PATTERN_ALARM: Final = "call-out-pattern"
ALARM_HOLD_MS: Final = 3600 * 1000
"""An alarm stands until it has been quiet for so long."""


class NotCalled(Exception):
    """The call is not made; the text says why, in Chinese, and ``refusal`` in a word."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(REFUSALS[refusal])
        self.refusal = refusal


class AlarmSink(Protocol):
    """Where alarms go."""

    def renew(self, key: str, text: str, *, grave: bool = True) -> None: ...

    def clear(self, key: str) -> None: ...


class OutboundCalls:
    """Of one node."""

    def __init__(
        self,
        switch: AmiLink,
        queues: QueueService,
        note: Note,
        flush: Callable[[float], Awaitable[None]],
        terms: Callable[[datetime, str], Terms],
        citizen: Callable[[str], str],
        clock: Clock,
        live: Callable[[], Collection[CallId]],
        dialling: Callable[[OutboundCall], None],
        unreached: Callable[[CallId, str], None],
        alarms: AlarmSink,
        node: NodeId,
    ) -> None:
        """``terms`` are those of an agent at a moment; ``citizen`` gives the one form of a number. ``dialling`` hears
        of each call just before it is dialled, ``unreached`` of one that came to nothing, with the cause (Q.850).
        """
        self.calls: dict[CallId, OutboundCall] = {}
        """Those of the last day, and all that are open."""
        self.history = History()
        self.loaded = False
        self._switch = switch
        self._queues = queues
        self._note = note
        self._flush = flush
        self._terms = terms
        self._citizen = citizen
        self._clock = clock
        self._live = live
        self._dialling = dialling
        self._unreached = unreached
        self._alarms = alarms
        self._node = node
        self._serials = count(AGENT_CALL_SERIALS.start)
        self._leg_serials = count(AGENT_CALL_SERIALS.start + LEGS_FROM)
        self._legs: dict[CallId, CallId] = {}
        """The ringing of an agent's own phone, by its unique id, to its call."""
        self._agents: dict[CallId, CallId] = {}
        """Call to the unique id of the agent's channel that waits for it."""
        self._rung: dict[CallId, CallId] = {}
        """Call to the unique id of the phone's own channel, once the switch has made it."""
        self._causes: dict[CallId, str] = {}
        """Of what rings for us now: the cause of its hang-up, once there was one."""
        self._more: set[CallId] = set()
        """Calls for which there is another trunk when this one does not take them."""
        self._mine: set[CallId] = set()
        """Calls that this process dials and waits for."""
        self._raised: dict[str, int] = {}
        """Alarm to when it was raised last, unix ms."""
        self._seen = self._settled = False
        self._talked: set[CallId] = set()
        """Calls whose talk ended before this process knew what the one before it had begun."""
        self._work: set[asyncio.Task[None]] = set()

    # An agent asks

    async def from_phone(self, seat: SeatId, channel: CallId, told: str) -> OutboundCall:
        """The phone at this seat has dialled the prefix and this number, and waits on this channel. The call, which is
        dialled a moment later. Raises NotCalled."""
        known = self._queues.acd.seats.get(seat)
        agent = (known.agent if known is not None else None) or AgentId("")
        call = self._asked(agent, seat, told, Way.PHONE, f"话机{seat}", "", "", State.DIALLING)
        busy = known is not None and known.call is not None
        call = await self._allowed(call, busy=busy)
        self._agents[call.id] = channel
        self._start(self._dial_soon(call))
        return call

    async def from_page(self, agent: AgentId, told: str, *, by: str, reason: str = "", about: str = "") -> OutboundCall:
        """Ring the agent's own phone, then call this number. The call, whose phone rings now. Raises NotCalled."""
        at = self._queues.acd.seat_of.get(agent)
        known = self._queues.acd.seats.get(at) if at is not None else None
        signed_in = agent if known is not None and not known.site else AgentId("")
        call = self._asked(signed_in, at or SeatId(""), told, Way.API, by, reason, about, State.RINGING)
        busy = known is not None and (known.call is not None or known.state not in IDLE)
        call = await self._allowed(call, busy=busy)
        self._queues.apply(SeatBusyElsewhere(SeatId(call.seat)))  # nobody is offered a call there meanwhile
        self._start(self._ring(call))
        return call

    def _asked(
        self, agent: AgentId, seat: SeatId, told: str, way: Way, by: str, reason: str, about: str, state: State
    ) -> OutboundCall:
        now = self._now()
        return OutboundCall(
            id=CallId(f"{self._node}-{int(now.timestamp())}.{next(self._serials)}"),
            agent=agent,
            seat=seat,
            number=self._citizen(told),
            told=told,
            group=self._terms(now, agent).group,
            reason=reason,
            about=about,
            way=way,
            by=by,
            state=state,
            asked_at=now,
        )

    async def _allowed(self, call: OutboundCall, *, busy: bool) -> OutboundCall:
        """The call, counted and on the disk. Raises NotCalled, which is written down as well."""
        now = call.asked_at
        busy = busy or any(one.open and one.agent == call.agent for one in self.calls.values() if call.agent)
        terms = self._terms(now, call.agent)
        why = rules.refusal(call.number, call.agent, busy=busy, terms=terms, history=self.history, now=now)
        if why is None and not self._switch.up:
            why = Refusal.AWAY
        if why is None:
            self.history.add(now, call.agent, call.number)
            self._set(call)
            if await self._written():
                return call
            self._set(rules.moved(call, State.CANCELLED, self._now(), why=Refusal.AWAY))
            raise NotCalled(Refusal.AWAY)
        self._refuse(call, why)
        raise NotCalled(why)

    def _refuse(self, call: OutboundCall, why: Refusal) -> None:
        self._set(replace(call, state=State.REFUSED, why=str(why), closed_at=self._now()))
        if why in rules.CAPS:
            self._raise(
                CAP_ALARM,
                f"外呼次数到上限：{REFUSALS[why]}（工号 {call.agent}）。若不是正常业务，请停用该工号的外呼等级并查看"
                "外呼记录；若是，请在路由表的“外呼”里调整",
            )
        self._look_for_patterns(call)

    def _look_for_patterns(self, call: OutboundCall) -> None:
        if text := rules.suspicion(call.agent, self.calls.values(), self._now()):
            self._raise(PATTERN_ALARM, f"外呼像是盗打或误拨：{text}。请班长核实；需要时停用该工号的外呼等级")

    def _raise(self, key: str, text: str) -> None:
        self._raised[key] = self._clock()
        self._alarms.renew(key, text, grave=False)

    def _clear_alarms(self) -> None:
        for key in [key for key, at in self._raised.items() if self._clock() - at > ALARM_HOLD_MS]:
            del self._raised[key]
            self._alarms.clear(key)

    def undelivered(self, channel: CallId) -> None:
        """The answer to the phone on this channel did not arrive: nobody is called for it."""
        for call_id, waits in list(self._agents.items()):
            if waits == channel:
                self._cancel(call_id, "undelivered")

    # The switch

    async def run(self) -> None:
        """Judge what an engine before this one had begun, once; ends only by cancellation."""
        while True:
            if self.loaded and self._seen and not self._settled and self._switch.up:
                self._settle()
            self._forget()
            self._clear_alarms()
            await asyncio.sleep(LOOK_SECONDS)

    def seen(self) -> None:
        """The switch has just been asked what is: calls that are not there any more are over."""
        self._seen, self._settled = True, False

    def learn(self, calls: Collection[OutboundCall]) -> None:
        """What is known of calls of before this start."""
        new = [call for call in calls if call.id not in self.calls]
        self.calls.update({call.id: call for call in new})
        self.history.learn((one.asked_at, one.agent, one.number) for one in new if one.state is not State.REFUSED)
        self.loaded = True

    def rings(self, leg: CallId, channel: CallId) -> None:
        """The switch has made the channel of an agent's phone that is to ring."""
        if leg in self._legs:
            self._rung[self._legs[leg]] = channel

    def on_connected(self, call_id: CallId, seat: SeatId, channel: str) -> None:
        """The citizen has answered and is put through to the agent who waits."""
        call = self.calls.get(call_id)
        group = call.group if call is not None else self._terms(self._now(), self._agent_at(seat)).group
        if call is not None and call.state is State.DIALLING:
            self._set(rules.moved(call, State.TALKING, self._now()))
        asked_ms = int(call.asked_at.timestamp() * 1000) if call is not None else self._clock()
        self._queues.apply(CalledOut(call_id, seat, GroupId(group), min(asked_ms, self._clock()), channel))

    def _agent_at(self, seat: SeatId) -> str:
        known = self._queues.acd.seats.get(seat)
        return (known.agent if known is not None else None) or ""

    def agent_gone(self, call_id: CallId, seat: SeatId) -> None:
        """The agent who waited has hung up, or has been left."""
        self._cancel(call_id, "agent-gone")

    def hung_up(self, call_id: CallId, cause: str, *, human: bool) -> bool:
        """A channel is gone, of whomever; ``human``: it was put through to an agent. True when the call goes on all
        the same, through another trunk."""
        if call_id in self._causes:
            self._causes[call_id] = cause
            if not human and call_id in self._more and cause in TRUNK_CAUSES:
                return True
        call = self.calls.get(call_id)
        if human and not self._settled:
            self._talked.add(call_id)
        if call is not None and (call.state is State.TALKING or (call.state is State.DIALLING and human)):
            self._set(rules.moved(call, State.OVER, self._now()))
            self._look_for_patterns(call)
        return False

    async def stop(self) -> None:
        """Let go; a ringing telephone rings on, and the switch connects it by itself."""
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    def _settle(self) -> None:
        up = frozenset(self._live())
        for call in [one for one in self.calls.values() if one.open]:
            if call.id in up or call.id in self._mine:
                continue
            if call.id in self._talked:
                self._set(rules.moved(call, State.OVER, self._now()))
            elif call.state is State.TALKING:
                self._set(rules.moved(call, State.OVER, self._now(), why="unknown"))
            else:
                self._fail(call, "unknown", "")
        self._talked.clear()
        self._settled = True

    def _cancel(self, call_id: CallId, why: str) -> None:
        call = self.calls.get(call_id)
        if call is None or call.state not in (State.RINGING, State.DIALLING):
            return
        self._agents.pop(call_id, None)
        was = call.state
        self._set(rules.moved(call, State.CANCELLED, self._now(), why=why))
        if was is State.DIALLING:
            self._start(self._let_go(call_id))
            self._unreached(call_id, "")

    async def _let_go(self, channel: CallId) -> None:
        try:
            await self._switch.send("Hangup", {"Channel": channel})
        except AmiError as error:
            log.info("citizen's telephone not let go", error=str(error))

    async def _ring(self, call: OutboundCall) -> None:
        """The agent's own phone first."""
        leg = CallId(f"{self._node}-{int(call.asked_at.timestamp())}.{next(self._leg_serials)}")
        self._legs[leg] = call.id
        self._mine.add(call.id)
        try:
            outcome = await ring_phone(
                self._switch,
                SeatId(call.seat),
                PhoneCall.CALL_OUT_AGENT,
                ring_seconds=AGENT_RING_SECONDS,
                caller_id=f'"外呼" <{call.id}>',
                variables=_agent_variables(call, self._wait_seconds()),
                ring_id=leg,
            )
        except AmiError as error:
            log.warning("agent's phone not rung", call=call.id, error=str(error))
            self._end_ringing(call, "unknown")
            return
        finally:
            self._mine.discard(call.id)
            del self._legs[leg]
        now = self.calls.get(call.id)
        if not outcome.answered or now is None or now.state is not State.RINGING:
            self._end_ringing(call, "agent-no-answer")
            return
        self._agents[call.id] = self._rung.pop(call.id, leg)
        call = rules.moved(now, State.DIALLING, self._now())
        self._set(call)
        await self._dial(call)

    def _end_ringing(self, call: OutboundCall, why: str) -> None:
        now = self.calls.get(call.id)
        if now is not None and now.state is State.RINGING:
            self._set(rules.moved(now, State.CANCELLED, self._now(), why=why))
        self._rung.pop(call.id, None)
        self._queues.apply(SeatFree(SeatId(call.seat)))  # whose phone may never have been in use

    async def _dial_soon(self, call: OutboundCall) -> None:
        await asyncio.sleep(ANSWER_SECONDS)
        if self.calls.get(call.id) is call:
            await self._dial(call)

    async def _dial(self, call: OutboundCall) -> None:
        """The agent waits: one trunk after the other, until one of them has taken the call."""
        self._mine.add(call.id)
        cause, why = "", Unanswered.UNREACHABLE
        try:
            self._dialling(call)  # before the disk: an engine that dies now leaves a whole call behind
            if not await self._written():
                self._fail(call, Refusal.AWAY, "")
                return
            terms, answered = self._terms(self._now(), call.agent), False
            for left, trunk in zip(range(len(terms.trunks) - 1, -1, -1), terms.trunks, strict=True):
                if left:
                    self._more.add(call.id)
                else:
                    self._more.discard(call.id)
                answered, cause, why = await self._through(call, trunk, terms.ring_seconds)
                if answered or not self._waits(call) or (cause and cause not in TRUNK_CAUSES):
                    break
            if not answered and self._waits(call):
                self._fail(self.calls[call.id], why, cause)
        finally:
            self._mine.discard(call.id)
            self._more.discard(call.id)
            self._causes.pop(call.id, None)

    async def _through(self, call: OutboundCall, trunk: Trunk, ring_seconds: int) -> tuple[bool, str, Unanswered]:
        """Dial through one trunk: whether it was answered, the cause of the hang-up, and why not."""
        now = self.calls[call.id]
        self.calls[call.id] = replace(now, trunk=trunk.id)
        self._causes[call.id] = ""
        try:
            outcome = await ring_out(
                self._switch,
                call.number,
                trunk.id,
                NumberCall.CALL_OUT,
                address=trunk.address,
                context="call-out",
                exten=call.seat,
                ring_seconds=ring_seconds,
                caller_id=HOTLINE_NUMBER,
                variables=_citizen_variables(call, self._agents.get(call.id, CallId(""))),
                channel_id=call.id,
            )
        except AmiError as error:
            log.warning("agent's call not dialled", call=call.id, trunk=trunk.id, error=str(error))
            return False, "", Unanswered.UNREACHABLE
        if outcome.answered:
            return True, "", Unanswered.NO_ANSWER
        # The hang-up knows the cause better, and comes with the outcome; without a channel there is none.
        await asyncio.sleep(HANG_UP_SECONDS)
        cause = self._causes[call.id]
        return False, cause, by_cause(cause) if cause else by_reason(outcome.reason)

    def _waits(self, call: OutboundCall) -> bool:
        now = self.calls.get(call.id)
        return now is not None and now.state is State.DIALLING

    def _fail(self, call: OutboundCall, why: str, cause: str) -> None:
        """Nobody answered: the agent hears why, and the call is over."""
        dialled = call.state is State.DIALLING
        self._set(rules.moved(call, State.UNREACHED, self._now(), why=str(why)))
        if dialled:
            self._unreached(call.id, cause)
        waits = self._agents.pop(call.id, None)
        if waits is not None and why in set(Unanswered):
            self._start(self._say(waits, str(why)))

    async def _say(self, channel: CallId, why: str) -> None:
        there = {"Channel": channel, "Context": "call-out-agent", "Exten": why, "Priority": "1"}
        try:
            await self._switch.send("Redirect", there)
        except AmiError as error:  # the dialplan ends by itself, and says that it did not work
            log.info("agent not told why", error=str(error))

    async def _written(self) -> bool:
        try:
            await self._flush(DURABLE_SECONDS)
        except JournalStalled:
            return False
        return True

    def _wait_seconds(self) -> int:
        terms = self._terms(self._now(), "")
        return (terms.ring_seconds + CONNECT_SECONDS) * max(1, len(terms.trunks))

    def waiting(self, call: OutboundCall) -> dict[str, str]:
        """The variables of the channel of an agent who has dialled the number itself."""
        variables = _agent_variables(call, self._wait_seconds())
        del variables[Var.PROMPTS]  # spoken by the answer itself
        return {Var.CALL_OUT: call.id, **variables}

    def _set(self, call: OutboundCall) -> None:
        self.calls[call.id] = call
        self._note(Kind.OUTBOUND, call.id, **data_of(call))

    def _forget(self) -> None:
        since = self._now() - KEPT - timedelta(minutes=1)
        closed = [call for call in self.calls.values() if not call.open]
        surplus = max(0, len(closed) - MOST)  # refusals, too, are bounded; the oldest come first
        for place, call in enumerate(closed):
            if place < surplus or call.asked_at < since:
                del self.calls[call.id]

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock() / 1000, UTC)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)


def _agent_variables(call: OutboundCall, wait_seconds: int) -> dict[str, str]:
    """The agent's channel: whose call it has, as in any call."""
    return {
        Var.CALL: call.id,
        Var.CHANNEL: call.id,  # of the citizen's channel only the unique id is known yet, which will do
        Var.CALLER: call.number,
        Var.PARTY: Party.AGENT,
        Var.SEAT: call.seat,
        Var.PROMPTS: "call-out-agent",
        Var.WAIT_SECONDS: str(wait_seconds),
    }


def _citizen_variables(call: OutboundCall, agent_channel: CallId) -> dict[str, str]:
    """The citizen's channel: it carries the state of the call as if the citizen had called."""
    return {
        Var.CALL: call.id,
        Var.PARTY: Party.CALLER,
        Var.STAGE: Stage.RING,
        Var.NUMBER: HOTLINE_NUMBER,
        Var.CALLER: call.number,
        Var.SINCE: str(int(call.asked_at.timestamp() * 1000)),
        Var.GROUP: call.group,
        Var.FETCH: agent_channel,
    }
