"""The shell around the ACD: news of the switch in, redirects and sign-ins out, one timer for its deadlines.

One job: run the core against the world. It decides nothing; queues.rules does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final, Protocol

import structlog

from ledger.model import NO_CALL, Kind
from queues import roster
from queues.acd import Acd, Seat, Ticket
from queues.effects import (
    Connected,
    Effect,
    HeldTooLong,
    Moved,
    Offer,
    OfferFailed,
    RosterChanged,
    SeatStateChanged,
    TalkOver,
    TicketWaiting,
    Withdraw,
)
from queues.events import Event, NotAnswered, Tick, TicketJoined, TicketLeft
from queues.labels_zh import state_changed
from queues.model import OfferFailure, SeatReason, TicketPhase
from queues.rules import apply
from routing.overflow import overflow_text
from telephony.ami_link import AmiLink
from telephony.errors import AmiDeadline, AmiError, AmiRefused
from telephony.model import CallId, Var

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

SILENT_SECONDS: Final = 0.5
"""How often deadlines are looked at while the link is down."""

_TOLD_BY_THE_LEDGER: Final = frozenset(
    (
        SeatReason.OFFERED,
        SeatReason.RINGING,
        SeatReason.ANSWERED,
        SeatReason.CALLER_LEFT,
        SeatReason.TALK_ENDED,
        SeatReason.WRAP_UP_OVER,
        SeatReason.PHONE_FREE,
    )
)
"""Five to six lines a call, each as dear as a fact."""

LAST_WORDS_SECONDS: Final = 0.5
"""How long commands on their way to the switch may take when the engine stops."""

Clock = Callable[[], int]
"""Unix milliseconds that never step back while the process lives."""


class Note(Protocol):
    """Where facts go."""

    def __call__(self, kind: Kind, call: CallId, **data: Any) -> None: ...


class QueueService:
    """Who waits, who is free, and the commands that bring them together."""

    def __init__(self, acd: Acd, switch: AmiLink, note: Note, clock: Clock) -> None:
        self.acd = acd
        self._switch = switch
        self._note = note
        self._clock = clock
        self._timer: asyncio.TimerHandle | None = None
        self._due_ms: int | None = None
        """What the timer waits for."""
        self._work: set[asyncio.Task[None]] = set()
        self._signing = asyncio.Lock()
        """One sign-in after the other, so that the switch ends up with the last one."""
        self.listeners: list[Callable[[Effect], None]] = []

    @property
    def reachable(self) -> bool:
        """The switch hears us: what people ask for will be remembered there."""
        return self._switch.up

    def enqueue(self, wish: TicketJoined) -> Ticket:
        """A caller asks for an agent: its ticket, offered to a seat that is to be rung at once, or waiting."""
        self.apply(wish, asking=wish.call)
        return self.acd.tickets[wish.call]

    def apply(self, event: Event, *, asking: CallId | None = None) -> None:
        """Apply an event and do what follows from it, but no redirect for ``asking``: its channel waits for our answer.

        Raises NotAllowed when a person asked for what cannot be.
        """
        self.carry_out(apply(self.acd, event, self._clock()), asking=asking)

    def carry_out(self, effects: tuple[Effect, ...], *, asking: CallId | None = None) -> None:
        """Do the effects in their order."""
        for effect in effects:
            self._write_down(effect)
            match effect:
                case Offer() if effect.call != asking and effect.channel:
                    self._start(self._redirect(effect))
                case Withdraw(back_to_wait=True) if effect.call != asking and effect.channel:
                    self._start(self._back_to_wait(effect))
                case Moved() if effect.channel:  # a callback has none yet: its promise says what it waits for
                    self._start(self._remember(effect))
                case RosterChanged():
                    self._start(self._sign(roster.actions(effect.old, effect.new)))
                case _:
                    pass
            for listener in self.listeners:
                listener(effect)
        self._arm()

    def caller_left(self, call: CallId) -> None:
        """The caller is gone: from the queue, from a ringing seat, or from a talk."""
        self.apply(TicketLeft(call))

    def is_talking(self, call: CallId) -> bool:
        """A human has answered this call and has not parted from it."""
        ticket = self.acd.tickets.get(call)
        return ticket is not None and ticket.phase is TicketPhase.TALKING

    def is_short(self, call: CallId) -> bool:
        """The talk has lasted so shortly that, if the agent's side ended it now, it would count as none."""
        ticket = self.acd.tickets.get(call)
        if ticket is None or ticket.phase is not TicketPhase.TALKING:
            return False
        short = self.acd.policy.of(ticket.served_by or ticket.group).short_talk_seconds
        return self._clock() - ticket.talk_since_ms < short * 1000

    def seat_of(self, call: CallId) -> Seat | None:
        """The seat that has this call now."""
        ticket = self.acd.tickets.get(call)
        return self.acd.seats.get(ticket.seat) if ticket is not None and ticket.seat is not None else None

    def replace_state(self, acd: Acd, effects: tuple[Effect, ...]) -> None:
        """Take a rebuilt memory for the old one (after a start or a lost link) and do what it asks for."""
        acd.strays.update(self.acd.strays)
        self.acd = acd
        self.carry_out(effects)

    async def settle_roster(self, have: Iterable[roster.Member]) -> None:
        """Make the switch's memory of sign-ins exactly ours; ``have`` is what it said a moment ago."""
        want = (seat.sign_in() for seat in self.acd.seats.values())
        await self._sign(roster.reconcile(have, [sign_in for sign_in in want if sign_in is not None]))

    async def stop(self) -> None:
        """Let go: nothing is withdrawn, those who talk or wait notice nothing."""
        if self._timer is not None:
            self._timer.cancel()
        if self._work:  # a sign-in on its way to the switch
            await asyncio.wait(self._work, timeout=LAST_WORDS_SECONDS)
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)

    # What the effects mean on the switch

    async def _redirect(self, offer: Offer) -> None:
        """Bring a waiting caller to the seat: about 2 ms, against up to a second of app_queue's polling."""
        ring = {"Channel": offer.channel, "Variable": Var.RING_SECONDS, "Value": str(offer.ring_seconds)}
        there = {"Channel": offer.channel, "Context": "connect", "Exten": offer.seat, "Priority": "1"}
        try:
            await asyncio.gather(self._switch.send("Setvar", ring), self._switch.send("Redirect", there))
        except AmiDeadline:
            log.warning("redirect unanswered, left to the reservation's deadline", call=offer.call, seat=offer.seat)
        except AmiRefused:
            self.apply(TicketLeft(offer.call))
        except AmiError as error:
            log.warning("redirect failed", call=offer.call, seat=offer.seat, error=str(error))
            self.apply(NotAnswered(offer.call, offer.seat, OfferFailure.ERROR))

    async def _back_to_wait(self, withdrawn: Withdraw) -> None:
        """The seat never told how it ended: the caller asks again, which finds it wherever it is."""
        try:
            await self._switch.send(
                "Redirect",
                {"Channel": withdrawn.channel, "Context": "call", "Exten": "offer", "Priority": "1"},
            )
        except AmiError as error:
            log.warning("caller not brought back to wait", call=withdrawn.call, error=str(error))

    async def _remember(self, moved: Moved) -> None:
        """The channel says what the call waits for: a restarted engine reads it there."""
        for name, value in ((Var.GROUP, moved.group), (Var.OVERFLOW, overflow_text(moved.overflow))):
            try:
                await self._switch.send("Setvar", {"Channel": moved.channel, "Variable": name, "Value": value})
            except AmiError as error:
                log.warning("move not written to the channel", call=moved.call, variable=name, error=str(error))

    async def _sign(self, actions: Iterable[roster.Action]) -> None:
        async with self._signing:
            for action in actions:
                headers = dict(action)
                try:
                    await self._switch.send(headers.pop("Action"), headers)
                except AmiError as error:
                    log.warning("sign-in not written to the switch", action=action["Action"], error=str(error))

    # What the effects mean in the ledger

    def _write_down(self, effect: Effect) -> None:
        """Of a ticket without a channel nothing is told yet: it is no call, but the place of one to come."""
        match effect:
            case TicketWaiting():
                position = self.acd.position(effect.call)
                if position is not None and self.acd.tickets[effect.call].channel:
                    self._note(
                        Kind.WAITING, effect.call, group=effect.group, position=position, priority=effect.priority
                    )
            case Offer() if effect.channel:
                self._note(
                    Kind.OFFERED,
                    effect.call,
                    seat=effect.seat,
                    agent=effect.agent,
                    group=effect.group,
                    waited_ms=effect.waited_ms,
                )
            case OfferFailed():
                self._note(Kind.NOT_ANSWERED, effect.call, seat=effect.seat, agent=effect.agent, why=effect.why)
            case Connected():
                self._note(
                    Kind.ANSWERED,
                    effect.call,
                    seat=effect.seat,
                    agent=effect.agent or "",
                    group=effect.group,
                    waited_ms=effect.waited_ms,
                    by="subcentre" if self.acd.seats[effect.seat].site else "agent",
                )
            case TalkOver():
                self._note(
                    Kind.TALK_ENDED, effect.call, seat=effect.seat, agent=effect.agent or "", talk_ms=effect.talk_ms
                )
            case SeatStateChanged():
                # What a call does to a seat is told by the call's own facts; what a person or a broken line does, here.
                # A sub-centre's places rest and wake all together, many at once: nobody asks for each.
                of_a_call = effect.why in _TOLD_BY_THE_LEDGER
                quiet = of_a_call or bool(self.acd.seats[effect.seat].site)
                if effect.agent is not None and not quiet:
                    self._note(
                        Kind.AGENT_STATE,
                        NO_CALL,
                        seat=effect.seat,
                        agent=effect.agent,
                        old=effect.old,
                        new=effect.new,
                        why=effect.why,
                        text=state_changed(effect),
                    )
                told = log.debug if quiet else log.info
                told(
                    "seat state",
                    seat=effect.seat,
                    agent=effect.agent,
                    old=effect.old,
                    new=effect.new,
                    why=effect.why,
                    pause=effect.pause,
                )
            case Moved():
                log.info("call moved", call=effect.call, old=effect.old, group=effect.group)
            case HeldTooLong():
                log.warning(
                    "caller forgotten on hold",
                    call=effect.call,
                    seat=effect.seat,
                    agent=effect.agent,
                    held_ms=effect.held_ms,
                )
            case _:
                pass

    # Time

    def _arm(self) -> None:
        due = self.acd.next_deadline()
        if self._timer is not None:
            if due == self._due_ms:
                return
            self._timer.cancel()
            self._timer = None
        self._due_ms = due
        if due is not None:
            delay = max(0, due - self._clock()) / 1000
            self._timer = asyncio.get_running_loop().call_later(delay, self._due)

    def _due(self) -> None:
        """A deadline passed. While the switch tells us nothing, its silence means nothing: nobody is given up."""
        self._timer = None
        if self._switch.up:
            self.apply(Tick())
        else:
            self._timer = asyncio.get_running_loop().call_later(SILENT_SECONDS, self._due)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
