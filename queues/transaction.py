"""One turn of the ACD: the only hand that writes its memory.

One job: keep seats, tickets and their lines consistent while one event is applied, collect the effects, and at the end
bring together who can meet. It does not know what events mean; the rules do. The lines themselves are queues.matching'.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from queues.acd import Acd, Seat, Ticket, TicketRank, ticket_rank
from queues.effects import (
    Connected,
    Effect,
    LastResort,
    Offer,
    OfferFailed,
    RosterChanged,
    SeatStateChanged,
    TalkOver,
    TicketWaiting,
    Withdraw,
)
from queues.matching import Matcher
from queues.model import OfferFailure, SeatReason, SignIn, TicketPhase, UnexpectedEvent
from queues.overflow import eligibility
from queues.policy import Policy
from queues.states import OFFERED, WORKING, AgentState, check
from telephony.model import LAST_RESORTS, AgentId, CallId, GroupId, NodeId, SeatId

_OF_THE_SITE: Final = frozenset(
    (OfferFailure.NO_ANSWER, OfferFailure.BUSY, OfferFailure.REJECTED, OfferFailure.UNREACHABLE)
)
"""What one place of another site says for all of them: whoever answers there is behind one number."""


class AcdTransaction:
    """One event at one moment (``now``, unix ms)."""

    __slots__ = ("_lines", "_rosters", "acd", "effects", "now")

    def __init__(self, acd: Acd, now: int) -> None:
        self.acd = acd
        self.now = now
        self.effects: list[Effect] = []
        self._lines = Matcher(acd)
        self._rosters: dict[SeatId, SignIn | None] = {}

    # Seats

    def seat(self, seat_id: SeatId) -> Seat:
        """The seat, known or new: the switch may speak of it before anybody signs in."""
        seat = self.acd.seats.get(seat_id)
        if seat is None:
            seat = self.acd.seats[seat_id] = Seat(seat_id, self.acd.node, since_ms=self.now)
        return seat

    def sign_in(
        self,
        seat: Seat,
        agent: AgentId,
        groups: tuple[GroupId, ...],
        pause: str | None,
        levels: Mapping[GroupId, int],
        languages: frozenset[str],
    ) -> None:
        """Put an agent at an empty seat."""
        self._note_roster(seat)
        seat.agent, seat.pause = agent, pause
        self.acd.seat_of[agent] = seat.id
        self._lines.qualify(seat, groups, levels, languages)

    def update_skills(
        self, seat: Seat, groups: tuple[GroupId, ...], levels: Mapping[GroupId, int], languages: frozenset[str]
    ) -> None:
        """Give the agent of a seat other groups, levels or languages."""
        self._note_roster(seat)
        if seat.state is AgentState.READY:
            self._lines.dequeue_seat(seat)
        self._lines.count(seat, -1)
        self._lines.qualify(seat, groups, levels, languages)
        if seat.state is AgentState.READY:
            self._lines.enqueue_seat(seat)

    def sign_out(self, seat: Seat, why: SeatReason) -> None:
        """Empty a seat that is in no call."""
        self._note_roster(seat)
        self.move(seat, AgentState.SIGNED_OUT, why)
        self._lines.count(seat, -1)
        if seat.agent is not None:
            del self.acd.seat_of[seat.agent]
        seat.agent, seat.groups, seat.pause, seat.leaving = None, (), None, False
        seat.levels, seat.languages, seat.lanes = {}, frozenset(), ()

    def idle_since(self, seat: Seat, idle_since_ms: int) -> None:
        """Give a ready seat another place in the line."""
        self._lines.dequeue_seat(seat)
        seat.idle_since_ms = idle_since_ms
        self._lines.enqueue_seat(seat)

    def set_intent(self, seat: Seat, *, pause: str | None, leaving: bool = False) -> None:
        """Note what the agent wants to be when nothing else holds the seat."""
        self._note_roster(seat)
        seat.pause, seat.leaving = pause, leaving

    def settle_state(self, seat: Seat, why: SeatReason) -> None:
        """Go to the state that holds when no work does."""
        if seat.leaving:
            self.sign_out(seat, SeatReason.SIGNED_OUT)
        elif seat.agent is None:
            self.move(seat, AgentState.SIGNED_OUT, why)
        elif not seat.reachable:
            self.move(seat, AgentState.UNREACHABLE, why)
        elif seat.pause is not None:
            self.move(seat, AgentState.PAUSED, why)
        elif seat.in_use:
            self.move(seat, AgentState.BUSY, why)
        else:
            self.move(seat, AgentState.READY, why)

    def move(self, seat: Seat, new: AgentState, why: SeatReason, until_ms: int | None = None) -> None:
        """Change a seat's state as the table allows; raise IllegalMove otherwise."""
        old = seat.state
        if old is new:
            return
        check(old, new)
        if old is AgentState.READY:
            self._lines.dequeue_seat(seat)
        if (old in WORKING) is not (new in WORKING):
            self.acd.working.update(dict.fromkeys(seat.groups, 1 if new in WORKING else -1))
        self.seat_deadline(seat, until_ms)
        seat.state, seat.since_ms, seat.why = new, self.now, why
        if new is AgentState.READY:
            if old not in OFFERED:
                seat.idle_since_ms = self.now
            self._lines.enqueue_seat(seat)
        self.effects.append(SeatStateChanged(seat.id, seat.agent, old, new, why, seat.pause, until_ms))

    def seat_deadline(self, seat: Seat, until_ms: int | None) -> None:
        """Say when the state of a seat ends by itself."""
        if seat.until_ms is not None:
            self.acd.deadlines.discard((seat.until_ms, "seat", seat.id))
        seat.until_ms = until_ms
        if until_ms is not None:
            self.acd.deadlines.add((until_ms, "seat", seat.id))

    def extend(self, seat: Seat, until_ms: int) -> None:
        """Let a wrap-up end later."""
        self.seat_deadline(seat, until_ms)
        wrap_up = AgentState.WRAP_UP
        self.effects.append(
            SeatStateChanged(seat.id, seat.agent, wrap_up, wrap_up, SeatReason.WRAP_UP_EXTENDED, seat.pause, until_ms)
        )

    def wrap_up(self, seat: Seat, group: GroupId | None) -> None:
        """After a talk: wrap-up as the group has it, or straight to rest."""
        seconds = 0 if group is None else self.acd.policy.of(group).wrap_up_seconds
        if group is not None:
            self.acd.handled(group, self.now - seat.talk_since_ms + seconds * 1000)
        if seat.agent is None or seat.leaving or seconds == 0:
            self.settle_state(seat, SeatReason.TALK_ENDED)
        else:
            self.move(seat, AgentState.WRAP_UP, SeatReason.TALK_ENDED, self.now + seconds * 1000)

    # Tickets

    def queue(self, ticket: Ticket, *, again: bool) -> None:
        """Let a call wait that neither is offered nor talks."""
        ticket.phase, ticket.seat, ticket.reservation, ticket.served_by = TicketPhase.WAITING, None, "", None
        if not ticket.counted:
            self.acd.queued[ticket.group] += 1
            ticket.counted = True
        self.effects.append(TicketWaiting(ticket.call, ticket.group, ticket.priority, again))
        self.reindex(ticket)

    def reindex(self, ticket: Ticket) -> None:
        """Put a waiting call into the lanes that it asks for now, and set its next deadline."""
        self._lines.open(ticket.language)
        now = eligibility(self.acd, ticket, self.now)
        if ticket.indexed and now.lanes == ticket.lanes:  # it was only looked at again
            ticket.asks = now.asks
            self._overflow(ticket, now.rows)
            self.ticket_deadline(ticket, now.look_again_ms)
            return
        self.unindex(ticket)
        ticket.asks, ticket.lanes, ticket.newcomer = now.asks, now.lanes, False
        held = ticket.held_until_ms is not None and ticket.held_until_ms > self.now
        if held:
            self.ticket_deadline(ticket, ticket.held_until_ms)
            return
        ticket.held_until_ms = None
        self._overflow(ticket, now.rows)
        self.ticket_deadline(ticket, now.look_again_ms)
        self._lines.join(ticket)

    def _overflow(self, ticket: Ticket, rows: tuple[int, ...]) -> None:
        """Note the rows that have come due; tell of the first that leads out of the line, the others come later."""
        told = False
        for index in rows:
            row = self.acd.policy.of(ticket.group).overflow[index]
            if row.to in LAST_RESORTS:
                if told:
                    continue
                told = True
                ticket.resort_after_ms = self.now + self.acd.policy.resort_pause_seconds * 1000
                waited = max(0, self.now - ticket.since_ms)
                self.effects.append(
                    LastResort(
                        ticket.call,
                        ticket.channel,
                        ticket.node,
                        row.to,
                        row.target,
                        ticket.group,
                        row.when,
                        waited,
                    )
                )
            ticket.rows = ticket.rows | {index}

    def uncount(self, ticket: Ticket) -> None:
        """No longer among those who wait for its group."""
        if ticket.counted:
            self.acd.queued[ticket.group] -= 1
            ticket.counted = False

    def rank(self, ticket: Ticket) -> TicketRank:
        """Its place in every line."""
        return ticket_rank(ticket.call, ticket.since_ms, self.acd.policy.head_start_ms(ticket.priority))

    def policy(self, policy: Policy) -> None:
        """Go on by other settings: every line is made anew, which is O(n log n) and rare."""
        acd = self.acd
        tickets = [ticket for ticket in acd.tickets.values() if ticket.phase is TicketPhase.WAITING]
        for ticket in tickets:
            self.unindex(ticket)
        acd.policy = policy
        for ticket in acd.tickets.values():
            ticket.rank = self.rank(ticket)
        for seat in acd.seats.values():
            if seat.agent is not None:
                self._lines.reassign_lanes(seat)
        for ticket in tickets:
            ticket.rows = frozenset()
            self.reindex(ticket)

    def unindex(self, ticket: Ticket) -> None:
        """Take a call out of every line."""
        self.ticket_deadline(ticket, None)
        self._lines.leave(ticket)

    def ticket_deadline(self, ticket: Ticket, until_ms: int | None) -> None:
        if ticket.until_ms is not None:
            self.acd.deadlines.discard((ticket.until_ms, "ticket", ticket.call))
        ticket.until_ms = until_ms
        if until_ms is not None:
            self.acd.deadlines.add((until_ms, "ticket", ticket.call))

    def forget(self, ticket: Ticket) -> None:
        """The ACD has nothing more to do with this call."""
        self.unindex(ticket)
        self.uncount(ticket)
        del self.acd.tickets[ticket.call]

    # A ticket and a seat

    def reserve(self, ticket: Ticket, seat: Seat) -> tuple[GroupId, int, int]:
        """Bind a waiting call and a ready seat; return (group, ring seconds, deadline)."""
        group = next((g for g in ticket.asks if g in seat.groups), ticket.group)
        ring_seconds = self.acd.policy.of(group).ring_seconds
        held_seconds = ring_seconds + self.acd.policy.offer_margin_seconds
        held_seconds += 0 if ticket.channel else self.acd.policy.dial_seconds
        deadline = self.now + held_seconds * 1000
        ticket.choice = self.acd.choice(ticket, seat, group, self.now)
        self.unindex(ticket)
        self.uncount(ticket)
        ticket.offers += 1
        ticket.phase, ticket.seat, ticket.served_by = TicketPhase.OFFERED, seat.id, group
        ticket.reservation = f"{ticket.call}/{ticket.offers}"
        seat.call = ticket.call
        self.move(seat, AgentState.RESERVED, SeatReason.OFFERED, deadline)
        return group, ring_seconds, deadline

    def offer(self, ticket: Ticket, seat: Seat) -> None:
        """Reserve, and tell the shell to bring the call there."""
        group, ring_seconds, deadline = self.reserve(ticket, seat)
        assert seat.agent is not None, "only a signed-in seat is ready"
        waited = max(0, self.now - ticket.since_ms)
        self.effects.append(
            Offer(
                ticket.reservation,
                ticket.call,
                ticket.channel,
                ticket.node,
                seat.id,
                seat.agent,
                group,
                ring_seconds,
                waited,
                deadline,
            )
        )

    def withdraw(self, ticket: Ticket, why: SeatReason, *, back_to_wait: bool) -> Seat:
        """Take back an offer; the caller of this rests the seat and queues or forgets the call."""
        assert ticket.seat is not None, "an offered call has a seat"
        seat = self.acd.seats[ticket.seat]
        seat.call = None
        self.effects.append(
            Withdraw(ticket.reservation, ticket.call, ticket.channel, ticket.node, seat.id, why, back_to_wait)
        )
        return seat

    def offer_failed(self, ticket: Ticket, why: OfferFailure) -> None:
        """The offered seat did not take the call: the call waits on with its age, the seat is left in peace."""
        assert ticket.seat is not None, "an offered call has a seat"
        assert ticket.served_by is not None, "an offered call has met its seat through a group"
        seat = self.acd.seats[ticket.seat]
        seat.call = None
        assert seat.agent is not None, "nobody leaves an offered seat"
        self.effects.append(OfferFailed(ticket.reservation, ticket.call, seat.id, seat.agent, ticket.served_by, why))
        policy = self.acd.policy
        if why in (OfferFailure.ERROR, OfferFailure.TIMEOUT):
            hold = min(policy.hold_seconds << min(ticket.errors, 16), policy.hold_seconds_max)
            ticket.errors += 1
            ticket.held_until_ms = self.now + hold * 1000
        self.not_responding(seat, why)
        if seat.site and why in _OF_THE_SITE:
            for other in self.acd.seats.values():
                if other.site == seat.site and other.state is AgentState.READY:
                    self.not_responding(other, why)
        self.queue(ticket, again=True)

    def not_responding(self, seat: Seat, why: OfferFailure) -> None:
        """Leave in peace for a while a seat that did not take its call, unless it rests for another reason."""
        asked_otherwise = seat.agent is None or seat.leaving or seat.pause is not None or not seat.reachable
        if asked_otherwise or (why is OfferFailure.BUSY and seat.in_use):
            self.settle_state(seat, SeatReason(why.value))
        else:
            seconds = self.acd.policy.back_after.get(why)
            until = None if seconds is None else self.now + seconds * 1000
            self.move(seat, AgentState.NOT_RESPONDING, SeatReason(why.value), until)

    def connect(self, ticket: Ticket, seat: Seat) -> None:
        """A free call and a free seat talk with each other."""
        self.unindex(ticket)
        self.uncount(ticket)
        group = ticket.served_by if ticket.served_by is not None else ticket.group
        ticket.phase, ticket.seat, ticket.served_by, ticket.talk_since_ms = (
            TicketPhase.TALKING,
            seat.id,
            group,
            self.now,
        )
        ticket.errors, ticket.held_until_ms = 0, None
        seat.call, seat.talk_since_ms = ticket.call, self.now
        if seat.state is AgentState.TALKING:
            seat.since_ms = self.now
        self.move(seat, AgentState.TALKING, SeatReason.ANSWERED)
        waited = max(0, self.now - ticket.since_ms)
        self.effects.append(Connected(ticket.call, seat.id, seat.agent, group, waited))

    def end_talk(self, ticket: Ticket) -> Seat:
        """A talk is over; the caller of this moves the seat and queues or forgets the call."""
        assert ticket.seat is not None, "a talking call has a seat"
        seat = self.acd.seats[ticket.seat]
        seat.call = None
        talked = max(0, self.now - ticket.talk_since_ms)
        group = ticket.served_by or ticket.group
        self.effects.append(TalkOver(ticket.call, seat.id, seat.agent, group, talked))
        return seat

    def count_unexpected(self, what: UnexpectedEvent) -> None:
        self.acd.strays[what] += 1

    # The end of the turn

    def match(self) -> None:
        """Until nobody can meet: the first call that some ready seat can serve goes to the best of these."""
        for ticket, seat in self._lines.pairs():
            self.offer(ticket, seat)

    def finish(self, *, rosters: bool = True) -> tuple[Effect, ...]:
        """Match, and hand over the effects; without rosters when the sign-ins came from the durable roster itself."""
        self.match()
        for seat_id, before in self._rosters.items():
            after = self.acd.seats[seat_id].sign_in()
            if rosters and after != before:
                self.effects.append(RosterChanged(seat_id, before, after))
        offered = {effect.call for effect in self.effects if isinstance(effect, Offer)}
        if offered:
            self.effects = [
                replace(e, back_to_wait=False) if isinstance(e, Withdraw) and e.call in offered else e
                for e in self.effects
            ]
        return tuple(self.effects)

    def _note_roster(self, seat: Seat) -> None:
        self._rosters.setdefault(seat.id, seat.sign_in())


def node_of(call: CallId, default: NodeId) -> NodeId:
    """The switch a call is on: the first part of its id."""
    node, dash, _ = call.rpartition("-")
    return NodeId(node) if dash else default
