"""What callers hear, changed by an admin: tried first, kept with a reason, taken back to any earlier version.

One job: the order of a change. A sound is made in a folder of its own, measured, and given back to be heard; only when
it is to be kept is it written into the audit and then put in the place of the old one, one rename for each file, so
that a call plays the old sound to its end or the new one whole. Page and command use the same object (ADR 0024).
"""

from __future__ import annotations

import asyncio
import base64
import io
import shutil
import tempfile
import wave
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog

from audit.model import Act, Actor
from audit.service import anchor_new_entries
from audit.store import append
from database.connection import Database
from ivr.prompts import audio, manifest, versions
from ivr.prompts.build import NotPlayable, attempt, paths
from ivr.prompts.catalogue import MANDARIN, Prompt, Source, catalogue
from ivr.prompts.catalogue import Kind as PromptKind
from ivr.prompts.manifest import Built
from ivr.prompts.model import NoPrompt, PromptChange, PromptRefused, PromptsBusy
from ivr.prompts.staging import NEXT, PromptsLocked, add_to_manifest, current_wordings, exclusive_lock
from ivr.prompts.usage import Use, usage
from ivr.prompts.versions import History, HistoryCorrupt, Version
from ivr.prompts.wording import Key, fault, from_table
from routing.model import Snapshot

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

MOST_WAITING: Final = 4
"""Sounds that wait for their turn to be made; one is made at a time, because calls need the other core."""

MOST_ROWS: Final = 1000
MOST_VERSIONS: Final = 50
"""Of one prompt; the oldest go, but never the first, which is how it was before anybody changed it."""

LONGEST_REASON: Final = 100
TRIAL: Final = "prompt-trial-"
PREVIEW: Final = "preview"
"""Of words that belong to no prompt yet."""

_MAGIC: Final = {
    b"ID3": "MP3",
    b"\xff\xfb": "MP3",
    b"\xff\xf3": "MP3",
    b"OggS": "OGG",
    b"fLaC": "FLAC",
    b"#!AMR": "AMR",
    b"\x1aE\xdf\xa3": "WebM",
    b"PK": "ZIP 或 Office",
    b"%PDF": "PDF",
}
"""What people try instead of a WAV, by how it begins."""


@dataclass(frozen=True, slots=True)
class _Trial:
    """A sound that was made and is not in force."""

    key: Key
    folder: Path
    built: Built
    own_text: str
    recording: Path | None
    back_to: int | None


@dataclass
class Prompts:
    """One instance's."""

    data_dir: Path
    city: str
    table: Callable[[], Snapshot]
    database: Database
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _waiting: int = 0
    _catalogue: list[tuple[Snapshot, Mapping[str, Prompt], Mapping[str, tuple[Use, ...]]]] = field(default_factory=list)
    """Of the table looked at last: with ten thousand numbers it is not put together for each question."""

    async def rows(self, find: str = "", limit: int = MOST_ROWS) -> dict[str, Any]:
        """Every prompt in every language it has: text, length, voice, and where it is heard."""
        return await asyncio.to_thread(self._rows, find.strip(), max(1, min(limit, MOST_ROWS)))

    async def history(self, key: Key) -> dict[str, Any]:
        """One prompt with its versions, newest first. Raises NoPrompt."""
        return await asyncio.to_thread(self._history, key)

    async def sound(self, key: Key) -> Path:
        """The file that people can hear of what is in force. Raises NoPrompt."""
        await asyncio.to_thread(self._prompt, key)
        path = paths(self.data_dir, *key)[1]
        if not await asyncio.to_thread(path.is_file):
            raise NoPrompt("这段提示音还没有生成；请运行 hotline prompts build")
        return path

    async def change(
        self, key: Key, wish: PromptChange, actor: Actor, reason: str = "", *, keep: bool, seen: int | None = None
    ) -> dict[str, Any]:
        """Make the sound and give it back to be heard; put it in force if it is to be kept.

        ``seen``: the version in force when the asker looked. Raises PromptRefused, DatabaseError or OSError: then
        nothing has changed.
        """
        reason = reason.strip()
        if keep and not (0 < len(reason) <= LONGEST_REASON and reason.isprintable()):
            raise PromptRefused(f"请写明原因（1 到 {LONGEST_REASON} 个字），它会写入审计记录，例如 新的公告口径")
        if self._waiting >= MOST_WAITING:
            raise PromptsBusy("正在制作的提示音太多，请过几秒再试")
        self._waiting += 1
        work = asyncio.ensure_future(self._changed(key, wish, actor, reason, keep, seen))
        work.add_done_callback(self._done)
        return await asyncio.shield(work)  # to its end, whoever asked hangs up meanwhile

    async def preview(self, text: str) -> dict[str, Any]:
        """Words that no prompt has yet, as the line would play them; nothing is kept. Raises PromptRefused, OSError."""
        if wrong := fault(text):
            raise PromptRefused(wrong)
        if self._waiting >= MOST_WAITING:
            raise PromptsBusy("正在制作的提示音太多，请过几秒再试")
        self._waiting += 1
        work = asyncio.ensure_future(self._previewed(text))
        work.add_done_callback(self._done)
        return await asyncio.shield(work)

    async def _previewed(self, text: str) -> dict[str, Any]:
        async with self._turn:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=TRIAL, dir=self.data_dir))
            try:
                prompt = Prompt(PREVIEW, PromptKind.TRANSITION, {MANDARIN: text})
                built = await asyncio.to_thread(attempt, folder, prompt, MANDARIN)
                return await asyncio.to_thread(_told, _Trial((MANDARIN, PREVIEW), folder, built, text, None, None))
            except (NotPlayable, audio.ToolMissing) as no:
                raise PromptRefused(str(no).replace(f"{folder}/", "")) from None
            finally:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def _done(self, work: asyncio.Future[dict[str, Any]]) -> None:
        self._waiting -= 1
        if not work.cancelled():
            work.exception()  # told to who asked, if anybody still listens

    async def _changed(
        self, key: Key, wish: PromptChange, actor: Actor, reason: str, keep: bool, seen: int | None
    ) -> dict[str, Any]:
        async with self._turn:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=TRIAL, dir=self.data_dir))
            try:
                trial = await asyncio.to_thread(self._try, folder, key, wish)
                told = await asyncio.to_thread(_told, trial)
                if keep:
                    told["version"] = await self._keep(trial, actor, reason, seen)
                return told
            except (NotPlayable, audio.ToolMissing, HistoryCorrupt, PromptsLocked) as no:
                raise PromptRefused(str(no).replace(f"{folder}/", "")) from None
            finally:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _keep(self, trial: _Trial, actor: Actor, reason: str, seen: int | None) -> int:
        with exclusive_lock(self.data_dir, wait=False):
            if (self.data_dir / NEXT).exists():
                raise PromptsLocked("路由表正在发布；什么都没有改，请等发布完成后再试")
            history = await asyncio.to_thread(self._next, trial, actor, reason, seen)
            act = _act(trial, history, reason)
            async with self.database.transaction() as session:
                await append(session, actor, act, self.clock())
            try:
                await asyncio.to_thread(self._put, trial, history)
            except OSError as error:
                failed = Act("prompts.failed", act.subject, f"没有换成：{error}"[:200], act.detail)
                async with self.database.transaction() as session:
                    await append(session, actor, failed, self.clock())
                raise
        await anchor_new_entries(self.database, self.data_dir)
        log.info("prompt changed", language=trial.key[0], prompt=trial.key[1], version=history.in_force)
        return history.in_force

    def _try(self, folder: Path, key: Key, wish: PromptChange) -> _Trial:
        own = self._prompt(key)
        language, name = key
        recording, back_to = wish.recording, wish.back_to
        text = self._said(own).texts[language] if wish.text is None else wish.text.strip()
        if back_to is not None:
            text, recording = self._earlier(own, key, back_to)
        if from_table(own) and text != own.texts[language]:
            if recording is None:
                raise PromptRefused("这段文字是路由表里的一格：请在路由表中改，发布后生效；这里可以为它录音")
            text = own.texts[language]
        if text != own.texts[language] and (wrong := fault(text)):
            raise PromptRefused(wrong)
        path = None
        if recording is not None:
            _require_wav(recording)
            path = folder / "recorded" / language / f"{name}.wav"
            path.parent.mkdir(parents=True)
            path.write_bytes(recording)
        built = attempt(folder, replace(own, texts={language: text}), language)
        return _Trial(key, folder, built, own.texts[language], path, back_to)

    def _earlier(self, own: Prompt, key: Key, number: int) -> tuple[str, bytes | None]:
        """Text and recording of an earlier version. Raises NoPrompt."""
        history = self._began(key, own.texts[key[0]])
        try:
            version = history.version(number)
        except KeyError:
            raise NoPrompt(
                f"没有第 {number} 版；可用的有 {'、'.join(str(one.number) for one in history.versions)}"
            ) from None
        text = own.texts[key[0]] if version.text == version.instead_of else version.text
        if version.source is Source.TTS:
            return text, None
        kept = versions.place(self.data_dir, key) / f"{number}.wav"
        first = self._recorded(key)  # of a prompt that was never changed here, but recorded by hand
        return text, (kept if kept.is_file() else first).read_bytes()

    def _next(self, trial: _Trial, actor: Actor, reason: str, seen: int | None) -> History:
        """The history with this trial in force, laid ready in its folder. Raises PromptRefused."""
        history = self._began(trial.key, trial.own_text)
        if seen is not None and seen != history.in_force:
            raise PromptRefused(
                f"这段提示音刚被 {history.current.by} 改过（第 {history.in_force} 版）；请重新打开后再改"
            )
        number, built = max(one.number for one in history.versions) + 1, trial.built
        at = self.clock().astimezone(UTC).isoformat(timespec="seconds")
        why = f"退回第 {trial.back_to} 版：{reason}" if trial.back_to is not None else reason
        made = Version(number, at, actor.name, why, built.source, built.text, trial.own_text, built.seconds)
        first, *rest = history.versions
        return History(number, (first, *rest[-MOST_VERSIONS:], made))

    def _put(self, trial: _Trial, history: History) -> None:
        """Everything into its place. What a crash leaves undone, the next start builds from recording and text."""
        home, ready = versions.place(self.data_dir, trial.key), trial.folder / "ready"
        home.mkdir(parents=True, exist_ok=True)
        ready.mkdir()
        (ready / versions.NAME).write_bytes(versions.dump(history))
        recorded = self._recorded(trial.key)
        first = home / f"{history.versions[0].number}.wav"
        if recorded.is_file() and not (home / versions.NAME).exists():  # laid there by hand
            shutil.copyfile(recorded, ready / first.name)
            (ready / first.name).replace(first)
        if trial.recording is not None:
            shutil.copyfile(trial.recording, ready / "kept.wav")
            (ready / "kept.wav").replace(home / f"{history.in_force}.wav")
            recorded.parent.mkdir(parents=True, exist_ok=True)
            trial.recording.replace(recorded)
        else:
            recorded.unlink(missing_ok=True)
        (ready / versions.NAME).replace(home / versions.NAME)
        for made, place in zip(paths(trial.folder, *trial.key), paths(self.data_dir, *trial.key), strict=True):
            place.parent.mkdir(parents=True, exist_ok=True)
            made.replace(place)
        add_to_manifest(self.data_dir, (trial.built,))
        numbers = {str(one.number) for one in history.versions}
        for path in home.glob("*.wav"):
            if path.stem not in numbers:
                path.unlink()

    def _began(self, key: Key, own_text: str) -> History:
        """The versions so far; of a prompt that nobody changed yet, how it is now."""
        found = versions.load(self.data_dir, key)
        if found is not None:
            return found
        row = manifest.load(self.data_dir / "sounds").get(key)
        source = Source.HUMAN if self._recorded(key).is_file() else Source.TTS
        seconds = row.seconds if row else 0.0
        return History(1, (Version(1, "", "", "最初的", source, own_text, own_text, seconds),))

    def _recorded(self, key: Key) -> Path:
        return self.data_dir / "recorded" / key[0] / f"{key[1]}.wav"

    def _known(self) -> tuple[Mapping[str, Prompt], Mapping[str, tuple[Use, ...]]]:
        table = self.table()
        if not self._catalogue or self._catalogue[0][0] is not table:
            prompts = catalogue(table, self.city)
            self._catalogue[:] = [(table, prompts, usage(table, prompts))]
        return self._catalogue[0][1:]

    def _said(self, own: Prompt) -> Prompt:
        return current_wordings(self.data_dir, {own.id: own})[own.id]

    def _prompt(self, key: Key) -> Prompt:
        """As the catalogue has it. Whatever is no prompt gets no further: a key becomes the name of a file."""
        prompt = self._known()[0].get(key[1])
        if prompt is None or key[0] not in prompt.texts:
            raise NoPrompt(f"没有提示音 {key[1][:70]!r}（{key[0][:20]!r}）；用 hotline prompts list 查看全部")
        return prompt

    def _rows(self, find: str, limit: int) -> dict[str, Any]:
        prompts, uses = self._known()
        now = current_wordings(self.data_dir, prompts)
        built, histories = manifest.load(self.data_dir / "sounds"), versions.every(self.data_dir)[0]
        rows = []
        for name, prompt in now.items():
            for language, text in prompt.texts.items():
                if find and find not in name and find not in text and not any(find in one.what for one in uses[name]):
                    continue
                key = (language, name)
                rows.append(_row(key, prompts[name], text, built.get(key), histories.get(key), uses[name]))
        return {"total": len(rows), "rows": rows[:limit]}

    def _history(self, key: Key) -> dict[str, Any]:
        prompts, uses = self._known()
        own = self._prompt(key)
        history = versions.load(self.data_dir, key)
        built = manifest.load(self.data_dir / "sounds").get(key)
        row = _row(key, own, self._said(own).texts[key[0]], built, history, uses[own.id])
        shown = history or self._began(key, prompts[own.id].texts[key[0]])
        told = [
            {
                "number": one.number, "at": one.at, "by": one.by, "reason": one.reason, "source": one.source,
                "text": one.text, "seconds": one.seconds,
            }
            for one in reversed(shown.versions)
        ]  # fmt: skip
        return {**row, "versions": told}


def _row(
    key: Key, own: Prompt, text: str, built: Built | None, history: History | None, uses: tuple[Use, ...]
) -> dict[str, Any]:
    language, name = key
    now = history.current if history else None
    return {
        "id": name,
        "language": language,
        "kind": own.kind,
        "text": text,
        "own_text": own.texts[language],
        "from_table": from_table(own),
        "source": built.source if built else None,
        "seconds": built.seconds if built else None,
        "remark": built.remark if built else "",
        "version": history.in_force if history else 1,
        "lapsed": now is not None and now.instead_of != own.texts[language],
        "uses": [{"what": use.what, "sheet": use.sheet, "key": use.key} for use in uses],
    }


def _told(trial: _Trial) -> dict[str, Any]:
    """What was made, with its sound as the line will play it."""
    built = trial.built
    samples = audio.decode(paths(trial.folder, *trial.key)[0].read_bytes())
    with io.BytesIO() as whole:
        with wave.open(whole, "wb") as header:
            header.setparams((1, 2, audio.LINE_RATE, 0, "NONE", ""))
            header.writeframes(samples.astype("<i2").tobytes())
        sound = base64.b64encode(whole.getvalue()).decode()
    return {
        "text": built.text,
        "source": built.source,
        "seconds": built.seconds,
        "peak_dbfs": built.peak_dbfs,
        "rms_dbfs": built.rms_dbfs,
        "remark": built.remark,
        "sound": sound,
        "version": None,
    }


def _act(trial: _Trial, history: History, reason: str) -> Act:
    language, name = trial.key
    built = trial.built
    what = {Source.HUMAN: "换成录音", Source.TTS: "换成合成语音"}[built.source]
    if trial.back_to is not None:
        what = f"退回第 {trial.back_to} 版"
    detail = {
        "language": language,
        "prompt": name,
        "version": history.in_force,
        "text": built.text,
        "source": built.source,
    }
    return Act(
        "prompts.back" if trial.back_to else "prompts.keep", f"提示音 {name}（{language}）{what}", reason, detail
    )


def _require_wav(data: bytes) -> None:
    """Raises NotPlayable for what is no WAV file: no other program's format gets as far as sox."""
    if data[:4] in (b"RIFF", b"RF64") and data[8:12] == b"WAVE":
        return
    if not data:
        raise NotPlayable("文件是空的；请选择录好的 wav 文件")
    kind = next((name for start, name in _MAGIC.items() if data.startswith(start)), "")
    told = f"这是 {kind} 文件，不是 wav" if kind else "这不是 wav 声音文件"
    raise NotPlayable(f"{told}；请在录音软件里另存为 WAV（16 位 PCM，单声道，8000 Hz 以上）后重试")
