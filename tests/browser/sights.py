"""What eyes and helps for eyes find on a page: pictures of it, and serious faults of accessibility."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from playwright.async_api import Page

from engine.website import PAGES
from tests.browser.people import look

AXE: Final = PAGES.parent / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS: Final = ("serious", "critical")

PICTURES: Final = "HOTLINE_SHOTS"
"""A folder to keep pictures in; without it none are taken."""


async def accessible(page: Page) -> None:
    """axe-core finds nothing serious."""
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found = await page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    told = [
        (one["id"], [node["html"][:120] for node in one["nodes"]])
        for one in found["violations"]
        if one["impact"] in SERIOUS
    ]
    assert told == [], told


async def shot(page: Page, name: str) -> None:
    """A picture for eyes, when a folder for it is named."""
    if folder := os.environ.get(PICTURES):
        await look(page, name, Path(folder))
