"""The table of recordings, inside a transaction that the caller opened."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, Float, Index, String, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from database.base import Base, UtcDateTime, insert_ignore
from ledger.model import Kind
from ledger.store import CallRow, FactRow
from recordings.layout import recording_file
from recordings.model import Recording, Status, Talk
from telephony.model import CALL_ID, CallId

CHUNK: Final = 400
MAX_FAULT: Final = 200
UNSETTLED: Final = (Status.PLANNED.value, Status.RECORDING.value)


class RecordingRow(Base):
    __tablename__ = "recordings"
    __table_args__ = (Index(None, "started_at"), Index(None, "status", "started_at"))

    call_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    file: Mapped[str] = mapped_column(String(120))
    status: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    seconds: Mapped[float] = mapped_column(Float)
    bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    caller_seconds: Mapped[float] = mapped_column(Float)
    agent_seconds: Mapped[float] = mapped_column(Float)
    fault: Mapped[str] = mapped_column(String(MAX_FAULT))
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


async def add(session: AsyncSession, recordings: Sequence[Recording]) -> None:
    """Insert the recordings whose call has none yet."""
    if recordings:
        statement = insert_ignore(session.get_bind().dialect.name, RecordingRow, ("call_id",))
        await session.execute(statement, [_row(recording) for recording in recordings])


async def save(session: AsyncSession, recordings: Sequence[Recording]) -> None:
    """Replace what is kept about these recordings."""
    if recordings:
        await session.execute(update(RecordingRow), [_row(recording) for recording in recordings])


async def unplanned(session: AsyncSession, since: datetime, node: str = "") -> list[Recording]:
    """Recordings that the ledger speaks of since then, and that have no row: arranged, or a human answered.

    ``node``: only those that this node has recorded.
    """
    arranged = (
        select(FactRow.call_id, FactRow.at)
        .outerjoin(RecordingRow, RecordingRow.call_id == FactRow.call_id)
        .where(FactRow.kind == Kind.RECORDING.value, FactRow.at >= since, RecordingRow.call_id.is_(None))
    )
    answered = (
        select(CallRow.call_id, CallRow.answered_at)
        .outerjoin(RecordingRow, RecordingRow.call_id == CallRow.call_id)
        .where(CallRow.entered_at >= since, CallRow.answered_at.is_not(None), RecordingRow.call_id.is_(None))
    )
    found: dict[str, datetime] = {}
    for query in (arranged, answered):
        for call, at in await session.execute(query):
            if at is not None and CALL_ID.fullmatch(call) and call.startswith(f"{node}-" if node else ""):
                found[call] = min(at, found.get(call, at))
    return [
        Recording(CallId(call), recording_file(CallId(call)), Status.PLANNED, at) for call, at in sorted(found.items())
    ]


async def unsettled(
    session: AsyncSession, ended_before: datetime, limit: int = CHUNK, node: str = ""
) -> list[Recording]:
    """Recordings of calls that ended before then and have not been judged, oldest first."""
    query = (
        select(RecordingRow)
        .join(CallRow, CallRow.call_id == RecordingRow.call_id)
        .where(RecordingRow.status.in_(UNSETTLED), CallRow.ended_at < ended_before)
        .order_by(CallRow.ended_at)
        .limit(limit)
    )
    if node:
        query = query.where(RecordingRow.call_id.startswith(f"{node}-"))
    return [_recording(row) for row in await session.scalars(query)]


async def talks(
    session: AsyncSession, calls: Collection[CallId]
) -> dict[CallId, tuple[Talk, datetime, datetime | None]]:
    """What the ledger says about these calls: the talk, when the call came in, when it ended."""
    keys = sorted(calls)
    found = {}
    for start in range(0, len(keys), CHUNK):
        query = select(CallRow).where(CallRow.call_id.in_(keys[start : start + CHUNK]))
        for row in await session.scalars(query):
            talk = Talk(row.ended_at is not None, row.answered_at is not None, row.talk_ms)
            found[CallId(row.call_id)] = (talk, row.entered_at, row.ended_at)
    return found


async def of_calls(session: AsyncSession, calls: Iterable[CallId]) -> dict[CallId, Recording]:
    """The recordings of these calls."""
    keys = sorted(calls)
    found = {}
    for start in range(0, len(keys), CHUNK):
        query = select(RecordingRow).where(RecordingRow.call_id.in_(keys[start : start + CHUNK]))
        for row in await session.scalars(query):
            found[CallId(row.call_id)] = _recording(row)
    return found


async def list_recordings(
    session: AsyncSession,
    *,
    status: Status | None = None,
    faulty: bool = False,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
) -> list[Recording]:
    """Recordings, newest first. ``since`` is included, ``until`` is not; ``faulty`` leaves out what is well."""
    query = select(RecordingRow).order_by(RecordingRow.started_at.desc(), RecordingRow.call_id.desc()).limit(limit)
    if status is not None:
        query = query.where(RecordingRow.status == status.value)
    if faulty:
        query = query.where(RecordingRow.fault != "")
    if since is not None:
        query = query.where(RecordingRow.started_at >= since)
    if until is not None:
        query = query.where(RecordingRow.started_at < until)
    return [_recording(row) for row in await session.scalars(query)]


async def page_after(session: AsyncSession, call: str, limit: int, node: str = "") -> list[Recording]:
    """The next recordings in the order of their call ids."""
    query = select(RecordingRow).where(RecordingRow.call_id > call).order_by(RecordingRow.call_id).limit(limit)
    if node:
        query = query.where(RecordingRow.call_id.startswith(f"{node}-"))
    return [_recording(row) for row in await session.scalars(query)]


def _row(recording: Recording) -> dict[str, object]:
    row = {name: getattr(recording, name) for name in Recording.__dataclass_fields__ if name != "call"}
    return row | {
        "call_id": recording.call,
        "status": recording.status.value,
        "fault": recording.fault[:MAX_FAULT],
    }


def _recording(row: RecordingRow) -> Recording:
    same = {name: getattr(row, name) for name in Recording.__dataclass_fields__ if name not in ("call", "status")}
    return Recording(call=CallId(row.call_id), status=Status(row.status), **same)
