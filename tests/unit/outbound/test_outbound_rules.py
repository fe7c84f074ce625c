"""Who may call whom, and why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from outbound import rules, serialisation
from outbound.history import History
from outbound.labels_zh import REFUSALS, SPOKEN
from outbound.model import NumberKind, OutboundCall, Refusal, State, Terms, Trunk, Way
from routing.numbers import citizen
from telephony.model import CallId, CallOutClass, made_by_agent, made_by_us

pytestmark = pytest.mark.unit

NOW = datetime(2026, 12, 1, 2, tzinfo=UTC)
AREA = "0663"
OPEN = Terms((Trunk("pstn", "192.0.2.1:5060"),), 40, True, 3, 2, 5, reach=CallOutClass.NATIONAL, group="general")
CALL = OutboundCall(
    CallId("hl1-1795351328.7000000001"), "1001", "8001", "13800138000", "+8613800138000", "general",
    "", "", Way.PHONE, "话机8001", State.DIALLING, NOW,
)  # fmt: skip


def why(
    told: str, terms: Terms = OPEN, *, agent: str = "1001", busy: bool = False, history: History | None = None
) -> Refusal | None:
    return rules.refusal(citizen(told, AREA), agent, busy=busy, terms=terms, history=history or History(), now=NOW)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ("13800138000", NumberKind.MOBILE), ("+8613800138000", NumberKind.MOBILE),
        ("008613800138000", NumberKind.MOBILE), ("8613800138000", NumberKind.MOBILE),
        ("013800138000", NumberKind.MOBILE), ("１３８００１３８０００", NumberKind.MOBILE),
        ("0663-8221234", NumberKind.LOCAL), ("866638221234", NumberKind.LOCAL), ("8221234", NumberKind.LOCAL),
        ("02081234567", NumberKind.ELSEWHERE), ("+862081234567", NumberKind.ELSEWHERE),
        ("0754-88221234", NumberKind.ELSEWHERE),
    ],
)  # fmt: skip
def test_every_form_of_a_number_is_of_one_kind(told: str, kind: NumberKind) -> None:
    assert rules.kind_of(citizen(told, AREA)) is kind
    assert why(told) is None


@pytest.mark.parametrize(
    "told",
    [
        "12345", "066312345", "+8666312345", "95598", "10086", "96110", "16812345", "4001234567", "+864001234567",
        "8001234567", "0085221234567", "+85221234567", "0019005551234", "+19005551234", "1", "", "0", "abc",
        "13800138000;1", "13800138000@192.0.2.9", "PJSIP/pstn", "${EXTEN}", "1380013800", "138001380001", "9" * 32,
    ],
)  # fmt: skip
def test_what_no_subscriber_has_is_called_by_nobody(told: str) -> None:
    assert why(told) is Refusal.NOT_CALLABLE


@pytest.mark.parametrize("told", ["110", "119", "120", "122", "0663110", "+86120", "0663-119"])
def test_an_emergency_number_is_never_called_out(told: str) -> None:
    assert why(told) is Refusal.EMERGENCY


@pytest.mark.parametrize("reach", list(CallOutClass))
def test_a_class_reaches_what_is_before_it_and_no_further(reach: CallOutClass) -> None:
    told = {NumberKind.LOCAL: "8221234", NumberKind.MOBILE: "13800138000", NumberKind.ELSEWHERE: "02081234567"}
    order = list(CallOutClass).index(reach)
    for place, kind in enumerate(NumberKind, 1):
        expected = None if place <= order else Refusal.CLASS
        assert why(told[kind], replace(OPEN, reach=reach)) is expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"hours_open": False}, Refusal.HOURS),
        ({"trunks": ()}, Refusal.NO_TRUNK),
        ({"never_called": frozenset({"13800138000"})}, Refusal.NEVER_CALLED),
    ],
)
def test_the_table_says_no(change: dict[str, object], expected: Refusal) -> None:
    assert why("+8613800138000", replace(OPEN, **change)) is expected  # type: ignore[arg-type]


def test_nobody_and_a_busy_agent_call_nobody() -> None:
    assert why("13800138000", agent="") is Refusal.NOT_SIGNED_IN
    assert why("13800138000", busy=True) is Refusal.BUSY


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([("1001", "1")] * 2, None),
        ([("1001", "1")] * 3, Refusal.AGENT_CAP),
        ([("1002", "13800138000")] * 2, Refusal.NUMBER_CAP),
        ([(f"200{n}", "1") for n in range(5)], Refusal.HOTLINE_CAP),
    ],
)
def test_caps_count_what_was_called_lately(calls: list[tuple[str, str]], expected: Refusal | None) -> None:
    history = History()
    for agent, number in calls:
        history.add(NOW - timedelta(minutes=50), agent, number)
    assert why("13800138000", history=history) is expected
    earlier = History()
    earlier.learn((NOW - timedelta(hours=25), agent, number) for agent, number in calls)
    assert why("13800138000", history=earlier) is None


def test_a_call_goes_only_where_the_table_of_moves_says() -> None:
    for state in State:
        for to in State:
            at = replace(CALL, state=state)
            if to in rules.MOVES[state]:
                moved = rules.moved(at, to, NOW)
                assert (moved.state, moved.open, moved.closed_at is None) == (to, moved.open, moved.open)
            else:
                with pytest.raises(rules.IllegalMove):
                    rules.moved(at, to, NOW)


def test_facts_tell_the_whole_call_and_the_latest_is_true() -> None:
    talking = rules.moved(CALL, State.TALKING, NOW + timedelta(seconds=9))
    over = rules.moved(talking, State.OVER, NOW + timedelta(seconds=60))
    told = [(f"0{place}", serialisation.data_of(one)) for place, one in enumerate((CALL, talking, over))]
    assert serialisation.latest(CALL.id, reversed(told)) == over
    assert serialisation.latest(CALL.id, told[:1]) == CALL
    assert serialisation.latest(CALL.id, []) is None


def test_many_short_talks_and_many_refusals_look_like_fraud() -> None:
    short = replace(CALL, state=State.OVER, answered_at=NOW, closed_at=NOW + timedelta(seconds=3))
    long = replace(short, closed_at=NOW + timedelta(seconds=30))
    refused = replace(CALL, state=State.REFUSED, closed_at=NOW)
    assert rules.suspicion("1001", [short] * rules.MANY_SHORT, NOW)
    assert rules.suspicion("1001", [refused] * rules.MANY_REFUSED, NOW)
    assert not rules.suspicion("1001", [long] * 50 + [short] * (rules.MANY_SHORT - 1), NOW)
    assert not rules.suspicion("1002", [short] * 50, NOW)
    assert not rules.suspicion("1001", [short] * 50, NOW + timedelta(hours=2))
    assert not rules.suspicion("", [replace(refused, agent="")] * 50, NOW)


def test_every_refusal_has_its_words() -> None:
    assert set(REFUSALS) == set(SPOKEN) == set(Refusal)


def test_a_call_of_an_agents_is_told_by_its_id() -> None:
    assert made_by_agent(CALL.id)
    assert made_by_us(CALL.id)
    assert not made_by_agent(CallId("hl1-1795351328.9000000001"))
    assert not made_by_agent(CallId("hl1-1795351328.12"))
