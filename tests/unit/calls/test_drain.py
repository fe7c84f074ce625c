"""Who drains is remembered over a restart, is an alarm while it lasts, and shuts the admission."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from calls.admission import ALL, Admission
from calls.drain import ALARM, FILE, Drain, Draining
from ledger.alarms import Alarms
from ledger.journal import Journal
from telephony.model import GlobalVar, NodeId

pytestmark = pytest.mark.unit


@pytest.fixture
def alarms(tmp_path: Path) -> Alarms:
    return Alarms(Journal(tmp_path / "journal"), NodeId("hl1"))


def now(drain: Drain) -> Draining | None:
    return drain.now


async def test_a_restart_goes_on_draining_until_somebody_ends_it(tmp_path: Path, alarms: Alarms) -> None:
    first = Drain(tmp_path, alarms)
    first.load()
    assert now(first) is None
    await first.start("张三", "升级")
    assert "张三：升级" in alarms.standing[ALARM].text
    assert alarms.standing[ALARM].grave
    await first.start("李四", "another reason changes nothing")
    kept = now(first)
    assert kept is not None
    assert kept.by == "张三"

    alarms.clear(ALARM)
    again = Drain(tmp_path, alarms)
    again.load()
    assert now(again) == kept
    assert ALARM in alarms.standing
    await again.stop()
    assert ALARM not in alarms.standing
    last = Drain(tmp_path, alarms)
    last.load()
    assert now(last) is None


@pytest.mark.parametrize("content", ["{", "[1]", '{"since": 1}', '"x"'])
def test_a_file_that_cannot_be_read_lets_calls_in(tmp_path: Path, alarms: Alarms, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    drain = Drain(tmp_path, alarms)
    drain.load()
    assert now(drain) is None
    assert ALARM not in alarms.standing


async def test_what_cannot_be_kept_changes_nothing(tmp_path: Path, alarms: Alarms) -> None:
    drain = Drain(tmp_path / "not-there", alarms)
    with pytest.raises(OSError, match="not-there"):
        await drain.start("张三", "升级")
    assert now(drain) is None
    assert ALARM not in alarms.standing


async def test_the_switch_is_asked_to_let_nobody_in_and_then_everybody(alarms: Alarms) -> None:
    values: list[str] = []
    shut = [True]
    changed = asyncio.Event()

    class Switch:
        async def send(self, _action: str, fields: dict[str, str], **_more: Any) -> None:
            if fields["Variable"] == GlobalVar.ADMIT:
                values.append(fields["Value"])
                changed.set()

    admission = Admission(Switch(), alarms, lambda: 1_000_000, lambda: shut[0])  # type: ignore[arg-type]
    running = asyncio.create_task(admission.run())
    try:
        await asyncio.wait_for(changed.wait(), 5)
        assert values == ["0"]
        changed.clear()
        shut[0] = False
        while values[-1] != str(ALL):
            await asyncio.wait_for(changed.wait(), 5)
            changed.clear()
        assert "overload" not in alarms.standing
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
