"""From the words of a command to the floor of a simulation: who sits where, who calls when, by which table.

One job: read and check. Seats come from the routing table's agents, from a count for each group, or from a file of
shifts; callers by chance at a rate, from a file, or from a past day of the ledger. A draft of the table decides about
the same callers by its own numbers, groups and widening.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import typer

from calls.policy_from_table import policy_from_table
from cli.forecasting.show import wrong
from config.settings import Settings
from ledger.measures import Outcome
from queues.events import AgentSignedIn, TicketJoined
from queues.forecasting.scenario import Arrival, Scenario, Shift, Stream
from queues.forecasting.scenario import Habits as People
from routing.faults import TableInvalid
from routing.model import CallFacts, Snapshot
from routing.rules import decide
from routing.sample_table import sample_snapshot
from routing.snapshot import SnapshotCorrupt, SnapshotMissing, freeze, load_snapshot
from routing.toml import read_table
from telephony.model import AgentId, CallId, GroupId, SeatId

CALLERS_EXAMPLE: Final = "第一行 at,number,talk，以后每行如 09:00:05,12345,180（talk 可空）"
SHIFTS_EXAMPLE: Final = "第一行 count,groups,start,end，以后每行如 4,general+market,08:30,17:30"
FIRST_SEAT: Final = 100_001


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who calls, before any table has decided about it."""

    at: datetime
    number: str
    group: GroupId | None = None
    """Known from the past, where a table cannot say more."""
    talk_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """So many agents of these groups, from and to a time of the simulated day."""

    count: int
    groups: tuple[GroupId, ...]
    start: datetime | None = None
    end: datetime | None = None


def published(settings: Settings) -> Snapshot:
    """The published table, or the sample before the first."""
    try:
        return load_snapshot(settings.snapshot_file)
    except SnapshotMissing:
        typer.echo("还没有发布过路由表，以下按内置示例（示例，待核）推算", err=True)
        return sample_snapshot()
    except SnapshotCorrupt as error:
        raise wrong(str(error)) from None


def draft(path: Path, like: Snapshot) -> Snapshot:
    """A draft of the routing table, frozen as if it had been published after ``like``."""
    try:
        return freeze(read_table(path.read_text(encoding="utf-8")), like.version + 1, datetime.now().astimezone())
    except (OSError, UnicodeDecodeError) as error:
        raise wrong(f"--policy {path}：读不了（{error}）；应为 TOML 格式的路由表草稿") from None
    except TableInvalid as error:
        raise wrong(f"--policy {path}：{error}") from None


def counts(given: Sequence[str], option: str, table: Snapshot, default: GroupId) -> dict[GroupId, int]:
    """``14`` or ``expert=2``, one or several. Every fault at once."""
    found: dict[GroupId, int] = {}
    faults = []
    for text in given:
        name, equals, number = text.rpartition("=")
        group = GroupId(name) if equals else default
        if group not in table.groups:
            faults.append(f"{option} {text}：没有技能组 {group}；可用的有 {'、'.join(table.groups)}")
        elif not number.isascii() or not number.isdigit() or int(number) > 10_000:
            faults.append(f"{option} {text}：应为座席数，例如 {option} 14 或 {option} {default}=2")
        else:
            found[group] = found.get(group, 0) + int(number)
    if faults:
        raise wrong("\n".join(faults))
    return found


def rates(given: Sequence[str], table: Snapshot) -> dict[str, float]:
    """``120`` (to 12345) or ``12333=30`` (calls per hour to a number), one or several. Every fault at once."""
    found: dict[str, float] = {}
    faults = []
    for text in given:
        name, equals, number = text.rpartition("=")
        dialled = name if equals else "12345"
        try:
            rate = float(number)
        except ValueError:
            rate = -1.0
        if dialled not in ("12345", *table.numbers):
            faults.append(f"--rate {text}：路由表里没有号码 {dialled}；可用的有 12345、{'、'.join(table.numbers)}")
        elif not 0 <= rate <= 1_000_000:
            faults.append(f"--rate {text}：应为每小时来电数，例如 --rate 120 或 --rate 12333=30")
        else:
            found[dialled] = found.get(dialled, 0.0) + rate
    if faults:
        raise wrong("\n".join(faults))
    return found


def callers_of(path: Path, start: datetime, table: Snapshot) -> list[Caller]:
    """Callers from a CSV file: times of the simulated day, or ISO times. Every fault at once."""
    found, faults = [], []
    for number, row in _rows(path, "--arrivals", CALLERS_EXAMPLE):
        try:
            at = _moment(row.get("at") or "", start)
            talk = float(row["talk"]) if row.get("talk") else None
            if talk is not None and not 0 <= talk <= 86_400:
                raise ValueError
            dialled = (row.get("number") or "12345").strip()
            if dialled not in ("12345", *table.numbers):
                faults.append(f"第 {number} 行：路由表里没有号码 {dialled}")
                continue
            found.append(Caller(at, dialled, None, talk))
        except ValueError:
            faults.append(f"第 {number} 行 {','.join(str(value) for value in row.values())}：写法不对")
    if faults or not found:
        raise _faulty("--arrivals", path, CALLERS_EXAMPLE, faults)
    return sorted(found, key=lambda caller: caller.at)


def callers_seen(calls: Sequence[Outcome]) -> list[Caller]:
    """Callers of the past: when they asked for an agent, of which group, and how long they talked if they did."""
    return [
        Caller(
            call.asked_at or call.entered_at, call.number, call.asked_group,
            call.talk_ms / 1000 if call.talk_ms and call.answered_by == "agent" else None,
        )
        for call in calls
        if call.settled and call.answered_by not in ("subcentre", "duty-phone")
    ]  # fmt: skip


def posts_of(path: Path, start: datetime, table: Snapshot) -> list[Post]:
    """Shifts from a CSV file. Every fault at once."""
    found, faults = [], []
    for number, row in _rows(path, "--shifts", SHIFTS_EXAMPLE):
        try:
            count = int(row.get("count") or "")
            groups = tuple(GroupId(name.strip()) for name in (row.get("groups") or "").split("+"))
            unknown = [group for group in groups if group not in table.groups]
            if unknown:
                faults.append(f"第 {number} 行：没有技能组 {'、'.join(unknown)}")
                continue
            if not 0 < count <= 10_000:
                raise ValueError
            begin, end = (_moment(text, start) if (text := row.get(key)) else None for key in ("start", "end"))
            if begin and end and end <= begin:
                end += timedelta(days=1)
            found.append(Post(count, groups, begin, end))
        except ValueError:
            faults.append(f"第 {number} 行 {','.join(str(value) for value in row.values())}：写法不对")
    if faults or not found:
        raise _faulty("--shifts", path, SHIFTS_EXAMPLE, faults)
    return found


def posts_of_table(table: Snapshot) -> list[Post]:
    """One seat for every agent of the table, and for every place of its sub-centres, at all hours."""
    places = [Post(group.capacity, (group.id,)) for group in table.groups.values() if group.trunk]
    return [*(Post(1, agent.groups) for agent in table.agents.values()), *places]


def with_more(posts: Sequence[Post], more: Mapping[GroupId, int]) -> list[Post]:
    """The same floor with so many more agents in these groups, all the time."""
    return [*posts, *(Post(count, (group,)) for group, count in more.items())]


def floor(
    name: str, table: Snapshot, posts: Sequence[Post], callers: Sequence[Caller], flow: Mapping[str, float],
    span: tuple[datetime, datetime], people: People, warm_up_seconds: float = 0.0,
) -> Scenario:  # fmt: skip
    """A floor by this table: ``callers`` one by one, ``flow`` by chance (number: calls per hour)."""
    start, end = span
    sources: list[Arrival | Stream] = [
        Arrival(
            _ms(caller.at), _wish(table, caller.number, caller.at, caller.group), caller.number, caller.talk_seconds
        )
        for caller in callers
    ]
    sources += [Stream(rate, _wish(table, number, start, None), number) for number, rate in flow.items() if rate]
    return Scenario(
        name,
        _ms(start),
        _ms(end),
        _shifts(table, posts),
        sources,
        policy_from_table(table),
        people,
        round(warm_up_seconds * 1000),
    )


def _shifts(table: Snapshot, posts: Sequence[Post]) -> list[Shift]:
    shifts: list[Shift] = []
    for post in posts:
        for _ in range(post.count):
            number = str(FIRST_SEAT + len(shifts))
            known = tuple(group for group in post.groups if group in table.groups)
            begin, end = (None if moment is None else _ms(moment) for moment in (post.start, post.end))
            shifts.append(Shift(AgentSignedIn(AgentId(number), SeatId(number), known), begin, end))
    return shifts


def _wish(table: Snapshot, number: str, at: datetime, group: GroupId | None) -> TicketJoined:
    """What the table makes of such a call at that moment."""
    decision = decide(CallFacts(number), table, at)
    known = group is not None and group in table.groups and number not in ("12345", *table.numbers)
    asked = group if known and group is not None else decision.group
    return TicketJoined(CallId(""), asked, 0, overflow=decision.overflow)


def _rows(path: Path, option: str, example: str) -> list[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(enumerate(csv.DictReader(file), 2))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise wrong(f"{option} {path}：读不了（{error}）；应为 CSV 文件，{example}") from None


def _faulty(option: str, path: Path, example: str, faults: Sequence[str]) -> typer.Exit:
    what = f"有 {len(faults)} 处错误" if faults else "里没有数据行"
    return wrong("\n".join([f"{option} {path} {what}；{example}", *faults[:20]]))


def _moment(text: str, day: datetime) -> datetime:
    """``09:00``, ``09:00:05.250`` of the day, or an ISO time. Raises ValueError."""
    text = text.strip()
    if "T" in text or "-" in text:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=day.tzinfo)
    clock = datetime.fromisoformat(f"2000-01-01T{text}")
    return day.replace(hour=clock.hour, minute=clock.minute, second=clock.second, microsecond=clock.microsecond)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
