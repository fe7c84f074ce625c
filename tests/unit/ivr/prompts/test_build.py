"""Sounds are made once, remade when they change, and a human's recording wins; with the real espeak-ng and sox."""

from __future__ import annotations

import json
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest

from ivr.prompts import audio, loudness
from ivr.prompts.build import Report, build, check, due
from ivr.prompts.catalogue import MANDARIN, Kind, Prompt, Source
from ivr.prompts.loudness import Samples

pytestmark = pytest.mark.unit

READY = Prompt("seat-ready", Kind.SEAT, {MANDARIN: "已就绪。"})
PAUSED = Prompt("seat-paused", Kind.SEAT, {MANDARIN: "已示忙。"})


def made(data_dir: Path, *prompts: Prompt) -> Report:
    return build(data_dir, {prompt.id: prompt for prompt in prompts})


def ids(report: Report) -> list[str]:
    return [row.id for row in report.built]


def record(data_dir: Path, prompt: Prompt, samples: Samples, rate: int = 44100) -> Path:
    path = data_dir / "recorded" / MANDARIN / f"{prompt.id}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def hum(peak: float = 0.2, seconds: float = 1.5, rate: int = 44100) -> Samples:
    wobble = np.sin(2 * np.pi * 300 * np.arange(int(rate * seconds)) / rate) * 32767 * peak
    return np.clip(wobble, -32768, 32767).astype(np.int16)


def test_a_prompt_becomes_a_clean_file_for_the_line_and_one_for_people(tmp_path: Path) -> None:
    report = made(tmp_path, READY)
    assert report.faults == ()
    assert ids(report) == ["calm", "seat-ready"]
    line = (tmp_path / "sounds" / MANDARIN / "seat-ready.alaw").read_bytes()
    heard = loudness.measure(audio.decode(line), audio.LINE_RATE)
    assert not list(loudness.faults(heard))
    assert heard.peak_dbfs < -1
    with wave.open(str(tmp_path / "sounds-16k" / MANDARIN / "seat-ready.wav")) as wide:
        assert (wide.getframerate(), wide.getnchannels()) == (16000, 1)
        assert wide.getnframes() / 16000 == pytest.approx(len(line) / 8000, abs=0.01)


def test_music_is_soft_long_and_alone_in_its_folder(tmp_path: Path) -> None:
    made(tmp_path)
    assert [path.name for path in (tmp_path / "moh").iterdir()] == ["calm.alaw"]
    heard = loudness.measure(audio.decode((tmp_path / "moh" / "calm.alaw").read_bytes()), audio.LINE_RATE)
    assert 30 <= heard.seconds <= 60
    assert heard.rms_dbfs == pytest.approx(-27, abs=0.5)
    assert heard.clipped == 0


def test_only_what_changed_is_built_again(tmp_path: Path) -> None:
    made(tmp_path, READY, PAUSED)
    before = (tmp_path / "sounds" / MANDARIN / "seat-paused.alaw").stat().st_mtime_ns
    assert ids(made(tmp_path, READY, PAUSED)) == []
    changed = Prompt(READY.id, READY.kind, {MANDARIN: "座席已就绪。"})
    assert ids(made(tmp_path, changed, PAUSED)) == ["seat-ready"]
    assert (tmp_path / "sounds" / MANDARIN / "seat-paused.alaw").stat().st_mtime_ns == before
    (tmp_path / "sounds" / MANDARIN / "seat-paused.alaw").unlink()
    assert ids(made(tmp_path, changed, PAUSED)) == ["seat-paused"]


def test_a_damaged_manifest_means_all_is_built_again(tmp_path: Path) -> None:
    made(tmp_path, READY)
    (tmp_path / "sounds" / "manifest.json").write_text('[{"id": 1}]')
    assert ids(made(tmp_path, READY)) == ["calm", "seat-ready"]


def test_prompts_that_left_the_table_stay_for_calls_that_still_name_them(tmp_path: Path) -> None:
    made(tmp_path, READY, PAUSED)
    made(tmp_path, READY)
    assert ids(made(tmp_path, READY, PAUSED)) == []


def test_a_human_recording_wins_and_leaves_when_it_is_taken_away(tmp_path: Path) -> None:
    made(tmp_path, READY)
    recording = record(tmp_path, READY, hum())
    report = made(tmp_path, READY)
    assert [(row.id, row.source) for row in report.built] == [("seat-ready", Source.HUMAN)]
    assert report.faults == ()
    assert made(tmp_path, READY).built == ()
    assert check(tmp_path, {READY.id: READY}) == ()
    recording.unlink()
    assert [row.source for row in made(tmp_path, READY).built] == [Source.TTS]


@pytest.mark.parametrize("samples", [np.zeros(44100, dtype=np.int16), hum(seconds=25), hum(seconds=0.05)])
def test_a_recording_that_cannot_be_played_is_told_each_time_and_the_placeholder_speaks(
    tmp_path: Path, samples: Samples
) -> None:
    record(tmp_path, READY, samples)
    for _ in range(2):
        report = made(tmp_path, READY)
        assert [row.source for row in report.built if row.id == "seat-ready"] == [Source.TTS]
        assert "暂用合成语音" in report.faults[0]


def test_a_file_that_is_no_sound_is_told(tmp_path: Path) -> None:
    record(tmp_path, READY, hum()).write_bytes(b"not a wav")
    report = made(tmp_path, READY)
    assert "无法读取" in report.faults[0]
    assert (tmp_path / "sounds" / MANDARIN / "seat-ready.alaw").is_file()


def test_a_clipped_recording_is_played_but_told_until_it_is_mended(tmp_path: Path) -> None:
    record(tmp_path, READY, hum(peak=1.5))
    report = made(tmp_path, READY)
    assert [row.source for row in report.built if row.id == "seat-ready"] == [Source.HUMAN]
    assert "削波" in report.faults[0]
    assert "削波" in check(tmp_path, {READY.id: READY})[0]


def test_check_tells_what_is_missing_and_what_is_stale(tmp_path: Path) -> None:
    assert len(check(tmp_path, {READY.id: READY})) == 2
    made(tmp_path, READY)
    assert check(tmp_path, {READY.id: READY}) == ()
    changed = Prompt(READY.id, READY.kind, {MANDARIN: "座席已就绪。"})
    assert "内容已变更" in check(tmp_path, {changed.id: changed})[0]
    (tmp_path / "sounds" / MANDARIN / "seat-ready.alaw").write_bytes(b"\xd5" * 8000)
    assert "没有声音" in check(tmp_path, {READY.id: READY})[0]


def test_missing_programs_are_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(audio.ToolMissing, match=r"espeak-ng、sox.*apt-get install"):
        made(tmp_path, READY)
    assert not (tmp_path / "sounds").exists()


def test_an_unreadable_text_is_told_and_the_others_are_built(tmp_path: Path) -> None:
    odd = Prompt("odd", Kind.SEAT, {MANDARIN: "VIP"})
    report = made(tmp_path, odd, READY)
    assert ids(report) == ["calm", "seat-ready"]
    assert "VIP" in report.faults[0]


def test_progress_is_told_and_the_manifest_is_readable(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    build(tmp_path, {READY.id: READY}, lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]
    rows = json.loads((tmp_path / "sounds" / "manifest.json").read_text("utf-8"))
    assert {row["text"] for row in rows} == {"已就绪。", "等候音乐"}


def test_the_line_is_decoded_as_sox_decodes_it(tmp_path: Path) -> None:
    line = tmp_path / "all.al"
    line.write_bytes(bytes(range(256)))
    asked = ["sox", "-D", "-t", "al", "-r", "8000", "-c", "1", str(line), "-t", "raw", "-e", "signed", "-b", "16", "-"]
    told = subprocess.run(asked, capture_output=True, check=True).stdout
    assert audio.decode(line.read_bytes()).tobytes() == told


def test_what_is_due_is_what_a_build_would_make(tmp_path: Path) -> None:
    prompts = {READY.id: READY, PAUSED.id: PAUSED}
    made(tmp_path, READY)
    assert due(tmp_path, prompts) == {PAUSED.id}
    made(tmp_path, *prompts.values())
    assert due(tmp_path, prompts) == frozenset()
