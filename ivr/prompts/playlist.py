"""What the dialplan's Playback is given: prompt ids joined by ``&``.

One job: let nothing but catalogue ids reach an application argument.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from ivr.prompts.catalogue import PROMPT_ID


class UnknownPrompt(ValueError):
    """A prompt id that the catalogue does not know, or that must not reach the dialplan."""


def playlist(ids: Iterable[str], known: Container[str]) -> str:
    """The ids in the order heard, joined for Playback; empty when there is nothing to say.

    Raises UnknownPrompt for an id outside ``known`` or not made of lower-case letters, digits and hyphens.
    """
    heard = tuple(ids)
    for prompt_id in heard:
        if not PROMPT_ID.fullmatch(prompt_id) or prompt_id not in known:
            raise UnknownPrompt(f"提示音 {prompt_id!r} 不在目录中，请运行 hotline prompts list 查看可用编号")
    return "&".join(heard)
