"""The state again, from what the switch shows.

One job: after a start or a lost link, build the memory as it would have been. Calls keep their ages and so their order;
those who talk or ring are left in peace; who wrapped up or did not respond is ready again. Equal pictures give equal
states, in whatever order they are listed.
"""

from __future__ import annotations

from collections.abc import Iterable

from queues.acd import Acd, TicketRank, ticket_rank
from queues.call_rules import new_ticket
from queues.effects import Effect, LastResort
from queues.events import SeatSeen, TicketSeen
from queues.model import SeatReason, TicketPhase, UnexpectedEvent
from queues.policy import Policy
from queues.rules import expire
from queues.states import AgentState
from queues.transaction import AcdTransaction
from telephony.model import NodeId, SeatId


def restore(
    node: NodeId,
    policy: Policy,
    seats: Iterable[SeatSeen],
    tickets: Iterable[TicketSeen],
    now: int,
) -> tuple[Acd, tuple[Effect, ...]]:
    """Rebuild at ``now`` (unix ms); the effects are only what is to be done (offers); read the rest from the state."""
    turn = AcdTransaction(Acd(node, policy), now)
    seen_seats = sorted(seats, key=lambda seen: seen.seat)
    for seen_seat in seen_seats:
        _sign_in(turn, seen_seat)
    for seen in sorted(tickets, key=lambda seen: _talking_first(policy, seen)):
        if seen.ticket.call in turn.acd.tickets:
            turn.count_unexpected(UnexpectedEvent.RESTORE_CONFLICT)
        elif seen.phase is TicketPhase.TALKING:
            _resume_talk(turn, seen)
        else:
            _resume_wait(turn, seen)
    for seen_seat in seen_seats:
        _see_phone(turn, seen_seat)
    turn.effects = [effect for effect in turn.effects if isinstance(effect, LastResort)]
    expire(turn)
    return turn.acd, turn.finish(rosters=False)


_PHASES = (TicketPhase.TALKING, TicketPhase.OFFERED, TicketPhase.WAITING)


def _talking_first(policy: Policy, seen: TicketSeen) -> tuple[int, TicketRank, SeatId]:
    ticket = seen.ticket
    rank = ticket_rank(ticket.call, ticket.since_ms, policy.head_start_ms(ticket.priority))
    return (_PHASES.index(seen.phase), rank, seen.seat or SeatId(""))


def _sign_in(turn: AcdTransaction, seen: SeatSeen) -> None:
    """Put the agent there as if ready; pause and phone follow when the calls have their seats."""
    known = turn.acd.seats.get(seen.seat)
    if known is not None:
        turn.count_unexpected(UnexpectedEvent.RESTORE_CONFLICT)
        return
    seat = turn.seat(seen.seat)
    seat.site = seen.site
    if seen.sign_in is None:
        return
    if seen.sign_in.agent in turn.acd.seat_of:
        turn.count_unexpected(UnexpectedEvent.RESTORE_CONFLICT)
        return
    turn.sign_in(seat, seen.sign_in.agent, seen.sign_in.groups, None, seen.levels, seen.languages)
    turn.settle_state(seat, SeatReason.RESTORED)
    if seen.idle_since_ms is not None:
        turn.idle_since(seat, seen.idle_since_ms)


def _see_phone(turn: AcdTransaction, seen: SeatSeen) -> None:
    seat = turn.acd.seats[seen.seat]
    seat.reachable, seat.in_use = seen.reachable, seen.in_use
    if seen.sign_in is not None and seat.agent == seen.sign_in.agent:
        seat.pause = seen.sign_in.pause
    if seat.state is AgentState.READY:
        turn.settle_state(seat, SeatReason.RESTORED)


def _resume_talk(turn: AcdTransaction, seen: TicketSeen) -> None:
    """A call that talks is never queued, even if its seat is claimed by another call too."""
    if seen.seat is None or turn.seat(seen.seat).call is not None:
        turn.count_unexpected(UnexpectedEvent.RESTORE_CONFLICT)
        return
    ticket = new_ticket(turn, seen.ticket, _joined(seen))
    turn.connect(ticket, turn.seat(seen.seat))
    if seen.talk_since_ms is not None:
        ticket.talk_since_ms = turn.seat(seen.seat).talk_since_ms = seen.talk_since_ms


def _resume_wait(turn: AcdTransaction, seen: TicketSeen) -> None:
    """A call waits, or is on its way to a seat: then with a new reservation, from now."""
    ticket = new_ticket(turn, seen.ticket, _joined(seen))
    ticket.newcomer = False
    turn.queue(ticket, again=True)
    if seen.phase is not TicketPhase.OFFERED or seen.seat is None:
        return
    seat = turn.acd.seats.get(seen.seat)
    if seat is not None and seat.state is AgentState.READY:
        turn.reserve(ticket, seat)
    else:
        turn.count_unexpected(UnexpectedEvent.RESTORE_CONFLICT)


def _joined(seen: TicketSeen) -> int:
    return seen.ticket.since_ms if seen.joined_ms is None else seen.joined_ms
