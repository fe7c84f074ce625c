"""Generated secrets of one instance, in DATA_DIR/secrets.json, readable by its owner only (0600)."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

FILE: Final = "secrets.json"

_SECRET: Final = re.compile(r"[A-Za-z0-9_.~+/=@-]*")


class CredentialsUnusable(Exception):
    """The file of secrets is there and cannot be used; the text says what to do, in Chinese."""


@dataclass(frozen=True, slots=True)
class Credentials:
    ami_secret: str
    agi_token: str
    api_token: str
    seat_passwords: Mapping[str, str]
    push_secret: str = ""
    """Of which each centre's own signing key is made."""


def credentials(data_dir: Path, seats: Iterable[str] = ()) -> Credentials:
    """The instance's secrets; what is missing is generated and kept. Raises CredentialsUnusable."""
    path = data_dir / FILE
    held = _read(path)
    passwords = dict(held.seat_passwords)
    passwords |= {seat: secrets.token_urlsafe(9) for seat in seats if seat not in passwords}
    whole = Credentials(
        ami_secret=held.ami_secret or secrets.token_urlsafe(24),
        agi_token=held.agi_token or secrets.token_urlsafe(24),
        api_token=held.api_token or secrets.token_urlsafe(24),
        seat_passwords=passwords,
        push_secret=held.push_secret or secrets.token_urlsafe(24),
    )
    if whole != held:
        _write(path, asdict(whole))
    elif path.stat().st_mode & 0o077:
        path.chmod(0o600)
    return whole


def _read(path: Path) -> Credentials:
    """What is kept; empty where nothing is. They go into Asterisk's files: what could be syntax there is refused."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        ami_secret, agi_token, api_token = (held.get(name, "") for name in ("ami_secret", "agi_token", "api_token"))
        kept = Credentials(ami_secret, agi_token, api_token, dict(held.get("seat_passwords", {})))
        kept = replace(kept, push_secret=held.get("push_secret", ""))
        told = (kept.ami_secret, kept.agi_token, kept.api_token, kept.push_secret, *kept.seat_passwords.values())
        if all(_SECRET.fullmatch(secret) for secret in told):
            return kept
    except FileNotFoundError:
        return Credentials("", "", "", {})
    except OSError as error:
        raise CredentialsUnusable(f"读不了密钥文件 {path}（{error.strerror}）；请检查它的权限和所有者") from None
    except (ValueError, AttributeError, TypeError):
        pass
    raise CredentialsUnusable(
        f"{path} 不是完好的密钥文件；请从备份恢复，或移走它：下次启动会生成新的口令，话机要改用新口令"
    )


def _write(path: Path, values: Mapping[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(values, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
