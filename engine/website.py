"""The browsers' listener as a part of the engine: opened, kept tidy, closed.

One job: its life. Calls come first: a certificate that cannot be read or a port that is taken costs the console, never
the hotline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from audit.model import Entry
from audit.query import AuditQuery
from calls.web_phones import WebPhones
from config.settings import ROOT, Settings
from console.access.client_address import networks
from console.access.guard import Site
from console.access.personal_data_limit import Brake, Limits
from console.api.feed import Feed
from console.api.forecasting import Measured
from console.api.instance import InstancePort
from console.api.prompts import Prompts
from console.api.setup import SetUp
from console.certificate import Certificate
from console.control_api import Control
from console.listener import Listener
from console.screens.topics import Screens
from console.web import web_application
from database.connection import Database
from database.errors import DatabaseError
from engine.call_archive import CallArchive
from ledger.alarms import Alarms
from ledger.reports.service import Reports
from queues.events import SignedOut
from routing.calendar import CITY
from telephony.model import AgentId
from users.accounts import Accounts
from users.approvals import Approvals
from users.model import User
from users.passwords import Hashing
from users.seal import KeyUnusable
from users.sessions import Sessions

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

PAGES: Final = ROOT / "console" / "app" / "dist"
"""Where the launcher builds the browser application."""

TIDY_SECONDS: Final = 3600.0
TELL_SECONDS: Final = 4.0
CERTIFICATE_SECONDS: Final = 60.0
"""Between two looks at the certificate's files."""


class Website:
    """Users and their sessions, the archive, and the listener in front of them."""

    def __init__(
        self,
        settings: Settings,
        control: Control,
        database: Database,
        archive: CallArchive,
        alarms: Alarms,
        screens: Screens,
        phones: WebPhones,
        measured: Measured,
        reports: Reports,
        feed: Feed,
        care: InstancePort,
        prompts: Prompts,
        set_up: Callable[[Accounts], SetUp],
    ) -> None:
        self._settings = settings
        self._alarms = alarms
        self._control = control
        self._shut_out: frozenset[str] | None = None
        self._hashing = Hashing()
        self.archive = archive
        self.screens: Screens = screens
        self.phones = phones
        self.measured: Measured = measured
        self.reports = reports
        self.feed: Feed = feed
        self.care: InstancePort = care
        self.prompts: Prompts = prompts
        self.accounts = Accounts(database, settings.data_dir, self._hashing, policy=settings.policy)
        self.brake = Brake(
            Limits(settings.looks_per_minute, settings.looks_per_day),
            Limits(settings.searches_per_minute, settings.searches_per_day),
        )
        self.approvals = Approvals(self.accounts, database)
        self.set_up: SetUp = set_up(self.accounts)
        self.sessions = Sessions(
            database, self._hashing, self.accounts.anchor, seal=self.accounts.seal, policy=settings.policy
        )
        site = Site(settings.web_secure, settings.web_origin, networks(settings.trusted_proxies))
        self._runner = Listener(web_application(control, self, site, PAGES))
        self.served: Certificate | None = None
        self._beside: list[asyncio.Task[None]] = []

    async def audit(self, query: AuditQuery) -> Sequence[Entry]:
        """The newest entries that are asked for."""
        return await self.archive.audit(query)

    async def start(self) -> None:
        """Listen, or say in the log and as an alarm why not."""
        settings = self._settings
        loop = asyncio.get_running_loop()
        self._beside.append(loop.create_task(self._tidy()))
        self._beside.append(loop.create_task(self._tell()))
        await self._runner.setup()
        try:
            if settings.web_cert:
                self.served = Certificate(settings.web_cert, settings.web_key)
            tls = self.served.context if self.served else None
            await web.TCPSite(self._runner, settings.web_bind, settings.http_port, ssl_context=tls).start()
        except (OSError, ValueError) as error:
            text = f"控制台没有打开（{error}）：请检查 web_bind、http_port、web_cert、web_key 后重启；电话不受影响"
            log.error("console not open", reason=str(error))
            self._alarms.put("console", text, grave=False)
        else:
            log.info("console open", bind=settings.web_bind, port=settings.http_port, tls=tls is not None)
            if self.served:
                self._beside.append(loop.create_task(self._keep(self.served)))

    async def stop(self) -> None:
        """Close it."""
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        await self._runner.cleanup()
        self._hashing.stop()

    async def _tidy(self) -> None:
        while True:
            try:
                await self.accounts.forget_old()
                if sealed := await self.accounts.seal_old():
                    log.info("second factors encrypted", count=sealed)
            except (DatabaseError, SQLAlchemyError) as error:
                log.warning("old sessions not dropped yet", reason=str(error))
            except KeyUnusable as error:
                log.error("second factors not encrypted", reason=str(error))
                self._alarms.put("users-key", str(error), grave=False)
            await asyncio.sleep(TIDY_SECONDS)

    async def _tell(self) -> None:
        """What waits for a second person and what was granted of late, as alarms; refused sign-ins, once a minute."""
        noted = -1
        while True:
            try:
                if (minute := int(asyncio.get_running_loop().time() // 60)) != noted:
                    noted = minute
                    await self.sessions.note_failed()
                self._sign_off(await self.accounts.users())
                waiting, granted, two_in_one = await self.approvals.to_tell()
            except (DatabaseError, SQLAlchemyError) as error:
                log.warning("approvals not looked at", reason=str(error))
            else:
                self._alarm("approvals", waiting, "等第二人核准（「审计」页的「核准」）")
                self._alarm("granted", granted, "24 小时内授出的权限，请审计员核对")
                self._alarm(
                    "roles-mixed", two_in_one, "这些用户兼任了应当分开的角色（管理员、班长、审计员），请分给两个人"
                )
            self._alarm("brake", self.brake.bitten(), "看号码、听录音或按号码查太多，已拦下，请审计员核对")
            await asyncio.sleep(TELL_SECONDS)

    def _sign_off(self, people: Sequence[User]) -> None:
        """Who was shut out a moment ago is off duty at his desk phone, too, after the talk that may be going on."""
        shut_out = frozenset(one.agent for one in people if one.disabled and one.agent)
        before, self._shut_out = self._shut_out, shut_out
        for agent in map(AgentId, sorted(shut_out - before) if before is not None else ()):
            seat = self._control.acd.seat_of.get(agent)
            if seat is not None:
                self._control.tell(SignedOut(seat))
                self._control.deed("sign-out", "用户已停用", agent=agent, seat=seat)

    def _alarm(self, key: str, what: Sequence[str], words: str) -> None:
        text = f"{words}：{'；'.join(what[:5])}{' 等' if len(what) > 5 else ''}"
        held = self._alarms.standing.get(key)
        if held is not None and (not what or held.text != text):
            self._alarms.clear(key)
        if what:
            self._alarms.put(key, text, grave=False)

    async def _keep(self, served: Certificate) -> None:
        while True:
            self.look_at(served)
            await asyncio.sleep(CERTIFICATE_SECONDS)

    def look_at(self, served: Certificate) -> None:
        """Serve a renewed certificate; raise an alarm for one that cannot be served, or soon ends."""
        try:
            if served.renew():
                log.info("certificate renewed", end=served.end.isoformat())
            self._alarms.clear("certificate")
        except (OSError, ValueError) as error:
            self._alarms.put(
                "certificate",
                f"新的证书不能用（{error}），仍在用原来的：请检查 web_cert、web_key 是不是一对、是否完整；电话不受影响",
                grave=False,
            )
        if served.ending():
            end = served.end.astimezone(CITY).strftime("%Y-%m-%d %H:%M")
            text = f"控制台的证书在 {end} 到期，之后浏览器打不开控制台：请更换 web_cert、web_key，不用重启"
            self._alarms.put("certificate-end", text, grave=False)
        else:
            self._alarms.clear("certificate-end")
