"""What an earlier version wrote is read right by this one: words in databases, journals, channels and AstDB stay.

stored_words.json was written by the version before the rooms were ordered anew (ADR 0035): every enumeration whose
values are stored or sent, and a journal with a fact of each kind and a callback and an order in each state. A value may
be added; none may be taken away or renamed without a reader of the old form, and then this file is where to begin.
"""

from __future__ import annotations

import enum
import importlib
import json
from pathlib import Path
from typing import Any, Final

import pytest

from callbacks.model import CallbackState
from callbacks.serialisation import callback_of, to_data
from callbacks.voicemail_rules import message_of
from callbacks.voicemail_rules import to_data as voicemail_data
from ledger.codec import decode, encode
from ledger.model import Fact, Kind
from orders.model import OrderState
from orders.serialisation import order_of
from orders.serialisation import to_data as order_data

pytestmark = pytest.mark.unit

STORED: Final[dict[str, Any]] = json.loads(Path(__file__).with_name("stored_words.json").read_text(encoding="utf-8"))


def facts(kind: Kind) -> list[Fact]:
    """Those of the earlier version's journal."""
    return [fact for fact in map(decode, journal()) if fact.kind is kind]


def journal() -> list[bytes]:
    return [line.encode() for line in STORED["journal"]]


@pytest.mark.parametrize("name", STORED["words"])
def test_every_stored_word_is_still_read(name: str) -> None:
    module, _, called = name.rpartition(".")
    words: type[enum.Enum] = getattr(importlib.import_module(module), called)
    assert set(STORED["words"][name]) <= {str(word.value) for word in words}


def test_a_journal_of_the_earlier_version_is_read_and_written_the_same() -> None:
    assert [encode(decode(line)).rstrip(b"\n") for line in journal()] == journal()
    assert {decode(line).kind for line in journal()} <= set(Kind)


def test_callbacks_orders_and_messages_of_the_earlier_version_are_understood() -> None:
    callbacks = [(fact, callback_of(fact.call, fact.data)) for fact in facts(Kind.CALLBACK)]
    assert {callback.state for _, callback in callbacks} == set(CallbackState)
    for fact, callback in callbacks:
        assert to_data(callback) == fact.data
    orders = [(fact, order_of(fact.call, fact.data)) for fact in facts(Kind.ORDER)]
    assert {order.state for _, order in orders} == set(OrderState)
    for fact, order in orders:
        assert order_data(order, "raised") == fact.data
    for fact in facts(Kind.MESSAGE):
        assert voicemail_data(message_of(fact.call, fact.data)) == fact.data
