"""From written Chinese to what the placeholder voice is fed: pinyin syllables with tone digits.

One job: pronunciation. It knows no file and starts no process. espeak-ng's ``cmn-latn-pinyin`` reads one
syllable per word, tones 1 to 5 (5 is neutral), ``v`` for ü, and does the third-tone change by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from itertools import pairwise
from typing import Final

from ivr.prompts.speech import spoken

OVERRIDES: Final[Mapping[str, str]] = {
    "设为": "she4 wei2",
    "重试": "chong2 shi4",
    "重拨": "chong2 bo1",
    "重输": "chong2 shu1",
    "调休": "tiao2 xiu1",
    "一键": "yi2 jian4",
    "差评": "cha4 ping2",
}
"""Words of the hotline that pypinyin's dictionary reads differently."""

_PAUSES: Final = {"，": ",", "、": ",", "；": ",", "：": ",", "。": ".", "？": "?", "！": "."}
_SYLLABLE: Final = re.compile("[a-zê]+[1-5]")


class Unreadable(ValueError):
    """A text holds something that has no pinyin."""


def pinyin(text: str) -> str:
    """A prompt's written text as tone-numbered pinyin, digits already said: 您好 is ``nin2 hao3``.

    Raises Unreadable for a character without a reading.
    """
    words = _readings(spoken(text))
    for place, (word, following) in enumerate(pairwise(words)):
        if word == "bu4" and following.endswith("4"):
            words[place] = "bu2"
    return " ".join(words)


def _readings(text: str) -> list[str]:
    words = [_PAUSES.get(word, word) for word in _dictionary()(text)]
    for word in words:
        if word not in _PAUSES.values() and not _SYLLABLE.fullmatch(word):
            raise Unreadable(f"无法朗读 {word!r}，请改用汉字和数字")
    return words


@cache
def _dictionary() -> Callable[[str], list[str]]:
    # Imported when first needed: its dictionary takes 0.2 s to load.
    from pypinyin import Style, lazy_pinyin, load_phrases_dict

    load_phrases_dict({word: [[part] for part in reading.split()] for word, reading in OVERRIDES.items()})
    return partial(lazy_pinyin, style=Style.TONE3, neutral_tone_with_five=True, v_to_u=False)
