"""The calls that are up: each entered, recorded and ended once."""

from __future__ import annotations

from typing import cast

import pytest

from calls.registry import Calls
from ledger.journal import Journal
from ledger.model import Kind
from telephony.model import Stage
from tests.support.engine_harness import Ledger, call_id

pytestmark = pytest.mark.unit


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def calls(ledger: Ledger) -> Calls:
    return Calls(cast("Journal", ledger))


def test_a_call_is_known_by_its_first_news(calls: Calls) -> None:
    first = calls.get_or_create(call_id(1), "PJSIP/pstn-00000001")
    assert calls.get_or_create(call_id(1), "PJSIP/other-00000002", Stage.WAIT) is first
    assert (first.channel, first.stage) == ("PJSIP/pstn-00000001", Stage.RING)


def test_a_recording_is_told_once_and_only_of_a_known_call(calls: Calls, ledger: Ledger) -> None:
    calls.record(call_id(1), "a.wav")
    calls.get_or_create(call_id(1), "")
    calls.record(call_id(1), "a.wav")
    calls.record(call_id(1), "a.wav")
    assert ledger.of(Kind.RECORDING) == [{"file": "a.wav"}]


def test_entering_is_told_once(calls: Calls, ledger: Ledger) -> None:
    calls.get_or_create(call_id(1), "")
    for _ in range(2):
        calls.record_fact(Kind.ENTERED, call_id(1), number="12345")
    assert len(ledger.of(Kind.ENTERED)) == 1


def test_an_end_is_told_once(calls: Calls, ledger: Ledger) -> None:
    calls.get_or_create(call_id(1), "")
    assert calls.remove(call_id(1), "16", "caller")
    assert not calls.remove(call_id(1), "16", "caller")
    assert ledger.of(Kind.ENDED) == [{"cause": "16", "by": "caller"}]


def test_what_the_switch_no_longer_has_is_named(calls: Calls) -> None:
    for serial in (3, 1, 2):
        calls.get_or_create(call_id(serial), "")
    assert calls.missing_from([call_id(2), call_id(9)]) == [call_id(1), call_id(3)]
