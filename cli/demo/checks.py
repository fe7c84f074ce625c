"""What must be true of the demo's call, each measured: on the wire, in the recording, in the ledger.

One job: from sound and facts to sentences with a verdict, pure but for the two readers of sound files.
"""

from __future__ import annotations

import wave
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ivr.prompts.catalogue import RATING_NAMES
from ledger.model import Fact, Kind
from ledger.records import CallRecord
from phones.g711 import decode
from phones.tones import likeliest, similarity, tone_share
from routing.model import Decision, TargetKind

HEARD_WHOLE: Final = 0.8
"""Least likeness of a prompt that was heard whole (phones.tones.similarity)."""
TONE_SHARE: Final = 0.7
"""Least share of the talk in which the other side's tone must be heard: the rest is the answer and the hang-up."""

Prompts = Mapping[str, "array[int]"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was measured."""

    name: str
    """Stable, for programs."""
    ok: bool
    text: str
    look: str = ""
    """Where to look when it is not as it should be."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Samples at 8000 Hz: what the citizen heard before, in and after the talk, and what the others got."""

    before: array[int]
    talking: array[int]
    after: array[int]
    by_answerer: array[int]
    recorded: Mapping[str, array[int]]
    """Half of the recording, caller or agent, to its samples; missing when there is none."""


def checks(
    decision: Decision,
    heard: Heard,
    prompts: Prompts,
    texts: Mapping[str, str],
    record: CallRecord | None,
    facts: Sequence[Fact],
    answerer: str,
    seat: str,
    key: str,
    *,
    citizen_hz: float,
    answerer_hz: float,
) -> Iterator[Check]:
    """Every check of this call, in the order a citizen meets what it is about."""
    yield _routed(decision, record)
    yield from _prompts(decision, heard.before, prompts, texts)
    yield _answered(decision, record, answerer, seat)
    yield _tone("citizen-heard", f"市民听到{answerer}", heard.talking, answerer_hz)
    yield _tone("answerer-heard", f"{answerer}听到市民", heard.by_answerer, citizen_hz)
    for half, name, hz in (("caller", "市民一侧", citizen_hz), ("agent", f"{answerer}一侧", answerer_hz)):
        yield _tone(f"recorded-{half}", f"录音里{name}", heard.recorded.get(half, array("h")), hz, _RECORDING)
    if decision.target.kind is not TargetKind.EMERGENCY:
        yield _asked(heard.after, prompts, facts)
        yield _rated(record, key)


_RECORDING: Final = "DATA_DIR/recordings 与 ./hotline recordings list"
_AUDIO: Final = "RTP 端口是否被防火墙拦截，DATA_DIR/asterisk/log"


def _routed(decision: Decision, record: CallRecord | None) -> Check:
    look = "./hotline status；引擎日志 DATA_DIR/log/engine.log"
    if record is None:
        return Check("routed", False, "流水里没有这个来电：Asterisk 没有收到，或引擎没有记录", look)
    ok = record.rule == decision.rule
    found = "与 route test 一致" if ok else f"应为 {decision.rule}"
    return Check("routed", ok, f"路由规则 {record.rule or '（没有：引擎没有应答）'}，{found}", look)


def _prompts(decision: Decision, before: array[int], prompts: Prompts, texts: Mapping[str, str]) -> Iterator[Check]:
    name, share = likeliest(before, prompts) if prompts else ("", 0.0)
    if not decision.prompts:
        said = "市民没有听到提示音，按规定也不应有" if share < HEARD_WHOLE else f"不应有提示音，却听到 {name}"
        yield Check("prompt", share < HEARD_WHOLE, said, "./hotline route test 号码")
    for wanted in decision.prompts:
        look = f"./hotline prompts check；DATA_DIR/sounds/zh-CN/{wanted}.alaw"
        sure = share if wanted == name else similarity(before, prompts[wanted]) if wanted in prompts else 0.0
        if sure >= HEARD_WHOLE:
            text = f"市民听到提示音 {wanted}“{texts.get(wanted, '')}”（相似度 {sure:.2f}）"
        else:
            text = f"没有听到提示音 {wanted}；最像的是 {name or '（没有）'}（相似度 {share:.2f}）"
        yield Check("prompt", sure >= HEARD_WHOLE, text, look)


def _answered(decision: Decision, record: CallRecord | None, answerer: str, seat: str) -> Check:
    look = "./hotline agents list；别的座席空闲时来电会先给等得久的"
    if record is None or record.answered_at is None:
        return Check("answered", False, f"{answerer}没有接听", look)
    waited = (record.waited_ms or 0) / 1000
    if record.seat != seat:
        who = f"工号 {record.agent}、" if record.agent else ""
        return Check("answered", False, f"接听的不是演示的{answerer}，而是{who}{record.seat}", look)
    told = "（含提示音）" if decision.prompts else ""
    return Check("answered", True, f"{answerer}接听，从来电起 {waited:.1f} 秒{told}")


def _tone(name: str, who: str, pcm: array[int], hz: float, look: str = _AUDIO) -> Check:
    share = tone_share(pcm, hz)
    if not len(pcm):
        return Check(name, False, f"{who}：没有声音", look)
    return Check(name, share >= TONE_SHARE, f"{who}的 {hz:.0f} Hz 单音，占时长 {share:.0%}", look)


def _asked(after: array[int], prompts: Prompts, facts: Sequence[Fact]) -> Check:
    sure = similarity(after, prompts["rating-ask"]) if "rating-ask" in prompts else 0.0
    asked = any(fact.kind is Kind.RATING_ASKED for fact in facts)
    ok = asked and sure >= HEARD_WHOLE
    text = f"市民听到评价提示 rating-ask（相似度 {sure:.2f}）"
    if not ok:
        text = "没有请市民评价" if not asked else f"评价提示没有完整听到（相似度 {sure:.2f}）"
    return Check("rating-asked", ok, text, "./hotline calls show last；./hotline prompts check")


def _rated(record: CallRecord | None, key: str) -> Check:
    level = (record.rating_level if record else None) or 0
    if key and level in RATING_NAMES:
        return Check("rated", level == max(RATING_NAMES), f"市民按 {key}，记为 {RATING_NAMES[level]}")
    text = f"市民按 {key}，没有记下评价" if key else "市民没有机会按键评价"
    return Check("rated", False, text, "./hotline calls show last")


def load_prompts(folder: Path) -> Prompts:
    """Every built prompt of one language, by id."""
    return {path.stem: decode(path.read_bytes()) for path in sorted(folder.glob("*.alaw"))}


def load_wave(path: Path) -> array[int]:
    """The samples of a recording; empty while it is missing or not closed yet."""
    try:
        with wave.open(str(path)) as file:
            return array("h", file.readframes(file.getnframes()))
    except (OSError, wave.Error, EOFError):
        return array("h")
