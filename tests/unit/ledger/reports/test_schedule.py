"""Reports that come by themselves: each once, into the folder and to mail, whatever was away meanwhile."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from openpyxl import load_workbook

from database.connection import Database
from ledger.measures import Aims
from ledger.reports.mail import MailServer
from ledger.reports.model import By
from ledger.reports.plan import Plan, due
from ledger.reports.schedule import Named, ReportSchedule
from ledger.reports.service import Reports
from ledger.store import add_facts
from tests.support.ports import free_ports
from tests.unit.ledger.calls import told

pytestmark = pytest.mark.unit

CITY = ZoneInfo("Asia/Shanghai")
FIRST = datetime(2026, 11, 1, 7, 30, tzinfo=CITY)


class PostOffice:
    """A mail server that keeps what it takes, and may refuse."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.refuses = ""

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 the library's
        if self.refuses:
            return self.refuses
        assert isinstance(envelope.content, bytes)
        self.taken.append(envelope.content)
        return "250 OK"


def sign_in(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object) -> AuthResult:
    return AuthResult(success=getattr(data, "password", b"") == b"made-up", handled=False)


@pytest.fixture
def office() -> Iterator[tuple[PostOffice, Controller]]:
    (port,) = free_ports(1, socket.SOCK_STREAM)
    kept = PostOffice()
    controller = Controller(kept, hostname="127.0.0.1", port=port, authenticator=sign_in, auth_require_tls=False)
    controller.start()
    yield kept, controller
    controller.stop()


class Morning:
    def __init__(self, database: Database, folder: Path, port: int) -> None:
        self.now = FIRST
        self.alarms: dict[str, str] = {}
        self.password = folder / "password"
        self.password.write_text("made-up\n")
        self.server = MailServer("127.0.0.1", port, "none", "hotline@12345.example", "hotline", self.password)
        self.plan = Plan(folder / "reports", (By.HALF_HOUR,), (By.NUMBER,), 7, ("zhuren@12345.example",), self.server)
        self.reports = Reports(database, folder / "journal", "hl1", Aims(), CITY)

    async def step(self) -> int:
        schedule = ReportSchedule(
            self.reports, lambda: Named(lambda _by, _key: "", {}), self.plan, self.alarms.__setitem__,
            self.settle, lambda: self.now.astimezone(UTC),
        )  # fmt: skip
        return await schedule.step()

    def settle(self, key: str) -> None:
        self.alarms.pop(key, None)

    @property
    def files(self) -> set[str]:
        return {path.name for path in self.plan.folder.glob("[!.]*")}


@pytest_asyncio.fixture
async def morning(database: Database, tmp_path: Path, office: tuple[PostOffice, Controller]) -> AsyncIterator[Morning]:
    async with database.transaction() as session:
        await add_facts(session, [*told(1), *told(2, number="12315")])
    yield Morning(database, tmp_path, office[1].port)


async def test_yesterday_and_last_month_are_made_and_sent_once(
    morning: Morning, office: tuple[PostOffice, Controller]
) -> None:
    morning.now = FIRST.replace(hour=6)
    assert await morning.step() == 0
    morning.now = FIRST
    assert await morning.step() == 2
    assert morning.files == {
        f"话务报表-{name}.{kind}" for name in ("2026-10-31-按半小时", "2026年10月-按号码") for kind in ("pdf", "xlsx")
    }
    for _ in range(2):
        assert await morning.step() == 0
    mails = [message_from_bytes(data, policy=default) for data in office[0].taken]
    assert [mail["Subject"] for mail in mails] == ["话务报表-2026-10-31-按半小时", "话务报表-2026年10月-按号码"]
    parts = {part.get_filename(): part.get_content() for part in mails[1].iter_attachments()}
    assert set(parts) == {"话务报表-2026年10月-按号码.pdf", "话务报表-2026年10月-按号码.xlsx"}
    page = load_workbook(BytesIO(parts["话务报表-2026年10月-按号码.xlsx"]))["按号码"]
    assert {page["A3"].value, page["A4"].value} == {"12345", "12315"}
    assert parts["话务报表-2026年10月-按号码.pdf"].startswith(b"%PDF")
    morning.now += timedelta(days=1)
    assert await morning.step() == 1
    assert "话务报表-2026-11-01-按半小时.pdf" in morning.files


@pytest.mark.parametrize(
    ("change", "refuses", "words"),
    [
        ({"port": 9}, "", "连不上邮件服务器"),
        ({"security": "starttls"}, "", "STARTTLS"),
        ({"password_file": Path("/etc/hostname")}, "", "拒绝登录"),
        ({}, "552 too big", "552 too big"),
    ],
)
async def test_a_mail_that_is_not_taken_is_an_alarm_and_goes_out_later(
    morning: Morning, office: tuple[PostOffice, Controller], change: dict[str, object], refuses: str, words: str
) -> None:
    morning.plan = replace(morning.plan, monthly=(), server=replace(morning.server, **change))  # type: ignore[arg-type]
    office[0].refuses = refuses
    await morning.step()
    assert words in morning.alarms["reports"]
    assert len(morning.files) == 2, "the folder has it all the same"
    office[0].refuses = ""
    morning.plan = replace(morning.plan, server=morning.server)
    assert await morning.step() == 1
    assert morning.alarms == {}
    assert len(office[0].taken) == 1


def test_what_was_missed_is_made_up_for_yesterday_and_the_last_month_only() -> None:
    plan = Plan(Path(), (By.DAY,), (By.GROUP, By.AGENT))
    late = datetime(2026, 12, 20, 23, tzinfo=CITY)
    found = due(plan, late)
    assert [(f"{period.since:%m-%d}", f"{period.until:%m-%d}", by) for period, by in found] == [
        ("12-19", "12-20", By.DAY),
        ("11-01", "12-01", By.GROUP),
        ("11-01", "12-01", By.AGENT),
    ]
