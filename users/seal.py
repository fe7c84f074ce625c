"""Seeds of second factors, encrypted with a key of the instance that lies outside the database.

One job: who reads the database, or a backup of it, cannot make anybody's codes. AES-256-GCM, bound to the user's name,
so that a seed copied to another row opens nothing. The key: ``users.key`` in the data folder, readable by its owner.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FILE: Final = "users.key"
SEALED: Final = "s1:"
"""What a sealed seed begins with: no base32 does."""

_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32


class KeyUnusable(Exception):
    """The key is not what sealed this seed, or cannot be read; the text says what to do, in Chinese."""


class Seal:
    """The key of one instance; made when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._cipher: AESGCM | None = None

    def closed(self, seed: str, name: str) -> str:
        """The seed as it is kept. Raises KeyUnusable."""
        nonce = os.urandom(_NONCE_BYTES)
        return SEALED + urlsafe_b64encode(nonce + self._key().encrypt(nonce, seed.encode(), name.encode())).decode()

    def opened(self, kept: str, name: str) -> str:
        """The seed; one that was kept in clear by an older version as it is. Raises KeyUnusable."""
        if not kept.startswith(SEALED):
            return kept
        try:
            whole = urlsafe_b64decode(kept.removeprefix(SEALED))
            return self._key().decrypt(whole[:_NONCE_BYTES], whole[_NONCE_BYTES:], name.encode()).decode()
        except (InvalidTag, ValueError):
            raise KeyUnusable(
                f"动态口令的密钥文件 {self._path} 与数据库不符；请从备份恢复它，或请管理员重置密码后重新启用动态口令"
            ) from None

    def keyed(self, text: str) -> str:
        """A hash of what somebody has searched for that nobody makes without the key. Raises KeyUnusable."""
        try:
            return hmac.new(self._held(), b"searched " + text.encode(), hashlib.sha256).hexdigest()[:32]
        except (OSError, ValueError) as error:
            raise KeyUnusable(f"密钥文件 {self._path} 不能用（{error}）；请从备份恢复它") from None

    def _key(self) -> AESGCM:
        if self._cipher is None:
            try:
                self._cipher = AESGCM(self._held())
            except (OSError, ValueError) as error:
                raise KeyUnusable(f"动态口令的密钥文件 {self._path} 不能用（{error}）；请从备份恢复它") from None
        return self._cipher

    def _held(self) -> bytes:
        """Of two processes that make it at once, one makes it: the other reads what the first has made."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if not self._path.exists():
            draft = self._path.with_suffix(f".{os.getpid()}")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(os.urandom(_KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, self._path)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        if self._path.stat().st_mode & 0o077:
            self._path.chmod(0o600)
        held = self._path.read_bytes()
        if len(held) != _KEY_BYTES:
            raise ValueError(f"{len(held)} bytes")
        return held
