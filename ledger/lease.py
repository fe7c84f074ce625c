"""A lease for each node's books: two instances of one name on one database would spoil each other's records.

One job: who holds it. Renewed every few seconds; one that is not renewed is free after a while, by the clock of
whoever asks. It is about the database only: calls are answered without it.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from database.base import Base, UtcDateTime
from database.connection import Database

RENEW_SECONDS: Final = 5.0
FREE_AFTER: Final = timedelta(seconds=30)
"""Six renewals missed."""

FILE: Final = "instance.id"


class LeaseRow(Base):
    __tablename__ = "leases"

    node: Mapped[str] = mapped_column(String(12), primary_key=True)
    holder: Mapped[str] = mapped_column(String(64))
    place: Mapped[str] = mapped_column(String(255))
    renewed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LeaseTaken(Exception):
    """Another instance holds it; the text says who, and what to do, in Chinese."""


@dataclass(frozen=True, slots=True)
class Lease:
    """One instance's claim to a node's name."""

    node: str
    holder: str
    place: str

    async def take(self, database: Database, now: datetime | None = None) -> None:
        """Take or renew it. Raises LeaseTaken, DatabaseError."""
        moment = now or datetime.now(UTC)
        async with database.transaction() as session:
            row = await session.get(LeaseRow, self.node, with_for_update=True)
            self._require_free(row, moment)
            await session.merge(LeaseRow(node=self.node, holder=self.holder, place=self.place, renewed_at=moment))

    async def require_free(self, database: Database, now: datetime | None = None) -> None:
        """Raises LeaseTaken when another one holds it, DatabaseError."""
        async with database.reading() as session:
            self._require_free(await session.get(LeaseRow, self.node), now or datetime.now(UTC))

    async def give_back(self, database: Database) -> None:
        """At a stop: the next one need not wait. Raises DatabaseError."""
        async with database.transaction() as session:
            row = await session.get(LeaseRow, self.node)
            if row is not None and row.holder == self.holder:
                await session.delete(row)

    def _require_free(self, row: LeaseRow | None, now: datetime) -> None:
        if row is None or row.holder == self.holder or not timedelta(0) <= now - row.renewed_at < FREE_AFTER:
            return
        ago = (now - row.renewed_at).total_seconds()
        raise LeaseTaken(
            f"节点名 {self.node} 正被另一套热线使用（{row.place}，{ago:.0f} 秒前还在）："
            "两套共用一个数据库会弄乱话单和录音；"
            f"请先停掉那一套（{FREE_AFTER.total_seconds():.0f} 秒后自动让出），"
            "或给这一套另设 HOTLINE_NODE 或 HOTLINE_DATABASE_URL"
        )


def lease_of(node: str, data_dir: Path) -> Lease:
    """This instance's: known by a file in its data folder, and by where that is, so that a copy is another one."""
    path = data_dir / FILE
    try:
        known = path.read_text(encoding="ascii").strip()
    except OSError:
        known = ""
    if not known:
        known = secrets.token_hex(8)
        data_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(known)
    place = f"{socket.gethostname()}:{data_dir}"
    return Lease(node, f"{known}-{hashlib.sha256(place.encode()).hexdigest()[:12]}", place[:255])
