"""What may be asked of a prompt, and why it is refused."""

from __future__ import annotations

from dataclasses import dataclass


class PromptRefused(Exception):
    """What was asked cannot be; nothing changed. Says why and what to do."""


class NoPrompt(PromptRefused):
    """There is no such prompt, version or language."""


class PromptsBusy(PromptRefused):
    """Too many ask at once."""


@dataclass(frozen=True, slots=True)
class PromptChange:
    """What a prompt is to be."""

    text: str | None = None
    """None: as it is."""
    recording: bytes | None = None
    """A WAV file; None: the placeholder voice."""
    back_to: int | None = None
    """An earlier version in place of both."""
