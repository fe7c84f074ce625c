"""A backup holds everything, is restored whole or not at all, and a damaged one is refused with a sentence."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import pyrage
import pytest

from database.connection import open_database
from ledger.lease import lease_of
from setup.backup.checks import Result
from setup.backup.drill import drill
from setup.backup.errors import BackupDamaged, BackupError, KeyNeeded, TargetInUse
from setup.backup.gather import JournalCopy
from setup.backup.model import DATABASE, OUTSIDE, Entry, EntryKind, Manifest, manifest_of
from setup.backup.repository import Repository, new_key, read_key
from setup.backup.restore import CONFIG, require_restored, restore
from setup.backup.rules import MADE_AGAIN, RESTORING, outdated, unsafe, wanted
from setup.backup.service import Instance, Made, back_up
from setup.backup.state import FOLDER, BackupReminder, load, overdue
from tests.unit.setup.backup.backup_house import CALL, SECRET, furnished, sound

pytestmark = pytest.mark.unit

RECORDING = f"recordings/2025/11/22/{CALL}.wav"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, upgraded_sqlite: Path) -> Instance:
    """Made once, copied for each test."""
    data_dir = tmp_path_factory.mktemp("template") / "here"
    data_dir.mkdir()
    shutil.copy(upgraded_sqlite, data_dir / "hotline.db")
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, furnished(data_dir, f"sqlite:///{data_dir}/hotline.db")).result()


@pytest.fixture
def here(tmp_path: Path, template: Instance) -> Instance:
    shutil.copytree(template.data_dir, tmp_path / "here")
    return elsewhere(template, tmp_path, "here")


@pytest.fixture
def kept(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "kept")


def elsewhere(instance: Instance, tmp_path: Path, name: str = "there") -> Instance:
    folder = tmp_path / name
    return replace(instance, data_dir=folder, database_url=f"sqlite:///{folder}/hotline.db")


async def made(instance: Instance, repository: Repository, **how: Any) -> Made:
    return await back_up(instance, repository, recordings=how.pop("recordings", True), **how)


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


# What is in it


@pytest.mark.parametrize(
    ("path", "is_wanted"),
    [
        ("announcements.json", True),
        ("audit.anchors", True),
        ("users.key", True),
        ("messages/2026/11/30/hl1-1763812345.12.wav", True),
        ("asterisk/db/astdb.sqlite3", True),
        ("asterisk/cel/Master.csv", True),
        ("prompts/zh-CN/goodbye/versions.json", True),
        ("what-a-later-version-adds.json", True),
        ("sounds/zh-CN/goodbye.alaw", False),
        ("asterisk/etc/pjsip.conf", False),
        ("asterisk/core", False),
        ("run/up.lock", False),
        ("backup/last.json", False),
        ("orders/numbers.part", False),
        ("hotline.db-wal", False),
        (".restoring", False),
    ],
)
def test_everything_is_wanted_that_is_not_made_again(path: str, is_wanted: bool) -> None:
    assert wanted(path, recordings=True) is is_wanted


async def test_it_comes_back_as_it_was(here: Instance, kept: Repository, tmp_path: Path) -> None:
    before = contents(here.data_dir)
    result = await made(here, kept)
    there = elsewhere(here, tmp_path)
    manifest = await restore(there, kept, kept.newest())
    after = contents(there.data_dir)
    not_the_same = {"hotline.db", "asterisk/db/astdb.sqlite3", f"{CONFIG}/hotline.toml"}  # their pages, not their bytes
    again = {path for path in before if any(f"{path}/".startswith(f"{one}/") for one in MADE_AGAIN)}
    assert before.keys() - after.keys() - {"journal/lock", "hotline.db-wal", "hotline.db-shm"} == again
    assert after.keys() - before.keys() == {f"{CONFIG}/hotline.toml"}
    assert all(after[path] == before[path] for path in after.keys() - not_the_same)
    assert manifest.rows["audit_log"] == 3  # the draft, its publish, and ours
    assert manifest.rows == result.manifest.rows
    with closing(sqlite3.connect(there.data_dir / "asterisk/db/astdb.sqlite3")) as opened:
        assert opened.execute("SELECT value FROM astdb").fetchone()[0] == "PJSIP/8001;0;0"


async def test_nobody_else_can_read_it(here: Instance, kept: Repository, tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        await made(here, kept)
        there = elsewhere(here, tmp_path)
        await restore(there, kept, kept.newest())
    finally:
        os.umask(old)
    for folder in (kept.folder, there.data_dir):
        open_to_others = [str(path) for path in (folder, *folder.rglob("*")) if path.lstat().st_mode & 0o077]
        assert open_to_others == []


async def test_the_second_backup_writes_only_what_is_new(
    here: Instance, kept: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    await made(here, kept)
    new = sound(here.data_dir / "recordings/2025/11/22/hl1-1763812346.13.wav", 0.2)
    read: list[str] = []
    put = Repository.put

    def noting(self: Repository, file: IO[bytes]) -> tuple[str, int, bool]:
        read.append(file.name)
        return put(self, file)

    monkeypatch.setattr(Repository, "put", noting)
    second = await made(here, kept)
    assert [one for one in read if "/recordings/" in one] == [str(new)]  # the known one was not even read
    assert second.new_files == 1
    assert second.new_bytes == new.stat().st_size
    assert len(second.manifest.entries) == len(kept.manifest(kept.backups()[0]).entries) + 1


async def test_a_recording_that_changed_is_read_again(here: Instance, kept: Repository, tmp_path: Path) -> None:
    await made(here, kept)
    sound(here.data_dir / RECORDING, 0.3)
    await made(here, kept)
    there = elsewhere(here, tmp_path)
    await restore(there, kept, kept.newest())
    assert (there.data_dir / RECORDING).read_bytes() == (here.data_dir / RECORDING).read_bytes()


async def test_recordings_by_choice(here: Instance, kept: Repository) -> None:
    manifest = (await made(here, kept, recordings=False)).manifest
    paths = {entry.path for entry in manifest.entries}
    assert RECORDING not in paths
    assert f"messages/2025/11/22/{CALL}.wav" in paths
    assert not manifest.recordings


async def test_recordings_of_calls_that_began_after_the_copy_are_left_out(here: Instance, kept: Repository) -> None:
    """The copied ledger cannot know them: restored, they would be recordings of no call."""
    later = f"hl1-{int((datetime.now(UTC) + timedelta(minutes=1)).timestamp())}.14"
    sound(here.data_dir / f"recordings/2026/11/30/{later}.wav")
    sound(here.data_dir / f"recordings/2026/11/30/{later}-agent.wav")
    paths = {entry.path for entry in (await made(here, kept)).manifest.entries}
    assert [path for path in paths if later in path] == []


async def test_a_segment_that_is_drained_meanwhile_is_still_in_it(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    journal.mkdir()
    first, second = (f"0{letter * 25}.jsonl" for letter in "AB")
    (journal / first).write_text("one\n")
    copy = JournalCopy(journal, tmp_path / "stage")

    async def database() -> str:
        with (journal / first).open("a") as file:
            file.write("two\n")
        (journal / second).write_text("three\n")
        (journal / first).unlink()
        return "copied"

    copy.hold()
    assert await copy.holding(database()) == "copied"
    assert {path: source.read_text() for path, source in copy.files()} == {
        f"journal/{first}": "one\ntwo\n",
        f"journal/{second}": "three\n",
    }


async def test_the_database_is_copied_while_somebody_writes(here: Instance, kept: Repository, tmp_path: Path) -> None:
    with closing(sqlite3.connect(here.data_dir / "hotline.db", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO journal_cursors VALUES ('x', 'y', 0)")
        await made(here, kept)
        writer.execute("COMMIT")
    assert kept.manifest(kept.newest()).rows["journal_cursors"] == 0


async def test_a_damaged_database_makes_no_backup(here: Instance, kept: Repository) -> None:
    await made(here, kept)
    good = load(here.data_dir)
    place = here.data_dir / "hotline.db"
    for companion in ("-wal", "-shm"):
        place.with_name(place.name + companion).unlink(missing_ok=True)
    with place.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(os.urandom(4096 * 4))
    with pytest.raises(BackupError, match=r"hotline.db|数据库"):
        await made(here, kept)
    assert len(kept.backups()) == 1
    assert load(here.data_dir) == good


async def test_a_killed_backup_is_none_and_the_next_one_tidies_up(here: Instance, kept: Repository) -> None:
    kept.prepare()
    (kept.folder / "objects" / "00").mkdir()
    draft = kept.folder / "objects" / "00" / ".draft-1"
    draft.write_bytes(b"half")
    stage = here.data_dir / "backup" / "stage-killed"
    stage.mkdir(parents=True)
    assert kept.backups() == []
    await made(here, kept)
    assert not draft.exists()
    assert not stage.exists()
    assert [path.name for path in (here.data_dir / "backup").glob("stage-*")] == []


async def test_two_at_once(here: Instance, kept: Repository) -> None:
    kept.prepare()
    with kept.alone(), pytest.raises(BackupError, match="另一个备份"):
        await made(here, Repository(kept.folder))


async def test_only_so_many_are_kept_and_those_are_whole(here: Instance, kept: Repository) -> None:
    for _ in range(4):
        (here.data_dir / "announcements.json").write_text(json.dumps({"n": os.urandom(8).hex()}))
        await made(here, kept, keep=2)
    assert len(kept.backups()) == 2
    needed = {entry.sha256 for one in kept.backups() for entry in kept.manifest(one).entries}
    assert {path.name for path in (kept.folder / "objects").glob("*/*")} == needed
    for backup in kept.backups():
        for entry in kept.manifest(backup).entries:
            kept.verify(entry)


def test_which_go() -> None:
    assert outdated(["3", "1", "2"], 2) == ("1",)
    assert outdated(["3", "1", "2"], 5) == ()
    assert outdated(["3", "1", "2"], 0) == ()


async def test_a_list_that_is_cut_off_costs_no_contents(here: Instance, kept: Repository) -> None:
    await made(here, kept)
    lists = kept.folder / "backups" / f"{kept.newest()}.objects"
    lists.write_text("\n".join(lists.read_text().splitlines()[:3]))
    with pytest.raises(BackupDamaged, match="没有清理"):
        kept.sweep()


async def test_a_folder_with_other_things_is_left_alone(here: Instance, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").write_bytes(b"x")
    with pytest.raises(BackupError, match="别的文件"):
        await made(here, Repository(tmp_path / "photos"))
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["one.jpg"]


# What is refused


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def _object_of(repository: Repository, path: str) -> Path:
    digest = next(e.sha256 for e in repository.manifest(repository.newest()).entries if e.path == path)
    return repository.folder / "objects" / digest[:2] / digest


DAMAGES: dict[str, Callable[[Repository], object]] = {
    "a recording that was changed": lambda kept: _flip(_object_of(kept, RECORDING)),
    "the database that was cut off": lambda kept: _cut(_object_of(kept, DATABASE)),
    "secrets that are gone": lambda kept: _object_of(kept, "secrets.json").unlink(),
    "an empty file": lambda kept: _object_of(kept, "audit.anchors").write_bytes(b""),
    "a manifest that was cut off": lambda kept: _cut(kept.folder / "backups" / f"{kept.newest()}.json"),
    "a manifest that was changed": lambda kept: _flip(kept.folder / "backups" / f"{kept.newest()}.json"),
    "no folder of backups": lambda kept: (kept.folder / "hotline-backup.json").unlink(),
    "somebody else's": lambda kept: (kept.folder / "hotline-backup.json").write_text('{"product": "x", "format": 1}'),
    "a later format": lambda kept: (kept.folder / "hotline-backup.json").write_text(
        '{"product": "hotline12345", "format": 2}'
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_backup_changes_nothing(here: Instance, kept: Repository, tmp_path: Path, damage: str) -> None:
    await made(here, kept)
    newest = kept.newest()
    DAMAGES[damage](kept)
    there = elsewhere(here, tmp_path)
    with pytest.raises(BackupDamaged) as refused:
        await restore(there, kept, kept.newest() or newest)
    assert "备份" in str(refused.value)
    assert not there.data_dir.exists() or list(there.data_dir.iterdir()) == []


@pytest.mark.parametrize(
    "path",
    ["../outside", "/etc/passwd", "a/../../b", "@config/../../x", "@elsewhere/x", "", "a//b", "run/up.lock", ".", "./a",
     ".restoring/x", "@config/", "a\0b"],
)  # fmt: skip
async def test_a_manifest_that_would_write_elsewhere_is_refused(
    here: Instance, kept: Repository, tmp_path: Path, path: str
) -> None:
    manifest = (await made(here, kept)).manifest
    evil = replace(manifest.entries[-1], path=path)
    assert unsafe((evil,)) == path
    kept.seal(replace(manifest, backup="20991231T235959Z", entries=(*manifest.entries, evil)))
    there = elsewhere(here, tmp_path)
    with pytest.raises(BackupDamaged, match=r"不该有的路径|完好|损坏"):
        await restore(there, kept, "20991231T235959Z")
    assert not there.data_dir.exists()


async def test_a_place_that_is_not_empty_is_refused(here: Instance, kept: Repository, tmp_path: Path) -> None:
    await made(here, kept)
    before = contents(here.data_dir)
    with pytest.raises(TargetInUse, match="不是空的"):
        await restore(here, kept, kept.newest())
    assert contents(here.data_dir) == before
    there = elsewhere(here, tmp_path)
    other = replace(there, database_url=f"sqlite:///{tmp_path}/else.db")
    (tmp_path / "else.db").write_bytes(b"something")
    with pytest.raises(TargetInUse, match=r"else\.db"):
        await restore(other, kept, kept.newest())


async def test_a_database_of_a_newer_program_is_refused(here: Instance, kept: Repository, tmp_path: Path) -> None:
    with closing(sqlite3.connect(here.data_dir / "hotline.db")) as opened:
        opened.execute("UPDATE alembic_version SET version_num = '9999'")
        opened.commit()
    await made(here, kept)
    there = elsewhere(here, tmp_path)
    with pytest.raises(BackupError, match=r"9999.*没有恢复任何东西"):
        await restore(there, kept, kept.newest())
    assert list(there.data_dir.iterdir()) == []


async def test_a_restore_that_was_broken_off_lets_nothing_start(
    here: Instance, kept: Repository, tmp_path: Path
) -> None:
    await made(here, kept)
    there = elsewhere(here, tmp_path)
    (there.data_dir / RESTORING).mkdir(parents=True)
    with pytest.raises(TargetInUse, match="hotline restore"):
        require_restored(there.data_dir)
    await restore(there, kept, kept.newest())  # begun anew, it ends well
    require_restored(there.data_dir)


async def test_the_other_kind_of_database_is_refused(here: Instance, kept: Repository, tmp_path: Path) -> None:
    await made(here, kept)
    there = replace(elsewhere(here, tmp_path), database_url="postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(BackupError, match=r"SQLite.*database_url"):
        await restore(there, kept, kept.newest())


# Encrypted


@pytest.fixture
def key(tmp_path: Path) -> tuple[str, str]:
    """Public and secret."""
    recipient = new_key(tmp_path / "backup.key")
    return recipient, read_key(tmp_path / "backup.key")


async def test_without_the_key_nothing_is_read(
    here: Instance, kept: Repository, key: tuple[str, str], tmp_path: Path
) -> None:
    recipient, secret = key
    await made(here, Repository(kept.folder, recipient=recipient))
    assert (tmp_path / "backup.key").stat().st_mode & 0o777 == 0o600
    everything = b"".join(path.read_bytes() for path in kept.folder.rglob("*") if path.is_file())
    for told in (SECRET.encode(), b"secrets.json", str(CALL).encode(), "台风".encode()):
        assert told not in everything
    there = elsewhere(here, tmp_path)
    with pytest.raises(KeyNeeded, match="--key"):
        await restore(there, kept, kept.newest())
    other = str(pyrage.x25519.Identity.generate())
    with pytest.raises(KeyNeeded, match="不是为这把密钥"):
        await restore(there, Repository(kept.folder, identity=other), kept.newest())
    assert not there.data_dir.exists()
    await restore(there, Repository(kept.folder, identity=secret), kept.newest())
    assert SECRET in (there.data_dir / "secrets.json").read_text()


async def test_a_new_key_opens_all_of_what_was_backed_up_for_it(
    here: Instance, kept: Repository, key: tuple[str, str], tmp_path: Path
) -> None:
    """Contents that are there for the old key are written again: nobody may need both."""
    for recipient in ("", key[0]):
        await made(here, Repository(kept.folder, recipient=recipient))
    newer = pyrage.x25519.Identity.generate()
    await made(here, Repository(kept.folder, recipient=str(newer.to_public())))
    for path in (kept.folder / "objects").glob("*/*"):
        if path.suffix != ".age":
            path.unlink()
    await restore(elsewhere(here, tmp_path), Repository(kept.folder, identity=str(newer)), kept.newest())


async def test_a_machine_without_the_key_keeps_only_so_many(
    here: Instance, kept: Repository, key: tuple[str, str]
) -> None:
    for _ in range(3):
        (here.data_dir / "announcements.json").write_text(json.dumps({"n": os.urandom(8).hex()}))
        await made(here, Repository(kept.folder, recipient=key[0]), keep=1)
    opened = Repository(kept.folder, identity=key[1])
    assert len(opened.backups()) == 1
    for entry in opened.manifest(opened.newest()).entries:
        opened.verify(entry)


async def test_an_encrypted_one_that_is_damaged(
    here: Instance, kept: Repository, key: tuple[str, str], tmp_path: Path
) -> None:
    await made(here, Repository(kept.folder, recipient=key[0]))
    for path in (kept.folder / "objects").glob("*/*.age"):
        _flip(path)
    with pytest.raises(BackupDamaged, match=r"解不开|不符"):
        await restore(elsewhere(here, tmp_path), Repository(kept.folder, identity=key[1]), kept.newest())


def test_what_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "no.key").write_text("hello")
    with pytest.raises(KeyNeeded, match="AGE-SECRET-KEY"):
        read_key(tmp_path / "no.key")
    with pytest.raises(BackupError, match="backup_recipient"):
        Repository(tmp_path, recipient="age1nonsense")
    with pytest.raises(BackupError, match="已经有了"):
        new_key(tmp_path / "no.key")


# The drill


async def drilled(instance: Instance, repository: Repository, tmp_path: Path) -> tuple[bool, dict[str, Result]]:
    results: list[Result] = []
    right = await drill(instance, repository, repository.newest(), tmp_path / "scratch", results.append)
    assert list((tmp_path / "scratch").iterdir()) == []
    return right, {result.name: result for result in results}


async def test_a_drill_looks_at_everything(here: Instance, kept: Repository, tmp_path: Path) -> None:
    await made(here, kept)
    before = contents(here.data_dir)
    right, results = await drilled(here, kept, tmp_path)
    assert right, results
    assert "1 条流水" in results["流水"].told
    assert "3 条完整" in results["审计"].told
    assert "1 个签入" in results["话机和签入"].told
    assert "1 个录音可以读" in results["提示音"].told
    assert "announcements、closed-groups" in results["公告、关闭的技能组等"].told
    assert {path: digest for path, digest in contents(here.data_dir).items() if not path.startswith("backup/")} == {
        path: digest for path, digest in before.items() if not path.startswith("backup/")
    }
    last = load(here.data_dir)
    assert last is not None
    assert last.drilled_at


LOSSES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "an audit that was changed": ("审计", lambda folder: (folder / "audit.anchors").write_text(f"1 {'0' * 64}\n")),
    "secrets that say nothing": ("话机和签入", lambda folder: (folder / "secrets.json").write_text("{}")),
    "a small file that is none": (
        "公告、关闭的技能组等",
        lambda folder: (folder / "announcements.json").write_text("{"),
    ),
    "a prompt that is no sound": ("提示音", lambda folder: (folder / "recorded/zh-CN/goodbye.wav").write_text("x")),
}


@pytest.mark.parametrize("loss", LOSSES)
async def test_a_drill_finds_what_was_wrong_before(here: Instance, kept: Repository, tmp_path: Path, loss: str) -> None:
    check, lose = LOSSES[loss]
    lose(here.data_dir)
    await made(here, kept)
    right, results = await drilled(here, kept, tmp_path)
    assert not right
    assert [name for name, result in results.items() if not result.right] == [check]


async def test_a_drill_of_a_damaged_backup(here: Instance, kept: Repository, tmp_path: Path) -> None:
    await made(here, kept)
    _flip(_object_of(kept, "secrets.json"))
    right, results = await drilled(here, kept, tmp_path)
    assert not right
    assert list(results) == ["恢复"]
    last = load(here.data_dir)
    assert last is not None
    assert not last.drilled_at


# PostgreSQL


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """Two databases on a server: one at the newest schema, an empty one."""
    from tests.databases import _postgres_database

    cluster: str = request.getfixturevalue("postgres_cluster")
    with (
        _postgres_database(cluster, request.getfixturevalue("upgraded_postgres")) as full,
        _postgres_database(cluster) as empty,
    ):
        yield full, empty


async def test_a_server_is_dumped_restored_and_drilled(
    server: tuple[str, str], kept: Repository, tmp_path: Path
) -> None:
    full, empty = server
    here = await furnished(tmp_path / "here", full)
    result = await made(here, kept)
    assert result.manifest.database is EntryKind.POSTGRES
    there = replace(here, data_dir=tmp_path / "there", database_url=empty)
    with pytest.raises(TargetInUse, match="张表"):
        await restore(replace(there, database_url=full), kept, kept.newest())
    assert list(there.data_dir.iterdir()) == []
    await restore(there, kept, kept.newest())
    right, results = await drilled(there, kept, tmp_path)
    assert right, results
    assert "3 条完整" in results["审计"].told


# When the last one was


def test_what_is_too_old() -> None:
    now = datetime(2026, 11, 30, 6, tzinfo=UTC)
    assert overdue(None, 0, now) == ""
    assert "还没有做过备份" in overdue(None, 26, now)


async def test_an_alarm_that_ends_with_the_next_backup(here: Instance, kept: Repository) -> None:
    raised: dict[str, str] = {}

    class Alarms:
        def renew(self, key: str, text: str, *, grave: bool = True) -> None:
            assert not grave
            raised[key] = text

        def clear(self, key: str) -> None:
            raised.pop(key, None)

    times = [datetime.now(UTC)]
    reminder = BackupReminder(here.data_dir, 26, Alarms(), lambda: times[0])
    await reminder.look()
    assert "还没有做过备份" in raised["backup-old"]
    await made(here, kept)
    await reminder.look()
    assert raised == {}
    times[0] += timedelta(hours=30)
    await reminder.look()
    assert "30 小时前" in raised["backup-old"]


# The manifest


def test_a_manifest_reads_what_it_writes() -> None:
    entry = Entry(f"{OUTSIDE}hotline.toml", EntryKind.FILE, "0" * 64, 3, 1)
    manifest = Manifest(
        "20261130T060001Z", "0.1.0", "hl1", "2026-11-30T06:00:01+00:00", 1.5, EntryKind.SQLITE, "0016", True,
        {"calls": 3}, (entry,),
    )  # fmt: skip
    assert manifest_of(manifest.dump()) == manifest
    for spoiled in ("[]", "{}", '{"product": "hotline12345", "format": 9}', '{"product": "hotline12345", "format": 1}'):
        with pytest.raises(ValueError, match=r"."):
            manifest_of(spoiled)
    twice = replace(manifest, entries=(entry, entry))
    with pytest.raises(ValueError, match="twice"):
        manifest_of(twice.dump())


def test_the_stage_is_on_the_disk_of_the_journal() -> None:
    """Links cross no disks."""
    assert FOLDER in MADE_AGAIN


async def test_a_restored_database_is_nobody_s_yet(here: Instance, kept: Repository, tmp_path: Path) -> None:
    """The machine that was backed up renewed its lease a moment ago: the other one need not wait for its end."""
    database = open_database(here.database_url)
    await lease_of("hl1", here.data_dir).take(database)
    await database.close()
    await made(here, kept)
    there = elsewhere(here, tmp_path)
    await restore(there, kept, kept.newest())
    database = open_database(there.database_url)
    await lease_of("hl1", there.data_dir).require_free(database)
    await database.close()
