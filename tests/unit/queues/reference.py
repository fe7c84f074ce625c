"""The choice of the ACD once more: slow, obvious, and sharing nothing with it but its data."""

from __future__ import annotations

from collections.abc import Mapping

from queues.acd import Acd, Seat, Ticket
from queues.model import TicketPhase
from queues.states import AgentState
from telephony.model import GroupId, OverflowTo, OverflowWhen, SeatId

ANY = GroupId("*")


def asks(acd: Acd, ticket: Ticket, now: int) -> set[GroupId]:
    """Groups that may answer this call now."""
    waited = now - ticket.joined_ms
    groups = {ticket.group} | {g for seconds, g in ticket.overflow if waited >= seconds * 1000}
    for index, row in enumerate(acd.policy.of(ticket.group).overflow):
        by_time = row.when is OverflowWhen.WAITED and waited >= row.value * 1000
        if by_time or index in ticket.rows:
            groups |= {GroupId(row.target)} if row.to is OverflowTo.GROUP else set()
            groups |= {ANY} if row.to is OverflowTo.EVERYONE else set()
    return groups


def level(acd: Acd, ticket: Ticket, seat: Seat, now: int) -> int | None:
    """How well this seat suits this call now, 0 best; None = it may not answer it."""
    if ticket.preferred is not None:
        if seat.agent == ticket.preferred:
            return 0
        if now < ticket.preferred_until_ms:
            return None
    found = []
    for group in asks(acd, ticket, now):
        if group == ANY:
            found.append(100)
        elif group in seat.groups and (now >= ticket.language_until_ms or ticket.language in seat.languages):
            seconds, its = acd.policy.of(group).level_seconds, min(seat.levels.get(group, 1), acd.policy.levels)
            if not seconds or now - ticket.joined_ms >= (its - 1) * seconds * 1000:
                found.append(its)
    return min(found, default=None)


def line(acd: Acd, tickets: list[Ticket]) -> list[Ticket]:
    """Who comes first."""

    def age(ticket: Ticket) -> int:
        starts = {k: v for k, v in acd.policy.head_start_seconds.items() if k <= ticket.priority}
        return ticket.since_ms - (starts[max(starts)] * 1000 if starts else 0)

    return sorted(tickets, key=lambda t: (age(t), int(t.call.rpartition(".")[2])))


def held(ticket: Ticket, now: int) -> bool:
    return ticket.held_until_ms is not None and ticket.held_until_ms > now


def possible(acd: Acd, now: int) -> list[tuple[str, str]]:
    """Pairs of a waiting call and a ready seat that could meet: must be empty after every turn."""
    return [
        (ticket.call, seat.id)
        for ticket in acd.tickets.values()
        if ticket.phase is TicketPhase.WAITING and not held(ticket, now)
        for seat in acd.seats.values()
        if seat.state is AgentState.READY and level(acd, ticket, seat, now) is not None
    ]


def choose(
    acd: Acd, tickets: list[Ticket], seats: list[Seat], idle: Mapping[SeatId, int], now: int
) -> list[tuple[str, str]]:
    """(call, seat): each call in its order takes the best seat that may answer it, of equals the longest idle."""
    free = sorted(seats, key=lambda s: s.id)
    chosen: list[tuple[str, str]] = []
    for ticket in line(acd, tickets):
        could = [(its, idle[s.id], s.id, s) for s in free if (its := level(acd, ticket, s, now)) is not None]
        if could:
            seat = min(could)[-1]
            chosen.append((ticket.call, seat.id))
            free.remove(seat)
    return chosen
