"""The choice of the ACD once more: slow, obvious, and sharing nothing with it but its data."""

from __future__ import annotations

from collections.abc import Mapping

from queues.acd import Acd, Seat, Ticket
from queues.model import TicketPhase
from queues.states import AgentState
from telephony.model import GroupId, SeatId


def asks(ticket: Ticket, now: int) -> set[GroupId]:
    """Groups that may answer this call now."""
    return {ticket.group} | {g for seconds, g in ticket.overflow if now - ticket.joined_ms >= seconds * 1000}


def line(tickets: list[Ticket]) -> list[Ticket]:
    """Who comes first."""
    return sorted(tickets, key=lambda t: (-t.priority, t.since_ms, int(t.call.rpartition(".")[2])))


def held(ticket: Ticket, now: int) -> bool:
    return ticket.held_until_ms is not None and ticket.held_until_ms > now


def possible(acd: Acd, now: int) -> list[tuple[str, str]]:
    """Pairs of a waiting call and a ready seat that could meet: must be empty after every turn."""
    return [
        (ticket.call, seat.id)
        for ticket in acd.tickets.values()
        if ticket.phase is TicketPhase.WAITING and not held(ticket, now)
        for seat in acd.seats.values()
        if seat.state is AgentState.READY and asks(ticket, now) & set(seat.groups)
    ]


def choose(tickets: list[Ticket], seats: list[Seat], idle: Mapping[SeatId, int], now: int) -> list[tuple[str, str]]:
    """(call, seat): each call in its order takes the longest idle seat that serves it."""
    free = sorted(seats, key=lambda s: (idle[s.id], s.id))
    chosen: list[tuple[str, str]] = []
    for ticket in line(tickets):
        for seat in free:
            if asks(ticket, now) & set(seat.groups):
                chosen.append((ticket.call, seat.id))
                free.remove(seat)
                break
    return chosen
