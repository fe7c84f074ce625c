"""Rows are shown by their names, and keys of new rows are made from them."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, get_args, get_origin

import pytest

from routing.codec import field_types
from routing.model import Group, Table
from routing.naming import NO_NAMES, PROMPTS, REFERS, names_of, names_of_rows, setting_refers
from routing.new_keys import LONGEST, MADE, new_key
from routing.sample_table import sample_snapshot, sample_table
from routing.table_rows import SETTINGS, kinds, rows_of, settings
from telephony.model import GroupId

pytestmark = pytest.mark.unit

SAMPLE = sample_table()
NAMES = names_of(SAMPLE)


def test_draft_and_snapshot_and_plain_rows_give_the_same_names() -> None:
    assert names_of(sample_snapshot()) == NAMES
    without = {kind: named for kind, named in NAMES.named.items() if kind != PROMPTS}
    assert names_of_rows(rows_of(SAMPLE)).named == without


def test_every_row_whose_key_is_made_has_a_name_of_its_own() -> None:
    for kind in MADE:
        keys = [key for of, key in rows_of(SAMPLE) if of == kind]
        assert len({NAMES.of(kind, key) for key in keys}) == len(keys)
        assert not any(NAMES.of(kind, key) == key for key in keys), kind


@pytest.mark.parametrize(
    ("kind", "key", "name"),
    [
        ("groups", "social-security", "社会保障"),
        ("trunks", "emergency-110", "110 公安"),
        (PROMPTS, "legacy-12333-during", "12333 人社过渡期提示音"),
        (PROMPTS, "greeting-12345", "12345 欢迎语"),
        ("groups", "gone", "gone"),
        ("nothing", "x", "x"),
    ],
)
def test_a_key_is_told_by_its_name(kind: str, key: str, name: str) -> None:
    assert NAMES.of(kind, key) == name


def test_what_people_use_themselves_stays_beside_the_name() -> None:
    assert NAMES.spoken("numbers", "12333") == "12333 人社"
    assert NAMES.spoken("groups", "general") == "综合受理"
    assert (NAMES.short("numbers", "12333"), NAMES.short("groups", "general")) == ("12333", "综合受理")


def test_two_rows_of_one_name_are_told_apart() -> None:
    twin = Group(GroupId("general-2"), "综合受理")
    names = names_of(replace(SAMPLE, groups=(*SAMPLE.groups, twin)))
    assert names.of("groups", "general-2") == "综合受理（general-2）"


def test_a_row_that_is_gone_keeps_the_name_that_it_had() -> None:
    left = names_of(replace(SAMPLE, groups=SAMPLE.groups[:1]))
    assert left.over(NAMES).of("groups", "market") == "市场监管"


def test_a_sentence_for_files_is_put_into_words() -> None:
    assert NAMES.in_words('没有 nowhere；现有 general、market，例如 "general"') == (
        '没有 nowhere；现有 综合受理、市场监管，例如 "综合受理"'
    )
    assert NAMES.in_words("general-x、sip:general@host") == "general-x、sip:general@host"


def test_every_field_that_names_a_row_is_known() -> None:
    """A field of the model whose name or type says that it holds keys of another kind stands in REFERS."""
    found = {path for path in _fields() if path[1] in _HOLDERS}
    missing = {f"{kind}.{name}" for kind, name in found} - set(REFERS) - {"groups.overflow"}
    assert not missing


_HOLDERS = {
    "group", "groups", "overflow_group", "default_group", "schedule", "trunk", "trunks", "skills", "language",
    "departments", "prompt", "prompt_after", "greeting",
}  # fmt: skip


def _fields() -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = {(SETTINGS, name) for name in settings()}
    for kind in kinds().values():
        if kind.fields and kind.name != SETTINGS and _type(kind.declared) is not None:
            found |= {(kind.name, name) for name, declared in _of(kind.declared).items() if declared is not bool}
    return found


def _type(declared: Any) -> Any:
    return get_args(declared) or get_origin(declared) or declared


def _of(declared: Any) -> dict[str, Any]:
    try:
        return dict(field_types(declared))
    except TypeError:
        return {}


@pytest.mark.parametrize(
    ("kind", "name", "key"),
    [
        ("groups", "社会保障", "she-hui-bao-zhang"),
        ("trunks", "12366 税务分中心", "trunk"),
        ("groups", "VIP 专席", "vip-zhuan-xi"),
        ("skills", "！！", "skill"),
        ("groups", "general", "general-2"),
    ],
)
def test_a_key_is_made_from_the_name(kind: str, name: str, key: str) -> None:
    assert new_key(kind, name, {"general"}) == key


def test_a_made_key_is_short_and_free() -> None:
    taken = set[str]()
    for _ in range(5):
        key = new_key("groups", "政务服务便民热线综合受理和应急处置", taken)
        assert len(key) <= LONGEST + 2
        assert key not in taken
        taken.add(key)


def test_no_names_leave_keys_as_they_are() -> None:
    assert NO_NAMES.of("groups", "general") == "general"


def test_every_part_of_a_setting_that_names_a_row_is_known_to_do_so() -> None:
    parts = {
        (name, part.name)
        for name, setting in ((field.name, getattr(sample_table(), field.name)) for field in fields(Table))
        if is_dataclass(setting)
        for part in fields(setting)
    }
    named = {"schedule": "schedules", "trunk": "trunks", "group": "groups"}
    assert {(name, part): setting_refers(name, part) for name, part in parts if part in named} == {
        (name, part): named[part] for name, part in parts if part in named
    }
