"""The browser application's own files: for everybody, for good or anew, and never a step outside their folder."""

from __future__ import annotations

import shutil

import pytest

from tests.support.web_harness import Hall

pytestmark = pytest.mark.unit


async def test_the_page_is_for_who_comes_by_a_link_from_anywhere_and_is_asked_for_anew(hall: Hall) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    async with hall.client.get("/", headers=headers) as answer:
        assert (answer.status, answer.content_type, answer.headers["Cache-Control"]) == (200, "text/html", "no-cache")
        assert "12345" in await answer.text()
        policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


async def test_a_part_is_kept_for_good_and_comes_packed(hall: Hall) -> None:
    async with hall.client.get("/assets/desk-Ab_1.js", headers={"Accept-Encoding": "gzip"}) as answer:
        assert (answer.status, answer.content_type.partition("/")[2]) == (200, "javascript")
        assert answer.headers["Content-Encoding"] == "gzip"
        assert "immutable" in answer.headers["Cache-Control"]
        assert (await answer.text()).startswith("export const")


async def test_a_part_of_an_older_build_says_to_load_the_page_again(hall: Hall) -> None:
    async with hall.client.get("/assets/desk-old.js") as answer:
        assert (answer.status, (await answer.json())["error"]) == (404, "网页已更新，请刷新（F5）")


@pytest.mark.parametrize("name", ["..%2Findex.html", "%2e%2e%2findex.html", ".hidden", "a%00b.js", "..%5Cindex.html"])
async def test_no_name_leads_out_of_the_parts(hall: Hall, name: str) -> None:
    async with hall.client.get(f"/assets/{name}") as answer:
        assert answer.status in (400, 404)


async def test_a_page_that_was_not_built_says_how_to(hall: Hall) -> None:
    shutil.rmtree(hall.pages)
    async with hall.client.get("/") as answer:
        assert (answer.status, answer.content_type) == (503, "text/html")
        assert "./hotline up" in await answer.text()
