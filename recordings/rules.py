"""Judging a recording by its files and the talk it should hold. Pure."""

from __future__ import annotations

from typing import Final

from recordings.model import Found, Sound, Status, Talk, Verdict
from telephony.model import HEARD_MS

HEADER_BYTES: Final = 44
BYTES_PER_SECOND: Final = 16000
"""8000 samples a second of 16 bits, one channel: what MixMonitor writes into .wav."""

SHORT_SHARE: Final = 0.9
SHORT_SECONDS: Final = 2.0
"""A recording may be shorter than the talk by a tenth and two seconds more, for rounding and late starts."""


def sound(size: int, header: bytes) -> Sound:
    """A file's sound by its size; the header alone lies when the switch was killed."""
    seconds = max(0, size - HEADER_BYTES) / BYTES_PER_SECOND
    told = int.from_bytes(header[4:8], "little") if header[:4] == b"RIFF" else 0
    return Sound(size, round(seconds, 3), finished=size <= HEADER_BYTES or told + 8 >= size - 1)


def judge(found: Found, talk: Talk) -> Verdict:
    """What has become of a recording, and what is wrong with it."""
    mixed = found.mixed
    if not talk.ended:
        return Verdict(Status.RECORDING if mixed and mixed.seconds else Status.PLANNED, "")
    spoken = talk.answered and (talk.talk_ms is None or talk.talk_ms >= HEARD_MS)
    if mixed is None:
        return Verdict(Status.MISSING, "有通话但没有录音文件" if spoken else "")
    if not mixed.seconds:
        return Verdict(Status.EMPTY, "有通话但录音没有声音" if spoken else "")
    return Verdict(Status.KEPT, "；".join(_flaws(found, mixed, talk)))


def _flaws(found: Found, mixed: Sound, talk: Talk) -> list[str]:
    flaws = []
    talked = (talk.talk_ms or 0) / 1000
    if mixed.seconds < talked * SHORT_SHARE - SHORT_SECONDS:
        flaws.append(f"录音 {mixed.seconds:.1f} 秒，短于通话 {talked:.1f} 秒")
    for name, half in (("来电方", found.caller), ("座席方", found.agent)):
        if half is None or not half.seconds:
            flaws.append(f"缺{name}单独声道")
    if not mixed.finished:
        flaws.append("文件头未写完（交换机中断），可按文件长度播放")
    return flaws
