"""What can go wrong with a backup, each as a Chinese sentence that says what to do next."""

from __future__ import annotations


class BackupError(Exception):
    """Root of everything this room raises."""


class BackupDamaged(BackupError):
    """A backup is damaged, truncated, or not one of ours."""


class KeyNeeded(BackupError):
    """The backup is encrypted, and the key is missing or another one."""


class TargetInUse(BackupError):
    """The place to restore into is not empty, or something runs there."""
