"""The console's certificate: loaded, taken anew when its files change, and told of before it ends.

One job: the two files. Whoever renews a certificate replaces them; nobody has to restart anything.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.x509 import load_pem_x509_certificate

WARN: Final = timedelta(days=14)
"""Renewal by ACME begins 30 days before the end (certbot's default); two weeks of trying have failed by then."""


def end_of(cert: str) -> datetime:
    """When the first certificate of a PEM file ends.

    Raises:
        OSError: The file cannot be read.
        ValueError: It holds no certificate.
    """
    return load_pem_x509_certificate(Path(cert).read_bytes()).not_valid_after_utc


def tls(cert: str, key: str) -> ssl.SSLContext:
    """For a server; TLS 1.2 and later.

    Raises:
        OSError: A file is not there, not readable, no PEM, or the key is another's (``ssl.SSLError`` is one).
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(cert, key)
    return context


class Certificate:
    """What a listener serves, kept as new as its files."""

    def __init__(self, cert: str, key: str) -> None:
        """Raises OSError as ``tls`` does, ValueError as ``end_of`` does."""
        self._cert, self._key = cert, key
        self._seen = self._stamp()
        self.context: Final = tls(cert, key)
        self.end = end_of(cert)

    def renew(self) -> bool:
        """Serve the files as they are now to whoever connects next; whether they have changed.

        Files that are no good leave what is served as it was, and are told of each time until they are good.

        Raises:
            OSError: As ``tls``.
            ValueError: As ``end_of``.
        """
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        tls(self._cert, self._key)  # in full before the served one is touched: the files may be half written
        end = end_of(self._cert)
        self.context.load_cert_chain(self._cert, self._key)
        self._seen, self.end = stamp, end
        return True

    def ending(self, now: datetime | None = None) -> bool:
        """Fewer than 14 days are left, or none."""
        return self.end - (now or datetime.now(UTC)) < WARN

    def _stamp(self) -> tuple[tuple[int, int, int], ...]:
        found = (Path(name).stat() for name in (self._cert, self._key))
        return tuple((one.st_mtime_ns, one.st_size, one.st_ino) for one in found)
