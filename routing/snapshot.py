"""A published routing table on disk: frozen rows as JSON, checked when read, replaced in one step when written.

One job: the file. Standard library only, and light: the last-resort script reads it for every call when the engine
is gone.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Final

from routing.model import (
    Agent,
    DayKind,
    Group,
    LegacyNumber,
    MergeMode,
    Period,
    Schedule,
    Snapshot,
    Table,
    Trunk,
)
from telephony.model import GroupId

SNAPSHOT_FILE: Final = "snapshot.json"
FORMAT: Final = 1


class SnapshotMissing(LookupError):
    """Nothing was published here yet."""


class SnapshotCorrupt(ValueError):
    """The file is there, but it is not a whole snapshot of a format we know."""


def freeze(table: Table, version: int, published_at: datetime) -> Snapshot:
    """The table's rows as one immutable version, ready for O(1) look-ups."""
    return Snapshot(
        version=version,
        published_at=published_at.astimezone(UTC).isoformat(),
        greeting=table.greeting,
        default_group=table.default_group,
        groups={group.id: group for group in table.groups},
        schedules={schedule.id: schedule for schedule in table.schedules},
        holidays={holiday.day: holiday.kind for holiday in table.holidays},
        numbers={row.number: row for row in table.numbers},
        trunks={trunk.id: trunk for trunk in table.trunks},
        agents={agent.id: agent for agent in table.agents},
        seats=table.seats,
        rating_keys=dict(table.rating_keys),
        area_code=table.area_code,
        known_years=frozenset(table.known_years),
        pause_reasons=dict(table.pause_reasons),
        auto_answer=frozenset(table.auto_answer),
    )


def to_json(snapshot: Snapshot) -> str:
    """The snapshot as canonical JSON: the same snapshot always gives the same text."""
    return json.dumps(_plain(snapshot), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def from_json(text: str) -> Snapshot:
    """The inverse of :func:`to_json`. Raises SnapshotCorrupt."""
    try:
        return _snapshot(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SnapshotCorrupt(f"快照内容不完整：{type(error).__name__} {error}") from error


def checksum(text: str) -> str:
    """SHA-256 of the canonical JSON, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def write_snapshot(path: Path, snapshot: Snapshot) -> None:
    """Put the snapshot at ``path`` in one step: even after a crash a reader sees the old file or the new one, whole."""
    body = to_json(snapshot)
    text = f'{{"format":{FORMAT},"sha256":"{checksum(body)}","snapshot":{body}}}\n'
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as part:
            part.write(text)
            part.flush()
            os.fsync(part.fileno())
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


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
        return _snapshot(outer["snapshot"])
    except SnapshotCorrupt:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SnapshotCorrupt(f"路由快照 {path} 不完整（{type(error).__name__} {error}）；{_REMEDY}") from error


_REMEDY: Final = "请删去它后重新启动，程序会从数据库重新写出"


def _plain(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "version": snapshot.version,
        "published_at": snapshot.published_at,
        "greeting": snapshot.greeting,
        "default_group": snapshot.default_group,
        "area_code": snapshot.area_code,
        "known_years": sorted(snapshot.known_years),
        "groups": [_group_out(group) for group in snapshot.groups.values()],
        "schedules": [_schedule_out(schedule) for schedule in snapshot.schedules.values()],
        "holidays": {day.isoformat(): str(kind) for day, kind in snapshot.holidays.items()},
        "numbers": [_number_out(row) for row in snapshot.numbers.values()],
        "trunks": [_trunk_out(trunk) for trunk in snapshot.trunks.values()],
        "agents": [_agent_out(agent) for agent in snapshot.agents.values()],
        "seats": list(snapshot.seats),
        "rating_keys": dict(snapshot.rating_keys),
        "pause_reasons": dict(snapshot.pause_reasons),
        "auto_answer": sorted(snapshot.auto_answer),
    }


def _snapshot(data: dict[str, Any]) -> Snapshot:
    return Snapshot(
        version=data["version"],
        published_at=data["published_at"],
        greeting=data["greeting"],
        default_group=GroupId(data["default_group"]),
        groups={GroupId(row["id"]): Group(**row) for row in data["groups"]},
        schedules={row["id"]: _schedule_in(row) for row in data["schedules"]},
        holidays={date.fromisoformat(day): DayKind(kind) for day, kind in data["holidays"].items()},
        numbers={row["number"]: _number_in(row) for row in data["numbers"]},
        trunks={row["id"]: Trunk(**row) for row in data["trunks"]},
        agents={row["id"]: _agent_in(row) for row in data["agents"]},
        seats=tuple(data["seats"]),
        rating_keys=dict(data["rating_keys"]),
        area_code=data["area_code"],
        known_years=frozenset(data["known_years"]),
        pause_reasons=dict(data.get("pause_reasons", {})),
        auto_answer=frozenset(data.get("auto_answer", ())),
    )


def _group_out(group: Group) -> dict[str, Any]:
    return {
        "id": group.id,
        "name": group.name,
        "ring_seconds": group.ring_seconds,
        "wrap_up_seconds": group.wrap_up_seconds,
        "whisper": group.whisper,
    }


def _agent_out(agent: Agent) -> dict[str, Any]:
    return {"id": agent.id, "name": agent.name, "groups": list(agent.groups), "supervisor": agent.supervisor}


def _agent_in(row: dict[str, Any]) -> Agent:
    return Agent(row["id"], row["name"], tuple(row["groups"]), supervisor=row.get("supervisor", False))


def _trunk_out(trunk: Trunk) -> dict[str, Any]:
    return {
        "id": trunk.id,
        "role": trunk.role,
        "number": trunk.number,
        "host": trunk.host,
        "port": trunk.port,
        "name": trunk.name,
    }


def _schedule_out(schedule: Schedule) -> dict[str, Any]:
    return {
        "id": schedule.id,
        "name": schedule.name,
        "periods": [_period_out(period) for period in schedule.periods],
        "holiday_periods": [_period_out(period) for period in schedule.holiday_periods],
    }


def _schedule_in(row: dict[str, Any]) -> Schedule:
    return Schedule(
        row["id"],
        row["name"],
        tuple(_period_in(period) for period in row["periods"]),
        tuple(_period_in(period) for period in row["holiday_periods"]),
    )


def _period_out(period: Period) -> dict[str, Any]:
    return {"days": sorted(period.days), "start": period.start.isoformat(), "end": period.end.isoformat()}


def _period_in(row: dict[str, Any]) -> Period:
    return Period(frozenset(row["days"]), time.fromisoformat(row["start"]), time.fromisoformat(row["end"]))


def _number_out(row: LegacyNumber) -> dict[str, Any]:
    return {
        "number": row.number,
        "name": row.name,
        "mode": str(row.mode),
        "group": row.group,
        "first_day": row.first_day.isoformat() if row.first_day else None,
        "last_day": row.last_day.isoformat() if row.last_day else None,
        "prompt": row.prompt,
        "prompt_after": row.prompt_after,
        "schedule": row.schedule,
        "overflow_group": row.overflow_group,
        "overflow_seconds": row.overflow_seconds,
        "trunk": row.trunk,
        "note": row.note,
    }


def _number_in(row: dict[str, Any]) -> LegacyNumber:
    first, last = row["first_day"], row["last_day"]
    days = {
        "mode": MergeMode(row["mode"]),
        "first_day": date.fromisoformat(first) if first else None,
        "last_day": date.fromisoformat(last) if last else None,
    }
    return LegacyNumber(**(row | days))
