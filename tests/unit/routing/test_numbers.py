from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.numbers import area, normalise

pytestmark = pytest.mark.unit

AREA = "0663"


@pytest.mark.parametrize(
    ("dialled", "expected"),
    [
        ("12345", "12345"),
        ("066312345", "12345"),
        ("0663-12345", "12345"),
        ("(0663) 12345", "12345"),
        ("+8666312345", "12345"),
        ("+86066312345", "12345"),
        ("008666312345", "12345"),
        ("+86 663 12345", "12345"),
        ("+8612345", "12345"),
        ("0663110", "110"),
        ("+86663110", "110"),
        ("06638768123", "8768123"),
        ("075412345", "075412345"),
        ("+8675412345", "075412345"),
        ("+861012345", "01012345"),
        ("13800138000", "13800138000"),
        ("+8613800138000", "13800138000"),
        ("008613800138000", "13800138000"),
        ("+864001234567", "4001234567"),
        ("+8695598", "95598"),
        ("+85212345678", "0085212345678"),
        ("0663", "0663"),
        ("+", ""),
        ("", ""),
        ("12a45", ""),
        ("１２３４５", "12345"),
        ("８６１３８００１３８０００", "13800138000"),
        ("8613800138000", "13800138000"),
        ("013800138000", "13800138000"),
        ("+86013800138000", "13800138000"),
        ("866638768123", "8768123"),
        ("8666312345", "12345"),
        ("8602012345678", "02012345678"),
        ("862012345678", "02012345678"),
        ("86123456", "86123456"),
        ("01012345678", "01012345678"),
        ("12345;1", ""),
        ("${EXTEN}", ""),
        ("1" * 32, "1" * 32),
        ("1" * 33, ""),
        ("12345\n", ""),
    ],
)
def test_every_way_of_writing_a_number_has_one_form(dialled: str, expected: str) -> None:
    assert normalise(dialled, AREA) == expected


def test_without_an_area_code_nothing_is_stripped() -> None:
    assert normalise("066312345") == "066312345"
    assert normalise("+8666312345") == "066312345"


def test_a_mobile_that_begins_like_the_area_code_stays_a_mobile() -> None:
    assert normalise("+8613912345678", "0139") == "13912345678"


@given(st.text(max_size=60))
def test_any_text_gives_digits_or_nothing(text: str) -> None:
    number = normalise(text, AREA)
    assert number == "" or (number.isascii() and number.isdigit())


@given(st.from_regex(r"0663[1-9][0-9]{2,7}", fullmatch=True))
def test_a_normal_form_is_its_own_normal_form(dialled: str) -> None:
    number = normalise(dialled, AREA)
    assert normalise(number, AREA) == number


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        ("13800001234", "手机"), ("+8613800001234", "手机"), ("0663-8221234", "本市固话"), ("8221234", "本市固话"),
        ("02081234567", "外地固话（020）"), ("+867548221234", "外地固话（0754）"), ("01088886666", "外地固话（010）"),
        ("0085221234567", "境外"), ("110", "短号码"), ("", "未显示号码"), ("anonymous", "未显示号码"),
    ],
)  # fmt: skip
def test_a_callers_number_tells_where_it_is_from(caller: str, expected: str) -> None:
    assert area(caller, "0663") == expected
