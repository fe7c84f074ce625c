"""What nobody does alone: who sees callers' numbers and hears their calls is made by two.

One job: a wish, the consent of a second person, and the deed by whoever wished it, once. What is wished is checked when
it is done; the secret that comes of it (a password, a token) goes to the asker, never to who agreed. See
docs/decisions/0028-nobody-alone.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from audit.model import Act, Actor
from audit.store import append
from database.connection import Database
from users import store
from users.accounts import Accounts
from users.model import Right, Role, Scope, User
from users.rules import RIGHTS, ROLE_WORDS, NotUsable, mixed, require_name, require_roles, rights_of

SENSITIVE: Final = frozenset({Right.NUMBERS_REVEAL, Right.RECORDINGS_PLAY, Right.FEED_NUMBERS})
"""Rights over other people's calls that a second person must agree to."""

WAITS: Final = timedelta(days=7)
"""A wish that nobody has decided is over after this."""

GOOD_FOR: Final = timedelta(hours=24)
"""So long a consent can be used."""

TOLD: Final = timedelta(hours=24)
"""So long what was granted stands as an alarm for the auditor."""

MOST: Final = 200


class Kind(StrEnum):
    ADD = "add"
    ROLE = "role"
    RESET = "reset"
    CLIENT = "client"


class State(StrEnum):
    ASKED = "asked"
    APPROVED = "approved"
    REJECTED = "rejected"
    DONE = "done"
    ALONE = "alone"
    """Done by one person: no second one was there, or the machine's owner has taken it on himself."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who wishes or agrees."""

    id: str
    """A user's name; ``命令行 root`` for the machine's own."""
    actor: Actor


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be done to a user, or for a program."""

    kind: Kind
    name: str
    """The user's, or the program's."""
    display: str = ""
    roles: tuple[str, ...] = ()
    agent: str | None = None
    rights: tuple[str, ...] = ()
    days: int = 0


@dataclass(frozen=True, slots=True)
class Approval:
    """A wish and what became of it."""

    id: int
    wish: Wish
    subject: str
    asker: str
    asked_by: str
    reason: str
    asked_at: datetime
    state: State
    decided_by: str
    decided_at: datetime | None
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a wish at once."""

    secret: str | None = None
    """The one-time password or the token."""
    waits: Approval | None = None
    """It waits for a second person."""


class Approvals:
    """Of one instance. Everything raises NotUsable with a Chinese sentence, or DatabaseError."""

    def __init__(
        self, accounts: Accounts, database: Database, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._accounts = accounts
        self._database = database
        self._now = now

    async def want(self, wish: Wish, asker: Asker, reason: str, *, alone: bool = False) -> Outcome:
        """Do it, or have it wait for a second person. ``alone``: the machine's owner takes it on himself."""
        if wish.kind is not Kind.CLIENT and wish.name == asker.id:
            raise NotUsable("不能改自己的角色、权限，也不能重置自己的密码；请别的管理员来做")
        await self._check(wish)
        if not await self._needs_second(wish):
            return Outcome(await self._do(wish, asker.actor, reason))
        if alone or not await self._another(wish, asker.id):
            secret = await self._do(wish, asker.actor, reason)
            await self._keep(wish, asker, reason, State.ALONE)
            return Outcome(secret)
        return Outcome(waits=await self._keep(wish, asker, reason, State.ASKED))

    async def decide(self, id_: int, by: Asker, reason: str, *, agree: bool) -> Approval:
        """A second person says yes or no."""
        async with self._database.transaction() as session:
            row = await self._row(session, id_)
            if row.state != State.ASKED or row.asked_at + WAITS <= self._now():
                raise NotUsable(f"申请 {id_} 已经有结果，或超过 {WAITS.days} 天没有核准而失效")
            if row.asker == by.id:
                raise NotUsable("不能核准自己的申请；请第二个人来做")
            wish = _wish(row)
            if wish.kind is not Kind.CLIENT and wish.name == by.id:
                raise NotUsable("这个申请是关于您自己的；请另一个人核准")
            row.state = State.APPROVED if agree else State.REJECTED
            row.decided_by, row.decided_at = by.actor.name[:60], self._now()
            act = Act(
                "approvals.approve" if agree else "approvals.reject",
                f"{'核准' if agree else '驳回'}申请 {id_}：{row.subject}"[:200], reason, {"approval": id_},
            )  # fmt: skip
            await append(session, by.actor, act, self._now())
            made = _approval(row)
        await self._accounts.anchor()
        return made

    async def carry_out(self, id_: int, asker: Asker) -> tuple[Approval, str | None]:
        """What was agreed to, by whoever has asked for it, once; with the secret that comes of it."""
        async with self._database.transaction() as session:
            row = await self._row(session, id_)
            if row.asker != asker.id:
                raise NotUsable(f"申请 {id_} 由申请人 {row.asked_by} 执行：密码、令牌只给申请人看")
            if row.state != State.APPROVED or row.decided_at is None or row.decided_at + GOOD_FOR <= self._now():
                raise NotUsable(f"申请 {id_} 没有核准、已执行，或核准已超过 24 小时；需要时请重新申请")
            row.state, row.done_at = State.DONE, self._now()
            made = _approval(row)
        try:
            return made, await self._do(made.wish, asker.actor, f"{made.reason}（申请 {id_}，{made.decided_by} 核准）")
        except NotUsable:
            async with self._database.transaction() as session:  # not done: the consent is still good
                row = await self._row(session, id_)
                row.state, row.done_at = State.APPROVED, None
            raise

    async def newest(self, limit: int = MOST) -> Sequence[Approval]:
        """The newest first."""
        async with self._database.reading() as session:
            rows = await session.scalars(select(store.ApprovalRow).order_by(store.ApprovalRow.id.desc()).limit(limit))
            return [_approval(row) for row in rows]

    async def to_tell(self) -> tuple[list[str], list[str], list[str]]:
        """Subjects that wait, what was granted of late, and users whose roles should be two people's."""
        now, found = self._now(), await self.newest()
        waiting = [one.subject for one in found if one.state is State.ASKED and one.asked_at + WAITS > now]
        granted = [
            f"{one.subject}（{one.asked_by} 申请，{one.decided_by or '无第二人核准'}）"
            for one in found
            if one.done_at is not None and one.done_at + TOLD > now
        ]
        people = [] if self._accounts.policy.mixed_roles else await self._accounts.users()
        return waiting, granted, [one.name for one in people if mixed(one.roles) and not one.disabled]

    async def _check(self, wish: Wish) -> None:
        """What can never be is refused before anybody is asked."""
        roles = frozenset(map(Role, wish.roles))
        if wish.kind is Kind.ADD:
            require_name(wish.name, wish.display)
            require_roles(roles, wish.agent or "", self._accounts.policy)
        elif wish.kind is Kind.ROLE:
            before = await self._user(wish.name)
            require_roles(roles, before.agent if wish.agent is None else wish.agent, self._accounts.policy)
        elif wish.kind is Kind.RESET:
            await self._user(wish.name)

    async def _user(self, name: str) -> User:
        found = {one.name: one for one in await self._accounts.users()}
        if name not in found:
            raise NotUsable(f"没有用户 {name[:24]!r}；运行 hotline users list 查看")
        return found[name]

    async def _needs_second(self, wish: Wish) -> bool:
        if not self._accounts.policy.second_person:
            return False
        if wish.kind is Kind.CLIENT:
            return bool(SENSITIVE & {Right(word) for word in wish.rights})
        roles = frozenset(map(Role, wish.roles))
        if wish.kind is not Kind.ADD:
            before = (await self._user(wish.name)).roles
            roles = before if wish.kind is Kind.RESET else roles - before
        return any(heavy(role) for role in roles)

    async def _another(self, wish: Wish, asker: str) -> bool:
        """Whether anybody but these two could ever agree. Who was shut out counts: shutting out makes nobody alone."""
        people = await self._accounts.users()
        others = [one for one in people if one.name not in (asker, wish.name)]
        return any(Right.USERS_APPROVE in rights_of(one.roles) for one in others)

    async def _do(self, wish: Wish, actor: Actor, reason: str) -> str | None:
        accounts, roles = self._accounts, frozenset(map(Role, wish.roles))
        match wish.kind:
            case Kind.ADD:
                return await accounts.add(wish.name, wish.display, roles, wish.agent or "", actor, reason)
            case Kind.ROLE:
                await accounts.change_roles(wish.name, roles, wish.agent, actor, reason)
                return None
            case Kind.RESET:
                return await accounts.reset(wish.name, actor, reason)
            case Kind.CLIENT:
                rights = frozenset(map(Right, wish.rights))
                return await accounts.add_client(wish.name, rights, wish.days, actor, reason)

    async def _keep(self, wish: Wish, asker: Asker, reason: str, state: State) -> Approval:
        now, subject = self._now(), words_of_wish(wish)[:200]
        action, words = ("approvals.ask", "申请") if state is State.ASKED else ("approvals.alone", "没有第二人核准")
        async with self._database.transaction() as session:
            row = store.ApprovalRow(
                kind=wish.kind.value, told=json.dumps(asdict(wish), ensure_ascii=False), subject=subject,
                asker=asker.id[:60], asked_by=asker.actor.name[:60], reason=reason[:100], asked_at=now,
                state=state.value, decided_by="", decided_at=None, done_at=None if state is State.ASKED else now,
            )  # fmt: skip
            session.add(row)
            await session.flush()
            act = Act(action, f"{words}：{subject}"[:200], reason, {"approval": row.id})
            await append(session, asker.actor, act, now)
            made = _approval(row)
        await self._accounts.anchor()
        return made

    async def _row(self, session: AsyncSession, id_: int) -> store.ApprovalRow:
        query = select(store.ApprovalRow).where(store.ApprovalRow.id == id_).with_for_update()
        row = await session.scalar(query)
        if row is None:
            raise NotUsable(f"没有申请 {id_}；运行 hotline users approvals 查看")
        return row


def heavy(role: Role) -> bool:
    """The role opens other people's calls, or makes and judges those who do."""
    rights = RIGHTS[role]
    return bool({Right.USERS, Right.USERS_APPROVE} & rights.keys()) or any(
        rights.get(right) is Scope.ALL for right in SENSITIVE
    )


def words_of_wish(wish: Wish) -> str:
    """What is to be done, in Chinese."""
    roles = "、".join(ROLE_WORDS[Role(role)] for role in sorted(wish.roles))
    match wish.kind:
        case Kind.ADD:
            return f"新建用户 {wish.name}（{wish.display}），角色 {roles}"
        case Kind.ROLE:
            return f"把用户 {wish.name} 的角色改为 {roles}"
        case Kind.RESET:
            return f"重置用户 {wish.name} 的密码"
        case Kind.CLIENT:
            return f"给程序 {wish.name} 发令牌，权限 {'、'.join(sorted(wish.rights))}，{wish.days} 天"


def _wish(row: store.ApprovalRow) -> Wish:
    told = json.loads(row.told)
    lists = {name: tuple(told[name]) for name in ("roles", "rights")}
    return Wish(**(told | lists | {"kind": Kind(told["kind"])}))


def _approval(row: store.ApprovalRow) -> Approval:
    return Approval(
        row.id, _wish(row), row.subject, row.asker, row.asked_by, row.reason, row.asked_at, State(row.state),
        row.decided_by, row.decided_at, row.done_at,
    )  # fmt: skip
