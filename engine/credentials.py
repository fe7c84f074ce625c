"""Generated secrets of one instance, in DATA_DIR/secrets.json, readable by its owner only (0600)."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

FILE: Final = "secrets.json"


@dataclass(frozen=True, slots=True)
class Credentials:
    ami_secret: str
    api_token: str
    seat_passwords: Mapping[str, str]


def credentials(data_dir: Path, seats: Iterable[str] = ()) -> Credentials:
    """The instance's secrets; what is missing is generated and kept. Raises ValueError for a file that is not ours."""
    path = data_dir / FILE
    held = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if not isinstance(held, dict):
        raise ValueError(f"{path} 不是密钥文件；请移走它，下次启动会重新生成")
    passwords: dict[str, str] = dict(held.get("seat_passwords", {}))
    passwords |= {seat: secrets.token_urlsafe(9) for seat in seats if seat not in passwords}
    whole = Credentials(
        ami_secret=held.get("ami_secret") or secrets.token_urlsafe(24),
        api_token=held.get("api_token") or secrets.token_urlsafe(24),
        seat_passwords=passwords,
    )
    if asdict(whole) != held:
        _write(path, asdict(whole))
    return whole


def _write(path: Path, values: Mapping[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(values, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
