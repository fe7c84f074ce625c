"""The live counters say what the definitions say, minute by minute; agents' time is cut at the half-hour."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.live import HALF_HOUR_MS, MINUTE_MS, WINDOW_MINUTES, Live, merge_patch, shown
from ledger.measures import Aims, measures, outcome
from ledger.model import Fact
from telephony.model import AgentId, GroupId
from tests.unit.ledger.calls import AT, told

pytestmark = pytest.mark.unit

AIMS = Aims(15, 95, 5)
NOW = round(AT.timestamp() * 1000)
ONE, GENERAL = AgentId("1001"), (GroupId("general"),)


def heard(facts: Iterable[Fact]) -> Live:
    live = Live(AIMS, NOW)
    for fact in sorted(facts, key=lambda fact: (fact.at, fact.id)):
        live.hear(fact.kind, fact.call, fact.data, round(fact.at.timestamp() * 1000))
    return live


calls = st.lists(
    st.fixed_dictionaries(
        {
            "after": st.integers(0, 20_000),
            "prompt": st.integers(0, 20),
            "wait": st.one_of(st.none(), st.integers(0, 40)),
            "hold": st.integers(0, 60),
            "group": st.sampled_from(["general", "market"]),
            "by": st.sampled_from(["agent", "subcentre", "fallback"]),
        }
    ),
    max_size=12,
)


@given(calls)
def test_the_live_view_counts_what_the_definitions_count(given_calls: list[dict[str, Any]]) -> None:
    stories = [told(serial, **call) for serial, call in enumerate(given_calls)]
    live = heard(fact for story in stories for fact in story)
    outcomes = [found for story in stories if (found := outcome(story))]
    for window, some in [(live.window, outcomes)] + [
        (live.groups[group], [one for one in outcomes if one.group == group]) for group in live.groups
    ]:
        defined = measures(some, AIMS)
        for name, value in shown(window.whole).items():
            expected = getattr(defined, name)
            assert value == (pytest.approx(expected, abs=0.06) if isinstance(expected, float) else expected), name
    learned = Live(AIMS, NOW)
    learned.learn(outcomes)
    assert learned.window == live.window
    assert learned.groups == live.groups


def test_a_call_that_is_told_twice_counts_once() -> None:
    story = told(1)
    live = heard([*story, *story[2:]])
    live.learn([found for found in [outcome(story[:3])] if found])
    assert heard(story).window.whole.calls == 1
    assert live.since_start.calls == 1


def test_what_is_older_than_any_24_hours_counts_no_more() -> None:
    live = heard([*told(1), *told(2, 3600)])
    minute = NOW // MINUTE_MS
    live.forget((minute + WINDOW_MINUTES - 1) * MINUTE_MS)
    assert live.window.whole.calls == 2
    live.forget((minute + WINDOW_MINUTES) * MINUTE_MS)
    assert (live.window.whole.calls, live.groups["general"].whole.calls) == (1, 1)
    live.forget((minute + WINDOW_MINUTES + 60) * MINUTE_MS)
    assert shown(live.window.whole) == shown(Live(AIMS, NOW).window.whole)
    assert live.since_start.calls == 2, "a counter of a monitoring system never falls"


def test_an_emergency_number_dialled_directly_counts_nowhere() -> None:
    assert (
        heard(fact for fact in told(1, rule="emergency", by="emergency") if fact.kind != "waiting").window
        == Live(AIMS, NOW).window
    )


def test_waits_are_counted_by_class() -> None:
    live = heard([*told(1, prompt=5, wait=0), *told(2, prompt=5, wait=0.001), *told(3, prompt=5, wait=1000)])
    assert live.waits == [1, 1, 0, 0, 0, 0, 0, 0, 1]


def test_an_agents_time_is_cut_at_the_half_hour() -> None:
    live = Live(AIMS, NOW)
    live.moved(ONE, GENERAL, "ready", NOW)
    live.moved(ONE, GENERAL, "talking", NOW + 1000)
    live.moved(ONE, GENERAL, "wrap-up", NOW + HALF_HOUR_MS - 4000)
    # The next half-hour has begun before anybody turned it.
    live.moved(ONE, GENERAL, "ready", NOW + HALF_HOUR_MS + 6000)
    (first,) = live.over()
    assert first.start == AT
    assert first.state_ms == {"ready": 1000, "talking": HALF_HOUR_MS - 5000, "wrap-up": 4000}
    assert (first.wrap_ups, first.wrap_up_ms, first.groups) == (0, 0, GENERAL)
    live.moved(ONE, GENERAL, "signed-out", NOW + HALF_HOUR_MS + 7000)
    live.stop(NOW + HALF_HOUR_MS + 9000)
    (second,) = live.over()
    assert second.state_ms == {"wrap-up": 6000, "ready": 1000}
    assert (second.wrap_ups, second.wrap_up_ms) == (1, 10_000)
    assert live.over() == []


def test_every_millisecond_of_two_hours_is_in_exactly_one_half_hour() -> None:
    live = Live(AIMS, NOW)
    live.moved(ONE, GENERAL, "ready", NOW)
    live.turn(NOW + 4 * HALF_HOUR_MS)
    assert [time.state_ms for time in live.over()] == [{"ready": HALF_HOUR_MS}] * 4


def test_an_agent_who_is_seen_again_in_the_same_state_has_not_moved() -> None:
    live = Live(AIMS, NOW)
    for after in (0, 5000, 9000):
        live.moved(ONE, GENERAL, "wrap-up", NOW + after)
    live.moved(ONE, GENERAL, "signed-out", NOW + 10_000)
    live.stop(NOW + 20_000)
    (time,) = live.over()
    assert (time.state_ms, time.wrap_ups) == ({"wrap-up": 10_000}, 1)


json_like = st.recursive(
    st.integers() | st.text(max_size=3) | st.booleans(), lambda inner: st.dictionaries(st.text(max_size=2), inner)
)


@given(st.dictionaries(st.text(max_size=2), json_like), st.dictionaries(st.text(max_size=2), json_like))
def test_a_patch_makes_the_old_picture_the_new_one(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert patched(before, json.loads(json.dumps(merge_patch(before, after)))) == after
    assert merge_patch(after, after) == {}


def patched(target: Any, patch: Any) -> Any:
    """RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = patched(result.get(key), value)
    return result
