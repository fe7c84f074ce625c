"""Callbacks against the world: into the line, dialled when an agent is reserved, written down at every step.

One job: run callbacks/rules.py. A callback stands in the ACD's line like any caller, without a channel, and the citizen
is dialled only once a seat is reserved for it, so there are never more callbacks on their way than agents held free for
them. Whose telephone rings first is the group's to say; where it is the agent's (先呼座席), the citizen is dialled only
when that one was answered, and then finds the agent in the switch, without us. From the citizen's answer on the call is
a call like any other.

Every step is a fact on the disk before the switch is asked for what cannot be taken back. After a crash an attempt that
was begun is judged by the switch: its channel is there, or the switch noted that the citizen answered, or it failed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from callbacks import rules
from callbacks.model import UNDIALLED, Callback, CallbackState, CallFailure, RequestOutcome
from callbacks.registry import REMEMBERED, CallbackRegistry
from callbacks.seat_legs import HANG_UP_SECONDS, SeatLegs
from callbacks.serialisation import to_data
from ledger.journal import JournalStalled
from ledger.model import Kind
from queues.effects import Connected, Effect, Offer, Withdraw
from queues.events import Answered, NotAnswered, Ringing, TicketJoined
from queues.model import OfferFailure, TicketPhase
from queues.service import Clock, Note, QueueService
from routing.overflow import overflow_steps
from telephony.ami_link import AmiLink
from telephony.errors import AmiDeadline, AmiDown, AmiError, AmiRefused
from telephony.hangup_causes import by_cause, by_reason
from telephony.model import HOTLINE_NUMBER, CallId, GroupId, Party, SeatId, Stage, Var
from telephony.ring import NumberCall, ring_out
from telephony.subscribers import callable_number

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 1.0
"""How often it is looked which promises are due."""

DURABLE_SECONDS: Final = 1.5
"""How long a step may take to reach the disk: the caller waits for it, and the dialplan for 3 s at most."""

AGAIN_SECONDS: Final = 30.0
"""A step that the disk or the switch refused is tried again after this."""

MOST_OPEN: Final = 2000
"""Promises that may be open at once; more could not be kept."""

GONE: Final = "gone"
"""Why an agent whose phone rang first did not take it: somebody else's word, or the phone out of reach."""

DATABASE: Final = "callbacks"
"""Family in the switch's own small database; see context ``callback`` of the dialplan."""


@dataclass(frozen=True, slots=True)
class CallbackSettings:
    """How callbacks are made now, by the published table."""

    endpoint: str
    """The trunk to dial through."""
    address: str
    """``host:port`` of its far end."""
    ring_seconds: int
    attempts: int
    retry_minutes: int
    per_day: int
    """Promises to one number within a day; 0 = none at all."""
    hours_open: bool
    """Citizens may be called at this hour."""
    agent_first: frozenset[str] = frozenset()
    """Groups whose agents' phones ring before the citizen's."""


class Callbacks:
    """Of one node."""

    def __init__(
        self,
        switch: AmiLink,
        queues: QueueService,
        note: Note,
        flush: Callable[[float], Awaitable[None]],
        terms: Callable[[datetime], CallbackSettings | None],
        clock: Clock,
        live: Callable[[], Collection[CallId]],
        dialling: Callable[[Callback, Offer], None],
        legs: SeatLegs,
    ) -> None:
        """``terms`` is None when there is no trunk to dial through, ``live`` are the callers' channels that are up,
        ``dialling`` hears of each attempt just before it, and ``legs`` ring agents' phones first where that is wanted.
        """
        self.book = CallbackRegistry()
        self.loaded = False
        """All that was promised before the start is known: before that nobody is called, lest twice."""
        self._switch = switch
        self._queues = queues
        self._note = note
        self._flush = flush
        self._terms = terms
        self._clock = clock
        self._live = live
        self._dialling = dialling
        self._legs = legs
        self._rung: dict[CallId, CallId] = {}
        """Attempt to the agent's channel, while its phone rings first."""
        self._seen = self._settled = False
        self._mine: set[CallId] = set()
        """Attempts that this process makes and waits for."""
        self._work: set[asyncio.Task[None]] = set()
        queues.listeners.append(self._hear)

    # A caller asks

    def request(self, wish: Callback) -> RequestOutcome:
        """Promise to call back, if it may be; the caller must be told only when :meth:`durable` says so."""
        terms = self._terms(self._now())
        ticket = self._queues.acd.tickets.get(wish.id)
        if ticket is not None and ticket.phase is not TicketPhase.WAITING:
            return RequestOutcome.ON_THE_WAY
        if terms is None or not wish.number or callable_number(wish.number) != wish.number:
            return RequestOutcome.NOT_CALLABLE
        of_number = self.book.of_number(wish.number)
        if any(one.open for one in of_number):
            self._queues.caller_left(wish.id)
            return RequestOutcome.ALREADY
        today = [one for one in of_number if wish.promised_at - one.promised_at < REMEMBERED]
        if len(today) >= terms.per_day or len(self.book.open()) >= MOST_OPEN:
            return RequestOutcome.TOO_MANY
        self._queues.caller_left(wish.id)
        self._set(wish)
        return RequestOutcome.PROMISED

    async def durable(self, call: CallId) -> bool:
        """Whether the promise of this call is on the disk: then it stands in the line; when not, it is taken back."""
        try:
            await self._flush(DURABLE_SECONDS)
        except JournalStalled:
            callback = self.book.get(call)
            if callback is not None and callback.state is CallbackState.WAITING:
                self._set(rules.cancelled(callback, "disk", self._now()))
                self._queues.caller_left(callback.call)
            return False
        if self._settled and self._switch.up:
            self.schedule_due()  # at once: who comes a moment later is younger
        return True

    def cancel(self, call: CallId, why: str) -> bool:
        """Somebody says that it need not be kept; False when it is not open or the citizen's phone rings already."""
        callback = self.book.get(call)
        if callback is None or callback.state not in UNDIALLED:
            return False
        self._withdraw(callback, why)
        return True

    def reassign(self, call: CallId, group: GroupId) -> bool:
        """Another group is to keep it, at its age; False when it is not open or an agent is being brought to it."""
        callback = self.book.get(call)
        ticket = self._queues.acd.tickets.get(callback.call) if callback is not None else None
        if callback is None or callback.state is not CallbackState.WAITING:
            return False
        if ticket is not None and ticket.phase is not TicketPhase.WAITING:
            return False
        self._queues.caller_left(callback.call)
        self._set(rules.reassigned(callback, group))
        if self._settled and self._switch.up:
            self.schedule_due()
        return True

    # The line and the switch

    async def run(self) -> None:
        """Put what is due into the line, for ever; ends only by cancellation."""
        while True:
            if self.loaded and self._seen and self._switch.up:
                try:
                    if not self._settled:
                        await self.resolve_in_doubt()
                    self.schedule_due()
                except AmiError as error:
                    log.warning("callbacks wait for the switch", error=str(error))
            await asyncio.sleep(LOOK_SECONDS)

    def on_reconnected(self) -> None:
        """The switch has just been asked what is: attempts that are not there any more are to be judged."""
        self._seen, self._settled = True, False

    def schedule_due(self) -> None:
        """Bring the line up to date with what is due now."""
        now = self._now()
        terms = self._terms(now)
        self.book.forget(now)
        for callback in self.book.open():
            if callback.state is not CallbackState.WAITING:
                continue
            ticket = self._queues.acd.tickets.get(callback.call)
            wanted = terms is not None and rules.due(callback, now, hours_open=terms.hours_open)
            if wanted and ticket is None:
                self._queues.apply(_ticket(callback))
            elif not wanted and ticket is not None and ticket.phase is TicketPhase.WAITING:
                self._queues.caller_left(callback.call)

    def rings(self, leg: CallId, channel: CallId) -> None:
        """An agent's phone that is rung first has a channel now."""
        self._legs.rings(leg, channel)

    def hung_up(self, call: CallId, cause: str, *, human: bool) -> None:
        """A channel is gone, of whomever; ``human``: somebody of ours had talked with it."""
        self._legs.hung_up(call, cause)
        callback = self.book.of_attempt(call)
        if callback is None:
            return
        if callback.state is CallbackState.REACHED or (callback.state is CallbackState.DIALLING and human):
            # Dialling still, with a human: who answered was put through while no engine was there to hear it.
            self._set(rules.completed(callback, self._now()) if human else rules.abandoned(callback, self._now()))
        else:
            self._not_reached(call, CallFailure(by_cause(cause)))

    def answered(self, call: CallId) -> None:
        """The citizen's call asks for an agent: the citizen has answered."""
        callback = self.book.of_attempt(call)
        if callback is not None and callback.state is CallbackState.DIALLING:
            self._set(rules.reached(callback))

    def on_connected(self, call: CallId, seat: SeatId, channel: str) -> None:
        """The citizen has answered and is put through to the agent who waits (先呼座席)."""
        self.answered(call)
        callback, ticket = self.book.of_attempt(call), self._queues.acd.tickets.get(call)
        if callback is not None and ticket is not None and ticket.phase is TicketPhase.OFFERED and not ticket.channel:
            self._queues.apply(replace(_ticket(callback), channel=channel))
        self._queues.apply(Answered(call, seat))

    def agent_gone(self, call: CallId, seat: SeatId) -> None:
        """The agent who had answered first has hung up before the citizen came.

        A citizen whose telephone rings already is not cut off: it rings on, and who is reserved next is rung at the
        answer, as where the citizen is dialled first.
        """
        callback = self.book.of_attempt(call)
        if callback is None or not self._offered(call, seat):
            return
        if callback.state is CallbackState.RINGING:
            self._missed(callback, seat, OfferFailure.CUT_SHORT)
        elif callback.state is CallbackState.DIALLING:
            self._queues.apply(NotAnswered(call, seat, OfferFailure.CUT_SHORT))

    async def resolve_in_doubt(self) -> None:
        """After a start or a lost link: judge attempts whose channel is gone by what the switch noted of them.

        Raises AmiError when the switch does not tell; then it is to be tried again.
        """
        up = frozenset(self._live())
        for callback in self.book.open():
            if callback.call in up or callback.call in self._mine:
                continue
            if callback.state is CallbackState.REACHED:
                self._set(rules.completed(callback, self._now(), why="unseen"))
            elif callback.state is CallbackState.RINGING:
                if callback.call not in self._rung:
                    self._set(rules.agent_missed(callback, CallFailure.UNKNOWN))
            elif callback.state is CallbackState.DIALLING:
                if await self._was_answered(callback):
                    self._set(rules.completed(callback, self._now(), why="unseen"))
                else:
                    self._fail(callback, CallFailure.UNKNOWN)
        self._settled = True

    async def stop(self) -> None:
        """Let go; a ringing telephone rings on, and its answer is the next engine's."""
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    def _hear(self, effect: Effect) -> None:
        match effect:
            case Offer():
                callback = self.book.of_attempt(effect.call)
                if callback is not None and callback.state is CallbackState.WAITING:
                    self._start(
                        self._ring(callback, effect)
                        if self._agent_first(callback, effect)
                        else self._dial(callback, effect)
                    )
            case Withdraw():
                callback = self.book.of_attempt(effect.call)
                if callback is not None and callback.state is CallbackState.RINGING:
                    self._start(self._legs.let_go(self._rung[callback.call]))
                    self._set(rules.agent_missed(callback, GONE))
            case Connected():
                callback = self.book.of_attempt(effect.call)
                if callback is not None and callback.state in (CallbackState.DIALLING, CallbackState.REACHED):
                    self._set(rules.completed(callback, self._now(), effect.agent or ""))
                    return
                served = self.book.get(effect.call)
                if served is not None and served.state in UNDIALLED:
                    self._withdraw(served, "served")
            case _:
                pass

    def _withdraw(self, callback: Callback, why: str) -> None:
        self._queues.caller_left(callback.call)  # which lets go of a phone that rings for it
        self._set(rules.cancelled(self.book.get(callback.id) or callback, why, self._now()))

    def _agent_first(self, callback: Callback, offer: Offer) -> bool:
        terms = self._terms(self._now())
        return terms is not None and callback.group in terms.agent_first and not self._queues.acd.seats[offer.seat].site

    async def _ring(self, waiting: Callback, offer: Offer) -> None:
        """A seat is reserved, and its phone is to ring before the citizen's."""
        terms = self._terms(self._now())
        if self.book.get(waiting.id) is not waiting or terms is None or not self._offered(waiting.call, offer.seat):
            return
        callback = rules.agent_rung(waiting, offer.agent)
        leg = self._rung[callback.call] = self._legs.named(callback)
        self._set(callback)
        self._queues.apply(Ringing(callback.call, offer.seat))
        try:
            missed = await self._legs.ring(leg, callback, offer, terms.ring_seconds)
        except AmiError as error:
            log.warning("agent not rung for a callback", call=callback.id, seat=offer.seat, error=str(error))
            if self.book.get(callback.id) is callback:
                self._set(rules.agent_missed(callback, OfferFailure.ERROR, self._later()))
                self._queues.caller_left(callback.call)
            return
        finally:
            if self._rung.get(callback.call) == leg:
                del self._rung[callback.call]
        if self.book.get(callback.id) is not callback:  # withdrawn or gone meanwhile
            return
        if missed is None:
            await self._dial(callback, offer, self._legs.channel(leg))
        else:
            self._missed(callback, offer.seat, missed)

    def _missed(self, callback: Callback, seat: SeatId, why: OfferFailure) -> None:
        """The agent did not take it: the promise keeps its place, and the ACD offers it on."""
        self._set(rules.agent_missed(callback, why))
        self._queues.apply(NotAnswered(callback.call, seat, why))

    async def _dial(self, waiting: Callback, offer: Offer, leg: str = "") -> None:
        """A seat is reserved: write the attempt down, then dial. ``leg``: the channel of an agent who waits for it."""
        terms = self._terms(self._now())
        callback = rules.dialled(waiting)
        self._mine.add(callback.call)
        self._set(callback)
        try:
            if terms is None or not await self._written():
                self._undo(callback)
                return
            if not self._reserved(callback):
                self._set(rules.not_dialled(callback))  # and stands in the line as before
                return
            self._dialling(callback, offer)
            outcome = await ring_out(
                self._switch,
                callback.number,
                terms.endpoint,
                NumberCall.CALLBACK,
                address=terms.address,
                context="callback",
                exten=offer.seat if leg else "s",
                ring_seconds=terms.ring_seconds,
                caller_id=HOTLINE_NUMBER,
                variables=_variables(callback) | ({Var.FETCH: leg} if leg else {}),
                channel_id=callback.call,
            )
            if not outcome.answered:
                # The hang-up knows the cause better, and comes with it; without a channel there is none.
                await asyncio.sleep(HANG_UP_SECONDS)
                self._not_reached(callback.call, CallFailure(by_reason(outcome.reason)))
        except (AmiDown, AmiRefused) as error:
            log.warning("callback not dialled", call=callback.id, error=str(error))
            self._undo(callback)
        except AmiDeadline as error:
            log.warning("callback left to the next look at the switch", call=callback.id, error=str(error))
        except AmiError as error:
            log.error("callback cannot be dialled", call=callback.id, error=str(error))
            self._undo(callback)
        finally:
            self._mine.discard(callback.call)

    async def _written(self) -> bool:
        try:
            await self._flush(DURABLE_SECONDS)
        except JournalStalled:
            return False
        return True

    def _reserved(self, callback: Callback) -> bool:
        ticket = self._queues.acd.tickets.get(callback.call)
        now = self.book.get(callback.id)
        return now is callback and ticket is not None and ticket.phase is TicketPhase.OFFERED

    def _offered(self, call: CallId, seat: SeatId) -> bool:
        ticket = self._queues.acd.tickets.get(call)
        return ticket is not None and ticket.phase is TicketPhase.OFFERED and ticket.seat == seat

    def _undo(self, callback: Callback) -> None:
        """Nobody was dialled. The seat goes back to its place; the promise to the line, a little later."""
        if self.book.get(callback.id) is not callback:
            return
        self._set(rules.not_dialled(callback, self._later()))
        self._queues.caller_left(callback.call)

    def _later(self) -> datetime:
        return datetime.fromtimestamp(self._clock() / 1000 + AGAIN_SECONDS, UTC)

    def _not_reached(self, call: CallId, why: CallFailure) -> None:
        callback = self.book.of_attempt(call)
        if callback is not None and callback.state is CallbackState.DIALLING:
            self._fail(callback, why)

    def _fail(self, callback: Callback, why: CallFailure) -> None:
        terms = self._terms(self._now())
        attempts, minutes = (terms.attempts, terms.retry_minutes) if terms is not None else (1, 1)
        self._set(rules.failed(callback, why, self._now(), attempts=attempts, retry_minutes=minutes))
        self._queues.caller_left(callback.call)

    async def _was_answered(self, callback: Callback) -> bool:
        """What the switch noted itself. Raises AmiError when it cannot be asked."""
        try:
            asked = {"Family": DATABASE, "Key": str(callback.slot)}
            told = await self._switch.collect("DBGet", asked, until="DBGetComplete")
        except AmiRefused:  # nothing is noted there
            return False
        return any(event.get("Val") == callback.call for event in told)

    def _set(self, callback: Callback) -> None:
        self.book.put(callback)
        self._note(Kind.CALLBACK, callback.id, **to_data(callback))

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock() / 1000, UTC)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)


def _ticket(callback: Callback) -> TicketJoined:
    return TicketJoined(
        call=callback.call,
        group=GroupId(callback.group),
        since_ms=callback.since_ms,
        priority=callback.priority,
        overflow=overflow_steps(callback.overflow),
    )


def _variables(callback: Callback) -> dict[str, str]:
    """The channel is the citizen's: it carries the state of the call as if the citizen had called."""
    return {
        Var.CALL: callback.call,
        Var.PARTY: Party.CALLER,
        Var.STAGE: Stage.RING,
        Var.NUMBER: callback.line,
        Var.CALLER: callback.number,
        Var.SINCE: str(callback.since_ms),
        Var.GROUP: callback.group,
        Var.OVERFLOW: callback.overflow,
        Var.PRIORITY: str(callback.priority),
        Var.SLOT: str(callback.slot),
    }
