"""No new identifier of the house's old private language: docs/glossary.md has the word to use instead."""

from __future__ import annotations

import json

import pytest

from tests.support.private_words import COUNTS, counted, is_private

pytestmark = pytest.mark.unit


def test_private_words_in_identifiers_only_become_fewer() -> None:
    allowed = json.loads(COUNTS.read_text(encoding="utf-8"))
    more = {name: count for name, count in counted().items() if count > allowed.get(name, 0)}
    assert more == {}, "name these for their type or by docs/glossary.md; after a rename: make words"


@pytest.mark.parametrize("name", ["told", "_tell", "who_told", "Stirred", "_DEEDS", "WayOut"])
def test_a_private_word_is_found_in_any_spelling(name: str) -> None:
    assert is_private(name)


@pytest.mark.parametrize("name", ["call", "on_answer_lost", "WayneOut", "holdings"])
def test_a_plain_word_is_none(name: str) -> None:
    assert not is_private(name)
