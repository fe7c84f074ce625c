"""The guard: a few calls on both sides in one run, held to wide margins: ``python -m bench.guard``.

One job: let no change that costs each call tens of milliseconds stand unseen. The bench itself takes too long to run
with every change; this takes some two minutes and is a test of the exclusive group (tests/load/test_guard.py). What is
compared is the product with the static dialplan on the same machine in the same minutes, and the best of some tries
counts: a crowded machine makes a try slow, a fault makes all of them slow.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench import idle_latency, load
from bench.systems_under_test import Name, Side, sides, staffed

SEATS: Final = 40
RATE: Final = 8
SECONDS: Final = 8.0
PRESSES: Final = 5
TRIES: Final = 3

MARGINS_MS: Final[Mapping[str, float]] = {
    "INVITE to 200, median": 20.0,
    "citizen's INVITE to agent's, less the prompt": 30.0,
    "last key to the centre's INVITE": 25.0,
}
"""The product may be so much later than the static dialplan. Each is below one delayed ACK (40 ms), which is how the
fault came that this is here for; the bench's own aims are 4 ms, twice and 1.5 times."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One time on both sides, ms."""

    what: str
    static: float
    product: float

    @property
    def holds(self) -> bool:
        return self.product <= self.static + MARGINS_MS[self.what]

    def __str__(self) -> str:
        return f"{self.what}: static {self.static:g} ms, product {self.product:g} ms"


async def guard() -> list[Figure]:
    """Each figure from the best try of either side; once its margin is kept there are no further tries."""
    answer, to_agent, to_centre = MARGINS_MS
    async with sides(1) as both:
        figures = await _best(_quick(both), to_agent, to_centre)
    async with sides(SEATS) as both:
        return [*await _best(_answered(both), answer), *figures]


async def _best(tries: AsyncIterator[Mapping[Name, Sequence[float]]], *whats: str) -> list[Figure]:
    best: dict[tuple[Name, str], float] = {}
    figures: list[Figure] = []
    async for found in tries:
        for side, times in found.items():
            for what, ms in zip(whats, times, strict=True):
                best[side, what] = min(ms, best.get((side, what), ms))
        figures = [Figure(what, best[Name.STATIC, what], best[Name.PRODUCT, what]) for what in whats]
        if all(figure.holds for figure in figures):
            break
    return figures


async def _quick(both: tuple[Side, Side]) -> AsyncIterator[Mapping[Name, Sequence[float]]]:
    for _ in range(TRIES):
        found = [await idle_latency.quick(side, PRESSES, lambda: None) for side in both]
        yield {one.side: (one.agent_ms, one.centre_ms) for one in found}


async def _answered(both: tuple[Side, Side]) -> AsyncIterator[Mapping[Name, Sequence[float]]]:
    async with staffed(both[0]) as one, staffed(both[1]) as two:
        for _ in range(TRIES):
            found = [await load.run(*pair, RATE, SECONDS) for pair in zip(both, (one, two), strict=True)]
            yield {run.side: run.answer_ms[:1] for run in found}


def main() -> None:
    """Measure, print, and end with status 1 when a margin is broken."""
    figures = asyncio.run(guard())
    print("\n".join(map(str, figures)))
    if broken := [figure.what for figure in figures if not figure.holds]:
        raise SystemExit(f"over the margin: {', '.join(broken)}")


if __name__ == "__main__":
    main()
