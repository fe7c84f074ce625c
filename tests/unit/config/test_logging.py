import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from config.logging import configure_logging, mask, mask_text

pytestmark = pytest.mark.unit


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging(stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def last(lines: io.StringIO) -> dict[str, Any]:
    return dict(json.loads(lines.getvalue().splitlines()[-1]))


def test_a_marked_field_is_masked_and_others_are_not(lines: io.StringIO) -> None:
    structlog.get_logger("ivr").info("call entered", pii_caller="13800138000", number="12345", call="hl1-1763812345.12")
    line = last(lines)
    assert line["pii_caller"] == "138******00"
    assert (line["event"], line["number"], line["call"]) == ("call entered", "12345", "hl1-1763812345.12")
    assert (line["level"], line["logger"]) == ("info", "ivr")
    assert line["timestamp"].endswith("Z")


def test_what_a_marked_field_holds_is_masked_everywhere_in_the_line(lines: io.StringIO) -> None:
    structlog.get_logger().info("x", pii_name="张三丰", note="来电人张三丰", rows=[{"pii_phone": "0663-8123456"}])
    text = lines.getvalue()
    assert "张三丰" not in text
    assert "8123456" not in text


def test_exceptions_are_masked(lines: io.StringIO) -> None:
    try:
        raise ValueError("bad uri sip:13800138000@host for 张三丰")
    except ValueError:
        structlog.get_logger().exception("failed", pii_name="张三丰", call="hl1-1763812345.12")
    text = lines.getvalue()
    assert "13800138000" not in text
    assert "张三丰" not in text
    assert "ValueError" in last(lines)["exception"]


def test_the_row_of_a_failed_statement_is_not_logged(lines: io.StringIO) -> None:
    try:
        raise RuntimeError("boom\n[SQL: INSERT INTO x]\n[parameters: ('张三丰', '[1]')]\n(Background on this error)")
    except RuntimeError:
        structlog.get_logger().exception("failed")
    assert "张三丰" not in lines.getvalue()
    assert "INSERT INTO x" in last(lines)["exception"]


def test_lines_of_libraries_are_masked_too(lines: io.StringIO) -> None:
    logging.getLogger("aiohttp.server").error("Error handling %s", "/calls?caller=13800138000")
    line = last(lines)
    assert line["event"] == "Error handling /calls?caller=138******00"
    assert line["level"] == "error"


@pytest.mark.parametrize(
    "text",
    [
        "hl1-1763812345.12",
        "PJSIP/pstn-00000012",
        "<object at 0x7f8d1de3e890>",
        'File "x.py", line 1234',
        "12345",
        "2.6.32",
    ],
)
def test_what_is_no_telephone_number_stays(text: str) -> None:
    assert mask_text(text) == text


@pytest.mark.parametrize(
    ("value", "masked"),
    [("13800138000", "138******00"), ("12345678", "123***78"), ("张三", "张*"), ("8", "8"), ("", "")],
)
def test_mask(value: str, masked: str) -> None:
    assert mask(value) == masked
