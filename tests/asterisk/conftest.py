"""One running product per test, in a folder with a short name (Asterisk's control socket has 107 bytes)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.asterisk.support.product import Product, product


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty folder, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="hl-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def hotline(home: Path) -> AsyncIterator[Product]:
    """A running product with the sample table."""
    async with product(home) as running:
        yield running
