"""Prompts of a version that is about to be published: spoken beside those in force, put in their place with the swap.

One job: the two moments. A prompt keeps its id when its text changes, so a new text must not be heard before the
version that says it is in force; and making a voice takes longer than a swap may.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from ivr.prompts import audio, manifest, versions
from ivr.prompts.build import build
from ivr.prompts.catalogue import MANDARIN, Prompt
from ivr.prompts.manifest import Built
from ivr.prompts.wording import reworded

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

FOLDERS: Final = ("sounds", "sounds-16k")
NEXT: Final = "sounds-next"
TURN: Final = "sounds.turn"
"""A file to lock, with nothing in it."""
_MUSIC: Final = ("moh", "sounds-16k/moh", "recorded")
"""What a build looks at and a version does not change."""


@dataclass(frozen=True, slots=True)
class StagedPrompts:
    """New sounds, laid ready."""

    data_dir: Path
    faults: tuple[str, ...]
    """What is wrong with them, in Chinese; calls go through all the same."""
    built: tuple[Built, ...] = ()

    def put(self) -> None:
        """Each file into its place, in one step for each. Raises OSError."""
        ready = self.data_dir / NEXT
        with exclusive_lock(self.data_dir):
            self._put(ready)

    def _put(self, ready: Path) -> None:
        for folder in FOLDERS:
            for path in (ready / folder).glob("*/*"):
                if not path.parent.is_symlink():
                    place = self.data_dir / path.relative_to(ready)
                    place.parent.mkdir(parents=True, exist_ok=True)
                    path.replace(place)
        add_to_manifest(self.data_dir, self.built)
        discard_staged(self.data_dir)


def synthesise(data_dir: Path, prompts: Mapping[str, Prompt]) -> StagedPrompts:
    """Make these prompts beside those in force. Raises audio.ToolMissing or OSError."""
    with exclusive_lock(data_dir):  # whoever changes a prompt meanwhile sees the folder, and waits for the publish
        discard_staged(data_dir)
        ready = data_dir / NEXT
        for folder in FOLDERS:
            (ready / folder).mkdir(parents=True)
    for shared in _MUSIC:
        if (data_dir / shared).exists():
            (ready / shared).symlink_to(data_dir / shared)
    known = manifest.load(data_dir / "sounds")
    audio.replace(ready / "sounds" / manifest.NAME, manifest.dump(known))
    report = build(ready, prompts)
    return StagedPrompts(data_dir, report.faults, report.built)


def speak_in_place(data_dir: Path, prompts: Mapping[str, Prompt]) -> tuple[str, ...]:
    """Make these prompts where they are played from; nothing plays them meanwhile. Gives what is wrong with them.

    Raises audio.ToolMissing or OSError.
    """
    with exclusive_lock(data_dir):
        return build(data_dir, prompts).faults


class PromptsLocked(RuntimeError):
    """Somebody else is at the sounds; says what to do."""


@contextmanager
def exclusive_lock(data_dir: Path, *, wait: bool = True) -> Iterator[None]:
    """Nobody else puts sounds in their place meanwhile, in this process or another. Raises Occupied or OSError."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / TURN).open("w") as turn:
        try:
            fcntl.flock(turn, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise PromptsLocked("正在生成提示音；什么都没有改，请过一会儿再试") from None
        yield


def add_to_manifest(data_dir: Path, built: tuple[Built, ...]) -> None:
    """Add to what is known of the sounds in their place. Raises OSError."""
    sounds = data_dir / "sounds"
    known = manifest.load(sounds) | {(row.language, row.id): row for row in built}
    audio.replace(sounds / manifest.NAME, manifest.dump(known))


def current_wordings(data_dir: Path, prompts: Mapping[str, Prompt]) -> Mapping[str, Prompt]:
    """The catalogue's prompts in the words that admins gave them. What cannot be read is logged, and left out."""
    histories, faults = versions.every(data_dir)
    for fault in faults:
        log.error("history of a prompt not read", reason=fault)
    return reworded(prompts, versions.wordings(histories))


def sounds(data_dir: Path) -> frozenset[str]:
    """The prompts that have a Mandarin sound with something in it, which is what the switch plays. Raises OSError."""
    with os.scandir(data_dir / "sounds" / MANDARIN) as entries:
        return frozenset(
            entry.name.removesuffix(".alaw")
            for entry in entries
            if entry.name.endswith(".alaw") and entry.stat().st_size > 0
        )


def discard_staged(data_dir: Path) -> None:
    """Forget what was laid ready; harmless when nothing was."""
    shutil.rmtree(data_dir / NEXT, ignore_errors=True)
