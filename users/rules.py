"""What roles may do, what a password must be, when a session is over, and when a name is shut.

One job: decide. No clock, no database; times are arguments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from users.guessable import LEAST, left
from users.model import ApiClient, Identity, Policy, Right, Role, Scope, Session, Tries, User

NAME: Final = re.compile(r"[a-z][a-z0-9._-]{1,23}", re.ASCII)
MAX_DISPLAY: Final = 30

IDLE: Final = timedelta(minutes=30)
"""OWASP's Session Management Cheat Sheet: 15 to 30 minutes. A desk that follows its calls is never idle."""

LONGEST: Final = timedelta(hours=12)
"""A long shift and its hand-over."""

TRIES: Final = 5
LOCK: Final = timedelta(minutes=15)
"""Ours, not a standard's; the same as for PINs."""

MIN_PASSWORD: Final = 12
MAX_PASSWORD: Final = 128
FEWEST_DIFFERENT: Final = 6
MAX_CLIENT_DAYS: Final = 366

ROLE_WORDS: Final[Mapping[Role, str]] = {
    Role.AGENT: "座席",
    Role.SUPERVISOR: "班长",
    Role.ADMIN: "管理员",
    Role.AUDITOR: "审计员",
}

_ALL, _OWN = Scope.ALL, Scope.OWN

APART: Final = frozenset({Role.ADMIN, Role.SUPERVISOR, Role.AUDITOR})
"""Who gives rights, who uses them on others' calls, and who looks at both: three people."""

RIGHTS: Final[Mapping[Role, Mapping[Right, Scope]]] = {
    Role.AGENT: {
        Right.AGENTS_READ: _ALL,
        Right.AGENTS_ACT: _OWN,
        Right.QUEUES_READ: _ALL,
        Right.LIVE_READ: _ALL,
        Right.CALLS_ACT: _OWN,
        Right.CALLS_READ: _OWN,
        Right.CALL_OUT: _OWN,
        Right.NUMBERS_REVEAL: _OWN,
        Right.CALLBACKS_READ: _ALL,
        Right.MESSAGES_READ: _ALL,
        Right.MESSAGES_WORK: _OWN,
        Right.ANNOUNCEMENTS_READ: _ALL,
        Right.ORDERS_READ: _ALL,
        Right.ORDERS_WORK: _OWN,
        Right.DRILLS_START: _OWN,
    },
    Role.SUPERVISOR: {
        Right.STATUS_READ: _ALL,
        Right.AGENTS_READ: _ALL,
        Right.AGENTS_ACT: _ALL,
        Right.QUEUES_READ: _ALL,
        Right.LIVE_READ: _ALL,
        Right.CALLS_ACT: _ALL,
        Right.CALLS_READ: _ALL,
        Right.CALL_OUT: _ALL,
        Right.NUMBERS_REVEAL: _ALL,
        Right.RECORDINGS_PLAY: _ALL,
        Right.CALLBACKS_READ: _ALL,
        Right.CALLBACKS_CANCEL: _ALL,
        Right.MESSAGES_READ: _ALL,
        Right.MESSAGES_WORK: _OWN,
        Right.WORK_HAND: _ALL,
        Right.ORDERS_READ: _ALL,
        Right.ORDERS_WORK: _ALL,
        Right.ORDERS_END: _ALL,
        Right.DRILLS_START: _ALL,
        Right.DRILLS_READ: _ALL,
        Right.REPORTS_READ: _ALL,
        Right.SUPERVISE: _ALL,
        Right.SUPERVISE_JOIN: _OWN,
        Right.ANNOUNCE: _ALL,
        Right.ANNOUNCEMENTS_READ: _ALL,
        Right.ROUTING_READ: _ALL,
        Right.PROMPTS_READ: _ALL,
    },
    Role.ADMIN: {
        Right.STATUS_READ: _ALL,
        Right.AGENTS_READ: _ALL,
        Right.AGENTS_PIN: _ALL,
        Right.QUEUES_READ: _ALL,
        Right.LIVE_READ: _ALL,
        Right.METRICS_READ: _ALL,
        Right.ANNOUNCE: _ALL,
        Right.ANNOUNCEMENTS_READ: _ALL,
        Right.ROUTING_READ: _ALL,
        Right.PROMPTS_READ: _ALL,
        Right.ROUTING_EDIT: _ALL,
        Right.ROUTING_PUBLISH: _ALL,
        Right.PROMPTS_EDIT: _ALL,
        Right.DRILLS_READ: _ALL,
        Right.REPORTS_READ: _ALL,
        Right.USERS: _ALL,
        Right.USERS_APPROVE: _ALL,
        Right.SETUP: _ALL,
        Right.AUDIT_READ: _ALL,
        Right.API_READ: _ALL,
    },
    Role.AUDITOR: {
        Right.STATUS_READ: _ALL,
        Right.LIVE_READ: _ALL,
        Right.CALLS_READ: _ALL,
        Right.RECORDINGS_PLAY: _ALL,
        Right.ORDERS_READ: _ALL,
        Right.DRILLS_READ: _ALL,
        Right.REPORTS_READ: _ALL,
        Right.ROUTING_READ: _ALL,
        Right.PROMPTS_READ: _ALL,
        Right.USERS_APPROVE: _ALL,
        Right.AUDIT_READ: _ALL,
        Right.API_READ: _ALL,
    },
}
"""Who manages the hotline does not thereby hear its callers: listening and numbers are not the admin's."""

FOR_CLIENTS: Final = frozenset(Right) - {
    Right.SELF,
    Right.SUPERVISE_JOIN,
    Right.USERS,
    Right.USERS_APPROVE,
    Right.AGENTS_PIN,
    Right.SETUP,
}
"""What a program may be given: it has no phone of its own, and makes neither users nor PINs, nor shuts users out."""


DEFAULT: Final = Policy()


class NotUsable(ValueError):
    """A name, a role or a password that cannot be; the text says why and what would do, in Chinese."""


def rights_of(roles: Iterable[Role]) -> dict[Right, Scope]:
    """What these roles may do together: the wider scope counts."""
    together: dict[Right, Scope] = {Right.SELF: Scope.OWN}
    for role in roles:
        for right, scope in RIGHTS[role].items():
            if together.get(right) is not Scope.ALL:
                together[right] = scope
    return together


def identity_of(user: User, session: Session, policy: Policy = DEFAULT) -> Identity:
    """A person who asks. Who must first choose a password, or set up a second factor, may do nothing else."""
    must_totp = must_have_totp(user.roles, policy) and not user.totp
    rights = {Right.SELF: Scope.OWN} if user.must_change or must_totp else rights_of(user.roles)
    return Identity(
        f"{user.display}（{user.name}）",
        rights,
        user.agent,
        user,
        must_totp,
        session=session.key,
        origin=session.origin,
    )


def must_have_totp(roles: frozenset[Role], policy: Policy) -> bool:
    """Whether the city demands a second factor of one of these roles."""
    return bool(roles & policy.second_factor)


def one_time_over(user: User, now: datetime) -> bool:
    """The password was set by somebody else, and nobody has come with it in time."""
    return user.must_change and user.one_time_until is not None and now >= user.one_time_until


def client_identity(client: ApiClient, origin: str) -> Identity:
    """A program that asks."""
    rights = dict.fromkeys(client.rights & FOR_CLIENTS, Scope.ALL)
    return Identity(f"程序 {client.name}（{client.id}）", rights, origin=origin, client=client.id)


def require_name(name: str, display: str) -> None:
    """Raises NotUsable."""
    if not NAME.fullmatch(name):
        raise NotUsable("用户名应为 2 到 24 个小写字母、数字或 . _ -，以字母开头，例如 zhangsan")
    if not 0 < len(display.strip()) <= MAX_DISPLAY or not display.isprintable():
        raise NotUsable(f"姓名应为 1 到 {MAX_DISPLAY} 个字，例如 张三")


def require_roles(roles: frozenset[Role], agent: str, policy: Policy = DEFAULT) -> None:
    """Raises NotUsable."""
    if not roles:
        words = "、".join(f"{role}（{word}）" for role, word in ROLE_WORDS.items())
        raise NotUsable(f"至少要有一个角色：{words}")
    if Role.AUDITOR in roles and Role.AGENT in roles:
        raise NotUsable("审计员不能兼任座席：不能自己审自己")
    if mixed(roles) and not policy.mixed_roles:
        words = "、".join(ROLE_WORDS[role] for role in sorted(roles & APART))
        raise NotUsable(f"{words}不能是同一个人：谁也不能给自己授权、用了又自己审；本市另有决定的，设置 roles_may_mix")
    if Role.AGENT in roles and not agent:
        raise NotUsable("座席要写明工号，例如 --agent 1001")


def mixed(roles: frozenset[Role]) -> bool:
    """One person who should be two."""
    return len(roles & APART) > 1


def require_password(name: str, password: str, own: tuple[str, ...] = ()) -> None:
    """Raises NotUsable. Length counts and known weakness; no rules about kinds of characters (NIST SP 800-63B).

    ``own``: more words that everybody knows of the user.
    """
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise NotUsable(f"密码应为 {MIN_PASSWORD} 到 {MAX_PASSWORD} 个字符；一句好记的话就很好，不必夹杂符号")
    plain = password.casefold()
    if name and name in plain:
        raise NotUsable("密码里不要有用户名")
    if "12345" in plain or "password" in plain or "hotline" in plain or "qwert" in plain:
        raise NotUsable("密码里不要有 12345、password、hotline、qwert 这类人人会先猜的词")
    if left(password, (name, *own)) < LEAST:
        raise NotUsable("这个密码太好猜：常用的词、年份、连着的键、重复的段都不算数；换一句别人想不到的话就很好")
    if len(set(plain)) < FEWEST_DIFFERENT:
        raise NotUsable(f"密码太单调，至少要有 {FEWEST_DIFFERENT} 种不同的字符")


def over(session: Session, now: datetime) -> bool:
    """The session has been idle, or has lasted, too long."""
    return now - session.seen_at >= IDLE or now - session.started_at >= LONGEST


def locked_for(tries: Tries, now: datetime) -> timedelta:
    """How long this name stays shut; zero when it may be tried."""
    if tries.last_at is None or tries.wrong < TRIES:
        return timedelta(0)
    return max(timedelta(0), tries.last_at + LOCK - now)


def tried(tries: Tries, now: datetime) -> Tries:
    """One try more. It counts as wrong until it was told to be right: those at the same moment count, too."""
    forgotten = tries.last_at is not None and now - tries.last_at >= LOCK
    return Tries(1 if forgotten else tries.wrong + 1, now)


def untried(tries: Tries) -> Tries:
    """The last try was none."""
    return replace(tries, wrong=max(0, tries.wrong - 1))


def words_of(wait: timedelta) -> str:
    """How long to wait, in Chinese, rounded up to minutes."""
    return f"{-(-int(wait.total_seconds()) // 60) or 1} 分钟"
