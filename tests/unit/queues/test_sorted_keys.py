from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queues.sorted_keys import SortedKeys

pytestmark = pytest.mark.unit


@given(st.lists(st.tuples(st.booleans(), st.tuples(st.integers(0, 9), st.integers(0, 3)))))
def test_it_is_a_sorted_set(steps: list[tuple[bool, tuple[int, int]]]) -> None:
    ordered: SortedKeys[tuple[int, int]] = SortedKeys()
    model: set[tuple[int, int]] = set()
    for add, key in steps:
        if add:
            ordered.add(key)
            model.add(key)
        else:
            ordered.discard(key)
            model.discard(key)
        assert list(ordered) == sorted(model)
        assert ordered.first() == min(model, default=None)
        assert (key in ordered) == (key in model)
        assert ordered.before(key) == sum(other < key for other in model)
        assert len(ordered) == len(model)
