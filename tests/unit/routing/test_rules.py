from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.calendar import CITY
from routing.explain import as_json, explain
from routing.model import (
    CallFacts,
    DayKind,
    Decision,
    Group,
    LegacyNumber,
    MergeMode,
    Period,
    Phase,
    Schedule,
    Snapshot,
    Target,
    TargetKind,
    Trunk,
)
from routing.naming import NO_NAMES, names_of
from routing.rules import decide, phase_of
from routing.sample_table import sample_snapshot
from telephony.model import EMERGENCY_NUMBERS, GroupId

pytestmark = pytest.mark.unit

SAMPLE = sample_snapshot()
WORKDAY = "2026-11-23T10:00"
NIGHT = "2026-11-23T22:00"
GREETING = ("greeting-12345",)


def midnight(year: int, month: int, day: int) -> datetime:
    """Naive, as hypothesis wants its bounds."""
    return datetime.combine(date(year, month, day), time())


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CITY)


def ask(number: str, moment: str = WORKDAY, snapshot: Snapshot = SAMPLE) -> Decision:
    return decide(CallFacts(number, "13800138000"), snapshot, at(moment))


def group(name: str) -> Target:
    return Target(TargetKind.GROUP, name)


@pytest.mark.parametrize("number", ["12345", "066312345", "0663-12345", "+8666312345", "008666312345"])
@pytest.mark.parametrize("moment", [WORKDAY, NIGHT, "2026-10-01T03:00", "2028-02-29T00:00"])
def test_12345_is_greeted_and_answered_round_the_clock(number: str, moment: str) -> None:
    decision = ask(number, moment)
    assert (decision.target, decision.prompts, decision.rule) == (group("general"), GREETING, "hotline")
    assert decision.number == "12345"


@pytest.mark.parametrize("number", EMERGENCY_NUMBERS)
@pytest.mark.parametrize("form", ["{}", "0663{}", "+86663{}", "+86{}"])
def test_emergency_numbers_stand_before_every_table(number: str, form: str) -> None:
    trap = LegacyNumber(number, "陷阱", MergeMode.FULL, GroupId("market"), None, None, "x", "y")
    shadowed = replace(SAMPLE, numbers={**SAMPLE.numbers, number: trap})
    decision = ask(form.format(number), NIGHT, shadowed)
    assert decision.target == Target(TargetKind.EMERGENCY, number)
    assert (decision.rule, decision.prompts, decision.group) == ("emergency", (), "general")


@pytest.mark.parametrize("area_code", ["", "0", "1", "11", "110"])
def test_no_area_code_can_hide_an_emergency_number(area_code: str) -> None:
    assert ask("110", snapshot=replace(SAMPLE, area_code=area_code)).rule == "emergency"


TABLE = [
    # full: 2026-07-01 to 2027-06-30
    ("12333", "2026-06-30T23:59:59", "legacy.full.before", "social-security", (), True),
    ("12333", "2026-07-01T00:00", "legacy.full.during", "social-security", ("legacy-12333-during",), True),
    ("12333", WORKDAY, "legacy.full.during", "social-security", ("legacy-12333-during",), True),
    ("12333", NIGHT, "legacy.full.during", "social-security", ("legacy-12333-during",), True),
    ("12333", "2027-06-30T23:59:59.999999", "legacy.full.during", "social-security", ("legacy-12333-during",), True),
    ("12333", "2027-07-01T00:00", "legacy.full.after", "social-security", ("legacy-12333-after",), True),
    ("0663-12333", WORKDAY, "legacy.full.during", "social-security", ("legacy-12333-during",), True),
    # full into the 12345 group itself: nowhere to overflow to
    ("12348", WORKDAY, "legacy.full.after", "general", ("legacy-12348-after",), False),
    ("12320", WORKDAY, "legacy.full.before", "general", (), False),
    # dual
    ("12315", WORKDAY, "legacy.dual.during.open", "market", ("legacy-12315-during",), True),
    ("12315", NIGHT, "legacy.dual.during.closed", "general", ("legacy-12315-during",), False),
    ("12315", "2026-10-01T08:30", "legacy.dual.during.closed", "general", ("legacy-12315-during",), False),
    ("12315", "2026-10-01T09:00", "legacy.dual.during.open", "market", ("legacy-12315-during",), True),
    ("12329", "2026-10-10T09:00", "legacy.dual.during.open", "housing-fund", ("legacy-12329-during",), True),
    ("12329", "2026-10-17T09:00", "legacy.dual.during.closed", "general", ("legacy-12329-during",), False),
    ("12328", "2026-11-24T00:59:59", "legacy.dual.after.open", "transport", ("legacy-12328-after",), True),
    ("12328", "2026-11-24T01:00", "legacy.dual.after.closed", "general", ("legacy-12328-after",), False),
    ("12312", WORKDAY, "legacy.dual.before.open", "market", (), True),
    ("12312", NIGHT, "legacy.dual.before.closed", "general", (), False),
    # sub-centre, out of hours
    ("12366", NIGHT, "legacy.subcentre.during.closed", "general", ("legacy-12366-during",), False),
    ("12313", NIGHT, "legacy.subcentre.before.closed", "general", (), False),
    ("12367", "2026-11-23T20:00", "legacy.subcentre.after.closed", "general", ("legacy-12367-after",), False),
    # unknown
    ("12399", WORKDAY, "unknown", "general", GREETING, False),
    ("", WORKDAY, "unknown", "general", GREETING, False),
    ("${SHELL(id)},{&;\n", WORKDAY, "unknown", "general", GREETING, False),
    ("9" * 300, WORKDAY, "unknown", "general", GREETING, False),
]


@pytest.mark.parametrize(("number", "moment", "rule", "target", "prompts", "overflows"), TABLE)
def test_who_answers(
    number: str, moment: str, rule: str, target: str, prompts: tuple[str, ...], overflows: bool
) -> None:
    decision = ask(number, moment)
    assert (decision.rule, decision.target, decision.group) == (rule, group(target), target)
    assert decision.prompts == prompts
    assert decision.overflow == (((20, "general"),) if overflows else ())


@pytest.mark.parametrize(
    ("number", "moment", "phase", "prompts"),
    [
        ("12366", WORKDAY, Phase.DURING, ("legacy-12366-during",)),
        ("12366", "2026-10-10T09:00", Phase.DURING, ("legacy-12366-during",)),
        ("12313", WORKDAY, Phase.BEFORE, ()),
        ("12367", WORKDAY, Phase.AFTER, ("legacy-12367-after",)),
    ],
)
def test_a_subcentre_answers_in_its_hours(number: str, moment: str, phase: Phase, prompts: tuple[str, ...]) -> None:
    decision = ask(number, moment)
    assert decision.target == Target(TargetKind.SUBCENTRE, f"subcentre-{number}")
    assert (decision.group, decision.phase, decision.prompts) == ("general", phase, prompts)
    assert decision.mode is MergeMode.SUBCENTRE


def test_a_subcentre_taken_back_by_a_special_group_still_overflows_to_12345() -> None:
    row = replace(SAMPLE.numbers["12366"], group=GroupId("market"))
    snapshot = replace(SAMPLE, numbers={"12366": row})
    for moment in (WORKDAY, NIGHT):
        decision = ask("12366", moment, snapshot)
        assert (decision.group, decision.overflow) == ("market", ((20, "general"),))


def test_an_overflow_group_of_its_own_comes_before_the_default() -> None:
    row = replace(SAMPLE.numbers["12315"], overflow_group=GroupId("transport"), overflow_seconds=7)
    snapshot = replace(SAMPLE, numbers={"12315": row})
    assert ask("12315", WORKDAY, snapshot).overflow == ((7, "transport"),)
    assert ask("12315", NIGHT, snapshot).target == group("general")


def test_dual_without_a_schedule_is_open_round_the_clock() -> None:
    snapshot = replace(SAMPLE, numbers={"12315": replace(SAMPLE.numbers["12315"], schedule="")})
    assert ask("12315", NIGHT, snapshot).rule == "legacy.dual.during.open"


@pytest.mark.parametrize(
    ("change", "number", "rule", "target"),
    [
        ({"trunks": {}}, "12366", "legacy.subcentre.during.no-trunk", "general"),
        ({"schedules": {}}, "12366", "legacy.subcentre.during.closed", "general"),
        ({"schedules": {}}, "12315", "legacy.dual.during.closed", "general"),
        ({"groups": {}}, "12333", "legacy.full.during", "general"),
        ({"groups": {}}, "12345", "hotline", "general"),
        ({"numbers": {}}, "12333", "unknown", "general"),
    ],
)
def test_whatever_the_table_lacks_a_human_answers(
    change: dict[str, dict[str, object]], number: str, rule: str, target: str
) -> None:
    decision = ask(number, WORKDAY, replace(SAMPLE, **change))  # type: ignore[arg-type]
    assert (decision.rule, decision.target, decision.overflow) == (rule, group(target), ())


def test_a_year_without_holidays_is_said_in_the_trace() -> None:
    decision = ask("12329", "2027-01-01T09:00")
    assert decision.rule == "legacy.dual.during.open"
    assert any("2027 年的节假日数据" in line for line in decision.trace)
    assert not any("节假日数据" in line for line in ask("12329", WORKDAY).trace)


@pytest.mark.parametrize(
    ("first", "last", "day", "phase"),
    [
        (None, None, date(2026, 1, 1), Phase.DURING),
        (date(2026, 1, 2), None, date(2026, 1, 1), Phase.BEFORE),
        (None, date(2026, 1, 1), date(2026, 1, 1), Phase.DURING),
        (None, date(2026, 1, 1), date(2026, 1, 2), Phase.AFTER),
        (date(2028, 2, 29), date(2028, 2, 29), date(2028, 2, 28), Phase.BEFORE),
        (date(2028, 2, 29), date(2028, 2, 29), date(2028, 2, 29), Phase.DURING),
        (date(2028, 2, 29), date(2028, 2, 29), date(2028, 3, 1), Phase.AFTER),
    ],
)
def test_phases(first: date | None, last: date | None, day: date, phase: Phase) -> None:
    row = replace(SAMPLE.numbers["12333"], first_day=first, last_day=last)
    assert phase_of(row, datetime.combine(day, time(0), CITY)) is phase
    assert phase_of(row, datetime.combine(day, time(23, 59, 59, 999999), CITY)) is phase


def test_the_last_day_ends_at_midnight_on_the_citys_clock_not_utc() -> None:
    row = SAMPLE.numbers["12333"]
    assert phase_of(row, datetime(2027, 6, 30, 15, 59, 59, tzinfo=UTC)) is Phase.DURING
    assert phase_of(row, datetime(2027, 6, 30, 16, 0, tzinfo=UTC)) is Phase.AFTER


def test_the_sample_covers_every_mode_in_every_phase() -> None:
    seen = {(row.mode, phase_of(row, at(WORKDAY))) for row in SAMPLE.numbers.values()}
    assert seen == {(mode, phase) for mode in MergeMode for phase in Phase}


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        decide(CallFacts("12333"), SAMPLE, datetime(2026, 1, 1))  # noqa: DTZ001 the naive one is what is tested


def test_explained_in_chinese_and_as_data() -> None:
    decision = ask("12366", WORKDAY)
    lines = explain(decision, names_of(SAMPLE))
    assert lines[0] == "去向：分中心 12366 税务分中心"
    assert "不通时收回：技能组 综合受理" in lines
    assert lines[-1].startswith(f"  {len(decision.trace)}. ")
    data = as_json(decision)
    assert data["target"] == {"kind": "subcentre", "id": "subcentre-12366"}
    assert (data["mode"], data["phase"], data["rule"]) == ("subcentre", "during", decision.rule)
    assert as_json(ask("12333"))["overflow"] == [{"seconds": 20, "group": "general"}]


ids = st.sampled_from(["general", "market", "gone"])
group_ids = ids.map(GroupId)
days = st.none() | st.dates(date(2024, 1, 1), date(2029, 12, 31))
numbers = st.from_regex(r"[0-9]{3,8}", fullmatch=True) | st.sampled_from([*EMERGENCY_NUMBERS, "12345", "12333"])
periods = st.builds(Period, st.frozensets(st.integers(1, 7)), st.times(), st.times())
schedules = st.builds(
    Schedule, st.just("office"), st.just("班表"), st.lists(periods, max_size=3).map(tuple), st.just(())
)
rows = st.builds(
    LegacyNumber,
    number=numbers,
    name=st.text(max_size=5),
    mode=st.sampled_from(MergeMode),
    group=group_ids,
    first_day=days,
    last_day=days,
    prompt=st.sampled_from(["", "p"]),
    prompt_after=st.sampled_from(["", "q"]),
    schedule=st.sampled_from(["", "office", "gone"]),
    overflow_group=st.none() | group_ids,
    overflow_seconds=st.integers(-5, 100),
    trunk=st.sampled_from(["", "sub", "gone"]),
)
snapshots = st.builds(
    lambda found, hours, listed, holidays, area: Snapshot(
        version=1,
        published_at="2026-01-01T00:00:00+00:00",
        greeting="greeting-12345",
        default_group=GroupId("general"),
        groups={GroupId(name): Group(GroupId(name), name) for name in listed},
        schedules={"office": hours},
        holidays=holidays,
        numbers={row.number: row for row in found},
        trunks={"sub": Trunk("sub", "subcentre", "12366", "127.0.0.1", 15366, "分中心")},
        agents={},
        seats=(),
        area_code=area,
    ),
    st.lists(rows, max_size=6),
    schedules,
    st.sets(st.sampled_from(["general", "market"])),
    st.dictionaries(st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.sampled_from(DayKind), max_size=5),
    st.sampled_from(["", "0663", "0", "1"]),
)


@settings(max_examples=300)
@given(st.data(), snapshots, st.datetimes(midnight(2023, 1, 1), midnight(2030, 1, 1)))
def test_every_call_ends_somewhere(data: st.DataObject, snapshot: Snapshot, naive: datetime) -> None:
    known = st.sampled_from(sorted(snapshot.numbers)) if snapshot.numbers else st.nothing()
    dialled = data.draw(known | numbers | st.text(max_size=40))
    decision = decide(CallFacts(dialled), snapshot, naive.replace(tzinfo=UTC))
    answerable = {*snapshot.groups, snapshot.default_group}
    match decision.target.kind:
        case TargetKind.GROUP:
            assert decision.target.id == decision.group
        case TargetKind.SUBCENTRE:
            assert decision.target.id in snapshot.trunks
        case TargetKind.EMERGENCY:
            assert decision.target.id in EMERGENCY_NUMBERS
    assert decision.group in answerable
    assert all(wider in answerable and wider != decision.group for _, wider in decision.overflow)
    assert all(seconds >= 0 for seconds, _ in decision.overflow)
    assert decision.reason
    assert decision.trace
    if dialled in EMERGENCY_NUMBERS:
        assert decision.rule == "emergency"
    assert explain(decision, NO_NAMES)
