from __future__ import annotations

from dataclasses import replace
from datetime import date, time

import pytest

from routing.faults import TableInvalid
from routing.lint import lint, require_sound
from routing.model import Agent, DayKind, Holiday, LegacyNumber, MergeMode, Period, Table
from routing.sample_table import SAMPLE_FILE, sample_table
from routing.toml import KEY_IS_LEVEL, read_table
from telephony.model import EMERGENCY_NUMBERS, GroupId

pytestmark = pytest.mark.unit

SAMPLE = SAMPLE_FILE.read_text(encoding="utf-8")


def edited(old: str, new: str) -> str:
    assert old in SAMPLE
    return SAMPLE.replace(old, new, 1)


def faults_of(text: str) -> dict[str, str]:
    with pytest.raises(TableInvalid) as caught:
        read_table(text)
    return {fault.path: str(fault) for fault in caught.value.faults}


def test_the_sample_is_sound_and_says_that_it_is_a_sample() -> None:
    table = sample_table()
    assert lint(table) == ()
    assert len(table.numbers) == 14
    assert {row.note for row in table.numbers} == {"示例，待核"}
    assert {row.mode for row in table.numbers} == set(MergeMode)


def test_every_sample_group_has_two_agents_and_general_has_all() -> None:
    table = sample_table()
    members = {group.id: [a.id for a in table.agents if group.id in a.groups] for group in table.groups}
    assert list(members) == ["general", "social-security", "market", "transport", "housing-fund"]
    assert members[GroupId("general")] == [str(number) for number in range(1001, 1011)]
    assert min(len(agents) for agents in members.values()) >= 2
    assert table.seats == tuple(str(number) for number in range(8001, 8011))


def test_sample_trunks_are_those_of_the_demo() -> None:
    at = {(trunk.role, trunk.number): (trunk.host, trunk.port) for trunk in sample_table().trunks}
    for number in EMERGENCY_NUMBERS:
        assert at["emergency", number] == ("127.0.0.1", 15000 + int(number))
        assert at["emergency-backup", number] == ("127.0.0.1", 25000 + int(number))
    assert at["subcentre", "12366"] == ("127.0.0.1", 15366)
    assert at["neighbour", "075412345"] == ("127.0.0.1", 15754)
    assert {port for (role, _), (_, port) in at.items() if role == "utility"} == {15201, 15202, 15203}


def test_prompts_default_to_the_number() -> None:
    row = sample_table().numbers[0]
    assert (row.prompt, row.prompt_after) == ("legacy-12333-during", "legacy-12333-after")


def test_rating_keys_default_to_the_level() -> None:
    start, end = SAMPLE.index("[rating_keys]"), SAMPLE.index("# ── 技能组")
    assert read_table(SAMPLE[:start] + SAMPLE[end:]).rating_keys == KEY_IS_LEVEL


@pytest.mark.parametrize(
    ("old", "new", "path", "says"),
    [
        ('area_code = "0663"', 'area_code = "663"', "area_code", '例如 "0663"'),
        ('area_code = "0663"', "area_code = 663", "area_code", "应为带引号的文字"),
        ('area_code = "0663"\n', "", "area_code", "缺少这一项"),
        ('default_group = "general"', 'default_group = "generel"', "default_group", "现有 general、housing-fund"),
        ('greeting = "greeting-12345"', 'greeting = "a&b"', "greeting", "小写字母、数字和连字符"),
        ("calendar_years = [2025, 2026]", "calendar_years = [2031]", "calendar_years", "没有 2031 年"),
        ("calendar_years = [2025, 2026]", 'calendar_years = ["2026"]', "calendar_years", "整数的列表"),
        ('seats = ["8001",', 'seats = ["80",', "seats", "3 到 8 位数字"),
        ('seats = ["8001", "8002"', 'seats = ["8001", "8001"', "seats", "两次"),
        ("5 = 5", "5 = 6", "rating_keys.5", "1（非常不满意）到 5"),
        ("5 = 5", "a5 = 5", "rating_keys.a5", "一个数字键"),
        ("5 = 5", '5 = "五"', "rating_keys", "1–5 级"),
        ("ring_seconds = 20", "ring_seconds = 2", "groups.general.ring_seconds", "5 到 3600"),
        ("ring_seconds = 20", 'ring_seconds = "20"', "groups.general.ring_seconds", "应为整数"),
        ("ring_seconds = 20", "ring_seconds = true", "groups.general.ring_seconds", "应为整数"),
        ("ring_seconds = 20", "rings = 20", "groups.general.rings", "可用的有 name、ring_seconds"),
        ('name = "综合受理"', 'name = ""', "groups.general.name", "可见字符"),
        ("[groups.market]", "[groups.Market]", "groups.Market", "小写字母开头"),
        ('start = "08:30"', 'start = "八点半"', "schedules.office.periods[0].start", '例如 start = "08:30"'),
        ("days = [1, 2, 3, 4, 5]", "days = [8]", "schedules.office.periods[0].days", "7（周日）"),
        ("days = [1, 2, 3, 4, 5]", "days = []", "schedules.office.periods[0].days", "7（周日）"),
        ('mode = "full"', 'mode = "ful"', "numbers.12333.mode", "full、dual、subcentre"),
        ('group = "social-security"', 'group = "social"', "numbers.12333.group", "没有这个技能组"),
        ("first_day = 2026-07-01", 'first_day = "2026-07-01"', "numbers.12333.first_day", "应为日期，不带引号"),
        ("first_day = 2026-07-01", "first_day = 2026-07-01T00:00:00", "numbers.12333.first_day", "应为日期"),
        ("last_day = 2027-06-30", "last_day = 2026-06-30", "numbers.12333.last_day", "早于第一天 2026-07-01"),
        ("overflow_seconds = 20", "overflow_seconds = -1", "numbers.12333.overflow_seconds", "0 到 3600"),
        ('schedule = "daily"', 'schedule = "dayly"', "numbers.12315.schedule", "没有这个班表"),
        ('trunk = "subcentre-12366"', 'trunk = "pstn"', "numbers.12366.trunk", "分中心线路"),
        ('trunk = "subcentre-12366"\n', "", "numbers.12366.trunk", "subcentre-12366"),
        ('schedule = "daily"', 'trunk = "pstn"', "numbers.12315.trunk", "只有设分中心"),
        ("[numbers.12333]", "[numbers.110]", "numbers.110", "紧急号码不归并"),
        ("[numbers.12333]", "[numbers.12345]", "numbers.12345", "由系统直接处理"),
        ("[numbers.12333]", '[numbers."066312333"]', "numbers.066312333", "不带区号"),
        ("[numbers.12333]", '[numbers."1,2"]', "numbers.1,2", "不带区号"),
        ('note = "示例，待核"', 'overflow_group = "x"', "numbers.12333.overflow_group", "没有这个技能组"),
        ('note = "示例，待核"', 'prompt = "../x"', "numbers.12333.prompt", '"legacy-12333-during"'),
        ('role = "pstn"', 'role = "carrier"', "trunks.pstn.role", "drill 之一"),
        ('number = "110"', 'number = "110;x"', "trunks.emergency-110.number", "电话号码"),
        ('host = "127.0.0.1"', 'host = "a b"', "trunks.pstn.host", "IP 地址或主机名"),
        ("port = 15060", "port = 150600", "trunks.pstn.port", "65535"),
        ('role = "emergency"\nnumber = "120"', 'role = "utility"\nnumber = "120"', "trunks", "通往 120"),
        ("[agents.1001]", "[agents.x1]", "agents.x1", "工号"),
        ('groups = ["social-security", "general"]', 'groups = ["nobody"]', "agents.1001.groups", "没有这个技能组"),
        ('groups = ["social-security", "general"]', "groups = [1]", "agents.1001.groups", "文字的列表"),
        ('1 = "小休"', 'x = "小休"', "pause_reasons.x", "数字键"),
        ('1 = "小休"', '1 = "coffee"', "pause_reasons.1", "1 到 10 个汉字"),
        ('1 = "小休"', "1 = 1", "pause_reasons", "按键到文字的表"),
        ('2 = "培训"', '2 = "小休"', "pause_reasons", "出现了两次"),
        ("auto_answer = []", 'auto_answer = ["9999"]', "auto_answer", "没有这个座席分机"),
        ("supervisor = true", 'supervisor = "yes"', "agents.1010.supervisor", "true 或 false"),
        ("[rating_keys]", "color = 1\n[rating_keys]", "color", "没有这一项"),
        ("[agents.1001]", "agents = 1\n[people.1001]", "partners.shantou.agents", "没有这一项"),
    ],
)
def test_a_fault_names_its_key_its_value_and_what_would_work(old: str, new: str, path: str, says: str) -> None:
    faults = faults_of(edited(old, new))
    assert says in faults[path]


def test_all_faults_are_told_at_once() -> None:
    text = edited('mode = "full"', 'mode = "ful"').replace("ring_seconds = 20", 'ring_seconds = "x"', 1)
    faults = faults_of(text.replace('default_group = "general"', 'default_group = "x"'))
    assert set(faults) == {"numbers.12333.mode", "groups.general.ring_seconds", "default_group"}
    assert all("例如" in fault for fault in faults.values())


def test_text_that_is_no_toml_is_one_clear_fault() -> None:
    assert "不是正确的 TOML" in faults_of("area_code = ")["文件"]


def test_a_table_under_the_wrong_shape_is_a_fault() -> None:
    assert "形式的表" in faults_of('default_group = "g"\narea_code = "0663"\ngroups = 3')["groups"]
    assert "形式的表" in faults_of('default_group = "g"\narea_code = "0663"\n[groups]\ng = 3')["groups.g"]
    assert "表的列表" in faults_of('default_group = "g"\narea_code = "0663"\nholidays = [1]')["holidays"]


def test_hand_written_holidays_stand_over_the_imported_and_open_a_new_year() -> None:
    extra = '[[holidays]]\nday = 2027-01-01\nkind = "holiday"\nname = "元旦"\n'
    extra += '[[holidays]]\nday = 2026-10-10\nkind = "holiday"\n'
    text = edited("calendar_years = [2025, 2026]", "calendar_years = [2026, 2027]") + extra
    table = read_table(text)
    assert table.known_years == (2026, 2027)
    assert Holiday(date(2027, 1, 1), DayKind.HOLIDAY, "元旦") in table.holidays
    assert Holiday(date(2026, 10, 10), DayKind.HOLIDAY) in table.holidays


def test_a_hand_written_holiday_must_be_one() -> None:
    extra = '[[holidays]]\nday = 2026-12-12\nkind = "weekend"\n'
    assert "只写节假日" in faults_of(SAMPLE + extra)["holidays.2026-12-12"]


def test_a_table_without_reasons_to_pause_has_one() -> None:
    text = SAMPLE[: SAMPLE.index("[pause_reasons]")] + SAMPLE[SAMPLE.index("[groups.general]") :]
    assert read_table(text).pause_reasons == {"1": "小休"}


def test_midnight_may_be_written_as_24() -> None:
    table = read_table(edited('end = "12:00"', 'end = "24:00"'))
    assert table.schedules[0].periods[0] == Period(frozenset({1, 2, 3, 4, 5}), time(8, 30), time(0))


def broken(**changes: object) -> Table:
    return replace(sample_table(), **changes)  # type: ignore[arg-type]


def test_rows_edited_elsewhere_are_checked_by_the_same_rules() -> None:
    market = GroupId("market")
    row = LegacyNumber("12333", "人社", MergeMode.FULL, GroupId("gone"), None, None, "p", "q")
    table = broken(numbers=(row, row), agents=(Agent("1001", "座席", (market, market, GroupId("general"))),))
    with pytest.raises(TableInvalid) as caught:
        require_sound(table)
    assert [fault.path for fault in caught.value.faults] == [
        "numbers.12333.group",
        "numbers.12333.group",
        "numbers",
        "agents.1001.groups",
    ]
