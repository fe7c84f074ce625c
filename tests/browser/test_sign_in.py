"""Coming in and going out: the page, the first password, the end of a session."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from database.connection import open_database
from tests.browser.browser_users import ADMIN, Desk, person
from users.accounts import Accounts
from users.model import Role
from users.passwords import Hashing

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]


@pytest.mark.smoke
async def test_who_is_not_signed_in_sees_nothing_but_the_sign_in(here: Desk) -> None:
    await here.page.goto(f"{here.home}/#/desk")
    await expect(here.page.get_by_role("button", name="登录")).to_be_visible()
    await expect(here.page).to_have_title("登录 · 12345 热线")


async def test_a_wrong_password_is_told_in_words(here: Desk) -> None:
    await here.page.goto(here.home)
    await here.page.get_by_label("用户名").fill("nobody")
    await here.page.get_by_label("密码").fill("not the password")
    await here.page.keyboard.press("Enter")
    await expect(here.page.get_by_role("alert")).to_contain_text("不对")


async def test_a_first_password_has_to_be_changed_and_the_new_one_opens(here: Desk) -> None:
    database, hashing = open_database(here.product.settings.database_url), Hashing()
    first = await Accounts(database, here.product.settings.data_dir, hashing).add(
        "fresh", "新来的", frozenset({Role.AUDITOR}), "", ADMIN
    )
    hashing.stop()
    await database.close()
    await here.page.goto(here.home)
    await here.page.get_by_label("用户名").fill("fresh")
    await here.page.get_by_label("密码").fill(first)
    await here.page.keyboard.press("Enter")
    await expect(here.page.get_by_role("heading", name="改密码")).to_be_visible()
    chosen = "东山路的路灯不亮了请来修一修"
    await here.page.get_by_label("现在的密码").fill(first)
    await here.page.get_by_label("新密码", exact=True).fill(chosen)
    await here.page.get_by_label("再输一次新密码").fill(chosen)
    await here.page.keyboard.press("Enter")
    await expect(here.page.get_by_text("密码已改，请用新密码登录")).to_be_visible()
    await here.page.get_by_label("用户名").fill("fresh")
    await here.page.get_by_label("密码").fill(chosen)
    await here.page.keyboard.press("Enter")
    await expect(here.page.get_by_role("navigation")).to_be_visible()


async def test_whoever_is_signed_out_elsewhere_is_told_and_asked_to_sign_in(here: Desk) -> None:
    somebody = await person(here.product, "somebody", Role.AUDITOR)
    await here.sign_in(somebody)
    database, hashing = open_database(here.product.settings.database_url), Hashing()
    await Accounts(database, here.product.settings.data_dir, hashing).end_sessions("somebody", ADMIN, "测试")
    hashing.stop()
    await database.close()
    await here.page.reload()
    await expect(here.page.get_by_role("button", name="登录")).to_be_visible()


async def test_an_agent_whose_session_is_ended_is_told_within_five_seconds_at_the_desk(here: Desk) -> None:
    worker = await person(here.product, "worker", Role.AGENT, "1004")
    await here.sign_in(worker)
    await expect(here.page.get_by_text("实时")).to_be_visible()
    database, hashing = open_database(here.product.settings.database_url), Hashing()
    await Accounts(database, here.product.settings.data_dir, hashing).disable("worker", ADMIN, "测试")
    hashing.stop()
    await database.close()
    await expect(here.page.get_by_text("您的登录已结束")).to_be_visible(timeout=6000)
    await expect(here.page.get_by_text("电话不受影响")).to_have_count(0)


async def test_the_question_mark_lists_the_shortcuts(here: Desk) -> None:
    somebody = await person(here.product, "other", Role.AUDITOR)
    await here.sign_in(somebody)
    await here.page.keyboard.press("?")
    await expect(here.page.get_by_role("dialog", name="键盘快捷键")).to_contain_text("看快捷键")
