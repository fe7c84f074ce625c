"""A small hotline's users, with a clock that stands still until it is moved."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from audit.model import Actor
from database.connection import Database
from users.accounts import Accounts
from users.approvals import Approvals
from users.model import Policy, Role
from users.passwords import Hashing
from users.sessions import Sessions, SignedIn, SignInRefused

ROOT = Actor("root", "命令行")
PASSWORD = "东山路的路灯不亮了请来修一修"


@dataclass
class People:
    database: Database
    folder: Path
    now: datetime = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
    hashing: Hashing = field(default_factory=Hashing)
    policy: Policy = field(default_factory=Policy)

    def __post_init__(self) -> None:
        self.accounts = Accounts(self.database, self.folder, self.hashing, lambda: self.now, self.policy)
        self.sessions = self.engine()
        self.approvals = Approvals(self.accounts, self.database, lambda: self.now)

    def engine(self) -> Sessions:
        """What a start of the engine begins with."""
        return Sessions(
            self.database,
            self.hashing,
            self.accounts.anchor,
            lambda: self.now,
            seal=self.accounts.seal,
            policy=self.policy,
        )

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    async def add(self, name: str, *roles: Role, agent: str = "") -> str:
        """A user who has chosen a password."""
        first = await self.accounts.add(name, "张三", frozenset(roles), agent, ROOT)
        await self.accounts.change_password(name, first, PASSWORD, ROOT)
        return PASSWORD

    async def sign_in(self, name: str, password: str = PASSWORD, code: str = "", old: str = "") -> SignedIn:
        return await self.sessions.sign_in(name, password, code, "网页 127.0.0.1", old)

    async def refusal(self, name: str, password: str, code: str = "") -> SignInRefused:
        try:
            await self.sign_in(name, password, code)
        except SignInRefused as refused:
            return refused
        raise AssertionError("let in")
