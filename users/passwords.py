"""Passwords and codes: hashed, checked, made.

One job: the cryptography, by argon2-cffi and pyotp. argon2id costs tens of milliseconds and runs in threads, few at a
time, so that calls do not wait for it; a user whom nobody knows costs the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import unicodedata
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache
from secrets import choice, token_hex
from typing import Final

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

THREADS: Final = 2
MOST_WAITING: Final = 40
"""More than these at once are told to come again: at two at a time they would wait for seconds."""

STEP_SECONDS: Final = 30
RECOVERY_CODES: Final = 10

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""argon2id, 19 MiB, 2 passes: the least that OWASP's Password Storage Cheat Sheet recommends."""

_CLEAR: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits that nobody takes for others, read aloud or written down."""


class Busy(Exception):
    """Too many want to be checked at this moment."""


class Hashing:
    """Hashes in threads of its own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="passwords")
        self._waiting = 0

    async def hashed(self, password: str) -> str:
        """What is kept of a password. Raises Busy."""
        return str(await self._run(_hash, password))

    async def matches(self, kept: str | None, password: str) -> bool:
        """Whether it is the password; None is compared with nobody's and never is. Raises Busy."""
        right = await self._run(_matches, kept or "", password)
        return bool(right) and kept is not None

    def stop(self) -> None:
        """No more checks."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: object, *arguments: str) -> object:
        if self._waiting >= MOST_WAITING:
            raise Busy
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)  # type: ignore[arg-type]
        finally:
            self._waiting -= 1


def outdated(kept: str) -> bool:
    """It was hashed with other parameters than today's."""
    return _HASHER.check_needs_rehash(kept)


def one_time_password() -> str:
    """Sixteen characters in four groups, 79 bits."""
    return "-".join(_letters(4) for _ in range(4))


def recovery_codes() -> list[str]:
    """Codes for the day on which the authenticator is lost, each 49 bits and good for one time."""
    return [f"{_letters(5)}-{_letters(5)}" for _ in range(RECOVERY_CODES)]


def digest(secret: str) -> str:
    """What is kept of a secret that nobody can guess: SHA-256 in hex."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def csrf_token(session: str) -> str:
    """What a page must show besides its cookie: made of the cookie's secret, which other pages cannot read."""
    return hmac.new(session.encode(), b"csrf", hashlib.sha256).hexdigest()


def new_totp_secret() -> str:
    """Base32, 160 bits (RFC 4226, R6)."""
    return pyotp.random_base32()


def totp_address(secret: str, name: str) -> str:
    """What the QR code shows."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="12345")


def totp_step(secret: str, code: str, now: datetime, after: int) -> int | None:
    """The step whose code this is, one early or late allowed; None for a wrong one and for one that was used."""
    present = int(now.timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret)
    for step in (present - 1, present, present + 1):
        if step > after and hmac.compare_digest(totp.at(step * STEP_SECONDS).encode(), code.strip().encode()):
            return step
    return None


def used_recovery(codes: Sequence[str], code: str) -> list[str] | None:
    """The hashes that are left after this code; None when it is none of them."""
    wanted = digest(code.strip().lower())
    return [one for one in codes if one != wanted] if wanted in codes else None


def _hash(password: str) -> str:
    return _HASHER.hash(_same(password))


def _matches(kept: str, password: str) -> bool:
    try:
        return _HASHER.verify(kept or _nobodys(), _same(password))
    except (VerificationError, InvalidHashError):
        return False


def _same(password: str) -> bytes:
    """One password, however the keyboard composed it."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


@cache
def _nobodys() -> str:
    return _HASHER.hash(token_hex())


def _letters(count: int) -> str:
    return "".join(choice(_CLEAR) for _ in range(count))
