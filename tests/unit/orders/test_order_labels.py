"""What is said and printed of an order."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.prompts.catalogue import SPEAKABLE
from ivr.prompts.pinyin import pinyin
from orders.labels_zh import MOST_SPOKEN, sheet, spoken, standing
from orders.model import AcknowledgementWay, EscalationStep, OrderState
from routing.calendar import CITY
from tests.unit.orders.test_order_store import BEGAN, ORDER

pytestmark = pytest.mark.unit


@given(st.text(max_size=400), st.text(max_size=400))
def test_whatever_was_typed_can_be_spoken(place: str, summary: str) -> None:
    said = spoken(replace(ORDER, place=place, summary=summary))
    assert SPEAKABLE.fullmatch(said)
    assert len(said) < 2 * MOST_SPOKEN + 50
    assert "，，" not in said


def test_number_place_and_summary_are_spoken_in_words_that_have_a_sound() -> None:
    said = spoken(replace(ORDER, place="东山路 1-3 号 (A座)", summary="水管爆裂!!"))
    assert said == "编号0，0，0，1。地点，东山路，1，3，号，座。情况，水管爆裂。"
    assert pinyin(said)


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_what_somebody_typed_is_never_a_part_of_the_page() -> None:
    typed = '<script>alert(1)</script><img src="http://x/">&{}'
    plain, odd = (Page(sheet(replace(ORDER, summary=text), CITY)) for text in ("停水", typed))
    assert odd.tags == plain.tags
    assert typed in odd.text


def test_the_sheet_says_who_when_where_and_by_when_on_the_citys_clock() -> None:
    text = Page(sheet(ORDER, CITY)).text
    for told in ("hl1-20261122-0001", "供水中断", "东山路", "13800001234", "2026-11-22 16:00:00", "16:05:00", "签字"):
        assert told in text
    taken = replace(
        ORDER, state=OrderState.ACKNOWLEDGED, acknowledged_by="water",
        acknowledged_how=str(AcknowledgementWay.PHONE_KEY),
        acknowledged_who="0663001", acknowledged_at=BEGAN,
    )  # fmt: skip
    assert "供水（值班电话按键，0663001）" in Page(sheet(taken, CITY)).text
    assert standing(taken) == "供水 已签收"
    assert standing(replace(ORDER, steps=(EscalationStep("a", "甲"),))) == "已派 甲，等待签收"
    assert standing(replace(ORDER, state=OrderState.UNANSWERED)) == "无人签收"
