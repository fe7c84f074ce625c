"""What a citizen hears before a human: how long it takes, whether it is there, whether it is a menu.

One job: the table's prompts against the sounds that were really built. It reads no file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from routing.announcements import prompt_of
from routing.faults import Fault, Severity
from routing.lint.model import Rule, View

HUMAN_WITHIN_SECONDS: Final = 15.0
"""GB/T 33358-2016. It does not say whether ringing counts; we count what is played before a seat can ring."""

_MENU: Final = re.compile(r"(请|可)?按[\s“\"]*([0-9一二三四五六七八九零幺两井星#*]|.{0,6}键)|按键选择")
"""A text that asks for a key: 请按1, 按井号键, 人工服务请按零."""


def _heard(view: View) -> Iterator[tuple[str, str]]:
    """Every prompt before a human, with the place that names it."""
    yield "greeting", view.table.greeting
    for row in view.table.numbers:
        named = (("prompt", row.prompt), ("prompt_after", row.prompt_after))
        yield from ((f"numbers.{row.number}.{key}", prompt) for key, prompt in named if prompt)
    yield from ((f"announcements.{row.id}.text", prompt_of(row.id)) for row in view.table.announcements)


def _unmeasured(view: View) -> Iterator[Fault]:
    if view.around is not None and view.around.sounds is None:
        reason = "提示音还没有生成，时长、缺失和菜单都没有检查；请运行 hotline prompts build 后再检查一次"
        yield Fault("greeting", repr(view.table.greeting), reason)


def _slow(view: View) -> Iterator[Fault]:
    for path, prompt, language, seconds, _ in _sounds(view):
        if seconds > HUMAN_WITHIN_SECONDS:
            reason = (
                f"这段提示音（{language}）长 {seconds:.1f} 秒，放完才开始振铃，市民 {HUMAN_WITHIN_SECONDS:.0f} 秒内"
                "听不到人工（GB/T 33358-2016）；请缩短文字或重新录音"
            )
            yield Fault(path, repr(prompt), reason)


def _missing(view: View) -> Iterator[Fault]:
    around = view.around
    if around is None or around.sounds is None:
        return
    for path, prompt in _heard(view):
        for language in around.languages:
            if (language, prompt) not in around.sounds:
                reason = (
                    f"没有这段提示音（{language}），市民听不到说明就直接接通；请录音放到 "
                    f"DATA_DIR/recorded/{language}/{prompt}.wav，或在发布后运行 hotline prompts build 生成"
                )
                yield Fault(path, repr(prompt), reason)


def _menus(view: View) -> Iterator[Fault]:
    for path, prompt, language, _, text in _sounds(view):
        if _MENU.search(text):
            reason = (
                f"这段提示音（{language}）要求按键：“{text}”。人工之前不宜设菜单（GB/T 33358-2016）；"
                "请改名称或录音，让来电直接接通"
            )
            yield Fault(path, repr(prompt), reason)


def _sounds(view: View) -> Iterator[tuple[str, str, str, float, str]]:
    around = view.around
    if around is None or around.sounds is None:
        return
    languages = sorted({language for language, _ in around.sounds})
    for path, prompt in _heard(view):
        for language in languages:
            sound = around.sounds.get((language, prompt))
            if sound is not None:
                yield path, prompt, language, sound.seconds, sound.text


RULES: Final = (
    Rule("prompts-unmeasured", Severity.WARNING, "提示音没有检查", _unmeasured, surroundings=True),
    Rule("slow-to-human", Severity.WARNING, "15 秒内听不到人工", _slow, surroundings=True),
    Rule("prompt-missing", Severity.WARNING, "缺提示音", _missing, surroundings=True),
    Rule("menu-gate", Severity.WARNING, "人工之前有菜单", _menus, surroundings=True),
)
