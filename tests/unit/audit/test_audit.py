"""The audit: whatever is done to it behind its back is found, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from audit.anchors import FILE, TAIL_BYTES, anchor, anchors, newest, note
from audit.model import Act, Actor, Anchor, Entry, Finding, Wrong
from audit.query import AuditQuery, row_history
from audit.rules import digest, seal, verify
from audit.service import anchor_new_entries
from audit.store import append, entries, search
from cli.commands.audit import app
from database.connection import Database, open_database

pytestmark = pytest.mark.unit

MOMENT = datetime(2026, 11, 22, 4, 5, 6, 789, tzinfo=UTC)
WHO = Actor("张三", "命令行 root@hl1 pts/0")


async def write(database: Database, count: int, path: Path | None = None) -> list[Entry]:
    made = []
    for n in range(count):
        async with database.transaction() as session:
            act = Act("routing.publish", f"版本 {n}", "试", {"changes": [n]})
            made.append(await append(session, WHO, act, MOMENT + timedelta(seconds=n)))
        if path is not None:
            note(path, made[-1])
    return made


async def read(database: Database) -> Sequence[Entry]:
    async with database.reading() as session:
        return await entries(session)


async def behind_its_back(database: Database, *statements: str) -> None:
    """As somebody who owns the database."""
    async with database.transaction() as session:
        if database.dialect == "sqlite":
            await session.execute(text("DROP TRIGGER IF EXISTS audit_log_no_update"))
            await session.execute(text("DROP TRIGGER IF EXISTS audit_log_no_delete"))
        else:
            await session.execute(text("DROP TRIGGER IF EXISTS audit_log_fixed ON audit_log"))
        for statement in statements:
            await session.execute(text(statement))


async def test_entries_come_back_whole_and_in_order(database: Database) -> None:
    made = await write(database, 5)
    assert list(await read(database)) == made
    assert [entry.seq for entry in made] == [1, 2, 3, 4, 5]
    assert verify(made, [Anchor(entry.seq, entry.hash) for entry in made]) == ()
    async with database.reading() as session:
        assert [entry.seq for entry in await entries(session, 2)] == [4, 5]


async def test_entries_written_at_once_make_one_chain(database: Database) -> None:
    other = open_database(database.engine.url)
    try:
        await asyncio.gather(*(write(one, 4) for one in (database, other) * 2))
    finally:
        await other.close()
    assert verify(await read(database), ()) == ()
    assert len(await read(database)) == 16


@pytest.mark.parametrize("change", ["UPDATE audit_log SET who = 'x'", "DELETE FROM audit_log"])
async def test_the_database_refuses_to_change_an_entry(database: Database, change: str) -> None:
    await write(database, 1)
    with pytest.raises(DBAPIError, match="an entry of the audit is never changed"):
        async with database.transaction() as session:
            await session.execute(text(change))


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        (["UPDATE audit_log SET who = '李四' WHERE seq = 3"], [Finding(3, Wrong.CHANGED)]),
        (["UPDATE audit_log SET reason = 'x' WHERE seq = 3"], [Finding(3, Wrong.CHANGED)]),
        (["UPDATE audit_log SET detail = '{}' WHERE seq = 3"], [Finding(3, Wrong.CHANGED)]),
        (["UPDATE audit_log SET detail = '{' WHERE seq = 3"], [Finding(3, Wrong.CHANGED)]),
        (["UPDATE audit_log SET at = '2026-11-22 04:05:06' WHERE seq = 3"], [Finding(3, Wrong.CHANGED)]),
        (["DELETE FROM audit_log WHERE seq = 3"], [Finding(3, Wrong.MISSING)]),
        (["DELETE FROM audit_log WHERE seq = 1"], [Finding(1, Wrong.MISSING)]),
        (["DELETE FROM audit_log WHERE seq = 5"], [Finding(5, Wrong.CUT)]),
        (["DELETE FROM audit_log WHERE seq > 3"], [Finding(4, Wrong.CUT), Finding(5, Wrong.CUT)]),
        (["DELETE FROM audit_log"], [Finding(n, Wrong.CUT) for n in range(1, 6)]),
        (
            [
                "UPDATE audit_log SET seq = 99 WHERE seq = 2",
                "UPDATE audit_log SET seq = 2 WHERE seq = 3",
                "UPDATE audit_log SET seq = 3 WHERE seq = 99",
            ],
            [Finding(2, Wrong.CHANGED), Finding(3, Wrong.CHANGED), Finding(4, Wrong.MOVED)],
        ),
        (
            [
                "DELETE FROM audit_log WHERE seq = 2",
                "UPDATE audit_log SET seq = seq + 100 WHERE seq > 2",
                "UPDATE audit_log SET seq = seq - 101 WHERE seq > 100",
            ],  # those after the gap closed up over it
            [*(Finding(n, Wrong.CHANGED) for n in (2, 3, 4)), Finding(5, Wrong.CUT)],
        ),
    ],
)  # fmt: skip
async def test_every_change_behind_its_back_is_found(
    database: Database, tmp_path: Path, statements: list[str], found: list[Finding]
) -> None:
    await write(database, 5, tmp_path / FILE)
    await behind_its_back(database, *statements)
    findings = verify(await read(database), anchors(tmp_path / FILE))
    assert list(findings) == found


def chain(count: int) -> list[Entry]:
    made: list[Entry] = []
    for n in range(count):
        made.append(seal(made[-1] if made else None, WHO, Act("x", str(n)), MOMENT))
    return made


def test_an_entry_inserted_with_a_right_hash_of_its_own_is_found() -> None:
    made = chain(3)
    forged_act = Act("x", "forged")
    forged = Entry(2, MOMENT, WHO, forged_act, "f" * 64, digest(2, MOMENT, WHO, forged_act, "f" * 64))
    assert verify([made[0], forged, made[2]], ()) == (Finding(2, Wrong.MOVED), Finding(3, Wrong.MOVED))


def test_a_chain_sealed_anew_is_found_by_its_anchors() -> None:
    made = chain(4)
    noted = [Anchor(entry.seq, entry.hash) for entry in made]
    anew = made[:2]
    for n in (2, 3):
        anew.append(seal(anew[-1], Actor("李四", "x"), Act("x", str(n)), MOMENT))
    assert verify(anew, ()) == ()
    assert verify(anew, noted) == (Finding(3, Wrong.REPLACED), Finding(4, Wrong.REPLACED))


def test_a_torn_line_of_the_anchors_is_no_anchor(tmp_path: Path) -> None:
    path = tmp_path / FILE
    made = chain(2)
    for entry in made:
        note(path, entry)
    path.write_text(path.read_text()[:-10])
    assert anchors(path) == (Anchor(1, made[0].hash),)
    assert anchors(tmp_path / "none") == ()
    assert path.stat().st_mode & 0o077 == 0


def test_a_written_down_anchor_is_read() -> None:
    assert anchor(f"7:{'a' * 64}") == Anchor(7, "a" * 64)
    with pytest.raises(ValueError, match="序号:校验值"):
        anchor("7")


def test_the_command_lists_and_verifies(upgraded_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    path = tmp_path / "hotline.db"
    path.write_bytes(upgraded_sqlite.read_bytes())

    async def fill(*statements: str) -> list[Entry]:
        opened = open_database(f"sqlite:///{path}")
        try:
            if statements:
                await behind_its_back(opened, *statements)
                return []
            return await write(opened, 3, tmp_path / FILE)
        finally:
            await opened.close()

    made = asyncio.run(fill())
    run = CliRunner()
    told = run.invoke(app, ["list"])
    assert "张三（命令行 root@hl1 pts/0）  版本 2  原因：试" in told.output
    whole = run.invoke(app, ["verify"])
    assert whole.exit_code == 0
    assert f"末条 3:{made[-1].hash}" in whole.output
    asyncio.run(fill("DELETE FROM audit_log WHERE seq = 3"))
    cut = run.invoke(app, ["verify"])
    assert cut.exit_code == 1
    assert "末尾被截断：第 3 条" in cut.output
    (tmp_path / FILE).unlink()  # who can do that, too, is found out, and by what was written down elsewhere
    emptied = run.invoke(app, ["verify"])
    assert (emptied.exit_code, "校验值文件被清空" in emptied.output) == (1, True)
    assert run.invoke(app, ["verify", "--expect", f"3:{made[-1].hash}"]).exit_code == 1
    assert run.invoke(app, ["verify", "--expect", "x"]).exit_code == 2


def test_the_newest_anchor_is_found_from_the_end_of_a_file_however_long(tmp_path: Path) -> None:
    path = tmp_path / FILE
    assert newest(path) == 0
    lines = [f"{seq} {seq:064x}\n" for seq in range(1, 500)]
    path.write_text("".join(lines), encoding="ascii")
    assert path.stat().st_size > 2 * TAIL_BYTES
    assert newest(path) == 499
    with path.open("a", encoding="ascii") as file:
        file.write(f"500 {'0' * 40}")
    assert newest(path) == 499
    path.write_text("".join(lines) + "#" * 2 * TAIL_BYTES, encoding="ascii")
    assert newest(path) == 499


async def test_an_emptied_file_of_anchors_is_a_finding_and_stays_one(database: Database, tmp_path: Path) -> None:
    await anchor_new_entries(database, tmp_path)
    async with database.transaction() as session:
        for number in range(30):
            act = Act("routing.publish", f"版本 {number}")
            await append(session, Actor("张三", "网页"), act, datetime.now(UTC) - timedelta(hours=1))
    file = tmp_path / FILE
    for entry in await read(database):
        note(file, entry)
    assert verify(await read(database), anchors(file), filed=True) == ()
    for left in ("", None, file.read_text()[:200]):
        if left is None:
            file.unlink()
        else:
            file.write_text(left)
        assert Wrong.UNKNOWN in [one.wrong for one in verify(await read(database), anchors(file), filed=True)]
    file.unlink()
    await anchor_new_entries(database, tmp_path)  # the engine goes on, and writes the file anew
    found = verify(await read(database), anchors(file), filed=True)
    assert [one.wrong for one in found] == [Wrong.UNKNOWN], "that it was emptied stays in the chain"
    await anchor_new_entries(database, tmp_path)
    assert len(await read(database)) == 31


async def edit(database: Database, second: int, rows: dict[str, dict[str, object] | None], who: str = "张三") -> None:
    async with database.transaction() as session:
        act = Act("routing.draft", "修改草稿", "市局来函", {"rows": rows, "count": len(rows)})
        await append(session, Actor(who, "网页"), act, MOMENT + timedelta(seconds=second))


async def test_who_changed_this_number_from_what_to_what(database: Database) -> None:
    await edit(database, 1, {"numbers.12315": {"group": "market", "note": "甲"}})
    await edit(database, 2, {"numbers.12333": {"group": "social"}, "numbers.123": {"group": "x"}})
    await edit(database, 3, {"numbers.12315": {"group": "general", "note": "甲"}}, "李四")
    await edit(database, 4, {"numbers.12315": None})
    async with database.reading() as session:
        history = row_history(await search(session, AuditQuery(row="numbers.12315")), "numbers.12315")
        other = row_history(await search(session, AuditQuery(row="numbers.1231")), "numbers.1231")
    assert [(change.entry.actor.name, change.fields) for change in history[1:2]] == [
        ("李四", {"group": ("market", "general")})
    ]
    assert [(change.first, change.new is None) for change in history] == [(True, False), (False, False), (False, True)]
    assert other == []


async def test_the_whole_audit_is_searched_by_who_what_and_when(database: Database) -> None:
    await write(database, 30)
    await edit(database, 100, {"numbers.1": {}}, "100%李四")
    async with database.reading() as session:

        async def numbers(query: AuditQuery) -> list[int]:
            return [entry.seq for entry in await search(session, query)]

        assert await numbers(AuditQuery(limit=2)) == [30, 31]
        assert await numbers(AuditQuery(actor="李四")) == [31]
        assert await numbers(AuditQuery(actor="%李")) == [31]
        assert await numbers(AuditQuery(actor="1%0")) == []
        assert await numbers(AuditQuery(text="来函")) == [31]
        assert await numbers(AuditQuery(action="routing.publish", before=4)) == [1, 2, 3]
        since, until = MOMENT + timedelta(seconds=3), MOMENT + timedelta(seconds=5)
        assert await numbers(AuditQuery(since=since, until=until)) == [4, 5]
