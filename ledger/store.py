"""The ledger's tables: facts, one row per call, and how far each node's journal has been drained.

One job: tables and queries, inside a transaction that the caller opened.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Index,
    Integer,
    Select,
    String,
    delete,
    func,
    insert,
    or_,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from database.base import Base, UtcDateTime, insert_ignore
from ledger.codec import MAX_CALL, MAX_ID, MAX_SOURCE, clean
from ledger.measures import Outcome, outcome
from ledger.model import NO_CALL, Fact, Kind
from ledger.records import CEL, ENGINE, MAX_WORD, CallRecord, TransferRecord, fold
from ledger.segments import Cursor
from telephony.model import CallId, made_by_us

KINDS: Final = tuple(kind.value for kind in Kind)
"""What this program can read; a newer one may have written more."""

CHUNK: Final = 400
"""Rows and keys of one statement, well below what either database allows."""

CALLER_END: Final = 4
"""Digits of a caller's number that are indexed; a search needs as many."""

ANYWHERE: Final = "*"
"""Transferred, wherever to."""

MISSING: Final = "-"
"""Calls of our agents of which nobody said what they came to (未填); no code is called so."""


class FactRow(Base):
    __tablename__ = "facts"
    __table_args__ = (Index(None, "call_id"), Index(None, "at"), Index(None, "kind", "at"))

    id: Mapped[str] = mapped_column(String(MAX_ID), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    call_id: Mapped[str] = mapped_column(String(MAX_CALL))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    source: Mapped[str] = mapped_column(String(MAX_SOURCE))


_FACT: Final = (FactRow.id, FactRow.kind, FactRow.call_id, FactRow.at, FactRow.data, FactRow.source)
"""Columns, not objects: the drain reads a call's facts several times while it lasts."""


_UNMEASURED: Final = text("counts IS NULL")


class CallRow(Base):
    """A projection: may be thrown away and folded again from the facts."""

    __tablename__ = "calls"
    __table_args__ = (
        Index(None, "entered_at"),
        Index(None, "caller"),
        Index(None, "number", "entered_at"),
        Index(None, "caller_end", "entered_at"),
        Index(None, "agent", "entered_at"),
        Index(None, "group_id", "entered_at"),
        Index(None, "rating_level", "entered_at"),
        Index(None, "wrap_up_code", "entered_at"),
        Index("ix_calls_unmeasured", "entered_at", sqlite_where=_UNMEASURED, postgresql_where=_UNMEASURED),
    )

    call_id: Mapped[str] = mapped_column(String(MAX_CALL), primary_key=True)
    number: Mapped[str] = mapped_column(String(MAX_WORD))
    caller: Mapped[str] = mapped_column(String(MAX_WORD))
    caller_end: Mapped[str] = mapped_column(String(CALLER_END))
    """Its last digits: what people remember of a number, and what either database can look up."""
    entered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    group_id: Mapped[str] = mapped_column(String(MAX_WORD))
    agent: Mapped[str] = mapped_column(String(MAX_WORD))
    seat: Mapped[str] = mapped_column(String(MAX_WORD))
    answered_by: Mapped[str] = mapped_column(String(MAX_WORD))
    mode: Mapped[str] = mapped_column(String(MAX_WORD))
    rule: Mapped[str] = mapped_column(String(MAX_WORD))
    version: Mapped[int | None] = mapped_column(BigInteger)
    rating_level: Mapped[int | None] = mapped_column(Integer)
    talk_ms: Mapped[int | None] = mapped_column(BigInteger)
    waited_ms: Mapped[int | None] = mapped_column(BigInteger)
    end_cause: Mapped[str] = mapped_column(String(MAX_WORD))
    ended_by: Mapped[str] = mapped_column(String(MAX_WORD))
    transfers: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    source: Mapped[str] = mapped_column(String(MAX_SOURCE))
    wrap_up_code: Mapped[str] = mapped_column(String(MAX_WORD))
    counts: Mapped[bool | None] = mapped_column(Boolean)
    """Whether it came in to be answered by 12345 (:func:`ledger.measures.outcome`); NULL in rows of before there was
    this column and the four below, until a report needs them."""
    prompt_ms: Mapped[int | None] = mapped_column(BigInteger)
    """From ring to the end of the prompts; NULL when the caller hung up in them."""
    answer_ms: Mapped[int | None] = mapped_column(BigInteger)
    """From ring to the human."""
    answer_after_prompt_ms: Mapped[int | None] = mapped_column(BigInteger)
    held_on_ms: Mapped[int | None] = mapped_column(BigInteger)
    """How long a caller who reached nobody held the line."""


class CallTransferRow(Base):
    """Where a call was transferred to, each target once: for searching. A projection like :class:`CallRow`."""

    __tablename__ = "call_transfers"
    __table_args__ = (Index(None, "target", "entered_at"),)

    call_id: Mapped[str] = mapped_column(String(MAX_CALL), primary_key=True)
    target: Mapped[str] = mapped_column(String(MAX_WORD), primary_key=True)
    entered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When the call rang."""


class JournalCursorRow(Base):
    __tablename__ = "journal_cursors"

    node: Mapped[str] = mapped_column(String(12), primary_key=True)
    segment: Mapped[str] = mapped_column(String(64))
    offset: Mapped[int] = mapped_column(BigInteger)


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls to list; an empty field does not restrict. ``since`` is included, ``until`` is not."""

    since: datetime | None = None
    until: datetime | None = None
    number: str = ""
    caller: str = ""
    agent: str = ""
    group: str = ""
    limit: int = 50
    caller_end: str = ""
    """The whole of the caller's number, or its end; at least :data:`CALLER_END` signs."""
    ratings: tuple[int, ...] = ()
    """Any of these levels; 0 is asked for and not given."""
    transfer: str = ""
    """A target, or :data:`ANYWHERE`."""
    answered: bool | None = None
    """Whether a human did; False is a call that ended without."""
    wrap_up_code: str = ""
    """A code, or :data:`MISSING`."""
    before: tuple[datetime, CallId] | None = None
    """Only what comes after this call in the list: when it rang, and its id."""
    mode: str = ""
    """As the fact of its entering says it, e.g. :data:`ledger.model.TRIAL`."""


async def add_facts(session: AsyncSession, facts: Sequence[Fact]) -> None:
    """Insert the facts that are not there yet, and fold the calls they are about again."""
    statement = insert_ignore(session.get_bind().dialect.name, FactRow, ("id",))
    for start in range(0, len(facts), CHUNK):
        rows = [
            {
                "id": fact.id,
                "kind": fact.kind.value,
                "call_id": fact.call,
                "at": fact.at,
                "data": clean(fact.data),
                "source": fact.source,
            }
            for fact in facts[start : start + CHUNK]
        ]
        await session.execute(statement, rows)
    await project(session, {fact.call for fact in facts} - {NO_CALL})


async def project(session: AsyncSession, calls: Iterable[CallId]) -> None:
    """Fold the rows of these calls again from all their facts."""
    keys = sorted(calls)
    for start in range(0, len(keys), CHUNK):
        chunk = keys[start : start + CHUNK]
        by_call = defaultdict(list)
        for fact in await _facts(session, chunk):
            by_call[fact.call].append(fact)
        folded = [(record, facts) for facts in by_call.values() if (record := fold(facts))]
        records = [record for record, _ in folded]
        for table in (CallRow, CallTransferRow):
            await session.execute(delete(table).where(table.call_id.in_(chunk)))
        if records:
            await session.execute(insert(CallRow), [_row(record, outcome(facts)) for record, facts in folded])
        if transfers := [row for record in records for row in _transfer_rows(record)]:
            await session.execute(insert(CallTransferRow), transfers)


async def facts_of(session: AsyncSession, call: CallId) -> list[Fact]:
    """All facts of one call, in its order."""
    return await _facts(session, [call])


async def facts_between(session: AsyncSession, since: datetime, until: datetime) -> list[Fact]:
    """All facts of the calls that came in from ``since`` up to, but not at, ``until``; call by call, in order."""
    wanted = select(CallRow.call_id).where(CallRow.entered_at >= since, CallRow.entered_at < until)
    query = select(*_FACT).where(FactRow.call_id.in_(wanted), FactRow.kind.in_(KINDS))
    return _as_facts(await session.execute(query.order_by(FactRow.call_id, FactRow.at, FactRow.id)))


async def facts_of_kind(session: AsyncSession, kind: Kind, since: datetime, until: datetime) -> list[Fact]:
    """All facts of one kind from ``since`` up to, but not at, ``until``, in their order."""
    query = select(*_FACT).where(FactRow.at >= since, FactRow.at < until, FactRow.kind == kind.value)
    return _as_facts(await session.execute(query.order_by(FactRow.at, FactRow.id)))


async def taken_for_calls(session: AsyncSession) -> list[CallRecord]:
    """Rows of channels that we called ourselves and the ledger took for citizens' calls; by when they began.

    Known by an id of ours, or because only the switch's events tell of them: nobody dialled anything, nobody called.
    """
    filled = select(FactRow.call_id, FactRow.data).where(FactRow.kind == Kind.ENTERED.value, FactRow.source == CEL)
    nobody = [
        row.call_id for row in await session.execute(filled) if not (row.data.get("number") or row.data.get("caller"))
    ]
    found = []
    for start in range(0, len(nobody), CHUNK):
        wanted = select(CallRow).where(CallRow.call_id.in_(nobody[start : start + CHUNK]))
        rows = [_record(row) for row in await session.scalars(wanted)]
        found += [row for row in rows if row.source == CEL or (made_by_us(row.call) and row.source != ENGINE)]
    return sorted(found, key=lambda row: (row.entered_at, row.call))


async def first_at(session: AsyncSession) -> datetime | None:
    """When the ledger begins; None while it is empty."""
    return await session.scalar(select(func.min(FactRow.at)))


async def kinds_of(session: AsyncSession, calls: Iterable[CallId]) -> dict[CallId, set[Kind]]:
    """What kinds of facts there are about each of these calls."""
    keys = sorted(calls)
    found: dict[CallId, set[Kind]] = {call: set() for call in keys}
    for start in range(0, len(keys), CHUNK):
        chunk = keys[start : start + CHUNK]
        query = select(FactRow.call_id, FactRow.kind).where(FactRow.call_id.in_(chunk), FactRow.kind.in_(KINDS))
        for call, kind in await session.execute(query.distinct()):
            found[CallId(call)].add(Kind(kind))
    return found


async def open_calls(session: AsyncSession, node: str, since: datetime, before: datetime) -> list[CallId]:
    """The calls of a node that came in between these times, and whose end nobody has told."""
    query = select(CallRow.call_id).where(
        CallRow.entered_at >= since, CallRow.entered_at < before, CallRow.ended_at.is_(None)
    )
    return [CallId(call) for call in await session.scalars(query) if call.startswith(f"{node}-")]


async def list_calls(session: AsyncSession, wanted: CallFilter) -> list[CallRecord]:
    """The calls wanted, newest first."""
    query = select(CallRow).order_by(CallRow.entered_at.desc(), CallRow.call_id.desc()).limit(max(0, wanted.limit))
    if wanted.since:
        query = query.where(CallRow.entered_at >= wanted.since)
    if wanted.until:
        query = query.where(CallRow.entered_at < wanted.until)
    for column, value in (
        (CallRow.number, wanted.number),
        (CallRow.caller, wanted.caller),
        (CallRow.agent, wanted.agent),
        (CallRow.group_id, wanted.group),
        (CallRow.mode, wanted.mode),
    ):
        if value:
            query = query.where(column == value)
    if wanted.caller_end:
        query = query.where(CallRow.caller_end == wanted.caller_end[-CALLER_END:])
        query = query.where(CallRow.caller.endswith(wanted.caller_end, autoescape=True))
    if wanted.ratings:
        query = query.where(CallRow.rating_level.in_(wanted.ratings))
    if wanted.transfer:
        query = query.where(CallRow.call_id.in_(_transferred(wanted)))
    if wanted.answered is not None:
        answered = CallRow.answered_at.is_not(None)
        query = query.where(answered if wanted.answered else ~answered & CallRow.ended_at.is_not(None))
    if wanted.wrap_up_code == MISSING:
        query = query.where(CallRow.wrap_up_code == "", CallRow.answered_by == "agent", CallRow.ended_at.is_not(None))
    elif wanted.wrap_up_code:
        query = query.where(CallRow.wrap_up_code == wanted.wrap_up_code)
    if wanted.before:
        at, call = wanted.before
        query = query.where(CallRow.entered_at <= at, or_(CallRow.entered_at < at, CallRow.call_id < call))
    return [_record(row) for row in await session.scalars(query)]


def _transferred(wanted: CallFilter) -> Select[str]:
    query = select(CallTransferRow.call_id)
    if wanted.transfer != ANYWHERE:
        query = query.where(CallTransferRow.target == wanted.transfer)
    if wanted.since:
        query = query.where(CallTransferRow.entered_at >= wanted.since)
    if wanted.until:
        query = query.where(CallTransferRow.entered_at < wanted.until)
    return query


async def one_call(session: AsyncSession, call: CallId) -> CallRecord | None:
    """The row of one call; None when the database does not have it."""
    row = await session.get(CallRow, call)
    return _record(row) if row else None


async def deeds(session: AsyncSession, limit: int, *, agent: str = "") -> list[Fact]:
    """The latest deeds, newest first, whatever they are about; with ``agent`` that agent's, and changes of state."""
    columns = (FactRow.id, FactRow.kind, FactRow.call_id, FactRow.at, FactRow.data, FactRow.source)
    query = select(*columns).order_by(FactRow.at.desc(), FactRow.id.desc())
    if agent:
        kinds = (Kind.OPERATOR_ACTION.value, Kind.AGENT_STATE.value)
        query = query.where(FactRow.kind.in_(kinds), FactRow.data["agent"].as_string() == agent)
    else:
        query = query.where(FactRow.kind == Kind.OPERATOR_ACTION.value)
    rows = await session.execute(query.limit(max(0, limit)))
    return [Fact(id_, Kind(kind), CallId(call), at, data, source) for id_, kind, call, at, data, source in rows]


async def last_call(session: AsyncSession) -> CallRecord | None:
    """The call that came in last."""
    return next(iter(await list_calls(session, CallFilter(limit=1))), None)


async def load_cursor(session: AsyncSession, node: str) -> Cursor:
    """How far this node's journal has been drained."""
    row = await session.get(JournalCursorRow, node)
    return Cursor(row.segment, row.offset) if row else Cursor()


async def save_cursor(session: AsyncSession, node: str, cursor: Cursor) -> None:
    """Remember how far this node's journal has been drained."""
    await session.merge(JournalCursorRow(node=node, segment=cursor.segment, offset=cursor.offset))


async def _facts(session: AsyncSession, calls: Sequence[CallId]) -> list[Fact]:
    query = select(*_FACT).where(FactRow.call_id.in_(calls), FactRow.kind.in_(KINDS))
    return _as_facts(await session.execute(query.order_by(FactRow.at, FactRow.id)))


def _as_facts(rows: Iterable[Any]) -> list[Fact]:
    return [Fact(id_, Kind(kind), CallId(call), at, data, source) for id_, kind, call, at, data, source in rows]


def _row(record: CallRecord, measured: Outcome | None) -> dict[str, Any]:
    row = {name: getattr(record, name) for name in CallRecord.__dataclass_fields__ if name not in ("call", "group")}
    transfers = [{"target": one.target, "state": one.state} for one in record.transfers]
    keys = {"call_id": record.call, "group_id": record.group, "caller_end": record.caller[-CALLER_END:]}
    return {**row, **keys, **_measured(measured), "transfers": transfers}


def _measured(measured: Outcome | None) -> dict[str, Any]:
    """What reports add up. Times are rounded up, so that a call answered a moment after 15 s is not in time."""
    return {
        "counts": measured is not None,
        "prompt_ms": _up_to_ms(measured.prompt_seconds if measured else None),
        "answer_ms": _up_to_ms(measured.wait_seconds if measured else None),
        "answer_after_prompt_ms": _up_to_ms(measured.wait_after_prompt_seconds if measured else None),
        "held_on_ms": _up_to_ms(measured.held_on_seconds if measured else None),
    }


def _up_to_ms(seconds: float | None) -> int | None:
    return None if seconds is None else ceil(round(seconds * 1000, 3))


def _transfer_rows(record: CallRecord) -> list[dict[str, Any]]:
    targets = dict.fromkeys(one.target for one in record.transfers if one.target)
    return [{"call_id": record.call, "target": target, "entered_at": record.entered_at} for target in targets]


def _record(row: CallRow) -> CallRecord:
    same = {name: getattr(row, name) for name in CallRecord.__dataclass_fields__ if hasattr(row, name)}
    same["transfers"] = tuple(TransferRecord(one["target"], one["state"]) for one in row.transfers)
    return CallRecord(call=CallId(row.call_id), group=row.group_id, **same)
