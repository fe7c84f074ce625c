"""The story of a call, as people read it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.codec import clean
from ledger.model import Fact, Kind
from ledger.records import CEL, ENGINE, fold
from ledger.story import as_json, mask, offset, tell
from queues.model import OfferFailure
from telephony.model import CallId

pytestmark = pytest.mark.unit

CALL = CallId("hl1-1700000000.1")
AT = datetime(2026, 1, 1, tzinfo=UTC)


def fact(seconds: float, kind: Kind, source: str = ENGINE, /, **data: Any) -> Fact:
    return Fact(f"{source}-{kind}-{seconds}", kind, CALL, AT + timedelta(seconds=seconds), data, source)


STORY = [
    fact(0, Kind.ENTERED, number="12333", caller="13800001234", mode="full", rule="legacy.full.during"),
    fact(0.02, Kind.PROMPTED, prompts=["legacy-12333-during"]),
    fact(3.2, Kind.WAITING, group="social-security", position=2, priority=0),
    fact(6.1, Kind.OFFERED, seat="8003", agent="1003", group="social-security", waited_ms=6100),
    fact(9, Kind.NOT_ANSWERED, seat="8003", agent="1003", why="busy"),
    fact(11, Kind.ANSWERED, seat="8004", agent="1004", group="social-security", waited_ms=11000, by="agent"),
    fact(11.0, Kind.RECORDING, file="x"),
    fact(20, Kind.TRANSFER, id="t", target="110", state="joined", trunk="emergency-110"),
    fact(21, Kind.PARTY, party="centre", action="joined", channel="PJSIP/x"),
    fact(71, Kind.TALK_ENDED, seat="8004", agent="1004", talk_ms=60000),
    fact(72, Kind.RATING_ASKED),
    fact(75, Kind.RATED, key="5", level=5),
    fact(77, Kind.ENDED, cause=16, by="caller", talk_ms=60000, answered=True),
]


def test_holds_and_what_it_came_to_are_told_and_a_remark_is_not() -> None:
    at = {"seat": "8004", "agent": "1004"}
    facts = [
        fact(0, Kind.ENTERED, number="12345"),
        fact(1, Kind.HELD, **at, music="default"),
        fact(2, Kind.HELD, **at),
        fact(3, Kind.RESUMED, **at),
        fact(9, Kind.WRAP_UP, code="order", name="已派工单", agent="1004", by="张三", remark="住东山路"),
        fact(10, Kind.WRAP_UP, code="order", name="", agent="1004", by=""),
    ]
    assert [line.text for line in tell(facts)][1:] == [
        "座席1004（工号1004，话机8004）保持通话，市民听等待音乐（default）",
        "座席1004（工号1004，话机8004）保持通话，市民听等待音乐",
        "座席1004（工号1004，话机8004）恢复通话",
        "处理结果：已派工单，张三填写（备注不在此显示）",
        "处理结果：order",
    ]
    record = fold(facts)
    assert record is not None
    assert record.wrap_up_code == "order"
    assert "东山路" not in json.dumps(as_json(record, facts), ensure_ascii=False)


def test_a_whole_call_reads_like_this() -> None:
    assert [str(line) for line in tell(STORY)] == [
        "00:00.0 来电 138****1234 拨打 12333（整体并入，过渡期内）",
        "00:00.0 播放过渡期提示音 legacy-12333-during",
        "00:03.2 排队等候技能组 social-security，第 2 位",
        "00:06.1 座席1003（工号1003，话机8003）振铃",
        "00:09.0 座席1003（工号1003，话机8003）未接听：话机忙",
        "00:11.0 座席1004（工号1004，话机8004）接听，等候 11.0 秒",
        "00:11.0 开始录音",
        "00:20.0 一键转接 110：已加入三方通话（线路 emergency-110）",
        "00:21.0 转接方加入通话",
        "01:11.0 座席1004（工号1004，话机8004）通话结束，通话 60.0 秒",
        "01:12.0 请来电人评价（好差评）",
        "01:15.0 评价：非常满意（按键 5）",
        "01:17.0 来电人挂机，通话 60.0 秒（原因 16 正常）",
    ]


def test_a_call_the_engine_missed_says_where_it_is_from() -> None:
    lines = [
        line.text
        for line in tell(
            [
                fact(0, Kind.ENTERED, CEL, number="12345", caller=""),
                fact(1, Kind.FALLBACK, CEL, why="engine-away"),
                fact(4, Kind.ANSWERED, CEL, by="fallback", seat="8001", group="duty", waited_ms=4000),
                fact(9, Kind.ENDED, CEL, cause="16", by="agent", talk_ms=5000),
            ]
        )
    ]
    assert lines == [
        "来电 号码未显示 拨打 12345（据交换机记录补记）",
        "转入应急排队（引擎不在）（据交换机记录补记）",
        "话机8001接听（应急排队），等候 4.0 秒（据交换机记录补记）",
        "座席挂机，通话 5.0 秒（原因 16 正常）（据交换机记录补记）",
    ]


def test_a_call_begins_and_ends_once_whoever_told_us() -> None:
    twice = [*STORY, fact(-0.5, Kind.ENTERED, CEL, number="12333"), fact(78, Kind.ENDED, CEL, cause=16), STORY[-1]]
    assert [str(line) for line in tell(twice)] == [str(line) for line in tell(STORY)]


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("13800001234", "138****1234"),
        ("+8613800001234", "+86****1234"),
        ("06638765432", "066****5432"),
        ("8765432", "87****32"),
        ("12345", "*****"),
        ("", "号码未显示"),
    ],
)
def test_numbers_are_masked(number: str, shown: str) -> None:
    assert mask(number) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(0, "00:00.0"), (59.99, "00:59.9"), (60, "01:00.0"), (4000, "66:40.0")])
def test_offsets(seconds: float, shown: str) -> None:
    assert offset(seconds) == shown


def test_the_caller_is_shown_only_to_those_who_may() -> None:
    record = fold(STORY)
    assert record is not None
    hidden = json.dumps(as_json(record, STORY), ensure_ascii=False)
    assert "13800001234" not in hidden
    assert "138****1234" in hidden
    shown = as_json(record, STORY, reveal=True)
    assert shown["caller"] == "13800001234"
    assert "13800001234" in shown["story"][0]["text"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(Kind),
            st.dictionaries(
                st.sampled_from(
                    ["number", "caller", "prompts", "seat", "by", "level", "key", "cause", "talk_ms", "why"]
                ),
                st.none() | st.integers() | st.floats() | st.text() | st.lists(st.text()),
            ),
        )
    )
)
def test_any_facts_can_be_told(parts: list[tuple[Kind, dict[str, Any]]]) -> None:
    facts = [fact(place, kind, **clean(data)) for place, (kind, data) in enumerate(parts)]
    assert len(tell(facts)) <= len(facts)
    record = fold(facts)
    if record:
        json.dumps(as_json(record, facts))


@pytest.mark.parametrize("why", list(OfferFailure))
def test_every_reason_why_a_seat_did_not_take_a_call_has_its_words(why: OfferFailure) -> None:
    (line,) = tell([fact(0, Kind.NOT_ANSWERED, seat="8001", agent="1001", why=why.value)])
    assert why.value not in line.text


def test_an_urgent_order_is_told_without_place_telephones_and_what_was_said() -> None:
    call = CallId("hl1-1795351322.1")
    at = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
    water = {"department": "water", "name": "供水", "phones": ["13800009999"]}
    data: dict[str, Any] = {
        "number": "hl1-20261122-0001", "type_name": "供水中断", "place": "东山路", "summary": "水管爆裂",
        "caller": "13800001234", "steps": [water], "step": 0, "reason": "", "acknowledged_by": "",
    }  # fmt: skip
    ringing = {"department": "water", "number": "13800009999"}
    facts = [
        Fact("1", Kind.ORDER, call, at, {**data, "what": "raised"}),
        Fact("2", Kind.ORDER, call, at, {**data, "what": "dialling", "ringing": ringing}),
        Fact("3", Kind.ORDER, call, at, {**data, "what": "not-taken", "reason": "silent"}),
        Fact("4", Kind.ORDER, call, at, {**data, "what": "acknowledged", "acknowledged_by": "water"}),
        Fact("5", Kind.ORDER, call, at, {**data, "what": "of a later program"}),
    ]
    assert [line.text.removeprefix("应急工单 hl1-20261122-0001：") for line in tell(facts)] == [
        "（供水中断）派给供水",
        "呼叫供水值班电话",
        "值班电话没有签收：接听后没有按键",
        "供水已签收",
        "of a later program",
    ]
    record = fold(facts)
    assert record is not None
    shown = json.dumps(as_json(record, facts), ensure_ascii=False)
    assert not any(secret in shown for secret in ("东山路", "水管爆裂", "13800009999", "13800001234"))


def test_what_could_not_be_played_is_not_told_as_played() -> None:
    told = tell(
        [
            fact(0.0, Kind.ENTERED, number="12345", caller="13800001234"),
            fact(0.1, Kind.PROMPTED, prompts=["greeting-12345", "announcement-disaster"]),
            fact(0.2, Kind.UNPLAYED, prompts=["announcement-disaster"], why="switch"),
        ]
    )
    assert [line.text for line in told[1:]] == [
        "播放提示音 greeting-12345",
        "提示音没有播出：announcement-disaster（交换机放不出）",
    ]
