"""From the catalogue to sound files that Asterisk can play as they are.

One job: build what changed, check what was built. It knows no call and no routing table.

Under DATA_DIR: ``sounds/<language>/<id>.alaw`` for the line, ``sounds-16k/<language>/<id>.wav`` for people,
``moh/calm.alaw`` while waiting, ``sounds/manifest.json``; a human recording in ``recorded/<language>/<id>.wav``
always wins over the placeholder voice. Files of prompts that left the catalogue stay: a call may still run
on the table that named them, and a rollback needs them at once.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Final

from ivr.prompts import audio, loudness, manifest, music
from ivr.prompts.catalogue import Prompt, Source
from ivr.prompts.manifest import Built
from ivr.prompts.pinyin import OVERRIDES, Unreadable

RECIPE: Final = 1
"""Raise it when the way sounds are made changes, so that all are made again."""

LOWEST_RATE: Final = 8000
HIGHEST_RATE: Final = 192_000
LONGEST_RAW_SECONDS: Final = 60
"""Before silence is trimmed from both ends: what is longer is not looked into."""

MOST_CLIPPED: Final = 20
"""Places where a recording that is brought in may be cut off at full scale. Ours: a few are plosives."""

MUSIC_TEXT: Final = "等候音乐"
_MUSIC_KEY: Final = ("", music.NAME)


@dataclass(frozen=True, slots=True)
class Report:
    """What one build did."""

    built: tuple[Built, ...]
    unchanged: int
    faults: tuple[str, ...]
    """In Chinese; empty when every prompt may be played."""


@dataclass(frozen=True, slots=True)
class _Job:
    prompt: Prompt
    language: str
    recording: Path | None
    fingerprint: str

    @property
    def key(self) -> manifest.Key:
        return self.language, self.prompt.id

    @property
    def text(self) -> str:
        return self.prompt.texts[self.language]

    @property
    def name(self) -> str:
        return f"{self.language}/{self.prompt.id}"


def build(
    data_dir: Path, prompts: Mapping[str, Prompt], on_progress: Callable[[int, int], None] = lambda done, total: None
) -> Report:
    """Build every prompt that is new or changed, and the music on hold; leave the rest alone.

    ``on_progress`` hears (done, total) as sounds are finished, on the caller's thread. Raises audio.ToolMissing
    before anything is touched; a fault of one prompt is reported and does not stop the others.
    """
    tools = audio.tools()
    sounds = data_dir / "sounds"
    known = manifest.load(sounds)
    jobs = [job for job in _jobs(data_dir, prompts, tools) if not _current(data_dir, job, known)]
    music_due = not _music_current(data_dir, tools, known)
    total = len(jobs) + music_due
    done: list[Built] = []
    faults: list[str] = []
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        work = [pool.submit(_make, data_dir, job) for job in jobs]
        if music_due:
            work.append(pool.submit(_make_music, data_dir, tools))
        for finished, future in enumerate(as_completed(work), start=1):
            made, wrong = future.result()
            faults += wrong
            if made:
                done.append(made)
                known[made.language, made.id] = made
            on_progress(finished, total)
    if done:
        audio.replace(sounds / manifest.NAME, manifest.dump(known))
    wanted = sum(len(prompt.texts) for prompt in prompts.values()) + 1
    return Report(tuple(sorted(done, key=lambda row: (row.language, row.id))), wanted - total, tuple(sorted(faults)))


def due(data_dir: Path, prompts: Mapping[str, Prompt]) -> frozenset[str]:
    """Ids of what :func:`build` would make, the music (:data:`music.NAME`) with them. Raises audio.ToolMissing."""
    tools = audio.tools()
    known = manifest.load(data_dir / "sounds")
    found = {job.prompt.id for job in _jobs(data_dir, prompts, tools) if not _current(data_dir, job, known)}
    return frozenset(found if _music_current(data_dir, tools, known) else {*found, music.NAME})


def speak_once(text: str, language: str, line: Path) -> None:
    """One sentence for one call, as the placeholder voice says it: no prompt, and in no manifest.

    Raises ToolMissing, ToolFailed, Unreadable or OSError.
    """
    samples = audio.say(text, language)
    gain = loudness.gain_db(loudness.measure(samples, audio.WIDE_RATE))
    audio.write_line(loudness.turned(samples, gain), line)


def check(data_dir: Path, prompts: Mapping[str, Prompt]) -> tuple[str, ...]:
    """What a caller would miss or hear wrongly today, in Chinese; empty when all is well. Raises audio.ToolMissing."""
    tools = audio.tools()
    known = manifest.load(data_dir / "sounds")
    faults: list[str] = []
    for job in _jobs(data_dir, prompts, tools):
        line, _ = paths(data_dir, *job.key)
        if not line.is_file():
            faults.append(f"{job.name}：没有生成，请运行 hotline prompts build")
        elif not _current(data_dir, job, known):
            faults.append(f"{job.name}：内容已变更但未重新生成，请运行 hotline prompts build")
        else:
            heard = loudness.measure(audio.decode(line.read_bytes()), audio.LINE_RATE)
            faults += [f"{job.name}：{fault}" for fault in loudness.faults(heard)]
            faults += [known[job.key].remark] if known[job.key].remark else []
    if not _music_current(data_dir, tools, known):
        faults.append(f"{MUSIC_TEXT}：没有生成，请运行 hotline prompts build")
    return tuple(faults)


def _jobs(data_dir: Path, prompts: Mapping[str, Prompt], tools: str) -> Iterator[_Job]:
    for prompt in prompts.values():
        for language, text in prompt.texts.items():
            recording = data_dir / "recorded" / language / f"{prompt.id}.wav"
            if recording.is_file():
                voice = _fingerprint(tools, text, hashlib.sha256(recording.read_bytes()).hexdigest())
                yield _Job(prompt, language, recording, voice)
            else:
                words_per_minute = audio.WORDS_PER_MINUTE
                voice = _fingerprint(tools, text, audio.VOICES[language], words_per_minute, *_pronunciation())
                yield _Job(prompt, language, None, voice)


def _make(data_dir: Path, job: _Job) -> tuple[Built | None, list[str]]:
    """One sound, and what is wrong with it. A recording that cannot be played is named, and the placeholder speaks."""
    faults: list[str] = []
    if job.recording:
        try:
            return _from_recording(data_dir, job, job.recording)
        except NotPlayable as refusal:
            faults = [f"录音 {job.recording} {refusal}（暂用合成语音）"]
    try:
        made = _finish(data_dir, job, audio.say(job.text, job.language), Source.TTS)
    except (Unreadable, audio.ToolFailed) as failure:
        return None, [*faults, f"{job.name}：{failure}"]
    return made, faults + [f"{job.name}：{fault}" for fault in loudness.faults(_heard(made))]


def attempt(folder: Path, prompt: Prompt, language: str) -> Built:
    """One prompt made in an empty folder, from its recording there or by the placeholder voice: to be heard first.

    Raises NotPlayable, ToolMissing or OSError.
    """
    (job,) = _jobs(folder, {prompt.id: replace(prompt, texts={language: prompt.texts[language]})}, audio.tools())
    if job.recording:
        samples, rate = _read(job.recording)
        clipped = loudness.measure(samples, rate).clipped
        if clipped > MOST_CLIPPED:
            raise NotPlayable(f"有 {clipped} 处削波失真，声音太大；请降低录音音量后重新录制")
        return _from_recording(folder, job, job.recording)[0]
    try:
        made = _finish(folder, job, audio.say(job.text, job.language), Source.TTS)
    except (Unreadable, audio.ToolFailed) as failure:
        raise NotPlayable(f"合成不了：{failure}") from failure
    if wrong := list(loudness.faults(_heard(made))):
        raise NotPlayable("；".join(wrong))
    return made


class NotPlayable(Exception):
    """What would leave callers in silence or in noise; says what to do."""


def _from_recording(data_dir: Path, job: _Job, recording: Path) -> tuple[Built, list[str]]:
    samples, rate = _read(recording)
    try:
        tidied = audio.tidy(samples, rate)
    except audio.ToolFailed as failure:
        raise NotPlayable(f"无法转换，请另存为 16 位 PCM 的 wav：{failure}") from failure
    measured = loudness.measure(tidied, audio.WIDE_RATE)
    levelled = loudness.measure(loudness.turned(tidied, loudness.gain_db(measured)), audio.WIDE_RATE)
    if wrong := list(loudness.faults(levelled)):
        raise NotPlayable("；".join(wrong))
    clipped = loudness.measure(samples, rate).clipped
    remark = f"{job.name} 的录音有 {clipped} 处削波失真，建议降低录音音量后重新录制" if clipped else ""
    return _finish(data_dir, job, tidied, Source.HUMAN, remark), [remark] if remark else []


def _read(recording: Path) -> tuple[loudness.Samples, int]:
    """Its samples and their rate; bounded before anything is resampled."""
    try:
        samples, rate = audio.read(recording)
    except audio.ToolFailed as failure:
        raise NotPlayable(f"无法读取，请另存为 16 位 PCM 的 wav（{failure}）") from failure
    except ValueError as failure:
        raise NotPlayable("无法读取：文件头不完整；请另存为 16 位 PCM 的 wav") from failure
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise NotPlayable(f"采样率 {rate} Hz 不在 {LOWEST_RATE} 到 {HIGHEST_RATE} 之间，请另存为 16000 Hz 的 wav")
    if len(samples) > rate * LONGEST_RAW_SECONDS:
        most = f"{loudness.LONGEST_SECONDS:.0f}"
        raise NotPlayable(f"时长 {len(samples) / rate:.0f} 秒，太长；一段提示音最多 {most} 秒，请剪短后重试")
    return samples, rate


def _finish(data_dir: Path, job: _Job, samples: loudness.Samples, source: Source, remark: str = "") -> Built:
    gain = loudness.gain_db(loudness.measure(samples, audio.WIDE_RATE))
    line = audio.write(loudness.turned(samples, gain), *paths(data_dir, *job.key))
    heard = loudness.measure(line, audio.LINE_RATE)
    return _row(job.key, job.text, source, job.fingerprint, heard, remark)


def _make_music(data_dir: Path, tools: str) -> tuple[Built | None, list[str]]:
    try:
        samples = music.hold_music()
        gain = music.LEVEL_RMS_DBFS - loudness.measure(samples, audio.WIDE_RATE).rms_dbfs
        line = audio.write(loudness.turned(samples, gain), *_music_paths(data_dir))
    except audio.ToolFailed as failure:
        return None, [f"{MUSIC_TEXT}：{failure}"]
    heard = loudness.measure(line, audio.LINE_RATE)
    faults = [f"{MUSIC_TEXT}：有 {heard.clipped} 处削波失真"] if heard.clipped else []
    return _row(_MUSIC_KEY, MUSIC_TEXT, Source.TTS, _music_fingerprint(tools), heard), faults


def _row(
    key: manifest.Key, text: str, source: Source, fingerprint: str, heard: loudness.Loudness, remark: str = ""
) -> Built:
    language, prompt_id = key
    levels = heard.seconds, heard.peak_dbfs, heard.rms_dbfs
    return Built(prompt_id, language, text, source, fingerprint, *levels, heard.clipped, remark)


def _heard(row: Built) -> loudness.Loudness:
    return loudness.Loudness(row.seconds, row.peak_dbfs, row.rms_dbfs, row.clipped)


def _current(data_dir: Path, job: _Job, known: Mapping[manifest.Key, Built]) -> bool:
    row = known.get(job.key)
    # A recording that was refused is tried again each time, so that its fault is told until it is mended.
    refused = row is not None and job.recording is not None and row.source is not Source.HUMAN
    here = all(path.is_file() for path in paths(data_dir, *job.key))
    return row is not None and row.fingerprint == job.fingerprint and here and not refused


def _music_current(data_dir: Path, tools: str, known: Mapping[manifest.Key, Built]) -> bool:
    row = known.get(_MUSIC_KEY)
    here = all(path.is_file() for path in _music_paths(data_dir))
    return row is not None and row.fingerprint == _music_fingerprint(tools) and here


def paths(data_dir: Path, language: str, prompt_id: str) -> tuple[Path, Path]:
    """Its file for the line, and the one for people."""
    line = data_dir / "sounds" / language / f"{prompt_id}.alaw"
    return line, data_dir / "sounds-16k" / language / f"{prompt_id}.wav"


def _music_paths(data_dir: Path) -> tuple[Path, Path]:
    # Apart from each other: Asterisk plays every file it finds in the music folder.
    return data_dir / "moh" / f"{music.NAME}.alaw", data_dir / "sounds-16k" / "moh" / f"{music.NAME}.wav"


def _music_fingerprint(tools: str) -> str:
    return _fingerprint(tools, music.SCORE, music.BAR_SECONDS, music.LEVEL_RMS_DBFS, music.PAD_GAIN_DB)


def _pronunciation() -> list[object]:
    return [version("pypinyin"), sorted(OVERRIDES.items())]


def _fingerprint(*made_of: object) -> str:
    return hashlib.sha256(json.dumps([RECIPE, *made_of], ensure_ascii=False).encode()).hexdigest()[:32]
