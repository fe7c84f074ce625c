"""Numbers, times and phone numbers as a caller hears them."""

from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.prompts import speech

pytestmark = pytest.mark.unit

UNITS = {"十": 10, "百": 100, "千": 1000}
DIGITS = {name: value for value, name in enumerate("零一二三四五六七八九")} | {"两": 2}


def understood(words: str) -> int:
    """What a listener makes of a spoken number: units multiply, 万 and 亿 close a section."""
    for name, size in (("亿", 10**8), ("万", 10**4)):
        high, found, low = words.partition(name)
        if found:
            return understood(high) * size + understood(low)
    total, digit = 0, 0
    for word in words:
        if word in UNITS:
            total += (digit or 1) * UNITS[word]
            digit = 0
        else:
            digit = DIGITS[word]
    return total + digit


@given(st.integers(0, 10**9) | st.integers(0, speech.LARGEST) | st.integers(0, 12_000))
def test_a_listener_understands_the_number_that_was_said(number: int) -> None:
    words = speech.cardinal(number)
    assert understood(words) == number
    assert "零零" not in words
    assert not words.endswith("零") or number == 0


@given(st.integers(0, 10**9))
def test_liang_and_er_stand_where_they_belong(number: int) -> None:
    words = speech.cardinal(number)
    for place, word in enumerate(words):
        following = words[place + 1 : place + 2]
        if word == "两":
            assert following in ("千", "万", "亿")
        if word == "二":
            assert following != "千"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "零"),
        (2, "二"),
        (10, "十"),
        (12, "十二"),
        (20, "二十"),
        (101, "一百零一"),
        (110, "一百一十"),
        (200, "二百"),
        (1001, "一千零一"),
        (1010, "一千零一十"),
        (2222, "两千二百二十二"),
        (10_000, "一万"),
        (10_010, "一万零一十"),
        (20_002, "两万零二"),
        (22_000, "两万两千"),
        (100_000, "十万"),
        (102_000, "十万两千"),
        (110_000, "十一万"),
        (20_000_000, "两千万"),
        (100_000_001, "一亿零一"),
        (100_010_000, "一亿零一万"),
        (200_000_000, "两亿"),
        (1_002_000_200, "十亿零二百万零二百"),
        (2_200_000_000, "二十二亿"),
    ],
)
def test_cardinal(number: int, words: str) -> None:
    assert speech.cardinal(number) == words


@pytest.mark.parametrize("number", [-1, speech.LARGEST + 1])
def test_a_number_out_of_range_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match=str(number)):
        speech.cardinal(number)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("12345", "一二三四五"),
        ("12333", "一二三三三"),
        ("12315", "一二三一五"),
        ("110", "幺幺零"),
        ("119", "幺幺九"),
        ("122", "幺二二"),
        ("1001", "幺零零幺"),
        ("075412345", "零七五四一二三四五"),
        ("13800138000", "幺三八零零幺三八零零零"),
        ("+86110", "加八六幺幺零"),
    ],
)
def test_phone(number: str, words: str) -> None:
    assert speech.phone(number) == words


@pytest.mark.parametrize("number", ["", "+", "12a", "1 2", "１２", "++1", "1+"])
def test_what_is_no_phone_number_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match="phone number"):
        speech.phone(number)


@pytest.mark.parametrize(("pressed", "words"), [("1", "一"), ("0", "零"), ("*", "星号键"), ("#", "井号键")])
def test_key(pressed: str, words: str) -> None:
    assert speech.key(pressed) == words


@pytest.mark.parametrize("pressed", ["", "12", "A", "²"])
def test_what_is_no_key_is_refused(pressed: str) -> None:
    with pytest.raises(ValueError, match="phone key"):
        speech.key(pressed)


def test_written_text_is_said_with_its_numbers_and_keys() -> None:
    assert speech.spoken("12333已并入12345热线，满意请按1。") == "一二三三三已并入一二三四五热线，满意请按一。"


@pytest.mark.parametrize(
    ("place", "words"), [(1, "第一位"), (2, "第二位"), (3, "第三位"), (12, "第十二位"), (20, "第二十位")]
)
def test_position(place: int, words: str) -> None:
    assert speech.position(place) == words


def test_places_count_from_one() -> None:
    with pytest.raises(ValueError, match="from 1"):
        speech.position(0)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "零秒"),
        (2, "两秒"),
        (45, "四十五秒"),
        (60, "一分钟"),
        (90, "一分半"),
        (95, "一分三十五秒"),
        (125, "两分零五秒"),
        (150, "两分半"),
        (180, "三分钟"),
        (3600, "一小时"),
        (3605, "一小时零五秒"),
        (3660, "一小时零一分钟"),
        (3720, "一小时零两分钟"),
        (5400, "一个半小时"),
        (7200, "两小时"),
        (7890, "两小时十一分半"),
    ],
)
def test_duration(seconds: int, words: str) -> None:
    assert speech.duration(seconds) == words


def test_a_negative_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        speech.duration(-1)


def test_count_uses_liang_for_two_only() -> None:
    assert [speech.count(number, "位") for number in (2, 12, 22)] == ["两位", "十二位", "二十二位"]


def test_day() -> None:
    assert speech.day(date(2026, 10, 31)) == "二零二六年十月三十一日"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (time(0, 0), "凌晨零点"),
        (time(6, 5), "上午六点零五分"),
        (time(9, 30), "上午九点半"),
        (time(12, 0), "中午十二点"),
        (time(14, 15), "下午两点十五分"),
        (time(18, 0), "晚上六点"),
        (time(23, 59), "晚上十一点五十九分"),
    ],
)
def test_clock(value: time, words: str) -> None:
    assert speech.clock(value) == words
