"""The routing table in the database: its editable rows, and every version ever published.

One job: tables and queries. Published versions are only ever added; the migration's triggers refuse anything else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final

from sqlalchemy import CheckConstraint, ForeignKey, Integer, String, Text, delete, false, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from database.base import Base, UtcDateTime
from routing.model import Agent, DayKind, Group, Holiday, LegacyNumber, MergeMode, Period, Schedule, Table, Trunk
from telephony.model import GroupId


class SettingRow(Base):
    """A single value of the table: area_code, greeting, default_group."""

    __tablename__ = "routing_settings"

    key: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(String(200))


class GroupRow(Base):
    __tablename__ = "routing_groups"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    place: Mapped[int]
    name: Mapped[str] = mapped_column(String(60))
    ring_seconds: Mapped[int]
    wrap_up_seconds: Mapped[int]
    whisper: Mapped[bool] = mapped_column(server_default=true())


class ScheduleRow(Base):
    __tablename__ = "routing_schedules"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    place: Mapped[int]
    name: Mapped[str] = mapped_column(String(60))


class PeriodRow(Base):
    __tablename__ = "routing_periods"

    schedule_id: Mapped[str] = mapped_column(ForeignKey("routing_schedules.id", ondelete="CASCADE"), primary_key=True)
    on_holidays: Mapped[bool] = mapped_column(primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    days: Mapped[str] = mapped_column(String(7))
    """ISO weekdays in rising order, e.g. ``12345``."""
    opens: Mapped[time]
    closes: Mapped[time]


class HolidayRow(Base):
    __tablename__ = "routing_holidays"

    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(60))


class CalendarYearRow(Base):
    """A year whose holidays were imported."""

    __tablename__ = "routing_calendar_years"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class TrunkRow(Base):
    __tablename__ = "routing_trunks"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    place: Mapped[int]
    role: Mapped[str] = mapped_column(String(20))
    number: Mapped[str] = mapped_column(String(33))
    host: Mapped[str] = mapped_column(String(254))
    port: Mapped[int]
    name: Mapped[str] = mapped_column(String(60))


class NumberRow(Base):
    __tablename__ = "routing_numbers"

    number: Mapped[str] = mapped_column(String(33), primary_key=True)
    place: Mapped[int]
    name: Mapped[str] = mapped_column(String(60))
    mode: Mapped[str] = mapped_column(String(20))
    group_id: Mapped[str] = mapped_column(ForeignKey("routing_groups.id"))
    first_day: Mapped[date | None]
    last_day: Mapped[date | None]
    prompt: Mapped[str] = mapped_column(String(60))
    prompt_after: Mapped[str] = mapped_column(String(60))
    schedule_id: Mapped[str | None] = mapped_column(ForeignKey("routing_schedules.id"))
    overflow_group_id: Mapped[str | None] = mapped_column(ForeignKey("routing_groups.id"))
    overflow_seconds: Mapped[int]
    trunk_id: Mapped[str | None] = mapped_column(ForeignKey("routing_trunks.id"))
    note: Mapped[str] = mapped_column(String(200))


class AgentRow(Base):
    __tablename__ = "routing_agents"

    id: Mapped[str] = mapped_column(String(8), primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    supervisor: Mapped[bool] = mapped_column(server_default=false())


class AgentGroupRow(Base):
    __tablename__ = "routing_agent_groups"

    agent_id: Mapped[str] = mapped_column(ForeignKey("routing_agents.id", ondelete="CASCADE"), primary_key=True)
    group_id: Mapped[str] = mapped_column(ForeignKey("routing_groups.id"), primary_key=True)
    place: Mapped[int]
    """0 is the agent's best skill."""


class SeatRow(Base):
    __tablename__ = "routing_seats"

    id: Mapped[str] = mapped_column(String(8), primary_key=True)
    auto_answer: Mapped[bool] = mapped_column(server_default=false())


class RatingKeyRow(Base):
    __tablename__ = "routing_rating_keys"
    __table_args__ = (CheckConstraint("level BETWEEN 1 AND 5", name="level"),)

    key: Mapped[str] = mapped_column(String(1), primary_key=True)
    level: Mapped[int]


class PauseReasonRow(Base):
    __tablename__ = "routing_pause_reasons"

    key: Mapped[str] = mapped_column(String(1), primary_key=True)
    name: Mapped[str] = mapped_column(String(20))


class VersionRow(Base):
    """One published snapshot. Never changed, never deleted."""

    __tablename__ = "routing_versions"

    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)
    author: Mapped[str] = mapped_column(String(60))
    reason: Mapped[str] = mapped_column(String(500))
    sha256: Mapped[str] = mapped_column(String(64))
    snapshot: Mapped[str] = mapped_column(Text)


EDITABLE: Final[tuple[type[Base], ...]] = (
    NumberRow,
    AgentGroupRow,
    AgentRow,
    SeatRow,
    RatingKeyRow,
    PauseReasonRow,
    PeriodRow,
    ScheduleRow,
    HolidayRow,
    CalendarYearRow,
    TrunkRow,
    GroupRow,
    SettingRow,
)
"""Everything but the versions, children before parents: the order to empty them in."""


@dataclass(frozen=True, slots=True)
class Version:
    """What is known of a published version without reading its rows."""

    version: int
    published_at: datetime
    author: str
    reason: str
    sha256: str


async def is_empty(session: AsyncSession) -> bool:
    """Whether nobody has put a routing table here yet."""
    return (await session.scalar(select(func.count()).select_from(SettingRow))) == 0


async def save_table(session: AsyncSession, table: Table) -> None:
    """Replace every editable row by the table's."""
    for kind in EDITABLE:
        await session.execute(delete(kind))
    for rows in _rows(table):
        session.add_all(rows)
        await session.flush()


async def load_table(session: AsyncSession) -> Table:
    """The editable rows. Raises LookupError when there are none."""
    settings = {row.key: row.value for row in await session.scalars(select(SettingRow))}
    if not settings:
        raise LookupError("数据库里没有路由表；请先载入示例或导入一份")
    periods: dict[tuple[str, bool], list[Period]] = {}
    for row in await session.scalars(select(PeriodRow).order_by(PeriodRow.place)):
        days = frozenset(int(day) for day in row.days)
        periods.setdefault((row.schedule_id, row.on_holidays), []).append(Period(days, row.opens, row.closes))
    skills: dict[str, list[GroupId]] = {}
    for skill in await session.scalars(select(AgentGroupRow).order_by(AgentGroupRow.place)):
        skills.setdefault(skill.agent_id, []).append(GroupId(skill.group_id))
    rating = await session.scalars(select(RatingKeyRow).order_by(RatingKeyRow.key))
    pauses = await session.scalars(select(PauseReasonRow).order_by(PauseReasonRow.key))
    return Table(
        area_code=settings["area_code"],
        greeting=settings["greeting"],
        default_group=GroupId(settings["default_group"]),
        groups=tuple(
            Group(GroupId(row.id), row.name, row.ring_seconds, row.wrap_up_seconds, whisper=row.whisper)
            for row in await session.scalars(select(GroupRow).order_by(GroupRow.place))
        ),
        schedules=tuple(
            Schedule(row.id, row.name, tuple(periods.get((row.id, False), ())), tuple(periods.get((row.id, True), ())))
            for row in await session.scalars(select(ScheduleRow).order_by(ScheduleRow.place))
        ),
        holidays=tuple(
            Holiday(row.day, DayKind(row.kind), row.name)
            for row in await session.scalars(select(HolidayRow).order_by(HolidayRow.day))
        ),
        known_years=tuple(await session.scalars(select(CalendarYearRow.year).order_by(CalendarYearRow.year))),
        numbers=tuple(_number(row) for row in await session.scalars(select(NumberRow).order_by(NumberRow.place))),
        trunks=tuple(
            Trunk(row.id, row.role, row.number, row.host, row.port, row.name)
            for row in await session.scalars(select(TrunkRow).order_by(TrunkRow.place))
        ),
        agents=tuple(
            Agent(row.id, row.name, tuple(skills.get(row.id, ())), supervisor=row.supervisor)
            for row in await session.scalars(select(AgentRow).order_by(AgentRow.id))
        ),
        seats=tuple(await session.scalars(select(SeatRow.id).order_by(SeatRow.id))),
        rating_keys={row.key: row.level for row in rating},
        pause_reasons={row.key: row.name for row in pauses},
        auto_answer=tuple(await session.scalars(select(SeatRow.id).where(SeatRow.auto_answer).order_by(SeatRow.id))),
    )


async def add_version(session: AsyncSession, version: Version, snapshot: str) -> None:
    """Keep a published snapshot for ever."""
    session.add(
        VersionRow(
            version=version.version,
            published_at=version.published_at,
            author=version.author,
            reason=version.reason,
            sha256=version.sha256,
            snapshot=snapshot,
        )
    )
    await session.flush()


async def lock_versions(session: AsyncSession) -> None:
    """Let one publisher at a time past this point. On SQLite the transaction already holds the write lock."""
    await session.execute(select(SettingRow.key).where(SettingRow.key == "greeting").with_for_update())


async def newest_version(session: AsyncSession) -> int:
    """Number of the newest published version, 0 when there is none."""
    return int(await session.scalar(select(func.max(VersionRow.version))) or 0)


async def read_version(session: AsyncSession, version: int) -> tuple[Version, str] | None:
    """A published version and its snapshot as JSON; None when there is no such version."""
    row = await session.get(VersionRow, version)
    return None if row is None else (_version(row), row.snapshot)


async def history(session: AsyncSession, limit: int = 50) -> list[Version]:
    """Published versions, newest first."""
    columns = (VersionRow.version, VersionRow.published_at, VersionRow.author, VersionRow.reason, VersionRow.sha256)
    found = await session.execute(select(*columns).order_by(VersionRow.version.desc()).limit(limit))
    return [Version(*row) for row in found]


def _version(row: VersionRow) -> Version:
    return Version(row.version, row.published_at, row.author, row.reason, row.sha256)


def _number(row: NumberRow) -> LegacyNumber:
    return LegacyNumber(
        number=row.number,
        name=row.name,
        mode=MergeMode(row.mode),
        group=GroupId(row.group_id),
        first_day=row.first_day,
        last_day=row.last_day,
        prompt=row.prompt,
        prompt_after=row.prompt_after,
        schedule=row.schedule_id or "",
        overflow_group=GroupId(row.overflow_group_id) if row.overflow_group_id else None,
        overflow_seconds=row.overflow_seconds,
        trunk=row.trunk_id or "",
        note=row.note,
    )


def _rows(table: Table) -> Iterable[list[Any]]:
    """The table as rows, parents before children."""
    heads = {"area_code": table.area_code, "greeting": table.greeting, "default_group": table.default_group}
    yield [SettingRow(key=key, value=value) for key, value in heads.items()]
    yield [
        GroupRow(
            id=g.id,
            place=place,
            name=g.name,
            ring_seconds=g.ring_seconds,
            wrap_up_seconds=g.wrap_up_seconds,
            whisper=g.whisper,
        )
        for place, g in enumerate(table.groups)
    ]
    yield [ScheduleRow(id=s.id, place=place, name=s.name) for place, s in enumerate(table.schedules)]
    yield [row for schedule in table.schedules for row in _period_rows(schedule)]
    yield [HolidayRow(day=h.day, kind=str(h.kind), name=h.name) for h in table.holidays]
    yield [CalendarYearRow(year=year) for year in table.known_years]
    yield [
        TrunkRow(id=t.id, place=place, role=t.role, number=t.number, host=t.host, port=t.port, name=t.name)
        for place, t in enumerate(table.trunks)
    ]
    yield [_number_row(place, row) for place, row in enumerate(table.numbers)]
    yield [AgentRow(id=a.id, name=a.name, supervisor=a.supervisor) for a in table.agents]
    yield [
        AgentGroupRow(agent_id=a.id, group_id=group, place=place)
        for a in table.agents
        for place, group in enumerate(a.groups)
    ]
    yield [SeatRow(id=seat, auto_answer=seat in table.auto_answer) for seat in table.seats]
    yield [RatingKeyRow(key=key, level=level) for key, level in table.rating_keys.items()]
    yield [PauseReasonRow(key=key, name=name) for key, name in table.pause_reasons.items()]


def _period_rows(schedule: Schedule) -> Iterable[PeriodRow]:
    for on_holidays, periods in ((False, schedule.periods), (True, schedule.holiday_periods)):
        for place, period in enumerate(periods):
            yield PeriodRow(
                schedule_id=schedule.id,
                on_holidays=on_holidays,
                place=place,
                days="".join(str(day) for day in sorted(period.days)),
                opens=period.start,
                closes=period.end,
            )


def _number_row(place: int, row: LegacyNumber) -> NumberRow:
    return NumberRow(
        number=row.number,
        place=place,
        name=row.name,
        mode=str(row.mode),
        group_id=row.group,
        first_day=row.first_day,
        last_day=row.last_day,
        prompt=row.prompt,
        prompt_after=row.prompt_after,
        schedule_id=row.schedule or None,
        overflow_group_id=row.overflow_group,
        overflow_seconds=row.overflow_seconds,
        trunk_id=row.trunk or None,
        note=row.note,
    )
