"""Lines of Asterisk's security log, and what strangers can and cannot make them say."""

from __future__ import annotations

import pytest

from telephony.security_events import Attempt, SecurityEvent, security_event

pytestmark = pytest.mark.unit

LINE = (
    "[2026-11-30 03:11:52.170] SECURITY[8203] res_security_log.c: "
    'SecurityEvent="{event}",EventTV="2026-11-30T03:11:52.170+0000",'
    'Severity="Error",Service="PJSIP",EventVersion="1",AccountID="{account}",SessionID="abc",'
    'LocalAddress="IPV4/UDP/127.0.0.1/5062",RemoteAddress="IPV4/UDP/203.0.113.9/40000",Challenge="c"'
)


def line(event: str = "ChallengeResponseFailed", account: str = "8003") -> str:
    return LINE.format(event=event, account=account)


@pytest.mark.parametrize(
    ("event", "attempt"),
    [
        ("ChallengeResponseFailed", Attempt.WRONG),
        ("InvalidPassword", Attempt.WRONG),
        ("InvalidAccountID", Attempt.STRANGER),
        ("FailedACL", Attempt.STRANGER),
        ("SuccessfulAuth", Attempt.RIGHT),
    ],
)
def test_who_tried_from_where_and_with_what_success(event: str, attempt: Attempt) -> None:
    assert security_event(line(event)) == SecurityEvent(attempt, "8003", "203.0.113.9")


def test_over_ipv6_too() -> None:
    told = security_event(line().replace("IPV4/UDP/203.0.113.9", "IPV6/TCP/2001:db8::9"))
    assert told == SecurityEvent(Attempt.WRONG, "8003", "2001:db8::9")


@pytest.mark.parametrize(
    "account",
    [
        '8003",SessionID="x",LocalAddress="IPV4/UDP/1/1",RemoteAddress="IPV4/UDP/198.51.100.1/1',
        '"',
        'a",RemoteAddress="IPV4/UDP/198.51.100.1/1"',
    ],
)
def test_a_name_cannot_put_somebody_else_s_address_there(account: str) -> None:
    told = security_event(line(account=account))
    assert told is not None, "that somebody tried is counted"
    assert told.account in ("", "8003")
    assert security_event(line("SuccessfulAuth", account='8003" ')) is None, "who was let in is never guessed"


@pytest.mark.parametrize("text", ["", "x" * 10_000, "[2026] NOTICE[1] x.c: y", line("ChallengeSent"), line()[:80]])
def test_other_lines_say_nothing(text: str) -> None:
    assert security_event(text) is None


def test_a_name_that_is_none_is_not_told() -> None:
    told = security_event(line(account="座席 <script>"))
    assert told == SecurityEvent(Attempt.WRONG, "", "203.0.113.9")
