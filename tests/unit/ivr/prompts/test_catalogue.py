"""The catalogue follows the table; only its ids reach Playback; its words are pronounced right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from ivr.prompts.catalogue import MANDARIN, PROMPT_ID, CatalogueFault, Kind, catalogue, rating_ask
from ivr.prompts.pinyin import Unreadable, pinyin
from ivr.prompts.playlist import UnknownPrompt, playlist
from routing.model import Group, LegacyNumber, MergeMode, Snapshot
from telephony.model import GroupId

pytestmark = pytest.mark.unit

GROUP = GroupId("general")
NAMES = {
    "12333": "人社",
    "12315": "市场监管",
    "12329": "公积金",
    "12366": "税务",
}
USED_BY_THE_DIALPLAN = (
    "agent-id-ask",
    "apology",
    "emergency-failed",
    "goodbye",
    "greeting-12345",
    "seat-key-failed",
    "subcentre-returned",
)


def legacy(number: str, mode: MergeMode = MergeMode.FULL) -> LegacyNumber:
    return LegacyNumber(
        number, NAMES[number], mode, GROUP, None, None, f"legacy-{number}-during", f"legacy-{number}-after"
    )


def table(*rows: LegacyNumber, rating_keys: Mapping[str, int] | None = None) -> Snapshot:
    return Snapshot(
        version=1,
        published_at="2026-01-01T00:00:00Z",
        greeting="greeting-12345",
        default_group=GROUP,
        groups={GROUP: Group(GROUP, "综合受理", whisper=True)},
        schedules={},
        holidays={},
        numbers={row.number: row for row in rows},
        trunks={},
        agents={},
        seats=(),
        rating_keys=rating_keys or {},
    )


def test_the_greeting_names_the_city() -> None:
    assert catalogue(table(), "汕头")["greeting-12345"].text == "您好，汕头12345政务服务便民热线。"


@pytest.mark.parametrize("prompt_id", USED_BY_THE_DIALPLAN)
def test_what_the_dialplan_plays_by_itself_is_there(prompt_id: str) -> None:
    assert prompt_id in catalogue(table(), "揭阳")


@pytest.mark.parametrize(
    ("mode", "during", "after"),
    [
        (
            MergeMode.FULL,
            "您好，12333已并入12345热线，正在为您接通人社专席。",
            "12333已并入12345热线，请今后直接拨打12345，正在为您接通。",
        ),
        (
            MergeMode.DUAL,
            "您好，12333与12345双号并行，正在为您接通人社专席。",
            "您好，拨打12333或12345均可受理，正在为您接通。",
        ),
        (
            MergeMode.SUBCENTRE,
            "您好，12333已设为12345分中心，正在为您接通人社分中心。",
            "您好，正在为您接通人社分中心。",
        ),
    ],
)
def test_a_legacy_number_is_announced_by_its_mode(mode: MergeMode, during: str, after: str) -> None:
    prompts = catalogue(table(legacy("12333", mode)), "揭阳")
    assert prompts["legacy-12333-during"].text == during
    assert prompts["legacy-12333-after"].text == after


def test_a_row_may_choose_to_say_nothing() -> None:
    prompts = catalogue(table(replace(legacy("12333"), prompt_after="")), "揭阳")
    assert [name for name, prompt in prompts.items() if prompt.kind is Kind.TRANSITION] == ["legacy-12333-during"]


def test_every_id_is_a_safe_file_name_and_every_prompt_has_mandarin() -> None:
    for prompt_id, prompt in catalogue(table(*map(legacy, NAMES)), "揭阳").items():
        assert PROMPT_ID.fullmatch(prompt_id)
        assert prompt.texts[MANDARIN]


def test_the_rating_is_asked_with_the_keys_of_the_table_best_first() -> None:
    assert rating_ask({"1": 5, "2": 4, "3": 3, "4": 2, "5": 1}).text == (
        "请对本次服务评价，非常满意请按一，满意请按二，基本满意请按三，不满意请按四，非常不满意请按五。"
    )
    assert rating_ask({}).text == (
        "请对本次服务评价，非常满意请按五，满意请按四，基本满意请按三，不满意请按二，非常不满意请按一。"
    )


def test_all_faults_are_told_at_once() -> None:
    rows = (replace(legacy("12333"), prompt="坏,编号"), replace(legacy("12315"), name="VIP（示例）"))
    with pytest.raises(CatalogueFault) as told:
        catalogue(replace(table(*rows), greeting="nowhere"), "揭阳")
    said = str(told.value)
    assert len(told.value.faults) == 4, "a name is said to the caller and to the agent"
    assert "坏,编号" in said
    assert "VIP" in said
    assert "nowhere" in said


def test_a_line_is_named_only_for_groups_that_are_told() -> None:
    told = table(*map(legacy, NAMES))
    quiet = replace(told, groups={GROUP: Group(GROUP, "综合受理", whisper=False)})
    assert {name for name in catalogue(told, "揭阳") if name.startswith("line-")} == {f"line-{n}" for n in NAMES}
    assert not [name for name in catalogue(quiet, "揭阳") if name.startswith("line-")]


def test_numbers_are_named_only_to_agents_of_groups_that_want_it() -> None:
    wants, other = Group(GROUP, "人社", whisper=True), Group(GroupId("market"), "市场", whisper=False)
    rows = {
        "12333": legacy("12333"),
        "12315": replace(legacy("12315"), group=other.id),
        "12329": replace(legacy("12329", MergeMode.DUAL), group=other.id),
    }
    told = catalogue(replace(table(*rows.values()), groups={wants.id: wants, other.id: other}), "揭阳")
    assert {name for name in told if name.startswith("line-")} == {"line-12333", "line-12329"}, (
        "a dual number's calls come to the default group after hours"
    )


def test_two_numbers_cannot_share_one_prompt_id() -> None:
    rows = (legacy("12333"), replace(legacy("12315"), prompt="legacy-12333-during"))
    with pytest.raises(CatalogueFault, match="两种内容"):
        catalogue(table(*rows), "揭阳")


def test_a_playlist_joins_ids_in_order() -> None:
    assert playlist(("greeting-12345", "queue-wait"), catalogue(table(), "揭阳")) == "greeting-12345&queue-wait"
    assert playlist((), ()) == ""


@pytest.mark.parametrize("bad", ["unknown", "a&b", "a,b", "../x", "A", "", "${X}", "a\nb", "-a", "x" * 65])
def test_nothing_else_reaches_playback(bad: str) -> None:
    known = {bad} - {"unknown"}
    with pytest.raises(UnknownPrompt):
        playlist((bad,), known)


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("您好，揭阳12345热线。", "nin2 hao3 , jie1 yang2 yi1 er4 san1 si4 wu3 re4 xian4 ."),
        ("110", "yao1 yao1 ling2"),
        ("人社", "ren2 she4"),
        ("市场监管", "shi4 chang3 jian1 guan3"),
        ("公积金", "gong1 ji1 jin1"),
        ("银行，行业", "yin2 hang2 , hang2 ye4"),
        ("重要，重新，重试", "zhong4 yao4 , chong2 xin1 , chong2 shi4"),
        ("法律", "fa3 lv4"),
        ("已设为", "yi3 she4 wei2"),
        ("正在为您接通", "zheng4 zai4 wei4 nin2 jie1 tong1"),
        ("不正确，不满意", "bu2 zheng4 que4 , bu4 man3 yi4"),
        ("我们的", "wo3 men5 de5"),
        ("调休", "tiao2 xiu1"),
    ],
)
def test_words_are_pronounced_as_people_say_them(text: str, reading: str) -> None:
    assert pinyin(text) == reading


def test_what_has_no_pinyin_is_refused() -> None:
    with pytest.raises(Unreadable, match="VIP"):
        pinyin("VIP专席")
