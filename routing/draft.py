"""Editing the draft by several people at once: an edit meets the row as it is, or a conflict that says who and what.

One job: rows in, rows or conflicts out. It knows no database and no clock; routing/service.py keeps the draft.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from routing.calendar import CITY
from routing.codec import Misfit
from routing.faults import Fault, TableInvalid
from routing.labels_zh import field_words, row_words, value_words
from routing.model import Table
from routing.naming import NO_NAMES, Names
from routing.table_rows import Key, Row, kinds, value_of


@dataclass(frozen=True, slots=True)
class Draft:
    """The draft as somebody reads it. ``revision`` numbers the latest edit in it; give it back when saving."""

    table: Table
    revision: int


@dataclass(frozen=True, slots=True)
class Edit:
    """What one person wants of one row."""

    key: Key
    fields: Mapping[str, Any] | None
    """New plain values of the fields that were typed; the others stay. None: delete the row."""
    seen: int | None = None
    """Revision of the draft that the person was looking at; None: whatever is there now."""


@dataclass(frozen=True, slots=True)
class Was:
    """A row, or its absence (None), with who made it so."""

    row: Row | None
    revision: int = 0
    at: datetime | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """One field that the other changed, or that you typed; all three values are plain."""

    field: str
    base: Any
    """As you saw it."""
    theirs: Any
    """As it is now."""
    yours: Any
    """As you want it."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Somebody changed the row after you looked at it. Nothing of what either typed is lost."""

    key: Key
    by: str
    at: datetime | None
    revision: int
    """Save again with this revision to have your values all the same."""
    deleted: bool
    """The other deleted the row."""
    fields: tuple[FieldConflict, ...]
    wants_deletion: bool = False
    names: Names = field(default=NO_NAMES, compare=False, repr=False)

    def __str__(self) -> str:
        when = f"在 {self.at.astimezone(CITY):%Y-%m-%d %H:%M:%S} " if self.at is not None else ""
        kind = self.key[0]
        lines = [f"{row_words(self.key, self.names)} 已被 {self.by} {when}{'删除' if self.deleted else '修改'}："]
        for one in self.fields:
            name = field_words(kind, one.field)
            base, theirs, yours = (
                value_words(kind, one.field, value, self.names, self.key[1])
                for value in (one.base, one.theirs, one.yours)
            )
            changed = "" if self.deleted or one.theirs == one.base else f"，{self.by} 改为 {theirs}"
            wanted = "" if self.wants_deletion or one.yours == one.base else f"，您要改为 {yours}"
            lines.append(f"  {name}：原为 {base}{changed}{wanted}")
        want = "删除这一行" if self.wants_deletion else "按您填写的内容保存"
        lines.append(f"  您填写的内容没有丢失；确认要{want}，请以改动号 {self.revision} 再提交一次")
        return "\n".join(lines)


class DraftConflict(Exception):
    """Some edits met rows that others had changed meanwhile; nothing was saved."""

    def __init__(self, conflicts: Iterable[Conflict]) -> None:
        self.conflicts = tuple(conflicts)
        super().__init__("\n".join(map(str, self.conflicts)))

    def called(self, names: Names) -> DraftConflict:
        """The same, with rows by their names."""
        return DraftConflict(replace(one, names=names) for one in self.conflicts)


def edited(edit: Edit, now: Was, seen: Row | None) -> Row | None:
    """The row after the edit. ``seen`` is the row as the editor saw it.

    Raises DraftConflict when somebody else changed it since, TableInvalid when the values are not those of such a row.
    """
    if edit.seen is not None and now.revision > edit.seen and now.row != seen:
        wanted = _wanted(edit, seen)
        if wanted != now.row:
            raise DraftConflict([_conflict(edit, now, seen)])
    if edit.fields is None:
        if now.row is None:
            raise TableInvalid([Fault(".".join(edit.key), "", "没有这一行，不必删除；请核对编号")])
        return None
    row = _wanted(edit, now.row)
    assert row is not None
    try:
        value_of(*edit.key, row)
    except Misfit as misfit:
        raise TableInvalid([Fault(misfit.path, repr(misfit.value), f"应为{misfit.wanted}")]) from None
    return row


def changes(old: Mapping[Key, Row], new: Mapping[Key, Row]) -> dict[Key, Row | None]:
    """The rows to write, and to delete (None), to make the old rows the new ones."""
    return {key: row for key, row in new.items() if old.get(key) != row} | {key: None for key in old if key not in new}


def overtaken(wanted: Mapping[Key, Row | None], since: Mapping[Key, Was], seen: Mapping[Key, Row | None]) -> None:
    """Raise DraftConflict for every row that is wanted other than it is, and that somebody changed meanwhile.

    ``since`` holds the rows that were changed after the draft was read, ``seen`` those same rows as they were read.
    """
    conflicts = [
        _conflict(Edit(key, wanted[key], 0), was, seen[key])
        for key, was in since.items()
        if key in wanted and wanted[key] != was.row and was.row != seen[key]
    ]
    if conflicts:
        raise DraftConflict(conflicts)


def _wanted(edit: Edit, row: Row | None) -> Row | None:
    return None if edit.fields is None else {**(row or {}), **edit.fields}


def _conflict(edit: Edit, now: Was, seen: Row | None) -> Conflict:
    base, theirs = seen or {}, now.row or {}
    yours = {**base, **(edit.fields or {})}
    names = (name for name in kinds()[edit.key[0]].fields if not base.get(name) == theirs.get(name) == yours.get(name))
    fields = tuple(FieldConflict(name, base.get(name), theirs.get(name), yours.get(name)) for name in names)
    return Conflict(edit.key, now.by, now.at, now.revision, now.row is None, fields, edit.fields is None)
