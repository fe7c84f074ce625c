"""Reports that come by themselves: yesterday's each morning, last month's on the first, into a folder and to mail.

One job: what is due, and that it is made and sent once. A report whose files are in the folder is made; a mark beside
them says that it was sent. What was missed while the engine was away is made up for when it is back: yesterday and the
last month, no more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from database.errors import DatabaseError
from ledger.reports.columns import TITLES
from ledger.reports.errors import FontMissing
from ledger.reports.mail import Attachment, MailRefused, send
from ledger.reports.model import By, Period
from ledger.reports.plan import Plan, due
from ledger.reports.service import Names, Reports
from ledger.reports.workbook import XLSX, period_name, workbook

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

CHECK_SECONDS: Final = 300.0
ALARM: Final = "reports"
MARKS: Final = ".sent"


@dataclass(frozen=True, slots=True)
class Named:
    """What people call things, by the published table."""

    names: Names
    others: Mapping[str, str]
    """Targets of transfers and wrap-up codes."""


class ReportSchedule:
    """Of one instance."""

    def __init__(
        self,
        reports: Reports,
        named: Callable[[], Named],
        plan: Plan,
        alarm: Callable[[str, str], None],
        settled: Callable[[str], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``alarm`` and ``settled`` are told of what a person must see to, and of its end."""
        self._reports = reports
        self._named = named
        self._plan = plan
        self._alarm = alarm
        self._settled = settled
        self._now = now

    async def run(self) -> None:
        """Look again and again; ends only by cancellation."""
        while True:
            await self.step()
            await asyncio.sleep(CHECK_SECONDS)

    async def step(self) -> int:
        """Make and send what is due; how many reports were made or sent. Trouble is an alarm, and tried again."""
        done, troubles = 0, []
        for period, by in due(self._plan, self._now().astimezone(self._reports.zone)):
            try:
                done += await self._deliver(period, by)
            except (MailRefused, FontMissing, DatabaseError) as error:
                troubles.append(str(error))
            except (SQLAlchemyError, OSError) as error:
                troubles.append(f"{type(error).__name__}: {getattr(error, 'strerror', None) or error}"[:200])
        if troubles:
            log.warning("scheduled report not made or sent", reasons=troubles)
            self._alarm(ALARM, f"定时报表没有做成或没有送出：{troubles[0]}")
        else:
            self._settled(ALARM)
        return done

    async def _deliver(self, period: Period, by: By) -> bool:
        name = file_name(period, by)
        files = [self._plan.folder / f"{name}{suffix}" for suffix in (".pdf", ".xlsx")]
        from ledger.reports.pdf import PDF, pdf  # heavy: only where there is something to make

        made = not await asyncio.to_thread(_all_there, files)
        if made:
            named = self._named()
            report = await self._reports.report(period, by, named.names)
            at = self._now().astimezone(self._reports.zone)
            aims = self._reports.aims
            printed = await asyncio.to_thread(pdf, report, aims, named.others, at, "定时")
            table = await asyncio.to_thread(workbook, report, aims, named.others)
            await asyncio.to_thread(_write, files, [printed, table])
            log.info("scheduled report made", report=name)
        mark = self._plan.folder / MARKS / name
        if self._plan.server is not None and self._plan.mail_to and not mark.exists():
            parts = [
                Attachment(path.name, kind, path.read_bytes()) for path, kind in zip(files, (PDF, XLSX), strict=True)
            ]
            text = f"附件是 12345 热线的 {name}（PDF 和 Excel）。\n本邮件由系统定时发出。\n"
            await asyncio.to_thread(send, self._plan.server, self._plan.mail_to, name, text, parts)
            mark.parent.mkdir(exist_ok=True)
            mark.touch()
            log.info("scheduled report sent", report=name, receivers=len(self._plan.mail_to))
            return True
        return made


def file_name(period: Period, by: By) -> str:
    """As people look for it: ``话务报表-2026年11月-按号码``."""
    return f"话务报表-{period_name(period)}-{TITLES[by]}".replace(" ", "")


def _all_there(files: Sequence[Path]) -> bool:
    return all(path.exists() for path in files)


def _write(files: Sequence[Path], datas: Sequence[bytes]) -> None:
    """Whole or not at all, each: a reader never sees half a file."""
    for path, data in zip(files, datas, strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(data)
        part.chmod(0o640)
        part.replace(path)
