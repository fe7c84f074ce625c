"""The live counters as Prometheus metrics.

One job: names and types. Nothing is counted here: families are made from the counters when somebody scrapes, so a call
costs nothing more for being monitored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from ledger.live import WAIT_BOUNDS, Live, shown
from orders.model import OVER, OrderState
from orders.serialisation import STEPS
from orders.service import Orders
from queues.acd import Acd
from queues.model import TicketPhase, UnexpectedEvent
from queues.states import AgentState


def text(acd: Acd, live: Live, orders: Orders, uses: Iterable[tuple[str, int, int]] = ()) -> tuple[bytes, str]:
    """The exposition, and its content type. ``uses``: a limit, what is used of it, and how much it is."""
    registry = CollectorRegistry()
    registry.register(_Families(acd, live, orders, tuple(uses)))
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Families(Collector):
    def __init__(self, acd: Acd, live: Live, orders: Orders, uses: tuple[tuple[str, int, int], ...]) -> None:
        self._uses = uses
        self._acd = acd
        self._live = live
        self._orders = orders

    def collect(self) -> Iterator[Metric]:
        counts = self._live.since_start
        calls = CounterMetricFamily(
            "hotline_calls", "Calls since the engine's start, by how they went.", labels=["fate"]
        )
        calls.add_metric(["answered"], counts.answered)
        calls.add_metric(["abandoned"], counts.abandoned)
        calls.add_metric(["short_abandoned"], counts.short_abandoned)
        yield calls
        in_time = CounterMetricFamily(
            "hotline_answered_in_time", "Calls answered within the city's seconds.", labels=["since"]
        )
        in_time.add_metric(["ring"], counts.in_time_from_ring)
        in_time.add_metric(["prompt"], counts.in_time_from_prompt)
        yield in_time
        bounds = [*map(str, WAIT_BOUNDS), "+Inf"]
        yield HistogramMetricFamily(
            "hotline_answer_seconds", "From ring to the human.",
            list(zip(bounds, accumulate(self._live.waits), strict=True)), sum_value=counts.wait_ms / 1000,
        )  # fmt: skip
        tickets = Counter(ticket.phase for ticket in self._acd.tickets.values())
        yield _gauge("hotline_queue_calls", "Calls in the ACD now.", "phase", {p: tickets[p] for p in TicketPhase})
        lines = Counter(t.group for t in self._acd.tickets.values() if t.phase is TicketPhase.WAITING)
        yield _gauge("hotline_waiting_calls", "Calls waiting now, by group.", "group", lines)
        strays = CounterMetricFamily(
            "hotline_strays", "News of the switch that came late, twice or, healed, not at all.", labels=["kind"]
        )
        for kind in UnexpectedEvent:
            strays.add_metric([kind], self._acd.strays[kind])
        yield strays
        seats = Counter(seat.state for seat in self._acd.seats.values())
        yield _gauge("hotline_seats", "Seats now, by state.", "state", {state: seats[state] for state in AgentState})
        yield _gauge(
            "hotline_limit_used", "In use of each limit.", "limit", {name: used for name, used, _ in self._uses}
        )
        yield _gauge("hotline_limit", "The limit.", "limit", {name: most for name, _, most in self._uses})
        yield from self._urgent()
        for name, value in shown(self._live.window.whole).items():
            if value is not None:
                yield GaugeMetricFamily(f"hotline_day_{name}", f"{name} of the last 24 hours.", value)

    def _urgent(self) -> Iterator[Metric]:
        held = self._orders.book.open()
        states = Counter(order.state for order in held)
        open_ = {state: states[state] for state in OrderState if state not in OVER}
        yield _gauge("hotline_orders", "Urgent orders that are not over, by state.", "state", open_)
        late = sum(order.overdue for order in held)
        yield GaugeMetricFamily("hotline_orders_overdue", "Urgent orders nobody took or finished in time.", late)
        steps = CounterMetricFamily(
            "hotline_order_steps", "What became of urgent orders since the engine's start.", labels=["step"]
        )
        for step in STEPS:
            steps.add_metric([step], self._orders.counts[step])
        yield steps


def _gauge(name: str, help_: str, label: str, values: Mapping[Any, int]) -> Metric:
    family = GaugeMetricFamily(name, help_, labels=[label])
    for key, value in values.items():
        family.add_metric([str(key)], value)
    return family
