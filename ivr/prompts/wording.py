"""Texts that an admin put in the place of the catalogue's own.

One job: which text is said. A wording holds for as long as the catalogue says what it was put in the place of: when a
row of the table changes what has to be said (other keys, another name), the old words would be wrong, and are not said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from ivr.prompts.catalogue import SPEAKABLE, Kind, Prompt

LONGEST_TEXT: Final = 120
"""Characters: at an announcer's pace (ivr.prompts.audio.WORDS_PER_MINUTE) more than a prompt may last."""

Key = tuple[str, str]
"""Language and prompt id."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What is said, and instead of what."""

    text: str
    instead_of: str


def reworded(prompts: Mapping[str, Prompt], wordings: Mapping[Key, Wording]) -> Mapping[str, Prompt]:
    """The catalogue with the wordings that hold."""
    told = dict(prompts)
    for (language, name), wording in wordings.items():
        prompt = told.get(name)
        if prompt is not None and prompt.texts.get(language) == wording.instead_of:
            told[name] = replace(prompt, texts={**prompt.texts, language: wording.text})
    return told


def from_table(prompt: Prompt) -> bool:
    """Whether the whole text is a cell of the routing table: it is edited there, and nowhere else."""
    return prompt.kind is Kind.ANNOUNCEMENT or prompt.id.startswith("self-service-")


def fault(text: str) -> str:
    """What is wrong with a text as typed, in Chinese; empty when it can be said."""
    if not text:
        return "请写明要说的文字，例如 请稍候，正在为您转接。"
    if len(text) > LONGEST_TEXT:
        return f"文字有 {len(text)} 个字，最多 {LONGEST_TEXT} 个；提示音应短，请删减"
    if not SPEAKABLE.fullmatch(text):
        unreadable = "".join(dict.fromkeys(SPEAKABLE.sub("", text)))
        return f"含有无法朗读的字符 {unreadable!r}，请改用汉字、数字和中文标点，例如 请稍候，正在为您转接。"
    return ""
