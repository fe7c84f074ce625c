"""A command line that cannot be read is answered in Chinese, with where to read more."""

from __future__ import annotations

import pytest

from cli.main import main

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("nosuch", "没有命令 nosuch；请看 hotline -h"),
        ("sttus", "没有命令 sttus，是不是 status？；请看 hotline -h"),
        ("routing hstory", "没有命令 hstory，是不是 history？；请看 hotline routing -h"),
        ("routing set", "缺少参数 row；请看 hotline routing set -h"),
        ("status --jso", "没有选项 --jso，是不是 --json？；请看 hotline status -h"),
        ("status one two", "多出的参数 one two；请看 hotline status -h"),
        ("status --json=yes", "选项 --json 不带值"),
        ("calls list --limit", "选项 --limit 后面要有值"),
        ("calls list --limit many", "--limit 不对：应为整数；请看 hotline calls list -h"),
        ("calls list --limit 0", "--limit 不对：不应小于 1；请看 hotline calls list -h"),
    ],
)
def test_a_wrong_command_line_is_told_in_chinese(line: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    assert ended.value.code == 2
    assert capsys.readouterr().err.strip() == f"hotline: {says}"


def test_help_has_chinese_headings(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["routing", "-h"])
    assert ended.value.code == 0
    page = capsys.readouterr().out
    assert "选项" in page
    assert "命令" in page
    assert "显示这页说明" in page
    assert "Options ─" not in page
