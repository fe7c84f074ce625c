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


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Function) -> None:
    """A second try has a ``city`` of its own: what the first left in the module's would be held against it."""
    if getattr(item, "execution_count", 1) > 1:
        for shared in item._fixtureinfo.name2fixturedefs.get("city", ()):
            shared.finish(item._request)  # type: ignore[arg-type]  # it only names the node in a fault


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
