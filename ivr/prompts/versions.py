"""Earlier versions of a prompt: one folder for each that was ever changed, so that every change can be taken back.

One job: remember. ``DATA_DIR/prompts/<language>/<id>/versions.json`` says who changed what when, and which version is
in force; a recording is kept beside it as ``<number>.wav``, as it came.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from ivr.prompts.catalogue import Source
from ivr.prompts.wording import Key, Wording

FOLDER: Final = "prompts"
NAME: Final = "versions.json"


class HistoryCorrupt(ValueError):
    """A file of versions cannot be read; says which and what to do."""


@dataclass(frozen=True, slots=True)
class Version:
    """One wording or recording that was kept."""

    number: int
    at: str
    """ISO 8601, UTC."""
    by: str
    reason: str
    source: Source
    text: str
    instead_of: str
    """What the catalogue itself said then."""
    seconds: float


@dataclass(frozen=True, slots=True)
class History:
    """All versions of one prompt in one language, oldest first."""

    in_force: int
    versions: tuple[Version, ...]

    @property
    def current(self) -> Version:
        return self.version(self.in_force)

    def version(self, number: int) -> Version:
        """Raises KeyError for a number that is not there."""
        for one in self.versions:
            if one.number == number:
                return one
        raise KeyError(number)


def place(data_dir: Path, key: Key) -> Path:
    """The folder of a prompt. The key must be one of the catalogue's."""
    return data_dir / FOLDER / key[0] / key[1]


def load(data_dir: Path, key: Key) -> History | None:
    """None for a prompt that was never changed. Raises HistoryCorrupt or OSError."""
    return _read(place(data_dir, key) / NAME)


def every(data_dir: Path) -> tuple[dict[Key, History], tuple[str, ...]]:
    """What was ever changed, and in Chinese what of it cannot be read: those prompts say what the catalogue says."""
    found: dict[Key, History] = {}
    faults: list[str] = []
    for path in sorted((data_dir / FOLDER).glob(f"*/*/{NAME}")):
        try:
            if (history := _read(path)) is not None:
                found[path.parent.parent.name, path.parent.name] = history
        except (HistoryCorrupt, OSError) as error:
            faults.append(str(error))
    return found, tuple(faults)


def dump(history: History) -> bytes:
    """The file's content."""
    return json.dumps(asdict(history), ensure_ascii=False, indent=1).encode() + b"\n"


def wordings(histories: Mapping[Key, History]) -> dict[Key, Wording]:
    """What is said instead of the catalogue's words."""
    return {key: Wording(one.current.text, one.current.instead_of) for key, one in histories.items()}


def _read(path: Path) -> History | None:
    try:
        told = json.loads(path.read_text("utf-8"))
        rows = tuple(Version(**{**row, "source": Source(row["source"])}) for row in told["versions"])
        history = History(told["in_force"], rows)
        history.current  # noqa: B018  raises KeyError where the version in force is missing
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise HistoryCorrupt(f"提示音的历史 {path} 读不出来（{error}），请从备份恢复；暂用原来的文字") from error
    return history
