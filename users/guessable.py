"""How much of a password a guesser has to guess: words everybody uses, keys beside each other, rows and years are free.

One job: count. The lists are our own and short: what people of a Chinese office type first. No dictionary of millions
of passwords that were stolen is asked.
"""

from __future__ import annotations

import re
from typing import Final

LEAST: Final = 8
"""So much must be left, every known piece counting as one sign."""

WALK: Final = 3
"""So many keys in a row are a walk over the keyboard."""

_USUAL: Final = """
    password passwd passw0rd pass pwd admin administrator root user guest test demo login welcome letmein changeme
    default secret master manager system super server service public private access account office hello
    iloveyou love lucky happy baby angel dragon monkey tiger sunshine princess football summer winter spring autumn
    january february march april june july august september october november december monday friday sunday
    woaini woaiwojia aini wode mima wodemima denglu yonghu guanli guanliyuan ceshi kouling zhanghao nihao nimen
    zhongguo china beijing shanghai guangdong guangzhou shenzhen jieyang shantou chaozhou huawei alibaba tencent baidu
    xiaoming zhangsan lisi wangwu zhaoliu laoshi gongsi bangong rexian hotline zhengfu zhengwu fuwu shimin banzhang
    zuoxi shenji dianhua duanxin qwerty qwert asdf zxcv abc abcd abcabc computer internet windows linux asterisk
    5201314 520520 1314520 520 521 1314 888 666 168 518 988 110 119 120 122 123 12345 123456 1234567890
"""
WORDS: Final = frozenset(_USUAL.split())
"""Lower case, after the usual signs were read as letters."""

_LOOKS: Final = str.maketrans("@$!|", "asil")
_DIGITS_AS_LETTERS: Final = str.maketrans("013457", "oieast")
_ROWS: Final = ("`1234567890-=", "qwertyuiop[]\\", "asdfghjkl;'", "zxcvbnm,./")
_SHIFTED: Final = str.maketrans('~!@#$%^&*()_+{}|:"<>?', "`1234567890-=[]\\;',./")
_YEAR: Final = re.compile(r"(19|20)\d\d((0?[1-9]|1[0-2])([0-2]?\d|3[01])?)?")
_LONGEST: Final = max(map(len, WORDS))


_SHIFTS: Final = (0.0, 1.5, 1.75, 2.25)
"""How far right each row begins, in keys."""

_PLACES: Final = {
    key: (row, column + _SHIFTS[row]) for row, keys in enumerate(_ROWS) for column, key in enumerate(keys)
}


def left(password: str, own: tuple[str, ...] = ()) -> int:
    """How many signs are left to guess; ``own``: the user's name and number, which everybody knows."""
    words = WORDS | {word.casefold() for word in own if len(word) > 2}
    plain = password.casefold()
    # a1b2c3: two runs, sign by sign
    return min(_counted(plain, words), _counted(plain[::2], words) + _counted(plain[1::2], words))


def _counted(plain: str, words: frozenset[str]) -> int:
    most = max(_LONGEST, *map(len, words))
    forms = (plain, plain.translate(_LOOKS), plain.translate(_LOOKS).translate(_DIGITS_AS_LETTERS))
    at = count = 0
    while at < len(plain):
        at += max(
            1, _word(forms, at, words, most), _walk(plain, at), _step(plain, at), _again(plain, at), _year(plain, at)
        )
        count += 1
    return count


def _word(forms: tuple[str, ...], at: int, words: frozenset[str], most: int) -> int:
    return next((long for long in range(most, 2, -1) if any(form[at : at + long] in words for form in forms)), 0)


def _walk(plain: str, at: int) -> int:
    """Keys beside each other, or the same key again."""
    keys = plain.translate(_SHIFTED)
    end = at
    while end + 1 < len(keys) and _beside(keys[end], keys[end + 1]):
        end += 1
    return end - at + 1 if end - at + 1 >= WALK else 0


def _beside(one: str, other: str) -> bool:
    here, there = _PLACES.get(one), _PLACES.get(other)
    if here is None or there is None:
        return one == other
    return abs(here[0] - there[0]) <= 1 and abs(here[1] - there[1]) <= 1


def _step(plain: str, at: int) -> int:
    """``abcd``, ``9876``, ``2468``: the same step from sign to sign."""
    if at + 2 >= len(plain):
        return 0
    step = ord(plain[at + 1]) - ord(plain[at])
    end = at + 1
    while end + 1 < len(plain) and abs(step) <= 2 and ord(plain[end + 1]) - ord(plain[end]) == step:
        end += 1
    return end - at + 1 if end - at + 1 >= WALK else 0


def _again(plain: str, at: int) -> int:
    """What stood in it before: the second of ``abcabc``."""
    return next((long for long in range(at, WALK - 1, -1) if plain[at : at + long] in plain[:at]), 0)


def _year(plain: str, at: int) -> int:
    found = _YEAR.match(plain, at)
    return len(found[0]) if found else 0
