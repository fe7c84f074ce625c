"""Users of the console of a product under test, and pages of theirs in Debian's Chromium."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from secrets import token_urlsafe

from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from audit.model import Actor
from database.connection import open_database
from engine.website import PAGES
from tests.asterisk.support.product import Product
from users.accounts import Accounts
from users.model import Role
from users.passwords import Hashing

ADMIN = Actor("test", "test")
VIEWPORT = (1366, 768)
"""The smallest screen that the desk is made for."""

WAIT_MS = 60_000
"""For what comes at once when the machine is not busy."""
PUBLISH_MS = 130_000
"""For a table that takes effect, whose prompts are spoken first; the page waits as long."""
expect.set_options(timeout=WAIT_MS)
FAKE_MEDIA = (
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)
"""A microphone that beeps, and nobody asked for permission."""


@dataclass
class Person:
    """A user and what is needed to sign in."""

    name: str
    password: str


@dataclass
class Desk:
    """A browser of one person, with all that went wrong in it."""

    product: Product
    page: Page
    faults: list[str] = field(default_factory=list)
    """What the browser complained about: exceptions of the page, and what the Content-Security-Policy refused."""

    @property
    def home(self) -> str:
        return f"http://127.0.0.1:{self.product.settings.http_port}"

    async def sign_in(self, person: Person) -> None:
        """Through the page, as people do; until the first page of theirs is there."""
        await self.page.goto(self.home)
        await self.page.get_by_label("用户名").fill(person.name)
        await self.page.get_by_label("密码").fill(person.password)
        await self.page.get_by_role("button", name="登录").click()
        await self.page.get_by_role("navigation").wait_for()


async def person(product: Product, name: str, role: Role, agent: str = "", shown: str = "") -> Person:
    """A user who has already chosen a password; ``shown`` is the display name."""
    database, hashing = open_database(product.settings.database_url), Hashing()
    accounts = Accounts(database, product.settings.data_dir, hashing)
    try:
        password = token_urlsafe(16)
        first = await accounts.add(name, shown or f"测试 {name}", frozenset({role}), agent, ADMIN)
        await accounts.change_password(name, first, password, ADMIN)
    finally:
        hashing.stop()
        await database.close()
    return Person(name, password)


@asynccontextmanager
async def chromium(arguments: Sequence[str] = FAKE_MEDIA) -> AsyncIterator[Browser]:
    """A browser without a window. Raises AssertionError where it, or the pages, are missing: see ./hotline test."""
    program = shutil.which("chromium")
    assert program, "no Chromium: ./hotline test installs it"
    assert (PAGES / "index.html").is_file(), "console/app is not built: ./hotline test does it, or npm run build there"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox", *arguments])
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def desk(browser: Browser, product: Product, size: tuple[int, int] = VIEWPORT) -> AsyncIterator[Desk]:
    """A fresh profile with one page. What the browser complained about is a fault at the end."""
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        reduced_motion="reduce",  # what is half faded has half its contrast, and what moves gets away from a click
    )
    context.set_default_timeout(WAIT_MS)
    page = await context.new_page()
    made = Desk(product, page)
    page.on("pageerror", lambda error: made.faults.append(str(error)))

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            made.faults.append(message.text)

    page.on("console", heard)
    try:
        yield made
    finally:
        await context.close()
    assert made.faults == []
