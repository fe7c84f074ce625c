"""Prompts of a version that is about to be published: spoken beside those in force, put in their place with the swap.

One job: the two moments. A prompt keeps its id when its text changes, so a new text must not be heard before the
version that says it is in force; and making a voice takes longer than a swap may.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ivr import audio, manifest
from ivr.build import build
from ivr.catalogue import Prompt

FOLDERS: Final = ("sounds", "sounds-16k")
NEXT: Final = "sounds-next"
_MUSIC: Final = ("moh", "sounds-16k/moh", "recorded")
"""What a build looks at and a version does not change."""


@dataclass(frozen=True, slots=True)
class Voices:
    """New sounds, laid ready."""

    data_dir: Path
    faults: tuple[str, ...]
    """What is wrong with them, in Chinese; calls go through all the same."""

    def put(self) -> None:
        """Each file into its place, in one step for each. Raises OSError."""
        ready = self.data_dir / NEXT
        for folder in FOLDERS:
            for path in (ready / folder).glob("*/*"):
                if not path.parent.is_symlink():
                    place = self.data_dir / path.relative_to(ready)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    path.replace(place)
        told = ready / "sounds" / manifest.NAME
        if told.exists():
            told.replace(self.data_dir / "sounds" / manifest.NAME)
        clear(self.data_dir)


def speak(data_dir: Path, prompts: Mapping[str, Prompt]) -> Voices:
    """Make these prompts beside those in force. Raises audio.ToolMissing or OSError."""
    clear(data_dir)
    ready = data_dir / NEXT
    for folder in FOLDERS:
        (ready / folder).mkdir(parents=True)
    for shared in _MUSIC:
        if (data_dir / shared).exists():
            (ready / shared).symlink_to(data_dir / shared)
    known = manifest.load(data_dir / "sounds")
    audio.replace(ready / "sounds" / manifest.NAME, manifest.dump(known))
    return Voices(data_dir, build(ready, prompts).faults)


def clear(data_dir: Path) -> None:
    """Forget what was laid ready; harmless when nothing was."""
    shutil.rmtree(data_dir / NEXT, ignore_errors=True)
