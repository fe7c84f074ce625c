"""What is wrong with a command line, in Chinese. The library that reads it says so in English only."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from typer import rich_utils
from typer._click import decorators
from typer._click.core import Command
from typer._click.exceptions import (
    BadParameter,
    ClickException,
    MissingParameter,
    NoArgsIsHelpError,
    NoSuchOption,
    UsageError,
)
from typer.core import TyperOption

PANELS: Final = {
    "ARGUMENTS_PANEL_TITLE": "参数",
    "OPTIONS_PANEL_TITLE": "选项",
    "COMMANDS_PANEL_TITLE": "命令",
    "REQUIRED_LONG_STRING": "[必填]",
    "DEFAULT_STRING": "[缺省：{}]",
    "ENVVAR_STRING": "[环境变量：{}]",
    "DEPRECATED_STRING": "（已不用）",
}
"""The words of the help pages, by the library's own names for them."""

HELP: Final = "显示这页说明"

_LIBRARYS_HELP_OPTION: Final = decorators.help_option

_PHRASES: Final[Mapping[str, str]] = {
    r"No such command '([^']*)'\.": "没有命令 {0}",
    r"No such command '([^']*)'\. Did you mean '([^']*)'\?": "没有命令 {0}，是不是 {1}？",
    r"Missing command\.": "缺少命令",
    r"Got unexpected extra argument(?:\(s\)|s)? \((.*)\)": "多出的参数 {0}",
    r"Option '(.*)' does not take a value\.": "选项 {0} 不带值",
    r"Option '(.*)' requires .*": "选项 {0} 后面要有值",
    r"Argument '(.*)' takes (\d+) values\.": "参数 {0} 要 {1} 个值",
    r"Input should be a valid integer.*": "应为整数",
    r"Input should be a valid number.*": "应为数字",
    r"Input should be a valid boolean.*": "应为 true 或 false",
    r"Input should be a valid (?:date|time).*": "应为日期时间，例如 2026-11-22 08:30",
    r"Input should be greater than or equal to (.*)": "不应小于 {0}",
    r"Input should be less than or equal to (.*)": "不应大于 {0}",
    r"(?:Value error, )?'(.*)' is not one of (.*)\.": "{0} 不是其中之一：{1}",
    r".* '(.*)' does not exist\.": "{0} 不存在",
    r".* '(.*)' is a directory\.": "{0} 是目录，应为文件",
    r".* '(.*)' is a file\.": "{0} 是文件，应为目录",
    r".* '(.*)' is not readable\.": "{0} 读不了；请检查权限",
}
"""The library's sentences, which have no code of their own, and ours."""


def speak_chinese() -> None:
    """Give the help pages Chinese headings, and ``--help`` a Chinese line."""
    for name, text in PANELS.items():
        setattr(rich_utils, name, text)
    decorators.help_option = _help_option


def _help_option(param_decls: list[str]) -> Callable[[Command], Command]:
    def decorator(command: Command) -> Command:
        _LIBRARYS_HELP_OPTION(param_decls)(command)
        made = command.params[-1]
        assert isinstance(made, TyperOption)
        made.help = HELP
        return command

    return decorator


def told(error: ClickException) -> str:
    """One sentence and where to read more; empty when the help page has been shown already."""
    if isinstance(error, NoArgsIsHelpError):
        return ""
    return "；".join(_parts(error))


def _parts(error: ClickException) -> Iterator[str]:
    match error:
        case MissingParameter(param=param) if param is not None:
            yield f"缺少{'选项' if param.param_type_name == 'option' else '参数'} {_name(error)}"
        case NoSuchOption(option_name=option, possibilities=possible):
            yield f"没有选项 {option}" + (f"，是不是 {'、'.join(possible)}？" if possible else "")
        case BadParameter():
            yield f"{_name(error) or '参数'} 不对：{_chinese(error)}"
        case _:
            yield _chinese(error)
    context = error.ctx if isinstance(error, UsageError) else None
    if context is not None:
        yield f"请看 {context.command_path} -h"


def _name(error: BadParameter) -> str:
    hint = error.param_hint or (error.param.get_error_hint() if error.param is not None else "")
    return (hint if isinstance(hint, str) else " / ".join(hint)).replace("'", "")


def _chinese(error: ClickException) -> str:
    for pattern, words in _PHRASES.items():
        if found := re.fullmatch(pattern, error.message, re.DOTALL):
            return words.format(*found.groups())
    return error.message
