"""One running product per test, in a folder with a short name (Asterisk's control socket has 107 bytes)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.asterisk.support.product import Product, product
from tests.asterisk.support.scene import Scene


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


@pytest_asyncio.fixture(loop_scope="module")
async def here(city: Scene) -> AsyncIterator[Scene]:
    """The module's own ``city`` (a product that its tests share), tidied up after each test."""
    yield city
    await city.clear()
