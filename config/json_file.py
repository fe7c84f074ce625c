"""What a restart must not change, in one small JSON file: written whole, or not at all.

One job: write, in a thread, because a disk may take its time and calls do not wait for it.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any


async def write_json(path: Path, value: Any) -> None:
    """Put ``value`` in the place of what the file held; on the disk when this returns. Raises OSError."""
    await asyncio.to_thread(_write, path, json.dumps(value, ensure_ascii=False, indent=2))


def _write(path: Path, text: str) -> None:
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
