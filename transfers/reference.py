"""A call's reference in User-to-User (RFC 7433), as it goes to a centre and as it comes from one.

One job: hexadecimal to text and back. The dialplan writes the same text on its own (context call-reference).
"""

from __future__ import annotations


def hexadecimal(reference: str) -> str:
    """What stands in the header before ``;encoding=hex``."""
    return reference.encode("ascii").hex()


def readable(received: str) -> str:
    """The text that a centre meant: of hexadecimal the characters, of everything else itself."""
    try:
        text = bytes.fromhex(received).decode("ascii")
    except (ValueError, UnicodeDecodeError):
        return received
    return text if text.isprintable() else received
