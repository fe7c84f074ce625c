"""Users, sessions, tries and API clients in the database, inside a transaction that the caller opened."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, String, Text, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from database.base import Base, UtcDateTime, insert_ignore
from users.model import ApiClient, Right, Role, Session, Tries, User


class UserRow(Base):
    __tablename__ = "users"
    __table_args__ = (Index(None, "agent"),)

    name: Mapped[str] = mapped_column(String(24), primary_key=True)
    display: Mapped[str] = mapped_column(String(30))
    roles: Mapped[str] = mapped_column(String(80))
    """Separated by blanks."""
    agent: Mapped[str] = mapped_column(String(8))
    password: Mapped[str] = mapped_column(String(200))
    """argon2id, with its parameters and salt."""
    must_change: Mapped[bool] = mapped_column(Boolean)
    disabled: Mapped[bool] = mapped_column(Boolean)
    one_time_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a password that somebody else has set ends."""
    totp_secret: Mapped[str] = mapped_column(String(200))
    """Sealed (users/seal.py), base32 in clear from older versions; empty without a second factor.

    ``?`` in front while it is not confirmed.
    """
    totp_step: Mapped[int] = mapped_column(BigInteger)
    """The last 30 s step whose code was used: no code serves twice."""
    recovery: Mapped[str] = mapped_column(Text)
    """JSON: hashes of the recovery codes that are left."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    signed_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SessionRow(Base):
    __tablename__ = "user_sessions"
    __table_args__ = (Index(None, "user"),)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    user: Mapped[str] = mapped_column(String(24), ForeignKey("users.name"))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    origin: Mapped[str] = mapped_column(String(200))


class TriesRow(Base):
    __tablename__ = "user_tries"
    __table_args__ = (Index(None, "last_at"),)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Hash of the name that was tried, known or not."""
    wrong: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ClientRow(Base):
    __tablename__ = "api_clients"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    name: Mapped[str] = mapped_column(String(30))
    rights: Mapped[str] = mapped_column(Text)
    """Separated by blanks."""
    token: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the secret part."""
    created_by: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ApprovalRow(Base):
    __tablename__ = "approvals"
    __table_args__ = (Index(None, "state"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(20))
    told: Mapped[str] = mapped_column(Text)
    """JSON: what is to be done; no secrets."""
    subject: Mapped[str] = mapped_column(String(200))
    """The same for people, in Chinese."""
    asker: Mapped[str] = mapped_column(String(60))
    """Who asks, as one who can be told from all others: a user's name, or the machine's user."""
    asked_by: Mapped[str] = mapped_column(String(60))
    reason: Mapped[str] = mapped_column(String(100))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(12))
    decided_by: Mapped[str] = mapped_column(String(60))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


# People


async def row_of(session: AsyncSession, name: str) -> UserRow | None:
    """The row, locked until the transaction ends where the database knows such locks."""
    return await session.scalar(select(UserRow).where(UserRow.name == name).with_for_update())


async def of_agent(session: AsyncSession, agent: str) -> UserRow | None:
    """Who has this 工号."""
    return await session.scalar(select(UserRow).where(UserRow.agent == agent).limit(1))


async def with_seed(session: AsyncSession) -> Sequence[UserRow]:
    """Rows of users who have a second factor, or have begun to set one up."""
    return (await session.scalars(select(UserRow).where(UserRow.totp_secret != "").with_for_update())).all()


async def all_users(session: AsyncSession) -> Sequence[User]:
    """Everybody, by name."""
    return [user_of(row) for row in await session.scalars(select(UserRow).order_by(UserRow.name))]


def user_of(row: UserRow) -> User:
    """The person without the secrets."""
    return User(
        name=row.name,
        display=row.display,
        roles=frozenset(Role(word) for word in row.roles.split()),
        agent=row.agent,
        must_change=row.must_change,
        disabled=row.disabled,
        totp=bool(row.totp_secret) and not row.totp_secret.startswith("?"),
        one_time_until=row.one_time_until,
        created_at=row.created_at,
        signed_in_at=row.signed_in_at,
    )


def recovery_of(row: UserRow) -> list[str]:
    """Hashes of the recovery codes that are left."""
    return [str(one) for one in json.loads(row.recovery)]


# Sessions


async def session_and_user(session: AsyncSession, key: str) -> tuple[Session, User] | None:
    """A browser's session and whose it is."""
    query = select(SessionRow, UserRow).join(UserRow, UserRow.name == SessionRow.user).where(SessionRow.key == key)
    found = (await session.execute(query)).first()
    return None if found is None else (_session(found[0]), user_of(found[1]))


async def every_session(session: AsyncSession) -> dict[str, tuple[Session, User]]:
    """All browsers that are signed in, by key, and whose they are."""
    query = select(SessionRow, UserRow).join(UserRow, UserRow.name == SessionRow.user)
    return {row.key: (_session(row), user_of(user)) for row, user in await session.execute(query)}


async def begin_session(session: AsyncSession, made: Session) -> None:
    """Keep a new one."""
    session.add(
        SessionRow(
            key=made.key, user=made.user, started_at=made.started_at, seen_at=made.seen_at, origin=made.origin[:200]
        )
    )
    await session.flush()


async def seen(session: AsyncSession, key: str, at: datetime) -> None:
    """It was used then."""
    await session.execute(update(SessionRow).where(SessionRow.key == key).values(seen_at=at))


async def end_session(session: AsyncSession, key: str) -> None:
    """It is over."""
    await session.execute(delete(SessionRow).where(SessionRow.key == key))


async def end_sessions(session: AsyncSession, user: str, but: str = "") -> int:
    """End every session of a user, or every other one; how many."""
    gone = await session.execute(
        delete(SessionRow).where(SessionRow.user == user, SessionRow.key != but).returning(SessionRow.key)
    )
    return len(gone.all())


async def forget_old(session: AsyncSession, seen_before: datetime, started_before: datetime, tried: datetime) -> None:
    """Drop sessions that are over, and tries that no longer count."""
    await session.execute(
        delete(SessionRow).where((SessionRow.seen_at <= seen_before) | (SessionRow.started_at <= started_before))
    )
    await session.execute(delete(TriesRow).where(TriesRow.last_at <= tried))


async def sessions_of(session: AsyncSession, user: str = "") -> Sequence[Session]:
    """A user's sessions, or everybody's; the newest first."""
    query = select(SessionRow).order_by(SessionRow.started_at.desc(), SessionRow.key)
    if user:
        query = query.where(SessionRow.user == user)
    return [_session(row) for row in await session.scalars(query)]


def _session(row: SessionRow) -> Session:
    return Session(row.key, row.user, row.started_at, row.seen_at, row.origin)


# Tries


async def tries_of(session: AsyncSession, key: str, at: datetime) -> Tries:
    """Wrong tries under this name, held until the transaction ends: who tries at the same moment waits for it."""
    await session.execute(
        insert_ignore(session.get_bind().dialect.name, TriesRow, ("key",)), [{"key": key, "wrong": 0, "last_at": at}]
    )
    row = (await session.scalars(select(TriesRow).where(TriesRow.key == key).with_for_update())).one()
    return Tries(row.wrong, row.last_at)


async def keep_tries(session: AsyncSession, key: str, tries: Tries) -> None:
    """Put the count in the place of the old one."""
    await session.execute(update(TriesRow).where(TriesRow.key == key).values(wrong=tries.wrong, last_at=tries.last_at))


async def all_tries(session: AsyncSession) -> dict[str, Tries]:
    """Every name that was tried wrongly of late, by its digest."""
    return {row.key: Tries(row.wrong, row.last_at) for row in await session.scalars(select(TriesRow))}


async def clear_tries(session: AsyncSession, key: str) -> None:
    """Forget them."""
    await session.execute(delete(TriesRow).where(TriesRow.key == key))


# Programs


async def client_row(session: AsyncSession, client: str) -> ClientRow | None:
    """One program's row."""
    return await session.get(ClientRow, client)


async def all_clients(session: AsyncSession) -> Sequence[ApiClient]:
    """Every program that ever had a token, the newest first."""
    rows = await session.scalars(select(ClientRow).order_by(ClientRow.created_at.desc(), ClientRow.id))
    return [client_of(row) for row in rows]


def client_of(row: ClientRow) -> ApiClient:
    """The program without its secret."""
    known = {right.value for right in Right}
    rights = frozenset(Right(word) for word in row.rights.split() if word in known)
    return ApiClient(row.id, row.name, rights, row.created_by, row.created_at, row.expires_at, row.revoked_at)
