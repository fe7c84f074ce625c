"""Users, made and changed: who may do it is decided elsewhere, that it is written down is decided here.

One job: bring a change about whole, with its entry in the sealed audit, in one transaction. What a user loses by a
change, its sessions lose at once.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex, token_urlsafe
from typing import Any, Final

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from audit.model import Act, Actor
from audit.service import anchor_new_entries
from audit.store import append
from database.connection import Database
from database.errors import DatabaseError
from telephony.model import AGENT_ID
from users import store
from users.model import ApiClient, Policy, Right, Role, Session, User
from users.passwords import Busy, Hashing, digest, new_totp_secret, one_time_password, recovery_codes, totp_address
from users.passwords import totp_step as step_of
from users.rules import (
    DEFAULT,
    FOR_CLIENTS,
    IDLE,
    LONGEST,
    MAX_CLIENT_DAYS,
    MAX_DISPLAY,
    ROLE_WORDS,
    NotUsable,
    locked_for,
    must_have_totp,
    one_time_over,
    over,
    require_name,
    require_password,
    require_roles,
    tried,
    untried,
    words_of,
)
from users.seal import SEALED, KeyUnusable, Seal

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

PREFIX: Final = "hl_"
"""Tokens of programs begin so, so that one that was published by mistake can be searched for."""

ONE_TIME_OVER: Final = "一次性密码已经过期；请管理员重置密码"
BUSY: Final = "此刻登录的人太多，请过几秒再试"


class Accounts:
    """The people and programs that may use the hotline."""

    def __init__(
        self,
        database: Database,
        data_dir: Path,
        hashing: Hashing,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        policy: Policy = DEFAULT,
    ) -> None:
        self.policy = policy
        self.seal = Seal(data_dir)
        self._database = database
        self._data_dir = data_dir
        self._hashing = hashing
        self._now = now

    # People. Everything raises NotUsable with a Chinese sentence, or DatabaseError.

    async def users(self) -> Sequence[User]:
        """Everybody, by name."""
        async with self._database.reading() as session:
            return await store.all_users(session)

    async def locked(self) -> Mapping[str, datetime]:
        """Users whose name is shut after wrong tries, and until when."""
        now = self._now()
        async with self._database.reading() as session:
            tries = await store.all_tries(session)
            people = await store.all_users(session)
        waits = ((one.name, locked_for(tries[key], now)) for one in people if (key := digest(one.name)) in tries)
        return {name: now + wait for name, wait in waits if wait}

    async def add(
        self, name: str, display: str, roles: frozenset[Role], agent: str, actor: Actor, reason: str = ""
    ) -> str:
        """A new user; gives the one-time password, which nobody can read again."""
        require_name(name, display)
        require_roles(roles, agent, self.policy)
        password = one_time_password()
        kept = await self._hashed(password)
        async with self._deed(actor, "users.add", f"用户 {name}", reason, roles=sorted(roles), agent=agent) as session:
            if await store.row_of(session, name) is not None:
                raise NotUsable(f"已有用户 {name}；用户名不会给第二个人用，请换一个")
            await self._free(session, agent, name)
            session.add(
                store.UserRow(
                    name=name,
                    display=display.strip(),
                    roles=" ".join(sorted(roles)),
                    agent=agent,
                    password=kept,
                    must_change=True,
                    one_time_until=self._now() + self.policy.one_time,
                    disabled=False,
                    totp_secret="",
                    totp_step=0,
                    recovery="[]",
                    created_at=self._now(),
                )
            )
        return password

    async def change_roles(
        self, name: str, roles: frozenset[Role], agent: str | None, actor: Actor, reason: str = ""
    ) -> None:
        """Other roles, perhaps another 工号; ends the user's sessions."""
        async with self._deed(actor, "users.role", f"用户 {name}", reason, roles=sorted(roles), agent=agent) as session:
            row = await self._row(session, name)
            wanted = row.agent if agent is None else agent
            require_roles(roles, wanted, self.policy)
            await self._free(session, wanted, name)
            if Role.ADMIN not in roles:
                await self._another_admin(session, name)
            row.roles, row.agent = " ".join(sorted(roles)), wanted
            await store.end_sessions(session, name)

    async def reset(self, name: str, actor: Actor, reason: str = "") -> str:
        """A new one-time password; ends lock, sessions and second factor of a user who lost them."""
        password = one_time_password()
        kept = await self._hashed(password)
        async with self._deed(actor, "users.reset", f"用户 {name}", reason) as session:
            row = await self._row(session, name)
            row.password, row.must_change = kept, True
            row.one_time_until = self._now() + self.policy.one_time
            row.totp_secret, row.totp_step, row.recovery = "", 0, "[]"
            await store.clear_tries(session, digest(name))
            await store.end_sessions(session, name)
        return password

    async def unlock(self, name: str, actor: Actor, reason: str = "") -> None:
        """Forget the wrong tries."""
        async with self._deed(actor, "users.unlock", f"用户 {name}", reason) as session:
            await self._row(session, name)
            await store.clear_tries(session, digest(name))

    async def disable(self, name: str, actor: Actor, reason: str = "", *, disabled: bool = True) -> None:
        """Shut a user out, at once; or let him in again."""
        action = "users.disable" if disabled else "users.enable"
        async with self._deed(actor, action, f"用户 {name}", reason) as session:
            row = await self._row(session, name)
            if disabled:
                await self._another_admin(session, name)
                await store.end_sessions(session, name)
            row.disabled = disabled

    async def end_sessions(self, name: str, actor: Actor, reason: str = "") -> int:
        """Sign a user out everywhere; how many browsers."""
        async with self._deed(actor, "users.end-sessions", f"用户 {name}", reason) as session:
            await self._row(session, name)
            return await store.end_sessions(session, name)

    async def sessions(self, name: str = "") -> Sequence[Session]:
        """Who is signed in at this moment, the newest first."""
        now = self._now()
        async with self._database.reading() as session:
            return [one for one in await store.sessions_of(session, name) if not over(one, now)]

    # One's own

    async def change_password(self, name: str, old: str, new: str, actor: Actor) -> None:
        """Choose a password; ends all sessions, this one too. Who sits at somebody's screen does not know the old."""
        async with self._database.reading() as reading:
            known = await store.row_of(reading, name)
        own = () if known is None else (known.display, known.agent)
        require_password(name, new, own)
        await self._require(name, old)
        if old == new:
            raise NotUsable("新密码不能与原密码相同")
        kept = await self._hashed(new)
        async with self._deed(actor, "users.password", f"用户 {name}", "") as session:
            row = await self._row(session, name)
            if one_time_over(store.user_of(row), self._now()):
                raise NotUsable(ONE_TIME_OVER)
            row.password, row.must_change, row.one_time_until = kept, False, None
            await store.end_sessions(session, name)

    async def begin_totp(self, name: str, password: str, actor: Actor) -> dict[str, str]:
        """A secret for an authenticator; asked for at sign-in only once a code has confirmed it."""
        await self._require(name, password)
        secret = new_totp_secret()
        async with self._deed(actor, "users.totp-begin", f"用户 {name}", "") as session:
            row = await self._row(session, name)
            if row.totp_secret and not row.totp_secret.startswith("?"):
                raise NotUsable("动态口令已经启用；换手机请先停用再启用")
            row.totp_secret = f"?{self._closed(secret, name)}"
        return {"secret": secret, "address": totp_address(secret, name)}

    async def confirm_totp(self, name: str, code: str, actor: Actor) -> list[str]:
        """The second factor holds from now on; gives the recovery codes, which nobody can read again."""
        codes = recovery_codes()
        async with self._deed(actor, "users.totp-on", f"用户 {name}", "") as session:
            row = await self._row(session, name)
            if not row.totp_secret.startswith("?"):
                raise NotUsable("请先开始启用动态口令，再输入验证码")
            secret = self._opened(row.totp_secret[1:], name)
            step = step_of(secret, code, self._now(), row.totp_step)
            if step is None:
                raise NotUsable("验证码不对；请核对手机的时间，输入当前显示的 6 位数字")
            row.totp_secret, row.totp_step = self._closed(secret, name), step
            row.recovery = json.dumps([digest(one) for one in codes])
        return codes

    async def end_totp(self, name: str, password: str, actor: Actor) -> None:
        """No second factor any more."""
        await self._require(name, password)
        async with self._deed(actor, "users.totp-off", f"用户 {name}", "") as session:
            row = await self._row(session, name)
            if must_have_totp(store.user_of(row).roles, self.policy):
                raise NotUsable("您的角色必须用动态口令，不能停用；换手机请管理员重置后重新启用")
            row.totp_secret, row.totp_step, row.recovery = "", 0, "[]"

    async def seal_old(self) -> int:
        """Encrypt the seeds that an older version has kept in clear; how many. Raises DatabaseError, KeyUnusable."""
        count = 0
        async with self._database.transaction() as session:
            for row in await store.with_seed(session):
                mark, plain = ("?", row.totp_secret[1:]) if row.totp_secret.startswith("?") else ("", row.totp_secret)
                if not plain.startswith(SEALED):
                    row.totp_secret = f"{mark}{self.seal.closed(plain, row.name)}"
                    count += 1
        return count

    def _closed(self, seed: str, name: str) -> str:
        try:
            return self.seal.closed(seed, name)
        except KeyUnusable as error:
            raise NotUsable(str(error)) from None

    def _opened(self, kept: str, name: str) -> str:
        try:
            return self.seal.opened(kept, name)
        except KeyUnusable as error:
            raise NotUsable(str(error)) from None

    # Programs

    async def clients(self) -> Sequence[ApiClient]:
        """Every program that ever had a token."""
        async with self._database.reading() as session:
            return await store.all_clients(session)

    async def add_client(self, name: str, rights: frozenset[Right], days: int, actor: Actor, reason: str = "") -> str:
        """A token for a program, which nobody can read again."""
        if not 0 < len(name.strip()) <= MAX_DISPLAY or not name.isprintable():
            raise NotUsable(f"程序名应为 1 到 {MAX_DISPLAY} 个字，例如 大厅大屏")
        if not rights or rights - FOR_CLIENTS:
            raise NotUsable(f"程序可以有的权限：{'、'.join(sorted(FOR_CLIENTS))}；至少给一个")
        if not 1 <= days <= MAX_CLIENT_DAYS:
            raise NotUsable(f"有效期应为 1 到 {MAX_CLIENT_DAYS} 天")
        client, secret, now = token_hex(5), token_urlsafe(32), self._now()
        detail = {"client": client, "rights": sorted(rights), "days": days}
        async with self._deed(actor, "clients.add", f"程序 {name}", reason, **detail) as session:
            session.add(
                store.ClientRow(
                    id=client,
                    name=name.strip(),
                    rights=" ".join(sorted(rights)),
                    token=digest(secret),
                    created_by=actor.name,
                    created_at=now,
                    expires_at=now + timedelta(days=days),
                )
            )
        return f"{PREFIX}{client}.{secret}"

    async def revoke_client(self, client: str, actor: Actor, reason: str = "") -> None:
        """Its token is good for nothing from now on."""
        async with self._deed(actor, "clients.revoke", f"程序 {client}", reason) as session:
            row = await store.client_row(session, client)
            if row is None:
                raise NotUsable(f"没有程序 {client[:20]!r}")
            row.revoked_at = row.revoked_at or self._now()

    # Looks

    async def write_down(self, actor: Actor, act: Act) -> None:
        """An entry in the sealed audit, for what changes nothing but must be known: a look at personal data."""
        async with self._database.transaction() as session:
            await append(session, actor, act, self._now())
        await self.anchor()

    async def forget_old(self) -> None:
        """Drop sessions that are over, and tries that no longer count."""
        now = self._now()
        async with self._database.transaction() as session:
            await store.forget_old(session, now - IDLE, now - LONGEST, now - timedelta(days=1))

    @asynccontextmanager
    async def _deed(
        self, actor: Actor, action: str, subject: str, reason: str, **detail: Any
    ) -> AsyncIterator[AsyncSession]:
        """A transaction with its entry: both are kept, or neither."""
        async with self._database.transaction() as session:
            yield session
            known = {key: value for key, value in detail.items() if value not in (None, "")}
            await append(session, actor, Act(action, f"{_SUBJECTS[action]}：{subject}", reason, known), self._now())
        await self.anchor()

    async def anchor(self) -> None:
        """Note outside the database what was sealed in it."""
        try:
            await anchor_new_entries(self._database, self._data_dir)
        except (DatabaseError, OSError) as error:  # the next start notes it
            log.error("audit not anchored", reason=str(error))

    async def _row(self, session: AsyncSession, name: str) -> store.UserRow:
        row = await store.row_of(session, name)
        if row is None:
            raise NotUsable(f"没有用户 {name[:24]!r}；运行 hotline users list 查看")
        return row

    async def _free(self, session: AsyncSession, agent: str, name: str) -> None:
        if not agent:
            return
        if not AGENT_ID.fullmatch(agent):
            raise NotUsable("工号应为 3 到 8 位数字，例如 1001")
        holder = await store.of_agent(session, agent)
        if holder is not None and holder.name != name:
            raise NotUsable(f"工号 {agent} 已属于用户 {holder.name}；一个工号只能是一个人")

    async def _another_admin(self, session: AsyncSession, name: str) -> None:
        """Raises NotUsable when nobody else could make users."""
        people = await store.all_users(session)
        (asked,) = (one for one in people if one.name == name)
        others = [one for one in people if Role.ADMIN in one.roles and not one.disabled and one.name != name]
        if Role.ADMIN in asked.roles and not asked.disabled and not others:
            raise NotUsable(f"{name} 是最后一个{ROLE_WORDS[Role.ADMIN]}；请先另设一个")

    async def _require(self, name: str, password: str) -> None:
        """The right password; wrong ones count as wrong sign-ins do, or a stolen session could guess for hours."""
        key, now = digest(name), self._now()
        async with self._database.transaction() as session:
            before = await store.tries_of(session, key, now)
            if wait := locked_for(before, now):
                raise NotUsable(f"错误次数太多，请 {words_of(wait)}后再试")
            await store.keep_tries(session, key, tried(before, now))
            row = await store.row_of(session, name)
            kept = None if row is None else row.password
        try:
            right = await self._hashing.matches(kept, password)
        except Busy:
            right, busy = False, True
        else:
            busy = False
        if right or busy:
            async with self._database.transaction() as session:
                await store.keep_tries(session, key, untried(await store.tries_of(session, key, now)))
        if busy:
            raise NotUsable(BUSY)
        if not right:
            raise NotUsable("原密码不对；连错几次会锁定一段时间")

    async def _hashed(self, password: str) -> str:
        try:
            return await self._hashing.hashed(password)
        except Busy:
            raise NotUsable(BUSY) from None


_SUBJECTS: Final = {
    "users.add": "新建",
    "users.role": "改角色",
    "users.reset": "重置密码",
    "users.unlock": "解除锁定",
    "users.disable": "停用",
    "users.enable": "恢复",
    "users.end-sessions": "强制下线",
    "users.password": "本人改密码",
    "users.totp-begin": "开始启用动态口令",
    "users.totp-on": "启用动态口令",
    "users.totp-off": "停用动态口令",
    "clients.add": "发放令牌",
    "clients.revoke": "收回令牌",
}
