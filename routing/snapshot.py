"""A published routing table on disk: frozen rows as JSON, checked when read, replaced in one step when written.

One job: the file. Standard library only, and light: the last-resort script reads it for every call when the engine
is gone.
"""

from __future__ import annotations

import builtins
import hashlib
import json
import os
import tempfile
from collections import abc
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, get_args, get_origin

from routing.codec import build, field_types, plain
from routing.model import Holiday, Snapshot, Table

SNAPSHOT_FILE: Final = "snapshot.json"
FORMAT: Final = 1


class SnapshotMissing(LookupError):
    """Nothing was published here yet."""


class SnapshotCorrupt(ValueError):
    """The file is there, but it is not a whole snapshot of a format we know."""


def freeze(table: Table, version: int, published_at: datetime) -> Snapshot:
    """The table's rows as one immutable version, ready for O(1) look-ups."""
    made: dict[str, Any] = {name: _frozen(name, getattr(table, name)) for name in field_types(Table)}
    made["holidays"] = {holiday.day: holiday.kind for holiday in table.holidays}
    made["holiday_names"] = {holiday.day: holiday.name for holiday in table.holidays if holiday.name}
    return Snapshot(version=version, published_at=published_at.astimezone(UTC).isoformat(), **made)


def thaw(snapshot: Snapshot) -> Table:
    """The table that was frozen: the inverse of :func:`freeze`."""
    made: dict[str, Any] = {}
    for name, declared in field_types(Table).items():
        held = getattr(snapshot, name)
        match get_origin(declared):
            case builtins.tuple:
                made[name] = tuple(sorted(held)) if isinstance(held, frozenset) else _values(held)
            case _:
                made[name] = held
    made["holidays"] = tuple(
        Holiday(day, snapshot.holidays[day], snapshot.holiday_names.get(day, "")) for day in sorted(snapshot.holidays)
    )
    return Table(**made)


def _frozen(name: str, value: Any) -> Any:
    match get_origin(field_types(Snapshot)[name]):
        case builtins.frozenset:
            return frozenset(value)
        case abc.Mapping if isinstance(value, tuple):
            return {getattr(row, fields(row)[0].name): row for row in value}
        case abc.Mapping:
            return dict(value)
        case _:
            return value


def _values(held: Any) -> tuple[Any, ...]:
    return tuple(held.values() if isinstance(held, abc.Mapping) else held)


class Texts:
    """Rows of the snapshot that was written last, each with its text: the next version writes only what changed."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, str]] = {}

    def of(self, rows: Iterable[Any], kind: Any) -> Iterator[str]:
        """The text of each row. A row that is still the same object is not written anew."""
        for row in rows:
            known = self._known.get(id(row))
            if known is None:  # that a row is kept keeps its id from being another's
                known = self._known[id(row)] = row, _CANONICAL.encode(plain(row, kind))
            yield known[1]

    def keep(self, rows: Iterable[Any]) -> None:
        """Forget all others."""
        wanted = {id(row) for row in rows}
        self._known = {name: known for name, known in self._known.items() if name in wanted}


_CANONICAL: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def to_json(snapshot: Snapshot, texts: Texts | None = None) -> str:
    """The snapshot as canonical JSON: the same snapshot always gives the same text.

    It is written row by row: one call for ten thousand rows would keep every other thread waiting for its end.
    """
    texts = Texts() if texts is None else texts
    parts, written = [], []
    for name, declared in sorted(field_types(Snapshot).items()):
        held = getattr(snapshot, name)
        row = _row_type(declared)
        if row is None:
            parts.append(f'"{name}":{_CANONICAL.encode(plain(held, declared))}')
        else:
            parts.append(f'"{name}":[{",".join(texts.of(held.values(), row))}]')
            written += held.values()
    texts.keep(written)
    return f"{{{','.join(parts)}}}"


def _row_type(declared: Any) -> type | None:
    """The records that a field holds by their first field; None for a field of another shape."""
    kind = get_args(declared)[-1] if get_origin(declared) is abc.Mapping else None
    return kind if isinstance(kind, type) and is_dataclass(kind) else None


def from_json(text: str) -> Snapshot:
    """The inverse of :func:`to_json`. Raises SnapshotCorrupt."""
    try:
        return build(Snapshot, json.loads(text))
    except ValueError as error:
        raise SnapshotCorrupt(f"快照内容不完整：{error}") from error


def checksum(text: str) -> str:
    """SHA-256 of the canonical JSON, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Staged:
    """A snapshot laid ready beside the file that it will replace: written and synced, read by nobody."""

    part: Path
    path: Path

    def put(self) -> None:
        """Put it in the file's place in one step: even after a crash a reader sees the old one or the new, whole."""
        self.part.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def discard(self) -> None:
        """Take it away again; harmless when it is gone."""
        with suppress(OSError):
            self.part.unlink()


def stage_snapshot(path: Path, body: str, digest: str) -> Staged:
    """Lay the canonical JSON of a snapshot, whose checksum this is, ready for ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    staged = Staged(Path(name), path)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as part:
            part.write(f'{{"format":{FORMAT},"sha256":"{digest}","snapshot":{body}}}\n')
            part.flush()
            os.fsync(part.fileno())
    except BaseException:
        staged.discard()
        raise
    return staged


def clear_staged(path: Path) -> None:
    """Clear away what a crash left beside ``path``; for a start, when nobody publishes."""
    for left in path.parent.glob(f".{path.name}.*.part"):
        with suppress(OSError):
            left.unlink()


def write_snapshot(path: Path, snapshot: Snapshot) -> None:
    """Put the snapshot at ``path`` in one step: even after a crash a reader sees the old file or the new one, whole."""
    body = to_json(snapshot)
    staged = stage_snapshot(path, body, checksum(body))
    try:
        staged.put()
    except BaseException:
        staged.discard()
        raise


def load_snapshot(path: Path) -> Snapshot:
    """The snapshot at ``path``. Raises SnapshotMissing or SnapshotCorrupt, in Chinese."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SnapshotMissing(f"还没有发布过路由表（没有 {path}）；请先运行 ./hotline up 或发布一次") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SnapshotCorrupt(f"读不了路由快照 {path}：{error}；{_REMEDY}") from error
    try:
        outer = json.loads(text)
        if outer["format"] != FORMAT:
            raise SnapshotCorrupt(f"路由快照 {path} 的格式是 {outer['format']!r}，本程序只认 {FORMAT}；{_REMEDY}")
        body = json.dumps(outer["snapshot"], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        if checksum(body) != outer["sha256"]:
            raise SnapshotCorrupt(f"路由快照 {path} 校验和不符，内容被改过或损坏；{_REMEDY}")
        return build(Snapshot, outer["snapshot"])
    except SnapshotCorrupt:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SnapshotCorrupt(f"路由快照 {path} 不完整（{type(error).__name__} {error}）；{_REMEDY}") from error


_REMEDY: Final = "请删去它后重新启动，程序会从数据库重新写出"
