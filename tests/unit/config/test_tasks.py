"""No surprise ends what goes on beside the calls."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from calls.switch.consistency_check import ConsistencyChecker
from config import tasks as module
from config.tasks import run_supervised
from tests.unit.calls.switch.test_consistency_check import Clinic

pytestmark = [pytest.mark.unit, pytest.mark.asyncio]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0)


async def test_work_that_fails_is_told_of_and_begun_anew() -> None:
    failures = [ValueError("a row that nobody expected"), KeyError("x")]

    async def work() -> None:
        if failures:
            raise failures.pop(0)

    with capture_logs() as told:
        await run_supervised("callbacks", work)
    assert failures == []
    assert [line["work"] for line in told] == ["callbacks", "callbacks"]


async def test_what_is_cancelled_ends() -> None:
    task = run_supervised("healing", asyncio.Event().wait)  # type: ignore[arg-type]
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()


async def test_the_healer_looks_on_after_a_surprise(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = asyncio.Event()
    surprises = [RuntimeError("a list that nobody expected")]

    async def look(self: ConsistencyChecker) -> None:
        if surprises:
            raise surprises.pop()
        looked.set()

    monkeypatch.setattr("calls.switch.consistency_check.LOOK_SECONDS", 0)
    monkeypatch.setattr(ConsistencyChecker, "look", look)
    task = run_supervised("healing", Clinic().healing.run)
    await asyncio.wait_for(looked.wait(), 20)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
