"""Digest authentication (RFC 7616, RFC 8760 for SIP): a challenge and a password become an Authorization header."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping

_PAIR = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^,\s]+))')
_HASHES = {"SHA-512-256": "sha512_256", "SHA-256": "sha256", "MD5": "md5"}
"""Strongest first."""


def answer(challenges: Iterable[str], *, method: str, uri: str, user: str, password: str, cnonce: str) -> str:
    """The Authorization value for the strongest challenge we know, or an empty string when we know none."""
    offered: dict[str, Mapping[str, str]] = {}
    for challenge in challenges:
        scheme, _, rest = challenge.strip().partition(" ")
        if scheme.lower() == "digest":
            fields = {key.lower(): quoted or bare for key, quoted, bare in _PAIR.findall(rest)}
            offered.setdefault(fields.get("algorithm", "MD5").upper(), fields)
    for algorithm, name in _HASHES.items():
        if algorithm in offered:
            return _credentials(offered[algorithm], algorithm, name, method, uri, user, password, cnonce)
    return ""


def _credentials(
    asked: Mapping[str, str], algorithm: str, name: str, method: str, uri: str, user: str, password: str, cnonce: str
) -> str:
    def digest(text: str) -> str:
        return hashlib.new(name, text.encode()).hexdigest()

    realm, nonce = asked.get("realm", ""), asked.get("nonce", "")
    secret, what = digest(f"{user}:{realm}:{password}"), digest(f"{method}:{uri}")
    parts = [f'username="{user}"', f'realm="{realm}"', f'nonce="{nonce}"', f'uri="{uri}"', f"algorithm={algorithm}"]
    if "auth" in [qop.strip() for qop in asked.get("qop", "").split(",")]:
        parts += [f'response="{digest(f"{secret}:{nonce}:00000001:{cnonce}:auth:{what}")}"', "qop=auth", "nc=00000001",
                  f'cnonce="{cnonce}"']  # fmt: skip
    else:
        parts.append(f'response="{digest(f"{secret}:{nonce}:{what}")}"')
    if "opaque" in asked:
        parts.append(f'opaque="{asked["opaque"]}"')
    return "Digest " + ", ".join(parts)
