"""The table of agents' PINs, as hashes, inside a transaction that the caller opened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import String, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from database.base import Base, UtcDateTime
from telephony.model import AgentId


class PinRow(Base):
    """Apart from the routing table: who edits, exports or publishes that never sees a hash."""

    __tablename__ = "agent_pins"

    agent_id: Mapped[str] = mapped_column(String(8), primary_key=True)
    hash: Mapped[str] = mapped_column(String(200))
    """argon2id, in its own text form with salt and cost."""
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)
    set_by: Mapped[str] = mapped_column(String(60))


async def all_hashes(session: AsyncSession) -> dict[AgentId, str]:
    """Every agent's hash."""
    rows = await session.execute(select(PinRow.agent_id, PinRow.hash))
    return {AgentId(agent): text for agent, text in rows}


async def keep(session: AsyncSession, agent: AgentId, text: str, at: datetime, by: str) -> None:
    """Set an agent's hash; the former one is gone."""
    await session.merge(PinRow(agent_id=agent, hash=text, set_at=at, set_by=by))


async def drop(session: AsyncSession, agents: Sequence[AgentId]) -> None:
    """Take these agents' hashes out."""
    await session.execute(delete(PinRow).where(PinRow.agent_id.in_(agents)))
