"""Twice and three times what the machine can carry: ``python -m bench.overload``.

One job: calls at a rate that is good, then at multiples of it, then at the good rate again, with talks that are up all
the time. What is served, what is refused and how fast, whether a talk was hurt, and how soon all is well again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from bench.instance import Product, product
from bench.machine import machine
from bench.seat_floor import FIRST_AGENT, PROBE_NUMBER, PROMPT, floor
from bench.systems_under_test import RING_SECONDS, Name, Side, staffed
from config.settings import ROOT
from phones.load import CallerLoad
from phones.phone import PhoneCall
from phones.sounds import tone
from phones.tones import longest_silence

SEATS: Final = 250
RATE: Final = 60
"""A rate that is served without loss on two cores with SIPp beside it; `make bench` finds the highest."""
FACTORS: Final = (2, 3)
SECONDS: Final = 60.0
TALK_SECONDS: Final = 1.0
RECOVERY_SECONDS: Final = 5.0
AFTER_SECONDS: Final = 10.0
AFTER_RATE: Final = 20
GAP_LIMIT: Final = 0.2
"""A silence that somebody in a talk hears, s."""
REFUSAL_LIMIT: Final = 0.5
SERVED_SHARE: Final = 0.8
NAME: Final = "overload"


@dataclass(frozen=True, slots=True)
class Load:
    """Calls at one rate."""

    rate: float
    seconds: float
    calls: int
    served: int
    """Answered, and ended well by the citizen."""
    refused: int
    lost: int
    answer_ms: tuple[float, float]
    """INVITE to 200 of those who were served: median and 95 of 100."""
    refused_ms: tuple[float, float]
    gap_seconds: float
    """The longest silence in the talk that was up meanwhile, either way."""

    @property
    def served_per_second(self) -> float:
        return self.served / self.seconds


async def measure(seconds: float, rate: float, factors: Sequence[float]) -> list[Load]:
    """The good rate and its multiples, each with a time of recovery and the rate of an ordinary day after it."""
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hlo-")))
        running = await stack.enter_async_context(product(home, edit=floor(SEATS, probe=True)))
        await stack.enter_async_context(staffed(Side(Name.PRODUCT, running), but_last=True))
        phone = await running.seat(running.table.seats[-1], str(FIRST_AGENT + SEATS - 1))
        citizen_talk = await running.citizen().call(PROBE_NUMBER, sound=tone(440))
        agent_talk = await phone.wait_talking(20)
        agent_talk.say(tone(880))
        watched = (citizen_talk, agent_talk)
        found = []
        for number in (rate, *(factor * rate for factor in factors)):
            found.append(await _load(running, number, seconds, watched))
            await asyncio.sleep(RECOVERY_SECONDS)
            found.append(await _load(running, AFTER_RATE, AFTER_SECONDS, watched))
        return found


async def _load(running: Product, rate: float, seconds: float, watched: Sequence[PhoneCall]) -> Load:
    prompt = (running.plan.sounds / "zh-CN" / f"{PROMPT}.alaw").stat().st_size / 8000
    begun = time.monotonic()
    tally = await CallerLoad(
        running.settings.bind, running.settings.sip_port, rate=rate, seconds=seconds, patience=20, at_once=4000,
        hang_up_after=prompt + RING_SECONDS + TALK_SECONDS, may_be_refused=True,
    ).run()  # fmt: skip
    ended = begun + seconds
    served = tally.succeeded - tally.refused
    return Load(
        rate, seconds, tally.created, served, tally.refused, tally.created - served - tally.refused,
        (_ms(tally.answer_share(0.5)), _ms(tally.answer_share(0.95))),
        (_ms(share(tally.refused_seconds, 0.5)), _ms(share(tally.refused_seconds, 0.95))),
        max(longest_silence(talk.heard.pcm(begun, ended)) for talk in watched),
    )  # fmt: skip


def faults(found: Sequence[Load]) -> list[str]:
    """What does not hold; empty when all does."""
    good = found[0].served_per_second
    told = []
    for load, after in zip(found[::2], found[1::2], strict=True):
        name = f"at {load.rate:g} calls/s"
        if load.served_per_second < SERVED_SHARE * good:
            told.append(f"{name} {load.served_per_second:.1f} calls/s were served; {good:.1f} at the good rate")
        if load.lost:
            told.append(f"{name} {load.lost} calls were neither served nor refused")
        if load.refused_ms[1] > REFUSAL_LIMIT * 1000:
            told.append(f"{name} refusals took {load.refused_ms[1]:g} ms (95 of 100)")
        if load.gap_seconds > GAP_LIMIT:
            told.append(f"{name} a talk was silent for {load.gap_seconds:.2f} s")
        if after.served < after.calls:
            told.append(
                f"{RECOVERY_SECONDS:g} s after it {after.calls - after.served} of {after.calls} were not served"
            )
    return told


def page(found: Sequence[Load], ran_on: dict[str, Any]) -> str:
    """The figures as a page."""
    lines = ["# More calls than the machine can carry", "", _ABOUT, ""]
    lines += [f"| {' | '.join(_COLUMNS)} |", "|---" * len(_COLUMNS) + "|"]
    lines += [
        f"| {load.rate:g} | {load.seconds:g} | {load.served_per_second:.1f} | {load.refused} | {load.lost} "
        f"| {load.answer_ms[0]:g} / {load.answer_ms[1]:g} | {load.refused_ms[0]:g} / {load.refused_ms[1]:g} "
        f"| {load.gap_seconds:.2f} |"
        for load in found
    ]
    lines += ["", *(f"- Does not hold: {fault}." for fault in faults(found)), ""]
    lines += ["## The machine of this run", *(f"- {name}: {value}" for name, value in ran_on.items())]
    return "\n".join(lines) + "\n"


def share(times: Sequence[float], part: float) -> float:
    """What ``part`` (0 to 1) of the sorted times does not exceed; 0 without any."""
    return times[min(len(times) - 1, int(part * len(times)))] if times else 0.0


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


_COLUMNS: Final = (
    "calls/s",
    "for s",
    "served/s",
    "refused",
    "lost",
    "INVITE to 200, median / 95 of 100 (ms)",
    "INVITE to 503, median / 95 of 100 (ms)",
    "longest silence in a talk (s)",
)

_ABOUT: Final = f"""Written by `.venv/bin/python -m bench.overload`; `{NAME}.json` beside this page holds all.

A real engine and Asterisk with {SEATS} seats; SIPp on the same machine makes calls of {TALK_SECONDS:g} s talk, without
audio. Each load is followed by {RECOVERY_SECONDS:g} s of rest and {AFTER_RATE} calls/s, all of which must be served. A
talk with tones both ways is up all the time. Calls past what the machine can carry are refused by 503: `admit` in
extensions.conf.j2, calls/admission.py."""


def main() -> None:
    """Measure, write, and end with status 1 when something does not hold."""
    parser = argparse.ArgumentParser(prog="python -m bench.overload", description="More calls than can be carried.")
    parser.add_argument("--rate", type=float, default=RATE, help=f"calls/s that are served without loss ({RATE})")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"length of each load ({SECONDS:g})")
    parser.add_argument("--factors", type=float, nargs="*", default=FACTORS, help="multiples of the rate (2 3)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "bench", help="where the figures go")
    asked = parser.parse_args()
    found = asyncio.run(measure(asked.seconds, asked.rate, asked.factors))
    ran_on = machine()
    text = page(found, ran_on)
    print(text)
    plain = {"machine": ran_on, "loads": [asdict(load) for load in found]}
    (asked.out / f"{NAME}.json").write_text(json.dumps(plain, indent=1) + "\n", "utf-8")
    (asked.out / f"{NAME}.md").write_text(text, "utf-8")
    if told := faults(found):
        raise SystemExit("\n".join(told))


if __name__ == "__main__":
    main()
