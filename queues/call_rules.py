"""What happens to calls: they join, are offered, ring, are answered or not, and leave.

One job: the meaning of what the switch says about calls. Its messages may come late, twice or out of order; each is
believed when it can be true and counted as a stray when it cannot.
"""

from __future__ import annotations

from queues.acd import Ticket, ticket_rank
from queues.effects import Moved
from queues.events import (
    Answered,
    CalledOut,
    CallHeld,
    CallResumed,
    MoveCall,
    NotAnswered,
    Ringing,
    TalkEnded,
    TicketJoined,
    TicketLeft,
)
from queues.model import NotAllowed, OfferFailure, SeatReason, TicketPhase, UnexpectedEvent
from queues.states import OFFERED, WORKING, AgentState
from queues.transaction import AcdTransaction, node_of
from telephony.model import AgentId


def joined(turn: AcdTransaction, event: TicketJoined) -> None:
    """A call waits, newly or still."""
    ticket = turn.acd.tickets.get(event.call)
    if ticket is None:
        ticket = new_ticket(turn, event, turn.now)
        turn.queue(ticket, again=False)
    elif ticket.phase is TicketPhase.OFFERED:
        if ticket.channel:
            turn.count_unexpected(UnexpectedEvent.JOINED_WHILE_OFFERED)
        else:  # a callback whose citizen has answered: the seat is held for it
            ticket.channel = event.channel
    elif ticket.phase is TicketPhase.TALKING:
        turn.count_unexpected(UnexpectedEvent.JOINED_WHILE_TALKING)
        end_talk(turn, ticket)
        ticket = new_ticket(turn, event, turn.now, since_ms=ticket.since_ms)
        turn.queue(ticket, again=True)
    else:
        _change(turn, ticket, event)


def new_ticket(turn: AcdTransaction, event: TicketJoined, joined_ms: int, since_ms: int | None = None) -> Ticket:
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
        rank=ticket_rank(event.call, since, turn.acd.policy.head_start_ms(event.priority)),
        preferred=event.preferred,
        language=event.language,
    )
    if event.preferred is not None and _at_work(turn, event.preferred):
        ticket.preferred_until_ms = joined_ms + turn.acd.policy.of(event.group).preferred_seconds * 1000
    _insist(turn, ticket)
    turn.acd.tickets[event.call] = ticket
    return ticket


def wish_of(ticket: Ticket) -> TicketJoined:
    """What a call said when it joined."""
    return TicketJoined(
        ticket.call,
        ticket.group,
        ticket.since_ms,
        ticket.priority,
        ticket.overflow,
        ticket.channel,
        ticket.preferred,
        ticket.language,
    )


def _insist(turn: AcdTransaction, ticket: Ticket) -> None:
    """Wait for somebody who speaks the language, if there is anybody to wait for."""
    spoken = ticket.language and turn.acd.speakers[ticket.language]
    seconds = turn.acd.policy.of(ticket.group).language_seconds
    ticket.language_until_ms = ticket.joined_ms + seconds * 1000 if spoken else 0


def _at_work(turn: AcdTransaction, agent: AgentId) -> bool:
    """Ready, or busy with a call that will end: worth waiting for."""
    seat_id = turn.acd.seat_of.get(agent)
    if seat_id is None:
        return False
    seat = turn.acd.seats[seat_id]
    return seat.state in WORKING and seat.pause is None and not seat.leaving


def _change(turn: AcdTransaction, ticket: Ticket, event: TicketJoined) -> None:
    """A waiting call says again what it waits for; only what differs changes, and never its age."""
    ticket.channel = event.channel or ticket.channel
    stale = ticket.moved_from is not None and event.group == ticket.moved_from
    group, overflow = (ticket.group, ticket.overflow) if stale else (event.group, event.overflow)
    if (group, event.priority, overflow, event.language) == (
        ticket.group,
        ticket.priority,
        ticket.overflow,
        ticket.language,
    ):
        return
    turn.unindex(ticket)
    if group != ticket.group:
        _regroup(turn, ticket)
    ticket.group, ticket.overflow, ticket.language = group, overflow, event.language
    _insist(turn, ticket)
    ticket.priority = event.priority
    ticket.rank = turn.rank(ticket)
    turn.queue(ticket, again=True)


def moved(turn: AcdTransaction, event: MoveCall) -> None:
    """Wait for another group, at the same age; widening begins anew there."""
    ticket = turn.acd.tickets.get(event.call)
    if ticket is None:
        raise NotAllowed(f"来电{event.call}不在排队中，不能移到别的技能组；用 hotline queues list 查看排队中的来电")
    if ticket.phase is TicketPhase.TALKING:
        raise NotAllowed(f"来电{event.call}已在座席{ticket.seat}通话中，不能移动；请座席转接")
    if ticket.group == event.group:
        raise NotAllowed(f"来电{event.call}已在技能组{event.group}排队")
    seat = None
    if ticket.phase is TicketPhase.OFFERED:
        seat = turn.withdraw(ticket, SeatReason.MOVED_CALL, back_to_wait=True)
    turn.unindex(ticket)
    old = ticket.group
    _regroup(turn, ticket)
    ticket.group, ticket.overflow, ticket.moved_from = event.group, event.overflow, old
    _insist(turn, ticket)
    turn.effects.append(Moved(ticket.call, ticket.channel, ticket.node, old, ticket.group, ticket.overflow))
    turn.queue(ticket, again=True)
    if seat is not None:
        turn.settle_state(seat, SeatReason.MOVED_CALL)


def _regroup(turn: AcdTransaction, ticket: Ticket) -> None:
    """What belongs to the wait for one group is over."""
    turn.uncount(ticket)
    ticket.joined_ms, ticket.rows, ticket.resort_after_ms, ticket.newcomer = turn.now, frozenset(), 0, True
    ticket.preferred_until_ms = 0


def left(turn: AcdTransaction, event: TicketLeft) -> None:
    """The caller is gone, or is somebody else's. The seat that was to take the call keeps its place in the line."""
    ticket = turn.acd.tickets.get(event.call)
    if ticket is None:
        return
    if ticket.phase is TicketPhase.OFFERED:
        seat = turn.withdraw(ticket, SeatReason.CALLER_LEFT, back_to_wait=False)
        turn.forget(ticket)
        turn.settle_state(seat, SeatReason.CALLER_LEFT)
    elif ticket.phase is TicketPhase.TALKING:
        end_talk(turn, ticket)
    else:
        turn.forget(ticket)


def ringing(turn: AcdTransaction, event: Ringing) -> None:
    """The offered phone rings."""
    ticket = turn.acd.tickets.get(event.call)
    seat = turn.acd.seats.get(event.seat)
    if ticket is not None and seat is not None and seat.call == ticket.call and seat.state is AgentState.RESERVED:
        turn.move(seat, AgentState.RINGING, SeatReason.RINGING, seat.until_ms)
    else:
        turn.count_unexpected(UnexpectedEvent.RINGING)


def answered(turn: AcdTransaction, event: Answered) -> None:
    """A human answered. Whatever we believed of this call and this seat, they talk with each other now."""
    ticket = turn.acd.tickets.get(event.call)
    if ticket is None:
        turn.count_unexpected(UnexpectedEvent.ANSWERED_UNKNOWN_CALL)
        return
    seat = turn.seat(event.seat)
    if seat.call == ticket.call:
        if ticket.phase is TicketPhase.TALKING:
            turn.count_unexpected(UnexpectedEvent.ANSWERED_TWICE)
        else:
            turn.connect(ticket, seat)
        return
    turn.count_unexpected(UnexpectedEvent.ANSWERED_WITHOUT_OFFER)
    if ticket.phase is TicketPhase.OFFERED:
        other_seat = turn.withdraw(ticket, SeatReason.ANSWERED_ELSEWHERE, back_to_wait=False)
        turn.settle_state(other_seat, SeatReason.ANSWERED_ELSEWHERE)
    elif ticket.phase is TicketPhase.TALKING:
        turn.wrap_up(turn.end_talk(ticket), ticket.served_by)
    ticket.served_by = None
    if seat.call is not None:
        other = turn.acd.tickets[seat.call]
        if seat.state in OFFERED:
            turn.withdraw(other, SeatReason.ANSWERED_ELSEWHERE, back_to_wait=True)
            turn.connect(ticket, seat)
            turn.queue(other, again=True)
            return
        turn.count_unexpected(UnexpectedEvent.TALK_REPLACED)
        turn.end_talk(other)
        turn.forget(other)
    turn.connect(ticket, seat)


def called_out(turn: AcdTransaction, event: CalledOut) -> None:
    """An agent talks with somebody whom it has called."""
    if event.call not in turn.acd.tickets:
        joined = TicketJoined(event.call, event.group, event.since_ms, channel=event.channel)
        ticket = new_ticket(turn, joined, turn.now)
        seat = turn.seat(event.seat)
        if seat.call is None:
            turn.connect(ticket, seat)
            return
    answered(turn, Answered(event.call, event.seat))


def not_answered(turn: AcdTransaction, event: NotAnswered) -> None:
    """The offered seat did not take the call."""
    ticket = turn.acd.tickets.get(event.call)
    if ticket is not None and ticket.phase is TicketPhase.OFFERED and ticket.seat == event.seat:
        turn.offer_failed(ticket, event.why)
    else:
        turn.count_unexpected(UnexpectedEvent.NOT_ANSWERED)


def talk_ended(turn: AcdTransaction, event: TalkEnded) -> None:
    """Caller and agent parted."""
    ticket = turn.acd.tickets.get(event.call)
    if ticket is None or ticket.phase is not TicketPhase.TALKING or ticket.seat != event.seat:
        turn.count_unexpected(UnexpectedEvent.TALK_ENDED)
        return
    short_ms = turn.acd.policy.of(ticket.served_by or ticket.group).short_talk_seconds * 1000
    if event.by_agent and turn.now - ticket.talk_since_ms < short_ms:
        turn.not_responding(turn.end_talk(ticket), OfferFailure.CUT_SHORT)
        turn.queue(ticket, again=True)
    else:
        end_talk(turn, ticket)


def held(turn: AcdTransaction, event: CallHeld) -> None:
    """The caller hears music, and counts as in a talk."""
    seat = turn.acd.seats.get(event.seat)
    if seat is not None and seat.call == event.call and seat.state is AgentState.TALKING:
        turn.move(seat, AgentState.HOLD, SeatReason.HELD, turn.now + turn.acd.policy.hold_alarm_seconds * 1000)
    else:
        turn.count_unexpected(UnexpectedEvent.HELD)


def resumed(turn: AcdTransaction, event: CallResumed) -> None:
    """The agent is back."""
    seat = turn.acd.seats.get(event.seat)
    if seat is not None and seat.call == event.call and seat.state is AgentState.HOLD:
        turn.move(seat, AgentState.TALKING, SeatReason.RESUMED)
    else:
        turn.count_unexpected(UnexpectedEvent.HELD)


def end_talk(turn: AcdTransaction, ticket: Ticket) -> None:
    """The call is nobody's any more, its seat wraps up."""
    seat = turn.end_talk(ticket)
    turn.forget(ticket)
    turn.wrap_up(seat, ticket.served_by)
