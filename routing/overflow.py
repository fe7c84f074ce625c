"""Widening steps as the caller's channel carries them (``HL_OVERFLOW``): ``group:seconds`` joined by ``/``.

One job: write them and read them back. What is malformed is left out both ways: it costs a step, never a call.
"""

from __future__ import annotations

from collections.abc import Iterable

from telephony.model import GROUP_ID, GroupId


def overflow_text(steps: Iterable[tuple[int, GroupId]]) -> str:
    """``((20, "general"), (60, "market"))`` as ``general:20/market:60``."""
    return "/".join(f"{group}:{seconds}" for seconds, group in steps if GROUP_ID.fullmatch(group))


def overflow_steps(text: str) -> tuple[tuple[int, GroupId], ...]:
    """The steps of :func:`overflow_text`: after so many seconds that group may answer, too."""
    steps = (step.partition(":") for step in text.split("/") if step)
    return tuple(
        (int(seconds), GroupId(group))
        for group, _, seconds in steps
        if GROUP_ID.fullmatch(group) and seconds.isascii() and seconds.isdigit()
    )
