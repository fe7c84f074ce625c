"""What eyes and helps for eyes find on a page: pictures of it, and serious faults of accessibility."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Locator, Page

from engine.website import PAGES

AXE: Final = PAGES.parent / "node_modules" / "axe-core" / "axe.min.js"

PICTURES: Final = "PICTURES_TO"
"""A folder to keep pictures in (``make pictures``); without it none are taken."""

SETTLED: Final = """async () => {
  const next = () => new Promise(requestAnimationFrame);
  const moving = () => document.getAnimations().some(one =>
    one.playState === "running" && Number.isFinite(one.effect?.getComputedTiming().endTime));
  for (let still = 0; still < 3; still = moving() ? 0 : still + 1) await next();
}"""
"""Half faded text has half its contrast. What moves for ever, a light that blinks, is not waited for."""


async def accessible(page: Page, pointed: Locator | None = None) -> None:
    """axe-core finds nothing serious, or worse, with the pointer on this and otherwise on nothing."""
    if pointed is None:
        await page.mouse.move(0, 0)  # where the last click has left it is no part of the page
    else:
        await pointed.hover()
    await page.evaluate(SETTLED)
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found: Any = await page.evaluate("axe.run({resultTypes: ['violations']})")
    grave = [
        (one["id"], [node["html"][:160] for node in one["nodes"]][:3])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert not grave, grave


async def shot(page: Page, name: str) -> None:
    """A picture of what is on the screen, for eyes and for the manuals."""
    if folder := os.environ.get(PICTURES):
        await page.evaluate(SETTLED)
        Path(folder).mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=Path(folder) / f"{name}.png")
