"""Two minutes in which everything that can die does, while people call."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.asterisk.support.chaos import chaos

pytestmark = [pytest.mark.asterisk, pytest.mark.exclusive, pytest.mark.timeout(900)]


async def test_every_call_is_accounted_for_once_and_nothing_is_stuck(home: Path) -> None:
    run = await chaos(home, 100, 12345)
    assert len(run.deeds) == 8
