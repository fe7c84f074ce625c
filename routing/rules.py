"""Which human answers this call, and why.

One job: facts, table and time in; a decision with its reason out. It never raises for anything a caller dialled or an
admin wrote: whatever the table lacks, the call ends at a group, a sub-centre or an emergency centre. The same function
serves the live call, ``hotline route test`` and the console's preview.

Order: emergency numbers (outside every table), 12345, the merge table, and the 12345 group for all else. A list that
the caller is on changes none of this: it only says as whom the caller is served.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from routing.announcements import announced, prompt_of
from routing.calendar import city_time, day_kind, is_open, year_known
from routing.closed_groups import on_this_day
from routing.model import (
    CallerList,
    CallFacts,
    DayKind,
    Decision,
    LegacyNumber,
    ListedCaller,
    MergeMode,
    Phase,
    Snapshot,
    Target,
    TargetKind,
)
from routing.numbers import normalise
from telephony.model import EMERGENCY_NUMBERS, HOTLINE_NUMBER, GroupId

MODE_NAMES: Final[Mapping[MergeMode, str]] = {
    MergeMode.FULL: "整体并入",
    MergeMode.DUAL: "双号并行",
    MergeMode.SUBCENTRE: "设分中心",
}
PHASE_NAMES: Final[Mapping[Phase, str]] = {
    Phase.BEFORE: "过渡期尚未开始",
    Phase.DURING: "过渡期内",
    Phase.AFTER: "过渡期已结束",
}
DAY_NAMES: Final[Mapping[DayKind, str]] = {
    DayKind.WORKDAY: "工作日",
    DayKind.WEEKEND: "周末",
    DayKind.HOLIDAY: "节假日",
    DayKind.MAKEUP_WORKDAY: "调休上班日",
}
SERVED_AS: Final[Mapping[CallerList, str]] = {
    CallerList.NUISANCE: "在骚扰名单，排在其他来电之后，照常接通",
    CallerList.PRIORITY: "在优先名单，优先接听",
    CallerList.STAFF: "是内部人员，按普通来电接听",
}
_LONGEST_SHOWN: Final = 40


def decide(facts: CallFacts, snapshot: Snapshot, now: datetime) -> Decision:
    """Where the call goes at the aware moment ``now``. Raises ValueError only when ``now`` is naive."""
    number = normalise(facts.number, snapshot.area_code)
    trace = [_heard(facts.number, number)]
    if number in EMERGENCY_NUMBERS:
        return _emergency(number, snapshot, trace)
    row = listed(facts.caller, snapshot, now)
    decision = on_this_day(_answered(number, snapshot, now, trace), snapshot, city_time(now).date())
    if snapshot.announcements:
        decision = _announced(decision, snapshot, now)
    return decision if row is None else _served_as(row, decision)


def listed(caller: str, snapshot: Snapshot, now: datetime) -> ListedCaller | None:
    """The row of the list that this caller is on at the aware moment ``now``; a row counts until, not at, its end."""
    if not snapshot.callers or not caller:
        return None
    row = snapshot.callers.get(normalise(caller, snapshot.area_code))
    return row if row is not None and (row.until is None or now < row.until) else None


def _announced(decision: Decision, snapshot: Snapshot, now: datetime) -> Decision:
    told = announced(snapshot, decision.number, decision.group, now)
    if not told:
        return decision
    return replace(
        decision,
        prompts=(*decision.prompts, *map(prompt_of, told)),
        trace=(*decision.trace, f"公告：{'、'.join(snapshot.announcements[one].text for one in told)}"),
    )


def _served_as(row: ListedCaller, decision: Decision) -> Decision:
    served = f"来电人{SERVED_AS[row.list]}"
    return replace(
        decision,
        reason=f"{decision.reason}；{served}",
        trace=(*decision.trace, f"{served}（{row.reason}）"),
        list=row.list,
    )


def _answered(number: str, snapshot: Snapshot, now: datetime, trace: list[str]) -> Decision:
    if number == HOTLINE_NUMBER:
        trace.append("是 12345：由人工座席 7×24 小时接听")
        return _to_group(
            snapshot,
            snapshot.default_group,
            trace,
            number=number,
            rule="hotline",
            reason=f"拨打 12345，直接进入{_group_name(snapshot, snapshot.default_group)}",
            prompts=(snapshot.greeting,),
        )
    row = snapshot.numbers.get(number) if number else None
    if row is None:
        trace.append("归并号码表中没有这个号码")
        return _to_group(
            snapshot,
            snapshot.default_group,
            trace,
            number=number,
            rule="unknown",
            reason=f"号码不在归并号码表中，由{_group_name(snapshot, snapshot.default_group)}接听",
            prompts=(snapshot.greeting,),
        )
    return _legacy(row, snapshot, now, trace)


def phase_of(row: LegacyNumber, now: datetime) -> Phase:
    """Where the moment is in the row's transition; first and last day both belong to it, on the city's clock."""
    today = city_time(now).date()
    if row.first_day is not None and today < row.first_day:
        return Phase.BEFORE
    if row.last_day is not None and today > row.last_day:
        return Phase.AFTER
    return Phase.DURING


def _emergency(number: str, snapshot: Snapshot, trace: list[str]) -> Decision:
    trace.append("是紧急号码：先于一切路由表，直接转接")
    return Decision(
        target=Target(TargetKind.EMERGENCY, number),
        rule="emergency",
        reason=f"{number} 是紧急号码，不经归并，直接转接 {number}",
        prompts=(),
        group=snapshot.default_group,
        overflow=(),
        version=snapshot.version,
        trace=tuple(trace),
        number=number,
    )


def _legacy(row: LegacyNumber, snapshot: Snapshot, now: datetime, trace: list[str]) -> Decision:
    phase = phase_of(row, now)
    trace.append(f"归并号码 {row.number}（{row.name}），方式：{MODE_NAMES[row.mode]}")
    trace.append(f"{PHASE_NAMES[phase]}（{_span(row)}，今天 {city_time(now).date().isoformat()}）")
    return _BY_MODE[row.mode](row, phase, snapshot, now, trace)


def _full(row: LegacyNumber, phase: Phase, snapshot: Snapshot, now: datetime, trace: list[str]) -> Decision:
    return _to_group(
        snapshot,
        row.group,
        trace,
        row=row,
        phase=phase,
        rule=f"legacy.full.{phase}",
        reason=f"{_title(row, phase)}，直接进入{_group_name(snapshot, row.group)}{_withdrawn(row, phase)}",
        overflow_to=row.overflow_group or snapshot.default_group,
    )


def _dual(row: LegacyNumber, phase: Phase, snapshot: Snapshot, now: datetime, trace: list[str]) -> Decision:
    if _open(row, snapshot, now, trace):
        return _to_group(
            snapshot,
            row.group,
            trace,
            row=row,
            phase=phase,
            rule=f"legacy.dual.{phase}.open",
            reason=f"{_title(row, phase)}，部门上班时间内先由{_group_name(snapshot, row.group)}接听",
            overflow_to=row.overflow_group or snapshot.default_group,
        )
    return _to_group(
        snapshot,
        snapshot.default_group,
        trace,
        row=row,
        phase=phase,
        rule=f"legacy.dual.{phase}.closed",
        reason=f"{_title(row, phase)}，部门下班时间由{_group_name(snapshot, snapshot.default_group)}接听",
    )


def _subcentre(row: LegacyNumber, phase: Phase, snapshot: Snapshot, now: datetime, trace: list[str]) -> Decision:
    back = _group_name(snapshot, row.group)
    trunk = snapshot.trunks.get(row.trunk)
    if not _open(row, snapshot, now, trace):
        return _to_group(
            snapshot,
            row.group,
            trace,
            row=row,
            phase=phase,
            rule=f"legacy.subcentre.{phase}.closed",
            reason=f"{_title(row, phase)}，分中心下班时间由{back}接听",
            overflow_to=snapshot.default_group,
        )
    if trunk is None:
        trace.append(f"分中心线路“{row.trunk}”不在路由表中")
        return _to_group(
            snapshot,
            row.group,
            trace,
            row=row,
            phase=phase,
            rule=f"legacy.subcentre.{phase}.no-trunk",
            reason=f"{_title(row, phase)}，但分中心线路没有配置，由{back}接听",
            overflow_to=snapshot.default_group,
        )
    trace.append(f"转分中心 {trunk.name}，无人接听时由{back}收回")
    group = _existing(row.group, snapshot, trace)
    return Decision(
        target=Target(TargetKind.SUBCENTRE, trunk.id),
        rule=f"legacy.subcentre.{phase}.open",
        reason=f"{_title(row, phase)}，上班时间内转分中心 {trunk.name}",
        prompts=_prompts(row, phase),
        group=group,
        overflow=_overflow(group, row, snapshot.default_group),
        version=snapshot.version,
        trace=tuple(trace),
        number=row.number,
        mode=row.mode,
        language=row.language,
        phase=phase,
    )


_BY_MODE: Final[Mapping[MergeMode, Callable[[LegacyNumber, Phase, Snapshot, datetime, list[str]], Decision]]] = {
    MergeMode.FULL: _full,
    MergeMode.DUAL: _dual,
    MergeMode.SUBCENTRE: _subcentre,
}


def _to_group(
    snapshot: Snapshot,
    wanted: GroupId,
    trace: list[str],
    *,
    rule: str,
    reason: str,
    number: str = "",
    row: LegacyNumber | None = None,
    phase: Phase | None = None,
    prompts: tuple[str, ...] = (),
    overflow_to: GroupId | None = None,
) -> Decision:
    group = _existing(wanted, snapshot, trace)
    overflow: tuple[tuple[int, GroupId], ...] = ()
    if row is not None and phase is not None:
        number, prompts = row.number, _prompts(row, phase)
        if overflow_to is not None:
            overflow = _overflow(group, row, _existing(overflow_to, snapshot, trace))
    for seconds, wider in overflow:
        trace.append(f"等待满 {seconds} 秒后，{_group_name(snapshot, wider)}也可接听")
    return Decision(
        target=Target(TargetKind.GROUP, group),
        rule=rule,
        reason=reason,
        prompts=prompts,
        group=group,
        overflow=overflow,
        version=snapshot.version,
        trace=tuple(trace),
        number=number,
        mode=row.mode if row is not None else None,
        language=row.language if row is not None else "",
        phase=phase,
    )


def _open(row: LegacyNumber, snapshot: Snapshot, now: datetime, trace: list[str]) -> bool:
    if not row.schedule:
        trace.append("没有班表：全天上班")
        return True
    schedule = snapshot.schedules.get(row.schedule)
    if schedule is None:
        trace.append(f"班表“{row.schedule}”不在路由表中，按下班处理")
        return False
    local = city_time(now)
    if not year_known(now, snapshot):
        trace.append(f"没有 {local.year} 年的节假日数据，按平常星期处理")
    opened = is_open(schedule, now, snapshot.holidays)
    day = DAY_NAMES[day_kind(local.date(), snapshot.holidays)]
    trace.append(f"班表“{schedule.name}”：{local:%Y-%m-%d %H:%M} 是{day}，{'上班' if opened else '下班'}")
    return opened


def _existing(group: GroupId, snapshot: Snapshot, trace: list[str]) -> GroupId:
    if group in snapshot.groups or group == snapshot.default_group:
        return group
    trace.append(f"技能组“{group}”不在路由表中，改由 12345 受理组接听")
    return snapshot.default_group


def _overflow(group: GroupId, row: LegacyNumber, wider: GroupId) -> tuple[tuple[int, GroupId], ...]:
    return () if wider == group else ((max(0, row.overflow_seconds), wider),)


def _prompts(row: LegacyNumber, phase: Phase) -> tuple[str, ...]:
    """Before the first day nothing has changed for the caller, so nothing is said."""
    prompt = {Phase.BEFORE: "", Phase.DURING: row.prompt, Phase.AFTER: row.prompt_after}[phase]
    return (prompt,) if prompt else ()


def _heard(dialled: str, number: str) -> str:
    if not number:
        more = f"…（共 {len(dialled)} 个字符）" if len(dialled) > _LONGEST_SHOWN else ""
        return f"被叫 {dialled[:_LONGEST_SHOWN]!r}{more} 不是电话号码"
    return f"被叫 {dialled}" if number == dialled else f"被叫 {dialled}，即 {number}"


def _title(row: LegacyNumber, phase: Phase) -> str:
    return f"{row.number}（{row.name}）{MODE_NAMES[row.mode]}，{PHASE_NAMES[phase]}"


def _withdrawn(row: LegacyNumber, phase: Phase) -> str:
    return f"；{row.number} 可以停用，停用前照常接通" if phase is Phase.AFTER else ""


def _span(row: LegacyNumber) -> str:
    first = row.first_day.isoformat() if row.first_day else "不限"
    last = row.last_day.isoformat() if row.last_day else "不限"
    return f"{first} 至 {last}"


def _group_name(snapshot: Snapshot, group: GroupId) -> str:
    known = snapshot.groups.get(group) or snapshot.groups.get(snapshot.default_group)
    return f"“{known.name}”组" if known is not None else "12345 受理组"
