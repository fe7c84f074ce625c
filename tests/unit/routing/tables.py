"""Random routing tables that pass the lint, and slow obvious copies of its rules, for property tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

from hypothesis import strategies as st

from routing.calendar import CITY
from routing.lint import lint
from routing.model import Agent, DayKind, Group, Holiday, LegacyNumber, MergeMode, Period, Schedule, Table, Trunk
from routing.sample_table import sample_table
from telephony.model import GroupId

SAMPLE = sample_table()
GROUPS = [GroupId(name) for name in ("general", "market", "transport", "night")]
SCHEDULES = ("office", "late", "never")
TRUNKS = ("site-a", "site-b")
DIGITS = ("12333", "12315", "12366", "8768123", "075412345", "1101", "123456")
"""Numbers of the table, with neighbours of the emergency numbers and of 12345."""

CLOCKS = st.sampled_from([time(0), time(0, 30), time(8, 30), time(12), time(17, 59, 59), time(23, 59, 59, 999999)])
DAYS = st.dates(date(2026, 9, 28), date(2026, 10, 7))
"""Few, so that days of rows, holidays and calls meet."""
PERIODS = st.lists(st.builds(Period, st.frozensets(st.integers(1, 7), min_size=1), CLOCKS, CLOCKS), max_size=3).map(
    tuple
)
_EDGES = st.builds(
    lambda day, clock, beside: datetime.combine(day, clock, CITY) + beside * timedelta(microseconds=1),
    DAYS,
    CLOCKS,
    st.sampled_from([-1, 0, 1]),
)
_ANY = st.datetimes(datetime(2024, 12, 1), datetime(2028, 2, 1)).map(lambda naive: naive.replace(tzinfo=CITY))  # noqa: DTZ001 hypothesis wants naive bounds
MOMENTS = st.one_of(_EDGES, _EDGES, _ANY)
"""Mostly where something begins or ends."""
DIALLED = st.one_of(
    st.sampled_from(["12345", "0663-12345", "+86 663 12345", "110", "0663119", "+8612333", "99999", "", "abc"]),
    st.sampled_from(DIGITS),
    st.sampled_from(DIGITS),
    st.sampled_from(DIGITS).map(lambda digits: f"0663{digits}"),
    st.text("0123456789+-", max_size=16),
)


@st.composite
def rows(draw: st.DrawFn, number: str) -> LegacyNumber:
    """A number's row, sound or not."""
    mode = draw(st.sampled_from(MergeMode))
    first = draw(st.none() | DAYS)
    last = draw(st.none() | DAYS)
    return LegacyNumber(
        number=number,
        name="线",
        mode=mode,
        group=draw(st.sampled_from(GROUPS)),
        first_day=first,
        last_day=max(first, last) if first and last else last,
        prompt=f"p-{number}",
        prompt_after=f"q-{number}",
        schedule=draw(st.sampled_from(["", *SCHEDULES])),
        overflow_group=draw(st.none() | st.sampled_from(GROUPS)),
        overflow_seconds=draw(st.integers(0, 60)),
        trunk=draw(st.sampled_from(TRUNKS)) if mode is MergeMode.SUBCENTRE else "",
    )


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """A table that passes the lint: what it refuses is left out, as an admin would."""
    holidays = draw(st.dictionaries(DAYS, st.sampled_from([DayKind.HOLIDAY, DayKind.MAKEUP_WORKDAY]), max_size=6))
    skills = st.lists(st.sampled_from(GROUPS), unique=True, max_size=3).map(tuple)
    staff = [Agent("1000", "甲", (GROUPS[0],)), *(Agent(str(1001 + n), "乙", draw(skills)) for n in range(2))]
    table = replace(
        SAMPLE,
        groups=tuple(Group(group, "组") for group in GROUPS),
        schedules=tuple(Schedule(name, "班", draw(PERIODS), draw(PERIODS)) for name in SCHEDULES),
        holidays=tuple(Holiday(day, kind) for day, kind in sorted(holidays.items())),
        numbers=tuple(
            draw(rows(number)) for number in draw(st.lists(st.sampled_from(DIGITS), unique=True, min_size=3))
        ),
        trunks=(
            *(trunk for trunk in SAMPLE.trunks if trunk.role != "subcentre"),
            *(Trunk(name, "subcentre", "12366", "127.0.0.1", 15000, "分中心") for name in TRUNKS),
        ),
        agents=tuple(staff),
        default_group=GROUPS[0],
        callback=replace(SAMPLE.callback, schedule=""),
        call_out=replace(SAMPLE.call_out, schedule=""),
        partners=(),
    )
    refused = {fault.path.split(".")[1] for fault in lint(table) if fault.path.startswith("numbers.")}
    table = replace(table, numbers=tuple(row for row in table.numbers if row.number not in refused))
    assert lint(table) == ()
    return table


# The reference: as the rules read in docs, one moment and one minute at a time, with no regard to speed


def reference_normal(dialled: str) -> str:
    """What a number is called in the table, for the area code 0663."""
    text = "".join(sign for sign in dialled if sign not in " -()\t")
    body = text.removeprefix("+")
    if not body or len(body) > 32 or not all(sign in "0123456789" for sign in body):
        return ""
    rest = None
    if text.startswith("+86"):
        rest = text[3:]
    elif text.startswith("+"):
        return "00" + body
    elif text.startswith("0086"):
        rest = text[4:]
    if rest is not None:
        mobile = len(rest) == 11 and rest[0] == "1"
        if rest.startswith("663") and len(rest) > 3 and not mobile:
            text = "0663" + rest[3:]
        elif len(rest) <= 6 or mobile or rest[:3] in ("400", "800"):
            text = rest
        else:
            text = rest if rest.startswith("0") else "0" + rest
    return text[4:] if text.startswith("0663") and len(text) > 4 else text


def reference_open(schedule: Schedule, holidays: dict[date, DayKind], moment: datetime) -> bool:
    """Whether any shift that began today or yesterday runs at this moment."""
    for back in (0, 1):
        day = moment.date() - timedelta(days=back)
        kind = holidays.get(day)
        weekday = day.isoweekday()
        for period in schedule.holiday_periods if kind is DayKind.HOLIDAY else schedule.periods:
            today = weekday in period.days
            if kind is DayKind.MAKEUP_WORKDAY and any(one <= 5 for one in period.days):
                today = True
            begins = datetime.combine(day, period.start, CITY)
            ends = datetime.combine(day, period.end, CITY)
            if ends <= begins:
                ends += timedelta(days=1)
            if today and begins <= moment < ends:
                return True
    return False


def reference(
    table: Table, dialled: str, moment: datetime
) -> tuple[str, str, str, tuple[str, ...], tuple[object, ...]]:
    """Kind of target, target, rule, prompts and widening."""
    number = reference_normal(dialled)
    general = str(table.default_group)
    if number in ("110", "119", "120", "122"):
        return "emergency", number, "emergency", (), ()
    if number == "12345":
        return "group", general, "hotline", (table.greeting,), ()
    row = next((row for row in table.numbers if row.number == number), None)
    if row is None:
        return "group", general, "unknown", (table.greeting,), ()
    today = moment.date()
    prompts: tuple[str, ...] = (row.prompt,)
    phase = "during"
    if row.first_day and today < row.first_day:
        phase, prompts = "before", ()
    elif row.last_day and today > row.last_day:
        phase, prompts = "after", (row.prompt_after,)
    holidays = {holiday.day: holiday.kind for holiday in table.holidays}
    schedule = next((one for one in table.schedules if one.id == row.schedule), None)
    opened = not row.schedule or (schedule is not None and reference_open(schedule, holidays, moment))
    state = "open" if opened else "closed"
    if row.mode is MergeMode.FULL:
        wider = row.overflow_group or general
        return "group", row.group, f"legacy.full.{phase}", prompts, _widening(row, row.group, wider)
    if row.mode is MergeMode.DUAL:
        group, wider = (row.group, row.overflow_group or general) if opened else (general, general)
        return "group", group, f"legacy.dual.{phase}.{state}", prompts, _widening(row, group, wider)
    target = ("subcentre", row.trunk) if opened else ("group", str(row.group))
    return *target, f"legacy.subcentre.{phase}.{state}", prompts, _widening(row, row.group, general)


def _widening(row: LegacyNumber, group: str, wider: str) -> tuple[object, ...]:
    return () if group == wider else ((row.overflow_seconds, wider),)
