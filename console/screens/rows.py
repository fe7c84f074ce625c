"""The engine as pages watch it: every topic of console/screens/topics.py, as rows.

One job: read and shape. It changes nothing. An agent's own desk: console/screens/agent_desk.py; when rows are made
again: console/screens/changes.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, assert_never

from console.screens.agent_desk import call_row, desk
from console.screens.changes import ChangeTracker
from console.screens.live_board import agent_row
from console.screens.sources import ScreenSources
from console.screens.topics import Changed, Row, Rows, Topic
from queues.acd import Seat
from queues.labels_zh import STATE
from queues.model import TicketPhase
from routing.model import Trunk
from telephony.model import AgentId, CallId
from transfers.service import OVER


class EngineScreens:
    """Of one node."""

    def __init__(self, rooms: ScreenSources) -> None:
        self._rooms = rooms
        self.stirred = stirred = ChangeTracker(lambda: rooms.queues.acd, rooms.calls)
        rooms.queues.listeners.append(stirred.effect)
        rooms.calls.fact_listeners.append(stirred.fact)
        rooms.calls.ended.append(stirred.ended)
        rooms.transfers.moved.append(stirred.transfer)
        rooms.alarms.changed = lambda: stirred.mark(Topic.ALARMS)
        rooms.routes.changed = lambda: stirred.mark(Topic.ROUTES)
        rooms.drills.changed = lambda: stirred.mark(Topic.DRILLS)

    def watch(self, wake: Callable[[], None] | None) -> None:
        self.stirred.watch(wake)

    def changed(self) -> Changed:
        return self.stirred.take()

    def desk(self, agent: AgentId) -> Rows:
        """The topic ``me`` of this agent."""
        return desk(self._rooms, agent)

    def rows(self, topic: Topic) -> Rows:
        """All of a topic; of ``me`` nothing, which is nobody's in particular."""
        rooms = self._rooms
        match topic:
            case Topic.ME:
                return {}
            case Topic.AGENTS:
                seats = rooms.queues.acd.seats.values()
                return {seat.agent: self._agent(seat) for seat in seats if seat.agent is not None}
            case Topic.CALLS:
                return {call: row for call in rooms.queues.acd.tickets if (row := self._call(call)) is not None}
            case Topic.GROUPS:
                return self._groups()
            case Topic.MEASURES:
                return rooms.live.measures(self._names())
            case Topic.ROUTES:
                return dict(self._routes())
            case Topic.ALARMS:
                return {
                    alarm.key: {"text": alarm.text, "since_ms": _ms(alarm.since.timestamp()), "grave": alarm.grave}
                    for alarm in rooms.alarms.standing.values()
                }
            case Topic.ANNOUNCEMENTS:
                return {row["id"]: row for row in rooms.announcements.told()}
            case Topic.WORK:
                return self._work()
            case Topic.DRILLS:
                return rooms.drills.rows()
            case _:
                assert_never(topic)

    def row(self, topic: Topic, key: str) -> Row | None:
        """One row of a topic; None when there is none."""
        acd = self._rooms.queues.acd
        if topic is Topic.AGENTS:
            seat = acd.seat_of.get(AgentId(key))
            return None if seat is None else self._agent(acd.seats[seat])
        if topic is Topic.CALLS:
            return self._call(CallId(key))
        return self.rows(topic).get(key)

    def _names(self) -> dict[str, str]:
        return {group.id: group.name for group in self._rooms.snapshot.groups.values()}

    def _agent(self, seat: Seat) -> dict[str, Any]:
        row = self._rooms.snapshot.agents.get(seat.agent or "")
        return agent_row(seat) | {
            "name": row.name if row is not None else "",
            "supervisor": row is not None and row.supervisor,
            "words": STATE[seat.state],
            "groups": list(seat.groups),
            "site": seat.site,
        }

    def _call(self, call: CallId) -> Row | None:
        ticket = self._rooms.queues.acd.tickets.get(call)
        if ticket is None:
            return None
        seat = self._rooms.queues.acd.seats.get(ticket.seat) if ticket.seat is not None else None
        held = self._rooms.calls.live.get(call)
        shown = {} if held is None else call_row(self._rooms, held)
        return shown | {
            "call": call,
            "phase": ticket.phase,
            "group": ticket.group,
            "priority": ticket.priority,
            "since_ms": ticket.since_ms,
            "rank_ms": ticket.rank[0],
            "talk_since_ms": ticket.talk_since_ms if ticket.phase is TicketPhase.TALKING else None,
            "seat": ticket.seat,
            "agent": seat.agent if seat is not None else None,
        }

    def _groups(self) -> Rows:
        closed = self._rooms.supervision.closures.closed
        rows = self._rooms.live.now(self._names())
        return {key: row | {"closed": key in closed} for key, row in rows.items()}

    def _routes(self) -> Iterator[tuple[str, Row]]:
        table, busy = self._rooms.snapshot, Counter(
            one.trunk for one in self._rooms.transfers.transfers.values() if one.trunk and one.state not in OVER
        )  # fmt: skip

        def row(trunk: Trunk, target: str, kind: str, place: int) -> dict[str, Any]:
            known = self._rooms.routes.health.get(trunk.id)
            return {
                "target": target,
                "kind": kind,
                "name": trunk.name,
                "place": place,
                "up": known.up if known is not None else None,
                "since_ms": _ms(known.since.timestamp()) if known is not None else None,
                "calls": busy[trunk.id],
            }

        centres = [trunk for trunk in table.trunks.values() if trunk.role.startswith("emergency")]
        for trunk in sorted(centres, key=lambda trunk: (trunk.number, trunk.role, trunk.id)):
            yield trunk.id, row(trunk, trunk.number, "emergency", int(trunk.role != "emergency"))
        for partner in table.partners.values():
            for place, name in enumerate(partner.trunks):
                if (found := table.trunks.get(name)) is not None:
                    yield f"{partner.id}/{name}", row(found, partner.id, "partner", place) | {
                        "partner": partner.name, "key": partner.key,
                    }  # fmt: skip

    def _work(self) -> Rows:
        rooms = self._rooms
        messages = [one for one in rooms.mailbox.all() if one.open]
        return {
            "callbacks": {"open": len(rooms.callbacks.book.open())},
            "messages": {"open": len(messages), "overdue": len(rooms.mailbox.overdue())},
            "orders": {
                "open": len(rooms.orders.book.open()),
                "overdue": sum(order.overdue for order in rooms.orders.book.open()),
                **Counter(str(order.state) for order in rooms.orders.book.open()),
            },
        }


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
