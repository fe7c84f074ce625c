"""The flow of one number as a picture: what a citizen who dials it meets, by date and hour, from ring to human.

One job: decisions to boxes and arrows. Every path is a decision of :func:`~routing.rules.decide` at a moment when it
holds, so the picture cannot say anything else than the calls do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from routing.calendar import CITY, city_time, is_open
from routing.model import CallFacts, Decision, LegacyNumber, MergeMode, Phase, Snapshot, TargetKind
from routing.naming import PROMPTS, Names, names_of
from routing.numbers import normalise
from routing.rules import MODE_NAMES, PHASE_NAMES, decide
from routing.svg import INK, LINE, MARK, Canvas

WIDTH, GAP, ROW, PAD = 184.0, 38.0, 20.0, 10.0
SEARCH_DAYS: Final = 28
"""So far from a phase's day an open and a closed half-hour are looked for; holidays take at most nine days."""
_HALF_HOUR: Final = timedelta(minutes=30)
_FILLS: Final = ("#e4e7eb", "#fffbea", "#e3f8ff", "#f0f4f8", "#e3f9e5", "#f2ebfe")


@dataclass(frozen=True, slots=True)
class Step:
    """One box: what happens, in a few short lines."""

    lines: tuple[str, ...]
    kind: int
    """Place of its colour."""


Path = tuple[Step, ...]


def paths(number: str, snapshot: Snapshot, now: datetime) -> tuple[Path, ...]:
    """Every way that a call to the number can take, as steps from ring to human."""
    dialled = normalise(number, snapshot.area_code) or number
    row, names = snapshot.numbers.get(dialled), names_of(snapshot)
    ring = Step((f"拨打 {number}", *((row.name, MODE_NAMES[row.mode]) if row else (_what(dialled, snapshot, now),))), 0)
    if row is None:
        return (_path((ring,), decide(CallFacts(number), snapshot, now), names),)
    found: dict[Path, None] = {}
    for phase, day in _phases(row, city_time(now).date()):
        when = Step((PHASE_NAMES[phase], *_dates(row, phase)), 1)
        for hours, moment in _moments(row, phase, day, snapshot):
            steps = (ring, when, Step(hours, 2)) if hours else (ring, when)
            found[_path(steps, decide(CallFacts(number), snapshot, moment), names)] = None
    return tuple(found)


def flow(number: str, tables: Sequence[tuple[str, Snapshot]], now: datetime) -> str:
    """The number's flow in each table as SVG, side by side under their names; what differs between two is marked."""
    ways = [paths(number, snapshot, now) for _, snapshot in tables]
    title = f"{number} 的来电去向" + (f"：{'、'.join(name for name, _ in tables)}" if len(tables) > 1 else "")
    told = [
        f"{name}：{'；'.join(in_words(path) for path in found)}" for (name, _), found in zip(tables, ways, strict=True)
    ]
    canvas = Canvas(title, "。".join(told))
    canvas.text(20, 32, title, bold=True)
    left = 20.0
    for (name, snapshot), found in zip(tables, ways, strict=True):
        known = {place for other in ways if other is not found for place in _places(other)}
        strange = _places(found) - known if len(ways) > 1 else set()
        note = "" if len(ways) < 2 else "（虚线框是另一边没有的）" if strange else "（没有另一边没有的）"
        version = f"第 {snapshot.version} 版" if snapshot.version else "未发布"
        canvas.text(left, 58, f"{name}（{version}）{note}", fill=INK)
        _draw(canvas, left, 74, found, strange)
        left += max(len(path) for path in found) * (WIDTH + GAP) + GAP
    return canvas.drawn()


def in_words(path: Path) -> str:
    """The path as a sentence, for those who cannot see it."""
    return "，然后 ".join(" ".join(step.lines) for step in path)


def _what(number: str, snapshot: Snapshot, now: datetime) -> str:
    kind = decide(CallFacts(number), snapshot, now)
    return {"hotline": "政务服务便民热线", "emergency": "紧急号码"}.get(kind.rule, "不在归并号码表中")


def _phases(row: LegacyNumber, today: date) -> Iterator[tuple[Phase, date]]:
    """Each phase that the row has, with a day of it, the nearest to today."""
    if row.first_day is not None and row.first_day > date.min:
        yield Phase.BEFORE, min(today, row.first_day - timedelta(days=1))
    during = max(today, row.first_day) if row.first_day else today
    yield Phase.DURING, min(during, row.last_day) if row.last_day else during
    if row.last_day is not None and row.last_day < date.max:
        yield Phase.AFTER, max(today, row.last_day + timedelta(days=1))


def _moments(
    row: LegacyNumber, phase: Phase, day: date, snapshot: Snapshot
) -> Iterator[tuple[tuple[str, ...], datetime]]:
    """A moment of the phase for each state of the row's hours, open first, with its name."""
    noon = datetime.combine(day, time(12), CITY)
    schedule = snapshot.schedules.get(row.schedule)
    if row.mode is MergeMode.FULL or schedule is None:
        yield (), noon
        return
    seen: dict[bool, datetime] = {}
    step = -1 if phase is Phase.BEFORE else 1
    for half_hours in range(SEARCH_DAYS * 48):
        moment = datetime.combine(day, time(0), CITY) + step * half_hours * _HALF_HOUR
        if phase is Phase.DURING and row.last_day and moment.date() > row.last_day:
            break
        seen.setdefault(is_open(schedule, moment, snapshot.holidays), moment)
        if len(seen) == 2:
            break
    for opened, name in ((True, "上班时间"), (False, "下班时间")):
        if opened in seen:
            yield (name, schedule.name), seen[opened]


def _path(steps: Path, decision: Decision, names: Names) -> Path:
    told = [names.of(PROMPTS, prompt) for prompt in decision.prompts]
    heard = Step(("听到", *told), 3) if told else Step(("不放提示音",), 3)
    path = [*steps, heard, _target(decision, names)]
    if decision.target.kind is TargetKind.SUBCENTRE:
        path.append(Step(("没人接时收回", _group(decision.group, names)), 4))
    path += [Step((f"等满 {seconds} 秒", f"{_group(group, names)}也可接"), 4) for seconds, group in decision.overflow]
    return tuple(path)


def _target(decision: Decision, names: Names) -> Step:
    match decision.target.kind:
        case TargetKind.GROUP:
            return Step(("人工接听", _group(decision.group, names)), 4)
        case TargetKind.SUBCENTRE:
            return Step(("转分中心", names.of("trunks", decision.target.id)), 5)
        case _:
            return Step(("紧急中心", decision.target.id), 5)


def _group(group: str, names: Names) -> str:
    return f"{names.of('groups', group)}组"


def _dates(row: LegacyNumber, phase: Phase) -> tuple[str, ...]:
    match phase:
        case Phase.BEFORE:
            return (f"{row.first_day} 之前",)
        case Phase.AFTER:
            return (f"{row.last_day} 之后",)
        case _:
            return f"{row.first_day or '不限'} 至", f"{row.last_day or '不限'}"


# Laying out: a path is a row; what several paths begin with is one box as high as all of them


def _places(found: Sequence[Path]) -> set[Path]:
    """Each step with the phase that it belongs to."""
    return {(path[min(1, depth)], step) for path in found for depth, step in enumerate(path)}


def _draw(canvas: Canvas, left: float, top: float, found: Sequence[Path], strange: set[Path]) -> None:
    heights = [max(len(step.lines) for step in path) * LINE + 2 * PAD + ROW for path in found]
    tops = [top + sum(heights[:place]) for place in range(len(found))]
    deepest = max(len(path) for path in found)
    centres: dict[Path, float] = {}
    for depth in range(deepest):
        for first, end in _shared(found, depth):
            beginning = found[first][: depth + 1]
            step = beginning[-1]
            height = len(step.lines) * LINE + 2 * PAD
            middle = (tops[first] + tops[end - 1] + heights[end - 1]) / 2
            x = left + depth * (WIDTH + GAP)
            marked = (beginning[min(1, depth)], step) in strange
            canvas.box(x, middle - height / 2, WIDTH, height, fill=_FILLS[step.kind], marked=marked)
            for place, line in enumerate(step.lines):
                y = middle - height / 2 + PAD + LINE * place + 15
                canvas.text(x + PAD, y, line, width=WIDTH - 2 * PAD, bold=not place, fill=MARK if marked else INK)
            if depth:
                canvas.arrow(x - GAP, centres[beginning[:-1]], x, middle)
            centres[beginning] = middle


def _shared(found: Sequence[Path], depth: int) -> Iterator[tuple[int, int]]:
    """Stretches [first, end) of neighbouring paths that are one up to this depth."""
    first = 0
    while first < len(found):
        end = first + 1
        if len(found[first]) > depth:
            while end < len(found) and found[end][: depth + 1] == found[first][: depth + 1]:
                end += 1
            yield first, end
        first = end
