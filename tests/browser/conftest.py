"""A running product and a browser for each module; every test has a profile of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.asterisk.support.product import Product, product
from tests.browser.audio_probe import speaking
from tests.browser.browser_users import Desk, chromium, desk


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Function) -> None:
    """A second try has a ``hotline`` of its own: what the first left in the module's would be held against it."""
    if getattr(item, "execution_count", 1) > 1:
        for shared in item._fixtureinfo.name2fixturedefs.get("hotline", ()):
            shared.finish(item._request)  # type: ignore[arg-type]  # it only names the node in a fault


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hotline() -> AsyncIterator[Product]:
    """A running product with the sample table, for the whole module."""
    home = Path(tempfile.mkdtemp(prefix="hl-"))
    try:
        async with product(home) as running:
            yield running
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def voiced(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """A browser with a voice."""
    async with speaking(tmp_path_factory.mktemp("voice")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def here(hotline: Product, browser: Browser) -> AsyncIterator[Desk]:
    """One person's page."""
    async with desk(browser, hotline) as made:
        yield made
