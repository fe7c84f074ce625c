"""Signing in, and who it is that asks.

One job: from name and password to a session, from a session's or a program's token to an identity. An unknown name, a
wrong password and a user who was shut out get the same words after the same work; wrong tries are counted in the
database, known name or not, before the password is looked at, so that neither a restart nor many at once help.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import re
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from audit.model import Act, Actor
from audit.store import append
from database.connection import PROMPT_SECONDS, Database
from database.errors import DatabaseError
from users import store
from users.accounts import BUSY, ONE_TIME_OVER, PREFIX
from users.model import Identity, Policy, Session, User
from users.passwords import Busy, Hashing, digest, outdated, totp_step, used_recovery
from users.rules import (
    DEFAULT,
    LOCK,
    TRIES,
    client_identity,
    identity_of,
    locked_for,
    one_time_over,
    over,
    tried,
    untried,
    words_of,
)
from users.seal import KeyUnusable, Seal

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

TOUCH: Final = timedelta(seconds=60)
"""How exactly it is known when a session was last used."""

FIRST_SECONDS: Final = 3.0
"""How long the database may take to say who somebody is of whom this engine has not heard."""

LOOK_SECONDS: Final = 1.5
"""How old the last look at all sessions may be."""

REMEMBERED: Final = 2000
"""Identities kept for the minutes in which the database is out of reach."""


MOST_FAILED: Final = 30
"""Different users and addresses in one entry; the rest is counted together."""

NOBODY: Final = "（没有的用户名）"
ELSEWHERE: Final = "别的地址"
_ADDRESS: Final = re.compile(r"[0-9a-fA-F]*[.:][0-9a-fA-F.:]+")


class SignInRefused(Exception):
    """Not let in; the text says why, in Chinese."""

    def __init__(self, text: str, status: int = 401, *, code_wanted: bool = False, seconds: int = 0) -> None:
        super().__init__(text)
        self.status = status
        self.code_wanted = code_wanted
        """The password was right, and the authenticator's code is missing."""
        self.seconds = seconds
        """How long until another try makes sense; 0 when at once."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a browser gets."""

    token: str
    identity: Identity


class Sessions:
    """Everybody who is signed in."""

    def __init__(
        self,
        database: Database,
        hashing: Hashing,
        anchor: Callable[[], Awaitable[None]],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        seal: Seal,
        policy: Policy = DEFAULT,
    ) -> None:
        """``anchor`` notes outside the database what was sealed in its audit."""
        self._anchor = anchor
        self._seal = seal
        self._policy = policy
        self._database = database
        self._hashing = hashing
        self._now = now
        self._known: OrderedDict[str, tuple[Session, User]] = OrderedDict()
        self._all: dict[str, tuple[Session, User]] = {}
        self._looked_at = -LOOK_SECONDS
        self._looking = asyncio.Lock()
        self._failed: Counter[tuple[str, str]] = Counter()
        """Sign-ins that were refused and are not in the audit yet, by user and address."""

    async def sign_in(self, name: str, password: str, code: str, origin: str, old: str = "") -> SignedIn:
        """A new session, never the one that the browser came with (``old`` ends). Raises SignInRefused."""
        key, now = digest(name), self._now()
        async with self._database.transaction() as session:
            before = await store.tries_of(session, key, now)
            row = await store.row_of(session, name)
            if wait := locked_for(before, now):
                self._fail(name if row is not None else "", origin)
                raise _locked(wait)
            counted = tried(before, now)
            await store.keep_tries(session, key, counted)
            kept = None if row is None else row.password
        try:
            right = await self._hashing.matches(kept, password)
        except Busy:
            await self._untry(key)
            raise SignInRefused(BUSY, 503) from None
        if kept is None or not right or row is None or row.disabled:
            await self._refused(name if row is not None else "", origin, counted.wrong)
            raise _wrong(counted.wrong)
        fresh = await self._hashing.hashed(password) if outdated(kept) else kept
        token = token_urlsafe(32)
        async with self._database.transaction() as session:
            held = await store.row_of(session, name)
            if held is None or held.password != kept or held.disabled:
                raise _wrong(counted.wrong)
            user = store.user_of(held)
            if one_time_over(user, now):
                raise SignInRefused(ONE_TIME_OVER)
            if code or not user.totp:
                if user.totp and not self._second(held, code, now):
                    self._fail(name, origin)
                    raise _wrong(counted.wrong)
                await store.clear_tries(session, key)
                held.password, held.signed_in_at = fresh, now
                made: Session | None = await self._begin(session, user, token, origin, old, now)
            else:
                made = None
                await store.keep_tries(session, key, untried(await store.tries_of(session, key, now)))
        if made is not None:
            await self._anchor()
            return SignedIn(token, identity_of(user, made, self._policy))
        raise SignInRefused("请输入动态口令（6 位数字），手机不在身边可用恢复码", code_wanted=True)

    async def identify(self, token: str) -> Identity | None:
        """Whose browser this is; None for nobody's, for a session that is over and for a user who was shut out.

        Without the database, who was known to this engine stays known until the session is over: a desk must go on. A
        database that says nothing is waited for a second, and then for a while by nobody.
        """
        key, now = digest(token), self._now()
        try:
            # Of somebody we know nothing there is nothing to go on with: better late than refused.
            seconds = PROMPT_SECONDS if key in self._known else FIRST_SECONDS
            found = await self._database.promptly(lambda reading: store.session_and_user(reading, key), seconds=seconds)
        except (DatabaseError, SQLAlchemyError):
            found = self._known.get(key)
            if found is None:
                raise
        if found is None or found[1].disabled or over(found[0], now):
            self._known.pop(key, None)
            return None
        session, user = found
        if now - session.seen_at >= TOUCH:
            session = await self._touch(session, now)
        self._remember(session, user)
        return identity_of(user, session, self._policy)

    async def standing(self, token: str) -> Identity | None:
        """The same for who is looked at again and again: one look at all sessions serves all for a moment.

        Raises DatabaseError.
        """
        key = digest(token)
        async with self._looking:
            if time.monotonic() - self._looked_at >= LOOK_SECONDS:
                try:
                    self._all = dict(await self._database.promptly(store.every_session, seconds=PROMPT_SECONDS))
                except (DatabaseError, SQLAlchemyError):
                    self._all = {}
                self._looked_at = time.monotonic()
        found, now = self._all.get(key), self._now()
        if found is None:  # over, begun since that look, or the database says nothing
            return await self.identify(token)
        if found[1].disabled or over(found[0], now):
            return None
        session, user = found
        if now - session.seen_at >= TOUCH:
            session = await self._touch(session, now)
            self._all[key] = session, user
        return identity_of(user, session, self._policy)

    async def program(self, token: str, origin: str) -> Identity | None:
        """Which program this token is of; None for a wrong one, one that was revoked, and one that is over."""
        client, _, secret = token.removeprefix(PREFIX).partition(".")
        row = await self._database.promptly(lambda reading: store.client_row(reading, client[:12]))
        offered = digest(secret)
        if row is None or not hmac.compare_digest(row.token, offered):
            return None
        known = store.client_of(row)
        if known.revoked_at is not None or known.expires_at <= self._now():
            return None
        return client_identity(known, origin)

    async def end(self, identity: Identity) -> None:
        """Sign out."""
        self._known.pop(identity.session, None)
        async with self._database.transaction() as session:
            await store.end_session(session, identity.session)
            name = identity.user.name if identity.user is not None else identity.name
            act = Act("users.sign-out", f"退出登录：用户 {name}")
            await append(session, Actor(identity.name, identity.origin[:200]), act, self._now())
        await self._anchor()

    async def note_failed(self) -> None:
        """The refused sign-ins since the last time as one entry: a flood makes no more. Raises DatabaseError."""
        failed, self._failed = self._failed, Counter()
        if not failed:
            return
        told = [
            {"user": user or NOBODY, "from": address, "tries": tries} for (user, address), tries in failed.most_common()
        ]
        words = "；".join(f"{one['user']} {one['tries']} 次，自 {one['from']}" for one in told)
        act = Act("users.sign-in-failed", f"登录失败：{words}"[:200], detail={"tries": told})
        async with self._database.transaction() as session:
            await append(session, Actor("（未登录）", "网页"), act, self._now())
        await self._anchor()

    def _fail(self, user: str, origin: str) -> None:
        """``user``: empty for a name that nobody has; what was typed as one may be a password."""
        found = _ADDRESS.search(origin)
        key = (user, found[0] if found else origin[:40])
        if key not in self._failed and len(self._failed) >= MOST_FAILED:
            key = ("", ELSEWHERE)
        self._failed[key] += 1

    async def _refused(self, user: str, origin: str, wrong: int) -> None:
        log.warning("sign-in refused", tries=wrong)
        self._fail(user, origin)
        if user and wrong == TRIES:
            act = Act("users.lock", f"连错 {wrong} 次，锁定 {words_of(LOCK)}：用户 {user}")
            async with self._database.transaction() as session:
                await append(session, Actor("（未登录）", origin[:200]), act, self._now())
            await self._anchor()

    async def _begin(
        self, session: AsyncSession, user: User, token: str, origin: str, old: str, now: datetime
    ) -> Session:
        if old:
            self._known.pop(digest(old), None)
            await store.end_session(session, digest(old))
        made = Session(digest(token), user.name, now, now, origin)
        await store.begin_session(session, made)
        actor = Actor(f"{user.display}（{user.name}）", origin[:200])
        await append(session, actor, Act("users.sign-in", f"登录：用户 {user.name}"), now)
        return made

    async def _touch(self, session: Session, now: datetime) -> Session:
        try:
            await self._database.promptly(lambda writing: store.seen(writing, session.key, now), writes=True)
        except (DatabaseError, SQLAlchemyError) as error:
            log.warning("session's last use not kept", reason=str(error))
        return replace(session, seen_at=now)

    def _remember(self, session: Session, user: User) -> None:
        self._known[session.key] = (session, user)
        self._known.move_to_end(session.key)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def _second(self, row: store.UserRow, code: str, now: datetime) -> bool:
        """The second factor is right; what was used is used up, and a seed that was kept in clear is sealed."""
        left = used_recovery(store.recovery_of(row), code)
        if left is not None:
            row.recovery = json.dumps(left)
            return True
        try:
            seed = self._seal.opened(row.totp_secret, row.name)
            step = totp_step(seed, code, now, row.totp_step)
            if step is None:
                return False
            row.totp_step, row.totp_secret = step, self._seal.closed(seed, row.name)
        except KeyUnusable as error:
            log.error("second factor not checked", reason=str(error))
            return False
        return True

    async def _untry(self, key: str) -> None:
        async with self._database.transaction() as session:
            await store.keep_tries(session, key, untried(await store.tries_of(session, key, self._now())))


def _wrong(tries: int) -> SignInRefused:
    left = TRIES - tries
    if left <= 0:
        return _locked(LOCK)
    return SignInRefused(
        f"用户名、密码或动态口令不对；还可以试 {left} 次，之后锁 {words_of(LOCK)}。忘了密码请找管理员重置"
    )


def _locked(wait: timedelta) -> SignInRefused:
    text = f"错误次数太多，请 {words_of(wait)}后再试；急用请找管理员解除锁定或重置密码"
    return SignInRefused(text, 429, seconds=max(1, int(wait.total_seconds())))
