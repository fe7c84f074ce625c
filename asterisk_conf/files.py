"""The rendered configuration on disk: written whole, compared exactly, never half."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from asterisk_conf.model import SwitchPlan
from asterisk_conf.render import render

FOLDERS = ("etc", "agi-bin", "log", "db", "spool", "lib/keys", "share", "cel")
"""What Asterisk expects below its own folder."""


class Drift(StrEnum):
    """How a file differs from what the settings and the published table say."""

    MISSING = "missing"
    CHANGED = "changed"
    FOREIGN = "foreign"
    """A file that we did not write."""
    READABLE = "readable"
    """Others may read it, and it holds secrets."""


@dataclass(frozen=True, slots=True)
class Difference:
    path: Path
    drift: Drift


def prepare(plan: SwitchPlan) -> bool:
    """Write what is missing or changed; True when anything was. Every file is private to its owner (0600)."""
    for folder in FOLDERS:
        (plan.home / folder).mkdir(parents=True, exist_ok=True)
    plan.run.mkdir(parents=True, exist_ok=True)
    plan.recordings.mkdir(parents=True, exist_ok=True, mode=0o700)
    _link(plan.home / "share" / "documentation", plan.documentation)
    _link(plan.home / "share" / "sounds", plan.sounds)
    differences = check(plan)
    wanted = render(plan)
    for difference in differences:
        if difference.drift is Drift.FOREIGN:
            difference.path.unlink(missing_ok=True)  # a draft that a crash left behind is gone once its file is written
        else:
            _write(difference.path, wanted[str(difference.path.relative_to(plan.home))])
    return bool(differences)


def check(plan: SwitchPlan) -> list[Difference]:
    """Every difference between disk and plan, by path; empty when there is none."""
    wanted = {plan.home / name: text for name, text in render(plan).items()}
    found = {path for folder in ("etc", "agi-bin") for path in (plan.home / folder).glob("*") if not path.is_dir()}
    differences = [Difference(path, Drift.FOREIGN) for path in found - wanted.keys()]
    for path, text in wanted.items():
        if not path.exists():
            differences.append(Difference(path, Drift.MISSING))
        elif path.read_bytes() != text.encode():
            differences.append(Difference(path, Drift.CHANGED))
        elif path.stat().st_mode & 0o077:
            differences.append(Difference(path, Drift.READABLE))
    return sorted(differences, key=lambda difference: difference.path)


def _write(path: Path, text: str) -> None:
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700 if path.parent.name == "agi-bin" else 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    link.unlink(missing_ok=True)
    link.symlink_to(target)
