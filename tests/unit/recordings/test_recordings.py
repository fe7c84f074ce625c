"""Recordings: the rules, the table on both databases, and the sweep."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from cli.commands.recordings import app
from database.connection import Database
from database.schema import upgrade
from ledger.model import Fact, Kind
from ledger.store import add_facts
from recordings.layout import call_of, half_file, recording_file
from recordings.model import Found, Recording, Sound, Status, Talk, Verdict
from recordings.rules import HEADER_BYTES, judge, sound
from recordings.service import Recordings
from recordings.store import list_recordings
from telephony.model import CallId

pytestmark = pytest.mark.unit

NOW = datetime(2026, 1, 2, tzinfo=UTC)
RANG = 1767312000
"""2026-01-02 00:00:00 UTC."""


def call(number: int) -> CallId:
    return CallId(f"hl1-{RANG}.{number}")


# --- layout and rules ---------------------------------------------------------------------------


def test_the_path_is_the_utc_day_on_which_the_call_rang() -> None:
    assert recording_file(call(7)) == "2026/01/02/hl1-1767312000.7.wav"
    assert recording_file(CallId("hl1-1767311999.1")) == "2026/01/01/hl1-1767311999.1.wav"
    assert half_file(recording_file(call(7)), "agent") == "2026/01/02/hl1-1767312000.7-agent.wav"


@given(st.integers(1_000_000_000, 9_999_999_999), st.integers(0, 10**9), st.sampled_from(["", "-caller", "-agent"]))
def test_a_file_tells_its_call(epoch: int, serial: int, half: str) -> None:
    whose = CallId(f"hl1-{epoch}.{serial}")
    assert call_of(recording_file(whose).removesuffix(".wav") + half + ".wav") == whose


@pytest.mark.parametrize(
    "path",
    ["a.wav", "2026/01/02/notes.txt", "2026/01/02/hl1-1767312000.7-other.wav", "2025/01/02/hl1-1767312000.7.wav", ""],
)
def test_other_files_are_no_recordings(path: str) -> None:
    assert call_of(path) is None


GOOD = Sound(16044 * 10, 10.0)
SILENT = Sound(HEADER_BYTES, 0.0)
TALKED = Talk(ended=True, answered=True, talk_ms=10_000)


@pytest.mark.parametrize(
    ("found", "talk", "verdict"),
    [
        (Found(GOOD, GOOD, GOOD), TALKED, Verdict(Status.KEPT, "")),
        (Found(None, None, None), TALKED, Verdict(Status.MISSING, "有通话但没有录音文件")),
        (Found(SILENT, None, None), TALKED, Verdict(Status.EMPTY, "有通话但录音没有声音")),
        (Found(GOOD, GOOD, None), TALKED, Verdict(Status.KEPT, "缺座席方单独声道")),
        (Found(GOOD, SILENT, GOOD), TALKED, Verdict(Status.KEPT, "缺来电方单独声道")),
        (
            Found(GOOD, GOOD, GOOD),
            Talk(ended=True, answered=True, talk_ms=60_000),
            Verdict(Status.KEPT, "录音 10.0 秒，短于通话 60.0 秒"),
        ),
        (Found(SILENT, SILENT, SILENT), Talk(ended=True, answered=False, talk_ms=None), Verdict(Status.EMPTY, "")),
        (Found(None, None, None), Talk(ended=True, answered=False, talk_ms=None), Verdict(Status.MISSING, "")),
        (Found(None, None, None), Talk(ended=False, answered=False, talk_ms=None), Verdict(Status.PLANNED, "")),
        (Found(SILENT, SILENT, SILENT), Talk(ended=False, answered=False, talk_ms=None), Verdict(Status.PLANNED, "")),
        (Found(GOOD, GOOD, GOOD), Talk(ended=False, answered=True, talk_ms=None), Verdict(Status.RECORDING, "")),
    ],
)
def test_judgement(found: Found, talk: Talk, verdict: Verdict) -> None:
    assert judge(found, talk) == verdict


def wav(seconds: float, *, told: bool = True) -> bytes:
    data = b"\x01\x00" * int(8000 * seconds)
    size = len(data) + 36 if told else 0
    return b"RIFF" + size.to_bytes(4, "little") + b"WAVE" + b"\x00" * 32 + data


def test_length_comes_from_the_size_because_a_killed_switch_leaves_no_header() -> None:
    whole, cut = wav(3), wav(3, told=False)
    assert sound(len(whole), whole[:HEADER_BYTES]) == Sound(48044, 3.0, finished=True)
    assert sound(len(cut), cut[:HEADER_BYTES]) == Sound(48044, 3.0, finished=False)
    assert sound(0, b"").seconds == 0
    kept = Sound(48044, 3.0, finished=False)
    assert "文件头" in judge(Found(kept, kept, kept), Talk(ended=True, answered=True, talk_ms=3000)).fault


# --- with a ledger and a folder -----------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "recordings"
    made.mkdir()
    return made


async def happened(database: Database, number: int, *kinds: Kind, talk_ms: int = 3000) -> None:
    def data(kind: Kind) -> dict[str, Any]:
        return {"talk_ms": talk_ms} if kind is Kind.ENDED else {"number": "12345"}

    facts = [
        Fact(f"{number}-{kind}", kind, call(number), NOW - timedelta(minutes=10) + timedelta(seconds=place), data(kind))
        for place, kind in enumerate(kinds)
    ]
    async with database.transaction() as session:
        await add_facts(session, facts)


def put(folder: Path, number: int, seconds: float = 3, *, halves: bool = True) -> Path:
    path = folder / recording_file(call(number))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(wav(seconds))
    if halves:
        for half in ("caller", "agent"):
            (folder / half_file(recording_file(call(number)), half)).write_bytes(wav(seconds))
    old = (NOW - timedelta(hours=2)).timestamp()
    for file in path.parent.iterdir():
        os.utime(file, (old, old))
    return path


async def table(database: Database, **wanted: Any) -> dict[CallId, Recording]:
    async with database.reading() as session:
        return {recording.call: recording for recording in await list_recordings(session, **wanted)}


WHOLE = (Kind.ENTERED, Kind.RECORDING, Kind.ANSWERED, Kind.ENDED)


async def test_a_recording_is_planned_then_judged(database: Database, folder: Path) -> None:
    recordings = Recordings(database, folder, now=lambda: NOW)
    await happened(database, 1, Kind.ENTERED, Kind.RECORDING)
    await recordings.step()
    planned = (await table(database))[call(1)]
    assert (planned.status, planned.file) == (Status.PLANNED, recording_file(call(1)))
    path = put(folder, 1)
    await happened(database, 1, *WHOLE)
    await recordings.step()
    kept = (await table(database))[call(1)]
    assert (kept.status, kept.fault, kept.seconds) == (Status.KEPT, "", 3.0)
    assert kept.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert kept.caller_seconds == kept.agent_seconds == 3.0
    assert await recordings.step() == []


async def test_a_call_answered_without_the_engine_has_its_recording_too(database: Database, folder: Path) -> None:
    put(folder, 1)
    await happened(database, 1, Kind.ENTERED, Kind.ANSWERED, Kind.ENDED)
    await Recordings(database, folder, now=lambda: NOW).step()
    assert (await table(database))[call(1)].status is Status.KEPT


async def test_the_files_are_given_time_to_be_closed(database: Database, folder: Path) -> None:
    await happened(database, 1, *WHOLE)
    ended = NOW - timedelta(minutes=10) + timedelta(seconds=3)
    assert await Recordings(database, folder, now=lambda: ended + timedelta(seconds=1)).step() == []
    assert len(await Recordings(database, folder, now=lambda: ended + timedelta(seconds=9)).step()) == 1


async def test_a_sweep_finds_empty_missing_orphans_and_strays(database: Database, folder: Path) -> None:
    for number in (1, 2, 3):
        await happened(database, number, *WHOLE)
    put(folder, 1)
    put(folder, 2, 0)
    put(folder, 4)
    (folder / "notes.txt").write_text("x")
    sweep = await Recordings(database, folder, now=lambda: NOW).sweep()
    assert {recording.call: recording.status for recording in sweep.faults} == {
        call(2): Status.EMPTY,
        call(3): Status.MISSING,
        call(4): Status.ORPHAN,
    }
    assert sweep.strays == ("notes.txt",)
    assert sweep.checked == 4
    again = await Recordings(database, folder, now=lambda: NOW).sweep()
    assert [recording.status for recording in again.faults] == [recording.status for recording in sweep.faults]
    assert set(await table(database, faulty=True)) == {call(2), call(3), call(4)}
    assert set(await table(database, status=Status.KEPT)) == {call(1)}


async def test_a_recording_that_vanished_is_missed(database: Database, folder: Path) -> None:
    await happened(database, 1, *WHOLE)
    path = put(folder, 1)
    recordings = Recordings(database, folder, now=lambda: NOW)
    assert (await recordings.sweep()).faults == ()
    for file in list(path.parent.iterdir()):
        file.unlink()
    assert [recording.status for recording in (await recordings.sweep()).faults] == [Status.MISSING]


async def test_an_orphan_whose_call_turns_up_is_no_orphan(database: Database, folder: Path) -> None:
    put(folder, 1)
    recordings = Recordings(database, folder, now=lambda: NOW)
    assert [recording.status for recording in (await recordings.sweep()).faults] == [Status.ORPHAN]
    await happened(database, 1, *WHOLE)
    assert (await recordings.sweep()).faults == ()
    assert (await table(database))[call(1)].status is Status.KEPT


async def test_a_fresh_file_without_a_call_is_given_time(database: Database, folder: Path) -> None:
    put(folder, 1)
    early = NOW - timedelta(hours=1, minutes=30)
    assert (await Recordings(database, folder, now=lambda: early).sweep()).faults == ()
    assert await table(database) == {}


async def test_an_unanswered_call_has_nothing_to_miss(database: Database, folder: Path) -> None:
    await happened(database, 1, Kind.ENTERED, Kind.RECORDING, Kind.ENDED)
    assert (await Recordings(database, folder, now=lambda: NOW).sweep()).faults == ()


# --- the command --------------------------------------------------------------------------------


def test_the_command_lists_and_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HOTLINE_DATABASE_URL", "")
    runner = CliRunner()
    without = runner.invoke(app, ["list"])
    assert without.exit_code == 2
    assert "db upgrade" in without.output
    asyncio.run(upgrade(f"sqlite:///{tmp_path}/hotline.db"))
    assert runner.invoke(app, ["check"]).exit_code == 0
    put(tmp_path / "recordings", 1)
    checked = runner.invoke(app, ["check", "--json"])
    assert checked.exit_code == 1
    assert json.loads(checked.output)["faults"][0]["status"] == "orphan"
    assert "无主" in runner.invoke(app, ["list", "--faulty"]).output
    assert json.loads(runner.invoke(app, ["list", "--json"]).output)[0]["call"] == call(1)
