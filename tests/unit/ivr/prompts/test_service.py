"""Prompts changed by an admin: heard first, kept whole or not at all, taken back; with the real espeak-ng and sox."""

from __future__ import annotations

import asyncio
import base64
import io
import shutil
import wave
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audit.model import Actor
from audit.store import entries
from database.connection import Database, open_database
from ivr.prompts import audio, loudness, versions
from ivr.prompts.build import build, check
from ivr.prompts.catalogue import Source, catalogue
from ivr.prompts.model import NoPrompt, PromptChange, PromptRefused, PromptsBusy
from ivr.prompts.service import MOST_VERSIONS, MOST_WAITING, TRIAL, Prompts
from ivr.prompts.staging import NEXT, current_wordings, exclusive_lock
from tests.support.engine_harness import TABLE

pytestmark = [pytest.mark.unit, pytest.mark.asyncio]

KEY = ("zh-CN", "goodbye")
BOSS = Actor("张三（boss）", "网页")
NEW = "感谢您的来电，祝您生活愉快。"


def wav(
    seconds: float = 1.5, peak: float = 0.3, rate: int = 44100, hz: float = 700, channels: int = 1, width: int = 2
) -> bytes:
    """A tone as a WAV file; ``peak`` over 1 is cut off at full scale."""
    wave_ = np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate) * 32767 * peak
    samples = np.repeat(np.clip(wave_, -32768, 32767).astype("<i2"), channels)
    with io.BytesIO() as whole:
        with wave.open(whole, "wb") as file:
            file.setparams((channels, width, rate, 0, "NONE", ""))
            file.writeframes(samples.tobytes())
        return whole.getvalue()


@pytest.fixture
async def database(upgraded_sqlite: Path, tmp_path: Path) -> AsyncIterator[Database]:
    shutil.copy(upgraded_sqlite, tmp_path / "hotline.db")
    opened = open_database(f"sqlite:///{tmp_path}/hotline.db")
    yield opened
    await opened.close()


@pytest.fixture
def prompts(database: Database, tmp_path: Path) -> Prompts:
    return Prompts(tmp_path, "揭阳", lambda: TABLE, database)


def everything(folder: Path) -> dict[str, bytes]:
    """All files that a caller or a start would take notice of."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix in (".wav", ".alaw", ".json"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def line(folder: Path, key: tuple[str, str] = KEY) -> bytes:
    return (folder / "sounds" / key[0] / f"{key[1]}.alaw").read_bytes()


def hz_of(told: dict[str, Any]) -> float:
    with wave.open(io.BytesIO(base64.b64decode(told["sound"]))) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(float)
    return float(np.abs(np.fft.rfft(samples))[1:].argmax() + 1) * 8000 / len(samples)


async def test_a_text_is_heard_before_anything_changes_and_kept_with_a_reason_in_the_sealed_audit(
    prompts: Prompts, database: Database, tmp_path: Path
) -> None:
    before = everything(tmp_path)
    told = await prompts.change(KEY, PromptChange(NEW), BOSS, keep=False)
    assert (told["text"], told["source"], told["version"]) == (NEW, Source.TTS, None)
    assert len(base64.b64decode(told["sound"])) > 8000
    assert everything(tmp_path) == before
    kept = await prompts.change(KEY, PromptChange(NEW), BOSS, "口径统一", keep=True)
    assert kept["version"] == 2
    assert audio.decode(line(tmp_path)).tobytes() in base64.b64decode(kept["sound"])
    async with database.reading() as session:
        entry = (await entries(session))[-1]
    assert (entry.actor, entry.act.action, entry.act.reason) == (BOSS, "prompts.keep", "口径统一")
    assert entry.act.detail["text"] == NEW
    row = await prompts.history(KEY)
    assert (row["text"], row["version"]) == (NEW, 2)
    assert [(one["number"], one["by"]) for one in row["versions"]] == [(2, BOSS.name), (1, "")]
    mine = current_wordings(tmp_path, catalogue(TABLE, "揭阳"))
    assert mine["goodbye"].text == NEW
    assert check(tmp_path, {"goodbye": mine["goodbye"]})[:-1] == (), "the next start finds it as it must be"


async def test_a_recording_is_converted_levelled_and_wins_and_every_version_can_be_taken_back(
    prompts: Prompts, tmp_path: Path
) -> None:
    first = await prompts.change(
        KEY, PromptChange(recording=wav(hz=700, peak=0.02, channels=2)), BOSS, "录音员甲", keep=True
    )
    assert hz_of(first) == pytest.approx(700, abs=5)
    heard = loudness.measure(audio.decode(line(tmp_path)), audio.LINE_RATE)
    assert heard.rms_dbfs == pytest.approx(loudness.TARGET_RMS_DBFS, abs=1)
    second = await prompts.change(KEY, PromptChange(NEW, wav(hz=1200, rate=16000)), BOSS, "录音员乙", keep=True)
    assert (second["text"], second["source"]) == (NEW, Source.HUMAN)
    assert hz_of(await prompts.change(KEY, PromptChange(back_to=2), BOSS, keep=False)) == pytest.approx(700, abs=5)
    assert hz_of(await prompts.change(KEY, PromptChange(back_to=2), BOSS, "甲更清楚", keep=True)) == pytest.approx(
        700, abs=5
    )
    last = await prompts.change(KEY, PromptChange(back_to=1), BOSS, "退回最初", keep=True)
    assert (last["version"], last["source"], last["text"]) == (5, Source.TTS, "感谢来电，再见。")
    assert not (tmp_path / "recorded/zh-CN/goodbye.wav").exists()
    assert hz_of(await prompts.change(KEY, PromptChange(back_to=3), BOSS, keep=False)) == pytest.approx(1200, abs=5)


async def test_a_recording_laid_there_by_hand_becomes_the_first_version(prompts: Prompts, tmp_path: Path) -> None:
    mine = tmp_path / "recorded/zh-CN/goodbye.wav"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(wav(hz=500))
    await prompts.change(KEY, PromptChange(NEW), BOSS, "先用合成", keep=True)
    assert not mine.exists()
    assert hz_of(await prompts.change(KEY, PromptChange(back_to=1), BOSS, "退回", keep=True)) == pytest.approx(
        500, abs=5
    )
    assert mine.read_bytes() == wav(hz=500)


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (b"", "文件是空的"),
        (b"ID3\x04 not a wave", "这是 MP3 文件，不是 wav；请在录音软件里另存为 WAV"),
        (b"OggS" + bytes(100), "这是 OGG"),
        (b"<script>alert(1)</script>", "这不是 wav 声音文件"),
        (b"RIFF\xff\xff\xff\xffWAVEfmt " + bytes(200), "请另存为 16 位 PCM 的 wav"),
        (wav(seconds=25), "时长 25"),
        (wav(seconds=61, rate=8000), "太长；一段提示音最多 20 秒"),
        (wav(seconds=0.05), "时长"),
        (wav(peak=0), "没有声音，请重新录制"),
        (wav(peak=3), "削波失真，声音太大；请降低录音音量后重新录制"),
        (wav(seconds=10, rate=1), "采样率 1 Hz"),
    ],
)
async def test_a_bad_file_is_refused_in_words_and_nothing_changes(
    prompts: Prompts, database: Database, tmp_path: Path, file: bytes, told: str
) -> None:
    await prompts.change(KEY, PromptChange(NEW), BOSS, "在先", keep=True)
    before = everything(tmp_path)
    with pytest.raises(PromptRefused) as refused:
        await prompts.change(KEY, PromptChange(recording=file), BOSS, "换录音", keep=True)
    assert told in str(refused.value)
    assert TRIAL not in str(refused.value), "where it was tried is nobody's business"
    assert everything(tmp_path) == before
    assert not list(tmp_path.glob(f"{TRIAL}*"))
    async with database.reading() as session:
        assert len(await entries(session)) == 1


@pytest.mark.parametrize(
    ("wish", "reason", "told"),
    [
        (PromptChange("VIP 客户您好"), "试", "无法朗读的字符"),
        (PromptChange("  "), "试", "请写明要说的文字"),
        (PromptChange("好" * 121), "试", "最多 120 个"),
        (PromptChange(NEW), " ", "请写明原因"),
        (PromptChange(NEW), "一\n二", "请写明原因"),
        (PromptChange(back_to=9), "试", "没有第 9 版；可用的有 1"),
    ],
)
async def test_what_cannot_be_is_refused_in_words(
    prompts: Prompts, tmp_path: Path, wish: PromptChange, reason: str, told: str
) -> None:
    with pytest.raises(PromptRefused, match=told):
        await prompts.change(KEY, wish, BOSS, reason, keep=True)
    assert everything(tmp_path) == {}


@pytest.mark.parametrize(
    "key",
    [
        ("zh-CN", "../secrets"),
        ("..", "goodbye"),
        ("zh-CN/../..", "goodbye"),
        ("yue", "goodbye"),
        ("zh-CN", ""),
        ("", ""),
    ],
)
async def test_a_name_that_is_no_prompt_leads_nowhere(prompts: Prompts, tmp_path: Path, key: tuple[str, str]) -> None:
    for ask in (
        prompts.history(key),
        prompts.sound(key),
        prompts.change(key, PromptChange(NEW), BOSS, "试", keep=True),
    ):
        with pytest.raises(NoPrompt, match="没有提示音"):
            await ask
    assert everything(tmp_path) == {}


async def test_who_looked_before_another_changed_it_is_told(prompts: Prompts) -> None:
    await prompts.change(KEY, PromptChange(NEW), BOSS, "甲", keep=True, seen=1)
    with pytest.raises(PromptRefused, match=r"刚被 张三（boss） 改过（第 2 版）"):
        await prompts.change(KEY, PromptChange("再见。"), BOSS, "乙", keep=True, seen=1)


async def test_a_text_that_is_a_cell_of_the_table_is_changed_there_and_may_be_recorded_here(prompts: Prompts) -> None:
    rows = (await prompts.rows())["rows"]
    row = next(one for one in rows if one["from_table"])
    key = (row["language"], row["id"])
    with pytest.raises(PromptRefused, match="请在路由表中改"):
        await prompts.change(key, PromptChange(NEW), BOSS, "试", keep=True)
    kept = await prompts.change(key, PromptChange(recording=wav()), BOSS, "录音", keep=True)
    assert kept["text"] == row["text"]


async def test_words_lapse_when_the_table_changes_what_has_to_be_said(database: Database, tmp_path: Path) -> None:
    table = TABLE
    prompts = Prompts(tmp_path, "揭阳", lambda: table, database)
    key = ("zh-CN", "legacy-12333-during")
    await prompts.change(key, PromptChange(NEW), BOSS, "短一点", keep=True)
    assert (await prompts.history(key))["text"] == NEW
    renamed = replace(TABLE.numbers["12333"], name="社会保障")
    table = replace(TABLE, numbers={**TABLE.numbers, "12333": renamed})
    row = await prompts.history(key)
    assert "社会保障" in row["text"]
    assert row["lapsed"]
    kept = await prompts.change(key, PromptChange(back_to=2), BOSS, "仍然合适", keep=True)
    assert kept["text"] == NEW
    assert not (await prompts.history(key))["lapsed"]


async def test_during_a_publish_or_a_build_nothing_is_put_in_its_place(prompts: Prompts, tmp_path: Path) -> None:
    (tmp_path / NEXT).mkdir()
    with pytest.raises(PromptRefused, match="路由表正在发布"):
        await prompts.change(KEY, PromptChange(NEW), BOSS, "试", keep=True)
    (tmp_path / NEXT).rmdir()
    with exclusive_lock(tmp_path), pytest.raises(PromptRefused, match="正在生成提示音"):
        await prompts.change(KEY, PromptChange(NEW), BOSS, "试", keep=True)
    assert everything(tmp_path) == {}
    assert (await prompts.change(KEY, PromptChange(NEW), BOSS, "试", keep=True))["version"] == 2


async def test_making_sounds_is_bounded_and_off_the_event_loop(prompts: Prompts) -> None:
    asked = [
        asyncio.ensure_future(prompts.change(KEY, PromptChange(NEW), BOSS, keep=False)) for _ in range(MOST_WAITING)
    ]
    await asyncio.sleep(0)
    with pytest.raises(PromptsBusy, match="请过几秒再试"):
        await prompts.change(KEY, PromptChange(NEW), BOSS, keep=False)
    turns = 0
    while not all(one.done() for one in asked):
        await asyncio.sleep(0)
        turns += 1
    assert turns > 100, "others had their turns while sounds were made"
    assert len([one.result() for one in asked]) == MOST_WAITING


async def test_a_disk_that_fails_is_told_in_the_audit_too(
    prompts: Prompts, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(prompts, "_put", full)
    with pytest.raises(OSError, match="No space"):
        await prompts.change(KEY, PromptChange(NEW), BOSS, "试", keep=True)
    async with database.reading() as session:
        assert [one.act.action for one in await entries(session)] == ["prompts.keep", "prompts.failed"]


async def test_old_versions_go_but_never_the_first(
    prompts: Prompts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ivr.prompts.service.MOST_VERSIONS", 2)
    assert MOST_VERSIONS > 2
    for hz in (500, 600, 700, 800):
        await prompts.change(KEY, PromptChange(recording=wav(hz=hz)), BOSS, "录音", keep=True)
    assert [one["number"] for one in (await prompts.history(KEY))["versions"]] == [5, 4, 3, 1]
    assert sorted(path.name for path in versions.place(tmp_path, KEY).glob("*.wav")) == ["3.wav", "4.wav", "5.wav"]


async def test_a_history_that_cannot_be_read_is_told_and_the_catalogue_speaks(prompts: Prompts, tmp_path: Path) -> None:
    await prompts.change(KEY, PromptChange(NEW), BOSS, "试", keep=True)
    (versions.place(tmp_path, KEY) / versions.NAME).write_text("{", "utf-8")
    assert current_wordings(tmp_path, catalogue(TABLE, "揭阳"))["goodbye"].text == "感谢来电，再见。"
    with pytest.raises(PromptRefused, match="请从备份恢复"):
        await prompts.change(KEY, PromptChange(NEW), BOSS, "试", keep=True)


async def test_every_prompt_is_listed_with_its_places_and_found_by_them(prompts: Prompts, tmp_path: Path) -> None:
    some = catalogue(TABLE, "揭阳")
    build(tmp_path, {"goodbye": some["goodbye"]})
    told = await prompts.rows()
    assert told["total"] == sum(len(prompt.texts) for prompt in some.values())
    assert all(row["uses"] for row in told["rows"])
    rows = {(row["language"], row["id"]): row for row in told["rows"]}
    assert rows[KEY]["seconds"] > 0.5
    assert {"what": "拨 12333 人社，过渡期内", "sheet": "numbers", "key": "12333"} in rows[
        "zh-CN", "legacy-12333-during"
    ]["uses"]
    assert rows["yue", "greeting-12345"]["uses"][0]["sheet"] == "settings"
    assert "legacy-12333-during" in {row["id"] for row in (await prompts.rows("12333"))["rows"]}
    assert (await prompts.rows("没有这样的"))["total"] == 0
