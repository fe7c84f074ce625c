"""The browsers' listener as a part of the engine: it opens, and what keeps it shut costs no call."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import ClientSession

from config.settings import Settings
from console.control_api import Control as ApiControl
from database.connection import Database
from engine.call_archive import CallArchive
from engine.website import Website
from feeds.service import Feeds
from ivr.prompts.service import Prompts
from ledger.reports.service import Reports
from tests.support.engine_harness import House
from tests.support.web_harness import Day, Healthy, Unpacked
from tests.unit.console.test_control_api import Control
from tests.unit.users.people import ROOT
from users.model import Role

pytestmark = pytest.mark.unit


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    yield made
    await made.queues.stop()


def website(house: House, database: Database, folder: Path, **more: Any) -> Website:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = Settings.model_validate({"data_dir": folder, "http_port": port} | more)
    archive = CallArchive(database, folder / "journal", "hl1", folder / "recordings", folder / "messages")
    control = cast("ApiControl", Control(house))
    return Website(
        settings, control, database, archive, house.alarms, house.screens, house.page_phones, Day(),
        Reports(database, folder / "journal", "hl1", settings.aims, settings.zone),
        Feeds(database, settings.aims, settings.zone), Healthy(),
        Prompts(folder, "揭阳", lambda: house.table, database),
        lambda accounts: Unpacked(),
    )  # fmt: skip


async def test_an_auditor_signs_in_and_reads_the_archive_and_the_audit(
    house: House, database: Database, tmp_path: Path
) -> None:
    site = website(house, database, tmp_path)
    await site.start()
    home = f"http://127.0.0.1:{site._settings.http_port}"
    try:
        password = await site.accounts.add("lisi", "李四", frozenset({Role.AUDITOR}), "", ROOT)
        chosen = "东山路的路灯不亮了请来修一修"
        await site.accounts.change_password("lisi", password, chosen, ROOT)
        async with ClientSession(cookie_jar=None) as browser:
            asked = {"user": "lisi", "password": chosen}
            async with browser.post(f"{home}/api/session", json=asked, headers={"Origin": home}) as answer:
                assert answer.status == 200
                cookie = {"Cookie": f"hotline={answer.cookies['hotline'].value}"}
            for path in ("/api/calls", "/api/recordings", "/api/audit"):
                async with browser.get(f"{home}{path}", headers=cookie) as answer:
                    assert answer.status == 200
            async with browser.get(f"{home}/api/calls/hl1-1795351322.1", headers=cookie) as answer:
                assert answer.status == 404
    finally:
        await site.stop()
    assert house.alarms.standing == {}


@pytest.mark.parametrize("fault", ["certificate", "port"])
async def test_what_keeps_the_console_shut_is_an_alarm_and_not_the_end(
    house: House, database: Database, tmp_path: Path, fault: str
) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken: dict[str, Any] = {"http_port": holder.getsockname()[1]}
        missing = {"web_cert": str(tmp_path / "no.crt"), "web_key": str(tmp_path / "no.key")}
        site = website(house, database, tmp_path, **(missing if fault == "certificate" else taken))
        await site.start()
        await site.stop()
    alarm = house.alarms.standing["console"]
    assert not alarm.grave
    assert "web_cert" in alarm.text
