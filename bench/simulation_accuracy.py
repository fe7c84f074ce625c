"""``python -m bench.simulation_accuracy``: a real floor on Asterisk against the simulation of the same arrivals.

One job: make a Poisson stream of calls with SIPp (times scaled down, so that minutes are enough), read from the ledger
when each caller asked for an agent and was answered, and run the same arrivals through the simulation. Twice:

* *same calls*: the talks, too, are those that the ledger tells; each caller's wait is compared with its own.
* *same arrivals*: talks are drawn anew in many runs; the real figures must lie where one more run would lie.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import socket
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from math import isfinite, nan, sqrt
from pathlib import Path
from statistics import fmean, median, quantiles, stdev
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench.seat_floor import floor
from bench.simulation_accuracy_report import NEAR_SECONDS, RING_SECONDS, Agreement, Plan, rows, write
from bench.systems_under_test import Name, Side, sign_in_all
from calls.policy_from_table import policy_from_table
from config.settings import ROOT
from ledger.model import Fact, Kind
from phones.load import CalleeLoad, CallerLoad
from queues.events import AgentSignedIn, TicketJoined
from queues.forecasting.erlang import erlang_c
from queues.forecasting.figures import estimate, figures, occupancy, student
from queues.forecasting.scenario import Arrival, Duration, Habits, Scenario, Shape, Shift
from queues.forecasting.simulation import Fate, Run, simulate
from telephony.model import AgentId, CallId, GroupId, SeatId
from tests.support.ports import free_ports
from tests.support.product import Product, product

LAST_WAIT_SECONDS: Final = 90.0
"""The longest that a caller of a run may take from INVITE to the other side's BYE."""

RUNS: Final = 200


@dataclass(frozen=True, slots=True)
class Told:
    """One caller, as the ledger tells it: unix ms."""

    call: CallId
    asked: int
    offered: int
    answered: int
    talk_ms: int


async def measure(plan: Plan, running: Product) -> Agreement:
    """Make the calls on a running floor and hold them against the simulation."""
    settings = running.settings
    users = {seat: running.credentials.seat_passwords[seat] for seat in running.table.seats}
    port = free_ports(1, socket.SOCK_DGRAM)[0]
    seats = CalleeLoad(
        settings.bind, settings.seat_sip_port, local_port=port, users=users, ring=RING_SECONDS, talks=plan.talks()
    )
    async with seats:
        await sign_in_all(running, len(users))
        callers = CallerLoad(
            settings.bind, settings.sip_port, arrivals=plan.arrivals(), patience=LAST_WAIT_SECONDS,
            at_once=plan.calls + 1,
        )  # fmt: skip
        tally = await callers.run()
        await Side(Name.PRODUCT, running).quiet()
    calls = await running.calls(limit=tally.created + 1)
    told = [found for call in calls if (found := _told(await running.facts(call.call)))]
    return compare(plan, running, sorted(told, key=lambda one: one.asked))


def compare(plan: Plan, running: Product, told: Sequence[Told]) -> Agreement:
    """Both simulations of what the ledger tells."""
    ring = median(one.answered - one.offered for one in told) / 1000
    start, end = told[0].asked - 1, told[-1].asked + 1
    group = running.table.default_group

    def floor_of(arrivals: Sequence[Arrival], talk: Duration) -> Scenario:
        shifts = [
            Shift(AgentSignedIn(AgentId(agent), SeatId(seat), (GroupId(group),)))
            for agent, seat in zip(running.table.agents, running.table.seats, strict=True)
        ]
        return Scenario(
            "",
            start,
            end,
            shifts,
            arrivals,
            policy_from_table(running.table),
            Habits(talk, ring=Duration(ring, Shape.FIXED)),
        )

    wish = TicketJoined(CallId(""), GroupId(group), 0)
    same = [Arrival(one.asked, wish, talk_seconds=one.talk_ms / 1000) for one in told]
    drawn = [Arrival(one.asked, wish) for one in told]
    mean_talk = fmean(one.talk_ms for one in told) / 1000
    twin = simulate(floor_of(same, Duration(mean_talk)), plan.seed)
    runs = [simulate(floor_of(drawn, Duration(mean_talk)), seed) for seed in range(RUNS)]
    real = Run([Fate(one.call, one.asked, "", GroupId(group), one.offered, one.answered) for one in told], {})
    by_run = [_named(run, plan) for run in runs]
    real_figures = _named(real, plan)
    names = [name for name, value in real_figures.items() if isfinite(value)]
    spread = {name: [figures_of[name] for figures_of in by_run] for name in names}
    apart = [
        abs((ours.answered_ms or 0) - theirs.answered) / 1000 for ours, theirs in zip(twin.fates, told, strict=True)
    ]
    theory = erlang_c(plan.rate * (mean_talk + ring), plan.seats, mean_talk + ring)
    return Agreement(
        plan, RUNS, ring, plan.calls - len(told),
        {name: real_figures[name] for name in names},
        {name: value for name, value in _named(twin, plan).items() if name in names},
        {name: estimate(values).mean for name, values in spread.items()},
        {name: _one_more(values) for name, values in spread.items()},
        {"median": median(apart), "p95": quantiles(apart, n=20)[-1]},
        sum(1 for one in apart if one < NEAR_SECONDS) / len(apart),
        {"wait_share": theory.wait_share, "answer_seconds": theory.answer_seconds + ring},
    )  # fmt: skip


def _named(run: Run, plan: Plan) -> dict[str, float]:
    """The figures that both floors have, by name."""
    found = figures(run.fates, plan.in_time)
    waits = sorted((fate.answered_ms or 0) - fate.at_ms for fate in run.fates)
    return {
        "wait_share": found.wait_share,
        "in_time": found.in_time,
        "answer_seconds": found.answer_seconds,
        "p90_seconds": waits[int(0.9 * len(waits))] / 1000,
        "occupancy": occupancy(run) if run.seat_ms else nan,
    }


def _one_more(values: Sequence[float]) -> float:
    """Half the width of Student's interval for one more draw."""
    return student(len(values) - 1) * stdev(values) * sqrt(1 + 1 / len(values))


def _told(facts: Sequence[Fact]) -> Told | None:
    """None for a caller who was not served as this floor serves."""

    def first(*kinds: Kind) -> Fact | None:
        return next((fact for fact in facts if fact.kind in kinds), None)

    asked, offered = first(Kind.WAITING, Kind.OFFERED), first(Kind.OFFERED)
    answered, ended = first(Kind.ANSWERED), first(Kind.TALK_ENDED)
    if asked is None or offered is None or answered is None or ended is None:
        return None
    return Told(asked.call, _ms(asked), _ms(offered), _ms(answered), int(ended.data["talk_ms"]))


def _ms(fact: Fact) -> int:
    return round(fact.at.timestamp() * 1000)


async def _run(plan: Plan, progress: Callable[[], Any]) -> Agreement:
    home = Path(tempfile.mkdtemp(prefix="hla-"))
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        running = await stack.enter_async_context(product(home, edit=floor(plan.seats)))
        ticking = asyncio.create_task(_tick(progress))
        stack.callback(ticking.cancel)
        return await measure(plan, running)


async def _tick(progress: Callable[[], Any]) -> None:
    while True:
        await asyncio.sleep(1)
        progress()


def main() -> None:
    """Measure, print, write docs/bench; status 1 when the two floors do not agree."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.simulation_accuracy", description="The simulation against Asterisk."
    )
    parser.add_argument("--calls", type=int, default=640, help="calls to make (640, about 6 minutes)")
    parser.add_argument("--seed", type=int, default=12345, help="of arrivals and talks (12345)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "bench", help="where the figures go")
    asked = parser.parse_args()
    plan = Plan(calls=asked.calls, seed=asked.seed)
    console = Console()
    with Progress(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console) as progress:
        bar = progress.add_task(f"{plan.calls} calls", total=plan.arrivals()[-1] + 30)
        found = asyncio.run(_run(plan, lambda: progress.advance(bar)))
    table = Table("", "real", "same calls", "same arrivals, one more run")
    for row in rows(found):
        table.add_row(*row)
    console.print(table)
    console.print(f"lost {found.lost}; {100 * found.near:.1f} % of the waits are the same; outside: {found.outside}")
    write(found, asked.out)
    raise SystemExit(0 if found.holds else 1)


if __name__ == "__main__":
    main()
