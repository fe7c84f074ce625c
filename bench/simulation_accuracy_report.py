"""What a real floor and the simulation of its calls say, and the page about it.

One job: words and numbers of ``python -m bench.simulation_accuracy``. Every number comes from the run.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

RESULT: Final = "agreement.json"
PAGE: Final = "agreement.md"
RING_SECONDS: Final = 0.1
TALKS_TO_SPARE: Final = 3
"""Talks in SIPp's list for every call: its answers to OPTIONS take from the list, too."""

NEAR_SECONDS: Final = 0.25
"""A caller's own wait counts as the same when it differs by less: the switch and SIPp take some of it."""

NEAR_SHARE: Final = 0.95
"""Callers (0 to 1) whose wait must be the same for the two floors to agree."""

SHARES: Final = ("wait_share", "in_time", "occupancy")
WORDS: Final[Mapping[str, str]] = {
    "wait_share": "callers who waited (%)",
    "in_time": "answered in time (%)",
    "answer_seconds": "mean wait (s)",
    "p90_seconds": "wait that 90 of 100 do not exceed (s)",
    "occupancy": "occupancy (%)",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """One real run. Times are s."""

    calls: int = 640
    seats: int = 10
    talk: float = 4.0
    """Mean; exponential."""
    load: float = 0.85
    """Erlangs per seat, 0 to 1."""
    in_time: float = 1.0
    """What 15 s are on this scale."""
    seed: int = 12345

    @property
    def rate(self) -> float:
        """Calls per second."""
        return self.load * self.seats / (self.talk + RING_SECONDS)

    def arrivals(self) -> list[float]:
        """A Poisson stream, s from the start."""
        dice, at, found = random.Random(self.seed), 0.0, []
        for _ in range(self.calls):
            at += dice.expovariate(self.rate)
            found.append(at)
        return found

    def talks(self) -> list[float]:
        """Exponential, but no call is shorter than SIPp can make it."""
        dice = random.Random(self.seed + 1)
        return [max(0.05, dice.expovariate(1 / self.talk)) for _ in range(self.calls * TALKS_TO_SPARE)]


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the two floors say."""

    plan: Plan
    runs: int
    """Simulated, of the same arrivals."""
    ring: float
    """From offer to answer on the real floor, median, s."""
    lost: int
    real: Mapping[str, float]
    same_calls: Mapping[str, float]
    mean: Mapping[str, float]
    half: Mapping[str, float]
    """Half the width in which one more run of the same arrivals lies, 95 %."""
    apart: Mapping[str, float]
    """Of each caller's wait on the two floors, the difference without its sign: median and 95 of 100, s."""
    near: float
    """Share of callers whose wait is the same within NEAR_SECONDS."""
    erlang: Mapping[str, float]

    @property
    def outside(self) -> list[str]:
        """Figures of the real floor that one more run would not have."""
        return [name for name, value in self.real.items() if not abs(value - self.mean[name]) <= self.half[name]]

    @property
    def holds(self) -> bool:
        return not self.lost and not self.outside and self.near >= NEAR_SHARE


def rows(found: Agreement) -> list[tuple[str, str, str, str]]:
    """What, real, same calls, same arrivals with the width of one more run."""
    return [
        (
            WORDS[name], _shown(name, value), _shown(name, found.same_calls[name]),
            f"{_shown(name, found.mean[name])} ± {_shown(name, found.half[name])}",
        )
        for name, value in found.real.items()
    ]  # fmt: skip


def write(found: Agreement, folder: Path) -> None:
    """The JSON and the page beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    machine = {"cores": os.cpu_count(), "date": f"{datetime.now(UTC):%Y-%m-%d}"}
    plain = {**asdict(found), "holds": found.holds, "outside": found.outside, "machine": machine}
    (folder / RESULT).write_text(json.dumps(plain, indent=1) + "\n", "utf-8")
    (folder / PAGE).write_text(page(found), "utf-8")


def page(found: Agreement) -> str:
    """docs/bench/agreement.md."""
    plan = found.plan
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows(found))
    verdict = "they do" if found.holds else f"they do not ({', '.join(found.outside)})"
    return f"""\
# The simulation against a real floor

Written by `.venv/bin/python -m bench.simulation_accuracy`; every number comes from that run, and `{RESULT}` beside this
page holds them all.

{plan.calls} calls by SIPp, Poisson at {plan.rate:.2f} a second, to {plan.seats} seats on Asterisk and the engine.
Exponential talks of {plan.talk:g} s in the mean; answered in time is within {plan.in_time:g} s. Lost: {found.lost}.

| | real | simulated, same calls | simulated, same arrivals |
|---|---|---|---|
{table}

- **Same calls**: arrivals and talks are those that the ledger tells; the core alone decides who is served when. Of the
  callers' own waits {found.near * 100:.1f} % differ from the real ones by less than {NEAR_SECONDS:g} s
  (median {found.apart["median"]:.3f} s, 95 of 100 within {found.apart["p95"]:.3f} s).
- **Same arrivals**: talks drawn anew in {found.runs} runs; ± is where one more run lies in 95 of 100 cases (Student).
  The real floor is one more run.
- From offer to answer the real floor takes {found.ring * 1000:.0f} ms, of which the phone rings
  {RING_SECONDS * 1000:.0f}; the simulation is told so.
- In the long run Erlang C says for this load: {found.erlang["wait_share"] * 100:.1f} % wait,
  {found.erlang["answer_seconds"]:.2f} s in the mean. A run of this length may be far from it; the simulation of its own
  arrivals is not.

The two agree when no call is lost, {NEAR_SHARE * 100:g} % of the callers wait as long as in the simulation of the same
calls, and no figure lies outside one more run: **{verdict}**.
"""


def _shown(name: str, value: float) -> str:
    return f"{value * 100:.1f}" if name in SHARES else f"{value:.2f}"
