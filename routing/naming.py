"""What the rows of a routing table are called by people, by kind and key.

One job: a table in, the names out. Whatever shows a row's key to a person asks here; a key without a name is shown as
it is. Which fields hold keys of other rows stands here too (REFERS), so that a screen knows what to resolve.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from routing.announcements import prompt_of
from routing.model import Snapshot, Table
from routing.table_rows import SETTINGS, Key, Row

PROMPTS: Final = "prompts"
"""Not a kind of rows: the prompts, by their ids."""

REFERS: Final[Mapping[str, str]] = {
    "settings.default_group": "groups",
    "settings.greeting": PROMPTS,
    "settings.callback.trunk": "trunks",
    "settings.callback.schedule": "schedules",
    "settings.call_out.schedule": "schedules",
    "groups.skills": "skills",
    "groups.trunk": "trunks",
    "groups.schedule": "schedules",
    "numbers.group": "groups",
    "numbers.prompt": PROMPTS,
    "numbers.prompt_after": PROMPTS,
    "numbers.schedule": "schedules",
    "numbers.overflow_group": "groups",
    "numbers.trunk": "trunks",
    "numbers.language": "skills",
    "partners.trunks": "trunks",
    "partners.schedule": "schedules",
    "agents.groups": "groups",
    "agents.skills": "skills",
    "announcements.groups": "groups",
    "announcements.numbers": "numbers",
    "auto_answer.key": "seats",
    "order_types.departments": "departments",
    "wrap_up_codes.groups": "groups",
}
"""``kind.field`` whose values are keys of another kind."""

OVERFLOW_REFERS: Final[Mapping[str, str]] = {"group": "groups", "subcentre": "trunks"}
"""Where an overflow row leads -> the kind of its target; other targets are numbers or nothing."""

NAMED: Final = (
    "groups",
    "schedules",
    "skills",
    "trunks",
    "partners",
    "agents",
    "numbers",
    "departments",
    "order_types",
    "wrap_up_codes",
    "self_service",
    "announcements",
)
"""Kinds whose rows have a name; an announcement is called by its own words."""

_SPOKEN: Final = frozenset({"agents", "numbers"})
"""Kinds whose key people say themselves: 工号, 号码. It stays beside the name."""

_TOKEN: Final = re.compile(r"(?<![A-Za-z0-9_.:/@-])[a-z][a-z0-9]*(?:-[a-z0-9]+)*(?![A-Za-z0-9_:/@-])")
"""What a key looks like in a sentence."""

LONGEST_TEXT: Final = 12
"""Characters of an announcement that stand for it."""


@dataclass(frozen=True, slots=True)
class Names:
    """Kind -> key -> what people call it."""

    named: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, kind: str, key: str) -> str:
        """``社会保障`` for a group; the key itself where there is no name."""
        return self.named.get(kind, {}).get(key) or key

    def spoken(self, kind: str, key: str) -> str:
        """The same, with the key beside it where people use that: ``12333 人社``, ``1001 张三``."""
        name = self.named.get(kind, {}).get(key, "")
        return f"{key} {name}" if name and name != key and kind in _SPOKEN else name or key

    def short(self, kind: str, key: str) -> str:
        """The name, or the key where people use that: ``社会保障``, ``12333``."""
        return key if kind in _SPOKEN else self.of(kind, key)

    def listed(self, kind: str, keys: Iterable[str]) -> str:
        """Several of them in one line."""
        return "、".join(self.of(kind, key) for key in keys)

    def in_words(self, text: str, *first: str) -> str:
        """A sentence in which rows stand by their keys, with their names; ``first``: the kinds that are meant.

        For faults of the lint, which are written for files too. A key that two kinds have, with two names, and that
        is not of the first kinds, stays.
        """
        return _TOKEN.sub(lambda found: self._called(found.group(), first), text)

    def _called(self, token: str, first: tuple[str, ...]) -> str:
        for kind in first:
            if token in self.named.get(kind, {}):
                return self.of(kind, token)
        names = {known[token] for kind, known in self.named.items() if kind not in _SPOKEN and token in known}
        return names.pop() if len(names) == 1 else token

    def over(self, older: Names) -> Names:
        """These, and those of an older table for what is gone by now."""
        kinds = self.named.keys() | older.named.keys()
        return Names({kind: {**older.named.get(kind, {}), **self.named.get(kind, {})} for kind in kinds})

    def with_prompts(self, texts: Mapping[str, str]) -> Names:
        """With prompts of the product itself, which are called by what they say."""
        own = {key: _quoted(text) for key, text in texts.items()}
        return Names({**self.named, PROMPTS: {**own, **self.named.get(PROMPTS, {})}})


NO_NAMES: Final = Names()


def names_of(table: Table | Snapshot) -> Names:
    """The names of a table as it is edited, or as it is in force."""
    named = {kind: _distinct((_key(row), _called(row)) for row in _rows(table, kind)) for kind in NAMED}
    return Names({**named, PROMPTS: dict(_prompts(table))})


def names_of_rows(rows: Mapping[Key, Row | None]) -> Names:
    """The names of plain rows, as the draft has them; prompts are not among them."""
    found: dict[str, list[tuple[str, str]]] = {kind: [] for kind in NAMED}
    for (kind, key), row in rows.items():
        if row is not None and kind in found:
            found[kind].append((key, row.get("name") or _quoted(row.get("text", ""))))
    return Names({kind: _distinct(each) for kind, each in found.items()})


def shortened(text: str) -> str:
    """The beginning of a sentence, to call it by."""
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"


def refers(kind: str, name: str) -> str:
    """The kind whose keys the field holds; empty: it holds none."""
    return REFERS.get(f"{kind}.{name}", "")


def setting_refers(setting: str, part: str = "") -> str:
    """The same of a setting, or of one part of it."""
    return REFERS.get(f"{SETTINGS}.{setting}.{part}" if part else f"{SETTINGS}.{setting}", "")


def _rows(table: Table | Snapshot, kind: str) -> Iterable[Any]:
    found = getattr(table, kind)
    return found.values() if isinstance(found, Mapping) else found


def _key(row: Any) -> str:
    return str(getattr(row, "id", None) or getattr(row, "number", None) or getattr(row, "key", ""))


def _called(row: Any) -> str:
    return getattr(row, "name", "") or _quoted(getattr(row, "text", ""))


def _quoted(text: str) -> str:
    return f"“{shortened(text)}”" if text else ""


def _distinct(rows: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Names by key; two rows of one name are told apart by their keys."""
    found = {key: name.strip() for key, name in rows if name.strip()}
    often = Counter(found.values())
    return {key: f"{name}（{key}）" if often[name] > 1 else name for key, name in found.items()}


def _prompts(table: Table | Snapshot) -> Iterator[tuple[str, str]]:
    """What the table's own prompts are for; of several uses the first, and how many more there are."""
    uses: dict[str, list[str]] = {}
    for row in _rows(table, "numbers"):
        if row.prompt:
            uses.setdefault(row.prompt, []).append(f"{row.number} {row.name}过渡期提示音")
        if row.prompt_after:
            uses.setdefault(row.prompt_after, []).append(f"{row.number} {row.name}过渡期后提示音")
    for row in _rows(table, "announcements"):
        uses.setdefault(prompt_of(row.id), []).append(f"公告{_quoted(row.text)}")
    for row in _rows(table, "self_service"):
        uses.setdefault(f"self-service-{row.key}", []).append(f"自助查询“{row.name}”")
    uses.setdefault(table.greeting, []).insert(0, "12345 欢迎语")
    for key, told in uses.items():
        yield key, told[0] if len(told) == 1 else f"{told[0]}等 {len(told)} 处"
