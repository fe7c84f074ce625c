"""How numbers, times and phone numbers are said in Chinese.

One job: digits in, the words a caller hears out. It knows no prompt, no voice and no clock.
Grammar follows GB/T 15835 practice for spoken numbers: 两 before 千, 万, 亿 and measure words, 二 elsewhere.
"""

from __future__ import annotations

import re
from datetime import date, time
from typing import Final

LARGEST: Final = 10**12 - 1
"""The largest number :func:`cardinal` says (up to 九千九百九十九亿…)."""

_PLAIN: Final = "零一二三四五六七八九"
_PHONE: Final = "零幺二三四五六七八九"
_SERVICE_NUMBER: Final = re.compile(r"(0\d{2,3})?(123\d\d)")
"""12345 and its kin, with or without an area code: citizens say 一二三…, never 幺二三…."""
_RUN: Final = re.compile("[0-9]+")
_KEY_NAMES: Final = {"*": "星号键", "#": "井号键"}


def phone(number: str) -> str:
    """Say a phone number digit by digit: 110 is 幺幺零, 12345 is 一二三四五, a leading plus is 加.

    Raises ValueError when ``number`` is not digits with at most one leading plus.
    """
    digits = number.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"not a phone number: {number!r}")
    plus = "加" if number.startswith("+") else ""
    service = None if plus else _SERVICE_NUMBER.fullmatch(digits)
    if service:
        return _each(service[1] or "", _PHONE) + _each(service[2], _PLAIN)
    return plus + _each(digits, _PHONE)


def key(pressed: str) -> str:
    """Say one phone key: 1 is 一 (not 幺), * is 星号键, # is 井号键. Raises ValueError for anything else."""
    if pressed in _KEY_NAMES:
        return _KEY_NAMES[pressed]
    if len(pressed) == 1 and pressed in "0123456789":
        return _PLAIN[int(pressed)]
    raise ValueError(f"not a phone key: {pressed!r}")


def spoken(text: str) -> str:
    """A prompt's written text as it is said: one digit is a key or a count, a longer run is a phone number."""
    return _RUN.sub(lambda run: key(run[0]) if len(run[0]) == 1 else phone(run[0]), text)


def cardinal(number: int) -> str:
    """Say a whole number, 0 to :data:`LARGEST`: 10 is 十, 110 is 一百一十, 2000 is 两千, 100010000 is 一亿零一万."""
    if not 0 <= number <= LARGEST:
        raise ValueError(f"not in 0..{LARGEST}: {number}")
    if number == 0:
        return "零"
    words, gap = "", False
    for unit, value in (("亿", number // 10**8), ("万", number // 10**4 % 10**4), ("", number % 10**4)):
        if value:
            words += "零" if words and (gap or value < 1000) else ""
            words += "两" + unit if unit and value == 2 and not words else _below_ten_thousand(value) + unit
            gap = False
        else:
            gap = bool(words)
    return words.removeprefix("一") if words.startswith("一十") else words


def count(number: int, measure: str) -> str:
    """Say how many of something: 2 位 is 两位, 12 位 is 十二位."""
    return ("两" if number == 2 else cardinal(number)) + measure


def position(place: int) -> str:
    """Say a place in the waiting line, from 1: 第三位, 第二位."""
    if place < 1:
        raise ValueError(f"places count from 1: {place}")
    return f"第{cardinal(place)}位"


def duration(seconds: int) -> str:
    """Say a length of time in whole seconds, 0 or more: 三分钟, 一分半, 一个半小时, 一小时零五分钟, 四十五秒."""
    if seconds < 0:
        raise ValueError(f"a duration is not negative: {seconds}")
    hours, minutes, rest = seconds // 3600, seconds % 3600 // 60, seconds % 60
    if hours and (minutes, rest) == (30, 0):
        return f"{count(hours, '个半小时')}"
    words = count(hours, "小时") if hours else ""
    if minutes:
        words += "零" if words and minutes < 10 else ""
        words += _minutes(minutes, rest)
        return words
    if rest:
        words += "零" if words else ""
    return words + (count(rest, "秒") if rest or not words else "")


def day(value: date) -> str:
    """Say a date: 二零二六年十月一日."""
    return f"{_each(str(value.year), _PLAIN)}年{cardinal(value.month)}月{cardinal(value.day)}日"


def clock(value: time) -> str:
    """Say a time of day to the minute, in the city's own time: 上午九点半, 下午两点零五分, 中午十二点."""
    hour = value.hour - 12 if value.hour > 12 else value.hour
    words = _part_of_day(value.hour) + count(hour, "点")
    if value.minute == 30:
        return words + "半"
    if value.minute:
        words += ("零" if value.minute < 10 else "") + cardinal(value.minute) + "分"
    return words


def _each(digits: str, names: str) -> str:
    return "".join(names[int(digit)] for digit in digits)


def _below_ten_thousand(value: int) -> str:
    words, gap = "", False
    for unit, size in (("千", 1000), ("百", 100), ("十", 10), ("", 1)):
        digit = value // size % 10
        if digit:
            words += "零" if gap and words else ""
            words += ("两" if digit == 2 and unit == "千" else _PLAIN[digit]) + unit
            gap = False
        else:
            gap = True
    return words


def _minutes(minutes: int, rest: int) -> str:
    if rest == 30:
        return count(minutes, "分半")
    if rest:
        return count(minutes, "分") + ("零" if rest < 10 else "") + cardinal(rest) + "秒"
    return count(minutes, "分钟")


def _part_of_day(hour: int) -> str:
    for until, name in ((6, "凌晨"), (12, "上午"), (13, "中午"), (18, "下午")):
        if hour < until:
            return name
    return "晚上"
