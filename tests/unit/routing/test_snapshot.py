from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from routing.codec import plain
from routing.model import LegacyNumber, MergeMode
from routing.sample_table import sample_snapshot, sample_table
from routing.snapshot import (
    SnapshotCorrupt,
    SnapshotMissing,
    Texts,
    checksum,
    freeze,
    from_json,
    load_snapshot,
    to_json,
    write_snapshot,
)
from telephony.model import GroupId

pytestmark = pytest.mark.unit

SAMPLE = sample_snapshot()


def test_the_round_trip_is_exact() -> None:
    bare = LegacyNumber("8768123", "热线", MergeMode.FULL, GroupId("general"), None, None, "p", "q")
    snapshot = replace(SAMPLE, numbers={**SAMPLE.numbers, "8768123": bare}, auto_answer=frozenset({"8001"}))
    again = from_json(to_json(snapshot))
    assert again == snapshot
    assert to_json(again) == to_json(snapshot)
    assert list(again.numbers) == list(snapshot.numbers)


def test_written_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "snapshot.json"
    write_snapshot(path, SAMPLE)
    assert load_snapshot(path) == SAMPLE
    write_snapshot(path, replace(SAMPLE, version=2))
    assert load_snapshot(path).version == 2
    assert [entry.name for entry in path.parent.iterdir()] == ["snapshot.json"]


def test_a_failed_write_leaves_the_old_file_and_no_debris(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "snapshot.json"
    write_snapshot(path, SAMPLE)

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("routing.snapshot.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_snapshot(path, replace(SAMPLE, version=2))
    assert load_snapshot(path) == SAMPLE
    assert [entry.name for entry in tmp_path.iterdir()] == ["snapshot.json"]


def test_nothing_published_is_not_corruption(tmp_path: Path) -> None:
    with pytest.raises(SnapshotMissing, match="还没有发布过路由表"):
        load_snapshot(tmp_path / "snapshot.json")


def test_any_damage_is_told_and_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.json"
    write_snapshot(path, SAMPLE)
    whole = path.read_text(encoding="utf-8")
    outer = json.loads(whole)
    del outer["snapshot"]["groups"]
    outer["sha256"] = checksum(json.dumps(outer["snapshot"], ensure_ascii=False, sort_keys=True, separators=(",", ":")))
    damaged = [
        "",
        "{}",
        "[]",
        "null",
        whole[:-100],
        whole.replace("12333", "12334", 1),
        whole.replace('"format":1', '"format":2', 1),
        json.dumps(outer),
        whole + "x",
    ]
    for text in damaged:
        path.write_text(text, encoding="utf-8")
        with pytest.raises(SnapshotCorrupt, match="请删去它后重新启动") as caught:
            load_snapshot(path)
        assert str(path) in str(caught.value)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SnapshotCorrupt):
        load_snapshot(path)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"version":1}', to_json(SAMPLE).replace("holiday", "hollyday")])
def test_json_that_is_no_snapshot_is_refused(text: str) -> None:
    with pytest.raises(SnapshotCorrupt):
        from_json(text)


def test_freezing_stamps_the_version_in_utc() -> None:
    moment = datetime.fromisoformat("2026-11-22T20:00:00+08:00")
    snapshot = freeze(sample_table(), 7, moment)
    assert (snapshot.version, snapshot.published_at) == (7, datetime(2026, 11, 22, 12, tzinfo=UTC).isoformat())


def test_reading_a_snapshot_and_deciding_needs_the_standard_library_only(tmp_path: Path) -> None:
    """The last-resort script runs once per call when the engine is dead: it must stay light."""
    path = tmp_path / "snapshot.json"
    write_snapshot(path, SAMPLE)
    program = (
        "import sys, pathlib, datetime; before = set(sys.modules)\n"
        "from routing.snapshot import load_snapshot; from routing.rules import decide\n"
        "from routing.model import CallFacts\n"
        "s = load_snapshot(pathlib.Path(sys.argv[1]))\n"
        "print(decide(CallFacts('12333'), s, datetime.datetime.now(datetime.UTC)).group)\n"
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(new - set(sys.stdlib_module_names) - {'routing', 'telephony'}))\n"
        "print('asyncio' in sys.modules)\n"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-S", "-c", program, str(path)], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == ["social-security", "[]", "False"], done.stderr


def test_rows_that_stayed_are_not_written_anew_and_the_text_is_the_same_as_ever() -> None:
    texts = Texts()
    first = SAMPLE
    assert to_json(first, texts) == to_json(first)
    number, *others = SAMPLE.numbers.values()
    changed = replace(number, note="改了")
    second = replace(first, version=2, numbers={changed.number: changed} | {row.number: row for row in others})
    assert to_json(second, texts) == to_json(second) != to_json(first)
    assert to_json(first, texts) == to_json(first), "and back again"
    assert json.loads(to_json(second, texts)) == plain(second)
