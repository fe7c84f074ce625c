"""The browsers' listener as a part of the engine: opened, kept tidy, closed.

One job: its life. Calls come first: a certificate that cannot be read or a port that is taken costs the console, never
the hotline.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from typing import Final

import structlog
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from audit.model import Entry
from console.api import Control
from console.care_routes import Care
from console.foresight_routes import Measured
from console.guard import Site
from console.live_hub import Screens
from console.web import web_application
from database.connection import Database
from database.errors import DatabaseError
from engine.alarms import Alarms
from engine.archive import CallArchive
from engine.page_phones import PagePhones
from engine.settings import ROOT, Settings
from users.accounts import Accounts
from users.passwords import Hashing
from users.sessions import Sessions

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

PAGES: Final = ROOT / "console" / "app" / "dist"
"""Where the launcher builds the browser application."""

TIDY_SECONDS: Final = 3600.0


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
        phones: PagePhones,
        measured: Measured,
        care: Care,
    ) -> None:
        self._settings = settings
        self._alarms = alarms
        self._hashing = Hashing()
        self.archive = archive
        self.screens: Screens = screens
        self.phones = phones
        self.measured: Measured = measured
        self.care: Care = care
        self.accounts = Accounts(database, settings.data_dir, self._hashing)
        self.sessions = Sessions(database, self._hashing, self.accounts.anchor)
        site = Site(settings.web_secure, settings.web_origin)
        self._runner = web.AppRunner(web_application(control, self, site, PAGES), access_log=None)
        self._tidying: asyncio.Task[None] | None = None

    async def audit(self, action: str, limit: int) -> Sequence[Entry]:
        """The newest entries whose action begins so."""
        return await self.archive.audit(action, limit)

    async def start(self) -> None:
        """Listen, or say in the log and as an alarm why not."""
        settings = self._settings
        self._tidying = asyncio.get_running_loop().create_task(self._tidy())
        await self._runner.setup()
        try:
            tls = _tls(settings.web_cert, settings.web_key) if settings.web_cert else None
            await web.TCPSite(self._runner, settings.web_bind, settings.http_port, ssl_context=tls).start()
        except OSError as error:
            text = f"控制台没有打开（{error}）：请检查 web_bind、http_port、web_cert、web_key 后重启；电话不受影响"
            log.error("console not open", reason=str(error))
            self._alarms.put("console", text, grave=False)
        else:
            log.info("console open", bind=settings.web_bind, port=settings.http_port, tls=tls is not None)

    async def stop(self) -> None:
        """Close it."""
        if self._tidying is not None:
            self._tidying.cancel()
        await self._runner.cleanup()
        self._hashing.stop()

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(TIDY_SECONDS)
            try:
                await self.accounts.forget_old()
            except (DatabaseError, SQLAlchemyError) as error:
                log.warning("old sessions not dropped yet", reason=str(error))


def _tls(cert: str, key: str) -> ssl.SSLContext:
    """Raises OSError for files that are not there, not readable or no certificate (ssl.SSLError is one)."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(cert, key)
    return context
