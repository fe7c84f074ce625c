"""A seeded month of synthetic calls, as columns of numbers: the truth that a report is held against.

The truth is counted here with numpy, the report adds up in SQL: neither knows the other. What makes a row of a call's
facts is tested by itself (tests/unit/ledger), so the rows are written straight into the database.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import asyncpg
import numpy as np
from numpy.typing import NDArray

from ledger.reports.model import Period, Tally

CITY: Final = ZoneInfo("Asia/Shanghai")
NUMBERS: Final = tuple(f"1{n:04d}" for n in (2345, *range(2300, 2360)))
GROUPS: Final = tuple(f"group-{n:02d}" for n in range(60))
AGENTS: Final = tuple(f"{1001 + n}" for n in range(100))
TARGETS: Final = ("110", "119", "120", "122", "water", "power")
CODES: Final = ("", "answered", "ordered", "forwarded", "nuisance")
BY: Final = ("", "agent", "subcentre", "duty-phone", "fallback")
AIM_MS, SHORT_MS = 15_000, 5_000

Numbers = NDArray[np.int64]
Chosen = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Month:
    """So many calls; -1 stands for what has not happened. Times are ms."""

    period: Period
    rang: Numbers
    """After the period's beginning."""
    number: Numbers
    group: Numbers
    agent: Numbers
    by: Numbers
    counts: Chosen
    settled: Chosen
    prompt: Numbers
    answer: Numbers
    after_prompt: Numbers
    held_on: Numbers
    talk: Numbers
    rating: Numbers
    target: Numbers
    code: Numbers

    @property
    def counted(self) -> Chosen:
        return self.counts & self.settled

    def tally(self, chosen: Chosen) -> Tally:
        """The truth about these calls, of which only those that count are taken."""
        own = chosen & self.counted
        agents_talk = own & (self.by == 1) & (self.talk >= 0)

        def count(of: Chosen) -> int:
            return int(np.count_nonzero(own & of))

        return Tally(
            calls=count(own),
            answered=count(self.answer >= 0),
            in_time_from_ring=count((self.answer >= 0) & (self.answer <= AIM_MS)),
            in_time_from_prompt=count((self.after_prompt >= 0) & (self.after_prompt <= AIM_MS)),
            wait_ms=int(self.answer[own & (self.answer >= 0)].sum()),
            wait_after_prompt_ms=int(self.after_prompt[own & (self.after_prompt >= 0)].sum()),
            abandoned=count(self.held_on > SHORT_MS),
            short_abandoned=count((self.held_on >= 0) & (self.held_on <= SHORT_MS)),
            talks=int(np.count_nonzero(agents_talk)),
            talk_ms=int(self.talk[agents_talk].sum()),
            by_agent=count(self.by == 1),
            by_subcentre=count(self.by == 2),
            by_duty_phone=count(self.by == 3),
            by_fallback=count(self.by == 4),
            heard_prompt=count(self.prompt >= 0),
            transferred=count(self.target >= 0),
            rating_asked=count(self.rating >= 0),
            **{f"rated_{level}": count(self.rating == level) for level in (5, 4, 3, 2, 1)},
        )

    def keys(self) -> dict[str, Sequence[str]]:
        """What each call is told apart by, in the words of a report."""
        slots = self.rang // 1_800_000
        first = self.period.since
        return {
            "number": [NUMBERS[n] for n in self.number],
            "group": [GROUPS[n] for n in self.group],
            "agent": [AGENTS[n] if n >= 0 else "" for n in self.agent],
            "half-hour": [f"{slot % 48 // 2:02}:{slot % 2 * 30:02}" for slot in slots],
            "day": [f"{first + timedelta(days=int(slot // 48)):%Y-%m-%d}" for slot in slots],
            "month": [f"{first:%Y-%m}"] * len(slots),
        }

    def lines(self, by: str) -> dict[str, Tally]:
        """The truth by number, group, agent or time; only what has calls."""
        keys = np.array(self.keys()[by])
        return {key: tally for key in np.unique(keys) if key and (tally := self.tally(keys == key)).calls}

    def whole(self) -> Tally:
        return self.tally(np.ones(len(self.rang), dtype=bool))

    def worst_rate(self) -> float:
        """The lowest share of answered calls in 24 hours in a row, from any half-hour."""
        own, slot = self.counted, self.rang // 1_800_000
        calls = np.bincount(slot[own], minlength=30 * 48)
        answered = np.bincount(slot[own & (self.answer >= 0)], minlength=30 * 48)
        day = np.ones(48, dtype=np.int64)
        return float((np.convolve(answered, day, "valid") / np.convolve(calls, day, "valid")).min())


def a_month(period: Period, count: int, seed: int) -> Month:
    """Calls of every kind, by a fixed dice."""
    dice = np.random.default_rng(seed)
    length = round((period.until - period.since).total_seconds() * 1000)
    rang = np.sort(dice.integers(0, length, count))
    rang[0], rang[-1] = 0, length - 1  # the first and the last moment belong to the month
    answered = dice.random(count) < 0.93
    over = dice.random(count) < 0.999
    prompted = dice.random(count) < 0.97
    prompt = np.where(prompted, dice.choice([0, 4_999, 6_200, 9_000], count), -1)
    after = dice.choice([0, 900, 5_000, 14_999, 15_000, 15_001, 44_000], count)
    by = np.where(answered, dice.choice([1, 1, 1, 1, 2, 3, 4], count), 0)
    talk = np.where((by == 1) & over, dice.integers(0, 900_000, count), -1)
    return Month(
        period=period,
        rang=rang,
        number=dice.integers(0, len(NUMBERS), count),
        group=dice.integers(0, len(GROUPS), count),
        agent=np.where(by == 1, dice.integers(0, len(AGENTS), count), -1),
        by=by,
        counts=dice.random(count) < 0.98,
        settled=answered | over,
        prompt=prompt,
        answer=np.where(answered, np.maximum(prompt, 0) + after, -1),
        after_prompt=np.where(answered, after, -1),
        held_on=np.where(~answered & over, dice.choice([0, 4_999, 5_000, 5_001, 70_000], count), -1),
        talk=talk,
        rating=np.where((by == 1) & (dice.random(count) < 0.6), dice.integers(0, 6, count), -1),
        target=np.where(answered & (dice.random(count) < 0.05), dice.integers(0, len(TARGETS), count), -1),
        code=np.where(by == 1, dice.integers(0, len(CODES), count), 0),
    )


CALLS: Final = (
    *("call_id", "number", "caller", "caller_end", "entered_at", "answered_at", "ended_at", "group_id", "agent"),
    *("seat", "answered_by", "mode", "rule", "version", "rating_level", "talk_ms", "waited_ms", "end_cause"),
    *("ended_by", "transfers", "source", "wrap_up_code", "counts", "prompt_ms", "answer_ms"),
    *("answer_after_prompt_ms", "held_on_ms"),
)
TRANSFERS: Final = ("call_id", "target", "entered_at")
FACTS: Final = ("id", "kind", "call_id", "at", "data", "source")


def call_rows(month: Month, prefix: str) -> Iterator[tuple[Any, ...]]:
    """The rows of ``calls``."""
    columns = [getattr(month, name).tolist() for name in Month.__dataclass_fields__ if name != "period"]
    since = month.period.since.astimezone(UTC)
    for n, call in enumerate(zip(*columns, strict=True)):
        rang, number, group, agent, by, counts, settled, prompt, answer, after, held, talk, rating, target, code = call
        entered = since + timedelta(milliseconds=rang)
        answered = entered + timedelta(milliseconds=answer) if answer >= 0 else None
        over = (talk >= 0 or by != 1) and settled
        ended = entered + timedelta(milliseconds=max(answer, 0) + max(talk, 0) + max(held, 0)) if over else None
        to = [{"target": TARGETS[target], "state": "joined"}] if target >= 0 else []
        yield (
            f"{prefix}-{n}", NUMBERS[number], f"138{n:08d}", f"{n % 10_000:04d}", entered, answered, ended,
            GROUPS[group], AGENTS[agent] if agent >= 0 else "", "8001" if agent >= 0 else "", BY[by], "", "hotline", 1,
            _some(rating), _some(talk), _some(answer), "16", "caller", json.dumps(to), "engine", CODES[code], counts,
            _some(prompt), _some(answer), _some(after), _some(held),
        )  # fmt: skip


def transfer_rows(month: Month, prefix: str) -> Iterator[tuple[Any, ...]]:
    """The rows of ``call_transfers``."""
    since = month.period.since.astimezone(UTC)
    for n in np.flatnonzero(month.target >= 0).tolist():
        yield f"{prefix}-{n}", TARGETS[month.target[n]], since + timedelta(milliseconds=int(month.rang[n]))


def fact_rows(period: Period, prefix: str, seed: int) -> tuple[list[tuple[Any, ...]], dict[str, dict[str, int]]]:
    """Half-hours of every agent, 8 to 20 o'clock, and offers not taken; and what they come to by agent."""
    dice = np.random.default_rng(seed)
    states = ("talking", "hold", "wrap-up", "ready", "ringing", "pause:rest")
    rows: list[tuple[Any, ...]] = []
    truth: dict[str, dict[str, int]] = {agent: dict.fromkeys((*states, "missed"), 0) for agent in AGENTS}
    days = (period.until - period.since).days
    parts = dice.integers(0, 300_000, (days, 24, len(AGENTS), len(states))).tolist()
    missed = dice.random((days, 24, len(AGENTS))) < 0.1
    for day in range(days):
        for half in range(24):
            start = period.since + timedelta(days=day, hours=8, minutes=30 * half)
            at = (start + timedelta(minutes=30)).astimezone(UTC)
            for n, agent in enumerate(AGENTS):
                told = dict(zip(states, parts[day][half][n], strict=True))
                data = {"agent": agent, "start": start.isoformat(), "groups": ["group-00"], "state_ms": told}
                key = f"{prefix}-{day}-{half}-{agent}"
                rows.append((f"{key}-t", "agent-time", "-", at, json.dumps(data), "engine"))
                for state, ms in told.items():
                    truth[agent][state] += ms
                if missed[day, half, n]:
                    truth[agent]["missed"] += 1
                    data = {"agent": agent, "seat": "8001", "why": "no-answer"}
                    rows.append((f"{key}-m", "not-answered", f"{prefix}-1", at, json.dumps(data), "engine"))
    return rows, truth


def _some(value: int) -> int | None:
    return None if value < 0 else value


async def insert(url: str, table: str, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Many rows at once, by each database's own way."""
    if url.startswith("sqlite"):
        await asyncio.to_thread(_insert_sqlite, url.partition("///")[2], table, names, rows)
        return
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        await connection.copy_records_to_table(table, records=rows, columns=list(names))
        await connection.execute(f"ANALYZE {table}")
    finally:
        await connection.close()


def _insert_sqlite(path: str, table: str, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    stored = [tuple(_text(value) if isinstance(value, datetime) else value for value in row) for row in rows]
    marks = ", ".join("?" * len(names))
    connection = sqlite3.connect(path)
    try:
        with connection:
            connection.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", stored)  # noqa: S608 our own words
    finally:
        connection.close()


def _text(moment: datetime) -> str:
    """As SQLAlchemy stores a moment in SQLite."""
    return f"{moment:%Y-%m-%d %H:%M:%S.%f}"
