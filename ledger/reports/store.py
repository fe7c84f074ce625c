"""A report's sums, added up by the database. One job: queries, inside a transaction that the caller opened."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from sqlalchemy import JSON, ColumnElement, Select, String, and_, case, func, or_, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from ledger.measures import HALF_HOUR, Aims, agent_time
from ledger.model import Kind
from ledger.records import word
from ledger.reports.model import LEVELS, By, Period, Tally
from ledger.store import CHUNK, CallRow, CallTransferRow, FactRow, facts_of_kind, project
from telephony.model import CallId

KEYS: Final = {By.NUMBER: CallRow.number, By.GROUP: CallRow.group_id, By.AGENT: CallRow.agent}
_SLOT: Final = "YYYY-MM-DD HH24:MI"


async def unmeasured(session: AsyncSession, period: Period) -> list[CallId]:
    """Calls of the period whose rows were written before reports were, some at a time."""
    query = select(CallRow.call_id).where(_rang_in(period), CallRow.counts.is_(None)).limit(CHUNK)
    return [CallId(call) for call in await session.scalars(query)]


async def measure(session: AsyncSession, calls: Sequence[CallId]) -> None:
    """Write these calls' rows anew from their facts."""
    await project(session, calls)


async def tallies(session: AsyncSession, period: Period, by: By, aims: Aims) -> dict[str, Tally]:
    """The tally of each number, group or agent."""
    column = KEYS[by]
    rows = await session.execute(select(column, *_sums(aims, period)).where(_counted(period)).group_by(column))
    return {str(key): _tally(sums) for key, *sums in rows}


async def tally(session: AsyncSession, period: Period, aims: Aims, *only: ColumnElement[bool]) -> Tally:
    """The tally of the whole period, or of those of its calls for which all of ``only`` is true."""
    return _tally((await session.execute(select(*_sums(aims, period)).where(_counted(period), *only))).one())


def within(numbers: Collection[str], groups: Collection[str]) -> ColumnElement[bool]:
    """Calls to one of these numbers, or of one of these groups."""
    return or_(CallRow.number.in_(list(numbers)), CallRow.group_id.in_(list(groups)))


async def slots(session: AsyncSession, period: Period, aims: Aims, zone: tzinfo) -> dict[datetime, Tally]:
    """The tally of each ten minutes with calls, by when they begin on the city's clock."""
    slot = _ten_minutes(session)
    rows = await session.execute(select(slot, *_sums(aims, period)).where(_counted(period)).group_by(slot))
    return {_begins(key, zone): _tally(sums) for key, *sums in rows}


async def answered_slots(session: AsyncSession, period: Period, zone: tzinfo) -> dict[datetime, Tally]:
    """Like :func:`slots`, but only how many calls there were and how many were answered: a third of the cost."""
    slot = _ten_minutes(session)
    query = select(slot, func.count(), _count(CallRow.answered_at.is_not(None)))
    rows = await session.execute(query.where(_counted(period)).group_by(slot))
    return {_begins(key, zone): Tally(calls=int(calls), answered=int(answered)) for key, calls, answered in rows}


async def transfers(session: AsyncSession, period: Period) -> Counter[str]:
    """How many counted calls were transferred to whom; a call to two targets is in both."""
    query = (
        select(CallTransferRow.target, func.count())
        .join(CallRow, CallRow.call_id == CallTransferRow.call_id)
        .where(_counted(period))
        .group_by(CallTransferRow.target)
    )
    return await _counts(session, query)


async def wrap_up_codes(session: AsyncSession, period: Period) -> Counter[str]:
    """How many calls of our agents that are over came to what."""
    query = (
        select(CallRow.wrap_up_code, func.count())
        .where(_counted(period), CallRow.answered_by == "agent", CallRow.ended_at.is_not(None))
        .group_by(CallRow.wrap_up_code)
    )
    return await _counts(session, query)


async def agent_states(session: AsyncSession, period: Period) -> dict[str, Counter[str]]:
    """Milliseconds that each agent spent in each state, in the half-hours of the period.

    The database lays an agent's half-hours together: a month of a hundred agents is 70,000 facts. Only at both ends of
    the period, where the moment of a fact does not tell in which half-hour its agent worked, the facts are read.
    """
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    # A half-hour is told of when it is over, or when the engine stops in it: a little after it began at the soonest.
    inner = Period(min(period.since + HALF_HOUR * 2, period.until), period.until)
    for agent, half_hours in await session.execute(_half_hours(session, inner)):
        for state_ms in half_hours:
            _add(sums[agent or ""], state_ms)
    for part in (Period(period.since, inner.since), Period(period.until, period.until + HALF_HOUR * 2)):
        facts = await facts_of_kind(session, Kind.AGENT_TIME, part.since, part.until)
        for time in filter(None, map(agent_time, facts)):
            if period.since <= time.start + HALF_HOUR / 2 < period.until:
                _add(sums[time.agent], time.state_ms)
    return sums


def _half_hours(session: AsyncSession, period: Period) -> Select[Any]:
    """Each agent with what all the facts of this time say of states, as one list."""
    states = FactRow.data["state_ms"]
    if session.get_bind().dialect.name == "sqlite":
        each = func.json_group_array(func.json(states), type_=JSON)
    else:
        each = func.json_agg(states, type_=JSON)
    agent = FactRow.data["agent"].as_string()
    query = select(agent, each).where(FactRow.kind == Kind.AGENT_TIME.value)
    return query.where(FactRow.at >= period.since, FactRow.at < period.until).group_by(agent)


def _add(sums: Counter[str], state_ms: Any) -> None:
    """What cannot be read is left out."""
    if isinstance(state_ms, Mapping):
        for state, ms in state_ms.items():
            if isinstance(ms, int):
                sums[state] += ms


async def not_answered(session: AsyncSession, period: Period) -> Counter[str]:
    """How many offers each agent's phone did not take."""
    facts = await facts_of_kind(session, Kind.NOT_ANSWERED, period.since, period.until)
    return Counter(agent for fact in facts if (agent := word(fact.data, "agent")))


async def _counts(session: AsyncSession, query: Select[str, int]) -> Counter[str]:
    found: Counter[str] = Counter()
    for key, count in await session.execute(query):
        found[key] = count
    return found


def _rang_in(period: Period) -> ColumnElement[bool]:
    return and_(CallRow.entered_at >= period.since, CallRow.entered_at < period.until)


def _counted(period: Period) -> ColumnElement[bool]:
    settled = CallRow.answered_at.is_not(None) | CallRow.ended_at.is_not(None)
    return and_(_rang_in(period), CallRow.counts.is_(True), settled)


def _ten_minutes(session: AsyncSession) -> ColumnElement[str]:
    return func.substr(_minute(session), 1, len("2026-11-01 08:3"))


def _begins(slot: str, zone: tzinfo) -> datetime:
    return datetime.fromisoformat(f"{slot}0").replace(tzinfo=UTC).astimezone(zone)


def _minute(session: AsyncSession) -> ColumnElement[str]:
    """When the call rang, in UTC, as text."""
    if session.get_bind().dialect.name == "sqlite":
        return type_coerce(CallRow.entered_at, String)
    return func.to_char(func.timezone("UTC", CallRow.entered_at), _SLOT)


def _sums(aims: Aims, period: Period) -> list[ColumnElement[Any]]:
    """One sum for each field of :class:`Tally`, in their order."""
    aim_ms, short_ms = round(aims.answer_seconds * 1000), round(aims.short_seconds * 1000)
    answered = CallRow.answered_at.is_not(None)
    left = CallRow.held_on_ms.is_not(None)
    transferred = select(CallTransferRow.call_id).where(
        CallTransferRow.entered_at >= period.since, CallTransferRow.entered_at < period.until
    )
    talked = and_(CallRow.answered_by == "agent", CallRow.talk_ms.is_not(None))
    sums: dict[str, ColumnElement[Any]] = {
        "calls": func.count(),
        "answered": _count(answered),
        "in_time_from_ring": _count(CallRow.answer_ms <= aim_ms),
        "in_time_from_prompt": _count(CallRow.answer_after_prompt_ms <= aim_ms),
        "wait_ms": _sum(CallRow.answer_ms),
        "wait_after_prompt_ms": _sum(CallRow.answer_after_prompt_ms),
        "abandoned": _count(and_(left, CallRow.held_on_ms > short_ms)),
        "short_abandoned": _count(and_(left, CallRow.held_on_ms <= short_ms)),
        "talks": _count(talked),
        "talk_ms": _sum(case((talked, CallRow.talk_ms), else_=0)),
        "by_agent": _count(CallRow.answered_by == "agent"),
        "by_subcentre": _count(CallRow.answered_by == "subcentre"),
        "by_duty_phone": _count(CallRow.answered_by == "duty-phone"),
        "by_fallback": _count(CallRow.answered_by == "fallback"),
        "heard_prompt": _count(CallRow.prompt_ms.is_not(None)),
        "transferred": _count(CallRow.call_id.in_(transferred)),
        "rating_asked": _count(CallRow.rating_level.is_not(None)),
        **{f"rated_{level}": _count(CallRow.rating_level == level) for level in LEVELS},
    }
    return [sums[part.name] for part in fields(Tally)]


def _count(true: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.coalesce(func.sum(case((true, 1), else_=0)), 0)


def _sum(value: Any) -> ColumnElement[Any]:
    return func.coalesce(func.sum(value), 0)


def _tally(sums: Sequence[Any]) -> Tally:
    return Tally(*(int(value) for value in sums))
