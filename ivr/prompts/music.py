"""Music on hold, made here from plain tones, so nobody holds a licence on it.

One job: the score and how it is played. A slow progression of broken chords over a soft pad, eight bars
of six seconds; each bar fades to silence, so the end meets the beginning without a click.
"""

from __future__ import annotations

from itertools import chain
from typing import Final

import numpy as np

from ivr.prompts import audio
from ivr.prompts.loudness import Samples

NAME: Final = "calm"
BAR_SECONDS: Final = 6.0
LEVEL_RMS_DBFS: Final = -27.0
"""Softer than speech, so that a prompt stands out."""

SCORE: Final = (
    ("C3", "G3", "C4", "E4", "G4", "E4"),
    ("A2", "E3", "A3", "C4", "E4", "C4"),
    ("F3", "A3", "C4", "F4", "A4", "F4"),
    ("G3", "B3", "D4", "G4", "B4", "G4"),
    ("E3", "G3", "B3", "E4", "G4", "E4"),
    ("A2", "E3", "A3", "C4", "E4", "A4"),
    ("D3", "A3", "D4", "F4", "A4", "F4"),
    ("G3", "D4", "G3", "B3", "D4", "B3"),
)
"""Notes of each bar in the order plucked."""

PAD_NOTES: Final = 3
"""So many of a bar's lowest notes sound on underneath."""
PAD_GAIN_DB: Final = "-26"


def hold_music() -> Samples:
    """The whole loop at 16 kHz, 48 s, before its level is set."""
    return np.concatenate([_mixed(_plucked(bar), _pad(bar)) for bar in SCORE])


def _plucked(notes: tuple[str, ...]) -> Samples:
    beat = BAR_SECONDS / len(notes)
    voices = chain.from_iterable(("pluck", note) for note in notes)
    delays = (f"{beat * place:g}" for place in range(len(notes)))
    return audio.synthesise(
        ["synth", f"{BAR_SECONDS:g}", *voices, "delay", *delays, "remix", "-", *_SOFT, *_fade(0.01)]
    )


def _pad(notes: tuple[str, ...]) -> Samples:
    voices = chain.from_iterable(("sine", note) for note in notes[-PAD_NOTES:])
    return audio.synthesise(["synth", f"{BAR_SECONDS:g}", *voices, "remix", "-", "gain", PAD_GAIN_DB, *_fade(2.0)])


_SOFT: Final = ("lowpass", "2200", "trim", "0", f"{BAR_SECONDS:g}")


def _fade(rise_seconds: float) -> tuple[str, ...]:
    return ("fade", "h", f"{rise_seconds:g}", f"{BAR_SECONDS:g}", "1.2")


def _mixed(one: Samples, other: Samples) -> Samples:
    length = min(len(one), len(other))
    mixed: Samples = np.clip(one[:length].astype(np.int32) + other[:length], -32768, 32767).astype(np.int16)
    return mixed
