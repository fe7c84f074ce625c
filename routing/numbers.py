"""Telephone numbers in one form, so that one table row answers however the carrier writes the number.

One job: text to text. It knows no table and no call.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from telephony.model import DIALLED

COUNTRY: Final = "86"
LONGEST_SHORT_CODE: Final = 6
"""Service numbers such as 12345, 95598 or 123456 have up to six digits and no area code."""

_SEPARATORS: Final = str.maketrans("", "", " -()\t")
_NATIONAL: Final = ("400", "800")
_MOBILE_DIGITS: Final = 11
_NO_LOCAL_DIGITS: Final = 10
"""A number without any prefix has eleven digits (a mobile, which begins with 1) or at most eight: one of so many digits
that begins with 86 has its country code, written without + or 00."""


def normalise(dialled: str, area_code: str = "") -> str:
    """The number as the table knows it: no separators, no country code, no area code of our own city.

    ``12345``, ``066312345``, ``0663-12345``, ``+8666312345``, ``8666312345``, ``008666312345`` and all of them in full
    width are ``12345`` where the area code is ``0663``; ``013800138000`` is ``13800138000``. Empty when the text is no
    telephone number. An area code without its leading 0 is
    ignored, so that none can eat into an emergency number.
    """
    if not area_code.startswith("0"):
        area_code = ""
    number = unicodedata.normalize("NFKC", dialled).translate(_SEPARATORS)
    if not number.isascii() or DIALLED.fullmatch(number) is None:
        return ""
    if number.startswith("+"):
        international = number[1:]
        if not international.startswith(COUNTRY):
            return "00" + international
        number = _national(international[len(COUNTRY) :], area_code)
    elif number.startswith("00" + COUNTRY):
        number = _national(number[len(COUNTRY) + 2 :], area_code)
    elif number.startswith(COUNTRY) and len(number) >= _NO_LOCAL_DIGITS:
        number = _national(number[len(COUNTRY) :], area_code)
    if number.startswith("0") and _mobile(number[1:]) and number[2] in "3456789":  # a mobile as dialled from elsewhere
        number = number[1:]
    if area_code and number.startswith(area_code) and len(number) > len(area_code):
        return number[len(area_code) :]
    return number


def _national(rest: str, area_code: str) -> str:
    """What follows +86, as it would be dialled inside the country."""
    if area_code and rest.startswith(area_code[1:]) and len(rest) > len(area_code) - 1 and not _mobile(rest):
        return area_code + rest[len(area_code) - 1 :]
    if len(rest) <= LONGEST_SHORT_CODE or _mobile(rest) or rest.startswith(_NATIONAL):
        return rest
    return rest if rest.startswith("0") else "0" + rest


def citizen(number: str, area_code: str = "") -> str:
    """Whose number it is, in one form wherever calls, promises and lists of one citizen are put together; what is no
    telephone number stays as it came."""
    return normalise(number, area_code) or number


def _mobile(rest: str) -> bool:
    return rest.startswith("1") and len(rest) == _MOBILE_DIGITS


def area(caller: str, area_code: str = "") -> str:
    """What a caller's number tells of where they are, in Chinese; of a mobile only that it is one.

    Area codes of three digits are 010 and 02x, all others have four (national numbering plan, 电信网编号计划).
    """
    number = normalise(caller, area_code)
    if not number:
        return "未显示号码"
    if number.startswith("00") or (number.startswith("+") and len(number) > 1):
        return "境外"
    if _mobile(number):
        return "手机"
    if number.startswith("0"):
        return f"外地固话（{number[: 3 if number[1:2] in ('1', '2') else 4]}）"
    return "短号码" if len(number) <= LONGEST_SHORT_CODE else "本市固话"
