"""What a run found: ratios, as a table for people, JSON for programs and docs/bench/README.md.

One job: words and numbers. Every number comes from the run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from bench.idle_latency import Quick
from bench.load import Run
from bench.systems_under_test import Name

LIMIT: Final = 1.6
"""The most that a call of the product may cost, in calls of the static dialplan."""

RESULT: Final = "result.json"


@dataclass(frozen=True, slots=True)
class Result:
    """One whole run of the bench."""

    machine: Mapping[str, Any]
    with_voices: Sequence[Run]
    silent: Sequence[Run]
    steps: Sequence[Run]
    quick: Sequence[Quick]

    @property
    def lost(self) -> int:
        """Calls of the product lost at the steady rate."""
        return sum(run.lost for run in (*self.with_voices, *self.silent) if run.side is Name.PRODUCT)

    def lines(self) -> list[tuple[str, str, str, str]]:
        """What, static, product, ratio."""
        rows = [
            _ratio("CPU per call, with voices (ms)", cpu(self.with_voices, Name.STATIC),
                   cpu(self.with_voices, Name.PRODUCT)),
            _ratio("CPU per call, silent (ms)", cpu(self.silent, Name.STATIC), cpu(self.silent, Name.PRODUCT)),
            _ratio("highest loss-free calls/s", best(self.steps, Name.STATIC), best(self.steps, Name.PRODUCT)),
        ]  # fmt: skip
        for share, name in enumerate(("median", "95 of 100")):
            pair = [
                max((run.answer_ms[share] for run in self.with_voices if run.side is side), default=0.0)
                for side in Name
            ]
            rows.append(_ratio(f"INVITE to 200, under load, {name} (ms)", *pair))
        by_side = {found.side: found for found in self.quick}
        if len(by_side) == len(Name):
            static, product = by_side[Name.STATIC], by_side[Name.PRODUCT]
            rows.append(_ratio("citizen's INVITE to agent's, less the prompt (ms)", static.agent_ms, product.agent_ms))
            rows.append(_ratio("last key to the centre's INVITE (ms)", static.centre_ms, product.centre_ms))
        return rows


def cpu(runs: Sequence[Run], side: Name) -> float:
    """Mean CPU per call over the runs of one side, ms."""
    mine = [run for run in runs if run.side is side]
    calls = sum(run.calls for run in mine)
    return sum(run.cpu_ms * run.calls for run in mine) / calls if calls else 0.0


def best(steps: Sequence[Run], side: Name) -> float:
    """The highest rate below the first that lost a call."""
    found = 0
    for step in steps:
        if step.side is side:
            if step.lost:
                break
            found = step.rate
    return found


def holds(result: Result) -> bool:
    """No call of the product was lost, and neither kind costs more CPU than the limit allows."""
    kinds = (result.with_voices, result.silent)
    dear = any(cpu(runs, Name.PRODUCT) > LIMIT * cpu(runs, Name.STATIC) for runs in kinds if runs)
    return not result.lost and not dear


def write(result: Result, folder: Path) -> None:
    """The JSON and the page beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = {**asdict(result), "lines": result.lines(), "lost": result.lost}
    (folder / RESULT).write_text(json.dumps(plain, ensure_ascii=False, indent=1) + "\n", "utf-8")
    (folder / "README.md").write_text(page(result), "utf-8")


def page(result: Result) -> str:
    """docs/bench/README.md."""
    table = "\n".join(f"| {' | '.join(line)} |" for line in result.lines())
    machine = "\n".join(f"- {key}: {value}" for key, value in result.machine.items())
    steady = result.with_voices[0] if result.with_voices else result.silent[0]
    turns = sum(1 for run in result.silent if run.side is Name.PRODUCT)
    whole = sum(run.calls for run in (*result.with_voices, *result.silent) if run.side is Name.PRODUCT)
    return f"""\
# Speed, measured side by side

Written by `make bench`; every number comes from that command, and `{RESULT}` beside this page holds all of them.
Compare ratios: absolute times belong to the machine.

| | static dialplan | product | ratio |
|---|---|---|---|
{table}

At {steady.rate} calls/s for {steady.seconds:g} s a run, {result.lost} of {whole} calls of the product were lost. A call
counts as complete when SIPp's citizen ended it well, an agent's phone answered it, and the ledger tells it whole. The
limit for CPU per call is {LIMIT:g} times the static dialplan.

## What is compared
- **Static dialplan**: bench/static, written by hand, on an Asterisk of its own: answer, the same prompt, MixMonitor
  with the same options, Dial of the seats in a fixed turn, Asterisk's own blind transfer. No AGI, no AMI, no engine.
  Modules, endpoints and call records (CEL) are the same files as the product's.
- **Product**: a real Asterisk and the engine. Its CPU is that of both processes with all they do for a call: routing,
  ACD, journal, database, the check of every recording. SIPp is not counted on either side.
- A call: INVITE, answer, a short prompt, an agent's phone that rings 0.1 s, a talk of 2.5 s, hang-up by the citizen.
  *With voices* both sides speak (G.711) and are recorded; *silent* sends no audio, so that nothing but the handling of
  calls is left to compare. The sides take turns ({turns} each in this run, of each kind); CPU is read before the first
  call and after the books are done. Each kind is held against the limit, and `make bench` ends with status 1
  when either is over it.
- Answer times come from SIPp under load. The way to the agent and the key to the centre are measured on a quiet switch
  with phones of our own; the baseline of the key is Asterisk's `*1` and the number. Under load:
  [one key](one-key.md), by `.venv/bin/python -m bench.one_key`.

## The machine of this run
{machine}

Whether the simulation of the ACD agrees with a real floor: [agreement](agreement.md), by
`.venv/bin/python -m bench.simulation_accuracy` (about six minutes).

An agent who becomes free, against app_queue: [freed](freed.md). That and one key: `make bench-calls` (about twenty
minutes).

Run it again: `make bench` (about eight minutes; `.venv/bin/python -m bench --help` for shorter forms).
"""


def _ratio(what: str, static: float, product: float) -> tuple[str, str, str, str]:
    return what, f"{static:.1f}", f"{product:.1f}", f"{product / static:.2f}" if static else "–"
