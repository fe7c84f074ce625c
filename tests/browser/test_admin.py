"""What an admin does in the browser: rows of the routing table, publishing, going back; two of them at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from pyotp import TOTP

from routing.snapshot import load_snapshot
from tests.asterisk.support.product import Product, until
from tests.browser.browser_users import PUBLISH_MS, Desk, Person, desk, person
from tests.browser.screenshots import accessible
from users.model import Role

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

NASTY: Final = "<img src=x onerror=alert(1)>"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def boss(hotline: Product) -> Person:
    return await person(hotline, "boss", Role.ADMIN)


@pytest_asyncio.fixture(loop_scope="module")
async def other(hotline: Product, browser: Browser) -> AsyncIterator[Desk]:
    async with desk(browser, hotline) as made:
        yield made


async def at_the_table(here: Desk, who: Person) -> None:
    """Signed in, and on from the page of the first run, which comes first while the city is not set up."""
    await here.sign_in(who)
    await here.page.get_by_role("link", name="路由表", exact=True).click()
    await expect(here.page.get_by_role("tab", name="表格")).to_be_visible()


async def row_of(page: Page, sheet: str, key: str) -> None:
    """Open the row's drawer."""
    await page.get_by_role("tab", name="表格").click()
    await page.get_by_role("group", name="路由表的各张表").get_by_role("button", name=sheet).click()
    await page.get_by_label(f"在{sheet}中查找").fill(key)
    await page.get_by_role("region", name=f"{sheet}的各行").get_by_role("button", name=key, exact=True).click()
    await expect(page.get_by_role("dialog")).to_be_visible()


async def test_an_admin_edits_is_corrected_publishes_and_calls_follow_and_goes_back(here: Desk, boss: Person) -> None:
    product, page = here.product, here.page
    await product.seat("8001", "1003")  # who serves market, and not social-security, where 12333 goes
    await at_the_table(here, boss)
    await row_of(page, "归并号码", "12333")
    drawer = page.get_by_role("dialog")
    await drawer.get_by_label("溢出秒数").fill("99999")
    await expect(drawer.get_by_text("✕ 错误：")).to_be_visible()
    await drawer.get_by_label("溢出秒数").fill("20")
    await expect(drawer.get_by_text("✕ 错误：")).to_have_count(0)
    await drawer.get_by_role("combobox", name="受理组").fill("没有的组")
    await expect(page.get_by_text("没有这样的名称")).to_be_visible()
    await drawer.get_by_role("combobox", name="受理组").fill("市场")
    await page.get_by_role("option", name="市场监管").click()
    await drawer.get_by_role("button", name="存入草稿").click()
    await expect(drawer).to_be_hidden()
    await page.get_by_role("tab", name="推算去向").click()
    await page.get_by_label("市民拨打").fill("12333")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="草稿：技能组 市场监管")).to_be_visible()
    await expect(page.get_by_role("heading", name="生效中：技能组 社会保障")).to_be_visible()
    picture = page.get_by_role("img", name="来电去向")
    await expect(picture).to_be_visible()
    await expect(page.locator("section.picture img")).not_to_have_js_property("naturalWidth", 0)
    await page.get_by_role("tab", name="差别与发布").click()
    await expect(page.get_by_role("list", name="差别")).to_contain_text("12333：受理组由社会保障改为市场监管")
    await page.get_by_label("发布的原因").fill("人社来电试由市场监管组接")
    await page.get_by_role("button", name="发布", exact=True).click()
    await expect(page.get_by_text("第 2 版已生效")).to_be_visible(timeout=PUBLISH_MS)
    assert await group_of_a_call(product) == "market"
    await page.get_by_role("tab", name="历史版本").click()
    await page.get_by_role("button", name="退回第 1 版").click()
    await page.get_by_role("dialog").get_by_role("textbox").fill("试行结束")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("已退回第 1 版，成为第 3 版")).to_be_visible(timeout=PUBLISH_MS)
    assert load_snapshot(product.settings.snapshot_file).numbers["12333"].group == "social-security"
    await page.get_by_role("tab", name="差别与发布").click()
    await page.get_by_role("button", name="丢弃草稿").click()
    await page.get_by_role("dialog").get_by_role("button", name="确定").click()
    await expect(page.get_by_text("没有差别，不必发布")).to_be_visible()


async def group_of_a_call(product: Product) -> str:
    """Whom a citizen reaches who calls 12333 and hangs up after a while."""
    before = len(await product.calls())
    call = await product.citizen().call("12333")
    await call.answered(20)

    async def told() -> bool:
        return (await product.calls())[0].group != "" if len(await product.calls()) > before else False

    await until(told, "the call's group to be told")
    await call.hang_up()
    return (await product.calls())[0].group


async def test_two_admins_at_once_lose_nothing(here: Desk, other: Desk, boss: Person) -> None:
    second = await person(here.product, "second", Role.ADMIN)
    await asyncio.gather(at_the_table(here, boss), at_the_table(other, second))
    for one in (here, other):
        await row_of(one.page, "归并号码", "12315")
        await one.page.get_by_role("dialog").get_by_label("备注").fill(f"{NASTY} {one is here}")
    await here.page.get_by_role("dialog").get_by_role("button", name="存入草稿").click()
    await expect(here.page.get_by_role("dialog")).to_be_hidden()
    await other.page.get_by_role("dialog").get_by_role("button", name="存入草稿").click()
    alert = other.page.get_by_role("alert")
    await expect(alert).to_contain_text("别人先改了这一行")
    await expect(alert).to_contain_text(f"您要改为 {NASTY} False")
    await alert.get_by_role("button", name="按我填写的保存").click()
    await expect(other.page.get_by_role("dialog")).to_be_hidden()
    await other.page.get_by_role("tab", name="差别与发布").click()
    await expect(other.page.get_by_role("list", name="差别")).to_contain_text(f"{NASTY} False")  # text, never markup
    assert await other.page.locator("img[src='x']").count() == 0


async def test_a_file_goes_out_and_in_with_every_fault_told(here: Desk, boss: Person, tmp_path: Path) -> None:
    page = here.page
    await at_the_table(here, boss)
    await page.get_by_role("tab", name="导入导出").click()
    async with page.expect_download() as coming:
        await page.get_by_role("link", name="Excel").click()
    await (await coming.value).save_as(tmp_path / "路由表.xlsx")
    await page.get_by_label("要导入的文件").set_input_files(tmp_path / "路由表.xlsx")
    await expect(page.get_by_text("检查通过：没有改动")).to_be_visible()
    bad = tmp_path / "技能.csv"
    bad.write_text("编号,名称,是语言或方言\na b,甲,也许\n", encoding="utf-8")
    await page.get_by_label("要导入的文件").set_input_files(bad)
    await expect(page.get_by_role("alert").filter(has_text="什么也没有改动").first).to_contain_text("第 2 行")


async def test_a_user_is_made_and_signs_in_and_is_shut_out(here: Desk, other: Desk, boss: Person) -> None:
    page = here.page
    await here.sign_in(boss)
    await page.get_by_role("link", name="用户与权限").click()
    await page.get_by_role("button", name="新建用户").click()
    form = page.get_by_role("dialog")
    await form.get_by_label("用户名").fill("lisi")
    await form.get_by_label("姓名").fill(NASTY)
    await form.get_by_text("审计员").click()
    await form.get_by_label("原因").fill("新来的审计员")
    await form.get_by_role("button", name="新建").click()
    told = page.get_by_role("alert").filter(has_text="只显示这一次")
    once = await told.locator("code").inner_text()
    await expect(page.get_by_role("row", name="lisi")).to_contain_text(NASTY)  # text, never markup
    assert await page.locator("img[src='x']").count() == 0
    await other.page.goto(other.home)
    await other.page.get_by_label("用户名").fill("lisi")
    await other.page.get_by_label("密码").fill(once)
    await other.page.keyboard.press("Enter")
    await expect(other.page.get_by_role("heading", name="改密码")).to_be_visible()
    await page.get_by_role("button", name="停用 lisi").click()
    await page.get_by_role("dialog").get_by_role("textbox").fill("只是试试")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("row", name="lisi")).to_contain_text("已停用")
    await other.page.reload()
    await expect(other.page.get_by_role("button", name="登录")).to_be_visible()


async def test_a_second_factor_is_set_up_with_a_picture_and_asked_for(here: Desk) -> None:
    careful, page = await person(here.product, "careful", Role.AUDITOR), here.page
    await here.sign_in(careful)
    await page.goto(f"{here.home}/#/totp")
    await page.get_by_label("现在的密码").fill(careful.password)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("img", name="动态口令的二维码")).to_be_visible()
    secret = await page.locator("code").inner_text()
    await page.get_by_label("6 位数字").fill(TOTP(secret).now())
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("恢复码")
    await expect(page.get_by_text("✓ 已启用")).to_be_visible()


async def test_a_phone_is_set_up_and_the_audit_says_who_looked_and_is_whole(here: Desk, boss: Person) -> None:
    page = here.page
    await here.sign_in(boss)
    await page.get_by_role("link", name="话机与线路").click()
    await page.get_by_role("button", name="话机 8002 怎样设置").click()
    await page.get_by_role("dialog").get_by_role("textbox").fill("装新话机")
    await page.keyboard.press("Enter")
    shown = page.get_by_role("dialog", name="话机 8002 怎样设置")
    await expect(shown.get_by_role("img", name="话机 8002 的设置二维码")).to_be_visible()
    await expect(shown.locator("code").nth(1)).to_have_text(str(here.product.settings.seat_sip_port))
    assert await shown.locator("code").nth(3).inner_text() == here.product.plan.seat_passwords["8002"]
    await page.keyboard.press("Escape")
    await page.get_by_role("tab", name="工号与签入密码").click()
    await page.get_by_role("button", name="设密码：工号 1005").click()
    await page.get_by_role("dialog").get_by_label("4 到 8 位数字").fill("495817")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("row", name="1005")).to_contain_text("✓ 已设")
    await page.get_by_role("tab", name="线路").click()
    await expect(page.get_by_role("row", name="110 公安").first).to_contain_text("主用")
    await page.get_by_role("link", name="审计").click()
    await expect(page.get_by_role("row", name="看话机 8002 的密码")).to_contain_text("装新话机")
    await page.get_by_role("button", name="核对全部记录").click()
    await expect(page.get_by_text("审计记录完整")).to_be_visible()


async def test_the_doctor_speaks_in_words(here: Desk, boss: Person) -> None:
    await here.sign_in(boss)
    await here.page.get_by_role("link", name="诊断").click()
    await expect(here.page.get_by_role("row").nth(3)).to_be_visible()
    await accessible(here.page)


async def test_the_pages_can_be_used_by_everybody(here: Desk, boss: Person) -> None:
    await at_the_table(here, boss)
    for tab in ("检查", "推算去向", "差别与发布", "历史版本", "导入导出", "表格"):
        await here.page.get_by_role("tab", name=tab).click()
        await accessible(here.page)
    await row_of(here.page, "座席人员", "1001")
    await accessible(here.page)
    await here.page.keyboard.press("Escape")
    for link, tabs in (
        ("话机与线路", ("工号与签入密码", "线路")),
        ("用户与权限", ("程序的令牌", "角色与权限")),
        ("审计", ()),
    ):
        await here.page.get_by_role("link", name=link).click()
        await expect(here.page.get_by_role("heading", name=link)).to_be_visible()
        await accessible(here.page)
        for tab in tabs:
            await here.page.get_by_role("tab", name=tab).click()
            await accessible(here.page)
