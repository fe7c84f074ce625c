"""What happens to calls: they join, are offered, ring, are answered or not, and leave.

One job: the meaning of what the switch says about calls. Its messages may come late, twice or out of order; each is
believed when it can be true and counted as a stray when it cannot.
"""

from __future__ import annotations

from queues.acd import Ticket, ticket_rank
from queues.model import (
    Answered,
    NotAnswered,
    Ringing,
    Stray,
    TalkEnded,
    TicketJoined,
    TicketLeft,
    TicketPhase,
    Why,
)
from queues.states import AgentState
from queues.turn import OFFERED, Turn, node_of


def joined(turn: Turn, event: TicketJoined) -> None:
    """A call waits, newly or still."""
    ticket = turn.acd.tickets.get(event.call)
    if ticket is None:
        ticket = new_ticket(turn, event, turn.now)
        turn.queue(ticket, again=False)
    elif ticket.phase is TicketPhase.OFFERED:
        turn.stray(Stray.JOINED_WHILE_OFFERED)
    elif ticket.phase is TicketPhase.TALKING:
        turn.stray(Stray.JOINED_WHILE_TALKING)
        end_talk(turn, ticket)
        ticket = new_ticket(turn, event, turn.now, since_ms=ticket.since_ms)
        turn.queue(ticket, again=True)
    else:
        _change(turn, ticket, event)


def new_ticket(turn: Turn, event: TicketJoined, joined_ms: int, since_ms: int | None = None) -> Ticket:
    """A ticket for this call, in no line yet; ``since_ms`` of a call already known wins over the event's."""
    since = event.since_ms if since_ms is None else since_ms
    ticket = Ticket(
        call=event.call,
        node=node_of(event.call, turn.acd.node),
        channel=event.channel,
        group=event.group,
        priority=event.priority,
        since_ms=since,
        joined_ms=joined_ms,
        overflow=event.overflow,
        rank=ticket_rank(event.call, event.priority, since),
    )
    turn.acd.tickets[event.call] = ticket
    return ticket


def _change(turn: Turn, ticket: Ticket, event: TicketJoined) -> None:
    """A waiting call says again what it waits for; only what differs changes, and never its age."""
    ticket.channel = event.channel or ticket.channel
    if (event.group, event.priority, event.overflow) == (ticket.group, ticket.priority, ticket.overflow):
        return
    turn.unindex(ticket)
    if event.group != ticket.group:
        ticket.joined_ms = turn.now
    ticket.group, ticket.priority, ticket.overflow = event.group, event.priority, event.overflow
    ticket.rank = ticket_rank(ticket.call, ticket.priority, ticket.since_ms)
    turn.queue(ticket, again=True)


def left(turn: Turn, event: TicketLeft) -> None:
    """The caller is gone, or is somebody else's. The seat that was to take the call keeps its place in the line."""
    ticket = turn.acd.tickets.get(event.call)
    if ticket is None:
        return
    if ticket.phase is TicketPhase.OFFERED:
        seat = turn.withdraw(ticket, Why.CALLER_LEFT, back_to_wait=False)
        turn.forget(ticket)
        turn.rest(seat, Why.CALLER_LEFT)
    elif ticket.phase is TicketPhase.TALKING:
        end_talk(turn, ticket)
    else:
        turn.forget(ticket)


def ringing(turn: Turn, event: Ringing) -> None:
    """The offered phone rings."""
    ticket = turn.acd.tickets.get(event.call)
    seat = turn.acd.seats.get(event.seat)
    if ticket is not None and seat is not None and seat.call == ticket.call and seat.state is AgentState.RESERVED:
        turn.move(seat, AgentState.RINGING, Why.RINGING, seat.until_ms)
    else:
        turn.stray(Stray.RINGING)


def answered(turn: Turn, event: Answered) -> None:
    """A human answered. Whatever we believed of this call and this seat, they talk with each other now."""
    ticket = turn.acd.tickets.get(event.call)
    if ticket is None:
        turn.stray(Stray.ANSWERED_UNKNOWN_CALL)
        return
    seat = turn.seat(event.seat)
    if seat.call == ticket.call:
        if ticket.phase is TicketPhase.TALKING:
            turn.stray(Stray.ANSWERED_TWICE)
        else:
            turn.connect(ticket, seat)
        return
    turn.stray(Stray.ANSWERED_WITHOUT_OFFER)
    if ticket.phase is TicketPhase.OFFERED:
        other_seat = turn.withdraw(ticket, Why.ANSWERED_ELSEWHERE, back_to_wait=False)
        turn.rest(other_seat, Why.ANSWERED_ELSEWHERE)
    elif ticket.phase is TicketPhase.TALKING:
        turn.wrap_up(turn.part(ticket), ticket.served_by)
    ticket.served_by = None
    if seat.call is not None:
        other = turn.acd.tickets[seat.call]
        if seat.state in OFFERED:
            turn.withdraw(other, Why.ANSWERED_ELSEWHERE, back_to_wait=True)
            turn.connect(ticket, seat)
            turn.queue(other, again=True)
            return
        turn.stray(Stray.TALK_REPLACED)
        turn.part(other)
        turn.forget(other)
    turn.connect(ticket, seat)


def not_answered(turn: Turn, event: NotAnswered) -> None:
    """The offered seat did not take the call."""
    ticket = turn.acd.tickets.get(event.call)
    if ticket is not None and ticket.phase is TicketPhase.OFFERED and ticket.seat == event.seat:
        turn.fail(ticket, event.why)
    else:
        turn.stray(Stray.NOT_ANSWERED)


def talk_ended(turn: Turn, event: TalkEnded) -> None:
    """Caller and agent parted."""
    ticket = turn.acd.tickets.get(event.call)
    if ticket is not None and ticket.phase is TicketPhase.TALKING and ticket.seat == event.seat:
        end_talk(turn, ticket)
    else:
        turn.stray(Stray.TALK_ENDED)


def end_talk(turn: Turn, ticket: Ticket) -> None:
    """The call is nobody's any more, its seat wraps up."""
    seat = turn.part(ticket)
    turn.forget(ticket)
    turn.wrap_up(seat, ticket.served_by)
