"""Publishing at full size while calls come in: nobody is lost, and each call is decided by one version, whole.

How long it takes is bench/publishing.py's business.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.publishing import run

pytestmark = [pytest.mark.load, pytest.mark.timeout(300)]

EXPECTED = {1: ("market", "legacy.full.during"), 0: ("transport", "legacy.full.after")}
"""By the version's parity: group and rule of a call."""


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="hlp-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


async def test_publishing_at_ten_thousand_numbers_while_calls_come_loses_none_and_mixes_none(home: Path) -> None:
    found = await run(home, versions=6)
    assert (found.tally.created - found.tally.succeeded, found.tally.failures) == (0, {}), found.tally.errors
    assert len(found.entered) == found.tally.created
    for fact in found.entered:
        assert (fact.data["group"], fact.data["rule"]) == EXPECTED[fact.data["version"] % 2], fact.data
    assert len({fact.data["version"] for fact in found.entered}) > 1  # calls really came while versions changed
