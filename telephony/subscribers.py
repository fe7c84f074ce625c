"""Which numbers outside may be dialled at all: what every callback, order, duty phone and table row goes through.

One job: text to text. It knows no table.
"""

from __future__ import annotations

import re
from typing import Final

_COUNTRY: Final = re.compile(r"(?:\+|00)86")
_MOBILE: Final = re.compile(r"1[3-9]\d{9}", re.ASCII)
_AREA: Final = r"0(?:10|2\d|[3-9]\d{2})"
_FIXED: Final = re.compile(rf"{_AREA}[2-8]\d{{6,7}}", re.ASCII)
_LOCAL: Final = re.compile(r"[2-8]\d{6,7}", re.ASCII)
_PLACEHOLDER: Final = re.compile(rf"{_AREA}0\d{{6,7}}", re.ASCII)


def callable_number(told: str) -> str:
    """The number to dial, or empty for one that is never called.

    Only what the telecommunications numbering plan (电信网编号计划) gives to subscribers: mobile numbers, 1[3-9] and
    nine digits, and fixed lines of seven or eight digits from 2 to 8, with or without area code. So emergency, service,
    short, premium (16x, 9xxxx), free (800) and foreign numbers are out without a list of them.
    """
    number = _COUNTRY.sub("", told, count=1) if _COUNTRY.match(told) else told
    if _COUNTRY.match(told) and not _MOBILE.fullmatch(number) and not number.startswith("0"):
        number = f"0{number}"
    if number.startswith("01") and _MOBILE.fullmatch(number[1:]):  # a mobile number from elsewhere
        return number
    fixed = _FIXED.fullmatch(number) or _LOCAL.fullmatch(number)
    if _MOBILE.fullmatch(number) or (fixed and not number.startswith(("800", "400"))):
        return number
    return ""


def may_be_dialled(number: str) -> bool:
    """Whether the switch dials this text outside. Like :func:`callable_number`; and a subscriber's number that begins
    with 0 after its area code, which belongs to nobody, so that samples use it.
    """
    return bool(callable_number(number) or _PLACEHOLDER.fullmatch(number))
