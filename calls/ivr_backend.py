"""The engine as a conversation sees it (ivr.ports.CallBackend): table, queue and ledger behind one counter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from callbacks.model import Callback, RequestOutcome
from callbacks.service import Callbacks
from callbacks.voicemail import Mailbox
from calls.last_resorts import LastResorts
from calls.model import LiveCall
from calls.playable_prompts import Repertoire
from calls.policy_from_table import sign_in_event
from calls.recent_callers import RecentCallers
from calls.registry import Calls
from calls.supervision import Supervision
from calls.switch.channel_names import CHANNEL
from ivr import queue_announcements
from ivr.model import Question, Script
from ivr.ports import (
    CallerPriority,
    Place,
    Queued,
    ResortTarget,
    SeatAction,
    SeatAssignment,
    SupervisorAction,
    SupervisorJoin,
)
from ivr.prompts.catalogue import information, whisper
from ivr.queue_announcements import KEYS_PROMPT, WaitEstimate
from ledger.model import NO_CALL, TRIAL, Kind
from outbound.labels_zh import prompt_of
from outbound.service import NotCalled, OutboundCalls
from queues.acd import Ticket
from queues.agent_rules import IN_CALL
from queues.events import Event, NotAnswered, Paused, Ready, SignedOut, TalkEnded, TicketJoined, WrapUpExtended
from queues.model import NotAllowed, OfferFailure, TicketPhase
from queues.pins.service import Pins, PinVerdict
from queues.service import Clock, QueueService
from queues.service_rate import ServiceRateTracker
from recordings.layout import recording_file
from routing.calendar import is_open
from routing.closed_groups import avoiding
from routing.model import CallFacts, Decision, Snapshot, TargetKind, WaitingAction
from routing.numbers import citizen
from routing.overflow import overflow_steps
from routing.rules import decide
from telephony.model import (
    HEARD_MS,
    LAST_RESORTS,
    AgentId,
    CallId,
    GroupId,
    OverflowTo,
    Priority,
    SeatId,
    Stage,
    made_by_agent,
)

EXTENSION_SECONDS: Final = 60
"""What *15 adds to a wrap-up; again and again, up to the policy's total."""

BY_PHONE: Final = "话机操作"
"""The reason of what a supervisor does by keys, which can say no other."""

_FAILURES: Final = {
    "NOANSWER": OfferFailure.NO_ANSWER,
    "BUSY": OfferFailure.BUSY,
    "CONGESTION": OfferFailure.REJECTED,
    "REJECTED": OfferFailure.REJECTED,
    "CHANUNAVAIL": OfferFailure.UNREACHABLE,
}


class EngineCallBackend:
    """Answers the flows at once, from memory."""

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        queues: QueueService,
        calls: Calls,
        callbacks: Callbacks,
        mailbox: Mailbox,
        pins: Pins,
        supervision: Supervision,
        now: Clock,
        *,
        wait_seconds: int,
        callers: RecentCallers | None = None,
        raised: Callable[[], tuple[str, ...]] = tuple,
        repertoire: Repertoire,
        outbound: OutboundCalls,
        from_wall: Callable[[int], int] = lambda at_ms: at_ms,
        trial_number: Callable[[], str] = str,
    ) -> None:
        """``raised`` gives the prompts of what all callers are to hear at once, ``from_wall`` our time."""
        self._from_wall = from_wall
        self._raised = raised
        self._trial_number = trial_number
        self._repertoire = repertoire
        self._outbound = outbound
        self._pins = pins
        self._supervision = supervision
        self._snapshot = snapshot
        self._queues = queues
        self._calls = calls
        self._callbacks = callbacks
        self._mailbox = mailbox
        self._now = now
        self._callers = callers or RecentCallers()
        self._pace = ServiceRateTracker(lambda: queues.acd)
        queues.listeners.append(self._pace.on_effect)
        self._ways_out = LastResorts(queues, calls)
        self.wait_seconds = wait_seconds

    def route(self, question: Question) -> Decision:
        held = self._calls.get_or_create(question.call, question.channel)
        held.stage = Stage.GREET
        held.table = self._snapshot()
        caller = "" if question.withheld else question.caller
        decision = self._decided(question, caller, held.table)
        decision = avoiding(
            decision, self._supervision.closures.closed, held.table.default_group, called=held.table.group_name
        )
        if (raised := self._raised()) and decision.target.kind is not TargetKind.EMERGENCY:
            told = decision.prompts
            decision = replace(decision, prompts=(*told, *(prompt for prompt in raised if prompt not in told)))
        decision = replace(decision, prompts=self._repertoire.heard(decision.prompts))
        held.prompts_played = decision.prompts
        if decision.target.kind is TargetKind.SUBCENTRE:
            self._calls.record(question.call, recording_file(question.call))
            self._ways_out.came_from(held, OverflowTo.SUBCENTRE, decision.target.id)
        held.caller, held.language, held.caller_list = question.caller, decision.language, decision.list
        held.number, held.trial = decision.number, question.action == TRIAL
        return decision

    def _decided(self, question: Question, caller: str, table: Snapshot) -> Decision:
        """A test call may be taken for a merged number, as long as people of ours answer it."""
        now, number = datetime.now(UTC), self._trial_number() if question.action == TRIAL else ""
        if number:
            taken_for = decide(CallFacts(number, caller), table, now)
            if taken_for.target.kind is TargetKind.GROUP:
                return taken_for
        return decide(CallFacts(question.number, caller), table, now)

    def standing(self, question: Question) -> CallerPriority:
        held = self._calls.get_or_create(question.call, question.channel)
        trunk = CHANNEL.match(question.channel)
        line = trunk[1] if trunk else ""
        standing = self._callers.standing(question.caller, line, self._snapshot(), self._now(), held.caller_list)
        held.preferred = standing.preferred
        if standing.priority is Priority.CENTRE:
            held.origin = self._snapshot().trunks[line].number
        return standing

    async def call_out(self, seat: SeatId, channel: CallId, number: str) -> Mapping[str, str] | str:
        try:
            call = await self._outbound.from_phone(seat, channel, number)
        except NotCalled as no:
            return prompt_of(no.refusal)
        return self._outbound.waiting(call)

    def partner_open(self, key: str) -> bool:
        table = self._snapshot()
        hours = next((one.schedule for one in table.partners.values() if one.key == key), "")
        schedule = table.schedules.get(hours)
        return schedule is None or is_open(schedule, datetime.now(UTC), table.holidays)

    def whisper(self, decision: Decision) -> str:
        group = self._snapshot().groups.get(decision.group)
        if decision.mode is None or group is None or not group.whisper:
            return ""
        return "".join(self._repertoire.heard((whisper(decision.number),)))

    def place(self, question: Question) -> Place:
        held = self._calls.get_or_create(question.call, question.channel)
        before = self._queues.acd.tickets.get(question.call)
        offered = before is not None and before.phase is TicketPhase.OFFERED
        promised = offered and before is not None and held.assigned_seat == before.seat
        if held.stage is Stage.CONFERENCE and held.agent is not None:
            held.preferred = held.agent  # unsettled elsewhere: back to the one who took it
        redirected = offered and not promised and before is not None and before.channel != ""
        self._callbacks.answered(question.call)
        ticket = before if promised and before is not None else self._queues.enqueue(self._wish(question, held))
        if ticket.phase is TicketPhase.OFFERED and ticket.seat is not None and ticket.served_by is not None:
            held.stage = Stage.CONNECT
            held.assigned_seat = None if redirected else ticket.seat
            agent = self._queues.acd.seats[ticket.seat].agent or AgentId("")
            return SeatAssignment(ticket.seat, agent, self._queues.acd.policy.of(ticket.served_by).ring_seconds)
        held.stage = Stage.WAIT
        first_time = question.script is Script.OFFER and not held.told_to_wait
        held.told_to_wait = True
        position = self._queues.acd.position(question.call) or 1
        # What would be spoken over, by the answer to a key or by a way out of the line, is told the next time.
        silent = first_time or question.key or self._ways_out.is_due(question.call)
        news = () if silent else self._news(held, position, ticket.since_ms)
        if not silent and question.script is Script.WAITING:
            news = (*self._unheard(held), *news)
        return Queued(position, first_time, news, self._seconds(ticket))

    def _seconds(self, ticket: Ticket) -> int | None:
        """Until a way out may be due, when that is sooner than a slice of music lasts; None for groups without any."""
        rows = self._queues.acd.policy.of(ticket.group).overflow
        if not any(row.to in LAST_RESORTS for row in rows):
            return None
        if self._ways_out.is_due(ticket.call):
            return 1
        ms = (ticket.until_ms or self._now() + self.wait_seconds * 1000) - self._now()
        return max(1, min(self.wait_seconds, -(-ms // 1000)))

    def way_out(self, question: Question) -> ResortTarget | None:
        return self._ways_out.take(question)

    def _unheard(self, held: LiveCall) -> tuple[str, ...]:
        """What was raised since this caller came, once."""
        raised = tuple(prompt for prompt in self._raised() if prompt not in held.prompts_played)
        if raised:
            held.prompts_played = (*held.prompts_played, *raised)
        return raised

    def _wish(self, question: Question, held: LiveCall) -> TicketJoined:
        held.number = held.number or question.number
        held.group = question.group or self._table(question.call).default_group
        # What we know of a call is by our own clock; the channel has what the wall clock said then.
        held.since_ms = held.since_ms or self._from_wall(question.since_ms) or self._now()
        held.priority = question.priority
        return TicketJoined(
            call=question.call,
            group=GroupId(held.group),
            since_ms=held.since_ms,
            priority=held.priority,
            overflow=overflow_steps(question.overflow),
            channel=question.channel,
            preferred=held.preferred,
            language=held.language,
        )

    def _news(self, held: LiveCall, position: int, since_ms: int) -> tuple[str, ...]:
        """What is due to be told to this waiting caller."""
        table, now = self._table(held.call), self._now()
        if not queue_announcements.due(table.waiting_news, since_ms, held.last_announcement, now):
            return ()
        expected = self._pace.expected(held.call)
        outlook = (
            WaitEstimate(position, expected.low, expected.high) if expected is not None else WaitEstimate(position)
        )
        said, held.last_announcement = queue_announcements.news(outlook, held.last_announcement, now)
        return (*said, KEYS_PROMPT) if table.waiting_keys or table.self_service else said

    def promise(self, question: Question, number: str) -> RequestOutcome:
        held = self._calls.get_or_create(question.call, question.channel)
        now = self._now()
        outcome = self._callbacks.request(
            Callback(
                id=question.call,
                number=number,
                line=question.number,
                group=question.group or self._table(question.call).default_group,
                overflow=question.overflow,
                priority=question.priority,
                since_ms=held.since_ms or self._from_wall(question.since_ms) or now,
                promised_at=datetime.fromtimestamp(now / 1000, UTC),
            )
        )
        if outcome in (RequestOutcome.PROMISED, RequestOutcome.ALREADY):
            held.stage = Stage.AFTER
        return outcome

    def leave_line(self, question: Question) -> bool:
        ticket = self._queues.acd.tickets.get(question.call)
        if ticket is not None and ticket.phase is not TicketPhase.WAITING:
            return False
        self._queues.caller_left(question.call)
        self._calls.get_or_create(question.call, question.channel).stage = Stage.AFTER
        return True

    def message(self, question: Question) -> bool:
        size = int(question.action) if question.action.isascii() and question.action.isdigit() else 0
        return self._mailbox.take(
            question.call, caller=question.caller, line=question.number, group=question.group, size=size
        )

    async def durable(self, question: Question) -> bool:
        if question.script is Script.MESSAGE:
            return await self._mailbox.durable()
        return await self._callbacks.durable(question.call)

    def waiting_key(self, question: Question) -> WaitingAction | None:
        action = self._table(question.call).waiting_keys.get(question.key)
        held = self._calls.live.get(question.call)
        if action is not None and held is not None and action not in held.keys_pressed:
            held.keys_pressed = (*held.keys_pressed, action)
        return action

    def information(self, question: Question) -> str:
        return information(question.key) if question.key in self._table(question.call).self_service else ""

    def on_no_answer(self, question: Question, seat: SeatId, dial_status: str) -> None:
        self._queues.apply(NotAnswered(question.call, seat, _FAILURES.get(dial_status, OfferFailure.ERROR)))

    def on_short_talk(self, question: Question) -> bool:
        seat = self._queues.seat_of(question.call)
        if seat is None or not self._queues.is_talking(question.call) or made_by_agent(question.call):
            return False
        held = self._calls.get_or_create(question.call, question.channel)
        self._queues.apply(TalkEnded(question.call, seat.id, by_agent=True), asking=question.call)
        ticket = self._queues.acd.tickets.get(question.call)
        if ticket is not None:
            held.assigned_seat = ticket.seat
        else:
            held.answered_by_human = True
        return ticket is not None

    def on_talk_ended(self, question: Question) -> bool:
        held = self._calls.get_or_create(question.call, question.channel)
        held.stage = Stage.AFTER
        seat = self._queues.seat_of(question.call)
        if seat is not None:
            held.answered_by_human = True
            self._queues.apply(TalkEnded(question.call, seat.id))
        spoke = held.talked_ms is None or held.talked_ms >= HEARD_MS
        to_rate = held.answered_by_human and spoke and not held.rated and not made_by_agent(question.call)
        held.rated = held.rated or to_rate
        return to_rate

    def rating_level(self, question: Question) -> int:
        return self._table(question.call).rating_keys.get(question.key, 0)

    def _table(self, call: CallId) -> Snapshot:
        """The version that the call began under; the one in force for a call that an earlier engine took."""
        held = self._calls.live.get(call)
        return held.table if held is not None and held.table is not None else self._snapshot()

    async def sign_in_refusal(self, seat: SeatId, agent: AgentId, pin: str) -> str:
        if not self._queues.reachable:
            return "seat-key-failed"
        match await self._pins.check(agent, pin, seat):
            case PinVerdict.VALID:
                return "" if agent in self._snapshot().agents else "seat-pin-wrong"
            case PinVerdict.INVALID:
                return "seat-pin-wrong"
            case PinVerdict.LOCKED:
                return "seat-pin-locked"
            case PinVerdict.BUSY:
                return "seat-key-failed"

    def seat_key(self, seat: SeatId, action: SeatAction, key: str) -> str:
        """Every refusal is a prompt that says what is wrong; nothing else happens to the seat."""
        if not self._queues.reachable:
            return "seat-key-failed"
        known = self._queues.acd.seats.get(seat)
        agent = AgentId(key) if action is SeatAction.SIGN_IN else known.agent if known is not None else None
        if agent is None:
            return "seat-not-signed-in"
        if action is SeatAction.SIGN_IN and not self._snapshot().may_sit(agent, seat):
            return "seat-key-failed"  # somebody else's browser
        reasons = self._snapshot().pause_reasons
        key = key or min(reasons, default="")
        if action is SeatAction.PAUSE and key not in reasons:
            return "seat-pause-unknown"
        event, said = self._meaning(seat, action, agent, key)
        try:
            self._queues.apply(event)
        except NotAllowed:
            return "seat-not-wrapping-up" if action is SeatAction.EXTEND else "seat-key-failed"
        said = self._came_to(seat, action, said)
        reason = reasons[key] if action is SeatAction.PAUSE else ""
        self._calls.record_fact(
            Kind.OPERATOR_ACTION, NO_CALL, what=action, by=f"话机{seat}", agent=agent, seat=seat, reason=reason
        )
        return said

    def _came_to(self, seat: SeatId, action: SeatAction, said: str) -> str:
        """The prompt that says what is so now: who was told "done" while nothing changed looks for no help."""
        now = self._queues.acd.seats[seat]
        if now.state in IN_CALL:
            return "seat-in-call" if action is SeatAction.SIGN_IN else "seat-after-call"
        if action is SeatAction.SIGN_IN and now.pause is not None:
            return "seat-still-paused"
        return said

    def _meaning(self, seat: SeatId, action: SeatAction, agent: AgentId, key: str) -> tuple[Event, str]:
        """What a key tells the ACD, and the prompt when it is done."""
        table = self._snapshot()
        match action:
            case SeatAction.SIGN_IN:
                return sign_in_event(table, agent, seat), "seat-signed-in"
            case SeatAction.SIGN_OUT:
                return SignedOut(seat), "seat-signed-out"
            case SeatAction.READY:
                return Ready(seat), "seat-ready"
            case SeatAction.PAUSE:
                return Paused(seat, table.pause_reasons[key]), f"seat-paused-{key}"
            case SeatAction.EXTEND:
                return WrapUpExtended(seat, EXTENSION_SECONDS), "seat-extended"

    def supervise(self, seat: SeatId, action: SupervisorAction, agent: AgentId) -> SupervisorJoin:
        by = self._supervision.supervisor_at(seat)
        if by is None:
            return SupervisorJoin(prompt="supervise-refused")
        try:
            if action is SupervisorAction.TAKE_OVER:
                self._supervision.take_over(by, agent, BY_PHONE)
                return SupervisorJoin(prompt="supervise-taking-over")
            return SupervisorJoin(self._supervision.join(by, action, agent, BY_PHONE))
        except NotAllowed:
            return SupervisorJoin(prompt="supervise-no-talk")

    def citizen(self, number: str) -> str:
        return citizen(number, self._snapshot().area_code)

    def can_play(self, prompt: str) -> bool:
        return prompt in self._repertoire

    def unheard(self, question: Question, prompts: Sequence[str]) -> None:
        self._repertoire.unheard(question.call, prompts, "missing")

    def on_answer_lost(self, question: Question) -> None:
        """The caller has gone, or the dialplan went on alone: out of our line, and the seat back to its place.

        Not so who was redirected to a seat while asking: that ends the question too, and the seat is right.
        """
        if question.script is Script.CALL_OUT:
            self._outbound.undelivered(question.call)
        ticket = self._queues.acd.tickets.get(question.call)
        if ticket is None or ticket.phase is TicketPhase.TALKING:
            return
        held = self._calls.live.get(question.call)
        if ticket.phase is TicketPhase.WAITING or (held is not None and held.assigned_seat == ticket.seat):
            self._queues.caller_left(question.call)

    def note(self, kind: Kind, question: Question, **data: Any) -> None:
        self._calls.record_fact(kind, question.call, **data)
