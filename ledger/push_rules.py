"""What is pushed to a centre's data interface, how it is signed, and when it is tried again.

One job: decisions. It sends nothing and reads no clock. How a centre takes it in: docs/centre-data.md.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final

from ledger.model import Fact, Kind
from ledger.records import fold, word

FIRST_DELAY_SECONDS: Final = 2.0
MAX_DELAY_SECONDS: Final = 300.0
MAX_REFUSALS: Final = 3
"""So often may a receiver refuse one message (4xx) before it is put aside."""

MAX_AGE_SECONDS: Final = 24 * 3600.0
"""A message that could not be delivered for so long is put aside."""

SIGNATURE_SECONDS: Final = 300
"""A signature that comes to us is refused when its time is further from ours."""

PUSHED: Final = (Kind.TRANSFER, Kind.NOTED)
"""Facts of a call that a centre is told of."""


class Outcome(StrEnum):
    """How one try ended."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    """The receiver understood, and does not want it."""
    UNREACHABLE = "unreachable"
    """No answer, or one that says to try again."""


def outcome(status: int) -> Outcome:
    """What an HTTP status means; 0 stands for no answer."""
    if 200 <= status < 300:
        return Outcome.DELIVERED
    return Outcome.REFUSED if 400 <= status < 500 and status not in (408, 425, 429) else Outcome.UNREACHABLE


def delay_seconds(tries: int) -> float:
    """The pause after so many tries in vain, without jitter: doubling, bounded."""
    return min(FIRST_DELAY_SECONDS * 2.0 ** min(tries - 1, 20), MAX_DELAY_SECONDS)


def given_up(refusals: int, age_seconds: float, max_age_seconds: float = MAX_AGE_SECONDS) -> bool:
    """Whether a person must look at it."""
    return refusals >= MAX_REFUSALS or age_seconds > max_age_seconds


def secret_of(master: str, target: str) -> str:
    """The key that we share with one centre or department, and with no other."""
    return hmac.new(master.encode(), f"push {target}".encode(), hashlib.sha256).hexdigest()


def signature(secret: str, timestamp: int, key: str, body: bytes) -> str:
    """HMAC-SHA256 over time, key and body, so that none of the three can be exchanged."""
    told = f"{timestamp}.{key}.".encode() + body
    return "v1=" + hmac.new(secret.encode(), told, hashlib.sha256).hexdigest()


def targets(fact: Fact, facts: Iterable[Fact]) -> list[str]:
    """The centres that a fact concerns; what is noted in a call concerns those it was transferred to."""
    if fact.kind is Kind.TRANSFER:
        return [word(fact.data, "target")]
    if fact.kind is Kind.NOTED:
        told = {word(one.data, "target") for one in facts if one.kind is Kind.TRANSFER}
        return sorted(told - {""})
    return []


def message(fact: Fact, facts: Iterable[Fact]) -> dict[str, Any]:
    """One message: what happened, and all that is known of the call so far."""
    known = [one for one in facts if (one.at, one.id) <= (fact.at, fact.id)]
    record = fold(known)
    noted = [one.data for one in known if one.kind is Kind.NOTED]
    told = fact.data if fact.kind is Kind.TRANSFER else {}
    return {
        "id": fact.id,
        "call": fact.call,
        "at": fact.at.isoformat(),
        "what": str(fact.kind),
        "drill": False,
        "transfer": {name: word(told, name) for name in ("id", "target", "state", "form", "trunk") if word(told, name)},
        "caller": record.caller if record else "",
        "number": record.number if record else "",
        "entered_at": record.entered_at.isoformat() if record else "",
        "answered_at": record.answered_at.isoformat() if record and record.answered_at else "",
        "agent": record.agent if record else "",
        "seat": record.seat if record else "",
        "address": next((one["address"] for one in reversed(noted) if one.get("address")), ""),
        "summary": next((one["summary"] for one in reversed(noted) if one.get("summary")), ""),
    }


def drill_message(fact: Fact) -> dict[str, Any]:
    """One message about a drill (演练), marked twice, so that nobody takes it for a citizen in need."""
    told = {"state": word(fact.data, "state"), "target": word(fact.data, "target"), "trunk": word(fact.data, "trunk")}
    blank = ("caller", "number", "entered_at", "answered_at", "address", "summary")
    return {
        "id": fact.id,
        "call": word(fact.data, "drill"),
        "at": fact.at.isoformat(),
        "what": str(fact.kind),
        "drill": True,
        "transfer": {name: value for name, value in told.items() if value},
        "agent": word(fact.data, "agent"),
        "seat": word(fact.data, "seat"),
        **dict.fromkeys(blank, ""),
    }


def encoded(told: Mapping[str, Any]) -> str:
    """The bytes that are signed, as text: the same for the same message."""
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
