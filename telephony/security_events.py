"""Asterisk's security events, read from the lines of its log: who tried a password, from where, and with what success.

One job: one line in, one fact out. Account names in these lines are a stranger's own text: one that could hide a field
of its own is read as unknown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Attempt(StrEnum):
    WRONG = "wrong"
    """A password that is not the account's."""
    STRANGER = "stranger"
    """An account that is not there, or an address that may not use it."""
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    attempt: Attempt
    account: str
    """Empty when it cannot be told."""
    source: str
    """IP address without port; empty when it cannot be told."""


_NAMES: Final = {
    "ChallengeResponseFailed": Attempt.WRONG,
    "InvalidPassword": Attempt.WRONG,
    "InvalidAccountID": Attempt.STRANGER,
    "FailedACL": Attempt.STRANGER,
    "SuccessfulAuth": Attempt.RIGHT,
}
_HEAD: Final = re.compile(
    r"\[[^\]]*\] SECURITY\[[^\]]*\](?:\[[^\]]*\])? \S+ (?:\S+ )?"
    r'SecurityEvent="(\w+)",EventTV="[^"]*",Severity="\w+",Service="PJSIP",'
)
_WHO: Final = re.compile(
    r'EventVersion="\d+",AccountID="([^"]*)",SessionID="[^"]*",LocalAddress="[^"]*",'
    r'RemoteAddress="IPV[46]/\w+/([0-9A-Fa-f.:]+)/\d+"'
)
_ACCOUNT: Final = re.compile(r"[A-Za-z0-9_.+-]{1,40}")


def security_event(line: str) -> SecurityEvent | None:
    """What a line of the security log says; None for one that says nothing about passwords, or is no such line."""
    head = _HEAD.match(line)
    attempt = _NAMES.get(head[1]) if head is not None else None
    if head is None or attempt is None:
        return None
    who = _WHO.match(line, head.end())
    if who is None:  # a name with a quote in it: that somebody tried is sure, and nothing else
        return None if attempt is Attempt.RIGHT else SecurityEvent(attempt, "", "")
    account = who[1] if _ACCOUNT.fullmatch(who[1]) else ""
    return SecurityEvent(attempt, account, who[2])
